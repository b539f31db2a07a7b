"""Geodesic distances from points to edges that are straight in lon/lat, by search: what the join is held to."""

from __future__ import annotations

import numpy as np
import pyproj

GEOD = pyproj.Geod(ellps="WGS84")


def geodesic_m(point: tuple[float, float], start: np.ndarray, end: np.ndarray) -> float:
    """Metres from a point to an edge: the nearest of 100 places on it, then of 100 about that one, and so on."""
    low, high = 0.0, 1.0
    for _ in range(6):
        share = np.linspace(low, high, 101)
        lon, lat = (start + share[:, None] * (end - start)).T
        metres = GEOD.inv(np.full(101, point[0]), np.full(101, point[1]), lon, lat)[2]
        nearest = int(np.argmin(metres))
        low, high = share[max(nearest - 1, 0)], share[min(nearest + 1, 100)]
    return float(np.min(metres))
