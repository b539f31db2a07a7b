"""What a picture of collections shows: the box of the world, its size, the layers, and the table of their colours.

Sizes are CSS pixels at the zooms of the web map (tiles of 512 pixels); a picture may have several pixels for one. It is
drawn by `png`, which takes a third of a second to be imported, and so is imported by the first picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import orjson

from api.styles.rules import StyleTable, at_zoom
from geo.lonlat import Bools, Floats
from geo.tiles.tile_layer import TileLayer, VisibleFeatures
from geo.tiles.tile_matrix import MAX_ZOOM, Box, Tile
from layers.collections.collection import Collection

#: Width in pixels of a tile picture, and of the tile by which the web map counts its zooms.
TILE_PX = 256
_MAP_TILE = 512
#: Pixels that a symbol with its halo reaches beyond its point.
SYMBOL_REACH_PX = 16
#: Width in pixels of the picture of one symbol at size 1, with its halo (static/style.js).
ICON_PX = 28
#: Middle of the box of 24 units that symbols are drawn in.
CENTRE = 12.0


@dataclass(frozen=True, eq=False)
class RenderedLayer:
    """A collection to draw: all of its rows, or those that a boolean mask of shape (n,) selects.

    Strikes are drawn by host and status, or, of a country that is given, by its share of what was hit.
    """

    collection: Collection
    layer: TileLayer
    mask: Bools | None = None
    country: str | None = None


@dataclass(frozen=True, eq=False)
class Canvas:
    """The box of the world that a picture shows, and its size.

    Parameters
    ----------
    box
        West, north, east, south in world coordinates (Web Mercator or another plane, 0 to 1, y to the south), shape
        (4,); west is less than 0 or east more than 1 where the box crosses 180 degrees.
    width, height
        Pixels.
    ratio
        Pixels of the picture for one CSS pixel.
    """

    box: Box
    width: int
    height: int
    ratio: float = 1.0

    @property
    def zoom(self) -> float:
        """The zoom of the web map at the picture's scale; the smaller of two where the scales of its axes differ."""
        per_pixel = (self.box[2:] - self.box[:2]) / [self.width, self.height]
        return -math.log2(float(per_pixel.max()) * self.ratio * _MAP_TILE)

    def pixels_of(self, stops: Sequence[tuple[float, float]]) -> float:
        """Return the size in pixels at the picture's zoom of a size in CSS pixels by zoom."""
        return at_zoom(stops, self.zoom) * self.ratio

    def to_pixels(self, world: Floats) -> Floats:
        """Convert world coordinates, shape (n, 2), to pixels from the lower left corner, shape (n, 2)."""
        size = self.box[2:] - self.box[:2]
        x, y = ((world - self.box[:2]) / size * [self.width, self.height]).T
        return np.column_stack([x, self.height - y])

    def visible(self, layer: TileLayer, mask: Bools | None = None) -> list[tuple[VisibleFeatures, float]]:
        """Find the features of a layer in the picture.

        Parameters
        ----------
        layer
            Geometry in world coordinates.
        mask
            Rows of the layer that may be drawn, boolean, shape (n,); every row where it is ``None``.

        Returns
        -------
        list of (VisibleFeatures, float)
            The features of each copy of the world that the box reaches into, and by how many worlds that copy lies to
            the east: -1, 0 or 1.
        """
        per_pixel = (self.box[2:] - self.box[:2]) / [self.width, self.height] * self.ratio
        grown = self.box + np.concatenate([-per_pixel, per_pixel]) * SYMBOL_REACH_PX
        zoom = min(max(round(self.zoom) + 1, 0), MAX_ZOOM)
        copies = []
        for world in (-1.0, 0.0, 1.0):
            box = grown - np.array([world, 0, world, 0])
            if box[0] < 1 and box[2] > 0:
                copies.append((layer.visible(np.clip(box, 0, 1), zoom, mask), world))
        return copies


def tile_canvas(tile: Tile, ratio: int = 1) -> Canvas:
    """Return the canvas of one tile, with ``ratio`` pixels for one CSS pixel."""
    box = np.array([tile.x, tile.y, tile.x + 1, tile.y + 1]) / (1 << tile.z)
    return Canvas(box, TILE_PX * ratio, TILE_PX * ratio, ratio)


@lru_cache(maxsize=4)
def style_table(path: Path) -> StyleTable:
    """Read the table of colours and symbols from a file; a path is read once."""
    table: StyleTable = orjson.loads(path.read_bytes())
    return table
