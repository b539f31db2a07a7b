// Gives the page its words: one file a language, text.LANGUAGE.json, which has them all.
import { LANG, LOCALE } from "./language.js";

export { LANG, LOCALE };

const TEXT = await fetch(new URL(`text.${LANG}.json`, import.meta.url)).then((answer) => answer.json());

/** A text by name with its {gaps} filled; an unknown name is shown as it stands, without its prefix dashes. */
export function t(name, gaps = {}) {
  return TEXT[name]?.replace(/\{(\w+)\}/g, (gap, key) => gaps[key] ?? gap) ?? name;
}

/** A text named by a prefix and a word from data, such as a kind; an unknown word is shown itself. */
export function word(prefix, value) {
  const name = `${prefix}${value}`;
  return Object.hasOwn(TEXT, name) ? t(name) : String(value).replaceAll(/[-_]/g, " ");
}

/** A text named by a prefix and a word from data; null where there is none, and the word itself is all there is to say. */
export function known(prefix, value) {
  return Object.hasOwn(TEXT, `${prefix}${value}`) ? t(`${prefix}${value}`) : null;
}

/** What is made, moved or stored, in words: data has one name or several with commas between them. */
export const commodityWords = (names) => names.split(", ").map((name) => known("commodity", name) ?? name).join(", ");

/** A name within a sentence: small, but in German, whose nouns are not. */
export const small = (name) => (LANG === "de" ? name : name.toLocaleLowerCase(LOCALE));

/** What a record says in the language of the page, or else as it is stored: columns `name_uk`, or texts by language. */
export function inLanguage(row, name) {
  return row[`${name}_${LANG}`] ?? row[`${name}s`]?.[LANG] ?? row[name];
}

/** The title of a strike as it is shown anywhere: a draft is named as one. */
export function strikeTitle(row) {
  const title = inLanguage(row, "title");
  return row.status === "draft" ? t("draftTitle", { title }) : title;
}

/** How one thing was checked, which is named by a text: of a share, a tie or a value, never of the event as a whole. */
export function checkedWords(what, how) {
  return t("checkedOf", { what: t(what), how: word("checked", how) });
}

/** How many sources a strike has, and how many of them are independent sources. */
export function sourcesWords({ n_sources: sources, n_voices: voices }) {
  const said = counted("sourceCount", sources);
  if (sources === voices && voices < 2) return said;
  return t(voices === sources ? "voicesAll" : voices ? "voicesSome" : "voicesNone", { sources: said, n: voices });
}

const plural = new Intl.PluralRules(LOCALE);

/** A text that depends on a count: `name_one`, `name_other` and whatever else the language has. */
export function counted(name, n) {
  const form = `${name}_${plural.select(n)}`;
  return t(Object.hasOwn(TEXT, form) ? form : `${name}_other`, { n: number(n) });
}

const whole = new Intl.NumberFormat(LOCALE);

/** A count with its thousands told apart. */
export function number(n) {
  return whole.format(n);
}

const compact = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumSignificantDigits: 3 });
const SHORT_FROM = 10_000;

/** A count as a badge has room for it: of many thousands the first digits alone. */
export function short(n) {
  return n < SHORT_FROM ? number(n) : compact.format(n);
}

const list = new Intl.ListFormat(LOCALE, { type: "conjunction" });

/** Texts as one list: "a, b and c". */
export function listed(texts) {
  return list.format(texts);
}
