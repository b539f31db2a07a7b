"""Mapbox Vector Tiles 2.1 from columns of geometry and properties. Knows coordinates and bytes, not their meaning.

Specification: https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geo.antimeridian import within_world
from geo.columnar.chunked_array import Array, whole
from geo.columnar.row_edit import Splice
from geo.errors import GeoError
from geo.lonlat import Bools, Floats, Geometries, Ints, Objects
from geo.tiles import mvt_geometry
from geo.tiles.generalize import EXTENT
from geo.tiles.mvt_properties import Columns
from geo.tiles.point_index import TilePoints
from geo.tiles.protobuf import Block, Cell, Rows, Unsigned, beside, field, glued, table, varint, zigzag
from geo.tiles.shape_index import TileShapes
from geo.tiles.tile_matrix import MERCATOR, Box, Plane, Tile

VERSION = 2
POINT, LINE, POLYGON = 1, 2, 3
_NONE: Ints = np.empty(0, dtype=np.int64)


class _Group(NamedTuple):
    """Features of one geometry type: layer rows, and the geometry as cells (one point each) or bytes."""

    kind: int
    rows: Ints
    geometry: Sequence[Cell] | Rows


class Seen(NamedTuple):
    """What a box of the world shows: layer rows, and the geometry of each in world coordinates."""

    point_rows: Ints
    points: Floats
    line_rows: Ints
    lines: Objects
    area_rows: Ints
    areas: Objects


class Places(NamedTuple):
    """Where the rows of a layer are drawn, made ready: what can be kept of it, see `Layer.places`.

    Points are Morton codes, ascending, world coordinates, shape (n, 2), and layer rows; ``single`` says whether each
    is the one of its row. Lines and areas are shapes in world coordinates and layer rows.
    """

    codes: Array
    xy: Array
    row: Array
    single: bool
    lines: Array
    line_row: Ints
    areas: Array
    area_row: Ints


class Layer:
    """A layer of a map, built once and never changed, that draws itself into any tile.

    Parameters
    ----------
    name
        The layer's name in the tile.
    geometries
        Lon/lat degrees, any mix of kinds. Missing and empty are drawn nowhere; what crosses 180 degrees is
        drawn on both sides; what lies beyond the plane is cut off, beyond 85.0511 degrees of Mercator's. Invalid
        polygons are repaired. Edges are straight on the map. A collection is one feature for each of points,
        lines and polygons.
    ids
        Feature ids, unsigned integers, one a row.
    columns
        Properties by name, one value a row and one type a column (str, int, float or bool); the type of the
        column decides how values are written. None and NaN: the feature has no such property.
    thin
        Below zoom 12, where a tile would hold more than 2,000 points, show the best of every cell of a 32 x 64 grid
        only, and of more than 1,000 lines or areas the largest of every cell of 32 x 32; these must all be shown from
        zoom 0. What is shown at one zoom is shown at the next.
    min_zoom
        The first zoom at which a row is shown: one number, or one a row; None shows all from 0.
    priority
        Which point stays where they are thinned: higher wins, then the earlier row.
    plane
        What it is drawn on; tiles are parts of its square.

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
        plane: Plane = MERCATOR,
    ) -> None:
        rows = within_world(geometries)
        self.name = name
        self.ids = _ids(ids, len(rows))
        self._columns = Columns(columns, len(rows))
        first = np.broadcast_to(np.asarray(0 if min_zoom is None else min_zoom, np.int64), len(rows))
        weight = np.broadcast_to(np.asarray(0 if priority is None else priority, np.float64), len(rows))
        parts, row = _simple(rows)
        dimension = shapely.get_dimensions(parts)
        lonlat = shapely.get_coordinates(parts[dimension == 0])
        self._points = TilePoints(lonlat, row[dimension == 0], first, weight, thin, plane)
        self._lines = TileShapes(parts[dimension == 1], row[dimension == 1], first, False, thin, plane)
        self._polygons = TileShapes(parts[dimension == 2], row[dimension == 2], first, True, thin, plane)
        self._single = len(np.unique(whole(self._points.row))) == len(self._points.row)

    @classmethod
    def placed(cls, name: str, places: Places, rows: int, columns: Mapping[str, Sequence[Any]]) -> Layer:
        """Make a thin layer of places that are ready: the same as of its geometries, with ids that count from 1.

        Raises
        ------
        GeoError
            When columns do not fit the rows or a column mixes types.
        """
        made = cls.__new__(cls)
        made.name = name
        made.ids = np.arange(1, rows + 1, dtype=np.uint64)
        made._columns = Columns(columns, rows)
        made._points = TilePoints.ready(places.codes, places.xy, places.row, True, places.single)
        made._lines = TileShapes.ready(places.lines, places.line_row, area=False)
        made._polygons = TileShapes.ready(places.areas, places.area_row, area=True)
        made._single = places.single
        return made

    @property
    def places(self) -> Places:
        """What can be kept of a thin layer whose rows are all shown from zoom 0, none before others."""
        points, lines, areas = self._points, self._lines, self._polygons
        return Places(
            points.codes,
            points.xy,
            points.row,
            self._single,
            lines.shapes,
            lines.row,
            areas.shapes,
            areas.row,
        )

    def make_ready(self, zoom: int) -> None:
        """Make ahead what the first tile of a zoom would wait for."""
        self._points.make_ready(zoom)
        for shapes in (self._lines, self._polygons):
            shapes.make_ready(zoom)

    def under(self, columns: Mapping[str, Sequence[Any]]) -> Layer:
        """Give the same rows with other properties; the geometry is shared, not made ready again.

        Raises
        ------
        GeoError
            When columns do not fit the rows or a column mixes types.
        """
        made = copy.copy(self)
        made._columns = Columns(columns, len(self), self._columns)
        return made

    @property
    def is_points(self) -> bool:
        """Whether each row is one point at most, and nothing else."""
        return self._single and not (len(self._lines.row) or len(self._polygons.row))

    def spliced(self, other: Layer, splice: Splice, columns: Mapping[str, Sequence[Any]]) -> Layer:
        """Give the rows of this layer and, after them, of another, as a splice has them; ids count from 1.

        Parameters
        ----------
        columns
            Properties of the rows that are taken.

        Raises
        ------
        GeoError
            When columns do not fit the rows or a column mixes types, or there is more than points in either.
        """
        if not (self.is_points and other.is_points):
            raise GeoError("expected layers of points alone")
        made = copy.copy(self)
        made.ids = np.arange(1, len(splice) + 1, dtype=np.uint64)
        made._columns = Columns(columns, len(splice), self._columns)
        made._points = self._points.spliced(other._points, splice)
        return made

    def __len__(self) -> int:
        """Give the number of rows, drawn or not."""
        return len(self.ids)

    def rows(self, tile: Tile, mask: Bools | None = None) -> Ints:
        """Give the rows that the tile shows, ascending."""
        return np.unique(np.concatenate([_NONE, *(group.rows for group in self._groups(tile, mask))]))

    def encode(self, tile: Tile, mask: Bools | None = None) -> bytes:
        """Draw the layer into a tile: extent 4096, buffer 64 (points: none, each is in one tile).

        ``mask``, shape (rows,), leaves out the rows that are False. Empty bytes when nothing is shown.
        The same layer gives the same bytes. Tiles of several layers are their bytes joined.
        """
        groups = self._groups(tile, mask)
        if not groups:
            return b""
        tags, values = self._columns.tags(np.concatenate([group.rows for group in groups]))
        ends = np.cumsum([len(group.rows) for group in groups]).tolist()
        parts = []
        for group, end in zip(groups, ends, strict=True):
            own = slice(end - len(group.rows), end)
            parts.append(_features(group, self.ids[group.rows], Block(tags.data[own], tags.kept[own])))
        head = varint(15 << 3) + varint(VERSION) + field(1, self.name.encode())
        tail = varint(5 << 3) + varint(EXTENT)
        return field(3, b"".join([head, *parts, self._columns.keys, values, tail]))

    def seen(self, box: Box, zoom: int, mask: Bools | None = None) -> Seen:
        """Give what the tiles of a zoom show inside a box of the world, thinned and simplified as they are."""
        self._require_fit(mask)
        return Seen(
            *self._points.within(box, zoom, mask),
            *self._lines.within(box, zoom, mask),
            *self._polygons.within(box, zoom, mask),
        )

    def _require_fit(self, mask: Bools | None) -> None:
        if mask is not None and np.shape(mask) != (len(self),):
            raise GeoError(f"expected a mask of shape ({len(self)},), got {np.shape(mask)}")

    def _groups(self, tile: Tile, mask: Bools | None) -> list[_Group]:
        """Give what the tile shows, by geometry type; a type of which it shows nothing has no group."""
        self._require_fit(mask)
        groups = [self._point_group(tile, mask)] if len(self._points.row) else []
        for kind, shapes in ((LINE, self._lines), (POLYGON, self._polygons)):
            if len(shapes.row):
                groups.append(_Group(kind, *shapes.draw(tile, mask)))
        return [group for group in groups if len(group.rows)]

    def _point_group(self, tile: Tile, mask: Bools | None) -> _Group:
        found = self._points.find(tile, mask)
        row, units = self._points.row[found], self._points.units(tile, found)
        if self._single:
            x, y = zigzag(units).T
            return _Group(POINT, row, [Cell(mvt_geometry.MOVE_TO | 1 << 3), Cell(x), Cell(y)])
        order = np.argsort(row, kind="stable")
        return _Group(POINT, np.unique(row), mvt_geometry.points(units[order], row[order]))


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


def _features(group: _Group, ids: Unsigned, tags: Block) -> bytes:
    """Encode Feature messages (clause 4.2): id, tags, type, geometry, each with its lengths."""
    rows = len(ids)
    outside = group.geometry if isinstance(group.geometry, Rows) else None
    inline = beside(() if isinstance(group.geometry, Rows) else group.geometry, rows)
    geometry_size = inline.sizes() if outside is None else outside.sizes
    inner = beside(
        [
            *(Cell(1 << 3), Cell(ids)),
            *(Cell(2 << 3 | 2), Cell(tags.sizes().astype(np.uint64)), tags),
            *(Cell(3 << 3), Cell(group.kind)),
            *(Cell(4 << 3 | 2), Cell(geometry_size.astype(np.uint64)), inline),
        ],
        rows,
    )
    whole = inner.sizes() if outside is None else inner.sizes() + geometry_size
    head = table([Cell(2 << 3 | 2), Cell(whole.astype(np.uint64)), inner], rows)
    return (head.data if outside is None else glued(head, outside)).tobytes()
