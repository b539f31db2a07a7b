"use strict";
// The one-file map. What it shows is in the page as JSON, and only ever becomes text, never HTML or script.
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const { strikes, sources, lines, texts, colours, box } = read("data");
const element = (id) => document.getElementById(id);
const said = (name, gaps = {}) => texts[name].replace(/\{(\w+)\}/g, (_, gap) => gaps[gap]);
const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const words = strikes.map((strike) => folded([strike.t, strike.p, strike.h, ...strike.o, ...strike.n, strike.q].join(" ")));
let shown = strikes.map((_, at) => at);
let map = null;

function add(parent, name, text = "", className = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  parent.append(made);
  return made;
}

function addList(parent, heading, rows) {
  if (!rows.length) return;
  add(parent, "h3", heading);
  const list = add(parent, "ul");
  for (const row of rows) add(list, "li", row);
}

function addSources(parent, numbers) {
  if (!numbers.length) return;
  add(parent, "h3", said("sources"));
  const list = add(parent, "ul");
  for (const [name, address] of numbers.map((number) => sources[number])) {
    const item = add(list, "li");
    if (!/^https?:\/\//i.test(address)) item.textContent = name;
    else {
      const link = add(item, "a", name);
      link.href = address;
      link.rel = "noreferrer noopener";
      link.target = "_blank";
    }
  }
}

function open(at, isMoved = true) {
  const strike = strikes[at], box = element("detail");
  box.replaceChildren();
  const back = add(box, "button", said("close"));
  back.type = "button";
  back.addEventListener("click", close);
  add(box, "h2", strike.t);
  add(box, "p", [strike.w, strike.p, strike.s].filter(Boolean).join(" · "), "quiet");
  if (strike.h) add(box, "p", strike.h);
  addList(box, said("owners"), strike.o);
  add(box, "p", strike.r, "quiet");
  addList(box, said("others"), strike.n);
  addSources(box, strike.c);
  add(box, "p", strike.v, "quiet");
  element("found").hidden = true;
  box.hidden = false;
  box.focus();
  if (!map) return;
  const features = strike.x === null ? [] : [...circle(strike), point(at)];
  map.getSource("chosen").setData({ type: "FeatureCollection", features });
  if (features.length && isMoved) map.jumpTo({ center: [strike.x, strike.y], zoom: Math.max(map.getZoom(), 6) });
}

function closeDetail() {
  element("detail").hidden = true;
  element("found").hidden = false;
  map?.getSource("chosen").setData({ type: "FeatureCollection", features: [] });
}

function close() {
  closeDetail();
  element("search").focus();
}

/** The circle that holds the true place, on a sphere: it is drawn to see it, nothing is measured by it. */
function circle({ x, y, u }) {
  if (!u) return [];
  const ring = Array.from({ length: 49 }, (_, step) => {
    const angle = (step / 24) * Math.PI, up = (u / 111320) * Math.sin(angle);
    return [x + ((u / 111320) * Math.cos(angle)) / Math.cos((y * Math.PI) / 180), y + up];
  });
  return [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }];
}

function point(at) {
  const { x, y, k, f } = strikes[at];
  return { type: "Feature", properties: { at, k, f }, geometry: { type: "Point", coordinates: [x, y] } };
}

const points = () => ({ type: "FeatureCollection", features: shown.filter((at) => strikes[at].x !== null).map(point) });

/** List strikes by their numbers. */
function list(numbers, heading) {
  element("count").textContent = heading;
  const rows = numbers.map((at) => {
    const item = document.createElement("li"), button = add(item, "button");
    button.type = "button";
    add(button, "span", strikes[at].t);
    add(button, "small", [strikes[at].w, strikes[at].p].filter(Boolean).join(" · "));
    button.addEventListener("click", () => open(at));
    return item;
  });
  element("list").replaceChildren(...rows);
}

function filter() {
  const wanted = folded(element("search").value).split(/\s+/).filter(Boolean);
  const from = element("from").value, until = element("until").value;
  shown = strikes.map((_, at) => at).filter((at) => {
    const { a, b } = strikes[at];
    if ((from && b && b < from) || (until && a && a > until)) return false;
    return wanted.every((word) => words[at].includes(word));
  });
  list(shown, said("count", { shown: shown.length, all: strikes.length }));
  map?.getSource("strikes").setData(points());
}

/** Open the strike at a place; of several at one place list them. */
function choose(found) {
  const numbers = [...new Set(found.map((feature) => feature.properties.at))];
  if (numbers.length === 1) return open(numbers[0], false);
  close();
  list(numbers, said("here", { n: numbers.length }));
}

/** Unpack a text that is in the page. */
async function unpacked(id) {
  const packed = Uint8Array.from(atob(element(id).textContent), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

const moduleAddress = async (id) => URL.createObjectURL(new Blob([await unpacked(id)], { type: "text/javascript" }));

function style({ land, names }) {
  const empty = { type: "FeatureCollection", features: [] };
  const sources = { land, names, lines, strikes: points(), chosen: empty };
  const hue = ["match", ["get", "k"], "UA", colours.UA, "RU", colours.RU, colours.other];
  const dot = { "circle-color": ["case", ["==", ["get", "f"], 1], hue, "#ffffff"], "circle-stroke-color": ["case", ["==", ["get", "f"], 1], "#ffffff", hue] };
  return {
    version: 8,
    sources: Object.fromEntries(Object.entries(sources).map(([name, data]) => [name, { type: "geojson", data }])),
    layers: [
      { id: "sea", type: "background", paint: { "background-color": "#d9e6ee" } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": "#f6f4ee" } },
      { id: "coast", type: "line", source: "land", paint: { "line-color": "#8d857a", "line-width": 0.8 } },
      { id: "lines", type: "line", source: "lines", paint: { "line-color": "#6d6d6d", "line-width": 1.6 } },
      { id: "circle", type: "fill", source: "chosen", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#0b57a4", "fill-opacity": 0.12, "fill-outline-color": "#0b57a4" } },
      { id: "strikes", type: "circle", source: "strikes", paint: { ...dot, "circle-radius": 6, "circle-stroke-width": 1.8 } },
      { id: "chosen", type: "circle", source: "chosen", filter: ["==", ["geometry-type"], "Point"], paint: { ...dot, "circle-radius": 9, "circle-stroke-width": 3 } },
      { id: "names", type: "symbol", source: "names", filter: ["<=", ["get", "z"], ["zoom"]], layout: { "text-field": ["get", "n"], "text-font": ["sans-serif"], "text-size": ["case", ["get", "c"], 12, 11], "text-transform": ["case", ["get", "c"], "uppercase", "none"], "symbol-sort-key": ["get", "z"] }, paint: { "text-color": "#2b2f33", "text-halo-color": "#ffffff", "text-halo-width": 1.4 } },
    ],
  };
}

async function drawMap() {
  const [library, worker] = await Promise.all(["library", "worker"].map(moduleAddress));
  const base = JSON.parse(await unpacked("base"));
  const gl = await import(library);
  gl.setWorkerUrl(worker);
  const drawn = new gl.Map({
    container: "map", style: style(base), bounds: box, fitBoundsOptions: { padding: 40, maxZoom: 8 }, attributionControl: false,
    dragRotate: false, pitchWithRotate: false, renderWorldCopies: true, fadeDuration: 0,
    locale: { "Map.Title": said("map"), "NavigationControl.ZoomIn": said("zoomIn"), "NavigationControl.ZoomOut": said("zoomOut") },
  });
  drawn.touchZoomRotate.disableRotation();
  drawn.addControl(new gl.NavigationControl({ showCompass: false }), "top-right");
  drawn.addControl(new gl.ScaleControl({}), "bottom-right");
  await new Promise((done) => drawn.once("load", done));
  map = drawn;
  map.getSource("strikes").setData(points());
  map.on("click", (event) => {
    const found = map.queryRenderedFeatures([[event.point.x - 5, event.point.y - 5], [event.point.x + 5, event.point.y + 5]], { layers: ["strikes"] });
    if (found.length) choose(found);
  });
  map.once("idle", () => document.documentElement.setAttribute("data-drawn", ""));
}

element("form").addEventListener("input", () => { if (!element("detail").hidden) closeDetail(); filter(); });
element("form").addEventListener("submit", (event) => event.preventDefault());
filter();
drawMap().catch((error) => {
  console.warn(error);
  element("map").replaceChildren();
  add(element("map"), "p", said("noMap"));
});
