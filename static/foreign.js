// Texts of the data that stay in their own language: marked for screen readers, and visibly, where it is not the page's.
import { el } from "./dom.js";
import { LANG, LOCALE, t } from "./text.js";

const TAG = /^[a-z]{2,3}(-|$)/;
const names = new Intl.DisplayNames([LOCALE], { type: "language" });

/** The language of a tag (BCP 47), without country and script. */
const primary = (tag) => tag.split("-")[0];

/** Whether a text in this language needs a mark: one that is not known needs none. */
const differs = (tag) => TAG.test(tag ?? "") && primary(tag) !== LANG;

/** The code of a language, with its name as a title; null where it is the page's. */
export function languageMark(language) {
  if (!differs(language)) return null;
  const title = t("inLanguage", { language: names.of(primary(language)) });
  return el("abbr", { class: "language", title }, primary(language));
}

/** A text, or parts of one, in a language; nothing where there is none. */
export function foreign(text, language) {
  if (!text?.length || !differs(language)) return text;
  return [el("span", { lang: language }, text), "\u00a0", languageMark(language)];
}

/** The language in which the atlas is written: notes, damage and grounds stand in it alone. */
export const WRITTEN = "en";
