"""Features of one class as columns of values; a feature object is built when it is read."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import ne
from types import MappingProxyType
from typing import Any, Generic, TypeVar, overload

import numpy as np
from pydantic import BaseModel

from geo.columnar.dictionary_array import DictionaryArray, DictionaryBuilder
from geo.columnar.differing_texts import DifferingTextsBuilder
from geo.columnar.row_edit import RowEdit
from geo.lonlat import Ints
from layers.model.cache import LazyMapping

F = TypeVar("F", bound=BaseModel)

#: Rows that are taken in at once.
_PAGE = 4096


class FeatureTable(Sequence[F], Generic[F]):
    """A sequence of features that is stored as columns, in which each value occurs once.

    Parameters
    ----------
    model
        The class of the features.
    rows
        The values of each feature in the order of the fields of the class; they are taken as they are.
    differing
        As for `FeatureTableBuilder`.
    """

    def __init__(self, model: type[F], rows: Iterable[Sequence[Any]], differing: Container[str] = ()) -> None:
        filling = FeatureTableBuilder(model.model_fields, differing)
        filling.extend(rows)
        self.model = model
        #: The values of all features by the name of the field.
        self.columns: Mapping[str, DictionaryArray] = filling.finish()

    @classmethod
    def of(cls, model: type[F], features: Iterable[F]) -> FeatureTable[F]:
        """Read the fields off feature objects, in their order."""
        names = list(model.model_fields)
        return cls(model, ([getattr(feature, name) for name in names] for feature in features))

    @classmethod
    def coded(cls, model: type[F], columns: Mapping[str, DictionaryArray]) -> FeatureTable[F]:
        """Take columns that are coded already.

        Parameters
        ----------
        model
            The class of the features.
        columns
            One for each field of the class, in the order of the fields, of n rows each.
        """
        table = cls.__new__(cls)
        table.model, table.columns = model, MappingProxyType(dict(columns))
        return table

    def spliced(self, other: FeatureTable[F], splice: RowEdit) -> FeatureTable[F]:
        """Apply an edit of rows.

        Parameters
        ----------
        other
            Features of the same class that rows are added from.
        splice
            Which rows of both come in which order.
        """
        columns = {name: column.with_edit(other.columns[name], splice) for name, column in self.columns.items()}
        return FeatureTable.coded(self.model, columns)

    def take(self, rows: Ints) -> FeatureTable[F]:
        """The features of rows, shape (k,), in the given order; a column is taken when it is first read."""
        table = FeatureTable[F].__new__(FeatureTable)
        columns = self.columns
        table.model, table.columns = self.model, LazyMapping([*columns], columns, lambda name: columns[name].take(rows))
        return table

    def rows_unlike(self, other: FeatureTable[F]) -> Ints:
        """The rows, ascending, that differ from those of another table of the same class and number of rows."""
        differs = np.zeros(len(self), bool)
        for name, column in self.columns.items():
            if column != (others := other.columns[name]):
                differs |= np.fromiter(map(ne, column, others), bool, len(self))
        return np.flatnonzero(differs)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @overload
    def __getitem__(self, row: int) -> F: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[F]: ...
    def __getitem__(self, row: int | slice) -> F | Sequence[F]:
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        return self.model.model_construct(**{name: column[row] for name, column in self.columns.items()})

    def rows(self, names: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        """Yield a tuple for each feature with the values of the named fields, in the order of the names."""
        chosen = [self.columns[name] for name in names]
        return zip(*chosen, strict=True) if chosen else iter([()] * len(self))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FeatureTable):
            return NotImplemented
        return self.model is other.model and self.columns == other.columns

    __hash__ = None  # type: ignore[assignment]


def rows_of(ids: DictionaryArray, named: DictionaryArray) -> Ints:
    """The row of each value of a column, shape (n,), among ids that each occur once, and are all that it names."""
    row = np.empty(len(ids), np.int64)
    row[ids.codes] = np.arange(len(ids))
    if len(named.dictionary) < len(ids):
        known = set(named.dictionary)
        # Both dictionaries are ascending.
        row = row[np.fromiter((key in known for key in ids.dictionary), bool, len(ids))]
    return row[named.codes]


class FeatureTableBuilder:
    """Builds the columns of features that come part by part.

    Parameters
    ----------
    names
        Of the columns.
    differing
        Names of the columns of texts, none of them missing, of which most rows have one of their own.
    """

    def __init__(self, names: Iterable[str], differing: Container[str] = ()) -> None:
        self._coders = {name: DifferingTextsBuilder() if name in differing else DictionaryBuilder() for name in names}

    def extend(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows: the values of each in the order of the columns."""
        rows = iter(rows)
        while page := list(islice(rows, _PAGE)):
            for coder, values in zip(self._coders.values(), zip(*page, strict=True), strict=True):
                coder.extend(values)

    def extend_columns(self, columns: Mapping[str, Iterable[Any]]) -> None:
        """Add the same number of values to each column by its name."""
        for name, values in columns.items():
            self._coders[name].extend(values)

    def finish(self) -> Mapping[str, DictionaryArray]:
        """Give each column by its name, in their order; what they are built of is freed column by column."""
        names, coders = [*self._coders], self._coders
        return MappingProxyType({name: coders.pop(name).finish() for name in names})
