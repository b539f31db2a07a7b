// The images that marks on the map name, each drawn once; they are there before a mark asks for them.
import { base } from "./style.js";
import { RATIO, markCanvas, pixelsOf, ringCanvas, siteCanvas } from "./symbols.js";

const MOST = 1500; // images, before those that nothing in view names are forgotten
const FULL = 24; // pixels of a mark's shape at size 1

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

/** Add what is not there yet: images of marks and rings, by `name`, and those that are always needed; forget old ones. */
export function addImages(map, wanted) {
  const needed = new Set([...Object.keys(FIXED), ...wanted.map(({ name }) => name)]);
  const there = map.listImages();
  if (there.length > MOST) there.filter((name) => !needed.has(name)).forEach((name) => map.removeImage(name));
  for (const [name, canvasOf] of Object.entries(FIXED)) add(map, name, canvasOf);
  for (const { name, mark, ring, look, size } of wanted)
    add(map, name, () => (mark ? markCanvas(mark, FULL) : ringCanvas(ring, look, size)));
}
