// All that the map draws in a view, worked out from rows, selection and what is in sight; MapLibre is not needed for it.
import { pixels, stepOf } from "./clusters.js";
import { groupFeatures, groupsOf, imageOf, pickedFeatures } from "./features.js";
import { markName, markOf } from "./marks.js";
import { doubtFeatures, placeOf, siteFeatures, sitesOf } from "./places.js";
import { tintOf } from "./tint.js";

const APART = 6; // zoom from which sites stand apart from strikes, and doubt is wider than a mark
const MOST = 400; // strikes in view whose sites are wanted
const RING = 26; // pixels around the selected strike in which no label of another would be read

const within = ([lon, lat], [[west, south], [east, north]]) => lon >= west && lon <= east && lat >= south && lat <= north;

/** Rows in view, from the zoom on at which doubt and sites are drawn; of very many the first. */
export function nearRows(rows, box, zoom) {
  if (zoom < APART) return [];
  return rows.filter(({ geometry }) => geometry && within(geometry.coordinates, box)).slice(0, MOST);
}

/** Whether the scene depends on what is in view, so that it is to be drawn anew where the map comes to rest. */
export const isLocal = (zoom) => zoom >= APART;

/** The selection as features, and the mark of its strike; none without an answer. */
export function pickedOf({ answer, row, view, sites, keys }) {
  if (!answer) return { features: [], mark: null };
  if (!row?.geometry) return { features: pickedFeatures(answer), mark: null };
  const place = placeOf(row, sites);
  const mark = markOf(row, view, keys, place.area);
  return { features: pickedFeatures(answer, place, markName(mark)), mark };
}

// A case under review has no owners yet.
function arcsOf(answer, features) {
  if (!answer.readings) return null;
  const of = (role) => features.find(({ properties, geometry }) => properties.role === role && geometry.type === "Point");
  const at = (of("strike") ?? of("asset"))?.geometry.coordinates;
  return at ? { at, owners: answer.owners, host: answer.host?.country ?? null, sites: answer.readings.sites_together } : null;
}

/**
 * The scene: groups of strikes, the images that are named, features by source, tint and arcs, and the assets wanted.
 * `labelOf` words a single mark, `badgeOf` a number of them; `sizeOf` gives the size of a ring; `box` is the view, [[west, south], [east, north]].
 */
export function sceneOf({ rows, clusters, view: shown, answer, row, sites, zoom, box, keys, sizeOf, labelOf, badgeOf }) {
  const view = { ...shown, strike: answer ? row?.id : null };
  const step = stepOf(zoom);
  const near = nearRows(rows, box, zoom);
  const { places, groups } = groupsOf(rows, view, { sites, zoom: step, keys, sizeOf, clusters });
  const at = new Map(groups.flatMap((group) => group.rows.map((each) => [each, group.at])));
  const others = near.filter((each) => at.has(each));
  const picked = pickedOf({ answer, row, view, sites, keys });
  const chosen = picked.features.find(({ properties }) => properties.role === "strike")?.geometry.coordinates;
  const isUnder = ({ at: place }) => chosen && Math.hypot(...pixels(place, zoom).map((n, i) => n - pixels(chosen, zoom)[i])) < RING;
  const images = groups.map((group) => ({ name: imageOf(group), ...group }));
  return {
    groups,
    images: picked.mark ? [...images, { name: markName(picked.mark), mark: picked.mark }] : images,
    features: {
      strikes: groupFeatures(groups, (group) => (isUnder(group) ? null : labelOf(group, view)), badgeOf),
      doubt: doubtFeatures(others.map((each) => places.get(each)), step),
      sites: siteFeatures(others.map((each) => [each, at.get(each)]), sites, step),
      picked: picked.features,
    },
    tint: tintOf(view, answer),
    arcs: answer ? arcsOf(answer, picked.features) : null,
    wanted: sitesOf(near),
  };
}
