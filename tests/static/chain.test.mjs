import assert from "node:assert/strict";
import { test } from "node:test";

import { chainTree, drawnRows, endsAt, folded } from "../../static/chain-tree.js";

const step = (owner, share) => ({ owner, name: owner, share_min: share, share_max: share, since: null });
const chain = (share, ...steps) => ({ share_min: share, share_max: share, reach: "state", steps });

const CHAINS = [
  chain(24, step("cpc", 100), step("ru", 24)), chain(15, step("cpc", 100), step("chevron", 15)),
  chain(7.5, step("cpc", 100), step("venture", 7.5)), chain(20, step("cpc", 100), step("kz", 20)),
];

test("chains that begin alike are one branch, each holder with its part of the whole", () => {
  const [cpc, ...others] = chainTree(CHAINS);
  assert.equal(others.length, 0);
  assert.deepEqual([...cpc.children.values()].map((node) => [node.step.owner, node.part]), [["ru", [24, 24]], ["chevron", [15, 15]], ["venture", [7.5, 7.5]], ["kz", [20, 20]]]);
  assert.equal(endsAt(cpc), null);
  assert.deepEqual(endsAt(cpc.children.values().next().value), [24, 24]);
});

test("the drawing goes by size, each holder under what it holds", () => {
  const rows = drawnRows(chainTree(CHAINS));
  assert.deepEqual(rows.map(({ node, depth, parent }) => [node.step.owner, depth, parent]),
    [["cpc", 1, -1], ["ru", 2, 0], ["kz", 2, 0], ["chevron", 2, 0], ["venture", 2, 0]]);
});

test("more than eight owners are folded to the largest, and nothing of the sum is lost", () => {
  const many = Array.from({ length: 40 }, (_, i) => chain(i / 8, step(`holder ${i}`, i / 8)));
  const { shown, folded: rest } = folded(many);
  assert.equal(shown.length, 8);
  assert.equal(rest.n, 32);
  const sum = (list) => list.reduce((total, each) => total + each.share_max, 0);
  assert.equal(sum(shown) + rest.share_max, sum(many));
  assert.ok(shown.every((each) => each.share_max > 31 / 8));
});

test("a ninth owner is shown rather than folded alone", () => {
  const nine = Array.from({ length: 9 }, (_, i) => chain(i, step(`holder ${i}`, i)));
  assert.deepEqual([folded(nine).shown.length, folded(nine).folded], [9, null]);
});

test("a person of two nationalities ends with no more than the person's part", () => {
  const held = { owner: "p", share_min: 60, share_max: 60, since: null };
  const [person] = chainTree(["CH", "IT"].map((country) => ({ steps: [held], country, share_min: 0, share_max: 60 })));
  assert.deepEqual(person.ends.map((chain) => chain.country), ["CH", "IT"]);
  assert.deepEqual(endsAt(person), [0, 60]);
});
