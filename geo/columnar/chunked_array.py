"""Arrays of many rows after edits of few: chunks with an order of their rows, read without copying the first chunk.

A collection of millions of rows has tens of arrays, most of them mapped from files, and each edit would copy them all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from geo.columnar.distinct import distinct
from geo.columnar.row_edit import RowEdit, combine
from geo.columnar.row_order import RowOrder
from geo.lonlat import Ints

#: Shorter arrays are copied by an edit.
MIN_CHUNKED_ROWS = 1 << 16
#: An array whose order has more runs is copied.
_MAX_RUNS = 4096
#: Where more than one row in so many is taken, the array is materialized first.
_TAKE_DIVISOR = 8
#: At most so many values are looked for by a scan of the array each.
_MAX_SCANS = 32
#: Rows of a step of a scan.
_SCAN_ROWS = 1 << 15


class LazyArray(ABC):
    """A read-only array of which rows can be read without all of them being in memory."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, rows: Ints) -> NDArray[Any]:
        """Values of rows, shape (n,), in the given order; negative rows are not counted from the end."""

    @property
    def nbytes(self) -> int:
        """Bytes of all values in memory."""
        return len(self) * self.dtype.itemsize

    @cached_property
    def materialized(self) -> NDArray[Any]:
        """All values, shape (n,), in memory from the first reading on; read only."""
        values = self._materialize()
        values.setflags(write=False)
        return values

    def _materialize(self) -> NDArray[Any]:
        return self.take(np.arange(len(self)))

    @overload
    def __getitem__(self, rows: int) -> Any: ...
    @overload
    def __getitem__(self, rows: slice | Ints) -> NDArray[Any]: ...
    def __getitem__(self, rows: int | slice | Ints) -> Any:
        if isinstance(rows, int | np.integer):
            return self._value(range(len(self))[rows])
        wanted = range(*rows.indices(len(self))) if isinstance(rows, slice) else rows
        is_large = len(wanted) * _TAKE_DIVISOR > len(self)
        return self.materialized[rows] if is_large else self.take(np.asarray(wanted, np.int64))

    def _value(self, row: int) -> Any:
        """Value of a row from 0 on."""
        return self.take(np.array([row]))[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.materialized)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.materialized, dtype, copy=copy)


#: An array in memory or mapped from a file, or one that is read lazily.
Array: TypeAlias = NDArray[Any] | LazyArray


class ChunkedArray(LazyArray):
    """Two chunks in an order of the rows of both.

    Parameters
    ----------
    base, appended
        The chunks, of one dtype, along the first axis: the array before its edits, and all rows that edits added.
    order
        Order of the rows of both; those of ``appended`` are numbered on.
    """

    def __init__(self, base: Array, appended: NDArray[Any], order: RowOrder) -> None:
        self.base, self.appended, self.order = base, appended, order

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.base.dtype

    def __len__(self) -> int:
        return len(self.order)

    def take(self, rows: Ints) -> NDArray[Any]:
        """Read the values of rows, shape (k,), in the given order, which is that of the result."""
        rows = self.order.rows_at(rows)
        is_appended = rows >= len(self.base)
        if not is_appended.any():
            return self.base[rows]
        if is_appended.all():
            return self.appended[rows - len(self.base)]
        values = self.base[np.where(is_appended, 0, rows)]
        values[is_appended] = self.appended[rows[is_appended] - len(self.base)]
        return values

    def _value(self, row: int) -> Any:
        row, count = self.order.row_at(row), len(self.base)
        return self.base[row] if row < count else self.appended[row - count]

    def _materialize(self) -> NDArray[Any]:
        return combine(self.order, to_numpy(self.base), self.appended)


class RemappedCodes(LazyArray):
    """Codes of a dictionary whose values were reordered: stored codes stay, and are translated when they are read.

    Parameters
    ----------
    codes
        Stored code of each row; -1, for a missing value, stays -1.
    order
        Order of the stored codes in the dictionary of now: the code of a row is the position of its stored code.
    """

    dtype = np.dtype(np.int32)

    def __init__(self, codes: Array, order: RowOrder) -> None:
        self.codes, self.order = codes, order

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Ints) -> NDArray[Any]:
        """Read the codes of rows, shape (k,), in the given order; int32, -1 where missing."""
        return self.order.positions_of(self.codes[rows]).astype(np.int32)

    def _value(self, row: int) -> Any:
        return np.int32(self.order.position_of(int(self.codes[row])))

    def _materialize(self) -> NDArray[Any]:
        is_short = len(self) * _TAKE_DIVISOR < self.order.source_rows
        return super()._materialize() if is_short else self.order.position_table[to_numpy(self.codes)]


def apply_edit(first: Array, second: Array, edit: RowEdit) -> Array:
    """Apply an edit of rows to two arrays.

    Parameters
    ----------
    first, second
        Arrays of one dtype, of ``edit.first_rows`` and ``edit.second_rows`` rows.
    edit
        The rows of both that the result has.

    Returns
    -------
    The edited array. Of a long first array no row is copied, unless it has been edited so often that reading it would
    be slow.
    """
    if edit.is_identity:
        return first
    if len(edit) < MIN_CHUNKED_ROWS:
        return edit.combine(to_numpy(first), to_numpy(second))
    if isinstance(first, ChunkedArray):
        base, order = first.base, edit.compose(first.order)
        appended = np.concatenate([first.appended, to_numpy(second)])
    else:
        base, appended, order = first, to_numpy(second), edit.order
    edited = ChunkedArray(base, appended, order)
    return edited if len(appended) <= len(base) and len(order.run_starts) <= _MAX_RUNS else edited.materialized


def remap_codes(codes: Array, order: RowOrder) -> Array:
    """Translate stored codes to their positions in an order; long arrays are translated when they are read.

    Parameters
    ----------
    codes
        Stored codes, shape (n,); -1 is missing.
    order
        The order of the stored codes.

    Returns
    -------
    Array
        Shape (n,), int32; -1 stays -1.
    """
    remapped = RemappedCodes(codes, order)
    return remapped if len(codes) >= MIN_CHUNKED_ROWS and len(order.run_starts) <= _MAX_RUNS else remapped.materialized


def codes_and_order(codes: Array, count: int) -> tuple[Array, RowOrder]:
    """Take apart what `remap_codes` put together.

    Parameters
    ----------
    codes
        Codes of shape (n,), remapped or plain.
    count
        Number of values that plain codes refer to.

    Returns
    -------
    tuple
        The stored codes, shape (n,), and the order of ``count`` values that they are translated by: of plain codes the
        identity.
    """
    return (codes.codes, codes.order) if isinstance(codes, RemappedCodes) else (codes, RowOrder.identity(count))


def contains(array: Array, value: Any) -> bool:
    """Return whether any row has a value; False for an empty array. A frequent value is found without a full scan."""
    # A frequent value is met in the first step of the scan.
    return any(len(rows) for rows in _occurrences(array, value))


def rows_with_any(array: Array, values: Ints) -> Ints:
    """Find the rows whose value is one of several.

    Parameters
    ----------
    array
        Shape (n,).
    values
        Values to look for, shape (k,); may be empty.

    Returns
    -------
    Ints
        Row numbers, ascending, each once.
    """
    if len(values) > _MAX_SCANS:
        return np.flatnonzero(np.isin(to_numpy(array), values))
    found = (_occurrences(array, value) for value in values.tolist())
    return distinct(np.concatenate([np.empty(0, np.int64), *chain.from_iterable(found)]))


def _occurrences(array: Array, value: Any) -> Iterator[Ints]:
    """Rows that have a value, step by step of a scan; in no order where the array is in chunks."""
    base = to_numpy(array.base if isinstance(array, ChunkedArray) else array)
    found = (rows.start + np.flatnonzero(base[rows] == value) for rows in batches(len(base), _SCAN_ROWS))
    if not isinstance(array, ChunkedArray):
        yield from found
        return
    for rows in (len(base) + np.flatnonzero(array.appended == value), *found):
        positions = array.order.positions_of(rows) if len(rows) else rows
        yield positions[positions >= 0]


def batches(count: int, size: int) -> Iterator[slice]:
    """Slices of at most ``size`` rows that cover ``count`` rows."""
    return (slice(start, start + size) for start in range(0, count, size))


def to_numpy(array: Array) -> NDArray[Any]:
    """Return all values in memory, or mapped from a file, shape (n,); a lazy array is materialized."""
    return array if isinstance(array, np.ndarray) else array.materialized
