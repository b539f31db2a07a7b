// Days yyyy-mm-dd as whole numbers, and which unit of time makes bars that can be told apart. Pure.

const DAY_MS = 864e5;

/** The number of a day since 1970. */
export const numberOf = (day) => Math.round(Date.parse(`${day}T00:00:00Z`) / DAY_MS);

/** The day of a number, yyyy-mm-dd. */
export const dayOf = (number) => new Date(number * DAY_MS).toISOString().slice(0, 10);

/** A number brought between two others. */
export const clamp = (n, low, high) => Math.min(high, Math.max(low, n));

export const UNITS = ["day", "week", "month", "year"];
const LENGTH = { day: 1, week: 7, month: 30.4, year: 365 };
const NARROWEST = 4; // pixels of a bar

/** The finest unit whose bars are wide enough where so many days have so many pixels. */
export function unitFor(days, pixels) {
  return UNITS.find((unit) => (days / LENGTH[unit]) * NARROWEST <= pixels) ?? "year";
}

const EARLY = 0.06; // part of all strikes that may lie before the axis
const LONG = 730; // days that are worth leaving out

/**
 * Where the axis begins: at the first span, or where so few strikes lie before that a long, nearly empty part is left
 * out. `spans` are those of the API, in order.
 */
export function axisStart(spans) {
  const sizes = spans.map(({ sure, possible }) => sure + possible);
  const all = sizes.reduce((sum, n) => sum + n, 0);
  let passed = 0;
  const at = sizes.findIndex((n) => (passed += n) > all * EARLY);
  const early = spans[Math.max(0, at)];
  const long = early && numberOf(early.first) - numberOf(spans[0].first) > LONG;
  return long ? `${early.first.slice(0, 4)}-01-01` : spans[0]?.first;
}

/** A window of the same length moved by so many spans, or back to the start after the end: [first, last] as indexes. */
export function moved([from, to], count, by) {
  const width = to - from;
  const next = from + by;
  return next + width >= count ? [0, width] : [next, next + width];
}
