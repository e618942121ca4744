// Making elements. Text from the source only ever becomes a text node.

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * @param {string} tag
 * @param {Record<string, any>} attributes
 * @param {...any} children
 */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * A list of choices as radio buttons, in a group with a name for screen readers.
 * @param {string} name
 * @param {string} label
 * @param {string[][]} options
 * @param {string} chosen
 * @param {(value: string) => void} onchoice
 */
function radios(name, label, options, chosen, onchoice) {
  return el(
    "fieldset",
    { class: "choice" },
    el("legend", {}, label),
    options.map(([value, text]) =>
      el(
        "label",
        {},
        el("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchoice(value) }),
        el("span", {}, text),
      ),
    ),
  );
}

/**
 * Numbers in a table: the first column names the row.
 * @param {{head: string[], rows: string[][]}} table
 * @param {string} caption
 */
function tableOf({ head, rows }, caption) {
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", { class: "unseen" }, caption),
      el("thead", {}, el("tr", {}, head.map((text) => el("th", { scope: "col" }, text)))),
      el(
        "tbody",
        {},
        rows.map((row) =>
          el("tr", {}, row.map((cell, at) => (at === 0 ? el("th", { scope: "row" }, cell) : el("td", {}, cell)))),
        ),
      ),
    ),
  );
}

// The words that the page explains. Each has a pattern of its forms, and what it means.
const TERMS = ["withdrawn", "mature", "interview_stage", "at_least", "at_most", "median", "little_chance", "interval", "watched", "closed"];
let described = 0;

/**
 * A text whose first use of each term explains itself when a reader points at it, or comes to it with the keyboard.
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
function explained(text) {
  /** @type {(string | HTMLElement)[]} */
  let pieces = [text];
  for (const term of TERMS) {
    const at = pieces.findIndex((piece) => typeof piece === "string" && new RegExp(t(`term.${term}.forms`), "iu").test(piece));
    if (at < 0) continue;
    const piece = /** @type {string} */ (pieces[at]);
    const found = /** @type {RegExpExecArray} */ (new RegExp(t(`term.${term}.forms`), "iu").exec(piece));
    const id = `term-${(described += 1)}`;
    const word = el("span", { class: "term", tabindex: "0", "aria-describedby": id }, found[0], el("span", { class: "tip", role: "tooltip", id }, t(`term.${term}.means`)));
    pieces = [...pieces.slice(0, at), piece.slice(0, found.index), word, piece.slice(found.index + found[0].length), ...pieces.slice(at + 1)];
  }
  return pieces;
}
