// Puts EDTF values (ISO 8601-2, level 1) into words that say no more than the value does.
import { LOCALE, t } from "./text.js";

const QUALIFIER = { "~": "about", "?": "perhaps", "%": "perhapsAbout" };

const formats = new Map(); // a format takes as long to make as a row of the list

function formatOf(options) {
  const name = Object.entries(options).join();
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat(LOCALE, { timeZone: "UTC", ...options }));
  return formats.get(name);
}

function formatted(year, month, day, options) {
  const date = new Date(Date.UTC(2000, (month || 1) - 1, day || 1));
  date.setUTCFullYear(year);
  return plainYear(formatOf(options).format(date));
}

/** Ukrainian dates as they are read in a sentence, whose end an abbreviated "year" would hide. */
const plainYear = (text) => text.replace(/(\d)\sр\.$/, "$1 року");

/** A decade by its name, more years by the first and the last. */
function wordsOfYears(year) {
  if (year === "XXXX") return t("unknownDate");
  if (/^\d{3}X$/.test(year)) return t("yearsLike", { year: year.replace("X", "0") });
  return t("fromTo", { from: year.replaceAll("X", "0"), to: year.replaceAll("X", "9") });
}

function wordsOfDate(text) {
  const [year, month, day] = text.split("T")[0].split("-");
  if (/X/.test(year)) return wordsOfYears(year);
  if (!month || month === "XX") return year;
  if (Number(month) > 20) return `${t(`season${month}`)} ${year}`;
  if (!day || day === "XX") return formatted(+year, +month, 1, { month: "long", year: "numeric" });
  return formatted(+year, +month, +day, { day: "numeric", month: "long", year: "numeric" });
}

function single(text) {
  const sign = text.at(-1);
  const word = QUALIFIER[sign];
  return word ? t(word, { date: wordsOfDate(text.slice(0, -1)) }) : wordsOfDate(text);
}

// Level 1 of EDTF, loosely: what a source says in words of its own is left as it is.
const EDTF = /^(\.\.|-?[\dX]{4}[-\dX~?%T:Z+.]*)?(\/(\.\.|-?[\dX]{4}[-\dX~?%T:Z+.]*)?)?$/;

const isDay = (text) => /^\d{4}-\d{2}-\d{2}$/.test(text);

function wordsOfRange(from, to) {
  if (!isDay(from) || !isDay(to)) return t("fromTo", { from: single(from), to: single(to) });
  const format = formatOf({ day: "numeric", month: "long", year: "numeric" });
  const dash = from.slice(0, 7) === to.slice(0, 7) ? "–" : " – ";
  return plainYear(format.formatRange(new Date(from), new Date(to))).replace(/\s*–\s*/, dash);
}

function oneNight(from, to, note) {
  return isDay(from) && isDay(to ?? "") && new Date(to) - new Date(from) === 864e5 && /night/i.test(note ?? "");
}

/** An EDTF value in words, such as "June 2025" or "night of 5–6 August 2025". Null reads as unknown. */
export function whenWords(text, note) {
  if (!text) return t("unknownDate");
  if (!EDTF.test(text)) return text;
  if (!text.includes("/")) return single(text);
  const [from, to] = text.split("/");
  if (!from || from === "..") return t("until", { date: single(to) });
  if (!to || to === "..") return t("since", { date: single(from) });
  const words = wordsOfRange(from, to);
  return oneNight(from, to, note) ? t("nightOf", { date: words }) : words;
}

/**
 * Some of the days that a strike may have been on, in words. An end of what its date may mean is said as
 * a day only where the date states one: of "about March 2022" the days up to 14 March are "14 March 2022 or earlier".
 */
export function spanWords(first, last, { when, day_first: earliest, day_last: latest }) {
  const ends = when.split("/");
  const from = isDay(ends[0]) || first !== earliest ? first : null;
  const to = isDay(ends.at(-1)) || last !== latest ? last : null;
  if (!from && !to) return whenWords(when);
  return whenWords(from === to ? from : `${from ?? ".."}/${to ?? ".."}`);
}

/** Whether the value is said exactly enough by its words: a day, or the night between two. */
export function plainDay(text, note) {
  return precision(text) === "precisionDay" || oneNight(...(text ?? "").split("/"), note);
}

/** How exact the value is: the name of a text. */
export function precision(text) {
  if (!text || text.startsWith("XXXX")) return "precisionNone";
  if (text.includes("/")) return "precisionRange";
  const parts = text.replace(/[~?%]$/, "").split("T")[0].split("-");
  if (parts[0].includes("X")) return "precisionDecade";
  if (parts.length === 1 || parts[1] === "XX") return "precisionYear";
  if (Number(parts[1]) > 20) return "precisionSeason";
  return parts.length === 2 || parts[2] === "XX" ? "precisionMonth" : "precisionDay";
}

/** One day, yyyy-mm-dd, in words. */
export function dayWords(day) {
  return single(day);
}

/** The days from one to another, both included: "14 March to 9 September 2025"; null is an open end. */
export function spanOfDays(from, to) {
  if (!from) return t("untilDay", { date: dayWords(to) });
  if (!to) return t("sinceDay", { date: dayWords(from) });
  if (from === to) return dayWords(from);
  const [a, b] = [from, to].map((day) => day.split("-").map(Number));
  const begin = a[0] === b[0] ? formatted(...a, { day: "numeric", month: "long" }) : dayWords(from);
  return t("daysTo", { from: begin, to: dayWords(to) });
}
