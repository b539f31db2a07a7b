// Tiles of a PMTiles archive are found by the numbers and directories that its specification has.
import assert from "node:assert/strict";
import { test } from "node:test";
import { directory, tileNumber } from "../../static/archive.js";

test("a tile has the number that the specification gives it", () => {
  const tiles = [[0, 0, 0], [1, 0, 0], [1, 1, 1], [3, 5, 2], [6, 37, 22], [10, 600, 350], [12, 4095, 1], [12, 3423, 1763]];
  assert.deepEqual(tiles.map((tile) => tileNumber(...tile)), [0, 1, 3, 76, 4834, 1236371, 22369617, 19078479]);
});

test("no two tiles of a zoom have the same number", () => {
  const numbers = Array.from({ length: 64 }, (_, i) => tileNumber(3, i % 8, Math.floor(i / 8)));
  assert.deepEqual([...numbers].sort((a, b) => a - b), Array.from({ length: 64 }, (_, i) => 21 + i));
});

test("a directory lists runs of tiles, one after another where no offset is given", () => {
  const bytes = Uint8Array.of(3, 5, 1, 200, 1, 1, 2, 0, 10, 20, 30, 1, 0, 101);
  assert.deepEqual(directory(bytes.buffer), [
    { id: 5, run: 1, length: 10, offset: 0 },
    { id: 6, run: 2, length: 20, offset: 10 },
    { id: 206, run: 0, length: 30, offset: 100 },
  ]);
});
