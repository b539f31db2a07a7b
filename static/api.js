// Asks the server; every address is relative to where the page was served from, and answers are in the page's language.
import { LANG } from "./language.js";

export const ROOT = new URL("../", import.meta.url);
const PAGE = 500; // strikes of one answer

async function json(address, signal) {
  const response = await fetch(address, { signal, headers: { Accept: "application/json", "Accept-Language": LANG } });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? problem.title ?? `${response.status} ${response.statusText}`);
}

function next(answer) {
  return answer.links?.find((link) => link.rel === "next")?.href ?? null;
}

const ORDER = "-day_last,title"; // undated strikes come last, so that they are seen as such

/** A page of the strikes of a selection, newest first: { rows, total, next }; a row has the properties and `geometry`. */
export function strikes(parameters, signal) {
  return page(addressOf("collections/strikes/items", { ...parameters, sortby: ORDER, limit: PAGE }), signal);
}

/** The page of strikes at an address that the page before gave as `next`. */
export async function page(address, signal) {
  const answer = await json(address, signal);
  const rows = answer.features.map((feature) => ({ ...feature.properties, geometry: feature.geometry }));
  return { rows, total: answer.numberMatched, next: sameOrigin(next(answer)) };
}

/** The row of one strike. */
export async function strike(id) {
  const feature = await json(geojsonAddress(id));
  return { ...feature.properties, geometry: feature.geometry };
}

/** How many strikes a selection has, and how many of each value of `by`, or in each span of time. */
export const counts = (parameters, signal) => json(addressOf("strikes/counts", parameters), signal);

/** What a name may mean, by kind. */
export const search = (q, limit, signal) => json(addressOf("search", { q, limit }), signal);

/** One record as it is stored. */
export const record = (table, id) => json(new URL(`records/${table}/${encodeURIComponent(id)}`, ROOT).href);

function addressOf(path, parameters) {
  const address = new URL(path, ROOT);
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  return address.href;
}

/** Assets by their ids: name, place and how exact it is. */
export async function assetsById(ids) {
  const address = new URL("collections/assets/items", ROOT);
  address.searchParams.set("filter", `id IN (${ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(",")})`);
  address.searchParams.set("properties", "id,name,basis,uncertainty_m");
  address.searchParams.set("limit", String(ids.length));
  const answer = await json(address.href);
  return answer.features.map((feature) => ({ ...feature.properties, geometry: feature.geometry }));
}

// A server behind a proxy may not know its outer name: only path and query of its links are used.
function sameOrigin(href) {
  if (!href) return null;
  const link = new URL(href, ROOT);
  return new URL(link.pathname + link.search, ROOT).href;
}

/** The address of a strike's answer. */
export function attributionAddress(id, { basis, minority }) {
  const address = new URL(`strikes/${encodeURIComponent(id)}/attribution`, ROOT);
  address.searchParams.set("basis", basis);
  address.searchParams.set("minority", minority);
  return address.href;
}

/** Whose assets a strike hit, with the chains behind the answer. */
export const attribution = (id, view, signal) => json(attributionAddress(id, view), signal);

/** The address of a strike with its owners as a GeoJSON feature; a browser that follows a link would else get a page. */
export const geojsonAddress = (id) => new URL(`collections/strikes/items/${encodeURIComponent(id)}?f=json`, ROOT).href;

/** The log of what changed of all that the answer to a strike rests on, as a page. */
export const correctionsAddress = (id) => new URL(`corrections?strike=${encodeURIComponent(id)}&f=html`, ROOT).href;

/** What an entity holds on a day (yyyy-mm-dd; null is the day of the data), directly and through others. */
export function holdings(id, on, signal) {
  const address = new URL(`entities/${encodeURIComponent(id)}/holdings`, ROOT);
  if (on) address.searchParams.set("on", on);
  return json(address.href, signal);
}

function ofCountry(path, { basis, minority, from, to }) {
  const address = new URL(path, ROOT);
  const given = { basis, minority, since: from, until: to };
  for (const [name, value] of Object.entries(given)) if (value) address.searchParams.set(name, value);
  return address.href;
}

/** The address of what is known of one country in the days of the view. */
export const countryAddress = (code, view) => ofCountry(`countries/${encodeURIComponent(code)}`, view);

/** The address of the capacity of a country that was hit and lost, site by site. */
export const capacityAddress = (code, view) => ofCountry(`countries/${encodeURIComponent(code)}/capacity`, view);

/** What is known of one country. */
export const country = (code, view, signal) => json(countryAddress(code, view), signal);

/** The address of the page of a country or, with its end, of an owner. */
export const pageAddress = (kind, id, end = "") => new URL(`${kind}/${encodeURIComponent(id)}${end}`, ROOT).href;

/** How an address of this server is cited, in words and otherwise. */
export const citation = (address) => json(citationAddress(address, "json"));

/** The address of that citation in a form. */
export const citationAddress = (address, form) => addressOf("cite", { url: address, f: form });

/** What the server holds and how it wants to be credited. */
export const about = () => json(new URL("about", ROOT).href);
