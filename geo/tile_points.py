"""The points of a layer in Morton order, so that every tile is one slice, thinned where there are too many."""

from __future__ import annotations

from copy import copy

import numpy as np

from geo.crs import Bools, Floats, Ints
from geo.generalize import CODE_BITS, EXTENT, best_in_cells, morton
from geo.planes import MERCATOR, Plane
from geo.tiles import Box, Tile, overlapped

#: A tile is thinned only when it would hold more points than this.
CROWD = 2_000
#: From this zoom on every point is shown.
THIN_BELOW_ZOOM = 12


class TilePoints:
    """Points that are found by tile.

    Parameters
    ----------
    lonlat
        Degrees, shape (n, 2). Points north or south of the square are in no tile.
    row
        The layer's row of each point.
    min_zoom, priority
        By layer row: the first zoom at which it may be shown; which is kept where it is crowded (higher
        wins, then the earlier row).
    plane
        What they are drawn on.
    """

    def __init__(
        self, lonlat: Floats, row: Ints, min_zoom: Ints, priority: Floats, thin: bool, plane: Plane = MERCATOR
    ) -> None:
        inside = np.abs(lonlat[:, 1]) <= plane.max_lat
        # The east rim belongs to the last column, the south rim to the last row.
        xy = np.minimum(plane.world(lonlat[inside]), np.array([1, plane.height]) - 2.0**-CODE_BITS)
        grid = (xy * 2.0**CODE_BITS).astype(np.int64)
        codes = morton(grid[:, 0], grid[:, 1])
        order = np.argsort(codes, kind="stable")
        self.codes, self.xy, self.row = codes[order], xy[order], row[inside][order]
        self.min_zoom, self.priority, self.thin = min_zoom[self.row], priority[self.row], thin
        self._rank()

    def _rank(self) -> None:
        # A point may only be outdone by one that is shown as early, or it would vanish on zooming in.
        self.order = _ranks(self.row, -self.priority, self.min_zoom)
        self._shown: dict[int, Ints] = {}
        self._best: dict[int, Ints] = {}

    def spliced(self, other: TilePoints, rows: tuple[int, int], take: Ints) -> TilePoints:
        """Give the points of this layer and, after them, of another, in the order of ``take``.

        ``rows`` are those of the two layers; each has one point at most.
        """
        position = np.full(sum(rows), -1)
        position[self.row] = np.arange(len(self.row))
        position[rows[0] + other.row] = len(self.row) + np.arange(len(other.row))
        found = position[take]
        row = np.flatnonzero(found >= 0)
        source = found[row]
        codes = np.concatenate([self.codes, other.codes])[source]
        order = np.argsort(codes, kind="stable")
        made, source = copy(self), source[order]
        made.row, made.codes = row[order], codes[order]
        made.xy = np.concatenate([self.xy, other.xy])[source]
        made.min_zoom = np.concatenate([self.min_zoom, other.min_zoom])[source]
        made.priority = np.concatenate([self.priority, other.priority])[source]
        made._rank()
        return made

    def find(self, tile: Tile, mask: Bools | None) -> Ints:
        """Give the positions of the points shown in a tile, in Morton order."""
        start, stop = self._range(tile)
        shown = _between(self._at(tile.z), start, stop)
        # Counted whatever their min_zoom: a tile that is no crowd must not become one on zooming in.
        crowd = stop - start if mask is None else int(mask[self.row[start:stop]].sum())
        if mask is not None:
            shown = shown[mask[self.row[shown]]]
        if not self.thin or tile.z >= THIN_BELOW_ZOOM or crowd <= CROWD:
            return shown
        if mask is None:
            return _between(self._best_at(tile.z), start, stop)
        return shown[best_in_cells(self.codes[shown], self.order[shown], tile.z)]

    def within(self, box: Box, zoom: int, mask: Bools | None) -> tuple[Ints, Floats]:
        """Give the layer rows and world coordinates, shape (n, 2), of what the tiles of a zoom show inside a box."""
        found = np.concatenate([self.find(tile, mask) for tile in overlapped(box, zoom)])
        xy = self.xy[found]
        inside = ((xy >= box[:2]) & (xy <= box[2:])).all(axis=1)
        return self.row[found[inside]], xy[inside]

    def units(self, tile: Tile, found: Ints) -> Ints:
        """Give tile units of points in the tile, shape (n, 2), within [0, 4095]."""
        units = np.rint((self.xy[found] * (1 << tile.z) - [tile.x, tile.y]) * EXTENT)
        clipped: Ints = np.clip(units, 0, EXTENT - 1).astype(np.int64)
        return clipped

    def _range(self, tile: Tile) -> tuple[int, int]:
        shift = 2 * (CODE_BITS - tile.z)
        code = int(morton(np.array([tile.x]), np.array([tile.y]))[0])
        low, high = np.uint64(code << shift), np.uint64(((code + 1) << shift) - 1)
        return int(np.searchsorted(self.codes, low)), int(np.searchsorted(self.codes, high, side="right"))

    def _at(self, zoom: int) -> Ints:
        if zoom not in self._shown:
            self._shown[zoom] = np.flatnonzero(self.min_zoom <= zoom)
        return self._shown[zoom]

    def _best_at(self, zoom: int) -> Ints:
        if zoom not in self._best:
            shown = self._at(zoom)
            self._best[zoom] = shown[best_in_cells(self.codes[shown], self.order[shown], zoom)]
        return self._best[zoom]


def _ranks(*keys: np.ndarray) -> Ints:
    """Rank by the last key, then the one before it; without ties."""
    rank = np.empty(len(keys[0]), dtype=np.int64)
    rank[np.lexsort(keys)] = np.arange(len(rank))
    return rank


def _between(positions: Ints, start: int, stop: int) -> Ints:
    low, high = np.searchsorted(positions, [start, stop])
    return positions[low:high]
