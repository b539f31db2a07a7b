"""Rows to read first: clients such as QGIS and GDAL take the types of all columns from the first features they read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.lazy_array import Array, batches
from geo.lonlat import Bools, Ints
from layers.collections.collection import Collection
from layers.collections.property_types import PropertyType, property_types

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
