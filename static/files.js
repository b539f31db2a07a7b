// Answers from the files of a publication, by the names and in the form in which a server gives them: the page does not
// know which it has. What one selects by is in the page; ties and their bounds were worked out when the files were written.
import { LANG } from "./language.js";
import { ROOT, fileAddress, learnFiles, subjectAddress } from "./origin.js";
import { bounds } from "./geodesy.js";
import { SELECTED } from "./selection.js";
import { t } from "./text.js";
import { timeline } from "./file-timeline.js";
import { found, searchKeysWith } from "./file-names.js";
import { clusterFile, clustersIn, countsIn, rowsIn } from "./file-opening.js";

const [REGISTRATION, STAY] = ["registration", "stay"]; // how the answers in files count
const cached = new Map();

/** A file of the map, read once. */
function part(name) {
  if (!cached.has(name)) {
    const read = json(new URL(`map/${name}.json`, ROOT).href);
    read.catch(() => cached.delete(name));
    cached.set(name, read);
  }
  return cached.get(name);
}

async function json(address, signal) {
  const answer = await fetch(address, { signal });
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  return answer.json();
}

/** What is shown before all rows are there, and the names of files. */
const opening = () => part("opening").then((read) => (learnFiles(read.files), read));

let atlas = null;
let isWhole = false; // all rows are there

/** Every strike in the order of the list, its columns complete, and the ties of countries. */
function everything() {
  atlas ??= part("strikes").then((read) => {
    isWhole = true;
    const columns = Object.entries(read.columns);
    return { ...read, rows: read.columns.id.map((_, number) => Object.fromEntries(columns.map(([name, values]) => [name, values[number]]))) };
  });
  atlas.catch(() => (atlas = null));
  return atlas;
}

const isDated = (row) => Boolean(row.day_first && row.day_last);
const mayBeBetween = (row, { from, to }) => (!to || !row.day_first || row.day_first <= to) && (!from || !row.day_last || row.day_last >= from);
const isBetween = (row, { from, to }) => (!from || (row.day_first && row.day_first >= from)) && (!to || (row.day_last && row.day_last <= to));

/** Whether a row's own columns satisfy a view. */
function fits(row, view) {
  return (view.status.length ? view.status.includes(row.status) : row.status !== "retracted")
    && (!view.kinds.length || view.kinds.includes(row.group ?? "none"))
    && (!view.weapon || Boolean(row.weapons?.toLowerCase().includes(view.weapon)))
    && (!view.within || (view.within === "none" ? row.uncertainty_m === null : row.uncertainty_m !== null && row.uncertainty_m <= +view.within))
    && (!view.rests_on || row.rests_on === view.rests_on)
    && (!view.asset || row.assets.includes(view.asset))
    && mayBeBetween(row, view);
}

/** Which rows a list of ties marks, of owners from a share on: two sets of row numbers. */
function tied(ties, least, { rounding, negligible }, byBounds) {
  const [may, sure] = [new Set(), new Set()];
  const enough = Math.max(least - rounding, negligible);
  for (const [row, isSure, most = 100, surely = 100] of ties ?? []) {
    if (!byBounds || most >= enough) may.add(row);
    if (byBounds ? surely >= enough : isSure) sure.add(row);
  }
  return { may, sure };
}

const readingOf = (view) => (view.role === "control" ? "control" : view.basis);
const isOwner = ({ role }) => role === "owner" || role === "control";

/** The ties of countries, or of one owner, as a view asks for them; of an owner both bases of countries are one reading. */
const tiesIn = (table, view, reading = readingOf(view)) => (isOwner(view) ? table.owners?.[reading] : table.others?.[view.role]);
const ofOwner = (table, view) => tiesIn(table ?? {}, view, view.role === "control" ? "control" : REGISTRATION);

/** The numbers of the rows that satisfy something, which is certain of each. */
function certain(rows, holds) {
  const numbers = new Set(rows.map((row, number) => (holds(row, number) ? number : null)));
  return { may: numbers, sure: numbers };
}

async function conditionsOf(view, data) {
  const conditions = [];
  if (view.q) {
    const [texts, keysOf] = [await part("texts"), searchKeysWith((await part("names")).fold)];
    const words = keysOf(view.q);
    conditions.push(certain(data.rows, (row, i) => words.every((word) => texts[i].some((text) => text.includes(word)))));
  }
  if (view.commodity) conditions.push(certain(data.rows, ({ assets }) => assets.some((id) => data.commodities[id]?.includes(view.commodity))));
  const byShare = view.role === "owner";
  if (view.country) conditions.push(tied(tiesIn(data.countries, view)?.[view.country], view.min_share, data, byShare && view.min_share > 0));
  if (view.owner) conditions.push(tied(ofOwner((await part("owners"))[view.owner], view), view.min_share, data, byShare));
  return conditions;
}

const WHOLE = { status: ["draft", "reported", "corroborated", "verified", "retracted"], kinds: [], weapon: null, within: null, rests_on: null };
const withSureness = ({ row, sure }) => ({ ...row, isSure: sure });

/** The rows of a selection: { data, view, rows: [{ row, number, sure }] }. */
async function selected(parameters) {
  const data = await everything();
  const view = parameters[SELECTED] ?? WHOLE;
  const conditions = await conditionsOf(view, data);
  const rows = [];
  data.rows.forEach((row, number) => {
    if (!fits(row, view) || conditions.some(({ may }) => !may.has(number))) return;
    const isHit = !view.asset || row.assets_sure.includes(view.asset);
    const sure = Boolean(row.sure && isHit && isBetween(row, view)) && conditions.every((one) => one.sure.has(number));
    if (view.certainty ? (view.certainty === "sure") === sure : true) rows.push({ row, number, sure });
  });
  return { data, view, rows };
}

const isIn = ([west, south, east, north], lon, lat) =>
  lat >= south && lat <= north && (west <= east ? lon >= west && lon <= east : lon >= west || lon <= east);
const within = (box) => ({ row: { geometry } }) => geometry && isIn(box, ...geometry.coordinates);

/** As `strikes` of api.js; of a box alone where one is given. */
export async function strikes(parameters, { offset, limit, box = null }) {
  const first = rowsIn(await opening(), parameters, { offset, limit, box });
  if (first) return first;
  const { rows } = await selected(parameters);
  const found = box ? rows.filter(within(box)) : rows;
  return { rows: found.slice(offset, offset + limit).map(withSureness), total: found.length };
}

/** As `clusters` of api.js or, once all rows are there, each strike in the box by itself, which the map puts together. */
export async function clusters(parameters, wanted) {
  const read = await opening();
  const file = isWhole ? null : clusterFile(read, parameters, wanted);
  const near = file && clustersIn(read, await part(file), wanted);
  if (near) return near;
  const { rows } = await selected(parameters);
  const shown = rows.filter(within(wanted.bbox)).map(withSureness);
  return { strikes: shown.length, clusters: [], rows: shown };
}

/** As `strike` of api.js. */
export async function strike(id, parameters) {
  const isIt = (row) => row.id === id;
  const read = await opening();
  const first = rowsIn(read, parameters, { offset: 0, limit: read.rows.length })?.rows.find(isIt);
  if (first) return first;
  const { rows, data } = await selected({ [SELECTED]: { ...parameters[SELECTED], ...WHOLE } });
  const row = data.rows.find(isIt);
  if (!row) throw new Error("404");
  return withSureness(rows.find((each) => each.row === row) ?? { row, sure: false });
}

/** Why the rows that are not sure are not, each under the first reason that holds. */
function reasons(rows, view) {
  const counted = { drafts: 0, undated: 0, across: 0, unsettled: 0 };
  const isBounded = Boolean(view.from || view.to);
  for (const { row, sure } of rows) {
    if (sure) continue;
    const why = !row.sure ? "drafts" : isBounded && !isDated(row) ? "undated" : !isBetween(row, view) ? "across" : "unsettled";
    counted[why] += 1;
  }
  return counted;
}

/** The values of a row that strikes are counted by. */
function valuesBy(by, { data, view }) {
  if (by === "group" || by === "status") return ({ row }) => [row[by]];
  if (by === "commodity") return ({ row }) => row.assets.flatMap((id) => data.commodities[id] ?? []);
  const of = new Map();
  const enough = view.role === "owner" && view.min_share > 0 ? Math.max(view.min_share - data.rounding, data.negligible) : -1;
  for (const [code, ties] of Object.entries(tiesIn(data.countries, view) ?? {}))
    for (const [number, , most = 100] of ties) if (!(most < enough)) of.set(number, [...(of.get(number) ?? []), code]);
  return ({ number }) => of.get(number) ?? [];
}

function groups(by, selection) {
  const counted = new Map();
  const values = valuesBy(by, selection);
  for (const each of selection.rows) for (const value of new Set(values(each))) counted.set(value, (counted.get(value) ?? 0) + 1);
  const listed = [...counted].map(([value, n]) => ({ value, strikes: n }));
  const order = (value) => (value === null ? "\uffff" : value);
  return listed.sort((a, b) => b.strikes - a.strikes || (order(a.value) < order(b.value) ? -1 : 1));
}

const UNITS = ["day", "week", "month", "year"];

/** As `counts` of api.js. */
export const counts = async (parameters) => countsIn(await opening(), parameters) ?? countedOf(parameters);

async function countedOf({ by = null, ...parameters }) {
  const selection = await selected(parameters);
  const { rows, view } = selection;
  const sure = rows.filter((each) => each.sure).length;
  const answer = {
    strikes: rows.length, sure, possible: rows.length - sure, reasons: reasons(rows, view),
    unplaced: rows.filter(({ row }) => !row.geometry).length, undated: rows.filter(({ row }) => !isDated(row)).length,
    bbox: bounds(rows.flatMap(({ row }) => (row.geometry ? [row.geometry.coordinates] : [])))?.flat() ?? null, by, groups: [], spans: [],
  };
  if (UNITS.includes(by)) return { ...answer, ...timeline(rows.filter(({ row }) => isDated(row)), by) };
  if (!by) return answer;
  // Countries are counted whichever is chosen.
  const counted = by === "country" && view.country ? await selected({ [SELECTED]: { ...view, country: null } }) : selection;
  return { ...answer, groups: groups(by, counted) };
}

/** As `search` of api.js; places need a gazetteer, which is no file. */
export async function search(text, limit) {
  await opening();
  return { groups: found(await part("names"), text, limit, LANG) };
}

/** A record by its names alone. */
export async function record(table, id) {
  const kinds = table === "assets" ? ["asset"] : ["company", "person", "state"];
  const { named } = await part("names");
  const one = kinds.flatMap((kind) => named[kind]).find((each) => each.id === id);
  if (!one) throw new Error("404");
  return { name: one.name, names: one.spoken ?? {} };
}

/** As `assetsById` of api.js. */
export async function assetsById(ids) {
  const assets = await part("assets");
  return ids.map((id) => assets[id]).filter(Boolean);
}

const usual = ({ basis, minority, from, to }) => (basis ?? REGISTRATION) === REGISTRATION && (minority ?? STAY) === STAY && !from && !to;

/** As `attribution` of api.js, by country of registration. */
export async function attribution(id, { basis, minority }, signal) {
  if (!usual({ basis, minority })) throw new Error(t("needsServer"));
  await opening();
  return json(subjectAddress("strikes", id, "json"), signal);
}

/** As `country` of api.js, of all days. */
export async function country(code, view, signal) {
  if (!usual(view)) throw new Error(t("needsServer"));
  return json(subjectAddress("countries", code, "json"), signal);
}

/** As `holdings` of api.js, on the day of the data. */
export const holdings = (id, on, signal) => json(subjectAddress("entities", id, "json"), signal);

/** As `about` of api.js. */
export const about = () => json(fileAddress("about.json"));
