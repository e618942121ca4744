// Week by week: new applications, decisions, waiting applications; and the syncs that observed them.

const WEEKS = 27;
const SYNCS = 200;
const DAY = 86_400_000;

// The period from the first to the last, with a day added at both ends.
const span = (rows) => ({ since: Date.parse(rows[0].on) - DAY, until: Date.parse(last(rows).on) + DAY });

figures.trend = {
  chart: "trend",
  filters: [],
  definitions: ["weekly_trend"],
  make() {
    const weeks = data.trend.filter((week) => week.is_whole || week.is_truncated).slice(0, WEEKS).reverse();
    const told = weeks.filter((week) => !week.is_hidden);
    if (told.length < 2) return { missing: t("missing.weeks") };
    const watched = told.filter((week) => week.is_whole && !week.is_truncated);
    const panels = [
      ["applications", "var(--passed)"],
      ["decisions", "var(--gone)"],
      ["hires", "var(--passed)"],
      ["waiting", "var(--waiting)"],
    ].flatMap(([measure, fill]) => {
      const rows = told
        .filter((week) => week[measure] !== null)
        .map((week) => ({
          on: week.on,
          n: week[measure],
          fill: week.is_truncated ? "var(--out)" : fill,
          tip: t("trend.tip", { week: date(week.on), what: t(`trend.${measure}`), n: week[measure] }),
        }));
      return rows.length > 1 ? [{ title: t(`trend.${measure}`), datasets: { rows }, params: span(told) }] : [];
    });
    const recent = watched.slice(-4);
    const before = watched.slice(-8, -4);
    const mean = (list, measure) => add(list.map((week) => week[measure])) / list.length;
    return {
      panels,
      n: add(told.map((week) => week.applications)),
      unknown: unknownOf(0),
      lead:
        recent.length === 4
          ? t(before.length === 4 ? "trend.lead" : "trend.lead.first", {
              came: number(mean(recent, "applications")),
              decided: number(mean(recent, "decisions")),
              before: before.length ? number(mean(before, "applications")) : NONE,
              waiting: last(recent).waiting,
            })
          : t("trend.lead.young"),
      alt: t("trend.alt", { n: told.length, from: date(told[0].on), to: date(last(told).on) }),
      legend: told.some((week) => week.is_truncated) ? [["out", t("trend.survivors")]] : null,
      notes: [data.trend.some((week) => !week.is_whole && !week.is_truncated) ? t("trend.partial") : null],
      table: {
        head: ["week", "applications", "decisions", "hires", "waiting", "days"].map((one) => t(`trend.head.${one}`)),
        rows: data.trend.map((week) => [
          week.is_truncated ? `${date(week.on)} †` : date(week.on),
          ...["applications", "decisions", "hires", "waiting"].map((measure) => (week.is_hidden ? t("hidden") : number(week[measure]))),
          number(week.n_days_synced),
        ]),
      },
    };
  },
};

figures.operations = {
  chart: "syncs",
  filters: [],
  definitions: ["trust"],
  make() {
    const syncs = data.syncs.slice(-SYNCS);
    if (!syncs.length) return { missing: t("page.no_sync") };
    const newest = last(syncs);
    const guarded = data.syncs.filter((one) => one.verdict !== "committed").length;
    const deletions = [...data.syncs].reverse().find((one) => one.is_proof_of_presence);
    const gap = trusted("longest gap", "changes");
    const kindOf = (one) => (one.verdict === "committed" ? one.mode : "guarded");
    const fills = { full: "var(--passed)", incremental: "var(--waiting)", guarded: "var(--gone)" };
    const told = (one) =>
      t("operations.tip", { at: instant(one.started_at), mode: known("mode", one.mode), n: one.n_requests, seconds: Math.round(one.seconds) });
    return {
      datasets: { rows: syncs.map((one) => ({ on: one.started_at, n: one.n_requests, fill: fills[kindOf(one)], tip: told(one) })) },
      params: span(syncs.map((one) => ({ on: one.started_at }))),
      n: data.syncs.length,
      of: "operations.n",
      lead: t("operations.lead", {
        at: instant(newest.started_at),
        deletions: deletions ? instant(deletions.started_at) : t("operations.never"),
        gap: gap?.value == null ? NONE : duration(gap.value * 24),
      }),
      alt: t("operations.alt", { n: syncs.length, from: instant(syncs[0].started_at), to: instant(newest.started_at) }),
      legend: [
        ["passed", t("mode.full")],
        ["waiting", t("mode.incremental")],
        ["gone", t("mode.guarded")],
      ],
      notes: [guarded ? t("operations.guarded", { n: guarded }) : null],
      table: {
        head: ["at", "mode", "verdict", "requests", "seconds", "aside", "looks"].map((one) => t(`operations.head.${one}`)),
        rows: [...syncs].reverse().map((one) => [
          instant(one.started_at),
          known("mode", one.mode),
          known("verdict", one.verdict),
          number(one.n_requests),
          number(one.seconds, 1),
          number(one.n_set_aside),
          number(one.n_pending_looks),
        ]),
      },
    };
  },
};
