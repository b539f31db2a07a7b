// Days, units of time and windows of the time range.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axisStart, dayOf, moved, numberOf, unitFor } from "../../static/days.js";

test("a day and its number are the same day", () => {
  for (const day of ["1970-01-01", "2024-02-29", "2025-12-31", "1999-12-31"]) assert.equal(dayOf(numberOf(day)), day);
  assert.equal(numberOf("2024-03-01") - numberOf("2024-02-28"), 2);
});

test("the unit is the finest whose bars can be told apart", () => {
  assert.equal(unitFor(60, 800), "day");
  assert.equal(unitFor(700, 800), "week");
  assert.equal(unitFor(3000, 800), "month");
  assert.equal(unitFor(9000, 300), "year");
  assert.equal(unitFor(1e7, 300), "year");
});

const span = (year, sure) => ({ first: `${year}-01-01`, last: `${year}-12-31`, sure, possible: 0 });

test("a long, nearly empty beginning is left out", () => {
  assert.equal(axisStart([span(2008, 1), span(2014, 1), span(2022, 60), span(2025, 90)]), "2022-01-01");
});

test("a beginning that is short or has many strikes stays", () => {
  assert.equal(axisStart([span(2021, 1), span(2022, 60)]), "2021-01-01");
  assert.equal(axisStart([span(2008, 40), span(2022, 60)]), "2008-01-01");
  assert.equal(axisStart([]), undefined);
});

test("a window moves by one and keeps its length", () => {
  assert.deepEqual(moved([2, 5], 20, 1), [3, 6]);
  assert.deepEqual(moved([16, 19], 20, 1), [0, 3]);
});
