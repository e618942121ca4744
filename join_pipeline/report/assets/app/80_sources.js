// Sources compared: how many come from each, and the rate as a dot with its confidence interval.

choices.rate = "passed";
const MOST_LANES = 16;

/**
 * A source's counts over the chosen cohorts: how many passed screening, or were hired, of how many decided.
 * @param {Funnel} funnel
 * @param {string} rate
 */
function sourceRate(funnel, rate) {
  if (rate === "passed") {
    const { moved, waiting, untold, reached, decided } = stepOf(funnel, "SCREENING");
    return { ...decided, fewest: moved, most: moved + waiting + untold, base: reached };
  }
  return { ...funnel.hired, fewest: stepOf(funnel, "HIRED").done, most: funnel.n - total(funnel, "out"), base: funnel.n };
}

/**
 * How many are out, or wait or are out, at any milestone.
 * @param {Funnel} funnel
 * @param {"out" | "untold"} part
 */
const total = (funnel, part) => add(funnel.milestones.map((step) => step[part]));

// The sources with their funnels in the chosen period. With a job, those that the marts publish for it.
function sourcesNow() {
  const job = state.chosen.job;
  const own = job === undefined ? {} : { job };
  return groupsOf("source").flatMap((source) => {
    const group = groupOf({ ...own, source: source.key });
    if (!group) return [];
    const mart = data.sources.find((row) => row.group === source.group);
    return [{ key: source.key, group: group.group, name: groupName(source), mart, funnel: funnelOf(chosenCohorts(group.group, "month")) }];
  });
}
const noSources = () => (chosenCohorts(0, "month").length ? t("missing.hidden") : NO_COHORTS());
const sourceFilters = () => (isPair("job", "source") ? ["job", "source", "period"] : ["source", "period"]);

figures.volume = {
  chart: "parts",
  filters: sourceFilters(),
  definitions: ["source_effectiveness"],
  make() {
    const all = sourcesNow().filter((one) => one.funnel.n).sort((a, b) => b.funnel.n - a.funnel.n);
    if (!all.length) return { missing: noSources() };
    const shown = all.slice(0, MOST_LANES);
    const n = add(all.map((one) => one.funnel.n));
    const hiresOf = (/** @type {{funnel: Funnel}} */ one) => stepOf(one.funnel, "HIRED").done;
    const waitingOf = (/** @type {{funnel: Funnel}} */ one) => one.funnel.n - hiresOf(one) - total(one.funnel, "out") - total(one.funnel, "untold");
    const isVague = all.some((one) => total(one.funnel, "untold"));
    const hires = add(all.map(hiresOf));
    const most = all.reduce((best, one) => (hiresOf(one) > hiresOf(best) ? one : best));
    const hidden = groupsOf("source").length - all.length;
    return {
      datasets: {
        rows: shown.flatMap((one) => {
          /** @type {[string, number, string][]} */
          const parts = [
            ["hired", hiresOf(one), "var(--hired)"],
            ["waiting", waitingOf(one), "var(--waiting)"],
            ["untold", total(one.funnel, "untold"), "var(--waiting-pale)"],
            ["out", total(one.funnel, "out"), "var(--out-pale)"],
          ];
          let start = 0;
          return parts.filter(([, count]) => count > 0).map(([part, count, fill]) => {
            start += count;
            const tip = `${one.name}: ${t(`part.${part}`)} ${number(count)} (${percent(count / one.funnel.n)})`;
            return { lane: one.key, start: start - count, end: start, fill, tip };
          });
        }),
        heads: shown.map((one) => ({
          lane: one.key,
          name: `${one.name}: ${number(one.funnel.n)}`,
          said: t("volume.said", { n: hiresOf(one), share: percent(one.funnel.n / n) }),
        })),
      },
      n,
      lead: hires
        ? t("volume.lead", { best: all[0].name, share: percent(all[0].funnel.n / n), most: most.name, n: hiresOf(most), hires })
        : t("volume.lead.none", { best: all[0].name, share: percent(all[0].funnel.n / n) }),
      alt: t("volume.alt", { sources: listed(shown.map((one) => `${one.name} ${number(one.funnel.n)}`)) }),
      legend: [["hired", t("part.hired")], ["waiting", t("part.waiting")], ...(isVague ? [["pale", t("part.untold")]] : []), ["pale-out", t("part.out")]],
      notes: [hidden > 0 ? t("volume.hidden", { n: hidden }) : null],
      table: {
        head: ["source", "channel", "n", "share", "hired", "waiting", "out", "untold"].map((one) => t(`volume.head.${one}`)),
        rows: all.map((one) => [
          one.name,
          one.mart ? known("channel", one.mart.channel) : NONE,
          number(one.funnel.n),
          percent(one.funnel.n / n),
          number(hiresOf(one)),
          number(waitingOf(one)),
          number(total(one.funnel, "out")),
          number(total(one.funnel, "untold")),
        ]),
      },
    };
  },
};

figures.sources = {
  chart: "rates",
  filters: sourceFilters(),
  definitions: ["source_effectiveness", "pass_through", "hire_rate"],
  controls: () => [
    radios("rate", t("sources.rate"), ["passed", "hired"].map((one) => [one, t(`sources.${one}`)]), choices.rate, (value) => {
      choices.rate = value;
      drawFigure("sources");
    }),
  ],
  make() {
    const found = sourcesNow();
    if (!found.length) return { missing: noSources() };
    const all = found.map((one) => {
      const { part, whole, fewest, most, base } = sourceRate(one.funnel, choices.rate);
      return { ...one, part, whole, rate: share(part, whole), wilson: wilson(part, whole), low: share(fewest, base), high: share(most, base) };
    });
    const rated = all.filter((one) => one.rate !== null).sort((a, b) => b.rate - a.rate);
    if (!rated.length) return { missing: t("missing.sources", { least: about.minimum_n }) };
    const shown = rated.slice(0, MOST_LANES);
    const [best, worst] = [rated[0], last(rated)];
    const chosen = state.chosen.source ?? null;
    const { differ, leads, trails } = extremes(rated);
    const what = t(`sources.${choices.rate}.what`);
    const n = add(all.map((one) => one.funnel.n));
    return {
      datasets: {
        rows: shown.map((one) => ({
          lane: one.key,
          low: one.wilson.low,
          high: one.wilson.high,
          rate: one.rate,
          fill: chosen === null || chosen === one.key ? "var(--passed)" : "var(--out)",
          tip: `${one.name}: ${percent(one.rate)} (${percents(one.wilson.low, one.wilson.high)})`,
        })),
        heads: shown.map((one) => ({
          lane: one.key,
          name: one.name,
          said: t("sources.said", { rate: percent(one.rate), range: percents(one.wilson.low, one.wilson.high), n: one.whole }),
        })),
      },
      n,
      unknown: n ? add(all.map((one) => one.funnel.unknown)) / n : 0,
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
        all.some((one) => one.funnel.vague) ? t("sources.vague") : null,
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
