// Of what the publisher withholds or makes coarser the panel says so, whether or not there is anything, and of nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, speak } from "./speaking.mjs";

speak("de");
const { leftOut, placeWords, withheldWords } = await load("disclosure.js");

const plain = (text) => text.replaceAll(/[\u00a0\u202f\u2009]/g, " ");

test("a place that is withheld, rounded, rounded by its source, or not known", () => {
  assert.equal(placeWords({ basis: null, withheld: ["geometry"] }), "Ort vom Herausgeber zurückgehalten");
  assert.equal(plain(placeWords({ basis: "rounded", uncertainty_m: 3600, withheld: ["geometry"] })), "vom Herausgeber gerundet, ±3,6 km");
  assert.equal(plain(placeWords({ basis: "rounded", uncertainty_m: 3600, withheld: [] })), "gerundeter Ort, ±3,6 km");
  assert.equal(placeWords({ basis: null }), "kein Ort bekannt");
});

test("what is withheld is named once, and a coarser place is not left out", () => {
  assert.equal(withheldWords({ withheld: ["damage", "killed_min", "killed_max"] }), "Schaden, Getötete");
  assert.equal(withheldWords({}), "");
  assert.equal(leftOut({ basis: "rounded", withheld: ["geometry"] }, "geometry"), false);
  assert.equal(leftOut({ basis: null, withheld: ["geometry"] }, "geometry"), true);
  assert.equal(leftOut({ withheld: ["capacity_unit"] }, "capacity", "capacity_unit"), true);
});
