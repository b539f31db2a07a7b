"""Geometries in filters: literals brought to lon/lat and cut at the antimeridian, relations by the index in space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geo.antimeridian import MAX_LON, split
from geo.errors import GeoError
from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.collections.geometry_index import Box, boxes
from layers.collections.queryables import GEOMETRY
from layers.model.messages import Message
from layers.query.checked_tree import Operator, Truth, present
from layers.query.cql2_tree import FilterError

#: Brings a geometry to lon/lat (OGC:CRS84), two dimensions; raises GeoError or ValueError.
ToLonLat: TypeAlias = Callable[[BaseGeometry], BaseGeometry]

#: Relation to shapely's, and to the one that holds with the operands exchanged.
RELATIONS: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        "s_intersects": (shapely.intersects, "s_intersects"),
        "s_disjoint": (shapely.disjoint, "s_disjoint"),
        "s_equals": (shapely.equals, "s_equals"),
        "s_touches": (shapely.touches, "s_touches"),
        "s_crosses": (shapely.crosses, "s_crosses"),
        "s_overlaps": (shapely.overlaps, "s_overlaps"),
        "s_within": (shapely.within, "s_contains"),
        "s_contains": (shapely.contains, "s_within"),
    }
)


@dataclass(frozen=True, slots=True)
class GeometryColumn:
    """The geometries of the features."""

    name: str


@dataclass(frozen=True, slots=True)
class GeometryLiteral:
    """A geometry written in the filter.

    Parameters
    ----------
    shape
        In lon/lat (OGC:CRS84), two dimensions, within 180 degrees.
    box
        West, south, east, north in degrees where the literal is such a box, else ``None``.
    """

    shape: BaseGeometry
    box: Box | None = None


Geometry: TypeAlias = GeometryColumn | GeometryLiteral


def read_geometry(node: Mapping[str, Any], to_lonlat: ToLonLat | None, pointer: str) -> GeometryLiteral:
    """A literal of GeoJSON or ``{"bbox": ...}``; without ``to_lonlat`` it is in lon/lat.

    Raises FilterError if it is not valid or not on the map.
    """
    if "bbox" not in node:
        return GeometryLiteral(_shape(node, to_lonlat, pointer))
    edges = node["bbox"]
    west, south, east, north = box = edges if len(edges) == 4 else edges[:2] + edges[3:5]
    shape = _box(box, to_lonlat, pointer)
    in_degrees = to_lonlat is None and max(abs(west), abs(east)) <= 180
    return GeometryLiteral(shape, (west, south, east, north) if in_degrees else None)


def _relate(relation: str, collection: Collection, left: Geometry, right: Geometry) -> Truth:
    """Whether two geometries stand in a relation; unknown where a feature has none."""
    if isinstance(left, GeometryLiteral):
        if isinstance(right, GeometryLiteral):
            return bool(RELATIONS[relation][0](left.shape, right.shape)), True
        return _relate(RELATIONS[relation][1], collection, right, left)
    known = present(collection, GEOMETRY)
    if isinstance(right, GeometryLiteral):
        return _relate_to_literal(relation, collection, right), known
    shapes = collection.tree.geometries
    return RELATIONS[relation][0](shapes, shapes), known


def _relate_to_literal(relation: str, collection: Collection, literal: GeometryLiteral) -> Bools:
    """Which features stand in a relation to a literal, shape (n,)."""
    if relation == "s_disjoint":
        return ~_relate_to_literal("s_intersects", collection, literal)
    if relation == "s_intersects" and literal.box is not None:
        return collection.meets(literal.box)
    return collection.related(literal.shape, RELATIONS[RELATIONS[relation][1]][0])


def _shape(node: Mapping[str, Any], to_lonlat: ToLonLat | None, pointer: str) -> BaseGeometry:
    try:
        shape = shapely.force_2d(shapely.from_geojson(orjson.dumps(node)))
        if not shape.is_valid:
            raise FilterError(Message("geometry.valid", {"reason": shapely.is_valid_reason(shape)}), pointer)
    except shapely.errors.ShapelyError as error:
        raise FilterError(Message("geometry.valid", {"reason": str(error)}), pointer) from None
    return _within_map(_lonlat(shape, to_lonlat, pointer), pointer)


def _box(edges: Sequence[float], to_lonlat: ToLonLat | None, pointer: str) -> BaseGeometry:
    """A box, also one that crosses the antimeridian; one without width is a line or a point."""
    west, south, east, north = edges
    if to_lonlat is not None:
        if west <= east and south <= north:
            return _within_map(_lonlat(_rectangle((west, south, east, north)), to_lonlat, pointer), pointer)
        # Which of its axes goes east, only its own system knows: its corners say it in degrees.
        (west, south), (east, north) = (
            shapely.get_coordinates(_lonlat(shapely.Point(corner), to_lonlat, pointer))[0].tolist()
            for corner in ((west, south), (east, north))
        )
    if south > north:
        raise FilterError(Message("filter.box-edges"), pointer)
    parts = [_rectangle(part) for part in boxes((west, south, east, north))]
    areas = [part for part in parts if part.geom_type == "Polygon"] or parts[:1]
    return _within_map(areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas), pointer)  # type: ignore[arg-type]


def _rectangle(box: Box) -> BaseGeometry:
    west, south, east, north = box
    if west == east and south == north:
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(*box)


def _lonlat(shape: BaseGeometry, to_lonlat: ToLonLat | None, pointer: str) -> BaseGeometry:
    if to_lonlat is None:
        return shape
    try:
        return to_lonlat(shape)
    except (GeoError, shapely.errors.ShapelyError, ValueError) as error:
        raise FilterError(Message("filter.within-system", {"error": str(error)}), pointer) from None


def _within_map(shape: BaseGeometry, pointer: str) -> BaseGeometry:
    """The geometry within lon [-180, 180]; what is drawn beyond is cut there and moved by a turn (RFC 7946, 3.1.9)."""
    west, south, east, north = shape.bounds
    if not (max(abs(west), abs(east)) <= MAX_LON and max(abs(south), abs(north)) <= 90):
        raise FilterError(Message("filter.lonlat"), pointer)
    if max(abs(west), abs(east)) <= 180:
        return shape
    try:
        return split(shape) or shape
    except (GeoError, shapely.errors.ShapelyError) as error:
        raise FilterError(Message("filter.cut-at-180", {"error": str(error)}), pointer) from None


OPERATORS: Sequence[Operator] = tuple(
    Operator(name, (("geometry",), ("geometry",)), partial(_relate, name)) for name in RELATIONS
)
