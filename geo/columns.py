"""Feature properties for vector tiles: one type a column, each distinct value encoded once."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.coded import Coded, Codes
from geo.crs import Bools, Ints
from geo.errors import GeoError
from geo.wire import Block, Cell, Rows, digits, field, glued, table, varint, varint_sizes


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
_NONE = Rows(np.empty(0, dtype=np.uint8), np.empty(0, dtype=np.int64))
_KINDS: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "U": str}


class Columns:
    """Properties of all rows: their distinct values, encoded once, and which each row has.

    None, NaN and NA mean that the row has no such property. What is coded already is not coded again.

    Raises
    ------
    GeoError
        When a column does not fit the rows, or its values are of more than one type, or of another than str, int,
        float or bool.
    """

    def __init__(self, columns: Mapping[str, Sequence[Any]], rows: int) -> None:
        self.names = list(columns)
        #: The number of each value, shape (rows, columns); -1 where there is none. The columns follow one another.
        self.numbers = np.empty((rows, len(columns)), dtype=np.int32)
        encoded = [_NONE]
        count = 0
        for place, (name, values) in enumerate(columns.items()):
            if len(values) != rows:
                raise GeoError(f"column {name}: expected {rows} values, got {len(values)}")
            column, kind = _coded(name, values)
            self.numbers[:, place] = np.where(column.codes < 0, -1, column.codes + count)
            encoded.append(_texts(column.words) if kind is str else _plain(column.words, kind))
            count += len(column.words)
        self.values = Rows(*(np.concatenate(parts) for parts in zip(*encoded, strict=True)))
        self._starts = self.values.starts()
        self._keys = digits(np.arange(len(columns), dtype=np.uint32))

    def tags(self, rows: Ints) -> tuple[Block, bytes]:
        """Give the key and value numbers that the rows have, and the encoded values that these point to."""
        numbers = self.numbers[rows]
        present = numbers >= 0
        local, used = _renumbered(numbers, present, len(self.values.sizes))
        values = digits(local)
        keys = (np.broadcast_to(part, (*numbers.shape, part.shape[-1])) for part in self._keys)
        data, kept = (np.concatenate(pair, axis=2) for pair in zip(keys, values, strict=True))
        kept &= present[:, :, None]
        return Block(data, kept).flat(), self.values.take(used, self._starts)


def _plain(words: Sequence[Any], kind: type) -> Rows:
    """Encode values one by one."""
    encoded = [field(4, _ENCODE[kind](kind(value))) for value in words]
    return Rows(np.frombuffer(b"".join(encoded), dtype=np.uint8), _lengths(encoded))


def _texts(words: Sequence[Any]) -> Rows:
    """Encode texts all at once, as of some columns each row has one of its own."""
    texts = [str(word).encode() for word in words]
    body = Rows(np.frombuffer(b"".join(texts), dtype=np.uint8), _lengths(texts))
    sizes = body.sizes.astype(np.uint64)
    whole = 1 + varint_sizes(sizes).astype(np.uint64) + sizes
    head = table([Cell(4 << 3 | 2), Cell(whole), Cell(1 << 3 | 2), Cell(sizes)], len(words))
    return Rows(glued(head, body), head.sizes + body.sizes)


def _lengths(parts: Sequence[bytes]) -> Ints:
    return np.fromiter(map(len, parts), dtype=np.int64, count=len(parts))


def _renumbered(numbers: Codes, present: Bools, count: int) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Number the values that occur from 0, in their order; give each place's number (where absent: any) and them."""
    if count > 256 * numbers.size + 1024:
        few = np.unique(numbers[present])
        return np.searchsorted(few, numbers).astype(np.uint32), few.astype(np.int64)
    seen = np.zeros(count + 1, dtype=bool)
    seen[numbers] = True
    seen[count] = False  # where -1 fell
    used = np.flatnonzero(seen)
    place = np.empty(count + 1, dtype=np.uint32)
    place[used], place[count] = np.arange(len(used), dtype=np.uint32), 0
    return place[numbers], used


def _coded(name: str, values: Sequence[Any]) -> tuple[Coded, type]:
    if isinstance(values, Coded):
        kind = _kind_of(name, values.words)
        if kind is not float or not np.isnan(values.words).any():
            return values, kind
    typed = getattr(values, "dtype", None)
    if isinstance(typed, np.dtype) and typed.kind in _KINDS:
        array, kind = np.asarray(values), _KINDS[typed.kind]
    else:
        # One by one: numpy would make 1, 2.5 and "a" of one type.
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
        kind = _kind_of(name, array[~pd.isna(array)])
    codes, words = pd.factorize(array)
    return Coded(words.tolist(), codes.astype(np.int32)), kind


def _kind_of(name: str, values: Iterable[Any]) -> type:
    """Find the one type of a column of Python objects; a column without values passes as text."""
    found = set(map(type, values))
    if not found <= set(_ENCODE):
        found = {type(value.item() if isinstance(value, np.generic) else value) for value in values}
    if len(found) > 1 or not found <= set(_ENCODE):
        names = ", ".join(sorted(kind.__name__ for kind in found))
        raise GeoError(f"column {name}: expected one of str, int, float or bool, got {names}")
    return found.pop() if found else str
