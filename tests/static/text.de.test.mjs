// German: plurals, decimals and thousands, dates, and nouns that stay large within a sentence.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, speak } from "./speaking.mjs";

speak("de");
const { counted, number, small, t } = await load("text.js");
const { spanOfDays, whenWords } = await load("edtf.js");
const { countryName, share } = await load("figures.js");

const plain = (text) => text.replaceAll(/[\u00a0\u202f\u2009]/g, " ");

test("plurals and numbers", () => {
  assert.deepEqual([0, 1, 2].map((n) => counted("count", n)), ["0 Angriffe", "1 Angriff", "2 Angriffe"]);
  assert.equal(number(1234567), "1.234.567");
  assert.equal(plain(share(5, 6.5)), "5–6,5 %");
});

test("dates", () => {
  assert.equal(whenWords("2025-08-06"), "6. August 2025");
  assert.equal(plain(whenWords("2025-08-05/2025-08-06")), "5.–6. August 2025");
  assert.equal(whenWords("2022-24"), "Winter 2022");
  assert.equal(spanOfDays("2025-03-14", "2025-09-09"), "14. März bis 9. September 2025");
});

test("nouns are large, countries by their German names", () => {
  assert.equal(small(t("weapondrone")), "Drohne");
  assert.equal(countryName("TR"), "Türkei");
});
