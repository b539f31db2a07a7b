"""Rows of one sequence and, after them, of another, in a new order: what an edit does to every column of a layer.

Nearly all rows stay behind the one that they were behind, so that arrays are joined from a few slices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.crs import Ints

#: Arrays are joined from so many slices at most; of more their rows are picked one by one.
_RUNS = 1000
#: So many steps are added one by one to the numbers of rows; of more they are summed first.
_STEPS = 8


@dataclass(frozen=True, eq=False)
class Splice:
    """What comes in which order.

    Parameters
    ----------
    own, other
        Number of rows of the sequence that is changed, and of the one that rows are added from.
    take
        Which of the rows of both, counted through, come in which order; each once at most. Shape (n,).
    """

    own: int
    other: int
    take: Ints

    def __len__(self) -> int:
        return len(self.take)

    @cached_property
    def is_same(self) -> bool:
        """Whether all rows stay as they are, and none comes."""
        return len(self.take) == self.own and self._runs == ((0, self.own),)

    @cached_property
    def gone(self) -> Ints:
        """Rows of the first sequence that are left out, ascending."""
        stays = np.zeros(self.own + self.other, dtype=bool)
        stays[self.take] = True
        return np.flatnonzero(~stays[: self.own])

    @cached_property
    def came(self) -> Ints:
        """Rows of the second sequence that are taken, in the new order."""
        return self.take[self.came_at] - self.own

    @cached_property
    def came_at(self) -> Ints:
        """Where these are in the new order, ascending."""
        return np.flatnonzero(self.take >= self.own)

    @cached_property
    def is_in_place(self) -> bool:
        """Whether all rows that stay are where they were, so that others came for those that are left out."""
        return len(self.take) == self.own and self.is_rising and bool(np.array_equal(self.gone, self.came_at))

    @cached_property
    def is_rising(self) -> bool:
        """Whether the rows that stay are in the order in which they were."""
        if self._runs is not None:
            starts = [start for start, stop in self._runs if start < self.own and stop > start]
            return starts == sorted(starts)
        stayed = self.take[self.take < self.own]
        return bool((np.diff(stayed) > 0).all())

    def moved(self, rows: Ints) -> Ints:
        """The new numbers of rows of the first sequence; of those that are left out, any. They must be rising."""
        steps = self._steps
        if len(steps) > _STEPS:
            shift = np.zeros(self.own + 1, np.int64)
            for at, by in steps:
                shift[at] += by
            return rows + np.cumsum(shift)[rows]
        moved = rows
        for at, by in steps:
            moved = moved + (rows >= at) * by
        return moved

    @cached_property
    def _steps(self) -> list[tuple[int, int]]:
        """From which rows on the number grows, and by how much: where rows came (before it) or are left out."""
        stayed = self.came_at - np.arange(len(self.came_at))  # as many rows that stay are before
        kept = stayed if not len(self.gone) else _nth_kept(self.gone, stayed)
        at = np.concatenate([kept, self.gone + 1])
        by = np.repeat([1, -1], [len(kept), len(self.gone)])
        places, inverse = np.unique(at, return_inverse=True)
        sums = np.bincount(inverse, weights=by).astype(np.int64)
        return [(place, step) for place, step in zip(places.tolist(), sums.tolist(), strict=True) if step]

    @cached_property
    def _runs(self) -> tuple[tuple[int, int], ...] | None:
        """First and last row (exclusive) of each piece whose rows follow one another; none if there are too many."""
        if not len(self.take):
            return ((0, 0),)
        # A piece ends where the second sequence begins.
        breaks = np.flatnonzero((np.diff(self.take) != 1) | (self.take[1:] == self.own)) + 1
        if len(breaks) >= _RUNS:
            return None
        starts = np.concatenate([[0], breaks])
        first = self.take[starts]
        return tuple(zip(first.tolist(), (first + np.diff(starts, append=len(self.take))).tolist(), strict=True))

    def joined(self, own: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        """The rows of two arrays of one type, along the first axis."""
        if self._runs is None:
            both: NDArray[Any] = np.concatenate([own, other])[self.take]
            return both
        pieces = [
            own[start:stop] if start < self.own else other[start - self.own : stop - self.own]
            for start, stop in self._runs
        ]
        return np.concatenate(pieces)


def exchanged(own: NDArray[Any], gone: Ints, at: Ints, new: NDArray[Any]) -> NDArray[Any]:
    """The rows of an array without those at ``gone``, and each of the new ones before the one that was at ``at``.

    Both are ascending, places in ``own``.
    """
    if len(gone) + len(at) > _RUNS:
        return np.insert(np.delete(own, gone, axis=0), at - np.searchsorted(gone, at), new, axis=0)
    events = sorted([*((place, 0, row) for row, place in enumerate(at.tolist())), *((p, 1, 0) for p in gone.tolist())])
    pieces, begin = [], 0
    for place, leaves, row in events:
        pieces.append(own[begin:place])
        begin = place + leaves
        if not leaves:
            pieces.append(new[row : row + 1])
    return np.concatenate([*pieces, own[begin:]])


def _nth_kept(gone: Ints, nth: Ints) -> Ints:
    """The place of the row that is n-th (from 0) of those that stay; both ascending."""
    # The k-th that is left out has gone[k] - k rows that stay before it.
    return nth + np.searchsorted(gone - np.arange(len(gone)), nth, side="right")
