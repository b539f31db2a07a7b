// Shapes of arcs over the map, in pixels: their curves as far as they are seen, and labels that do not cover each other.

/** Pixels between an arrow and the edge of the map, and of a label's height. */
export const EDGE = 16;
export const LINE = 17;
const CLEAR = 21; // from the strike to where its arcs begin
const STEP = 6; // pixels by which a curve is followed until it is out of view

const between = (a, b, t) => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];

/** The curve from a to b, bent to its left: its middle control point. */
function bend([ax, ay], [bx, by]) {
  const far = Math.hypot(bx - ax, by - ay) || 1;
  const out = Math.min(0.16 * far, 120);
  return [(ax + bx) / 2 + ((by - ay) / far) * out, (ay + by) / 2 - ((bx - ax) / far) * out];
}

const onCurve = (a, c, b, t) => between(between(a, c, t), between(c, b, t), t);

const inside = ([x, y], { left, top, right, bottom }) => x > left && x < right && y > top && y < bottom;

/** Whether a point lies in view, with room for an arrow, and under nothing: `covers` are boxes over the map. */
export function inView([x, y], { width, height, covers }) {
  if (covers.some((box) => inside([x, y], box))) return false;
  return x >= EDGE && y >= EDGE && x <= width - EDGE && y <= height - EDGE;
}

/** Where an arc leaves the ring of the selected strike. */
export const outside = (a, b) => between(a, b, CLEAR / Math.hypot(b[0] - a[0], b[1] - a[1]));

/** The part of a curve from its begin until it leaves the view: { d, end, before, whole }. */
export function arcOf(a, b, size) {
  const c = bend(a, b);
  const all = Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) / STEP);
  let steps = 0;
  while (steps < all && inView(onCurve(a, c, b, (steps + 1) / all), size)) steps += 1;
  const t = steps / all;
  const [mid, end] = [between(a, c, t), onCurve(a, c, b, t)];
  const number = (pair) => pair.map((n) => n.toFixed(1)).join(" ");
  return { d: `M${number(a)}Q${number(mid)} ${number(end)}`, end, before: mid, whole: steps === all };
}

/** Labels moved up or down until none covers another, or one that is `there`: [{ x, y, width }] get their `y`. */
export function spread(labels, there = []) {
  const placed = [...there];
  for (const label of labels) {
    const hits = (y) => placed.some((other) => Math.abs(other.y - y) < LINE && label.x < other.x + other.width && other.x < label.x + label.width);
    const moves = Array.from({ length: 13 }, (_, i) => (i % 2 ? -1 : 1) * Math.ceil(i / 2) * LINE);
    label.y += moves.find((move) => !hits(label.y + move)) ?? 0;
    placed.push(label);
  }
  return labels;
}
