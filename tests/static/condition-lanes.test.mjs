// What of an asset did not work on which days, and in which lane that is drawn.
import assert from "node:assert/strict";
import { test } from "node:test";
import { spansOf } from "../../static/condition-lanes.js";
import { daysOf } from "../../static/edtf-days.js";
import { numberOf } from "../../static/days.js";

const day = (first, last = first) => [numberOf(first), numberOf(last)];
const condition = (since, until, more = {}) => ({ since, until, status: "offline", working_min: null, working_max: null, ...more });

test("a value of less than a day has all the days that it may mean", () => {
  assert.deepEqual(daysOf("2025-08-10"), day("2025-08-10"));
  assert.deepEqual(daysOf("2024-02"), day("2024-02-01", "2024-02-29"));
  assert.deepEqual(daysOf("2025~"), day("2025-01-01", "2025-12-31"));
  assert.deepEqual(daysOf("2025-08-05/2025-08-06"), day("2025-08-05", "2025-08-06"));
});

test("what states no day that can be drawn has none", () => {
  for (const value of ["2025-21", "202X", "..", "2025-08-01/..", "", null, "soon"]) assert.equal(daysOf(value), null, String(value));
});

test("spans that overlap lie in lanes of their own, and a lane is used again once it is free", () => {
  const spans = spansOf([condition("2025-03-01", "2025-04-01"), condition("2025-01-01", "2025-02-01"), condition("2025-01-15", "2025-02-15")]);
  assert.deepEqual(spans.map(({ lane }) => lane), [0, 1, 0]);
});

test("a span without an end keeps its lane", () => {
  const spans = spansOf([condition("2025-01-01", null), condition("2030-01-01", "2030-02-01")]);
  assert.deepEqual(spans.map(({ lane, until }) => [lane, until === null]), [[0, true], [1, false]]);
});

test("a condition whose end cannot be drawn is not taken for one without an end", () => {
  assert.deepEqual(spansOf([condition("2025-01-01", "2025-21")]), []);
});

test("what did not work is the rest of what worked, and all or nothing where only the status is told", () => {
  const lost = (more) => spansOf([condition("2025-01-01", null, more)])[0].lost;
  assert.deepEqual(lost({ status: "reduced", working_min: 40, working_max: 60 }), [0.4, 0.6]);
  assert.deepEqual(["offline", "destroyed", "occupied", "running", "reduced"].map((status) => lost({ status })), [[1, 1], [1, 1], [1, 1], [0, 0], [0, 1]]);
});
