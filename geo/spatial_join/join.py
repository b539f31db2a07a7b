"""The spatial join: pairs of rows within so many metres of each other. Knows nothing of what the rows mean.

Points are joined with points and edges by `geo.spatial_join.point_pairs`, two lines or polygons by
`geo.spatial_join.shape_pairs`; here both sides are taken apart, and the pairs of pieces become pairs of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geo.errors import GeometryError
from geo.lonlat import Floats, Geometries, Ints
from geo.spatial_join.point_pairs import contained_points, near_points
from geo.spatial_join.prepared import Points, prepare
from geo.spatial_join.settling import TOUCH_M
from geo.spatial_join.shape_pairs import shape_pairs

#: Largest radius: a quarter of the way round the Earth.
MAX_RADIUS_M = 10_000_000.0


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
    parts += shape_pairs(a.shapes, b.shapes, radii)
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
