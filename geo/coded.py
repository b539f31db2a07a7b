"""A column of values of which each is kept once, and a code for each row: what most columns of features are like."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress
from operator import eq
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from geo.crs import Bools, Ints
from geo.packed import Words, lists, place_of, texts
from geo.splice import Splice

Codes: TypeAlias = NDArray[np.int32]

#: Of more texts than this the bytes are kept, see `geo.packed`.
PLAIN = 4096
#: So many changes of words are made one by one in the codes of all rows; of more by a table.
_FEW = 8
#: Rows that are looked through at once for a code.
_PAGE = 1 << 15


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
        codes = np.asarray(codes)  # of a file that is mapped, without what makes that slow
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
            return self._of(self.codes[row])
        code = int(self.codes[row])
        return self.words[code] if code >= 0 else None

    def at(self, rows: Ints) -> Coded:
        """Some rows, in the order given; no other values are read."""
        return self._of(self.codes[rows])

    def _of(self, codes: Codes) -> Coded:
        told = _told(codes)
        return Coded([self.words[code] for code in told.tolist()], _ranked(codes, told))

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.words, Words):
            return chain.from_iterable(self[start : start + _PAGE] for start in range(0, len(self), _PAGE))
        return map([*self.words, None].__getitem__, self.codes.tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Coded):
            return NotImplemented
        return np.array_equal(self.codes, other.codes) and _same(self.words, other.words)

    __hash__ = None  # type: ignore[assignment]

    def map(self, change: Callable[[Any], Hashable]) -> Coded:
        """The column with each value changed; what becomes None is missing."""
        changed = Coded.of(map(change, self.words))
        return Coded(changed.words, np.append(changed.codes, np.int32(-1))[self.codes])

    def spliced(self, other: Coded, splice: Splice) -> Coded:
        """The rows of this column and, after them, of another, as a splice has them; those left out are gone."""
        if splice.is_same:
            return self
        own = len(self.words)
        coming = _told(other.codes[splice.came])
        words = [other.words[code] for code in coming.tolist()]
        at, known = _places(self.words, words)
        # Until new words are put in, they are counted on after the old.
        moved = np.full(len(other.words) + 1, -1, np.int32)
        moved[coming] = np.where(known, at, own + np.cumsum(~known) - 1)
        if splice.is_in_place and np.array_equal(moved[other.codes[splice.came]], self.codes[splice.gone]):
            return self
        codes = splice.joined(self.codes, moved[other.codes])
        gone = _without(codes, np.setdiff1d(_told(self.codes[splice.gone]), at[known]))
        new = list(compress(words, ~known))
        if not len(gone) and not new:
            return Coded(self.words, codes)
        at = at[~known]
        return Coded(_exchanged(self.words, gone, at, new), _renumbered(codes, own, gone, at, splice.came_at))

    def array(self, dtype: Any, missing: Any) -> NDArray[Any]:
        """The values as an array of shape (n,), ``missing`` where there is none."""
        words = np.empty(len(self.words) + 1, dtype)
        words[:-1] = np.fromiter(iter(self.words), dtype, len(self.words))  # lists among them stay one value each
        words[-1] = missing
        found: NDArray[Any] = words[self.codes]
        return found


class RowOf(Mapping[Any, int]):
    """The row of each value of a column in which each row has one of its own, in the order of the rows."""

    def __init__(self, column: Coded) -> None:
        self._column = column
        self._rows = np.empty(len(column.words), np.int32)
        self._rows[column.codes] = np.arange(len(column), dtype=np.int32)

    def __getitem__(self, value: Any) -> int:
        place = place_of(self._column.words, value)
        if place is None:
            raise KeyError(value)
        return int(self._rows[place])

    def __len__(self) -> int:
        return len(self._column)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._column)


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
        return Coded(_kept(words), moved[np.frombuffer(self._codes, np.int32)])


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    # A list knows itself without looking at its values.
    return one is other or (len(one) == len(other) and all(map(eq, one, other)))


def _kept(words: Sequence[Any]) -> Sequence[Any]:
    """Ascending words as they are kept: many texts, or lists of texts, as bytes."""
    if len(words) <= PLAIN or not isinstance(words, list):
        return words
    if isinstance(words[0], str):
        return texts(words)
    if all(isinstance(word, tuple) and all(isinstance(one, str) for one in word) for word in words):
        return lists(words)
    return words


def _told(codes: Codes) -> Ints:
    """The codes that occur, ascending, without that of what is missing."""
    told = np.unique(codes).astype(np.int64)
    return told[told >= 0]


def _ranked(codes: Codes, told: Ints) -> Codes:
    """Codes by their places among those that occur."""
    return np.where(codes < 0, -1, np.searchsorted(told, codes)).astype(np.int32)


def _places(words: Sequence[Any], sought: Sequence[Any]) -> tuple[Ints, Bools]:
    """Where ascending values are among ascending words, or would be put in, and which are there."""
    at, known = np.zeros(len(sought), np.int64), np.zeros(len(sought), dtype=bool)
    place = 0
    for number, word in enumerate(sought):
        place = bisect_left(words, word, place)
        at[number], known[number] = place, place < len(words) and words[place] == word
    return at, known


def _without(codes: Codes, candidates: Ints) -> Ints:
    """Those of some codes that no row has."""
    if len(candidates) <= _FEW:
        return np.array([code for code in candidates.tolist() if not _occurs(codes, code)], np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=int(candidates[-1]) + 1)
    gone: Ints = candidates[counts[candidates] == 0]
    return gone


def _occurs(codes: Codes, code: int) -> bool:
    # What occurs in many rows is found in the first.
    pages = range(0, len(codes), _PAGE)
    return any((codes[start : start + _PAGE] == code).any() for start in pages)


def _exchanged(words: Sequence[Any], gone: Ints, at: Ints, new: Sequence[Any]) -> Sequence[Any]:
    """Ascending words without those at ``gone``, and with new ones, each before the one that was at ``at``."""
    if isinstance(words, Words):
        return words.changed(gone, at, new)
    stays = np.ones(len(words), dtype=bool)
    stays[gone] = False
    return _kept(sorted([*compress(words, stays.tolist()), *new]))  # two runs, so that it takes one pass


def _renumbered(codes: Codes, own: int, gone: Ints, at: Ints, came_at: Ints) -> Codes:
    """Codes, which are written to, after words left and came; those of new words are ``own`` and more before."""
    places = at - np.searchsorted(gone, at)
    final = places + np.arange(len(at))
    if len(gone) + len(at) > _FEW:
        old = np.arange(own)
        old += np.searchsorted(at, old, side="right") - np.searchsorted(gone, old)
        table: Codes = np.concatenate([old, final, [-1]]).astype(np.int32)
        return table[codes]
    rows = came_at[codes[came_at] >= own]
    new = codes[rows] - own
    for place in gone[::-1].tolist():
        codes -= codes > place
    for place in places[::-1].tolist():
        codes += codes >= place
    codes[rows] = final[new]
    return codes


class _Places(dict[Hashable, int]):
    """The place of each value, in the order in which they were first asked for."""

    def __missing__(self, value: Hashable) -> int:
        self[value] = place = len(self)
        return place
