// Rows of a selection are loaded a page at a time, and their number is that of the server, however many were loaded.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { PAGE, load, loadFacets } from "../../static/results.js";
import { EVERYTHING } from "../../static/selection.js";

const view = { ...EVERYTHING, basis: "registration" };
const whole = globalThis.fetch;
afterEach(() => (globalThis.fetch = whole));

/** A server of `total` strikes; `addresses` collects what it is asked. */
function serve(total, addresses = []) {
  globalThis.fetch = async (href) => {
    const address = new URL(href);
    addresses.push(address);
    if (address.pathname.endsWith("/strikes/counts"))
      return Response.json({ strikes: total, sure: total, possible: 0, groups: [{ value: "AZ", strikes: 1 }], spans: [] });
    const [from, limit] = ["offset", "limit"].map((name) => Number(address.searchParams.get(name)));
    const features = Array.from({ length: Math.max(0, Math.min(total - from, limit)) }, (_, i) => ({ properties: { id: `s${from + i}` }, geometry: null }));
    return Response.json({ features, numberMatched: total });
  };
  return addresses;
}

test("the number is the server's from the first page on", async () => {
  serve(12345);
  const { rows, counts } = await load(view);
  assert.deepEqual([rows.total, counts.strikes, rows.at(PAGE - 1).id, rows.at(PAGE)], [12345, 12345, `s${PAGE - 1}`, undefined]);
});

test("any row is loaded without those before it, and none is asked for twice", async () => {
  const addresses = serve(1_000_000);
  const { rows } = await load(view);
  const before = addresses.length;
  await Promise.all([rows.load(999_950, 1_000_000), rows.load(999_950, 1_000_000)]);
  assert.equal(rows.at(999_999).id, "s999999");
  assert.equal(rows.at(500_000), undefined);
  assert.equal(rows.find("s999999"), rows.at(999_999));
  await rows.load(0, PAGE);
  assert.equal(addresses.length, before + 1);
  assert.deepEqual([rows.has(999_950, 1_000_000), rows.has(0, PAGE + 1)], [true, false]);
});

test("the rows of a few are one request more, each once", async () => {
  const addresses = serve(1200);
  const { rows } = await load(view);
  const before = addresses.length;
  const every = await rows.all();
  assert.deepEqual([every.length, new Set(every.map(({ id }) => id)).size, addresses.length - before], [1200, 1200, 1]);
});

test("a page that failed may be asked for again, and another number of rows is noticed", async () => {
  serve(1000);
  let changes = 0;
  const { rows } = await load(view, undefined, { changed: () => (changes += 1) });
  globalThis.fetch = async () => { throw new Error("no network"); };
  await assert.rejects(rows.load(500, 600), /no network/);
  serve(999);
  await rows.load(500, 600);
  assert.deepEqual([rows.at(500).id, changes], ["s500", 1]);
});

test("counts are given as soon as they are there, whether or not the rows are", async () => {
  serve(1000);
  const fetched = globalThis.fetch;
  let answer;
  const held = new Promise((done) => (answer = done));
  globalThis.fetch = async (address, ...rest) => (String(address).includes("/items") && (await held), fetched(address, ...rest));
  let counts = null;
  const loading = load(view, undefined, { onCounts: (given) => (counts = given) });
  await new Promise((done) => setTimeout(done));
  assert.equal(counts?.strikes, 1000);
  answer();
  assert.equal((await loading).counts, counts);
});

test("no selection is counted twice", async () => {
  const addresses = serve(3);
  await load(view);
  assert.equal(addresses.filter(({ pathname }) => pathname.endsWith("/strikes/counts")).length, 1);
});

test("a chosen country is counted in each role, by its least share as owner alone", async () => {
  const addresses = serve(3);
  const { roles } = await load({ ...view, country: "AZ", min_share: 25 });
  assert.deepEqual(roles, { owner: 3, control: 3, related: 3, host: 3 });
  const shares = addresses.filter(({ searchParams: p }) => p.has("country") && p.has("min_share")).map(({ searchParams: p }) => p.get("reading"));
  assert.deepEqual(new Set(shares), new Set(["registration"]));
});

test("retracted strikes are counted in the filters, so that they can be chosen", async () => {
  const addresses = serve(3);
  await loadFacets(view);
  const byStatus = addresses.find(({ searchParams }) => searchParams.get("by") === "status");
  assert.match(byStatus.searchParams.get("filter"), /'retracted'\)/);
});
