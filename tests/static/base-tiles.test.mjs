// Tiles of the base map are asked for where the map has them, and nowhere else.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { TILE_ADDRESS, hasTile, serveBaseTiles } from "../../static/base-tiles.js";

const BOXES = { 6: [0, 0, 63, 63], 7: [59, 26, 93, 62] };
const whole = globalThis.fetch;
afterEach(() => (globalThis.fetch = whole));

class AJAXError extends Error {
  constructor(status) {
    super();
    this.status = status;
  }
}

function loader(boxes) {
  let load = null;
  serveBaseTiles({ AJAXError, addProtocol: (scheme, given) => TILE_ADDRESS.startsWith(`${scheme}://`) && (load = given) }, boxes, (tile) => tile.join("/"));
  return (tile) => load({ url: TILE_ADDRESS.replace("{z}/{x}/{y}", tile) }, new AbortController());
}

test("a zoom has the tiles of its box, edges and all, and one that nothing is known of may have any", () => {
  assert.deepEqual([[7, 59, 26], [7, 93, 62], [7, 58, 26], [7, 59, 63], [9, 0, 0]].map((tile) => hasTile(BOXES, tile)), [true, true, false, false, true]);
  assert.equal(hasTile(undefined, [7, 0, 0]), true);
});

test("a tile that is not there is refused without a request", async () => {
  globalThis.fetch = () => assert.fail("nothing may be asked for");
  await assert.rejects(loader(BOXES)("7/0/0"), { status: 404 });
});

test("a tile that is there comes from the server with what tells its age", async () => {
  globalThis.fetch = async (address) => new Response(address, { headers: { ETag: '"a"', "Cache-Control": "max-age=60" } });
  const { data, etag, cacheControl } = await loader(BOXES)("7/60/30");
  assert.deepEqual([new TextDecoder().decode(data), etag, cacheControl], ["7/60/30", '"a"', "max-age=60"]);
});

test("what the server refuses is refused with its status", async () => {
  globalThis.fetch = async () => new Response("", { status: 503 });
  await assert.rejects(loader(BOXES)("7/60/30"), { status: 503 });
});
