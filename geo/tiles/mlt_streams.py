"""Streams of MapLibre Tiles (MLT), version 1: the numbers and bytes that columns are made of.

Specification: https://maplibre.org/maplibre-tile-spec/specification/v1/. Of its encodings those are used that are a
few operations on arrays: bytes as they are, varints, and run lengths of bytes.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geo.columnar.binary_array import BinaryArray
from geo.lonlat import Ints
from geo.tiles.protobuf import Bytes, Unsigned, varint, varints

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

Numbers: TypeAlias = npt.NDArray[np.int32] | npt.NDArray[np.uint32] | Ints | Unsigned
#: Bytes of one or several streams in pieces, which are joined once, with those of all other streams of a tile.
Stream: TypeAlias = list[bytes | memoryview]


def text(value: str) -> bytes:
    """Encode a text with the number of its bytes before it."""
    encoded = value.encode()
    return varint(len(encoded)) + encoded


def stream(kind: int, encoding: int, count: int, content: bytes | memoryview) -> Stream:
    """Write a stream of so many values, which are encoded already."""
    return [bytes((kind, encoding)) + varint(count) + varint(len(content)), content]


def numbers(kind: int, values: Numbers, encoding: int = VARINT) -> Stream:
    """Encode numbers that are not negative, shape (n,), as a stream of varints."""
    if not len(values) or values.max() < _ONE_BYTE:
        return stream(kind, encoding, len(values), values.astype(np.uint8).data)
    unsigned: npt.NDArray[np.uint32] | Unsigned = values.view(f"u{values.itemsize}")
    return stream(kind, encoding, len(values), varints(unsigned).data)


def bits(kind: int, values: npt.NDArray[np.bool_]) -> Stream:
    """Encode truth values, shape (n,), as a stream of bits."""
    return stream(kind, PLAIN, len(values), _run_lengths(np.packbits(values, bitorder="little")))


def texts(values: BinaryArray) -> Stream:
    """Encode texts one after the other, as two streams."""
    joined = values.joined().data
    return numbers(_BYTES_OF_TEXT, values.stops - values.starts) + stream(DATA, PLAIN, len(joined), joined)


def dictionary(words: BinaryArray) -> bytes:
    """Encode the texts of a dictionary, as the two streams that a stream of their indices follows."""
    joined = words.joined().data
    streams = numbers(_BYTES_OF_WORD, words.stops - words.starts) + stream(_DICTIONARY, PLAIN, len(joined), joined)
    return b"".join(streams)


def _run_lengths(data: Bytes) -> bytes:
    """Bytes as one run where all are alike, as they are otherwise (ORC 1, byte run length encoding)."""
    count = len(data)
    if count > 2 and not (data != data[0]).any():
        runs, rest = divmod(count, _LONGEST_RUN)
        value = data[:1].tobytes()
        tail = (bytes([rest - 3]) if rest > 2 else bytes([256 - rest]) + value * (rest - 1) if rest else b"") + value
        return (bytes([_LONGEST_RUN - 3]) + value) * runs + (tail if rest else b"")
    parts = (data[begin : begin + _LONGEST_ROW] for begin in range(0, count, _LONGEST_ROW))
    return b"".join(bytes([256 - len(part)]) + part.tobytes() for part in parts)
