// Both languages are in the page. This chooses one: the address's, the setting's, else the browser's.
"use strict";
const root = document.documentElement;
const buttons = [...document.querySelectorAll("button[data-language]")];

/** @param {string} language */
function speak(language) {
  root.lang = language;
  document.title = root.dataset[language === "de" ? "titleDe" : "titleEn"] ?? "";
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.language === language));
}

const asked = /language=(en|de)/.exec(location.hash)?.[1];
speak(asked ?? (root.dataset.fixed || (navigator.language.startsWith("de") ? "de" : "en")));
for (const button of buttons) {
  button.addEventListener("click", () => {
    speak(button.dataset.language ?? "en");
    history.replaceState(null, "", `#language=${root.lang}`);
  });
}
