// What the map draws, as GeoJSON features: marks of strikes, one for those that lie on each other, and the selection.
import { clusters } from "./clusters.js";
import { bounds, lineWithin, nearest, positions, ring } from "./geodesy.js";
import { markName, markOf, ringName, ringOf } from "./marks.js";
import { placeOf } from "./places.js";

const feature = (geometry, properties) => ({ type: "Feature", geometry, properties });
const point = (coordinates) => ({ type: "Point", coordinates });

/**
 * Marks of the placed rows at a zoom: groups [{ at, rows, mark }], or { at, rows, ring, look, size } of several.
 * The selected row stands alone, on top, and is left out here.
 */
export function groupsOf(rows, view, { sites, zoom, keys, sizeOf }) {
  const places = new Map();
  for (const row of rows) if (row.geometry) places.set(row, placeOf(row, sites));
  const placed = [];
  for (const [row, place] of places) if (row.id !== view.strike) placed.push([row, place.at]);
  const groups = clusters(placed, zoom).map(({ at, rows: members }) => {
    if (members.length === 1) return { at, rows: members, mark: markOf(members[0], view, keys, places.get(members[0]).area) };
    const ring = ringOf(members, view, keys);
    return { at, rows: members, ring, look: markOf(members[0], view, keys).look, size: sizeOf(members.length) };
  });
  return { places, groups };
}

/** The name of a group's image. */
export const imageOf = ({ mark, ring, look, size }) => (mark ? markName(mark) : `${look}|${ringName(ring, size)}`);

/** The groups as points, each with its number in the list of groups; `labelOf` words a single mark, or gives null. */
export function groupFeatures(groups, labelOf) {
  return groups.map((group, index) => {
    const label = group.mark ? labelOf(group) : null;
    const shown = { index, image: imageOf(group), n: group.rows.length, order: group.rows.length };
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
  const sure = (hit) => hit.verdict === "confirmed" && strike.status !== "draft";
  return [...shown, ...assets.flatMap((hit) => assetFeatures(hit, at, radius, sure(hit)))];
}

/** What to bring into view: the strike, its ring and nearby assets; whole pipelines would push all else away. */
export function frameOf(features) {
  const near = features.filter((f) => f.properties.role !== "asset" || f.geometry.type === "Point");
  return bounds((near.length ? near : features).flatMap((f) => positions(f.geometry)));
}
