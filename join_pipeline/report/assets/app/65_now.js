// The open applications that wait now, and those that are stuck.

const nowRows = (group) =>
  group ? data.now.filter((row) => row.group === group && row.scope === "job") : data.now.filter((row) => row.scope === "milestone");
const stageName = (row) => row.stage ?? milestoneName(row.milestone);

function inOrder(rows) {
  return [...rows].sort((a, b) => MILESTONES.indexOf(a.milestone) - MILESTONES.indexOf(b.milestone));
}

function hiddenNote(rows) {
  const hidden = rows.filter((row) => row.is_hidden).length;
  return hidden ? t("now.hidden", { n: hidden }) : null;
}

function nowTable(rows) {
  return {
    head: ["stage", "milestone", "open", "stuck", "certainly", "p50", "p75", "after"].map((one) => t(`now.head.${one}`)),
    rows: rows.map((row) => [
      stageName(row),
      milestoneName(row.milestone),
      ...(row.is_hidden
        ? [t("hidden"), t("hidden"), t("hidden"), t("hidden"), t("hidden")]
        : [number(row.n_open), number(row.n_stuck), number(row.n_certainly_stuck), inDays(row.p50), inDays(row.p75)]),
      inDays(row.stuck_after),
    ]),
  };
}

figures.now = {
  chart: "parts",
  filters: ["job"],
  definitions: ["in_stage_now"],
  make() {
    const all = inOrder(nowRows(groupFor(this)));
    const shown = all.filter((row) => !row.is_hidden);
    if (!shown.length) return { missing: all.length ? t("missing.hidden_now") : t("missing.nobody_waits") };
    const total = add(shown.map((row) => row.n_open));
    const most = shown.reduce((best, row) => (row.n_open > best.n_open ? row : best));
    return {
      datasets: {
        rows: shown.map((row, at) => ({
          lane: String(at),
          start: 0,
          end: row.n_open,
          fill: "var(--waiting)",
          tip: `${stageName(row)}: ${number(row.n_open)}`,
        })),
        heads: shown.map((row, at) => ({
          lane: String(at),
          name: `${stageName(row)}  ${number(row.n_open)}`,
          said: t("now.median", { days: inDays(row.p50) }),
        })),
      },
      n: total,
      unknown: unknownOf(groupFor(this)),
      lead: t("now.lead", { n: total, most: stageName(most), share: percent(most.n_open / total) }),
      alt: t("now.alt", { stages: listed(shown.map((row) => `${stageName(row)} ${number(row.n_open)}`)) }),
      notes: [hiddenNote(all), t("now.note")],
      table: nowTable(groupFor(this) ? all : [...all, ...inOrder(data.now.filter((row) => row.scope === "stage"))]),
    };
  },
};

figures.ageing = {
  chart: "funnel",
  filters: ["job"],
  definitions: ["stuck"],
  make() {
    const all = inOrder(nowRows(groupFor(this)));
    const shown = all.filter((row) => !row.is_hidden);
    if (!shown.length) return { missing: all.length ? t("missing.hidden_now") : t("missing.nobody_waits") };
    const stuck = add(shown.map((row) => row.n_stuck));
    const total = add(shown.map((row) => row.n_open));
    const closed = add(shown.map((row) => row.n_in_closed_job));
    return {
      datasets: {
        rows: shown.flatMap((row, at) =>
          [
            ["stuck", 0, row.n_stuck, "var(--gone)"],
            ["fresh", row.n_stuck, row.n_open - row.n_in_closed_job, "var(--passed)"],
            ["closed", row.n_open - row.n_in_closed_job, row.n_open, "var(--waiting)"],
          ]
            .filter(([, start, end]) => end > start)
            .map(([part, start, end, fill]) => ({
              lane: String(at),
              start,
              end,
              fill,
              tip: `${stageName(row)}: ${t(`ageing.${part}`)} ${number(end - start)}`,
            })),
        ),
        whiskers: shown
          .filter((row) => row.n_certainly_stuck !== row.n_stuck)
          .map((row) => ({ lane: String(shown.indexOf(row)), low: row.n_certainly_stuck, high: row.n_stuck })),
        heads: shown.map((row, at) => ({
          lane: String(at),
          name: `${stageName(row)}  ${number(row.n_open)}`,
          said:
            row.stuck_after === null
              ? t("ageing.said_never", { n: row.n_stuck })
              : t("ageing.said", { n: row.n_stuck, days: inDays(row.stuck_after) }),
        })),
      },
      n: total,
      unknown: unknownOf(groupFor(this)),
      lead: t("ageing.lead", { n: stuck, all: total, closed, share: percent(about.stuck.chance / 100) }),
      alt: t("ageing.alt", { stages: listed(shown.map((row) => `${stageName(row)} ${number(row.n_stuck)}/${number(row.n_open)}`)) }),
      legend: [
        ["gone", t("ageing.stuck")],
        ["passed", t("ageing.fresh")],
        ["waiting", t("ageing.closed")],
        ["whisker", t("ageing.whisker")],
      ],
      notes: [hiddenNote(all), t("ageing.note", about.stuck)],
      table: nowTable(all),
    };
  },
};
