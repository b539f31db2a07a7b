// The map: shows the rows that match, and the selected strike with its ring and the assets it may have hit.
import { createArcs } from "./arcs.js";
import { stepOf } from "./clusters.js";
import { frameOf, groupFeatures, groupsOf, imageOf, pickedFeatures } from "./features.js";
import { share } from "./figures.js";
import { bounds, positions } from "./geodesy.js";
import { addImages } from "./images.js";
import { collection, mapStyle } from "./layers.js";
import { markName, markOf, shareOf } from "./marks.js";
import { doubtFeatures, placeOf, siteFeatures, sitesOf } from "./places.js";
import { choice, several, tip } from "./popups.js";
import { createSites } from "./sites.js";
import { onScheme } from "./style.js";
import { KEYS, ringSize } from "./symbols.js";
import { t } from "./text.js";
import { tintOf } from "./tint.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const START = { wide: [38, 44.5, 3.3], narrow: [36, 48.5, 3.2] };
const NARROW = 700; // pixels
const REACH = 7; // pixels around a click
const APART = 6; // zoom from which sites stand apart from strikes, and doubt is wider than a mark
const MANY = 5000; // strikes from which only those around the view are drawn
const FAR = 5; // zoom below which all are
const MOST = 400; // strikes in view whose sites are asked for
const GLIDE = 700; // milliseconds
const REST = 150; // milliseconds that the pointer rests before a headline is fetched

// A feature may be drawn in a copy of the world: its popup belongs to the copy that was pointed at.
function unwrapped(coordinates, lng) {
  let [x, y] = coordinates;
  while (Math.abs(lng - x) > 180) x += lng > x ? 360 : -360;
  return [x, y];
}

function shareLabel({ mark, rows: [row] }, { country }) {
  return mark.look === "share" ? share(...shareOf(row, country), row.assets.length) : null;
}

function options(view) {
  const start = document.getElementById("map").clientWidth < NARROW ? START.narrow : START.wide;
  const [lng, lat, zoom] = view.map ?? start;
  return {
    container: "map", style: mapStyle(), center: [lng, lat], zoom, minZoom: 1, maxZoom: 13,
    attributionControl: false, fadeDuration: CALM.matches ? 0 : 200, dragRotate: false, pitchWithRotate: false,
    locale: { "Map.Title": t("mapLabel"), "NavigationControl.ZoomIn": t("zoomIn"), "NavigationControl.ZoomOut": t("zoomOut") },
  };
}

class StrikeMap {
  #map;
  #popup;
  #onSelect;
  #rows = [];
  #view = {};
  #groups = [];
  #answer = null;
  #row = null; // the selected strike's
  #arcs;
  #sites = createSites(() => this.#paint());
  #step = null; // the zoom that marks are put together for
  #headline;
  #over = { id: null }; // the strike under the pointer, with its headline once that is fetched
  #rest;

  constructor(gl, { view, headline, onSelect, onMove, onTrouble }) {
    this.#headline = headline;
    this.#map = new gl.Map(options(view));
    this.#popup = new gl.Popup({ closeButton: false, closeOnClick: false, offset: 12, maxWidth: "280px" });
    this.#onSelect = onSelect;
    this.#arcs = createArcs(this.#map);
    this.#map.touchZoomRotate.disableRotation();
    this.#map.addControl(new gl.NavigationControl({ showCompass: false }), "top-right");
    this.#map.addControl(new gl.ScaleControl({ maxWidth: 110 }), "bottom-right");
    this.#map.on("style.load", () => this.#paint());
    this.#map.on("zoom", () => stepOf(this.#map.getZoom()) !== this.#step && this.#paint());
    this.#map.on("moveend", () => this.#rested(onMove));
    this.#map.on("click", (event) => this.#click(event));
    this.#map.on("mousemove", (event) => this.#hover(event));
    this.#map.on("error", onTrouble);
    onScheme(() => this.#map.setStyle(mapStyle(), { diff: false }));
    /** Fulfilled once everything in view is drawn. */
    this.ready = new Promise((done) => this.#map.once("idle", done));
  }

  /** Show these rows as the view asks: by host, owner or other tie. */
  show(rows, view) {
    [this.#rows, this.#view] = [rows, view];
    this.#paint();
  }

  /** Show a strike's answer, or none, with its row; `move` brings it into view, `glide` by flying there. */
  pick(answer, { view, row = null, move = true, glide = true } = {}) {
    [this.#answer, this.#row, this.#view] = [answer, row, view];
    if (row) this.#sites.want(sitesOf([row]));
    this.#paint();
    const frame = answer && move ? frameOf(this.#picked()) : null;
    if (frame) this.#map.fitBounds(frame, { padding: 70, maxZoom: 7.2, duration: glide && !CALM.matches ? GLIDE : 0 });
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

  #rested(onMove) {
    onMove(this.#place());
    if (this.#map.getZoom() >= APART || this.#rows.length > MANY) this.#paint();
  }

  // Of very many rows those in view and around it: what is out of sight need not be put together.
  #within() {
    if (this.#rows.length <= MANY || this.#map.getZoom() < FAR) return this.#rows;
    const [[west, south], [east, north]] = this.#map.getBounds().toArray();
    const [across, up] = [east - west, north - south];
    return this.#rows.filter(({ geometry }) => {
      if (!geometry) return false;
      const [lon, lat] = geometry.coordinates;
      return lon > west - across && lon < east + across && lat > south - up && lat < north + up;
    });
  }

  // Rows in view from the zoom on at which sites stand apart from strikes; those far off wait.
  #near() {
    if (this.#map.getZoom() < APART) return [];
    const box = this.#map.getBounds();
    return this.#rows.filter((row) => row.geometry && box.contains(row.geometry.coordinates)).slice(0, MOST);
  }

  #picked() {
    if (!this.#answer) return [];
    if (!this.#row?.geometry) return pickedFeatures(this.#answer);
    const place = placeOf(this.#row, this.#sites);
    return pickedFeatures(this.#answer, place, markName(markOf(this.#row, this.#view, KEYS, place.area)));
  }

  // The style has lost images and data when it is loaded anew, as when the reader turns to dark.
  #paint() {
    if (!this.#map.getSource("strikes")) return;
    const fill = (source, features) => this.#map.getSource(source).setData(collection(features));
    this.#step = stepOf(this.#map.getZoom());
    const near = this.#near();
    this.#sites.want(sitesOf(near));
    const view = { ...this.#view, strike: this.#answer ? this.#row?.id : null };
    const { places, groups } = groupsOf(this.#within(), view, { sites: this.#sites, zoom: this.#step, keys: KEYS, sizeOf: ringSize });
    this.#groups = groups;
    const at = new Map(groups.flatMap((group) => group.rows.map((row) => [row, group.at])));
    const picked = this.#picked();
    addImages(this.#map, [...groups.map((group) => ({ name: imageOf(group), ...group })), ...this.#pickedImage(picked)]);
    fill("strikes", groupFeatures(groups, (group) => shareLabel(group, view)));
    fill("doubt", doubtFeatures(near.filter(({ id }) => id !== view.strike).map((row) => places.get(row)), this.#step));
    fill("sites", siteFeatures(near.filter((row) => at.has(row)).map((row) => [row, at.get(row)]), this.#sites, this.#step));
    fill("picked", picked);
    const { filter, opacity } = tintOf(view, this.#answer);
    this.#map.setFilter("chosen", filter);
    this.#map.setPaintProperty("chosen", "fill-opacity", opacity);
    this.#drawArcs(picked);
  }

  #pickedImage(picked) {
    const image = picked.find(({ properties }) => properties.role === "strike")?.properties.image;
    if (!image) return [];
    return [{ name: image, mark: markOf(this.#row, this.#view, KEYS, placeOf(this.#row, this.#sites).area) }];
  }

  #drawArcs(picked) {
    const of = (role) => picked.find(({ properties, geometry }) => properties.role === role && geometry.type === "Point");
    const at = (of("strike") ?? of("asset"))?.geometry.coordinates;
    if (!at) return this.#arcs(null);
    const { owners, host, readings } = this.#answer;
    return this.#arcs({ at, owners, host: host?.country ?? null, sites: readings.sites_together });
  }

  // The group whose mark is nearest to the pointer.
  #under({ x, y }) {
    if (!this.#map.getLayer("strikes")) return null;
    const box = [[x - REACH, y - REACH], [x + REACH, y + REACH]];
    const found = this.#map.queryRenderedFeatures(box, { layers: ["strikes", "stacks"] })
      .map(({ properties }) => this.#groups[properties.index]).filter(Boolean);
    const far = (group) => Math.hypot(...Object.values(this.#map.project(group.at)).slice(0, 2).map((n, i) => n - [x, y][i]));
    return found.reduce((best, group) => (best && far(best) <= far(group) ? best : group), null);
  }

  #say(content, at, event) {
    this.#popup.setLngLat(unwrapped(at, event.lngLat.lng)).setDOMContent(content).addTo(this.#map);
  }

  #select(id) {
    this.#popup.remove();
    this.#onSelect(id);
  }

  #closer(group) {
    this.#popup.remove();
    const frame = bounds(group.rows.flatMap((row) => positions(row.geometry)));
    this.#map.fitBounds(frame, { padding: 90, maxZoom: this.#map.getZoom() + 3, duration: CALM.matches ? 0 : GLIDE });
  }

  #click(event) {
    const group = this.#under(event.point);
    if (!group) this.#popup.remove();
    else if (group.rows.length === 1) this.#select(group.rows[0].id);
    else this.#say(choice(group.rows, (id) => this.#select(id), () => this.#closer(group)), group.at, event);
  }

  #hover(event) {
    const group = this.#under(event.point);
    this.#map.getCanvas().style.cursor = group ? "pointer" : "";
    if (this.#popup.getElement()?.querySelector(".pick")) return;
    if (!group) this.#popup.remove();
    else if (group.rows.length > 1) this.#say(several(group.rows, this.#view), group.at, event);
    else this.#tip(group.rows[0], group.at, event);
    if (group?.rows.length !== 1) this.#over = { id: null };
  }

  #tip(row, at, event) {
    clearTimeout(this.#rest);
    if (this.#over.id !== row.id) this.#over = { id: row.id };
    this.#say(tip(row, this.#over.headline), at, event);
    if (!this.#over.headline) this.#rest = setTimeout(() => this.#tell(this.#over, row, at, event), REST);
  }

  async #tell(over, row, at, event) {
    over.headline = await this.#headline(row.id).catch(() => null);
    if (over.headline && over === this.#over && this.#popup.isOpen()) this.#say(tip(row, over.headline), at, event);
  }
}

/** Build the map in `#map`. Rejects where it cannot be drawn, as without WebGL. */
export async function createMap(wanted) {
  const gl = await import("./vendor/maplibre-gl/maplibre-gl.mjs");
  return new StrikeMap(gl, wanted);
}
