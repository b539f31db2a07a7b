"""Feature properties of vector tiles: columns of one type each, as distinct values and the code of each row's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.columnar.binary_array import BinaryArray, DecodedArray, text_array
from geo.columnar.dictionary_array import Codes, DictionaryArray
from geo.errors import GeoError
from geo.lonlat import Ints
from geo.tiles.protobuf import ByteRows
from geo.tiles.value_messages import number_messages, text_rows

#: Kinds of NumPy's types of which all values are of one type.
_KINDS = "biufU"
#: Types of values as arrays have them; texts are bytes.
_DTYPES: dict[type, type[np.generic]] = {bool: np.bool_, int: np.int64, float: np.float64}
#: Most values of a column whose values are encoded once, and not for each tile.
_MAX_COMMON_VALUES = 4096
_VALUE_TYPES = {str, *_DTYPES}


class PropertyValues:
    """The distinct values of a column, n of them; what formats encode of them is encoded once.

    Parameters
    ----------
    name
        Of the column.
    words
        The values, of one type: str, int, float or bool.

    Attributes
    ----------
    texts
        The values in UTF-8; ``None`` where they are no texts.
    numbers
        The values as an array of bool, int64 or float64, shape (n,), empty where they are texts.

    Raises
    ------
    GeoError
        When the values are of more than one type or of another, or whole numbers of more than 64 bits.
    """

    def __init__(self, name: str, words: Sequence[Any]) -> None:
        self.name, self.words = name, words
        self._count = len(words)  # which lists of texts look up in lists that they are made of
        kind = _type_of(name, words)
        self.texts = _texts(words) if kind is str else None
        self.numbers: npt.NDArray[Any] = np.empty(0) if kind is str else _numbers(words, kind)

    def __len__(self) -> int:
        return self._count

    @property
    def rank(self) -> int:
        """0 of few values, whose `messages` are stored; 1 of many numbers, 2 of many texts."""
        return 0 if len(self) <= _MAX_COMMON_VALUES else 1 if self.texts is None else 2

    @cached_property
    def messages(self) -> ByteRows:
        """The values as Value messages of Mapbox Vector Tiles, a row each."""
        return number_messages(self.numbers) if self.texts is None else text_rows(self.texts)

    @cached_property
    def starts(self) -> Ints:
        """First byte of each of the `messages`, shape (n,)."""
        return self.messages.starts()


class PropertyColumns:
    """Properties of all rows of a layer.

    Parameters
    ----------
    columns
        Values by name, one a row; a row has no such property where the value is None, NaN or NA.
    rows
        Number of rows.
    previous
        Properties before an edit; what is encoded is shared where a dictionary is the very same.

    Attributes
    ----------
    values
        The distinct values of each column.

    Raises
    ------
    GeoError
        When a column does not fit the rows, or its values are of more than one type, or of another than str, int,
        float or bool.
    """

    def __init__(
        self, columns: Mapping[str, Sequence[Any]], rows: int, previous: PropertyColumns | None = None
    ) -> None:
        known = {} if previous is None else {values.name: values for values in previous.values}
        self.values: list[PropertyValues] = []
        self._columns: list[DictionaryArray] = []
        for name, given in columns.items():
            if len(given) != rows:
                raise GeoError(f"column {name}: expected {rows} values, got {len(given)}")
            shared = known.get(name)
            if shared is not None and isinstance(given, DictionaryArray) and given.dictionary is shared.words:
                column, values = given, shared
            else:
                column = _coded(name, given)
                values = PropertyValues(name, column.dictionary)
            self._columns.append(column)
            self.values.append(values)

    @cached_property
    def order(self) -> list[int]:
        """Indices of the columns as their values stand in tiles: those of few values first, of many texts last."""
        return sorted(range(len(self.values)), key=lambda index: self.values[index].rank)

    def codes_at(self, rows: Ints) -> Codes:
        """Codes of each column at rows, shape (columns, rows), -1 where a row has no value."""
        codes = np.empty((len(self._columns), len(rows)), np.int32)
        for column, out in zip(self._columns, codes, strict=True):
            column.codes.take(rows, out=out, mode="clip")
        return codes


def _texts(words: Sequence[Any]) -> BinaryArray:
    return words.binary if isinstance(words, DecodedArray) else text_array(map(str, words)).binary


def _numbers(words: Sequence[Any], kind: type) -> npt.NDArray[Any]:
    try:
        return np.fromiter(map(kind, words), _DTYPES[kind], len(words))
    except OverflowError as error:
        raise GeoError("expected whole numbers of 64 bits") from error


def _coded(name: str, values: Sequence[Any]) -> DictionaryArray:
    """A column as dictionary and codes, without NaN."""
    if isinstance(values, DictionaryArray):
        kind = _type_of(name, values.dictionary)
        if kind is not float or not np.isnan(values.dictionary).any():
            return values
    typed = getattr(values, "dtype", None)
    if isinstance(typed, np.dtype) and typed.kind in _KINDS:
        array = np.asarray(values)
    else:
        # Value by value, as NumPy would bring 1, 2.5 and "a" to one type.
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
        _type_of(name, [value for value in array if not _is_missing(value)])  # as 1 and True are equal
    # Numbered in the order in which they come first.
    numbers: dict[Any, int] = {}
    codes = [-1 if _is_missing(value) else numbers.setdefault(value, len(numbers)) for value in array.tolist()]
    return DictionaryArray(list(numbers), np.array(codes, dtype=np.int32))


def _is_missing(value: Any) -> bool:
    """Whether a value is None or NaN, or one of pandas' NaT and NA, which are not equal to themselves either."""
    equal = value == value
    return value is None or not isinstance(equal, bool | np.bool_) or not equal


def _type_of(name: str, values: Iterable[Any]) -> type:
    """The one type of the values of a column; a column without values is of texts."""
    if isinstance(values, DecodedArray) and values.is_text:
        return str
    types = set(map(type, values))
    if not types <= _VALUE_TYPES:
        types = {type(value.item() if isinstance(value, np.generic) else value) for value in values}
    if len(types) > 1 or not types <= _VALUE_TYPES:
        names = ", ".join(sorted(of_value.__name__ for of_value in types))
        raise GeoError(f"column {name}: expected one of str, int, float or bool, got {names}")
    return types.pop() if types else str
