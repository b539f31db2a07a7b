"""Property values as Value messages of Mapbox Vector Tiles (clause 4.1).

The type of a column alone decides which field of the message its values are in, never a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.columnar.binary_array import BinaryArray
from geo.columnar.integers import ranges
from geo.lonlat import Ints
from geo.tiles.protobuf import ByteRows, Cell, table, varint_sizes, zigzag

_NONE: Ints = np.empty(0, np.int64)
#: Of texts of at most so many bytes, the length and that of the Value message take a byte each.
_MAX_SHORT_TEXT = 125


def number_messages(numbers: npt.NDArray[Any]) -> ByteRows:
    """Encode bool, int64 or float64 values, shape (n,), a row of bytes each."""
    if numbers.dtype.kind == "b":
        return table([Cell(4 << 3 | 2), Cell(2), Cell(7 << 3), Cell(numbers.astype(np.uint64))], len(numbers))
    if numbers.dtype.kind == "f":
        data = np.empty((len(numbers), 11), np.uint8)
        data[:, :3] = (4 << 3 | 2, 9, 3 << 3 | 1)
        data[:, 3:] = numbers.astype("<f8").view(np.uint8).reshape(-1, 8)
        return ByteRows(data.ravel(), np.full(len(numbers), 11))
    zigzagged = zigzag(numbers)
    size = 1 + varint_sizes(zigzagged)
    return table([Cell(4 << 3 | 2), Cell(size.astype(np.uint64)), Cell(6 << 3), Cell(zigzagged)], len(numbers))


def text_messages(columns: Sequence[BinaryArray]) -> bytes:
    """Encode the texts of columns, end to end."""
    sizes = np.concatenate([_NONE, *(texts.stops - texts.starts for texts in columns)])
    heads = _heads(sizes)
    ends = (heads.sizes + sizes).cumsum()
    size = int(ends[-1]) if len(ends) else 0
    out = np.empty(size, np.uint8)
    at, first = ends - sizes, 0
    for texts in columns:
        texts.write_into(out, at[first : first + len(texts)])
        first += len(texts)
    out[ranges(at - heads.sizes, heads.sizes)] = heads.data
    return out.tobytes()


def text_rows(texts: BinaryArray) -> ByteRows:
    """Encode texts, a row of bytes each."""
    sizes = texts.stops - texts.starts
    return ByteRows(np.frombuffer(text_messages([texts]), np.uint8), _heads(sizes).sizes + sizes)


def _heads(sizes: Ints) -> ByteRows:
    """Bytes that begin messages of texts of so many bytes: field numbers and lengths of message and text."""
    if sizes.max(initial=0) <= _MAX_SHORT_TEXT:
        head = np.empty((len(sizes), 4), np.uint8)
        head[:, 0], head[:, 1], head[:, 2], head[:, 3] = 4 << 3 | 2, sizes + 2, 1 << 3 | 2, sizes
        return ByteRows(head.ravel(), np.full(len(sizes), 4))
    lengths = sizes.astype(np.uint64)
    message = 1 + varint_sizes(lengths).astype(np.uint64) + lengths
    return table([Cell(4 << 3 | 2), Cell(message), Cell(1 << 3 | 2), Cell(lengths)], len(lengths))
