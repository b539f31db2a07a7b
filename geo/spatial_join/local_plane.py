"""Distances from points to edges that are straight in lon/lat, in a plane about each point: degrees in, metres out.

The plane is equirectangular: x east is the radius of the point's parallel times the difference of longitudes, y north
the radius of curvature of its meridian times that of latitudes (Snyder, Map Projections: A Working Manual, USGS PP
1395, 1987, equations 4-18 to 4-21). Edges that are straight in lon/lat are straight there, however long they are. The
foot of the point on an edge is found in the plane, its distance by the scales at the middle latitude, half-way to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.lonlat import Floats, Ints
from geo.spatial_join.ellipsoidal_mercator import ECCENTRICITY_2, SEMI_MAJOR_M
from geo.spatial_join.settling import MEAN_RADIUS_M, PLANE_LIMIT

#: Pairs that are measured at once: arrays that stay in the cache of a processor.
BLOCK = 8_192

#: A parallel shortens by half the square of an angle north too: here of half the metres to the foot.
_BOW = 1 / (8 * MEAN_RADIUS_M**2)
#: Least square of a length: an edge without length is its first vertex.
_MIN_SQUARE = 1e-300


@dataclass(frozen=True, slots=True)
class LocalPlanes:
    """A plane about each of n points.

    Attributes
    ----------
    lon, lat
        The points in degrees, shape (n,).
    east_m, north_m
        Metres of a degree, shape (n,).
    narrowing, lengthening
        What a degree of longitude shortens by, and one of latitude grows by, at the middle of a way of a metre north;
        relative, shape (n,).
    doubt
        Bound on the relative error of a distance by the square of its metres, shape (n,).
    """

    lon: Floats
    lat: Floats
    east_m: Floats
    north_m: Floats
    narrowing: Floats
    lengthening: Floats
    doubt: Floats

    @classmethod
    def about(cls, lonlat: Floats) -> LocalPlanes:
        """Planes about points in lon/lat degrees, shape (n, 2)."""
        phi = np.radians(lonlat[:, 1])
        sine, cosine = np.sin(phi), np.cos(phi)
        root = 1 - ECCENTRICITY_2 * sine**2
        parallel = SEMI_MAJOR_M * cosine / np.sqrt(root)
        meridian = SEMI_MAJOR_M * (1 - ECCENTRICITY_2) / root**1.5
        return cls(
            lonlat[:, 0],
            lonlat[:, 1],
            east_m=np.radians(parallel),
            north_m=np.radians(meridian),
            narrowing=sine / parallel / 2,
            lengthening=3 * ECCENTRICITY_2 * sine * cosine / root / meridian / 2,
            doubt=_doubt(sine / cosine),
        )

    def error(self, point: Ints, metres: Floats) -> Floats:
        """Bounds on the relative errors of distances.

        Parameters
        ----------
        point, metres
            Numbers of points, and distances from them, shape (pairs,).

        Returns
        -------
        Shape (pairs,), infinite where a bound is not to be trusted: about a pole, and far away.
        """
        bound = self.doubt[point] * metres * metres
        return np.where(bound > PLANE_LIMIT, np.inf, bound)

    def distance_m(self, point: Ints, lon: Floats, lat: Floats, run: Ints, turn: Ints) -> Floats:
        """Metres between points and runs of edges, pair by pair.

        Parameters
        ----------
        point, run
            Numbers of points and of runs, shape (pairs,).
        lon, lat
            Vertices of the runs in degrees, shape (vertices, runs).
        turn
            Times 360 degrees by which the run is moved, shape (pairs,).

        Returns
        -------
        Metres, shape (pairs,), to the nearest place on the edges, or to the vertex where there is one alone.
        """
        blocks = [slice(start, start + BLOCK) for start in range(0, len(point), BLOCK)]
        squares = [self._squares(point[block], lon, lat, run[block], turn[block]) for block in blocks]
        return np.asarray(np.sqrt(np.concatenate([np.empty(0), *squares])))

    def _squares(self, point: Ints, lon: Floats, lat: Floats, run: Ints, turn: Ints) -> Floats:
        lon0, lat0 = self.lon[point] - 360.0 * turn, self.lat[point]
        east, north = self.east_m[point], self.north_m[point]
        narrowing, lengthening = self.narrowing[point], self.lengthening[point]
        x, y = (lon[0][run] - lon0) * east, (lat[0][run] - lat0) * north
        nearest = _by_middle_latitude(x, y, narrowing, lengthening)
        for next_lon, next_lat in zip(lon[1:], lat[1:], strict=True):
            next_x, next_y = (next_lon[run] - lon0) * east, (next_lat[run] - lat0) * north
            along_x, along_y = next_x - x, next_y - y
            square = np.maximum(along_x * along_x + along_y * along_y, _MIN_SQUARE)
            share = np.minimum(np.maximum(-(x * along_x + y * along_y) / square, 0.0), 1.0)
            foot = _by_middle_latitude(x + share * along_x, y + share * along_y, narrowing, lengthening)
            nearest = np.minimum(nearest, foot)
            x, y = next_x, next_y
        return nearest


def _by_middle_latitude(x: Floats, y: Floats, narrowing: Floats, lengthening: Floats) -> Floats:
    """Square of the metres to places in a plane, by the scales at the latitude half-way."""
    east = x * (1 - y * (narrowing + y * _BOW))
    north = y * (1 + y * lengthening)
    return east * east + north * north


def _doubt(slope: Floats) -> Floats:
    """Bound on the relative error by the square of the metres, by tangents t of latitude; infinite at the poles.

    With u metres north and v east, the haversine formula about the middle latitude leaves
    (u^2 v^2 (1 + 3 t^2) + v^4 t^2) / (12 R^2) of d^2, at most (1 + 3 t^2) / 64 (d / R)^2 of d. The plane has d^2 off by
    t x^2 y / R, which along an edge at its foot changes by t d^2 / R at most: the foot is off by half of it, d^2 by the
    square of that, and d by t^2 / 8 (d / R)^2 of it. The bound is twice the sum, for the ellipsoid and higher terms.
    """
    return np.asarray((1 + 11 * slope**2) / 32 / MEAN_RADIUS_M**2)
