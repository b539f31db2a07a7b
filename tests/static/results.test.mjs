// Rows of a selection are loaded a page at a time, and their number is that of the server, however many were loaded.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { begin, counts } from "../../static/api.js";
import { PAGE, load, loadFacets } from "../../static/results.js";
import { EVERYTHING } from "../../static/selection.js";

const view = { ...EVERYTHING, basis: "registration" };
const whole = globalThis.fetch;
afterEach(() => (globalThis.fetch = whole));

let version = 1; // of the data of the server
const tagged = (answer, form) => Response.json(answer, { headers: { ETag: `"${version}-${form}-zstd"` } });

/** A server of `total` strikes; `addresses` collects what it is asked. */
function serve(total, addresses = []) {
  version += 1;
  globalThis.fetch = async (href) => {
    const address = new URL(href);
    addresses.push(address);
    if (address.pathname.endsWith("/strikes/counts")) {
      const groups = [{ value: "AZ", strikes: total - 1 }, { value: "KZ", strikes: total - 2 }];
      return tagged({ strikes: total, sure: total, possible: 0, groups, spans: [] }, "application_json");
    }
    const [from, limit] = ["offset", "limit"].map((name) => Number(address.searchParams.get(name)));
    const features = Array.from({ length: Math.max(0, Math.min(total - from, limit)) }, (_, i) => ({ properties: { id: `s${from + i}` }, geometry: null }));
    return tagged({ features, numberMatched: total }, "json");
  };
  return addresses;
}

test("the number is the server's from the first page on", async () => {
  serve(12345);
  const { rows, counts } = await load(view);
  assert.deepEqual([rows.total, counts.strikes, rows.at(PAGE - 1).id, rows.at(PAGE)], [12345, 12345, `s${PAGE - 1}`, undefined]);
});

test("an answer that was asked for ahead and failed is not held", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.fetch = async () => Response.json({ title: "Busy" }, { status: 503 });
  let ahead;
  begin(() => (ahead = counts({})));
  await assert.rejects(ahead, /Busy/);
  serve(12);
  assert.equal((await counts({})).strikes, 12);
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
  const loading = load({ ...view, q: "never asked before" }, undefined, { onCounts: (given) => (counts = given) });
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
  assert.deepEqual(roles, { owner: 2, control: 2, related: 2, host: 2 });
  const shares = addresses.filter(({ searchParams: p }) => p.has("min_share") && p.has("by")).map(({ searchParams: p }) => p.get("reading"));
  assert.deepEqual(new Set(shares), new Set(["registration"]));
});

const countsAsked = (addresses) => addresses.filter(({ pathname }) => pathname.endsWith("/strikes/counts"));

test("a second country asks for its own rows and counts alone, until the data have changed", async () => {
  const addresses = serve(10);
  await load(view);
  await load({ ...view, country: "AZ" });
  assert.equal(countsAsked(addresses).length, 1 + 4, "those of the start are not asked for again");
  const before = addresses.length;
  const { counts, roles } = await load({ ...view, country: "KZ" });
  assert.deepEqual([addresses.length - before, counts.strikes, roles.owner], [2, 10, 8]);
  const later = serve(20);
  const { countries, roles: newer } = await load({ ...view, country: "KZ" });
  assert.deepEqual([newer, countries[0].strikes], [{ owner: 18, control: 18, related: 18, host: 18 }, 19]);
  assert.equal(countsAsked(later).length, 1 + 4, "each once");
});

test("a selection that is come back to asks for its rows alone, until the data have changed", async () => {
  const addresses = serve(10);
  const chosen = { ...view, country: "AZ", q: "come back to" };
  await load(chosen);
  const before = addresses.length;
  assert.deepEqual([(await load(chosen)).counts.strikes, addresses.length - before], [10, 1]);
  serve(20);
  assert.equal((await load(chosen)).counts.strikes, 20);
});

test("where only sure strikes are selected each role is counted for the country", async () => {
  const addresses = serve(9);
  const { roles } = await load({ ...view, country: "AZ", certainty: "sure" });
  assert.deepEqual(roles, { owner: 9, control: 9, related: 9, host: 9 });
  assert.ok(countsAsked(addresses).filter(({ searchParams: p }) => !p.has("by")).every(({ searchParams: p }) => p.get("country") === "AZ"));
});

test("what failed or was broken off is asked for again", async () => {
  serve(5);
  const good = globalThis.fetch;
  globalThis.fetch = async () => { throw new Error("no network"); };
  await assert.rejects(load({ ...view, q: "again" }), /no network/);
  globalThis.fetch = good;
  assert.equal((await load({ ...view, q: "again" })).counts.strikes, 5);
});

test("rows are asked for with what is shown of them", async () => {
  const addresses = serve(1);
  await load(view);
  const wanted = addresses.find(({ pathname }) => pathname.endsWith("/items")).searchParams.get("properties").split(",");
  assert.ok(["title", "owners", "uncertainty_m"].every((name) => wanted.includes(name)));
  assert.ok(!wanted.includes("damage"));
});

test("retracted strikes are counted in the filters, so that they can be chosen", async () => {
  const addresses = serve(3);
  await loadFacets(view);
  const byStatus = addresses.find(({ searchParams }) => searchParams.get("by") === "status");
  assert.match(byStatus.searchParams.get("filter"), /'retracted'\)/);
});
