// What the map draws, as GeoJSON features: marks of strikes, one for those that lie on each other, and the selection.
import { clusters as clustered } from "./clusters.js";
import { bounds, lineWithin, nearest, positions, ring } from "./geodesy.js";
import { lookOf, markName, markOf, ringName, ringOf, ringOfCluster } from "./marks.js";
import { placeOf } from "./places.js";

/** Features as a collection. */
export const collection = (features = []) => ({ type: "FeatureCollection", features });
const feature = (geometry, properties) => ({ type: "Feature", geometry, properties });
const point = (coordinates) => ({ type: "Point", coordinates });

/**
 * Marks of the placed rows at a zoom, and of clusters that the server put together: groups [{ at, n, rows, mark }], or
 * { at, n, rows, ring, look, size } of several; one of the server has no rows, but `sure` and the `box` of its strikes.
 * The selected row stands alone, on top, and is left out here.
 */
export function groupsOf(rows, view, { sites, zoom, keys, sizeOf, clusters = [] }) {
  const places = new Map();
  for (const row of rows) if (row.geometry) places.set(row, placeOf(row, sites));
  const placed = [];
  for (const [row, place] of places) if (row.id !== view.strike) placed.push([row, place.at]);
  const look = lookOf(view);
  const groups = clustered(placed, zoom).map(({ at, rows: members }) => {
    const n = members.length;
    if (n === 1) return { at, n, rows: members, mark: markOf(members[0], view, keys, places.get(members[0]).area) };
    return { at, n, rows: members, ring: ringOf(members, view, keys), look, size: sizeOf(n) };
  });
  const counted = clusters.map((cluster) => ({ at: cluster.at, n: cluster.strikes, sure: cluster.sure, rows: [], box: cluster.bbox,
    ring: ringOfCluster(cluster, view, keys), look, size: sizeOf(cluster.strikes) }));
  return { places, groups: [...groups, ...counted] };
}

/** The name of a group's image. */
export const imageOf = ({ mark, ring, look, size }) => (mark ? markName(mark) : `${look}|${ringName(ring, size)}`);

/**
 * The groups as points, each with its number in the list of groups; `labelOf` words a single mark, or gives null, and
 * `badgeOf` how many there are.
 */
export function groupFeatures(groups, labelOf, badgeOf) {
  return groups.map((group, index) => {
    const label = group.mark ? labelOf(group) : null;
    const shown = { index, image: imageOf(group), n: group.n, order: group.n };
    if (group.n > 1) shown.badge = badgeOf(group.n);
    return feature(point(group.at), label ? { ...shown, label } : shown);
  });
}

/** What an asset adds to the selection; a line's part that lies within the reported place is the struck one. */
function assetFeatures(hit, centre, radius, sure) {
  const { geometry, name } = hit.asset;
  if (!geometry) return [];
  const shown = [feature(geometry, { role: "asset", name, sure, image: sure ? "site|sure" : "site|possible" })];
  if (!centre) return shown;
  const parts = geometry.type.includes("Line") ? lineWithin(geometry, centre, radius) : [];
  if (parts.length) shown.push(feature({ type: "MultiLineString", coordinates: parts }, { role: "part", sure }));
  const end = nearest(centre, geometry);
  if (end && !parts.length) shown.push(feature({ type: "LineString", coordinates: [centre, end] }, { role: "link", sure }));
  return shown;
}

/** The selected strike, the area that holds its true place, and the assets it hit or may have hit, each with a line to it. */
export function pickedFeatures({ strike, assets }, place = null, image = null) {
  const at = place?.at ?? (strike.geometry?.type === "Point" ? strike.geometry.coordinates : null);
  const radius = place?.radius ?? strike.uncertainty_m ?? 0;
  const shown = at ? [feature(point(at), { role: "strike", image })] : [];
  if (at && radius) shown.push(feature({ type: "Polygon", coordinates: [ring(at, radius)] }, { role: "ring" }));
  return [...shown, ...assets.flatMap((hit) => assetFeatures(hit, at, radius, Boolean(hit.sure)))];
}

/** What to bring into view: the strike, its ring and nearby assets; whole pipelines would push all else away. */
export function frameOf(features) {
  const near = features.filter((f) => f.properties.role !== "asset" || f.geometry.type === "Point");
  return bounds((near.length ? near : features).flatMap((f) => positions(f.geometry)));
}

/** Prepare to fill a map whose style has just loaded; returns a function that gives sources their features, by name. */
export function createFill(map) {
  const filled = new Set();
  return (features) => {
    for (const [name, given] of Object.entries(features)) {
      // Whatever a source is given is laid out anew, even nothing in place of nothing.
      if (!given.length && !filled.has(name)) continue;
      map.getSource(name).setData(collection(given));
      filled[given.length ? "add" : "delete"](name);
    }
  };
}
