import assert from "node:assert/strict";
import { test } from "node:test";

import { drawn, isArea, lookOf, markName, markOf, ownerShares, pieOf, ringOf, shareOf, tiesOf } from "../../static/marks.js";

const KEYS = { host: (country) => country ?? "other", owner: (country) => country, shape: (group) => group ?? "none" };
const row = (more = {}) => ({
  id: "a", group: "oil", host_country: "RU", status: "corroborated", rests_on: "decision", assets: ["x"], isSure: true,
  owners: "RU 47.33, US 22.5, KZ 20.8, GB 5-6, unattributed 1.75", relations: "GB operator, lukoil supplier", ...more,
});
const owner = (country = null, more = {}) => ({ role: "owner", country, min_share: 0, ...more });

test("owners are read with their bounds, and nobody's part has no country", () => {
  assert.deepEqual(ownerShares(row().owners), [["RU", 47.33, 47.33], ["US", 22.5, 22.5], ["KZ", 20.8, 20.8], ["GB", 5, 6], [null, 1.75, 1.75]]);
  assert.deepEqual(ownerShares(""), []);
  assert.deepEqual(shareOf(row(), "GB"), [5, 6]);
  assert.deepEqual(shareOf(row(), "FR"), [0, 0]);
});

test("a little is drawn as some, and nearly all not as all", () => {
  assert.deepEqual([0, 0.2, 47.33, 99.2, 100].map(drawn), [0, 0.1, 0.45, 0.95, 1]);
});

test("a pie has the three largest sure owners; what is only possible is not in it", () => {
  assert.deepEqual(pieOf(row().owners), [["RU", 0.45], ["US", 0.25], ["KZ", 0.2]]);
  assert.deepEqual(pieOf("AZ 0-100, UA 0-100"), []);
});

test("the share of the chosen country fills the mark from its least to its most", () => {
  const mark = markOf(row({ owners: "DE 50.1-54.1" }), owner("DE"), KEYS);
  assert.deepEqual([mark.look, mark.level], ["share", [0.5, 0.55]]);
});

test("an outline is dashed where something of the mark is in doubt", () => {
  const outline = (more, view) => markOf(row(more), view, KEYS).outline;
  assert.equal(outline({}, owner()), "solid");
  assert.equal(outline({ isSure: false }, owner()), "dashed", "whatever else the row says");
  assert.equal(outline({ isSure: false, owners: "AZ 100" }, owner("AZ")), "dashed");
  assert.equal(outline({ rests_on: "alternatives" }, owner()), "dashed", "which site is not settled");
  assert.equal(outline({ rests_on: "alternatives" }, { role: "host", country: "RU" }), "dashed");
  assert.equal(outline({ rests_on: "alternatives", owners: "AZ 100", assets: ["x", "y"] }, owner("AZ")), "solid");
});

test("ties have colours by kind, those of the chosen country alone where one is", () => {
  assert.deepEqual(tiesOf(row().relations), [["GB", "operator"], ["lukoil", "supplier"]]);
  assert.deepEqual(markOf(row(), { role: "related", country: null }, KEYS).parts, [["operator", 0.5], ["supplier", 0.5]]);
  assert.deepEqual(markOf(row(), { role: "related", country: "GB" }, KEYS).parts, [["operator", 1]]);
  assert.deepEqual(markOf(row(), { role: "supplier", country: null }, KEYS).parts, [["supplier", 1]], "one kind of tie");
});

test("districts, regions and sea areas are areas, and so is what is known to 20 km only", () => {
  const areas = [["district", 500], ["region", 500], ["sea-area", 45000], ["settlement", 20000], ["settlement", 8000], ["site", null]];
  assert.deepEqual(areas.map(([basis, uncertainty_m]) => isArea({ basis, uncertainty_m })), [true, true, true, true, false, false]);
});

test("the fill means what the role asks for; a controller has no share", () => {
  const looks = [["owner", null], ["owner", "RU"], ["control", "RU"], ["related", null], ["supplier", "AZ"], ["host", "RU"]];
  assert.deepEqual(looks.map(([role, country]) => lookOf({ role, country })), ["pie", "share", "pie", "tie", "tie", "host"]);
});

test("marks that look alike share one image, and others do not", () => {
  const views = [owner(), owner("RU"), { role: "host", country: null }, { role: "related", country: null }];
  assert.equal(new Set(views.map((view) => markName(markOf(row(), view, KEYS)))).size, views.length);
  assert.equal(markName(markOf(row({ id: "b" }), owner(), KEYS)), markName(markOf(row(), owner(), KEYS)));
});

test("a ring has the parts of all its strikes, sure and possible apart, and they make one whole", () => {
  const rows = [row({ owners: "RU 100" }), row({ owners: "RU 100", isSure: false }), row({ owners: "" }), row({ owners: "UA 100" })];
  const ring = ringOf(rows, owner(), KEYS);
  assert.deepEqual(ring, [["", 0.25, "sure"], ["RU", 0.25, "sure"], ["UA", 0.25, "sure"], ["RU", 0.25, "possible"]]);
  assert.equal(ring.reduce((sum, [, part]) => sum + part, 0), 1);
});

test("where a country is chosen a ring says how many are sure, in no colour of a share", () => {
  const rows = [row({ owners: "QA 20.42" }), row({ owners: "QA 20.42" }), row({ owners: "QA 0-100", isSure: false })];
  assert.deepEqual(ringOf(rows, owner("QA"), KEYS), [["certainty", 0.65, "sure"], ["certainty", 0.35, "possible"]]);
});
