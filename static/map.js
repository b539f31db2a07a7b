// The map: shows the rows that match, and the selected strike with its ring and the assets it may have hit.
import { createArcs } from "./arcs.js";
import { serveBasemap } from "./basemap.js";
import { stepOf } from "./clusters.js";
import { createFill, frameOf } from "./features.js";
import { bounds, positions } from "./geodesy.js";
import { addImages, forgetImages } from "./images.js";
import { allRows } from "./in-view.js";
import { mapStyle, written } from "./layers.js";
import { framed, glide, library, options, placeOf, settled, sharpened, sightOf, styled, unwrapped } from "./map-options.js";
import { createMarkKeys } from "./mark-keys.js";
import { pictureNow, pictureOf } from "./map-picture.js";
import { sitesOf } from "./places.js";
import { MOST, choice, labelOf, several, shareLabel, tip } from "./popups.js";
import { isLocal, pickedOf, sceneOf } from "./scene.js";
import { createCards } from "./site-card.js";
import { createSites } from "./sites.js";
import { onScheme } from "./style.js";
import { KEYS, ringSize } from "./symbols.js";
import { breath, painted, whenDrawn } from "./timing.js";
import { paintTint } from "./tint.js";
import { groupUnder, sitesUnder } from "./under-pointer.js";
import { short } from "./text.js";

const REST = 150; // milliseconds that the pointer rests before a headline is fetched

/** As if a pointer were on a group, for those who come to it by key. */
const at = (group) => ({ lngLat: { lng: group?.at[0] } });

class StrikeMap {
  #map;
  #settled = () => settled(this.#map, () => this.#turn === this.#shown);
  #layKeys = () => this.#place && this.#keys(this.#groups); // not before the map is seen: each frame of the page holds it up
  ready; // resolves once everything in view is drawn
  #popup;
  #cards; // of sites and lines
  #onSelect;
  #source = allRows([]); // of the strikes that are drawn
  #next = this.#source; // that is loading
  #view = {};
  #groups = [];
  #answer = null;
  #row = null; // the selected strike's
  #arcs;
  #keys; // lays out marks for those who reach them by key
  #sites = createSites(() => this.#paint());
  #step = null; // the zoom that marks are put together for
  #fill; // gives sources their features
  #jumps = false; // what is drawn follows where it goes to
  #painting = null; // the drawing that was begun last
  #turn = 0; // of drawing: the last one alone is ended
  #shown = 0; // the turn that was
  #headline;
  #over = { id: null }; // the strike under the pointer, with its headline once that is fetched
  #rest;
  #place = null; // where it rested last, once the reader sees it: longitude, latitude and zoom

  constructor(gl, { view, headline, onSelect, onMove, onTrouble, onLost }) {
    this.#headline = headline;
    this.#map = new gl.Map(options(view));
    this.ready = sharpened(this.#map, this.#settled).then(() => void (this.#place = placeOf(this.#map)));
    this.ready.then(painted).then(this.#layKeys, () => {}); // who waits for the map hears what failed
    this.#popup = new gl.Popup({ closeButton: false, closeOnClick: false, focusAfterOpen: false, offset: 12, maxWidth: "280px" });
    this.#cards = createCards(this.#map, this.#popup, (...said) => this.#say(...said));
    this.#onSelect = onSelect;
    this.#arcs = createArcs(this.#map);
    this.#keys = createMarkKeys(this.#map, {
      label: labelOf,
      point: (group) => this.#point(group, at(group)),
      choose: (group) => this.#choose(group, at(group)),
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.addControl(new gl.NavigationControl({ showCompass: false }), "top-right");
    this.#map.addControl(new gl.ScaleControl({ maxWidth: 110 }), "bottom-right");
    this.#map.on("style.load", () => ((this.#fill = createFill(this.#map)), this.#paint()));
    this.#map.on("zoom", () => stepOf(this.#map.getZoom()) !== this.#step && this.#paint());
    this.#map.on("moveend", ({ still }) => still || this.#rested(onMove));
    this.#map.on("click", (event) => this.#click(event));
    this.#map.on("mousemove", (event) => this.#hover(event));
    this.#map.on("error", onTrouble);
    this.#map.on("webglcontextlost", () => onLost?.(new Error("webglcontextlost")));
    onScheme(() => ((this.#turn += 1), this.#map.setStyle(mapStyle(), { diff: false })));
  }

  /** Have a source ask, ahead of `show`, for what will be in view of a box. */
  foresee(source, box = null) {
    source.want(...sightOf(this.#map, box));
  }

  /**
   * Show the strikes of a source as the view asks: by host, owner or other tie; where a box of west, south, east and north
   * is given, that is brought into view. What was drawn before stays until they are there.
   */
  async show(source, view, box = null) {
    if (source !== this.#next && this.#next !== this.#source) this.#next.end();
    this.#next = source;
    this.#jumps = true;
    if (box) this.#map.fitBounds(box, { ...framed(this.#map), duration: glide() });
    this.#jumps = false;
    await source.want(...sightOf(this.#map));
    if (source !== this.#next) return;
    if (source !== this.#source) this.#source.end();
    [this.#source, this.#view] = [source, view];
    this.#paint();
    await this.#drawn();
    await this.#settled();
  }

  /** Show a strike's answer, or none, with its row; `move` brings it into view, `smooth` by flying there. */
  pick(answer, { view = this.#view, row = null, move = true, smooth = true } = {}) {
    [this.#answer, this.#row, this.#view] = [answer, row, view];
    if (row) this.#sites.want(sitesOf([row]));
    this.#paint();
    const frame = answer && move ? frameOf(pickedOf({ answer, row, view, sites: this.#sites, keys: KEYS }).features) : null;
    if (frame) this.#map.fitBounds(frame, { ...framed(this.#map, 70, 7.2), duration: smooth ? glide() : 0 });
  }

  /** Jump to a longitude, latitude and zoom. */
  go([x, y, zoom]) {
    this.#map.jumpTo({ center: [x, y], zoom });
  }

  /** Bring a site or line into view, and say what it is; or none. */
  open = (id) => this.#cards.open(id);

  /** Fill the frame again after it has changed its size. */
  resize() {
    this.#map.resize();
  }

  /** Give a picture of it as it is, as `pictureNow`; or of the same ground at another size, as `pictureOf`. */
  asShown = () => pictureNow(this.#map);
  picture = (size) => pictureOf(this.#map, size);

  /** Take the map away. */
  remove() {
    this.#shown = this.#turn += 1;
    this.#map.remove();
  }

  #rested(onMove) {
    const before = this.#place;
    if (before) this.#place = placeOf(this.#map);
    if (before && String(this.#place) !== String(before)) onMove(this.#place); // another size alone is no move
    if (this.#jumps) return;
    this.#layKeys();
    if (isLocal(this.#map.getZoom())) this.#paint();
    this.#follow();
  }

  async #follow() {
    const source = this.#next;
    if ((await source.want(...sightOf(this.#map))) && source === this.#source) this.#paint();
  }

  // The style has lost images and data when it is loaded anew, as when the reader turns to dark.
  #paint() {
    if (!this.#jumps && this.#map.getSource("strikes")) this.#painting = this.#draw((this.#turn += 1));
  }

  async #drawn() {
    for (let last; last !== this.#painting; ) await (last = this.#painting);
  }

  async #draw(turn) {
    const scene = sceneOf({
      rows: this.#source.rows, clusters: this.#source.clusters, view: this.#view, answer: this.#answer, row: this.#row,
      sites: this.#sites, keys: KEYS, sizeOf: ringSize,
      zoom: this.#map.getZoom(), box: this.#map.getBounds().toArray(), labelOf: shareLabel, badgeOf: short,
    });
    this.#step = stepOf(this.#map.getZoom());
    this.#sites.want(scene.wanted);
    await addImages(this.#map, scene.images, () => turn === this.#turn);
    if (turn !== this.#turn) return;
    this.#shown = turn;
    this.#groups = scene.groups;
    this.#fill(scene.features);
    forgetImages(this.#map, scene.images);
    paintTint(this.#map, scene.tint);
    this.#arcs(scene.arcs);
    breath().then(() => turn === this.#turn && this.#layKeys());
  }

  #say(content, at, { lngLat }) {
    this.#popup.setLngLat(unwrapped(at, lngLat.lng)).setDOMContent(content).addTo(this.#map);
  }

  #select(id) {
    this.#popup.remove();
    this.#onSelect(id);
  }

  #closer(group) {
    this.#popup.remove();
    const frame = group.box ?? bounds(group.rows.flatMap((row) => positions(row.geometry)));
    this.#map.fitBounds(frame, { ...framed(this.#map, 90, this.#map.getZoom() + 3), duration: glide() });
  }

  #click(event) {
    const group = groupUnder(this.#map, event.point, this.#groups);
    const sites = group ? [] : sitesUnder(this.#map, event.point);
    sites.length ? this.#cards.point(sites, event) : this.#choose(group, event);
  }

  async #choose(group, event) {
    this.#over = { id: null };
    if (!group) return this.#popup.remove();
    if (group.n === 1) return this.#select(group.rows[0].id);
    const rows = group.box ? await this.#source.rowsOf(group, MOST).catch(() => []) : group.rows;
    const leave = () => (this.#popup.remove(), this.#map.getCanvas().focus());
    this.#say(choice(group, rows, { select: (id) => this.#select(id), closer: () => this.#closer(group), leave }), group.at, event);
    this.#popup.getElement().querySelector("button")?.focus();
  }

  #hover(event) {
    const group = groupUnder(this.#map, event.point, this.#groups);
    this.#map.getCanvas().style.cursor = group || sitesUnder(this.#map, event.point).length ? "pointer" : "";
    this.#point(group, event);
  }

  #point(group, event) {
    if (this.#popup.getElement()?.querySelector(".pick")) return;
    if (!group) this.#popup.remove();
    else if (group.n > 1) this.#say(several(group), group.at, event);
    else this.#tip(group.rows[0], group.at, event);
    if (group?.n !== 1) this.#over = { id: null };
  }

  #tip(row, at, event) {
    clearTimeout(this.#rest);
    if (this.#over.id !== row.id) this.#over = { id: row.id };
    this.#say(tip(row, this.#over.headline), at, event);
    const over = this.#over;
    if (!over.headline) this.#rest = setTimeout(() => over === this.#over && this.#tell(over, row, at, event), REST);
  }

  async #tell(over, row, at, event) {
    over.headline = await this.#headline(row.id).catch(() => null);
    if (over.headline && over === this.#over && this.#popup.isOpen()) this.#say(tip(row, over.headline), at, event);
  }
}

/** Build the map in `#map`. Rejects where it cannot be drawn, as without WebGL. */
export async function createMap(wanted) {
  const [gl] = await Promise.all([library(), styled(), written(), whenDrawn()]);
  serveBasemap(gl);
  return new StrikeMap(gl, wanted);
}
