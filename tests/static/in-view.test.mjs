// Of many strikes the map asks for those around its view, and for no more than it needs.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { groupsOf } from "../../static/features.js";
import { aroundView, boxOf } from "../../static/in-view.js";
import { indexAt, lengthOf } from "../../static/long-list.js";
import { ringOf, ringOfCluster } from "../../static/marks.js";
import { EVERYTHING } from "../../static/selection.js";

const view = { ...EVERYTHING, basis: "registration" };
const KEYS = { host: (country) => country ?? "other", owner: (country) => country, shape: (group) => group ?? "none" };
const part = (value, sure, possible) => ({ value, sure, possible });
const cluster = (more = {}) => ({ at: [30, 46], bbox: [29, 45, 31, 47], strikes: 10, sure: 6, parts: [], ...more });
const row = (id, more = {}) => ({ id, status: "reported", rests_on: "decision", assets: [], owners: "", relations: "", host_country: "UA", isSure: true,
  geometry: { type: "Point", coordinates: [30, 46] }, ...more });
const whole = globalThis.fetch;
afterEach(() => (globalThis.fetch = whole));

/** A server that gives these clusters and rows; `addresses` collects what it is asked. */
function serve({ clusters = [], rows = [] }, addresses = []) {
  globalThis.fetch = async (href) => {
    addresses.push(new URL(href));
    const features = rows.map(({ geometry, ...properties }) => ({ properties, geometry }));
    return Response.json({ zoom: 4, strikes: 0, clusters, features, numberMatched: features.length });
  };
  return addresses;
}

test("a small move asks for nothing, a large one and another step of zoom do", async () => {
  const addresses = serve({ clusters: [cluster()] });
  const source = aroundView(view);
  await source.want([[20, 40], [40, 50]], 4.2);
  await source.want([[22, 41], [42, 51]], 4.4);
  assert.equal(addresses.length, 1);
  await source.want([[20, 40], [40, 50]], 4.6);
  await source.want([[60, 40], [80, 50]], 4.6);
  assert.deepEqual(addresses.map(({ searchParams }) => searchParams.get("zoom")), ["4", "4.5", "4.5"]);
});

test("where each strike is a row, a closer look needs none of the server", async () => {
  const addresses = serve({ rows: [row("a")] });
  const source = aroundView(view);
  assert.equal(await source.want([[20, 40], [40, 50]], 4), true);
  await source.want([[29, 45], [31, 47]], 9);
  assert.deepEqual([addresses.length, source.rows.map(({ id }) => id)], [1, ["a"]]);
});

test("an answer that comes late is not drawn, and what failed is asked for again", async () => {
  const answers = [];
  globalThis.fetch = (_, { signal }) => new Promise((done, fail) => {
    signal.addEventListener("abort", () => fail(signal.reason));
    answers.push((rows) => done(Response.json({ clusters: [], features: rows })), fail);
  });
  let troubles = 0;
  const source = aroundView(view, () => (troubles += 1));
  const early = source.want([[0, 0], [10, 10]], 4);
  const late = source.want([[50, 0], [60, 10]], 4);
  answers[0]([{ properties: row("old"), geometry: null }]);
  answers[2]([{ properties: row("new"), geometry: null }]);
  assert.deepEqual([await early, await late, source.rows.length, troubles], [false, true, 1, 0]);
  assert.equal(source.rows[0].id, "new");
  const lost = source.want([[-90, 0], [-80, 10]], 4);
  answers[5](new Error("no network"));
  assert.deepEqual([await lost, troubles], [false, 1]);
  source.want([[-90, 0], [-80, 10]], 4);
  assert.equal(answers.length, 8);
});

test("a box is one of the world that the server knows", () => {
  assert.deepEqual(boxOf([-400, -10, 100, 10]), [-180, -10, 180, 10]);
  assert.deepEqual(boxOf([170, -10, 200, 10]), [170, -10, -160, 10]);
  assert.deepEqual(boxOf([370, 0, 380, 10]), [10, 0, 20, 10]);
});

test("the rows of a cluster are those of the selection in its box", async () => {
  const addresses = serve({ rows: [row("a")] });
  const rows = await aroundView({ ...view, q: "depot" }).rowsOf({ box: [29.1, 45.2, 31.3, 47.4] }, 60);
  const { searchParams } = addresses[0];
  assert.equal(rows.length, 1);
  assert.equal(searchParams.get("q"), "depot");
  assert.match(searchParams.get("filter"), /^status <> 'retracted' AND S_INTERSECTS\(geometry, BBOX\(29.1, 45.2, 31.3, 47.4\)\)$/);
});

test("clusters and single marks count each strike once, and single ones near each other are one", () => {
  const rows = [row("a"), row("b"), row("c", { geometry: { type: "Point", coordinates: [60, 10] } })];
  const { groups } = groupsOf(rows, { ...view, role: "host" }, { sites: new Map(), zoom: 4, keys: KEYS, sizeOf: () => 38,
    clusters: [cluster({ at: [35, 50], parts: [part("UA", 6, 4)] })] });
  assert.deepEqual(groups.map(({ n }) => n), [2, 1, 10]);
  assert.equal(groups.reduce((sum, { n }) => sum + n, 0), 13);
});

test("the ring of a cluster is that of its rows", () => {
  const rows = [row("a", { owners: "RU 50, AZ 30" }), row("b", { owners: "RU 100" }), row("c", { isSure: false, owners: "AZ 100" })];
  const owner = { ...view, role: "owner" };
  const parts = [part("RU", 1.5, 0), part("AZ", 0.3, 1)];
  assert.deepEqual(ringOfCluster({ strikes: 3, sure: 2, parts }, owner, KEYS), ringOf(rows, owner, KEYS));
  const host = { ...view, role: "host" };
  assert.deepEqual(ringOfCluster({ strikes: 3, sure: 2, parts: [part("UA", 2, 1)] }, host, KEYS), ringOf(rows, host, KEYS));
  const share = { ...view, country: "AZ" };
  assert.deepEqual(ringOfCluster({ strikes: 4, sure: 3, parts: [] }, share, KEYS), [["certainty", 0.75, "sure"], ["certainty", 0.25, "possible"]]);
  const tie = { ...view, role: "related" };
  const tied = [row("a", { relations: "AZ operator, GB supplier" }), row("b", { relations: "AZ operator" })];
  assert.deepEqual(ringOfCluster({ strikes: 2, sure: 2, parts: [part("operator+supplier", 1, 0), part("operator", 1, 0)] }, tie, KEYS), ringOf(tied, tie, KEYS));
});

test("the last row of a list of any length lies in what a browser can measure", () => {
  assert.equal(lengthOf(100, 110), 11_000);
  assert.ok(lengthOf(1_000_000, 110) <= 8_000_000);
  assert.deepEqual([0, 5_500, 11_000].map((top) => indexAt(top, 100, 110)), [0, 50, 99]);
  assert.equal(indexAt(8_000_000, 1_000_000, 110), 999_999);
  assert.equal(indexAt(4_000_000, 1_000_000, 110), 500_000);
});
