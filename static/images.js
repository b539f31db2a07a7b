// The images that marks on the map name, each drawn once; they are there before a mark asks for them.
import { base } from "./style.js";
import { RATIO, markCanvas, pixelsOf, ringCanvas, siteCanvas } from "./symbols.js";
import { breath } from "./timing.js";

const MOST = 1500; // images, before those that nothing in view names are forgotten
const SLICE = 8; // milliseconds of drawing before the browser may do what waits for it
const FULL = 24; // pixels of a mark's shape at size 1
const sheet = document.createElement("canvas"); // on which one picture after the other is drawn, and read from

function hatchPattern() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 16;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(pen, { strokeStyle: base().ink, lineWidth: 1.3, globalAlpha: 0.38 });
  for (const at of [-16, 0, 16]) {
    pen.moveTo(at, 16);
    pen.lineTo(at + 16, 0);
  }
  pen.stroke();
  return canvas;
}

const FIXED = { hatch: hatchPattern, "site|sure": () => siteCanvas(true), "site|possible": () => siteCanvas(false) };

function add(map, name, canvasOf) {
  if (!map.hasImage(name)) map.addImage(name, pixelsOf(canvasOf()), { pixelRatio: RATIO });
}

/**
 * Add what is not there yet: images of marks and rings, by `name`, and those that are always needed, a few at a time as
 * long as they are wanted.
 */
export async function addImages(map, images, isWanted) {
  for (const [name, canvasOf] of Object.entries(FIXED)) add(map, name, canvasOf);
  let begun = performance.now();
  for (const { name, mark, ring, look, size } of images) {
    if (map.hasImage(name)) continue;
    if (performance.now() - begun > SLICE) {
      await breath();
      if (!isWanted()) return;
      begun = performance.now();
    }
    add(map, name, () => (mark ? markCanvas(mark, FULL, sheet) : ringCanvas(ring, look, size, sheet)));
  }
}

/** Forget images that are not needed any more, where there are very many. */
export function forgetImages(map, images) {
  const there = map.listImages();
  if (there.length <= MOST) return;
  const needed = new Set([...Object.keys(FIXED), ...images.map(({ name }) => name)]);
  there.filter((name) => !needed.has(name)).forEach((name) => map.removeImage(name));
}
