"""Pairs of strikes worth a look: near in time, and near in space or alike in what they name.

Time goes first: slabs of days with about as many strikes each, so that the work grows with the strikes of a few
days and not with all of them (blocking: Christen 2012, Data Matching, chapter 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, triu

from geo.lonlat import Floats, Ints
from geo.spatial_join.join import pairs_within
from layers.resolution.strike_columns import EventTable

#: Days that two tellings of one event may lie apart: a report comes later, a night has two dates.
SLACK_DAYS = 2
#: Places further apart than the sum of both uncertainties, times this, are not near.
REACH = 1.5
#: No place is near beyond this, in metres.
MAX_RADIUS_M = 250_000.0
#: A stem that more strikes of a slab than this have finds no pairs by itself.
COMMON = 40
#: Strikes that begin in one slab, and the days it is wide, about.
SLAB, SLAB_DAYS = 500, 30


class StrikePairs(NamedTuple):
    """Rows of a table, ``left`` under ``right``, sorted, each pair once; metres between the places, NaN for not near.

    ``distance_m`` is NaN also where one has no place.
    """

    left: Ints
    right: Ints
    distance_m: Floats


def candidates(table: EventTable) -> StrikePairs:
    """Pairs that may be the same event by time, and by place, text or, without a place, region."""
    if len(table) < 2:
        return StrikePairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    parts = [_of_slab(table, start, stop) for start, stop in _slabs(table.first)]
    left, right, metres = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((right, left))
    return StrikePairs(left[order], right[order], metres[order])


def _slabs(first: Ints) -> Iterator[tuple[int, int]]:
    """Days from and before which the strikes of a slab begin; no wider than a month, unless none begins in it."""
    days, counts = np.unique(first, return_counts=True)
    edges, held = [int(days[0])], 0
    for day, count in zip(days.tolist(), counts.tolist(), strict=True):
        if day > edges[-1] and (held + count > SLAB or day - edges[-1] >= SLAB_DAYS):
            edges.append(day)
            held = 0
        held += count
    yield from pairwise((*edges, int(days[-1]) + 1))


def _of_slab(table: EventTable, start: int, stop: int) -> tuple[Ints, Ints, Floats]:
    """Pairs of which the later one begins in a slab of days."""
    rows = np.flatnonzero((table.first < stop) & (table.last + SLACK_DAYS >= start))
    left, right, metres = _once(*_near(table, rows), *_alike(table, rows), *_same_region(table, rows))
    first = np.maximum(table.first[left], table.first[right])
    last = np.minimum(table.last[left], table.last[right])
    keep = (first >= start) & (first < stop) & (first - last <= SLACK_DAYS)
    return left[keep], right[keep], metres[keep]


def _near(table: EventTable, rows: Ints) -> tuple[Ints, Ints, Floats]:
    """Pairs whose places may be one. Each is found by the less sure of the two, within twice its own reach."""
    rows = rows[table.placed[rows]]
    sure = table.uncertainty_m[rows]
    points = table.point[rows]
    found = pairs_within(points, points, np.minimum(2 * REACH * sure, MAX_RADIUS_M))
    a, b = sure[found.left], sure[found.right]
    keep = ((a > b) | ((a == b) & (found.left < found.right))) & (found.distance_m <= REACH * (a + b))
    return rows[found.left[keep]], rows[found.right[keep]], found.distance_m[keep]


def _alike(table: EventTable, rows: Ints) -> tuple[Ints, Ints]:
    """Pairs that share a stem which few strikes of these days have."""
    words = table.words[rows]
    seen = np.bincount(words.indices, minlength=words.shape[1])
    return _sharing(words[:, np.flatnonzero((seen > 1) & (seen <= COMMON))], rows)


def _sharing(words: csr_array, rows: Ints) -> tuple[Ints, Ints]:
    shared = triu(words @ words.T, k=1).tocoo()
    return rows[shared.row], rows[shared.col]


def _same_region(table: EventTable, rows: Ints) -> tuple[Ints, Ints]:
    """Pairs of a strike without a place and another of the same region and country."""
    rows = rows[(table.region[rows] >= 0) & (table.country[rows] >= 0)]
    homeless = rows[~table.placed[rows]]
    same = (table.region[homeless, None] == table.region[rows]) & (table.country[homeless, None] == table.country[rows])
    left, right = np.nonzero(same)
    return homeless[left], rows[right]


def _once(
    a: Ints, b: Ints, metres: Floats, a_alike: Ints, b_alike: Ints, a_region: Ints, b_region: Ints
) -> tuple[Ints, Ints, Floats]:
    """Each pair once, the smaller row first, with its distance if it is near."""
    left, right = np.concatenate((a, a_alike, a_region)), np.concatenate((b, b_alike, b_region))
    distance = np.concatenate((metres, np.full(len(a_alike) + len(a_region), np.nan)))
    left, right = np.minimum(left, right), np.maximum(left, right)
    apart = left != right
    left, right, distance = left[apart], right[apart], distance[apart]
    # NaN sorts last, so that the first of equal pairs has the distance.
    order = np.lexsort((distance, right, left))
    left, right, distance = left[order], right[order], distance[order]
    new = _is_new(left, right)
    return left[new], right[new], distance[new]


def _is_new(left: Ints, right: Ints) -> npt.NDArray[np.bool_]:
    new = np.ones(len(left), bool)
    new[1:] = (np.diff(left) != 0) | (np.diff(right) != 0)
    return new
