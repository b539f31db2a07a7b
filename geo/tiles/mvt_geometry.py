"""Vector tile geometry as command integers (Mapbox Vector Tile 2.1, clause 4.3), vectorised over features."""

from __future__ import annotations

import numpy as np

from geo.lonlat import Ints
from geo.tiles.protobuf import ByteRows, Unsigned, varint_sizes, varints, zigzag

MOVE_TO, LINE_TO, CLOSE_PATH = 1, 2, 7


def points(xy: Ints, feature: Ints) -> ByteRows:
    """Encode points as one MoveTo a feature (clause 4.3.4.2).

    Parameters
    ----------
    xy
        Points in tile units, shape (n, 2), feature after feature.
    feature
        Ascending feature number of each point, shape (n,).

    Returns
    -------
    A row of bytes for each feature number that occurs.
    """
    start = _first_of_feature(feature)
    count = np.diff(start, append=len(feature))
    width = 2 * count + 1
    head = np.cumsum(width) - width
    values = np.empty(int(width.sum()), dtype=np.uint64)
    values[head] = (count << 3 | MOVE_TO).astype(np.uint64)
    slot = np.arange(len(xy)) * 2 + np.repeat(np.arange(len(start)), count) + 1
    values[slot], values[slot + 1] = _deltas(xy, feature).T
    return _rows(values, head)


def paths(xy: Ints, sizes: Ints, feature: Ints, closed: bool) -> ByteRows:
    """Encode lines (clause 4.3.4.3), or rings of polygons (clause 4.3.4.4).

    Parameters
    ----------
    xy
        Vertices in tile units, shape (n, 2), path after path; no two successive ones equal.
    sizes
        Number of vertices of each path, at least 2.
    feature
        Ascending feature number of each path.
    closed
        Whether paths are rings, without their closing vertices.

    Returns
    -------
    A row of bytes for each feature number that occurs.
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
    return _rows(values, head[_first_of_feature(feature)])


def _first_of_feature(feature: Ints) -> Ints:
    """Index of the first point or path of each feature."""
    return np.flatnonzero(np.diff(feature, prepend=-1))


def _deltas(xy: Ints, feature: Ints) -> Unsigned:
    """Each vertex relative to the previous one of its feature, or to 0, 0, zigzag-encoded (clause 4.3.2)."""
    deltas = xy.copy()
    same = np.flatnonzero(feature[1:] == feature[:-1])
    deltas[same + 1] -= xy[same]
    return zigzag(deltas)


def _rows(values: Unsigned, starts: Ints) -> ByteRows:
    """Encode command integers as rows of bytes, each of which begins at one of ``starts``."""
    sizes = varint_sizes(values)
    return ByteRows(varints(values), np.add.reduceat(sizes, starts) if len(starts) else np.empty(0, np.int64))
