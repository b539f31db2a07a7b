"""Geometries of GeoServices REST, read from queries and written to answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from api.esri.errors import invalid_parameter
from api.http.json import Json
from api.requests.crs import CRS84, WEB_MERCATOR, Crs
from geo.lonlat import Floats, Objects
from layers.query.cql2_text import Tree

#: Systems by well-known id; degrees are longitude first here, whatever the authority says.
SYSTEMS: Mapping[int, Crs] = {4326: CRS84, 3857: WEB_MERCATOR, 102100: WEB_MERCATOR, 102113: WEB_MERCATOR}
#: Predicate of CQL2 for the geometry of a feature, by the relation of the geometry in the query to it.
RELATIONS: Mapping[str, str] = {
    "esriSpatialRelIntersects": "s_intersects",
    "esriSpatialRelEnvelopeIntersects": "s_intersects",
    "esriSpatialRelIndexIntersects": "s_intersects",
    "esriSpatialRelContains": "s_within",
    "esriSpatialRelWithin": "s_contains",
    "esriSpatialRelCrosses": "s_crosses",
    "esriSpatialRelOverlaps": "s_overlaps",
    "esriSpatialRelTouches": "s_touches",
}
_BY_ENVELOPE = ("esriSpatialRelEnvelopeIntersects", "esriSpatialRelIndexIntersects")
_HALF = 20_037_508.342789244
_MAX_VERTICES = 10_000


def spatial_reference(crs: Crs) -> Json:
    """Return the spatial reference of a system as answers have it."""
    return {"wkid": 102100, "latestWkid": 3857} if crs is WEB_MERCATOR else {"wkid": 4326, "latestWkid": 4326}


def parse_spatial_reference(name: str, reference: object) -> Crs:
    """Return the system of a well-known id, alone or in JSON.

    Raises
    ------
    EsriError
        If the system is not on offer.
    """
    read = _loaded(reference)
    wkid = read.get("latestWkid", read.get("wkid")) if isinstance(read, dict) else read
    if isinstance(wkid, int) and wkid in SYSTEMS:
        return SYSTEMS[wkid]
    raise invalid_parameter(name, reference, f"one of {', '.join(map(str, SYSTEMS))}")


def _loaded(given: object) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return orjson.loads(given)
    except orjson.JSONDecodeError:
        return None


def spatial_condition(text: str, kind: str, relation: str, crs: Crs | None) -> Tree:
    """Return the condition that a geometry in a query is, as the tree of a filter.

    Parameters
    ----------
    text
        Esri JSON, or the short form of an envelope or a point.
    kind, relation
        esriGeometryType and esriSpatialRel.
    crs
        System of inSR; ``None`` for the one that the geometry names, or lon/lat. Longitude or easting comes first.

    Raises
    ------
    EsriError
        If the geometry cannot be read, or its type or the relation is not supported.
    """
    if relation not in RELATIONS:
        raise invalid_parameter("spatialRel", relation, f"one of {', '.join(RELATIONS)}")
    if kind not in _READERS:
        raise invalid_parameter("geometryType", kind, f"one of {', '.join(_READERS)}")
    geometry = _loaded(text) if text.lstrip()[:1] == "{" else _listed(text, kind)
    own = geometry.get("spatialReference") if isinstance(geometry, dict) else None
    crs = crs or (parse_spatial_reference("spatialReference", own) if own else CRS84)
    try:
        literal = _READERS[kind](geometry, crs)
        if relation in _BY_ENVELOPE and "type" in literal:
            literal = {"bbox": list(shapely.from_geojson(orjson.dumps(literal)).bounds)}
    except (KeyError, TypeError, ValueError, OverflowError, shapely.errors.ShapelyError):
        raise invalid_parameter("geometry", text, f"a geometry of the type {kind}, in {crs.name}") from None
    return {"op": RELATIONS[relation], "args": [{"property": "geometry"}, literal]}


def _listed(text: str, kind: str) -> Json:
    """Read the short form of an envelope or a point."""
    names = {"esriGeometryEnvelope": ("xmin", "ymin", "xmax", "ymax"), "esriGeometryPoint": ("x", "y")}.get(kind, ())
    parts = text.split(",")
    try:
        return dict(zip(names, map(float, parts), strict=True))
    except ValueError:
        raise invalid_parameter("geometry", text, f"JSON, or the numbers of {kind} with commas between") from None


def _envelope(geometry: Json, crs: Crs) -> Json:
    edges = [float(geometry[name]) for name in ("xmin", "ymin", "xmax", "ymax")]
    (west, south), (east, north) = _degrees(np.array(edges).reshape(2, 2), crs)
    if west > east or south > north:
        raise ValueError(edges)
    # The envelope of a map that shows the world more than once reaches beyond it.
    south, north = max(south, -90.0), min(north, 90.0)
    if south > north:
        raise ValueError(edges)
    return {
        "bbox": [-180.0, south, 180.0, north] if east - west >= 360 else [_wrapped(west), south, _wrapped(east), north]
    }


def _wrapped(lon: float) -> float:
    return lon if -180 <= lon <= 180 else (lon + 180) % 360 - 180


def _polygon(geometry: Json, crs: Crs) -> Json:
    """Read a polygon: clockwise rings are areas, the others holes in them; without clockwise rings, all are areas."""
    rings = np.array([shapely.LinearRing(_path(ring)) for ring in geometry["rings"]], dtype=object)
    holes = shapely.is_ccw(rings)
    if holes.all():
        holes[:] = False
    areas = np.array([shapely.make_valid(shapely.Polygon(ring)) for ring in rings], dtype=object)
    return _literal(shapely.difference(shapely.union_all(areas[~holes]), shapely.union_all(areas[holes])), crs)


def _path(geometry: Sequence[Sequence[float]]) -> Floats:
    if not 0 < len(geometry) <= _MAX_VERTICES:
        raise ValueError("vertices")
    return np.array([position[:2] for position in geometry], dtype=np.float64)


def _literal(shape: BaseGeometry, crs: Crs) -> Json:
    moved = shapely.transform(shape, lambda xy: _degrees(xy, crs))
    if moved.is_empty:
        raise ValueError("empty")
    literal: Json = orjson.loads(shapely.to_geojson(moved))
    return literal


def _degrees(xy: Floats, crs: Crs) -> Floats:
    """Return positions in degrees, shape (n, 2); beyond 180 where a map shows the world again."""
    if not np.isfinite(xy).all() or np.abs(xy).max(initial=0) > 1e9:
        raise ValueError("numbers")
    if crs is CRS84:
        return xy
    lat = np.degrees(np.arctan(np.sinh(np.clip(xy[:, 1] / _HALF, -2, 2) * math.pi)))
    return np.column_stack([xy[:, 0] / _HALF * 180, lat])


_READERS: Mapping[str, Callable[[Any, Crs], Json]] = {
    "esriGeometryEnvelope": _envelope,
    "esriGeometryPoint": lambda given, crs: _literal(shapely.Point(float(given["x"]), float(given["y"])), crs),
    "esriGeometryMultipoint": lambda given, crs: _literal(shapely.MultiPoint(_path(given["points"])), crs),
    "esriGeometryPolyline": lambda given, crs: _literal(shapely.MultiLineString([*map(_path, given["paths"])]), crs),
    "esriGeometryPolygon": _polygon,
}


def to_esri(shapes: Objects, kind: str, crs: Crs) -> list[Json | None]:
    """Return geometries as Esri JSON.

    ``shapes``: shape (n,), easting first, in the system of the answer; ``None`` where one is missing.

    Returns
    -------
    list
        n members; ``None`` for a missing geometry, and for an empty point.
    """
    if kind == "esriGeometryPoint":
        present = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        points: list[Json | None] = [None] * len(shapes)
        xy = np.round(shapely.get_coordinates(shapes[present]), crs.decimals).tolist()
        for row, (x, y) in zip(np.flatnonzero(present).tolist(), xy, strict=True):
            points[row] = {"x": x, "y": y}
        return points
    name = {"esriGeometryMultipoint": "points", "esriGeometryPolyline": "paths", "esriGeometryPolygon": "rings"}[kind]
    return [None if shape is None else {name: _coordinates(shape, kind, crs.decimals)} for shape in shapes]


def _coordinates(shape: BaseGeometry, kind: str, decimals: int) -> list[Any]:
    if kind == "esriGeometryMultipoint":
        return _rounded(shape, decimals)
    if kind == "esriGeometryPolyline":
        return [_rounded(part, decimals) for part in shapely.get_parts(shape)]
    # Outer rings clockwise, holes the other way.
    turned = shapely.orient_polygons(shapely.get_parts(shape), exterior_cw=True)
    return [_rounded(ring, decimals) for polygon in turned for ring in (polygon.exterior, *polygon.interiors)]


def _rounded(shape: BaseGeometry, decimals: int) -> list[Any]:
    coordinates: list[Any] = np.round(shapely.get_coordinates(shape), decimals).tolist()
    return coordinates


def extent(shapes: Objects, crs: Crs) -> Json | None:
    """Return the extent of geometries in GeoServices REST.

    ``shapes``: geometries in ``crs``, x before y, shape (n,); missing and empty ones do not count.

    Returns
    -------
    Json or None
        None if all are missing or empty.
    """
    present = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if not len(present):
        return None
    edges = shapely.total_bounds(present)
    return {
        **dict(zip(("xmin", "ymin", "xmax", "ymax"), edges.tolist(), strict=True)),
        "spatialReference": spatial_reference(crs),
    }
