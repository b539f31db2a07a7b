import assert from "node:assert/strict";
import { test } from "node:test";

import { foundAmong, isAnswered } from "../../static/held.js";
import { EVERYTHING, ROLES } from "../../static/selection.js";

const view = (more = {}) => ({ ...EVERYTHING, basis: "registration", minority: "stay", ...more });
const row = (id, owners, more = {}) => ({
  id, owners, status: "verified", rests_on: "decision", day_first: "2025-03-01", day_last: "2025-03-01",
  geometry: { type: "Point", coordinates: [30, 50] }, ...more,
});
const ROWS = [
  row("a", "AZ 100"), row("b", "DE 50, AZ 0-20", { geometry: { type: "Point", coordinates: [10, 45] } }), row("c", "DE 100", { rests_on: "alternatives" }),
  row("d", "AZ 100", { status: "draft", geometry: null }), row("e", "AZ 30", { day_first: "2025-02-20", day_last: "2025-03-02" }), row("f", "AZ 3", { day_first: null }),
];
const sizes = (n) => [{ value: "AZ", strikes: n }, { value: "DE", strikes: 2 }];
const held = (n, more = {}) => ({ view: view(more), rows: ROWS, byRole: Object.fromEntries(ROLES.map((role) => [role, sizes(role === "owner" ? n : 1)])) });

test("the strikes of a country are found among those of all, with what is sure and what is not", () => {
  const { rows, counts, roles } = foundAmong(held(5), view({ country: "AZ" }));
  assert.deepEqual(rows.map(({ id }) => id), ["a", "b", "d", "e", "f"]);
  assert.deepEqual(counts, { strikes: 5, sure: 3, possible: 2, reasons: { drafts: 1, undated: 0, across: 0, unsettled: 1 }, unplaced: 1, undated: 1, bbox: [10, 45, 30, 50] });
  assert.deepEqual(roles, { owner: 5, control: 1, related: 1, host: 1 });
});

test("in a time range what may lie outside is counted by why", () => {
  const days = { from: "2025-03-01", to: "2025-03-31" };
  const { counts } = foundAmong(held(5, days), view({ ...days, country: "AZ" }));
  assert.deepEqual([counts.sure, counts.reasons], [1, { drafts: 1, undated: 1, across: 1, unsettled: 1 }]);
});

test("nothing is found where the rows do not tell, or are not as many as were counted", () => {
  assert.equal(foundAmong(held(4), view({ country: "AZ" })), null, "counted otherwise");
  assert.equal(foundAmong(held(5), view({ country: "DE" })), null, "whether one of its sites was hit at all is not in a row");
  assert.equal(foundAmong({ ...held(5), byRole: null }, view({ country: "AZ" })), null);
  for (const other of [{ role: "host" }, { basis: "headquarters" }, { min_share: 10 }, { certainty: "sure" }, { owner: "socar" }, { q: "depot" }, { country: null }])
    assert.equal(foundAmong(held(5), view({ country: "AZ", ...other })), null, JSON.stringify(other));
});

test("an answer of the server that differs is told from what was found", () => {
  const known = foundAmong(held(5), view({ country: "AZ" }));
  const loaded = (counts = known.counts, total = 5, ids = ["a", "b"]) => ({ counts, roles: known.roles, rows: { total, at: (i) => ids[i] && { id: ids[i] } } });
  assert.equal(isAnswered(known, loaded()), true);
  assert.equal(isAnswered(known, loaded({ ...known.counts, sure: 2, possible: 3 })), false);
  assert.equal(isAnswered(known, loaded(known.counts, 6)), false);
  assert.equal(isAnswered(known, loaded(known.counts, 5, ["b", "a"])), false);
});
