// The strikes that the map is given: all of a selection where they are few, else those around the view, which the server
// puts together. A map of a million is a few hundred marks so, and each number is the server's.
import * as api from "./api.js";
import { stepOf } from "./clusters.js";
import { lookOf } from "./marks.js";
import { parametersOf } from "./selection.js";
import { boxOf as edgesOf } from "./still-view.js";

/** Strikes of a selection, or of a view, that are drawn from their rows. */
export const FEW = 1500;
const MARGIN = 0.25; // of the view, on each side: so far it moves without a new request
const POLE = 85.06; // degrees, where the map ends
const DIVISIONS = { host: "host", pie: "owners", tie: "ties" };

const START = { wide: [38, 44.5, 3.3], narrow: [36, 48.5, 3.2] };
const NARROW = 700; // pixels

/** Where a map begins that no view says: longitude, latitude and zoom. */
export const startView = () => (document.getElementById("map").clientWidth < NARROW ? START.narrow : START.wide);

/** What is in view of the map's frame at a longitude, latitude and zoom: [[west, south], [east, north]], and the zoom. */
export function sightAt(place) {
  const { clientWidth: width, clientHeight: height } = document.getElementById("map");
  const [west, south, east, north] = edgesOf(place, { width, height });
  return [[[west, south], [east, north]], place[2]];
}

/** A view, [[west, south], [east, north]] in degrees that may go around the world, with a margin on each side. */
function widened([[west, south], [east, north]]) {
  const [across, up] = [MARGIN * (east - west), MARGIN * (north - south)];
  return [west - across, Math.max(-POLE, south - up), east + across, Math.min(POLE, north + up)];
}

const turned = (lon) => ((((lon + 180) % 360) + 360) % 360) - 180;

/** A box as the server takes it: of one world, west > east where it crosses the antimeridian. */
export function boxOf([west, south, east, north]) {
  return east - west >= 360 ? [-180, south, 180, north] : [turned(west), south, turned(east), north];
}

const holds = ([west, south, east, north], [[w, s], [e, n]]) =>
  west <= w && e <= east && south <= Math.max(s, -POLE) && Math.min(n, POLE) <= north;

/** All rows of a selection. */
export const allRows = (rows) => ({ rows, clusters: [], want: async () => false, end() {} });

/** The strikes of a selection around a view, as far as they were asked for. */
class InView {
  #view;
  #parameters;
  #asked = null; // { area, step, single, answer, stop } of the last request
  #trouble;
  rows = [];
  clusters = [];

  constructor(view, trouble) {
    this.#view = view;
    this.#parameters = parametersOf(view);
    this.#trouble = trouble;
  }

  /** Ask for what is in view, unless it is there or under way; resolves to whether something came. */
  async want(box, zoom) {
    const step = stepOf(zoom);
    const last = this.#asked;
    if (last && holds(last.area, box) && (last.single || last.step === step)) return last.answer;
    last?.stop.abort();
    const area = widened(box);
    const mine = (this.#asked = { area, step, single: false, stop: new AbortController() });
    mine.answer = this.#ask(mine).catch(() => this.#failed(mine));
    return mine.answer;
  }

  /** The first rows of a cluster, newest first. */
  rowsOf({ box }, limit) {
    return api.strikesIn(this.#parameters, box, limit);
  }

  end() {
    this.#asked?.stop.abort();
  }

  async #ask(mine) {
    const wanted = { bbox: boxOf(mine.area), zoom: mine.step, apart: FEW, parts: DIVISIONS[lookOf(this.#view)] };
    const { clusters, rows } = await api.clusters(this.#parameters, wanted, mine.stop.signal);
    if (mine !== this.#asked) return false;
    [this.rows, this.clusters] = [rows, clusters];
    mine.single = !clusters.length;
    return true;
  }

  // What is drawn stays; the next move asks anew.
  #failed(mine) {
    if (mine === this.#asked && !mine.stop.signal.aborted) {
      this.#asked = null;
      this.#trouble?.();
    }
    return false;
  }
}

/** The strikes of a view's selection as they come into sight; `trouble` is called where they could not be had. */
export const aroundView = (view, trouble) => new InView(view, trouble);
