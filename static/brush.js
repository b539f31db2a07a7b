// The time range: bars by year, two handles that never lie on each other, and two date fields.
import { byId, el } from "./dom.js";
import { dayWords } from "./edtf.js";
import { clamp, firstDay, january, lastDay, monthOf } from "./months.js";
import { PHONE } from "./sheet.js";
import { hostKey } from "./style.js";
import { t } from "./text.js";

const yearOf = (row) => +(row.day_first ?? row.day_last ?? "").slice(0, 4) || null;

function yearsOf(rows) {
  const years = rows.map(yearOf).filter(Boolean);
  return years.length ? [Math.min(...years), Math.max(...years)] : null;
}

function bar(rows, most, inside) {
  const column = el("div", { class: inside ? "year in" : "year" });
  for (const host of ["UA", "RU", "other"]) {
    const n = rows.filter((row) => hostKey(row.host_country) === host).length;
    const piece = el("span", { class: `host-${host}` });
    piece.style.height = `${(n / most) * 100}%`;
    if (n) column.append(piece);
  }
  return column;
}

function field(id, label, change) {
  const input = el("input", { id, type: "date" });
  input.addEventListener("change", () => change(input.value || null));
  return [el("label", { for: id }, label), input];
}

// A handle stands for a month: its left edge for the first day, its right edge for the last.
const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -12, PageUp: 12, Home: -1e5, End: 1e5 };

function handle(name, label, move) {
  const knob = el("div", { class: `handle ${name}`, role: "slider", tabindex: "0", "aria-label": label, "aria-orientation": "horizontal" });
  knob.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    move(KEYS[event.key]);
  });
  return knob;
}

// One drag is one step to go back from: `go` is told the first and the present month, and whether it is the first call.
function onDrag(node, monthAt, go, { atOnce = false } = {}) {
  node.addEventListener("pointerdown", (event) => {
    const start = monthAt(event);
    let first = true;
    const follow = (moved) => {
      go(start, monthAt(moved), first);
      first = false;
    };
    node.setPointerCapture(event.pointerId);
    node.addEventListener("pointermove", follow);
    node.addEventListener("lostpointercapture", () => node.removeEventListener("pointermove", follow), { once: true });
    if (atOnce) follow(event);
  });
}

class Brush {
  #set;
  #low = 0; // first and last month of the records
  #high = 11;
  #months = [0, 11]; // first and last month shown
  #bars = el("div", { class: "bars", role: "img" });
  #axis = el("div", { class: "axis", "aria-hidden": "true" });
  #knobs = [
    handle("from", t("fromHandle"), (by) => this.#move(0, this.#months[0] + by)),
    handle("to", t("toHandle"), (by) => this.#move(1, this.#months[1] + by)),
  ];
  #all = el("button", { type: "button", class: "plain", onclick: () => this.#set({ from: null, to: null }) }, t("allDates"));

  constructor(set) {
    this.#set = set;
    const home = byId("time");
    const fields = el("div", { class: "dates" },
      field("from", t("from"), (from) => set({ from })), field("to", t("to"), (to) => set({ to })), this.#all);
    home.setAttribute("aria-label", t("time"));
    home.append(el("div", { class: "track" }, this.#bars, this.#axis, this.#knobs));
    // On a phone only the date fields are left, among the filters.
    const settle = () => (PHONE.matches ? byId("time-inline") : home).append(fields);
    PHONE.addEventListener("change", settle);
    settle();
    this.#listen();
  }

  /** Draw the range of all rows, with bars for those that match all but the time. */
  draw(everything, rows, view) {
    const span = yearsOf(everything);
    if (!span) return;
    [this.#low, this.#high] = [span[0] * 12, span[1] * 12 + 11];
    const inside = (day, fallback) => (day ? clamp(monthOf(day), this.#low, this.#high) : fallback);
    this.#months = [inside(view.from, this.#low), inside(view.to, this.#high)];
    this.#drawBars(rows);
    this.#knobs.forEach((knob, side) => this.#drawKnob(knob, side));
    byId("from").value = view.from ?? "";
    byId("to").value = view.to ?? "";
    this.#all.disabled = !view.from && !view.to;
  }

  #listen() {
    const monthAt = (event) => {
      const box = this.#bars.getBoundingClientRect();
      const part = clamp((event.clientX - box.left) / box.width, 0, 0.9999);
      return this.#low + Math.floor(part * (this.#high + 1 - this.#low));
    };
    this.#knobs.forEach((knob, side) => onDrag(knob, monthAt, (_, month, step) => this.#move(side, month, step)));
    // Drawing over the bars picks whole years; one click picks one.
    const years = (a, b, step) => this.#push(january(Math.min(a, b)), january(Math.max(a, b)) + 11, step);
    onDrag(this.#bars, monthAt, years, { atOnce: true });
  }

  #move(side, month, step) {
    const [from, to] = this.#months;
    if (side === 0) this.#push(clamp(month, this.#low, to), to, step);
    else this.#push(from, clamp(month, from, this.#high), step);
  }

  #push(from, to, step = true) {
    this.#set({ from: from <= this.#low ? null : firstDay(from), to: to >= this.#high ? null : lastDay(to) }, { step });
  }

  #drawBars(rows) {
    const first = this.#low / 12;
    const years = Array.from({ length: (this.#high + 1) / 12 - first }, (_, i) => first + i);
    const byYear = years.map((year) => rows.filter((row) => yearOf(row) === year));
    const most = Math.max(1, ...byYear.map((group) => group.length));
    const [from, to] = this.#months;
    const inside = (year) => year * 12 + 11 >= from && year * 12 <= to;
    this.#bars.replaceChildren(...years.map((year, i) => bar(byYear[i], most, inside(year))));
    this.#axis.replaceChildren(...years.map((year) => el("span", {}, years.length > 10 && year % 2 ? "" : String(year))));
    const list = years.map((year, i) => `${year}: ${byYear[i].length}`).filter((_, i) => byYear[i].length).join(", ");
    this.#bars.setAttribute("aria-label", t("barsLabel", { list }));
  }

  #drawKnob(knob, side) {
    const [from, to] = this.#months;
    const edge = side ? to + 1 : from;
    knob.style.left = `${((edge - this.#low) / (this.#high + 1 - this.#low)) * 100}%`;
    knob.setAttribute("aria-valuemin", side ? from : this.#low);
    knob.setAttribute("aria-valuemax", side ? this.#high : to);
    knob.setAttribute("aria-valuenow", side ? to : from);
    knob.setAttribute("aria-valuetext", dayWords(side ? lastDay(to) : firstDay(from)));
  }
}

/** Build the time range; returns a function that draws it. */
export function createBrush(set) {
  const brush = new Brush(set);
  return (everything, rows, view) => brush.draw(everything, rows, view);
}
