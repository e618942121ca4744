// A figure: a sentence that sums it up, the chart, its legend, n and as-of, its definition, and a table of its numbers.

const figures = {};
const views = new Map();

const PAPER = 800; // pixels: somewhat wider than between the margins of A4, so that two figures share a page
const NARROW = 520;

// Replaces each `$key` in the chart's specification by its text. The figure itself gives the text of `$axis.own`.
function spoken(node, own) {
  if (typeof node === "string") return node === "$axis.own" ? t(own) : node.startsWith("$") ? t(node.slice(1)) : node;
  if (Array.isArray(node)) return node.map((one) => spoken(one, own));
  if (node && typeof node === "object") {
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, spoken(value, own)]));
  }
  return node;
}

async function drawChart(place, name, { datasets, params = {}, axis = "axis.applications" }, width) {
  const spec = spoken(charts[name], axis);
  spec.width = width;
  if (width < NARROW && spec.height?.step && datasets.heads) {
    spec.height = { step: spec.height.step + 16 };
    params = { ...params, narrow: true };
  }
  spec.datasets = { ...Object.fromEntries(namesOfData(spec).map((one) => [one, []])), ...datasets };
  spec.params = (spec.params ?? []).map((param) => (param.name in params ? { ...param, value: params[param.name] } : param));
  const drawn = await vegaEmbed(place, spec, {
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

function namesOfData(node) {
  if (Array.isArray(node)) return node.flatMap(namesOfData);
  if (!node || typeof node !== "object") return [];
  const own = node.data?.name ? [node.data.name] : [];
  return [...own, ...Object.values(node).flatMap(namesOfData)];
}

function definitionOf(ids) {
  const items = ids.flatMap((id) => {
    const metric = data.definitions.find((one) => one.id === id);
    if (!metric) return [];
    const own = has(`definition.${id}.name`);
    const said = (part) => (own ? t(`definition.${id}.${part}`) : metric[part]);
    const lines = ["formula", "inclusion", "censoring", "caveat"].map((part) =>
      el("p", {}, el("b", {}, t(`definition.${part}`)), " ", said(part)),
    );
    return [el("div", { lang: own ? null : "en" }, el("h4", {}, said("name")), lines)];
  });
  if (!items.length) return "";
  return el("details", { class: "definition" }, el("summary", {}, t("figure.definition")), items);
}

function factsOf(made) {
  const items = [];
  if (made.n !== undefined) items.push([t(made.of ?? "figure.n"), number(made.n)]);
  items.push([t("figure.as_of"), instant(about.as_of)]);
  if (made.unknown !== undefined) items.push([t("figure.unknown"), percent(made.unknown)]);
  return el("dl", { class: "facts" }, items.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function scopeOf(figure) {
  const kept = [tellsApart(figure) ? groupName(chosenGroup()) : t("scope.all_groups")];
  if (figure.filters.includes("period")) kept.push(periodName());
  else if (figure.everyPeriod) kept.push(t(figure.everyPeriod));
  return kept.filter(Boolean).join(" · ");
}

async function drawFigure(id) {
  const figure = figures[id];
  const place = document.getElementById(`figure-${id}`);
  const open = [...place.querySelectorAll("details")].map((one) => one.open);
  const focused = place.contains(document.activeElement) ? document.activeElement.value : null;
  const title = t(`${id}.title`);
  for (const view of views.get(id) ?? []) view.finalize();
  views.delete(id);
  const made = figure.make();
  const heading = [el("h3", { id: `title-${id}` }, title), el("p", { class: "scope" }, scopeOf(figure))];
  const controls = figure.controls ? el("div", { class: "controls" }, figure.controls()) : null;
  if (made.missing) {
    place.replaceChildren(el("figcaption", {}, heading), controls ?? "", el("p", { class: "missing" }, made.missing));
    return;
  }
  const chart = el("div", { class: "chart", role: "img", "aria-label": made.alt });
  place.replaceChildren(
    el("figcaption", {}, heading, made.lead ? el("p", { class: "lead" }, made.lead) : null),
    ...[controls].filter(Boolean),
    ...[made.legend ? legendOf(made.legend) : null].filter(Boolean),
    chart,
    ...(made.notes ?? []).filter(Boolean).map((note) => el("p", { class: "note" }, note)),
    factsOf(made),
    definitionOf(figure.definitions),
    el("details", { class: "numbers" }, el("summary", {}, t("figure.numbers")), tableOf(made.table, title)),
  );
  place.querySelectorAll("details").forEach((one, at) => (one.open = open[at] ?? false));
  if (focused !== null) place.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
  const width = Math.floor(chart.clientWidth);
  const drawn = [];
  for (const panel of made.panels ?? [made]) {
    const spot = el("div", {});
    if (panel.title) chart.append(el("p", { class: "panel" }, panel.title));
    chart.append(spot);
    drawn.push(await drawChart(spot, figure.chart, panel, width));
  }
  views.set(id, drawn);
}

function legendOf(entries) {
  return el(
    "ul",
    { class: "legend" },
    entries.map(([kind, text]) => el("li", {}, el("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), text)),
  );
}
