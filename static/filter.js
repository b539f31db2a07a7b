// Decides which strikes match the view. A strike without a day or place is never dropped for that.
import { shareOf } from "./marks.js";
import { TABLE } from "./style.js";

export const GROUPS = Object.keys(TABLE.group);

/** The group of a row as the filter names it. */
export const groupOf = (row) => (Object.hasOwn(TABLE.group, row.group ?? "") ? row.group : "none");

/** The countries that a row has in a role. */
export function countriesOf(row, role) {
  if (role === "host") return row.host_country ? [row.host_country] : [];
  return (role === "owner" ? row.owner_countries : row.related_countries) ?? [];
}

function ofCountry(row, view) {
  if (!view.country) return true;
  if (!countriesOf(row, view.role).includes(view.country)) return false;
  return view.role !== "owner" || !view.min_share || shareOf(row, view.country)[1] >= view.min_share;
}
const ofKind = (row, view) => !view.kinds.length || view.kinds.includes(groupOf(row));
const ofStatus = (row, view) => !view.status.length || view.status.includes(row.status);

/** Whether the days a row may mean touch the asked range; open ends and unknown days do. */
function inTime(row, view) {
  const early = view.to && row.day_first && row.day_first > view.to;
  const late = view.from && row.day_last && row.day_last < view.from;
  return !early && !late;
}

const TESTS = { country: ofCountry, kind: ofKind, status: ofStatus, time: inTime };

/** Rows that pass every test but those named in `without`. */
export function matching(rows, view, ...without) {
  const tests = Object.entries(TESTS).filter(([name]) => !without.includes(name));
  return rows.filter((row) => tests.every(([, test]) => test(row, view)));
}

/** How many rows each country has in a role, most first. */
export function countryCounts(rows, role) {
  const counts = new Map();
  for (const row of rows) for (const code of countriesOf(row, role)) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

/** Newest first; undated rows last, so that they are seen as such. */
export function newestFirst(rows) {
  return rows.toSorted((a, b) => (b.day_last ?? "").localeCompare(a.day_last ?? "") || a.title.localeCompare(b.title));
}
