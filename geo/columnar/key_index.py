"""Where each of many texts stands, without a dictionary of them: bisected in their order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping

import numpy as np

from geo.columnar.binary_array import Packed, place_of
from geo.columnar.row_edit import Splice
from geo.lonlat import Ints


class Lookup(Mapping[str, int]):
    """The place of each text in a sequence.

    Parameters
    ----------
    texts
        UTF-8 of each, no two alike.
    order
        Their places in the order of code points, shape (n,); found where it is not given.
    """

    __slots__ = ("_sorted", "order", "texts")

    def __init__(self, texts: Packed, order: Ints | None = None) -> None:
        self.texts = texts
        self.order = _order(texts) if order is None else order
        self._sorted = texts.taken(self.order)

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[str]:
        return map(bytes.decode, self.texts)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and place_of(self._sorted, key.encode()) is not None

    def __getitem__(self, key: str) -> int:
        place = place_of(self._sorted, key.encode())
        if place is None:
            raise KeyError(key)
        return int(self.order[place])

    def spliced(self, other: Lookup, splice: Splice) -> Lookup:
        """The texts of this lookup and, after them, of another, as a splice has them."""
        before = np.array([bisect_left(self._sorted, text) for text in other._sorted], np.int64)
        order = splice.order.places(np.insert(self.order, before, len(self) + other.order))
        return Lookup(self.texts.spliced(other.texts, splice), order[order >= 0])


def _order(texts: Packed) -> Ints:
    told = list(texts)
    return np.array(sorted(range(len(told)), key=told.__getitem__), np.int64)
