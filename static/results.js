// Loads what the page shows of a selection: rows as they are needed, and counts, each asked of the server.
import * as api from "./api.js";
import { ROLES, parametersByCountry, parametersOf, without } from "./selection.js";

/** Rows that are asked for at once; a publication, which reads this line, has as many in its first file. */
export const PAGE = 200;

/** The rows of one selection, newest first, as far as they were loaded. */
export class Rows {
  #parameters;
  #signal;
  #pages = new Map(); // by number: the rows, or a promise while they are under way
  #changed;
  total = 0;

  /** `first` is the first page; `changed` is called where the server has come to have another number of rows. */
  constructor(parameters, first, { signal, changed } = {}) {
    this.#parameters = parameters;
    this.#signal = signal;
    this.#changed = changed;
    this.total = first.total;
    this.#pages.set(0, first.rows);
  }

  /** The row at a place of the order; undefined where it was not loaded. */
  at(index) {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** A loaded row by its id; undefined where it is not among them. */
  find(id) {
    const index = this.indexOf(id);
    return index < 0 ? undefined : this.at(index);
  }

  /** The place of a loaded row in the order; -1 where it is not among them. */
  indexOf(id) {
    for (const [number, page] of this.#pages) {
      const at = Array.isArray(page) ? page.findIndex((each) => each.id === id) : -1;
      if (at >= 0) return number * PAGE + at;
    }
    return -1;
  }

  /** Whether all rows from one place to before another were loaded. */
  has(from, to) {
    return this.#numbers(from, to).every((number) => Array.isArray(this.#pages.get(number)));
  }

  /** Load the rows from one place to before another; those that are there are not asked for again. */
  async load(from, to) {
    const wanted = this.#numbers(from, to);
    const missing = wanted.filter((number) => !this.#pages.has(number));
    if (missing.length) this.#ask(missing[0], missing.at(-1));
    await Promise.all(wanted.map((number) => this.#pages.get(number)));
  }

  /** Every row; for a selection of few. */
  async all() {
    await this.load(0, this.total);
    return Array.from({ length: this.total }, (_, i) => this.at(i)).filter(Boolean);
  }

  #numbers(from, to) {
    const [first, end] = [Math.floor(from / PAGE), Math.ceil(Math.min(to, this.total) / PAGE)];
    return Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  }

  // Pages that follow each other are one request.
  #ask(first, last) {
    const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((number) => !this.#pages.has(number));
    const answer = api.strikes(this.#parameters, { offset: first * PAGE, limit: (last - first + 1) * PAGE }, this.#signal);
    for (const number of numbers) {
      const page = answer.then(({ rows }) => rows.slice((number - first) * PAGE, (number - first + 1) * PAGE));
      this.#pages.set(number, page.then((rows) => (this.#pages.set(number, rows), rows)));
      // What failed may be asked for again.
      page.catch(() => this.#pages.delete(number));
    }
    answer.then(({ total }) => total !== this.total && this.#changed?.(), () => {});
  }
}

/** A function of a view, which gives the row of its strike: one of those that `listed` gives, or asked for; null where there is none. */
export function createRowOf(listed) {
  let opened = null;
  return async (view) => {
    if (!view.strike) return null;
    const row = listed()?.find(view.strike);
    if (row) return row;
    const parameters = parametersOf({ ...view, q: null, certainty: null });
    const asked = JSON.stringify([view.strike, parameters]);
    if (opened?.asked !== asked) opened = { asked, row: await api.strike(view.strike, parameters).catch(() => null) };
    return opened.row;
  };
}

const countedByCountry = (view, role, given) =>
  api.counts({ ...parametersByCountry({ ...without(view, "country"), role }), by: "country" }, given);

/** Ask for what a first country will need of every role, so that it is there when one is chosen. */
export const foreseeRoles = (view) => Promise.all(ROLES.map((role) => countedByCountry(view, role))).catch(() => {});

/**
 * Counts of a selection, of all countries in its role, and of its country in each role. Which country is chosen changes no count
 * by country: those are asked for once for a version of the data, which `others`, a promise of an answer, tells. Where only sure
 * or only possible strikes are selected, whether one is depends on the country, and each role is counted for it.
 */
async function counted(view, parameters, signal, others) {
  const byCountry = (role) => countedByCountry(view, role, { signal, others });
  const ofCountry = async (role) => view.certainty
    ? (await api.counts(parametersOf({ ...view, role }), { signal, others })).strikes
    : (await byCountry(role)).groups.find(({ value }) => value === view.country)?.strikes ?? 0;
  const countries = byCountry(view.role);
  const roles = view.country ? ROLES : [];
  const [own, { groups }, ...sizes] = await Promise.all([view.country ? api.counts(parameters, { signal, others }) : countries, countries, ...roles.map(ofCountry)]);
  return { counts: own, countries: groups, roles: Object.fromEntries(sizes.map((strikes, i) => [roles[i], strikes])) };
}

/**
 * What depends on the selection: { rows, counts, countries, roles }; spans of time are asked for by the time range.
 * `onCounts` is given the counts as soon as they are there; `changed` is called where there come to be other rows.
 */
export async function load(view, signal, { changed, onCounts } = {}) {
  const parameters = parametersOf(view);
  const first = api.strikes(parameters, { offset: 0, limit: PAGE }, signal);
  const all = counted(view, parameters, signal, first);
  if (onCounts) all.then(({ counts }) => onCounts(counts), () => {});
  const [page, known] = await Promise.all([first, all]);
  return { rows: new Rows(parameters, page, { signal, changed }), ...known };
}

/** How many strikes each kind, status and commodity has, each without the filter by itself. */
export async function loadFacets(view, signal) {
  const of = (name, by) => api.counts({ ...parametersOf(without(view, name)), by }, { signal }).then(({ groups }) => groups);
  const [kinds, status, commodity] = await Promise.all([of("kinds", "group"), everyStatus(view, signal), of("commodity", "commodity")]);
  return { kinds, status, commodity };
}

// Retracted strikes are no part of a selection unless they are named: here they are, to be counted.
const STATUSES = ["verified", "corroborated", "reported", "draft", "retracted"];
const everyStatus = (view, signal) =>
  api.counts({ ...parametersOf({ ...view, status: STATUSES }), by: "status" }, { signal }).then(({ groups }) => groups);
