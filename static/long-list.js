// How a list of any number of rows lies in what a browser can measure: pure, so that tests can run it alone.

const TALLEST = 8_000_000; // pixels; browsers measure no more than some 17 million

/** Pixels that a list is given, its rows being so tall on average; of very many rows a pixel stands for more than one. */
export const lengthOf = (total, height) => Math.min(total * height, TALLEST);

/** The row that lies so many pixels below the top of a list. */
export function indexAt(top, total, height) {
  const index = Math.floor((top / lengthOf(total, height)) * total);
  return Math.max(0, Math.min(total - 1, index));
}
