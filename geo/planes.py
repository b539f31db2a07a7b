"""The two planes that maps are drawn on: how lon/lat becomes world coordinates, the square of which tiles are parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geo import tiles
from geo.crs import Floats


@dataclass(frozen=True)
class Plane:
    """A projection of the world.

    Parameters
    ----------
    name
        Its coordinate reference system.
    world
        Projects lon/lat degrees, shape (n, 2), to [0, 1] x [0, height], x to the east, y to the south.
    max_lat
        Where it ends, in degrees north and south.
    height
        Of the world, in widths of it.
    """

    name: str
    world: Callable[[Floats], Floats]
    max_lat: float
    height: float


def degrees(lonlat: Floats) -> Floats:
    """Project lon/lat degrees, shape (n, 2), to world coordinates of equal degrees: 0.5 is the south pole."""
    return np.column_stack([lonlat[:, 0] / 360 + 0.5, 0.25 - np.clip(lonlat[:, 1], -90, 90) / 360])


MERCATOR = Plane("EPSG:3857", tiles.world, tiles.MAX_LAT, 1.0)
#: Of twice as many columns as rows: its level z (WorldCRS84Quad) is the upper half of zoom z + 1 of a square.
DEGREES = Plane("OGC:CRS84", degrees, 90.0, 0.5)
