"""Mapbox Vector Tiles 2.1: tiles of layers as bytes.

Specification: https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from geo.columnar.binary_array import BinaryArray
from geo.columnar.dictionary_array import Codes
from geo.lonlat import Bools, Ints
from geo.tiles.generalize import EXTENT
from geo.tiles.property_columns import PropertyColumns
from geo.tiles.protobuf import (
    Block,
    ByteRows,
    Cell,
    Unsigned,
    concat,
    digits,
    field,
    hstack,
    sizes,
    varint,
    varint_size,
    varint_sizes,
    varints,
    zigzag,
)
from geo.tiles.tile_features import POINT, POLYGON, TileFeatures
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import Tile
from geo.tiles.value_messages import number_messages, text_messages

VERSION = 2
#: Command integers (clause 4.3.3).
_MOVE_TO, _LINE_TO, _CLOSE_PATH = 1, 2, 7
#: Where there are more values than so many times those of the rows, the values that occur are sorted.
_MAX_VALUES_PER_CODE = 16


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
    A Tile message of one Layer (clause 4.1) of version 2 and extent 4096. Empty bytes when nothing is shown. Equal
    layers give equal bytes, and the bytes of several layers joined are a tile of all.

    Raises
    ------
    GeoError
        When the mask has another shape.
    """
    found = layer.features(tile, mask)
    if not found:
        return b""
    tags, values = _tags(layer.columns, np.concatenate([features.rows for features in found]))
    ends = np.cumsum([len(features.rows) for features in found]).tolist()
    parts = []
    for features, end in zip(found, ends, strict=True):
        own = slice(end - len(features.rows), end)
        parts.append(_messages(features, layer.ids[features.rows], Block(tags.data[own], tags.present[own])))
    head = varint(15 << 3) + varint(VERSION) + field(1, layer.name.encode())
    keys = b"".join(field(3, column.name.encode()) for column in layer.columns.values)
    tail = varint(5 << 3) + varint(EXTENT)
    return field(3, b"".join([head, *parts, keys, values, tail]))


def encode_tile(layers: Iterable[TileLayer], tile: Tile) -> bytes:
    """Encode layers into one tile, in their order; empty bytes when nothing is shown."""
    return b"".join(encode(layer, tile) for layer in layers)


def _messages(features: TileFeatures, ids: Unsigned, tags: Block) -> bytes:
    """Encode Feature messages (clause 4.2): id, tags, type and geometry, with their lengths."""
    geometry, tag_size = _geometry(features), tags.sizes()
    outside = geometry if isinstance(geometry, ByteRows) else None
    inline: list[Cell] = [] if isinstance(geometry, ByteRows) else geometry
    geometry_size = sizes(inline, len(ids)) if outside is None else outside.sizes
    before = [Cell(1 << 3), Cell(ids), Cell(2 << 3 | 2), Cell(tag_size.astype(np.uint64))]
    behind = [Cell(3 << 3), Cell(features.kind), Cell(4 << 3 | 2), Cell(geometry_size.astype(np.uint64))]
    whole = sizes([*before, *behind], len(ids)) + tag_size + geometry_size
    head = [Cell(2 << 3 | 2), Cell(whole.astype(np.uint64))]
    message = hstack([*head, *before, tags, *behind, *inline], len(ids))
    if outside is None:
        return message.joined().tobytes()
    inner = ByteRows(message.joined(), sizes(head, len(ids)) + whole - geometry_size)
    return concat(inner, outside).tobytes()


def _geometry(features: TileFeatures) -> list[Cell] | ByteRows:
    """Geometry commands (clause 4.3): cells where each feature is a point, otherwise bytes of each feature."""
    if features.kind != POINT:
        closed = features.kind == POLYGON
        return _paths(features.xy, features.sizes, features.feature_of_path, closed)
    if features.is_single:
        x, y = zigzag(features.xy).T
        return [Cell(_MOVE_TO | 1 << 3), Cell(x), Cell(y)]
    return _points(features.xy, features.feature_of_path)


def _points(xy: Ints, feature: Ints) -> ByteRows:
    """Encode points as one MoveTo a feature (clause 4.3.4.2).

    Parameters
    ----------
    xy
        Points in tile units, shape (n, 2), feature after feature.
    feature
        Ascending feature number of each point, shape (n,).

    Returns
    -------
    A row of bytes for each feature number that occurs.
    """
    start = _first_of_feature(feature)
    count = np.diff(start, append=len(feature))
    width = 2 * count + 1
    head = np.cumsum(width) - width
    values = np.empty(int(width.sum()), dtype=np.uint64)
    values[head] = (count << 3 | _MOVE_TO).astype(np.uint64)
    slot = np.arange(len(xy)) * 2 + np.repeat(np.arange(len(start)), count) + 1
    values[slot], values[slot + 1] = _deltas(xy, feature).T
    return _rows(values, head)


def _paths(xy: Ints, sizes: Ints, feature: Ints, closed: bool) -> ByteRows:
    """Encode lines (clause 4.3.4.3), or rings of polygons (clause 4.3.4.4).

    Parameters
    ----------
    xy
        Vertices in tile units, shape (n, 2), path after path; no two successive ones equal.
    sizes
        Number of vertices of each path, at least 2.
    feature
        Ascending feature number of each path.
    closed
        Whether paths are rings, without their closing vertices.

    Returns
    -------
    A row of bytes for each feature number that occurs.
    """
    width = 2 * sizes + 2 + closed
    head = np.cumsum(width) - width
    values = np.empty(int(width.sum()), dtype=np.uint64)
    values[head] = 1 << 3 | _MOVE_TO
    values[head + 3] = ((sizes - 1) << 3 | _LINE_TO).astype(np.uint64)
    if closed:
        values[head + width - 1] = 1 << 3 | _CLOSE_PATH
    within = np.arange(len(xy)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    slot = np.repeat(head, sizes) + 1 + 2 * within + (within > 0)
    values[slot], values[slot + 1] = _deltas(xy, np.repeat(feature, sizes)).T
    return _rows(values, head[_first_of_feature(feature)])


def _first_of_feature(feature: Ints) -> Ints:
    """Index of the first point or path of each feature."""
    return np.flatnonzero(np.diff(feature, prepend=-1))


def _deltas(xy: Ints, feature: Ints) -> Unsigned:
    """Each vertex relative to the previous one of its feature, or to 0, 0, zigzag-encoded (clause 4.3.2)."""
    deltas = xy.copy()
    same = np.flatnonzero(feature[1:] == feature[:-1])
    deltas[same + 1] -= xy[same]
    return zigzag(deltas)


def _rows(values: Unsigned, starts: Ints) -> ByteRows:
    """Encode command integers as rows of bytes, each of which begins at one of ``starts``."""
    sizes = varint_sizes(values)
    return ByteRows(varints(values), np.add.reduceat(sizes, starts) if len(starts) else np.empty(0, np.int64))


def _tags(columns: PropertyColumns, rows: Ints) -> tuple[Block, bytes]:
    """Encode the properties of rows.

    Parameters
    ----------
    rows
        Rows of the layer, shape (n,).

    Returns
    -------
    The tags of each row (clause 4.2: pairs of indices of a key and a value), n rows of varints; and the values that
    they refer to (clause 4.4), each once, encoded as Value messages: those of columns of few distinct values, numbers,
    and texts.
    """
    codes = columns.codes_at(rows)
    if not len(codes):
        return Block(*(np.empty((len(rows), 0), kind) for kind in (np.uint8, bool))), b""
    index, count = np.empty(codes.shape, np.uint32), 0
    encoded, texts = list[bytes](), list[BinaryArray]()
    for column in columns.order:
        values = columns.values[column]
        index[column], used = _numbered(codes[column], len(values))
        index[column] += count
        count += len(used)
        if values.rank == 0:
            encoded.append(values.messages.take(used, values.starts))
        elif values.texts is None:
            encoded.append(number_messages(values.numbers[used]).data.tobytes())
        else:
            texts.append(values.texts.take(used))
    present = np.ascontiguousarray((codes >= 0).T)
    return _paired(np.ascontiguousarray(index.T), present), b"".join([*encoded, text_messages(texts)])


def _numbered(codes: Codes, count: int) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Number the values of a column that occur from 0.

    Parameters
    ----------
    codes
        Shape (rows,); -1 where missing.
    count
        Number of values of the column.

    Returns
    -------
    Index of each value among those that occur, shape (rows,), without meaning where missing; and the codes that occur,
    ascending.
    """
    numbers = np.where(codes < 0, count, codes)
    if count > _MAX_VALUES_PER_CODE * numbers.size:
        distinct, inverse = np.unique(numbers, return_inverse=True)
        return inverse.astype(np.uint32), distinct[: distinct.searchsorted(count)]
    occurs = np.zeros(count + 1, dtype=bool)
    occurs[numbers] = True
    occurs[count] = False
    (used,) = occurs.nonzero()
    index = np.empty(count + 1, dtype=np.uint32)
    index[used], index[count] = np.arange(len(used), dtype=np.uint32), 0
    return index[numbers], used


def _paired(indices: npt.NDArray[np.uint32], present: Bools) -> Block:
    """Put the index of its key before that of each value, shape (rows, columns) both."""
    keys = digits(np.arange(indices.shape[1], dtype=np.uint32))
    width = varint_size(int(indices.max()) if indices.size else 0)
    key_width = keys.data.shape[-1]
    data = np.empty((*indices.shape, key_width + width), dtype=np.uint8)
    used = np.empty(data.shape, dtype=bool)
    data[..., :key_width] = keys.data
    np.logical_and(present[..., None], keys.present, out=used[..., :key_width])
    values = digits(indices)
    for digit in range(width):
        data[..., key_width + digit] = values.data[..., digit]
        np.logical_and(present, values.present[..., digit], out=used[..., key_width + digit])
    return Block(data, used).flat()
