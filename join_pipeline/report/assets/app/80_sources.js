// Sources compared: the rate as a dot, and its confidence interval.

choices.rate = "passed";
const MOST_LANES = 16;

// A source's counts over the chosen cohorts: how many passed screening, or were hired, of how many decided.
function sourceRate(funnel, rate) {
  if (rate === "passed") {
    const { moved, out, waiting, reached } = stepOf(funnel, "SCREENING");
    return { part: moved, whole: moved + out, fewest: moved, most: moved + waiting, base: reached };
  }
  const hired = stepOf(funnel, "HIRED").done;
  const out = add(funnel.milestones.map((step) => step.out));
  return { part: hired, whole: hired + out, fewest: hired, most: funnel.n - out, base: funnel.n };
}

figures.sources = {
  chart: "rates",
  filters: ["source", "period"],
  definitions: ["source_effectiveness", "pass_through", "hire_rate"],
  controls: () => [
    radios("rate", t("sources.rate"), ["passed", "hired"].map((one) => [one, t(`sources.${one}`)]), choices.rate, (value) => {
      choices.rate = value;
      drawFigure("sources");
    }),
  ],
  make() {
    const groups = data.groups.filter((group) => group.scope === "source");
    if (!groups.length) return { missing: NO_COHORTS() };
    const all = groups.map((group) => {
      const months = cohortsOf(group.group, "month").filter((one) => one.on >= state.from && one.on <= state.to);
      const funnel = funnelOf(months);
      const { part, whole, fewest, most, base } = sourceRate(funnel, choices.rate);
      return {
        group: group.group,
        name: groupName(group),
        funnel,
        mart: data.sources.find((row) => row.group === group.group),
        part,
        whole,
        rate: share(part, whole),
        wilson: wilson(part, whole),
        low: share(fewest, base),
        high: share(most, base),
      };
    });
    const rated = all.filter((one) => one.rate !== null).sort((a, b) => b.rate - a.rate);
    if (!rated.length) return { missing: t("missing.sources", { least: about.minimum_n }) };
    const shown = rated.slice(0, MOST_LANES);
    const [best, worst] = [rated[0], last(rated)];
    const chosen = chosenGroup().scope === "source" ? state.group : null;
    const { differ, leads, trails } = extremes(rated);
    const what = t(`sources.${choices.rate}.what`);
    const n = add(all.map((one) => one.funnel.n));
    return {
      datasets: {
        rows: shown.map((one) => ({
          lane: String(one.group),
          low: one.wilson.low,
          high: one.wilson.high,
          rate: one.rate,
          fill: chosen === null || chosen === one.group ? "var(--passed)" : "var(--out)",
          tip: `${one.name}: ${percent(one.rate)} (${percents(one.wilson.low, one.wilson.high)})`,
        })),
        heads: shown.map((one) => ({
          lane: String(one.group),
          name: one.name,
          said: t("sources.said", { rate: percent(one.rate), range: percents(one.wilson.low, one.wilson.high), n: one.whole }),
        })),
      },
      n,
      unknown: add(all.map((one) => one.funnel.unknown)) / n,
      lead: t(`sources.lead${leads && trails ? "" : differ ? ".differ" : ".alike"}`, {
        best: best.name,
        rate: percent(best.rate),
        worst: worst.name,
        worst_rate: percent(worst.rate),
        what,
      }),
      alt: t("sources.alt", { what, sources: shown.map((one) => `${one.name} ${percent(one.rate)} (${percents(one.wilson.low, one.wilson.high)})`).join("; ") }),
      legend: [
        ["dot", what],
        ["interval", t("sources.interval")],
      ],
      notes: [
        all.some((one) => one.funnel.truncated) ? t("sources.truncated", { first: date(about.first_sync_at) }) : null,
        all.length > shown.length ? t("sources.left", { n: all.length - shown.length, least: about.minimum_n }) : null,
        t("sources.note"),
      ],
      table: {
        head: ["source", "channel", "n", "whole", "rate", "wilson", "bounds", "hired90", "decision"].map((one) => t(`sources.head.${one}`)),
        rows: all
          .sort((a, b) => (b.rate ?? -1) - (a.rate ?? -1))
          .map((one) => [
            one.name,
            one.mart ? known("channel", one.mart.channel) : NONE,
            one.funnel.shown ? number(one.funnel.n) : t("hidden"),
            number(one.whole),
            percent(one.rate, 1),
            one.wilson ? percents(one.wilson.low, one.wilson.high) : NONE,
            percents(one.low, one.high),
            one.mart ? percents(one.mart.hired_lo, one.mart.hired_hi) : NONE,
            one.mart?.decision_lo == null ? NONE : daysBetween(one.mart.decision_lo, one.mart.decision_hi),
          ]),
      },
    };
  },
};
