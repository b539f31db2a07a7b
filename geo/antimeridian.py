"""Cuts geometry at the antimeridian, so that everything inside lies within lon [-180, 180]."""

from __future__ import annotations

import math

import antimeridian
import numpy as np
import shapely
from shapely.geometry import GeometryCollection, LineString, MultiLineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.errors import CRSError, GeometryError
from geo.lonlat import Bools, Floats, Geometries, Objects, as_geometries, require_finite, require_lonlat

#: Longitudes beyond this are no wrapped degrees any more but another unit.
FARTHEST_LON = 540.0


def split(geometry: BaseGeometry | None) -> BaseGeometry | None:
    """Cut one geometry at +-180 degrees as RFC 7946, 3.1.9 asks.

    Lines and polygons that cross become their Multi kind, points and multi-points are wrapped, a
    collection is cut member by member, missing and empty are returned as they are. What needs no cut is
    returned itself. Two ways of writing a crossing are read: an edge that jumps more than 180 degrees is
    taken the short way round (as everybody writes it), and a geometry with longitudes beyond 180 is taken
    as drawn. Edges are straight in lon/lat (RFC 7946, 3.1.1). A ring round a pole encloses the nearer
    pole, whatever its winding. Where a cut is made, invalid polygons are repaired and heights dropped.

    Raises
    ------
    CRSError
        When a longitude is beyond 540 degrees or a latitude beyond 90.
    GeometryError
        When a coordinate is NaN or infinite, or an invalid polygon goes round a pole.
    """
    return within_world([geometry])[0]  # type: ignore[no-any-return]


def within_world(geometries: Geometries) -> Objects:
    """Cut every row as `split` does, looking only at those rows that need it; shape (n,).

    Raises
    ------
    CRSError, GeometryError
        As `split` does, with the index of the first row.
    """
    rows = as_geometries(geometries)
    require_finite(rows)
    for index in np.flatnonzero(_may_need_cut(rows)):
        try:
            rows[index] = _split(rows[index])
        except (CRSError, GeometryError) as error:
            raise type(error)(f"row {index}: {error}", int(index)) from error
    require_lonlat(rows)
    return rows


def longest_step(rows: Objects) -> Floats:
    """Give the largest change of lon or lat between successive vertices, degrees, shape (n,).

    The step from one ring or part to the next counts too, so it is an upper bound. Points, missing and
    empty have 0.
    """
    longest = np.zeros(len(rows))
    xy, row = shapely.get_coordinates(rows, return_index=True)
    same = row[1:] == row[:-1]
    np.maximum.at(longest, row[1:][same], np.abs(np.diff(xy, axis=0)).max(axis=1, initial=0)[same])
    return longest


def _jump(rows: Objects) -> Bools:
    """Tell which rows have an edge that is shorter the other way round.

    An edge from -180 to 180 is not: it is the rim of a world map or of a cap that was cut before.
    """
    xy, row = shapely.get_coordinates(rows, return_index=True)
    step = np.abs(np.diff(xy[:, 0]))
    jump = (row[1:] == row[:-1]) & (step > 180) & (step != 360)
    return np.bincount(row[1:][jump], minlength=len(rows)) > 0


def _may_need_cut(rows: Objects) -> Bools:
    bounds = shapely.bounds(rows)
    with np.errstate(invalid="ignore"):
        beyond = (bounds[:, 0] < -180) | (bounds[:, 2] > 180)
        wide = bounds[:, 2] - bounds[:, 0] > 180
    wide[wide] = _jump(rows[wide])
    return np.asarray(beyond | wide)


def _split(geometry: BaseGeometry) -> BaseGeometry:
    if geometry.geom_type == "GeometryCollection":
        return GeometryCollection([_split(part) for part in shapely.get_parts(geometry)])
    if np.abs(shapely.bounds(geometry)[[0, 2]]).max(initial=0) > FARTHEST_LON:
        raise CRSError(f"expected lon within {FARTHEST_LON:g} degrees of zero")
    if shapely.get_dimensions(geometry) == 0:
        return shapely.transform(geometry, _wrap)
    parts = shapely.get_parts(geometry)
    pieces = [piece for part in parts for piece in _pieces(part)]
    if len(pieces) == len(parts) and all(a is b for a, b in zip(pieces, parts, strict=True)):
        return geometry
    return _multi(pieces, shapely.get_dimensions(geometry) == 2)


def _multi(pieces: list[BaseGeometry], area: bool) -> BaseGeometry:
    return MultiPolygon(pieces) if area else MultiLineString(pieces)  # type: ignore[arg-type]


def _wrap(xy: Floats) -> Floats:
    lon = xy[:, 0]
    inside = np.abs(lon) <= 180
    return np.column_stack([np.where(inside, lon, (lon + 180) % 360 - 180), xy[:, 1]])


def _pieces(part: BaseGeometry) -> list[BaseGeometry]:
    """Cut one line or polygon into pieces of the same dimension; [part] where there is nothing to cut."""
    west, _, east, _ = part.bounds
    if west < -180 or east > 180:
        return _cut_as_drawn(part)
    if not _jump(np.array([part], dtype=object))[0]:
        return [part]
    if isinstance(part, Polygon):
        return _cut_polygon(part)
    line = LineString(shapely.get_coordinates(part))
    fixed = shapely.get_parts(antimeridian.fix_line_string(line, great_circle=False))
    return list(fixed[shapely.length(fixed) > 0])


def _cut_as_drawn(part: BaseGeometry) -> list[BaseGeometry]:
    """Cut at every odd multiple of 180 that the drawing passes, and bring each piece home."""
    west, south, east, north = part.bounds
    flat = shapely.make_valid(shapely.force_2d(part))  # what is not valid is cut to nonsense, silently
    pieces: list[BaseGeometry] = []
    for turn in range(math.floor((west + 180) / 360), math.ceil((east - 180) / 360) + 1):
        world = shapely.box(360 * turn - 180, south - 1, 360 * turn + 180, north + 1)
        cut = shapely.get_parts(shapely.get_parts(shapely.intersection(flat, world)))
        home = _moved(cut, -360 * turn)
        pieces.extend(home[shapely.get_dimensions(home) == shapely.get_dimensions(part)])
    return pieces


def _moved(geometries: Objects, aside: float) -> Objects:
    return shapely.transform(geometries, lambda xy: np.column_stack([xy[:, 0] + aside, xy[:, 1]]))


def _cut_polygon(part: Polygon) -> list[BaseGeometry]:
    """Cut a polygon whose edges jump; one that goes round a pole is the antimeridian package's."""
    rings = [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
    drawn = [_unrolled(xy) for xy in rings]
    if abs(drawn[0][-1, 0] - drawn[0][0, 0]) > 180:
        return _cut_round_pole(Polygon(rings[0], rings[1:]))
    middle = drawn[0][:, 0].mean()
    holes = [xy - [360 * np.round((xy[:, 0].mean() - middle) / 360), 0] for xy in drawn[1:]]
    return _cut_as_drawn(Polygon(drawn[0], holes))


def _unrolled(xy: Floats) -> Floats:
    """Add whole turns so that no step exceeds 180 degrees; a ring that closes keeps closing exactly."""
    turns = np.cumsum(np.round(np.diff(xy[:, 0], prepend=xy[0, 0]) / 360))
    return np.column_stack([xy[:, 0] - 360 * turns, xy[:, 1]])


def _cut_round_pole(polygon: Polygon) -> list[BaseGeometry]:
    try:
        fixed = antimeridian.fix_polygon(_nearer_pole_inside(polygon), fix_winding=True, great_circle=False)
    except (AssertionError, ValueError) as error:
        raise GeometryError(f"expected a valid polygon to cut at 180 degrees: {error}") from error
    return [piece for piece in shapely.get_parts(fixed) if piece.area > 0]


def _nearer_pole_inside(polygon: Polygon) -> Polygon:
    """Wind a ring that goes round a pole so that the nearer pole is to its left, which is inside."""
    xy = shapely.get_coordinates(polygon.exterior)
    eastward = _unrolled(xy)[-1, 0] > xy[0, 0]
    south = xy[:, 1].mean() < 0
    return Polygon(polygon.exterior.reverse(), list(polygon.interiors)) if eastward == south else polygon
