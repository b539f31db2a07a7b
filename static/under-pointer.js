// What of the map lies under the pointer.
const REACH = 7; // pixels around a click
const MOST = 8; // sites and lines that a click may mean

const around = ({ x, y }) => [[x - REACH, y - REACH], [x + REACH, y + REACH]];

/** Of some, that whose place is nearest to a pixel; null where there is none. */
function nearest(map, { x, y }, some, placeOf) {
  const far = (one) => {
    const at = map.project(placeOf(one));
    return Math.hypot(at.x - x, at.y - y);
  };
  return some.reduce((best, one) => (best && far(best) <= far(one) ? best : one), null);
}

/** The group whose mark is nearest to a pixel. */
export function groupUnder(map, point, groups) {
  if (!map.getLayer("strikes")) return null;
  const near = map.queryRenderedFeatures(around(point), { layers: ["strikes", "stacks"] });
  return nearest(map, point, near.map(({ properties }) => groups[properties.index]).filter(Boolean), ({ at }) => at);
}

/** Sites at a pixel, the nearest first, and then lines, as they are drawn from tiles; the first few, each once. */
export function sitesUnder(map, point) {
  if (!map.getLayer("site")) return [];
  const found = map.queryRenderedFeatures(around(point), { layers: ["site", "open-site", "pipe-gas", "pipe-oil", "open-line", "open-line-rough"] });
  const first = nearest(map, point, found.filter(({ geometry }) => geometry.type === "Point"), ({ geometry }) => geometry.coordinates);
  return [...new Map([first, ...found].filter(Boolean).map((one) => [one.properties.id, one])).values()].slice(0, MOST);
}
