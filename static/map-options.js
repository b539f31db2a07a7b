// What the map starts with, and how it moves.
import { MAX_ZOOM } from "./basemap.js";
import { el } from "./dom.js";
import { mapStyle } from "./layers.js";
import { boxOf } from "./still-view.js";
import { t } from "./text.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const START = { wide: [38, 44.5, 3.3], narrow: [36, 48.5, 3.2] };
const NARROW = 700; // pixels
const GLIDE = 700; // milliseconds

/** Milliseconds that the map takes to go somewhere; none for readers who want no motion. */
export const glide = () => (CALM.matches ? 0 : GLIDE);

/** A feature may be drawn in a copy of the world: its popup belongs to the copy that was pointed at. */
export function unwrapped(coordinates, lng) {
  let [x, y] = coordinates;
  while (Math.abs(lng - x) > 180) x += lng > x ? 360 : -360;
  return [x, y];
}

/** Where a map begins that no view says: longitude, latitude and zoom. */
export const startView = () => (document.getElementById("map").clientWidth < NARROW ? START.narrow : START.wide);

/** How a selection is brought into view. */
export const FRAMED = { padding: 60, maxZoom: 6 };

/** What is in view of a map, or will be once a box is brought into view: [[west, south], [east, north]], and the zoom. */
export function sightOf(map, box = null) {
  const camera = box && map.cameraForBounds(box, FRAMED); // none where the frame is too small for the padding
  if (!camera) return [map.getBounds().toArray(), map.getZoom()];
  const { center, zoom } = camera;
  const { clientWidth: width, clientHeight: height } = map.getContainer();
  const [west, south, east, north] = boxOf([center.lng, center.lat, zoom], { width, height });
  return [[[west, south], [east, north]], zoom];
}

/** The options of MapLibre for a view. */
export function options(view) {
  const [lng, lat, zoom] = view.map ?? startView();
  return {
    container: "map", style: mapStyle(), center: [lng, lat], zoom, minZoom: 1, maxZoom: MAX_ZOOM,
    attributionControl: false, fadeDuration: CALM.matches ? 0 : 200, dragRotate: false, pitchWithRotate: false,
    locale: { "Map.Title": t("mapLabel"), "NavigationControl.ZoomIn": t("zoomIn"), "NavigationControl.ZoomOut": t("zoomOut") },
  };
}

/** Resolves once everything in view of a map is drawn. */
export const idle = (map) => new Promise((done) => {
  map.once("idle", done);
  map.triggerRepaint();
});

/** Have the map's controls look as MapLibre draws them, which the list does not wait for; resolves once they do. */
export function styled() {
  const link = el("link", { rel: "stylesheet", href: new URL("vendor/maplibre-gl/maplibre-gl.css", import.meta.url).href });
  const loaded = new Promise((done, failed) => Object.assign(link, { onload: done, onerror: failed }));
  document.querySelector("link[rel=stylesheet]").before(link); // the page's own rules come after
  return loaded;
}
