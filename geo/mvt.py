"""Mapbox Vector Tiles 2.1 from columns of geometry and properties. Knows coordinates and bytes, not their meaning.

Specification: https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geo import commands
from geo.antimeridian import within_world
from geo.columns import Column, tags
from geo.crs import Bools, Geometries, Ints, Objects
from geo.errors import GeoError
from geo.generalize import EXTENT
from geo.tile_points import TilePoints
from geo.tile_shapes import TileShapes
from geo.tiles import Tile
from geo.wire import Cell, Rows, Unsigned, field, glued, table, varint, varint_sizes, zigzag

VERSION = 2
POINT, LINE, POLYGON = 1, 2, 3


class _Group(NamedTuple):
    """Features of one geometry type: layer rows, and the geometry as cells (one point each) or bytes."""

    kind: int
    rows: Ints
    geometry: Sequence[Cell] | Rows


class Layer:
    """A layer of a map, built once and never changed, that draws itself into any tile.

    Parameters
    ----------
    name
        The layer's name in the tile.
    geometries
        Lon/lat degrees, any mix of kinds. Missing and empty are drawn nowhere; what crosses 180 degrees is
        drawn on both sides; what lies beyond 85.0511 degrees is cut off. Invalid polygons are repaired.
        Edges are straight on the map. A collection is one feature for each of points, lines and polygons.
    ids
        Feature ids, unsigned integers, one a row.
    columns
        Properties by name, one value a row and one type a column (str, int, float or bool); the type of the
        column decides how values are written. None and NaN: the feature has no such property.
    thin
        Below zoom 12, where a tile would hold more than 2,000 points, show the best of every cell of a
        64 x 64 grid only. What is shown at one zoom is shown at the next.
    min_zoom
        The first zoom at which a row is shown: one number, or one a row; None shows all from 0.
    priority
        Which point stays where they are thinned: higher wins, then the earlier row.

    Raises
    ------
    CRSError, GeometryError
        When a geometry is not lon/lat, see `geo.antimeridian.within_world`.
    GeoError
        When ids or columns do not fit the rows or a column mixes types.
    """

    def __init__(
        self,
        name: str,
        geometries: Geometries,
        ids: npt.ArrayLike,
        columns: Mapping[str, Sequence[Any]],
        thin: bool = False,
        min_zoom: npt.ArrayLike | None = None,
        priority: npt.ArrayLike | None = None,
    ) -> None:
        rows = within_world(geometries)
        self.name = name
        self.ids = _ids(ids, len(rows))
        self.columns = [_column(key, values, len(rows)) for key, values in columns.items()]
        first = np.broadcast_to(np.asarray(0 if min_zoom is None else min_zoom, np.int64), len(rows))
        weight = np.broadcast_to(np.asarray(0 if priority is None else priority, np.float64), len(rows))
        parts, row = _simple(rows)
        dimension = shapely.get_dimensions(parts)
        lonlat = shapely.get_coordinates(parts[dimension == 0])
        self._points = TilePoints(lonlat, row[dimension == 0], first, weight, thin)
        self._lines = TileShapes(parts[dimension == 1], row[dimension == 1], first, area=False)
        self._polygons = TileShapes(parts[dimension == 2], row[dimension == 2], first, area=True)
        self._single = len(np.unique(self._points.row)) == len(self._points.row)

    def __len__(self) -> int:
        """Give the number of rows, drawn or not."""
        return len(self.ids)

    def rows(self, tile: Tile, mask: Bools | None = None) -> Ints:
        """Give the rows that the tile shows, ascending."""
        return np.unique(np.concatenate([group.rows for group in self._groups(tile, mask)]))

    def encode(self, tile: Tile, mask: Bools | None = None) -> bytes:
        """Draw the layer into a tile: extent 4096, buffer 64 (points: none, each is in one tile).

        ``mask``, shape (rows,), leaves out the rows that are False. Empty bytes when nothing is shown.
        The same layer gives the same bytes. Tiles of several layers are their bytes joined.
        """
        groups = self._groups(tile, mask)
        rows = np.concatenate([group.rows for group in groups])
        if not len(rows):
            return b""
        cells, values = tags(self.columns, rows)
        ends = np.cumsum([len(group.rows) for group in groups])
        parts = [
            _features(group, self.ids[group.rows], [_part(cell, end - len(group.rows), end) for cell in cells])
            for group, end in zip(groups, ends.tolist(), strict=True)
        ]
        keys = [field(3, column.name.encode()) for column in self.columns]
        head = varint(15 << 3) + varint(VERSION) + field(1, self.name.encode())
        tail = varint(5 << 3) + varint(EXTENT)
        return field(3, b"".join([head, *parts, *keys, values, tail]))

    def _groups(self, tile: Tile, mask: Bools | None) -> list[_Group]:
        if mask is not None and np.shape(mask) != (len(self),):
            raise GeoError(f"expected a mask of shape ({len(self)},), got {np.shape(mask)}")
        return [
            self._point_group(tile, mask),
            _Group(LINE, *self._lines.draw(tile, mask)),
            _Group(POLYGON, *self._polygons.draw(tile, mask)),
        ]

    def _point_group(self, tile: Tile, mask: Bools | None) -> _Group:
        found = self._points.find(tile, mask)
        row, units = self._points.row[found], self._points.units(tile, found)
        if self._single:
            x, y = zigzag(units).T
            return _Group(POINT, row, [Cell(commands.MOVE_TO | 1 << 3), Cell(x), Cell(y)])
        order = np.argsort(row, kind="stable")
        return _Group(POINT, np.unique(row), commands.points(units[order], row[order]))


def encode_tile(layers: Iterable[Layer], tile: Tile) -> bytes:
    """Draw layers into one tile, in order; empty bytes when nothing is shown."""
    return b"".join(layer.encode(tile) for layer in layers)


def _ids(ids: npt.ArrayLike, rows: int) -> Unsigned:
    array = np.asarray(ids)
    if array.shape != (rows,):
        raise GeoError(f"expected one id a row, shape ({rows},), got {array.shape}")
    if rows and (array.dtype.kind not in "iu" or array.min() < 0):
        raise GeoError(f"expected ids that are unsigned integers, got {array.dtype} from {array.min()}")
    return array.astype(np.uint64)


def _column(name: str, values: Sequence[Any], rows: int) -> Column:
    if len(values) != rows:
        raise GeoError(f"column {name}: expected {rows} values, got {len(values)}")
    return Column(name, values)


def _simple(rows: Objects) -> tuple[Objects, Ints]:
    """Take everything apart into single points, lines and valid polygons, with the row of each, ascending."""
    source = np.flatnonzero(~shapely.is_missing(rows))
    parts = shapely.force_2d(rows[source])
    bad = (shapely.get_dimensions(parts) == 2) & ~shapely.is_valid(parts)
    parts[bad] = shapely.make_valid(parts[bad])
    while (shapely.get_type_id(parts) >= 4).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        source = source[index]
    full = ~shapely.is_empty(parts)
    parts, source = parts[full], source[full]
    return parts, source.astype(np.int64)


def _part(cell: Cell, start: int, stop: int) -> Cell:
    values = cell.values[start:stop] if isinstance(cell.values, np.ndarray) else int(cell.values)
    return Cell(values, None if cell.present is None else cell.present[start:stop])


def _sizes(cells: Iterable[Cell], rows: int) -> Ints:
    """Give the bytes that the cells of each row take together."""
    total = np.zeros(rows, dtype=np.int64)
    for cell in cells:
        sizes = varint_sizes(np.atleast_1d(np.asarray(cell.values, dtype=np.uint64)))
        total += sizes if cell.present is None else sizes * cell.present
    return total


def _features(group: _Group, ids: Unsigned, cells: Sequence[Cell]) -> bytes:
    """Encode Feature messages (clause 4.2): id, tags, type, geometry, each with its lengths."""
    rows = len(ids)
    outside = group.geometry if isinstance(group.geometry, Rows) else None
    inline = () if isinstance(group.geometry, Rows) else group.geometry
    geometry_size = _sizes(inline, rows) if outside is None else outside.sizes
    inner = [
        *(Cell(1 << 3), Cell(ids)),
        *(Cell(2 << 3 | 2), Cell(_sizes(cells, rows).astype(np.uint64)), *cells),
        *(Cell(3 << 3), Cell(group.kind)),
        *(Cell(4 << 3 | 2), Cell(geometry_size.astype(np.uint64)), *inline),
    ]
    whole = _sizes(inner, rows) if outside is None else _sizes(inner, rows) + geometry_size
    head = table([Cell(2 << 3 | 2), Cell(whole.astype(np.uint64)), *inner], rows)
    return (head.data if outside is None else glued(head, outside)).tobytes()
