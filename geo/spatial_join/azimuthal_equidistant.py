"""A plane of its own for every pair: azimuthal-equidistant about a centre, vectorised over all pairs at once."""

from __future__ import annotations

import numpy as np
import shapely
from pyproj import Geod

from geo.lonlat import Floats, Ints, Objects
from geo.spatial_join.ellipsoidal_mercator import ECCENTRICITY_2, SEMI_MAJOR_M

#: Geodesics after Karney 2013 (doi 10.1007/s00190-012-0578-z), by PROJ.
WGS84 = Geod(ellps="WGS84")


def draw(geometries: Objects, centres: Floats) -> Objects:
    """Draw each lon/lat geometry in metres east and north of its own centre (lon/lat, shape (n, 2)).

    Directions are those seen from the centre; distances are chords through the ellipsoid bent to an arc
    of the equatorial radius: right to 1e-7 at 100 km and 1e-5 at 1,000 km.
    """
    lonlat, pair = shapely.get_coordinates(geometries, return_index=True)
    # set_coordinates writes into the array it is given, so it is given a copy.
    drawn: Objects = shapely.set_coordinates(geometries.copy(), _azimuthal(lonlat, centres, pair))
    return drawn


def undraw(plane: Floats, centres: Floats) -> Floats:
    """Give the lon/lat of one point (metres east, north) a centre, shape (n, 2)."""
    azimuth = np.degrees(np.arctan2(plane[:, 0], plane[:, 1]))
    lon, lat, _ = WGS84.fwd(centres[:, 0], centres[:, 1], azimuth, np.hypot(plane[:, 0], plane[:, 1]))
    return np.column_stack([lon, lat])


def geocentric(lonlat: Floats) -> Floats:
    """Give Earth-centred coordinates in metres, shape (n, 3), of lon/lat degrees on the ellipsoid."""
    lam, phi = np.radians(lonlat).T
    normal = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY_2 * np.sin(phi) ** 2)
    ring = normal * np.cos(phi)
    return np.column_stack([ring * np.cos(lam), ring * np.sin(lam), normal * (1 - ECCENTRICITY_2) * np.sin(phi)])


def _azimuthal(lonlat: Floats, centres: Floats, pair: Ints) -> Floats:
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
