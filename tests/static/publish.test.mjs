// Addresses that come with a view as a query.
import assert from "node:assert/strict";
import test from "node:test";
import { settledAddress } from "../../static/state.js";

const at = (search, hash = "") => settledAddress({ pathname: "/map", search, hash });

test("a view that comes as a query moves behind the #, and other parameters stay", () => {
  assert.equal(at("?country=AZ&embed=1&lang=uk"), "/map?embed=1&lang=uk#country=AZ");
  assert.equal(at("?country=AZ"), "/map#country=AZ");
  assert.equal(at("?country=AZ", "#country=UA"), "/map#country=UA");
  assert.equal(at("?country=nonsense"), "/map#");
});

test("an address without a view as a query stays", () => {
  assert.equal(at("?embed=1"), null);
  assert.equal(at("", "#country=AZ"), null);
});
