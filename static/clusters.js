// Puts strikes that lie on each other at a zoom together, so that each is drawn and counted once.

const TILE = 512;
const REACH = 26; // pixels within which marks would cover each other
const STEPS = 2; // a zoom
const MOST_ZOOM = 17;

/** The zoom that marks are put together for: it changes in steps, so that they stand still in between. */
export const stepOf = (zoom) => Math.min(MOST_ZOOM, Math.floor(zoom * STEPS) / STEPS);

/** Pixels of the world at a zoom, by Web Mercator. */
export function pixels([lon, lat], zoom) {
  const size = TILE * 2 ** zoom;
  const sin = Math.min(0.9999, Math.max(-0.9999, Math.sin((lat * Math.PI) / 180)));
  return [(lon / 360 + 0.5) * size, (0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)) * size];
}

/** Metres that a pixel has on the ground at a latitude. */
export const metresPerPixel = (lat, zoom) => (2 * Math.PI * 6378137 * Math.cos((lat * Math.PI) / 180)) / (TILE * 2 ** zoom);

// A cell's number: lines of a world at the largest zoom fit below the factor.
const cellOf = (column, line) => column * 4_194_304 + line;

function nearestOf(cells, x, y) {
  const [column, line] = [Math.floor(x / REACH), Math.floor(y / REACH)];
  let best = null;
  let least = REACH * REACH;
  for (let i = column - 1; i <= column + 1; i += 1) for (let j = line - 1; j <= line + 1; j += 1) {
    const cell = cells.get(cellOf(i, j));
    if (!cell) continue;
    for (const group of cell) {
      const far = (group.x - x) ** 2 + (group.y - y) ** 2;
      if (far < least) [best, least] = [group, far];
    }
  }
  return best;
}

function added(cells, x, y) {
  const group = { x, y, lon: 0, lat: 0, rows: [] };
  const key = cellOf(Math.floor(x / REACH), Math.floor(y / REACH));
  const cell = cells.get(key);
  if (cell) cell.push(group);
  else cells.set(key, [group]);
  return group;
}

/**
 * Groups of rows whose marks would cover each other at a zoom: [{ at, rows }], each row in one of them.
 * `placed` is [row, lon/lat] in the order of importance: a row joins the nearest group begun before it.
 */
export function clusters(placed, zoom) {
  const cells = new Map();
  const groups = [];
  for (const [row, at] of placed) {
    const [x, y] = pixels(at, zoom);
    let group = nearestOf(cells, x, y);
    if (!group) groups.push((group = added(cells, x, y)));
    group.rows.push(row);
    group.lon += at[0];
    group.lat += at[1];
  }
  return groups.map(({ lon, lat, rows }) => ({ at: [lon / rows.length, lat / rows.length], rows }));
}
