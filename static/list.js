// Draws the list of strikes, newest first, as buttons; it works without the map.
import { byId, el, joined, spoken } from "./dom.js";
import { plainDay, precision, whenWords } from "./edtf.js";
import { countryName, ownersOf, share } from "./figures.js";
import { newestFirst } from "./filter.js";
import { KEYS, rowMark } from "./symbols.js";
import { counted, strikeTitle, t, word } from "./text.js";

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

function notes(row) {
  const said = [];
  if (!row.geometry) said.push(t("noPlace"));
  if (row.rests_on === "alternatives") said.push(t("alternatives"));
  if (row.rests_on === "decision" && row.assets.length > 1) said.push(t("together", { n: row.assets.length }));
  if (row.status === "reported" || row.status === "retracted") said.push(word("status", row.status).toLowerCase());
  return said.map((text) => el("span", { class: "tag" }, text));
}

function item(row, view, onSelect) {
  const plain = plainDay(row.when, row.when_note);
  const exactness = plain ? null : el("span", { class: "quiet" }, t(precision(row.when)));
  const host = row.host_country ? countryName(row.host_country) : t("highSeas");
  const current = row.id === view.strike ? "true" : null;
  return el("li", {},
    el("button", { type: "button", class: "row", "data-id": row.id, "aria-current": current, onclick: () => onSelect(row.id) },
      rowMark(row, view),
      el("span", { class: "row-when" }, ...joined([whenWords(row.when, row.when_note), exactness])),
      el("span", { class: "row-title" }, strikeTitle(row)),
      el("span", { class: "row-place" }, ...joined([row.place, host])),
      ownersLine(row, view.role === "owner" ? view.country : null),
      ...notes(row)));
}

function countLines(shown, all) {
  const count = counted("count", shown.length);
  const unplaced = shown.filter((row) => !row.geometry).length;
  const undated = shown.filter((row) => !row.day_first && !row.day_last).length;
  return [
    el("strong", {}, shown.length === all ? count : t("countOf", { count, all })),
    ...joined([unplaced && counted("unplaced", unplaced), undated && counted("undated", undated)].filter(Boolean), "; ")
      .map((text) => el("span", { class: "quiet" }, text)),
  ];
}

// Arrow keys walk the list; Tab leaves it as it would any list of buttons.
function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...event.currentTarget.querySelectorAll("button")];
  const next = rows[rows.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** Prepare the list; returns a function that draws `rows` of `all` for a view. */
export function createList(onSelect) {
  const list = byId("list");
  list.setAttribute("aria-label", t("listLabel"));
  list.addEventListener("keydown", walk);
  return (rows, all, view) => {
    const held = list.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    byId("count").replaceChildren(...countLines(rows, all));
    list.replaceChildren(...newestFirst(rows).map((row) => item(row, view, onSelect)));
    if (!rows.length) list.append(el("li", { class: "empty" }, t("none")));
    if (held) focusRow(held);
  };
}

/** Put the keyboard on a strike's row, or on the list where it is not shown. */
export function focusRow(id) {
  const row = byId("list").querySelector(`[data-id="${CSS.escape(id ?? "")}"]`);
  const list = byId("list");
  // In a closed sheet nothing of the list can take the keyboard; its button can.
  (list.offsetParent ? (row ?? list) : byId("grip")).focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

/** Mark the selected row without drawing the list anew. */
export function markRow(id) {
  for (const row of byId("list").querySelectorAll("button[aria-current]")) row.removeAttribute("aria-current");
  const row = byId("list").querySelector(`[data-id="${CSS.escape(id ?? "")}"]`);
  row?.setAttribute("aria-current", "true");
  row?.scrollIntoView({ block: "nearest" });
}
