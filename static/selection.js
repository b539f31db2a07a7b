// What is selected: one object that list, map, card, chips, time range and address share, and how the API is asked for it.
// Pure: no page, no words, so that tests can run it alone.
import { FILES } from "./origin.js";

/** Where parameters have the view that they word, for answers from files. */
export const SELECTED = Symbol("selected");

/** What a country or an owner may be to what was hit. "related" is any tie but owning, controlling and hosting. */
export const ROLES = ["owner", "control", "related", "host"];
export const TIES = ["operator", "supplier", "offtaker", "affected", "lender", "cargo-owner", "occupier", "brand", "flag",
  "charterer", "production-sharing", "title-claim", "trust", "temporary-manager", "licensee"];
export const CERTAINTIES = ["sure", "possible"];
export const RESTS = ["decision", "alternatives", "match", "nothing"];
/** Metres within which the true place lies; "none" is no place at all. */
export const PRECISIONS = ["1000", "5000", "25000", "none"];
/** Words that the weapons of a strike are looked through for. */
export const WEAPONS = ["drone", "missile", "rocket", "air strike", "boat", "mine", "artillery", "explosive", "debris"];

/** The start of every part of the selection: what is as here does not narrow it. */
export const EVERYTHING = Object.freeze({
  q: null, // words in any script
  country: null, // ISO 3166-1 code
  owner: null, // id of a company, person or state
  asset: null, // id of a site or line
  role: "owner", // of the country or the owner
  min_share: 0, // percent that it owned at least
  kinds: [], // groups of what was hit; "none" is not known
  commodity: null,
  weapon: null,
  status: [],
  from: null, // yyyy-mm-dd
  to: null,
  within: null, // one of PRECISIONS
  rests_on: null,
  certainty: null,
});

/** Which filters narrow a selection, in the order in which they are said. */
export function narrowing(view) {
  const chosen = ["country", "owner", "asset", "q", "kinds", "commodity", "weapon", "status", "within", "rests_on", "certainty"]
    .filter((name) => (Array.isArray(view[name]) ? view[name].length : view[name]));
  return view.from || view.to ? [...chosen, "dates"] : chosen;
}

/** The changes that take a filter away. */
export function cleared(name, view) {
  if (name === "dates") return { from: null, to: null };
  if (name !== "country" && name !== "owner") return { [name]: EVERYTHING[name] };
  const other = name === "country" ? view.owner : view.country;
  return { [name]: null, ...(other ? {} : { role: "owner", min_share: 0 }) };
}

/** The selection without some of its filters. */
export function without(view, ...names) {
  return Object.assign({ ...view }, ...names.map((name) => cleared(name, view)), names.includes("country") ? { role: view.role, min_share: view.min_share } : {});
}

const quoted = (text) => `'${text.replaceAll("'", "''")}'`;
const isOneOf = (property, values) => `"${property}" IN (${values.map(quoted).join(", ")})`;

function ofKinds(kinds) {
  const known = kinds.filter((kind) => kind !== "none");
  const parts = [known.length && isOneOf("group", known), kinds.includes("none") && '"group" IS NULL'].filter(Boolean);
  return parts.length > 1 ? `(${parts.join(" OR ")})` : parts[0];
}

function ofPlace(within) {
  return within === "none" ? "uncertainty_m IS NULL" : `uncertainty_m <= ${Number(within)}`;
}

/** The CQL2 text of what the columns of strikes decide. Retracted strikes are selected only where they are named. */
export function filterOf(view) {
  return [
    view.status.length ? isOneOf("status", view.status) : "status <> 'retracted'",
    view.kinds.length && ofKinds(view.kinds),
    view.weapon && `CASEI(weapons) LIKE CASEI(${quoted(`%${view.weapon}%`)})`,
    view.within && ofPlace(view.within),
    view.rests_on && `rests_on = ${quoted(view.rests_on)}`,
  ].filter(Boolean).join(" AND ");
}

function relationOf({ role, basis, min_share: least }) {
  if (role !== "owner" && role !== "control") return { relation: role };
  return { reading: role === "control" ? "control" : basis, min_share: role === "owner" && least ? least : null };
}

/** The parameters by which strikes, and counts of strikes, are asked for. */
export function parametersOf(view) {
  const dates = view.from || view.to ? `${view.from ?? ".."}/${view.to ?? ".."}` : null;
  const given = {
    ...(view.country || view.owner ? relationOf(view) : {}),
    q: view.q, country: view.country, entity: view.owner, assets: view.asset, commodity: view.commodity,
    certainty: view.certainty, datetime: dates, filter: filterOf(view),
  };
  const worded = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  return FILES ? { ...worded, [SELECTED]: view } : worded;
}

/** The parameters by which the countries of a role are counted: without a country, but by its role and least share. */
export function parametersByCountry(view) {
  return { ...parametersOf({ ...view, country: null }), ...Object.fromEntries(Object.entries(relationOf(view)).filter(([, value]) => value)) };
}

/** Whether a row may lie outside the days of the view, or has no day. */
export function mayFall(row, view) {
  if (!view.from && !view.to) return false;
  return Boolean((view.from && (!row.day_first || row.day_first < view.from)) || (view.to && (!row.day_last || row.day_last > view.to)));
}
