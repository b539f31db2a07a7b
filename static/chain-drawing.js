// The ownership chain of an asset as a drawing: a layer of holders a step to the right, branches as wide as their shares.
import { el, svg } from "./dom.js";
import { chainTree, drawnRows, endsAt, folded } from "./chain-tree.js";
import { countryName, share } from "./figures.js";
import { counted, t, word } from "./text.js";

const ROW = 40; // pixels
const WIDEST = 18; // pixels of a branch that carries the whole
const THINNEST = 1.2;
const TURN = 9; // radius of the bend into a holder
const LEFT = 11;
const ACROSS = 150; // pixels that the layers share
const LAYER = 26;

const widthOf = (percent) => (percent > 0 ? Math.max(THINNEST, (percent / 100) * WIDEST) : 0);
const middle = (row) => (row + 1.5) * ROW;

/** The branch from a holder down to one of its own: what is certain is solid, the range above it pale. */
function branch(x, top, x2, y2, offset, [min, max]) {
  const from = x + offset;
  const d = `M${from} ${top}V${y2 - TURN}Q${from} ${y2} ${from + TURN} ${y2}H${x2}`;
  return [
    svg("path", { class: "branch range", d, "stroke-width": widthOf(max) }),
    min > 0 ? svg("path", { class: "branch", d, "stroke-width": widthOf(min) }) : null];
}

/** The branches from one row to the rows of its holders, side by side so that none crosses another. */
function branches(own, children, xOf) {
  const widths = children.map(({ node }) => widthOf(node.part[1]));
  let right = widths.reduce((sum, width) => sum + width, 0) / 2;
  return children.map(({ node, depth, index }, i) => {
    const offset = right - widths[i] / 2;
    right -= widths[i];
    return branch(xOf(own.depth), middle(own.index), xOf(depth), middle(index), offset, node.part);
  });
}

function mark({ node, depth, index }, xOf) {
  const [x, y] = [xOf(depth), middle(index)];
  const end = node?.ends.length ? node.ends[0].reach : null;
  if (end === "state") return svg("circle", { class: "node-mark state", cx: x, cy: y, r: 6 });
  return svg("rect", { class: `node-mark ${end ?? "on"}`, x: x - 5.5, y: y - 5.5, width: 11, height: 11 });
}

function words({ node, depth, index }, name, xOf) {
  const ends = node ? endsAt(node) : null;
  const { step } = node ?? {};
  const where = step && [step.type === "state" ? t("state") : step.country && countryName(step.country)].filter(Boolean).join(" · ");
  const line = el("div", { class: ends ? "drawn ends" : "drawn" },
    el("span", { class: "drawn-name" }, step ? step.name : name),
    el("span", { class: "drawn-share" }, share(...(ends ?? node?.part ?? [100, 100]))),
    el("span", { class: "drawn-where quiet" }, where));
  line.style.top = `${middle(index) - ROW / 2}px`;
  line.style.left = `${xOf(depth) + 15}px`;
  return line;
}

function picture(name, chains) {
  const rows = drawnRows(chainTree(chains)).map((row, index) => ({ ...row, index }));
  const layers = Math.max(...rows.map((row) => row.depth));
  const step = Math.min(LAYER, ACROSS / layers);
  const xOf = (depth) => LEFT + depth * step;
  const all = [{ depth: 0, index: -1, node: null }, ...rows];
  const height = all.length * ROW;
  const drawing = el("div", { class: "chain-drawing", role: "img", "aria-label": t("chainDrawn", { asset: name }) },
    svg("svg", { width: "100%", height, "aria-hidden": "true" },
      all.map((row) => branches(row, rows.filter(({ parent }) => parent === row.index), xOf)), all.map((row) => mark(row, xOf))),
    all.map((row) => words(row, name, xOf)));
  drawing.style.height = `${height}px`;
  return drawing;
}

/** The drawing of one hit asset, with a button that shows what is folded; null without chains. */
export function chainDrawing(hit) {
  if (!hit.chains.length) return null;
  const { name } = hit.asset;
  const place = el("div", {});
  const draw = (all) => {
    const { shown, folded: rest } = all ? { shown: hit.chains } : folded(hit.chains);
    const open = () => draw(true);
    place.replaceChildren(picture(name, shown), ...(rest ? [el("p", { class: "folded" },
      el("button", { type: "button", class: "plain", onclick: open }, counted("chainMore", rest.n)), " ",
      el("span", { class: "quiet" }, share(rest.share_min, rest.share_max)))] : []));
  };
  draw(false);
  return place;
}

/** What the marks of a drawing stand for, as far as they occur. */
export function drawingKey(hits) {
  const reaches = new Set(hits.flatMap((hit) => hit.chains.map((chain) => chain.reach)));
  const entry = (reach) => el("li", {}, svg("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14" },
    reach === "state" ? svg("circle", { class: "node-mark state", r: 6 })
      : svg("rect", { class: `node-mark ${reach}`, x: -5.5, y: -5.5, width: 11, height: 11 })), word("reach", reach));
  return el("ul", { class: "bar-key", "aria-hidden": "true" }, [...reaches].map(entry));
}
