"""What is left out at low zooms: points one a cell, lines and polygons to what a screen can show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from geo.lonlat import Ints, Objects

Codes = npt.NDArray[np.uint64]

#: A tile is thinned on a grid of 32 x 64 cells, so it holds at most 2,048 points.
POINT_CELLS = 11
#: Lines and areas, which take more bytes, on one of 32 x 32.
SHAPE_CELLS = 10
#: A tile is thinned only when it would hold more points, or more lines, than these.
CROWD = 2_000
SHAPE_CROWD = 1_000
#: From this zoom on all is shown.
THIN_BELOW_ZOOM = 12
#: Bits of each axis in a Morton code: 9 mm on the ground.
CODE_BITS = 32
#: Lines and polygons are simplified to this many of a tile's 4,096 units (half a pixel at 512).
TOLERANCE_UNITS = 4
EXTENT = 4096


def morton(x: Ints, y: Ints) -> Codes:
    """Interleave the bits of two coordinates in [0, 2**32): y above x. All of a tile lies in one range."""
    return _spread(x) | (_spread(y) << np.uint64(1))


def _spread(values: Ints) -> Codes:
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


def cell_shift(zoom: int, cells: int = POINT_CELLS) -> int:
    """Low bits of a Morton code that tell places within a cell of a zoom apart, where a tile has 2**cells."""
    return max(2 * (CODE_BITS - zoom) - cells, 0)


def best_in_cells(codes: Codes, order: Ints, zoom: int, cells: int = POINT_CELLS) -> Ints:
    """Pick the best point of every cell of a zoom, of which a tile has 2**cells.

    Parameters
    ----------
    codes
        Morton codes, ascending, shape (n,).
    order
        A rank without ties: lower is better.

    Returns
    -------
    Ascending positions into ``codes``, at most 2**cells a tile. What is best in a cell is best in the smaller
    cell of the next zoom too, so whatever is shown stays when zooming in, for any subset of the points.
    """
    if not len(codes):
        return np.empty(0, dtype=np.int64)
    cell = codes >> np.uint64(cell_shift(zoom, cells))
    starts = np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]]))
    best = np.minimum.reduceat(order, starts)
    return np.flatnonzero(order == np.repeat(best, np.diff(starts, append=len(codes))))


def uncrowded(codes: Codes, order: Ints, zoom: int, crowd: int, cells: int) -> Ints:
    """Pick all of a tile that holds no crowd, and of the others the best of every cell; takes what that takes.

    Returns
    -------
    Ascending positions into ``codes``. What is shown stays when zooming in, as no part of a tile is more of a crowd.
    """
    tile = codes >> np.uint64(2 * (CODE_BITS - zoom)) if zoom else np.zeros(len(codes), np.uint64)
    starts = np.flatnonzero(np.concatenate([[len(codes) > 0], tile[1:] != tile[:-1]]))
    counts = np.diff(starts, append=len(codes))
    crowded = np.repeat(counts > crowd, counts)
    few, many = np.flatnonzero(~crowded), np.flatnonzero(crowded)
    best = many[best_in_cells(codes[many], order[many], zoom, cells)]
    return np.sort(np.concatenate([few, best]))


def first_zoom(codes: Codes, order: Ints, max_zoom: int) -> Ints:
    """Rank points: the first zoom at which each is the best in its cell, ``max_zoom`` + 1 where it never is.

    Takes what `best_in_cells` takes; shape (n,).
    """
    first = np.full(len(codes), max_zoom + 1, dtype=np.int64)
    for zoom in range(max_zoom, -1, -1):
        first[best_in_cells(codes, order, zoom)] = zoom
    return first


def simplified(shapes: Objects, zoom: int) -> Objects:
    """Simplify lines and polygons in world coordinates for a zoom; nothing disappears.

    Polygons stay valid (Douglas-Peucker that keeps topology). What is smaller than one unit of a tile is
    drawn as one unit: a line along it, a square for a polygon.
    """
    unit = 1 / (EXTENT << zoom)
    area = shapely.get_dimensions(shapes) == 2
    result: Objects = shapes.copy()
    result[~area] = shapely.simplify(shapes[~area], TOLERANCE_UNITS * unit, preserve_topology=False)
    result[area] = shapely.simplify(shapes[area], TOLERANCE_UNITS * unit, preserve_topology=True)
    west, north, east, south = shapely.bounds(shapes).T
    tiny = np.maximum(east - west, south - north) < unit
    x, y = np.floor(west[tiny] / unit) * unit, np.floor(north[tiny] / unit) * unit
    result[tiny] = shapely.box(x, y, x + unit, y + unit)
    flat = tiny & ~area
    west, north = x[~area[tiny]], y[~area[tiny]]
    ends = [np.column_stack([west, north]), np.column_stack([west + unit, north])]
    result[flat] = shapely.linestrings(np.stack(ends, axis=1))
    return result
