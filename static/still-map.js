// The map where there is no WebGL: a picture that the server draws of the place, and the marks of the strikes on it.
import { ROOT } from "./api.js";
import { byId, el, svg } from "./dom.js";
import { frameOf } from "./features.js";
import { bounds, positions } from "./geodesy.js";
import { allRows, startView } from "./in-view.js";
import { createMarkKeys } from "./mark-keys.js";
import { sitesOf } from "./places.js";
import { MOST, choice, labelOf } from "./popups.js";
import { sceneOf } from "./scene.js";
import { createSites } from "./sites.js";
import { boxOf, fitted, projected, shifted, within } from "./still-view.js";
import { onScheme } from "./style.js";
import { KEYS, markCanvas, ringCanvas, ringSize, siteCanvas } from "./symbols.js";
import { short, t } from "./text.js";

const CLOSEST = 7.2; // zoom that a record is shown at
const STEP = 0.4; // part of the picture that a button moves it by
const ARROWS = [["left", "←", { across: -STEP }], ["right", "→", { across: STEP }], ["up", "↑", { down: -STEP }], ["down", "↓", { down: STEP }]];

function picture(view, size) {
  const address = new URL("map", ROOT);
  const given = { f: "png", collections: "assets", crs: "EPSG:3857", bbox: boxOf(view, size).map((n) => n.toFixed(5)).join(","), ...size };
  for (const [name, value] of Object.entries(given)) address.searchParams.set(name, value);
  return address.href;
}

function placed(node, { x, y }) {
  node.style.left = `${x}px`;
  node.style.top = `${y}px`;
  return node;
}

const KINDS = { ring: "still-ring", asset: "still-asset", part: "still-part", link: "still-link" };

/** Lines and rings of the selection as one path each; points are drawn as marks. */
function pathOf({ geometry, properties }, project) {
  const rings = { LineString: [geometry.coordinates], MultiLineString: geometry.coordinates, Polygon: geometry.coordinates }[geometry.type];
  if (!rings || !KINDS[properties.role]) return null;
  const drawn = rings.map((ring) => ring.map((at, i) => `${i ? "L" : "M"}${Object.values(project(at)).map((n) => n.toFixed(1)).join(" ")}`).join(""));
  return svg("path", { class: `${KINDS[properties.role]}${properties.sure === false ? " maybe" : ""}`, d: drawn.join("") });
}

class StillMap {
  #home = byId("map");
  #base = el("img", { class: "still-base", alt: "", onerror: () => this.#base.removeAttribute("src") });
  #lines = svg("svg", { class: "still-lines", "aria-hidden": "true" });
  #marks = el("div", { class: "still-marks", "aria-hidden": "true" });
  #stage = el("div", { class: "still-stage" }, this.#base, this.#lines, this.#marks);
  #popup = el("div", { class: "still-popup", hidden: true });
  #onSelect;
  #onMove;
  #keys;
  #place; // [lon, lat, zoom]
  #source = allRows([]); // of the strikes that are drawn
  #view = {};
  #answer = null;
  #row = null;
  #sites = createSites(() => this.#draw());
  #asked = null; // the address of the picture that is shown

  constructor({ view, onSelect, onMove }) {
    [this.#onSelect, this.#onMove] = [onSelect, onMove];
    this.#place = view.map ?? startView();
    this.#home.replaceChildren(this.#stage, this.#controls(), this.#popup);
    this.#home.classList.add("still");
    this.#keys = createMarkKeys(
      { getCanvasContainer: () => this.#stage, getContainer: () => this.#home, project: (at) => this.#project(at), on: () => {} },
      { label: labelOf, point: () => {}, choose: (group) => this.#choose(group) });
    new ResizeObserver(() => this.#draw()).observe(this.#home);
    onScheme(() => this.#draw());
    this.ready = Promise.resolve();
  }

  /** Show the strikes of a source as the view asks; where a box is given, that is brought into view. */
  async show(source, view, box = null) {
    if (source !== this.#source) this.#source.end();
    [this.#source, this.#view] = [source, view];
    await source.want(...this.#sight()).catch(() => false);
    if (source !== this.#source) return;
    if (box) this.#go(fitted([box.slice(0, 2), box.slice(2)], this.#size(), 60, 6));
    else this.#draw();
  }

  /** Show a strike's answer, or none, with its row; `move` brings it into view. */
  pick(answer, { view = this.#view, row = null, move = true } = {}) {
    [this.#answer, this.#row, this.#view] = [answer, row, view];
    if (row) this.#sites.want(sitesOf([row]));
    const scene = this.#scene();
    const frame = answer && move ? frameOf(scene.features.picked) : null;
    if (frame) this.#go(fitted(frame, this.#size(), 70, CLOSEST));
    else this.#draw(scene);
  }

  /** Jump to a longitude, latitude and zoom. */
  go(place) {
    this.#place = place;
    this.#draw();
  }

  /** It follows the size of its frame by itself. */
  resize() {}

  #size() {
    const { clientWidth, clientHeight } = this.#home;
    return { width: Math.max(1, clientWidth), height: Math.max(1, clientHeight) };
  }

  #project(at) {
    return projected(at, this.#place, this.#size());
  }

  #go(place) {
    this.#place = within(place, this.#size());
    this.#draw();
    this.#onMove(this.#place);
    this.#follow();
  }

  async #follow() {
    const source = this.#source;
    if ((await source.want(...this.#sight()).catch(() => false)) && source === this.#source) this.#draw();
  }

  // What is in view now, [[west, south], [east, north]], and the zoom.
  #sight() {
    const [west, south, east, north] = boxOf(this.#place, this.#size());
    return [[[west, south], [east, north]], this.#place[2]];
  }

  #controls() {
    const button = (label, sign, by) => el("button", { type: "button", "aria-label": label, onclick: () => this.#go(shifted(this.#place, this.#size(), by)) },
      el("span", { "aria-hidden": "true" }, sign));
    return el("div", { class: "still-controls", role: "group", "aria-label": t("mapLabel") },
      button(t("zoomIn"), "+", { closer: 1 }), button(t("zoomOut"), "−", { closer: -1 }), ARROWS.map(([side, sign, by]) => button(t(`move${side}`), sign, by)));
  }

  #scene() {
    const [box, zoom] = this.#sight();
    return sceneOf({
      rows: this.#source.rows, clusters: this.#source.clusters, view: this.#view, answer: this.#answer, row: this.#row, sites: this.#sites, keys: KEYS, sizeOf: ringSize,
      zoom, box, labelOf: () => null, badgeOf: short,
    });
  }

  #draw(drawn = null) {
    this.#place = within(this.#place, this.#size());
    const scene = drawn ?? this.#scene();
    const address = picture(this.#place, this.#size());
    if (address !== this.#asked) this.#base.src = this.#asked = address;
    this.#popup.hidden = true;
    this.#sites.want(scene.wanted);
    this.#lines.replaceChildren(...scene.features.picked.map((feature) => pathOf(feature, (at) => this.#project(at))).filter(Boolean));
    const groups = scene.groups.map((group) => this.#mark(group.mark ? markCanvas(group.mark) : ringCanvas(group.ring, group.look, group.size), group.at, group.n));
    this.#marks.replaceChildren(...groups, ...this.#picked(scene));
    this.#keys(scene.groups);
  }

  #mark(canvas, at, n = 1) {
    canvas.style.width = `${canvas.width / 2}px`;
    return placed(el("span", { class: "still-mark" }, canvas, n > 1 ? el("b", {}, short(n)) : null), this.#project(at));
  }

  // Sites that were or may have been hit, and over them the selected strike.
  #picked({ features, images }) {
    const points = features.picked.filter(({ geometry }) => geometry.type === "Point");
    const own = points.find(({ properties }) => properties.role === "strike");
    const sites = points.filter((point) => point !== own).map(({ geometry, properties }) => this.#mark(siteCanvas(properties.sure), geometry.coordinates));
    const mark = own && images.find(({ name }) => name === own.properties.image)?.mark;
    if (!mark) return sites;
    const node = this.#mark(markCanvas(mark), own.geometry.coordinates);
    node.classList.add("chosen");
    return [...sites, node];
  }

  async #choose(group) {
    if (group.n === 1) return this.#onSelect(group.rows[0].id);
    const leave = () => (this.#popup.hidden = true);
    const rows = group.box ? await this.#source.rowsOf(group, MOST).catch(() => []) : group.rows;
    const around = group.box ? [group.box.slice(0, 2), group.box.slice(2)] : bounds(group.rows.flatMap((row) => positions(row.geometry)));
    const closer = () => this.#go(fitted(around, this.#size(), 90, this.#place[2] + 3));
    this.#popup.replaceChildren(choice(group, rows, { select: this.#onSelect, closer, leave }));
    this.#popup.hidden = false;
    const { width, height } = this.#size();
    const { x, y } = this.#project(group.at);
    placed(this.#popup, { x: Math.max(4, Math.min(x, width - this.#popup.offsetWidth - 4)), y: Math.max(4, Math.min(y, height - this.#popup.offsetHeight - 4)) });
    this.#popup.querySelector("button")?.focus();
  }
}

/** Build the still map in `#map`, in the place of whatever is there. */
export const createStillMap = (wanted) => new StillMap(wanted);
