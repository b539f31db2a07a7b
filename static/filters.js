// The folded filters for kind and status; their boxes carry the map's symbols, so they are its key too.
import { byId, el } from "./dom.js";
import { GROUPS, groupOf } from "./filter.js";
import { TABLE, symbol } from "./style.js";
import { t, word } from "./text.js";

function toggled(list, value, choices) {
  const now = new Set(list.length ? list : choices);
  now.has(value) ? now.delete(value) : now.add(value);
  return now.size === choices.length || !now.size ? [] : choices.filter((choice) => now.has(choice));
}

function box(name, value, mark, label, choices, view, set) {
  const input = el("input", { type: "checkbox", value, "data-filter": name });
  input.checked = !view[name].length || view[name].includes(value);
  input.addEventListener("change", () => set({ [name]: toggled(view[name], value, choices) }));
  return el("label", { class: "box" }, input, mark, el("span", {}, label));
}

function kinds(present, view, set) {
  return el("fieldset", {}, el("legend", {}, t("kindLegend")), present.map((group) =>
    box("kinds", group, symbol({ group, host_country: null, status: "verified" }), word("group", group), present, view, set)));
}

function statuses(present, view, set) {
  return el("fieldset", {}, el("legend", {}, t("statusLegend")), present.map((status) =>
    box("status", status, symbol({ group: "oil", host_country: null, status }), word("status", status), present, view, set)));
}

const CLEAR = { kinds: [], status: [], from: null, to: null, country: null, role: "owner", min_share: 0 };

/** Prepare the filters; returns a function that draws them for all rows. */
export function createFilters(set) {
  const fold = byId("filters");
  const title = fold.querySelector("summary");
  const body = fold.querySelector(".filter-body");
  return (rows, view) => {
    const held = fold.contains(document.activeElement) ? document.activeElement.value : null;
    const groups = GROUPS.filter((group) => rows.some((row) => groupOf(row) === group));
    const states = Object.keys(TABLE.status).filter((status) => rows.some((row) => row.status === status));
    const n = (view.kinds.length ? 1 : 0) + (view.status.length ? 1 : 0) + (view.from || view.to ? 1 : 0);
    title.textContent = n ? t("filtersSet", { n }) : t("filters");
    const clear = el("button", { type: "button", class: "plain", onclick: () => set(CLEAR) }, t("reset"));
    body.replaceChildren(kinds(groups, view, set), statuses(states, view, set), clear);
    if (held) [...body.querySelectorAll("input")].find((input) => input.value === held)?.focus();
  };
}
