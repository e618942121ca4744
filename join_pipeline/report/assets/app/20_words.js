// Words, numbers and dates in the reader's language.

/** @type {Record<string, {locale: string, texts: Record<string, string>, format: any, time_format: any}>} */
const texts = json("report-texts");
const words = { language: "en", locale: "en-GB", plural: new Intl.PluralRules("en") };

/**
 * The reader's own variety of the language (de-CH, en-US) if the browser names one.
 * @param {string} language
 */
function speak(language) {
  const own = (navigator.languages || [navigator.language]).find((tag) => tag && tag.split("-")[0] === language);
  words.language = language;
  words.locale = own && own.includes("-") ? own : texts[language].locale;
  words.plural = new Intl.PluralRules(words.locale);
}

/** @param {string} key */
const has = (key) => key in texts[words.language].texts;

/**
 * A text with each `{name}` filled in. A key with forms for one and for many gives the form that fits `n`.
 * @param {string} key
 * @param {Row} values
 * @returns {string}
 */
function t(key, values = {}) {
  const forms = texts[words.language].texts;
  const form = typeof values.n === "number" ? words.plural.select(values.n) : "other";
  const text = forms[`${key}.${form}`] ?? forms[`${key}.other`] ?? forms[key];
  if (text === undefined) throw new Error(`no text for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : 1) : String(value);
  });
}

const NONE = "–";

/**
 * @param {number | null | undefined} value
 * @param {number} digits
 */
function number(value, digits = 0) {
  if (value === null || value === undefined) return NONE;
  return new Intl.NumberFormat(words.locale, { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
}

/**
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
function percent(value, digits) {
  if (value === null || value === undefined) return NONE;
  const shown = digits ?? (value > 0 && value < 0.1 ? 1 : 0);
  return new Intl.NumberFormat(words.locale, {
    style: "percent",
    maximumFractionDigits: shown,
    minimumFractionDigits: shown,
  }).format(value);
}

/**
 * Two shares as a range, or as one if both are written alike.
 * @param {number | null | undefined} low
 * @param {number | null | undefined} high
 */
function percents(low, high) {
  if (low === null || high === null || low === undefined || high === undefined) return NONE;
  const digits = high < 0.1 ? 1 : 0;
  const [from, to] = [percent(low, digits), percent(high, digits)];
  return from === to ? to : t("range", { low: from.replace(/\s*%/, ""), high: to });
}

// Days as text, whole ones from ten on.
const dayCount = (/** @type {number} */ value) => number(value, value !== null && value < 10 && !Number.isInteger(value) ? 1 : 0);
const inDays = (/** @type {number | null | undefined} */ value) => (value === null || value === undefined ? NONE : t("days", { n: Number(value.toFixed(value < 10 ? 1 : 0)) }));

/**
 * @param {number | null} low
 * @param {number | null} high
 */
function daysBetween(low, high) {
  if (low === null || high === null) return inDays(high);
  return dayCount(low) === dayCount(high) ? inDays(high) : t("days.range", { low: dayCount(low), high: dayCount(high) });
}

/**
 * @param {string} iso
 * @param {Intl.DateTimeFormatOptions} style
 */
function date(iso, style = { day: "numeric", month: "long", year: "numeric" }) {
  const isDay = iso.length === 10;
  return new Intl.DateTimeFormat(words.locale, { ...style, timeZone: isDay ? "UTC" : about.time_zone }).format(new Date(iso));
}

const month = (/** @type {string} */ iso) => date(iso, { month: "short", year: "numeric" });
const instant = (/** @type {string | null} */ iso) =>
  iso ? date(iso, { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" }) : NONE;

/**
 * @param {string[]} items
 * @param {Intl.ListFormatType} type
 */
function listed(items, type = "conjunction") {
  return new Intl.ListFormat(words.locale, { type }).format(items);
}

const milestoneName = (/** @type {string} */ milestone) => t(`milestone.${milestone}`);
const known = (/** @type {string} */ prefix, /** @type {string} */ word) => (has(`${prefix}.${word}`) ? t(`${prefix}.${word}`) : word);

/**
 * A definition without the words of the tables: `VANISHED` reads as withdrawn.
 * @param {string} text
 */
const plain = (text) => text.replace(/\b([A-Z]{4,}|vanished|lo|hi)\b/g, (word) => (has(`word.${word}`) ? t(`word.${word}`) : word));

/**
 * A share as so many of a hundred.
 * @param {number} value
 */
const ofHundred = (value) => number(value * 100, value > 0 && value < 0.095 ? 1 : 0);
