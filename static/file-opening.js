// What a publication shows before all its rows are there: the first of them, counts, and clusters by zoom, all as the server
// gave them. Whatever is asked for otherwise is null here, and worked out of all rows.
import { pixels } from "./clusters.js";

/** What an answer is found by: the parameters in order. */
const nameOf = (parameters) => Object.entries(parameters).map(([name, value]) => `${name}=${value}`).sort().join("&");

/** The counts of a request; null where they are not there. */
export const countsIn = (opening, parameters) => opening.counts[nameOf(parameters)] ?? null;

/** Rows of the list from a place on: { rows, total }; null where they are not there. */
export function rowsIn(opening, parameters, { offset, limit, box }) {
  const { rows, total, selection } = opening;
  const isThere = !box && nameOf(parameters) === selection && Math.min(offset + limit, total) <= rows.length;
  return isThere ? { rows: rows.slice(offset, offset + limit).map((row) => ({ ...row, isSure: row.sure })), total } : null;
}

/** Whether the cell of a place is among those that meet a box, at a zoom. */
function inCells([west, south, east, north], zoom, size) {
  const world = 512 * 2 ** zoom;
  // The eastern and the southern edge of the world belong to its last cells.
  const cellOf = (at) => pixels(at, zoom).map((n) => Math.floor(Math.min(n, world * (1 - 1e-12)) / size));
  const around = Math.ceil(world / size);
  const [[left, top], [right, bottom]] = [cellOf([west, north]), cellOf([east, south])];
  // A box that is wider than the world but for less than a cell has its first column twice.
  const wide = west <= east || right !== left ? (right - left + around) % around : around - 1;
  return (at) => {
    const [column, line] = cellOf(at);
    return line >= top && line <= bottom && (column - left + around) % around <= wide;
  };
}

/** The name of the file of clusters for a request; null where there is none. */
export function clusterFile({ selection, clusters: { zooms, parts: division } }, parameters, { zoom, parts }) {
  return zooms.includes(zoom) && parts === division && nameOf(parameters) === selection ? `clusters/${zoom}` : null;
}

/** The clusters and rows of a box in such a file; null where they are so few that each is a row. */
export function clustersIn(opening, read, { bbox, zoom, apart }) {
  const isIn = inCells(bbox, zoom, opening.clusters.cell);
  const clusters = read.clusters.filter(({ at }) => isIn(at));
  const features = read.features.filter(({ geometry }) => isIn(geometry.coordinates));
  const strikes = clusters.reduce((sum, one) => sum + one.strikes, features.length);
  if (strikes <= apart) return null;
  const may = new Set(read.possible);
  return { strikes, clusters, rows: features.map(({ id, properties, geometry }) => ({ id, ...properties, geometry, isSure: !may.has(id) })) };
}
