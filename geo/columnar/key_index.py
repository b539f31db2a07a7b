"""An index from text keys to rows without a dictionary in memory: keys are bisected in sorted order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from geo.columnar.binary_array import BinaryArray
from geo.columnar.row_edit import RowEdit
from geo.lonlat import Ints

#: Of so many sorted texts one stands in a list of its own, which is bisected first: it is some times as quick as bytes.
_STRIDE = 16


class KeyIndex(Mapping[str, int]):
    """The row of each text of an array.

    Parameters
    ----------
    texts
        UTF-8 of each text, no two alike.
    order
        Rows in the order of code points, shape (n,), int64; sorted here where it is not given.
    """

    def __init__(self, texts: BinaryArray, order: Ints | None = None) -> None:
        self.texts = texts
        self.order = texts.argsort() if order is None else order
        self._sorted = texts.take(self.order)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def ascending(self) -> BinaryArray:
        """The UTF-8 of all texts in the order of code points: that of row ``order[i]`` is the one at ``i``."""
        return self._sorted

    def __iter__(self) -> Iterator[str]:
        return map(bytes.decode, self.texts)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) is not None

    def __getitem__(self, key: str) -> int:
        index = self._find(key)
        if index is None:
            raise KeyError(key)
        return int(self.order[index])

    @cached_property
    def _every_so_often(self) -> list[bytes]:
        return list(self._sorted.take(np.arange(0, len(self), _STRIDE)))

    def _find(self, key: str) -> int | None:
        """Position of a text in sorted order."""
        text = key.encode()
        first = (bisect_right(self._every_so_often, text) - 1) * _STRIDE
        if first < 0:
            return None
        index = bisect_left(self._sorted, text, first, min(first + _STRIDE, len(self)))
        return index if index < len(self) and self._sorted[index] == text else None

    def with_edit(self, second: KeyIndex, edit: RowEdit) -> KeyIndex:
        """The index after an edit of rows; ``second`` is the index of the second sequence of the edit."""
        insert_before = self._places_of(second._sorted)
        order = edit.positions[np.insert(self.order, insert_before, len(self) + second.order)]
        return KeyIndex(self.texts.with_edit(second.texts, edit), order[order >= 0])

    def _places_of(self, texts: BinaryArray) -> Ints:
        """Where each of some ascending texts would stand in sorted order, shape (n,)."""
        if len(texts) * _STRIDE < len(self):
            return np.array([bisect_left(self._sorted, text) for text in texts], np.int64)
        own, others = self._sorted.sort_keys(), texts.sort_keys()
        if object in (own.dtype, others.dtype):  # bytes of NumPy's lack zeros at their end
            own, others = (np.fromiter(one, object, len(one)) for one in (self._sorted, texts))
        return np.searchsorted(own, others)
