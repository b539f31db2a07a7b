"""How many rows of an array have each code: counted once, so that no edit looks for a code in all rows."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geo.columnar.chunked_array import Array, ChunkedArray, to_numpy
from geo.lonlat import Bools, Ints


class CodeCounts:
    """The number of rows by code of an array, and of all arrays that edits make of it.

    Parameters
    ----------
    base
        The array before its edits: codes of n rows, int32, -1 where a value is missing.
    """

    def __init__(self, base: Array) -> None:
        self.base = base

    @cached_property
    def of_base(self) -> NDArray[np.int32]:
        """Number of rows of the base by code, of one code at least, shape (largest code + 1,)."""
        return np.bincount(to_numpy(self.base) + 1, minlength=2)[1:].astype(np.int32)

    def occurring(self, edited: ChunkedArray, codes: Ints) -> Bools:
        """Which codes a row has; only rows that edits added or left out are read.

        Parameters
        ----------
        edited
            What edits made of the base, which is its first chunk.
        codes
            Shape (k,), none of them negative.

        Returns
        -------
        Bools
            Shape (k,).
        """
        size, known = len(self.base), self.of_base
        left_out = edited.order.left_out(size)
        number = np.where(codes < len(known), known[np.minimum(codes, len(known) - 1)], 0)
        occurs: Bools = number > len(left_out)
        rare = np.flatnonzero(~occurs)
        if len(rare):
            is_there = edited.order.positions_of(size + np.arange(len(edited.appended))) >= 0
            added, sought = edited.appended[is_there], codes[rare]
            occurs[rare] = number[rare] + _counted(added, sought) > _counted(self.base[left_out], sought)
        return occurs


def _counted(values: NDArray[np.int32], sought: Ints) -> Ints:
    """How often each of the sought numbers is among some."""
    ascending = np.sort(values)
    return ascending.searchsorted(sought, side="right") - ascending.searchsorted(sought, side="left")
