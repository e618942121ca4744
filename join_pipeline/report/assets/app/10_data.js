// The report's data as the page was given it: rows under their columns' names, and what they add up to.

const given = JSON.parse(document.getElementById("report-data").textContent);
const charts = JSON.parse(document.getElementById("report-charts").textContent);
const MILESTONES = ["SCREENING", "INTERIM", "OFFER", "HIRED"];

const data = Object.fromEntries(
  Object.entries(given.datasets).map(([name, { columns, rows }]) => [
    name,
    rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]]))),
  ]),
);
const about = given.about;
const ages = data.ages.map((row) => row.age_days);

const add = (numbers) => numbers.reduce((sum, n) => sum + n, 0);
const last = (list) => list[list.length - 1];

// A share, and null below the number of cases from which the marts show one.
function share(part, whole) {
  return whole >= about.minimum_n ? part / whole : null;
}

// Wilson's 95 % score interval, as the marts have it: for sums over cohorts, which no mart holds.
function wilson(part, whole) {
  if (whole < about.minimum_n) return null;
  const z = 1.959963984540054;
  const p = part / whole;
  const middle = p + (z * z) / (2 * whole);
  const half = z * Math.sqrt((p * (1 - p) + (z * z) / (4 * whole)) / whole);
  const scale = 1 + (z * z) / whole;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

function cohortsOf(group, grain) {
  return data.cohorts.filter((cohort) => cohort.group === group && cohort.grain === grain);
}

// The funnel of several cohorts: each shown one added up. Hidden ones are counted, and left out.
function funnelOf(cohorts) {
  const shown = cohorts.filter((cohort) => !cohort.is_hidden);
  return {
    n: add(shown.map((cohort) => cohort.n)),
    unknown: add(shown.map((cohort) => cohort.n_unknown)),
    hidden: cohorts.length - shown.length,
    truncated: shown.filter((cohort) => cohort.is_truncated).length,
    shown: shown.length,
    milestones: MILESTONES.map((milestone, at) => {
      const [observed, reached, moved, out, waiting] = [0, 1, 2, 3, 4].map((column) =>
        add(shown.map((cohort) => cohort.milestones[at][column])),
      );
      const isLast = at === MILESTONES.length - 1;
      return {
        milestone,
        observed,
        reached,
        moved,
        out,
        waiting,
        done: reached - out - waiting,
        mature: isLast ? null : share(moved, moved + out),
        wilson: isLast ? null : wilson(moved, moved + out),
        low: isLast ? null : share(moved, reached),
        high: isLast ? null : share(moved + waiting, reached),
      };
    }),
  };
}

// The share of a group's applications without a known outcome, over all its cohorts.
function unknownOf(group) {
  const all = funnelOf(cohortsOf(group, "month"));
  return all.n ? all.unknown / all.n : undefined;
}

function curveOf(group, question) {
  return data.curves.find((curve) => curve.group === group && curve.question === question);
}

// The first day on which a falling curve is at a share or under it; null where it does not get there.
function dayAt(curve, values, level) {
  const at = values.findIndex((value) => value <= level);
  return at < 0 ? null : curve.days[at];
}

// A curve's value on a day: its last step at or before it.
function valueOn(curve, values, day, before) {
  if (day > curve.ends_at) return null;
  const at = curve.days.findLastIndex((known) => known <= day);
  return at < 0 ? before : values[at];
}
