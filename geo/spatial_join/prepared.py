"""The two sides of a spatial join, made ready once: pieces without seams, in degrees and in the plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geo.antimeridian import longest_step, within_world
from geo.lonlat import Bools, Floats, Geometries, Ints, Objects
from geo.spatial_join import ellipsoidal_mercator

#: Longer edges are cut into steps of this many degrees: straight in lon/lat is not straight in a plane.
STEP_DEG = 0.02
#: How far (metres) an edge of that step may bow from its chord, below 80 degrees of latitude.
SAG_M = 0.3
#: Smallest radius of curvature of WGS 84 (along the meridian, at the equator): no metre spans more degrees.
SMALLEST_RADIUS_M = 6_335_439.0
#: Boxes are this much (degrees) wider than the reach, so that rounding never loses a touch.
MARGIN_DEG = 1e-9


@dataclass(frozen=True, slots=True)
class Side:
    """The pieces of one side; every array has one entry a piece, in row order.

    ``rows`` is the number of the caller's rows; ``row`` is the caller's row; ``lonlat`` the piece in
    degrees, long edges cut; ``plane`` the same in EPSG:3395 metres (points stay in degrees); ``edge`` its
    outline in that plane (polygons only, otherwise as ``plane``); ``bounds`` west, south, east, north in
    degrees; ``point`` tells single points, whose ``position`` (degrees) and ``xy`` (plane) are filled (NaN
    elsewhere); ``cut`` tells where edges were cut.
    """

    rows: int
    row: Ints
    lonlat: Objects
    plane: Objects
    edge: Objects
    bounds: Floats
    point: Bools
    position: Floats
    xy: Floats
    cut: Bools

    @property
    def area(self) -> Bools:
        """Tell which pieces are polygons."""
        return np.asarray(shapely.get_dimensions(self.lonlat) == 2)

    @property
    def highest(self) -> Floats:
        """Give the latitude of each piece that is nearest to a pole, in degrees, without sign."""
        return np.asarray(np.abs(self.bounds[:, [1, 3]]).max(axis=1))


def side(geometries: Geometries) -> Side:
    """Make the pieces of a side; missing and empty rows have none.

    Geometry that was cut at 180 degrees and collections fall into several pieces of one row, so that
    each has a small box.

    Raises
    ------
    CRSError, GeometryError
        When a row is not lon/lat, see `geo.antimeridian.within_world`.
    """
    rows = within_world(geometries)
    pieces, row = _pieces(rows)
    point = shapely.get_type_id(pieces) == 0
    cut = ~point & (longest_step(pieces) > STEP_DEG)
    pieces[cut] = shapely.segmentize(pieces[cut], STEP_DEG)
    position = np.full((len(pieces), 2), np.nan)
    position[point] = shapely.get_coordinates(pieces[point])
    plane = pieces.copy()
    plane[~point] = shapely.transform(pieces[~point], ellipsoidal_mercator.project)
    edge = plane.copy()
    area = shapely.get_dimensions(plane) == 2
    edge[area] = shapely.boundary(plane[area])
    shapely.prepare(plane[~point])
    shapely.prepare(edge[~point])
    bounds = shapely.bounds(pieces)
    return Side(
        len(rows), row, pieces, plane, edge, bounds, point, position, ellipsoidal_mercator.project(position), cut
    )


def _pieces(rows: Objects) -> tuple[Objects, Ints]:
    """Take collections and whatever lies on both sides of the world apart; drop missing and empty."""
    index = np.flatnonzero(~(shapely.is_missing(rows) | shapely.is_empty(rows)))
    pieces = rows[index]
    while (loose := _loose(pieces)).any():
        parts, source = shapely.get_parts(pieces[loose], return_index=True)
        pieces = np.concatenate([pieces[~loose], parts])
        index = np.concatenate([index[~loose], index[loose][source]])
        full = ~shapely.is_empty(pieces)
        pieces, index = pieces[full], index[full]
    order = np.argsort(index, kind="stable")
    return pieces[order], index[order].astype(np.int64)


def _loose(pieces: Objects) -> Bools:
    kind = shapely.get_type_id(pieces)
    bounds = shapely.bounds(pieces)
    return np.asarray((kind == 7) | ((kind >= 4) & (bounds[:, 2] - bounds[:, 0] > 180)))


def search_boxes(bounds: Floats, radius_m: Floats) -> Floats:
    """Give the lon/lat boxes that hold all that is within a radius of the given bounds, shape (n, 4).

    A box that reaches a pole spans all longitudes; others may reach beyond 180. The reach is that of a
    circle on a sphere of the smallest radius of curvature, so never too small (Bronstein: the meridian
    that touches a circle of angular radius d at latitude p is asin(sin d / cos p) away).
    """
    west, south, east, north = bounds.T
    angle = radius_m / SMALLEST_RADIUS_M
    reach = np.degrees(angle) + MARGIN_DEG
    highest = np.radians(np.maximum(np.abs(south), np.abs(north)))
    polar = highest + angle >= np.pi / 2 - 1e-9
    ratio = np.sin(np.minimum(angle, np.pi / 2)) / np.cos(np.where(polar, 0, highest))
    aside = np.degrees(np.arcsin(np.minimum(ratio, 1))) + MARGIN_DEG
    return np.column_stack(
        [
            np.where(polar, -180, west - aside),
            south - reach,
            np.where(polar, 180, east + aside),
            north + reach,
        ]
    )
