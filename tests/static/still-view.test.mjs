// Where the still map shows what, and that it never shows more than the world.
import assert from "node:assert/strict";
import { test } from "node:test";
import { boxOf, fitted, projected, shifted, within } from "../../static/still-view.js";

const SIZE = { width: 800, height: 600 };
const near = (a, b, by = 1e-6) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

test("the middle of the view lies in the middle of the picture, and its corners in the corners of its box", () => {
  const view = [38, 44.5, 5];
  const { x, y } = projected([38, 44.5], view, SIZE);
  near(x, 400);
  near(y, 300);
  const [west, south, east, north] = boxOf(view, SIZE);
  const corner = projected([west, north], view, SIZE);
  near(corner.x, 0, 1e-6);
  near(corner.y, 0, 1e-6);
  const other = projected([east, south], view, SIZE);
  near(other.x, 800, 1e-6);
  near(other.y, 600, 1e-6);
});

test("a view is brought to where the picture lies within the world", () => {
  for (const view of [[0, 0, 0], [179, 84, 3], [-179, -84, 3], [400, 0, 2], [10, 50, 22]]) {
    const [west, south, east, north] = boxOf(within(view, SIZE), SIZE);
    assert.ok(west >= -180 - 1e-9 && east <= 180 + 1e-9 && west < east, `${view}: ${[west, east]}`);
    assert.ok(south > -86 && north < 86 && south < north, `${view}: ${[south, north]}`);
  }
});

test("a frame is in the picture with room to spare, and a single point is no closer than is asked", () => {
  const view = fitted([[20, 40], [40, 50]], SIZE, 50, 9);
  for (const at of [[20, 40], [40, 50], [20, 50], [40, 40]]) {
    const { x, y } = projected(at, view, SIZE);
    assert.ok(x >= 49.9 && x <= 750.1 && y >= 49.9 && y <= 550.1, `${at}: ${x} ${y}`);
  }
  assert.deepEqual(fitted([[30, 46], [30, 46]], SIZE, 50, 6).map((n) => +n.toFixed(6)), [30, 46, 6]);
});

test("a step moves by a part of the picture", () => {
  const { x } = projected([38, 44.5], shifted([38, 44.5, 5], SIZE, { across: 0.5 }), SIZE);
  near(x, 0, 1e-6);
  assert.equal(shifted([38, 44.5, 5], SIZE, { closer: 1 })[2], 6);
});
