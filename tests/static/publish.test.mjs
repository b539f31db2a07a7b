// Addresses that come with a view as a query.
import assert from "node:assert/strict";
import test from "node:test";
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
  assert.ok(Math.abs((west + east) / 2 - 30) < 1e-9);
  assert.ok(Math.abs(east - west - (800 / (512 * 32)) * 360) < 1e-9);
  assert.ok(south < 46 && north > 46);
  const world = boxOf([0, 0, 0], { width: 4000, height: 4000 });
  assert.deepEqual(world.map((n) => Math.round(n)), [-180, -85, 180, 85]);
});
