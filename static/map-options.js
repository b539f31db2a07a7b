// What the map starts with, and how it moves.
import { MAX_ZOOM } from "./basemap.js";
import { el } from "./dom.js";
import { sightAt, startView } from "./in-view.js";
import { mapStyle } from "./layers.js";
import { t } from "./text.js";
import { breath } from "./timing.js";
import { tintOf } from "./tint.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const GLIDE = 700; // milliseconds

/** Milliseconds that the map takes to go somewhere; none for readers who want no motion. */
export const glide = () => (CALM.matches ? 0 : GLIDE);

/** A feature may be drawn in a copy of the world: its popup belongs to the copy that was pointed at. */
export function unwrapped(coordinates, lng) {
  let [x, y] = coordinates;
  while (Math.abs(lng - x) > 180) x += lng > x ? 360 : -360;
  return [x, y];
}

/** Where a map is: longitude, latitude and zoom. */
export function placeOf(map) {
  const { lng, lat } = map.getCenter().wrap();
  return [lng, lat, map.getZoom()];
}

// Of a map's size, at most, that is left free at an edge when strikes are brought into view, and of its height to the key.
const FREE = 0.2;
const COVERED = 0.4;

/** How strikes are brought into view: apart from the edges, no closer than a zoom, and above the key on the map. */
export function framed(map, margin = 60, maxZoom = 6) {
  const { clientWidth, clientHeight } = map.getContainer();
  const key = Math.min(document.getElementById("key")?.offsetHeight ?? 0, COVERED * clientHeight);
  const [aside, above] = [clientWidth, clientHeight].map((length) => Math.min(margin, FREE * length));
  return { padding: { top: above, right: aside, bottom: above + key, left: aside }, maxZoom };
}

/** What is in view of a map, or will be once a box is brought into view: [[west, south], [east, north]], and the zoom. */
export function sightOf(map, box = null) {
  const camera = box && map.cameraForBounds(box, framed(map)); // none where the frame is too small for the padding
  if (!camera) return [map.getBounds().toArray(), map.getZoom()];
  return sightAt([camera.center.lng, camera.center.lat, camera.zoom]);
}

// Pixels of a draft to each of the screen's. To link a program waits for whatever was drawn before it: without a graphics
// card that is some tenths of a second for each of ten programs, and next to nothing while the picture is small.
const DRAFT = 0.1;
const LATE = Symbol("late");
const UNSEEN = 4000; // milliseconds after which a map is shown whether it is whole or not, as where tiles come slowly

/** MapLibre, whose workers start while whatever draws is not free yet. */
export async function library() {
  const gl = await import("./vendor/maplibre-gl/maplibre-gl.mjs");
  gl.prewarm();
  return gl;
}

/** The options of MapLibre for a view; it begins with a draft, see `sharpened`. */
export function options(view) {
  const [lng, lat, zoom] = view.map ?? startView();
  return {
    container: "map", pixelRatio: DRAFT, style: mapStyle(), center: [lng, lat], zoom, minZoom: 1, maxZoom: MAX_ZOOM,
    attributionControl: false, fadeDuration: CALM.matches ? 0 : 200, dragRotate: false, pitchWithRotate: false,
    locale: { "Map.Title": t("mapLabel"), "NavigationControl.ZoomIn": t("zoomIn"), "NavigationControl.ZoomOut": t("zoomOut") },
  };
}

const once = (map, event) => new Promise((done) => {
  for (const end of [event, "remove"]) map.once(end, done);
  map.triggerRepaint();
});

/** Resolves once everything in view of a map is drawn, and it is the newest that was given. */
export async function settled(map, isNewest) {
  do await once(map, "idle");
  while (!isNewest());
}

/** Have the map's controls look as MapLibre draws them, which the list does not wait for; resolves once they do. */
export function styled() {
  const link = el("link", { rel: "stylesheet", href: new URL("vendor/maplibre-gl/maplibre-gl.css", import.meta.url).href });
  const loaded = new Promise((done, failed) => Object.assign(link, { onload: done, onerror: failed }));
  document.querySelector("link[rel=stylesheet]").before(link); // the page's own rules come after
  return loaded;
}

// Layers that nothing fills at the start, one for each program that is used first later.
const LATER = ["chosen", "doubt-hatch", "spot"];
const REHEARSAL = "rehearsal";

// Draw a corner of a draft by each program that is used later, so that whoever needs one first does not wait for it: below all
// that hides it, while there is little else to draw, as tiles are still on their way, and one a frame, so that none is long.
async function rehearse(map) {
  if (!map.isStyleLoaded()) await once(map, "style.load");
  await breath(); // images are there then
  if (!map.getStyle()) return; // the map was taken away
  const { layers } = map.getStyle();
  const [x, y] = map.getCenter().toArray();
  const corner = { type: "Polygon", coordinates: [[[x, y], [x + 1, y], [x, y + 1], [x, y]]] };
  const tint = { "fill-opacity": tintOf({ country: "UA" }, null).opacity }; // any state: what follows from features is a program of its own
  const isThere = () => map.getStyle() && map.getSource(REHEARSAL); // no more where the map has another style
  map.addSource(REHEARSAL, { type: "geojson", data: corner });
  for (const { id, type, paint } of layers.filter(({ id, type }) => LATER.includes(id) && type !== "background")) {
    if (!isThere()) return;
    const one = { id: `${REHEARSAL}-${id}`, type, source: REHEARSAL, paint: id === "chosen" ? { ...paint, ...tint } : paint };
    map.addLayer(one, layers[0].id);
    do await once(map, "render");
    while (isThere() && !map.isSourceLoaded(REHEARSAL));
  }
  if (!isThere()) return;
  for (const id of LATER.map((id) => `${REHEARSAL}-${id}`)) if (map.getLayer(id)) map.removeLayer(id);
  map.removeSource(REHEARSAL);
}

/**
 * Keep the draft of a map out of sight until all is drawn, as `isDrawn` resolves, and each program was used once, or for a time, and
 * then show it sharp; resolves once it is seen and all is drawn.
 */
export async function sharpened(map, isDrawn) {
  const canvas = map.getCanvas();
  const gl = canvas.getContext("webgl2");
  canvas.style.opacity = "0"; // not hidden: it can be come to by key
  const late = new Promise((done) => setTimeout(done, UNSEEN, LATE));
  await Promise.race([rehearse(map).then(isDrawn), late]);
  if (gl.isContextLost()) return; // the map was taken away
  map.setPixelRatio(undefined); // the screen's own
  const came = await Promise.race([isDrawn(), late]);
  canvas.style.opacity = "";
  if (came === LATE) await isDrawn();
}
