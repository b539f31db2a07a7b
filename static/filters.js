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

/** A choice of one value: its element stays while what it offers changes, so that one that a reader has open stays open. */
function createChoice(name, label, set) {
  const select = el("select", { id: `filter-${name}`, onchange: () => set({ [name]: select.value || null }) });
  return {
    node: el("label", { class: "choice" }, el("span", {}, t(label)), select),
    draw(values, words, view) {
      const offered = [["", t("any")], ...values.map((value) => [value, words(value)])];
      const { options } = select;
      const stands = options.length === offered.length && offered.every(([value], i) => options[i].value === value);
      if (!stands) select.replaceChildren(...offered.map(([value, text]) => el("option", { value }, text)));
      else offered.forEach(([, text], i) => options[i].text !== text && (options[i].text = text));
      const chosen = view[name] ?? "";
      if (select.value !== chosen) select.value = chosen;
    },
  };
}

const LABELS = { commodity: "commodityLabel", weapon: "weaponLabel", within: "withinLabel", rests_on: "restsLabel", certainty: "certaintyLabel" };

/** The filters that take one value each. */
function createChoices(set) {
  const by = Object.fromEntries(Object.entries(LABELS).map(([name, label]) => [name, createChoice(name, label, set)]));
  return {
    node: el("div", { class: "filter-choices" }, Object.values(by).map(({ node }) => node)),
    draw({ commodity }, view) {
      const sizes = sized(commodity);
      const names = [...sizes.keys()].filter(Boolean);
      if (view.commodity && !sizes.has(view.commodity)) names.push(view.commodity);
      by.commodity.draw(names, (name) => `${commodityWords(name)} (${number(sizes.get(name) ?? 0)})`, view);
      by.weapon.draw(WEAPONS, (name) => word("weapon", name), view);
      by.within.draw(PRECISIONS, (m) => (m === "none" ? t("withinnone") : t("withinOf", { length: length(+m) })), view);
      by.rests_on.draw(RESTS, (name) => t(`rests_on${name}`), view);
      by.certainty.draw(CERTAINTIES, (name) => t(`certainty${name}`), view);
    },
  };
}

const inputs = (fieldset) => [...fieldset.querySelectorAll("input")];

/** Boxes stay while the same ones are offered, so that a click that begins on one ends on it, whatever counts come meanwhile. */
function update(before, after) {
  const shown = inputs(before);
  const now = inputs(after);
  const isSame = shown.length === now.length && now.every(({ value }, i) => value === shown[i].value);
  if (!isSame) before.replaceWith(after);
  else now.forEach((input, i) => {
    shown[i].checked = input.checked;
    shown[i].parentNode.lastChild.textContent = input.parentNode.lastChild.textContent;
  });
}

/** Prepare the filters; `onOpen` is called when they are unfolded and need counts. Draws the head, and then the body. */
export function createFilters(set, onOpen) {
  const fold = byId("filters");
  const title = fold.querySelector("summary");
  const body = fold.querySelector(".filter-body");
  const choices = createChoices(set);
  const clear = el("button", { type: "button", class: "plain", onclick: () => set(CLEAR) }, t("reset"));
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
      const key = held?.value;
      const boxes = [kinds(facets.kinds, view, set), statuses(facets.status, view, set)];
      choices.draw(facets, view);
      if (choices.node.isConnected) body.querySelectorAll("fieldset").forEach((before, i) => update(before, boxes[i]));
      else body.replaceChildren(...boxes, choices.node, clear);
      if (held && !held.isConnected) [...body.querySelectorAll("input")].find(({ value }) => value === key)?.focus();
    },
  };
}
