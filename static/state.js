// Keeps what is shown in the address after #, so that a view can be sent, reloaded and gone back to.
import { CERTAINTIES, EVERYTHING, PRECISIONS, RESTS, ROLES, TIES, WEAPONS } from "./selection.js";

// How ownership is counted, by the names that the API has for it; the first is the start.
export const BASES = ["registration", "headquarters"];
export const MINORITIES = ["stay", "follow"];
const START = {
  ...EVERYTHING,
  map: null, // [lon, lat, zoom]
  basis: BASES[0],
  minority: MINORITIES[0],
  strike: null, // id
  entity: null, // id of the company, person or state whose holdings are shown
};
const LONGEST = 200; // letters of a text
const DAY = /^\d{4}-\d{2}-\d{2}$/;

const oneOf = (value, choices) => (choices.includes(value) ? value : choices[0]);
const list = (value) => (value ?? "").split(".").filter((part) => /^[a-z]+$/.test(part));
const among = (value, choices) => (choices.includes(value) ? value : null);
const text = (value) => value?.trim().slice(0, LONGEST) || null;
// Date.parse takes 30 February for a day of March.
const isDay = (value) => DAY.test(value) && !Number.isNaN(Date.parse(value)) && new Date(value).toISOString().startsWith(value);
const day = (value) => (isDay(value ?? "") ? value : null);
const percent = (value) => (/^\d{1,3}(\.\d+)?$/.test(value ?? "") && +value <= 100 ? +value : 0);

function place(value) {
  const numbers = (value ?? "").split(",").map(Number);
  const sound = numbers.length === 3 && numbers.every(Number.isFinite) && Math.abs(numbers[1]) <= 85;
  return sound ? numbers : null;
}

/** The state an address says; whatever is malformed falls back to the start. */
export function read(hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const country = said.get("country");
  return {
    map: place(said.get("map")),
    country: /^[A-Z]{2}$/.test(country ?? "") ? country : null,
    role: oneOf(said.get("role"), [...ROLES, ...TIES]),
    min_share: percent(said.get("min_share")),
    q: text(said.get("q")),
    owner: text(said.get("owner")),
    asset: text(said.get("asset")),
    commodity: text(said.get("commodity")),
    weapon: among(said.get("weapon"), WEAPONS),
    within: among(said.get("within"), PRECISIONS),
    rests_on: among(said.get("rests_on"), RESTS),
    certainty: among(said.get("certainty"), CERTAINTIES),
    kinds: list(said.get("kinds")),
    status: list(said.get("status")),
    from: day(said.get("from")),
    to: day(said.get("to")),
    basis: oneOf(said.get("basis"), BASES),
    minority: oneOf(said.get("minority"), MINORITIES),
    strike: said.get("strike") || null,
    entity: said.get("entity") || null,
  };
}

/** The address that says a state; what is as at the start is left out. */
export function written(state) {
  const said = new URLSearchParams();
  for (const [name, start] of Object.entries(START)) {
    const value = state[name];
    if (name === "map" && value) said.set("map", value.map((n, i) => +n.toFixed(i < 2 ? 4 : 2)).join(","));
    else if (Array.isArray(value) && value.length) said.set(name, value.join("."));
    else if (!Array.isArray(value) && value && value !== start) said.set(name, value);
  }
  return `#${said.toString().replaceAll("%2C", ",")}`;
}

/** The address with its view behind the #, where the page keeps it; null where none came as a query, as links from elsewhere have it. */
export function settledAddress({ pathname, search, hash }) {
  const query = new URLSearchParams(search);
  const names = [...query.keys()].filter((name) => name in START);
  if (!names.length) return null;
  const view = hash || written(read(search));
  for (const name of names) query.delete(name);
  return `${pathname}${query.size ? `?${query}` : ""}${view}`;
}

/** A state that tells its listeners about changes and keeps the address up to date. */
export function createState(onChange) {
  const settled = settledAddress(location);
  if (settled) history.replaceState(null, "", settled);
  let now = read(location.hash);
  const tell = (before) => onChange(now, before);

  function follow() {
    const before = now;
    now = read(location.hash);
    if (written(now) !== written(before)) tell(before);
  }

  // Back and forward, and an address typed by hand.
  addEventListener("hashchange", follow);

  return {
    get now() {
      return now;
    },
    /** Change some of it. A step that a reader would want to go back from gets its own history entry. */
    set(changes, { step = true } = {}) {
      // The browser goes back first and tells afterwards: a map that moves in between must not write the old view over it.
      follow();
      const before = now;
      now = { ...now, ...changes };
      const address = written(now);
      if (address === written(before)) return;
      history[step ? "pushState" : "replaceState"](null, "", address);
      tell(before);
    },
  };
}
