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
          return [...steps, { milestone: null, days: steps[0].unseen }]
            .filter((step) => step.days > 0)
            .map((step) => {
              start += step.days;
              const tip = `${name(one)}: ${step.milestone ? milestoneName(step.milestone) : t("bottleneck.unseen")} ${inDays(step.days)}`;
              return { lane: String(one), start: start - step.days, end: start, fill: STEPS[step.milestone] ?? "var(--out-pale)", tip };
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
      legend: [
        ["observed", milestoneName("SCREENING")],
        ["passed", milestoneName("INTERIM")],
        ["waiting", milestoneName("OFFER")],
        ["pale-out", shown.some((row) => row.unseen > 0) ? t("bottleneck.unseen") : null],
      ].filter(([, text]) => text),
      notes: [t("bottleneck.note")],
      table: {
        head: ["job", "milestone", "hires", "days", "unseen", "all", "halved", "longest"].map((one) => t(`bottleneck.head.${one}`)),
        rows: rows.map((row) => [
          name(row.group),
          milestoneName(row.milestone),
          row.is_hidden ? t("hidden") : number(row.n_hires),
          inDays(row.days),
          inDays(row.unseen),
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
  definitions: ["hiring_plan"],
  make() {
    const rows = givenRows("plan");
    if (!rows.length) return { missing: t("missing.plan") };
    const name = (/** @type {Row} */ row) => row.job ?? row.category ?? t("plan.all");
    const lanes = rows.slice(0, MOST_BARS).map((row, at) => ({ row, lane: String(at) }));
    // The line of the whole plan, or what is shown of it where that is hidden. What one line has too many fills no gap of another.
    const [whole] = rows.filter((row) => row.line === 0);
    const lines = rows.filter((row) => row.line !== 0);
    const hidden = data.plan.length - rows.length;
    const counted = whole ? [whole] : lines.filter((row) => row.is_in_total !== false);
    const [wanted, hires, gap] = [sum(counted, "wanted"), sum(counted, "hires"), sum(counted, "gap")];
    const missing = lines.filter((row) => row.gap > 0).sort((a, b) => (a.by ?? "9") .localeCompare(b.by ?? "9"));
    return {
      datasets: {
        rows: lanes.flatMap(({ row, lane }) =>
          [
            { lane, start: 0, end: row.hires, fill: "var(--hired)", tip: `${name(row)}: ${t("part.hired")} ${number(row.hires)}` },
            { lane, start: row.hires, end: row.wanted, fill: "var(--out-pale)", tip: `${name(row)}: ${t("plan.gap")} ${number(row.wanted - row.hires)}` },
          ].filter(({ start, end }) => end > start),
        ),
        heads: lanes.map(({ row, lane }) => ({ lane, name: name(row), said: t("plan.said", { n: row.hires, all: row.wanted, by: row.by ? date(row.by) : NONE }) })),
      },
      axis: "axis.hires",
      n: wanted,
      of: "plan.n",
      lead: [
        t("plan.lead", { n: hires, all: wanted }),
        gap > 0 ? t("plan.missing", { n: gap }) : missing.length ? null : t("plan.done"),
        missing.length ? t("plan.next", { job: name(missing[0]), n: missing[0].gap, by: missing[0].by ? date(missing[0].by) : NONE }) : null,
      ]
        .filter(Boolean)
        .join(" "),
      alt: t("plan.alt", { n: hires, all: wanted }),
      legend: [["hired", t("part.hired")], ["pale-out", t("plan.gap")]],
      notes: [gap > wanted - hires ? t("plan.surplus") : null, hidden ? t("plan.hidden", { n: hidden }) : null],
      table: {
        head: ["name", "wanted", "by", "hired", "waiting", "expected", "gap"].map((one) => t(`plan.head.${one}`)),
        rows: rows.map((row) => [
          name(row),
          number(row.wanted),
          row.by ? date(row.by) : NONE,
          number(row.hires),
          row.is_pipeline_hidden ? t("hidden") : number(row.n_waiting),
          number(row.expected, 1),
          number(row.gap),
        ]),
      },
    };
  },
};

figures.forecast = {
  chart: "interval",
  filters: SCOPES,
  definitions: ["hiring_forecast"],
  make() {
    const group = groupFor(this);
    const rows = givenRows("forecast").filter((row) => row.group === group && row.expected !== null);
    if (!rows.length) return { missing: t("missing.forecast") };
    const far = last(rows);
    const said = (/** @type {Row} */ row) => ({ days: row.days, n: row.expected, low: row.low_80, high: row.high_80 });
    const between = (/** @type {Row} */ row, /** @type {number} */ level) => t("range", { low: number(row[`low_${level}`]), high: number(row[`high_${level}`]) });
    return {
      datasets: {
        rows: rows.map((row) => ({ ...row, lane: String(row.days), fill: "var(--hired)", tip: t("forecast.tip", said(row)) })),
        heads: rows.map((row) => ({ lane: String(row.days), name: t("forecast.within", { n: row.days }), said: t("forecast.said", said(row)) })),
      },
      axis: "axis.hires",
      n: far.waiting,
      of: "forecast.n",
      lead: t("forecast.lead", said(far)),
      alt: t("forecast.alt", said(far)),
      legend: [["dot", t("forecast.expected")], ["band", t("forecast.80")], ["interval", t("forecast.95")]],
      notes: [t("forecast.note"), far.n_past ? t("forecast.past", { n: far.n_past, within: far.past_within_80 }) : null],
      table: {
        head: ["days", "expected", "80", "95"].map((one) => t(`forecast.head.${one}`)),
        rows: rows.map((row) => [number(row.days), number(row.expected, 1), between(row, 80), between(row, 95)]),
      },
    };
  },
};

figures.levels = {
  chart: "parts",
  filters: SCOPES,
  everyPeriod: "scope.all_time",
  definitions: ["service_level"],
  make() {
    const group = groupFor(this);
    const all = givenRows("service_levels");
    const rows = inOrder(all.filter((row) => row.group === group));
    if (!rows.length) return { missing: t(all.length ? "missing.hidden_now" : "missing.levels") };
    const told = rows.filter((row) => row.n_stays > 0 && !row.is_past_hidden);
    const overdue = sum(rows, "overdue");
    const jobs = all.filter((row) => (group === 0 ? isJob(row.group) : row.group === group) && row.overdue > 0).sort((a, b) => b.overdue - a.overdue);
    const where = jobs.length ? t("levels.where", { job: group === 0 ? nameOf(jobs[0].group) : choiceName(choiceFor(this)), milestone: milestoneName(jobs[0].milestone), n: jobs[0].overdue }) : null;
    return {
      datasets: {
        rows: told.flatMap((row) =>
          /** @type {[string, number, number, string][]} */ ([
            ["within", 0, row.attained, "var(--passed)"],
            ["late", row.attained, row.n_stays, "var(--gone)"],
          ])
            .filter(([, start, end]) => end > start)
            .map(([part, start, end, fill]) => ({
              lane: row.milestone,
              start: start / row.n_stays,
              end: end / row.n_stays,
              fill,
              tip: `${milestoneName(row.milestone)}: ${t(`levels.${part}`)} ${number(end - start)} (${percent((end - start) / row.n_stays)})`,
            })),
        ),
        heads: told.map((row) => ({ lane: row.milestone, name: milestoneName(row.milestone), said: t("levels.said", { days: inDays(row.days_allowed), share: percent(row.share), n: row.overdue }) })),
      },
      params: { axisFormat: ".0%", tickStep: 0 },
      axis: "axis.share_of",
      n: sum(told, "n_stays"),
      of: "stages.n",
      lead: overdue ? [t("levels.lead", { n: overdue }), where].filter(Boolean).join(" ") : t("levels.lead.none"),
      alt: t("levels.alt", { n: overdue }),
      legend: [["passed", t("levels.within")], ["gone", t("levels.late")]],
      table: {
        head: ["job", "milestone", "days", "n", "within", "waiting", "overdue", "soon"].map((one) => t(`levels.head.${one}`)),
        rows: [...rows, ...(group === 0 ? inOrder(all.filter((row) => isJob(row.group))) : [])].map((row) => [
          row.group === group ? choiceName(choiceFor(this)) : nameOf(row.group),
          milestoneName(row.milestone),
          inDays(row.days_allowed),
          row.is_past_hidden ? t("hidden") : number(row.n_stays),
          percent(row.share),
          number(row.n_waiting),
          number(row.overdue),
          number(row.due_soon),
        ]),
      },
    };
  },
};

figures.costs = {
  chart: "parts",
  filters: ["source"],
  definitions: ["cost_per_hire"],
  make() {
    const all = givenRows("costs").filter((row) => row.grain === "all" && row.scope === "source" && row.cost !== null);
    const given = all.filter((row) => !state.chosen.source || row.source === state.chosen.source);
    // A month that is not over brings more applications, and perhaps hires: its costs are not set against them.
    const rows = given.filter((row) => row.cost_over !== null).sort((a, b) => b.cost_over - a.cost_over);
    if (!rows.length) return { missing: t(given.length ? "costs.running" : "missing.costs") };
    const money = (/** @type {Row} */ row, /** @type {number | null} */ value) =>
      value === null ? NONE : `${number(value, value < 100 ? 2 : 0)} ${row.currency ?? ""}`.trim();
    // Amounts in two currencies are not compared. The chart is of the one that brings most applications.
    const currencies = [...new Set(rows.map((row) => row.currency))]
      .map((currency) => ({ currency, n: sum(rows.filter((row) => row.currency === currency), "applications") }))
      .sort((a, b) => b.n - a.n)
      .map(({ currency }) => currency);
    const shown = rows.filter((row) => row.currency === currencies[0]);
    const priced = shown.filter((row) => row.per_hire !== null).sort((a, b) => a.per_hire - b.per_hire);
    const [best, worst] = [priced[0], last(priced)];
    const lane = (/** @type {Row} */ row) => `${row.source} ${row.currency ?? ""}`;
    return {
      datasets: {
        rows: shown.map((row) => ({ lane: lane(row), start: 0, end: row.cost_over, fill: "var(--passed)", tip: `${row.source}: ${money(row, row.cost_over)}` })),
        heads: shown.map((row) => ({
          lane: lane(row),
          name: row.source,
          said: row.per_hire === null ? t("costs.no_hire", { cost: money(row, row.cost_over) }) : t("costs.said", { cost: money(row, row.per_hire), n: row.hires }),
        })),
      },
      axis: "axis.cost",
      n: sum(shown, "applications"),
      lead: !best
        ? t("costs.lead.none")
        : best === worst
          ? t("costs.lead.one", { best: best.source, least: money(best, best.per_hire) })
          : t("costs.lead", { best: best.source, least: money(best, best.per_hire), worst: worst.source, most: money(worst, worst.per_hire) }),
      notes: [
        given.some((row) => row.cost !== row.cost_over) ? t("costs.running") : null,
        currencies.length > 1 ? t("costs.others", { currencies: listed(currencies.slice(1).map((one) => one ?? NONE)) }) : null,
      ],
      alt: t("costs.alt", { sources: listed(rows.map((row) => `${row.source} ${money(row, row.cost_over)}`)) }),
      table: {
        head: ["source", "cost", "applications", "per_application", "hires", "per_hire"].map((one) => t(`costs.head.${one}`)),
        rows: rows.map((row) => [row.source, money(row, row.cost_over), number(row.applications), money(row, row.per_application), number(row.hires), money(row, row.per_hire)]),
      },
    };
  },
};
