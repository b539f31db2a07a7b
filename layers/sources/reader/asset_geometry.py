"""Whether a geometry can be the place of an asset, and the lines of a collection. Knows no format."""

from __future__ import annotations

import shapely
from pydantic import TypeAdapter, ValidationError
from shapely.geometry.base import BaseGeometry

from layers.model.types import Geometry

_GEOMETRY: TypeAdapter[BaseGeometry] = TypeAdapter(Geometry, config={"arbitrary_types_allowed": True})
_LINES = ("LineString", "LinearRing", "MultiLineString")


def fault_of(shape: BaseGeometry) -> str | None:
    """What the schema expects of a geometry that it does not take, such as degrees on the globe; None if it does."""
    try:
        _GEOMETRY.validate_python(shape)
    except ValidationError as error:
        return str(error.errors()[0]["msg"]).removeprefix("Value error, ").removeprefix("row 0: expected ")
    return None


def lines_of(shape: BaseGeometry) -> BaseGeometry:
    """The lines of a collection as one line or several; any other geometry, or one without lines, as it is."""
    if shape.geom_type != "GeometryCollection":
        return shape
    parts = shapely.get_parts(shapely.get_parts(shape))
    while (shapely.get_type_id(parts) == shapely.GeometryType.GEOMETRYCOLLECTION).any():
        parts = shapely.get_parts(parts)
    lines = [part for part in parts if part.geom_type in _LINES]
    return shape if not lines else lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
