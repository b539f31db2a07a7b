"""Keyset cursors: where a page ended, by values, so that the next page follows although features come and go.

Selections that are paged have the id among their sort keys (`with_tiebreak`). No two features share an id, so that a
position in the order is found even when its feature is gone: `cursor_at` gives the cursor of the last row of a page,
and `begin_after` where the next page begins in `layers.query.selection.rows`. `PagedRows` puts a few rows before these,
such as `TypeExamples`: QGIS, GDAL and others take the types of all columns from the first features that they read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import orjson

from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.lazy_array import Array, batches
from geo.lonlat import Bools, Ints
from layers.collections.collection import Collection, Rows
from layers.collections.column_values import Values
from layers.collections.property_types import PropertyType, property_types
from layers.collections.queryables import Kind
from layers.query.selection import Selection, SortKey, key_of_rows, rank_of
from layers.query.selection import rows as selected_rows

#: Longest cursor that is read, characters.
MAX_CURSOR = 65_536
#: Most rows that come first or last.
_MOST_MOVED = 64
#: Ids of rows that come first, and of those that come last.
Moved: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
NOTHING_MOVED: Moved = ((), ())

_ID = "id"


class CursorError(ValueError):
    """A text that is no cursor, or one of another selection."""


def with_tiebreak(selection: Selection) -> Selection:
    """The selection with the id as its last sort key, unless it is a sort key already."""
    if _is_keyed(selection):
        return selection
    return replace(selection, order=(*selection.order, SortKey(_ID)))


def cursor_at(collection: Collection, selection: Selection, row: int, moved: Moved = NOTHING_MOVED) -> str:
    """Cursor of a row in the order of a selection with a tie-break: opaque, URL-safe text.

    Raises ValueError if the id is no sort key of the selection.

    ``moved``: ids of the rows that come before all others, and of those that come after, see `PagedRows`.
    """
    values = [_json_value(collection.values(key.name), row) for key in _order(selection)]
    return _encoded(orjson.dumps([_digest(collection, selection), values, *(moved if any(moved) else ())]))


def begin_after(collection: Collection, selection: Selection, rows: Array, cursor: str) -> int:
    """Number of rows up to a cursor, in the order of a selection with a tie-break.

    A cursor may be of an older version of the data: no feature is repeated, and none that stayed is left out.

    Raises CursorError if the text is no cursor, or one of another selection or order; ValueError if the id is no sort
    key of the selection.

    Parameters
    ----------
    collection, selection
        What is paged.
    rows
        The selected rows, from `layers.query.selection.rows`.
    cursor
        A text from `cursor_at`.
    """
    order = _order(selection)
    values, _ = _read(collection, selection, cursor)
    columns = [(collection.values(key.name), key.descending) for key in order]
    rank = tuple(rank_of(*column, value) for column, value in zip(columns, values, strict=True))
    return bisect_right(rows, rank, key=key_of_rows(columns))


@dataclass(frozen=True, eq=False)
class PagedRows:
    """Selected rows as pages have them: a few first, then all others in the order of the selection, a few last.

    Parameters
    ----------
    rows
        The selected rows in their order.
    first, last
        Those of them that come first and last.
    moved_from
        Where these are in the order, ascending.
    """

    rows: Array
    first: Rows
    last: Rows
    moved_from: Sequence[int]

    @classmethod
    def of(
        cls, collection: Collection, selection: Selection, moved: Moved = NOTHING_MOVED, cursor: str | None = None
    ) -> tuple[PagedRows, int]:
        """Return the selected rows, and how many of them come up to a cursor; the last answers are cached.

        Raises CursorError if the text is no cursor, or one of another selection or order.

        Parameters
        ----------
        collection, selection
            What is paged, with a tie-break.
        moved
            Ids of rows that come first, and of those that come last; one that is not selected is passed over.
        cursor
            Where the page before ended; those rows come first and last then that did so there.
        """
        values: list[Any] = []
        if cursor is not None:
            values, moved = _read(collection, selection, cursor)
        pages: PagedRows = collection.query_cache.get_or_compute(
            ("pages", selection, moved), lambda: cls._of(collection, selection, moved)
        )
        return pages, 0 if cursor is None else pages._begin(collection, selection, moved, cursor, values)

    @classmethod
    def _of(cls, collection: Collection, selection: Selection, moved: Moved) -> PagedRows:
        every = selected_rows(collection, selection)
        key = key_of_rows([(collection.values(by.name), by.descending) for by in _order(selection)])
        found: list[dict[int, int]] = []
        for ids in moved:
            known = [row for row in map(collection.rows_by_id.get, ids) if row is not None]
            places = {row: bisect_left(every, key(row), key=key) for row in known}
            found.append({row: at for row, at in places.items() if row in every[at : at + 1]})
        first, last = (np.array([*places], np.int64) for places in found)
        return cls(every, first, last, sorted(chain.from_iterable(places.values() for places in found)))

    def _begin(
        self, collection: Collection, selection: Selection, moved: Moved, cursor: str, values: Sequence[Any]
    ) -> int:
        shown = values[[by.name for by in selection.order].index(_ID)]
        if shown in moved[0]:
            before = moved[0][: moved[0].index(shown) + 1]
            return sum(collection.rows_by_id.get(name) in self.first for name in before)
        if shown in moved[1]:
            return len(self.rows)
        at = begin_after(collection, selection, self.rows, cursor)
        return len(self.first) + at - bisect_left(self.moved_from, at)

    @property
    def nbytes(self) -> int:
        """Bytes beside the selected rows, which are cached by themselves."""
        return self.first.nbytes + self.last.nbytes

    def page(self, begin: int, limit: int) -> Rows:
        """At most so many rows from a position on, shape (k,)."""
        if not self.moved_from:
            return self.rows[begin : begin + limit]
        start = max(0, begin - len(self.first))
        for at in self.moved_from:
            start += at <= start
        end = start + limit + len(self.moved_from)
        others = self.rows[start:end]
        if left_out := [at - start for at in self.moved_from if start <= at < end]:
            others = np.delete(others, left_out)
        last = self.last[max(0, begin + len(self.last) - len(self.rows)) :]
        return np.concatenate([self.first[begin:], others, last])[:limit]

    def cursor(self, collection: Collection, selection: Selection, row: int) -> str:
        """Cursor of the last row of a page."""
        first, last = (tuple(map(collection.ids.__getitem__, rows.tolist())) for rows in (self.first, self.last))
        return cursor_at(collection, selection, row, (first, last))


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


def _read(collection: Collection, selection: Selection, cursor: str) -> tuple[list[Any], Moved]:
    """Values of the last row, and ids of the rows that come first and last."""
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError("too long")
        digest, values, *moved = orjson.loads(_decoded(cursor))
        if digest != _digest(collection, selection) or len(values) != len(selection.order):
            raise ValueError("of another selection")
        first, last = moved or NOTHING_MOVED
        if len(first) + len(last) > _MOST_MOVED:
            raise ValueError("too many rows first")
        kinds = [collection.queryables[key.name].kind for key in selection.order]
        read = [_value(kind, value) for kind, value in zip(kinds, values, strict=True)]
        return read, (tuple(map(str, first)), tuple(map(str, last)))
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


#: Which of some values show the type of their column.
_Test: TypeAlias = Callable[[Any], Bools]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_BLOCK_ROWS = 1 << 12


@dataclass(frozen=True, eq=False, slots=True)
class TypeExamples:
    """Rows whose values show the type of every column and that there is a geometry, so that few rows tell it of all.

    A date of the Extended Date/Time Format that is no plain day shows that its column is text; of numbers, flags, days
    and times any value will do. Texts and lists need none. A column without such a value has no row.

    Parameters
    ----------
    first
        Shape (k,), at most one row a column, mostly two to five in all.
    last
        Shape (0,) or (1,): another date that is no plain day, for the end, where a page may be short.
    ids
        Ids of the first rows, and of the last.
    """

    first: Ints
    last: Ints
    ids: tuple[tuple[str, ...], tuple[str, ...]]

    @classmethod
    def of(cls, collection: Collection) -> TypeExamples:
        """Find the rows of a collection, once for a version of it."""
        examples: TypeExamples = collection.all_rows_cache.get_or_compute(
            ("type examples",), lambda: _examples(collection)
        )
        return examples

    @property
    def nbytes(self) -> int:
        """Bytes of both."""
        return self.first.nbytes + self.last.nbytes


_NO_ROWS: Ints = np.empty(0, np.int64)


def _examples(collection: Collection) -> TypeExamples:
    columns, kinds = collection.features.columns, property_types(collection.model)
    tested: list[tuple[Array, _Test]] = [
        (columns[name].codes, _test(columns[name], kind))
        for name, kind in kinds.items()
        if kind not in ("text", "list")
    ]
    tested.append((collection.geometry.present, np.asarray))
    steps = [*batches(len(collection), _BLOCK_ROWS)]
    first = last = _NO_ROWS
    for values, shows_type in tested:
        if not shows_type(values[first]).any():
            first = np.append(first, _found(values, shows_type, steps)[:1])
    for name in (name for name, kind in kinds.items() if kind == "edtf"):
        last = _found(columns[name].codes, _test(columns[name], "edtf"), reversed(steps))
    last = np.setdiff1d(last, first)[-1:]
    return TypeExamples(first, last, (tuple(collection.ids.take(first)), tuple(collection.ids.take(last))))


def _found(values: Array, shows_type: _Test, steps: Iterable[slice]) -> Ints:
    """The rows of the first step that has some, ascending; empty where none has."""
    found = (rows.start + np.flatnonzero(shows_type(values[rows])) for rows in steps)
    return next(filter(len, found), _NO_ROWS)


def _test(column: DictionaryArray, kind: PropertyType) -> _Test:
    """Give which of some codes of a column are of values that show its type."""
    if kind != "edtf":
        return lambda codes: codes >= 0
    # The last is that of missing values, whose code is -1.
    is_text = np.array([*(_DAY.fullmatch(word) is None for word in column.dictionary), False])
    return lambda codes: is_text[codes]
