// What the publisher withholds of a record, or makes coarser: of that nobody says that it is not known.
import { length } from "./figures.js";
import { known, t, word } from "./text.js";

/** Whether any of some columns of a record is withheld, whether or not the record states it; a coarser place is not. */
export const leftOut = ({ withheld, basis }, ...names) => names.some((name) => withheld?.includes(name) && !(name === "geometry" && basis));

/** How exactly the place of a record is given, by a text that says so; that it is withheld, or not known, where none is. */
export function placeWords(record, name = "within") {
  if (!record.basis) return t(leftOut(record, "geometry") ? "placeWithheld" : "noPlace");
  const basis = record.withheld?.includes("geometry") ? t("roundedBy") : word("basis", record.basis);
  return t(name, { basis, radius: length(record.uncertainty_m) });
}

/** The columns of a record that are withheld or made coarser, in words. */
export function withheldWords({ withheld }) {
  const names = (withheld ?? []).map((name) => name.replace(/_(min|max)$/, ""));
  return [...new Set(names)].map((name) => known("field", name) ?? name).join(", ");
}
