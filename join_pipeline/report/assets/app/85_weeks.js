// Week by week: new applications, decisions, waiting applications; months and years; and the syncs that observed them.

const WEEKS = 27;
const SYNCS = 200;
const DAY = 86_400_000;

/**
 * The period from the first to the last, with a day added at both ends.
 * @param {Row[]} rows
 */
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
      ["hires", "var(--hired)"],
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
    const mean = (/** @type {Row[]} */ list, /** @type {string} */ measure) => add(list.map((week) => week[measure])) / list.length;
    return {
      panels,
      n: add(told.map((week) => week.applications)),
      lead:
        recent.length === 4
          ? t(before.length === 4 ? "trend.lead" : "trend.lead.first", {
              came: number(mean(recent, "applications")),
              decided: number(mean(recent, "decisions")),
              before: before.length ? number(mean(before, "applications")) : NONE,
            })
          : t("trend.lead.young"),
      alt: t("trend.alt", { n: told.length, from: date(told[0].on), to: date(last(told).on) }),
      legend: told.some((week) => week.is_truncated) ? [["out", t("trend.survivors")]] : null,
      notes: [data.trend.some((week) => !week.is_whole && !week.is_truncated) ? t("trend.partial") : null],
      table: {
        head: ["week", "applications", "decisions", "hires", "waiting", "days", "watched"].map((one) => t(`trend.head.${one}`)),
        rows: data.trend.map((week) => [
          date(week.on),
          ...["applications", "decisions", "hires", "waiting"].map((measure) => (week.is_hidden ? t("hidden") : number(week[measure]))),
          number(week.n_days_synced),
          t(week.is_truncated ? "no" : "yes"),
        ]),
      },
    };
  },
};

figures.years = {
  chart: "years",
  filters: [],
  definitions: ["weekly_trend"],
  make() {
    const shown = data.seasons.filter((month) => !month.is_hidden && month.is_whole);
    if (shown.length < 2) return { missing: t("missing.years") };
    const years = [...new Set(shown.map((month) => month.on.slice(0, 4)))].sort().reverse().slice(0, 3);
    const fills = ["var(--passed)", "var(--waiting)", "var(--out)"];
    const names = Array.from({ length: 12 }, (_, at) => date(`2026-${String(at + 1).padStart(2, "0")}-01`, { month: "short" }));
    const panels = ["applications", "hires"].flatMap((measure) => {
      const rows = names.flatMap((name, at) =>
        years.flatMap((year, place) => {
          const found = shown.find((month) => month.on === `${year}-${String(at + 1).padStart(2, "0")}-01`);
          // what was decided before the first sync has no known day
          if (!found || found[measure] === null || (measure === "hires" && found.is_truncated)) return [];
          const tip = `${month(found.on)}: ${t(`trend.${measure}`)} ${number(found[measure])}`;
          return [{ month: name, lane: year, n: found[measure], fill: fills[place], inside: found.is_truncated ? "var(--paper)" : fills[place], tip }];
        }),
      );
      return rows.length > 1 ? [{ title: t(`trend.${measure}`), datasets: { rows } }] : [];
    });
    const compared = shown.find((month) => month.change !== null);
    const truncated = shown.filter((month) => month.is_truncated).length;
    const newest = shown[0];
    return {
      panels,
      n: add(shown.map((month) => month.applications)),
      lead: compared
        ? t(compared.change < 0 ? "years.lead.less" : "years.lead.more", {
            month: date(compared.on, { month: "long", year: "numeric" }),
            n: compared.applications,
            before: compared.applications_before,
            share: percent(Math.abs(compared.change)),
          })
        : t("years.lead.young", { month: date(newest.on, { month: "long", year: "numeric" }), n: newest.applications, first: date(about.first_sync_at) }),
      alt: t("years.alt", { years: listed(years) }),
      legend: [
        ...years.map((year, place) => [["passed", "waiting", "out"][place], year]),
        ...(truncated ? [["hollow", t("trend.survivors")]] : []),
      ],
      notes: [truncated ? t("years.truncated", { n: truncated, first: date(about.first_sync_at) }) : null, t("years.partial")],
      table: {
        head: ["month", "applications", "before", "change", "hires", "hires_before", "watched"].map((one) => t(`years.head.${one}`)),
        rows: data.seasons.map((row) => [
          month(row.on) + (row.is_whole ? "" : ` (${t("years.running")})`),
          row.is_hidden ? t("hidden") : number(row.applications),
          number(row.applications_before),
          row.change === null ? NONE : (row.change > 0 ? "+" : "") + percent(row.change),
          row.is_truncated ? NONE : number(row.hires),
          row.is_truncated ? NONE : number(row.hires_before),
          t(row.is_truncated ? "no" : "yes"),
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
    const kindOf = (/** @type {Row} */ one) => (one.verdict === "committed" ? one.mode : "guarded");
    /** @type {Record<string, string>} */
    const fills = { full: "var(--passed)", incremental: "var(--waiting)", guarded: "var(--gone)" };
    const told = (/** @type {Row} */ one) =>
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
