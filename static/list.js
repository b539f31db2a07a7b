// Draws the list of strikes, newest first, as buttons; it works without the map.
import { byId, el, joined, spoken } from "./dom.js";
import { plainDay, precision, whenWords } from "./edtf.js";
import { countryName, ownersOf, share } from "./figures.js";
import { mayFall } from "./selection.js";
import { KEYS, rowMark } from "./symbols.js";
import { inLanguage, number, small, strikeTitle, t, word } from "./text.js";

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
  if (!row.geometry) said.push(t("noPlace"));
  if (row.rests_on === "alternatives") said.push(t("alternatives"));
  if (row.rests_on === "decision" && row.assets.length > 1) said.push(t("together", { n: row.assets.length }));
  if (row.status === "reported" || row.status === "retracted") said.push(small(word("status", row.status)));
  return said.map((text) => el("span", { class: text === t("mayFallTag") ? "tag may" : "tag" }, text));
}

function item(row, view, onSelect, at) {
  const plain = plainDay(row.when, row.when_note);
  const exactness = plain ? null : el("span", { class: "quiet" }, t(precision(row.when)));
  const host = row.host_country ? countryName(row.host_country) : t("highSeas");
  const current = row.id === view.strike ? "true" : null;
  return el("li", { "aria-posinset": at.index + 1, "aria-setsize": at.total },
    el("button", { type: "button", class: "row", "data-id": row.id, "aria-current": current, onclick: () => onSelect(row.id) },
      rowMark(row, view),
      el("span", { class: "row-when" }, ...joined([whenWords(row.when, row.when_note), exactness])),
      el("span", { class: "row-title" }, strikeTitle(row)),
      el("span", { class: "row-place" }, ...joined([inLanguage(row, "place"), host])),
      ownersLine(row, view.role === "owner" ? view.country : null),
      ...notes(row, view)));
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

const STEP = 100; // rows that are drawn at once
const undated = (row) => !row.day_last; // the order puts them last

class List {
  #select;
  #node = byId("list");
  #more = el("button", { type: "button", class: "plain more" });
  #rows = null;
  #view = null;
  #drawn = 0;

  constructor(select) {
    this.#select = select;
    this.#node.setAttribute("aria-label", t("listLabel"));
    this.#node.addEventListener("keydown", walk);
    this.#node.after(this.#more);
    this.#more.addEventListener("click", () => this.#extend(true));
    // Whoever scrolls to the end gets the next rows without asking.
    new IntersectionObserver(([{ isIntersecting: near }]) => near && this.#extend(false), { root: byId("results"), rootMargin: "600px" })
      .observe(this.#more);
  }

  /** Draw the first rows of a selection; the rest follows as it is scrolled to. */
  draw(rows, view) {
    const held = this.#node.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    const again = this.#rows === rows ? this.#drawn : 0;
    [this.#rows, this.#view, this.#drawn] = [rows, view, 0];
    this.#node.replaceChildren();
    this.#append(Math.max(STEP, again));
    if (!rows.total) this.#node.append(el("li", { class: "empty" }, t("none")));
    if (held) focusRow(held);
  }

  #append(count) {
    const { list, total } = this.#rows;
    const rows = list.slice(this.#drawn, this.#drawn + count);
    for (const [i, row] of rows.entries()) {
      const index = this.#drawn + i;
      if (undated(row) && !(index && undated(list[index - 1]))) this.#node.append(el("li", { class: "group" }, t("undatedGroup")));
      this.#node.append(item(row, this.#view, this.#select, { index, total }));
    }
    this.#drawn += rows.length;
    const left = total - this.#drawn;
    this.#more.hidden = !left;
    this.#more.textContent = t("showMore", { n: number(Math.min(STEP, left)), left: number(left) });
  }

  async #extend(focus) {
    const rows = this.#rows;
    if (!rows || this.#drawn >= rows.total) return;
    if (rows.list.length < Math.min(rows.total, this.#drawn + STEP)) {
      const got = await rows.more().catch(() => false);
      if (!got || rows !== this.#rows) return;
    }
    const first = this.#drawn;
    this.#append(STEP);
    if (focus) this.#node.querySelectorAll("button")[first]?.focus();
  }
}

/** Prepare the list; returns a function that draws the rows of a selection. */
export function createList(onSelect) {
  const list = new List(onSelect);
  return (rows, view) => list.draw(rows, view);
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
