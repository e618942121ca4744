// Speed: the share that still waits, and the outcomes of the others, by days since the application.

const FARTHEST_DAY = 180;

const farthest = (/** @type {Curve} */ curve) => Math.min(curve.ends_at, Math.max(last(curve.points).day * 1.15, 30), FARTHEST_DAY);

// Ticks that leave room for the numbers under them.
function dayTicks(/** @type {number} */ end) {
  const room = document.documentElement.clientWidth < 620 ? 4 : 8;
  const step = [1, 2, 5, 7, 14, 30, 60].find((one) => end / one <= room) ?? 60;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step);
}

/**
 * A step curve's points from 0 to its end, up to which the last value holds.
 * @param {Curve} curve
 * @param {number} end
 * @param {Row} start
 * @param {(point: Row) => Row} valuesOf
 * @returns {Row[]}
 */
function steps(curve, end, start, valuesOf) {
  /** @type {Row[]} */
  const points = [{ day: Math.max(0, Math.min(curve.starts_at, end)), ...start }];
  curve.points.forEach((point) => point.day <= end && points.push({ day: point.day, ...valuesOf(point) }));
  points.push({ ...last(points), day: end });
  return points;
}

/** @param {Curve} curve */
function medianText(curve) {
  const [low, high] = [dayAt(curve, "survival_lo", 0.5), dayAt(curve, "survival_hi", 0.5)];
  if (low === null || high === null) return null;
  return { low, high, said: low === high ? t("days", { n: low }) : t("days.range", { low, high }) };
}

figures.decision = {
  chart: "survival",
  filters: SCOPES,
  everyPeriod: "scope.all_time",
  definitions: ["waiting_for_decision", "time_to_decision"],
  make() {
    const group = groupFor(this);
    const curve = curveOf(group, "decision");
    if (!curve) return { missing: t("missing.curve", { least: about.minimum_n }) };
    const end = farthest(curve);
    const fill = "var(--passed)";
    const rows = steps(curve, end, { lo: 1, hi: 1, low: 1, high: 1 }, (point) => ({
      lo: point.survival_lo,
      hi: point.survival_hi,
      low: point.survival_low,
      high: point.survival_high,
    })).map((point) => /** @type {Row} */ ({ ...point, lane: "decision", fill }));
    const median = medianText(curve);
    const late = [30, 60, 90].filter((day) => day <= end).pop();
    const waiting = late && percents(valueOn(curve, "survival_lo", late, 1), valueOn(curve, "survival_hi", late, 1));
    const final = last(rows);
    return {
      datasets: {
        rows,
        marks: median && median.high <= end ? [{ day: median.high, share: 0.5, said: median.said }] : [],
        names: [{ share: (final.lo + final.hi) / 2, said: t("decision.name", { n: ofHundred((final.lo + final.hi) / 2) }) }],
      },
      params: { dayTicks: dayTicks(end), dayMax: end },
      n: curve.n,
      unknown: unknownOf(group),
      lead: median
        ? t("decision.lead", { days: median.said, share: waiting ?? NONE, late: late ?? 0 })
        : t("decision.lead.slow", { share: waiting ?? NONE, late: late ?? 0 }),
      alt: t("decision.alt", { days: median?.said ?? NONE, end: Math.round(end) }),
      legend: [
        ["ribbon", t("speed.ribbon")],
        ["outer", t("speed.sampling")],
      ],
      notes: [startNote(curve), t("decision.note")],
      table: {
        head: ["day", "at_risk", "waiting", "sampling"].map((one) => t(`speed.head.${one}`)),
        rows: curve.points.map((point) => [
          number(point.day),
          number(point.at_risk),
          percents(point.survival_lo, point.survival_hi),
          percents(point.survival_low, point.survival_high),
        ]),
      },
    };
  },
};

/** @param {Curve} curve */
function startNote(curve) {
  return curve.starts_at >= 1 ? t("speed.starts", { days: Math.round(curve.starts_at), least: about.minimum_n }) : null;
}

// A point before the first decision.
const UNDECIDED = { hired: 0, declined: 0, vanished: 0, hired_lo: 0, hired_hi: 0 };

/**
 * The lower and upper edge of each outcome, stacked to one with the hired at the bottom.
 * @param {Row} point
 * @returns {Record<string, Interval>}
 */
function stackOf({ hired, declined, vanished }) {
  const decided = hired + declined;
  return {
    hired: { low: 0, high: hired },
    declined: { low: hired, high: decided },
    vanished: { low: decided, high: decided + vanished },
    waiting: { low: decided + vanished, high: 1 },
  };
}

figures.outcome = {
  chart: "incidence",
  filters: SCOPES,
  everyPeriod: "scope.all_time",
  definitions: ["incidence"],
  make() {
    const group = groupFor(this);
    const curve = curveOf(group, "hire");
    if (!curve) return { missing: t("missing.curve", { least: about.minimum_n }) };
    const end = farthest(curve);
    const parts = [
      { lane: "hired", fill: "var(--hired)" },
      { lane: "declined", fill: "var(--out-pale)" },
      { lane: "vanished", fill: "var(--gone)" },
      { lane: "waiting", fill: "var(--waiting-pale)" },
    ];
    const rows = parts.flatMap(({ lane, fill }, place) => {
      const valuesOf = (/** @type {Row} */ point) => stackOf(point)[lane];
      return steps(curve, end, valuesOf(UNDECIDED), valuesOf).map((point) => ({ ...point, lane, fill, place, tip: t(`outcome.${lane}`) }));
    });
    const final = stackOf(pointOn(curve, end) ?? UNDECIDED);
    const sizes = parts.map(({ lane }) => ({ lane, size: final[lane].high - final[lane].low, middle: (final[lane].low + final[lane].high) / 2 }));
    const heights = spread(sizes.map((one) => one.middle), 0.07, 0.98);
    const at = [90, 60, 30].find((day) => day <= end) ?? Math.floor(end);
    const point = pointOn(curve, at) ?? UNDECIDED;
    const { declined, vanished } = stackOf(point);
    const values = {
      days: at,
      hired: rangeOf100(point.hired_lo, point.hired_hi),
      declined: ofHundred(declined.high - declined.low),
      withdrawn: ofHundred(vanished.high - vanished.low),
      waiting: ofHundred(1 - vanished.high),
    };
    return {
      datasets: { rows, names: sizes.map(({ lane, size }, place) => ({ share: heights[place], said: `${ofHundred(size)} ${t(`outcome.${lane}`)}` })) },
      params: { dayTicks: dayTicks(end), dayMax: end },
      n: curve.n,
      unknown: unknownOf(group),
      lead: t("outcome.lead", values),
      alt: t("outcome.alt", values),
      legend: [
        ["hired", t("outcome.hired")],
        ["pale-out", t("outcome.declined")],
        ["gone", t("outcome.vanished")],
        ["pale", t("outcome.waiting")],
      ],
      notes: [startNote(curve), t("outcome.note")],
      table: {
        head: ["day", "at_risk", "hired", "sampling", "declined", "vanished", "open"].map((one) => t(`speed.head.${one}`)),
        rows: curve.points.map((one) => [
          number(one.day),
          number(one.at_risk),
          percents(one.hired_lo, one.hired_hi),
          percents(one.hired_low, one.hired_high),
          percent(one.declined, 1),
          percent(one.vanished, 1),
          percent(Math.max(0, 1 - stackOf(one).vanished.high), 1),
        ]),
      },
    };
  },
};

/**
 * @param {number} low
 * @param {number} high
 */
const rangeOf100 = (low, high) => (ofHundred(low) === ofHundred(high) ? ofHundred(high) : t("range", { low: ofHundred(low), high: ofHundred(high) }));
