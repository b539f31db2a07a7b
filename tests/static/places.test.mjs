import assert from "node:assert/strict";
import { test } from "node:test";

import { arcOf, fanned, lean, spread } from "../../static/arc-shapes.js";
import { clusters, metresPerPixel, pixels, stepOf } from "../../static/clusters.js";
import { createFill } from "../../static/features.js";
import { lineWithin } from "../../static/geodesy.js";
import { doubtFeatures, placeOf, siteFeatures, sitesOf } from "../../static/places.js";
import { nearRows } from "../../static/scene.js";
import { nextSpot } from "../../static/spots.js";
import { paintTint, tintOf } from "../../static/tint.js";

const at = (coordinates) => ({ type: "Point", coordinates });
const strike = (id, coordinates, more = {}) => ({
  id, geometry: at(coordinates), basis: "settlement", uncertainty_m: 8000, rests_on: "decision", assets: [], assets_sure: [], status: "corroborated", ...more,
});

// A fixed sequence: the same places in every run.
function* numbers(seed) {
  for (let n = seed; ; ) yield (n = (n * 48271) % 2147483647) / 2147483647;
}

test("every strike is in one mark at every zoom, so that badges add up to the list", () => {
  const next = numbers(7);
  const rows = Array.from({ length: 500 }, (_, i) => strike(`s${i}`, [next.next().value * 40, 30 + next.next().value * 30]));
  for (const zoom of [1, 2.5, 4, 6, 9, 13]) {
    const groups = clusters(rows.map((row) => [row, row.geometry.coordinates]), zoom);
    const ids = groups.flatMap((group) => group.rows.map((row) => row.id));
    assert.deepEqual(ids.toSorted(), rows.map((row) => row.id).toSorted());
  }
});

test("strikes at one place are never parted, and those far apart are not put together", () => {
  const rows = [[30, 50], [30, 50], [31, 50]].map((place, i) => [strike(`s${i}`, place), place]);
  assert.deepEqual(clusters(rows, 13).map((group) => group.rows.length), [2, 1]);
  assert.deepEqual(clusters(rows, 2).map((group) => group.rows.length), [3]);
});

test("marks are put together anew by half zooms", () => {
  assert.deepEqual([3.3, 3.49, 3.5, 20].map(stepOf), [3, 3, 3.5, 17]);
});

test("a pixel has as many metres as the map's tiles have", () => {
  const [x] = pixels([1, 60], 5);
  const [origin] = pixels([0, 60], 5);
  const metres = (Math.PI / 180) * 6378137 * Math.cos(Math.PI / 3);
  assert.ok(Math.abs((x - origin) * metresPerPixel(60, 5) - metres) < 1e-6);
});

test("a confirmed strike stands on its site, and any other where it is reported", () => {
  const site = { id: "x", name: "Depot", geometry: at([30.5, 46.5]), basis: "site", uncertainty_m: 300 };
  const sites = new Map([["x", site]]);
  const sure = strike("a", [30, 46], { assets: ["x"] });
  assert.deepEqual(placeOf(sure, sites), { at: [30.5, 46.5], radius: 300, area: false });
  for (const other of [{ rests_on: "alternatives" }, { assets: ["x", "y"] }, { assets: ["y"] }])
    assert.deepEqual(placeOf({ ...sure, ...other }, sites).at, [30, 46]);
});

test("on a line it stands where the line is nearest, and stays an area", () => {
  const line = { id: "p", geometry: { type: "LineString", coordinates: [[10, 55], [20, 55]] } };
  const sea = strike("a", [15, 55.2], { basis: "sea-area", uncertainty_m: 45000, assets: ["p"] });
  assert.deepEqual(placeOf(sea, new Map([["p", line]])), { at: [15, 55], radius: 45000, area: true });
});

test("areas are drawn to scale once they are wider than their marks, each once", () => {
  const places = [{ at: [15, 55], radius: 45000, area: true }, { at: [15, 55], radius: 45000, area: true }];
  assert.equal(doubtFeatures(places, 3).length, 0);
  const drawn = doubtFeatures(places, 7);
  assert.equal(drawn.length, 1);
  assert.equal(drawn[0].properties.area, true);
});

test("candidates are joined to their strike where they stand apart from it", () => {
  const row = strike("a", [30, 46], { rests_on: "alternatives", assets: ["x", "y"] });
  const sites = new Map([["x", { name: "Depot", geometry: at([30.2, 46]) }], ["y", { name: "Here", geometry: at([30, 46]) }]]);
  const drawn = siteFeatures([[row, [30, 46]]], sites, 8);
  assert.deepEqual(drawn.map(({ properties }) => [properties.role, properties.sure, properties.name]), [["link", false, undefined], ["site", false, "Depot"]]);
  const [link] = siteFeatures([[{ ...row, assets_sure: ["x"] }, [30, 46]]], sites, 8);
  assert.equal(link.properties.sure, true, "as the server says");
  assert.deepEqual(siteFeatures([[row, [30, 46]]], sites, 4), []);
  assert.deepEqual(sitesOf([row, { ...row, rests_on: "match" }, row]), ["x", "y"]);
});

test("the struck part of a line is what lies within the reported place", () => {
  const line = { type: "LineString", coordinates: [[14, 55], [15, 55], [16, 55]] };
  const [part, ...others] = lineWithin(line, [15, 55], 32000);
  assert.equal(others.length, 0);
  assert.deepEqual(part.map(([lon]) => lon.toFixed(1)), ["14.5", "15.0", "15.5"]);
  assert.deepEqual(lineWithin(line, [15, 56], 32000), []);
  assert.equal(lineWithin({ type: "MultiLineString", coordinates: [line.coordinates, line.coordinates] }, [15, 55], 1000).length, 2);
});

const leaning = (a, b, size) => arcOf(a, b, lean(a, b), size);

test("an arc ends at its state, or where it leaves the view or goes under something", () => {
  const size = { width: 1000, height: 800, covers: [] };
  const whole = leaning([500, 400], [700, 300], size);
  assert.equal(whole.whole, true);
  assert.ok(Math.hypot(whole.end[0] - 700, whole.end[1] - 300) < 1e-6);
  const left = leaning([500, 400], [-3000, 400], size);
  assert.equal(left.whole, false);
  assert.ok(left.end[0] >= 16 && left.end[0] < 120);
  assert.ok(left.d.split(" ").at(-2) < left.end[0] - 10, "its line goes on, out of the map");
  const far = leaning([500, 400], [-50_000, 3000], size);
  assert.ok(far.end[0] >= 16 && far.end[0] < 40, "however far its state is, it leads to the edge of the view");
  const under = leaning([500, 400], [-3000, 400], { ...size, covers: [{ left: 0, top: 0, right: 300, bottom: 800 }] });
  assert.ok(under.end[0] >= 300);
});

const DEGREE = Math.PI / 180;
const inDegrees = (angles) => angles.map((angle) => Math.round(((((angle / DEGREE) % 360) + 360) % 360) * 1000) / 1000);

test("arcs that lead different ways leave as they would alone", () => {
  assert.deepEqual(inDegrees(fanned([0, 90 * DEGREE, -100 * DEGREE, 30 * DEGREE])), [0, 90, 260, 30]);
  assert.deepEqual(fanned([]), []);
  assert.deepEqual(fanned([2]), [2]);
});

test("arcs that lead one way are fanned out around it, in the order in which they lie", () => {
  assert.deepEqual(inDegrees(fanned([180, 180, 180].map((n) => n * DEGREE), 10 * DEGREE)), [170, 180, 190]);
  assert.deepEqual(inDegrees(fanned([4, -4].map((n) => n * DEGREE), 10 * DEGREE)), [5, 355], "across the begin of the circle");
  const bound = [181, 190, 179, 183, 40].map((n) => n * DEGREE);
  const fan = inDegrees(fanned(bound, 12 * DEGREE));
  assert.equal(fan[4], 40, "one that leads elsewhere stays");
  const order = [2, 0, 3, 1].map((i) => fan[i]);
  assert.ok(order.every((angle, i) => !i || angle - order[i - 1] > 11.999), String(order));
});

test("arcs to states in one direction end apart at the edge of the view", () => {
  const size = { width: 1000, height: 800, covers: [] };
  const ends = [[-3000, 380], [-2500, 400], [-4000, 420], [-9000, 400]];
  const angles = fanned(ends.map((end) => lean([500, 400], end)));
  const seen = ends.map((end, i) => arcOf([500, 400], end, angles[i], size).end[1]).toSorted((a, b) => a - b);
  assert.ok(seen.every((y, i) => !i || y - seen[i - 1] > 40), String(seen));
});

test("labels of arcs do not cover each other", () => {
  const labels = spread(Array.from({ length: 6 }, () => ({ sides: [100], lines: [100], width: 80 })));
  const lines = labels.map(({ y }) => y).toSorted((a, b) => a - b);
  assert.ok(lines.every((y, i) => !i || y - lines[i - 1] >= 17));
});

test("a label makes way for what is there, to its other side where there is one", () => {
  const there = [{ x: 90, y: 100, width: 60 }];
  const [moved] = spread([{ sides: [100], lines: [100], width: 80 }], there);
  assert.equal(moved.x, 100);
  assert.notEqual(moved.y, 100);
  const [beside] = spread([{ sides: [100, 0], lines: [100, 400], width: 80 }], there);
  assert.deepEqual([beside.x, beside.y], [0, 100]);
});

test("states are tinted by the shares of the selected strike, and the chosen country wholly", () => {
  const owners = [{ country: "DE", share_max: 50 }, { country: null, share_max: 10 }, { country: "FR", share_max: 0 }];
  const { filter, opacity } = tintOf({ country: "AT" }, { owners });
  assert.deepEqual(filter[2][1], ["DE", "AT"]);
  assert.deepEqual(opacity[4], ["match", ["get", "iso_a2"], "DE", 0.65, "AT", 1, 0]);
  assert.deepEqual(tintOf({ country: null }, null).filter[2][1], []);
});

test("an arrow key leads to the nearest mark that way, rather straight ahead than aside", () => {
  const spots = [{ x: 10, y: 0 }, { x: 30, y: 2 }, { x: 4, y: 40 }, { x: -5, y: 0 }];
  assert.equal(nextSpot(spots, { x: 0, y: 0 }, [1, 0]), spots[0]);
  assert.equal(nextSpot(spots, spots[0], [1, 0]), spots[1]);
  assert.equal(nextSpot(spots, { x: 0, y: 0 }, [0, 1]), spots[2]);
  assert.equal(nextSpot(spots, spots[3], [-1, 0]), null);
});

test("doubt and sites are drawn for what is in view, from the zoom on at which they can be seen", () => {
  const rows = [[30, 46], [31.5, 46], [60, 46]].map((place, i) => strike(`s${i}`, place)).concat([{ ...strike("none", [0, 0]), geometry: null }]);
  const box = [[29, 45], [31, 47]];
  assert.deepEqual(nearRows(rows, box, 7).map((row) => row.id), ["s0"]);
  assert.deepEqual(nearRows(rows, box, 4), []);
});

test("a tint that is not there is hidden, so that no tiles are asked for, and is not changed twice", () => {
  const changes = [];
  const map = {
    getLayer: () => ({ type: "fill" }),
    setFilter: (_, [, , [, codes]]) => changes.push(codes.join()),
    setPaintProperty: () => {},
    setLayoutProperty: (...[, , visibility]) => changes.push(visibility),
  };
  for (const country of [null, "AT", null]) paintTint(map, tintOf({ country }, null));
  assert.deepEqual(changes, ["none", "AT", "visible", "none"]);
  paintTint({ ...map, getLayer: () => ({ type: "background" }) }, tintOf({ country: "AT" }, null));
  assert.equal(changes.length, 4);
});

test("a source is given features, and once nothing in place of some", () => {
  const given = [];
  const fill = createFill({ getSource: (name) => ({ setData: ({ features }) => given.push([name, features.length]) }) });
  fill({ strikes: [{}, {}], doubt: [] });
  fill({ strikes: [{}], doubt: [{}] });
  fill({ strikes: [{}], doubt: [] });
  fill({ strikes: [], doubt: [] });
  assert.deepEqual(given, [["strikes", 2], ["strikes", 1], ["doubt", 1], ["strikes", 1], ["doubt", 0], ["strikes", 0]]);
});
