"""What is asked of a collection, a box, days, a filter and an order, and the rows that answer it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from geo.columnar.chunked_array import Array, numbered, places, spliced, whole
from geo.columnar.row_edit import Splice
from geo.lonlat import Bools, Ints
from layers.collections.collection import Box, Collection, Rows
from layers.collections.column_values import Values
from layers.query.filter import Filter

#: The order of a collection before is mended where so many rows came and went; where more did, all are sorted.
_FEW = 32
_NONE: Ints = np.empty(0, np.int64)
_UNSORTABLE = ("list", "geometry")


class OrderError(ValueError):
    """An order by something that cannot be sorted by; ``expected`` names what can."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"sortby {name[:80]!r}: expected {expected}")
        self.expected = expected


@dataclass(frozen=True, slots=True)
class SortKey:
    """One property to sort by; nulls come last either way."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which features, in which order; everything given must hold.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees; west > east crosses the antimeridian.
    first, last
        Days, inclusive; a row that may fall between them is kept, so is one without days.
    where
        A filter.
    order
        Sort keys, most important first; ties and the rest are in the order of the rows. Texts are sorted by code point.
    placeless
        Whether a row without a place is kept by every box (OGC 17-069r4, /req/core/fc-bbox-response), else by none.
    """

    bbox: Box | None = None
    first: date | None = None
    last: date | None = None
    where: Filter | None = None
    order: tuple[SortKey, ...] = ()
    placeless: bool = True


def mask(collection: Collection, selection: Selection) -> Bools:
    """Which rows are selected, shape (n,); read only. The last ones asked for are kept."""
    found: Bools = collection.recent.get(_mask_key(selection), lambda: _mask(collection, selection))
    return found


def rows(collection: Collection, selection: Selection) -> Array:
    """Rows selected, in the asked order, ties by row; read only. The last ones asked for are kept.

    Raises
    ------
    OrderError
        If the order names what is no queryable, or a list or geometry.
    """
    for key in selection.order:
        require_sortable(collection, key.name)
    found: Array = collection.recent.get(("rows", selection), lambda: _rows(collection, selection))
    return found


def is_quick(collection: Collection, selection: Selection) -> bool:
    """Whether `rows` has them at hand, or need only compare numbers to find them."""
    recent = collection.recent
    if recent.known(("rows", selection)) is not None:
        return True
    ordered = not selection.order or recent.known(("order", selection.order)) is not None
    return ordered and selection.where is None and (selection.bbox is None or collection.is_points)


def require_sortable(collection: Collection, name: str) -> None:
    """Refuse to sort by what has no order.

    Raises
    ------
    OrderError
        If there is no such queryable, or it is a list or geometry.
    """
    known = collection.queryables.get(name)
    if known is None or known.kind in _UNSORTABLE:
        sortable = (one.name for one in collection.queryables.values() if one.kind not in _UNSORTABLE)
        raise OrderError(name, f"one of {', '.join(sortable)}")


def _places(values: Values, descending: bool) -> Ints:
    """Where each row comes by one column, shape (n,): smaller is earlier, equal values are one, nulls are last."""
    ranks, count = values.ranks.astype(np.int64), len(values.steps)
    if descending:
        ranks = np.where(ranks < 0, ranks, count - 1 - ranks)
    ranks[ranks < 0] = count
    return ranks


def _mask_key(selection: Selection) -> tuple[object, ...]:
    return "mask", selection.bbox, selection.first, selection.last, selection.where, selection.placeless


def _mask(collection: Collection, selection: Selection) -> Bools:
    found = collection.mask(selection.bbox, selection.first, selection.last, selection.placeless)
    if selection.where is not None:
        found &= selection.where.mask(collection)
    found.setflags(write=False)
    return found


def _rows(collection: Collection, selection: Selection) -> Array:
    if selection.order and selection == Selection(order=selection.order):
        return _ordered(collection, selection.order).rows
    # The rows are kept, and the mask only where it was asked for by itself.
    chosen = collection.recent.known(_mask_key(selection))
    found = np.flatnonzero(_mask(collection, selection) if chosen is None else chosen)
    if selection.order:
        found = _arranged(found, _ordered(collection, selection.order))
    found.setflags(write=False)
    return found


def _arranged(found: Rows, order: _Order) -> Rows:
    """The rows found, in the order of all; few are sorted by their places in it, more are picked from it."""
    if order.natural:
        return found
    if len(found) * 8 < len(order.rows):
        return found[np.argsort(order.places[found])]
    every: Rows = whole(order.rows)
    chosen = np.zeros(len(every), dtype=bool)
    chosen[found] = True
    return every[chosen[every]]


@dataclass(frozen=True, eq=False, slots=True)
class _Order:
    """All rows in an order, the place of each row in it, shape (n,), and whether that is the order of the rows."""

    rows: Array
    places: Array
    natural: bool

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes + self.places.nbytes


def _ordered(collection: Collection, order: tuple[SortKey, ...]) -> _Order:
    """All rows in the asked order; the last ones asked for are kept."""
    found: _Order = collection.recent.get(("order", order), lambda: _spliced(collection, order))
    return found


def _spliced(collection: Collection, order: tuple[SortKey, ...]) -> _Order:
    """The same from the order of the collection before, where that is known and few rows are others."""
    splice, orders = collection.former or (None, {})
    before: _Order | None = orders.pop(("order", order), None)
    if splice is None or before is None or not splice.is_rising or len(splice.gone) + len(splice.came) > _FEW:
        return _sorted(collection, order)
    lost = np.sort(before.places[splice.gone])
    without = Splice.exchanging(splice.own, lost, _NONE)
    key = _key_of([(collection.values(one.name), one.descending) for one in order])
    came = np.array(sorted(splice.came_at.tolist(), key=key), np.int64)
    # Rows that come are numbered on after those of before, and so are their places.
    old, numbers = numbered(before.rows, splice.own)
    now = splice.over(numbers)
    stayed = spliced(old, _NONE, without)
    kept = places(stayed, now)
    at = np.array([bisect_left(kept, key(row), key=key) for row in came.tolist()], np.int64)
    among = Splice.exchanging(len(kept), _NONE, at)
    added = splice.order.rows(came) - splice.own
    told = places(spliced(stayed, numbers.sources + added, among), now)
    old, numbers = numbered(before.places, splice.own)
    new = np.empty(splice.other, np.int64)
    new[added] = numbers.sources + np.arange(len(added))
    natural = before.natural and np.array_equal(at + np.arange(len(at)), came)
    return _Order(told, places(spliced(old, new, splice), among.over(without.over(numbers))), natural)


def _key_of(columns: Sequence[tuple[Values, bool]]) -> Callable[[int], tuple[int, ...]]:
    """What tells where a row comes in an order."""
    ranks = [(values, len(values.steps), descending) for values, descending in columns]

    def key(row: int) -> tuple[int, ...]:
        return (*(_turned(values.rank(row), count, descending) for values, count, descending in ranks), row)

    return key


def _turned(rank: int, count: int, descending: bool) -> int:
    return count if rank < 0 else count - 1 - rank if descending else rank


def _sorted(collection: Collection, order: tuple[SortKey, ...]) -> _Order:
    count = len(collection)
    found, at = np.arange(count), np.empty(count, np.int64)
    for key in reversed(order):
        values = collection.values(key.name)
        ranks = _places(values, key.descending)
        if len(values.steps) == count:
            # Each row has a value of its own, so that its place among the values is its place.
            found[ranks] = np.arange(count)
        else:
            found = _by_digits(found, ranks, len(values.steps))
    at[found] = np.arange(count)
    for one in (found, at):
        one.setflags(write=False)
    return _Order(found, at, np.array_equal(found, np.arange(count)))


def _by_digits(order: Rows, places: Ints, largest: int) -> Rows:
    """Sort rows by their places, equal ones as they come; 16 bits at once, which is counting, not comparing."""
    for shift in range(0, max(1, largest.bit_length()), 16):
        digits = (places >> shift).astype(np.uint16)
        order = order[np.argsort(digits[order], kind="stable")]
    return order
