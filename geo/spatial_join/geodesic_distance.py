"""Geodesic distance between geometries, pair by pair: for the few pairs that the Mercator plane cannot settle."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.lonlat import Bools, Floats, Ints, Objects
from geo.spatial_join.ellipsoidal_mercator import ECCENTRICITY_2, SEMI_MAJOR_M

if TYPE_CHECKING:
    from pyproj import Geod


@cache
def wgs84() -> Geod:
    """Geodesics on WGS 84 (Karney 2013, doi 10.1007/s00190-012-0578-z), computed by PROJ."""
    from pyproj import Geod  # takes 10 MB, which every server would hold

    return Geod(ellps="WGS84")


def project(geometries: Objects, centres: Floats) -> Objects:
    """Project each geometry to a plane of its own, azimuthal-equidistant about a centre (Snyder 1987, chapter 25).

    Parameters
    ----------
    geometries
        Lon/lat degrees, shape (n,).
    centres
        Lon/lat degrees, shape (n, 2).

    Returns
    -------
    Shape (n,), metres east and north of the centre. Directions are those from the centre; a distance is the chord
    through the ellipsoid bent to an arc of the equatorial radius: right to 1e-7 at 100 km and 1e-5 at 1,000 km.
    """
    lonlat, pair = shapely.get_coordinates(geometries, return_index=True)
    # set_coordinates writes into the array it is given, so it is given a copy.
    projected: Objects = shapely.set_coordinates(geometries.copy(), _azimuthal(lonlat, centres, pair))
    return projected


def unproject(plane: Floats, centres: Floats) -> Floats:
    """Lon/lat degrees, shape (n, 2), of points in metres east and north of centres in lon/lat degrees, both (n, 2)."""
    azimuth = np.degrees(np.arctan2(plane[:, 0], plane[:, 1]))
    lon, lat, _ = wgs84().fwd(centres[:, 0], centres[:, 1], azimuth, np.hypot(plane[:, 0], plane[:, 1]))
    return np.column_stack([lon, lat])


def geocentric(lonlat: Floats) -> Floats:
    """Earth-centred coordinates in metres, shape (n, 3), of lon/lat degrees on the ellipsoid, shape (n, 2)."""
    lam, phi = np.radians(lonlat).T
    normal = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY_2 * np.sin(phi) ** 2)
    ring = normal * np.cos(phi)
    return np.column_stack([ring * np.cos(lam), ring * np.sin(lam), normal * (1 - ECCENTRICITY_2) * np.sin(phi)])


def _azimuthal(lonlat: Floats, centres: Floats, pair: Ints) -> Floats:
    """Metres east and north, shape (n, 2), of vertices in the plane about the centre of their pair."""
    lam, phi = np.radians(centres).T
    chord = geocentric(lonlat) - geocentric(centres)[pair]
    east_axis = np.column_stack([-np.sin(lam), np.cos(lam), np.zeros_like(lam)])
    north_axis = np.column_stack([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)])
    flat = np.column_stack([(chord * axis[pair]).sum(axis=1) for axis in (east_axis, north_axis)])
    half = np.linalg.norm(chord, axis=1) / (2 * SEMI_MAJOR_M)
    arc = 2 * SEMI_MAJOR_M * np.arcsin(np.minimum(half, 1))
    length = np.hypot(flat[:, 0], flat[:, 1])
    stretch = np.divide(arc, length, out=np.zeros_like(arc), where=length > 0)
    return np.asarray(flat * stretch[:, None])


#: Coordinates of a batch of pairs, which bounds the memory.
BATCH = 2_000_000
#: Iterations towards the nearest points of two lines or polygons.
ROUNDS = 3
#: No edge is longer (metres), as long edges are cut, see `geo.spatial_join.prepared.STEP_DEG`.
MAX_EDGE_M = 5_000.0


def between_points(a: Floats, b: Floats) -> Floats:
    """Geodesic metres, shape (n,), between points in lon/lat degrees, both of shape (n, 2)."""
    return np.asarray(wgs84().inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2], dtype=float)


def lengths_m(lines: Objects) -> Floats:
    """Geodesic metres along lines, shape (n,), in lon/lat degrees; of several lines the sum, 0 of points."""
    parts, line = lines, np.arange(len(lines))
    while (shapely.get_type_id(parts) >= 4).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        line = line[index]
    lonlat, part = shapely.get_coordinates(parts, return_index=True)
    edge = np.flatnonzero(part[1:] == part[:-1])
    metres = between_points(lonlat[edge], lonlat[edge + 1])
    return np.asarray(np.bincount(line[part[edge]], metres, len(lines)), dtype=float)


def far_between_points(a: Floats, b: Floats) -> Floats:
    """Metres, shape (n,), between points in lon/lat degrees, shape (n, 2): in an eighth of the time of geodesics.

    Lambert's formula: the great circle between the reduced latitudes, corrected to the first order of the flattening
    (Lambert 1942, J. Washington Acad. Sci. 32, 125). The relative error is under 5e-6 up to 15,000 km; points farther
    apart are measured by geodesics.
    """
    axes = np.sqrt(1 - ECCENTRICITY_2)  # the shorter by the longer
    half = np.radians(b[:, 0] - a[:, 0]) / 2
    one, two = (np.arctan(axes * np.tan(np.radians(side[:, 1]))) for side in (a, b))
    along, across = np.sin((one + two) / 2) ** 2, np.sin((two - one) / 2) ** 2
    haversine = np.minimum(across + np.cos(one) * np.cos(two) * np.sin(half) ** 2, 1)
    angle = 2 * np.arcsin(np.sqrt(haversine))
    sine = np.sin(angle)
    far = angle > _LAMBERT_ANGLE
    there, back = np.where(haversine > 0, haversine, 1), np.where(far, 1, 1 - haversine)
    turn = (angle - sine) * along * (1 - across) / back + (angle + sine) * (1 - along) * across / there
    metres = np.asarray(SEMI_MAJOR_M * (angle - (1 - axes) / 2 * turn))
    metres[far] = between_points(a[far], b[far])
    return metres


#: Radians of arc up to which Lambert's formula is used: 15,000 km.
_LAMBERT_ANGLE = 15_000_000.0 / SEMI_MAJOR_M


def geodesic_distance(a: Objects, b: Objects) -> Floats:
    """Distance between geometries, pair by pair.

    Between two lines or polygons, nearest points are looked for in a plane centred half-way between those of the
    iteration before.

    Parameters
    ----------
    a, b
        Lon/lat degrees, shape (n,), neither missing nor empty. Edges are straight in lon/lat and at most
        `geo.spatial_join.prepared.STEP_DEG` long.

    Returns
    -------
    Metres on the WGS 84 ellipsoid, shape (n,); 0 where the two touch. From a point the distance is right to the bow of
    an edge, anywhere on Earth. Between two lines or polygons the error is under 1 in 1,000 at 1,000 km, and falls with
    the square of the distance.
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
    """Metres between geometries that do not touch."""
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
    """Polygons as their rings, on which the nearest points of geometries that are apart lie."""
    area = shapely.get_dimensions(geometries) == 2
    geometries[area] = shapely.boundary(geometries[area])
    return geometries


def _from_points(centres: Floats, geometries: Objects) -> Floats:
    """Metres from points, shape (n, 2), to geometries: by geodesics to the vertices whose chords are shortest."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    lonlat, part = shapely.get_coordinates(parts, return_index=True)
    pair = owner[part]
    chord = np.linalg.norm(geocentric(lonlat) - geocentric(centres)[pair], axis=1)
    nearest = np.full(len(centres), np.inf)
    np.minimum.at(nearest, pair, chord)
    near = chord <= nearest[pair] + MAX_EDGE_M
    edge = _edges(near, part)
    used = near.copy()
    used[edge] = used[edge + 1] = True
    plane = _measured(lonlat, centres[pair], used)
    metres = np.full(len(centres), np.inf)
    np.minimum.at(metres, pair[near], np.hypot(*plane[near].T))
    np.minimum.at(metres, pair[edge], _origin_to_segments(plane[edge], plane[edge + 1]))
    return metres


def _edges(near: Bools, part: Ints) -> Ints:
    """Index of the first vertex of each edge that has a near end."""
    return np.flatnonzero((part[1:] == part[:-1]) & (near[1:] | near[:-1]))


def _measured(lonlat: Floats, centres: Floats, used: Bools) -> Floats:
    """Metres east and north of the centres, by geodesic azimuth and length; NaN where not used."""
    a, b = centres[used], lonlat[used]
    azimuth, _, metres = wgs84().inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])
    plane = np.full_like(lonlat, np.nan)
    plane[used] = np.column_stack([np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))])
    plane[used] *= np.asarray(metres)[:, None]
    return plane


def _origin_to_segments(start: Floats, end: Floats) -> Floats:
    """Distance of the origin from segments in a plane."""
    along = end - start
    square = (along**2).sum(axis=1)
    share = -np.divide((start * along).sum(axis=1), square, out=np.zeros_like(square), where=square > 0)
    foot = start + np.clip(share, 0, 1)[:, None] * along
    return np.asarray(np.hypot(foot[:, 0], foot[:, 1]))


def _extended(a: Objects, b: Objects) -> Floats:
    """Metres between lines that do not touch, by iteration."""
    centres = _ends(shapely.shortest_line(a, b))[0]
    for _ in range(ROUNDS):
        line = shapely.shortest_line(project(a, centres), project(b, centres))
        start, end = (unproject(point, centres) for point in _ends(line))
        azimuth, _, metres = wgs84().inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
        centres = np.column_stack(wgs84().fwd(start[:, 0], start[:, 1], azimuth, np.divide(metres, 2))[:2])
    return np.asarray(metres, dtype=float)


def _ends(lines: Objects) -> tuple[Floats, Floats]:
    """First and last vertices of lines of two vertices, both of shape (n, 2)."""
    xy = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    return xy[:, 0], xy[:, 1]
