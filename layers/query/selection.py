"""Selections of a collection (a box, days, a filter, an order) and the rows that they select."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from geo.columnar.lazy_array import Array, to_numpy
from geo.lonlat import Bools, Ints
from layers.collections.collection import Collection, Rows
from layers.collections.column_values import Values
from layers.collections.geometry_index import Box
from layers.collections.queryables import STANDS, Queryable
from layers.model.messages import InvalidValue, Message
from layers.query.filter import Filter

#: Rank behind all values.
_LAST = 2**62
_UNSORTABLE = ("list", "geometry")


class OrderError(InvalidValue):
    """An order by a property that has no order; ``expected`` names the properties that have one."""

    def __init__(self, name: str, expected: Message) -> None:
        super().__init__(expected)
        self.name = name[:80]

    def __str__(self) -> str:
        return f"sortby {self.name!r}: expected {self.expected}"


@dataclass(frozen=True, slots=True)
class SortKey:
    """A property to sort by; rows without a value come last in both directions."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which features, in which order; all conditions that are given must hold.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees; west > east crosses the antimeridian.
    first, last
        Days, inclusive; rows that may fall between them are selected, and so are rows without days.
    where
        A filter.
    order
        Sort keys, most important first; ties and the rest are in the order of the rows. Texts are sorted by code point.
    include_without_geometry
        Whether every box selects the rows without a geometry (OGC 17-069r4, /req/core/fc-bbox-response), else none.
    """

    bbox: Box | None = None
    first: date | None = None
    last: date | None = None
    where: Filter | None = None
    order: tuple[SortKey, ...] = ()
    include_without_geometry: bool = True


def row_mask(collection: Collection, selection: Selection) -> Bools:
    """Mark the selected rows, whatever their order; the last masks are cached with the collection.

    Gives shape (n,), read only. Rows without a geometry or days match as the selection says.
    """
    mask: Bools = collection.query_cache.get_or_compute(_mask_key(selection), lambda: _mask(collection, selection))
    return mask


def rows(collection: Collection, selection: Selection) -> Array:
    """Return the selected rows in the order of the selection; the last results are cached with the collection.

    Raises OrderError if the order names no queryable, or a list or geometry.

    Gives row numbers, read only; ties are in the order of the rows, and rows without a value come last.
    """
    for key in selection.order:
        require_sortable(collection, key.name)
    selected: Array = collection.query_cache.get_or_compute(("rows", selection), lambda: _rows(collection, selection))
    return selected


def is_cached_or_cheap(collection: Collection, selection: Selection) -> bool:
    """Whether `rows` has the result cached, or compares numbers only to compute it."""
    if collection.query_cache.peek(("rows", selection)) is not None:
        return True
    if selection.order and collection.all_rows_cache.peek(("order", selection.order)) is None:
        return False
    return selection.where is None and (selection.bbox is None or collection.is_points)


def sortables(collection: Collection) -> dict[str, Queryable]:
    """What a collection can be sorted by: properties in the order of its columns, and what follows from them."""
    found = {name: one for name, one in collection.queryables.items() if one.kind not in _UNSORTABLE}
    return {**found, STANDS.name: STANDS} if collection.name == "strikes" else found


def require_sortable(collection: Collection, name: str) -> None:
    """Refuse a property that has no order.

    Raises OrderError if there is no such queryable, or it is a list or geometry.
    """
    known = sortables(collection)
    if name not in known:
        raise OrderError(name, Message("cell.one-of", {"names": tuple(known)}))


def _ranks(values: Values, descending: bool) -> Ints:
    """Rank of each row by a column, shape (n,): equal values have the same rank, missing values the last."""
    ranks, count = values.sort_ranks.astype(np.int64), len(values.distinct)
    if descending:
        ranks = np.where(ranks < 0, ranks, count - 1 - ranks)
    ranks[ranks < 0] = count
    return ranks


def _mask_key(selection: Selection) -> tuple[object, ...]:
    return "mask", selection.bbox, selection.first, selection.last, selection.where, selection.include_without_geometry


def _mask(collection: Collection, selection: Selection) -> Bools:
    where, known = selection.where, collection.query_cache.peek(("rows", selection))
    if known is not None:
        mask = np.zeros(len(collection), dtype=bool)
        mask[to_numpy(known)] = True
    elif where is not None and not where.is_by_row:
        mask = where.mask(collection) & row_mask(collection, replace(selection, where=None))
    else:
        mask = collection.mask(selection.bbox, selection.first, selection.last, selection.include_without_geometry)
        if where is not None:
            mask &= where.mask(collection)
    mask.setflags(write=False)
    return mask


def _rows(collection: Collection, selection: Selection) -> Rows:
    # The rows are cached by the caller; a mask is used where it is cached, but not put there.
    mask = collection.query_cache.peek(_mask_key(selection))
    selected = np.flatnonzero(_mask(collection, selection) if mask is None else mask)
    if selection.order:
        selected = selected[np.argsort(_positions(collection, selection.order)[selected])]
    selected.setflags(write=False)
    return selected


def _positions(collection: Collection, order: tuple[SortKey, ...]) -> Ints:
    """Return the position of each row among all rows in an order, shape (n,); the last orders are cached."""

    def sort() -> Ints:
        keys = (_ranks(collection.values(key.name), key.descending) for key in reversed(order))
        positions = np.empty(len(collection), np.int64)
        positions[np.lexsort(tuple(keys))] = np.arange(len(collection))
        positions.setflags(write=False)
        return positions

    positions: Ints = collection.all_rows_cache.get_or_compute(("order", order), sort)
    return positions


def key_of_rows(columns: Sequence[tuple[Values, bool]]) -> Callable[[int], tuple[int, ...]]:
    """Key of a row in an order by columns, each descending or not: twice the rank of each value.

    Odd numbers are between the values of two rows, see `rank_of`.
    """
    return lambda row: tuple(_directed(2 * values.rank(row), descending) for values, descending in columns)


def rank_of(values: Values, descending: bool, value: Any) -> int:
    """Rank of a value among those of a column, as `key_of_rows` has it, even where no row has the value."""
    if value is None:
        return _LAST
    index = bisect_left(values.distinct, value)
    exact = index < len(values.distinct) and values.distinct[index] == value
    return _directed(2 * index if exact else 2 * index - 1, descending)


def _directed(rank: int, descending: bool) -> int:
    """The rank in a direction; missing values, whose rank is less than -1, are last in both."""
    return _LAST if rank < -1 else -rank if descending else rank
