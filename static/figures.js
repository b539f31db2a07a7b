// Writes shares, distances and counts; reads the short owners text of a list row.
import { LANG, LOCALE, t } from "./text.js";

const exact = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 4 });
const PERCENT = "\u00a0%";

/** A number with the digits it has. */
const number = (value) => exact.format(value);

// The digits of shares are those of layers/ownership/percent.py: two decimals for one site, whole percents for the mean
// of several, and more only where a little would be written as 0 or nearly all as 100.
const MOST_DIGITS = 4;
const isEnd = (percent) => percent === 0 || percent === 100;

function percent(value, sites) {
  let digits = sites > 1 ? 0 : 2;
  if (!isEnd(+value.toFixed(MOST_DIGITS))) while (isEnd(+value.toFixed(digits))) digits += 1;
  return number(+value.toFixed(digits));
}

/** A share of so many sites together, or the range it lies in, in percent. */
export function share(min, max, sites = 1) {
  const [low, high] = [percent(min, sites), percent(max, sites)];
  return low === high ? `${high}${PERCENT}` : `${low}–${high}${PERCENT}`;
}

/** A sum of shares in site equivalents to two decimals, or the range it lies in; a little is never said to be none. */
export function amount(min, max) {
  const said = (n) => (n > 0 && n < 0.01 ? t("under", { share: number(0.01) }) : number(+n.toFixed(2)));
  return said(min) === said(max) ? said(min) : t("amountRange", { min: said(min), max: said(max) });
}

/** Metres as a length a reader can picture; null is said to be unknown. */
export function length(metres) {
  if (metres === null || metres === undefined) return t("unknownLength");
  if (metres < 1000) return t("metres", { n: number(Math.round(metres)) });
  return t("kilometres", { n: number(+(metres / 1000).toFixed(metres < 10000 ? 1 : 0)) });
}

/** How many of so many things are sure, in words. */
export const surePart = (n, sure) => (sure === n ? t("allSure") : t("someSure", { n: number(sure) }));

/** A probability in whole percent. */
export function chance(value) {
  if (value > 0 && value < 0.01) return t("under", { share: `1${PERCENT}` });
  if (value < 1 && value > 0.99) return t("over", { share: `99${PERCENT}` });
  return `${Math.round(value * 100)}${PERCENT}`;
}

/** Fewest and most of a count, such as "5–10"; null where nothing is known. */
export function span(min, max) {
  if (min === null || min === undefined) return max === null || max === undefined ? null : t("upTo", { n: number(max) });
  if (max === null || max === undefined) return t("atLeast", { n: number(min) });
  return min === max ? number(min) : `${number(min)}–${number(max)}`;
}

const names = new Intl.DisplayNames([LANG], { type: "region" });

/** The name of a country by its ISO 3166-1 code; null is nobody's waters or nobody known. */
export function countryName(code) {
  if (!code) return t("unattributed");
  try {
    return names.of(code);
  } catch {
    return code;
  }
}

/** The rows of an owners text such as "RU 47.325, GB 5-6, unattributed 1.75". */
export function ownersOf(text) {
  return (text ?? "").split(", ").filter(Boolean).map((part) => {
    const [, who, low, high] = part.match(/^(\S+)\s+([\d.]+)(?:\s*[-–]\s*([\d.]+))?/) ?? [null, part, "0", "0"];
    return { country: /^[A-Z]{2}$/.test(who) ? who : null, min: +low, max: +(high ?? low) };
  });
}
