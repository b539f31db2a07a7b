"""Pairs of points with points, edges and polygons within so many metres of each other, for `geo.spatial_join.join`.

Distances are measured in a plane about the point, which settles nearly all pairs; geodesics settle the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import shapely

from geo.lonlat import Bools, Floats, Ints, Objects
from geo.spatial_join.geodesic_distance import between_points, geodesic_distance
from geo.spatial_join.local_plane import LocalPlanes
from geo.spatial_join.prepared import (
    MARGIN_DEG,
    STEP_DEG,
    Points,
    Runs,
    Shapes,
    search_boxes,
    turned_boxes,
    with_short_edges,
)
from geo.spatial_join.settling import TOUCH_M, settle

#: Metres by which rounding may move a point in its plane.
BLUR_M = 1e-6
#: Steps of `STEP_DEG` that are measured by geodesics at once, which bounds the memory.
MAX_STEPS = 1_000_000

#: Rows of the boxes or runs, rows of the points, metres.
RowPairs = tuple[Ints, Ints, Floats]


def contained_points(polygons: Shapes, points: Points) -> Iterator[RowPairs]:
    """Find the points in polygons, on their outlines too.

    Parameters
    ----------
    polygons, points
        In lon/lat degrees; edges are straight in lon/lat.

    Returns
    -------
    Rows of the polygons, rows of the points and 0 metres, part by part.
    """
    if not (len(polygons.row) and len(points.row)):
        return
    areas = shapely.force_2d(polygons.lonlat)  # copies, as they are prepared
    shapely.prepare(areas)
    boxes = shapely.bounds(areas) + MARGIN_DEG * np.array([-1, -1, 1, 1])
    index = PointIndex(points.lonlat, boxes)
    for hits in index.hits(polygons.row):
        lon, lat = index.lonlat[hits.point].T
        inside = shapely.intersects_xy(areas[hits.box], lon - 360.0 * hits.turn, lat)
        row, point = polygons.row[hits.box[inside]], index.number[hits.point[inside]]
        yield row, points.row[point], np.zeros(len(row))


def near_points(runs: Runs, reach_m: Floats, points: Points, radius_m: Floats) -> Iterator[RowPairs]:
    """Find the points within reach of runs of edges.

    Parameters
    ----------
    runs, points
        In lon/lat degrees; edges are straight in lon/lat.
    reach_m, radius_m
        Metres, by run and by row of the points: the smaller holds.

    Returns
    -------
    Rows of the runs, rows of the points and metres, part by part; a pair of rows may be there several times, of which
    the shortest distance is right.
    """
    if len(runs.row) and len(points.row):
        join = _PointJoin(runs, reach_m, points)
        for hits in join.index.hits(runs.row):
            row, point, metres = join.measured(hits, np.minimum(reach_m[hits.box], radius_m[join.row[hits.point]]))
            yield row, join.row[point], metres


class _PointJoin:
    """Runs, points in the order of their index, and a plane about each point."""

    def __init__(self, runs: Runs, reach_m: Floats, points: Points) -> None:
        self.runs = runs
        self.several = not np.diff(runs.row, prepend=-1).all()  # whether a row has several runs
        self.index = PointIndex(points.lonlat, search_boxes(runs.bounds, reach_m))
        self.row = points.row[self.index.number]
        self.planes = LocalPlanes.about(self.index.lonlat)

    def measured(self, hits: Hits, reach: Floats) -> RowPairs:
        """Rows of runs, points and metres of the hits that are within reach; a pair of row and point once."""
        metres = self.planes.distance_m(hits.point, self.runs.lon, self.runs.lat, hits.box, hits.turn)
        error = self.planes.error(hits.point, metres)
        outside, inside = settle(metres, BLUR_M, error, reach)
        near = np.flatnonzero(~outside)
        first = np.arange(len(near))
        if self.several:
            key = self.runs.row[hits.box[near]] * len(self.row) + hits.point[near]
            order = np.argsort(key)
            near = near[order]
            first = np.flatnonzero(np.diff(key[order], prepend=-1))
        hits, metres, unsettled = hits.take(near), metres[near], ~inside[near]
        if unsettled.any():
            self._settle_by_geodesics(hits, metres, error[near], reach[near], unsettled, first)
        if len(first):
            metres = np.minimum.reduceat(metres, first)
        within = metres <= reach[near[first]] + TOUCH_M
        hits = hits.take(first[within])
        return self.runs.row[hits.box], hits.point, metres[within]

    def _settle_by_geodesics(
        self, hits: Hits, metres: Floats, error: Floats, reach: Floats, unsettled: Bools, first: Ints
    ) -> None:
        """Write geodesic metres over the unsettled ones; infinite where another hit of the pair is surely as near."""
        of_pair = np.repeat(np.arange(len(first)), np.diff(first, append=len(metres)))
        with np.errstate(invalid="ignore"):  # 0 times infinity: not decided
            slack_m = error * metres + BLUR_M
            nearest = np.fmin.reduceat(metres + slack_m, first)[of_pair]
            hard = np.flatnonzero(unsettled & ~(metres - slack_m > nearest))
        metres[unsettled] = np.inf
        hits = hits.take(hard)
        centres, ends = self.index.lonlat[hits.point], self.runs.lonlat(hits.box)
        ends[:, :, 0] += 360.0 * hits.turn[:, None]
        if ends.shape[1] == 1:
            metres[hard] = between_points(centres, ends[:, 0])
        else:
            metres[hard] = _to_edges(centres, ends, of_pair[hard], reach[hard])


def _to_edges(centres: Floats, ends: Floats, pair: Ints, reach: Floats) -> Floats:
    """Geodesic metres from points to the runs of their pair, at the first of these; infinite beyond reach."""
    metres = np.full(len(ends), np.inf)
    runs = np.asarray(shapely.linestrings(ends))
    close = np.flatnonzero(shapely.intersects(_boxes_around(centres, reach), runs))
    steps = np.ceil(np.abs(np.diff(ends[close], axis=1)).max(axis=2) / STEP_DEG).sum(axis=1)
    for batch in np.split(close, cuts(steps, MAX_STEPS)):
        # Runs of a pair are measured together, which takes geodesics to the nearest of their vertices alone.
        _, first, number = np.unique(pair[batch], return_index=True, return_inverse=True)
        edges = np.asarray(shapely.multilinestrings(with_short_edges(runs[batch]), indices=number))
        metres[batch[first]] = geodesic_distance(np.asarray(shapely.points(centres[batch[first]])), edges)
    return metres


def _boxes_around(centres: Floats, radius_m: Floats) -> Objects:
    """Boxes in lon/lat that hold all within a radius of points, in any turn where they reach 180 degrees or a pole."""
    west, south, east, north = search_boxes(np.tile(centres, 2), radius_m).T
    turns = (west <= -180) | (east >= 180)
    return np.asarray(shapely.box(np.where(turns, -540, west), south, np.where(turns, 540, east), north))


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
