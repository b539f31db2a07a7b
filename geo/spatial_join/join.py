"""The spatial join: which rows lie within so many metres of each other. Knows nothing of what the rows mean.

An STRtree finds candidates by lon/lat boxes; one vectorised distance in the Mercator plane of the ellipsoid
(EPSG:3395), scaled at the pair's middle latitude, settles nearly all; geodesics settle the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import GeometryError
from geo.lonlat import Bools, Floats, Geometries, Ints, Objects
from geo.spatial_join import ellipsoidal_mercator, geodesic_distance
from geo.spatial_join.prepared import SAG_M, Side, search_boxes, side

#: A quarter of the way round; farther is no neighbourhood.
LARGEST_RADIUS_M = 10_000_000.0
#: Distances in the plane are reported where they are right to this part (1 cm in a kilometre).
PLANE_ERROR = 1e-5
#: Beyond this the error formula itself is not to be trusted.
PLANE_LIMIT = 1e-2
#: What is nearer than this (metres) touches: it is less than the rounding of a degree.
TOUCH_M = 1e-6
#: Latitudes (degrees north or south) beyond which the plane is not asked.
TRUSTED_LAT = ellipsoidal_mercator.HIGHEST_LAT - 1
#: Metres by which the plane may blur a place on an edge.
BLUR_M = 1e-5
#: Rows of the left side handled at once.
CHUNK = 20_000

_MEAN_RADIUS_M = 6_371_008.8


class Pairs(NamedTuple):
    """Rows that are near, sorted by (left, right), each pair once; three arrays of one length.

    ``left`` and ``right`` are row numbers of the two inputs (int64), ``distance_m`` the metres between them.
    """

    left: Ints
    right: Ints
    distance_m: Floats


def pairs_within(left: Geometries, right: Geometries, radius_m: npt.ArrayLike) -> Pairs:
    """Find all pairs of rows at most ``radius_m`` apart on the WGS 84 ellipsoid.

    Parameters
    ----------
    left, right
        Geometries in lon/lat degrees, any kind; edges are straight in lon/lat (RFC 7946, 3.1.1). Missing
        and empty never pair. Inputs are left as they are.
    radius_m
        Metres, one number or one a left row, within [0, 10,000,000]. Radius 0 finds what touches.

    Returns
    -------
    Pairs
        Distances are right to 1e-5 of themselves between points, to that and 0.3 m (the bow of a long
        edge) to lines and polygons, at the poles and across 180 degrees too; whether a pair is in is
        decided by the geodesic where it is close. Only between two lines or polygons that are more
        than 100 km apart does more remain: under 1e-3 at 1,000 km, falling with the square.

    Raises
    ------
    CRSError
        When a coordinate is out of range.
    GeometryError
        When a coordinate is NaN or infinite, or a radius is negative, NaN, too large or of another shape.
    """
    a, b = side(left), side(right)
    join = _Join(a, b, _radii(radius_m, a.rows)[a.row])
    starts = range(0, len(a.row), CHUNK)
    # A row's pieces stay together, so that each pair is met in one chunk only.
    cuts = [int(np.searchsorted(a.row, a.row[start])) for start in starts] + [len(a.row)]
    found = [join.chunk(start, stop) for start, stop in pairwise(cuts)]
    none = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return Pairs(*(np.concatenate(part) for part in zip(none, *found, strict=True)))


def _radii(radius_m: npt.ArrayLike, rows: int) -> Floats:
    radii = np.asarray(radius_m, dtype=float)
    bad = ~((radii >= 0) & (radii <= LARGEST_RADIUS_M))
    if bad.any():
        index = int(bad.argmax()) if radii.ndim else None
        raise GeometryError(f"expected radius_m within [0, {LARGEST_RADIUS_M:,.0f}], got {radii[bad][0]}", index)
    if radii.ndim == 0:
        return np.full(rows, radii)
    if radii.shape != (rows,):
        raise GeometryError(f"expected one radius_m or one a left row, got shape {radii.shape}")
    return radii


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Pieces whose boxes meet: ``a`` (shifted by ``turn`` times 360 degrees) and ``b``, with the left reach."""

    a: Ints
    b: Ints
    turn: Ints
    reach: Floats
    largest_scale: Floats

    def only(self, keep: Bools | Ints) -> _Candidates:
        return _Candidates(*(getattr(self, name)[keep] for name in self.__slots__))


class _Join:
    """Both sides, the reach of each left piece, and the tree over the right one."""

    def __init__(self, a: Side, b: Side, radius_m: Floats) -> None:
        self.a, self.b, self.radius_m = a, b, radius_m
        self.tree = shapely.STRtree(b.lonlat)
        pointed = bool(a.point.all() and b.point.all())
        self.drawn = [] if pointed else [(_drawn(s, s.plane), _drawn(s, s.edge)) for s in (a, b)]

    def chunk(self, start: int, stop: int) -> Pairs:
        """Find the pairs of the left pieces [start, stop)."""
        near = self._candidates(np.arange(start, stop))
        pointed = self.a.point[near.a] & self.b.point[near.b]
        parts = [self._points(near.only(pointed))]
        if not pointed.all():
            parts.append(self._shapes(near.only(~pointed)))
        a, b, metres = (np.concatenate(part) for part in zip(*parts, strict=True))
        return _once(self.a.row[a], self.b.row[b], metres)

    def _candidates(self, pieces: Ints) -> _Candidates:
        """Query with every box, and again with what of it sticks out over 180 degrees."""
        boxes = search_boxes(self.a.bounds[pieces], self.radius_m[pieces])
        highest = np.abs(boxes[:, [1, 3]]).max(axis=1)
        largest_scale = np.where(
            highest < ellipsoidal_mercator.HIGHEST_LAT, ellipsoidal_mercator.scale(highest), np.inf
        )
        found = []
        for turn in (0, -1, 1):
            out = {0: boxes[:, 0] > -np.inf, -1: boxes[:, 2] > 180, 1: boxes[:, 0] < -180}[turn]
            which = np.flatnonzero(out)
            moved = boxes[which] + [360 * turn, 0, 360 * turn, 0]
            hit, b = self.tree.query(shapely.box(*moved.T))
            found.append((which[hit], b, np.full(len(b), turn)))
        local, b, turns = (np.concatenate(part).astype(np.int64) for part in zip(*found, strict=True))
        a = pieces[local]
        return _Candidates(a, b, turns, self.radius_m[a], largest_scale[local])

    def _points(self, near: _Candidates) -> tuple[Ints, Ints, Floats]:
        a, b = self.a, self.b
        across = a.xy[near.a] - b.xy[near.b]
        across[:, 0] += ellipsoidal_mercator.WIDTH_M * near.turn
        plane_m = np.hypot(across[:, 0], across[:, 1])
        middle = (a.position[near.a, 1] + b.position[near.b, 1]) / 2
        metres, error = _ground(plane_m, middle)
        settled, inside = _settle(metres, 0, error, near.reach)
        metres[~settled] = geodesic_distance.between_points(a.position[near.a[~settled]], b.position[near.b[~settled]])
        return _kept(near, metres, np.where(settled, inside, metres <= near.reach + TOUCH_M))

    def _shapes(self, near: _Candidates) -> tuple[Ints, Ints, Floats]:
        near = near.only(np.argsort(near.b, kind="stable"))  # a prepared shape is asked many times in a row
        near = near.only(self._plane_near(near))
        metres, error = self._plane_distance(near)
        bow = np.where(self.a.cut[near.a] | self.b.cut[near.b], SAG_M, 0) + BLUR_M
        settled, inside = _settle(metres, bow, error, near.reach)
        hard = near.only(~settled)
        metres[~settled] = geodesic_distance.between(
            _turned(self.a.lonlat[hard.a], 360 * hard.turn), self.b.lonlat[hard.b]
        )
        return _kept(near, metres, np.where(settled, inside, metres <= near.reach + TOUCH_M))

    def _plane_shapes(self, near: _Candidates, edge: bool = False) -> tuple[Objects, Objects]:
        """Give both drawings, the one that is prepared first."""
        (a_plane, a_edge), (b_plane, b_edge) = self.drawn
        a = _turned((a_edge if edge else a_plane)[near.a], ellipsoidal_mercator.WIDTH_M * near.turn)
        b = (b_edge if edge else b_plane)[near.b]
        swap = self.b.point[near.b]
        return np.where(swap, a, b), np.where(swap, b, a)

    def _plane_near(self, near: _Candidates) -> Bools:
        """Drop what is too far even at the largest scale a path within reach can meet."""
        reach = np.minimum((near.reach + SAG_M) * near.largest_scale, 1e9)
        first, second = self._plane_shapes(near)
        return np.asarray(shapely.dwithin(first, second, reach))  # type: ignore[call-overload]

    def _plane_distance(self, near: _Candidates) -> tuple[Floats, Floats]:
        """Give the metres on the ground and their relative error; 0 where the drawings touch."""
        metres = np.zeros(len(near.a))
        # The plane ends before the poles, and what goes on there lies one upon the other at its rim.
        error = np.where(self.a.highest[near.a] + self.b.highest[near.b] > 2 * TRUSTED_LAT, np.inf, 0)
        # Only an area can be touched away from its outline.
        area = self.a.area[near.a] | self.b.area[near.b]
        apart = ~area
        apart[area] = ~shapely.intersects(*self._plane_shapes(near.only(area)))
        lines = shapely.shortest_line(*self._plane_shapes(near.only(apart), edge=True))
        ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
        plane_m = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
        metres[apart], error[apart] = _ground(plane_m, ellipsoidal_mercator.latitude(ends[:, :, 1]).mean(axis=1))
        return metres, error


def _drawn(side: Side, shapes: Objects) -> Objects:
    """Add the points to a side's drawings."""
    drawn = shapes.copy()
    drawn[side.point] = shapely.points(side.xy[side.point])
    return drawn


def _turned(shapes: Objects, aside: npt.ArrayLike) -> Objects:
    """Move the shapes aside (x), each by its own amount."""
    aside = np.asarray(aside)
    which = aside != 0
    if which.any():
        xy, shape = shapely.get_coordinates(shapes[which], return_index=True)
        xy[:, 0] += aside[which][shape]
        shapes[which] = shapely.set_coordinates(shapes[which], xy)
    return shapes


def _ground(plane_m: Floats, middle_lat: Floats) -> tuple[Floats, Floats]:
    """Turn metres of the plane into metres on the ground, with a bound on the relative error.

    The series of the scale about the middle latitude p leaves (1 + 2 tan^2 p) (d / R)^2 / 24, the shift of
    the nearest place along an edge 3 tan^2 p (d / R)^2 / 24; the bound is twice their sum.
    """
    metres = plane_m / ellipsoidal_mercator.scale(middle_lat)
    slope = np.tan(np.radians(middle_lat)) ** 2
    error = (metres / _MEAN_RADIUS_M) ** 2 * (1 + 5 * slope) / 12
    high = np.abs(middle_lat) > TRUSTED_LAT
    return metres, np.where(high | (error > PLANE_LIMIT), np.inf, error)


def _settle(metres: Floats, bow_m: Floats | float, error: Floats, reach: Floats) -> tuple[Bools, Bools]:
    """Tell which pairs the plane settles, and which of those are inside."""
    with np.errstate(invalid="ignore"):  # nothing times infinity: not settled either way
        slack_m = error * metres + bow_m
        inside = metres + slack_m <= reach
        outside = metres - slack_m > reach + TOUCH_M
    return outside | (inside & (error <= PLANE_ERROR)), inside


def _kept(near: _Candidates, metres: Floats, inside: Bools) -> tuple[Ints, Ints, Floats]:
    return near.a[inside], near.b[inside], np.where(metres < TOUCH_M, 0.0, metres)[inside]


def _once(left: Ints, right: Ints, metres: Floats) -> Pairs:
    """Sort by (left, right) and keep the shortest of what was met more than once."""
    if not len(left):
        return Pairs(left, right, metres)
    key = left * (right.max() + 1) + right
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    return Pairs(left[order][first], right[order][first], np.minimum.reduceat(metres[order], first))
