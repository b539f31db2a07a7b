"""JSON Schemas of a collection (OGC API - Features part 5): what it returns and takes, is asked by and sorted by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.requests.query_parameters import sortables
from layers.collections.collection import Collection
from layers.collections.feature_types import AttributionFeature, CountryFeature, StrikeFeature
from layers.collections.queryables import GEOMETRY, Kind, Queryable
from layers.model.records import Strike

Json = dict[str, Any]

#: Geometry that features of a class have, as part 5 spells it (7.2, /req/schemas/properties C).
_GEOMETRIES: Mapping[type, str] = {
    StrikeFeature: "point",
    AttributionFeature: "point",
    CountryFeature: "polygon-or-multipolygon",
}
_TYPES: Mapping[Kind, Json] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "list": {"type": "array", "items": {"type": "string"}},
}
#: Roles by name of the property (7.3.2, 8); a date that is not exact is the days that it may mean.
_ROLES = {
    "id": "id",
    GEOMETRY: "primary-geometry",
    "day_first": "primary-interval-start",
    "day_last": "primary-interval-end",
}
_LISTED = "give a list of kind, count_min and count_max"
#: Properties of the record of a strike that its features do not have, or that cannot be written.
_UNWRITTEN = {"id", "dataset"}


def queryables(collection: Collection, uri: str) -> Json:
    """What a filter may name."""
    told = {name: property_schema(collection, one) for name, one in collection.queryables.items()}
    return _document(collection, uri, told, f"What {collection.title} can be filtered by")


def sorting(collection: Collection, uri: str) -> Json:
    """What sortby may name."""
    told = {name: property_schema(collection, one) for name, one in sortables(collection).items()}
    return _document(collection, uri, told, f"What {collection.title} can be sorted by")


def returned(collection: Collection, uri: str) -> Json:
    """What features are returned with and, of strikes, taken with: readOnly is returned only, writeOnly taken only."""
    told = {name: property_schema(collection, one) for name, one in collection.queryables.items()}
    required: list[str] = []
    if collection.model is StrikeFeature:
        taken = strike_properties()
        told = {name: _both(name, told.get(name), taken.get(name)) for name in dict.fromkeys((*told, *taken))}
        required = [name for name, field in Strike.model_fields.items() if field.is_required() and name in taken]
    else:
        told = {name: {**one, "readOnly": True} for name, one in told.items()}
    document = _document(collection, uri, told, f"What features of {collection.title} have")
    return {**document, "required": required} if required else document


def _both(name: str, returned: Json | None, taken: Json | None) -> Json:
    if name == GEOMETRY and returned is not None:
        return returned
    if taken is None:
        return {**(returned or {}), "readOnly": True}
    if returned is None:
        return {**taken, "writeOnly": True}
    if taken.get("type") != returned.get("type"):
        return {**returned, "description": f"{returned['description']} To write counts apart, {_LISTED}."}
    return {**taken, **returned}


def strike_properties() -> Json:
    """Schemas of the properties that a strike is written with, without references."""
    schema = Strike.model_json_schema(mode="validation")
    found = {name: _inlined(part, schema.get("$defs", {})) for name, part in schema["properties"].items()}
    return {name: _titled(name, part) for name, part in found.items() if name not in _UNWRITTEN}


def _inlined(part: Any, definitions: Json) -> Any:
    """References put in place, and null left out: null in a feature is a property that it does not have."""
    if isinstance(part, list):
        return [_inlined(one, definitions) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(definitions[part["$ref"].rpartition("/")[2]], definitions)
    told = {name: _inlined(one, definitions) for name, one in part.items() if name != "default"}
    kept = [one for one in told.pop("anyOf", ()) if one != {"type": "null"}]
    return {**told, **kept[0]} if kept else told


def _titled(name: str, part: Json) -> Json:
    told = {**part, "title": name.replace("_", " ")}
    if unit := told.pop("unit", None):
        told["x-ogc-unit"] = unit
    return told


def property_schema(collection: Collection, one: Queryable) -> Json:
    """Schema of one property; geometries have a format and no type (/req/schemas/properties)."""
    told: Json = {"title": one.name.replace("_", " "), "description": one.doc}
    if role := _ROLES.get(one.name):
        told["x-ogc-role"] = role
    if one.kind == "geometry":
        return {**told, "format": f"geometry-{_GEOMETRIES.get(collection.model, 'any')}"}
    told |= _TYPES[one.kind]
    if one.unit:
        told["x-ogc-unit"] = one.unit
    if one.enum:
        told["enum"] = list(one.enum)
    return told


def _document(collection: Collection, uri: str, properties: Json, title: str) -> Json:
    numbered = {name: {**one, "x-ogc-propertySeq": place} for place, (name, one) in enumerate(properties.items(), 1)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": uri,
        "type": "object",
        "title": title,
        "description": collection.description,
        "properties": numbered,
        "additionalProperties": False,
    }
