"""Distance on the ellipsoid between two geometries: the careful way, for the pairs the plane cannot settle."""

from __future__ import annotations

import numpy as np
import shapely

from geo.lonlat import Bools, Floats, Ints, Objects
from geo.spatial_join.azimuthal_equidistant import WGS84, draw, geocentric, undraw

#: Coordinates handled at once, which bounds the memory.
BATCH = 2_000_000
#: Rounds in which two extended geometries look for their nearest points.
ROUNDS = 3
#: No edge here is longer (metres), see `geo.spatial_join.prepared.STEP_DEG`.
LONGEST_EDGE_M = 5_000.0


def between_points(a: Floats, b: Floats) -> Floats:
    """Give the geodesic metres between lon/lat points, shapes (n, 2) and (n,)."""
    return np.asarray(WGS84.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2], dtype=float)


def between(a: Objects, b: Objects) -> Floats:
    """Give the metres between lon/lat geometries pair by pair, shape (n,); 0 where they touch.

    Edges are straight in lon/lat and must be short (see `geo.spatial_join.prepared.STEP_DEG`). From a point the answer
    is the geodesic to the nearest place, anywhere on Earth, right to the bow of an edge. Between two
    extended geometries the nearest places are looked for in a plane centred half-way between those found
    so far; what remains is under 1 in 1000 at 1,000 km and falls with the square of the distance.
    """
    metres = np.zeros(len(a))
    apart = np.flatnonzero(~shapely.intersects(a, b))
    sizes = shapely.get_num_coordinates(a[apart]) + shapely.get_num_coordinates(b[apart])
    batches = np.cumsum(sizes) // BATCH
    for batch in np.split(apart, np.flatnonzero(np.diff(batches)) + 1):
        if len(batch):
            metres[batch] = _apart(a[batch], b[batch])
    return metres


def _apart(a: Objects, b: Objects) -> Floats:
    swap = shapely.get_type_id(b) == 0
    first, second = _outline(np.where(swap, b, a)), _outline(np.where(swap, a, b))
    single = shapely.get_type_id(first) == 0
    metres = np.empty(len(a))
    if single.any():
        metres[single] = _from_points(shapely.get_coordinates(first[single]), second[single])
    if not single.all():
        metres[~single] = _extended(first[~single], second[~single])
    return metres


def _outline(geometries: Objects) -> Objects:
    """Take polygons by their rings: what is apart is nearest at the rim."""
    area = shapely.get_dimensions(geometries) == 2
    geometries[area] = shapely.boundary(geometries[area])
    return geometries


def _from_points(centres: Floats, geometries: Objects) -> Floats:
    """Chords pick the vertices worth a look; only those and their neighbours are measured by geodesics."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    lonlat, part = shapely.get_coordinates(parts, return_index=True)
    pair = owner[part]
    chord = np.linalg.norm(geocentric(lonlat) - geocentric(centres)[pair], axis=1)
    nearest = np.full(len(centres), np.inf)
    np.minimum.at(nearest, pair, chord)
    near = chord <= nearest[pair] + LONGEST_EDGE_M
    edge = _edges(near, part)
    used = near.copy()
    used[edge] = used[edge + 1] = True
    plane = _measured(lonlat, centres[pair], used)
    metres = np.full(len(centres), np.inf)
    np.minimum.at(metres, pair[near], np.hypot(*plane[near].T))
    np.minimum.at(metres, pair[edge], _origin_to_segments(plane[edge], plane[edge + 1]))
    return metres


def _edges(near: Bools, part: Ints) -> Ints:
    """Give the first vertex of each edge that has a near end."""
    return np.flatnonzero((part[1:] == part[:-1]) & (near[1:] | near[:-1]))


def _measured(lonlat: Floats, centres: Floats, used: Bools) -> Floats:
    """Give metres east and north by geodesic azimuth and length; NaN where not used."""
    a, b = centres[used], lonlat[used]
    azimuth, _, metres = WGS84.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])
    plane = np.full_like(lonlat, np.nan)
    plane[used] = np.column_stack([np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))])
    plane[used] *= np.asarray(metres)[:, None]
    return plane


def _origin_to_segments(start: Floats, end: Floats) -> Floats:
    along = end - start
    square = (along**2).sum(axis=1)
    share = -np.divide((start * along).sum(axis=1), square, out=np.zeros_like(square), where=square > 0)
    foot = start + np.clip(share, 0, 1)[:, None] * along
    return np.asarray(np.hypot(foot[:, 0], foot[:, 1]))


def _extended(a: Objects, b: Objects) -> Floats:
    centres = _ends(shapely.shortest_line(a, b))[0]
    for _ in range(ROUNDS):
        line = shapely.shortest_line(draw(a, centres), draw(b, centres))
        start, end = (undraw(point, centres) for point in _ends(line))
        azimuth, _, metres = WGS84.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
        centres = np.column_stack(WGS84.fwd(start[:, 0], start[:, 1], azimuth, np.divide(metres, 2))[:2])
    return np.asarray(metres, dtype=float)


def _ends(lines: Objects) -> tuple[Floats, Floats]:
    xy = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    return xy[:, 0], xy[:, 1]
