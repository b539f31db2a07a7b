"""Protocol-buffer bytes, vectorised: varints, zigzag, and rows of bytes of unequal length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from geo.crs import Bools, Ints

Unsigned: TypeAlias = npt.NDArray[np.uint64]
Bytes: TypeAlias = npt.NDArray[np.uint8]


class Rows(NamedTuple):
    """Rows of bytes laid end to end: ``data``, and ``sizes`` in bytes, one a row."""

    data: Bytes
    sizes: Ints

    def take(self, index: Ints) -> bytes:
        """Give the named rows, end to end."""
        starts = np.cumsum(self.sizes) - self.sizes
        return self.data[ranges(starts[index], self.sizes[index])].tobytes()


class Cell(NamedTuple):
    """One varint of every row: ``values`` (or one for all), and where it is ``present`` (None: everywhere)."""

    values: Unsigned | int
    present: Bools | None = None


def varint(number: int) -> bytes:
    """Encode one unsigned number."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, content: bytes) -> bytes:
    """Encode a length-delimited field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def zigzag(values: Ints) -> Unsigned:
    """Map signed to unsigned so that small ones stay small: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def varint_sizes(values: Unsigned) -> Ints:
    """Give the number of bytes each varint takes, 1 to 10."""
    sizes = np.ones(values.shape, dtype=np.int64)
    largest = int(values.max()) if values.size else 0
    for shift in range(7, largest.bit_length(), 7):
        sizes += values >= np.uint64(1 << shift)
    return sizes


def varints(values: Unsigned) -> Bytes:
    """Encode numbers end to end."""
    return table([Cell(values)], len(values)).data


def table(cells: Sequence[Cell], rows: int) -> Rows:
    """Encode rows of varints; cells that are not present take no byte."""
    columns = [_column(cell, rows) for cell in cells]
    width = sum(digits.shape[1] for digits, _ in columns)
    data, kept = np.empty((rows, width), dtype=np.uint8), np.empty((rows, width), dtype=bool)
    at = 0
    for digits, present in columns:
        data[:, at : at + digits.shape[1]], kept[:, at : at + digits.shape[1]] = digits, present
        at += digits.shape[1]
    return Rows(data[kept], kept.sum(axis=1, dtype=np.int64))


def _column(cell: Cell, rows: int) -> tuple[Bytes, Bools]:
    """Give the bytes of one varint a row, shape (rows or 1, width), and which of them are there."""
    values = np.atleast_1d(np.asarray(cell.values, dtype=np.uint64))
    sizes = varint_sizes(values)
    places = np.arange(int(sizes.max()) if len(sizes) else 1)
    digits = (values[:, None] >> (7 * places).astype(np.uint64)).astype(np.uint8) & np.uint8(127)
    digits |= np.where(places < sizes[:, None] - 1, np.uint8(128), np.uint8(0))
    present = places < sizes[:, None]
    if cell.present is not None:
        present = present & cell.present[:, None]
    return digits, present


def glued(first: Rows, second: Rows) -> Bytes:
    """Give row 0 of the first, row 0 of the second, row 1 of the first and so on, end to end."""
    total = first.sizes + second.sizes
    starts = np.cumsum(total) - total
    data = np.empty(int(total.sum()), dtype=np.uint8)
    data[ranges(starts, first.sizes)] = first.data
    data[ranges(starts + first.sizes, second.sizes)] = second.data
    return data


def ranges(starts: Ints, sizes: Ints) -> Ints:
    """Give ``start, start + 1, ...`` of every row, end to end."""
    ends = np.cumsum(sizes)
    return np.repeat(starts - ends + sizes, sizes) + np.arange(int(ends[-1]) if len(ends) else 0)
