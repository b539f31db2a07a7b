"""What is left out at low zooms: points one a cell, lines and polygons to what a screen can show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from geo.crs import Ints, Objects

Codes = npt.NDArray[np.uint64]

#: A tile is thinned on a grid of 2**6 x 2**6 cells, so it holds at most 4,096 points.
CELL_BITS = 6
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


def best_in_cells(codes: Codes, order: Ints, zoom: int) -> Ints:
    """Pick the best point of every cell of a zoom.

    Parameters
    ----------
    codes
        Morton codes, ascending, shape (n,).
    order
        A rank without ties: lower is better.

    Returns
    -------
    Ascending positions into ``codes``, at most 4,096 a tile. What is best in a cell is best in the smaller
    cell of the next zoom too, so whatever is shown stays when zooming in, for any subset of the points.
    """
    if not len(codes):
        return np.empty(0, dtype=np.int64)
    cells = codes >> np.uint64(2 * max(CODE_BITS - zoom - CELL_BITS, 0))
    starts = np.flatnonzero(np.concatenate([[True], cells[1:] != cells[:-1]]))
    best = np.minimum.reduceat(order, starts)
    return np.flatnonzero(order == np.repeat(best, np.diff(starts, append=len(codes))))


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
