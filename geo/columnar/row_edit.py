"""An edit of rows: rows of a sequence that stay and rows of a second sequence that are inserted, in a new order.

One edit is applied to every column of a table. Nearly all rows stay behind their predecessors, so an edit is few runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.columnar.row_order import RowOrder, ranges
from geo.lonlat import Bools, Ints

#: Arrays of fewer runs, or of one in more rows, are concatenated from slices; of others, rows are gathered.
_MAX_SLICES, _ROWS_A_SLICE = 1000, 128


@dataclass(frozen=True, eq=False)
class RowEdit:
    """A new sequence of rows of two sequences.

    Parameters
    ----------
    first_rows
        Number of rows of the first sequence, which is edited.
    order
        Order of the rows of both sequences; those of the second are numbered on from ``first_rows``. No run has rows
        of both.
    """

    first_rows: int
    order: RowOrder

    @classmethod
    def identity(cls, first_rows: int) -> RowEdit:
        """The edit that leaves so many rows as they are, and inserts none."""
        return cls(first_rows, RowOrder.identity(first_rows))

    @classmethod
    def reorder(cls, first_rows: int, second_rows: int, rows: Ints) -> RowEdit:
        """The edit that gives ``rows``, shape (n,), of two sequences; rows of the second are numbered on."""
        return cls(first_rows, RowOrder.of(rows, first_rows + second_rows, first_rows))

    @classmethod
    def replace(cls, first_rows: int, removed: Ints, insert_before: Ints) -> RowEdit:
        """The edit that removes rows, and inserts all rows of a second sequence.

        Parameters
        ----------
        first_rows
            Number of rows of the first sequence.
        removed
            Rows of the first sequence that are left out, ascending.
        insert_before
            For each row of the second sequence, the row of the first that it is put before, ascending; ``first_rows``
            is the end.
        """
        rows = np.concatenate([insert_before, removed])
        is_removal = np.repeat([0, 1], [len(insert_before), len(removed)])
        events = np.lexsort((is_removal, rows))
        rows, is_removal = rows[events], is_removal[events]
        starts, lengths = np.empty((2, 2 * len(rows) + 1), np.int64)
        # By turns the rows that stay before an event, and the row that the event inserts.
        starts[0::2] = np.append(0, rows + is_removal)
        lengths[0::2] = np.append(rows, first_rows) - starts[0::2]
        lengths[1::2] = 1 - is_removal
        starts[1::2] = first_rows + np.cumsum(lengths[1::2]) - 1
        filled = lengths > 0
        return cls(first_rows, RowOrder(starts[filled], lengths[filled], first_rows + len(insert_before)))

    def __len__(self) -> int:
        return len(self.order)

    @property
    def second_rows(self) -> int:
        """Number of rows of the second sequence."""
        return self.order.source_rows - self.first_rows

    @property
    def source_rows(self) -> Ints:
        """Rows of both sequences in their new order, those of the second numbered on, shape (len(self),)."""
        return self.order.all_rows()

    @property
    def is_identity(self) -> bool:
        """Whether all rows stay where they are, and none is inserted."""
        return len(self) == self.first_rows and self.is_in_place and not len(self.removed)

    @cached_property
    def removed(self) -> Ints:
        """Rows of the first sequence that are left out, ascending, shape (k,)."""
        return self.order.left_out(self.first_rows)

    @cached_property
    def inserted(self) -> Ints:
        """Rows of the second sequence that are inserted, in their new order, shape (m,)."""
        runs = self._is_inserted
        return ranges(self.order.run_starts[runs], self.order.run_lengths[runs]) - self.first_rows

    @cached_property
    def inserted_at(self) -> Ints:
        """Positions of the inserted rows in the new order, ascending, shape (m,)."""
        return ranges(self.order.run_offsets[self._is_inserted], self.order.run_lengths[self._is_inserted])

    @cached_property
    def insert_before(self) -> Ints:
        """The first row that stays behind each inserted row, shape (m,); ``first_rows`` at the end.

        Of an edit that preserves the order of the rows that stay.
        """
        stay_before = self.inserted_at - np.arange(len(self.inserted_at))
        rows: Ints = stay_before + (self.removed - np.arange(len(self.removed))).searchsorted(stay_before, side="right")
        return rows

    @cached_property
    def replaced(self) -> Ints:
        """The removed row that each inserted row stands in place of, shape (m,); -1 where there is none.

        Of the rows between two that stay, the first inserted one stands for the first removed one, and so on. Of an
        edit that preserves the order of the rows that stay.
        """
        if not len(self.removed):
            return np.full(len(self.inserted), -1)
        last_of_run = np.append(np.flatnonzero(np.diff(self.removed) != 1), len(self.removed) - 1)
        stays_behind = (self.removed[last_of_run] + 1).repeat(np.diff(last_of_run, prepend=-1))
        before = self.insert_before
        rank = np.arange(len(before)) - before.searchsorted(before)
        index = stays_behind.searchsorted(before) + rank
        is_there = index < stays_behind.searchsorted(before, side="right")
        rows: Ints = np.where(is_there, self.removed[np.minimum(index, len(self.removed) - 1)], -1)
        return rows

    @cached_property
    def _is_inserted(self) -> Bools:
        """Which runs are of the second sequence, shape (runs,)."""
        return self.order.run_starts >= self.first_rows

    @cached_property
    def is_in_place(self) -> bool:
        """Whether every row that stays is where it was, so that each inserted row replaces a removed one."""
        stays = ~self._is_inserted
        return len(self) == self.first_rows and bool((self.order.run_starts == self.order.run_offsets)[stays].all())

    @cached_property
    def is_order_preserving(self) -> bool:
        """Whether the rows that stay keep their order."""
        return bool((np.diff(self.order.run_starts[~self._is_inserted]) > 0).all())

    def compose(self, order: RowOrder) -> RowOrder:
        """Apply the edit to an order.

        Parameters
        ----------
        order
            Order of a source, of ``first_rows`` positions.

        Returns
        -------
        The order of the source and, numbered on, the second sequence, after the edit.
        """
        if id(order) not in self._composed:
            self._composed[id(order)] = order, self._compose(order)  # with the order, so that its id is not reused
        return self._composed[id(order)][1]

    @cached_property
    def _composed(self) -> dict[int, tuple[RowOrder, RowOrder]]:
        return {}

    def _compose(self, inner: RowOrder) -> RowOrder:
        stays = ~self._is_inserted
        start, offset, length = (
            runs[stays] for runs in (self.order.run_starts, self.order.run_offsets, self.order.run_lengths)
        )
        # Runs are cut where the runs of the inner order begin.
        low = inner.run_offsets.searchsorted(start, side="right")
        cuts = inner.run_offsets.searchsorted(start + length, side="left") - low
        offsets = inner.run_offsets[ranges(low, cuts)] + np.repeat(offset - start, cuts)
        offsets = np.sort(np.concatenate([self.order.run_offsets, offsets]))
        rows = self.order.rows_at(offsets)
        starts, is_first = inner.source_rows + rows - self.first_rows, rows < self.first_rows
        starts[is_first] = inner.rows_at(rows[is_first])
        return RowOrder(starts, np.diff(offsets, append=len(self)), inner.source_rows + self.second_rows)

    def after(self, earlier: RowEdit) -> RowEdit:
        """Join an earlier edit and this one into a single edit.

        Parameters
        ----------
        earlier
            Gives the first sequence of this edit.

        Returns
        -------
        RowEdit
            Of the first sequence of the earlier edit. Its second sequence are the rows that either edit inserted and
            that are left, in their new order.
        """
        order, size = self.compose(earlier.order), earlier.first_rows
        is_inserted = order.run_starts >= size
        lengths = order.run_lengths[is_inserted]
        starts = order.run_starts.copy()
        starts[is_inserted] = size + lengths.cumsum() - lengths
        return RowEdit(size, RowOrder(starts, order.run_lengths, size + int(lengths.sum())))

    def combine(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
        """Apply the edit to two arrays along their first axis; the result is a copy.

        Parameters
        ----------
        first, second
            Arrays of one dtype, of ``first_rows`` and ``second_rows`` rows.
        """
        return combine(self.order, first, second)


def combine(order: RowOrder, first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Put rows of two arrays into one order along their first axis; the result is a copy.

    Parameters
    ----------
    order
        An order of the rows of both; those of the second are numbered on from the first.
    first, second
        Arrays of one dtype.
    """
    if len(order.run_starts) >= max(_MAX_SLICES, len(order) // _ROWS_A_SLICE):
        both: NDArray[Any] = np.concatenate([first, second])[order.all_rows()]
        return both
    slices, size = [first[:0]], len(first)
    for start, stop in zip(order.run_starts.tolist(), (order.run_starts + order.run_lengths).tolist(), strict=True):
        if start < size:
            slices.append(first[start : min(stop, size)])
        if stop > size:
            slices.append(second[max(start - size, 0) : stop - size])
    return np.concatenate(slices)
