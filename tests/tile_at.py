"""The tile that a point is in."""

from __future__ import annotations

import numpy as np

from geo.tiles.tile_matrix import Tile, world


def tile_at(lon: float, lat: float, z: int) -> Tile:
    """The tile that holds a point in degrees; a border belongs to the tile east or south of it.

    A point beyond the square is in the nearest tile.

    Raises
    ------
    GeometryError
        When there is no such zoom.
    """
    count = 1 << Tile(z, 0, 0).z
    x, y = np.clip(np.floor(world(np.array([[lon, lat]]))[0] * count), 0, count - 1)
    return Tile(z, int(x), int(y))
