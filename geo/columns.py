"""Feature properties for vector tiles: one type a column, each distinct value encoded once."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from geo.crs import Ints, Objects
from geo.errors import GeoError
from geo.wire import Cell, Rows, field, varint


def _signed(value: int) -> int:
    """Zigzag one number of 64 bits."""
    if not -(1 << 63) <= value < 1 << 63:
        raise GeoError(f"expected whole numbers of 64 bits, got {value}")
    return value << 1 if value >= 0 else ~(value << 1)


#: Field numbers of a tile's Value message (clause 4.4): the type alone decides, never the value.
_ENCODE: dict[type, Callable[[Any], bytes]] = {
    str: lambda value: field(1, value.encode()),
    float: lambda value: varint(3 << 3 | 1) + struct.pack("<d", value),
    int: lambda value: varint(6 << 3) + varint(_signed(value)),
    bool: lambda value: varint(7 << 3) + varint(value),
}
_KINDS: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "U": str}


class Column:
    """A property of all rows: codes into the encoded distinct values, -1 where the row has none.

    None, NaN and NA mean that the row has no such property.

    Raises
    ------
    GeoError
        When the values are of more than one type, or of another than str, int, float or bool.
    """

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        self.name = name
        codes, distinct, kind = _factorised(name, values)
        self.codes: Ints = codes.astype(np.int64)
        encoded = [field(4, _ENCODE[kind](kind(value))) for value in distinct]
        data = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        self.values = Rows(data, np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)))

    def used(self, rows: Ints) -> tuple[Ints, Ints]:
        """Number the values that the rows have from 0; give each row's number (-1: none) and the codes."""
        codes = self.codes[rows]
        count = len(self.values.sizes)
        if count > 4 * len(rows) + 1024:
            present = np.unique(codes[codes >= 0])
            return np.where(codes >= 0, np.searchsorted(present, codes), -1), present
        seen = np.zeros(count + 1, dtype=bool)
        seen[codes] = True
        seen[count] = False  # where the code -1 fell
        number = np.append(np.cumsum(seen[:-1]) - 1, -1)
        return number[codes], np.flatnonzero(seen)


def tags(columns: Sequence[Column], rows: Ints) -> tuple[list[Cell], bytes]:
    """Give the key and value numbers of every row as cells, and the encoded values they point to."""
    cells, values, base = [], [], 0
    for key, column in enumerate(columns):
        number, codes = column.used(rows)
        present = None if (number >= 0).all() else number >= 0
        cells += [Cell(key, present), Cell((number + base).clip(0).astype(np.uint64), present)]
        values.append(column.values.take(codes))
        base += len(codes)
    return cells, b"".join(values)


def _factorised(name: str, values: Sequence[Any]) -> tuple[Ints, Objects, type]:
    typed = getattr(values, "dtype", None)
    if isinstance(typed, np.dtype) and typed.kind in _KINDS:
        array, kind = np.asarray(values), _KINDS[typed.kind]
    else:
        # One by one: numpy would make 1, 2.5 and "a" of one type.
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
        kind = _kind_of(name, array[~pd.isna(array)])
    codes, distinct = pd.factorize(array)
    return codes, distinct, kind


def _kind_of(name: str, values: Objects) -> type:
    """Find the one type of a column of Python objects; a column without values passes as text."""
    found = {type(value.item() if isinstance(value, np.generic) else value) for value in values}
    if len(found) > 1 or not found <= set(_ENCODE):
        names = ", ".join(sorted(kind.__name__ for kind in found))
        raise GeoError(f"column {name}: expected one of str, int, float or bool, got {names}")
    return found.pop() if found else str
