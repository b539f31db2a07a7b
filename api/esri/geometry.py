"""Geometries of the GeoServices convention, read from a question and written to an answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from api.esri.errors import unreadable
from api.requests.crs import CRS84, WEB_MERCATOR, Crs
from geo.lonlat import Floats, Objects
from layers.query.cql2_text import Tree

Json = dict[str, Any]

#: Systems by well-known id; degrees are longitude first here, whatever the authority says.
SYSTEMS: Mapping[int, Crs] = {4326: CRS84, 3857: WEB_MERCATOR, 102100: WEB_MERCATOR, 102113: WEB_MERCATOR}
#: What is asked of the place of a feature, by the relation of the geometry in the question to it.
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
_MOST_VERTICES = 10_000


def reference(crs: Crs) -> Json:
    """A system as answers name it."""
    return {"wkid": 102100, "latestWkid": 3857} if crs is WEB_MERCATOR else {"wkid": 4326, "latestWkid": 4326}


def system(name: str, told: object) -> Crs:
    """A system by its well-known id, alone or in JSON.

    Raises
    ------
    EsriError
        If it is none of those offered.
    """
    read = _loaded(told)
    wkid = read.get("latestWkid", read.get("wkid")) if isinstance(read, dict) else read
    if isinstance(wkid, int) and wkid in SYSTEMS:
        return SYSTEMS[wkid]
    raise unreadable(name, told, f"one of {', '.join(map(str, SYSTEMS))}")


def _loaded(told: object) -> Any:
    if not isinstance(told, str):
        return told
    try:
        return orjson.loads(told)
    except orjson.JSONDecodeError:
        return None


def condition(text: str, kind: str, relation: str, crs: Crs | None) -> Tree:
    """The filter that a geometry in a question is; ``crs`` that of inSR, which it may name itself.

    Raises
    ------
    EsriError
        If it cannot be read, or the relation is none there is.
    """
    if relation not in RELATIONS:
        raise unreadable("spatialRel", relation, f"one of {', '.join(RELATIONS)}")
    if kind not in _READERS:
        raise unreadable("geometryType", kind, f"one of {', '.join(_READERS)}")
    told = _loaded(text) if text.lstrip()[:1] == "{" else _listed(text, kind)
    own = told.get("spatialReference") if isinstance(told, dict) else None
    crs = crs or (system("spatialReference", own) if own else CRS84)
    try:
        literal = _READERS[kind](told, crs)
        if relation in _BY_ENVELOPE and "type" in literal:
            literal = {"bbox": list(shapely.from_geojson(orjson.dumps(literal)).bounds)}
    except (KeyError, TypeError, ValueError, OverflowError, shapely.errors.ShapelyError):
        raise unreadable("geometry", text, f"a geometry of the type {kind}, in {crs.name}") from None
    return {"op": RELATIONS[relation], "args": [{"property": "geometry"}, literal]}


def _listed(text: str, kind: str) -> Json:
    """The short form of an envelope or a point."""
    names = {"esriGeometryEnvelope": ("xmin", "ymin", "xmax", "ymax"), "esriGeometryPoint": ("x", "y")}.get(kind, ())
    parts = text.split(",")
    try:
        return dict(zip(names, map(float, parts), strict=True))
    except ValueError:
        raise unreadable("geometry", text, f"JSON, or the numbers of {kind} with commas between") from None


def _envelope(told: Json, crs: Crs) -> Json:
    edges = [float(told[name]) for name in ("xmin", "ymin", "xmax", "ymax")]
    (west, south), (east, north) = _degrees(np.array(edges).reshape(2, 2), crs)
    if west > east or south > north:
        raise ValueError(edges)
    # A map that shows the world more than once asks for more than there is.
    south, north = max(south, -90.0), min(north, 90.0)
    if south > north:
        raise ValueError(edges)
    return {"bbox": [-180.0, south, 180.0, north] if east - west >= 360 else [_home(west), south, _home(east), north]}


def _home(lon: float) -> float:
    return lon if -180 <= lon <= 180 else (lon + 180) % 360 - 180


def _point(told: Json, crs: Crs) -> Json:
    return _literal(shapely.Point(float(told["x"]), float(told["y"])), crs)


def _multipoint(told: Json, crs: Crs) -> Json:
    return _literal(shapely.MultiPoint(_path(told["points"])), crs)


def _polyline(told: Json, crs: Crs) -> Json:
    return _literal(shapely.MultiLineString([_path(path) for path in told["paths"]]), crs)


def _polygon(told: Json, crs: Crs) -> Json:
    """Rings clockwise are areas, the others holes in them; where none is, all are areas."""
    rings = np.array([shapely.LinearRing(_path(ring)) for ring in told["rings"]], dtype=object)
    holes = shapely.is_ccw(rings)
    if holes.all():
        holes[:] = False
    areas = np.array([shapely.make_valid(shapely.Polygon(ring)) for ring in rings], dtype=object)
    return _literal(shapely.difference(shapely.union_all(areas[~holes]), shapely.union_all(areas[holes])), crs)


def _path(told: Sequence[Sequence[float]]) -> Floats:
    if not 0 < len(told) <= _MOST_VERTICES:
        raise ValueError("vertices")
    return np.array([position[:2] for position in told], dtype=np.float64)


def _literal(shape: BaseGeometry, crs: Crs) -> Json:
    moved = shapely.transform(shape, lambda xy: _degrees(xy, crs))
    if moved.is_empty:
        raise ValueError("empty")
    told: Json = orjson.loads(shapely.to_geojson(moved))
    return told


def _degrees(xy: Floats, crs: Crs) -> Floats:
    """Positions in degrees; beyond 180 of them where a map shows the world again."""
    if not np.isfinite(xy).all() or np.abs(xy).max(initial=0) > 1e9:
        raise ValueError("numbers")
    if crs is CRS84:
        return xy
    lat = np.degrees(np.arctan(np.sinh(np.clip(xy[:, 1] / _HALF, -2, 2) * math.pi)))
    return np.column_stack([xy[:, 0] / _HALF * 180, lat])


_READERS: Mapping[str, Callable[[Any, Crs], Json]] = {
    "esriGeometryEnvelope": _envelope,
    "esriGeometryPoint": _point,
    "esriGeometryMultipoint": _multipoint,
    "esriGeometryPolyline": _polyline,
    "esriGeometryPolygon": _polygon,
}


def written(shapes: Objects, kind: str, crs: Crs) -> list[Json | None]:
    """Geometries, in a system, as answers tell them; None for those that there are not."""
    if kind == "esriGeometryPoint":
        there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        found: list[Json | None] = [None] * len(shapes)
        xy = np.round(shapely.get_coordinates(shapes[there]), crs.decimals).tolist()
        for row, (x, y) in zip(np.flatnonzero(there).tolist(), xy, strict=True):
            found[row] = {"x": x, "y": y}
        return found
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
    told: list[Any] = np.round(shapely.get_coordinates(shape), decimals).tolist()
    return told


def extent(shapes: Objects, crs: Crs) -> Json | None:
    """The box round geometries in a system; ``None`` where there is nothing."""
    there = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if not len(there):
        return None
    edges = shapely.total_bounds(there)
    return {
        **dict(zip(("xmin", "ymin", "xmax", "ymax"), edges.tolist(), strict=True)),
        "spatialReference": reference(crs),
    }
