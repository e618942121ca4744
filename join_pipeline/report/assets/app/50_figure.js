// A figure: a sentence that sums it up, the chart, its legend, n and as-of, its definition, and a table of its numbers.

/**
 * @typedef {{
 *   missing?: string, lead?: string, alt?: string, legend?: string[][] | null, notes?: (string | null)[],
 *   n?: number, of?: string, unknown?: number, table?: {head: string[], rows: string[][]}, also?: Record<string, string>,
 *   datasets?: Record<string, Row[]>, params?: Row, axis?: string, panels?: Panel[]
 * }} Made What a figure shows now. `missing` says why there is nothing, and what to do. `also` answers other questions.
 * @typedef {{title?: string, datasets: Record<string, Row[]>, params?: Row, axis?: string}} Panel
 * @typedef {{chart: string, filters: string[], everyPeriod?: string, definitions: string[], make: () => Made,
 *   controls?: () => (Node | null)[]}} Figure
 */

/** @type {Record<string, Figure>} */
const figures = {};
/** @type {Map<string, any[]>} */
const views = new Map();
const embed = /** @type {any} */ (window).vegaEmbed;

const PAPER = 880; // pixels: wider than between the margins of A4, so that two figures share a page
const NARROW = 520;

/**
 * Replaces each `$key` in the chart's specification by its text. The figure itself gives the text of `$axis.own`.
 * @param {any} node
 * @param {string} own
 * @returns {any}
 */
function spoken(node, own) {
  if (typeof node === "string") return node === "$axis.own" ? t(own) : node.startsWith("$") ? t(node.slice(1)) : node;
  if (Array.isArray(node)) return node.map((one) => spoken(one, own));
  if (node && typeof node === "object") {
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, spoken(value, own)]));
  }
  return node;
}

/**
 * @param {HTMLElement} place
 * @param {string} name
 * @param {Panel} panel
 * @param {number} width
 */
async function drawChart(place, name, { datasets, params = {}, axis = "axis.applications" }, width) {
  const spec = spoken(charts[name], axis);
  spec.width = width;
  spec.autosize = { type: "fit-x", contains: "padding" };
  if (width < NARROW) params = { ...params, room: 84 };
  if (width < NARROW && spec.height?.step && datasets.heads) {
    spec.height = { step: spec.height.step + 16 };
    params = { ...params, narrow: true };
  }
  spec.datasets = { ...Object.fromEntries(namesOfData(spec).map((one) => [one, /** @type {Row[]} */ ([])])), ...datasets };
  spec.params = (spec.params ?? []).map((/** @type {Row} */ param) =>
    param.name in params ? { ...param, value: params[param.name] } : param,
  );
  const drawn = await embed(place, spec, {
    actions: false,
    ast: true, // the page's policy forbids making code from strings
    renderer: "svg",
    formatLocale: texts[words.language].format,
    timeFormatLocale: texts[words.language].time_format,
    logLevel: 1, // errors only
  });
  place.querySelector("svg")?.setAttribute("focusable", "false");
  return drawn.view;
}

/**
 * @param {any} node
 * @returns {string[]}
 */
function namesOfData(node) {
  if (Array.isArray(node)) return node.flatMap(namesOfData);
  if (!node || typeof node !== "object") return [];
  const own = node.data?.name ? [node.data.name] : [];
  return [...own, ...Object.values(node).flatMap(namesOfData)];
}

/** @param {string[]} ids */
function definitionOf(ids) {
  const items = ids.flatMap((id) => {
    const metric = data.definitions.find((one) => one.id === id);
    if (!metric) return [];
    const own = has(`definition.${id}.name`);
    const said = (/** @type {string} */ part) => plain(own ? t(`definition.${id}.${part}`) : metric[part]);
    const lines = ["formula", "inclusion", "censoring", "caveat"].map((part) =>
      el("p", {}, el("b", {}, t(`definition.${part}`)), " ", said(part)),
    );
    return [el("div", { lang: own ? null : "en" }, el("h4", {}, said("name")), lines)];
  });
  if (!items.length) return "";
  return el("details", { class: "definition" }, el("summary", {}, t("figure.definition")), items);
}

/** @param {Made} made */
function factsOf(made) {
  const items = [];
  if (made.n !== undefined) items.push([t(made.of ?? "figure.n"), number(made.n)]);
  items.push([t("figure.as_of"), instant(about.as_of)]);
  if (made.unknown) items.push([t("figure.unknown"), percent(made.unknown)]);
  return el("dl", { class: "facts" }, items.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/**
 * What a figure shows of the reader's choice, and what of it the figure can't tell apart.
 * @param {Figure} figure
 */
function scopeOf(figure) {
  const kept = [choiceName(choiceFor(figure))];
  if (figure.filters.includes("period")) kept.push(periodName());
  else if (figure.everyPeriod) kept.push(t(figure.everyPeriod, { first: date(about.first_sync_at ?? "2000-01-01") }));
  const lost = SCOPES.filter((scope) => scope in state.chosen && !figure.filters.includes(scope));
  if (lost.length) kept.push(t("scope.not_by", { list: listed(lost.map((scope) => t(`filter.${scope}`))) }));
  return kept.filter(Boolean).join(" · ");
}

/**
 * What a figure shows of the choice, or that the marts do not publish this choice.
 * @param {string} id
 * @returns {Made}
 */
function madeOf(id) {
  const figure = figures[id];
  return groupFor(figure) === undefined ? { missing: t("missing.choice", { choice: choiceName(choiceFor(figure)) }) } : figure.make();
}

/** @param {string} id */
async function drawFigure(id) {
  const figure = figures[id];
  const place = byId(`figure-${id}`);
  const open = [...place.querySelectorAll("details")].map((one) => one.open);
  const active = /** @type {HTMLInputElement | null} */ (document.activeElement);
  const focused = active && place.contains(active) ? active.value : null;
  const title = t(`${id}.title`);
  for (const view of views.get(id) ?? []) view.finalize();
  views.delete(id);
  const made = madeOf(id);
  const heading = [el("h3", { id: `title-${id}` }, title), el("p", { class: "scope" }, scopeOf(figure))];
  const controls = figure.controls ? el("div", { class: "controls" }, figure.controls()) : null;
  if (made.missing) {
    place.replaceChildren(el("figcaption", {}, heading), controls ?? "", el("p", { class: "missing" }, explained(made.missing)));
    return;
  }
  const chart = el("div", { class: "chart", role: "img", "aria-label": made.alt });
  place.replaceChildren(
    el("figcaption", {}, heading, made.lead ? el("p", { class: "lead" }, explained(made.lead)) : null),
    ...[controls].filter(Boolean),
    ...[made.legend ? legendOf(made.legend) : null].filter(Boolean),
    chart,
    ...(made.notes ?? []).filter(Boolean).map((note) => el("p", { class: "note" }, explained(note))),
    factsOf(made),
    definitionOf(figure.definitions),
    el("details", { class: "numbers" }, el("summary", {}, t("figure.numbers")), tableOf(made.table, title)),
  );
  place.querySelectorAll("details").forEach((one, at) => (one.open = open[at] ?? false));
  if (focused !== null) /** @type {HTMLElement} */ (place.querySelector(`input[value="${CSS.escape(focused)}"]`))?.focus();
  const width = Math.floor(chart.clientWidth);
  const drawn = [];
  for (const panel of made.panels ?? [/** @type {Panel} */ (made)]) {
    const spot = el("div", {});
    if (panel.title) chart.append(el("p", { class: "panel" }, panel.title));
    chart.append(spot);
    drawn.push(await drawChart(spot, figure.chart, panel, width));
  }
  views.set(id, drawn);
}

/** @param {string[][]} entries */
function legendOf(entries) {
  return el(
    "ul",
    { class: "legend" },
    entries.map(([kind, text]) => el("li", {}, el("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), el("span", {}, explained(text)))),
  );
}
