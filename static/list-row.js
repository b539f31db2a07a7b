// A strike as an entry of the list: when, what, where, and whose by which share.
import { leftOut } from "./disclosure.js";
import { el, joined, spoken } from "./dom.js";
import { plainDay, precision, whenWords } from "./edtf.js";
import { countryName, ownersOf, share } from "./figures.js";
import { mayFall } from "./selection.js";
import { KEYS, rowMark } from "./symbols.js";
import { inLanguage, small, strikeTitle, t, word } from "./text.js";

/** One thin bar: what is certain of each owner is solid, what is not known or not settled is hatched. */
function shareBar(owners, chosen) {
  const certain = owners.filter((row) => row.country && row.min > 0);
  const whole = Math.max(100, certain.reduce((sum, row) => sum + row.min, 0));
  const piece = (kind, width) => {
    const part = el("span", { class: kind });
    part.style.width = `${(width / whole) * 100}%`;
    return part;
  };
  const solid = certain.map((row) => piece(`owner-${KEYS.owner(row.country)}${row.country === chosen ? " chosen" : ""}`, row.min));
  return el("span", { class: "share-bar", "aria-hidden": "true" }, solid);
}

function ownersLine(row, chosen) {
  const owners = ownersOf(row.owners);
  if (!owners.length) return el("span", { class: "row-owners quiet" }, t("noOwner"));
  const texts = owners.map((owner) => {
    const text = `${countryName(owner.country)} ${share(owner.min, owner.max)}`;
    return owner.country && owner.country === chosen ? el("b", {}, text) : text;
  });
  return [
    shareBar(owners, chosen),
    el("span", { class: "row-owners" }, spoken(`${t("ownersLabel")} `), ...joined(texts, ", ")),
  ];
}

function notes(row, view) {
  const said = [];
  if (mayFall(row, view)) said.push(t("mayFallTag"));
  if (!row.geometry) said.push(t(leftOut(row, "geometry") ? "placeWithheld" : "noPlace"));
  if (row.rests_on === "alternatives") said.push(t("alternatives"));
  if (row.rests_on === "decision" && row.assets.length > 1) said.push(t("together", { n: row.assets.length }));
  if (row.status === "reported" || row.status === "retracted") said.push(small(word("status", row.status)));
  return said.map((text) => el("span", { class: text === t("mayFallTag") ? "tag may" : "tag" }, text));
}

/** The entry of a row in the list, a button; `at` is its place in the order and the number of all rows, { index, total }. */
export function rowEntry(row, view, onSelect, at) {
  const exactness = plainDay(row.when, row.when_note) ? null : el("span", { class: "quiet" }, t(precision(row.when)));
  const host = row.host_country ? countryName(row.host_country) : t(row.host_basis === "sea" ? "hostsea" : leftOut(row, "geometry") ? "hostwithheld" : "hostunknown");
  return el("li", { "aria-posinset": at.index + 1, "aria-setsize": at.total },
    el("button", { type: "button", class: "row", "data-id": row.id, "aria-current": row.id === view.strike ? "true" : null, onclick: () => onSelect(row.id) },
      rowMark(row, view),
      el("span", { class: "row-when" }, ...joined([whenWords(row.when, row.when_note), exactness])),
      el("span", { class: "row-title" }, strikeTitle(row)),
      el("span", { class: "row-place" }, ...joined([inLanguage(row, "place"), host])),
      ownersLine(row, view.role === "owner" ? view.country : null),
      ...notes(row, view)));
}
