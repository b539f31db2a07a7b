"""Streams of MapLibre Tiles (MLT), version 1: the numbers and bytes that columns are made of.

Specification: https://maplibre.org/maplibre-tile-spec/specification/v1/. Of its encodings those are used that are a
few operations on arrays: bytes as they are, varints, and run lengths of bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from geo.columnar.binary_array import BinaryArray
from geo.lonlat import Ints
from geo.tiles.protobuf import Bytes, Unsigned, varint, varint_size

#: Stream types: what a stream holds, and of what.
PRESENT, DATA, VERTICES, INDEX = 0x00, 0x10, 0x13, 0x22
PARTS_OF_FEATURE, PATHS_OF_PART, VERTICES_OF_PATH = 0x31, 0x32, 0x33
_DICTIONARY, _BYTES_OF_TEXT, _BYTES_OF_WORD = 0x11, 0x30, 0x36
#: Encodings of a stream: bytes as they are, varints, varints of the differences of x and of y.
PLAIN, VARINT, VERTEX_DELTAS = 0x00, 0x02, 2 << 5 | 0x02
#: Numbers below this are varints of one byte.
ONE_BYTE = 128
#: Numbers below 16,384 as varints of two bytes each.
_TWO_BYTES = np.arange(1 << 14, dtype="<u2")
_TWO_BYTES += _TWO_BYTES & 0x3F80
_TWO_BYTES |= ONE_BYTE
#: Most equal bytes in a run, and most bytes in a row of others, of the run-length encoding of bytes.
_LONGEST_RUN, _LONGEST_ROW = 130, 128

Numbers: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.int32] | npt.NDArray[np.uint32] | Ints | Unsigned
#: Bytes of one or several streams in pieces, which are joined once, with those of all other streams of a tile.
Stream: TypeAlias = list[bytes | memoryview]


def text(value: str) -> bytes:
    """Encode a text with the number of its bytes before it."""
    encoded = value.encode()
    return varint(len(encoded)) + encoded


def stream(kind: int, encoding: int, count: int, content: bytes | memoryview) -> Stream:
    """Write a stream of so many values, which are encoded already."""
    return [_head(kind, encoding, count, len(content)), content]


@lru_cache(maxsize=4096)
def _head(kind: int, encoding: int, count: int, size: int) -> bytes:
    return bytes((kind, encoding)) + varint(count) + varint(size)


def numbers(kind: int, values: Numbers, largest: int) -> Stream:
    """Encode numbers from 0 to ``largest``, shape (n,), as a stream of varints, see `equal_varints`."""
    if largest < ONE_BYTE:
        return stream(kind, VARINT, len(values), values.astype(np.uint8, copy=False).data)
    return stream(kind, VARINT, len(values), equal_varints(values, largest).reshape(-1).data)


def equal_varints(values: Numbers, largest: int) -> Bytes:
    """Encode numbers from 0 to ``largest``, shape (n,), as varints of as many bytes as the largest, shape (n, size).

    To take out bytes that some do not need takes longer than all else.
    """
    if largest < ONE_BYTE:
        return values.astype(np.uint8, copy=False)[:, None]
    if largest < len(_TWO_BYTES):
        return _TWO_BYTES.take(values.astype(np.intp, copy=False)).view(np.uint8).reshape(-1, 2)
    rest: npt.NDArray[Any] = values.astype(np.uint64 if largest >> 32 else np.uint32, copy=False)
    digits = np.empty((len(values), varint_size(largest)), np.uint8)
    for digit in range(digits.shape[1] - 1):
        np.bitwise_or(rest, ONE_BYTE, out=digits[:, digit], casting="unsafe")
        rest = rest >> 7
    digits[:, -1] = rest
    return digits


def counts(kind: int, values: Ints) -> Stream:
    """Encode numbers that are not negative, shape (n,), as `numbers` does."""
    return numbers(kind, values, int(values.max(initial=0)))


def bits(kind: int, values: npt.NDArray[np.bool_]) -> Stream:
    """Encode truth values, shape (n,), as a stream of bits."""
    return stream(kind, PLAIN, len(values), _run_lengths(np.packbits(values, bitorder="little").tobytes()))


def texts(values: BinaryArray, counts: Sequence[int]) -> Iterator[Stream]:
    """Encode texts one after the other, as two streams for each so many of them."""
    joined, sizes = values.joined_with_sizes()
    lengths = equal_varints(sizes, int(sizes.max()))
    sizes_of_columns = np.add.reduceat(sizes, [0, *accumulate(counts[:-1])]).tolist()
    first = begin = 0
    for count, size in zip(counts, sizes_of_columns, strict=True):
        last, end = first + count, begin + size
        yield [
            *stream(_BYTES_OF_TEXT, VARINT, count, lengths[first:last].reshape(-1).data),
            *stream(DATA, PLAIN, size, joined[begin:end].data),
        ]
        first, begin = last, end


def dictionary(words: BinaryArray) -> bytes:
    """Encode the texts of a dictionary, as the two streams that a stream of their indices follows."""
    joined, sizes = words.joined_with_sizes()
    return b"".join(counts(_BYTES_OF_WORD, sizes) + stream(_DICTIONARY, PLAIN, len(joined), joined.data))


def _run_lengths(data: bytes) -> bytes:
    """Bytes as one run where all are alike, as they are otherwise (ORC 1, byte run length encoding)."""
    count, value = len(data), data[:1]
    if count > 2 and data.count(value) == count:
        runs, rest = divmod(count, _LONGEST_RUN)
        tail = (bytes([rest - 3]) if rest > 2 else bytes([256 - rest]) + value * (rest - 1) if rest else b"") + value
        return (bytes([_LONGEST_RUN - 3]) + value) * runs + (tail if rest else b"")
    parts = (data[begin : begin + _LONGEST_ROW] for begin in range(0, count, _LONGEST_ROW))
    return b"".join(bytes([256 - len(part)]) + part for part in parts)
