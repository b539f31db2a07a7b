"""Tile arithmetic of WebMercatorQuad (OGC 17-083r4, annex D.1): addresses, bounds and world coordinates.

World coordinates are the web Mercator square as [0, 1] x [0, 1], x to the east, y to the south.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

import numpy as np

from geo.errors import GeometryError
from geo.lonlat import Floats

#: West, north, east, south of a rectangle in world coordinates, shape (4,).
Box: TypeAlias = Floats

#: Latitude, north and south, at which the square of web Mercator ends.
MAX_LAT = math.degrees(math.atan(math.sinh(math.pi)))
#: WebMercatorQuad defines zoom levels 0 to 24.
MAX_ZOOM = 24
#: Part of a tile by which a box that ends on a border may pass it in rounding.
BORDER = 1e-6


class _Address(NamedTuple):
    z: int
    x: int
    y: int


class Tile(_Address):
    """A tile's address: zoom, column from the west, row from the north.

    Raises
    ------
    GeometryError
        When zoom is not in [0, 24] or column or row not in [0, 2**zoom).
    """

    __slots__ = ()

    def __new__(cls, z: int, x: int, y: int) -> Self:
        """Refuse an address that is not of the tile matrix set."""
        if not 0 <= z <= MAX_ZOOM:
            raise GeometryError(f"expected a zoom in [0, {MAX_ZOOM}], got {z}")
        if not (0 <= x < 1 << z and 0 <= y < 1 << z):
            raise GeometryError(f"expected column and row in [0, {1 << z}) at zoom {z}, got {x}, {y}")
        return super().__new__(cls, z, x, y)


def world(lonlat: Floats) -> Floats:
    """Project lon/lat degrees, shape (n, 2), to world coordinates of EPSG:3857; latitudes are clamped to `MAX_LAT`."""
    sine = np.sin(np.radians(np.clip(lonlat[:, 1], -MAX_LAT, MAX_LAT)))
    y = 0.5 - np.arctanh(sine) / (2 * np.pi)
    return np.column_stack([lonlat[:, 0] / 360 + 0.5, np.clip(y, 0, 1)])


def lonlat(world_xy: Floats) -> Floats:
    """Lon/lat degrees of world coordinates of EPSG:3857, both of shape (n, 2)."""
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * world_xy[:, 1]))))
    return np.column_stack([world_xy[:, 0] * 360 - 180, lat])


def bounds(tile: Tile) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile in degrees."""
    corners = np.array([[tile.x, tile.y + 1], [tile.x + 1, tile.y]]) / (1 << tile.z)
    (west, south), (east, north) = lonlat(corners).tolist()
    return west, south, east, north


def covering(bbox: tuple[float, float, float, float], z: int) -> list[Tile]:
    """Tiles that a box (west, south, east, north in degrees) overlaps, row by row.

    A box with west greater than east crosses 180 degrees (RFC 7946, 5.2). A box without area has the tile that holds
    it; a box that only touches the border of a tile does not overlap that tile.

    Raises
    ------
    GeometryError
        When a number is NaN or infinite, or south is greater than north.
    """
    west, south, east, north = bbox
    if not all(map(math.isfinite, bbox)) or south > north:
        raise GeometryError(f"expected west, south, east, north with south <= north, got {bbox}")
    if west > east:
        sides = ((west, south, 180.0, north), (-180.0, south, east, north))
        return sorted({tile for side in sides for tile in covering(side, z)}, key=lambda tile: (tile.y, tile.x))
    count = 1 << Tile(z, 0, 0).z
    (left, bottom), (right, top) = (world(np.array([[west, south], [east, north]])) * count).tolist()
    return overlapped(np.array([left, top, right, bottom]) / count, z)


def overlapped(box: Box, z: int) -> list[Tile]:
    """Tiles of a zoom that a box in world coordinates overlaps, row by row; at least one."""
    count = 1 << Tile(z, 0, 0).z
    left, top, right, bottom = (box * count).tolist()
    columns, rows = span(left, right, count), span(top, bottom, count)
    return [Tile(z, x, y) for y in rows for x in columns]


def span(low: float, high: float, count: int) -> range:
    """Columns (or rows) of ``count`` between two coordinates in widths (heights) of a tile; at least one."""
    first = min(max(math.floor(low + BORDER), 0), count - 1)
    last = min(max(math.ceil(high - BORDER) - 1, first), count - 1)
    return range(first, last + 1)


@dataclass(frozen=True)
class TileProjection:
    """A projection that tiles are parts of.

    Parameters
    ----------
    name
        Its coordinate reference system.
    world
        Projects lon/lat degrees, shape (n, 2), to world coordinates, shape (n, 2): [0, 1] x [0, height], x to the east,
        y to the south.
    max_lat
        Latitude, north and south, at which it ends, in degrees.
    height
        Height of the world in widths of the world.
    """

    name: str
    world: Callable[[Floats], Floats]
    max_lat: float
    height: float


def world_in_degrees(lonlat: Floats) -> Floats:
    """Project lon/lat degrees, shape (n, 2), to world coordinates of plate carrée, where the south pole is y 0.5."""
    return np.column_stack([lonlat[:, 0] / 360 + 0.5, 0.25 - np.clip(lonlat[:, 1], -90, 90) / 360])


MERCATOR = TileProjection("EPSG:3857", world, MAX_LAT, 1.0)
#: Plate carrée, half as high as wide: level z of WorldCRS84Quad is the upper half of zoom z + 1 of a square.
DEGREES = TileProjection("OGC:CRS84", world_in_degrees, 90.0, 0.5)
