"""Columns of features as arrays to filter and sort by: values, which are present, dictionary codes, sort ranks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from geo.columnar.dictionary_array import Codes, DictionaryArray
from geo.columnar.integers import ranges
from geo.columnar.lazy_array import to_numpy
from geo.lonlat import Bools, Ints
from layers.collections.feature_table import FeatureTable
from layers.collections.geometry_index import GeometryIndex
from layers.collections.queryables import GEOMETRY, STANDS, Kind, Queryable, queryables_of

Array: TypeAlias = NDArray[Any]
#: First and last day of each row.
DaySpans: TypeAlias = tuple[NDArray[np.datetime64], NDArray[np.datetime64]]

#: What stands where a value is missing, and the dtype, of the kinds that are no objects.
_PLAIN: Mapping[Kind, tuple[object, str]] = MappingProxyType(
    {
        "integer": (0, "int64"),
        "number": (np.nan, "float64"),
        "boolean": (False, "bool"),
        # Days by their number, which is several times as fast as by numpy's own reading of dates.
        "date": (np.datetime64("NaT", "D").astype(np.int64), "int64"),
        "timestamp": (np.datetime64("NaT", "ms").astype(np.int64), "int64"),
    }
)
_EPOCH = date(1970, 1, 1).toordinal()
#: NumPy types of days and times.
_DATETIMES: Mapping[Kind, str] = MappingProxyType({"date": "<M8[D]", "timestamp": "<M8[ms]"})
_FIRST_DAY, _LAST_DAY = np.datetime64("0001-01-01"), np.datetime64("9999-12-31")


@dataclass(frozen=True, eq=False)
class TextValues:
    """Texts as codes of a dictionary.

    Parameters
    ----------
    words
        Every text once, in the order of code points.
    codes
        Index of each row's text in ``words``, shape (n,); -1 where it is missing.
    """

    words: Sequence[str]
    codes: Codes

    @classmethod
    def of(cls, column: DictionaryArray) -> TextValues:
        """Take the dictionary and the codes of a column of texts; a missing text has code -1."""
        return cls(column.dictionary, column.codes)

    def folded(self, name: str, fold: Callable[[str], str]) -> TextValues:
        """Fold each word, such as to lower case; rows whose words fold to one text get one code.

        Parameters
        ----------
        name
            Name of the fold: the result is computed once for each name.
        fold
            The fold itself, called once a word.
        """
        if name not in self._folded:
            folded = [fold(word) for word in self.words]
            words = sorted(set(folded))
            code_of = {word: code for code, word in enumerate(words)}
            codes = np.fromiter((*map(code_of.__getitem__, folded), -1), np.int32, len(folded) + 1)
            self._folded[name] = TextValues(words, _frozen(codes[self.codes]))
        return self._folded[name]

    def containing(self, text: str) -> Bools:
        """Mark the words that contain a text.

        Parameters
        ----------
        text
            A text without NUL; the empty text is in every word.

        Returns
        -------
        Bools
            Shape (number of words,).
        """
        joined, ends = self._joined
        starts = (match.start() for match in re.finditer(re.escape(text), joined))
        contains = np.zeros(len(self.words), dtype=bool)
        contains[np.searchsorted(ends, np.fromiter(starts, np.int64), side="right")] = True
        return contains

    @cached_property
    def _joined(self) -> tuple[str, Ints]:
        """All words as one text, each followed by a NUL, which is searched at once; and where each word ends."""
        return "\0".join([*self.words, ""]), np.cumsum(np.fromiter(map(len, self.words), np.int64) + 1)

    @cached_property
    def _folded(self) -> dict[str, TextValues]:
        return {}


@dataclass(frozen=True, eq=False)
class ListValues:
    """Lists of texts as codes of a dictionary, each text once in a list.

    Parameters
    ----------
    words
        Every text once, in the order of code points.
    rows, codes
        Row, and index in ``words``, of each text, ascending by row, then code.
    lengths
        Number of different texts of each row, shape (n,).
    """

    words: Sequence[str]
    rows: Ints
    codes: Codes
    lengths: Ints


@dataclass(frozen=True, eq=False)
class Values:
    """One column as arrays; read only.

    Parameters
    ----------
    kind
        The kind of its values.
    column
        The values, see `data`; texts and lists as a dictionary array.
    valid
        Which rows have a value, shape (n,); an empty geometry is none. ``None`` for texts, whose codes tell it.
    ranking
        The distinct values, ascending, and the index among them of each row's value, where they are known already.
    """

    kind: Kind
    column: Array | DictionaryArray
    valid: Bools | None = None
    ranking: tuple[Array, Codes] | None = None

    @cached_property
    def present(self) -> Bools:
        """Which rows have a value, shape (n,)."""
        return _frozen(self.words.codes >= 0) if self.valid is None else self.valid

    @cached_property
    def data(self) -> Array:
        """All values, shape (n,), of a type that the kind decides.

        Text and geometry are objects (``None`` where missing), integers int64 (0), numbers float64 (NaN), booleans bool
        (false), dates datetime64[D] (NaT), timestamps datetime64[ms] in UTC (NaT), lists tuples of texts, never
        missing. Geometries are lon/lat (OGC:CRS84), split at the antimeridian.
        """
        if not isinstance(self.column, DictionaryArray):
            return self.column
        data: Array = _frozen(self.column.to_numpy(object, self._missing))
        return data

    def at(self, rows: Ints) -> Array:
        """Read the values of rows.

        Parameters
        ----------
        rows
            Row numbers, shape (k,); of texts and lists no other rows are read.

        Returns
        -------
        Array
            Shape (k,), of the types that `data` has.
        """
        if isinstance(self.column, DictionaryArray):
            return self.column.take(rows).to_numpy(object, self._missing)
        return self.column[rows]

    @property
    def _missing(self) -> tuple[()] | None:
        return () if self.kind == "list" else None

    def value(self, row: int) -> Any:
        """The value of one row, ``None`` where it is missing."""
        if isinstance(self.column, DictionaryArray):
            return self.column[row]
        return self.column[row] if self.present[row] else None

    def rank(self, row: int) -> int:
        """Index in `distinct` of the value of one row, -1 where it is missing."""
        return self.column.code(row) if isinstance(self.column, DictionaryArray) else int(self.sort_ranks[row])

    @cached_property
    def complete(self) -> bool:
        """Whether every row has a value."""
        return bool(self.present.all())

    @cached_property
    def words(self) -> TextValues:
        """Texts as codes of a dictionary; of a text column alone."""
        return TextValues.of(self._coded)

    @cached_property
    def _coded(self) -> DictionaryArray:
        return self.column if isinstance(self.column, DictionaryArray) else DictionaryArray.of(self.column.tolist())

    @cached_property
    def lists(self) -> ListValues:
        """Lists as codes of a dictionary; of a list column alone."""
        column = self._coded
        texts = [sorted(set(texts)) for texts in column.dictionary]
        words = sorted(set(chain.from_iterable(texts)))
        code_of = dict(zip(words, range(len(words)), strict=True))
        codes = np.fromiter(map(code_of.__getitem__, chain.from_iterable(texts)), np.int32)
        # The last is that of missing rows, which have no text.
        lengths = np.array([*map(len, texts), 0], np.int64)
        sizes, starts = lengths[column.codes], (lengths.cumsum() - lengths)[column.codes]
        rows = np.repeat(np.arange(len(sizes)), sizes)
        return ListValues(words, rows, codes[ranges(starts, sizes)], sizes)

    @cached_property
    def distinct(self) -> Sequence[str] | Array:
        """Each different value once, ascending, shape (number of values,); texts in the order of code points.

        Lists and geometries have no order and none of this.
        """
        return self._coded.dictionary if self.kind == "text" else self._ranked[0]

    @cached_property
    def sort_ranks(self) -> Codes:
        """Index in `distinct` of each row's value, shape (n,); -1 where it is missing."""
        return self.words.codes if self.kind == "text" else self._ranked[1]

    @cached_property
    def _ranked(self) -> tuple[Array, Codes]:
        if self.ranking is not None:
            return self.ranking
        distinct, indices = np.unique(self.data[self.present], return_inverse=True)
        ranks = np.full(len(self.data), -1, np.int32)
        ranks[self.present] = indices
        return distinct, _frozen(ranks)


def plain_values(kind: Kind, values: Iterable[Any]) -> Values:
    """Read a column of plain values or lists; NaN and infinity are missing, as in GeoJSON.

    Parameters
    ----------
    kind
        Any kind but ``geometry``.
    values
        A value a row, ``None`` where missing, or a column that is coded already.
    """
    column = values if isinstance(values, DictionaryArray) else DictionaryArray.of(values)
    if kind == "text":
        return Values(kind, column)
    if kind == "list":
        return Values(kind, column, _frozen(np.ones(len(column), dtype=bool)))
    if kind == "number":
        column = column.map(lambda value: value if math.isfinite(value) else None)
    if kind == "date":
        column = column.map(lambda day: day.toordinal() - _EPOCH)
    if kind == "timestamp":
        column = column.map(lambda at: int(np.datetime64(at.removesuffix("Z"), "ms").astype(np.int64)))
    missing, dtype = _PLAIN[kind]
    data, distinct = column.to_numpy(dtype, missing), np.array(column.dictionary, dtype)
    if kind in _DATETIMES:
        data, distinct = data.view(_DATETIMES[kind]), distinct.view(_DATETIMES[kind])
    # The words of a column are ascending, and its codes are therefore ranks.
    return Values(kind, _frozen(data), _frozen(column.codes >= 0), (distinct, column.codes))


class ColumnValues:
    """The queryables of a collection as `Values`, each computed when it is first read.

    Parameters
    ----------
    features, geometry
        The features and their geometries, n rows each.
    known
        Values that were computed before of columns that these features have unchanged, by queryable.
    """

    def __init__(
        self,
        features: FeatureTable[Any],
        geometry: GeometryIndex,
        *,
        known: Mapping[str, Values] = MappingProxyType({}),
    ) -> None:
        self._features, self._geometry = features, geometry
        self._values = dict(known)

    @property
    def queryables(self) -> Mapping[str, Queryable]:
        """The properties to filter and sort by, by name in the order of the columns, the geometry last."""
        model: type[BaseModel] = self._features.model
        return queryables_of(model)

    def __getitem__(self, name: str) -> Values:
        """Return the values of a queryable, or of `STANDS`, as arrays, computed once.

        Raises
        ------
        KeyError
            If there is no queryable of that name.
        """
        if name not in self._values:
            self._values[name] = self["sure"] if name == STANDS.name else self._read(self.queryables[name])
        return self._values[name]

    def _read(self, queryable: Queryable) -> Values:
        if queryable.name == GEOMETRY:
            return Values("geometry", to_numpy(self._geometry.split), to_numpy(self._geometry.present))
        return plain_values(queryable.kind, self._features.columns[queryable.name])

    @cached_property
    def day_spans(self) -> DaySpans:
        """First and last day on which each row may fall, shape (n,), datetime64[D].

        Rows without a day have the first and the last day of all.
        """
        return self._day("day_first", _FIRST_DAY), self._day("day_last", _LAST_DAY)

    def _day(self, name: str, missing: np.datetime64) -> NDArray[np.datetime64]:
        if name not in self.queryables:
            return np.full(len(self._features), missing)
        days = self[name]
        return np.where(days.present, days.data, missing)

    def edited(self, features: FeatureTable[Any], geometry: GeometryIndex) -> ColumnValues:
        """The values after an edit of rows: those of columns that stay the very same are carried over.

        Parameters
        ----------
        features, geometry
            Those after the edit.
        """
        before = self._features.columns
        known = {
            name: values
            for name, values in [*self._values.items()]
            if name in before and features.columns.get(name) is before[name]
        }
        return ColumnValues(features, geometry, known=known)


def _frozen(array: Any) -> Any:
    array.setflags(write=False)
    return array
