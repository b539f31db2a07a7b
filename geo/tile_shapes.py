"""The lines or polygons of a layer, found by tile, simplified once a zoom, and clipped to the tile."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import shapely

from geo import commands
from geo.crs import Bools, Floats, Ints, Objects
from geo.generalize import EXTENT, simplified
from geo.planes import MERCATOR, Plane
from geo.tiles import Box, Tile
from geo.wire import Rows

#: Units drawn beyond the tile on every side, so that borders do not show.
BUFFER = 64
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
    plane
        What they are drawn on.
    """

    def __init__(self, lonlat: Objects, row: Ints, min_zoom: Ints, area: bool, plane: Plane = MERCATOR) -> None:
        self.area = area
        inside, source = _parts(_within_square(lonlat, plane.max_lat), area)
        self.shapes, self.row = shapely.transform(inside, plane.world), row[source]
        self.min_zoom = min_zoom[self.row]
        self._levels: dict[int, _Level] = {}

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
        level = self._level(zoom)
        found = np.sort(level.tree.query(shapely.box(*box)))
        if mask is not None:
            found = found[mask[level.row[found]]]
        clipped, source = _parts(_clipped(level.shapes[found], box), self.area)
        return level.row[found][source], clipped

    def _level(self, zoom: int) -> _Level:
        """Make what a zoom shows when it is first asked for."""
        deep = min(zoom, max(DEEPEST_SIMPLIFIED + 1, int(self.min_zoom.max(initial=0))))
        if deep not in self._levels:
            shown = self.min_zoom <= deep
            shapes = self.shapes[shown]
            if deep <= DEEPEST_SIMPLIFIED:
                shapes = simplified(shapes, deep)
            self._levels[deep] = _Level(shapes, self.row[shown], shapely.STRtree(shapes))
        return self._levels[deep]


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
    return np.unique(row), commands.paths(xy, sizes, row, closed)
