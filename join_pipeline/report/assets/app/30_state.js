// The reader's choices. The page's address keeps them, so that a link or a bookmark shows the same.

const SCOPES = ["job", "source", "category", "city", "channel"]; // what can be chosen, in the order of the filters

/**
 * @typedef {Record<string, string>} Choice The key that is chosen of each scope. What is not chosen has none.
 */

/** @type {{language: string, chosen: Choice, from: string | null, to: string | null}} */
const state = { language: "en", chosen: {}, from: null, to: null };
/** @type {Record<string, string>} */
const choices = {};

/** @type {string[]} */
const months = [...new Set(cohortsOf(0, "month").map((cohort) => cohort.on))].sort();

/**
 * What a group is of: the keys by scope. The scope of a pair has a `_` between its two, and its key a `/`.
 * @param {Group} group
 * @returns {Choice}
 */
function partsOf({ scope, key }) {
  if (scope === "overall") return {};
  const scopes = scope.split("_");
  const cut = key.indexOf("/");
  const keys = scopes.length === 1 ? [key] : [key.slice(0, cut), key.slice(cut + 1)];
  return Object.fromEntries(scopes.map((one, at) => [one, keys[at]]));
}

/** @param {Choice} choice */
const identity = (choice) => SCOPES.filter((scope) => scope in choice).map((scope) => `${scope}=${choice[scope]}`).join("\n");
/** @type {Map<string, Group>} */
const published = new Map([
  ["", { group: 0, scope: "overall", key: "all" }],
  ...data.groups.map((group) => /** @type {[string, Group]} */ ([identity(partsOf(group)), group])),
]);
const pairs = new Set(data.groups.map((group) => Object.keys(partsOf(group)).sort().join(" ")));

/**
 * The group of a choice, or undefined if the marts do not publish it.
 * @param {Choice} choice
 */
const groupOf = (choice) => published.get(identity(choice));

/**
 * True if the marts tell groups of both scopes apart at once.
 * @param {string} one
 * @param {string} other
 */
const isPair = (one, other) => pairs.has([one, other].sort().join(" "));

/** @param {string} scope */
const groupsOf = (scope) => data.groups.filter((group) => group.scope === scope);

// Cohorts that applied before the first sync are survivors only. They are no headline, but a reader may choose them.
function usualPeriod() {
  const whole = cohortsOf(0, "month").filter((cohort) => !cohort.is_truncated).map((cohort) => cohort.on).sort();
  return whole.length ? [whole[0], last(whole)] : [months[0] ?? null, last(months) ?? null];
}

function usualLanguage() {
  if (about.language) return about.language;
  const tags = (navigator.languages || [navigator.language]).map((tag) => (tag || "").split("-")[0]);
  return tags.find((tag) => tag in texts) ?? "en";
}

function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const [from, to] = usualPeriod();
  const language = asked.get("language") ?? "";
  state.language = language in texts ? language : usualLanguage();
  state.chosen = {};
  for (const scope of SCOPES) {
    const key = asked.get(scope);
    if (key !== null && groupsOf(scope).some((group) => group.key === key)) state.chosen[scope] = key;
  }
  state.from = months.includes(asked.get("from") ?? "") ? asked.get("from") : from;
  state.to = months.includes(asked.get("to") ?? "") ? asked.get("to") : to;
  inOrderOfTime();
}

function inOrderOfTime() {
  if (state.from && state.to && state.from > state.to) [state.from, state.to] = [state.to, state.from];
}

function writeAddress() {
  const said = new URLSearchParams();
  const [from, to] = usualPeriod();
  if (state.language !== usualLanguage()) said.set("language", state.language);
  for (const scope of SCOPES) if (scope in state.chosen) said.set(scope, state.chosen[scope]);
  if (state.from !== from) said.set("from", state.from ?? "");
  if (state.to !== to) said.set("to", state.to ?? "");
  const hash = said.toString();
  try {
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  } catch {
    // a page in the viewer of a mail program has no address to write to
  }
}

/**
 * What a figure can tell apart of the choice.
 * @param {{filters: string[]}} figure
 * @returns {Choice}
 */
const choiceFor = (figure) => Object.fromEntries(Object.entries(state.chosen).filter(([scope]) => figure.filters.includes(scope)));

/**
 * The number of the group that a figure shows, or undefined if the marts do not publish it.
 * @param {{filters: string[]}} figure
 */
const groupFor = (figure) => groupOf(choiceFor(figure))?.group;
const EVERY = { filters: SCOPES };

/** @param {Group} group */
function groupName(group) {
  if (group.key === "unknown") return t(`group.no_${group.scope}`);
  if (group.key === "(other)") return t("group.others");
  if (group.scope === "channel") return known("channel", group.key);
  if (group.scope !== "job") return group.key;
  const title = group.name ?? t("group.nameless");
  const twins = groupsOf("job").filter((one) => one.name === group.name);
  const near = twins.filter((one) => one.city === group.city);
  const place = twins.length > 1 && group.city ? `${title} · ${group.city}` : title;
  return near.length > 1 && group.number ? `${place} · ${t("group.number", { number: group.number })}` : place;
}

/** @param {number} number */
const nameOf = (number) => choiceName(partsOf(data.groups.find((group) => group.group === number)));

/** @param {Choice} choice */
function choiceName(choice) {
  const names = SCOPES.filter((scope) => scope in choice).map((scope) => groupName(groupOf({ [scope]: choice[scope] })));
  return names.length ? names.join(" × ") : t("group.all");
}

function periodName() {
  if (!state.from) return "";
  if (state.from === state.to) return date(state.from, { month: "long", year: "numeric" });
  return t("period", { from: month(state.from), to: month(state.to) });
}

/**
 * A group's cohorts in the chosen period.
 * @param {number | undefined} group
 * @param {string} grain
 */
const chosenCohorts = (group, grain) => {
  const until = state.to ? state.to.slice(0, 8) + "31" : "";
  return cohortsOf(group, grain).filter((one) => one.on >= state.from && one.on <= until);
};
/** @param {{filters: string[]}} figure */
const chosenMonths = (figure) => chosenCohorts(groupFor(figure), "month");
