"""What is asked of a collection, a box, days, a filter and an order, and the rows that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from geo.coded import Codes
from geo.crs import Bools
from layers.collection import Box, Collection, Rows
from layers.filtering import Filter
from layers.values import Values

_UNSORTABLE = ("list", "geometry")
#: After every rank, where what is missing comes.
_LAST = np.iinfo(np.int32).max


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


def rows(collection: Collection, selection: Selection) -> Rows:
    """Rows selected, in the asked order, ties by row; read only. The last ones asked for are kept.

    Raises
    ------
    OrderError
        If the order names what is no queryable, or a list or geometry.
    """
    for key in selection.order:
        require_sortable(collection, key.name)
    found: Rows = collection.recent.get(("rows", selection), lambda: _rows(collection, selection))
    return found


def is_quick(collection: Collection, selection: Selection) -> bool:
    """Whether `rows` has them at hand, or need only compare numbers to find them."""
    recent = collection.recent
    if recent.known(("rows", selection)) is not None:
        return True
    ordered = not selection.order or recent.known(("order", selection.order)) is not None
    return ordered and selection.where is None and (selection.bbox is None or collection.points is not None)


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


def _places(values: Values, descending: bool) -> Codes:
    """Where each row comes by one column, shape (n,): smaller is earlier, equal values are one, nulls are last."""
    ranks = values.ranks
    return np.where(ranks < 0, _LAST, -ranks if descending else ranks)


def _mask_key(selection: Selection) -> tuple[object, ...]:
    return "mask", selection.bbox, selection.first, selection.last, selection.where, selection.placeless


def _mask(collection: Collection, selection: Selection) -> Bools:
    found = collection.mask(selection.bbox, selection.first, selection.last, selection.placeless)
    if selection.where is not None:
        found &= selection.where.mask(collection)
    found.setflags(write=False)
    return found


def _rows(collection: Collection, selection: Selection) -> Rows:
    # The rows are kept, and the mask only where it was asked for by itself.
    chosen = collection.recent.known(_mask_key(selection))
    found = np.flatnonzero(_mask(collection, selection) if chosen is None else chosen)
    if selection.order:
        found = _arranged(found, *_ordered(collection, selection.order))
    found.setflags(write=False)
    return found


def _arranged(found: Rows, order: Rows, place: Rows) -> Rows:
    """The rows found, in the order of all; few are sorted by their places in it, more are picked from it."""
    if len(found) == len(order):
        return order
    if len(found) * 8 < len(order):
        return found[np.argsort(place[found])]
    chosen = np.zeros(len(order), dtype=bool)
    chosen[found] = True
    return order[chosen[order]]


def _ordered(collection: Collection, order: tuple[SortKey, ...]) -> Rows:
    """All rows in the asked order, and the place of each row in it, shape (2, n); the last ones asked for are kept."""
    found: Rows = collection.recent.get(("order", order), lambda: _sorted(collection, order))
    return found


def _sorted(collection: Collection, order: tuple[SortKey, ...]) -> Rows:
    keys = [_places(collection.values(key.name), key.descending) for key in reversed(order)]
    found = np.empty((2, len(collection)), dtype=np.int64)
    found[0] = np.lexsort(keys)
    found[1, found[0]] = np.arange(len(collection))
    found.setflags(write=False)
    return found
