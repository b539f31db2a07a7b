"""A layer of a map: geometries and property columns, and what each tile shows of them. Knows no format of tiles."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geo.antimeridian import cut_to_world
from geo.columnar.integers import distinct
from geo.columnar.lazy_array import Array
from geo.columnar.row_edit import RowEdit
from geo.errors import GeoError
from geo.lonlat import Bools, Floats, Geometries, Ints, Objects
from geo.tiles.box_index import BoxIndex
from geo.tiles.generalize import MortonCodes
from geo.tiles.point_index import PointIndex
from geo.tiles.property_columns import PropertyColumns
from geo.tiles.protobuf import Unsigned
from geo.tiles.shape_index import ShapeIndex
from geo.tiles.tile_features import POINT, TileFeatures
from geo.tiles.tile_matrix import MERCATOR, Box, Tile, TileProjection

_NONE: Ints = np.empty(0, dtype=np.int64)


class VisibleFeatures(NamedTuple):
    """Features within a box of the world, by dimension: rows of the layer, and geometries in world coordinates."""

    point_rows: Ints
    points: Floats
    line_rows: Ints
    lines: Objects
    area_rows: Ints
    areas: Objects


class TileGeometry(NamedTuple):
    """Geometry of a layer as it is drawn, which can be stored and read back, see `TileLayer.from_geometry`.

    Attributes
    ----------
    codes, xy, row
        Of each point, in Morton order: code, world coordinates, shape (n, 2), and row of the layer.
    single
        Whether no two points are of one row.
    lines, line_row, areas, area_row
        Lines and polygons in world coordinates, and the row of the layer of each.
    line_boxes, area_boxes
        Their boxes by place and zoom; found anew if None.
    """

    codes: MortonCodes
    xy: Floats
    row: Ints
    single: bool
    lines: Array
    line_row: Ints
    areas: Array
    area_row: Ints
    line_boxes: BoxIndex | None = None
    area_boxes: BoxIndex | None = None

    @property
    def is_points(self) -> bool:
        """Whether each row is at most one point, and nothing else."""
        return self.single and not (len(self.line_row) or len(self.area_row))

    def points_of(self, rows: Ints) -> TileGeometry:
        """The geometry of a layer of other rows, each of which is where one of this layer is, that `is_points`.

        Parameters
        ----------
        rows
            For each row of the other layer, the row of this one, shape (m,).
        """
        place = np.full(max(rows.max(initial=-1), self.row.max(initial=-1)) + 1, -1)
        place[self.row] = np.arange(len(self.row))
        places = place[rows]
        (row,) = (places >= 0).nonzero()
        codes = self.codes[places[row]]
        order = codes.argsort(kind="stable")
        return self._replace(codes=codes[order], xy=self.xy[places[row[order]]], row=row[order])


class TileLayer:
    """A layer of a map, built once and never changed; `geo.tiles.mvt` encodes its tiles.

    Parameters
    ----------
    name
        The layer's name in the tile.
    geometries
        Lon/lat degrees (OGC:CRS84), one a row, any mix of kinds. Missing and empty ones are drawn nowhere; what crosses
        180 degrees is drawn on both sides; what lies beyond the projection is cut off (Mercator: 85.0511 degrees).
        Invalid polygons are repaired. Edges are straight on the map. A collection is one feature for each of points,
        lines and polygons.
    ids
        Feature ids, unsigned integers, shape (rows,).
    columns
        Properties by name, one value a row and one type a column (str, int, float or bool); the type of the column
        decides how values are encoded. A feature has no property where the value is None or NaN.
    thin
        Whether crowded tiles of low zooms show the best points and the largest lines and polygons only, see
        `geo.tiles.generalize`; lines and polygons are then shown from zoom 0. What a zoom shows, the next one shows.
    min_zoom
        The first zoom at which a row is shown: one number, or shape (rows,); None shows all from 0.
    priority
        Which points stay where they are thinned, one number or shape (rows,): higher wins, then the earlier row.
    plane
        Projection; tiles are parts of its square.

    Raises
    ------
    CRSError, GeometryError
        When a geometry is not lon/lat, see `geo.antimeridian.cut_to_world`.
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
        plane: TileProjection = MERCATOR,
    ) -> None:
        rows = cut_to_world(geometries)
        self.name = name
        self.ids = _ids(ids, len(rows))
        self.columns = PropertyColumns(columns, len(rows))
        first = np.broadcast_to(np.asarray(0 if min_zoom is None else min_zoom, np.int64), len(rows))
        weight = np.broadcast_to(np.asarray(0 if priority is None else priority, np.float64), len(rows))
        parts, row = _simple(rows)
        dimension = shapely.get_dimensions(parts)
        lonlat = shapely.get_coordinates(parts[dimension == 0])
        self._points = PointIndex(lonlat, row[dimension == 0], first, weight, thin, plane)
        self._lines = ShapeIndex(parts[dimension == 1], row[dimension == 1], first, False, thin, plane)
        self._polygons = ShapeIndex(parts[dimension == 2], row[dimension == 2], first, True, thin, plane)
        self._single = len(distinct(self._points.row)) == len(self._points.row)

    @classmethod
    def from_geometry(
        cls, name: str, geometry: TileGeometry, rows: int, columns: Mapping[str, Sequence[Any]]
    ) -> TileLayer:
        """Build a thin layer of geometry that another layer gave; feature ids count from 1.

        Parameters
        ----------
        name
            The layer's name in the tile.
        geometry
            Taken from the `geometry` of a layer.
        rows
            Number of rows of the layer.
        columns
            Properties, as the constructor takes them.

        Raises
        ------
        GeoError
            When columns do not fit the rows or a column mixes types.
        """
        layer = cls.__new__(cls)
        layer.name = name
        layer.ids = _counted(rows)
        layer.columns = PropertyColumns(columns, rows)
        layer._points = PointIndex.from_sorted(geometry.codes, geometry.xy, geometry.row, True, geometry.single)
        layer._lines = ShapeIndex.from_world(geometry.lines, geometry.line_row, False, geometry.line_boxes)
        layer._polygons = ShapeIndex.from_world(geometry.areas, geometry.area_row, True, geometry.area_boxes)
        layer._single = geometry.single
        return layer

    @property
    def geometry(self) -> TileGeometry:
        """The geometry as it is drawn, of a thin layer without min_zoom and priority."""
        points, lines, areas = self._points, self._lines, self._polygons
        return TileGeometry(
            points.codes,
            points.xy,
            points.row,
            self._single,
            lines.shapes,
            lines.row,
            areas.shapes,
            areas.row,
            lines.boxes,
            areas.boxes,
        )

    def precompute(self, zoom: int) -> None:
        """Thin and index the geometry of a zoom before its first tile is encoded."""
        self._points.precompute(zoom)
        for shapes in (self._lines, self._polygons):
            _ = shapes.boxes

    def with_properties(self, columns: Mapping[str, Sequence[Any]]) -> TileLayer:
        """The layer with other properties, one value a row; the geometry is shared.

        Raises
        ------
        GeoError
            When columns do not fit the rows or a column mixes types.
        """
        layer = copy.copy(self)
        layer.columns = PropertyColumns(columns, len(self), self.columns)
        return layer

    @property
    def is_points(self) -> bool:
        """Whether each row is at most one point, and nothing else."""
        return self._single and not (len(self._lines.row) or len(self._polygons.row))

    def with_edit(self, second: TileLayer, edit: RowEdit, columns: Mapping[str, Sequence[Any]]) -> TileLayer:
        """The layer of points after an edit of its rows; feature ids count from 1.

        Parameters
        ----------
        second
            The layer whose rows are inserted.
        edit
            Edit of the rows of both layers.
        columns
            Properties of all rows of the result, as the constructor takes them.

        Raises
        ------
        GeoError
            When columns do not fit the rows or a column mixes types; when a layer has more than points, or points that
            are not shown from zoom 0 on or have a priority.
        """
        if not (self.is_points and second.is_points):
            raise GeoError("expected layers of points alone")
        layer = copy.copy(self)
        layer.ids = _counted(len(edit))
        layer.columns = PropertyColumns(columns, len(edit), self.columns)
        layer._points = self._points.with_edit(second._points, edit)
        return layer

    def __len__(self) -> int:
        """Number of rows, drawn or not."""
        return len(self.ids)

    def rows(self, tile: Tile, mask: Bools | None = None) -> Ints:
        """Find the rows that a tile shows.

        Parameters
        ----------
        tile
            Address of the tile.
        mask
            Leaves out the rows that are False, shape (rows,); None leaves none out.

        Returns
        -------
        Ints
            Ascending, each once; empty when nothing is shown.

        Raises
        ------
        GeoError
            When the mask has another shape.
        """
        return distinct(np.concatenate([_NONE, *(features.rows for features in self.features(tile, mask))]))

    def features(self, tile: Tile, mask: Bools | None = None) -> list[TileFeatures]:
        """Find what a tile shows: points, lines and polygons, as far as there are any.

        Parameters
        ----------
        tile
            Address of the tile. Lines and polygons are drawn 64 units beyond it, points in one tile only.
        mask
            Leaves out the rows that are False, shape (rows,).

        Raises
        ------
        GeoError
            When the mask has another shape.
        """
        self._require_mask(mask)
        found = [self._tile_points(tile, mask)]
        found += [shapes.draw(tile, mask) for shapes in (self._lines, self._polygons) if len(shapes.row)]
        return [features for features in found if len(features.rows)]

    def visible(self, box: Box, zoom: int, mask: Bools | None = None) -> VisibleFeatures:
        """Features that the tiles of a zoom show within a box of the world, thinned and simplified as in the tiles.

        Parameters
        ----------
        box
            West, north, east, south in world coordinates, shape (4,).
        zoom
            Zoom of the tiles.
        mask
            Leaves out the rows that are False, shape (rows,).

        Raises
        ------
        GeoError
            When the mask has another shape.
        """
        self._require_mask(mask)
        return VisibleFeatures(
            *self._points.within(box, zoom, mask),
            *self._lines.within(box, zoom, mask),
            *self._polygons.within(box, zoom, mask),
        )

    def _require_mask(self, mask: Bools | None) -> None:
        if mask is not None and np.shape(mask) != (len(self),):
            raise GeoError(f"expected a mask of shape ({len(self)},), got {np.shape(mask)}")

    def _tile_points(self, tile: Tile, mask: Bools | None) -> TileFeatures:
        shown = self._points.find(tile, mask)
        row, units = self._points.row[shown], self._points.units(tile, shown)
        ones = np.ones(len(row), np.int64)
        if self._single:
            return TileFeatures(POINT, row, units, ones, ones, ones)
        order = np.argsort(row, kind="stable")
        return TileFeatures.of_parts(POINT, row[order], units[order], ones, ones)


def _counted(rows: int) -> Unsigned:
    """Ids that count from 1, shared by all layers of nearly as many rows."""
    return _count_to(1 << rows.bit_length())[:rows]


@lru_cache(maxsize=4)
def _count_to(last: int) -> Unsigned:
    counted: Unsigned = np.arange(1, last + 1, dtype=np.uint64)
    counted.setflags(write=False)
    return counted


def _ids(ids: npt.ArrayLike, rows: int) -> Unsigned:
    array = np.asarray(ids)
    if array.shape != (rows,):
        raise GeoError(f"expected one id a row, shape ({rows},), got {array.shape}")
    if rows and (array.dtype.kind not in "iu" or array.min() < 0):
        raise GeoError(f"expected ids that are unsigned integers, got {array.dtype} from {array.min()}")
    return array.astype(np.uint64)


def _simple(rows: Objects) -> tuple[Objects, Ints]:
    """Single points, lines and valid polygons of geometries, without empty ones, and the row of each, ascending."""
    source = np.flatnonzero(~shapely.is_missing(rows))
    parts = rows[source]
    high = shapely.has_z(parts)
    parts[high] = shapely.force_2d(parts[high])  # of others it makes copies, which take more memory than all else
    bad = (shapely.get_dimensions(parts) == 2) & ~shapely.is_valid(parts)
    parts[bad] = shapely.make_valid(parts[bad])
    while (shapely.get_type_id(parts) >= 4).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        source = source[index]
    filled = ~shapely.is_empty(parts)
    parts, source = parts[filled], source[filled]
    return parts, source.astype(np.int64)
