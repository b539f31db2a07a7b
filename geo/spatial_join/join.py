"""The spatial join: pairs of rows within so many metres of each other. Knows nothing of what the rows mean.

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
from geo.spatial_join.prepared import SAG_M, PreparedGeometries, prepare, search_boxes

#: Largest radius: a quarter of the way round the Earth.
MAX_RADIUS_M = 10_000_000.0
#: Relative error up to which distances in the plane are reported (1 cm in a kilometre).
PLANE_ERROR = 1e-5
#: Relative error beyond which the error formula itself is not to be trusted.
PLANE_LIMIT = 1e-2
#: Geometries nearer than this (metres) touch: it is less than the rounding of a degree.
TOUCH_M = 1e-6
#: Latitude, north or south, beyond which distances in the plane are not used.
TRUSTED_LAT = ellipsoidal_mercator.MAX_LAT - 1
#: Metres by which a point on an edge may be off in the plane.
BLUR_M = 1e-5
#: Left pieces that are joined at once.
CHUNK = 20_000

_MEAN_RADIUS_M = 6_371_008.8


class Pairs(NamedTuple):
    """Pairs of near rows, sorted by (left, right), each pair once.

    Attributes
    ----------
    left, right
        Row numbers of the two inputs, shape (pairs,), int64.
    distance_m
        Metres between the two rows, shape (pairs,), float64; 0 where they touch.
    """

    left: Ints
    right: Ints
    distance_m: Floats


def pairs_within(left: Geometries, right: Geometries, radius_m: npt.ArrayLike) -> Pairs:
    """Find all pairs of rows at most ``radius_m`` apart on the WGS 84 ellipsoid.

    Parameters
    ----------
    left, right
        Geometries in lon/lat degrees (OGC:CRS84), any kind; edges are straight in lon/lat (RFC 7946, 3.1.1). Missing
        and empty ones are in no pair. Inputs are left as they are.
    radius_m
        Metres, one number or shape (left rows,), within [0, 10,000,000]. Radius 0 finds geometries that touch.

    Returns
    -------
    Pairs
        Between points, distances have a relative error under 1e-5; to lines and polygons that and 0.3 m, the bow of a
        long edge; at the poles and across 180 degrees too. Between two lines or polygons more than 100 km apart the
        relative error is larger: under 1e-3 at 1,000 km, falling with the square of the distance. A pair whose distance
        is close to the radius is decided by geodesics (Karney 2013).

    Raises
    ------
    CRSError
        When a coordinate is out of range.
    GeometryError
        When a coordinate is NaN or infinite, or a radius is negative, NaN, too large or of another shape.
    """
    a, b = prepare(left), prepare(right)
    join = _Join(a, b, _radii(radius_m, a.rows)[a.row])
    starts = range(0, len(a.row), CHUNK)
    # The pieces of a row stay together, so that each pair is found in one chunk only.
    cuts = [int(np.searchsorted(a.row, a.row[start])) for start in starts] + [len(a.row)]
    chunks = [join.chunk(start, stop) for start, stop in pairwise(cuts)]
    empty = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return Pairs(*(np.concatenate(part) for part in zip(empty, *chunks, strict=True)))


def _radii(radius_m: npt.ArrayLike, rows: int) -> Floats:
    radii = np.asarray(radius_m, dtype=float)
    bad = ~((radii >= 0) & (radii <= MAX_RADIUS_M))
    if bad.any():
        index = int(bad.argmax()) if radii.ndim else None
        raise GeometryError(f"expected radius_m within [0, {MAX_RADIUS_M:,.0f}], got {radii[bad][0]}", index)
    if radii.ndim == 0:
        return np.full(rows, radii)
    if radii.shape != (rows,):
        raise GeometryError(f"expected one radius_m or one a left row, got shape {radii.shape}")
    return radii


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Pairs of pieces whose boxes meet.

    Attributes
    ----------
    a, b
        Piece of the left side, moved by ``turn`` times 360 degrees, and piece of the right side.
    reach
        Radius of the left piece in metres.
    max_scale
        Largest scale of the plane that a path within reach of the left piece can meet.
    """

    a: Ints
    b: Ints
    turn: Ints
    reach: Floats
    max_scale: Floats

    def take(self, pairs: Bools | Ints) -> _Candidates:
        return _Candidates(*(getattr(self, name)[pairs] for name in self.__slots__))


class _Join:
    """Both sides, the radius of each left piece, and an index in space of the right pieces."""

    def __init__(self, a: PreparedGeometries, b: PreparedGeometries, radius_m: Floats) -> None:
        self.a, self.b, self.radius_m = a, b, radius_m
        self.tree = shapely.STRtree(b.lonlat)
        only_points = bool(a.point.all() and b.point.all())
        #: Pieces and outlines of both sides in the plane, points too.
        self.drawn = [] if only_points else [(_drawn(s, s.plane), _drawn(s, s.edge)) for s in (a, b)]

    def chunk(self, start: int, stop: int) -> Pairs:
        """Pairs of the left pieces from ``start`` to before ``stop``."""
        near = self._candidates(np.arange(start, stop))
        points = self.a.point[near.a] & self.b.point[near.b]
        parts = [self._point_pairs(near.take(points))]
        if not points.all():
            parts.append(self._shape_pairs(near.take(~points)))
        a, b, metres = (np.concatenate(part) for part in zip(*parts, strict=True))
        return _deduplicated(self.a.row[a], self.b.row[b], metres)

    def _candidates(self, pieces: Ints) -> _Candidates:
        """Query the index with the box of every left piece, moved by a turn too where it passes 180 degrees."""
        boxes = search_boxes(self.a.bounds[pieces], self.radius_m[pieces])
        max_lat = np.abs(boxes[:, [1, 3]]).max(axis=1)
        max_scale = np.where(max_lat < ellipsoidal_mercator.MAX_LAT, ellipsoidal_mercator.scale(max_lat), np.inf)
        hits = []
        for turn in (0, -1, 1):
            reaches = {0: boxes[:, 0] > -np.inf, -1: boxes[:, 2] > 180, 1: boxes[:, 0] < -180}[turn]
            queried = np.flatnonzero(reaches)
            moved = boxes[queried] + [360 * turn, 0, 360 * turn, 0]
            hit, b = self.tree.query(shapely.box(*moved.T))
            hits.append((queried[hit], b, np.full(len(b), turn)))
        local, b, turns = (np.concatenate(part).astype(np.int64) for part in zip(*hits, strict=True))
        a = pieces[local]
        return _Candidates(a, b, turns, self.radius_m[a], max_scale[local])

    def _point_pairs(self, near: _Candidates) -> tuple[Ints, Ints, Floats]:
        """Left pieces, right pieces and metres of the pairs of two points that are within reach."""
        a, b = self.a, self.b
        across = a.xy[near.a] - b.xy[near.b]
        across[:, 0] += ellipsoidal_mercator.WIDTH_M * near.turn
        plane_m = np.hypot(across[:, 0], across[:, 1])
        middle = (a.position[near.a, 1] + b.position[near.b, 1]) / 2
        metres, error = _ground(plane_m, middle)
        settled, inside = _settle(metres, 0, error, near.reach)
        metres[~settled] = geodesic_distance.between_points(a.position[near.a[~settled]], b.position[near.b[~settled]])
        return _within_reach(near, metres, np.where(settled, inside, metres <= near.reach + TOUCH_M))

    def _shape_pairs(self, near: _Candidates) -> tuple[Ints, Ints, Floats]:
        """Left pieces, right pieces and metres of the pairs with a line or polygon that are within reach."""
        near = near.take(np.argsort(near.b, kind="stable"))  # a prepared shape is used many times in succession
        near = near.take(self._plane_near(near))
        metres, error = self._plane_distance(near)
        bow = np.where(self.a.cut[near.a] | self.b.cut[near.b], SAG_M, 0) + BLUR_M
        settled, inside = _settle(metres, bow, error, near.reach)
        hard = near.take(~settled)
        metres[~settled] = geodesic_distance.geodesic_distance(
            _shifted(self.a.lonlat[hard.a], 360 * hard.turn), self.b.lonlat[hard.b]
        )
        return _within_reach(near, metres, np.where(settled, inside, metres <= near.reach + TOUCH_M))

    def _plane_shapes(self, near: _Candidates, edge: bool = False) -> tuple[Objects, Objects]:
        """Both pieces of each pair in the plane (outlines with ``edge``), first that which is prepared."""
        (a_plane, a_edge), (b_plane, b_edge) = self.drawn
        a = _shifted((a_edge if edge else a_plane)[near.a], ellipsoidal_mercator.WIDTH_M * near.turn)
        b = (b_edge if edge else b_plane)[near.b]
        swap = self.b.point[near.b]
        return np.where(swap, a, b), np.where(swap, b, a)

    def _plane_near(self, near: _Candidates) -> Bools:
        """Which pairs may be within reach, as they are even at the largest scale that a path can meet."""
        reach = np.minimum((near.reach + SAG_M) * near.max_scale, 1e9)
        first, second = self._plane_shapes(near)
        return np.asarray(shapely.dwithin(first, second, reach))  # type: ignore[call-overload]

    def _plane_distance(self, near: _Candidates) -> tuple[Floats, Floats]:
        """Metres on the ground and their relative error, from the plane; 0 where the pieces touch there."""
        metres = np.zeros(len(near.a))
        # Pieces beyond the latitude at which the plane ends are projected onto one another at its rim.
        error = np.where(self.a.max_abs_lat[near.a] + self.b.max_abs_lat[near.b] > 2 * TRUSTED_LAT, np.inf, 0)
        # Only an area can be touched away from its outline.
        area = self.a.area[near.a] | self.b.area[near.b]
        apart = ~area
        apart[area] = ~shapely.intersects(*self._plane_shapes(near.take(area)))
        lines = shapely.shortest_line(*self._plane_shapes(near.take(apart), edge=True))
        ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
        plane_m = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
        metres[apart], error[apart] = _ground(plane_m, ellipsoidal_mercator.latitude(ends[:, :, 1]).mean(axis=1))
        return metres, error


def _drawn(side: PreparedGeometries, shapes: Objects) -> Objects:
    """Pieces of a side in the plane, with its points."""
    drawn = shapes.copy()
    drawn[side.point] = shapely.points(side.xy[side.point])
    return drawn


def _shifted(shapes: Objects, shift: npt.ArrayLike) -> Objects:
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
    error = (metres / _MEAN_RADIUS_M) ** 2 * (1 + 5 * slope) / 12
    high = np.abs(middle_lat) > TRUSTED_LAT
    return metres, np.where(high | (error > PLANE_LIMIT), np.inf, error)


def _settle(metres: Floats, bow_m: Floats | float, error: Floats, reach: Floats) -> tuple[Bools, Bools]:
    """Which pairs the plane decides, and which of these are within reach."""
    with np.errstate(invalid="ignore"):  # 0 times infinity: not decided either way
        slack_m = error * metres + bow_m
        inside = metres + slack_m <= reach
        outside = metres - slack_m > reach + TOUCH_M
    return outside | (inside & (error <= PLANE_ERROR)), inside


def _within_reach(near: _Candidates, metres: Floats, inside: Bools) -> tuple[Ints, Ints, Floats]:
    """Pairs that are inside, with their metres, 0 where they touch."""
    return near.a[inside], near.b[inside], np.where(metres < TOUCH_M, 0.0, metres)[inside]


def _deduplicated(left: Ints, right: Ints, metres: Floats) -> Pairs:
    """Pairs of rows sorted by (left, right), each once, with the shortest distance of their pieces."""
    if not len(left):
        return Pairs(left, right, metres)
    key = left * (right.max() + 1) + right
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    return Pairs(left[order][first], right[order][first], np.minimum.reduceat(metres[order], first))
