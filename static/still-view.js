// The place of a still map: where a point lies on it, and the box that a picture of it has. Pure.
import { pixels } from "./clusters.js";
import { clamp } from "./days.js";

const TILE = 512;
const NORTHMOST = 85;
const MOST_ZOOM = 14;

/** Longitude and latitude of pixels of the world at a zoom. */
function lonLat([x, y], zoom) {
  const size = TILE * 2 ** zoom;
  return [(x / size - 0.5) * 360, (Math.atan(Math.sinh((0.5 - y / size) * 2 * Math.PI)) * 180) / Math.PI];
}

/** A view brought to where a picture of so many pixels shows no more than the world, and a latitude that it has. */
export function within([lon, lat, zoom], { width, height }) {
  const least = Math.log2(Math.max(width, height) / TILE);
  const kept = clamp(zoom, Math.max(1, least), MOST_ZOOM);
  const world = TILE * 2 ** kept;
  const top = pixels([0, NORTHMOST], kept)[1] + height / 2;
  const [x, y] = pixels([lon, lat], kept);
  return [...lonLat([clamp(x, width / 2, world - width / 2), clamp(y, Math.min(top, world / 2), Math.max(world - top, world / 2))], kept), kept];
}

/** Where a point lies, { x, y } in pixels of the picture. */
export function projected(at, [lon, lat, zoom], { width, height }) {
  const [x, y] = pixels(at, zoom);
  const [left, top] = pixels([lon, lat], zoom);
  return { x: x - left + width / 2, y: y - top + height / 2 };
}

/** West, south, east, north of the picture. */
export function boxOf([lon, lat, zoom], { width, height }) {
  const [x, y] = pixels([lon, lat], zoom);
  const [west, north] = lonLat([x - width / 2, y - height / 2], zoom);
  const [east, south] = lonLat([x + width / 2, y + height / 2], zoom);
  return [Math.max(-180, west), south, Math.min(180, east), north];
}

/** The view that a frame [[west, south], [east, north]] fills, with pixels to spare, at most so close. */
export function fitted([[west, south], [east, north]], { width, height }, padding, closest) {
  const [left, bottom] = pixels([west, south], 0);
  const [right, top] = pixels([east, north], 0);
  const across = Math.max(1, width - 2 * padding) / Math.max(1e-9, right - left);
  const down = Math.max(1, height - 2 * padding) / Math.max(1e-9, bottom - top);
  const [lon, lat] = lonLat([(left + right) / 2, (top + bottom) / 2], 0);
  return [lon, lat, Math.min(closest, Math.log2(Math.min(across, down)))];
}

/** A view moved by parts of the picture, or brought closer by zooms. */
export function shifted([lon, lat, zoom], size, { across = 0, down = 0, closer = 0 }) {
  const [x, y] = pixels([lon, lat], zoom);
  return [...lonLat([x + across * size.width, y + down * size.height], zoom), zoom + closer];
}
