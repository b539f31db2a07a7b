// Loads what the page shows of a selection: rows a page at a time, and counts, each asked of the server.
import * as api from "./api.js";
import { ROLES, parametersByCountry, parametersOf, without } from "./selection.js";

/** Rows that the map is given at most; more are said not to be drawn. */
export const DRAWN_MAX = 10000;

/** The rows of one selection, newest first, as far as they were loaded. */
class Rows {
  #signal;
  #next = null;
  #loading = null;
  list = [];
  total = 0;

  constructor(first, signal) {
    this.#signal = signal;
    this.#take(first);
  }

  get complete() {
    return !this.#next;
  }

  /** Load one more page; resolves to whether there was one. */
  async more() {
    if (this.complete) return false;
    this.#loading ??= api.page(this.#next, this.#signal).then((page) => this.#take(page)).finally(() => (this.#loading = null));
    await this.#loading;
    return true;
  }

  #take({ rows, total, next }) {
    this.list.push(...rows);
    this.total = total;
    this.#next = next;
  }
}

async function ofRoles(view, signal) {
  if (!view.country) return {};
  const requests = ROLES.map((role) => api.counts(parametersOf({ ...view, role, min_share: role === "owner" ? view.min_share : 0 }), signal));
  const answers = await Promise.all(requests);
  return Object.fromEntries(answers.map(({ strikes }, i) => [ROLES[i], strikes]));
}

/** What depends on the selection: { rows, counts, countries, roles, spans of time are asked for by the time range }. */
export async function load(view, signal) {
  const [first, counts, countries, roles] = await Promise.all([
    api.strikes(parametersOf(view), signal),
    api.counts(parametersOf(view), signal),
    api.counts({ ...parametersByCountry(without(view, "country")), by: "country" }, signal),
    ofRoles(view, signal),
  ]);
  return { rows: new Rows(first, signal), counts, countries: countries.groups, roles };
}

/** How many strikes each kind, status and commodity has, each without the filter by itself. */
export async function loadFacets(view, signal) {
  const of = (name, by) => api.counts({ ...parametersOf(without(view, name)), by }, signal).then(({ groups }) => groups);
  const [kinds, status, commodity] = await Promise.all([of("kinds", "group"), everyStatus(view, signal), of("commodity", "commodity")]);
  return { kinds, status, commodity };
}

// Retracted strikes are no part of a selection unless they are named: here they are, to be counted.
const STATUSES = ["verified", "corroborated", "reported", "draft", "retracted"];
const everyStatus = (view, signal) =>
  api.counts({ ...parametersOf({ ...view, status: STATUSES }), by: "status" }, signal).then(({ groups }) => groups);
