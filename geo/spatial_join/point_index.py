"""Points sorted by bands of latitude, and those of them that lie in boxes: found by slices, for all boxes at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from geo.lonlat import Floats, Ints
from geo.spatial_join.prepared import turned_boxes

#: Bands to a box of mean height: more are more slices to look up, fewer are more points above and below a box.
BANDS_A_BOX = 2
#: Narrowest band in degrees, so that the key of a point keeps its longitude.
MIN_BAND_DEG = 1e-3
#: Boxes that are looked up at once.
CHUNK = 50_000
#: Points in boxes that are handed over at once, which bounds the memory.
BATCH = 100_000

#: Keys of successive bands are so far apart: wider than all longitudes of boxes moved by a turn.
_STRIDE = 2048.0


class Hits(NamedTuple):
    """Points in boxes.

    Attributes
    ----------
    box, point
        Numbers of boxes and of points, shape (hits,).
    turn
        Times 360 degrees by which the box is moved to hold the point, shape (hits,).
    """

    box: Ints
    point: Ints
    turn: Ints

    def take(self, hits: Ints) -> Hits:
        """Return some of them."""
        return Hits(*(column[hits] for column in self))


class PointIndex:
    """Points sorted by bands of latitude and, in a band, by longitude, to be looked up by boxes.

    Parameters
    ----------
    lonlat
        Degrees, shape (points, 2).
    boxes
        West, south, east, north in degrees, shape (boxes, 4), one at least; longitudes may reach a turn beyond 180.

    Attributes
    ----------
    number
        Number of each point as it was given, in the order of the index, shape (points,).
    lonlat
        Degrees, shape (points, 2), in the order of the index.
    """

    def __init__(self, lonlat: Floats, boxes: Floats) -> None:
        self._boxes = boxes
        self._band_deg = max(float((boxes[:, 3] - boxes[:, 1]).mean()) / BANDS_A_BOX, MIN_BAND_DEG)
        key = self._keys(lonlat)
        self.number = np.argsort(key)
        self.lonlat, self._key = lonlat[self.number], key[self.number]
        #: By how much sums of band and longitude may be rounded.
        self._rounding = np.spacing(_STRIDE * (90 / self._band_deg + 2))

    def hits(self, row: Ints) -> Iterator[Hits]:
        """Find the points in the boxes.

        Parameters
        ----------
        row
            Row of each box, ascending, shape (boxes,).

        Returns
        -------
        Hits part by part, with the places of points in the index. Boxes of a row come one after the other, rows in the
        order of the index: those that are near each other look up the same part of it.
        """
        box, turn = self._turned(row)
        for start in range(0, len(box), CHUNK):
            yield from self._chunk(box[start : start + CHUNK], turn[start : start + CHUNK])

    def _turned(self, row: Ints) -> tuple[Ints, Ints]:
        """Numbers of the boxes, again for those that pass 180 degrees, and the turn by which each is moved."""
        box, turn = turned_boxes(self._boxes)
        first = np.flatnonzero(np.diff(row, prepend=-1))
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(self._keys(self._boxes[first]))] = np.arange(len(first))
        order = np.argsort(np.repeat(rank, np.diff(first, append=len(row)))[box], kind="stable")
        return box[order], turn[order]

    def _keys(self, lonlat: Floats) -> Floats:
        """Band and longitude of points as one number each, shape (n,)."""
        return np.asarray(np.floor(lonlat[:, 1] / self._band_deg) * _STRIDE + lonlat[:, 0])

    def _chunk(self, box: Ints, turn: Ints) -> Iterator[Hits]:
        west, south, east, north = self._boxes[box].T
        bottom, top = (np.floor(side / self._band_deg).astype(np.int64) for side in (south, north))
        # A slice for each band that a box meets.
        of = np.repeat(np.arange(len(box)), top - bottom + 1)
        key = (bottom[of] + _counted(top - bottom + 1)) * _STRIDE + 360.0 * turn[of]
        start = np.searchsorted(self._key, key + west[of] - self._rounding, "left")
        count = np.searchsorted(self._key, key + east[of] + self._rounding, "right") - start
        for cut in np.split(np.arange(len(of)), cuts(count, BATCH)):
            slot = np.repeat(of[cut], count[cut])
            point = np.repeat(start[cut], count[cut]) + _counted(count[cut])
            lat = self.lonlat[point, 1]
            inside = np.flatnonzero((lat >= south[slot]) & (lat <= north[slot]))
            yield Hits(box[slot[inside]], point[inside], turn[slot[inside]])


def cuts(sizes: Floats | Ints, limit: int) -> Ints:
    """Where to cut a sequence of entries of some size, so that parts are about as large as a limit."""
    return np.asarray(np.flatnonzero(np.diff(np.cumsum(sizes) // limit)) + 1)


def _counted(counts: Ints) -> Ints:
    """From 0 to before each count, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
