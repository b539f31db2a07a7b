// Arcs from the selected strike to the states its owners count to, drawn over the map; one out of view is pointed at.
import { EDGE, LINE, arcOf, fanned, inView, lean, spread } from "./arc-shapes.js";
import { svg } from "./dom.js";
import { countryName, share } from "./figures.js";

const MOST = 8; // arcs; the record has them all
const LEAST = 1; // percent
const NEAR = 46; // pixels within which a state needs no arc
const BESIDE = 12; // pixels between a place and its label
const HEAD = 11; // pixels of an arrow
const RING = 24; // pixels from the strike that no label covers
const LETTER = 7.4; // pixels of a letter, about
const OVER = "#key, .maplibregl-ctrl-top-right, .maplibregl-ctrl-bottom-right"; // what lies over the map

let points = null;

/** Where states are written on the map: lon/lat by ISO 3166-1 code (Natural Earth, public domain). */
const countryPoints = () =>
  (points ??= fetch(new URL("country-points.json", import.meta.url)).then((answer) => answer.json(), () => ({})));

/** The end of an arc: a dot on its state, or an arrow where it is out of view. */
function headOf({ end: [x, y], before, whole }) {
  if (whole) return svg("circle", { class: "arc-head", cx: x, cy: y, r: 4.5 });
  const angle = Math.atan2(y - before[1], x - before[0]);
  const corner = (turn, far) => `${(x + Math.cos(angle + turn) * far).toFixed(1)} ${(y + Math.sin(angle + turn) * far).toFixed(1)}`;
  return svg("path", { class: "arc-head", d: `M${corner(0, HEAD * 0.5)}L${corner(2.5, HEAD)}L${corner(-2.5, HEAD)}Z` });
}

// Beside the end of an arc: of a whole one on the side to which it leads, of an arrow over or under it.
function labelOf(text, { end: [x, y], before, whole }, { width, height }) {
  const long = text.length * LETTER;
  const sides = [x + BESIDE, x - BESIDE - long].filter((left) => left >= 8 && left + long <= width - 8);
  if (whole && before[0] > x) sides.reverse();
  const beside = before[1] < y ? [y + 19, y - 9] : [y - 9, y + 19]; // where the arc does not come from
  const lines = (whole ? [y + 5] : beside).map((line) => Math.min(height - 12, Math.max(LINE, line)));
  return { text, end: [x, y], sides: sides.length ? sides : [8], lines, width: long };
}

// A line from a label that had to move away to the end of its arc.
function leaderOf({ end, lines, x, y, width }) {
  if (lines.some((line) => Math.abs(line - y) <= LINE)) return null;
  const from = [Math.min(x + width, Math.max(x, end[0])), end[1] > y ? y + 4 : y - 12];
  return svg("path", { class: "arc-leader", d: `M${from.join(" ")}L${end.join(" ")}` });
}

/** Prepare the arcs over a map; returns a function that shows those of { at, host, owners }, or of null. */
export function createArcs(map) {
  const layer = svg("svg", { class: "arcs", "aria-hidden": "true" });
  map.getCanvasContainer().after(layer);
  let shown = null;
  let at = {};

  // Boxes over the map, from its left upper corner, with room for an arrow.
  function covers(home) {
    const boxes = [...document.querySelectorAll(OVER)].map((node) => node.getBoundingClientRect()).filter((box) => box.width);
    return boxes.map(({ left, top, right, bottom }) => ({
      left: left - home.left - EDGE, top: top - home.top - EDGE, right: right - home.left + EDGE, bottom: bottom - home.top + EDGE }));
  }

  function draw() {
    if (!shown) return layer.replaceChildren();
    const home = map.getContainer().getBoundingClientRect();
    const size = { width: home.width, height: home.height, covers: covers(home) };
    const pixel = (place) => Object.values(map.project(place)).slice(0, 2);
    const start = pixel(shown.at);
    if (!inView(start, size)) return layer.replaceChildren();
    const rows = shown.owners.map((row) => ({ ...row, end: pixel(at[row.country]) }));
    const isNear = ({ country, end }) => country === shown.host || Math.hypot(end[0] - start[0], end[1] - start[1]) < NEAR;
    const far = rows.filter((row) => !isNear(row));
    const angles = fanned(far.map(({ end }) => lean(start, end)));
    const arcs = far.map(({ end }, i) => arcOf(start, end, angles[i], size));
    const lines = far.map(({ share_max: max }) => 1.4 + (3.6 * max) / 100);
    const shapes = [
      ...arcs.map(({ d }, i) => svg("path", { class: "arc-case", d, "stroke-width": lines[i] + 2.6 })),
      ...arcs.map(({ d }, i) => svg("path", { class: far[i].share_min > 0 ? "arc" : "arc maybe", d, "stroke-width": lines[i] })),
      ...arcs.map(headOf)];
    const said = ({ country, share_min: min, share_max: max }) => `${countryName(country)} ${share(min, max, shown.sites)}`;
    const labels = [
      ...rows.filter(isNear).map((row) => labelOf(said(row), { end: [start[0], start[1] - 15], before: start }, size)),
      ...far.map((row, i) => labelOf(said(row), arcs[i], size))];
    const ring = [-1, 0, 1, 2].map((line) => ({ x: start[0] - RING, y: start[1] + line * LINE, width: 2 * RING }));
    const heads = arcs.map(({ end: [x, y] }) => ({ x: x - 8, y: y + 5, width: 16 }));
    const under = size.covers.flatMap(({ left, top, right, bottom }) =>
      Array.from({ length: Math.ceil((bottom - top) / LINE) }, (_, i) => ({ x: left, y: top + i * LINE, width: right - left })));
    spread(labels.toSorted((a, b) => a.end[0] - b.end[0]), [...ring, ...heads, ...under]); // from left to right, as they are written
    const words = labels.map(({ text, x, y }) => svg("text", { x, y }, text));
    layer.replaceChildren(...shapes, ...labels.map(leaderOf).filter(Boolean), ...words);
  }

  map.on("move", draw);
  map.on("resize", draw);
  return async (answer) => {
    shown = null;
    draw();
    if (!answer) return;
    at = await countryPoints();
    const owners = answer.owners.filter((row) => at[row.country] && row.share_max >= LEAST).slice(0, MOST);
    shown = { ...answer, owners };
    draw();
  };
}
