"""Columns of features as arrays: values, which are there, texts as codes of a dictionary, ranks to sort by."""

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

from geo.columnar.dictionary_array import Coded, Codes
from geo.columnar.ranges import ranges
from geo.lonlat import Bools, Ints
from layers.collections.queryables import Kind

Array: TypeAlias = NDArray[Any]

#: What stands where a value is missing, and the dtype, of the kinds that are no objects.
_PLAIN: Mapping[Kind, tuple[object, str]] = MappingProxyType(
    {
        "integer": (0, "int64"),
        "number": (np.nan, "float64"),
        "boolean": (False, "bool"),
        # Days by their number, which is several times as fast as by numpy's own reading of dates.
        "date": (np.datetime64("NaT", "D").astype(np.int64), "int64"),
    }
)
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, eq=False)
class Words:
    """Texts as codes of a dictionary.

    Parameters
    ----------
    words
        Every text once, in the order of code points.
    codes
        Place of each row's text in ``words``, shape (n,); -1 where it is missing.
    """

    words: Sequence[str]
    codes: Codes

    @classmethod
    def of(cls, column: Coded) -> Words:
        """The texts of a column."""
        return cls(column.words, column.codes)

    def folded(self, name: str, fold: Callable[[str], str]) -> Words:
        """The same with each text folded; made once for each name of a fold."""
        if name not in self._folded:
            folded = [fold(word) for word in self.words]
            words = sorted(set(folded))
            place = {word: code for code, word in enumerate(words)}
            moved = np.fromiter((*map(place.__getitem__, folded), -1), np.int32, len(folded) + 1)
            self._folded[name] = Words(words, _frozen(moved[self.codes]))
        return self._folded[name]

    def holding(self, piece: str) -> Bools:
        """Which of the words hold a text that has no NUL, shape (number of words,)."""
        joined, ends = self._joined
        found = (match.start() for match in re.finditer(re.escape(piece), joined))
        holds = np.zeros(len(self.words), dtype=bool)
        holds[np.searchsorted(ends, np.fromiter(found, np.int64), side="right")] = True
        return holds

    @cached_property
    def _joined(self) -> tuple[str, Ints]:
        """All words as one text, which is searched at once, each with a NUL behind; and where each ends."""
        return "\0".join([*self.words, ""]), np.cumsum(np.fromiter(map(len, self.words), np.int64) + 1)

    @cached_property
    def _folded(self) -> dict[str, Words]:
        return {}


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of texts as codes of a dictionary, each text once a list.

    Parameters
    ----------
    words
        Every text once, in the order of code points.
    rows, codes
        Row and place in ``words`` of each text, ascending by row, then code.
    lengths
        Number of different texts of each row, shape (n,).
    """

    words: Sequence[str]
    rows: Ints
    codes: Codes
    lengths: Ints


@dataclass(frozen=True, eq=False)
class Values:
    """One column; read only.

    Parameters
    ----------
    kind
        What its values are.
    told
        The values, see `data`; texts as they are coded.
    there
        Which rows have a value, shape (n,); an empty geometry is none. Texts tell it themselves.
    """

    kind: Kind
    told: Array | Coded
    there: Bools | None = None

    @cached_property
    def present(self) -> Bools:
        """Which rows have a value, shape (n,)."""
        return _frozen(self.words.codes >= 0) if self.there is None else self.there

    @cached_property
    def data(self) -> Array:
        """All values.

        Shape (n,): text and geometry as objects (``None`` where missing), integer as int64 (0), number as float64
        (NaN), boolean as bool (false), date as datetime64[D] (NaT), list as tuples of texts, never missing.
        Geometries are lon/lat (OGC:CRS84), cut at the antimeridian.
        """
        return _frozen(self.told.array(object, self._missing)) if isinstance(self.told, Coded) else self.told

    def at(self, rows: Ints) -> Array:
        """The values of some rows, as in `data`; of texts and lists no others are read."""
        return self.told.at(rows).array(object, self._missing) if isinstance(self.told, Coded) else self.told[rows]

    @property
    def _missing(self) -> tuple[()] | None:
        return () if self.kind == "list" else None

    def value(self, row: int) -> Any:
        """The value of one row, ``None`` where it is missing."""
        if isinstance(self.told, Coded):
            return self.told[row]
        return self.told[row] if self.present[row] else None

    def rank(self, row: int) -> int:
        """Place of the value of one row in `steps`, -1 where it is missing."""
        return int(self.ranks[row]) if not isinstance(self.told, Coded) else self.told.code(row)

    @cached_property
    def complete(self) -> bool:
        """Whether every row has a value."""
        return bool(self.present.all())

    @cached_property
    def words(self) -> Words:
        """Texts as codes of a dictionary; of a text column alone."""
        return Words.of(self._coded)

    @cached_property
    def _coded(self) -> Coded:
        return self.told if isinstance(self.told, Coded) else Coded.of(self.told.tolist())

    @cached_property
    def lists(self) -> Lists:
        """Lists as codes of a dictionary; of a list column alone."""
        column = self._coded
        each = [sorted(set(texts)) for texts in column.words]
        words = sorted(set(chain.from_iterable(each)))
        place = dict(zip(words, range(len(words)), strict=True))
        told = np.fromiter(map(place.__getitem__, chain.from_iterable(each)), np.int32)
        # What is missing is the last, and holds none.
        lengths = np.array([*map(len, each), 0], np.int64)
        sizes, starts = lengths[column.codes], (lengths.cumsum() - lengths)[column.codes]
        rows = np.repeat(np.arange(len(sizes)), sizes)
        return Lists(words, rows, told[ranges(starts, sizes)], sizes)

    @cached_property
    def steps(self) -> Sequence[str] | Array:
        """Every different value once, ascending; texts by code point. Neither of lists nor of geometries."""
        return self._coded.words if self.kind == "text" else self._ranked[0]

    @cached_property
    def ranks(self) -> Codes:
        """Place of each row's value in ``steps``, shape (n,); -1 where it is missing."""
        return self.words.codes if self.kind == "text" else self._ranked[1]

    @cached_property
    def _ranked(self) -> tuple[Array, Codes]:
        steps, places = np.unique(self.data[self.present], return_inverse=True)
        ranks = np.full(len(self.data), -1, np.int32)
        ranks[self.present] = places
        return steps, _frozen(ranks)


def plain_values(kind: Kind, told: Iterable[Any]) -> Values:
    """A column of plain values or lists, ``None`` where missing; NaN and infinity are missing, as in GeoJSON."""
    column = told if isinstance(told, Coded) else Coded.of(told)
    if kind == "text":
        return Values(kind, column)
    if kind == "list":
        return Values(kind, column, _frozen(np.ones(len(column), dtype=bool)))
    if kind == "number":
        column = column.map(lambda value: value if math.isfinite(value) else None)
    if kind == "date":
        column = column.map(lambda day: day.toordinal() - _EPOCH)
    missing, dtype = _PLAIN[kind]
    data, steps = column.array(dtype, missing), np.array(column.words, dtype)
    if kind == "date":
        data, steps = data.view("<M8[D]"), steps.view("<M8[D]")
    made = Values(kind, _frozen(data), _frozen(column.codes >= 0))
    vars(made)["_ranked"] = steps, column.codes  # words are in order
    return made


def _frozen(array: Any) -> Any:
    array.setflags(write=False)
    return array
