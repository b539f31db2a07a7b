// Which spot of a picture an arrow key leads to.

/** The spot that lies nearest in a direction, those far to its side being taken as farther off; null where there is none. */
export function nextSpot(spots, from, [dx, dy]) {
  let best = null;
  let least = Infinity;
  for (const spot of spots) {
    const [x, y] = [spot.x - from.x, spot.y - from.y];
    const [ahead, aside] = [x * dx + y * dy, Math.abs(x * dy) + Math.abs(y * dx)];
    const far = ahead + 2 * aside;
    if (ahead > 0 && aside <= 2 * ahead && far < least) [best, least] = [spot, far];
  }
  return best;
}
