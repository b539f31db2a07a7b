// Draws marks of strikes, rings of several, and sites, on canvases: the same pictures for the map and for its key.
import { el } from "./dom.js";
import { markName, markOf } from "./marks.js";
import { TABLE, base, hostKey, onScheme, scheme } from "./style.js";
import { painted } from "./timing.js";

const BOX = 24; // units of the paths in the table
const DASHES = [4.9, 3.4]; // units: few and long, so that they are seen as dashes in the smallest mark
const EDGE = 5; // units around it, for outline and halo
const SCALE = 2; // pixels of an image to one of the page
export const RATIO = SCALE;
const RINGS = [[10, 26], [50, 32], [1000, 38], [Infinity, 46]]; // fewer than so many strikes, pixels across

/** Keys into the table that marks are made of. */
export const KEYS = {
  host: hostKey,
  owner: (country) => (Object.hasOwn(TABLE.owner, country) ? country : "other"),
  shape: (group) => (Object.hasOwn(TABLE.group, group ?? "") ? group : "none"),
};

const TABLES = { host: "host", pie: "owner", tie: "tie" };

/** The colour of a part of a mark or ring, by what the fill means. */
function colour(look, key) {
  if (key === "share") return TABLE.share[scheme()];
  if (key === "certainty") return base().ink;
  const entry = TABLE[TABLES[look]]?.[key] ?? TABLE.owner.other;
  return entry[scheme()];
}

function canvasOf(width, height = width, canvas = document.createElement("canvas")) {
  [canvas.width, canvas.height] = [width, height]; // which clears it
  return [canvas, canvas.getContext("2d", { willReadFrequently: true })];
}

const levels = new Map(); // shape: for each of 48 lines from below, the part of the area up to it

function levelsOf(shape) {
  if (levels.has(shape)) return levels.get(shape);
  const [, pen] = canvasOf(1);
  const path = new Path2D(TABLE.group[shape]);
  const lines = Array.from({ length: 2 * BOX }, (_, i) => {
    const y = BOX - (i + 0.5) / 2;
    return Array.from({ length: 2 * BOX }, (_, j) => pen.isPointInPath(path, (j + 0.5) / 2, y)).filter(Boolean).length;
  });
  const whole = lines.reduce((sum, n) => sum + n, 0);
  let sum = 0;
  levels.set(shape, lines.map((n) => (sum += n) / whole));
  return levels.get(shape);
}

/** The height in a shape up to which its area is so large a part of the whole. */
function heightOf(shape, part) {
  if (part <= 0) return BOX;
  if (part >= 1) return 0;
  return BOX - (levelsOf(shape).findIndex((sum) => sum >= part) + 1) / 2;
}

function hatch(pen, style, [x, y, width, height], gap = 3.4) {
  pen.beginPath();
  for (let at = x - height; at < x + width; at += gap) {
    pen.moveTo(at, y + height);
    pen.lineTo(at + height, y);
  }
  pen.setLineDash([]);
  Object.assign(pen, { lineWidth: 1.3, strokeStyle: style }).stroke();
}

function fillShare(pen, { shape, level: [least, most] }) {
  const style = colour("share", "share");
  const [full, open] = [heightOf(shape, least), heightOf(shape, most)];
  pen.fillStyle = style;
  pen.fillRect(0, full, BOX, BOX - full);
  if (open >= full) return;
  pen.save();
  pen.beginPath();
  pen.rect(0, open, BOX, full - open);
  pen.clip();
  hatch(pen, style, [0, open, BOX, full - open]);
  pen.restore();
}

function fillPie(pen, { look, parts }) {
  let angle = -Math.PI / 2;
  for (const [key, part] of parts) {
    const end = angle + part * 2 * Math.PI;
    pen.beginPath();
    pen.moveTo(BOX / 2, BOX / 2);
    pen.arc(BOX / 2, BOX / 2, BOX, angle, end);
    pen.closePath();
    pen.fillStyle = colour(look, key);
    pen.fill();
    if (part < 1) Object.assign(pen, { lineWidth: 1.4, strokeStyle: base().paper }).stroke();
    angle = end;
  }
}

const plain = ({ look, parts }) => (look === "host" || look === "tie") && parts.length === 1;

function fill(pen, mark, path) {
  pen.fillStyle = base().paper;
  pen.fill(path);
  pen.save();
  pen.clip(path);
  if (mark.look === "share") fillShare(pen, mark);
  else if (!(mark.look === "host" && !mark.heavy)) fillPie(pen, mark);
  pen.restore();
}

// A place that is an area: a small mark in a dotted ring, whatever the zoom.
function areaRing(pen) {
  pen.save();
  pen.beginPath();
  pen.arc(BOX / 2, BOX / 2, BOX / 2 + 3.6, 0, 2 * Math.PI);
  pen.fillStyle = `${base().halo}99`;
  pen.fill();
  Object.assign(pen, { lineWidth: 1.8, strokeStyle: base().ink, lineCap: "round" }).setLineDash([0.1, 4]);
  pen.stroke();
  pen.restore();
  pen.translate(BOX / 2, BOX / 2);
  pen.scale(0.88, 0.88);
  pen.translate(-BOX / 2, -BOX / 2);
}

function drawMark(pen, mark) {
  if (mark.area) areaRing(pen);
  const path = new Path2D(TABLE.group[mark.shape]);
  const ink = plain(mark) ? colour(mark.look, mark.parts[0][0]) : mark.look === "share" ? colour("share", "share") : base().ink;
  const width = mark.heavy ? 2.8 : 1.7;
  pen.lineJoin = "round";
  Object.assign(pen, { lineWidth: width + 3, strokeStyle: base().halo }).stroke(path);
  fill(pen, mark, path);
  if (mark.outline === "dashed") {
    // Between the dashes and the fill there is paper all around: gaps that were cut out of the fill would make another shape.
    Object.assign(pen, { lineWidth: width + 3, strokeStyle: base().paper }).stroke(path);
    pen.setLineDash(DASHES);
  }
  Object.assign(pen, { lineWidth: width, strokeStyle: ink }).stroke(path);
  pen.setLineDash([]);
}

// Pixels across of the canvas of a mark whose shape is so wide in the page.
const acrossOf = (size) => Math.round(((BOX + 2 * EDGE) * size * SCALE) / BOX);

/** A mark as a canvas, a new one or one that is drawn over; `size` is the width of the shape's box in pixels of the page. */
export function markCanvas(mark, size = BOX, sheet = undefined) {
  const scale = (size * SCALE) / BOX;
  const [canvas, pen] = canvasOf(acrossOf(size), acrossOf(size), sheet);
  pen.scale(scale, scale);
  pen.translate(EDGE, EDGE);
  drawMark(pen, mark);
  return canvas;
}

const drawnRows = new Map(); // canvases by size and mark: a list has few unlike ones

const rowMarks = new WeakMap(); // what the elements of rows show: [mark, size]

function drawRowMark(canvas) {
  const [mark, size] = rowMarks.get(canvas);
  const name = `${scheme()}|${size}|${markName(mark)}`;
  if (!drawnRows.has(name)) drawnRows.set(name, markCanvas(mark, size));
  const picture = drawnRows.get(name);
  canvasOf(picture.width, picture.width, canvas)[1].drawImage(picture, 0, 0);
}

let first = []; // canvases of the rows that came first, until they are drawn

// The first canvas of a page waits for whatever draws: by then the rows are in sight.
function drawFirst() {
  const all = first;
  first = null;
  all.forEach(drawRowMark);
}

/** The mark of a row as an element, `size` pixels of the page across its shape; it has the colours of the reader's scheme. */
export function rowMark(row, view, size = 15) {
  const canvas = el("canvas", { class: "symbol", "aria-hidden": "true", width: acrossOf(size), height: acrossOf(size) });
  canvas.style.width = `${acrossOf(size) / SCALE}px`;
  rowMarks.set(canvas, [markOf(row, view, KEYS), size]);
  if (!first) drawRowMark(canvas);
  else if (first.push(canvas) === 1) painted().then(drawFirst);
  return canvas;
}

onScheme(() => [...document.querySelectorAll("canvas.symbol")].filter((canvas) => rowMarks.has(canvas)).forEach(drawRowMark));

/** Pixels across of the ring of so many strikes. */
export const ringSize = (n) => RINGS.find(([below]) => n < below)[1];

/** The ring of several strikes, on a new canvas or one that is drawn over: what is sure is solid, what is possible is ticked. */
export function ringCanvas(ring, look, size, sheet = undefined) {
  const [canvas, pen] = canvasOf(size * SCALE, size * SCALE, sheet);
  pen.scale(SCALE, SCALE);
  const middle = size / 2;
  const disk = (radius, style) => {
    pen.beginPath();
    pen.arc(middle, middle, radius, 0, 2 * Math.PI);
    pen.fillStyle = style;
    pen.fill();
  };
  disk(middle - 0.5, base().halo);
  disk(middle - 1.5, base().paper);
  let angle = -Math.PI / 2;
  const gap = ring.length > 1 ? 0.05 : 0;
  for (const [key, part, sure] of ring) {
    const end = angle + part * 2 * Math.PI;
    pen.beginPath();
    pen.arc(middle, middle, middle - 4, angle + gap, Math.max(angle + gap + 0.04, end - gap));
    pen.setLineDash(sure === "sure" ? [] : [1.6, 1.9]);
    Object.assign(pen, { lineWidth: key ? 4.4 : 1.4, strokeStyle: key ? colour(look, key) : base().quiet }).stroke();
    angle = end;
  }
  return canvas;
}

/** A site that was hit, or one that may have been: whole and dashed. */
export function siteCanvas(sure, size = 13) {
  const [canvas, pen] = canvasOf(size * SCALE);
  pen.scale(SCALE, SCALE);
  pen.beginPath();
  pen.arc(size / 2, size / 2, size / 2 - 2, 0, 2 * Math.PI);
  pen.fillStyle = base().paper;
  pen.fill();
  Object.assign(pen, { lineWidth: 4, strokeStyle: base().halo }).stroke();
  pen.setLineDash(sure ? [] : [2.2, 1.8]);
  Object.assign(pen, { lineWidth: 2, strokeStyle: base().ink }).stroke();
  if (sure) {
    pen.beginPath();
    pen.arc(size / 2, size / 2, 1.9, 0, 2 * Math.PI);
    pen.fillStyle = base().ink;
    pen.fill();
  }
  return canvas;
}

/** The pixels of a canvas, as the map takes them. */
export const pixelsOf = (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
