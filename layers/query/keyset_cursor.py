"""Keyset cursors: where a page ended, by values, so that the next page follows although features come and go.

Selections that are paged have the id among their sort keys (`with_tiebreak`). No two features share an id, so that a
position in the order is found even when its feature is gone: `cursor_at` gives the cursor of the last row of a page,
and `begin_after` where the next page begins in `layers.query.selection.rows`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from bisect import bisect_right
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np
import orjson

from geo.columnar.chunked_array import Array
from layers.collections.collection import Collection
from layers.collections.column_values import Values
from layers.collections.queryables import Kind
from layers.query.selection import Selection, SortKey, key_of_rows, rank_of

#: Longest cursor that is read, characters.
MAX_CURSOR = 65_536

_ID = "id"


class CursorError(ValueError):
    """A text that is no cursor, or one of another selection."""


def with_tiebreak(selection: Selection) -> Selection:
    """The selection with the id as its last sort key, unless it is a sort key already."""
    if _is_keyed(selection):
        return selection
    return replace(selection, order=(*selection.order, SortKey(_ID)))


def cursor_at(collection: Collection, selection: Selection, row: int) -> str:
    """Cursor of a row in the order of a selection with a tie-break: opaque, URL-safe text.

    Raises
    ------
    ValueError
        If the id is no sort key of the selection.
    """
    values = [_json_value(collection.values(key.name), row) for key in _order(selection)]
    return _encoded(orjson.dumps([_digest(collection, selection), values]))


def begin_after(collection: Collection, selection: Selection, rows: Array, cursor: str) -> int:
    """Number of rows up to a cursor, in the order of a selection with a tie-break.

    A cursor may be of an older version of the data: no feature is repeated, and none that stayed is left out.

    Parameters
    ----------
    collection, selection
        What is paged.
    rows
        The selected rows, from `layers.query.selection.rows`.
    cursor
        A text from `cursor_at`.

    Raises
    ------
    CursorError
        If the text is no cursor, or one of another selection or order.
    ValueError
        If the id is no sort key of the selection.
    """
    order = _order(selection)
    values = _read(collection, selection, cursor)
    columns = [(collection.values(key.name), key.descending) for key in order]
    rank = tuple(rank_of(*column, value) for column, value in zip(columns, values, strict=True))
    return bisect_right(rows, rank, key=key_of_rows(columns))


def _is_keyed(selection: Selection) -> bool:
    return any(key.name == _ID for key in selection.order)


def _order(selection: Selection) -> tuple[SortKey, ...]:
    if not _is_keyed(selection):
        raise ValueError("expected a selection that is keyed by the id")
    return selection.order


def _json_value(values: Values, row: int) -> object:
    """A value of a row as JSON can hold it; days and times are ISO texts."""
    value = values.value(row)
    return str(value) if isinstance(value, np.datetime64) else value.item() if isinstance(value, np.generic) else value


def _digest(collection: Collection, selection: Selection) -> str:
    """Digest of a collection's name, a selection and its order."""
    request = [
        collection.name,
        selection.bbox,
        selection.first,
        selection.last,
        None if selection.where is None else selection.where.key.hex(),
        [[key.name, key.descending] for key in selection.order],
        selection.include_without_geometry,
    ]
    return _encoded(hashlib.sha256(orjson.dumps(request)).digest()[:9])


def _read(collection: Collection, selection: Selection, cursor: str) -> list[Any]:
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError("too long")
        digest, values = orjson.loads(_decoded(cursor))
        if digest != _digest(collection, selection) or len(values) != len(selection.order):
            raise ValueError("of another selection")
        kinds = [collection.queryables[key.name].kind for key in selection.order]
        return [_value(kind, value) for kind, value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, binascii.Error) as error:
        raise CursorError(f"expected a cursor of this selection, as in the link to its next page: {error}") from None


def _value(kind: Kind, value: Any) -> Any:
    """A value of a cursor as the column holds it."""
    types: dict[Kind, type] = {
        "text": str,
        "integer": int,
        "number": float,
        "boolean": bool,
        "date": str,
        "timestamp": str,
    }
    if value is None:
        return None
    if type(value) is not types[kind]:
        raise ValueError(f"no {kind}")
    if kind == "timestamp":
        return np.datetime64(datetime.fromisoformat(str(value)), "ms")
    return np.datetime64(date.fromisoformat(str(value))) if kind == "date" else value


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(cursor: str) -> bytes:
    return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
