// Rings and nearest points on the sphere, for drawing only (mean radius 6371.0088 km, IUGG).

const RADIUS_M = 6371008.8;
const RAD = Math.PI / 180;

/** The point `distance_m` metres from lon/lat along a bearing in degrees. */
function destination([lon, lat], distance_m, bearing) {
  const arc = distance_m / RADIUS_M;
  const [phi, theta] = [lat * RAD, bearing * RAD];
  const sin = Math.sin(phi) * Math.cos(arc) + Math.cos(phi) * Math.sin(arc) * Math.cos(theta);
  const east = Math.sin(theta) * Math.sin(arc) * Math.cos(phi);
  return [lon + Math.atan2(east, Math.cos(arc) - Math.sin(phi) * sin) / RAD, Math.asin(sin) / RAD];
}

/** A closed ring of lon/lat around a centre, `radius_m` metres away from it. */
export function ring(centre, radius_m, corners = 72) {
  const points = Array.from({ length: corners }, (_, i) => destination(centre, radius_m, (-360 * i) / corners));
  return [...points, points[0]];
}

/** All positions of a GeoJSON geometry; none for null. */
export function positions(geometry) {
  if (!geometry) return [];
  if (geometry.geometries) return geometry.geometries.flatMap(positions);
  const depth = { Point: 0, MultiPoint: 1, LineString: 1, MultiLineString: 2, Polygon: 2, MultiPolygon: 3 };
  const levels = depth[geometry.type];
  return levels ? geometry.coordinates.flat(levels - 1) : [geometry.coordinates];
}

function onSegment(p, a, b, squeeze) {
  const [dx, dy] = [(b[0] - a[0]) * squeeze, b[1] - a[1]];
  const along = ((p[0] - a[0]) * squeeze * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy || 1);
  const part = Math.min(1, Math.max(0, along));
  return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part];
}

/** The point of a geometry nearest to a position, good enough to draw a line to. Null for no geometry. */
export function nearest(p, geometry) {
  const squeeze = Math.cos(p[1] * RAD);
  const points = positions(geometry);
  const spots = points.length < 2 ? points : points.slice(1).map((b, i) => onSegment(p, points[i], b, squeeze));
  const far = (q) => ((q[0] - p[0]) * squeeze) ** 2 + (q[1] - p[1]) ** 2;
  return spots.reduce((best, q) => (best && far(best) <= far(q) ? best : q), null);
}

/** Where along a segment a circle around the origin is crossed: the two parts of its length, or null for none. */
function crossings([ax, ay], [bx, by], radius) {
  const [dx, dy] = [bx - ax, by - ay];
  const a = dx * dx + dy * dy;
  const b = ax * dx + ay * dy;
  const inside = b * b - a * (ax * ax + ay * ay - radius * radius);
  if (a === 0 || inside <= 0) return null;
  const root = Math.sqrt(inside);
  const [from, to] = [Math.max(0, (-b - root) / a), Math.min(1, (-b + root) / a)];
  return from < to ? [from, to] : null;
}

/** The parts of a LineString or MultiLineString within so many metres of a centre, as lists of positions; on a plane. */
export function lineWithin(geometry, centre, radius_m) {
  const squeeze = Math.cos(centre[1] * RAD);
  const plane = ([lon, lat]) => [(lon - centre[0]) * squeeze, lat - centre[1]];
  const radius = radius_m / RADIUS_M / RAD;
  const lines = geometry.type === "LineString" ? [geometry.coordinates] : geometry.coordinates;
  const parts = [];
  for (const line of lines) {
    let open = null;
    for (let i = 1; i < line.length; i += 1) {
      const [p, q] = [line[i - 1], line[i]];
      const cut = crossings(plane(p), plane(q), radius);
      if (!cut) continue;
      const [from, to] = cut.map((part) => [p[0] + (q[0] - p[0]) * part, p[1] + (q[1] - p[1]) * part]);
      if (open && cut[0] === 0) open.push(to);
      else parts.push((open = [from, to]));
    }
  }
  return parts;
}

/** West, south, east, north of positions; null for none. */
export function bounds(points) {
  if (!points.length) return null;
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
  return [[Math.min(...xs), Math.min(...ys)], [Math.max(...xs), Math.max(...ys)]];
}
