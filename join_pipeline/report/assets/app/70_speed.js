// Speed: the share that still waits, and the outcomes of the others, by days since the application.

const FARTHEST_DAY = 180;

const farthest = (curve) => Math.min(curve.ends_at, Math.max(last(curve.points).day * 1.15, 30), FARTHEST_DAY);

// Ticks that leave room for the numbers under them.
function dayTicks(end) {
  const room = document.documentElement.clientWidth < 620 ? 4 : 8;
  const step = [1, 2, 5, 7, 14, 30, 60].find((one) => end / one <= room) ?? 60;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step);
}

// The number at risk after each tick's day, taken from the curve's next step. After the last step it is not known.
function atRisk(curve, end) {
  return dayTicks(end).flatMap((day) => {
    const next = curve.points.find((point) => point.day > day);
    return next ? [{ day, said: number(next.at_risk) }] : [];
  });
}

// A step curve's points from 0 to its end, up to which the last value holds.
function steps(curve, end, start, valuesOf) {
  const points = [{ day: Math.max(0, Math.min(curve.starts_at, end)), ...start }];
  curve.points.forEach((point) => point.day <= end && points.push({ day: point.day, ...valuesOf(point) }));
  points.push({ ...last(points), day: end });
  return points;
}

const curveParams = (end) => ({ dayTicks: dayTicks(end), dayMax: end, shareMax: 1 });

function medianText(curve) {
  const [low, high] = [dayAt(curve, "survival_lo", 0.5), dayAt(curve, "survival_hi", 0.5)];
  if (low === null || high === null) return null;
  return { low, high, said: low === high ? t("days", { n: low }) : t("days.range", { low, high }) };
}

figures.decision = {
  chart: "survival",
  filters: ["job", "source"],
  everyPeriod: "scope.all_time",
  definitions: ["waiting_for_decision", "time_to_decision"],
  make() {
    const curve = curveOf(state.group, "decision");
    if (!curve) return { missing: t("missing.curve", { least: about.minimum_n }) };
    const end = farthest(curve);
    const fill = "var(--passed)";
    const rows = steps(curve, end, { lo: 1, hi: 1, low: 1, high: 1 }, (point) => ({
      lo: point.survival_lo,
      hi: point.survival_hi,
      low: point.survival_low,
      high: point.survival_high,
    })).map((point) => ({ ...point, lane: "decision", fill }));
    const median = medianText(curve);
    const late = [30, 60, 90].filter((day) => day <= end).pop();
    const waiting = late && percents(valueOn(curve, "survival_lo", late, 1), valueOn(curve, "survival_hi", late, 1));
    return {
      datasets: {
        rows,
        risk: atRisk(curve, end),
        riskTitle: [{ said: t("speed.at_risk") }],
        marks: median && median.high <= end ? [{ day: median.high, share: 0.5, said: median.said }] : [],
      },
      params: curveParams(end),
      n: curve.n,
      unknown: unknownOf(state.group),
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

function startNote(curve) {
  return curve.starts_at >= 1 ? t("speed.starts", { days: Math.round(curve.starts_at), least: about.minimum_n }) : null;
}

// A point before the first decision.
const UNDECIDED = { hired: 0, declined: 0, vanished: 0, hired_lo: 0, hired_hi: 0 };

// The lower and upper edge of each outcome, stacked to one with the hired at the bottom.
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
  filters: ["job", "source"],
  everyPeriod: "scope.all_time",
  definitions: ["incidence"],
  make() {
    const curve = curveOf(state.group, "hire");
    if (!curve) return { missing: t("missing.curve", { least: about.minimum_n }) };
    const end = farthest(curve);
    const parts = [
      { lane: "hired", fill: "var(--passed)", ink: "var(--on-passed)" },
      { lane: "declined", fill: "var(--out)", ink: "var(--on-out)" },
      { lane: "vanished", fill: "var(--gone)", ink: "var(--on-gone)" },
      { lane: "waiting", fill: "var(--waiting-pale)", ink: "var(--ink)" },
    ];
    const rows = parts.flatMap(({ lane, fill }, place) => {
      const valuesOf = (point) => stackOf(point)[lane];
      return steps(curve, end, valuesOf(UNDECIDED), valuesOf).map((point) => ({ ...point, lane, fill, place }));
    });
    const edges = ["hired_lo", "hired_hi"].flatMap((bound) =>
      steps(curve, end, { share: 0 }, (point) => ({ share: point[bound] })).map((point) => ({ ...point, lane: bound })),
    );
    const final = stackOf(pointOn(curve, end) ?? UNDECIDED);
    const names = parts.flatMap(({ lane, ink }) => {
      const { low, high } = final[lane];
      return high - low > 0.08 ? [{ share: (low + high) / 2, said: t(`outcome.${lane}`), ink }] : [];
    });
    const at = [90, 60, 30].find((day) => day <= end) ?? Math.floor(end);
    const point = pointOn(curve, at) ?? UNDECIDED;
    const { declined, vanished } = stackOf(point);
    const values = {
      days: at,
      hired: percents(point.hired_lo, point.hired_hi),
      declined: percent(declined.high - declined.low),
      waiting: percent(1 - vanished.high),
    };
    return {
      datasets: { rows, edges, names, risk: atRisk(curve, end), riskTitle: [{ said: t("speed.at_risk") }] },
      params: curveParams(end),
      n: curve.n,
      unknown: unknownOf(state.group),
      lead: t("outcome.lead", values),
      alt: t("outcome.alt", values),
      legend: [
        ["passed", t("outcome.hired")],
        ["out", t("outcome.declined")],
        ["gone", t("outcome.vanished")],
        ["pale", t("outcome.waiting")],
        ["dashes", t("outcome.edges")],
      ],
      notes: [startNote(curve), t("outcome.note")],
      table: {
        head: ["day", "at_risk", "hired", "sampling", "declined", "vanished"].map((one) => t(`speed.head.${one}`)),
        rows: curve.points.map((point) => [
          number(point.day),
          number(point.at_risk),
          percents(point.hired_lo, point.hired_hi),
          percents(point.hired_low, point.hired_high),
          percent(point.declined, 1),
          percent(point.vanished, 1),
        ]),
      },
    };
  },
};
