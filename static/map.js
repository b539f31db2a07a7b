// The map: shows the rows that match, and the selected strike with its ring and the assets it may have hit.
import { MAX_ZOOM } from "./basemap.js";
import { el } from "./dom.js";
import { whenWords } from "./edtf.js";
import { frameOf, pickedFeatures, stackFeatures, strikeFeatures } from "./features.js";
import { countryName } from "./figures.js";
import { bounds, positions } from "./geodesy.js";
import { collection, mapStyle } from "./layers.js";
import { images, onScheme } from "./style.js";
import { counted, strikeTitle, t } from "./text.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const START = { wide: [38, 44.5, 3.3], narrow: [36, 48.5, 3.2] };
const NARROW = 700; // pixels
const REACH = 7; // pixels around a click
const GLIDE = 700; // milliseconds
const REST = 150; // milliseconds that the pointer rests before a headline is fetched

function choice(rows, select) {
  return el("div", { class: "pick" }, el("strong", {}, t("pick", { n: rows.length })),
    rows.map((row) => el("button", { type: "button", onclick: () => select(row.id) },
      el("span", { class: "quiet" }, whenWords(row.when, row.when_note)), " ", strikeTitle(row))));
}

// What a strike's answer says of its owners is fetched once the pointer rests on it.
function tip(row, headline) {
  return el("div", {}, el("strong", {}, strikeTitle(row)), el("br"), whenWords(row.when, row.when_note),
    row.host_country ? ` · ${countryName(row.host_country)}` : "",
    headline ? el("p", { class: "tip-headline" }, headline) : null);
}

// A feature may be drawn in a copy of the world: its popup belongs to the copy that was pointed at.
function unwrapped(coordinates, lng) {
  let [x, y] = coordinates;
  while (Math.abs(lng - x) > 180) x += lng > x ? 360 : -360;
  return [x, y];
}

function options(view) {
  const start = document.getElementById("map").clientWidth < NARROW ? START.narrow : START.wide;
  const [lng, lat, zoom] = view.map ?? start;
  return {
    container: "map", style: mapStyle(), center: [lng, lat], zoom, minZoom: 1, maxZoom: MAX_ZOOM,
    attributionControl: false, fadeDuration: CALM.matches ? 0 : 200, dragRotate: false, pitchWithRotate: false,
    locale: { "Map.Title": t("mapLabel"), "NavigationControl.ZoomIn": t("zoomIn"), "NavigationControl.ZoomOut": t("zoomOut") },
  };
}

class StrikeMap {
  #map;
  #popup;
  #onSelect;
  #rows = [];
  #country = null;
  #answer = null;
  #headline;
  #over = { id: null }; // the strike under the pointer, with its headline once that is fetched
  #rest;

  constructor(gl, { view, headline, onSelect, onMove, onTrouble }) {
    this.#headline = headline;
    this.#map = new gl.Map(options(view));
    this.#popup = new gl.Popup({ closeButton: false, closeOnClick: false, offset: 12, maxWidth: "280px" });
    this.#onSelect = onSelect;
    this.#map.touchZoomRotate.disableRotation();
    this.#map.addControl(new gl.NavigationControl({ showCompass: false }), "top-right");
    this.#map.addControl(new gl.ScaleControl({ maxWidth: 110 }), "bottom-right");
    this.#map.on("style.load", () => this.#dress());
    this.#map.on("moveend", () => onMove(this.#place()));
    this.#map.on("click", (event) => this.#click(event));
    this.#map.on("mousemove", (event) => this.#hover(event));
    this.#map.on("error", onTrouble);
    onScheme(() => this.#map.setStyle(mapStyle(), { diff: false }));
    /** Fulfilled once everything in view is drawn. */
    this.ready = new Promise((done) => this.#map.once("idle", done));
  }

  /** Show these rows and tint the chosen country. */
  show(rows, country) {
    [this.#rows, this.#country] = [rows, country];
    this.#paint();
  }

  /** Show a strike's answer, or none; `move` brings it into view, `glide` by flying there. */
  pick(answer, { move = true, glide = true } = {}) {
    this.#answer = answer;
    this.#paint();
    const frame = answer && move ? frameOf(pickedFeatures(answer)) : null;
    if (frame) this.#map.fitBounds(frame, { padding: 70, maxZoom: 8.2, duration: glide && !CALM.matches ? GLIDE : 0 });
  }

  /** Bring all shown strikes into view. */
  frame() {
    const frame = bounds(this.#rows.flatMap((row) => positions(row.geometry)));
    if (frame) this.#map.fitBounds(frame, { padding: 60, maxZoom: 6, duration: CALM.matches ? 0 : GLIDE });
  }

  /** Jump to a longitude, latitude and zoom. */
  go([x, y, zoom]) {
    this.#map.jumpTo({ center: [x, y], zoom });
  }

  /** Fill the frame again after it has changed its size. */
  resize() {
    this.#map.resize();
  }

  #place() {
    const { lng, lat } = this.#map.getCenter().wrap();
    return [lng, lat, this.#map.getZoom()];
  }

  // A style that is loaded anew, as when the reader turns to dark, has lost its images and data.
  #dress() {
    for (const [name, image] of images()) if (!this.#map.hasImage(name)) this.#map.addImage(name, image, { pixelRatio: 2 });
    this.#paint();
  }

  #paint() {
    if (!this.#map.getSource("strikes")) return;
    const fill = (source, features) => this.#map.getSource(source).setData(collection(features));
    fill("strikes", strikeFeatures(this.#rows));
    fill("stacks", stackFeatures(this.#rows));
    fill("picked", this.#answer ? pickedFeatures(this.#answer) : []);
    this.#map.setFilter("chosen", ["==", ["get", "iso_a2"], this.#country ?? ""]);
  }

  #under({ x, y }) {
    if (!this.#map.getLayer("strikes")) return [];
    const box = [[x - REACH, y - REACH], [x + REACH, y + REACH]];
    const ids = new Set(this.#map.queryRenderedFeatures(box, { layers: ["strikes"] }).map((f) => f.properties.id));
    return this.#rows.filter((row) => ids.has(row.id));
  }

  #say(content, row, event) {
    this.#popup.setLngLat(unwrapped(row.geometry.coordinates, event.lngLat.lng)).setDOMContent(content).addTo(this.#map);
  }

  #select(id) {
    this.#popup.remove();
    this.#onSelect(id);
  }

  #click(event) {
    const found = this.#under(event.point);
    if (!found.length) this.#popup.remove();
    else if (found.length === 1) this.#select(found[0].id);
    else this.#say(choice(found, (id) => this.#select(id)), found[0], event);
  }

  #hover(event) {
    const found = this.#under(event.point);
    this.#map.getCanvas().style.cursor = found.length ? "pointer" : "";
    if (this.#popup.getElement()?.querySelector(".pick")) return;
    if (!found.length) this.#popup.remove();
    else if (found.length > 1) this.#say(el("div", {}, counted("count", found.length)), found[0], event);
    else this.#tip(found[0], event);
    if (found.length !== 1) this.#over = { id: null };
  }

  #tip(row, event) {
    clearTimeout(this.#rest);
    if (this.#over.id !== row.id) this.#over = { id: row.id };
    this.#say(tip(row, this.#over.headline), row, event);
    if (!this.#over.headline) this.#rest = setTimeout(() => this.#tell(this.#over, row, event), REST);
  }

  async #tell(over, row, event) {
    over.headline = await this.#headline(row.id).catch(() => null);
    if (over.headline && over === this.#over && this.#popup.isOpen()) this.#say(tip(row, over.headline), row, event);
  }
}

/** Build the map in `#map`. Rejects where it cannot be drawn, as without WebGL. */
export async function createMap(wanted) {
  const gl = await import("./vendor/maplibre-gl/maplibre-gl.mjs");
  return new StrikeMap(gl, wanted);
}
