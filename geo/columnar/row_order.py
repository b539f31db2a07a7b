"""An order of rows as runs of consecutive row numbers: short where few rows are out of order."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.lonlat import Ints


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """Concatenate ``arange(start, start + length)`` of every pair.

    Parameters
    ----------
    starts, lengths
        Shape (n,), int64; a length of 0 gives nothing.

    Returns
    -------
    Shape (sum of lengths,), int64.
    """
    ends = lengths.cumsum()
    index: Ints = (starts - ends + lengths).repeat(lengths)
    index += np.arange(len(index))
    return index


class RowOrder:
    """Rows of a source in a new order, each row at most once.

    A *row* is a row number of the source, a *position* an index into the new order.

    Parameters
    ----------
    run_starts, run_lengths
        First row and number of rows (at least 1) of each run, shape (runs,), int64.
    source_rows
        Number of rows of the source; rows of no run are left out.
    """

    def __init__(self, run_starts: Ints, run_lengths: Ints, source_rows: int) -> None:
        ends = run_lengths.cumsum()
        self.run_starts, self.run_lengths, self.source_rows = run_starts, run_lengths, source_rows
        #: Position of the first row of each run, shape (runs,), ascending.
        self.run_offsets: Ints = ends - run_lengths
        self._count = int(ends[-1]) if len(ends) else 0

    @classmethod
    def identity(cls, count: int) -> RowOrder:
        """All ``count`` rows of a source in their own order."""
        lengths = np.full(min(count, 1), count)
        return cls(np.zeros_like(lengths), lengths, count)

    @classmethod
    def of(cls, rows: Ints, source_rows: int, cut: int) -> RowOrder:
        """The order that lists ``rows``, shape (n,); no run has both the row before ``cut`` and ``cut``."""
        breaks = np.flatnonzero((np.diff(rows) != 1) | (rows[1:] == cut)) + 1
        begins = np.concatenate([np.zeros(min(len(rows), 1), np.int64), breaks])
        return cls(rows[begins], np.diff(begins, append=len(rows)), source_rows)

    def __len__(self) -> int:
        return self._count

    @property
    def is_identity(self) -> bool:
        """Whether every row of the source is at its own position."""
        return self.source_rows == len(self) and bool((self.run_starts == self.run_offsets).all())

    def rows_at(self, positions: Ints) -> Ints:
        """Rows at positions, shape (n,); a position out of range gives a row without meaning."""
        rows: Ints = positions + self._shift[self.run_offsets.searchsorted(positions, side="right") - 1]
        return rows

    def row_at(self, position: int) -> int:
        """Row at a position, which is in range; many times as fast as `rows_at` for one."""
        return position + int(self._shift[self.run_offsets.searchsorted(position, side="right") - 1])

    def position_of(self, row: int) -> int:
        """Position of a row; -1 where it is left out, and for row -1."""
        starts, offsets, lengths = self._by_row
        run = int(starts.searchsorted(row, side="right")) - 1
        within = row - int(starts[run]) if run >= 0 else 0
        return int(offsets[run]) + within if run >= 0 and within < lengths[run] else -1

    @cached_property
    def _shift(self) -> Ints:
        return self.run_starts - self.run_offsets

    def all_rows(self) -> Ints:
        """Rows at all positions, shape (len(self),)."""
        return ranges(self.run_starts, self.run_lengths)

    def positions_of(self, rows: Ints) -> Ints:
        """Positions of rows, shape (n,); -1 for rows that are left out and for row -1."""
        if not len(self.run_starts):
            return np.full(np.shape(rows), -1)
        starts, offsets, lengths = self._by_row
        run = starts.searchsorted(rows, side="right") - 1
        within = rows - starts[run]
        positions: Ints = offsets[run] + within
        positions[(run < 0) | (within >= lengths[run])] = -1
        return positions

    @cached_property
    def _by_row(self) -> tuple[Ints, Ints, Ints]:
        """Starts, offsets and lengths of the runs, by ascending start."""
        order = np.argsort(self.run_starts)
        return self.run_starts[order], self.run_offsets[order], self.run_lengths[order]

    @cached_property
    def position_table(self) -> npt.NDArray[np.int32]:
        """Position of every row of the source, -1 for rows left out, and a last -1: shape (source_rows + 1,)."""
        table = np.full(self.source_rows + 1, -1, np.int32)
        table[self.all_rows()] = np.arange(len(self), dtype=np.int32)
        return table

    def scatter(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values of all positions, shape (len(self),), by row of the source, shape (source_rows,); 0 where left out."""
        scattered = np.zeros(self.source_rows, values.dtype)
        runs = zip(self.run_starts.tolist(), self.run_offsets.tolist(), self.run_lengths.tolist(), strict=True)
        for start, offset, length in runs:
            scattered[start : start + length] = values[offset : offset + length]
        return scattered

    def left_out(self, stop: int) -> Ints:
        """Find the rows less than ``stop`` that are left out, ascending."""
        starts, _, lengths = self._by_row
        begins = np.append(0, starts + lengths)
        ends = np.append(starts, stop)
        return ranges(begins, np.maximum(np.minimum(ends, stop) - begins, 0))
