// What the mark of a strike says on the map: pure, without a page, so that paint, key and tests agree.
//
// A mark is { shape, look, parts, level, outline, heavy, area }:
//   look     what the fill means: "host", "pie" (owners), "share" (of the chosen country), "tie"
//   parts    [colour key, fraction] of a pie, in the order drawn; what is left is grey
//   level    least and largest share of the chosen country, 0 to 1
//   outline  "solid" or "dashed": whether what the fill says, and which site was hit, is sure
//   heavy    corroborated or verified, by more than one report
//   area     the place is known only as an area

const STEP = 20; // shares are drawn in twentieths, so that few images are needed
const LARGEST = 3; // owners with a colour in one pie
const AREAS = new Set(["district", "region", "sea-area"]);
const AREA_M = 20_000;
const CERTAINTY = "certainty"; // what the ring of several strikes says where a country is chosen: how many are sure, not its share
const SUPPLY = new Set(["supplier", "offtaker", "cargo-owner"]);

const rounded = (fraction) => Math.round(fraction * STEP) / STEP;

/** A share in twentieths; a little is never drawn as nothing, nor nearly all as all. */
export function drawn(percent) {
  if (percent <= 0) return 0;
  if (percent >= 99.995) return 1;
  return Math.min(1 - 1 / STEP, Math.max(2 / STEP, rounded(percent / 100)));
}

/** A function of a text that many rows share, worked out once for each text; its answers are not to be changed. */
function remembered(read) {
  const known = new Map();
  return (text) => {
    if (!known.has(text)) known.set(text, read(text ?? ""));
    return known.get(text);
  };
}

/** The owners of a row's text such as "RU 47.33, GB 5-6, unattributed 1.75": [country or null, least, largest]. */
export const ownerShares = remembered((text) => text.split(", ").filter(Boolean).map((part) => {
  const [who, range] = part.split(" ");
  const [low, high] = (range ?? "0").split("-").map(Number);
  return [/^[A-Z]{2}$/.test(who) ? who : null, low, high ?? low];
}));

/** The least and largest share of a country in a row, in percent. */
export function shareOf(row, country) {
  const own = ownerShares(row.owners).find(([code]) => code === country);
  return own ? [own[1], own[2]] : [0, 0];
}

/** Ties of a row's text such as "AZ supplier, lukoil operator": [country or entity, relation]. */
export const tiesOf = remembered((text) => text.split(", ").filter(Boolean).map((tie) => {
  const cut = tie.indexOf(" ");
  return [tie.slice(0, cut), tie.slice(cut + 1)];
}));

/** The key of the colour of a tie. */
const tieKey = (relation) => (relation === "operator" ? "operator" : SUPPLY.has(relation) ? "supplier" : "tied");

/** Whether a place is known only as an area, so that no dot may stand for it. */
export const isArea = ({ basis, uncertainty_m }) => AREAS.has(basis) || (uncertainty_m ?? 0) >= AREA_M;

/** Whether nothing of what a mark says is in doubt: it surely counts, and with no country chosen, which site was hit. */
const isSettled = (row, view) => row.isSure && (row.rests_on === "decision" || (view.role === "owner" && Boolean(view.country)));

/** Pairs of a key and a size, the largest first. */
const bySize = (a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1);

/** The three largest sure owners of a row's text, [country, fraction]; smaller ones and what is only possible are left out. */
export const pieOf = remembered((text) => ownerShares(text).filter(([country, low]) => country && low > 0)
  .sort(bySize).slice(0, LARGEST)
  .map(([country, low]) => [country, drawn(low)]));

/** The ties of a row that a view asks for, as colour keys; `role` is one kind of tie, or any. */
function tieKeys(row, { role, country }) {
  const own = tiesOf(row.relations).filter(([who, tie]) => (!country || who === country) && (role === "related" || role === tie));
  return [...new Set(own.map(([, tie]) => tieKey(tie)))].sort();
}

/** What the fill of marks means in a view: "host", "share", "pie" or "tie". Who controls is not a share: it has a pie too. */
export function lookOf({ role, country }) {
  if (role === "host") return "host";
  if (role === "owner" || role === "control") return role === "owner" && country ? "share" : "pie";
  return "tie";
}

function fillOf(row, view, keys) {
  const look = lookOf(view);
  if (look === "host") return { look, parts: [[keys.host(row.host_country), 1]], level: null };
  if (look === "share") return { look, parts: [], level: shareOf(row, view.country).map(drawn) };
  if (look === "pie") return { look, parts: pieOf(row.owners).map(([code, part]) => [keys.owner(code), part]), level: null };
  const ties = tieKeys(row, view);
  return { look, parts: ties.map((key) => [key, 1 / ties.length]), level: null };
}

/**
 * The mark of a row in a view. `keys` gives the colour keys of host and owner countries and of groups;
 * `area` overrides whether its place is an area, as where it stands on its asset.
 */
export function markOf(row, view, keys, area = isArea(row)) {
  return {
    shape: keys.shape(row.group), ...fillOf(row, view, keys), area,
    outline: isSettled(row, view) ? "solid" : "dashed",
    heavy: row.status === "corroborated" || row.status === "verified",
  };
}

/** The name of the image of a mark. */
export function markName({ shape, look, parts, level, outline, heavy, area }) {
  const fill = level ? level.join("-") : parts.map(([key, part]) => `${key}${rounded(part)}`).join("+");
  return ["mark", look, shape, fill, outline, heavy ? "heavy" : "thin", area ? "area" : "spot"].join("|");
}

// What decides the fill of a row, by look: rows that have it in common are filled alike.
const DECIDES = { host: (row) => row.host_country, tie: (row) => row.relations, pie: (row) => row.owners, share: () => null };

/** Rows that are filled alike in a view: one of them, and how many are sure and possible. */
function alike(rows, view) {
  const decides = DECIDES[lookOf(view)];
  const kinds = new Map();
  for (const row of rows) {
    const what = decides(row);
    const kind = kinds.get(what) ?? { row, sure: 0, possible: 0 };
    kind[row.isSure ? "sure" : "possible"] += 1;
    kinds.set(what, kind);
  }
  return kinds.values();
}

const add = (sum, key, part) => part > 0 && sum.set(key, (sum.get(key) ?? 0) + part);

/** Sums of parts as they are drawn of so many strikes. */
const drawnRing = (sums, n) => Object.entries(sums).flatMap(([sure, sum]) =>
  [...sum].map(([key, part]) => [key, rounded(part / n), sure]).filter(([, part]) => part > 0).sort(bySize));

/** What the ring of several strikes is made of: [colour key or "" for the rest, fraction, "sure" or "possible"], as drawn. */
export function ringOf(rows, view, keys) {
  const sums = { sure: new Map(), possible: new Map() };
  for (const { row, ...counted } of alike(rows, view)) {
    const { look, parts } = fillOf(row, view, keys);
    const shown = look === "share" ? [[CERTAINTY, 1]] : [...parts, ["", 1 - parts.reduce((sum, [, part]) => sum + part, 0)]];
    for (const [sure, sum] of Object.entries(sums)) for (const [key, part] of shown) add(sum, key, part * counted[sure]);
  }
  return drawnRing(sums, rows.length);
}

/** The colour keys that a part of a cluster is drawn in, by what the fill means. */
const PART_KEYS = {
  host: (value, keys) => [keys.host(value)],
  pie: (value, keys) => [keys.owner(value)],
  tie: (value) => [...new Set((value ?? "").split("+").filter(Boolean).map(tieKey))],
};

/** The ring of strikes that the server put together: { strikes, sure, parts }, each part { value, sure, possible }. */
export function ringOfCluster({ strikes, sure, parts }, view, keys) {
  const look = lookOf(view);
  const left = { sure, possible: strikes - sure };
  const sums = { sure: new Map(), possible: new Map() };
  for (const part of parts) {
    const colours = PART_KEYS[look](part.value, keys);
    for (const [name, sum] of Object.entries(sums)) {
      for (const key of colours) add(sum, key, part[name] / colours.length);
      if (colours.length) left[name] -= part[name];
    }
  }
  for (const [name, rest] of Object.entries(left)) add(sums[name], look === "share" ? CERTAINTY : "", rest);
  return drawnRing(sums, strikes);
}

/** The name of the image of the ring of several strikes. */
export const ringName = (ring, size) => `ring|${size}|${ring.map((part) => part.join(":")).join("+")}`;
