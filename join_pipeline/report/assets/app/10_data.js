// The report's data: rows under their columns' names, and sums of them.

const given = JSON.parse(document.getElementById("report-data").textContent);
const charts = JSON.parse(document.getElementById("report-charts").textContent);
const MILESTONES = ["SCREENING", "INTERIM", "OFFER", "HIRED"]; // by rank, the order of the cohorts' lists

const data = Object.fromEntries(
  Object.entries(given.datasets).map(([name, { columns, rows }]) => [
    name,
    rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]]))),
  ]),
);
const about = given.about;
const ages = [...new Set(data.milestone_ages.map((row) => row.age_days))];

// A row's lists as records, one per key. A list that the row lacks gives no column.
function recordsOf(keys, lists) {
  const there = Object.entries(lists).filter(([, list]) => list);
  return keys.map((key, at) => ({ ...key, ...Object.fromEntries(there.map(([column, list]) => [column, list[at]])) }));
}

const add = (numbers) => numbers.reduce((sum, n) => sum + n, 0);
const last = (list) => list[list.length - 1];

const groupOf = (number) => data.groups.find((group) => group.group === number);

// A share, or null if there are fewer cases than minimum n, as in the marts.
function share(part, whole) {
  return whole >= about.minimum_n ? part / whole : null;
}

// Wilson's 95 % score interval, computed as in the marts, for sums over cohorts, which no mart has.
function wilson(part, whole, z = 1.959963984540054) {
  if (whole < about.minimum_n) return null;
  const p = part / whole;
  const middle = p + (z * z) / (2 * whole);
  const half = z * Math.sqrt((p * (1 - p) + (z * z) / (4 * whole)) / whole);
  const scale = 1 + (z * z) / whole;
  return { low: Math.max(0, (middle - half) / scale), high: Math.min(1, (middle + half) / scale) };
}

// The normal deviate that is exceeded by chance p (Abramowitz and Stegun 26.2.23).
function deviate(p) {
  const t = Math.sqrt(-2 * Math.log(p));
  return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

// What a comparison of all pairs of groups says of the first and the last one by rate: whether any two differ, and whether
// the first leads all others, and the last is behind all others. Intervals of differences (Newcombe 1998, method 10) hold
// for all pairs together (Bonferroni). Shares of few cases are coarse, so the level is half of the 5 % at which any of
// this may be wrong among equal groups.
function extremes(rated) {
  const pairs = (rated.length * (rated.length - 1)) / 2;
  if (!pairs) return { differ: false, leads: false, trails: false };
  const z = deviate(0.025 / 2 / pairs);
  const wide = rated.map((one) => ({ rate: one.part / one.whole, ...wilson(one.part, one.whole, z) }));
  const isAbove = (one, other) => one.rate - other.rate > Math.hypot(one.rate - one.low, other.high - other.rate);
  const [best, worst] = [wide[0], last(wide)];
  return {
    differ: isAbove(best, worst),
    leads: wide.slice(1).every((other) => isAbove(best, other)),
    trails: wide.slice(0, -1).every((other) => isAbove(other, worst)),
  };
}

function cohortsOf(group, grain) {
  return data.cohorts.filter((cohort) => cohort.group === group && cohort.grain === grain);
}

// A cohort's counts at each milestone.
function milestonesOf(cohort) {
  const { observed, reached, moved_on, out, waiting } = cohort;
  return recordsOf(MILESTONES.map((milestone) => ({ milestone })), { observed, reached, moved_on, out, waiting });
}

// How many of a cohort had reached each milestone at each age. A hidden cohort gives nothing.
function agesOf(cohort) {
  if (!cohort.old_enough_at_age) return [];
  return recordsOf(data.milestone_ages, {
    old_enough: cohort.old_enough_at_age,
    reached_lo: cohort.reached_at_age_lo,
    reached: cohort.reached_at_age,
    reached_hi: cohort.reached_at_age_hi,
  });
}

// The funnel of several cohorts: the sums of those that are shown. Hidden cohorts are counted and left out.
function funnelOf(cohorts) {
  const shown = cohorts.filter((cohort) => !cohort.is_hidden);
  const counts = shown.flatMap(milestonesOf);
  return {
    n: add(shown.map((cohort) => cohort.n)),
    unknown: add(shown.map((cohort) => cohort.n_unknown)),
    hidden: cohorts.length - shown.length,
    truncated: shown.filter((cohort) => cohort.is_truncated).length,
    shown: shown.length,
    milestones: MILESTONES.map((milestone) => {
      const own = counts.filter((count) => count.milestone === milestone);
      const total = (column) => add(own.map((count) => count[column]));
      const [observed, reached, moved, out, waiting] = ["observed", "reached", "moved_on", "out", "waiting"].map(total);
      const isLast = milestone === last(MILESTONES);
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

const stepOf = (funnel, milestone) => funnel.milestones.find((step) => step.milestone === milestone);

// The share of a group's applications without a known outcome, over all its cohorts.
function unknownOf(group) {
  const all = funnelOf(cohortsOf(group, "month"));
  return all.n ? all.unknown / all.n : undefined;
}

// A curve with a point for each of its days.
function curveOf(group, question) {
  const curve = data.curves.find((one) => one.group === group && one.question === question);
  if (!curve) return undefined;
  const { question: _question, days, ...columns } = curve;
  const lists = Object.fromEntries(Object.entries(columns).filter(([, value]) => Array.isArray(value)));
  return { ...curve, points: recordsOf(days.map((day) => ({ day })), lists) };
}

// The first day on which a falling curve is at a share or below it, or null if there is none.
const dayAt = (curve, column, level) => curve.points.find((point) => point[column] <= level)?.day ?? null;

// A curve's last point on a day or before it.
const pointOn = (curve, day) => curve.points.findLast((point) => point.day <= day);

// A curve's value on a day, or `before` if the curve begins later.
function valueOn(curve, column, day, before) {
  if (day > curve.ends_at) return null;
  const point = pointOn(curve, day);
  return point ? point[column] : before;
}
