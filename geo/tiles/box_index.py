"""The boxes of a layer's lines or polygons in Morton order: which of them a zoom shows, and which meet a box.

Its arrays can be mapped from a file, so that a tile reads only those shapes that are near it.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from geo.lonlat import Bools, Floats, Ints
from geo.tiles.generalize import (
    CODE_BITS,
    MAX_TILE_SHAPES,
    SHAPE_CELL_BITS,
    THIN_BELOW_ZOOM,
    MortonCodes,
    is_thinned,
    morton,
    thin_crowded_tiles,
)
from geo.tiles.tile_matrix import Box


class BoxIndex:
    """Boxes by place, each with the first zoom that shows its shape.

    Parameters
    ----------
    order
        Index of the shape of each box, shape (n,), int32; boxes are in Morton order of their centres.
    boxes
        West, north, east and south in world coordinates, shape (n, 4), in that order.
    min_zooms
        First zoom at which the shape of each box is shown, shape (n,), int8, in that order.
    """

    def __init__(self, order: npt.NDArray[np.int32], boxes: Floats, min_zooms: npt.NDArray[np.int8]) -> None:
        self.order, self.boxes, self.min_zooms = order, boxes, min_zooms

    @classmethod
    def of(cls, boxes: Floats, min_zooms: Ints, thin: bool) -> BoxIndex:
        """Index the boxes of shapes.

        Parameters
        ----------
        boxes
            Of each shape, shape (n, 4), in world coordinates.
        min_zooms
            First zoom at which each is shown, shape (n,).
        thin
            Whether tiles are thinned instead to the largest shape of each cell of a grid, by the centres of boxes.
        """
        codes = _codes(boxes)
        order = np.argsort(codes, kind="stable").astype(np.int32)
        index = cls(order, boxes[order], np.minimum(min_zooms, np.iinfo(np.int8).max).astype(np.int8)[order])
        if not thin:
            return index
        first = np.zeros(len(order), np.int8)
        for zoom in range(THIN_BELOW_ZOOM):
            # What a zoom shows, the next one shows.
            if is_thinned(zoom, len(order), MAX_TILE_SHAPES):
                hidden = np.ones(len(order), dtype=bool)
                hidden[index.thinned(zoom)] = False
                first[hidden] = zoom + 1
        return cls(order, index.boxes, first)

    def __len__(self) -> int:
        return len(self.order)

    def near(self, box: Box, zoom: int) -> Ints:
        """Shapes that a zoom shows and whose boxes meet a box: their indices, ascending."""
        return self.meeting(np.flatnonzero(self.min_zooms <= zoom), box)

    def meeting(self, places: Ints, box: Box) -> Ints:
        """Shapes among some, given by their places in the order, whose boxes meet a box: their indices, ascending."""
        return np.sort(self.order[places[_meet(self.boxes[places], box)]]).astype(np.int64)

    def thinned(self, zoom: int, selected: Bools | None = None) -> Ints:
        """Places in the order of the shapes that are shown where a zoom thins all, or the selected ones, shape (n,)."""
        codes, rank = self._codes_and_ranks
        if selected is None:
            return thin_crowded_tiles(codes, rank, zoom, MAX_TILE_SHAPES, SHAPE_CELL_BITS)
        (places,) = selected[self.order].nonzero()
        return places[thin_crowded_tiles(codes[places], rank[places], zoom, MAX_TILE_SHAPES, SHAPE_CELL_BITS)]

    @cached_property
    def _codes_and_ranks(self) -> tuple[MortonCodes, Ints]:
        """Morton code of the centre of each box, ascending, and ranks of the shapes, the largest first."""
        west, north, east, south = self.boxes.T
        by_size = np.lexsort((self.order, west - east + north - south))
        rank = np.empty(len(self), np.int64)
        rank[by_size] = np.arange(len(self))
        return _codes(self.boxes), rank


def _meet(boxes: Floats, box: Box) -> Bools:
    west, north, east, south = boxes.T
    met: Bools = (west <= box[2]) & (east >= box[0]) & (north <= box[3]) & (south >= box[1])
    return met


def _codes(boxes: Floats) -> MortonCodes:
    """Morton codes of the centres of boxes."""
    west, north, east, south = boxes.T
    centres = np.clip([(west + east) / 2, (north + south) / 2], 0, 1 - 2.0**-CODE_BITS)
    x, y = (centres * 2.0**CODE_BITS).astype(np.int64)
    return morton(x, y)
