// First and last day that an EDTF value may mean, as numbers of days since 1970. Pure.
import { numberOf } from "./days.js";

const lastOf = (year, month) => new Date(Date.UTC(year, month, 0)).getUTCDate();
const two = (n) => String(n).padStart(2, "0");

function ofOne(text) {
  const [, year, month, day] = text.match(/^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?[~?%]?$/) ?? [];
  if (!year || Number(month) > 12) return null; // a season, or no date
  const end = month ?? "12";
  return [numberOf(`${year}-${month ?? "01"}-${day ?? "01"}`), numberOf(`${year}-${end}-${day ?? two(lastOf(+year, +end))}`)];
}

/** [first, last] of a value, or of a range with two ends; null where it states none that can be drawn. */
export function daysOf(text) {
  const ends = (text ?? "").split("/").map(ofOne);
  return ends.includes(null) ? null : [ends[0][0], ends.at(-1)[1]];
}
