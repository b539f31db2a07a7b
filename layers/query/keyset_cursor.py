"""Keyset cursors: where a page ended, by values, so that the next page follows although features come and go.

Selections that are paged have the id among their sort keys (`with_tiebreak`). No two features share an id, so that a
position in the order is found even when its feature is gone: `cursor_at` gives the cursor of the last row of a page,
and `begin_after` where the next page begins in `layers.query.selection.rows`. `PagedRows` puts a few rows before these.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np
import orjson

from geo.columnar.chunked_array import Array
from layers.collections.collection import Collection, Rows
from layers.collections.column_values import Values
from layers.collections.queryables import Kind
from layers.query.selection import Selection, SortKey, key_of_rows, rank_of
from layers.query.selection import rows as selected_rows

#: Longest cursor that is read, characters.
MAX_CURSOR = 65_536
#: Most rows that come first or last.
_MOST_MOVED = 64

_ID = "id"


class CursorError(ValueError):
    """A text that is no cursor, or one of another selection."""


def with_tiebreak(selection: Selection) -> Selection:
    """The selection with the id as its last sort key, unless it is a sort key already."""
    if _is_keyed(selection):
        return selection
    return replace(selection, order=(*selection.order, SortKey(_ID)))


def cursor_at(
    collection: Collection, selection: Selection, row: int, first: Sequence[str] = (), last: Sequence[str] = ()
) -> str:
    """Cursor of a row in the order of a selection with a tie-break: opaque, URL-safe text.

    Parameters
    ----------
    first, last
        Ids of the rows that come before and after all others, see `PagedRows`.

    Raises
    ------
    ValueError
        If the id is no sort key of the selection.
    """
    values = [_json_value(collection.values(key.name), row) for key in _order(selection)]
    return _encoded(orjson.dumps([_digest(collection, selection), values, *([first, last] if first or last else [])]))


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
    values, _, _ = _read(collection, selection, cursor)
    columns = [(collection.values(key.name), key.descending) for key in order]
    rank = tuple(rank_of(*column, value) for column, value in zip(columns, values, strict=True))
    return bisect_right(rows, rank, key=key_of_rows(columns))


class PagedRows:
    """Selected rows as pages have them: a few first, then all others in the order of the selection, a few last.

    Parameters
    ----------
    collection, selection
        What is paged, with a tie-break.
    moved
        Ids of rows that come first, and of those that come last; one that is not selected is passed over.
    cursor
        Where the page before ended. Those rows come first and last then that did so there.

    Raises
    ------
    CursorError
        If the text is no cursor, or one of another selection or order.
    """

    def __init__(
        self,
        collection: Collection,
        selection: Selection,
        moved: tuple[Sequence[str], Sequence[str]] = ((), ()),
        cursor: str | None = None,
    ) -> None:
        self._collection, self._selection, shown = collection, selection, None
        first, last = moved
        if cursor is not None:
            values, first, last = _read(collection, selection, cursor)
            shown = values[[by.name for by in selection.order].index(_ID)]
        self._ids = [*first], [*last]
        self._rows = selected_rows(collection, selection)
        self._key = key_of_rows([(collection.values(by.name), by.descending) for by in _order(selection)])
        self._first, self._last = map(self._selected, self._ids)
        self._moved = np.concatenate([self._first, self._last])
        # Where they would be by the order alone.
        self._at = sorted(map(self._position, self._moved.tolist()))
        #: Number of rows up to the cursor.
        self.begin = 0
        if shown in first:
            self.begin = len(self._selected(first[: first.index(shown) + 1]))
        elif shown in last:
            self.begin = len(self)
        elif cursor is not None:
            at = begin_after(collection, selection, self._rows, cursor)
            self.begin = len(self._first) + at - bisect_left(self._at, at)

    def _position(self, row: int) -> int:
        return bisect_left(self._rows, self._key(row), key=self._key)

    def _selected(self, ids: Iterable[str]) -> Rows:
        """Rows of ids, without those that are not selected."""
        known = [row for row in map(self._collection.rows_by_id.get, ids) if row is not None]
        return np.array([row for row in known if row in self._rows[(at := self._position(row)) : at + 1]], np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def page(self, begin: int, limit: int) -> Rows:
        """At most so many rows from a position on, shape (k,)."""
        start = max(0, begin - len(self._first))
        for at in self._at:
            start += at <= start
        others = self._rows[start : start + limit + len(self._moved)]
        others = others[~np.isin(others, self._moved)]
        last = self._last[max(0, begin + len(self._last) - len(self)) :]
        return np.concatenate([self._first[begin:], others, last])[:limit]

    def cursor(self, row: int) -> str:
        """Cursor of the last row of a page."""
        return cursor_at(self._collection, self._selection, row, *self._ids)


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


def _read(collection: Collection, selection: Selection, cursor: str) -> tuple[list[Any], list[str], list[str]]:
    """Values of the last row, and ids of the rows that come first and last."""
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError("too long")
        digest, values, *moved = orjson.loads(_decoded(cursor))
        first, last = moved or ([], [])
        if digest != _digest(collection, selection) or len(values) != len(selection.order):
            raise ValueError("of another selection")
        if len(first + last) > _MOST_MOVED:
            raise ValueError("too many rows first")
        kinds = [collection.queryables[key.name].kind for key in selection.order]
        read = [_value(kind, value) for kind, value in zip(kinds, values, strict=True)]
        return read, [*map(str, first)], [*map(str, last)]
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
