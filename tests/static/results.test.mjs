// Rows of a selection are loaded a page at a time, and their number is that of the server, however many were loaded.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { load, loadFacets } from "../../static/results.js";
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
    const from = Number(address.searchParams.get("offset") ?? 0);
    const to = Math.min(total, from + 500);
    const features = Array.from({ length: to - from }, (_, i) => ({ properties: { id: `s${from + i}` }, geometry: null }));
    address.searchParams.set("offset", to);
    return Response.json({ features, numberMatched: total, links: to < total ? [{ rel: "next", href: address.href }] : [] });
  };
  return addresses;
}

test("the number is the server's from the first page on", async () => {
  serve(12345);
  const { rows, counts } = await load(view);
  assert.deepEqual([rows.list.length, rows.total, rows.complete, counts.strikes], [500, 12345, false, 12345]);
});

test("further pages follow until there is none, each row once", async () => {
  serve(1200);
  const { rows } = await load(view);
  assert.deepEqual(await Promise.all([rows.more(), rows.more()]), [true, true], "two that ask at once wait for one page");
  assert.equal(rows.list.length, 1000);
  assert.equal(await rows.more(), true);
  assert.equal(await rows.more(), false);
  assert.deepEqual([rows.list.length, new Set(rows.list.map(({ id }) => id)).size, rows.complete], [1200, 1200, true]);
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
