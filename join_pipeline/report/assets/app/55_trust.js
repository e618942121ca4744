// How far the numbers can be trusted: evidence, cohorts seen from their beginning, mapped names.

/**
 * @param {string} check
 * @param {string} subject
 */
const trusted = (check, subject) => data.trust.find((row) => row.check === check && row.subject === subject);

figures.trust = {
  chart: "parts",
  filters: [],
  definitions: ["trust"],
  make() {
    const evidence = data.trust.filter((row) => row.check === "evidence");
    const events = evidence[0]?.n_of;
    if (!events) return { missing: t("missing.applications") };
    const of = (/** @type {string} */ subject) => trusted("evidence", subject)?.n ?? 0;
    const before = trusted("applications", "made before the first sync");
    const unknown = trusted("applications", "outcome not known");
    const stages = trusted("not mapped", "stages");
    const sources = trusted("not mapped", "sources");
    const rest = (/** @type {Row | undefined} */ row, kind = "unknown") => /** @type {any[][]} */ ([["said", (row?.n_of ?? 0) - (row?.n ?? 0)], [kind, row?.n ?? 0]]);
    /** @type {[string, any[][]][]} */
    const all = [
      ["evidence", [["said", of("source") + of("candidate_created")], ["observed", of("observed")], ["bounded", of("bounded")], ["unknown", of("unknown")]]],
      ["watched", rest(before, "bounded")],
      ["outcome", rest(unknown)],
      ["stages", rest(stages)],
      ["sources", rest(sources)],
    ];
    const lanes = all.filter(([, parts]) => add(parts.map(([, n]) => n)) > 0);
    /** @type {Record<string, string>} */
    const fills = { said: "var(--passed)", observed: "var(--passed-pale)", bounded: "var(--waiting)", unknown: "var(--out)" };
    /** @type {Row[]} */
    const rows = [];
    const heads = lanes.map(([lane, parts]) => {
      const total = add(parts.map(([, n]) => n));
      let start = 0;
      for (const [part, n] of parts) {
        const tip = `${t(`trust.${lane}`)}: ${t(`trust.part.${part}`)} ${number(n)} (${percent(n / total)})`;
        if (n) rows.push({ lane, start: start / total, end: (start + n) / total, fill: fills[part], tip });
        start += n;
      }
      const well = add(parts.filter(([part]) => part === "said" || part === "observed").map(([, n]) => n));
      return { lane, name: t(`trust.${lane}`), said: t("trust.well", { share: percent(well / total), n: total }) };
    });
    const width = trusted("interval width", "median");
    const expired = data.trust.filter((row) => row.check === "expiry" && row.n > 0 && !row.subject.startsWith("perhaps"));
    const well = shareKnown();
    return {
      datasets: { rows, heads },
      params: { axisFormat: ".0%", tickStep: 0 },
      axis: "axis.share_of",
      n: events,
      of: "trust.n",
            lead: t("trust.lead", { share: percent(well), width: width?.value == null ? NONE : duration(width.value) }),
      alt: t("trust.alt", { lanes: heads.map((head) => `${head.name} ${head.said}`).join("; ") }),
      legend: ["said", "observed", "bounded", "unknown"].map((part) => [part, t(`trust.part.${part}`)]),
      notes: [
        ...doubts(),
        ...expired.map((row) => t("trust.expired", { n: row.n, days: inDays(row.value) })),
      ],
      table: {
        head: ["check", "n", "n_of", "share", "value"].map((one) => t(`trust.head.${one}`)),
        rows: data.trust.map((row) => [
          `${known("check", row.check)}: ${known("subject", row.subject)}`,
          row.is_hidden ? t("hidden") : number(row.n),
          number(row.n_of),
          row.is_hidden ? t("hidden") : percent(row.share, 1),
          row.value === null ? NONE : duration(row.unit === "days" ? row.value * 24 : row.value),
        ]),
      },
    };
  },
};

// The share of all changes that are dated by the source, or lie between two syncs.
function shareKnown() {
  const evidence = data.trust.filter((row) => row.check === "evidence");
  const told = evidence.filter((row) => ["source", "candidate_created", "observed"].includes(row.subject));
  return evidence.length && evidence[0].n_of ? add(told.map((row) => row.n)) / evidence[0].n_of : null;
}

// What keeps the numbers from being as good as they could be. Each is a sentence.
function doubts() {
  const behind = trusted("follow-up", "estimates end before as_of");
  const guarded = trusted("follow-up", "guarded before as_of");
  const stages = trusted("not mapped", "stages");
  return [
    guarded?.value ? t("trust.guarded", { days: inDays(guarded.value) }) : null,
    behind?.value > about.stale_after ? t("trust.stale", { days: inDays(behind.value) }) : null,
    stages?.n ? t("trust.unmapped", { n: stages.n }) : null,
  ].filter((one) => one !== null);
}

/**
 * Hours as text.
 * @param {number} hours
 */
function duration(hours) {
  if (hours < 1) return t("minutes", { n: Math.round(hours * 60) });
  return hours < 48 ? t("hours", { n: Math.round(hours) }) : inDays(hours / 24);
}
