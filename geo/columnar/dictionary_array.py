"""Columns of which each distinct value is stored once, with a code for each row, as most columns of features are."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, compress
from operator import eq
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from geo.columnar import chunked_array
from geo.columnar.binary_array import DecodedArray, find_sorted, text_array, text_list_array
from geo.columnar.chunked_array import (
    Array,
    ChunkedArray,
    RemappedCodes,
    apply_edit,
    batches,
    codes_and_order,
    contains,
    remap_codes,
    rows_with_any,
    to_numpy,
)
from geo.columnar.distinct import distinct
from geo.columnar.row_edit import RowEdit
from geo.columnar.row_order import RowOrder
from geo.lonlat import Bools, Ints

Codes: TypeAlias = NDArray[np.int32]

#: A dictionary of more texts is stored as bytes, see `geo.columnar.binary_array`.
MAX_PLAIN_VALUES = 4096
#: At most so many codes are looked for by a scan of all rows each.
_MAX_SCANS = 8
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
    counts
        Numbers of rows by stored code, where they are shared with the column that this was edited from.
    """

    __slots__ = ("_codes", "_counts", "dictionary")

    def __init__(self, dictionary: Sequence[Any], codes: Array, counts: CodeCounts | None = None) -> None:
        if isinstance(codes, np.ndarray):
            codes = np.asarray(codes)  # a view of a mapped file as a plain array, which is read faster
            codes.setflags(write=False)
        self.dictionary, self._codes, self._counts = dictionary, codes, counts

    @classmethod
    def of(cls, values: Iterable[Hashable]) -> DictionaryArray:
        """Code values of one type that has an order, a value a row; ``None`` is missing."""
        builder = DictionaryBuilder()
        builder.extend(values)
        return builder.finish()

    @property
    def codes(self) -> Codes:
        """Code of each row, shape (n,), int32, -1 where missing; `codes_at` reads few rows without the others."""
        return to_numpy(self._codes)

    @property
    def chunked_codes(self) -> Array:
        """Code of each row, shape (n,), int32, -1 where missing, as an array that may be in chunks."""
        return self._codes

    def codes_at(self, rows: Ints) -> Codes:
        """Read the codes of rows, shape (k,), in the given order; no other rows are read."""
        codes: Codes = self._codes[rows]
        return codes

    def write_codes_at(self, rows: Ints, out: Codes) -> None:
        """Write the codes of rows, shape (k,), into an int32 array of the same shape."""
        if isinstance(self._codes, np.ndarray):
            self._codes.take(rows, out=out, mode="clip")
        else:
            out[:] = self._codes[rows]

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> DictionaryArray: ...
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return self._of(self._codes[row])
        code = self.code(row)
        return self.dictionary[code] if code >= 0 else None

    def code(self, row: int) -> int:
        """Code of a row, -1 where its value is missing; codes of other rows are not read."""
        return int(self._codes[row])

    def take(self, rows: Ints) -> DictionaryArray:
        """Return the column of rows, shape (k,), in the given order; no other rows are read."""
        return self._of(self.codes_at(rows))

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
        codes = self._codes[rows]
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
        removed, inserted = self.codes_at(edit.removed), second.codes_at(edit.inserted)
        used = _distinct(inserted)
        values = [second.dictionary[code] for code in used.tolist()]
        at, is_known = _search_ascending(self.dictionary, values)
        if (
            edit.is_in_place
            and is_known.all()
            and np.array_equal(np.append(at, -1)[_renumbered(inserted, used)], removed)
        ):
            return self
        codes, order = self.codes_and_order
        # New values have stored codes behind those of the old values.
        stored = order.source_rows + np.cumsum(~is_known) - 1
        stored[is_known] = order.rows_at(at[is_known])
        stored_codes = np.full(len(second.dictionary) + 1, -1, np.int32)
        stored_codes[used] = stored
        codes = apply_edit(codes, stored_codes[second.codes], edit)
        stays = set(at[is_known].tolist())
        dropped = np.array([code for code in _distinct(removed).tolist() if code not in stays], np.int64)
        counts = self._counts_after(codes)
        if len(dropped) and self._has_repeated:
            dropped = dropped[~_occurring(codes, counts, order.rows_at(dropped))]
        new = list(compress(values, ~is_known))
        if not len(dropped) and not new:
            is_remapped = isinstance(self._codes, RemappedCodes)
            return DictionaryArray(self.dictionary, remap_codes(codes, order) if is_remapped else codes, counts)
        change = RowEdit.replace(len(self.dictionary), dropped, at[~is_known])
        dictionary = _replaced(self.dictionary, dropped, at[~is_known], new)
        return DictionaryArray(dictionary, remap_codes(codes, change.compose(order)), counts)

    def _counts_after(self, edited: Array) -> CodeCounts | None:
        """Numbers of rows by stored code for codes that were edited; ``None`` where these are an array of their own."""
        if not isinstance(edited, ChunkedArray):
            return None
        if self._counts is None or self._counts.base is not edited.base:
            self._counts = CodeCounts(edited.base)
        return self._counts

    @property
    def _has_repeated(self) -> bool:
        """Whether values may be in several rows; or else each is in one row alone."""
        return len(self.dictionary) < len(self)

    def count_codes(self) -> None:
        """Count ahead what the first edit of a long column would wait for."""
        codes, _ = self.codes_and_order
        if self.dictionary and self._has_repeated and len(self) >= chunked_array.MIN_CHUNKED_ROWS:
            if self._counts is None:
                self._counts = CodeCounts(codes.base if isinstance(codes, ChunkedArray) else codes)
            _ = self._counts.of_base

    @property
    def codes_and_order(self) -> tuple[Array, RowOrder]:
        """The stored code of each row, shape (n,), and the order of the stored codes in the dictionary.

        A column that was edited has stored codes of its first dictionary, which `RemappedCodes` translates.
        """
        return codes_and_order(self._codes, len(self.dictionary))

    def rows_with(self, code: int) -> Ints:
        """Find the rows that have the value of a code: row numbers, ascending, empty where there are none."""
        codes, order = self.codes_and_order
        return rows_with_any(codes, order.rows_at(np.array([code])))

    def to_numpy(self, dtype: Any, missing: Any) -> NDArray[Any]:
        """The values as an array of shape (n,), with ``missing`` for missing values."""
        values = np.empty(len(self.dictionary) + 1, dtype)
        # By iteration, so that a list stays one value.
        values[:-1] = np.fromiter(iter(self.dictionary), dtype, len(self.dictionary))
        values[-1] = missing
        result: NDArray[Any] = values[self.codes]
        return result


class UniqueIndex(Mapping[Any, int]):
    """The row of each value of a column without missing or repeated values; iterates in the order of the rows.

    Parameters
    ----------
    column
        The column.
    previous
        Index of the column before an edit; tables that both need are shared.
    """

    def __init__(self, column: DictionaryArray, previous: UniqueIndex | None = None) -> None:
        self._column = column
        codes, self._order_of_values = column.codes_and_order
        if isinstance(codes, ChunkedArray):
            self._base, self._appended, self._order = to_numpy(codes.base), codes.appended, codes.order
        else:
            self._base, self._appended, self._order = to_numpy(codes), codes[:0], RowOrder.identity(len(codes))
        self._is_direct = isinstance(codes, np.ndarray) and self._order_of_values.is_identity
        #: Row in the base chunk of each stored code, -1 where it has none.
        self._rows: Codes
        if previous is not None and previous._base is self._base:
            self._rows = previous._rows
        else:
            self._rows = np.full(self._order_of_values.source_rows, -1, np.int32)
            self._rows[self._base] = np.arange(len(self._base), dtype=np.int32)

    def __getitem__(self, value: Any) -> int:
        code = find_sorted(self._column.dictionary, value)
        if code is None:
            raise KeyError(value)
        if self._is_direct:
            return int(self._rows[code])
        stored = self._order_of_values.rows_at(np.array([code]))
        appended = len(self._base) + np.flatnonzero(self._appended == stored)
        rows = np.concatenate([self._rows[stored[stored < len(self._rows)]], appended])
        return int(self._order.positions_of(rows).max())

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


def _occurring(codes: Array, counts: CodeCounts | None, sought: Ints) -> Bools:
    """Which of the sought codes any row has, shape (len(sought),)."""
    if counts is not None and isinstance(codes, ChunkedArray):
        return counts.occurring(codes, sought)
    if len(sought) <= _MAX_SCANS:
        return np.array([contains(codes, code) for code in sought.tolist()], bool)
    return np.isin(sought, to_numpy(codes))


def _replaced(values: Sequence[Any], removed: Ints, insert_before: Ints, new: Sequence[Any]) -> Sequence[Any]:
    """Ascending values without those at ``removed``, and with new ones, each before that at ``insert_before``."""
    if isinstance(values, DecodedArray):
        return values.replace(removed, insert_before, new)
    stays = np.ones(len(values), dtype=bool)
    stays[removed] = False
    return _packed(sorted([*compress(values, stays.tolist()), *new]))  # two sorted runs, which sort in one pass


class _IndexOfValue(dict[Hashable, int]):
    """Numbers of values, in the order in which they are first looked up."""

    def __missing__(self, value: Hashable) -> int:
        self[value] = index = len(self)
        return index


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
