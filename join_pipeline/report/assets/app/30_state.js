// The reader's choices. The page's address keeps them, so that a link or a bookmark shows the same.

const state = { language: null, group: 0, from: null, to: null };
const choices = {};

const months = [...new Set(cohortsOf(0, "month").map((cohort) => cohort.on))].sort();

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
  state.language = asked.get("language") in texts ? asked.get("language") : usualLanguage();
  const group = data.groups.find((one) => one.scope === asked.get("scope") && one.key === asked.get("key"));
  state.group = group?.group ?? 0;
  state.from = months.includes(asked.get("from")) ? asked.get("from") : from;
  state.to = months.includes(asked.get("to")) ? asked.get("to") : to;
  if (state.from > state.to) [state.from, state.to] = [state.to, state.from];
}

function writeAddress() {
  const said = new URLSearchParams();
  const [from, to] = usualPeriod();
  if (state.language !== usualLanguage()) said.set("language", state.language);
  const group = groupOf(state.group);
  if (group && group.scope !== "overall") {
    said.set("scope", group.scope);
    said.set("key", group.key);
  }
  if (state.from !== from) said.set("from", state.from);
  if (state.to !== to) said.set("to", state.to);
  const hash = said.toString();
  try {
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  } catch {
    // a page in the viewer of a mail program has no address to write to
  }
}

const chosenGroup = () => groupOf(state.group) ?? { scope: "overall", key: "all" };
const isOverall = () => chosenGroup().scope === "overall";

// The group that a figure shows: the chosen one, or all if the figure does not have such groups.
const tellsApart = (figure) => isOverall() || figure.filters.includes(chosenGroup().scope);
const groupFor = (figure) => (tellsApart(figure) ? state.group : 0);

function groupName(group) {
  if (group.scope === "overall") return t("group.all");
  if (group.key === "unknown") return t(`group.no_${group.scope}`);
  if (group.scope === "source") return group.key;
  const title = group.name ?? t("group.nameless");
  const twins = data.groups.filter((one) => one.scope === "job" && one.name === group.name);
  const near = twins.filter((one) => one.city === group.city);
  const place = twins.length > 1 && group.city ? `${title} · ${group.city}` : title;
  return near.length > 1 && group.number ? `${place} · ${group.number}` : place;
}

function periodName() {
  if (!state.from) return "";
  if (state.from === state.to) return date(state.from, { month: "long", year: "numeric" });
  return t("period", { from: month(state.from), to: month(state.to) });
}

const chosenMonths = () => cohortsOf(state.group, "month").filter((one) => one.on >= state.from && one.on <= state.to);
