// The folded filters. What was hit and how well it is established carry the map's symbols, so that they are its key too.
import { byId, el } from "./dom.js";
import { length } from "./figures.js";
import { CERTAINTIES, PRECISIONS, RESTS, WEAPONS, narrowing } from "./selection.js";
import { CLEAR } from "./sentence.js";
import { TABLE, symbol } from "./style.js";
import { commodityWords, number, t, word } from "./text.js";

const GROUPS = Object.keys(TABLE.group);
const STATUSES = Object.keys(TABLE.status);

/** The choice that the boxes beside one make, as the reader sees them; the usual one, or none at all, is no choice. */
function chosen(box, usual) {
  const values = [...box.closest("fieldset").querySelectorAll("input:checked")].map(({ value }) => value);
  const same = values.length === usual.length && usual.every((each) => values.includes(each));
  return same ? [] : values;
}

function box(name, { value, n }, mark, usual, view, set) {
  const input = el("input", { type: "checkbox", value, "data-filter": name });
  input.checked = (view[name].length ? view[name] : usual).includes(value);
  input.addEventListener("change", () => set({ [name]: chosen(input, usual) }));
  const label = el("span", {}, word(name === "kinds" ? "group" : "status", value));
  return el("label", { class: "box" }, input, mark, label, el("span", { class: "quiet n" }, number(n)));
}

const sized = (groups, none) => new Map(groups.map(({ value, strikes }) => [value ?? none, strikes]));

function kinds(groups, view, set) {
  const sizes = sized(groups, "none");
  const present = GROUPS.filter((group) => sizes.has(group) || view.kinds.includes(group));
  const mark = (group) => symbol({ group, host_country: null, status: "verified" });
  return el("fieldset", {}, el("legend", {}, t("kindLegend")), present.map((group) =>
    box("kinds", { value: group, n: sizes.get(group) ?? 0 }, mark(group), present, view, set)));
}

// A retracted strike is shown only to those who ask for it.
function statuses(groups, view, set) {
  const sizes = sized(groups);
  const present = STATUSES.filter((status) => sizes.has(status) || view.status.includes(status));
  const usual = present.filter((status) => status !== "retracted");
  const mark = (status) => symbol({ group: "oil", host_country: null, status });
  return el("fieldset", {}, el("legend", {}, t("statusLegend")), present.map((status) =>
    box("status", { value: status, n: sizes.get(status) ?? 0 }, mark(status), usual, view, set)));
}

function choice(name, label, choices, words, view, set) {
  const options = choices.map((value) => el("option", { value, selected: value === view[name] }, words(value)));
  const select = el("select", { id: `filter-${name}`, onchange: (event) => set({ [name]: event.target.value || null }) },
    el("option", { value: "" }, t("any")), options);
  return el("label", { class: "choice" }, el("span", {}, t(label)), select);
}

function choices({ commodity }, view, set) {
  const sizes = sized(commodity);
  const names = [...sizes.keys()].filter(Boolean);
  if (view.commodity && !sizes.has(view.commodity)) names.push(view.commodity);
  return el("div", { class: "filter-choices" },
    choice("commodity", "commodityLabel", names, (name) => `${commodityWords(name)} (${number(sizes.get(name) ?? 0)})`, view, set),
    choice("weapon", "weaponLabel", WEAPONS, (name) => word("weapon", name), view, set),
    choice("within", "withinLabel", PRECISIONS, (m) => (m === "none" ? t("withinnone") : t("withinOf", { length: length(+m) })), view, set),
    choice("rests_on", "restsLabel", RESTS, (name) => t(`rests_on${name}`), view, set),
    choice("certainty", "certaintyLabel", CERTAINTIES, (name) => t(`certainty${name}`), view, set));
}

/** Prepare the filters; `onOpen` is called when they are unfolded and need counts. Draws the head, and then the body. */
export function createFilters(set, onOpen) {
  const fold = byId("filters");
  const title = fold.querySelector("summary");
  const body = fold.querySelector(".filter-body");
  fold.addEventListener("toggle", () => fold.open && onOpen());
  return {
    get open() {
      return fold.open;
    },
    head(view) {
      const n = narrowing(view).filter((name) => name !== "country").length;
      title.textContent = n ? t("filtersSet", { n }) : t("filters");
    },
    body(facets, view) {
      const held = fold.contains(document.activeElement) ? document.activeElement : null;
      const key = held?.id || held?.value;
      const clear = el("button", { type: "button", class: "plain", onclick: () => set(CLEAR) }, t("reset"));
      body.replaceChildren(kinds(facets.kinds, view, set), statuses(facets.status, view, set), choices(facets, view, set), clear);
      if (held && !held.isConnected) [...body.querySelectorAll("input, select")].find((input) => (input.id || input.value) === key)?.focus();
    },
  };
}
