"""The lines or polygons of a layer, found by tile, simplified for its zoom, and clipped to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
import shapely

from geo.columnar.chunked_array import Array, whole
from geo.lonlat import Bools, Floats, Ints, Objects
from geo.tiles import mvt_geometry
from geo.tiles.generalize import (
    CODE_BITS,
    EXTENT,
    SHAPE_CELLS,
    SHAPE_CROWD,
    THIN_BELOW_ZOOM,
    Codes,
    morton,
    simplified,
    uncrowded,
)
from geo.tiles.protobuf import Rows
from geo.tiles.tile_matrix import MERCATOR, Box, Plane, Tile

#: Units drawn beyond the tile on every side, so that borders do not show.
BUFFER = 64
#: Below this zoom all shapes are simplified when its first tile is asked for; from it on the few of each tile.
AT_ONCE = 8
#: Deeper zooms are drawn from the full shapes.
DEEPEST_SIMPLIFIED = 14


class _Level(NamedTuple):
    shapes: Objects
    row: Ints
    tree: shapely.STRtree


class TileShapes:
    """Lines or polygons (one of both) that are found by tile.

    Parameters
    ----------
    lonlat
        Single lines or single valid polygons in degrees. What lies north or south of the square is cut off.
    row
        The layer's row of each shape, ascending.
    min_zoom
        By layer row: the first zoom at which it is shown.
    thin
        Whether a tile below zoom 12 with a crowd of them shows the largest of each cell of a grid only, by their
        middles; all are then shown from zoom 0.
    plane
        What they are drawn on.
    """

    def __init__(
        self, lonlat: Objects, row: Ints, min_zoom: Ints, area: bool, thin: bool = False, plane: Plane = MERCATOR
    ) -> None:
        self.area, self.thin = area, thin
        inside, source = _parts(_within_square(lonlat, plane.max_lat), area)
        self._given: Array = shapely.transform(inside, plane.world)
        self.row = row[source]
        self.min_zoom = min_zoom[self.row]
        self._begin()

    @classmethod
    def ready(cls, shapes: Array, row: Ints, area: bool) -> TileShapes:
        """Take shapes of a thin layer that were made ready before, in world coordinates; all shown from zoom 0.

        What makes its shapes when they are asked for is first asked when something is drawn.
        """
        made = cls.__new__(cls)
        made.area, made.thin, made._given, made.row = area, True, shapes, row
        made.min_zoom = np.zeros(len(row), np.int64)
        made._begin()
        return made

    def _begin(self) -> None:
        self._levels: dict[int, _Level] = {}
        self._shown: dict[int, Bools] = {}

    @property
    def shapes(self) -> Objects:
        """The shapes, in world coordinates."""
        return whole(self._given)

    def make_ready(self, zoom: int) -> None:
        """Make ahead what the first tile of a zoom would wait for."""
        if not len(self.row):
            return
        if zoom < AT_ONCE:
            self._level(zoom)
        else:
            _ = self._whole, self._is_shown(zoom, None)

    def draw(self, tile: Tile, mask: Bools | None) -> tuple[Ints, Rows]:
        """Give the layer rows that the tile shows, ascending, and their commands, one row of bytes each."""
        margin = BUFFER / EXTENT
        box = np.array([tile.x - margin, tile.y - margin, tile.x + 1 + margin, tile.y + 1 + margin]) / (1 << tile.z)
        row, clipped = self.within(box, tile.z, mask)

        def units(xy: Floats) -> Floats:
            return (xy * (1 << tile.z) - [tile.x, tile.y]) * EXTENT

        return _draw_polygons(shapely.transform(clipped, units), row) if self.area else _draw_lines(clipped, units, row)

    def within(self, box: Box, zoom: int, mask: Bools | None) -> tuple[Ints, Objects]:
        """Give the layer rows, ascending, and shapes in world coordinates of what a zoom shows, cut to a box."""
        shapes, row = self._near(box, zoom, mask)
        clipped, source = _parts(_clipped(shapes, box), self.area)
        return row[source], clipped

    def _near(self, box: Box, zoom: int, mask: Bools | None) -> tuple[Objects, Ints]:
        """Give what a zoom shows whose boxes meet a box, with their layer rows, ascending."""
        if zoom < AT_ONCE and not (mask is not None and self._is_thinned(zoom)):
            level = self._level(zoom)
            found = self._met(level, box, mask)
            return level.shapes[found], level.row[found]
        found = self._met(self._whole, box, mask)
        found = found[self._is_shown(zoom, mask)[found]]
        shapes = self.shapes[found]
        return simplified(shapes, zoom) if zoom <= DEEPEST_SIMPLIFIED else shapes, self.row[found]

    def _met(self, level: _Level, box: Box, mask: Bools | None) -> Ints:
        found = np.sort(level.tree.query(shapely.box(*box)))
        return found if mask is None else found[mask[level.row[found]]]

    def _is_thinned(self, zoom: int) -> bool:
        return self.thin and zoom < THIN_BELOW_ZOOM and len(self.row) > SHAPE_CROWD

    def _is_shown(self, zoom: int, mask: Bools | None) -> Bools:
        """Which of all shapes a zoom shows, shape (number of shapes,); without a mask it is found once."""
        if mask is None and zoom in self._shown:
            return self._shown[zoom]
        shown = self.min_zoom <= zoom
        if self._is_thinned(zoom):
            shown = np.zeros(len(self.row), dtype=bool)
            shown[self._uncrowded(zoom, mask)] = True
        if mask is None:
            self._shown[zoom] = shown
        return shown

    @cached_property
    def _whole(self) -> _Level:
        """All shapes as they are."""
        return _Level(self.shapes, self.row, shapely.STRtree(self.shapes))

    def _level(self, zoom: int) -> _Level:
        """Make what a zoom shows of all when it is first asked for."""
        if zoom not in self._levels:
            shown = np.flatnonzero(self._is_shown(zoom, None))
            whole = self.shapes[shown]
            shapes = _shared(simplified(whole, zoom), whole)
            self._levels[zoom] = _Level(shapes, self.row[shown], shapely.STRtree(shapes))
        return self._levels[zoom]

    def _uncrowded(self, zoom: int, mask: Bools | None) -> Ints:
        """Positions of the shapes that a zoom shows, ascending."""
        codes, at, order = self._places
        if mask is not None:
            kept = mask[self.row[at]]
            codes, at = codes[kept], at[kept]
        return np.sort(at[uncrowded(codes, order[at], zoom, SHAPE_CROWD, SHAPE_CELLS)])

    @cached_property
    def _places(self) -> tuple[Codes, Ints, Ints]:
        """Morton codes of the middles, ascending, the position of each, and by position the rank: largest first."""
        west, north, east, south = shapely.bounds(self.shapes).T
        middles = np.clip([(west + east) / 2, (north + south) / 2], 0, 1 - 2.0**-CODE_BITS)
        x, y = (middles * 2.0**CODE_BITS).astype(np.int64)
        codes = morton(x, y)
        at = np.argsort(codes, kind="stable")
        rank = np.empty(len(codes), np.int64)
        rank[np.argsort(west - east + north - south, kind="stable")] = np.arange(len(codes))
        return codes[at], at, rank


def _shared(simple: Objects, whole: Objects) -> Objects:
    """The simplified shapes, those that lost no vertex as the whole ones, so that they are in memory once."""
    same = shapely.equals_identical(simple, whole)
    simple[same] = whole[same]
    return simple


def _within_square(shapes: Objects, max_lat: float) -> Objects:
    bounds = shapely.bounds(shapes)
    over = (bounds[:, 1] < -max_lat) | (bounds[:, 3] > max_lat)
    cut = shapes.copy()
    cut[over] = shapely.intersection(shapes[over], shapely.box(-180, -max_lat, 180, max_lat))
    return cut


def _parts(shapes: Objects, area: bool) -> tuple[Objects, Ints]:
    """Take apart, and keep what has the dimension wanted; with the position each part came from."""
    parts, source = shapely.get_parts(shapes, return_index=True)
    kept = (shapely.get_dimensions(parts) == (2 if area else 1)) & ~shapely.is_empty(parts)
    return parts[kept], source[kept]


def _clipped(shapes: Objects, box: np.ndarray) -> Objects:
    """Clip to a box; the quick clip may leave a polygon invalid, and those are cut again with care."""
    bounds = shapely.bounds(shapes)
    over = np.flatnonzero((bounds[:, :2] < box[:2]).any(axis=1) | (bounds[:, 2:] > box[2:]).any(axis=1))
    clipped = shapes.copy()
    clipped[over] = shapely.clip_by_rect(shapes[over], *box)
    bad = over[~shapely.is_valid(clipped[over])]
    clipped[bad] = shapely.intersection(shapes[bad], shapely.box(*box))
    return clipped


def _draw_lines(lines: Objects, units: Callable[[Floats], Floats], row: Ints) -> tuple[Ints, Rows]:
    exact, path = shapely.get_coordinates(lines, return_index=True)
    xy, sizes = _vertices(units(exact), path, len(lines), closed=False)
    drawn = sizes >= 2
    return _paths(xy[np.repeat(drawn, sizes)], sizes[drawn], row[drawn], closed=False)


def _draw_polygons(units: Objects, row: Ints) -> tuple[Ints, Rows]:
    """Round to the grid, repair what that spoils, wind exterior rings to positive area with y down (4.3.3.3)."""
    rounded = shapely.transform(units, np.rint)
    spoilt = ~shapely.is_valid(rounded)
    rounded[spoilt] = shapely.set_precision(units[spoilt], 1, mode="valid_output")
    polygons, source = _parts(rounded, area=True)
    rings, polygon = shapely.get_rings(shapely.orient_polygons(polygons, exterior_cw=False), return_index=True)
    xy, sizes = _vertices(*shapely.get_coordinates(rings, return_index=True), len(rings), closed=True)
    return _paths(xy, sizes, row[source][polygon], closed=True)


def _vertices(exact: Floats, path: Ints, paths: int, closed: bool) -> tuple[Ints, Ints]:
    """Give rounded vertices without repeats (and without the closing one), and their number a path."""
    xy: Ints = np.rint(exact).astype(np.int64)
    kept = np.ones(len(xy), dtype=bool)
    kept[1:] = (path[1:] != path[:-1]) | (xy[1:, 0] != xy[:-1, 0]) | (xy[1:, 1] != xy[:-1, 1])
    xy, path = xy[kept], path[kept]
    sizes: Ints = np.bincount(path, minlength=paths).astype(np.int64)
    if closed and len(xy):
        last = np.cumsum(sizes) - 1
        xy = np.delete(xy, last, axis=0)
        sizes -= 1
    return xy, sizes


def _paths(xy: Ints, sizes: Ints, row: Ints, closed: bool) -> tuple[Ints, Rows]:
    return np.unique(row), mvt_geometry.paths(xy, sizes, row, closed)
