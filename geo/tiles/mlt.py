"""MapLibre Tiles (MLT), version 1: tiles of layers as bytes, column by column.

Specification: https://maplibre.org/maplibre-tile-spec/specification/v1/. Of its encodings those are used that NumPy
writes for all streams of a tile at once: varints, deltas of vertices, and dictionaries of texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from geo.lonlat import Bools, Ints
from geo.tiles.generalize import EXTENT
from geo.tiles.property_columns import Texts
from geo.tiles.protobuf import Unsigned, varint, varint_sizes, varints, zigzag
from geo.tiles.tile_features import LINE, POINT, POLYGON, TileFeatures
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import Tile

VERSION = 1

#: Column types; of a scalar property one more says that some of its values are missing.
_ID, _LONG_ID, _GEOMETRY = 0, 2, 4
_BOOLEAN, _INT_32, _INT_64, _DOUBLE, _STRING = 10, 16, 20, 26, 28
#: Stream types: what a stream holds, and of what.
_PRESENT, _DATA, _DICTIONARY, _VERTICES, _INDEX = 0x00, 0x10, 0x11, 0x13, 0x22
_PARTS_OF_FEATURE, _PATHS_OF_PART, _VERTICES_OF_PATH, _BYTES_OF_TEXT = 0x31, 0x32, 0x33, 0x36
#: Encodings of a stream: bytes as they are, varints, varints of the differences of x and of y.
_PLAIN, _VARINT, _VERTEX_DELTAS = 0x00, 0x02, 2 << 5 | 0x02
#: Geometry types of single parts by those of Mapbox Vector Tiles; three more is that of several.
_SINGLE = {POINT: 0, LINE: 1, POLYGON: 2}
_SEVERAL = 3
#: Numbers below this are varints of one byte.
_ONE_BYTE = 128
#: Most equal bytes in a run, and most bytes in a row of others, of the run-length encoding of bytes.
_LONGEST_RUN, _LONGEST_ROW = 130, 128

Numbers: TypeAlias = npt.NDArray[np.uint32] | Unsigned


@dataclass(frozen=True, slots=True)
class _Stream:
    """A stream of a column: numbers that become varints, or bytes of so many values."""

    kind: int
    encoding: int
    content: Numbers | bytes
    count: int

    @classmethod
    def of_numbers(cls, kind: int, numbers: Numbers, encoding: int = _VARINT) -> _Stream:
        return cls(kind, encoding, numbers, len(numbers))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its type, its name where it has one, and its streams, whose number is written where it may differ."""

    type: int
    streams: Sequence[_Stream]
    name: str | None = None
    is_counted: bool = False

    @property
    def head(self) -> bytes:
        return varint(self.type) + (b"" if self.name is None else _text(self.name))


def encode(layer: TileLayer, tile: Tile, mask: Bools | None = None) -> bytes:
    """Encode a layer into a tile.

    Parameters
    ----------
    tile
        Address of the tile.
    mask
        Leaves out the rows that are False, shape (rows,).

    Returns
    -------
    A tile of one layer, of extent 4096, with the features of `geo.tiles.mvt.encode` in their order: whole numbers have
    32 bits where all of the tile fit, others 64; a column without any value in the tile is left out. Empty bytes when
    nothing is shown. Equal layers give equal bytes, and the bytes of several layers joined are a tile of all.

    Raises
    ------
    GeoError
        When the mask has another shape.
    """
    found = layer.features(tile, mask)
    if not found:
        return b""
    rows = np.concatenate([features.rows for features in found])
    ids = layer.ids[rows]
    columns = [
        _Column(_LONG_ID if int(ids.max()) >> 32 else _ID, [_Stream.of_numbers(_DATA, ids)]),
        _Column(_GEOMETRY, list(_geometry(found)), is_counted=True),
        *_properties(layer, rows),
    ]
    head = _text(layer.name) + varint(EXTENT) + varint(len(columns)) + b"".join(column.head for column in columns)
    body = bytes([VERSION]) + head + b"".join(_data(columns))
    return varint(len(body)) + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    return varint(len(encoded)) + encoded


# --- geometry -----------------------------------------------------------------------------------


def _geometry(found: Sequence[TileFeatures]) -> Iterator[_Stream]:
    """Yield the type of each feature, how features fall into parts, paths and vertices, and the vertices.

    Numbers of parts are those of features of several; numbers of paths those of polygons; numbers of vertices those of
    lines and rings, in the place of the numbers of paths where there is no polygon.
    """
    types = [np.where(one.parts > 1, _SINGLE[one.kind] + _SEVERAL, _SINGLE[one.kind]) for one in found]
    yield _numbers(_DATA, np.concatenate(types))
    several = np.concatenate([one.parts[one.parts > 1] for one in found])
    if len(several):
        yield _numbers(_PARTS_OF_FEATURE, several)
    polygons = [one for one in found if one.kind == POLYGON]
    for one in polygons:
        yield _numbers(_PATHS_OF_PART, one.paths)
    sizes = [one.sizes for one in found if one.kind != POINT]
    if sizes:
        yield _numbers(_VERTICES_OF_PATH if polygons else _PATHS_OF_PART, np.concatenate(sizes))
    xy = np.concatenate([one.xy for one in found])
    deltas = zigzag(np.diff(xy, axis=0, prepend=0)).astype(np.uint32)
    yield _Stream.of_numbers(_VERTICES, deltas.ravel(), _VERTEX_DELTAS)


def _numbers(kind: int, numbers: Ints) -> _Stream:
    return _Stream.of_numbers(kind, numbers.astype(np.uint32))


# --- properties ---------------------------------------------------------------------------------


def _properties(layer: TileLayer, rows: Ints) -> Iterator[_Column]:
    """Yield the columns that have a value in some of the rows."""
    found = layer.columns.occurring(rows)
    present = found.codes >= 0
    bits = np.packbits(present, axis=1, bitorder="little")
    counts = np.count_nonzero(present, axis=1)
    ends = counts.cumsum()
    begins, index = (ends - counts).tolist(), found.places[present]
    for name, slot in zip(found.names, found.slots, strict=True):
        count, begin, values = int(counts[slot]), begins[slot], found.values[slot]
        if not count:
            continue
        is_whole, own = count == len(rows), index[begin : begin + count]
        kind, streams = _texts(values, own) if isinstance(values, Texts) else _scalars(values[own])
        if not is_whole:
            streams = [_Stream(_PRESENT, _PLAIN, _run_lengths(bits[slot]), len(rows)), *streams]
        yield _Column(kind + (not is_whole), streams, name, is_counted=kind == _STRING)


def _texts(texts: Texts, index: npt.NDArray[np.uint32]) -> tuple[int, list[_Stream]]:
    """Texts as a dictionary of those that occur, and the place of each in it."""
    return _STRING, [
        _numbers(_BYTES_OF_TEXT, texts.sizes),
        _Stream(_DICTIONARY, _PLAIN, texts.joined, len(texts.joined)),
        _Stream(_INDEX, _VARINT, index.astype(np.uint8).tobytes(), len(index))
        if len(texts.sizes) <= _ONE_BYTE
        else _Stream.of_numbers(_INDEX, index),
    ]


def _scalars(values: npt.NDArray[Any]) -> tuple[int, list[_Stream]]:
    """Numbers and truth values, of the rows that have one."""
    if values.dtype.kind == "b":
        bits = np.packbits(values, bitorder="little")
        return _BOOLEAN, [_Stream(_DATA, _PLAIN, _run_lengths(bits), len(values))]
    if values.dtype.kind == "f":
        return _DOUBLE, [_Stream(_DATA, _PLAIN, values.astype("<f8").tobytes(), len(values))]
    small = int(values.min()) >= -(1 << 31) and int(values.max()) < 1 << 31
    zigzagged = zigzag(values)
    return (_INT_32 if small else _INT_64), [
        _Stream.of_numbers(_DATA, zigzagged.astype(np.uint32) if small else zigzagged)
    ]


def _run_lengths(data: npt.NDArray[np.uint8]) -> bytes:
    """Bytes as one run where all are alike, as they are otherwise (ORC 1, byte run length encoding)."""
    count = len(data)
    if count > 2 and not (data != data[0]).any():
        runs, rest = divmod(count, _LONGEST_RUN)
        value = data[:1].tobytes()
        tail = (bytes([rest - 3]) if rest > 2 else bytes([256 - rest]) + value * (rest - 1) if rest else b"") + value
        return (bytes([_LONGEST_RUN - 3]) + value) * runs + (tail if rest else b"")
    parts = (data[begin : begin + _LONGEST_ROW] for begin in range(0, count, _LONGEST_ROW))
    return b"".join(bytes([256 - len(part)]) + part.tobytes() for part in parts)


# --- bytes --------------------------------------------------------------------------------------


def _data(columns: Sequence[_Column]) -> Iterator[bytes]:
    """Yield the bytes of all streams, column after column; the numbers of all are encoded at once."""
    contents = (stream.content for column in columns for stream in column.streams)
    numbers: list[npt.NDArray[Any]] = [content for content in contents if not isinstance(content, bytes)]
    every = np.concatenate(numbers)
    data = varints(every).tobytes()
    ends = varint_sizes(every).cumsum()[np.cumsum([len(part) for part in numbers]) - 1].tolist()
    begin, number = 0, iter(ends)
    for column in columns:
        if column.is_counted:
            yield varint(len(column.streams))
        for stream in column.streams:
            content = stream.content
            if not isinstance(content, bytes):
                end = next(number)
                content, begin = data[begin:end], end
            yield bytes([stream.kind, stream.encoding]) + varint(stream.count) + varint(len(content)) + content
