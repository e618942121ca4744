// The page as a whole: headline, answers, filters, language, drawing, printing.

/** @type {{width: number, running: Promise<void>}} */
const drawing = { width: 0, running: Promise.resolve() };

// The questions that the page answers at its top: each by the sentence of a figure.
const ANSWERS = [
  "act", "bottleneck", "jobs", "plan", "forecast", "levels", "funnel", "offers", "volume", "sources", "costs", "decision",
  "times", "outcome", "years",
];
/** @type {Record<string, string>} */
const ANSWERED_BY = { offers: "funnel" };

function sayStatic() {
  document.documentElement.lang = words.language;
  document.title = t("page.title", { company: about.connection });
  for (const element of document.querySelectorAll("[data-t]")) {
    element.textContent = t(/** @type {HTMLElement} */ (element).dataset.t ?? "", about);
  }
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(/** @type {HTMLElement} */ (element).dataset.tLabel ?? ""));
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.language === words.language));
  }
  byId("as-of").textContent = about.as_of ? t("page.as_of", { at: instant(about.as_of), n: about.n_syncs ?? 0 }) : t("page.no_sync");
  if (about.is_only_created) byId("as-of").append(" ", t("page.only_created"));
  byId("terms").replaceChildren(
    ...TERMS.map((term) => el("div", {}, el("dt", {}, t(`term.${term}.name`)), el("dd", {}, t(`term.${term}.means`)))),
  );
}

// How good the data are, in a line at the top. The section on trust says why.
function sayTrust() {
  const well = shareKnown();
  const open = doubts();
  const badge = byId("badge");
  badge.dataset.level = well === null ? "none" : open.length ? "doubt" : "good";
  badge.textContent =
    well === null ? t("badge.none") : [t("badge.known", { share: percent(well) }), open.length ? t("badge.doubts", { n: open.length }) : t("badge.no_doubt")].join(" · ");
}

/**
 * When these cohorts applied: a month, or the days of several weeks.
 * @param {Cohort[]} cohorts
 */
function cohortsName(cohorts) {
  if (cohorts[0].grain === "month") return { key: "headline.month", period: date(cohorts[0].on, { month: "long", year: "numeric" }) };
  const style = new Intl.DateTimeFormat(words.locale, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  return { key: "headline.weeks", period: style.formatRange(new Date(cohorts[0].on), new Date(Date.parse(last(cohorts).on) + 6 * DAY)) };
}

// The newest result that is known well, and who waits now. The numbers below them say of what they are.
function sayHeadline() {
  const group = groupFor(EVERY);
  const months_ = chosenCohorts(group, "month");
  const isUsual = [state.from, state.to].join() === usualPeriod().join();
  const weeks = isUsual ? cohortsOf(group, "week") : chosenCohorts(group, "week");
  const mature = newestMature(months_, weeks);
  const passed = reachedAt(mature, "INTERIM", MATURE_DAYS);
  const funnel = funnelOf(months_);
  const nowGroup = groupFor(figures.now);
  const now = nowGroup === undefined ? null : waitingNow(nowGroup);
  const decision = curveOf(group, "decision");
  const median = decision && medianText(decision);
  const hire = curveOf(group, "hire");
  const at = hire ? [90, 60, 30].find((day) => day <= Math.min(hire.ends_at, FARTHEST_DAY)) : null;
  const point = hire && at ? pointOn(hire, at) : undefined;
  const since = about.first_sync_at ? t("tile.since", { first: date(about.first_sync_at) }) : "";
  const ofHundredPassed = (/** @type {number} */ n) => number(Math.round((n / passed.n) * 100));
  const range =
    ofHundredPassed(passed.lo) === ofHundredPassed(passed.hi)
      ? ""
      : t("headline.range", { low: ofHundredPassed(passed.lo), high: ofHundredPassed(passed.hi) });
  const applied = passed.n ? cohortsName(mature) : null;
  const rate = applied
    ? t("headline", { period: t(applied.key, applied), n: ofHundredPassed(passed.best), range, days: MATURE_DAYS })
    : group === undefined
      ? t("missing.choice", { choice: choiceName(state.chosen) })
      : !months.length
        ? t("headline.empty")
        : funnel.n < about.minimum_n
          ? t("headline.few")
          : t("headline.young");
  const waits = now?.open ? t(now.stuck ? "headline.waits" : "headline.waits.fresh", { n: now.open, stuck: now.stuck }) : "";
  byId("headline").textContent = [rate, waits].filter(Boolean).join(" ");
  const of = [Object.keys(state.chosen).length ? choiceName(state.chosen) : "", passed.n ? t("headline.of", { n: passed.n }) : ""];
  byId("headline-of").textContent = of.filter(Boolean).join(" · ");
  const interval = passed.n ? wilson(passed.best, passed.n) : null;
  const tiles = [
    [
      t("tile.waiting"),
      number(now?.rows ? now.open : null),
      now?.rows ? t("tile.waiting.sure", { stuck: now.stuck, closed: now.closed }) : t("tile.none"),
    ],
    [
      t("tile.pass", { n: MATURE_DAYS }),
      interval ? percent(passed.best / passed.n) : NONE,
      interval ? t("tile.pass.sure", { range: percents(interval.low, interval.high), period: applied.period }) : t("tile.young"),
    ],
    [
      at ? t("tile.hired", { n: at }) : t("tile.hired.any"),
      point ? percent(point.hired, 1) : NONE,
      point ? t("tile.hired.sure", { range: percents(point.hired_low, point.hired_high), since }) : t("tile.none"),
    ],
    [t("tile.decision"), median ? median.said : NONE, median ? t("tile.decision.sure", { since }) : t("tile.none")],
  ];
  byId("tiles").replaceChildren(
    ...tiles.map(([name, value, sure]) => el("div", {}, el("dt", {}, explained(name)), el("dd", {}, el("b", {}, value), el("span", {}, sure)))),
  );
}

/**
 * @param {string} id
 * @param {string} figure
 * @param {string} said
 * @param {boolean} isAnswered
 */
const answer = (id, figure, said, isAnswered) =>
  el(
    "div",
    { id: `answer-${id}`, class: isAnswered ? null : "unanswered" },
    el("dt", {}, el("a", { href: `#figure-${figure}` }, t(`${id}.question`))),
    el("dd", {}, explained(said)),
  );

// The answer to each question, and where the page tells more.
function sayAnswers() {
  byId("answers-list").replaceChildren(
    ...ANSWERS.map((id) => {
      const figure = ANSWERED_BY[id] ?? id;
      const made = madeOf(figure);
      const stays = id === "bottleneck" && made.missing ? madeOf("stages") : null;
      if (stays?.lead) return answer(id, "stages", stays.lead, true);
      const said = made.missing ?? (figure === id ? made.lead : made.also?.[id]) ?? "";
      return answer(id, figure, said, !made.missing);
    }),
  );
}

/**
 * @param {string} value
 * @param {string} text
 * @param {boolean} chosen
 * @param {boolean} off
 */
const option = (value, text, chosen = false, off = false) => el("option", { value, selected: chosen, disabled: off }, text);

/**
 * The groups of a scope by name, each with whether the marts publish it with what is chosen of the other scopes.
 * @param {string} scope
 */
function optionsOf(scope) {
  const { [scope]: _own, ...others } = state.chosen;
  return groupsOf(scope)
    .map((group) => ({ key: group.key, name: groupName(group), isOpen: group.status === "OPEN", isThere: groupOf({ ...others, [scope]: group.key }) !== undefined }))
    .sort((a, b) => Number(b.isOpen) - Number(a.isOpen) || a.name.localeCompare(b.name, words.locale));
}

function fillFilters() {
  const leftOut = data.left_out.map((one) => (has(`filter.left_out.${one.scope}.other`) ? t(`filter.left_out.${one.scope}`, { n: one.n }) : ""));
  const chosen = Object.keys(state.chosen);
  const shut = [];
  for (const scope of SCOPES) {
    const field = /** @type {HTMLInputElement | HTMLSelectElement} */ (byId(`filter-${scope}`));
    const options = optionsOf(scope);
    const others = chosen.filter((one) => one !== scope);
    const canJoin = others.length === 0 || (others.length === 1 && isPair(scope, others[0]));
    const isShut = !canJoin && !(scope in state.chosen);
    if (isShut && options.length) shut.push(t(`filter.${scope}`));
    field.disabled = !options.length || isShut;
    /** @type {HTMLElement} */ (field.closest("label")).hidden = !options.length && !["job", "source"].includes(scope);
    if (scope === "job") {
      const can = options.filter((one) => one.isThere);
      byId("jobs-list").replaceChildren(...can.map((one) => el("option", { value: one.name }, one.isOpen ? "" : t("filter.closed_job"))));
      field.setAttribute("placeholder", t("filter.every_job"));
      field.value = "job" in state.chosen ? choiceName({ job: state.chosen.job }) : "";
    } else {
      const every = option("", t(`filter.every_${scope}`));
      field.replaceChildren(every, ...options.map((one) => option(one.key, one.name, one.key === state.chosen[scope], !one.isThere && one.key !== state.chosen[scope])));
      field.value = state.chosen[scope] ?? "";
    }
  }
  for (const end of /** @type {("from" | "to")[]} */ (["from", "to"])) {
    const select = /** @type {HTMLSelectElement} */ (byId(`filter-${end}`));
    select.replaceChildren(...months.map((one) => option(one, month(one), one === state[end])));
    select.disabled = !months.length;
  }
  if (shut.length) leftOut.unshift(t("filter.shut", { list: listed(shut), chosen: listed(chosen.map((one) => t(`filter.${one}`))) }));
  byId("left-out").textContent = leftOut.filter(Boolean).join(" ");
}

/** @param {Partial<typeof state>} change */
function choose(change) {
  Object.assign(state, change);
  inOrderOfTime();
  writeAddress();
  show();
}

/**
 * Choose of one scope, and keep what is chosen of the others.
 * @param {string} scope
 * @param {string} key an empty one for all
 */
function chooseKey(scope, key) {
  const { [scope]: _own, ...others } = state.chosen;
  choose({ chosen: key === "" ? others : { ...others, [scope]: key } });
}

/**
 * The job that a text names: the one with this name, or the only one whose name has the text in it.
 * @param {string} text
 */
function jobNamed(text) {
  const jobs = optionsOf("job").filter((one) => one.isThere);
  const plain_ = (/** @type {string} */ name) => name.toLocaleLowerCase(words.locale);
  const exact = jobs.filter((one) => plain_(one.name) === plain_(text));
  const found = exact.length ? exact : jobs.filter((one) => plain_(one.name).includes(plain_(text)));
  return exact.length || found.length === 1 ? found[0].key : null;
}

function listen() {
  for (const scope of SCOPES) {
    byId(`filter-${scope}`).addEventListener("change", (event) => {
      const value = /** @type {HTMLInputElement} */ (event.target).value.trim();
      const key = scope === "job" && value !== "" ? jobNamed(value) : value;
      if (key === null) byId("shown").textContent = t("filter.no_such_job", { text: value });
      else chooseKey(scope, key);
    });
  }
  for (const end of ["from", "to"]) {
    byId(`filter-${end}`).addEventListener("change", (event) => choose({ [end]: /** @type {HTMLSelectElement} */ (event.target).value }));
  }
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filter-reset").addEventListener("click", () => {
    const [from, to] = usualPeriod();
    choose({ chosen: {}, from, to });
  });
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-language]"))) {
    button.addEventListener("click", () => choose({ language: button.dataset.language }));
  }
  window.addEventListener("hashchange", () => {
    // a link to a place on the page is no choice: the choice stays, and the address tells it again
    if (/^#[\w-]+$/.test(location.hash)) return writeAddress();
    readAddress();
    show();
  });
  new ResizeObserver(() => {
    const width = byId("content").clientWidth;
    if (width !== drawing.width) draw();
  }).observe(byId("content"));
  window.addEventListener("beforeprint", () => fit(PAPER));
  window.addEventListener("afterprint", () => draw());
}

/**
 * Makes charts as wide as the paper, synchronously, because printing does not wait.
 * @param {number} width
 */
function fit(width) {
  for (const view of [...views.values()].flat()) view.width(width).run();
}

function draw() {
  drawing.width = byId("content").clientWidth;
  document.documentElement.dataset.drawing = "";
  drawing.running = drawing.running.then(async () => {
    for (const id of Object.keys(figures)) await drawFigure(id);
    delete document.documentElement.dataset.drawing;
    document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn ?? 0) + 1);
  });
}

function show() {
  speak(state.language);
  sayStatic();
  fillFilters();
  sayHeadline();
  sayTrust();
  sayAnswers();
  const funnel = funnelOf(chosenMonths(EVERY));
  byId("shown").textContent = months.length ? t("filter.shown", { group: choiceName(state.chosen), period: periodName(), n: funnel.n }) : "";
  draw();
}

readAddress();
listen();
show();
