"""Pictures of features on the base map, drawn by the server: they need no script, and can be printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from starlette.requests import Request

from api.http.links import href, is_answered
from geo.tiles import tile_matrix
from layers.collections.geometry_index import Box

#: Pixels of a picture on a wide page and on a narrow one.
WHOLE: Sequence[tuple[int, int]] = ((960, 540), (480, 400))
#: The same of one beside text, which is half as wide, so that its symbols are as large as those of a whole one.
BESIDE: Sequence[tuple[int, int]] = ((640, 360), (400, 334))
#: The picture of all strikes that stands in a publication for those of single pages, and its size.
SHARED = "/share.png"
SHARED_SIZE = (1200, 630)
#: The smallest width of a picture, in widths of the world: some 3.6 degrees.
_MIN_WIDTH = 0.01
#: Northern and southern end of pictures of the world, in degrees; few people live beyond.
_NORTH, _SOUTH = 80.0, -58.0
#: West, south, east and north of the world.
WORLD: Box = (-180.0, _SOUTH, 180.0, _NORTH)


class Picture(NamedTuple):
    """A picture: its address and its size in pixels."""

    address: str
    width: int
    height: int


def pictures(
    request: Request,
    collections: str | None,
    bounds: Box | None,
    drawn: Mapping[str, str],
    sizes: Sequence[tuple[int, int]] = WHOLE,
) -> list[Picture]:
    """Give a wide and a narrow picture of selected features; none without bounds, or where no server draws them.

    Parameters
    ----------
    collections
        Names of collections, joined by commas; ``None`` draws all.
    bounds
        West, south, east and north of the features in degrees; ``None`` where none has a place.
    drawn
        Query parameters that select the features.
    sizes
        Width and height in pixels of the wide and of the narrow picture.
    """
    if bounds is None or not is_answered(request, "/map", f="png"):
        return []
    drawn_pictures = []
    for width, height in sizes:
        box = ",".join(f"{edge:.4f}" for edge in framed(bounds, width / height))
        address = href(
            request, "/map", f="png", collections=collections, bbox=box, crs="EPSG:3857", width=width, height=height,
            **drawn,
        )  # fmt: skip
        drawn_pictures.append(Picture(address, width, height))
    return drawn_pictures


def shared_picture(request: Request) -> Picture | None:
    """Give the picture that all pages of a publication share; none of a server, which draws one for each page."""
    if is_answered(request, "/map", f="png") or not is_answered(request, SHARED):
        return None
    return Picture(href(request, SHARED), *SHARED_SIZE)


def framed(bounds: Box, ratio: float) -> Box:
    """Widen bounds in degrees, with room on all sides, to a box of a ratio of width to height in Mercator.

    Where the world is not wide enough for that, the box is cut off in the north and south.
    """
    west, south, east, north = bounds
    corners = np.array([[west, min(north, _NORTH)], [east, max(south, _SOUTH)]])
    (left, top), (right, bottom) = tile_matrix.world(corners)
    width = max((right - left) * 1.15, (bottom - top) * 1.15 * ratio, _MIN_WIDTH)
    width = min(width, 1.0)
    height = width / ratio
    x = min(max((left + right) / 2, width / 2), 1 - width / 2)
    y = min(max((top + bottom) / 2, height / 2), 1 - height / 2)
    edges = tile_matrix.lonlat(np.array([[x - width / 2, y + height / 2], [x + width / 2, y - height / 2]]))
    (west, south), (east, north) = edges.tolist()
    return west, south, east, north
