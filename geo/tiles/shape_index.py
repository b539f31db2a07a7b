"""The lines or polygons of a layer by tile: found by an index in space, simplified for the zoom, and clipped."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import shapely

from geo.columnar.lazy_array import Array, batches, to_numpy
from geo.lonlat import Bools, Floats, Ints, Objects
from geo.tiles.box_index import BoxIndex
from geo.tiles.generalize import EXTENT, MAX_TILE_SHAPES, is_thinned, simplified
from geo.tiles.tile_features import LINE, POLYGON, TileFeatures
from geo.tiles.tile_matrix import MERCATOR, Box, Tile, TileProjection

#: Tile units drawn beyond a tile on every side, so that its borders do not show.
BUFFER = 64
#: Below this zoom a shape is simplified when it is drawn first; from it on whenever it is drawn.
STORED_BELOW_ZOOM = 8
#: Shapes that are projected at once: of all, the arrays of their vertices would take more than they do.
_PAGE = 256


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
        pages = (shapely.transform(inside[page], plane.world) for page in batches(len(inside), _PAGE))
        self._stored: Array = np.concatenate([inside[:0], *pages])
        self.row = row[source]
        self.min_zoom = min_zoom[self.row]
        #: By zoom, the shapes that were simplified for it, None for others.
        self._simplified: dict[int, Objects] = {}

    @classmethod
    def from_world(cls, shapes: Array, row: Ints, area: bool, boxes: BoxIndex | None = None) -> ShapeIndex:
        """Build an index of a thin layer, whose shapes are shown from zoom 0.

        Parameters
        ----------
        shapes
            Single lines or polygons in world coordinates, shape (n,); of a lazy array those are read that are drawn.
        row
            Row of the layer of each shape, shape (n,), ascending.
        area
            Whether the shapes are polygons.
        boxes
            Taken from the `boxes` of another index; found anew if None.
        """
        index = cls.__new__(cls)
        index.area, index.thin, index._stored, index.row = area, True, shapes, row
        index.min_zoom, index._simplified = np.broadcast_to(np.int64(0), len(row)), {}
        if boxes is not None:
            index.boxes = boxes
        return index

    @property
    def shapes(self) -> Objects:
        """The shapes in world coordinates, shape (n,), of the dtype object."""
        return to_numpy(self._stored)

    @cached_property
    def boxes(self) -> BoxIndex:
        """The boxes of the shapes, by place and zoom."""
        return BoxIndex.of(shapely.bounds(self.shapes).reshape(-1, 4), self.min_zoom, self.thin)

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
        if mask is not None and self.thin and is_thinned(zoom, len(self.row), MAX_TILE_SHAPES):
            near = self.boxes.meeting(self.boxes.thinned(zoom, mask[self.row]), box)
        else:
            near = self.boxes.near(box, zoom)
            near = near if mask is None else near[mask[self.row[near]]]
        return self._simplify(near, zoom), self.row[near]

    def _simplify(self, index: Ints, zoom: int) -> Objects:
        """Shapes as a zoom draws them."""
        if zoom >= STORED_BELOW_ZOOM:
            return simplified(self._stored.take(index), zoom)
        stored = self._simplified.setdefault(zoom, np.full(len(self.row), None, dtype=object))
        new = index[shapely.is_missing(stored[index])]
        stored[new] = simplified(self._stored.take(new), zoom)
        return stored[index]


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
