"""Sea and lakes as a zoom draws them: shorelines simplified, and cut by tiles.

The sea is what of a tile is not land. The shoreline of Eurasia has 1.2 million vertices: simplified as
one polygon that has to stay valid it takes many minutes, ring by ring and repaired where it crosses itself seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from geo.lonlat import Floats, Ints, Objects
from geo.tiles.generalize import EXTENT, tolerance_units
from geo.tiles.shape_index import BUFFER
from geo.tiles.tile_layer import TileGeometry, TileLayer
from geo.tiles.tile_matrix import MERCATOR, Box, Tile

#: Width, or height, in tile units of the smallest lake that is drawn, and of the smallest island.
LAKE_UNITS, ISLAND_UNITS = 24, 8
#: Up to this zoom, in which the map begins, shorelines are twice as coarse: they are most of what its first tiles draw.
COARSE_ZOOM = 4
_NO_POINTS = (np.empty(0, np.uint64), np.empty((0, 2)), np.empty(0, np.int64))


def projected(lonlat: Objects) -> Objects:
    """Polygons in lon/lat degrees as polygons in world coordinates, shape (n,); latitudes are clamped."""
    return shapely.transform(lonlat, MERCATOR.world)


def area_layer(name: str, areas: Objects, columns: Mapping[str, Sequence[Any]] | None = None) -> TileLayer:
    """Make a layer of polygons in world coordinates, a row each; by default without properties."""
    lines = np.empty(0, dtype=object)
    rows: Ints = np.arange(len(areas), dtype=np.int64)
    codes, xy, row = _NO_POINTS
    geometry = TileGeometry(codes, xy, row, True, lines, np.empty(0, np.int64), areas, rows)
    return TileLayer.from_geometry(name, geometry, len(areas), columns or {})


def sea(land: Objects, zoom: int, within: Box) -> dict[Tile, Objects]:
    """Cut the sea out of the tiles of a zoom that overlap a box of the world.

    Parameters
    ----------
    land
        Polygons in world coordinates, as `simplified_areas` gives them for the zoom, shape (n,).
    zoom
        Zoom of the tiles.
    within
        West, north, east, south in world coordinates.

    Returns
    -------
    dict
        Polygons in world coordinates by tile, each with the margin of a tile around it, so that the edges of the cut
        are not drawn; without the tiles that have no sea.
    """
    margin = BUFFER / EXTENT / (1 << zoom)
    found = {
        tile: _polygons(np.array([shapely.difference(box, shapely.union_all(shores)) if len(shores) else box]))[0]
        for tile, box, shores, _ in pieces(land, zoom, margin, within)
    }
    return {tile: areas for tile, areas in found.items() if len(areas)}


def lakes(areas: Objects, islands: Objects, zoom: int) -> Objects:
    """Cut islands out of the lakes that a zoom draws.

    Parameters
    ----------
    areas, islands
        Polygons in world coordinates, shapes (n,) and (m,).
    zoom
        Zoom of the tiles.

    Returns
    -------
    Objects
        Polygons in world coordinates, simplified.
    """
    shown = simplified_areas(areas, zoom, LAKE_UNITS)
    dry = simplified_areas(islands, zoom, ISLAND_UNITS)
    lake, island = shapely.STRtree(dry).query(shown, predicate="intersects")
    for row in np.unique(lake):
        shown[row] = shapely.difference(shown[row], shapely.union_all(dry[island[lake == row]]))
    parts, _ = _polygons(shown)
    return parts


def simplified_areas(areas: Objects, zoom: int, least_units: int = ISLAND_UNITS) -> Objects:
    """Simplify polygons ring by ring, without those that are too small to be drawn.

    Parameters
    ----------
    areas
        Polygons in world coordinates, shape (n,).
    zoom
        Zoom of the tiles.
    least_units
        Width, or height, in tile units of the smallest polygon that stays; twice that up to `COARSE_ZOOM`.

    Returns
    -------
    Objects
        Valid Polygons, as many as have stayed.
    """
    unit = (2 if zoom <= COARSE_ZOOM else 1) / (EXTENT << zoom)
    west, north, east, south = shapely.bounds(areas).T
    large = areas[np.maximum(east - west, south - north) >= least_units * unit]
    shapes = shapely.simplify(large, tolerance_units(zoom) * unit, preserve_topology=False)
    parts, _ = _polygons(shapes)
    return parts


def pieces(
    shapes: Objects, zoom: int, margin: float, within: Box, tile: Tile | None = None, row: Ints | None = None
) -> Iterator[tuple[Tile, shapely.Polygon, Objects, Ints]]:
    """Cut polygons by the tiles of a zoom: by the quarters of the quarters of the world, so that each cut is short.

    Parameters
    ----------
    shapes
        Polygons in world coordinates, shape (n,).
    zoom
        Zoom of the tiles.
    margin
        By how much of the world a piece is larger than its tile, on every side.
    within
        West, north, east, south in world coordinates: tiles outside are left out.
    tile, row
        The tile that the shapes have been cut to, and the index of the shape that each is of.

    Yields
    ------
    tuple
        The tile of a piece, its box, the polygons in it, and the index of the shape that each of them is of.
    """
    tile = Tile(0, 0, 0) if tile is None else tile
    row = np.arange(len(shapes)) if row is None else row
    box = np.array([tile.x, tile.y, tile.x + 1, tile.y + 1]) / (1 << tile.z)
    if box[0] >= within[2] or box[2] <= within[0] or box[1] >= within[3] or box[3] <= within[1]:
        return
    box += [-margin, -margin, margin, margin]
    here, source = _cut(shapes, box)
    if tile.z == zoom:
        yield tile, shapely.box(*box), here, row[source]
        return
    for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
        quarter = Tile(tile.z + 1, 2 * tile.x + x, 2 * tile.y + y)
        yield from pieces(here, zoom, margin, within, quarter, row[source])


def _cut(shapes: Objects, box: Floats) -> tuple[Objects, Ints]:
    """Clip polygons to a box; those that the quick clip leaves invalid are repaired."""
    bounds = shapely.bounds(shapes)
    near = np.flatnonzero((bounds[:, :2] < box[2:]).all(axis=1) & (bounds[:, 2:] > box[:2]).all(axis=1))
    parts, source = _polygons(shapely.clip_by_rect(shapes[near], *box))
    return parts, near[source]


def _polygons(shapes: Objects) -> tuple[Objects, Ints]:
    """Single valid polygons of shapes, and the index of the shape that each is of."""
    parts, source = shapely.get_parts(shapes, return_index=True)
    bad = ~shapely.is_valid(parts)
    parts[bad] = shapely.make_valid(parts[bad])
    while (shapely.get_type_id(parts) >= 4).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        source = source[index]
    fits = (shapely.get_dimensions(parts) == 2) & ~shapely.is_empty(parts)
    return parts[fits], source[fits]
