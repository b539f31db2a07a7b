// Ukrainian: plurals of one, few and many, decimals and thousands, dates in the genitive.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, speak } from "./speaking.mjs";

speak("uk");
const { counted, number, small, strikeTitle, t, word, inLanguage, commodityWords } = await load("text.js");
const { spanOfDays, whenWords } = await load("edtf.js");
const { countryName, length, share } = await load("figures.js");

const plain = (text) => text.replaceAll(/[\u00a0\u202f]/g, " ");

test("plurals are those of the language", () => {
  assert.deepEqual([1, 2, 5, 11, 21, 22, 112].map((n) => counted("count", n)),
    ["1 удар", "2 удари", "5 ударів", "11 ударів", "21 удар", "22 удари", "112 ударів"]);
});

test("numbers are written as in print", () => {
  assert.equal(plain(number(1234567)), "1 234 567");
  assert.equal(plain(share(47.33, 47.33)), "47,33 %");
  assert.equal(plain(length(1500)), "1,5 км");
});

test("dates say no more than they do, and end in no abbreviation", () => {
  assert.equal(plain(whenWords("2025-08-06")), "6 серпня 2025 року");
  assert.equal(plain(whenWords("2025-08-05/2025-08-06")), "5–6 серпня 2025 року");
  assert.equal(plain(whenWords("2025-08-05/2025-08-06", "at night")), "ніч 5–6 серпня 2025 року");
  assert.equal(plain(whenWords("2022-03~")), "приблизно березень 2022 року");
  assert.equal(plain(whenWords("202X")), "2020-ті роки");
  assert.equal(plain(spanOfDays("2025-03-14", "2025-09-09")), "14 березня – 9 вересня 2025 року");
});

test("names come in the language where a record has one", () => {
  const row = { title: "Refinery", title_uk: "НПЗ", place: "Kremenchuk", places: { uk: "Кременчук" }, status: "draft" };
  assert.equal(strikeTitle(row), "НПЗ (чернетка)");
  assert.equal(inLanguage(row, "place"), "Кременчук");
  assert.equal(inLanguage({ title: "Refinery", title_uk: null }, "title"), "Refinery");
  assert.equal(countryName("AZ"), "Азербайджан");
  assert.equal(word("kind", "oil-depot"), "нафтобаза");
  assert.equal(commodityWords("oil, whale oil"), "нафта, whale oil");
  assert.equal(small(t("groupoil")), "нафта");
});
