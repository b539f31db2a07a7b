"""An index from text keys to rows without a dictionary in memory: keys are bisected in sorted order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping

import numpy as np

from geo.columnar.binary_array import BinaryArray, find_sorted
from geo.columnar.row_edit import RowEdit
from geo.lonlat import Ints


class KeyIndex(Mapping[str, int]):
    """The row of each text of an array.

    Parameters
    ----------
    texts
        UTF-8 of each text, no two alike.
    order
        Rows in the order of code points, shape (n,), int64; sorted here where it is not given.
    """

    __slots__ = ("_sorted", "order", "texts")

    def __init__(self, texts: BinaryArray, order: Ints | None = None) -> None:
        self.texts = texts
        self.order = _sorted_rows(texts) if order is None else order
        self._sorted = texts.take(self.order)

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[str]:
        return map(bytes.decode, self.texts)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and find_sorted(self._sorted, key.encode()) is not None

    def __getitem__(self, key: str) -> int:
        index = find_sorted(self._sorted, key.encode())
        if index is None:
            raise KeyError(key)
        return int(self.order[index])

    def with_edit(self, second: KeyIndex, edit: RowEdit) -> KeyIndex:
        """The index after an edit of rows; ``second`` is the index of the second sequence of the edit."""
        insert_before = np.array([bisect_left(self._sorted, text) for text in second._sorted], np.int64)
        order = edit.order.positions_of(np.insert(self.order, insert_before, len(self) + second.order))
        return KeyIndex(self.texts.with_edit(second.texts, edit), order[order >= 0])


def _sorted_rows(texts: BinaryArray) -> Ints:
    values = list(texts)
    return np.array(sorted(range(len(values)), key=values.__getitem__), np.int64)
