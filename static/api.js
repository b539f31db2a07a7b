// Asks the server, or the files of a publication; every address is relative to where the page was served from, and answers
// are in the page's language.
import { LANG } from "./language.js";
import { FILES, ROOT, fileAddress, subjectAddress } from "./origin.js";

export { FILES, ROOT };

const files = FILES ? await import("./files.js") : null;

const HELD = 10_000; // milliseconds: what is older may be outdated
const ahead = new Map(); // answers by address, of requests that were made before the page is there
let begins = false;

/** Make requests, and hold each answer for whoever makes the same one first. */
export function begin(ask) {
  begins = true;
  ask();
  begins = false;
}

function hold(address, answer) {
  ahead.set(address, answer);
  const release = () => ahead.get(address) === answer && ahead.delete(address);
  setTimeout(release, HELD);
  answer.catch(release); // whoever tries again makes the request anew
}

function json(address, signal) {
  const held = ahead.get(String(address));
  if (held) return ahead.delete(String(address)), held;
  const answer = fetched(address, signal);
  if (begins) hold(String(address), answer);
  return answer;
}

const versions = new WeakMap(); // of answers: which version of the data each is of
let newest; // that of the last answer

/** The version of the data that an answer is of: its entity tag up to the form. */
const versionOf = ({ headers }) => headers.get("ETag")?.split(/-(?:application_)?json/)[0];

async function fetched(address, signal) {
  const response = await fetch(address, { signal, headers: { Accept: "application/json", "Accept-Language": LANG } });
  if (response.ok) {
    const version = (newest = versionOf(response));
    const answer = await response.json();
    versions.set(answer, version);
    return answer;
  }
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? problem.title ?? `${response.status} ${response.statusText}`);
}

const ORDER = "-stands,-day_last,title"; // drafts come last, and undated ones after the others, so that they are seen as such
/** Features as rows; a row `isSure` where it surely satisfies what was asked, as the server says by those that only may. */
function rowsOf({ features, possible }) {
  const may = possible && new Set(possible);
  return features.map(({ id, properties, geometry }) => ({ id, ...properties, geometry, isSure: may ? !may.has(id) : properties.sure }));
}

// What list, marks and tips show of a strike; names in the page's language are columns of their own.
const PROPERTIES = [
  "title", "place", ...(LANG === "en" ? [] : [`title_${LANG}`, `place_${LANG}`]), "when", "when_note", "day_first", "day_last",
  "host_country", "host_basis", "group", "status", "owners", "relations", "rests_on", "sure", "assets", "assets_sure", "basis", "uncertainty_m", "withheld"].join();

/**
 * Strikes of a selection from a place in its order on, newest first: { rows, total }; a row has `id`, `geometry` and the
 * properties that are shown.
 */
export async function strikes(parameters, { offset, limit }, signal) {
  if (files) return files.strikes(parameters, { offset, limit });
  const asked = { ...parameters, sortby: ORDER, properties: PROPERTIES, offset, limit };
  const answer = await json(addressOf("collections/strikes/items", asked), signal);
  return { rows: rowsOf(answer), total: answer.numberMatched };
}

/** The first strikes of a selection in a box of west, south, east and north. */
export async function strikesIn(parameters, box, limit) {
  if (files) return (await files.strikes(parameters, { offset: 0, limit, box })).rows;
  const filter = `${parameters.filter} AND S_INTERSECTS(geometry, BBOX(${box.join(", ")}))`;
  return (await strikes({ ...parameters, filter }, { offset: 0, limit })).rows;
}

/**
 * The strikes of a selection in a box at a zoom, as the server puts them together: { strikes, clusters, rows }.
 * Where there are no more than `apart`, each is a row.
 */
export async function clusters(parameters, { bbox, zoom, apart, parts }, signal) {
  if (files) return files.clusters(parameters, { bbox, zoom, apart, parts });
  const asked = { ...parameters, bbox: bbox.join(), zoom, apart, ...(parts ? { parts } : {}) };
  const answer = await json(addressOf("strikes/clusters", asked), signal);
  return { ...answer, rows: rowsOf(answer) };
}

/** The row of one strike: it is sure if it is in a selection, by its parameters but for its filter, and surely so. */
export async function strike(id, parameters) {
  if (files) return files.strike(id, parameters);
  const filter = `id = '${id.replaceAll("'", "''")}'`;
  const [row] = (await strikes({ ...parameters, filter }, { offset: 0, limit: 1 })).rows;
  return row ?? { ...rowsOf({ features: [await json(geojsonAddress(id))] })[0], isSure: false };
}

const counted = new Map(); // counts by address, as they were answered or are under way
const MOST_COUNTED = 64;

/**
 * How many strikes a selection has, and how many of each value of `by`, or in each span of time: from memory where the same was
 * asked before and the data are the same since. `others` resolves once something else was answered that tells so; without it
 * the last answer of any kind does.
 */
export async function counts(parameters, { signal, others } = {}) {
  if (files) return files.counts(parameters);
  const address = addressOf("strikes/counts", parameters);
  const before = counted.get(address);
  if (before) {
    const known = await before.catch(() => null);
    await others;
    if (known && newest && versions.get(known) === newest) return known;
    if (counted.get(address) !== before) return counts(parameters, { signal, others });
  }
  const answer = json(address, signal);
  counted.delete(address);
  counted.set(address, answer);
  if (counted.size > MOST_COUNTED) counted.delete(counted.keys().next().value);
  answer.catch(() => counted.get(address) === answer && counted.delete(address));
  return answer;
}

/** What a name may mean, by kind. */
export const search = (q, limit, signal) => files?.search(q, limit) ?? json(addressOf("search", { q, limit }), signal);

/** One record as it is stored. */
export const record = (table, id) => files?.record(table, id) ?? json(new URL(`records/${table}/${encodeURIComponent(id)}`, ROOT).href);

function addressOf(path, parameters) {
  const address = new URL(path, ROOT);
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  return address.href;
}

/** Assets by their ids: name, place and how exact it is. */
export async function assetsById(ids) {
  if (files) return files.assetsById(ids);
  const filter = `id IN (${ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(",")})`;
  const asked = { filter, properties: "id,name,basis,uncertainty_m", limit: ids.length };
  return rowsOf(await json(addressOf("collections/assets/items", asked)));
}

/** A site or line with its place as a row; files have none. */
export const site = async (id) => files ? null : rowsOf({ features: [await json(`${featureAddress("assets", id)}?f=json`)] })[0];

/** Whose a site or line is on the day of the data, with the sources; files do not say. */
export const owners = async (id) => files ? null : json(new URL(`assets/${encodeURIComponent(id)}/owners`, ROOT).href);

/** The address of a strike's answer. */
export function attributionAddress(id, { basis, minority }) {
  if (FILES) return subjectAddress("strikes", id, "json");
  return addressOf(`strikes/${encodeURIComponent(id)}/attribution`, { basis, minority });
}

/** Whose assets a strike hit, with the chains behind the answer. */
export const attribution = (id, view, signal) => files?.attribution(id, view, signal) ?? json(attributionAddress(id, view), signal);

/** The address of a strike with its owners as a GeoJSON feature; a browser that follows a link would else get a page. */
export const geojsonAddress = (id) => new URL(`collections/strikes/items/${encodeURIComponent(id)}?f=json`, ROOT).href;

/** The log of what changed of all that the answer to a strike is based on, as a page; in files that of all strikes. */
export const correctionsAddress = (id) => FILES ? fileAddress("corrections.html") : new URL(`corrections?strike=${encodeURIComponent(id)}&f=html`, ROOT).href;

/** What an entity holds on a day (yyyy-mm-dd; null is the day of the data), directly and through others. */
export function holdings(id, on, signal) {
  if (files) return files.holdings(id, on, signal);
  return json(addressOf(`entities/${encodeURIComponent(id)}/holdings`, on ? { on } : {}), signal);
}

function ofCountry(path, { basis, minority, from, to }) {
  const given = Object.entries({ basis, minority, since: from, until: to });
  return addressOf(path, Object.fromEntries(given.filter(([, value]) => value)));
}

/** The address of what is known of one country in the days of the view. */
const countryAddress = (code, view) => ofCountry(`countries/${encodeURIComponent(code)}`, view);

/** The address of the capacity of a country that was hit and lost, site by site; in files its page. */
export const capacityAddress = (code, view) => FILES ? pageAddress("countries", code) : ofCountry(`countries/${encodeURIComponent(code)}/capacity`, view);

/** What is known of one country. */
export const country = (code, view, signal) => files?.country(code, view, signal) ?? json(countryAddress(code, view), signal);

/** The address of the page of a country or, with its end, of an owner. */
export const pageAddress = (kind, id, end = "") => FILES ? subjectAddress(kind, id, "html") : new URL(`${kind}/${encodeURIComponent(id)}${end}`, ROOT).href;

/** The address of the page of a strike or site, by its collection. */
export const featureAddress = (kind, id) => FILES ? subjectAddress(kind, id, "html") : new URL(`collections/${kind}/items/${encodeURIComponent(id)}`, ROOT).href;
export const strikeAddress = (id) => featureAddress("strikes", id);

/** The address of a page of its own: map, countries, connect, corrections or policy. */
export const siteAddress = (name) => !FILES ? new URL(name, ROOT).href : name === "connect" ? `${fileAddress("index.html")}#server` : fileAddress(`${name.split("?")[0]}.html`);

/** How an address of this server is cited, in words and otherwise. */
export const citation = (address) => json(citationAddress(address, "json"));

/** The address of that citation in a form. */
export const citationAddress = (address, form) => addressOf("cite", { url: address, f: form });

let described;

/** What the server holds, who may embed its map, and how it wants to be credited. */
export const about = () => (described ??= files?.about() ?? json(new URL("about", ROOT).href));
