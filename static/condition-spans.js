// How far an asset worked, drawn along the days: what was lost hangs from the top, what is not sure of it is hatched.
import { spansOf } from "./condition-lanes.js";
import { dayOf } from "./days.js";
import { el, svg } from "./dom.js";
import { daysOf } from "./edtf-days.js";
import { dayWords } from "./edtf.js";
import { t, word } from "./text.js";

const LANE = 18; // pixels
const GAP = 5;
const WIDE = 400; // units across, stretched to the width that there is
const MARGIN = 0.08; // part of the days that stands free on either side
/** The days that are drawn, [first, last], with the strike's. */
function axisOf(spans, struck) {
  const days = [...spans.flatMap(({ since, until }) => [...since, ...(until ?? [])]), ...(struck ?? [])];
  const [first, last] = [Math.min(...days), Math.max(...days)];
  const margin = Math.max(2, Math.ceil((last - first) * MARGIN));
  return [first - margin, last + margin];
}

function rect(kind, [left, right], top, height) {
  const width = Math.max(2, right - left);
  return height > 0 ? svg("rect", { class: kind, x: left, y: top, width, height }) : null;
}

function drawn({ row, since, until, lane, lost: [least, most] }, x, last) {
  const top = lane * (LANE + GAP) + GAP;
  const [begin, end] = [since[1], until ? until[0] : since[1]];
  const ends = until ? until[1] : last;
  const piece = (kind, days, height, from = 0) => rect(kind, days.map(x), top + from, height);
  return svg("g", { class: `condition ${row.status}` },
    piece("condition-frame", [since[0], ends], LANE),
    since[0] < begin ? piece("condition-open", [since[0], begin], most * LANE) : null,
    end > begin || until ? piece("condition-lost", [begin, Math.max(begin, end)], least * LANE) : null,
    end > begin || until ? piece("condition-open", [begin, Math.max(begin, end)], (most - least) * LANE, least * LANE) : null,
    end < ends ? piece("condition-open", [end, ends], most * LANE) : null);
}

/** The conditions of an asset along the days, with the days of the strike; null where none can be drawn. */
export function conditionSpans(conditions, when) {
  const spans = spansOf(conditions);
  if (!spans.length) return null;
  const struck = daysOf(when);
  const [first, last] = axisOf(spans, struck);
  const x = (day) => ((day - first) / (last - first)) * WIDE;
  const height = Math.max(...spans.map(({ lane }) => lane + 1)) * (LANE + GAP) + GAP;
  const shown = [...new Set(spans.map(({ row }) => row.status))].map((status) => word("working", status)).join(", ");
  const picture = svg("svg", { class: "condition-spans", viewBox: `0 0 ${WIDE} ${height}`, height, preserveAspectRatio: "none", role: "img", "aria-label": t("conditionsDrawn", { shown }) },
    svg("defs", {}, svg("pattern", { id: "condition-hatch", width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("path", { class: "hatch-line", d: "M0 0V4" }))),
    spans.map((span) => drawn(span, x, last)),
    struck ? svg("rect", { class: "condition-strike", x: x(struck[0]), y: 0, width: Math.max(2, x(struck[1] + 1) - x(struck[0])), height }) : null);
  return el("div", { class: "condition-drawing" }, picture,
    el("p", { class: "condition-days quiet small", "aria-hidden": "true" }, el("span", {}, dayWords(dayOf(first))), el("span", {}, dayWords(dayOf(last)))),
    el("ul", { class: "bar-key", "aria-hidden": "true" },
      el("li", {}, el("span", { class: "part lost" }), t("conditionKeyLost")),
      el("li", {}, el("span", { class: "part range" }), t("conditionKeyOpen")),
      struck ? el("li", {}, el("span", { class: "part strike-day" }), t("conditionKeyStrike")) : null));
}
