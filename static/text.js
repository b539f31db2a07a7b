// Gives the page its words: one table a language; what a language lacks is shown in English.
import { en } from "./text.en.js";

// A further language is one more table with the same names, such as `uk` from "./text.uk.js".
const TEXT = { en };

/** The language of the page: the document's, where the table has it. */
const LANG = document.documentElement.lang in TEXT ? document.documentElement.lang : "en";

/** The language as dates and numbers are written: British, for day before month. */
export const LOCALE = LANG === "en" ? "en-GB" : LANG;

/** A text by name with its {gaps} filled; an unknown name is shown as it stands, without its prefix dashes. */
export function t(name, gaps = {}) {
  const text = TEXT[LANG][name] ?? en[name];
  if (text === undefined) return name;
  return text.replace(/\{(\w+)\}/g, (gap, key) => gaps[key] ?? gap);
}

/** A text named by a prefix and a word from data, such as a kind; an unknown word is shown itself. */
export function word(prefix, value) {
  const name = `${prefix}${value}`;
  return name in en ? t(name) : String(value).replaceAll(/[-_]/g, " ");
}

const plural = new Intl.PluralRules(LOCALE);

/** A text that depends on a count: `name_one`, `name_other` and whatever else the language has. */
export function counted(name, n) {
  const form = `${name}_${plural.select(n)}`;
  return t(form in (TEXT[LANG] ?? en) ? form : `${name}_other`, { n });
}
