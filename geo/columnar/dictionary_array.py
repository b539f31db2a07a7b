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

from geo.columnar.binary_array import Words, lists, place_of, texts
from geo.columnar.chunked_array import Array, Pieces, Places, holds, numbered, pages, places, spliced, where, whole
from geo.columnar.row_edit import Splice
from geo.columnar.row_order import Order
from geo.lonlat import Bools, Ints

Codes: TypeAlias = NDArray[np.int32]

#: Of more texts than this the bytes are kept, see `geo.columnar.binary_array`.
PLAIN = 4096
#: So many words are looked for one by one in all rows; more of them at once.
_FEW = 8
#: Rows that are read at once.
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

    __slots__ = ("_codes", "words")

    def __init__(self, words: Sequence[Any], codes: Array) -> None:
        if isinstance(codes, np.ndarray):
            codes = np.asarray(codes)  # of a file that is mapped, without what makes that slow
            codes.setflags(write=False)
        self.words, self._codes = words, codes

    @classmethod
    def of(cls, values: Iterable[Hashable]) -> Coded:
        """Code values; None is missing."""
        coder = Coder()
        coder.extend(values)
        return coder.coded()

    @property
    def codes(self) -> Codes:
        """Place of each row's value in the words; see `codes_at` for those of a few rows."""
        return whole(self._codes)

    @property
    def codes_as_kept(self) -> Array:
        """The same, which may be in pieces."""
        return self._codes

    def codes_at(self, rows: Ints) -> Codes:
        """The same of some rows; no others are looked at."""
        codes: Codes = self._codes[rows]
        return codes

    def write_codes_at(self, rows: Ints, into: Codes) -> None:
        """Write the same into an array."""
        if isinstance(self._codes, np.ndarray):
            self._codes.take(rows, out=into, mode="clip")
        else:
            into[:] = self._codes[rows]

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> Coded: ...
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return self._of(self._codes[row])
        code = self.code(row)
        return self.words[code] if code >= 0 else None

    def code(self, row: int) -> int:
        """Place of the value of one row in the words, -1 where it is missing; no others are looked at."""
        return int(self._codes[row])

    def at(self, rows: Ints) -> Coded:
        """Some rows, in the order given; no other values are read."""
        return self._of(self.codes_at(rows))

    def _of(self, codes: Codes) -> Coded:
        told = _told(codes)
        return Coded([self.words[code] for code in told.tolist()], _ranked(codes, told))

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.words, Words):
            return chain.from_iterable(map(self.__getitem__, pages(len(self), _PAGE)))
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
        gone, came = self.codes_at(splice.gone), other.codes_at(splice.came)
        coming = _told(came)
        words = [other.words[code] for code in coming.tolist()]
        at, known = _places(self.words, words)
        if splice.is_in_place and known.all() and np.array_equal(np.append(at, -1)[_ranked(came, coming)], gone):
            return self
        numbers, order = self.numbered
        # Words that come are numbered on after those of before.
        added = order.sources + np.cumsum(~known) - 1
        added[known] = order.rows(at[known])
        moved = np.full(len(other.words) + 1, -1, np.int32)
        moved[coming] = added
        numbers = spliced(numbers, moved[other.codes], splice)
        left = np.setdiff1d(_told(gone), at[known])
        if len(self.words) < len(self):  # or else each is in one row alone
            left = left[~_held(numbers, order.rows(left))]
        new = list(compress(words, ~known))
        if not len(left) and not new:
            return Coded(self.words, places(numbers, order) if isinstance(self._codes, Places) else numbers)
        exchange = Splice.exchanging(len(self.words), left, at[~known])
        return Coded(_exchanged(self.words, left, at[~known], new), places(numbers, exchange.over(order)))

    @property
    def numbered(self) -> tuple[Array, Order]:
        """The number of each row's word, as it was before words came and went, and the words in their order."""
        return numbered(self._codes, len(self.words))

    def rows_with(self, place: int) -> Ints:
        """Rows that have the word at a place, ascending."""
        numbers, order = self.numbered
        return where(numbers, order.rows(np.array([place])))

    def array(self, dtype: Any, missing: Any) -> NDArray[Any]:
        """The values as an array of shape (n,), ``missing`` where there is none."""
        words = np.empty(len(self.words) + 1, dtype)
        words[:-1] = np.fromiter(iter(self.words), dtype, len(self.words))  # lists among them stay one value each
        words[-1] = missing
        found: NDArray[Any] = words[self.codes]
        return found


class RowOf(Mapping[Any, int]):
    """The row of each value of a column in which each row has one of its own, in the order of the rows.

    Parameters
    ----------
    column
        The column.
    before
        The same of a column that it was spliced from: what both have in common is taken over.
    """

    def __init__(self, column: Coded, before: RowOf | None = None) -> None:
        self._column = column
        numbers, self._words = column.numbered
        if isinstance(numbers, Pieces):
            self._base, self._late, self._order = whole(numbers.base), numbers.late, numbers.order
        else:
            self._base, self._late, self._order = whole(numbers), numbers[:0], Order.whole(len(numbers))
        self._as_before = isinstance(numbers, np.ndarray) and self._words.is_whole
        self._rows: Codes
        if before is not None and before._base is self._base:
            self._rows = before._rows
        else:
            self._rows = np.full(self._words.sources, -1, np.int32)
            self._rows[self._base] = np.arange(len(self._base), dtype=np.int32)

    def __getitem__(self, value: Any) -> int:
        place = place_of(self._column.words, value)
        if place is None:
            raise KeyError(value)
        if self._as_before:
            return int(self._rows[place])
        number = self._words.rows(np.array([place]))
        late = len(self._base) + np.flatnonzero(self._late == number)
        rows = self._order.places(np.concatenate([self._rows[number[number < len(self._rows)]], late]))
        return int(rows.max())

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


def _held(numbers: Array, sought: Ints) -> Bools:
    """Which of some numbers a row has, shape (number of them,)."""
    if len(sought) <= _FEW:
        return np.array([holds(numbers, number) for number in sought.tolist()], bool)
    return np.isin(sought, whole(numbers))


def _exchanged(words: Sequence[Any], gone: Ints, at: Ints, new: Sequence[Any]) -> Sequence[Any]:
    """Ascending words without those at ``gone``, and with new ones, each before the one that was at ``at``."""
    if isinstance(words, Words):
        return words.changed(gone, at, new)
    stays = np.ones(len(words), dtype=bool)
    stays[gone] = False
    return _kept(sorted([*compress(words, stays.tolist()), *new]))  # two runs, so that it takes one pass


class _Places(dict[Hashable, int]):
    """The place of each value, in the order in which they were first asked for."""

    def __missing__(self, value: Hashable) -> int:
        self[value] = place = len(self)
        return place
