"""An edit of rows: some are removed, and rows of a second sequence are inserted; one is applied to every column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.lonlat import Ints


@dataclass(frozen=True, eq=False)
class RowEdit:
    """Removes rows of a first sequence, and inserts all rows of a second one; rows that stay keep their order.

    Parameters
    ----------
    first_rows
        Number of rows of the first sequence.
    removed
        Rows of the first sequence that are left out, ascending, shape (k,), int64.
    insert_before
        For each row of the second sequence, the row of the first that it is put before, ascending, shape (m,), int64;
        ``first_rows`` is the end.
    """

    first_rows: int
    removed: Ints
    insert_before: Ints

    def __len__(self) -> int:
        return self.first_rows - len(self.removed) + len(self.insert_before)

    @property
    def is_identity(self) -> bool:
        """Whether all rows stay where they are, and none is inserted."""
        return not (len(self.removed) or len(self.insert_before))

    @cached_property
    def inserted_at(self) -> Ints:
        """Positions of the inserted rows in the new order, ascending, shape (m,)."""
        before = self.insert_before
        at: Ints = before - self.removed.searchsorted(before) + np.arange(len(before))
        return at

    @cached_property
    def is_in_place(self) -> bool:
        """Whether every row that stays is where it was, so that each inserted row replaces a removed one."""
        return np.array_equal(self.inserted_at, self.removed)

    @cached_property
    def source_rows(self) -> Ints:
        """Rows of both sequences in their new order, those of the second numbered on, shape (len(self),)."""
        is_inserted = np.zeros(len(self), bool)
        is_inserted[self.inserted_at] = True
        rows = np.empty(len(self), np.int64)
        rows[is_inserted] = self.first_rows + np.arange(len(self.insert_before))
        rows[~is_inserted] = np.delete(np.arange(self.first_rows), self.removed)
        return rows

    @cached_property
    def positions(self) -> Ints:
        """Position of each row of both sequences, those of the second numbered on, in the new order; -1 if removed."""
        positions = np.full(self.first_rows + len(self.insert_before), -1)
        positions[self.source_rows] = np.arange(len(self))
        return positions

    def combine(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
        """Apply the edit to two arrays along their first axis; the result is a copy.

        Parameters
        ----------
        first, second
            Arrays of one dtype, of as many rows as the sequences.
        """
        both: NDArray[Any] = np.concatenate([first, second])
        return both.take(self.source_rows, axis=0)
