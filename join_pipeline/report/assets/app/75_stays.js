// Days as quantiles: stays in a stage that have ended, and times to the first movement, to hire and to fill.

// Who still waits is shown in `now`: there is one median of waiting.
/** @type {Record<string, string>} */
const STAYS = { completed: "var(--passed)", terminal: "var(--out)" };
const LONG_TICKS = [0, 1, 3, 7, 14, 30, 60, 120, 240, 480, 960];

/** @param {(number | null)[]} values */
function longAxis(values) {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  return { dayMax: most * 1.08, dayTicks: LONG_TICKS.filter((tick) => tick <= most * 1.08) };
}

const medianOf = (/** @type {Row} */ row) => `${t("median", { days: daysBetween(row.p50_lo, row.p50_hi) })} · n = ${number(row.n)}`;

/**
 * @param {string} name
 * @param {{label: string, row: Row}[]} rows
 */
const quantileTable = (name, rows) => ({
  head: [name, ...["n", "p25", "p50", "band", "p75", "p90"].map((one) => t(`quantile.${one}`))],
  rows: rows.map(({ label, row }) => [
    label,
    row.is_hidden ? t("hidden") : number(row.n),
    inDays(row.p25),
    inDays(row.p50),
    daysBetween(row.p50_lo, row.p50_hi),
    inDays(row.p75),
    inDays(row.p90 ?? null),
  ]),
});

figures.stages = {
  chart: "quantiles",
  filters: SCOPES,
  everyPeriod: "scope.all_time",
  definitions: ["time_in_stage", "time_in_stage_quantiles"],
  make() {
    const group = groupFor(this);
    const all = MILESTONES.slice(0, 3).flatMap((milestone) =>
      Object.keys(STAYS).flatMap((status) =>
        data.stays
          .filter((row) => row.group === group && row.milestone === milestone && row.status === status)
          .map((row) => ({ row, label: `${milestoneName(milestone)}: ${t(`stay.${status}`)}` })),
      ),
    );
    const shown = all.filter(({ row }) => !row.is_hidden && row.p50 !== null);
    if (!shown.length) return { missing: all.length ? t("missing.hidden_stays") : t("missing.stays") };
    const completed = shown.filter(({ row }) => row.status === "completed");
    const slowest = completed.length ? completed.reduce((best, one) => (one.row.p50 > best.row.p50 ? one : best)).row : null;
    const truncated = add(shown.map(({ row }) => row.n_truncated));
    return {
      datasets: {
        rows: shown.map(({ row, label }, at) => ({ ...row, lane: String(at), fill: STAYS[row.status], tip: `${label}: ${medianOf(row)}` })),
        heads: shown.map(({ row, label }, at) => ({ lane: String(at), name: label, said: medianOf(row) })),
      },
      params: longAxis(shown.flatMap(({ row }) => [row.p50, row.p75, row.p90])),
      n: add(shown.map(({ row }) => row.n)),
      of: "stages.n",
      unknown: unknownOf(group),
      lead: slowest
        ? t("stages.lead", { milestone: milestoneName(slowest.milestone), days: daysBetween(slowest.p50_lo, slowest.p50_hi) })
        : t("stages.lead.open"),
      alt: t("stages.alt", { stays: shown.map(({ row, label }) => `${label}, ${medianOf(row)}`).join("; ") }),
      legend: [
        ["passed", t("stay.completed")],
        ["out", t("stay.terminal")],
        ["quantile", t("quantile.key")],
      ],
      notes: [
        t("stages.open"),
        truncated ? t("stages.truncated", { n: truncated }) : null,
        all.length > shown.length ? t("stages.hidden", { n: all.length - shown.length }) : null,
      ],
      table: quantileTable(t("stages.head"), all),
    };
  },
};

figures.times = {
  chart: "quantiles",
  filters: SCOPES,
  everyPeriod: "scope.all_time",
  definitions: ["time_to_hire", "time_to_first_movement", "time_to_fill"],
  make() {
    const group = groupFor(this);
    const all = ["time_to_first_movement", "time_to_hire", "time_to_fill"].flatMap((metric) =>
      data.speed.filter((row) => row.group === group && row.metric === metric).map((row) => ({ row, label: t(`times.${metric}`) })),
    );
    const shown = all.filter(({ row }) => !row.is_hidden && row.p50 !== null);
    const historic = all.filter(({ row }) => row.historic_at_most !== null);
    if (!shown.length && !historic.length) return { missing: t("missing.times") };
    const hires = shown.find(({ row }) => row.metric === "time_to_hire")?.row;
    const fill = shown.find(({ row }) => row.metric === "time_to_fill")?.row;
    const old = historic.map(({ row, label }) => t("times.historic.one", { label, n: row.n_historic, days: inDays(row.historic_at_most) }));
    const lanes = shown.map(({ row, label }, at) => ({ row, label, lane: String(at) }));
    return {
      datasets: {
        rows: lanes.map(({ row, label, lane }) => ({ ...row, p90: row.p75, lane, fill: "var(--passed)", tip: `${label}: ${medianOf(row)}` })),
        heads: lanes.map(({ row, label, lane }) => ({ lane, name: label, said: medianOf(row) })),
      },
      params: longAxis(shown.flatMap(({ row }) => [row.p50, row.p75])),
      n: hires?.n ?? 0,
      of: "times.n",
      unknown: unknownOf(group),
      lead: [
        hires ? t("times.lead", { n: hires.n, days: daysBetween(hires.p50_lo, hires.p50_hi) }) : t("times.lead.none"),
        fill ? t("times.fill", { n: fill.n, days: daysBetween(fill.p50_lo, fill.p50_hi) }) : null,
      ].filter(Boolean).join(" "),
      alt: t("times.alt", { times: shown.map(({ row, label }) => `${label}, ${medianOf(row)}`).join("; ") }),
      legend: [["quantile", t("quantile.key.short")]],
      notes: [t("times.note"), old.length ? t("times.historic", { list: listed(old) }) : null],
      table: {
        head: [t("times.head"), ...["n", "p25", "p50", "band", "p75"].map((one) => t(`quantile.${one}`)), t("times.head.historic"), t("times.head.at_most")],
        rows: all.map(({ row, label }) => [
          label,
          row.is_hidden ? t("hidden") : number(row.n),
          inDays(row.p25),
          inDays(row.p50),
          daysBetween(row.p50_lo, row.p50_hi),
          inDays(row.p75),
          number(row.n_historic),
          inDays(row.historic_at_most),
        ]),
      },
    };
  },
};
