"""Keyset cursors: where a page ended, told so that the next goes on right though features come and go.

Page by `keyed` selections: `rows(collection, keyed(selection))`, `cursor_at` for the last row of a page, `begin_after`
for where among the rows the next begins. One of their sort keys is the id, which no two features share, so that a place
in the order can be found even when the feature that stood there is gone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import orjson

from geo.columnar.chunked_array import Array
from layers.collections.collection import Collection
from layers.collections.column_values import Values
from layers.collections.queryables import Kind
from layers.query.selection import Selection, SortKey

#: Longest text that is read.
MAX_CURSOR = 65_536

_ID = "id"
#: After every place.
_LAST = 2**62


class CursorError(ValueError):
    """A text that is no cursor of the selection it is given with."""


def keyed(selection: Selection) -> Selection:
    """The selection with the id as its last sort key, where it is not one already."""
    if _is_keyed(selection):
        return selection
    return replace(selection, order=(*selection.order, SortKey(_ID)))


def cursor_at(collection: Collection, selection: Selection, row: int) -> str:
    """Opaque URL-safe text of the place of a row in the order of a selection that is `keyed`.

    Raises
    ------
    ValueError
        If the selection is not keyed.
    """
    told = [_told(collection.values(key.name), row) for key in _order(selection)]
    return _encoded(orjson.dumps([_digest(collection, selection), told]))


def begin_after(collection: Collection, selection: Selection, rows: Array, cursor: str) -> int:
    """How many of the rows do not come after a cursor: those of `layers.query.selection.rows`, selection `keyed`.

    Of a cursor made from an older version of the data no feature comes twice and none that stayed is lost.

    Raises
    ------
    CursorError
        If the text is no cursor, or one of another selection or order.
    ValueError
        If the selection is not keyed.
    """
    order = _order(selection)
    told = _read(collection, selection, cursor)
    columns = [(collection.values(key.name), key.descending) for key in order]
    place = tuple(_place(*column, value) for column, value in zip(columns, told, strict=True))
    return bisect_right(rows, place, key=_key_of(columns))


def _is_keyed(selection: Selection) -> bool:
    return any(key.name == _ID for key in selection.order)


def _order(selection: Selection) -> tuple[SortKey, ...]:
    if not _is_keyed(selection):
        raise ValueError("expected a selection that is keyed by the id")
    return selection.order


def _told(values: Values, row: int) -> object:
    """A value as JSON can hold it."""
    value = values.value(row)
    return str(value) if isinstance(value, np.datetime64) else value.item() if isinstance(value, np.generic) else value


def _key_of(columns: list[tuple[Values, bool]]) -> Callable[[int], tuple[int, ...]]:
    """What tells the place of a row in the order; between two neighbouring values of a column there is one place."""
    return lambda row: tuple(_turned(2 * values.rank(row), descending) for values, descending in columns)


def _turned(place: int, descending: bool) -> int:
    """The place in the asked direction; a missing value, whose place is negative, is last either way."""
    return _LAST if place < -1 else -place if descending else place


def _place(values: Values, descending: bool, value: Any) -> int:
    """The place of a value in a column, even where no row has it any more."""
    if value is None:
        return _LAST
    at = bisect_left(values.steps, value)
    there = at < len(values.steps) and values.steps[at] == value
    return _turned(2 * at if there else 2 * at - 1, descending)


def _digest(collection: Collection, selection: Selection) -> str:
    """Tells selections apart: what is asked of which collection, in which order."""
    asked = [
        collection.name,
        selection.bbox,
        selection.first,
        selection.last,
        None if selection.where is None else selection.where.key.hex(),
        [[key.name, key.descending] for key in selection.order],
        selection.placeless,
    ]
    return _encoded(hashlib.sha256(orjson.dumps(asked)).digest()[:9])


def _read(collection: Collection, selection: Selection, cursor: str) -> list[Any]:
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError("too long")
        digest, told = orjson.loads(_decoded(cursor))
        if digest != _digest(collection, selection) or len(told) != len(selection.order):
            raise ValueError("of another selection")
        kinds = [collection.queryables[key.name].kind for key in selection.order]
        return [_value(kind, value) for kind, value in zip(kinds, told, strict=True)]
    except (ValueError, TypeError, binascii.Error) as error:
        raise CursorError(f"expected a cursor of this selection, as in the link to its next page: {error}") from None


def _value(kind: Kind, value: Any) -> Any:
    """A value told by `_told`, as the column holds it."""
    types: dict[Kind, type] = {"text": str, "integer": int, "number": float, "boolean": bool, "date": str}
    if value is None:
        return None
    if type(value) is not types[kind]:
        raise ValueError(f"no {kind}")
    return np.datetime64(date.fromisoformat(str(value))) if kind == "date" else value


def _encoded(told: bytes) -> str:
    return base64.urlsafe_b64encode(told).rstrip(b"=").decode("ascii")


def _decoded(cursor: str) -> bytes:
    return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
