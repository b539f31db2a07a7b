"""A column of values of which each is kept once, and a code for each row: what most columns of features are like."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from geo.crs import Ints

Codes: TypeAlias = NDArray[np.int32]


class Coded(Sequence[Any]):
    """A column; equal values are one. Equal columns have equal words and codes, however they came about.

    Parameters
    ----------
    words
        Every value that occurs once, ascending; never None.
    codes
        Place of each row's value in ``words``, shape (n,), int32; -1 where it is missing.
    """

    __slots__ = ("codes", "words")

    def __init__(self, words: Sequence[Any], codes: Codes) -> None:
        codes.setflags(write=False)
        self.words, self.codes = words, codes

    @classmethod
    def of(cls, values: Iterable[Hashable]) -> Coded:
        """Code values; None is missing."""
        coder = Coder()
        coder.extend(values)
        return coder.coded()

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> Coded: ...
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return _occurring(list(self.words), self.codes[row])
        code = self.codes[row]
        return self.words[code] if code >= 0 else None

    def __iter__(self) -> Iterator[Any]:
        return map([*self.words, None].__getitem__, self.codes.tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Coded):
            return NotImplemented
        return np.array_equal(self.codes, other.codes) and list(self.words) == list(other.words)

    __hash__ = None  # type: ignore[assignment]

    def map(self, change: Callable[[Any], Hashable]) -> Coded:
        """The column with each value changed; what becomes None is missing."""
        changed = Coded.of(map(change, self.words))
        return Coded(changed.words, np.append(changed.codes, np.int32(-1))[self.codes])

    def spliced(self, other: Coded, take: Ints) -> Coded:
        """The rows of this column and, after them, of another, in the order of ``take``; those left out are gone."""
        words = list(self.words)
        new = [word for word in other.words if not _holds(words, word)]
        at = np.array([bisect_left(words, word) for word in new], np.int64)
        for shift, (place, word) in enumerate(zip(at.tolist(), new, strict=True)):
            words.insert(place + shift, word)
        old = np.arange(len(self.words))
        moved = np.append(old + np.searchsorted(at, old, side="right"), -1).astype(np.int32)
        others = np.array([*(bisect_left(words, word) for word in other.words), -1], np.int32)
        return _occurring(words, np.concatenate([moved[self.codes], others[other.codes]])[take])

    def array(self, dtype: Any, missing: Any) -> NDArray[Any]:
        """The values as an array of shape (n,), ``missing`` where there is none."""
        words = np.empty(len(self.words) + 1, dtype)
        words[:-1] = np.fromiter(self.words, dtype, len(self.words))  # lists among them stay one value each
        words[-1] = missing
        found: NDArray[Any] = words[self.codes]
        return found


class Coder:
    """Codes a column that comes part by part."""

    def __init__(self) -> None:
        self._places = _Places()
        self._codes = array("i")

    def extend(self, values: Iterable[Hashable]) -> None:
        """Add the values of the next rows."""
        self._codes.extend(map(self._places.__getitem__, values))

    def coded(self) -> Coded:
        """The column of all rows so far."""
        places = self._places
        words: list[Any] = sorted(word for word in places if word is not None)
        moved = np.full(len(places), -1, np.int32)
        moved[[places[word] for word in words]] = np.arange(len(words))
        return Coded(words, moved[np.array(self._codes, np.int64)])


def _holds(words: Sequence[Any], word: Any) -> bool:
    """Whether ascending words hold one."""
    place = bisect_left(words, word)
    return place < len(words) and bool(words[place] == word)


def _occurring(words: list[Any], codes: Codes) -> Coded:
    """A column of words of which some may not occur."""
    occurs = np.zeros(len(words) + 1, dtype=bool)
    occurs[codes] = True
    gone = np.flatnonzero(~occurs[:-1])
    if not len(gone):
        return Coded(words, codes)
    for place in gone[::-1].tolist():
        del words[place]
    moved = np.append(np.cumsum(occurs[:-1]) - 1, -1).astype(np.int32)
    return Coded(words, moved[codes])


class _Places(dict[Hashable, int]):
    """The place of each value, in the order in which they were first asked for."""

    def __missing__(self, value: Hashable) -> int:
        self[value] = place = len(self)
        return place
