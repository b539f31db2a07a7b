// What the map draws, as GeoJSON features: the strikes, how many share a place, and the selection.
import { bounds, nearest, positions, ring } from "./geodesy.js";
import { imageName } from "./style.js";

const feature = (geometry, properties) => ({ type: "Feature", geometry, properties });

/** The placed rows as points with the image they are drawn with. */
export function strikeFeatures(rows) {
  const placed = rows.filter((row) => row.geometry);
  return placed.map((row, i) => feature(row.geometry, { id: row.id, image: imageName(row), order: i }));
}

/** How many strikes share a place, so that none hides under another. */
export function stackFeatures(rows) {
  const places = Map.groupBy(rows.filter((row) => row.geometry?.type === "Point"), (row) => row.geometry.coordinates.join());
  return [...places.values()].filter((group) => group.length > 1)
    .map((group) => feature(group[0].geometry, { n: group.length }));
}

function assetFeatures(hit, centre) {
  const { geometry, name } = hit.asset;
  if (!geometry) return [];
  const sure = hit.verdict === "confirmed";
  const shown = [feature(geometry, { role: "asset", name })];
  const end = centre && nearest(centre, geometry);
  if (end) shown.push(feature({ type: "LineString", coordinates: [centre, end] }, { role: "link", sure }));
  return shown;
}

/** The selected strike, its ring of uncertainty, and the assets it hit or may have hit, each with a line to it. */
export function pickedFeatures({ strike, assets }) {
  const centre = strike.geometry?.type === "Point" ? strike.geometry.coordinates : null;
  const shown = centre ? [feature(strike.geometry, { role: "strike" })] : [];
  if (centre && strike.uncertainty_m)
    shown.push(feature({ type: "Polygon", coordinates: [ring(centre, strike.uncertainty_m)] }, { role: "ring" }));
  return [...shown, ...assets.flatMap((hit) => assetFeatures(hit, centre))];
}

/** What to bring into view: the strike, its ring and nearby assets; whole pipelines would push all else away. */
export function frameOf(features) {
  const near = features.filter((f) => f.properties.role !== "asset" || f.geometry.type === "Point");
  return bounds((near.length ? near : features).flatMap((f) => positions(f.geometry)));
}
