// The selection as an object: what narrows it, what takes a filter away, and how the API is asked for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EVERYTHING, cleared, filterOf, mayFall, narrowing, parametersByCountry, parametersOf, without } from "../../static/selection.js";

const view = (changes) => ({ ...EVERYTHING, basis: "registration", ...changes });

test("nothing chosen asks for all but what was retracted", () => {
  assert.deepEqual(narrowing(view({})), []);
  assert.deepEqual(parametersOf(view({})), { filter: "status <> 'retracted'" });
});

test("each part of a selection becomes a parameter", () => {
  const chosen = view({ country: "AZ", min_share: 25, from: "2025-03-14", to: "2025-09-09", q: "депо", asset: "a-1", commodity: "oil", certainty: "sure" });
  assert.deepEqual(parametersOf(chosen), {
    reading: "registration", min_share: 25, q: "депо", country: "AZ", assets: "a-1", commodity: "oil", certainty: "sure",
    datetime: "2025-03-14/2025-09-09", filter: "status <> 'retracted'",
  });
  assert.deepEqual(narrowing(chosen), ["country", "asset", "q", "commodity", "certainty", "dates"]);
});

test("who controlled is a reading, and has no least share; a tie is a relation", () => {
  assert.equal(parametersOf(view({ country: "AZ", role: "control", min_share: 25 })).reading, "control");
  assert.equal(parametersOf(view({ country: "AZ", role: "control", min_share: 25 })).min_share, undefined);
  assert.deepEqual(parametersOf(view({ country: "AZ", role: "operator", min_share: 25 })), { relation: "operator", country: "AZ", filter: "status <> 'retracted'" });
  assert.equal(parametersOf(view({ owner: "socar", basis: "headquarters" })).reading, "headquarters");
});

test("countries are counted by the role and the least share, whatever country is chosen", () => {
  const by = parametersByCountry(view({ country: "AZ", min_share: 30 }));
  assert.equal(by.country, undefined);
  assert.equal(by.min_share, 30);
});

test("quotes in a text cannot end it", () => {
  assert.match(filterOf(view({ weapon: "o'clock" })), /LIKE CASEI\('%o''clock%'\)/);
});

test("kinds that are not known are asked for beside the known ones", () => {
  assert.match(filterOf(view({ kinds: ["oil", "none"] })), /\("group" IN \('oil'\) OR "group" IS NULL\)$/);
  assert.match(filterOf(view({ kinds: ["none"] })), /AND "group" IS NULL$/);
  assert.equal(filterOf(view({ status: ["retracted"] })), "\"status\" IN ('retracted')");
});

test("taking each filter away leaves everything", () => {
  const all = view({ country: "AZ", owner: "socar", role: "operator", q: "x", kinds: ["gas"], status: ["draft"], from: "2025-01-01", within: "1000", rests_on: "match", weapon: "drone" });
  const left = narrowing(all).reduce((now, name) => ({ ...now, ...cleared(name, now) }), all);
  assert.deepEqual(left, view({}));
});

test("without the country its role stays, so that other countries can be compared by it", () => {
  const others = without(view({ country: "AZ", role: "host" }), "country");
  assert.deepEqual([others.country, others.role], [null, "host"]);
});

test("a row may fall in the days if one of its own lies beyond them, or is not known", () => {
  const days = { from: "2025-01-01", to: "2025-12-31" };
  assert.equal(mayFall({ day_first: "2025-01-01", day_last: "2025-12-31" }, view(days)), false);
  assert.equal(mayFall({ day_first: "2024-12-31", day_last: "2025-01-02" }, view(days)), true);
  assert.equal(mayFall({ day_first: "2025-12-31", day_last: null }, view(days)), true);
  assert.equal(mayFall({ day_first: null, day_last: null }, view(days)), true);
  assert.equal(mayFall({ day_first: null, day_last: null }, view({})), false);
});
