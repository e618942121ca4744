// Jobs: the bottleneck of each, how long each has been open, and the plan, forecast, deadlines and costs where given.

const MOST_BARS = 12;
/** @type {Record<string, string>} */
const STEPS = { SCREENING: "var(--passed-pale)", INTERIM: "var(--passed)", OFFER: "var(--waiting)" };

figures.bottleneck = {
  chart: "parts",
  filters: SCOPES,
  everyPeriod: "scope.all_time",
  definitions: ["time_in_stage", "time_to_hire"],
  make() {
    const group = groupFor(this);
    const isOwn = Object.keys(choiceFor(this)).length > 0;
    const rows = data.bottlenecks.filter((row) => (isOwn ? row.group === group : row.group === 0 || isJob(row.group)));
    const shown = rows.filter((row) => !row.is_hidden && row.days !== null);
    if (!shown.length) return { missing: t("missing.bottleneck", { least: about.minimum_n }) };
    const name = (/** @type {number} */ one) => (one === group ? choiceName(choiceFor(this)) : nameOf(one));
    const lanes = [...new Set(shown.map((row) => row.group))]
      .map((one) => ({ one, steps: shown.filter((row) => row.group === one) }))
      .map(({ one, steps }) => ({ one, steps, longest: steps.find((step) => step.is_bottleneck) ?? steps[0] }))
      .sort((a, b) => a.one - b.one || b.longest.to_hire - a.longest.to_hire)
      .slice(0, MOST_BARS);
    const { longest } = lanes[0];
    return {
      datasets: {
        rows: lanes.flatMap(({ one, steps }) => {
          let start = 0;
          return steps.map((step) => {
            start += step.days;
            const tip = `${name(one)}: ${milestoneName(step.milestone)} ${inDays(step.days)}`;
            return { lane: String(one), start: start - step.days, end: start, fill: STEPS[step.milestone], tip };
          });
        }),
        heads: lanes.map(({ one, longest: step }) => ({
          lane: String(one),
          name: name(one),
          said: t("bottleneck.said", { milestone: milestoneName(step.milestone), days: inDays(step.days), all: inDays(step.to_hire), n: step.n_hires }),
        })),
      },
      axis: "axis.days",
      n: longest.n_hires,
      of: "times.n",
      lead: t("bottleneck.lead", {
        milestone: milestoneName(longest.milestone),
        days: inDays(longest.days),
        all: inDays(longest.to_hire),
        halved: inDays(longest.if_halved),
      }),
      alt: t("bottleneck.alt", { jobs: listed(lanes.map(({ one, longest: step }) => `${name(one)} ${milestoneName(step.milestone)} ${inDays(step.days)}`)) }),
      legend: [["observed", milestoneName("SCREENING")], ["passed", milestoneName("INTERIM")], ["waiting", milestoneName("OFFER")]],
      notes: [t("bottleneck.note")],
      table: {
        head: ["job", "milestone", "hires", "days", "all", "halved", "longest"].map((one) => t(`bottleneck.head.${one}`)),
        rows: rows.map((row) => [
          name(row.group),
          milestoneName(row.milestone),
          row.is_hidden ? t("hidden") : number(row.n_hires),
          inDays(row.days),
          inDays(row.to_hire),
          inDays(row.if_halved),
          row.is_bottleneck ? t("yes") : row.days === null ? NONE : t("no"),
        ]),
      },
    };
  },
};

/** @param {number} number */
const isJob = (number) => data.groups.some((group) => group.group === number && group.scope === "job");

// How many wait in a job. Hidden stages make it a lower bound.
const pipelineOf = (/** @type {Row} */ job) =>
  job.is_hidden && job.n_open ? t("jobs.at_least", { n: job.n_open }) : job.is_hidden ? t("hidden") : number(job.n_open);

figures.jobs = {
  chart: "parts",
  filters: ["job", "category", "city"],
  definitions: ["time_to_fill", "in_stage_now"],
  make() {
    const { job, category, city } = state.chosen;
    const all = data.open_jobs.filter(
      (row) => (!job || row.key === job) && (!category || row.category === category) && (!city || row.city === city),
    );
    const dated = all.filter((row) => row.days_open !== null);
    if (!dated.length) return { missing: t(all.length ? "missing.opening" : "missing.open_jobs") };
    const filled = data.speed.find((row) => row.group === 0 && row.metric === "time_to_fill" && !row.is_hidden);
    const usual = filled?.p75 ?? filled?.p50 ?? null;
    const part = t(filled?.p75 === null ? "jobs.half" : "jobs.three_in_four");
    const isLate = (/** @type {Row} */ row) => usual !== null && row.days_open > usual;
    const isEmpty = (/** @type {Row} */ row) => !row.is_hidden && row.n_open === 0;
    const shown = dated.slice(0, MOST_BARS);
    const nobody = all.filter(isEmpty);
    const hiresOf = (/** @type {Row} */ row) => (row.group === null ? null : stepOf(funnelOf(cohortsOf(row.group, "month")), "HIRED").done);
    const name = (/** @type {Row} */ row) => [row.name ?? t("group.nameless"), row.city].filter(Boolean).join(" · ");
    const fill = (/** @type {Row} */ row) => (isEmpty(row) ? "var(--gone)" : isLate(row) ? "var(--waiting)" : "var(--passed)");
    return {
      datasets: {
        rows: shown.map((row) => ({ lane: row.key, start: 0, end: row.days_open, fill: fill(row), tip: `${name(row)}: ${inDays(row.days_open)}` })),
        heads: shown.map((row) => ({
          lane: row.key,
          name: name(row),
          said: t("jobs.said", { days: inDays(row.days_open), waiting: isEmpty(row) ? t("jobs.nobody") : row.is_hidden && !row.n_open ? t("jobs.few") : t("jobs.wait", { n: pipelineOf(row) }) }),
        })),
      },
      axis: "axis.days_open",
      n: all.length,
      of: "jobs.n",
      lead: [
        usual === null
          ? t("jobs.lead.oldest", { n: all.length, job: name(dated[0]), days: inDays(dated[0].days_open) })
          : t("jobs.lead", { n: dated.filter(isLate).length, all: all.length, days: inDays(usual), part }),
        nobody.length ? t("jobs.lead.nobody", { n: nobody.length, jobs: listed(nobody.slice(0, 3).map(name)) }) : null,
      ]
        .filter(Boolean)
        .join(" "),
      alt: t("jobs.alt", { jobs: listed(shown.map((row) => `${name(row)} ${inDays(row.days_open)}`)) }),
      legend: [["passed", t("jobs.open")], ["waiting", usual === null ? null : t("jobs.late", { days: inDays(usual) })], ["gone", t("jobs.empty")]].filter(([, text]) => text),
      notes: [dated.length > shown.length ? t("jobs.more", { n: dated.length - shown.length }) : null, t("jobs.note")],
      table: {
        head: ["job", "city", "category", "days", "waiting", "hired"].map((one) => t(`jobs.head.${one}`)),
        rows: all.map((row) => [row.name ?? t("group.nameless"), row.city ?? NONE, row.category ?? NONE, inDays(row.days_open), pipelineOf(row), number(hiresOf(row))]),
      },
    };
  },
};

// What a reader's own tables and the forecast add. Where they are not given, the figure says how to give them.
const givenRows = (/** @type {string} */ name) => (data[name] ?? []).filter((row) => !row.is_hidden);

figures.plan = {
  chart: "parts",
  filters: [],
  definitions: [],
  make() {
    const rows = givenRows("plan");
    if (!rows.length) return { missing: t("missing.plan") };
    const lanes = rows.slice(0, MOST_BARS).map((row, at) => ({ row, lane: String(at) }));
    const [wanted, hired] = [sum(rows, "wanted"), sum(rows, "hired")];
    const behind = rows.filter((row) => row.gap > 0);
    return {
      datasets: {
        rows: lanes.flatMap(({ row, lane }) =>
          [
            { lane, start: 0, end: row.hired, fill: "var(--hired)", tip: `${row.name}: ${t("part.hired")} ${number(row.hired)}` },
            { lane, start: row.hired, end: row.wanted, fill: "var(--out-pale)", tip: `${row.name}: ${t("plan.gap")} ${number(row.wanted - row.hired)}` },
          ].filter(({ start, end }) => end > start),
        ),
        heads: lanes.map(({ row, lane }) => ({ lane, name: row.name, said: t("plan.said", { n: row.hired, all: row.wanted, by: row.due_on ? date(row.due_on) : NONE }) })),
      },
      axis: "axis.hires",
      n: wanted,
      of: "plan.n",
      lead: t("plan.lead", { n: hired, all: wanted, behind: behind.length }),
      alt: t("plan.alt", { n: hired, all: wanted }),
      legend: [["hired", t("part.hired")], ["pale-out", t("plan.gap")]],
      table: {
        head: ["name", "wanted", "by", "hired", "waiting", "expected", "gap"].map((one) => t(`plan.head.${one}`)),
        rows: rows.map((row) => [row.name, number(row.wanted), row.due_on ? date(row.due_on) : NONE, number(row.hired), number(row.waiting), number(row.expected, 1), number(row.gap)]),
      },
    };
  },
};

figures.forecast = {
  chart: "interval",
  filters: ["job"],
  definitions: [],
  make() {
    const group = groupFor(this);
    const rows = givenRows("forecast").filter((row) => row.group === group && row.expected !== null);
    if (!rows.length) return { missing: t("missing.forecast") };
    const far = last(rows);
    const lanes = rows.map((row, at) => ({ row, lane: String(at) }));
    return {
      datasets: {
        rows: lanes.map(({ row, lane }) => ({ ...row, lane, fill: "var(--hired)", tip: t("forecast.tip", { days: row.days, n: row.expected, low: row.low80, high: row.high80 }) })),
        heads: lanes.map(({ row, lane }) => ({ lane, name: t("forecast.within", { n: row.days }), said: t("forecast.said", { n: row.expected, low: row.low80, high: row.high80 }) })),
      },
      axis: "axis.hires",
      n: far.n_waiting,
      of: "forecast.n",
      lead: t("forecast.lead", { days: far.days, n: far.expected, low: far.low80, high: far.high80 }),
      alt: t("forecast.alt", { days: far.days, n: far.expected }),
      legend: [["dot", t("forecast.expected")], ["band", t("forecast.80")], ["interval", t("forecast.95")]],
      notes: [t("forecast.note")],
      table: {
        head: ["days", "expected", "80", "95"].map((one) => t(`forecast.head.${one}`)),
        rows: rows.map((row) => [number(row.days), number(row.expected, 1), t("range", { low: number(row.low80), high: number(row.high80) }), t("range", { low: number(row.low95), high: number(row.high95) })]),
      },
    };
  },
};

figures.levels = {
  chart: "parts",
  filters: [],
  definitions: [],
  make() {
    const rows = inOrder(givenRows("service_levels"));
    if (!rows.length) return { missing: t("missing.levels") };
    const overdue = sum(rows, "n_overdue");
    const worst = rows.reduce((best, row) => (row.n_overdue > best.n_overdue ? row : best));
    /** @param {Row} row @returns {[string, number, string][]} */
    const parts = (row) => [["within", row.n_within, "var(--passed)"], ["late", row.n - row.n_within, "var(--gone)"]];
    return {
      datasets: {
        rows: rows.flatMap((row, at) => {
          let start = 0;
          return parts(row).filter(([, n]) => n > 0).map(([part, n, fill]) => {
            start += n;
            return { lane: String(at), start: (start - n) / row.n, end: start / row.n, fill, tip: `${milestoneName(row.milestone)}: ${t(`levels.${part}`)} ${number(n)} (${percent(n / row.n)})` };
          });
        }),
        heads: rows.map((row, at) => ({ lane: String(at), name: milestoneName(row.milestone), said: t("levels.said", { days: inDays(row.allowed_days), share: percent(row.n_within / row.n), n: row.n_overdue }) })),
      },
      params: { axisFormat: ".0%", tickStep: 0 },
      axis: "axis.share_of",
      n: sum(rows, "n"),
      of: "stages.n",
      lead: overdue ? t("levels.lead", { n: overdue, milestone: milestoneName(worst.milestone), most: worst.n_overdue }) : t("levels.lead.none"),
      alt: t("levels.alt", { n: overdue }),
      legend: [["passed", t("levels.within")], ["gone", t("levels.late")]],
      table: {
        head: ["milestone", "days", "n", "within", "overdue"].map((one) => t(`levels.head.${one}`)),
        rows: rows.map((row) => [milestoneName(row.milestone), inDays(row.allowed_days), number(row.n), percent(row.n_within / row.n), number(row.n_overdue)]),
      },
    };
  },
};

figures.costs = {
  chart: "parts",
  filters: [],
  definitions: [],
  make() {
    const rows = givenRows("costs").sort((a, b) => b.cost - a.cost);
    if (!rows.length) return { missing: t("missing.costs") };
    const money = (/** @type {number | null} */ value) => `${number(value, value !== null && value < 100 ? 2 : 0)}${value === null ? "" : ` ${rows[0].currency ?? ""}`}`.trim();
    const priced = rows.filter((row) => row.per_hire !== null).sort((a, b) => a.per_hire - b.per_hire);
    return {
      datasets: {
        rows: rows.map((row) => ({ lane: row.source, start: 0, end: row.cost, fill: "var(--passed)", tip: `${row.source}: ${money(row.cost)}` })),
        heads: rows.map((row) => ({ lane: row.source, name: row.source, said: row.per_hire === null ? t("costs.no_hire", { cost: money(row.cost) }) : t("costs.said", { cost: money(row.per_hire), n: row.hires }) })),
      },
      axis: "axis.cost",
      n: sum(rows, "applications"),
      lead: priced.length
        ? t("costs.lead", { best: priced[0].source, least: money(priced[0].per_hire), worst: last(priced).source, most: money(last(priced).per_hire) })
        : t("costs.lead.none"),
      alt: t("costs.alt", { sources: listed(rows.map((row) => `${row.source} ${money(row.cost)}`)) }),
      legend: null,
      table: {
        head: ["source", "cost", "applications", "per_application", "hires", "per_hire"].map((one) => t(`costs.head.${one}`)),
        rows: rows.map((row) => [row.source, money(row.cost), number(row.applications), money(row.per_application), number(row.hires), money(row.per_hire)]),
      },
    };
  },
};
