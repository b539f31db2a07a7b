// Draws the list of strikes, newest first, as buttons; it works without the map.
import { byId, el } from "./dom.js";
import { rowEntry } from "./list-row.js";
import { indexAt, lengthOf } from "./long-list.js";
import { t } from "./text.js";
import { idly, later } from "./timing.js";

const FIRST = 10; // rows that are drawn at once of a new selection: more than are in view
const NEXT = 10; // rows that are drawn at once of those that follow them by themselves
const STEP = 100; // rows that are drawn at once of those that follow
const KEPT = 600; // rows in the page at most: others are drawn as they are scrolled to
const NEAR = 900; // pixels beyond the view that have rows
const ROW_HEIGHT = 110; // pixels, until rows were measured
/** The heading that a row stands under; the order puts drafts last, and those without a last day after the others. */
const headingOf = (row) => (row.status === "draft" ? "draftGroup" : row.day_last ? null : "undatedGroup");

class List {
  #select;
  #mapSeen; // resolves once the map is there: each frame that rows are drawn in would hold it up
  #node = byId("list");
  #frame = byId("results"); // that scrolls
  #rows = null;
  #view = null;
  #first = 0; // rows of the page: from this one to before the other
  #end = 0;
  #above = 0; // pixels in the place of the rows before them
  #tall = ROW_HEIGHT; // pixels of a row, as they were measured last
  #busy = false;
  #isScrolled = false;

  constructor(select, mapSeen) {
    [this.#select, this.#mapSeen] = [select, mapSeen];
    this.#node.setAttribute("aria-label", t("listLabel"));
    this.#node.addEventListener("keydown", (event) => this.#walk(event));
    // Rows come and go above the view: the list itself keeps in place what is read.
    this.#node.style.overflowAnchor = "none";
    this.#frame.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  /** Draw the first rows of a selection; others follow as they are scrolled to. */
  draw(rows, view) {
    const held = this.#node.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    [this.#rows, this.#view, this.#busy] = [rows, view, false];
    // Another selection is read from its first row on. To look where the list is has the whole page laid out.
    const top = this.#isScrolled ? this.#sight.top : 0;
    this.#open(0, 0, FIRST);
    this.#mapSeen.then(() => this.#fill(rows));
    if (top > 0) this.#frame.scrollTop -= top;
    if (!rows.total) this.#node.append(el("li", { class: "empty" }, el("p", {}, t("none")), el("a", { class: "plain", href: "#" }, t("reset"))));
    if (held) focusRow(held);
  }

  /** Mark the row of a strike and bring it into view, wherever it is in the list, if it was loaded. */
  mark(id) {
    for (const row of this.#node.querySelectorAll("button[aria-current]")) row.removeAttribute("aria-current");
    if (!this.#rows) return;
    this.#view = { ...this.#view, strike: id };
    const index = this.#rows.indexOf(id);
    if (index < 0) return;
    if (index >= this.#first && index < this.#end) return this.#show(index);
    const from = Math.max(0, Math.min(index, this.#rows.total - STEP));
    this.#draw(from, from + STEP, () => {
      this.#open(from, from * this.#height);
      this.#show(index);
    });
  }

  #show(index) {
    const row = this.#node.querySelector(`[aria-posinset="${index + 1}"] button`);
    row?.setAttribute("aria-current", "true");
    row?.scrollIntoView({ block: "nearest" });
  }

  // Pixels of the rows that are in the page.
  get #inside() {
    return this.#node.offsetHeight - this.#above - Number.parseFloat(this.#node.style.paddingBottom || "0");
  }

  // Pixels that a row takes, by those that are in the page.
  get #height() {
    return this.#inside > 0 && this.#end > this.#first ? this.#inside / (this.#end - this.#first) : ROW_HEIGHT;
  }

  // The part of the list that is in view, in pixels below its top.
  get #sight() {
    const top = this.#frame.getBoundingClientRect().top - this.#node.getBoundingClientRect().top;
    return { top, bottom: top + this.#frame.clientHeight };
  }

  // Draw the list from a row on; what was in the page is dropped.
  #open(at, above, step = STEP) {
    [this.#first, this.#end, this.#above] = [at, at, above];
    const held = this.#node.contains(document.activeElement);
    this.#node.replaceChildren();
    if (held) this.#node.focus({ preventScroll: true });
    this.#append(step);
  }

  // Have the rows of a step in the page, a few at a time, when nothing else waits for it; whoever scrolls has them at once.
  #fill(rows, when = later) {
    when(() => {
      if (rows !== this.#rows || this.#first || this.#isScrolled || this.#end >= Math.min(STEP, rows.total)) return;
      this.#append(NEXT);
      this.#fill(rows, idly);
    });
  }

  #itemsOf(from, to) {
    const { total } = this.#rows;
    return Array.from({ length: to - from }, (_, i) => from + i).flatMap((index) => {
      const [row, before] = [this.#rows.at(index), this.#rows.at(index - 1)];
      const heading = headingOf(row);
      const begins = heading && (!index || (before && headingOf(before) !== heading));
      const entry = rowEntry(row, this.#view, this.#select, { index, total });
      return begins ? [el("li", { class: "group" }, t(heading)), entry] : [entry];
    });
  }

  #append(step = STEP) {
    const end = Math.min(this.#rows.total, this.#end + step);
    this.#node.append(...this.#itemsOf(this.#end, end));
    this.#end = end;
    if (this.#end - this.#first > KEPT) this.#above += this.#dropped((index) => index < this.#end - KEPT);
    this.#first = Math.max(this.#first, this.#end - KEPT);
    this.#pad();
  }

  #prepend() {
    const first = Math.max(0, this.#first - STEP);
    const before = this.#node.offsetHeight;
    this.#node.prepend(...this.#itemsOf(first, this.#first));
    const added = this.#node.offsetHeight - before;
    this.#first = first;
    this.#dropped((index) => index >= first + KEPT);
    this.#end = Math.min(this.#end, first + KEPT);
    // The rows were thought to be less tall, or taller, than they are: the view moves with what is read.
    const above = first ? Math.max(0, this.#above - added) : 0;
    const moved = above + added - this.#above;
    this.#above = above;
    this.#pad();
    this.#frame.scrollTop += moved;
  }

  // Take rows out of the page, with the heading before them; how many pixels they had.
  #dropped(isGone) {
    const before = this.#node.offsetHeight;
    const held = this.#node.contains(document.activeElement);
    for (const entry of [...this.#node.querySelectorAll("[aria-posinset]")]) {
      if (!isGone(entry.getAttribute("aria-posinset") - 1)) continue;
      if (entry.previousElementSibling?.className === "group") entry.previousElementSibling.remove();
      entry.remove();
    }
    if (held && !this.#node.contains(document.activeElement)) this.#node.focus({ preventScroll: true });
    return before - this.#node.offsetHeight;
  }

  // Leave room for the rows that are not in the page. The first of a selection are not measured: to do so has the whole page
  // laid out before it is to be drawn.
  #pad() {
    const { total } = this.#rows;
    Object.assign(this.#node.style, { paddingTop: `${this.#above}px`, paddingBottom: "0" });
    if (this.#end === total) return;
    const isNew = this.#end <= FIRST;
    if (!isNew) this.#tall = this.#height;
    const there = isNew ? this.#end * this.#tall : this.#node.offsetHeight;
    this.#node.style.paddingBottom = `${Math.max(NEAR, lengthOf(total, this.#tall) - there)}px`;
  }

  #scrolled() {
    this.#isScrolled = this.#frame.scrollTop > 0;
    this.#follow();
  }

  // Have rows where the reader has scrolled to.
  #follow() {
    if (!this.#rows?.total || this.#busy || !this.#frame.clientHeight) return;
    const { top, bottom } = this.#sight;
    const [begin, over] = [this.#above, this.#above + this.#inside];
    if (bottom < begin - NEAR || top > over + NEAR) this.#jump(top, bottom);
    else if (bottom > over - NEAR && this.#end < this.#rows.total) this.#draw(this.#end, this.#end + STEP, () => this.#append());
    else if (top < begin + NEAR && this.#first) this.#draw(this.#first - STEP, this.#first, () => this.#prepend());
  }

  // Draw rows once they are loaded, unless something else is selected meanwhile, and look whether more are needed.
  async #draw(from, to, draw) {
    const rows = this.#rows;
    const begin = Math.max(0, from - 1); // which tells whether rows under another heading begin
    if (!rows.has(begin, to)) {
      this.#busy = true;
      const came = await rows.load(begin, to).then(() => true, () => false);
      if (rows !== this.#rows) return;
      this.#busy = false;
      if (!came) return;
    }
    draw();
    this.#follow();
  }

  #jump(top, bottom) {
    const { total } = this.#rows;
    const index = bottom >= this.#node.offsetHeight ? total - 1 : indexAt(top, total, this.#height);
    const from = Math.max(0, Math.min(index, total - STEP));
    this.#draw(from, from + STEP, () => {
      this.#open(from, from ? this.#sight.top : 0);
      this.#node.querySelector(`[aria-posinset="${index + 1}"]`)?.scrollIntoView({ block: "nearest" });
    });
  }

  // Arrow keys walk the list; Tab leaves it as it would any list of buttons.
  #walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const rows = [...this.#node.querySelectorAll("button")];
    const at = rows.indexOf(document.activeElement);
    const { top } = this.#frame.getBoundingClientRect();
    const next = at < 0 ? rows.find((row) => row.getBoundingClientRect().bottom > top) : rows[at + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}

/**
 * Prepare the list: `draw` draws the rows of a selection, the first at once, those that follow after `mapSeen`; `mark` marks the
 * row of a strike.
 */
export const createList = (onSelect, mapSeen) => new List(onSelect, mapSeen);

/** Put the keyboard on a strike's row, or on the list where it is not shown. */
export function focusRow(id) {
  const row = byId("list").querySelector(`[data-id="${CSS.escape(id ?? "")}"]`);
  const list = byId("list");
  // In a closed sheet nothing of the list can take the keyboard; its button can.
  (list.offsetParent ? (row ?? list) : byId("grip")).focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}
