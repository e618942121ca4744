// The open applications that wait now, those that have waited too long, and where to begin.

const inOrder = (/** @type {Row[]} */ rows) => [...rows].sort((a, b) => MILESTONES.indexOf(a.milestone) - MILESTONES.indexOf(b.milestone));
const stageName = (/** @type {Row} */ row) => row.stage ?? milestoneName(row.milestone);
const inOpenJob = (/** @type {Row} */ row) => row.n_open - row.n_in_closed_job;
const sum = (/** @type {Row[]} */ rows, /** @type {string} */ column) => add(rows.map((row) => row[column]));

/**
 * Who waits: a job's stages, the milestones of another group, or those of all jobs.
 * @param {number | undefined} group
 */
const nowRows = (group) => inOrder(data.now.filter((row) => (group ? row.group === group : row.scope === "milestone")));

/**
 * How many wait in open jobs, how many of them too long, and how many wait in jobs that are closed.
 * @param {number | undefined} group
 */
function waitingNow(group) {
  const shown = nowRows(group).filter((row) => !row.is_hidden);
  return { open: add(shown.map(inOpenJob)), stuck: sum(shown, "n_stuck"), closed: sum(shown, "n_in_closed_job"), rows: shown.length };
}

/** @param {Row[]} rows */
function hiddenNote(rows) {
  const hidden = rows.filter((row) => row.is_hidden).length;
  return hidden ? t("now.hidden", { n: hidden }) : null;
}

/** @param {Row[]} rows */
function nowTable(rows) {
  const isOfJobs = rows.every((row) => !row.group || row.scope === "job");
  const columns = [isOfJobs ? "job" : "group", "stage", "milestone", "open", "in_open", "closed", "stuck", "certainly", "p50", "p75", "after"];
  return {
    head: columns.map((one) => t(`now.head.${one}`)),
    rows: rows.map((row) => [
      row.group ? nameOf(row.group) : t("filter.every_job"),
      stageName(row),
      milestoneName(row.milestone),
      ...(row.is_hidden
        ? Array.from({ length: 7 }, () => t("hidden"))
        : [
            number(row.n_open),
            number(inOpenJob(row)),
            number(row.n_in_closed_job),
            number(row.n_stuck),
            number(row.n_certainly_stuck),
            inDays(row.p50),
            inDays(row.p75),
          ]),
      inDays(row.stuck_after),
    ]),
  };
}

/**
 * The parts of lanes: too long, and may still move on.
 * @param {string} lane
 * @param {string} name
 * @param {Row[]} rows
 */
function waitingParts(lane, name, rows) {
  const [stuck, open] = [sum(rows, "n_stuck"), add(rows.map(inOpenJob))];
  /** @type {[string, number, number, string][]} */
  const parts = [["stuck", 0, stuck, "var(--gone)"], ["fresh", stuck, open, "var(--passed)"]];
  return parts
    .filter(([, start, end]) => end > start)
    .map(([part, start, end, fill]) => ({ lane, start, end, fill, tip: `${name}: ${t(`now.${part}`)} ${number(end - start)} (${percent((end - start) / open)})` }));
}

// How long those have waited who waited too long. Where the chance was small from the first day on, it says nothing.
const longerThan = (/** @type {Row} */ row) => (row.stuck_after >= 1 ? t("now.longer", { days: inDays(row.stuck_after) }) : "");

const MOST_JOBS = 10;

figures.act = {
  chart: "parts",
  filters: ["job"],
  definitions: ["stuck"],
  make() {
    const group = groupFor(this);
    const all = inOrder(data.now.filter((row) => row.scope === "job" && row.group && (!group || row.group === group)));
    const shown = all.filter((row) => !row.is_hidden && inOpenJob(row) > 0);
    if (!shown.length) return { missing: all.length || waitingNow(group).open ? t("missing.hidden_now") : t("missing.nobody_waits") };
    const jobs = [...new Set(shown.map((row) => row.group))]
      .map((job) => {
        const rows = shown.filter((row) => row.group === job);
        const worst = rows.reduce((best, row) => (row.n_stuck > best.n_stuck ? row : best));
        return { job, rows, worst, name: nameOf(job), open: add(rows.map(inOpenJob)), stuck: sum(rows, "n_stuck") };
      })
      .sort((a, b) => b.stuck - a.stuck || b.open - a.open);
    const [first] = jobs;
    const lanes = jobs.slice(0, MOST_JOBS);
    const said = (/** @type {any} */ one) =>
      one.stuck ? t("act.said", { n: one.worst.n_stuck, stage: stageName(one.worst), longer: longerThan(one.worst) }) : t("act.said.none");
    return {
      datasets: {
        rows: lanes.flatMap((one) => waitingParts(String(one.job), one.name, one.rows)),
        heads: lanes.map((one) => ({ lane: String(one.job), name: `${one.name}: ${number(one.open)}`, said: said(one) })),
      },
      n: add(jobs.map((one) => one.open)),
      lead: first.stuck
        ? t("act.lead", { n: first.worst.n_stuck, job: first.name, stage: stageName(first.worst), longer: longerThan(first.worst) })
        : t("act.lead.none", { job: first.name, n: first.open }),
      alt: t("act.alt", { jobs: listed(lanes.map((one) => `${one.name} ${number(one.stuck)}/${number(one.open)}`)) }),
      legend: [["gone", t("now.stuck")], ["passed", t("now.fresh")]],
      notes: [
        jobs.length > lanes.length ? t("act.more", { n: jobs.length - lanes.length }) : null,
        hiddenNote(all),
        t("now.rule", about.stuck),
      ],
      table: nowTable(all),
    };
  },
};

figures.now = {
  chart: "funnel",
  filters: SCOPES,
  definitions: ["in_stage_now", "stuck"],
  make() {
    const group = groupFor(this);
    const all = nowRows(group);
    const shown = all.filter((row) => !row.is_hidden);
    if (!shown.length) return { missing: all.length ? t("missing.hidden_now") : t("missing.nobody_waits") };
    const { open, stuck, closed } = waitingNow(group);
    const lanes = shown.filter((row) => inOpenJob(row) > 0).map((row, at) => ({ row, lane: String(at), name: stageName(row) }));
    const most = lanes.length ? lanes.reduce((best, one) => (inOpenJob(one.row) > inOpenJob(best.row) ? one : best)) : null;
    const inClosed = { lane: "closed", start: 0, end: closed, fill: "var(--out)", tip: `${t("now.closed")}: ${number(closed)}` };
    return {
      datasets: {
        rows: [...lanes.flatMap(({ row, lane, name }) => waitingParts(lane, name, [row])), ...(closed ? [inClosed] : [])],
        whiskers: lanes
          .filter(({ row }) => row.n_certainly_stuck !== row.n_stuck)
          .map(({ row, lane, name }) => ({ lane, low: row.n_certainly_stuck, high: row.n_stuck, tip: t("now.tip", { stage: name, low: row.n_certainly_stuck, high: row.n_stuck }) })),
        heads: [
          ...lanes.map(({ row, lane, name }) => ({
            lane,
            name: `${name}: ${number(inOpenJob(row))}`,
            said: [row.n_stuck ? t("now.said", { n: row.n_stuck, longer: longerThan(row) }) : null, t("now.median", { days: inDays(row.p50) })]
              .filter(Boolean)
              .join(" · "),
          })),
          ...(closed ? [{ lane: "closed", name: `${t("now.closed")}: ${number(closed)}`, said: t("now.closed.said") }] : []),
        ],
      },
      n: open + closed,
      lead: most
        ? t("now.lead", { n: open, most: most.name, share: percent(inOpenJob(most.row) / open), stuck, closed })
        : t("now.lead.closed", { n: closed }),
      alt: t("now.alt", { stages: listed(shown.map((row) => `${stageName(row)} ${number(row.n_stuck)}/${number(inOpenJob(row))}`)) }),
      legend: [
        ["gone", t("now.stuck")],
        ["passed", t("now.fresh")],
        ["out", t("now.closed")],
        ["whisker", t("now.whisker")],
      ],
      notes: [hiddenNote(all), t("now.note")],
      table: nowTable(group ? all : [...all, ...inOrder(data.now.filter((row) => row.scope === "stage"))]),
    };
  },
};
