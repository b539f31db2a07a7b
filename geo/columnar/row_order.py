"""Rows of a sequence in an order, told as runs of rows that follow one another: short where little is out of order."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from geo.columnar.ranges import ranges
from geo.lonlat import Ints


class Order:
    """Which rows come in which order, each once at most.

    Parameters
    ----------
    firsts, sizes
        The row that each run begins with, and its number of rows, at least one.
    sources
        Number of rows that there are; those of no run are left out.
    """

    def __init__(self, firsts: Ints, sizes: Ints, sources: int) -> None:
        ends = sizes.cumsum()
        self.firsts, self.sizes, self.sources = firsts, sizes, sources
        #: The place of the first row of each run.
        self.starts: Ints = ends - sizes
        self._count = int(ends[-1]) if len(ends) else 0

    @classmethod
    def whole(cls, count: int) -> Order:
        """All of so many rows, as they are."""
        sizes = np.full(min(count, 1), count)
        return cls(np.zeros_like(sizes), sizes, count)

    @classmethod
    def of(cls, rows: Ints, sources: int, cut: int) -> Order:
        """The order in which rows are given; no run goes on from the row before ``cut`` to it."""
        breaks = np.flatnonzero((np.diff(rows) != 1) | (rows[1:] == cut)) + 1
        begins = np.concatenate([np.zeros(min(len(rows), 1), np.int64), breaks])
        return cls(rows[begins], np.diff(begins, append=len(rows)), sources)

    def __len__(self) -> int:
        return self._count

    @property
    def is_whole(self) -> bool:
        """Whether all rows are where they were."""
        return self.sources == len(self) and bool((self.firsts == self.starts).all())

    def rows(self, places: Ints) -> Ints:
        """The row at each of some places."""
        found: Ints = places + self._shift[self.starts.searchsorted(places, side="right") - 1]
        return found

    @cached_property
    def _shift(self) -> Ints:
        return self.firsts - self.starts

    def all(self) -> Ints:
        """The row at every place."""
        return ranges(self.firsts, self.sizes)

    def places(self, rows: Ints) -> Ints:
        """The place of each of some rows, -1 of those that are left out, and of -1."""
        if not len(self.firsts):
            return np.full(np.shape(rows), -1)
        firsts, starts, sizes = self._ascending
        run = firsts.searchsorted(rows, side="right") - 1
        offset = rows - firsts[run]
        found: Ints = starts[run] + offset
        found[(run < 0) | (offset >= sizes[run])] = -1
        return found

    @cached_property
    def _ascending(self) -> tuple[Ints, Ints, Ints]:
        by = np.argsort(self.firsts)
        return self.firsts[by], self.starts[by], self.sizes[by]

    @cached_property
    def table(self) -> npt.NDArray[np.int32]:
        """The place of every row, -1 of those that are left out, and -1 behind: shape (sources + 1,)."""
        table = np.full(self.sources + 1, -1, np.int32)
        table[self.all()] = np.arange(len(self), dtype=np.int32)
        return table

    def gone(self, stop: int) -> Ints:
        """Rows before one that are left out, ascending."""
        firsts, _, sizes = self._ascending
        before = np.append(0, firsts + sizes)
        until = np.append(firsts, stop)
        return ranges(before, np.maximum(np.minimum(until, stop) - before, 0))
