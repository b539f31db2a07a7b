"""Cuts geometries at the antimeridian, so that they lie within lon [-180, 180] (RFC 7946, 3.1.9)."""

from __future__ import annotations

import math

import antimeridian
import numpy as np
import shapely
from shapely.geometry import GeometryCollection, LineString, MultiLineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.errors import CRSError, GeometryError
from geo.lonlat import Bools, Floats, Geometries, Objects, as_geometries, require_finite, require_lonlat

#: Longitudes beyond this are taken for another unit than degrees.
MAX_LON = 540.0


def split(geometry: BaseGeometry | None) -> BaseGeometry | None:
    """Cut a geometry at +-180 degrees (RFC 7946, 3.1.9).

    A crossing is read in both notations: an edge that jumps more than 180 degrees goes the short way round, and
    a geometry with longitudes beyond 180 is taken as drawn. Edges are straight in lon/lat (RFC 7946, 3.1.1). A ring
    round a pole encloses the nearer pole, whatever its winding.

    Parameters
    ----------
    geometry
        Lon/lat degrees (OGC:CRS84), any kind, longitudes within 540 degrees.

    Returns
    -------
    The geometry itself where it needs no cut, also where it is missing or empty. Lines and polygons that cross become
    their Multi kind, points are wrapped, collections are cut member by member. Where a cut is made, heights are dropped
    and invalid polygons repaired.

    Raises
    ------
    CRSError
        When a longitude is beyond 540 degrees or a latitude beyond 90.
    GeometryError
        When a coordinate is NaN or infinite, or an invalid polygon goes round a pole.
    """
    return cut_to_world([geometry])[0]  # type: ignore[no-any-return]


def cut_to_world(geometries: Geometries) -> Objects:
    """Cut geometries at +-180 degrees, as `split` does.

    Parameters
    ----------
    geometries
        Lon/lat degrees (OGC:CRS84), any kind, longitudes within 540 degrees; missing and empty ones stay.

    Returns
    -------
    Shape (n,), dtype object, within lon [-180, 180]; rows that need no cut are the same objects.

    Raises
    ------
    CRSError, GeometryError
        As `split` raises them; ``index`` is the first such row.
    """
    rows = as_geometries(geometries)
    crossing = np.flatnonzero(_may_need_cut(rows))
    if len(crossing):
        require_finite(rows)  # before any is cut; where none is, it is part of what comes last
    for index in crossing:
        try:
            rows[index] = _split(rows[index])
        except (CRSError, GeometryError) as error:
            raise type(error)(f"row {index}: {error}", int(index)) from error
    require_lonlat(rows)
    return rows


def max_step_deg(rows: Objects) -> Floats:
    """Largest change of lon or lat between successive vertices of each geometry.

    Parameters
    ----------
    rows
        Lon/lat degrees, shape (n,).

    Returns
    -------
    Degrees, shape (n,); 0 for points, missing and empty ones. The step from one ring or part to the next counts too, so
    it is an upper bound.
    """
    steps = np.zeros(len(rows))
    xy, row = shapely.get_coordinates(rows, return_index=True)
    same = row[1:] == row[:-1]
    np.maximum.at(steps, row[1:][same], np.abs(np.diff(xy, axis=0)).max(axis=1, initial=0)[same])
    return steps


def _jump(rows: Objects) -> Bools:
    """Which geometries have an edge that is shorter the other way round, shape (n,).

    An edge from -180 to 180 is not such an edge: it is the rim of a world map, or of a polar cap that was cut before.
    """
    xy, row = shapely.get_coordinates(rows, return_index=True)
    step = np.abs(np.diff(xy[:, 0]))
    jump = (row[1:] == row[:-1]) & (step > 180) & (step != 360)
    return np.bincount(row[1:][jump], minlength=len(rows)) > 0


def _may_need_cut(rows: Objects) -> Bools:
    """Which geometries pass 180 degrees or jump across it, shape (n,)."""
    bounds = shapely.bounds(rows)
    with np.errstate(invalid="ignore"):
        beyond = (bounds[:, 0] < -180) | (bounds[:, 2] > 180)
        wide = bounds[:, 2] - bounds[:, 0] > 180
    wide[wide] = _jump(rows[wide])
    return np.asarray(beyond | wide)


def _split(geometry: BaseGeometry) -> BaseGeometry:
    if geometry.geom_type == "GeometryCollection":
        return GeometryCollection([_split(part) for part in shapely.get_parts(geometry)])
    if np.abs(shapely.bounds(geometry)[[0, 2]]).max(initial=0) > MAX_LON:
        raise CRSError(f"expected lon within {MAX_LON:g} degrees of zero")
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
    """Cut a line or polygon into pieces of its dimension; the part itself where it needs no cut."""
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
    """Cut at every odd multiple of 180 that a drawing passes, and move each piece by whole turns to [-180, 180]."""
    west, south, east, north = part.bounds
    flat = shapely.make_valid(
        shapely.force_2d(part)
    )  # an invalid polygon would be cut to a wrong one, without an error
    pieces: list[BaseGeometry] = []
    for turn in range(math.floor((west + 180) / 360), math.ceil((east - 180) / 360) + 1):
        world = shapely.box(360 * turn - 180, south - 1, 360 * turn + 180, north + 1)
        cut = shapely.get_parts(shapely.get_parts(shapely.intersection(flat, world)))
        wrapped = _shifted(cut, -360 * turn)
        pieces.extend(wrapped[shapely.get_dimensions(wrapped) == shapely.get_dimensions(part)])
    return pieces


def _shifted(geometries: Objects, degrees: float) -> Objects:
    return shapely.transform(geometries, lambda xy: np.column_stack([xy[:, 0] + degrees, xy[:, 1]]))


def _cut_polygon(part: Polygon) -> list[BaseGeometry]:
    """Cut a polygon whose edges jump; a ring round a pole is cut by the antimeridian package."""
    rings = [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
    drawn = [_unrolled(xy) for xy in rings]
    if abs(drawn[0][-1, 0] - drawn[0][0, 0]) > 180:
        return _cut_round_pole(Polygon(rings[0], rings[1:]))
    middle = drawn[0][:, 0].mean()
    holes = [xy - [360 * np.round((xy[:, 0].mean() - middle) / 360), 0] for xy in drawn[1:]]
    return _cut_as_drawn(Polygon(drawn[0], holes))


def _unrolled(xy: Floats) -> Floats:
    """Add whole turns so that no step exceeds 180 degrees; a closed ring stays closed exactly."""
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
