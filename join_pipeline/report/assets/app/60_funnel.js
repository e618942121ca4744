// The funnel of the chosen cohorts, and the same cohorts by age.

choices.measure = "counts";
choices.grain = "";
choices.milestone = "INTERIM";

// From this depth of colour on, a cell's text is white on light paper and black on dark, which contrasts best.
const HEAT_TURN = 0.645;

const NO_COHORTS = () => (months.length ? t("missing.cohorts") : t("missing.applications"));

figures.funnel = {
  chart: "funnel",
  filters: [...SCOPES, "period"],
  definitions: ["reached", "pass_through", "pass_through_bounds"],
  controls: () => [
    radios("measure", t("funnel.measure"), ["counts", "shares"].map((one) => [one, t(`funnel.${one}`)]), choices.measure, (value) => {
      choices.measure = value;
      drawFigure("funnel");
    }),
  ],
  make() {
    const cohorts = chosenMonths(this);
    const funnel = funnelOf(cohorts);
    if (!funnel.n) return { missing: cohorts.length ? t("missing.hidden") : NO_COHORTS() };
    const shares = choices.measure === "shares";
    /** @type {[Row[], Row[], Row[]]} */
    const [rows, whiskers, heads] = [[], [], []];
    for (const step of funnel.milestones) {
      const scale = shares && step.reached ? 1 / step.reached : 1;
      const isLast = step.milestone === "HIRED";
      /** @type {[string, number, string][]} */
      const parts = [
        ["passed", step.done, isLast ? "var(--hired)" : "var(--passed)"],
        ["waiting", step.waiting, "var(--waiting)"],
        ["untold", step.untold, "var(--out-pale)"],
        ["out", step.out, "var(--out)"],
      ];
      let start = 0;
      for (const [part, n, fill] of parts) {
        const name = t(`part.${isLast && part === "passed" ? "hired" : part}`);
        const tip = `${milestoneName(step.milestone)}: ${name} ${number(n)} (${percent(n / step.reached)})`;
        if (n) rows.push({ lane: step.milestone, start: start * scale, end: (start + n) * scale, fill, tip });
        start += n;
      }
      if (!isLast && step.reached) {
        const high = step.moved + step.waiting + step.untold;
        const tip = t("funnel.tip", { milestone: milestoneName(step.milestone), low: step.moved, high });
        whiskers.push({ lane: step.milestone, low: step.moved * scale, high: high * scale, tip });
      }
      const bounds = step.low === null ? null : t("funnel.goes_on", { range: percents(step.low, step.high) });
      const few = !isLast && step.low === null ? t("funnel.few") : null;
      heads.push({
        lane: step.milestone,
        name: `${milestoneName(step.milestone)}: ${number(step.reached)}`,
        said: bounds ?? few ?? t("funnel.of_all", { share: percent(step.reached / funnel.n) }),
      });
    }
    const first = stepOf(funnel, "SCREENING");
    const hires = stepOf(funnel, "HIRED").reached;
    const offer = stepOf(funnel, "OFFER");
    return {
      also: {
        offers:
          offer.mature === null
            ? t("offers.few", { n: offer.decided.whole, least: about.minimum_n })
            : t("offers.lead", { share: percent(offer.mature), range: percents(offer.wilson.low, offer.wilson.high), n: offer.decided.whole }),
      },
      datasets: { rows, whiskers, heads },
      params: shares ? { axisFormat: ".0%", tickStep: 0 } : {},
      axis: shares ? "axis.share_of" : "axis.applications",
      n: funnel.n,
      unknown: funnel.unknown / funnel.n,
      lead:
        first.low === null
          ? t("funnel.lead.small", { n: funnel.n, hires })
          : t(first.untold ? "funnel.lead.vague" : "funnel.lead", {
              n: funnel.n,
              moved: first.moved,
              share: percent(first.low),
              waiting: first.waiting,
              hires,
            }),
      alt: t("funnel.alt", {
        steps: listed(funnel.milestones.map((step) => `${milestoneName(step.milestone)} ${number(step.reached)}`)),
      }),
      legend: [
        ["passed", t("part.passed")],
        ["hired", t("part.hired")],
        ["waiting", t("part.waiting")],
        ["out", t("part.out")],
        ...(funnel.vague ? [["pale-out", t("part.untold")]] : []),
        ["whisker", t("funnel.whisker")],
      ],
      notes: [cohortNotes(funnel)].flat(),
      table: {
        head: ["milestone", "reached", "observed", "passed", "waiting", "out", "mature", "wilson", "bounds", "untold"].map((one) =>
          t(`funnel.head.${one}`),
        ),
        rows: funnel.milestones.map((step) => [
          milestoneName(step.milestone),
          number(step.reached),
          number(step.observed),
          number(step.done),
          number(step.waiting),
          number(step.out),
          percent(step.mature, 1),
          step.wilson ? percents(step.wilson.low, step.wilson.high) : NONE,
          percents(step.low, step.high),
          number(step.untold),
        ]),
      },
    };
  },
};

/** @param {Funnel} funnel */
function cohortNotes(funnel) {
  return [
    funnel.truncated ? t("note.truncated", { n: funnel.truncated, first: date(about.first_sync_at) }) : null,
    funnel.hidden ? t("note.hidden_months", { n: funnel.hidden }) : null,
    funnel.vague ? t("note.vague_months", { n: funnel.vague }) : null,
  ];
}

figures.cohorts = {
  chart: "heat",
  filters: SCOPES,
  everyPeriod: "scope.recent",
  definitions: ["conversion_by_age"],
  controls: () => [
    radios("milestone", t("cohorts.milestone"), MILESTONES.slice(1).map((one) => [one, milestoneName(one)]), choices.milestone, (value) => {
      choices.milestone = value;
      drawFigure("cohorts");
    }),
    cohortsOf(groupFor(figures.cohorts), "week").length
      ? radios("grain", t("cohorts.grain"), ["month", "week"].map((one) => [one, t(`cohorts.${one}`)]), grainOf(), (value) => {
          choices.grain = value;
          drawFigure("cohorts");
        })
      : null,
  ],
  make() {
    const grain = grainOf();
    const all = cohortsOf(groupFor(this), grain);
    const watched = all.filter((cohort) => !cohort.is_truncated);
    const cohorts = (watched.length ? watched : all).slice(grain === "month" ? -18 : -20).reverse();
    if (!cohorts.length) return { missing: NO_COHORTS() };
    const cells = cohorts.flatMap((cohort) => {
      const counts = agesOf(cohort).filter((count) => count.milestone === choices.milestone);
      return ages.map((age) => cellOf(cohort, age, counts.find((count) => count.age_days === age)));
    });
    const most = Math.max(...cells.map((cell) => cell.rate ?? 0), 0.05);
    const shownCells = cells.filter((cell) => cell.rate !== null);
    if (!shownCells.length) return { missing: t("missing.few", { least: about.minimum_n }) };
    const rows = cells.map((cell) => {
      const depth = cell.rate === null ? null : cell.rate / most;
      return {
        cohort: cell.label,
        age: cell.age,
        fill: depth === null ? "var(--sunken)" : `color-mix(in oklab, var(--heat-high) ${Math.round(depth * 100)}%, var(--heat-low))`,
        hatch: depth !== null && !cell.isMature ? "url(#hatch)" : null,
        ink: depth === null ? "var(--muted)" : depth > HEAT_TURN ? "var(--heat-ink-high)" : "var(--heat-ink-low)",
        said: cell.said,
        tip: cell.tip,
      };
    });
    const mature = shownCells.filter((cell) => cell.isMature && !cell.isTruncated && cell.days <= 60);
    const latest = mature.length ? mature.reduce((best, cell) => (cell.days > best.days ? cell : best)) : null;
    return {
      datasets: { rows },
      n: add(cohorts.map((cohort) => cohort.n ?? 0)),
      unknown: add(cohorts.map((cohort) => cohort.n_unknown ?? 0)) / Math.max(1, add(cohorts.map((cohort) => cohort.n ?? 0))),
      lead: latest
        ? t("cohorts.lead", {
            cohort: grain === "month" ? latest.label : t("cohorts.week_of", { week: latest.label }),
            share: percent(latest.rate),
            range: percents(latest.lo, latest.hi),
            days: latest.days,
            milestone: milestoneName(choices.milestone),
          })
        : t("cohorts.lead.young"),
      alt: t("cohorts.alt", { n: cohorts.length, milestone: milestoneName(choices.milestone) }),
      legend: [
        ["heat", t("cohorts.scale", { high: percent(most) })],
        ["immature", t("cohorts.immature")],
        ["unshown", t("cohorts.unshown", { least: about.minimum_n })],
      ],
      notes: [
        watched.length === all.length
          ? null
          : t(watched.length ? "cohorts.left_out" : "cohorts.truncated", { n: all.length - watched.length, first: date(about.first_sync_at) }),
        cohorts.some((cohort) => cohort.is_hidden) ? t("note.hidden_cells") : null,
      ],
      table: {
        head: ["cohort", "n", "age", "old", "rate", "bounds", "wilson"].map((one) => t(`cohorts.head.${one}`)),
        rows: cells.map((cell) => [
          cell.label,
          cell.n === null ? t("hidden") : number(cell.n),
          cell.age,
          cell.old === null ? NONE : number(cell.old),
          percent(cell.rate, 1),
          percents(cell.lo, cell.hi),
          cell.wilson ? percents(cell.wilson.low, cell.wilson.high) : NONE,
        ]),
      },
    };
  },
};

// Months, but weeks while fewer than three months were watched from their beginning.
function grainOf() {
  const group = groupFor(figures.cohorts);
  if (!cohortsOf(group, "week").length) return "month";
  const watched = cohortsOf(group, "month").filter((cohort) => !cohort.is_truncated);
  return choices.grain || (watched.length < 3 ? "week" : "month");
}

/**
 * @param {Cohort} cohort
 * @param {number} ageDays
 * @param {Row | undefined} counts
 */
function cellOf(cohort, ageDays, counts) {
  const label = cohort.grain === "month" ? month(cohort.on) : date(cohort.on, { day: "numeric", month: "short", year: "2-digit" });
  const age = t("cohorts.days", { n: ageDays });
  const { old_enough: old, reached_lo: lo, reached, reached_hi: hi } =
    counts ?? { old_enough: null, reached_lo: null, reached: null, reached_hi: null };
  const rate = old === null ? null : share(reached, old);
  const isMature = old === cohort.n;
  const said = cohort.is_hidden ? t("hidden") : rate === null ? (old ? t("cohorts.few") : "") : percent(rate);
  const cell = {
    tip: "",
    label,
    age,
    days: ageDays,
    n: cohort.n,
    old,
    rate,
    lo: rate === null ? null : lo / old,
    hi: rate === null ? null : hi / old,
    wilson: old === null ? null : wilson(reached, old),
    isMature,
    isTruncated: cohort.is_truncated,
    said,
  };
  cell.tip =
    rate === null
      ? `${label}, ${age}: ${said || t("cohorts.too_young")}`
      : t(isMature ? "cohorts.tip" : "cohorts.tip.immature", { cohort: label, age, share: percent(rate), range: percents(cell.lo, cell.hi), old, all: cohort.n });
  return cell;
}
