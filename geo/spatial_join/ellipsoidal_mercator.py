"""The ellipsoidal Mercator plane (EPSG:3395): closed formulas, vectorised. Degrees in, metres out.

Formulas: Snyder, Map Projections: A Working Manual (USGS PP 1395, 1987), equations 7-6, 7-7 and 7-8.
"""

from __future__ import annotations

import numpy as np

from geo.lonlat import Floats

#: Semi-major axis and squared eccentricity of WGS 84.
SEMI_MAJOR_M = 6_378_137.0
ECCENTRICITY_2 = 0.006_694_379_990_141_317
#: Length of the equator, which is the width of the plane.
WIDTH_M = 2 * np.pi * SEMI_MAJOR_M
#: Latitudes beyond are projected here, as the poles are infinitely far.
MAX_LAT = 89.99

_E = np.sqrt(ECCENTRICITY_2)


def project(lonlat: Floats) -> Floats:
    """Project lon/lat degrees, shape (n, 2), to metres east and north, shape (n, 2) (equation 7-7)."""
    sine = np.sin(np.radians(np.clip(lonlat[:, 1], -MAX_LAT, MAX_LAT)))
    north = np.arctanh(sine) - _E * np.arctanh(_E * sine)
    return SEMI_MAJOR_M * np.column_stack([np.radians(lonlat[:, 0]), north])


def latitude(north_m: Floats) -> Floats:
    """Latitude in degrees of northings in metres, any shape; five steps of a fixed point reach 1e-12 degrees."""
    isometric = north_m / SEMI_MAJOR_M
    sine = np.tanh(isometric)
    for _ in range(5):
        sine = np.tanh(isometric + _E * np.arctanh(_E * sine))
    return np.degrees(np.arcsin(sine))


def scale(lat: Floats) -> Floats:
    """Metres in the plane of a metre on the ground, at latitudes in degrees, any shape (equation 7-8)."""
    phi = np.radians(np.clip(lat, -MAX_LAT, MAX_LAT))
    return np.asarray(np.sqrt(1 - ECCENTRICITY_2 * np.sin(phi) ** 2) / np.cos(phi))
