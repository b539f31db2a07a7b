// Addresses that come with a view as a query, and the box that a map shows.
import assert from "node:assert/strict";
import test from "node:test";
import { boxOf } from "../../static/geodesy.js";
import { settledAddress } from "../../static/state.js";

test("a view that comes as a query moves behind the #, and other parameters stay", () => {
  const at = (search, hash = "") => settledAddress({ pathname: "/map", search, hash });
  assert.equal(at("?country=AZ&embed=1&lang=uk"), "/map?embed=1&lang=uk#country=AZ");
  assert.equal(at("?country=AZ"), "/map#country=AZ");
  assert.equal(at("?country=AZ", "#country=UA"), "/map#country=UA");
  assert.equal(at("?country=nonsense"), "/map#");
  assert.equal(at("?embed=1"), null);
  assert.equal(at("", "#country=AZ"), null);
});

test("the box of a map has its middle, its width and the world's edge", () => {
  const [west, south, east, north] = boxOf([30, 46, 5], { width: 800, height: 600 });
  assert.ok(Math.abs((west + east) / 2 - 30) < 1e-9);
  assert.ok(Math.abs(east - west - (800 / (512 * 32)) * 360) < 1e-9);
  assert.ok(south < 46 && north > 46);
  const world = boxOf([0, 0, 0], { width: 4000, height: 4000 });
  assert.deepEqual(world.map((n) => Math.round(n)), [-180, -85, 180, 85]);
});
