// The page as a whole: headline, filters, language, drawing, printing.

const drawing = { width: 0, running: Promise.resolve() };

function sayStatic() {
  document.documentElement.lang = words.language;
  document.title = t("page.title", { company: about.connection });
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t, about);
  for (const element of document.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === words.language));
  }
  document.getElementById("as-of").textContent = about.as_of
    ? t("page.as_of", { at: instant(about.as_of), n: about.n_syncs ?? 0 })
    : t("page.no_sync");
  if (about.is_only_created) document.getElementById("as-of").append(" ", t("page.only_created"));
}

// The headline numbers, and how certain they are.
function sayHeadline() {
  const funnel = funnelOf(chosenMonths());
  const first = stepOf(funnel, "SCREENING");
  const decision = curveOf(state.group, "decision");
  const hire = curveOf(state.group, "hire");
  const median = decision && medianText(decision);
  const sentence = document.getElementById("headline");
  const of = isOverall() ? "" : groupName(chosenGroup());
  if (!funnel.n) sentence.textContent = months.length ? t("headline.few") : t("headline.empty");
  else if (first.low === null) sentence.textContent = t("headline.few");
  else {
    // the word joiner keeps a range from breaking at its dash
    const range = t("range", { low: Math.round(first.low * 100), high: Math.round(first.high * 100) }).replace("–", "\u2060–\u2060");
    sentence.textContent = median ? t("headline", { range, days: median.said }) : t("headline.slow", { range });
  }
  document.getElementById("headline-of").textContent = [of, funnel.n ? periodName() : ""].filter(Boolean).join(" · ");
  const at = hire ? [90, 60, 30].find((day) => day <= Math.min(hire.ends_at, FARTHEST_DAY)) : null;
  const point = at ? pointOn(hire, at) : undefined;
  const tiles = [
    [t("tile.applications"), number(funnel.n || null), funnel.n ? t("tile.applications.sure", { unknown: percent(funnel.unknown / funnel.n) }) : t("tile.none")],
    [t("tile.pass"), percent(first.mature), first.low === null ? t("tile.none") : t("tile.pass.sure", { range: percents(first.low, first.high) })],
    [
      at ? t("tile.hired", { n: at }) : t("tile.hired.any"),
      point ? percent(point.hired, 1) : NONE,
      point ? t("tile.hired.sure", { range: percents(point.hired_low, point.hired_high) }) : t("tile.none"),
    ],
    [t("tile.decision"), median ? median.said : NONE, median ? t("tile.decision.sure", { n: decision.n }) : t("tile.none")],
  ];
  document
    .getElementById("tiles")
    .replaceChildren(...tiles.map(([name, value, sure]) => el("div", {}, el("dt", {}, name), el("dd", {}, el("b", {}, value), el("span", {}, sure)))));
}

function fillFilters() {
  const leftOut = data.left_out.map((one) => t(`filter.left_out.${one.scope}`, { n: one.n }));
  document.getElementById("left-out").textContent = leftOut.join(" ");
  const option = (value, text, chosen) => el("option", { value, selected: chosen }, text);
  for (const scope of ["job", "source"]) {
    const select = document.getElementById(`filter-${scope}`);
    const groups = data.groups.filter((group) => group.scope === scope);
    const isOpen = ({ status }) => status === "OPEN";
    const named = groups
      .map((group) => ({ group: group.group, status: group.status, name: groupName(group) }))
      .sort((a, b) => a.name.localeCompare(b.name, words.locale));
    const options = (list) => list.map(({ group, name }) => option(group, name, group === state.group));
    const lists =
      scope === "job"
        ? [["filter.open_jobs", named.filter(isOpen)], ["filter.other_jobs", named.filter((one) => !isOpen(one))]]
            .filter(([, list]) => list.length)
            .map(([key, list]) => el("optgroup", { label: t(key) }, options(list)))
        : options(named);
    select.replaceChildren(option("", t(`filter.every_${scope}`), false), ...lists);
    select.value = chosenGroup().scope === scope ? String(state.group) : "";
    select.disabled = !groups.length;
  }
  for (const end of ["from", "to"]) {
    const select = document.getElementById(`filter-${end}`);
    select.replaceChildren(...months.map((one) => option(one, month(one), one === state[end])));
    select.disabled = !months.length;
  }
}

function choose(change) {
  Object.assign(state, change);
  if (state.from > state.to) [state.from, state.to] = [state.to, state.from];
  writeAddress();
  show();
}

function listen() {
  for (const scope of ["job", "source"]) {
    document.getElementById(`filter-${scope}`).addEventListener("change", (event) => {
      choose({ group: event.target.value === "" ? 0 : Number(event.target.value) });
    });
  }
  for (const end of ["from", "to"]) {
    document.getElementById(`filter-${end}`).addEventListener("change", (event) => choose({ [end]: event.target.value }));
  }
  document.getElementById("filter-reset").addEventListener("click", () => {
    const [from, to] = usualPeriod();
    choose({ group: 0, from, to });
  });
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => choose({ language: button.dataset.language }));
  }
  window.addEventListener("hashchange", () => {
    if (!/^#[\w-]+$/.test(location.hash)) {
      readAddress();
      show();
    }
  });
  new ResizeObserver(() => {
    const width = document.getElementById("content").clientWidth;
    if (width !== drawing.width) draw();
  }).observe(document.getElementById("content"));
  window.addEventListener("beforeprint", () => fit(PAPER));
  window.addEventListener("afterprint", () => draw());
}

// Makes charts as wide as the paper, synchronously, because printing does not wait.
function fit(width) {
  for (const view of [...views.values()].flat()) view.width(width).run();
}

function draw() {
  drawing.width = document.getElementById("content").clientWidth;
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
  const funnel = funnelOf(chosenMonths());
  document.getElementById("shown").textContent = months.length
    ? t("filter.shown", { group: groupName(chosenGroup()), period: periodName(), n: funnel.n })
    : "";
  draw();
}

readAddress();
listen();
show();
