"""Rows of one sequence and, after them, of another, in a new order: what an edit does to every column of a layer.

Nearly all rows stay behind the one that they were behind, so that it is told by a few runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.columnar.ranges import ranges
from geo.columnar.row_order import Order
from geo.lonlat import Ints

#: Arrays are joined from so many slices at most; of more their rows are picked one by one.
_RUNS = 1000


@dataclass(frozen=True, eq=False)
class Splice:
    """What comes in which order.

    Parameters
    ----------
    own
        Number of rows of the sequence that is changed.
    order
        Of its rows and, counted on after them, those of the sequence that rows are added from; no run has some of both.
    """

    own: int
    order: Order

    @classmethod
    def taking(cls, own: int, other: int, take: Ints) -> Splice:
        """Rows of two sequences of so many, counted through, in the order in which they are given."""
        return cls(own, Order.of(take, own + other, own))

    @classmethod
    def exchanging(cls, own: int, gone: Ints, at: Ints) -> Splice:
        """All rows but those at ``gone``, and of others each before the row that is at ``at``; both are ascending."""
        places = np.concatenate([at, gone])
        leaves = np.repeat([0, 1], [len(at), len(gone)])
        events = np.lexsort((leaves, places))
        places, leaves = places[events], leaves[events]
        firsts, sizes = np.empty((2, 2 * len(places) + 1), np.int64)
        # What is before each event, and then what comes there.
        firsts[0::2] = np.append(0, places + leaves)
        sizes[0::2] = np.append(places, own) - firsts[0::2]
        sizes[1::2] = 1 - leaves
        firsts[1::2] = own + np.cumsum(sizes[1::2]) - 1
        some = sizes > 0
        return cls(own, Order(firsts[some], sizes[some], own + len(at)))

    def __len__(self) -> int:
        return len(self.order)

    @property
    def other(self) -> int:
        """Number of rows of the second sequence."""
        return self.order.sources - self.own

    @property
    def take(self) -> Ints:
        """Which of the rows of both, counted through, come in which order, shape (n,)."""
        return self.order.all()

    @property
    def is_same(self) -> bool:
        """Whether all rows stay as they are, and none comes."""
        return len(self) == self.own and self.is_in_place and not len(self.gone)

    @cached_property
    def gone(self) -> Ints:
        """Rows of the first sequence that are left out, ascending."""
        return self.order.gone(self.own)

    @cached_property
    def came(self) -> Ints:
        """Rows of the second sequence that are taken, in the new order."""
        return ranges(self.order.firsts[self._came], self.order.sizes[self._came]) - self.own

    @cached_property
    def came_at(self) -> Ints:
        """Where these are in the new order, ascending."""
        return ranges(self.order.starts[self._came], self.order.sizes[self._came])

    @cached_property
    def _came(self) -> NDArray[np.bool_]:
        return self.order.firsts >= self.own

    @cached_property
    def is_in_place(self) -> bool:
        """Whether all rows that stay are where they were, so that others came for those that are left out."""
        stays = ~self._came
        return len(self) == self.own and bool((self.order.firsts == self.order.starts)[stays].all())

    @cached_property
    def is_rising(self) -> bool:
        """Whether the rows that stay are in the order in which they were."""
        return bool((np.diff(self.order.firsts[~self._came]) > 0).all())

    def over(self, order: Order) -> Order:
        """The order of a sequence that was put in one before, after it was spliced; rows that come are counted last."""
        if id(order) not in self._over:
            self._over[id(order)] = order, self._after(order)  # with what its number stands for
        return self._over[id(order)][1]

    @cached_property
    def _over(self) -> dict[int, tuple[Order, Order]]:
        return {}

    def _after(self, below: Order) -> Order:
        stays = ~self._came
        first, start, size = (one[stays] for one in (self.order.firsts, self.order.starts, self.order.sizes))
        # Runs are cut where those below begin.
        low = below.starts.searchsorted(first, side="right")
        cuts = below.starts.searchsorted(first + size, side="left") - low
        starts = below.starts[ranges(low, cuts)] + np.repeat(start - first, cuts)
        starts = np.sort(np.concatenate([self.order.starts, starts]))
        rows = self.order.rows(starts)
        firsts, known = below.sources + rows - self.own, rows < self.own
        firsts[known] = below.rows(rows[known])
        return Order(firsts, np.diff(starts, append=len(self)), below.sources + self.other)

    def joined(self, own: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        """The rows of two arrays of one type, along the first axis."""
        return joined(self.order, own, other)


def joined(order: Order, own: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """The rows of two arrays of one type, along the first axis, in an order of both."""
    if len(order.firsts) >= _RUNS:
        both: NDArray[Any] = np.concatenate([own, other])[order.all()]
        return both
    pieces, runs = [own[:0]], zip(order.firsts.tolist(), (order.firsts + order.sizes).tolist(), strict=True)
    for start, stop in runs:
        if start < len(own):
            pieces.append(own[start : min(stop, len(own))])
        if stop > len(own):
            pieces.append(other[max(start - len(own), 0) : stop - len(own)])
    return np.concatenate(pieces)
