// The time range: bars by day, week, month or year, what surely lies in a bar solid and what only may hatched; two handles
// that never lie on each other, dates to type, and a window that plays forward.
import * as api from "./api.js";
import { UNITS, axisStart, clamp, dayOf, moved, numberOf, unitFor } from "./days.js";
import { byId, el, svg } from "./dom.js";
import { dayWords, spanOfDays, whenWords } from "./edtf.js";
import { parametersOf, without } from "./selection.js";
import { PHONE } from "./sheet.js";
import { LOCALE, counted, number, t } from "./text.js";
import { createPlayer } from "./player.js";
import { bars, fillBin, hatching, onDrag, ticks } from "./timeline.js";

const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -12, PageUp: 12, Home: -1e5, End: 1e5 };

function field(id, label, change) {
  const input = el("input", { id, type: "date" });
  input.addEventListener("change", () => change(input.value || null));
  return el("span", { class: "field" }, el("label", { for: id }, label), input);
}

// A handle stands for a bar: its left edge for the first day, its right edge for the last. Until there are bars it has one place.
function handle(name, label, move) {
  const knob = el("div", { class: `handle ${name}`, role: "slider", tabindex: "0", "aria-label": label, "aria-orientation": "horizontal", "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0 });
  knob.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    move(KEYS[event.key]);
  });
  return knob;
}

class Brush {
  #set;
  #view = null;
  #months = null; // spans by month of all strikes, by which the axis is laid out
  #axis = null; // { first, last } in days; `zoomed` where the reader chose them
  #unit = null; // that the reader chose
  #spans = [];
  #asked = ""; // what the bars were asked for
  #answer = null;
  #drawn = "";
  #request = new AbortController();
  #listed = null; // resolves once other bars may be drawn
  #drawing = svg("svg", { class: "bars", role: "img", "aria-label": t("time") });
  #shades = [el("div", { class: "shade", "aria-hidden": "true" }), el("div", { class: "shade", "aria-hidden": "true" })];
  #note = el("p", { class: "time-note quiet" });
  #beside = ""; // what the bars do not show, in words
  #knobs = [
    handle("from", t("fromHandle"), (by) => this.#move(0, this.#window()[0] + by)),
    handle("to", t("toHandle"), (by) => this.#move(1, this.#window()[1] + by)),
  ];
  #track = el("div", { class: "track" }, this.#drawing, this.#shades, this.#knobs);
  #bin = el("div", { class: "undated-bin", "aria-hidden": "true" }); // the note says it in words
  #all = el("button", { type: "button", class: "plain", onclick: () => this.#set({ from: null, to: null }) }, t("allDates"));
  #zoom = el("button", { type: "button", class: "plain", hidden: true, onclick: () => this.#toggleZoom() }, t("zoomWindow"));
  #earlier = el("button", { type: "button", class: "plain", hidden: true, onclick: () => this.#wholeAxis() }, counted("showEarlier", 0));
  #units = el("select", { id: "unit", onchange: () => this.#choose(this.#units.value) },
    el("option", { value: "" }, t("unitFit")), UNITS.map((unit) => el("option", { value: unit }, t(`unit${unit}`))));
  #player;

  constructor(set, busy) {
    this.#set = set;
    this.#player = createPlayer({ busy, step: () => this.#step() });
    const home = byId("time");
    const tools = el("div", { class: "time-tools" }, this.#player.node, el("label", { class: "unit" }, el("span", {}, t("unit")), this.#units), this.#earlier, this.#zoom);
    const dates = el("div", { class: "dates" }, field("from", t("from"), (from) => set({ from })), field("to", t("to"), (to) => set({ to })), this.#all);
    const main = el("div", { class: "time-main" }, tools, el("div", { class: "track-row" }, this.#bin, this.#track), this.#note);
    home.setAttribute("aria-label", t("time"));
    // On a phone the time range lies among the filters, in the sheet.
    const settle = () => (PHONE.matches ? byId("time-inline") : home).append(main, dates);
    PHONE.addEventListener("change", settle);
    settle();
    this.#listen();
    new ResizeObserver(() => this.#view && this.#refresh()).observe(this.#track);
  }

  /** Draw the bars of the strikes that match all but the time, undated ones beside them, not before `listed` resolves. */
  async draw(view, listed) {
    const stands = this.#view?.from === view.from && this.#view?.to === view.to;
    [this.#listed, this.#view] = [listed, view];
    if (!stands) this.#drawDates();
    this.#months ??= await api.counts({ by: "month" }).then(({ spans }) => spans, () => null);
    if (this.#view !== view || !this.#months) return;
    if (!this.#axis || (this.#axis.zoomed && !view.from && !view.to)) this.#layOut();
    await this.#refresh();
  }

  #drawDates({ from, to } = this.#view) {
    byId("from").value = from ?? "";
    byId("to").value = to ?? "";
    this.#all.disabled = !from && !to;
    this.#drawWindow();
  }

  #layOut(whole = false) {
    if (!this.#months.length) return (this.#axis = null);
    const first = whole ? this.#months[0].first : axisStart(this.#months);
    this.#axis = { first: numberOf(first), last: numberOf(this.#months.at(-1).last), zoomed: false, whole };
  }

  // The bars are asked for where what is selected has changed, and drawn anew where the axis or the size has.
  async #refresh() {
    if (!this.#axis || !this.#track.clientWidth) return;
    const by = this.#unit ?? unitFor(this.#axis.last - this.#axis.first + 1, this.#track.clientWidth);
    const parameters = { ...parametersOf(without(this.#view, "dates")), by };
    const asked = JSON.stringify(parameters);
    if (asked !== this.#asked) this.#ask(parameters, asked);
    const [answer] = await Promise.all([this.#answer, this.#listed]);
    if (!answer || asked !== this.#asked) return;
    const drawn = JSON.stringify([asked, this.#axis, this.#track.clientWidth, this.#track.clientHeight]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const [from, to] = [dayOf(this.#axis.first), dayOf(this.#axis.last)];
    this.#spans = answer.spans.filter((span) => span.last >= from && span.first <= to);
    this.#paint(answer, answer.spans.filter((span) => span.last < from));
  }

  #ask(parameters, asked) {
    this.#request.abort();
    const mine = (this.#request = new AbortController());
    this.#asked = asked;
    this.#answer = api.counts(parameters, { signal: mine.signal }).catch(() => (mine === this.#request && (this.#asked = ""), null));
  }

  #paint(answer, before) {
    const [width, height] = [this.#track.clientWidth, this.#track.clientHeight];
    const x = (day) => this.#x(day);
    const drawn = bars(this.#spans, x, height);
    this.#drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#drawing.replaceChildren(hatching(), ...drawn.nodes, ...ticks(this.#axis, x, height, LOCALE));
    this.#drawing.setAttribute("aria-label", this.#label(answer.by));
    const hidden = before.reduce((sum, { sure, possible }) => sum + sure + possible, 0);
    this.#earlier.hidden = this.#axis.zoomed || !(hidden || this.#axis.whole);
    this.#earlier.textContent = this.#axis.whole ? t("hideEarlier") : counted("showEarlier", hidden);
    this.#units.value = this.#unit ?? "";
    fillBin(this.#bin, answer.undated, drawn.most);
    this.#beside = answer.undated ? counted("undatedBeside", answer.undated) : "";
    this.#note.textContent = this.#beside;
    this.#drawWindow();
  }

  // Pixels from the left at which a day begins.
  #x(day) {
    const { first, last } = this.#axis;
    return ((clamp(day, first, last + 1) - first) / (last + 1 - first)) * this.#track.clientWidth;
  }

  #label(unit) {
    const size = ({ sure, possible }) => sure + possible;
    const most = this.#spans.reduce((best, span) => (best && size(best) >= size(span) ? best : span), null);
    return most ? t("barsLabel", { unit: t(`unit${unit}`), when: this.#spanWords(most), n: number(size(most)) }) : t("barsNone");
  }

  #spanWords({ first, last }) {
    if (first.slice(5) === "01-01" && last.slice(5) === "12-31") return first.slice(0, 4);
    return first.endsWith("-01") && numberOf(last) - numberOf(first) > 26 ? whenWords(first.slice(0, 7)) : spanOfDays(first, last);
  }

  // The first and the last bar of the window.
  #window() {
    const last = Math.max(0, this.#spans.length - 1);
    const from = this.#view.from ? this.#spans.findIndex((span) => span.last >= this.#view.from) : 0;
    const to = this.#view.to ? this.#spans.findLastIndex((span) => span.first <= this.#view.to) : last;
    return [from < 0 ? last : from, Math.max(0, to)];
  }

  #drawWindow() {
    if (!this.#axis) return;
    const { from, to } = this.#view;
    this.#zoom.hidden = !this.#axis.zoomed && !(from || to);
    this.#zoom.textContent = t(this.#axis.zoomed ? "zoomAll" : "zoomWindow");
    for (const part of [...this.#knobs, ...this.#shades]) part.hidden = !this.#spans.length;
    if (!this.#spans.length) return;
    const width = this.#track.clientWidth;
    const edges = [from ? this.#x(numberOf(from)) : 0, to ? this.#x(numberOf(to) + 1) : width];
    this.#shades[0].style.width = `${edges[0]}px`;
    this.#shades[1].style.width = `${width - edges[1]}px`;
    const [a, b] = this.#window();
    for (const [side, knob] of this.#knobs.entries()) {
      knob.style.left = `${edges[side]}px`;
      knob.setAttribute("aria-valuemin", side ? a : 0);
      knob.setAttribute("aria-valuemax", side ? Math.max(b, this.#spans.length - 1) : b);
      knob.setAttribute("aria-valuenow", side ? b : a);
      const day = (side ? to : from) ?? this.#spans[side ? b : a]?.[side ? "last" : "first"];
      knob.setAttribute("aria-valuetext", day ? dayWords(day) : "");
    }
  }

  #listen() {
    const barAt = (event) => {
      const box = this.#track.getBoundingClientRect();
      const part = clamp((event.clientX - box.left) / box.width, 0, 0.99999);
      const day = dayOf(Math.floor(this.#axis.first + part * (this.#axis.last + 1 - this.#axis.first)));
      const at = this.#spans.findIndex((span) => span.last >= day);
      return at < 0 ? this.#spans.length - 1 : at;
    };
    this.#knobs.forEach((knob, side) => onDrag(knob, barAt, (_, at, step) => this.#move(side, at, step)));
    onDrag(this.#drawing, barAt, (a, b, step) => this.#push(Math.min(a, b), Math.max(a, b), step), { atOnce: true });
    this.#drawing.addEventListener("pointerleave", () => (this.#note.textContent = this.#beside));
    this.#drawing.addEventListener("pointermove", (event) => {
      const span = this.#spans[barAt(event)];
      if (span) this.#note.textContent = `${this.#spanWords(span)}: ${counted("count", span.sure)}${span.possible ? `; ${counted("mayFall", span.possible)}` : ""}`;
    });
  }

  #move(side, at, step) {
    const [from, to] = this.#window();
    this.#push(side ? from : clamp(at, 0, to), side ? clamp(at, from, this.#spans.length - 1) : to, step);
  }

  // The ends of the whole axis are open: nothing that lies beyond them is left out by them.
  #push(from, to, step = true) {
    if (!this.#spans.length) return;
    const [open, last] = [!this.#axis.zoomed, this.#spans.length - 1];
    this.#set({ from: open && from <= 0 ? null : this.#spans[Math.max(0, from)].first, to: open && to >= last ? null : this.#spans[to].last }, { step });
  }

  // One step of playing: the window moves by a bar; without one, a twelfth of the axis begins. Whether there is more.
  #step() {
    const count = this.#spans.length;
    const [a, b] = this.#view.from || this.#view.to ? this.#window() : [-1, Math.ceil(count / 12) - 2];
    if (b >= count - 1 || count < 2) return false;
    const [from, to] = moved([a, b], count, 1);
    this.#set({ from: this.#spans[from].first, to: this.#spans[to].last }, { step: false });
    return true;
  }

  #toggleZoom() {
    if (this.#axis.zoomed) this.#layOut();
    else this.#axis = { ...this.#axis, first: numberOf(this.#view.from ?? dayOf(this.#axis.first)), last: numberOf(this.#view.to ?? dayOf(this.#axis.last)), zoomed: true };
    this.#unit = null;
    this.#refresh();
  }

  #wholeAxis() {
    this.#layOut(!this.#axis.whole);
    this.#refresh();
  }

  #choose(unit) {
    this.#unit = unit || null;
    this.#refresh();
  }
}

/** Build the time range; `busy` tells whether the page still loads. Returns a function that draws it for a view. */
export function createBrush(set, busy) {
  const brush = new Brush(set, busy);
  return (view, listed) => brush.draw(view, listed);
}
