"""Protocol-buffer bytes, vectorised: varints, zigzag, and rows of bytes of unequal length."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from geo.columnar.ranges import ranges
from geo.lonlat import Bools, Ints

Unsigned: TypeAlias = npt.NDArray[np.uint64]
Bytes: TypeAlias = npt.NDArray[np.uint8]


class Rows(NamedTuple):
    """Rows of bytes laid end to end: ``data``, and ``sizes`` in bytes, one a row."""

    data: Bytes
    sizes: Ints

    def starts(self) -> Ints:
        """Give where each row begins."""
        return np.cumsum(self.sizes) - self.sizes

    def take(self, index: Ints, starts: Ints | None = None) -> bytes:
        """Give the named rows, end to end; ``starts`` are those of all rows where they are at hand."""
        starts = self.starts() if starts is None else starts
        return self.data[ranges(starts[index], self.sizes[index])].tobytes()


class Cell(NamedTuple):
    """One varint of every row: ``values`` (or one for all), and where it is ``present`` (None: everywhere)."""

    values: Unsigned | int
    present: Bools | None = None


class Block(NamedTuple):
    """Bytes of every row in columns, shape (rows, width), and which of them are ``kept``."""

    data: Bytes
    kept: Bools

    def flat(self) -> Block:
        """Give a block of varints side by side, shape (rows, varints, width), as one of bytes."""
        shape = len(self.data), self.data.shape[1] * self.data.shape[2]
        return Block(self.data.reshape(shape), self.kept.reshape(shape))

    def sizes(self) -> Ints:
        """Give the number of bytes of each row."""
        sizes: Ints = self.kept.sum(axis=1, dtype=np.int64)
        return sizes

    def rows(self) -> Rows:
        """Give the bytes that are kept."""
        return Rows(self.data[self.kept], self.sizes())


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


def varint_size(number: int) -> int:
    """Give the number of bytes that a varint takes, 1 to 10."""
    return max(1, -(-number.bit_length() // 7))


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


def table(parts: Sequence[Cell | Block], rows: int) -> Rows:
    """Encode rows of varints; cells that are not present take no byte."""
    return beside(parts, rows).rows()


def beside(parts: Sequence[Cell | Block], rows: int) -> Block:
    """Give cells and blocks side by side as one block."""
    blocks = [_cell(part) if isinstance(part, Cell) else part for part in parts]
    width = sum(block.data.shape[1] for block in blocks)
    whole = Block(np.empty((rows, width), dtype=np.uint8), np.empty((rows, width), dtype=bool))
    at = 0
    for data, kept in blocks:
        end = at + data.shape[1]
        whole.data[:, at:end], whole.kept[:, at:end] = data, kept
        at = end
    return whole


def _cell(cell: Cell) -> Block:
    """Give the bytes of one varint a row, shape (rows or 1, width), and which of them are there."""
    data, kept = _constant(cell.values) if isinstance(cell.values, int) else digits(cell.values)
    return Block(data, kept if cell.present is None else kept & cell.present[:, None])


@lru_cache(maxsize=256)
def _constant(value: int) -> Block:
    block = digits(np.array([value], dtype=np.uint64))
    for part in block:
        part.setflags(write=False)
    return block


def digits(values: npt.NDArray[np.uint32] | Unsigned) -> Block:
    """Give the bytes of each varint, shape (..., width), the last axis as wide as the largest, and which are there."""
    width = varint_size(int(values.max()) if values.size else 0)
    data = np.empty((*values.shape, width), dtype=np.uint8)
    kept = np.ones((*values.shape, width), dtype=bool)
    rest: npt.NDArray[Any] = values
    for place in range(width - 1):
        data[..., place] = rest & 127
        rest = rest >> 7
        kept[..., place + 1] = rest != 0
        data[..., place] |= kept[..., place + 1].view(np.uint8) << 7
    data[..., width - 1] = rest
    return Block(data, kept)


def glued(first: Rows, second: Rows) -> Bytes:
    """Give row 0 of the first, row 0 of the second, row 1 of the first and so on, end to end."""
    total = first.sizes + second.sizes
    starts = np.cumsum(total) - total
    data = np.empty(int(total.sum()), dtype=np.uint8)
    data[ranges(starts, first.sizes)] = first.data
    data[ranges(starts + first.sizes, second.sizes)] = second.data
    return data
