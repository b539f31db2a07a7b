"""MapLibre Tiles (MLT), version 1: tiles of layers as bytes, column by column.

Specification: https://maplibre.org/maplibre-tile-spec/specification/v1/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from geo.lonlat import Bools
from geo.tiles import mlt_properties
from geo.tiles.generalize import EXTENT
from geo.tiles.mlt_streams import (
    DATA,
    PARTS_OF_FEATURE,
    PATHS_OF_PART,
    VERTEX_DELTAS,
    VERTICES,
    VERTICES_OF_PATH,
    Stream,
    counts,
    numbers,
    stream,
    text,
)
from geo.tiles.protobuf import Bytes, varint, varints
from geo.tiles.tile_features import LINE, POINT, POLYGON, TileFeatures
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import Tile

VERSION = 1

#: Types of columns.
_ID, _LONG_ID, _GEOMETRY = 0, 2, 4
#: Geometry types of single parts by those of Mapbox Vector Tiles; three more is that of several.
_SINGLE = {POINT: 0, LINE: 1, POLYGON: 2}
_SEVERAL = 3


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
    32 bits where all of their column fit, others 64; texts are written one by one, or as the dictionary that their
    column has in all tiles where it has no more of them than the tile; a column without any value in the tile is left
    out. Empty bytes when nothing is shown. Equal layers give equal bytes, and the bytes of several layers joined are a
    tile of all.

    Raises
    ------
    GeoError
        When the mask has another shape.
    """
    return encode_features(layer, layer.features(tile, mask))


def encode_features(layer: TileLayer, found: Sequence[TileFeatures]) -> bytes:
    """Encode what a tile shows of a layer, as `TileLayer.features` finds it; see `encode`."""
    if not found:
        return b""
    rows = np.concatenate([features.rows for features in found])
    ids = layer.ids[rows]
    largest = int(ids.max())
    geometry = [*_geometry(found)]
    columns = mlt_properties.columns(layer.columns, rows)
    parts = [
        bytes([VERSION]) + text(layer.name) + varint(EXTENT) + varint(2 + len(columns.heads)),
        varint(_LONG_ID if largest >> 32 else _ID),
        varint(_GEOMETRY),
        *columns.heads,
        *numbers(DATA, ids, largest),
        varint(len(geometry)),
        *chain(*geometry),
        *columns.streams,
    ]
    return b"".join([varint(sum(map(len, parts))), *parts])


def _geometry(found: Sequence[TileFeatures]) -> Iterator[Stream]:
    """Yield the type of each feature, how features fall into parts, paths and vertices, and the vertices.

    Numbers of parts are those of features of several; numbers of paths those of polygons; numbers of vertices those of
    lines and rings, in the place of the numbers of paths where there is no polygon.
    """
    yield numbers(DATA, np.concatenate([*map(_kinds, found)]), 2 * _SEVERAL)
    if not all(one.is_single for one in found):
        yield counts(PARTS_OF_FEATURE, np.concatenate([one.parts[one.parts > 1] for one in found]))
    polygons = [one for one in found if one.kind == POLYGON]
    for one in polygons:
        yield counts(PATHS_OF_PART, one.paths)
    sizes = [one.sizes for one in found if one.kind != POINT]
    if sizes:
        yield counts(VERTICES_OF_PATH if polygons else PATHS_OF_PART, np.concatenate(sizes))
    # A tile and what is drawn around it is some 4,200 units wide, so that differences of zigzag encoding have 14 bits.
    deltas = np.concatenate([one.xy for one in found]).astype(np.int16)
    deltas[1:] -= deltas[:-1].copy()
    zigzagged = ((deltas << 1) ^ (deltas >> 15)).reshape(-1).view(np.uint16)
    yield stream(VERTICES, VERTEX_DELTAS, len(zigzagged), varints(zigzagged).data)


def _kinds(features: TileFeatures) -> Bytes:
    """Geometry type of each feature."""
    kinds = np.full(len(features.rows), _SINGLE[features.kind], np.uint8)
    if not features.is_single:
        kinds[features.parts > 1] += _SEVERAL
    return kinds
