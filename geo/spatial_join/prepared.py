"""Geometries prepared for a spatial join: cut at the antimeridian, in pieces, in degrees and in the Mercator plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geo.antimeridian import cut_to_world, max_step_deg
from geo.lonlat import Bools, Floats, Geometries, Ints, Objects
from geo.spatial_join import ellipsoidal_mercator

#: Edges are cut into steps of so many degrees, as an edge that is straight in lon/lat is bowed in the plane.
STEP_DEG = 0.02
#: How far (metres) an edge of such a step bows from its chord, below 80 degrees of latitude.
SAG_M = 0.3
#: Smallest radius of curvature of WGS 84, along the meridian at the equator: no metre spans more degrees.
MIN_CURVATURE_RADIUS_M = 6_335_439.0
#: Degrees that boxes are wider than the radius, so that rounding loses no pair.
MARGIN_DEG = 1e-9


@dataclass(frozen=True, slots=True)
class PreparedGeometries:
    """One side of a spatial join as pieces: points, lines, polygons and Multi kinds within one world.

    Attributes
    ----------
    rows
        Number of rows of the input.
    row
        Row of each piece, ascending, shape (pieces,).
    lonlat
        Pieces in lon/lat degrees, with long edges cut.
    plane
        Lines and polygons in metres of EPSG:3395; points are in degrees.
    edge
        Outlines of polygons, otherwise as ``plane``.
    bounds
        West, south, east, north of each piece in degrees, shape (pieces, 4).
    point
        Which pieces are single points.
    position, xy
        Lon/lat degrees, and metres in EPSG:3395, of single points; NaN for others. Shape (pieces, 2).
    cut
        Which pieces had edges that were cut.
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
        """Which pieces are polygons, shape (pieces,)."""
        return np.asarray(shapely.get_dimensions(self.lonlat) == 2)

    @property
    def max_abs_lat(self) -> Floats:
        """Largest latitude of each piece, north or south, in degrees, shape (pieces,)."""
        return np.asarray(np.abs(self.bounds[:, [1, 3]]).max(axis=1))


def prepare(geometries: Geometries) -> PreparedGeometries:
    """Prepare geometries for `geo.spatial_join.join.pairs_within`.

    Parameters
    ----------
    geometries
        Lon/lat degrees (OGC:CRS84), any kind. Missing and empty ones have no pieces.

    Returns
    -------
    The pieces. A collection, and a geometry cut at 180 degrees, are several pieces, so that each has a small box.

    Raises
    ------
    CRSError, GeometryError
        When a row is not lon/lat, see `geo.antimeridian.cut_to_world`.
    """
    rows = cut_to_world(geometries)
    pieces, row = _pieces(rows)
    point = shapely.get_type_id(pieces) == 0
    cut = ~point
    cut[cut] = max_step_deg(pieces[cut]) > STEP_DEG
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
    bounds = np.tile(position, 2)
    bounds[~point] = shapely.bounds(pieces[~point])
    return PreparedGeometries(
        len(rows), row, pieces, plane, edge, bounds, point, position, ellipsoidal_mercator.project(position), cut
    )


def _pieces(rows: Objects) -> tuple[Objects, Ints]:
    """Take apart collections, and Multi kinds wider than half the world; drop missing and empty ones; with the rows."""
    index = np.flatnonzero(~(shapely.is_missing(rows) | shapely.is_empty(rows)))
    pieces = rows[index]
    while (divisible := _is_to_be_parted(pieces)).any():
        parts, source = shapely.get_parts(pieces[divisible], return_index=True)
        pieces = np.concatenate([pieces[~divisible], parts])
        index = np.concatenate([index[~divisible], index[divisible][source]])
        filled = ~shapely.is_empty(pieces)
        pieces, index = pieces[filled], index[filled]
    order = np.argsort(index, kind="stable")
    return pieces[order], index[order].astype(np.int64)


def _is_to_be_parted(pieces: Objects) -> Bools:
    kind = shapely.get_type_id(pieces)
    is_divisible: Bools = kind == 7
    several = np.flatnonzero((kind >= 4) & ~is_divisible)
    bounds = shapely.bounds(pieces[several])
    is_divisible[several] = bounds[:, 2] - bounds[:, 0] > 180
    return is_divisible


def search_boxes(bounds: Floats, radius_m: Floats) -> Floats:
    """Boxes that hold everything within a radius of bounds.

    The angle is that on a sphere of the smallest radius of curvature, so never too small. The meridian that touches a
    circle of angular radius d at latitude p is asin(sin d / cos p) away (Bronshtein, spherical trigonometry).

    Parameters
    ----------
    bounds
        West, south, east, north in degrees, shape (n, 4).
    radius_m
        Metres, shape (n,).

    Returns
    -------
    West, south, east, north in degrees, shape (n, 4). A box that reaches a pole spans all longitudes; others may reach
    beyond 180 degrees.
    """
    west, south, east, north = bounds.T
    angle = radius_m / MIN_CURVATURE_RADIUS_M
    reach = np.degrees(angle) + MARGIN_DEG
    max_lat = np.radians(np.maximum(np.abs(south), np.abs(north)))
    polar = max_lat + angle >= np.pi / 2 - 1e-9
    ratio = np.sin(np.minimum(angle, np.pi / 2)) / np.cos(np.where(polar, 0, max_lat))
    aside = np.degrees(np.arcsin(np.minimum(ratio, 1))) + MARGIN_DEG
    return np.column_stack(
        [
            np.where(polar, -180, west - aside),
            south - reach,
            np.where(polar, 180, east + aside),
            north + reach,
        ]
    )
