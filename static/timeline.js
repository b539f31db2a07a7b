// Bars and marks of the time axis as SVG. Widths and heights are pixels.
import { dayOf, numberOf } from "./days.js";
import { el, svg } from "./dom.js";
import { number, t } from "./text.js";

const FOOT = 18; // room of the marks below the bars
const HEAD = 13; // room of the largest number above them
const LABEL = 52; // least pixels between two marks

const box = (left, top, width, height) => `M${left.toFixed(1)} ${top.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h${(-width).toFixed(1)}z`;

/** The pattern of what may fall in a bar. */
export function hatching() {
  return svg("defs", {}, svg("pattern", { id: "may-fall", width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("path", { class: "hatch-line", d: "M0 0V4" })));
}

/** Two paths, of what surely lies in each span and of what may beside it, and the largest number. */
export function bars(spans, x, height) {
  const most = Math.max(1, ...spans.map(({ sure, possible }) => sure + possible));
  const foot = height - FOOT;
  const scale = (foot - HEAD) / most;
  const sure = [];
  const may = [];
  for (const span of spans) {
    if (!span.sure && !span.possible) continue;
    const left = x(numberOf(span.first));
    const width = Math.max(1.5, x(numberOf(span.last) + 1) - left - 1);
    const solid = span.sure * scale;
    if (span.sure) sure.push(box(left, foot - solid, width, solid));
    if (span.possible) may.push(box(left, foot - solid - span.possible * scale, width, span.possible * scale));
  }
  const nodes = [
    svg("path", { class: "bar-sure", d: sure.join("") }), svg("path", { class: "bar-may", d: may.join("") }),
    svg("path", { class: "bar-foot", d: `M0 ${foot + 0.5}H${x(Infinity)}` }),
    svg("text", { class: "bar-most", x: 0, y: 10 }, number(most)),
  ];
  return { nodes, most };
}

/** Draw those without a first or last day beside the bars, to their scale; a bin that is too high for it is cut. */
export function fillBin(bin, undated, most) {
  bin.classList.toggle("none", !undated);
  bin.classList.toggle("cut", undated > most);
  const bar = el("span", { class: "bin-bar" });
  bar.style.height = `calc(${Math.min(1, undated / most)} * (100% - ${HEAD + FOOT}px))`;
  bin.replaceChildren(el("span", { class: "bin-n" }, number(undated)), bar, el("span", { class: "bin-name" }, t("undatedBin")));
}

/** Days at which a mark stands: each year, month or so many days, as close as the names leave room. */
function marks({ first, last }, x) {
  const perDay = (x(last) - x(first)) / Math.max(1, last - first);
  const begin = new Date(first * 864e5);
  const days = [];
  const months = [1, 2, 3, 6, 12, 24, 60, 120].find((n) => n * 30.4 * perDay >= LABEL) ?? 240;
  if (perDay * 28 < LABEL * 4) {
    const start = Math.floor((begin.getUTCFullYear() * 12 + begin.getUTCMonth()) / months) * months;
    for (let month = start; ; month += months) {
      const day = Date.UTC(Math.floor(month / 12), month % 12, 1) / 864e5;
      if (day > last) return { days, unit: months >= 12 ? "year" : "month" };
      if (day >= first) days.push(day);
    }
  }
  const step = Math.max(1, Math.ceil(LABEL / perDay));
  for (let day = first; day <= last; day += step) days.push(day);
  return { days, unit: "day" };
}

const FORMS = { year: { year: "numeric" }, month: { month: "short", year: "2-digit" }, day: { day: "numeric", month: "short" } };

/** The marks of the axis with their names. */
export function ticks(axis, x, height, locale) {
  const { days, unit } = marks(axis, x);
  const format = new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...FORMS[unit] });
  const end = x(Infinity);
  return days.filter((day) => end - x(day) > LABEL / 2).map((day) => svg("g", { class: "tick" },
    svg("path", { d: `M${x(day).toFixed(1)} ${height - FOOT}v5` }),
    svg("text", { x: x(day) + 3, y: height - 4 }, format.format(new Date(dayOf(day))))));
}

/**
 * Follow drags over an element: `go` is given the first and the present bar, and whether it is the first call, as one drag is one
 * step to go back from; `atOnce` calls it where the pointer is put down.
 */
export function onDrag(node, barAt, go, { atOnce = false } = {}) {
  node.addEventListener("pointerdown", (event) => {
    const start = barAt(event);
    let first = true;
    const follow = (pointer) => {
      go(start, barAt(pointer), first);
      first = false;
    };
    node.setPointerCapture(event.pointerId);
    node.addEventListener("pointermove", follow);
    node.addEventListener("lostpointercapture", () => node.removeEventListener("pointermove", follow), { once: true });
    if (atOnce) follow(event);
  });
}
