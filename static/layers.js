// The MapLibre style: on the base map assets from tiles, strikes and the selection on top.
import { FILES, ROOT, SITES_ZOOM, archiveAddress } from "./origin.js";
import { BOLD, NO_OUTLINE, REGULAR, basemapSource, ground, placeNames } from "./basemap.js";
import { collection } from "./features.js";
import { LANG } from "./language.js";
import { OPEN_DASH, TABLE, base, scheme } from "./style.js";

const RANGES = {
  latin: ["U+0000-00FF", "U+0131", "U+2000-206F", "U+20AC"],
  "latin-ext": ["U+0100-0130", "U+0132-02BA", "U+1E00-1EFF"],
  cyrillic: ["U+0400-045F", "U+0490-0491", "U+04B0-04B1", "U+2116"],
  "cyrillic-ext": ["U+0460-048F", "U+0492-04AF", "U+04B2-052F"],
  greek: ["U+0370-03FF"],
};
// Scripts that the page is written in: their fonts are there. A font that is added to a page has all of it laid out and drawn anew,
// which without a graphics card takes up to a second, so the map adds those of other scripts alone, once it needs them.
const OWN = { latin: "a", ...(LANG === "uk" && { cyrillic: "\u0436" }) };

const face = (weight) => Object.entries(RANGES).filter(([script]) => !OWN[script]).map(([script, range]) => ({
  url: new URL(`vendor/fonts/noto-sans-${script}-${weight}-normal.woff2`, import.meta.url).href,
  "unicode-range": range,
}));

/** Resolves once the fonts of the page that the map writes with are there. */
export const written = () => Promise.allSettled([400, 700].map((weight) => document.fonts.load(`${weight} 48px "Noto Sans"`, Object.values(OWN).join(""))));

// URL would escape the braces.
const tiles = (name) => (FILES ? archiveAddress(name) : `${ROOT.href}tiles/${name}/{z}/{x}/{y}.mvt`);
const byZoom = (...stops) => ["interpolate", ["linear"], ["zoom"], ...stops];
const sized = (name) => byZoom(...TABLE.size[name].flat());

function sources() {
  return {
    base: basemapSource(),
    states: basemapSource(), // apart, so that a tint has no other layer laid out anew
    assets: { type: "vector", tiles: [tiles("assets")], maxzoom: SITES_ZOOM },
    strikes: { type: "geojson", data: collection() },
    doubt: { type: "geojson", data: collection() },
    sites: { type: "geojson", data: collection() },
    picked: { type: "geojson", data: collection() },
    card: { type: "geojson", data: collection() },
  };
}

const isLine = ["in", ["geometry-type"], ["literal", ["LineString", "MultiLineString"]]];
const isPoint = ["==", ["geometry-type"], "Point"];

// The name of an asset in the language of the page, where it has one.
const assetName = ["coalesce", ["get", `name_${LANG}`], ["get", "name"]];

const carriesGas = ["in", "gas", ["coalesce", ["get", "commodity"], ["get", "group"], ""]];

// What lies under the records is drawn where it works or is built, and what was never struck quietly and by zoom: lines by
// their length, sites close up.
const isOpen = ["==", ["get", "tier"], "open"];
const isStruck = [">", ["get", "n_strikes"], 0];
const isDrawn = ["any", ["!", isOpen], isStruck, ["in", ["get", "status"], ["literal", ["operating", "construction", "idle", "mothballed"]]]];
const isQuiet = ["all", isOpen, ["!", isStruck], isDrawn];
const isLoud = ["all", isDrawn, ["!", isQuiet]];
// A course of which hardly more than the ends is known.
const isRough = ["==", ["get", "basis"], "line-end"];
const isLongEnough = [">=", ["get", "length_km"], ["step", ["zoom"], 1000, 4, 300, 5, 100, 7, 0]];

function under(c) {
  const colour = ["case", carriesGas, TABLE.line.gas[scheme()], TABLE.line.oil[scheme()]];
  const source = { source: "assets", "source-layer": "assets" };
  const line = (id, filter, dash = {}) => ({
    id, type: "line", ...source, filter: ["all", isLine, isQuiet, isLongEnough, filter], layout: { "line-join": "round" },
    paint: { "line-color": colour, "line-width": 1, "line-opacity": byZoom(3, 0.3, 6, 0.45), ...dash },
  });
  return [
    line("open-line", ["!", isRough]),
    line("open-line-rough", isRough, { "line-dasharray": OPEN_DASH }),
    { id: "open-site", type: "circle", ...source, filter: ["all", isPoint, isQuiet], minzoom: TABLE.from.open,
      paint: { "circle-radius": sized("open"), "circle-color": c.quiet, "circle-opacity": 0.55 } },
    { id: "open-name", type: "symbol", ...source, filter: ["all", isPoint, isQuiet], minzoom: 10,
      layout: { "text-field": assetName, "text-font": REGULAR, "text-size": 10, "text-anchor": "left", "text-offset": [0.6, 0], "text-max-width": 9 },
      paint: { "text-color": c.faint, "text-halo-color": c.halo, "text-halo-width": 1.4 } },
  ];
}

function pipes(c) {
  const colour = (group) => TABLE.line[group][scheme()];
  const pipe = (id, group, filter) => ({
    id, type: "line", source: "assets", "source-layer": "assets", filter: ["all", isLine, isLoud, filter],
    layout: { "line-join": "round" },
    paint: { "line-color": colour(group), "line-width": sized("pipe"), ...(TABLE.line[group].dash && { "line-dasharray": TABLE.line[group].dash }) },
  });
  return [
    { id: "pipe-case", type: "line", source: "assets", "source-layer": "assets", filter: ["all", isLine, isLoud], paint: { "line-color": c.halo, "line-width": sized("case"), "line-opacity": 0.7 } },
    pipe("pipe-gas", "gas", carriesGas),
    pipe("pipe-oil", "oil", ["!", carriesGas]),
    { id: "pipe-name", type: "symbol", source: "assets", "source-layer": "assets", filter: ["all", isLine, isLoud], minzoom: 4.5,
      layout: { "symbol-placement": "line", "text-field": assetName, "text-font": REGULAR, "text-size": 11, "text-offset": [0, 0.9], "symbol-spacing": 420 },
      paint: { "text-color": c.quiet, "text-halo-color": c.halo, "text-halo-width": 1.5 } },
  ];
}

function sites(c) {
  return [
    { id: "site", type: "circle", source: "assets", "source-layer": "assets", filter: ["all", isPoint, isLoud], minzoom: TABLE.from.site,
      paint: { "circle-radius": sized("site"), "circle-color": c.paper, "circle-stroke-color": c.mark, "circle-stroke-width": 1.2 } },
    { id: "site-name", type: "symbol", source: "assets", "source-layer": "assets", filter: ["all", isPoint, isLoud], minzoom: 8,
      layout: { "text-field": assetName, "text-font": REGULAR, "text-size": 11, "text-anchor": "left", "text-offset": [0.7, 0], "text-max-width": 9 },
      paint: { "text-color": c.quiet, "text-halo-color": c.halo, "text-halo-width": 1.4 } },
  ];
}

// The site or line that a card is of.
function chosen(c) {
  return [
    { id: "card-line", type: "line", source: "card", filter: isLine, layout: { "line-join": "round" }, paint: { "line-color": c.ink, "line-width": 2.6 } },
    { id: "card-site", type: "circle", source: "card", filter: isPoint,
      paint: { "circle-radius": 8, "circle-opacity": 0, "circle-stroke-color": c.ink, "circle-stroke-width": 1.6 } },
  ];
}

const role = (name) => ["==", ["get", "role"], name];
const always = { "icon-allow-overlap": true, "icon-ignore-placement": true };
const avoided = { "icon-allow-overlap": true }; // names of places make room for it
const named = (font, size) => ({
  "text-field": ["get", "name"], "text-font": font, "text-size": size, "text-justify": "auto", "text-max-width": 11,
  "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 0.9,
});

// Areas that hold the true places of strikes, and the sites that belong to them, before one is chosen.
function doubt(c) {
  const area = ["==", ["get", "area"], true];
  const sure = ["==", ["get", "sure"], true];
  return [
    { id: "doubt-fill", type: "fill", source: "doubt", paint: { "fill-color": c.ink, "fill-opacity": 0.07, ...NO_OUTLINE } },
    { id: "doubt-hatch", type: "fill", source: "doubt", filter: area, paint: { "fill-pattern": "hatch", ...NO_OUTLINE } },
    { id: "doubt-line", type: "line", source: "doubt", filter: area, paint: { "line-color": c.ink, "line-width": 1.2, "line-opacity": 0.75, "line-dasharray": [3, 3] } },
    { id: "site-link-sure", type: "line", source: "sites", filter: ["all", role("link"), sure], paint: { "line-color": c.ink, "line-width": 1.2 } },
    { id: "site-link-maybe", type: "line", source: "sites", filter: ["all", role("link"), ["!", sure]], paint: { "line-color": c.ink, "line-width": 1.2, "line-dasharray": [2.5, 2.5] } },
    { id: "site-mark", type: "symbol", source: "sites", filter: role("site"), layout: { "icon-image": ["get", "image"], ...always } },
    { id: "site-mark-name", type: "symbol", source: "sites", filter: role("site"), minzoom: 8.5, layout: named(REGULAR, 11), paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 1.6 } },
  ];
}

function picked(c) {
  const certain = ["!=", ["get", "sure"], true];
  return [
    { id: "ring-fill", type: "fill", source: "picked", filter: role("ring"), paint: { "fill-color": c.ink, "fill-opacity": 0.08, ...NO_OUTLINE } },
    { id: "ring-line", type: "line", source: "picked", filter: role("ring"), paint: { "line-color": c.ink, "line-width": 1.4, "line-dasharray": [2, 2] } },
    { id: "hit-case", type: "line", source: "picked", filter: ["all", role("asset"), isLine], paint: { "line-color": c.halo, "line-width": 8, "line-opacity": 0.9 } },
    { id: "hit-line", type: "line", source: "picked", filter: ["all", role("asset"), isLine], paint: { "line-color": c.ink, "line-width": 2.6 } },
    { id: "hit-part", type: "line", source: "picked", filter: role("part"), paint: { "line-color": TABLE.struck[scheme()], "line-width": 6.5 } },
    { id: "link-sure", type: "line", source: "picked", filter: ["all", role("link"), ["!", certain]], paint: { "line-color": c.ink, "line-width": 2 } },
    { id: "link-maybe", type: "line", source: "picked", filter: ["all", role("link"), certain], paint: { "line-color": c.ink, "line-width": 1.6, "line-dasharray": [1.5, 1.5] } },
    { id: "hit-point", type: "symbol", source: "picked", filter: ["all", role("asset"), isPoint], layout: { "icon-image": ["get", "image"], "icon-size": 1.15, ...always } },
  ];
}

function marks(c) {
  return [
    { id: "strikes", type: "symbol", source: "strikes", filter: ["==", ["get", "n"], 1],
      layout: { "icon-image": ["get", "image"], "icon-size": sized("mark"), "symbol-sort-key": ["get", "order"], ...avoided } },
    { id: "share-name", type: "symbol", source: "strikes", filter: ["has", "label"],
      layout: { "text-field": ["get", "label"], "text-font": BOLD, "text-size": 12, "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 0.95 },
      paint: { "text-color": c.ink, "text-halo-color": c.halo, "text-halo-width": 1.8 } },
    { id: "stacks", type: "symbol", source: "strikes", filter: [">", ["get", "n"], 1],
      layout: { "icon-image": ["get", "image"], ...avoided, "symbol-sort-key": ["get", "order"],
        "text-field": ["get", "badge"], "text-font": BOLD, "text-size": 11.5, "text-allow-overlap": true, "text-ignore-placement": true },
      paint: { "text-color": c.ink } },
    { id: "spot", type: "circle", source: "picked", filter: role("strike"),
      paint: { "circle-radius": byZoom(2, 14, 8, 20), "circle-color": c.paper, "circle-stroke-color": c.ink, "circle-stroke-width": 2.6 } },
    { id: "spot-mark", type: "symbol", source: "picked", filter: role("strike"), layout: { "icon-image": ["get", "image"], "icon-size": sized("mark"), ...always } },
    { id: "hit-name", type: "symbol", source: "picked", filter: ["all", role("asset"), isPoint],
      layout: { ...named(BOLD, 12), "text-variable-anchor": ["top", "bottom", "left", "right"], "text-radial-offset": 1.5 },
      paint: { "text-color": c.ink, "text-halo-color": c.halo, "text-halo-width": 2 } },
  ];
}

/** A whole style for the reader's colour scheme. */
export function mapStyle() {
  const c = base();
  return {
    version: 8,
    "font-faces": { [REGULAR[0]]: face(400), [BOLD[0]]: face(700) },
    sources: sources(),
    layers: [...ground(c), ...under(c), ...pipes(c), ...sites(c), ...chosen(c), ...doubt(c), ...placeNames(c), ...picked(c), ...marks(c)],
  };
}
