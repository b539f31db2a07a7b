"""The lines or polygons of a layer by tile: found by an index in space, simplified for the zoom, and clipped."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
import shapely

from geo.columnar.chunked_array import Array, to_numpy
from geo.lonlat import Bools, Floats, Ints, Objects
from geo.tiles.generalize import (
    CODE_BITS,
    EXTENT,
    MAX_TILE_SHAPES,
    SHAPE_CELL_BITS,
    MortonCodes,
    is_thinned,
    morton,
    simplified,
    thin_crowded_tiles,
)
from geo.tiles.tile_features import LINE, POLYGON, TileFeatures
from geo.tiles.tile_matrix import MERCATOR, Box, Tile, TileProjection

#: Tile units drawn beyond a tile on every side, so that its borders do not show.
BUFFER = 64
#: Below this zoom all shapes are simplified before the first tile is drawn; from it on those of each tile are.
WHOLE_BELOW_ZOOM = 8


class _Level(NamedTuple):
    """Shapes that a zoom shows, their rows of the layer, and an index in space."""

    shapes: Objects
    row: Ints
    tree: shapely.STRtree


class ShapeIndex:
    """Lines or polygons by tile.

    Parameters
    ----------
    lonlat
        Single lines or single valid polygons in lon/lat degrees, shape (n,). What lies beyond the projection's highest
        latitude is cut off.
    row
        The layer's row of each shape, ascending, shape (n,).
    min_zoom
        By row of the layer: the first zoom at which its shapes are shown.
    area
        Whether the shapes are polygons, not lines.
    thin
        Whether tiles are thinned to the largest shape of each cell of a grid, by the centres of their boxes, see
        `geo.tiles.generalize`; shapes are then shown from zoom 0.
    plane
        Projection that the shapes are drawn in.
    """

    def __init__(
        self,
        lonlat: Objects,
        row: Ints,
        min_zoom: Ints,
        area: bool,
        thin: bool = False,
        plane: TileProjection = MERCATOR,
    ) -> None:
        self.area, self.thin = area, thin
        inside, source = _parts(_within_square(lonlat, plane.max_lat), area)
        self._stored: Array = shapely.transform(inside, plane.world)
        self.row = row[source]
        self.min_zoom = min_zoom[self.row]
        self._reset()

    @classmethod
    def from_world(cls, shapes: Array, row: Ints, area: bool) -> ShapeIndex:
        """Build an index of a thin layer, whose shapes are shown from zoom 0.

        Parameters
        ----------
        shapes
            Single lines or polygons in world coordinates, shape (n,); a lazy array is materialized when something is
            drawn.
        row
            Row of the layer of each shape, shape (n,), ascending.
        area
            Whether the shapes are polygons.
        """
        index = cls.__new__(cls)
        index.area, index.thin, index._stored, index.row = area, True, shapes, row
        index.min_zoom = np.zeros(len(row), np.int64)
        index._reset()
        return index

    def _reset(self) -> None:
        self._levels: dict[int, _Level] = {}
        self._shown: dict[int, Bools] = {}

    @property
    def shapes(self) -> Objects:
        """The shapes in world coordinates, shape (n,), of the dtype object."""
        return to_numpy(self._stored)

    def precompute(self, zoom: int) -> None:
        """Pick, simplify and index the shapes of a zoom before its first tile is drawn."""
        if not len(self.row):
            return
        if zoom < WHOLE_BELOW_ZOOM:
            self._level(zoom)
        else:
            _ = self._unsimplified, self._is_shown(zoom, None)

    def draw(self, tile: Tile, mask: Bools | None) -> TileFeatures:
        """Find what a tile shows, in its units.

        Parameters
        ----------
        tile
            The tile; `BUFFER` units around it are drawn too.
        mask
            By row of the layer: False leaves the row out; None leaves none out.
        """
        margin = BUFFER / EXTENT
        box = np.array([tile.x - margin, tile.y - margin, tile.x + 1 + margin, tile.y + 1 + margin]) / (1 << tile.z)
        row, clipped = self.within(box, tile.z, mask)

        def units(xy: Floats) -> Floats:
            return (xy * (1 << tile.z) - [tile.x, tile.y]) * EXTENT

        return _draw_polygons(shapely.transform(clipped, units), row) if self.area else _draw_lines(clipped, units, row)

    def within(self, box: Box, zoom: int, mask: Bools | None) -> tuple[Ints, Objects]:
        """Clip the shapes that a zoom shows to a box.

        Parameters
        ----------
        box
            West, north, east, south in world coordinates.
        zoom
            Zoom whose generalization is taken.
        mask
            By row of the layer: False leaves the row out; None leaves none out.

        Returns
        -------
        tuple of Ints and Objects
            Rows of the layer, ascending, and a shape in world coordinates for each, shape (n,) both; a row occurs as
            often
            as it has parts in the box.
        """
        shapes, row = self._near(box, zoom, mask)
        clipped, source = _parts(_clipped(shapes, box), self.area)
        return row[source], clipped

    def _near(self, box: Box, zoom: int, mask: Bools | None) -> tuple[Objects, Ints]:
        """Shapes that a zoom shows and whose boxes meet a box, with their rows of the layer, ascending."""
        if zoom < WHOLE_BELOW_ZOOM and not (mask is not None and self._is_thinned(zoom)):
            level = self._level(zoom)
            near = self._intersecting(level, box, mask)
            return level.shapes[near], level.row[near]
        near = self._intersecting(self._unsimplified, box, mask)
        near = near[self._is_shown(zoom, mask)[near]]
        return simplified(self.shapes[near], zoom), self.row[near]

    def _intersecting(self, level: _Level, box: Box, mask: Bools | None) -> Ints:
        """Indices of the shapes of a level whose boxes meet a box, ascending."""
        near = np.sort(level.tree.query(shapely.box(*box)))
        return near if mask is None else near[mask[level.row[near]]]

    def _is_thinned(self, zoom: int) -> bool:
        return self.thin and is_thinned(zoom, len(self.row), MAX_TILE_SHAPES)

    def _is_shown(self, zoom: int, mask: Bools | None) -> Bools:
        """Which shapes a zoom shows, shape (n,); without a mask they are picked once."""
        if mask is None and zoom in self._shown:
            return self._shown[zoom]
        shown = self.min_zoom <= zoom
        if self._is_thinned(zoom):
            shown = np.zeros(len(self.row), dtype=bool)
            shown[self._thinned(zoom, mask)] = True
        if mask is None:
            self._shown[zoom] = shown
        return shown

    @cached_property
    def _unsimplified(self) -> _Level:
        """All shapes as they are, with their index in space."""
        return _Level(self.shapes, self.row, shapely.STRtree(self.shapes))

    def _level(self, zoom: int) -> _Level:
        """Simplified shapes of a zoom, built when they are first needed."""
        if zoom not in self._levels:
            shown = np.flatnonzero(self._is_shown(zoom, None))
            whole = self.shapes[shown]
            shapes = _share_unchanged(simplified(whole, zoom), whole)
            self._levels[zoom] = _Level(shapes, self.row[shown], shapely.STRtree(shapes))
        return self._levels[zoom]

    def _thinned(self, zoom: int, mask: Bools | None) -> Ints:
        """Indices of the shapes that a thinned zoom shows, ascending."""
        codes, index, rank = self._centres
        if mask is not None:
            is_selected = mask[self.row[index]]
            codes, index = codes[is_selected], index[is_selected]
        return np.sort(index[thin_crowded_tiles(codes, rank[index], zoom, MAX_TILE_SHAPES, SHAPE_CELL_BITS)])

    @cached_property
    def _centres(self) -> tuple[MortonCodes, Ints, Ints]:
        """Morton codes of box centres, ascending, the shape of each, and the rank of each shape, largest first."""
        west, north, east, south = shapely.bounds(self.shapes).T
        centres = np.clip([(west + east) / 2, (north + south) / 2], 0, 1 - 2.0**-CODE_BITS)
        x, y = (centres * 2.0**CODE_BITS).astype(np.int64)
        codes = morton(x, y)
        index = np.argsort(codes, kind="stable")
        rank = np.empty(len(codes), np.int64)
        rank[np.argsort(west - east + north - south, kind="stable")] = np.arange(len(codes))
        return codes[index], index, rank


def _share_unchanged(simple: Objects, whole: Objects) -> Objects:
    """The simplified shapes; one that lost no vertex is the whole object itself, so that it is in memory once."""
    same = shapely.equals_identical(simple, whole)
    simple[same] = whole[same]
    return simple


def _within_square(shapes: Objects, max_lat: float) -> Objects:
    """Shapes in degrees without what is beyond a latitude, north or south."""
    bounds = shapely.bounds(shapes)
    over = (bounds[:, 1] < -max_lat) | (bounds[:, 3] > max_lat)
    cut = shapes.copy()
    cut[over] = shapely.intersection(shapes[over], shapely.box(-180, -max_lat, 180, max_lat))
    return cut


def _parts(shapes: Objects, area: bool) -> tuple[Objects, Ints]:
    """Single polygons (or lines) of shapes, without empty ones, and the index of the shape that each is of."""
    parts, source = shapely.get_parts(shapes, return_index=True)
    fits = (shapely.get_dimensions(parts) == (2 if area else 1)) & ~shapely.is_empty(parts)
    return parts[fits], source[fits]


def _clipped(shapes: Objects, box: np.ndarray) -> Objects:
    """Clip to a box; a polygon that the quick clip leaves invalid is intersected with the box instead."""
    bounds = shapely.bounds(shapes)
    over = np.flatnonzero((bounds[:, :2] < box[:2]).any(axis=1) | (bounds[:, 2:] > box[2:]).any(axis=1))
    clipped = shapes.copy()
    clipped[over] = shapely.clip_by_rect(shapes[over], *box)
    bad = over[~shapely.is_valid(clipped[over])]
    clipped[bad] = shapely.intersection(shapes[bad], shapely.box(*box))
    return clipped


def _draw_lines(lines: Objects, units: Callable[[Floats], Floats], row: Ints) -> TileFeatures:
    """Round to tile units; lines of fewer than two different vertices are not drawn."""
    exact, path = shapely.get_coordinates(lines, return_index=True)
    xy, sizes = _vertices(units(exact), path, len(lines), closed=False)
    drawn = sizes >= 2
    paths = np.ones(int(drawn.sum()), np.int64)
    return TileFeatures.of_parts(LINE, row[drawn], xy[np.repeat(drawn, sizes)], sizes[drawn], paths)


def _draw_polygons(units: Objects, row: Ints) -> TileFeatures:
    """Round to tile units, repair invalid polygons, wind exterior rings to positive area (clause 4.3.4.4)."""
    rounded = shapely.transform(units, np.rint)
    invalid = ~shapely.is_valid(rounded)
    rounded[invalid] = shapely.set_precision(units[invalid], 1, mode="valid_output")
    polygons, source = _parts(rounded, area=True)
    rings, polygon = shapely.get_rings(shapely.orient_polygons(polygons, exterior_cw=False), return_index=True)
    xy, sizes = _vertices(*shapely.get_coordinates(rings, return_index=True), len(rings), closed=True)
    return TileFeatures.of_parts(POLYGON, row[source], xy, sizes, np.bincount(polygon, minlength=len(polygons)))


def _vertices(exact: Floats, path: Ints, paths: int, closed: bool) -> tuple[Ints, Ints]:
    """Rounded vertices, shape (n, 2), without repeated ones and without closing ones, and their number by path."""
    xy: Ints = np.rint(exact).astype(np.int64)
    is_new = np.ones(len(xy), dtype=bool)
    is_new[1:] = (path[1:] != path[:-1]) | (xy[1:, 0] != xy[:-1, 0]) | (xy[1:, 1] != xy[:-1, 1])
    xy, path = xy[is_new], path[is_new]
    sizes: Ints = np.bincount(path, minlength=paths).astype(np.int64)
    if closed and len(xy):
        last = np.cumsum(sizes) - 1
        xy = np.delete(xy, last, axis=0)
        sizes -= 1
    return xy, sizes
