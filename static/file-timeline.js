// Strikes by spans of time, as the server counts them: those that lie in a span, and those that reach into it.

const DAY = 86_400_000; // milliseconds
const UNITS = ["day", "week", "month", "year"];
const MAX_SPANS = 5000; // more make the unit longer

const numberOf = (day) => Date.parse(day) / DAY;
const dayOf = (number) => new Date(number * DAY).toISOString().slice(0, 10);

/** The first days of the spans between two days, and of the one after, as days since 1970; weeks begin on Monday. */
function begins(low, high, unit) {
  if (unit === "day" || unit === "week") {
    const step = unit === "day" ? 1 : 7;
    const first = unit === "day" ? low : low - ((((low + 3) % 7) + 7) % 7);
    const count = Math.floor((high - first) / step) + 2;
    return Array.from({ length: count }, (_, i) => first + i * step);
  }
  const months = unit === "month" ? 1 : 12;
  const [from, to] = [low, high].map((number) => new Date(number * DAY)).map((day) => day.getUTCFullYear() * 12 + (months === 1 ? day.getUTCMonth() : 0));
  const count = (to - from) / months + 2;
  return Array.from({ length: count }, (_, i) => from + i * months).map((month) => Date.UTC(Math.floor(month / 12), month % 12) / DAY);
}

/** The last beginning that is not after a day. */
function spanOf(starts, day) {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= day) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The spans of dated rows, { row, sure }: { by, spans: [{ first, last, sure, possible }] }. */
export function timeline(rows, unit) {
  if (!rows.length) return { by: unit, spans: [] };
  const days = rows.map(({ row }) => [numberOf(row.day_first), numberOf(row.day_last)]);
  const [low, high] = [Math.min(...days.map(([first]) => first)), Math.max(...days.map(([, last]) => last))];
  let starts;
  for (unit of UNITS.slice(UNITS.indexOf(unit))) if ((starts = begins(low, high, unit)).length <= MAX_SPANS + 1) break;
  const spans = starts.slice(0, -1).map((start, i) => ({ first: dayOf(start), last: dayOf(starts[i + 1] - 1), sure: 0, possible: 0 }));
  rows.forEach(({ sure }, i) => {
    const [from, to] = days[i].map((day) => spanOf(starts, day));
    for (let at = from; at <= to; at += 1) spans[at][sure && from === to ? "sure" : "possible"] += 1;
  });
  return { by: unit, spans };
}
