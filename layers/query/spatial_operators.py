"""Geometries of a filter: literals brought to lon/lat and cut at the antimeridian, relations by the index in space."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geo.antimeridian import FARTHEST_LON, split
from geo.errors import GeoError
from geo.lonlat import Bools
from layers.collections.collection import Box, Collection, boxes
from layers.collections.queryables import GEOMETRY
from layers.query.cql2_tree import FilterError
from layers.query.operands import Leaf, Scope, Truth, operands, present, refuse

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

#: A literal, or ``None`` for the places of the collection.
Place: TypeAlias = BaseGeometry | None


def relation(scope: Scope, node: Mapping[str, Any], pointer: str) -> Leaf:
    """A spatial operator with its operands; unknown where a place is missing.

    Raises
    ------
    FilterError
        If an operand is no geometry, or a literal is not valid or not on the map.
    """
    left, right = operands(node, 2, pointer)
    a, b = places(scope, left, f"{pointer}/args/0"), places(scope, right, f"{pointer}/args/1")
    name = node["op"]
    if a is not None and b is not None:
        told = bool(RELATIONS[name][0](a, b))
        return lambda collection: (told, True)
    if a is not None:
        return _against(RELATIONS[name][1], a, _as_box(scope, left))
    if b is not None:
        return _against(name, b, _as_box(scope, right))
    return lambda collection: (_each(collection, name), present(collection, GEOMETRY))


def _against(name: str, literal: BaseGeometry, box: Box | None) -> Leaf:
    """Whether the place of a row stands in a relation to a literal, which is ``box`` if that is given."""
    asked = "s_intersects" if name == "s_disjoint" else name

    def truth(collection: Collection) -> Truth:
        if box is not None and asked == "s_intersects":
            found = collection.meets(box)
        else:
            found = collection.related(literal, RELATIONS[RELATIONS[asked][1]][0])
        return ~found if name == "s_disjoint" else found, present(collection, GEOMETRY)

    return truth


def places(scope: Scope, node: Any, pointer: str) -> Place:
    """The geometry of the collection, or a literal in lon/lat (OGC:CRS84), two dimensions.

    Raises
    ------
    FilterError
        If it is something else, not valid, or not on the map.
    """
    if scope.sort(node, pointer) != "geometry":
        refuse(scope, node, "geometry", pointer)
    if "property" in node:
        return None
    made = _box(scope, node["bbox"], pointer) if "bbox" in node else _shape(scope, node, pointer)
    scope.shapes.append(made.wkb)
    return made


def _each(collection: Collection, name: str) -> Bools:
    """Which rows stand in a relation to themselves."""
    found: Bools = RELATIONS[name][0](collection.tree.geometries, collection.tree.geometries)
    return found


def _shape(scope: Scope, node: Mapping[str, Any], pointer: str) -> BaseGeometry:
    try:
        made = shapely.force_2d(shapely.from_geojson(orjson.dumps(node)))
        if not made.is_valid:
            raise FilterError(f"a valid geometry: {shapely.is_valid_reason(made)}", pointer)
    except shapely.errors.ShapelyError as error:
        raise FilterError(f"a valid geometry: {error}", pointer) from None
    return _home(_lonlat(scope, made, pointer), pointer)


def _box(scope: Scope, edges: list[float], pointer: str) -> BaseGeometry:
    """A box, also one that crosses the antimeridian; one without width is a line or a point."""
    west, south, east, north = edges if len(edges) == 4 else edges[:2] + edges[3:5]
    if scope.to_lonlat is not None:
        if west <= east and south <= north:
            return _home(_lonlat(scope, _rectangle((west, south, east, north)), pointer), pointer)
        # Which of its axes goes east, only its own system knows: its corners say it in degrees.
        (west, south), (east, north) = (
            shapely.get_coordinates(_lonlat(scope, shapely.Point(corner), pointer))[0].tolist()
            for corner in ((west, south), (east, north))
        )
    if south > north:
        raise FilterError("a box of west, south, east, north, with south at most north", pointer)
    parts = [_rectangle(part) for part in boxes((west, south, east, north))]
    areas = [part for part in parts if part.geom_type == "Polygon"] or parts[:1]
    return _home(areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas), pointer)  # type: ignore[arg-type]


def _rectangle(box: Box) -> BaseGeometry:
    west, south, east, north = box
    if west == east and south == north:
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(*box)


def _as_box(scope: Scope, node: Mapping[str, Any]) -> Box | None:
    """A literal that is a box in the degrees of the map."""
    edges = node.get("bbox")
    if edges is None or scope.to_lonlat is not None or max(abs(edges[0]), abs(edges[len(edges) // 2])) > 180:
        return None
    west, south, east, north = edges if len(edges) == 4 else edges[:2] + edges[3:5]
    return west, south, east, north


def _lonlat(scope: Scope, made: BaseGeometry, pointer: str) -> BaseGeometry:
    if scope.to_lonlat is None:
        return made
    try:
        return scope.to_lonlat(made)
    except (GeoError, shapely.errors.ShapelyError, ValueError) as error:
        raise FilterError(f"a geometry within the reference system: {error}", pointer) from None


def _home(made: BaseGeometry, pointer: str) -> BaseGeometry:
    """The geometry within the map; what is drawn beyond 180 degrees is cut there and brought home."""
    west, south, east, north = made.bounds
    if not (max(abs(west), abs(east)) <= FARTHEST_LON and max(abs(south), abs(north)) <= 90):
        raise FilterError("a geometry in lon/lat: longitudes to 180 degrees, latitudes to 90", pointer)
    if max(abs(west), abs(east)) <= 180:
        return made
    try:
        return split(made) or made
    except (GeoError, shapely.errors.ShapelyError) as error:
        raise FilterError(f"a geometry that can be cut at 180 degrees: {error}", pointer) from None
