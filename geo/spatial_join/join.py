"""The spatial join: pairs of rows within so many metres of each other. Knows nothing of what the rows mean.

Both sides are taken apart, and the pairs of pieces become pairs of rows. Points are joined with points and edges by
`geo.spatial_join.point_pairs`. Of two lines or polygons an STRtree finds candidates by lon/lat boxes; one vectorised
distance in the Mercator plane of the ellipsoid (EPSG:3395), scaled at the pair's middle latitude, settles nearly all;
geodesics settle the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import GeometryError
from geo.lonlat import Bools, Floats, Geometries, Ints, Objects
from geo.spatial_join import ellipsoidal_mercator
from geo.spatial_join.geodesic_distance import geodesic_distance
from geo.spatial_join.point_pairs import contained_points, near_points
from geo.spatial_join.prepared import (
    SAG_M,
    Points,
    Shapes,
    prepare,
    search_boxes,
    turned_boxes,
    with_short_edges,
)
from geo.spatial_join.settling import MEAN_RADIUS_M, PLANE_LIMIT, TOUCH_M, settle

#: Largest radius: a quarter of the way round the Earth.
MAX_RADIUS_M = 10_000_000.0
#: Latitude, north or south, beyond which distances in the plane are not used.
TRUSTED_LAT = ellipsoidal_mercator.MAX_LAT - 1
#: Metres by which a point on an edge may be off in the plane.
BLUR_M = 1e-5
#: Left shapes that are joined at once.
CHUNK = 20_000


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
        relative error is larger: under 1e-3 at 1,000 km, falling with the square of the distance; and where two come
        near each other at several latitudes, the place that is taken may be one that is nearest in the Mercator plane
        alone. A pair whose distance is close to the radius is decided by geodesics (Karney 2013).

    Raises
    ------
    CRSError
        When a coordinate is out of range.
    GeometryError
        When a coordinate is NaN or infinite, or a radius is negative, NaN, too large or of another shape.
    """
    a, b = prepare(left), prepare(right)
    radii = _radii(radius_m, a.rows)
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    if len(b.points.row):
        for runs in (a.point_runs(), a.edge_runs()):
            parts += near_points(runs, radii[runs.row], b.points, np.full(b.rows, np.inf))
    if len(a.points.row) and len(b.shapes.row):
        edges = b.edge_runs()
        for points, widest_m in _by_radius(a.points, radii):
            parts += map(_swapped, near_points(edges, np.full(len(edges.row), widest_m), points, radii))
    parts += contained_points(a.polygons, b.points)
    parts += map(_swapped, contained_points(b.polygons, a.points))
    parts += _shape_pairs(a.shapes, b.shapes, radii)
    return _deduplicated(*(np.concatenate(part) for part in zip(*parts, strict=True)))


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


def _by_radius(points: Points, radius_m: Floats) -> Iterator[tuple[Points, float]]:
    """Points with radii that differ by a factor of two at most, or are all under a metre, and the widest of these."""
    radii = radius_m[points.row]
    size = np.ceil(np.log2(np.maximum(radii, 1)))
    for alike in np.unique(size):
        yield points.take(size == alike), radii[size == alike].max()


def _swapped(pairs: tuple[Ints, Ints, Floats]) -> tuple[Ints, Ints, Floats]:
    return pairs[1], pairs[0], pairs[2]


def _deduplicated(left: Ints, right: Ints, metres: Floats) -> Pairs:
    """Pairs of rows sorted by (left, right), each once, with the shortest distance of their pieces."""
    width = int(right.max(initial=0)) + 1
    key = left * width + right
    order = np.argsort(key)
    key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    metres = np.minimum.reduceat(metres[order], first) if len(first) else metres
    return Pairs(*np.divmod(key[first], width), np.where(metres < TOUCH_M, 0.0, metres))


class _Candidates(NamedTuple):
    """Left shapes, moved by ``turn`` times 360 degrees, and right shapes whose boxes meet."""

    a: Ints
    b: Ints
    turn: Ints

    def take(self, pairs: Bools | Ints) -> _Candidates:
        return _Candidates(*(column[pairs] for column in self))


def _shape_pairs(left: Shapes, right: Shapes, radius_m: Floats) -> Iterator[tuple[Ints, Ints, Floats]]:
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
