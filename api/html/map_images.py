"""Pictures of features on the base map, drawn by the server: they need no script, and can be printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from starlette.requests import Request

from api.http.links import href
from geo.tiles import tile_matrix
from layers.collections.collection import Box

#: Pixels of the picture on a wide page and on a narrow one.
_WIDE, _NARROW = (960, 540), (480, 400)
#: Least width of what is shown, in widths of the world: some 3.6 degrees.
_LEAST = 0.01
#: Where the pictures of the world end to the north and south, in degrees; few live beyond.
_NORTH, _SOUTH = 80.0, -58.0


class Picture(NamedTuple):
    """One picture: its address and its size in pixels."""

    address: str
    width: int
    height: int


def pictures(request: Request, collections: str | None, bounds: Box | None, drawn: Mapping[str, str]) -> list[Picture]:
    """A wide and a narrow picture of what parameters select of collections; none where nothing has a place."""
    if bounds is None:
        return []
    told = []
    for width, height in (_WIDE, _NARROW):
        box = ",".join(f"{edge:.4f}" for edge in framed(bounds, width / height))
        address = href(
            request, "/map", f="png", collections=collections, bbox=box, crs="EPSG:3857", width=width, height=height,
            **drawn,
        )  # fmt: skip
        told.append(Picture(address, width, height))
    return told


def framed(bounds: Box, ratio: float) -> Box:
    """A box about bounds, all in degrees, with room on all sides and so many times as wide as high in Mercator.

    Where the world is not wide enough for that it is cut off in the north and south.
    """
    west, south, east, north = bounds
    corners = np.array([[west, min(north, _NORTH)], [east, max(south, _SOUTH)]])
    (left, top), (right, bottom) = tile_matrix.world(corners)
    width = max((right - left) * 1.15, (bottom - top) * 1.15 * ratio, _LEAST)
    width = min(width, 1.0)
    height = width / ratio
    x = min(max((left + right) / 2, width / 2), 1 - width / 2)
    y = min(max((top + bottom) / 2, height / 2), 1 - height / 2)
    edges = tile_matrix.lonlat(np.array([[x - width / 2, y + height / 2], [x + width / 2, y - height / 2]]))
    (west, south), (east, north) = edges.tolist()
    return west, south, east, north
