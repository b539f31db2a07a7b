// Shapes of arcs over the map, in pixels: their curves as far as they are seen, and labels that do not cover each other.

/** Pixels between an arrow and the edge of the map, and of a label's height. */
export const EDGE = 16;
export const LINE = 17;
const CLEAR = 21; // from the strike to where its arcs begin
const STEP = 6; // pixels by which a curve is followed until it is out of view
const BEYOND = 4; // steps that a curve goes on where it leaves the view
const TURN = 2 * Math.PI;
const GAP = TURN / 30; // between two arcs where they leave the strike

const mean = ({ members, sum }) => sum / members.length;

const between = (a, b, t) => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];

const direction = ([ax, ay], [bx, by]) => Math.atan2(by - ay, bx - ax);
const onward = ([x, y], angle, far) => [x + Math.cos(angle) * far, y + Math.sin(angle) * far];

/** The control point of the curve from a to b that leaves a at an angle. */
function bend(a, b, angle) {
  const far = Math.hypot(b[0] - a[0], b[1] - a[1]);
  return onward(a, angle, far / 2 / Math.max(0.5, Math.cos(angle - direction(a, b))));
}

/** The angle at which an arc from a to b leaves a where nothing is in its way: a little to the left. */
export function lean(a, b) {
  const far = Math.hypot(b[0] - a[0], b[1] - a[1]);
  return direction(a, b) - Math.atan2(Math.min(0.16 * far, 120), far / 2);
}

/**
 * Angles at which arcs leave one place, at least `gap` apart and in the order in which they lie around it, each as near to its
 * own as that allows: the least squares of an isotonic regression, from where the ring of them is widest open.
 */
export function fanned(angles, gap = GAP) {
  const ring = (angle) => ((angle % TURN) + TURN) % TURN;
  const order = [...angles.keys()].sort((i, j) => ring(angles[i]) - ring(angles[j]));
  const open = order.map((i, n) => ring(angles[i] - angles[order.at(n - 1)]) || (order.length > 1 ? 0 : TURN));
  const first = open.indexOf(Math.max(...open));
  const from = angles[order[first]];
  const blocks = []; // arcs that are pushed apart together
  for (const [n, i] of [...order.slice(first), ...order.slice(0, first)].entries()) {
    blocks.push({ members: [i], sum: ring(angles[i] - from) - n * gap });
    while (blocks.length > 1 && mean(blocks.at(-2)) > mean(blocks.at(-1))) {
      const { members, sum } = blocks.pop();
      blocks.at(-1).members.push(...members);
      blocks.at(-1).sum += sum;
    }
  }
  const fan = [...angles];
  blocks.flatMap((block) => block.members.map((i) => [i, mean(block)])).forEach(([i, at], n) => (fan[i] = from + at + n * gap));
  return fan;
}

const onCurve = (a, c, b, t) => between(between(a, c, t), between(c, b, t), t);

const inside = ([x, y], { left, top, right, bottom }) => x > left && x < right && y > top && y < bottom;

/** Whether a point lies in view, with room for an arrow, and under nothing: `covers` are boxes over the map. */
export function inView([x, y], { width, height, covers }) {
  if (covers.some((box) => inside([x, y], box))) return false;
  return x >= EDGE && y >= EDGE && x <= width - EDGE && y <= height - EDGE;
}

/**
 * The part of the curve that leaves a strike at an angle, from its ring: { d, end, before, whole }. One that is not whole goes on
 * beyond the end that has its arrow, out of the map, so that it ends at no place of it.
 */
export function arcOf(strike, b, angle, size) {
  const a = onward(strike, angle, CLEAR);
  const c = bend(a, b, angle);
  const all = Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) / STEP);
  let steps = 0;
  while (steps < all && inView(onCurve(a, c, b, (steps + 1) / all), size)) steps += 1;
  const [t, far] = [steps, Math.min(all, steps + BEYOND)].map((n) => n / all);
  const number = (pair) => pair.map((n) => n.toFixed(1)).join(" ");
  const d = `M${number(a)}Q${number(between(a, c, far))} ${number(onCurve(a, c, b, far))}`;
  return { d, end: onCurve(a, c, b, t), before: between(a, c, t), whole: steps === all };
}

/**
 * Labels beside what they name, at another of their places or moved up or down until none covers another or one that is
 * `there`: [{ sides, lines, width }], their places from the left and from the top in pixels, get their `x` and `y`.
 */
export function spread(labels, there = []) {
  const placed = [...there];
  for (const label of labels) {
    const isFree = ({ x, y }) => placed.every((other) =>
      Math.abs(other.y - y) >= LINE || x >= other.x + other.width || other.x >= x + label.width);
    const moves = Array.from({ length: 13 }, (_, i) => (i % 2 ? -1 : 1) * Math.ceil(i / 2) * LINE);
    const places = moves.flatMap((move) => label.lines.flatMap((y) => label.sides.map((x) => ({ x, y: y + move }))));
    Object.assign(label, places.find(isFree) ?? places[0]);
    placed.push(label);
  }
  return labels;
}
