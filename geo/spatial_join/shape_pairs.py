"""Pairs of two lines or polygons within so many metres of each other, for `geo.spatial_join.join`.

An STRtree finds candidates by lon/lat boxes; one vectorised distance in the Mercator plane of the ellipsoid
(EPSG:3395), scaled at the pair's middle latitude, settles nearly all; geodesics settle the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geo.lonlat import Bools, Floats, Ints, Objects
from geo.spatial_join import ellipsoidal_mercator
from geo.spatial_join.geodesic_distance import geodesic_distance
from geo.spatial_join.prepared import SAG_M, Shapes, search_boxes, turned_boxes, with_short_edges
from geo.spatial_join.settling import MEAN_RADIUS_M, PLANE_LIMIT, TOUCH_M, settle

#: Latitude, north or south, beyond which distances in the plane are not used.
TRUSTED_LAT = ellipsoidal_mercator.MAX_LAT - 1
#: Metres by which a point on an edge may be off in the plane.
BLUR_M = 1e-5
#: Left shapes that are joined at once.
CHUNK = 20_000


class _Candidates(NamedTuple):
    """Left shapes, moved by ``turn`` times 360 degrees, and right shapes whose boxes meet."""

    a: Ints
    b: Ints
    turn: Ints

    def take(self, pairs: Bools | Ints) -> _Candidates:
        return _Candidates(*(column[pairs] for column in self))


def shape_pairs(left: Shapes, right: Shapes, radius_m: Floats) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Find the pairs of lines and polygons at most a radius apart.

    Parameters
    ----------
    left, right
        Lines and polygons in lon/lat degrees.
    radius_m
        Metres, by row of the left side.

    Returns
    -------
    Rows of the left side, rows of the right side and metres, part by part; a pair of rows for each pair of its shapes.
    """
    if not (len(left.row) and len(right.row)):
        return
    join = _ShapeJoin(left.lonlat, right.lonlat, radius_m[left.row])
    for start in range(0, len(left.row), CHUNK):
        a, b, metres = join.chunk(np.arange(start, min(start + CHUNK, len(left.row))))
        yield left.row[a], right.row[b], metres


class _ShapeJoin:
    """Shapes of both sides, the radius of each left shape, and an index in space of the right shapes."""

    def __init__(self, a: Objects, b: Objects, radius_m: Floats) -> None:
        self.a, self.b, self.radius_m = with_short_edges(a), with_short_edges(shapely.force_2d(b)), radius_m
        shapely.prepare(self.b)
        self.a_outline, self.b_outline = _outlines(self.a), _outlines(self.b)
        self.tree = shapely.STRtree(self.b)

    def chunk(self, shapes: Ints) -> tuple[Ints, Ints, Floats]:
        """Some left shapes, the right shapes within reach of them, and metres."""
        near = self._candidates(shapes)
        near = near.take(np.argsort(near.b, kind="stable"))  # a prepared shape is used many times in succession
        reach = self.radius_m[near.a]
        metres, error = self._plane_distance(near)
        outside, inside = settle(metres, SAG_M + BLUR_M, error, reach)
        inside |= metres == 0
        unsettled = ~(outside | inside)
        hard = near.take(unsettled)
        metres[unsettled] = geodesic_distance(_moved(self.a[hard.a], 360.0 * hard.turn), self.b[hard.b])
        inside |= unsettled & (metres <= reach + TOUCH_M)
        return near.a[inside], near.b[inside], metres[inside]

    def _candidates(self, shapes: Ints) -> _Candidates:
        """Query the index with the box of every left shape, moved by a turn too where it passes 180 degrees."""
        boxes = search_boxes(shapely.bounds(self.a[shapes]), self.radius_m[shapes])
        box, turn = turned_boxes(boxes)
        moved = boxes[box] + 360 * turn[:, None] * [1, 0, 1, 0]
        hit, b = self.tree.query(shapely.box(*moved.T))
        return _Candidates(shapes[box[hit]], b.astype(np.int64), turn[hit])

    def _plane_distance(self, near: _Candidates) -> tuple[Floats, Floats]:
        """Metres on the ground and their relative error, from the plane; 0 where the shapes touch."""
        metres, error = np.zeros(len(near.a)), np.zeros(len(near.a))
        apart = np.flatnonzero(~shapely.intersects(_moved(self.a[near.a], 360.0 * near.turn), self.b[near.b]))
        near = near.take(apart)
        a = _moved(self.a_outline[near.a], ellipsoidal_mercator.WIDTH_M * near.turn)
        ends = shapely.get_coordinates(shapely.shortest_line(self.b_outline[near.b], a)).reshape(-1, 2, 2)
        plane_m = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
        metres[apart], error[apart] = _ground(plane_m, ellipsoidal_mercator.latitude(ends[:, :, 1]).mean(axis=1))
        return metres, error


def _outlines(shapes: Objects) -> Objects:
    """Lines, and outlines of polygons, in metres of EPSG:3395, prepared."""
    lines = shapes.copy()
    area = shapely.get_dimensions(shapes) == 2
    lines[area] = shapely.boundary(shapes[area])
    outlines: Objects = shapely.transform(lines, ellipsoidal_mercator.project)
    shapely.prepare(outlines)
    return outlines


def _moved(shapes: Objects, shift: npt.ArrayLike) -> Objects:
    """Move each shape along x by its own amount."""
    shift = np.asarray(shift)
    moves = shift != 0
    if moves.any():
        xy, shape = shapely.get_coordinates(shapes[moves], return_index=True)
        xy[:, 0] += shift[moves][shape]
        shapes[moves] = shapely.set_coordinates(shapes[moves], xy)
    return shapes


def _ground(plane_m: Floats, middle_lat: Floats) -> tuple[Floats, Floats]:
    """Metres on the ground of metres in the plane, with a bound on the relative error.

    The series of the scale about the middle latitude p leaves (1 + 2 tan^2 p) (d / R)^2 / 24, the shift of the nearest
    point along an edge 3 tan^2 p (d / R)^2 / 24; the bound is twice their sum, infinite where it is not to be trusted.
    """
    metres = plane_m / ellipsoidal_mercator.scale(middle_lat)
    slope = np.tan(np.radians(middle_lat)) ** 2
    error = (metres / MEAN_RADIUS_M) ** 2 * (1 + 5 * slope) / 12
    high = np.abs(middle_lat) > TRUSTED_LAT
    return metres, np.where(high | (error > PLANE_LIMIT), np.inf, error)
