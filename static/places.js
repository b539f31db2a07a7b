// Where a strike's mark stands: on the site that it is confirmed to have hit, else where it is reported.
import { metresPerPixel, pixels } from "./clusters.js";
import { nearest, ring } from "./geodesy.js";
import { isArea } from "./marks.js";

const LEAST = 15; // pixels of radius from which doubt is drawn to scale
const MOST = 1200; // pixels of radius beyond which it would only tint the whole map
const APART = 18; // pixels from which a site is drawn beside its strike
const SETTLED = new Set(["decision", "alternatives"]);

const feature = (geometry, properties) => ({ type: "Feature", geometry, properties });
const point = (coordinates) => ({ type: "Point", coordinates });

/** The place of a placed row: { at, radius, area }; `sites` gives what is known of an asset by its id. */
export function placeOf(row, sites) {
  const at = row.geometry.coordinates;
  const reported = { at, radius: row.uncertainty_m ?? 0, area: isArea(row) };
  const site = row.rests_on === "decision" && row.assets.length === 1 ? sites.get(row.assets[0]) : null;
  if (!site?.geometry) return reported;
  // On a line it stands where the line is nearest to the reported place; how far along is not known any better.
  if (site.geometry.type !== "Point") return { ...reported, at: nearest(at, site.geometry) };
  return { at: site.geometry.coordinates, radius: site.uncertainty_m ?? 0, area: isArea(site) };
}

/** The areas that hold the true places, to scale, each once; none that is smaller than its mark. */
export function doubtFeatures(places, zoom) {
  const drawn = new Map();
  for (const { at, radius, area } of places) {
    const across = radius / metresPerPixel(at[1], zoom);
    if (across >= LEAST && across <= MOST) drawn.set(`${at}|${radius}|${area}`, { at, radius, area });
  }
  return [...drawn.values()].map(({ at, radius, area }) =>
    feature({ type: "Polygon", coordinates: [ring(at, radius)] }, { area }));
}

/** Ids of the assets whose places are wanted for rows: those that a row is known, or suspected, to have hit. */
export const sitesOf = (rows) => [...new Set(rows.filter((row) => SETTLED.has(row.rests_on)).flatMap((row) => row.assets))];

/** Sites that stand apart from the mark of their strike at a zoom, each with a line to it. */
export function siteFeatures(placed, sites, zoom) {
  const shown = new Map();
  for (const [row, at] of placed) {
    if (!SETTLED.has(row.rests_on)) continue;
    for (const id of row.assets) {
      const sure = row.assets_sure.includes(id);
      const site = sites.get(id);
      if (!site?.geometry) continue;
      const end = nearest(at, site.geometry);
      const [[x, y], [u, v]] = [pixels(at, zoom), pixels(end, zoom)];
      if (Math.hypot(x - u, y - v) < APART) continue;
      shown.set(`${at}|${id}|${sure}`, feature({ type: "LineString", coordinates: [at, end] }, { role: "link", sure }));
      if (site.geometry.type === "Point" && (sure || !shown.has(id)))
        shown.set(id, feature(point(end), { role: "site", sure, name: site.name, image: sure ? "site|sure" : "site|possible" }));
    }
  }
  return [...shown.values()];
}
