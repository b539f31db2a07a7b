"""Generalization by zoom: thinning of points and shapes, simplification. All limits by zoom stand in this module."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from geo.lonlat import Ints, Objects

#: Morton codes (Z-order) of points, one a point.
MortonCodes = npt.NDArray[np.uint64]

#: Tile units along each side of a tile (Mapbox Vector Tile 2.1, clause 4.1, ``extent``).
EXTENT = 4096
#: From this zoom on every row is shown.
THIN_BELOW_ZOOM = 12
#: A tile with more points is thinned, on a grid of 2**11 cells (32 x 64), which is at most 2,048 points.
MAX_TILE_POINTS = 2_000
POINT_CELL_BITS = 11
#: A tile with more lines, or more polygons, is thinned on 2**10 cells (32 x 32), as they take more bytes.
MAX_TILE_SHAPES = 1_000
SHAPE_CELL_BITS = 10
#: Up to this zoom lines and polygons are simplified, to so many tile units (half a pixel of a tile of 512 pixels).
MAX_SIMPLIFIED_ZOOM = 14
TOLERANCE_UNITS = 4
#: Bits of each axis in a Morton code: 9 mm on the ground.
CODE_BITS = 32


def is_thinned(zoom: int, count: int, limit: int) -> bool:
    """Whether a tile with ``count`` points or shapes is thinned at a zoom; up to ``limit`` are all shown."""
    return zoom < THIN_BELOW_ZOOM and count > limit


def tolerance_units(zoom: int) -> int:
    """By how many tile units a zoom may move lines and polygons; 0 draws them in full."""
    return TOLERANCE_UNITS if zoom <= MAX_SIMPLIFIED_ZOOM else 0


def morton(x: Ints, y: Ints) -> MortonCodes:
    """Interleave the bits of two coordinates, so that the points of any tile have one range of codes.

    Morton, A Computer Oriented Geodetic Data Base and a New Technique in File Sequencing (IBM, 1966).

    Parameters
    ----------
    x, y
        Shape (n,), in [0, 2**32).

    Returns
    -------
    Shape (n,), uint64; each bit of y is above that of x.
    """
    return _spread(x) | (_spread(y) << np.uint64(1))


def _spread(values: Ints) -> MortonCodes:
    """Put a zero bit above each bit of values in [0, 2**32)."""
    spread = values.astype(np.uint64)
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        spread = (spread | (spread << np.uint64(shift))) & np.uint64(mask)
    return spread


def cell_shift(zoom: int, cell_bits: int = POINT_CELL_BITS) -> int:
    """Low bits of a Morton code that are within a cell, where a tile of the zoom has 2**cell_bits cells."""
    return max(2 * (CODE_BITS - zoom) - cell_bits, 0)


def thin_by_grid(codes: MortonCodes, rank: Ints, zoom: int, cell_bits: int = POINT_CELL_BITS) -> Ints:
    """Pick the best point of every cell of a zoom.

    Parameters
    ----------
    codes
        Morton codes, ascending, shape (n,).
    rank
        Ranks without ties, shape (n,): lower is better.
    zoom
        Zoom level.
    cell_bits
        A tile has 2**cell_bits cells.

    Returns
    -------
    Ascending indices into ``codes``, at most 2**cell_bits a tile. The best of a cell is the best of its smaller cell at
    the next zoom too, so what is shown stays when zooming in, for any subset of the points.
    """
    if not len(codes):
        return np.empty(0, dtype=np.int64)
    cell = codes >> np.uint64(cell_shift(zoom, cell_bits))
    starts = np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]]))
    best = np.minimum.reduceat(rank, starts)
    return np.flatnonzero(rank == np.repeat(best, np.diff(starts, append=len(codes))))


def thin_crowded_tiles(codes: MortonCodes, rank: Ints, zoom: int, limit: int, cell_bits: int) -> Ints:
    """Pick all points of tiles of at most ``limit`` points, and the best of every cell of the other tiles.

    Parameters
    ----------
    codes, rank, zoom, cell_bits
        As `thin_by_grid` takes them.
    limit
        Points of a tile that is not thinned.

    Returns
    -------
    Ascending indices into ``codes``. What is shown stays when zooming in, as a part of a tile has no more points.
    """
    tile = codes >> np.uint64(2 * (CODE_BITS - zoom)) if zoom else np.zeros(len(codes), np.uint64)
    starts = np.flatnonzero(np.concatenate([[len(codes) > 0], tile[1:] != tile[:-1]]))
    counts = np.diff(starts, append=len(codes))
    is_crowded = np.repeat(counts > limit, counts)
    all_shown, crowded = np.flatnonzero(~is_crowded), np.flatnonzero(is_crowded)
    best = crowded[thin_by_grid(codes[crowded], rank[crowded], zoom, cell_bits)]
    return np.sort(np.concatenate([all_shown, best]))


def simplified(shapes: Objects, zoom: int) -> Objects:
    """Simplify lines and polygons for a zoom (Douglas and Peucker 1973); none disappears.

    Parameters
    ----------
    shapes
        Lines and polygons in world coordinates, shape (n,), neither missing nor empty; they are left as they are.
    zoom
        Zoom level, see `tolerance_units`.

    Returns
    -------
    Shape (n,). Polygons stay valid. A shape smaller than a tile unit becomes one unit: a line along its northern edge,
    a square for a polygon. Zooms without tolerance give the shapes themselves.
    """
    if not (tolerance := tolerance_units(zoom)):
        return shapes
    unit = 1 / (EXTENT << zoom)
    area = shapely.get_dimensions(shapes) == 2
    result: Objects = shapes.copy()
    result[~area] = shapely.simplify(shapes[~area], tolerance * unit, preserve_topology=False)
    result[area] = shapely.simplify(shapes[area], tolerance * unit, preserve_topology=True)
    west, north, east, south = shapely.bounds(shapes).T
    tiny = np.maximum(east - west, south - north) < unit
    x, y = np.floor(west[tiny] / unit) * unit, np.floor(north[tiny] / unit) * unit
    result[tiny] = shapely.box(x, y, x + unit, y + unit)
    tiny_line = tiny & ~area
    west, north = x[~area[tiny]], y[~area[tiny]]
    ends = [np.column_stack([west, north]), np.column_stack([west + unit, north])]
    result[tiny_line] = shapely.linestrings(np.stack(ends, axis=1))
    return result
