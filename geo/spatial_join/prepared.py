"""Geometries prepared for a spatial join: cut at the antimeridian, and taken apart to points, lines and polygons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geo.antimeridian import cut_to_world, max_step_deg
from geo.lonlat import Bools, Floats, Geometries, Ints, Objects

#: Length in degrees to which edges are cut for planes in which an edge that is straight in lon/lat is bowed.
STEP_DEG = 0.02
#: How far (metres) an edge of such a step bows from its chord, below 80 degrees of latitude.
SAG_M = 0.3
#: Smallest radius of curvature of WGS 84, along the meridian at the equator: no metre spans more degrees.
MIN_CURVATURE_RADIUS_M = 6_335_439.0
#: Degrees that boxes are wider than the radius, so that rounding loses no pair.
MARGIN_DEG = 1e-9
#: Edges to a run: longer runs are fewer boxes to look up, shorter ones fewer edges to measure.
RUN_EDGES = 4


@dataclass(frozen=True, slots=True)
class Points:
    """Single points.

    Attributes
    ----------
    row
        Row of each, ascending, shape (points,).
    lonlat
        Degrees, shape (points, 2).
    """

    row: Ints
    lonlat: Floats

    def take(self, points: Bools | Ints) -> Points:
        """Return some of them."""
        return Points(self.row[points], self.lonlat[points])


@dataclass(frozen=True, slots=True)
class Shapes:
    """Single lines and polygons within one world.

    Attributes
    ----------
    row
        Row of each, ascending, shape (shapes,).
    lonlat
        Geometries in lon/lat degrees, shape (shapes,).
    """

    row: Ints
    lonlat: Objects

    def take(self, shapes: Bools) -> Shapes:
        """Return some of them."""
        return Shapes(self.row[shapes], self.lonlat[shapes])


@dataclass(frozen=True, slots=True)
class Runs:
    """Edges of lines and rings in runs of at most `RUN_EDGES`, so that each has a small box; or points, with no edge.

    Attributes
    ----------
    row
        Row of each run, ascending, shape (runs,).
    lon, lat
        Vertices of each run in degrees, shape (vertices, runs); a short run repeats its last one.
    """

    row: Ints
    lon: Floats
    lat: Floats

    @property
    def bounds(self) -> Floats:
        """West, south, east, north in degrees, shape (runs, 4)."""
        return np.column_stack([self.lon.min(axis=0), self.lat.min(axis=0), self.lon.max(axis=0), self.lat.max(axis=0)])

    def lonlat(self, runs: Ints) -> Floats:
        """Vertices of some runs, lon/lat degrees, shape (runs, vertices, 2)."""
        return np.stack([self.lon[:, runs].T, self.lat[:, runs].T], axis=-1)


@dataclass(frozen=True, slots=True)
class PreparedGeometries:
    """One side of a spatial join.

    Attributes
    ----------
    rows
        Number of rows of the input.
    points, shapes
        Its single points, and its lines and polygons.
    """

    rows: int
    points: Points
    shapes: Shapes

    def point_runs(self) -> Runs:
        """Points as runs of one vertex."""
        lon, lat = self.points.lonlat.T
        return Runs(self.points.row, lon[None], lat[None])

    def edge_runs(self) -> Runs:
        """Edges of lines and of the rings of polygons, in runs."""
        lines = self.shapes.take(shapely.get_dimensions(self.shapes.lonlat) == 1)
        rings, polygon = shapely.get_rings(self.polygons.lonlat, return_index=True)
        paths = np.concatenate([lines.lonlat, rings])
        row = np.concatenate([lines.row, self.polygons.row[polygon]])
        order = np.argsort(row, kind="stable")
        lonlat = shapely.get_coordinates(paths[order])
        size = shapely.get_num_coordinates(paths[order])
        last = np.cumsum(size) - 1
        runs = -(-(size - 1) // RUN_EDGES)
        path = np.repeat(np.arange(len(size)), runs)
        first = (last - size + 1)[path] + RUN_EDGES * (np.arange(len(path)) - (np.cumsum(runs) - runs)[path])
        vertex = np.minimum(first + np.arange(RUN_EDGES + 1)[:, None], last[path])
        return Runs(row[order][path], lonlat[vertex, 0], lonlat[vertex, 1])

    @property
    def polygons(self) -> Shapes:
        """Those of the shapes that are polygons."""
        return self.shapes.take(shapely.get_dimensions(self.shapes.lonlat) == 2)


def prepare(geometries: Geometries) -> PreparedGeometries:
    """Prepare geometries for `geo.spatial_join.join.pairs_within`.

    Parameters
    ----------
    geometries
        Lon/lat degrees (OGC:CRS84), any kind. Missing and empty ones have no pieces.

    Returns
    -------
    The pieces. A collection, a Multi kind, and a geometry cut at 180 degrees, are several.

    Raises
    ------
    CRSError, GeometryError
        When a row is not lon/lat, see `geo.antimeridian.cut_to_world`.
    """
    rows = cut_to_world(geometries)
    pieces, row = _pieces(rows)
    point = shapely.get_type_id(pieces) == 0
    points = Points(row[point], shapely.get_coordinates(pieces[point]))
    return PreparedGeometries(len(rows), points, Shapes(row[~point], pieces[~point]))


def _pieces(rows: Objects) -> tuple[Objects, Ints]:
    """Take apart collections and Multi kinds; drop missing and empty ones; with the rows."""
    index = np.flatnonzero(~(shapely.is_missing(rows) | shapely.is_empty(rows)))
    pieces = rows[index]
    while (divisible := shapely.get_type_id(pieces) >= 4).any():
        parts, source = shapely.get_parts(pieces[divisible], return_index=True)
        pieces = np.concatenate([pieces[~divisible], parts])
        index = np.concatenate([index[~divisible], index[divisible][source]])
        filled = ~shapely.is_empty(pieces)
        pieces, index = pieces[filled], index[filled]
    order = np.argsort(index, kind="stable")
    return pieces[order], index[order].astype(np.int64)


def with_short_edges(shapes: Objects) -> Objects:
    """Lines and polygons in lon/lat degrees, shape (n,), with edges longer than `STEP_DEG` cut to such steps."""
    cut = shapes.copy()
    long = max_step_deg(shapes) > STEP_DEG
    cut[long] = shapely.segmentize(shapes[long], STEP_DEG)
    return cut


def turned_boxes(boxes: Floats) -> tuple[Ints, Ints]:
    """Boxes of `search_boxes`, shape (n, 4), as they are and, where they pass 180 degrees, moved round the world.

    Returns
    -------
    Numbers of the boxes, each at least once, and times 360 degrees by which each is moved, both of one shape.
    """
    reaches = {0: np.ones(len(boxes), bool), -1: boxes[:, 2] > 180, 1: boxes[:, 0] < -180}
    box = np.concatenate([np.flatnonzero(reached) for reached in reaches.values()])
    return box, np.repeat(list(reaches), [reached.sum() for reached in reaches.values()])


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
