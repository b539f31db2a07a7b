// Arcs from the selected strike to the states its owners count to, drawn over the map; one out of view is pointed at.
import { EDGE, LINE, arcOf, inView, outside, spread } from "./arc-shapes.js";
import { svg } from "./dom.js";
import { countryName, share } from "./figures.js";

const MOST = 8; // arcs; the record has them all
const LEAST = 1; // percent
const NEAR = 46; // pixels within which a state needs no arc
const RING = 30; // pixels from the strike that no label covers
const LETTER = 7.4; // pixels of a letter, about
const OVER = "#key, .maplibregl-ctrl-top-right, .maplibregl-ctrl-bottom-right"; // what lies over the map

let points = null;

/** Where states are written on the map: lon/lat by ISO 3166-1 code (Natural Earth, public domain). */
const countryPoints = () =>
  (points ??= fetch(new URL("country-points.json", import.meta.url)).then((answer) => answer.json(), () => ({})));

function arrow([x, y], [fromX, fromY], size) {
  const angle = Math.atan2(y - fromY, x - fromX);
  const corner = (turn, far) => `${(x + Math.cos(angle + turn) * far).toFixed(1)} ${(y + Math.sin(angle + turn) * far).toFixed(1)}`;
  return svg("path", { class: "arc-head", d: `M${corner(0, size * 0.5)}L${corner(2.5, size)}L${corner(-2.5, size)}Z` });
}

function labelOf(text, [x, y], { width, height }) {
  const long = text.length * LETTER;
  const left = x + 12 + long > width - 8 ? x - 12 - long : x + 12;
  return { text, x: Math.max(8, left), y: Math.min(height - 12, Math.max(LINE, y - 8)), width: long };
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
    const [shapes, labels] = [[], []];
    for (const { country, share_min: min, share_max: max } of shown.owners) {
      const text = `${countryName(country)} ${share(min, max, shown.sites)}`;
      const end = pixel(at[country]);
      const near = country === shown.host || Math.hypot(end[0] - start[0], end[1] - start[1]) < NEAR;
      if (near) {
        labels.push(labelOf(text, [start[0], start[1] - 24], size));
        continue;
      }
      const arc = arcOf(outside(start, end), end, size);
      const line = 1.4 + (3.6 * max) / 100;
      shapes.push(svg("path", { class: "arc-case", d: arc.d, "stroke-width": line + 2.6 }),
        svg("path", { class: min > 0 ? "arc" : "arc maybe", d: arc.d, "stroke-width": line }),
        arc.whole ? svg("circle", { class: "arc-head", cx: arc.end[0], cy: arc.end[1], r: 4.5 }) : arrow(arc.end, arc.before, 11));
      labels.push(labelOf(text, arc.end, size));
    }
    const ring = [-1, 0, 1, 2].map((line) => ({ x: start[0] - RING, y: start[1] + line * LINE, width: 2 * RING }));
    const words = spread(labels, ring).map(({ text, x, y }) => svg("text", { x, y }, text));
    layer.replaceChildren(...shapes, ...words);
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
