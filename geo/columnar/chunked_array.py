"""Arrays of many rows after edits of a few: only what is asked for is picked, and the array below is not copied.

A layer of millions of rows has tens of arrays, most of them mapped from files. Each edit would copy them all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import chain
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from geo.columnar.row_edit import Splice, joined
from geo.columnar.row_order import Order
from geo.lonlat import Ints

#: Arrays of fewer rows are joined at once.
LEAST = 1 << 16
#: So many runs of rows are kept apart; of more the array is joined.
_RUNS = 4096
#: Where more than one of so many rows is picked, all are joined first.
_MANY = 8
#: So many values are looked for one by one.
_FEW = 32
#: Rows that are looked through at once for a value.
_PAGE = 1 << 15


class Picked(ABC):
    """An array whose rows are picked as they are asked for; nothing of it is to be written to."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Type of its values."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, rows: Ints) -> NDArray[Any]:
        """Some rows, in the order given; none is counted from the end."""

    @property
    def nbytes(self) -> int:
        """Bytes that all rows take."""
        return len(self) * self.dtype.itemsize

    @cached_property
    def whole(self) -> NDArray[Any]:
        """All rows; found once."""
        found = self._whole()
        found.setflags(write=False)
        return found

    def _whole(self) -> NDArray[Any]:
        return self.take(np.arange(len(self)))

    @overload
    def __getitem__(self, rows: int) -> Any: ...
    @overload
    def __getitem__(self, rows: slice | Ints) -> NDArray[Any]: ...
    def __getitem__(self, rows: int | slice | Ints) -> Any:
        if isinstance(rows, int | np.integer):
            return self.take(np.array([range(len(self))[rows]]))[0]
        picked = range(*rows.indices(len(self))) if isinstance(rows, slice) else rows
        many = len(picked) * _MANY > len(self)
        return self.whole[rows] if many else self.take(np.asarray(picked, np.int64))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.whole)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.whole, dtype, copy=copy)


#: An array, which may be one whose rows are picked as they are asked for.
Array: TypeAlias = NDArray[Any] | Picked


class Pieces(Picked):
    """Rows of an array and, after them, of a small one, in an order.

    Parameters
    ----------
    base, late
        The arrays, along the first axis.
    order
        Of the rows of both, counted through.
    """

    def __init__(self, base: Array, late: NDArray[Any], order: Order) -> None:
        self.base, self.late, self.order = base, late, order

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its values."""
        return self.base.dtype

    def __len__(self) -> int:
        return len(self.order)

    def take(self, rows: Ints) -> NDArray[Any]:
        """Some rows, in the order given."""
        rows = self.order.rows(rows)
        late = rows >= len(self.base)
        if not late.any():
            return self.base[rows]
        if late.all():
            return self.late[rows - len(self.base)]
        found = self.base[np.where(late, 0, rows)]
        found[late] = self.late[rows[late] - len(self.base)]
        return found

    def _whole(self) -> NDArray[Any]:
        return joined(self.order, whole(self.base), self.late)


class Places(Picked):
    """Places in the order of a sequence of what its rows were numbered by; -1 stays -1.

    Parameters
    ----------
    numbers
        The number of each.
    order
        Of the rows that are numbered so.
    """

    dtype = np.dtype(np.int32)

    def __init__(self, numbers: Array, order: Order) -> None:
        self.numbers, self.order = numbers, order

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: Ints) -> NDArray[Any]:
        """Some rows, in the order given."""
        return self.order.places(self.numbers[rows]).astype(np.int32)

    def _whole(self) -> NDArray[Any]:
        few = len(self) * _MANY < self.order.sources
        return super()._whole() if few else self.order.table[whole(self.numbers)]


def spliced(own: Array, other: Array, splice: Splice) -> Array:
    """The rows of two arrays of one type as a splice has them; of many rows those of the first are not copied."""
    if splice.is_same:
        return own
    if len(splice) < LEAST:
        return splice.joined(whole(own), whole(other))
    if isinstance(own, Pieces):
        base, late, order = own.base, np.concatenate([own.late, whole(other)]), splice.over(own.order)
    else:
        base, late, order = own, whole(other), splice.order
    made = Pieces(base, late, order)
    return made if len(late) <= len(base) and len(order.firsts) <= _RUNS else made.whole


def places(numbers: Array, order: Order) -> Array:
    """The places that numbers have in an order; of many rows they are looked up as they are asked for."""
    made = Places(numbers, order)
    return made if len(numbers) >= LEAST and len(order.firsts) <= _RUNS else made.whole


def numbered(found: Array, count: int) -> tuple[Array, Order]:
    """What `places` was given, where places are looked up; of others, which are those of so many rows, themselves."""
    return (found.numbers, found.order) if isinstance(found, Places) else (found, Order.whole(count))


def searched(ascending: Array, value: Any, side: Literal["left", "right"] = "left") -> int:
    """Before which row a value would be put into ascending ones, as NumPy's `searchsorted` has it."""
    if isinstance(ascending, np.ndarray):
        return int(ascending.searchsorted(value, side=side))
    return bisect_left(ascending, value) if side == "left" else bisect_right(ascending, value)


def row_by_row(test: Callable[..., NDArray[np.bool_]], *arrays: Array) -> NDArray[np.bool_]:
    """What a test says of each row of some arrays, row by row; where they were spliced alike none of them is joined."""
    pieces = [one for one in arrays if isinstance(one, Pieces)]
    if len(pieces) < len(arrays) or len({id(one.order) for one in pieces}) > 1:
        return test(*map(whole, arrays))
    base, late = (test(*map(whole, told)) for told in zip(*((one.base, one.late) for one in pieces), strict=True))
    return joined(pieces[0].order, base, late)


def holds(array: Array, value: Any) -> bool:
    """Whether a row has a value."""
    # What is in many rows is found in the first.
    return any(len(found) for found in _found(array, value))


def where(array: Array, values: Ints) -> Ints:
    """Rows that have one of some values, ascending."""
    if len(values) > _FEW:
        return np.flatnonzero(np.isin(whole(array), values))
    found = (_found(array, value) for value in values.tolist())
    return np.unique(np.concatenate([np.empty(0, np.int64), *chain.from_iterable(found)]))


def _found(array: Array, value: Any) -> Iterator[Ints]:
    base = whole(array.base if isinstance(array, Pieces) else array)
    found = (rows.start + np.flatnonzero(base[rows] == value) for rows in pages(len(base), _PAGE))
    if not isinstance(array, Pieces):
        yield from found
        return
    for rows in (len(base) + np.flatnonzero(array.late == value), *found):
        at = array.order.places(rows) if len(rows) else rows
        yield at[at >= 0]


def pages(count: int, at_once: int) -> Iterator[slice]:
    """All of so many rows, some at once."""
    return (slice(start, start + at_once) for start in range(0, count, at_once))


def whole(array: Array) -> NDArray[Any]:
    """All values of an array."""
    return array if isinstance(array, np.ndarray) else array.whole
