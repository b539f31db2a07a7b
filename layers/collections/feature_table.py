"""Features of one class as columns: read by the column, and as a feature only where one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, Generic, TypeVar, overload

from pydantic import BaseModel

from geo.columnar.dictionary_array import Coded, Coder
from geo.columnar.row_edit import Splice

F = TypeVar("F", bound=BaseModel)

#: Rows that are taken in at once.
_PAGE = 4096


class FeatureTable(Sequence[F], Generic[F]):
    """A sequence of features, of which only their values are kept, each once a column.

    Parameters
    ----------
    model
        The class of the features.
    rows
        The values of each feature in the order of the fields of the class; they are taken as they are.
    """

    def __init__(self, model: type[F], rows: Iterable[Sequence[Any]]) -> None:
        filling = Filling(model)
        filling.extend(rows)
        self.model = model
        #: The values of all features by the name of the field.
        self.columns: Mapping[str, Coded] = filling.columns()

    @classmethod
    def of(cls, model: type[F], features: Iterable[F]) -> FeatureTable[F]:
        """The table of features that there are already."""
        names = list(model.model_fields)
        return cls(model, ([getattr(feature, name) for name in names] for feature in features))

    @classmethod
    def coded(cls, model: type[F], columns: Mapping[str, Coded]) -> FeatureTable[F]:
        """The table of columns that are coded already, in the order of the fields of the class."""
        made = cls.__new__(cls)
        made.model, made.columns = model, MappingProxyType(dict(columns))
        return made

    def spliced(self, other: FeatureTable[F], splice: Splice) -> FeatureTable[F]:
        """The features of this table and, after them, of another, as a splice has them."""
        columns = {name: column.spliced(other.columns[name], splice) for name, column in self.columns.items()}
        return FeatureTable.coded(self.model, columns)

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
        """The values of some fields, a tuple a feature."""
        chosen = [self.columns[name] for name in names]
        return zip(*chosen, strict=True) if chosen else iter([()] * len(self))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FeatureTable):
            return NotImplemented
        return self.model is other.model and self.columns == other.columns

    __hash__ = None  # type: ignore[assignment]


class Filling:
    """Columns of features that come part by part."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._coders = {name: Coder() for name in model.model_fields}

    def extend(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add features: the values of each in the order of the fields."""
        rows = iter(rows)
        while page := list(islice(rows, _PAGE)):
            for coder, values in zip(self._coders.values(), zip(*page, strict=True), strict=True):
                coder.extend(values)

    def columns(self) -> Mapping[str, Coded]:
        """The columns of all features so far, by the name of the field."""
        return MappingProxyType({name: coder.coded() for name, coder in self._coders.items()})
