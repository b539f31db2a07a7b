"""Protocol-buffer bytes, vectorised over rows: varints, zigzag, and rows of bytes of unequal length.

Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from geo.columnar.integers import ranges
from geo.lonlat import Bools, Ints

Unsigned: TypeAlias = npt.NDArray[np.uint64]
AnyUnsigned: TypeAlias = npt.NDArray[np.uint32] | Unsigned
Bytes: TypeAlias = npt.NDArray[np.uint8]


class ByteRows(NamedTuple):
    """Rows of bytes laid end to end: ``data``, and the number of bytes of each row, ``sizes``, shape (rows,)."""

    data: Bytes
    sizes: Ints

    def starts(self) -> Ints:
        """First byte of each row, shape (rows,)."""
        return np.cumsum(self.sizes) - self.sizes

    def take(self, index: Ints, starts: Ints | None = None) -> bytes:
        """Return the bytes of rows, end to end.

        Parameters
        ----------
        index
            Row numbers, shape (k,), in any order.
        starts
            First byte of every row, if the caller has it already.
        """
        starts = self.starts() if starts is None else starts
        return self.data[ranges(starts[index], self.sizes[index])].tobytes()


class Cell(NamedTuple):
    """A varint in every row: its values, shape (rows,), or one for all, and in which rows it is (None: in all)."""

    values: Unsigned | int
    present: Bools | None = None


class Block(NamedTuple):
    """Bytes of every row, shape (rows, width), and which of them the row has (``present``, of the same shape)."""

    data: Bytes
    present: Bools

    def flat(self) -> Block:
        """A block of varints, shape (rows, varints, width), as a block of bytes, shape (rows, varints * width)."""
        shape = len(self.data), self.data.shape[1] * self.data.shape[2]
        return Block(self.data.reshape(shape), self.present.reshape(shape))

    def sizes(self) -> Ints:
        """Number of bytes of each row, shape (rows,)."""
        sizes: Ints = self.present.view(np.uint8).sum(axis=1, dtype=np.int32).astype(np.int64)
        return sizes

    def joined(self) -> Bytes:
        """The bytes of all rows, end to end."""
        return self.data.reshape(-1)[self.present.reshape(-1)]

    def rows(self) -> ByteRows:
        """The bytes of each row, end to end."""
        return ByteRows(self.joined(), self.sizes())


@lru_cache(maxsize=4096)
def varint(number: int) -> bytes:
    """Encode an unsigned number."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, content: bytes) -> bytes:
    """Encode a length-delimited field (wire type 2) of a field number."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def zigzag(values: Ints) -> Unsigned:
    """Map signed to unsigned of the same shape, so that small ones stay small: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def varint_size(number: int) -> int:
    """Number of bytes of a varint, 1 to 10."""
    return max(1, -(-number.bit_length() // 7))


def varint_sizes(values: npt.NDArray[np.uint32] | Unsigned) -> Ints:
    """Number of bytes of each varint, 1 to 10, of the shape of ``values``."""
    sizes = np.ones(values.shape, dtype=np.int64)
    max_value = int(values.max()) if values.size else 0
    for shift in range(7, max_value.bit_length(), 7):
        sizes += values >= values.dtype.type(1 << shift)
    return sizes


def varints(values: AnyUnsigned) -> Bytes:
    """Encode numbers, shape (n,), end to end."""
    if values.max(initial=0) >> 14:
        return digits(values).joined()
    # Of two bytes at most, as most numbers of tiles have.
    small = values.astype("<u2")
    is_long = small > 127
    present = np.ones((len(small), 2), dtype=bool)
    present[:, 1] = is_long
    small += (small & 0x3F80) + (is_long.astype("<u2") << 7)
    return small.view(np.uint8).compress(present.reshape(-1))  # a third of the time of a mask


def sizes(cells: Sequence[Cell], rows: int) -> Ints:
    """Number of bytes of each row of cells that all rows have, shape (rows,)."""
    total = np.zeros(rows, np.int64)
    for values, _ in cells:
        total += varint_size(values) if isinstance(values, int) else varint_sizes(values)
    return total


def table(parts: Sequence[Cell | Block], rows: int) -> ByteRows:
    """Encode rows of varints and bytes.

    Parameters
    ----------
    parts
        The varints and bytes of each row, in their order; a part that a row does not have takes no byte.
    rows
        Number of rows.
    """
    return hstack(parts, rows).rows()


def hstack(parts: Sequence[Cell | Block], rows: int) -> Block:
    """Put cells and blocks side by side into one block of so many rows."""
    blocks = [_cell(part) if isinstance(part, Cell) else part for part in parts]
    width = sum(block.data.shape[1] for block in blocks)
    stacked = Block(np.empty((rows, width), dtype=np.uint8), np.empty((rows, width), dtype=bool))
    begin = 0
    for data, present in blocks:
        end = begin + data.shape[1]
        stacked.data[:, begin:end], stacked.present[:, begin:end] = data, present
        begin = end
    return stacked


def _cell(cell: Cell) -> Block:
    """The bytes of a varint in every row, shape (rows or 1, width)."""
    data, present = _constant(cell.values) if isinstance(cell.values, int) else digits(cell.values)
    return Block(data, present if cell.present is None else present & cell.present[:, None])


@lru_cache(maxsize=256)
def _constant(value: int) -> Block:
    block = digits(np.array([value], dtype=np.uint64))
    for part in block:
        part.setflags(write=False)
    return block


def digits(values: AnyUnsigned) -> Block:
    """Encode varints side by side.

    Parameters
    ----------
    values
        Unsigned integers, shape (...).

    Returns
    -------
    Bytes and which are present, shape (..., width), where width is that of the largest value.
    """
    width = varint_size(int(values.max()) if values.size else 0)
    data = np.empty((*values.shape, width), dtype=np.uint8)
    present = np.ones((*values.shape, width), dtype=bool)
    remainder: npt.NDArray[Any] = values
    for digit in range(width - 1):
        data[..., digit] = remainder & 127
        remainder = remainder >> 7
        present[..., digit + 1] = remainder != 0
        data[..., digit] |= present[..., digit + 1].view(np.uint8) << 7
    data[..., width - 1] = remainder
    return Block(data, present)


def concat(first: ByteRows, second: ByteRows) -> Bytes:
    """Concatenate two sets of as many rows by turns: row 0 of the first, row 0 of the second, row 1 of the first."""
    total = first.sizes + second.sizes
    starts = np.cumsum(total) - total
    data = np.empty(int(total.sum()), dtype=np.uint8)
    data[ranges(starts, first.sizes)] = first.data
    data[ranges(starts + first.sizes, second.sizes)] = second.data
    return data
