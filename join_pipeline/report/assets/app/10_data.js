// The report's data: rows under their columns' names, and sums of them.

/**
 * @typedef {Record<string, any>} Row A row of a dataset, under its columns' names.
 * @typedef {Row & {group: number, scope: string, key: string}} Group What a reader can choose: all, a job, a pair…
 * @typedef {Row & {group: number, grain: string, on: string, n: number, is_truncated: boolean, is_hidden: boolean}} Cohort
 *   Who applied in a month or a week. It is truncated if it began before the first sync.
 * @typedef {{low: number, high: number}} Interval
 * @typedef {{milestone: string, observed: number, reached: number, moved: number, out: number, waiting: number,
 *   untold: number, done: number, decided: Decided, mature: number | null, wilson: Interval | null, low: number | null,
 *   high: number | null}} Step Untold are those who wait or are out in cohorts that do not tell which.
 * @typedef {{part: number, whole: number}} Decided How many of those decided went on, in cohorts that tell.
 * @typedef {{n: number, unknown: number, hidden: number, truncated: number, shown: number, vague: number, hired: Decided,
 *   milestones: Step[]}} Funnel Vague is how many cohorts do not tell who waits from who is out.
 * @typedef {Row & {points: Row[], starts_at: number, ends_at: number, n: number}} Curve
 */

/** @param {string} id */
const json = (id) => JSON.parse(/** @type {HTMLElement} */ (document.getElementById(id)).textContent);
const given = json("report-data");
const charts = json("report-charts");
const MILESTONES = ["SCREENING", "INTERIM", "OFFER", "HIRED"]; // by rank, the order of the cohorts' lists
const MATURE_DAYS = 30; // a cohort as old as this tells how many got past screening

/**
 * @param {{columns: string[], rows: any[][]}} dataset
 * @returns {any[]}
 */
const named = ({ columns, rows }) =>
  rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])));

/** @type {Record<string, any[]>} */
const data = Object.fromEntries(Object.entries(given.datasets).map(([name, dataset]) => [name, named(dataset)]));
/** @type {Row} */
const about = given.about;
/** @type {number[]} */
const ages = [...new Set(data.milestone_ages.map((row) => row.age_days))];

/**
 * A row's lists as records, one per key. A list that the row lacks gives no column.
 * @param {Row[]} keys
 * @param {Record<string, any[] | null>} lists
 * @returns {Row[]}
 */
function recordsOf(keys, lists) {
  const there = Object.entries(lists).filter(([, list]) => list);
  return keys.map((key, at) => ({ ...key, ...Object.fromEntries(there.map(([column, list]) => [column, list[at]])) }));
}

/** @param {number[]} numbers */
const add = (numbers) => numbers.reduce((sum, n) => sum + n, 0);
/**
 * @template T
 * @param {T[]} list
 */
const last = (list) => list[list.length - 1];

/**
 * A share, or null if there are fewer cases than minimum n, as in the marts.
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  return whole >= about.minimum_n ? part / whole : null;
}

/**
 * Wilson's 95 % score interval, computed as in the marts, for sums over cohorts, which no mart has.
 * @param {number} part
 * @param {number} whole
 * @param {number} z
 * @returns {Interval | null}
 */
function wilson(part, whole, z = 1.959963984540054) {
  if (whole < about.minimum_n) return null;
  const p = part / whole;
  const middle = p + (z * z) / (2 * whole);
  const half = z * Math.sqrt((p * (1 - p) + (z * z) / (4 * whole)) / whole);
  const scale = 1 + (z * z) / whole;
  return { low: Math.max(0, (middle - half) / scale), high: Math.min(1, (middle + half) / scale) };
}

/**
 * The normal deviate that is exceeded by chance p (Abramowitz and Stegun 26.2.23).
 * @param {number} p
 * @returns {number}
 */
function deviate(p) {
  const t = Math.sqrt(-2 * Math.log(p));
  return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

/**
 * What a comparison of all pairs of groups says of the first and the last one by rate: whether any two differ, and whether
 * the first leads all others, and the last is behind all others. Intervals of differences (Newcombe 1998, method 10) hold
 * for all pairs together (Bonferroni). Shares of few cases are coarse, so the level is half of the 5 % at which any of
 * this may be wrong among equal groups.
 * @param {{part: number, whole: number}[]} rated
 * @returns {{differ: boolean, leads: boolean, trails: boolean}}
 */
function extremes(rated) {
  const pairs = (rated.length * (rated.length - 1)) / 2;
  if (!pairs) return { differ: false, leads: false, trails: false };
  const z = deviate(0.025 / 2 / pairs);
  const wide = rated.map((one) => ({ rate: one.part / one.whole, ...wilson(one.part, one.whole, z) }));
  const isAbove = (/** @type {typeof wide[0]} */ one, /** @type {typeof wide[0]} */ other) =>
    one.rate - other.rate > Math.hypot(one.rate - one.low, other.high - other.rate);
  const [best, worst] = [wide[0], last(wide)];
  return {
    differ: isAbove(best, worst),
    leads: wide.slice(1).every((other) => isAbove(best, other)),
    trails: wide.slice(0, -1).every((other) => isAbove(other, worst)),
  };
}

/**
 * A group's cohorts, the oldest first.
 * @param {number | undefined} group
 * @param {string} grain
 * @returns {Cohort[]}
 */
function cohortsOf(group, grain) {
  return data.cohorts.filter((cohort) => cohort.group === group && cohort.grain === grain);
}

/**
 * A cohort's counts at each milestone.
 * @param {Cohort} cohort
 */
function milestonesOf(cohort) {
  const { observed, reached, moved_on, out, waiting } = cohort;
  return recordsOf(MILESTONES.map((milestone) => ({ milestone })), { observed, reached, moved_on, out, waiting });
}

/**
 * How many of a cohort had reached each milestone at each age. A hidden cohort gives nothing.
 * @param {Cohort} cohort
 */
function agesOf(cohort) {
  if (!cohort.old_enough_at_age) return [];
  return recordsOf(data.milestone_ages, {
    old_enough: cohort.old_enough_at_age,
    reached_lo: cohort.reached_at_age_lo,
    reached: cohort.reached_at_age,
    reached_hi: cohort.reached_at_age_hi,
  });
}

/**
 * The funnel of several cohorts: the sums of those that are shown. Hidden cohorts are counted and left out. A cohort may
 * hide who waits and who is out, since that would tell of a small group: then only both together are known, and what is
 * a rate of those decided leaves it out.
 * @param {Cohort[]} cohorts
 * @returns {Funnel}
 */
function funnelOf(cohorts) {
  const shown = cohorts.filter((cohort) => !cohort.is_hidden);
  const steps = shown.map(milestonesOf);
  const counts = steps.flat();
  const isTold = (/** @type {Row} */ count) => count.out !== null && count.waiting !== null;
  const told = steps.filter((counts) => counts.every(isTold));
  const hired = add(told.map((counts) => last(counts).reached - last(counts).out - last(counts).waiting));
  return {
    n: add(shown.map((cohort) => cohort.n)),
    unknown: add(shown.map((cohort) => cohort.n_unknown)),
    hidden: cohorts.length - shown.length,
    truncated: shown.filter((cohort) => cohort.is_truncated).length,
    shown: shown.length,
    vague: shown.length - told.length,
    hired: { part: hired, whole: hired + add(told.flat().map((count) => count.out)) },
    milestones: MILESTONES.map((milestone) => {
      const own = counts.filter((count) => count.milestone === milestone);
      const total = (/** @type {string} */ column, counted = own) => add(counted.map((count) => count[column]));
      const [observed, reached, moved] = ["observed", "reached", "moved_on"].map((column) => total(column));
      const known = own.filter(isTold);
      const [out, waiting, gone] = ["out", "waiting", "moved_on"].map((column) => total(column, known));
      const untold = reached - moved - (total("reached", known) - gone);
      const decided = { part: gone, whole: gone + out };
      const isLast = milestone === last(MILESTONES);
      return {
        milestone,
        observed,
        reached,
        moved,
        out,
        waiting,
        untold,
        done: reached - out - waiting - untold,
        decided,
        mature: isLast ? null : share(decided.part, decided.whole),
        wilson: isLast ? null : wilson(decided.part, decided.whole),
        low: isLast ? null : share(moved, reached),
        high: isLast ? null : share(moved + waiting + untold, reached),
      };
    }),
  };
}

/**
 * @param {Funnel} funnel
 * @param {string} milestone
 */
const stepOf = (funnel, milestone) => /** @type {Step} */ (funnel.milestones.find((step) => step.milestone === milestone));

/**
 * The share of a group's applications without a known outcome, over all its cohorts.
 * @param {number | undefined} group
 */
function unknownOf(group) {
  const all = funnelOf(cohortsOf(group, "month"));
  return all.n ? all.unknown / all.n : undefined;
}

/**
 * The newest of these cohorts that were watched from their beginning and are old enough: one month, or up to four weeks
 * in a row if no month is. Together they have as many applications as a rate needs; otherwise there are none.
 * @param {Cohort[]} months
 * @param {Cohort[]} weeks
 * @returns {Cohort[]}
 */
function newestMature(months, weeks) {
  const isMature = (/** @type {Cohort} */ cohort) =>
    !cohort.is_truncated &&
    !cohort.is_hidden &&
    agesOf(cohort).some((count) => count.age_days === MATURE_DAYS && count.old_enough === cohort.n);
  const month = last(months.filter((one) => isMature(one) && one.n >= about.minimum_n));
  if (month) return [month];
  /** @type {Cohort[]} */
  const row = [];
  for (const week of weeks.filter(isMature).reverse()) {
    if (row.length === 4 || (row.length && Date.parse(row[0].on) - Date.parse(week.on) !== 7 * 86_400_000)) break;
    row.unshift(week);
  }
  return add(row.map((week) => week.n)) >= about.minimum_n ? row : [];
}

/**
 * How many of these cohorts had reached a milestone at an age: at least, by the best value, and at most.
 * @param {Cohort[]} cohorts
 * @param {string} milestone
 * @param {number} age
 */
function reachedAt(cohorts, milestone, age) {
  const counts = cohorts.flatMap(agesOf).filter((one) => one.milestone === milestone && one.age_days === age);
  const total = (/** @type {string} */ column) => add(counts.map((count) => count[column]));
  return { n: total("old_enough"), lo: total("reached_lo"), best: total("reached"), hi: total("reached_hi") };
}

/**
 * A curve with a point for each of its days.
 * @param {number | undefined} group
 * @param {string} question
 * @returns {Curve | undefined}
 */
function curveOf(group, question) {
  const curve = data.curves.find((one) => one.group === group && one.question === question);
  if (!curve) return undefined;
  const { question: _question, days, ...columns } = curve;
  const lists = Object.fromEntries(Object.entries(columns).filter(([, value]) => Array.isArray(value)));
  return { ...curve, points: recordsOf(days.map((/** @type {number} */ day) => ({ day })), lists) };
}

/**
 * The first day on which a falling curve is at a share or below it, or null if there is none.
 * @param {Curve} curve
 * @param {string} column
 * @param {number} level
 * @returns {number | null}
 */
const dayAt = (curve, column, level) => curve.points.find((point) => point[column] <= level)?.day ?? null;

/**
 * A curve's last point on a day or before it.
 * @param {Curve} curve
 * @param {number} day
 */
const pointOn = (curve, day) => curve.points.filter((point) => point.day <= day).pop();

/**
 * A curve's value on a day, or `before` if the curve begins later.
 * @param {Curve} curve
 * @param {string} column
 * @param {number} day
 * @param {number} before
 */
function valueOn(curve, column, day, before) {
  if (day > curve.ends_at) return null;
  const point = pointOn(curve, day);
  return point ? point[column] : before;
}

/**
 * Heights of labels that do not overlap: each at its own height or above, as near to it as the gap allows.
 * @param {number[]} heights from low to high
 * @param {number} gap
 * @param {number} top
 */
function spread(heights, gap, top) {
  const up = heights.reduce((/** @type {number[]} */ done, height) => [...done, Math.max(height, (last(done) ?? -gap) + gap)], []);
  for (let at = up.length - 1, most = top; at >= 0; at -= 1, most = up[at + 1] - gap) up[at] = Math.min(up[at], most);
  return up;
}
