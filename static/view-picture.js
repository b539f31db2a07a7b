// The picture of a view to take away: the map as it is shown, below the sentence of what is selected, above its key and its source.
import { about } from "./api.js";
import { byId } from "./dom.js";
import { dayWords } from "./edtf.js";
import { t } from "./text.js";

const MARGIN = 16;
const LEAST = 320; // CSS pixels of the width
const TITLE = 19; // CSS pixels of letters
const TEXT = 13;
const SMALL = 11.5;
const LINE = 1.4; // of the letters' size
const ENTRY = 22; // CSS pixels of a line of the key

/** An image of an address, once it is there. */
async function loaded(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

/** An SVG of the page as an image: what the style sheet says of it is written into it. */
function imageOf(node) {
  const copy = node.cloneNode(true);
  const [from, to] = [node, copy].map((one) => [one, ...one.querySelectorAll("*")]);
  from.forEach((one, i) => {
    const style = getComputedStyle(one);
    for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "opacity", "paint-order", "font", "text-anchor"])
      to[i].setAttribute(name, style.getPropertyValue(name));
  });
  const { width, height } = node.getBoundingClientRect();
  for (const [name, value] of Object.entries({ width: width || 26, height: height || 12, xmlns: "http://www.w3.org/2000/svg" })) copy.setAttribute(name, value);
  return loaded(`data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`);
}

/** The lines of a text that fit into a width. */
function wrapped(pen, text, width) {
  const lines = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** The parts of the key: { title, entries: [{ mark, label }] }; a mark is what can be drawn, and its size in CSS pixels. */
function keyParts() {
  return Promise.all([...byId("key").querySelectorAll("section")].map(async (section) => ({
    title: section.querySelector("h2").textContent,
    entries: await Promise.all([...section.querySelectorAll("li")].map(async (item) => {
      const [mark, label] = item.children;
      return { label: label.textContent, mark: mark instanceof SVGElement ? await imageOf(mark) : mark };
    })),
  })));
}

function drawMark(pen, mark, x, y) {
  if (mark instanceof HTMLCanvasElement) {
    const [width, height] = [mark.style.width, mark.style.height || mark.style.width].map(parseFloat);
    const tall = (width * mark.height) / mark.width || height;
    pen.drawImage(mark, x, y - tall / 2, width, tall);
    return width;
  }
  if (mark instanceof HTMLImageElement) return pen.drawImage(mark, x, y - mark.height / 2), mark.width;
  // The key of the page has these two as boxes with a style.
  pen.save();
  if (mark.classList.contains("key-area")) {
    pen.setLineDash([3, 2]);
    pen.beginPath();
    pen.arc(x + 9, y, 8, 0, 2 * Math.PI);
    pen.stroke();
  } else {
    pen.fillStyle = getComputedStyle(mark).backgroundColor;
    pen.fillRect(x, y - 3, 18, 6);
  }
  pen.restore();
  return 18;
}

/** Steps that draw a picture from the top down, each of which returns where it ends; without a pen they measure. */
function* steps(pen, { width, title, notes, map, arcs, key, foot }) {
  const inner = width - 2 * MARGIN;
  const text = (words, size, weight = 400, alpha = 1) => (y, draws) => {
    pen.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
    pen.globalAlpha = alpha;
    let at = y;
    for (const line of wrapped(pen, words, inner)) {
      at += size * LINE;
      if (draws) pen.fillText(line, MARGIN, at - size * 0.35);
    }
    pen.globalAlpha = 1;
    return at;
  };
  yield (y) => y + MARGIN * 0.6;
  yield text(title, TITLE, 700);
  for (const note of notes) yield text(note, TEXT, 400, 0.8);
  yield (y, draws) => {
    const top = Math.round(y + 8); // on whole pixels, so that it stays sharp
    if (draws) pen.drawImage(map, 0, top, width, map.tall);
    if (draws && arcs) pen.drawImage(arcs, 0, top, width, map.tall);
    return top + map.tall + 6;
  };
  for (const part of key) {
    yield text(part.title, TEXT, 700);
    yield (y, draws) => {
      pen.font = `400 ${TEXT}px ${getComputedStyle(document.body).fontFamily}`;
      let [x, middle] = [MARGIN, y + ENTRY / 2];
      for (const { mark, label } of part.entries) {
        const need = 34 + pen.measureText(label).width + 14;
        if (x > MARGIN && x + need > width - MARGIN) [x, middle] = [MARGIN, middle + ENTRY];
        if (draws) {
          drawMark(pen, mark, x, middle);
          pen.fillText(label, x + 34, middle + TEXT * 0.35);
        }
        x += need;
      }
      return middle + ENTRY / 2;
    };
  }
  yield (y) => y + 4;
  for (const words of foot) yield text(words, SMALL, 400, 0.8);
  yield (y) => y + MARGIN * 0.8;
}

/** What a picture says of where it is from: whose the data and the ground are, of which day and change, and its address. */
function footOf(said, address) {
  const version = t("printVersion", { day: dayWords(said.data_date), change: said.seq, history: said.history.slice(0, 16) });
  return [`${said.attribution}. ${byId("base-credit")?.textContent ?? ""}`, `StrikeAtlas. ${version}. ${address}`];
}

/** What is chosen, first the strike that is open, and what is counted of it and of which days. */
function wordsOf(view) {
  const count = byId("count");
  const strike = view.strike && byId("detail").querySelector("h2")?.textContent;
  const said = [strike, count.querySelector("strong")?.textContent, ...[...count.querySelectorAll(":scope > .quiet")].map((node) => node.textContent)];
  const [title, ...notes] = said.filter(Boolean);
  return { title, notes: [...notes, view.from || view.to ? "" : t("pictureDays"), t("pictureCounts")] };
}

/** Draw the picture of what a map shows of a view; resolves to a PNG. */
export async function pictureOfView(map, view) {
  const frame = byId("map-frame").getBoundingClientRect();
  const size = { width: Math.max(Math.round(frame.width), LEAST), height: Math.round(frame.height) };
  const arcs = document.querySelector("#map .arcs");
  const [said, key, drawnArcs] = await Promise.all([about(), keyParts(), arcs?.childElementCount ? imageOf(arcs) : null]);
  const ground = await loaded(map.asShown());
  ground.tall = size.height;
  const order = { ...wordsOf(view), width: size.width, map: ground, arcs: drawnArcs, key, foot: footOf(said, location.href) };
  const ratio = Math.max(2, ground.naturalWidth / size.width);
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(document.body);
  const [paper, ink] = [style.getPropertyValue("--paper") || "#fff", style.color];
  const run = (draws) => [...steps(pen, order)].reduce((y, step) => step(y, draws), 0);
  const height = run(false);
  [canvas.width, canvas.height] = [size.width * ratio, Math.ceil(height) * ratio];
  pen.scale(ratio, ratio);
  pen.fillStyle = paper;
  pen.fillRect(0, 0, size.width, height);
  [pen.fillStyle, pen.strokeStyle] = [ink, ink];
  run(true);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
