// The base map: its tiles, and how they are drawn. The server says in TileJSON what the tiles hold: those that come with the program,
// an operator's in the schema of Protomaps, or, where none were built, countries and places alone.
import { FILES, ROOT, archiveAddress } from "./origin.js";
import { TILE_ADDRESS, serveBaseTiles } from "./base-tiles.js";
import { TABLE, base, scheme } from "./style.js";
import { t } from "./text.js";

/** The fonts of names: what a font adds to the page's own, by the names of `font-faces`, and then that. */
export const REGULAR = ["Noto Sans Regular", "Noto Sans"];
export const BOLD = ["Noto Sans Bold", "Noto Sans"];
const STREETS = 17; // the last zoom on a map with streets
const OVER = 4; // zooms beyond the last tiles

async function described() {
  const answer = await fetch(new URL("tiles/basemap.json", ROOT.href)).catch(() => null);
  return answer?.ok ? answer.json() : { maxzoom: 8, vector_layers: [] };
}

const about = await described();
const archives = FILES ? await import("./archive.js") : null;
const has = (layer) => about.vector_layers.some((one) => one.id === layer);
const protomaps = has("earth") && has("places") ? await import("./vendor/protomaps-basemaps/esm/index.js") : null;
const detailed = has("sea");

/** The last zoom that the map may be brought to. */
export const MAX_ZOOM = protomaps ? STREETS : about.maxzoom + OVER;

/** Let MapLibre, given as its module, ask for the tiles of the source. */
export const serveBasemap = (gl) => archives ? archives.serveArchives(gl) : serveBaseTiles(gl, about.tile_boxes, ([z, x, y]) => `${ROOT.href}tiles/basemap/${z}/${x}/${y}.mvt`);

/** The source of the base map's tiles, as the style names it. */
export const basemapSource = () => ({
  type: "vector", tiles: [FILES ? archiveAddress("basemap") : TILE_ADDRESS], minzoom: about.minzoom ?? 0, maxzoom: about.maxzoom, sparse: true,
  ...(protomaps && about.bounds && { bounds: about.bounds }), // an extract of a region has no tiles elsewhere
});

const byZoom = (...stops) => ["interpolate", ["linear"], ["zoom"], ...stops];
const sized = (name) => byZoom(...TABLE.size[name].flat());
const layer = (id, type, from, rest) => ({ id, type, source: "base", "source-layer": from, ...rest });
const language = () => document.documentElement.lang || "en";
const name = () => ["coalesce", ["get", `name_${language()}`], ["get", "name_en"], ["get", "name"]];
// A name stands where it belongs, or else above, below or beside that, so far off that a mark of strikes has room.
const around = (far) => ["top", [0, far], "bottom", [0, -far], "left", [far, 0], "right", [-far, 0]];
const beside = (...offsets) => ({ "text-variable-anchor-offset": offsets.flat(), "text-justify": "auto" });
/** An area that a line is drawn around has no outline of its own, which takes a program more and as many draws. */
export const NO_OUTLINE = { "fill-antialias": false };
const tint = (c) => ({ ...layer("chosen", "fill", "country", { layout: { visibility: "none" }, paint: { "fill-color": c.chosen, ...NO_OUTLINE } }), source: "states" });

// A layer for each rank of rivers, as widths that differ within a layer have a program of their own linked. Pixels at zooms 3, 7 and 10.
const RIVERS = [["river", ["==", ["get", "rank"], 1], 0.6, 1.6, 3], ["stream", ["==", ["get", "rank"], 2], 0.35, 1.3, 2.6], ["brook", [">", ["get", "rank"], 2], 0.35, 0.8, 1.8]];
const rivers = (c) => ([id, filter, ...widths]) => layer(id, "line", "river", {
  filter, layout: { "line-cap": "round", "line-join": "round" },
  paint: { "line-color": c.river, "line-width": ["interpolate", ["exponential", 1.4], ["zoom"], ...[3, 7, 10].flatMap((zoom, i) => [zoom, widths[i]])] } });

// Water lies over the tint: countries end where Natural Earth has its coast, which is not quite that of the water.
function detailedGround(c) {
  const water = { "fill-color": c.sea, ...NO_OUTLINE };
  return [
    { id: "land", type: "background", paint: { "background-color": c.land } },
    tint(c),
    layer("region", "line", "region", { minzoom: 5, paint: { "line-color": c.border, "line-width": byZoom(5, 0.4, 9, 1), "line-opacity": byZoom(5, 0.35, 8, 0.6), "line-dasharray": [3, 2] } }),
    ...RIVERS.map(rivers(c)),
    layer("sea", "fill", "sea", { paint: water }),
    layer("lake", "fill", "lake", { paint: water }),
    layer("coast", "line", "sea", { paint: { "line-color": c.coast, "line-width": sized("coast") } }),
    layer("shore", "line", "lake", { paint: { "line-color": ["step", ["zoom"], c.sea, 5, c.coast], "line-width": sized("coast") } }),
    layer("border", "line", "boundary", { layout: { "line-join": "round" }, paint: { "line-color": c.border, "line-width": sized("border") } }),
  ];
}

function plainGround(c) {
  return [
    { id: "sea", type: "background", paint: { "background-color": c.sea } },
    layer("land", "fill", "country", { paint: { "fill-color": c.land } }),
    tint(c),
    layer("coast", "line", "country", { paint: { "line-color": c.coast, "line-width": sized("coast") } }),
    layer("border", "line", "boundary", { paint: { "line-color": c.border, "line-width": sized("border") } }),
  ];
}

// There is no sprite, so towns are named without a dot, and shields of roads and places of interest are left out. The
// fonts are the page's own two.
function theirLayers() {
  const flavour = { ...protomaps.namedFlavor(scheme()), regular: REGULAR.join(), bold: BOLD.join(), italic: REGULAR.join() };
  const layers = protomaps.layers("base", flavour, { lang: language() });
  return layers.filter((one) => one["source-layer"] === "places" || !one.layout?.["icon-image"]).map(withoutIcon);
}

function withoutIcon({ layout = {}, ...rest }) {
  const kept = Object.entries(layout).filter(([property]) => !property.startsWith("icon-"));
  return { ...rest, id: `base-${rest.id}`, layout: Object.fromEntries(kept) };
}

const isLabel = (one) => one.type === "symbol";

/** Land and water, under all that the map shows. */
export function ground(c) {
  if (!protomaps) return detailed ? detailedGround(c) : plainGround(c);
  // No tiles of Protomaps have countries as areas, so none is tinted.
  return [...theirLayers().filter((one) => !isLabel(one)), { id: "chosen", type: "background", layout: { visibility: "none" } }];
}

/** Names of places, regions, seas and countries, the more important ones later. */
export function placeNames(c) {
  return protomaps ? theirLayers().filter(isLabel) : ownNames(c);
}

function ownNames(c) {
  const halo = { "text-halo-color": c.halo, "text-halo-width": 1.4 };
  const people = ["coalesce", ["get", "population"], 0];
  const size = ["interpolate", ["linear"], ["zoom"], 4, 10.5, 9, ["step", people, 11, 20000, 12.5, 200000, 15], 12, ["step", people, 12, 20000, 14, 200000, 17]];
  const wet = { "text-color": c.water, "text-halo-color": c.sea, "text-halo-width": 1 };
  const named = [
    layer("place-name", "symbol", "place", { minzoom: 4,
      layout: { "text-field": name(), "text-font": ["case", ["==", ["get", "capital"], true], ["literal", BOLD], ["literal", REGULAR]], "text-size": size, "symbol-sort-key": ["-", 0, people], "text-padding": byZoom(4, 6, 9, 3), ...beside(around(0.5), around(1.6)) },
      paint: { "text-color": c.quiet, ...halo } }),
    layer("country-name", "symbol", "country_label", { maxzoom: 7,
      filter: ["<=", ["coalesce", ["get", "label_rank"], 9], ["step", ["zoom"], 3, 3, 4, 5, 7]],
      layout: { "text-field": name(), "text-font": BOLD, "text-size": byZoom(2, 10, 6, 15), "text-letter-spacing": 0.08, "text-max-width": 7, ...beside(["center", [0, 0]], around(1.5), around(2.6)) },
      paint: { "text-color": c.text, ...halo, "text-opacity": 0.85 } }),
  ];
  if (!detailed) return named;
  return [
    layer("region-name", "symbol", "region_label", { minzoom: 6, maxzoom: 10,
      layout: { "text-field": name(), "text-font": REGULAR, "text-size": byZoom(6, 10.5, 9, 14), "text-letter-spacing": 0.12, "text-max-width": 7 },
      paint: { "text-color": c.faint, ...halo } }),
    layer("sea-name", "symbol", "sea_label", {
      layout: { "text-field": name(), "text-font": REGULAR, "text-size": byZoom(3, 11, 8, 16), "text-letter-spacing": 0.14, "text-max-width": 6, ...beside(["center", [0, 0]], around(1.5), around(2.6)) },
      paint: wet }),
    ...named,
  ];
}

// An operator's attribution may be HTML: only its text is taken.
function credited() {
  if (detailed) return t("baseDetailed");
  const words = new DOMParser().parseFromString(about.attribution ?? "", "text/html").body.textContent;
  return protomaps && words ? words : t("credit");
}

/** Whose the base map is, in words. */
export const CREDIT = credited();
