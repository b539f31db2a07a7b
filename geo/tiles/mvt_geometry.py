"""Vector tile geometry as command integers (Mapbox Vector Tile 2.1, clause 4.3), vectorised over features."""

from __future__ import annotations

import numpy as np

from geo.lonlat import Ints
from geo.tiles.protobuf import Rows, Unsigned, varint_sizes, varints, zigzag

MOVE_TO, LINE_TO, CLOSE_PATH = 1, 2, 7


def points(xy: Ints, feature: Ints) -> Rows:
    """Encode points, shape (n, 2), of ascending feature numbers: one MoveTo a feature.

    Returns one row of bytes for each number that occurs.
    """
    start = _firsts(feature)
    count = np.diff(start, append=len(feature))
    width = 2 * count + 1
    head = np.cumsum(width) - width
    values = np.empty(int(width.sum()), dtype=np.uint64)
    values[head] = (count << 3 | MOVE_TO).astype(np.uint64)
    slot = np.arange(len(xy)) * 2 + np.repeat(np.arange(len(start)), count) + 1
    values[slot], values[slot + 1] = _deltas(xy, feature).T
    return _rows(values, head)


def paths(xy: Ints, sizes: Ints, feature: Ints, closed: bool) -> Rows:
    """Encode lines, or rings without their closing vertex (``closed``).

    Parameters
    ----------
    xy
        Vertices in tile units, shape (n, 2), path after path; no two successive ones equal.
    sizes
        Vertices of each path, at least 2.
    feature
        Ascending feature number of each path.

    Returns
    -------
    One row of bytes for each feature number that occurs.
    """
    width = 2 * sizes + 2 + closed
    head = np.cumsum(width) - width
    values = np.empty(int(width.sum()), dtype=np.uint64)
    values[head] = 1 << 3 | MOVE_TO
    values[head + 3] = ((sizes - 1) << 3 | LINE_TO).astype(np.uint64)
    if closed:
        values[head + width - 1] = 1 << 3 | CLOSE_PATH
    within = np.arange(len(xy)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    slot = np.repeat(head, sizes) + 1 + 2 * within + (within > 0)
    values[slot], values[slot + 1] = _deltas(xy, np.repeat(feature, sizes)).T
    return _rows(values, head[_firsts(feature)])


def _firsts(feature: Ints) -> Ints:
    """Give where each feature begins."""
    return np.flatnonzero(np.diff(feature, prepend=-1))


def _deltas(xy: Ints, feature: Ints) -> Unsigned:
    """Give each vertex from the one before it in its feature; the cursor starts at 0, 0 (clause 4.3.2)."""
    moved = xy.copy()
    same = np.flatnonzero(feature[1:] == feature[:-1])
    moved[same + 1] -= xy[same]
    return zigzag(moved)


def _rows(values: Unsigned, starts: Ints) -> Rows:
    sizes = varint_sizes(values)
    return Rows(varints(values), np.add.reduceat(sizes, starts) if len(starts) else np.empty(0, np.int64))
