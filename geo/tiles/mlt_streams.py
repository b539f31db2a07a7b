"""Streams of MapLibre Tiles (MLT), version 1: the numbers and bytes that columns are made of.

Specification: https://maplibre.org/maplibre-tile-spec/specification/v1/. Of its encodings those are used that are a
few operations on arrays: bytes as they are, varints, and run lengths of bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geo.columnar.binary_array import BinaryArray
from geo.lonlat import Ints
from geo.tiles.protobuf import Unsigned, varint, varint_size

#: Stream types: what a stream holds, and of what.
PRESENT, DATA, VERTICES, INDEX = 0x00, 0x10, 0x13, 0x22
PARTS_OF_FEATURE, PATHS_OF_PART, VERTICES_OF_PATH = 0x31, 0x32, 0x33
_DICTIONARY, _BYTES_OF_TEXT, _BYTES_OF_WORD = 0x11, 0x30, 0x36
#: Encodings of a stream: bytes as they are, varints, varints of the differences of x and of y.
PLAIN, VARINT, VERTEX_DELTAS = 0x00, 0x02, 2 << 5 | 0x02
#: Numbers below this are varints of one byte.
_ONE_BYTE = 128
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
    """Encode numbers from 0 to ``largest``, shape (n,), as a stream of varints.

    Each takes as many bytes as the largest: to take out bytes that some do not need takes longer than all else.
    """
    if largest < _ONE_BYTE:
        return stream(kind, VARINT, len(values), values.astype(np.uint8, copy=False).data)
    if largest >> 14 == 0:
        words = values.astype("<u2")
        words += words & 0x3F80
        words |= _ONE_BYTE
        return stream(kind, VARINT, len(values), words.view(np.uint8).data)
    digits = np.empty((len(values), varint_size(largest)), np.uint8)
    for digit in range(digits.shape[1]):
        digits[:, digit] = values >> 7 * digit | _ONE_BYTE
    digits[:, -1] &= _ONE_BYTE - 1
    return stream(kind, VARINT, len(values), digits.reshape(-1).data)


def counts(kind: int, values: Ints) -> Stream:
    """Encode numbers that are not negative, shape (n,), as `numbers` does."""
    return numbers(kind, values, int(values.max(initial=0)))


def bits(kind: int, values: npt.NDArray[np.bool_]) -> Stream:
    """Encode truth values, shape (n,), as a stream of bits."""
    return stream(kind, PLAIN, len(values), _run_lengths(np.packbits(values, bitorder="little").tobytes()))


def texts(values: BinaryArray, counts: Sequence[int]) -> Iterator[Stream]:
    """Encode texts one after the other, as two streams for each so many of them."""
    sizes = values.stops - values.starts
    longest, ends = int(sizes.max()), sizes.cumsum()
    joined = values.joined().data
    sizes = sizes.astype(np.uint8 if longest < _ONE_BYTE else np.uint32)
    first = begin = 0
    for count in counts:
        last = first + count
        end = int(ends[last - 1])
        yield numbers(_BYTES_OF_TEXT, sizes[first:last], longest) + stream(DATA, PLAIN, end - begin, joined[begin:end])
        first, begin = last, end


def dictionary(words: BinaryArray) -> bytes:
    """Encode the texts of a dictionary, as the two streams that a stream of their indices follows."""
    joined, sizes = words.joined().data, words.stops - words.starts
    streams = counts(_BYTES_OF_WORD, sizes)
    return b"".join(streams + stream(_DICTIONARY, PLAIN, len(joined), joined))


def _run_lengths(data: bytes) -> bytes:
    """Bytes as one run where all are alike, as they are otherwise (ORC 1, byte run length encoding)."""
    count, value = len(data), data[:1]
    if count > 2 and data.count(value) == count:
        runs, rest = divmod(count, _LONGEST_RUN)
        tail = (bytes([rest - 3]) if rest > 2 else bytes([256 - rest]) + value * (rest - 1) if rest else b"") + value
        return (bytes([_LONGEST_RUN - 3]) + value) * runs + (tail if rest else b"")
    parts = (data[begin : begin + _LONGEST_ROW] for begin in range(0, count, _LONGEST_ROW))
    return b"".join(bytes([256 - len(part)]) + part for part in parts)
