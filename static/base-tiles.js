// Tiles of the base map are asked for where the map has them. Elsewhere, as beyond the box that is drawn in detail, the
// map is told so without a request, and enlarges the nearest tile above.

const SCHEME = "base-tile";
const ADDRESS = new RegExp(`^${SCHEME}://(\\d+)/(\\d+)/(\\d+)$`);

/** The address by which the map asks for a tile. */
export const TILE_ADDRESS = `${SCHEME}://{z}/{x}/{y}`;

/** Whether a map has a tile; `boxes` are [first column, first row, last column, last row] by zoom, as far as they are known. */
export function hasTile(boxes, [z, x, y]) {
  const box = boxes?.[z];
  return !box || (x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]);
}

async function ofServer(gl, url, signal) {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new gl.AJAXError(answer.status, answer.statusText, url, await answer.blob());
  return {
    data: await answer.arrayBuffer(), etag: answer.headers.get("ETag"),
    cacheControl: answer.headers.get("Cache-Control"), expires: answer.headers.get("Expires"),
  };
}

/** Let MapLibre ask for tiles by `TILE_ADDRESS`; `addressOf` gives the server's address of a tile. */
export function serveBaseTiles(gl, boxes, addressOf) {
  gl.addProtocol(SCHEME, async ({ url }, { signal }) => {
    const tile = url.match(ADDRESS).slice(1).map(Number);
    if (!hasTile(boxes, tile)) throw new gl.AJAXError(404, "No such tile", url, new Blob());
    return ofServer(gl, addressOf(tile), signal);
  });
}
