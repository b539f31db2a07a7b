"""Columns of which each distinct value is stored once, with a code for each row, as most columns of features are."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress
from operator import eq
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from geo.columnar.binary_array import DecodedArray, find_sorted, text_array, text_list_array
from geo.columnar.integers import distinct
from geo.columnar.lazy_array import batches
from geo.columnar.row_edit import RowEdit
from geo.lonlat import Bools, Ints

Codes: TypeAlias = NDArray[np.int32]

#: A dictionary of more texts is stored as bytes, see `geo.columnar.binary_array`.
MAX_PLAIN_VALUES = 4096
#: At most so many codes are put in a set, which is quicker than to sort them as an array.
_MAX_SET = 64
#: Rows that are decoded at once.
_BATCH_ROWS = 1 << 15


class DictionaryArray(Sequence[Any]):
    """A column of values of one type. Equal columns have equal dictionaries and codes, however they were built.

    Parameters
    ----------
    dictionary
        Every value that occurs, once, ascending; never None.
    codes
        Index of each row's value in ``dictionary``, shape (n,), int32; -1 where the value is missing.
    """

    __slots__ = ("codes", "dictionary")

    def __init__(self, dictionary: Sequence[Any], codes: Codes) -> None:
        self.dictionary = dictionary
        self.codes: Codes = np.asarray(codes)  # a view of a mapped file as a plain array, which is read faster
        self.codes.setflags(write=False)

    @classmethod
    def of(cls, values: Iterable[Hashable]) -> DictionaryArray:
        """Code values of one type that has an order, a value a row; ``None`` is missing."""
        builder = DictionaryBuilder()
        builder.extend(values)
        return builder.finish()

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> DictionaryArray: ...
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return self._of(self.codes[row])
        code = self.code(row)
        return self.dictionary[code] if code >= 0 else None

    def code(self, row: int) -> int:
        """Code of a row, -1 where its value is missing."""
        return int(self.codes[row])

    def take(self, rows: Ints) -> DictionaryArray:
        """Return the column of rows, shape (k,), in the given order."""
        return self._of(self.codes[rows])

    def _of(self, codes: Codes) -> DictionaryArray:
        if len(codes) < len(self.dictionary):
            used = _distinct(codes)
            return DictionaryArray(_values_at(self.dictionary, used), _renumbered(codes, used))
        # Of as many rows as there are values each value is marked, which takes a tenth of sorting the codes.
        is_used = np.zeros(len(self.dictionary) + 1, bool)
        is_used[codes] = True
        if is_used[:-1].all():
            return DictionaryArray(self.dictionary, codes)
        number = np.append(np.cumsum(is_used[:-1], dtype=np.int32) - 1, np.int32(-1))
        return DictionaryArray(_values_at(self.dictionary, np.flatnonzero(is_used[:-1])), number[codes])

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.dictionary, DecodedArray):
            return chain.from_iterable(map(self._decoded, batches(len(self), _BATCH_ROWS)))
        return map([*self.dictionary, None].__getitem__, self.codes.tolist())

    def _decoded(self, rows: slice) -> Iterator[Any]:
        codes = self.codes[rows]
        used = _distinct(codes)
        return map([*_values_at(self.dictionary, used), None].__getitem__, _renumbered(codes, used).tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DictionaryArray):
            return NotImplemented
        return np.array_equal(self.codes, other.codes) and _equal(self.dictionary, other.dictionary)

    __hash__ = None  # type: ignore[assignment]

    def map(self, function: Callable[[Any], Hashable]) -> DictionaryArray:
        """Apply a function to each different value once.

        Parameters
        ----------
        function
            Gives a value of one type, or ``None`` for missing; it is not called for missing values.
        """
        return self.with_values(map(function, self.dictionary))

    def with_values(self, values: Iterable[Hashable]) -> DictionaryArray:
        """Put other values of one type, ``None`` for missing, in place of those of the dictionary, in its order."""
        mapped = DictionaryArray.of(values)
        return DictionaryArray(mapped.dictionary, np.append(mapped.codes, np.int32(-1))[self.codes])

    def larger(self, other: DictionaryArray) -> DictionaryArray:
        """The larger value of each row of two columns of one type and length; the only one where one is missing."""
        values = sorted({*self.dictionary, *other.dictionary})
        code = {value: code for code, value in enumerate(values)}
        codes = [
            np.append(np.array([code[value] for value in column.dictionary], np.int32), np.int32(-1))[column.codes]
            for column in (self, other)
        ]
        return DictionaryArray(_packed(values), np.empty(0, np.int32))._of(np.maximum(*codes))

    def with_edit(self, second: DictionaryArray, edit: RowEdit) -> DictionaryArray:
        """Apply an edit of rows; values that no row has any more are dropped.

        Parameters
        ----------
        second
            The column that rows are inserted from.
        edit
            Which rows of both come in which order.
        """
        if edit.is_identity:
            return self
        used = _distinct(second.codes)
        values = [second.dictionary[code] for code in used.tolist()]
        at, is_known = _search_ascending(self.dictionary, values)
        size = len(self.dictionary)
        # New values have codes behind those of the old values, until these are numbered anew.
        code_of = np.full(len(second.dictionary) + 1, -1, np.int32)
        code_of[used] = np.where(is_known, at, size + np.cumsum(~is_known) - 1)
        removed, inserted = self.codes[edit.removed], code_of[second.codes]
        if edit.is_in_place and np.array_equal(inserted, removed):
            return self
        codes = edit.combine(self.codes, inserted)
        new = list(compress(values, ~is_known))
        occurs = np.zeros(size + len(new) + 1, bool)
        occurs[codes] = True
        dropped = _distinct(removed)
        dropped = dropped[~occurs[dropped]]
        if not len(dropped) and not new:
            return DictionaryArray(self.dictionary, codes)
        change = RowEdit(size, dropped, at[~is_known])
        number = np.append(change.positions, -1).astype(np.int32)
        return DictionaryArray(_replaced(self.dictionary, change, new), number[codes])

    def rows_with(self, code: int) -> Ints:
        """Find the rows that have the value of a code: row numbers, ascending, empty where there are none."""
        return np.flatnonzero(self.codes == code)

    def to_numpy(self, dtype: Any, missing: Any) -> NDArray[Any]:
        """The values as an array of shape (n,), with ``missing`` for missing values."""
        values = np.empty(len(self.dictionary) + 1, dtype)
        # By iteration, so that a list stays one value.
        values[:-1] = np.fromiter(iter(self.dictionary), dtype, len(self.dictionary))
        values[-1] = missing
        result: NDArray[Any] = values[self.codes]
        return result


class UniqueIndex(Mapping[Any, int]):
    """The row of each value of a column without missing or repeated values; iterates in the order of the rows."""

    def __init__(self, column: DictionaryArray) -> None:
        self._column = column
        self._rows = np.empty(len(column), np.int32)
        self._rows[column.codes] = np.arange(len(column), dtype=np.int32)

    def __getitem__(self, value: Any) -> int:
        code = find_sorted(self._column.dictionary, value)
        if code is None:
            raise KeyError(value)
        return int(self._rows[code])

    def __len__(self) -> int:
        return len(self._column)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._column)


class DictionaryBuilder:
    """Builds a column from values that come part by part."""

    def __init__(self) -> None:
        self._indices = _IndexOfValue()
        self._codes = array("B")

    def extend(self, values: Iterable[Hashable]) -> None:
        """Append the values of the next rows; None is missing."""
        codes = [*map(self._indices.__getitem__, values)]
        # Most columns have few values: their codes take a byte each.
        if len(self._indices) > 1 << 8 * self._codes.itemsize:
            self._codes = array("H" if len(self._indices) <= 1 << 16 else "i", self._codes)
        self._codes.extend(codes)

    def finish(self) -> DictionaryArray:
        """Return the column of all rows so far; ``None`` is missing."""
        indices = self._indices
        values: list[Any] = sorted(value for value in indices if value is not None)
        codes = np.full(len(indices), -1, np.int32)
        codes[[indices[value] for value in values]] = np.arange(len(values))
        return DictionaryArray(_packed(values), codes[np.frombuffer(self._codes, self._codes.typecode)])


def _equal(a: Sequence[Any], b: Sequence[Any]) -> bool:
    # A list is equal to itself without a look at its values.
    return a is b or (len(a) == len(b) and all(map(eq, a, b)))


def _packed(values: Sequence[Any]) -> Sequence[Any]:
    """Ascending values as a dictionary stores them: many texts, or lists of texts, as bytes."""
    if len(values) <= MAX_PLAIN_VALUES or not isinstance(values, list):
        return values
    if isinstance(values[0], str):
        return text_array(values)
    if all(isinstance(value, tuple) and all(isinstance(item, str) for item in value) for value in values):
        return text_list_array(values)
    return values


def _distinct(codes: Codes) -> Ints:
    """Codes that occur, ascending, without -1."""
    if len(codes) <= _MAX_SET:
        return np.array(sorted({*codes.tolist()} - {-1}), np.int64)
    occurring = distinct(codes).astype(np.int64)
    return occurring[occurring >= 0]


def _values_at(values: Sequence[Any], indices: Ints) -> Sequence[Any]:
    """Values at indices; of values that are stored as bytes all are looked up at once, and many stay bytes."""
    if isinstance(values, DecodedArray):
        taken = values.take(indices)
        return taken if len(indices) > MAX_PLAIN_VALUES else list(taken)
    return [values[index] for index in indices.tolist()]


def _renumbered(codes: Codes, used: Ints) -> Codes:
    """Codes as indices into the ascending codes that are used; -1 stays -1."""
    return np.where(codes < 0, -1, np.searchsorted(used, codes)).astype(np.int32)


def _search_ascending(values: Sequence[Any], sought: Sequence[Any]) -> tuple[Ints, Bools]:
    """Where each of ascending values is, or would be inserted, among ascending values, and whether it is there."""
    at, is_known = np.zeros(len(sought), np.int64), np.zeros(len(sought), dtype=bool)
    index = 0
    for number, value in enumerate(sought):
        index = bisect_left(values, value, index)
        at[number], is_known[number] = index, index < len(values) and values[index] == value
    return at, is_known


def _replaced(values: Sequence[Any], edit: RowEdit, new: Sequence[Any]) -> Sequence[Any]:
    """Ascending values without those that an edit removes, and with new ones where it inserts them."""
    if isinstance(values, DecodedArray):
        return values.with_edit(new, edit)
    stays = np.ones(len(values), dtype=bool)
    stays[edit.removed] = False
    return _packed(sorted([*compress(values, stays.tolist()), *new]))  # two sorted runs, which sort in one pass


class _IndexOfValue(dict[Hashable, int]):
    """Numbers of values, in the order in which they are first looked up."""

    def __missing__(self, value: Hashable) -> int:
        self[value] = index = len(self)
        return index
