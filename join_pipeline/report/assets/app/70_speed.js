// How long it takes: the share that still waits, and what became of the others, by days since applying.

const FARTHEST_DAY = 180;

const farthest = (curve) => Math.min(curve.ends_at, Math.max(last(curve.days) * 1.15, 30), FARTHEST_DAY);

// Ticks that leave room for the numbers under them.
function dayTicks(end) {
  const room = document.documentElement.clientWidth < 620 ? 4 : 8;
  const step = [1, 2, 5, 7, 14, 30, 60].find((one) => end / one <= room) ?? 60;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step);
}

// At risk from a day on: as told at the next step; after the last one nobody tells.
function atRisk(curve, end) {
  return dayTicks(end).flatMap((day) => {
    const at = curve.days.findIndex((one) => one > day);
    return at < 0 ? [] : [{ day, said: number(curve.at_risk[at]) }];
  });
}

// A step curve's points from 0 to its end, where the last value still holds.
function steps(curve, end, start, valuesOf) {
  const points = [{ day: Math.max(0, Math.min(curve.starts_at, end)), ...start }];
  curve.days.forEach((day, at) => day <= end && points.push({ day, ...valuesOf(at) }));
  points.push({ ...last(points), day: end });
  return points;
}

const curveParams = (end) => ({ dayTicks: dayTicks(end), dayMax: end, shareMax: 1 });

function medianText(curve) {
  const [low, high] = [dayAt(curve, curve.survival_lo, 0.5), dayAt(curve, curve.survival_hi, 0.5)];
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
    const rows = steps(curve, end, { lo: 1, hi: 1, low: 1, high: 1 }, (at) => ({
      lo: curve.survival_lo[at],
      hi: curve.survival_hi[at],
      low: curve.survival_low[at],
      high: curve.survival_high[at],
    })).map((point) => ({ ...point, lane: "decision", fill }));
    const median = medianText(curve);
    const late = [30, 60, 90].filter((day) => day <= end).pop();
    const waiting = late && percents(valueOn(curve, curve.survival_lo, late, 1), valueOn(curve, curve.survival_hi, late, 1));
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
        rows: curve.days.map((day, at) => [
          number(day),
          number(curve.at_risk[at]),
          percents(curve.survival_lo[at], curve.survival_hi[at]),
          percents(curve.survival_low[at], curve.survival_high[at]),
        ]),
      },
    };
  },
};

function startNote(curve) {
  return curve.starts_at >= 1 ? t("speed.starts", { days: Math.round(curve.starts_at), least: about.minimum_n }) : null;
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
      ["hired", "var(--passed)", "var(--on-passed)"],
      ["declined", "var(--out)", "var(--on-out)"],
      ["vanished", "var(--gone)", "var(--on-gone)"],
      ["waiting", "var(--waiting-pale)", "var(--ink)"],
    ];
    const stacked = (at) => {
      const values = at < 0 ? [0, 0, 0] : [curve.hired[at], curve.declined[at], curve.vanished[at]];
      const tops = [values[0], values[0] + values[1], values[0] + values[1] + values[2], 1];
      return tops;
    };
    const rows = parts.flatMap(([lane, fill], place) => {
      const valuesOf = (at) => ({ low: place ? stacked(at)[place - 1] : 0, high: stacked(at)[place] });
      return steps(curve, end, valuesOf(-1), valuesOf).map((point) => ({ ...point, lane, fill, place }));
    });
    const edges = ["hired_lo", "hired_hi"].flatMap((bound) =>
      steps(curve, end, { share: 0 }, (at) => ({ share: curve[bound][at] })).map((point) => ({ ...point, lane: bound })),
    );
    const final = stacked(curve.days.findLastIndex((day) => day <= end));
    const names = parts.flatMap(([lane, , ink], place) => {
      const [low, high] = [place ? final[place - 1] : 0, final[place]];
      return high - low > 0.08 ? [{ share: (low + high) / 2, said: t(`outcome.${lane}`), ink }] : [];
    });
    const at = [90, 60, 30].find((day) => day <= end) ?? Math.floor(end);
    const on = curve.days.findLastIndex((day) => day <= at);
    const bounds = on < 0 ? [0, 0] : [curve.hired_lo[on], curve.hired_hi[on]];
    const shown = stacked(on);
    const values = { days: at, hired: percents(...bounds), declined: percent(shown[1] - shown[0]), waiting: percent(1 - shown[2]) };
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
        rows: curve.days.map((day, i) => [
          number(day),
          number(curve.at_risk[i]),
          percents(curve.hired_lo[i], curve.hired_hi[i]),
          percents(curve.hired_low[i], curve.hired_high[i]),
          percent(curve.declined[i], 1),
          percent(curve.vanished[i], 1),
        ]),
      },
    };
  },
};
