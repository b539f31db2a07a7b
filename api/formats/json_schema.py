"""JSON Schemas of a collection (OGC API - Features part 5): its features, queryables and sortables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.http.json import Json
from layers.collections.collection import Collection
from layers.collections.feature_types import AttributionFeature, CountryFeature, StrikeFeature
from layers.collections.geometry_kinds import AssetAreaFeature, AssetLineFeature, AssetPointFeature
from layers.collections.hit_features import HitFeature
from layers.collections.queryables import GEOMETRY, Kind, Queryable
from layers.model.records import Strike
from layers.query.selection import sortables

#: Format of the geometry by the class of features (part 5, 7.2, /req/schemas/properties C).
_GEOMETRIES: Mapping[type, str] = {
    StrikeFeature: "point",
    AttributionFeature: "point",
    HitFeature: "point",
    CountryFeature: "polygon-or-multipolygon",
    AssetPointFeature: "point-or-multipoint",
    AssetLineFeature: "linestring-or-multilinestring",
    AssetAreaFeature: "polygon-or-multipolygon",
}
_TYPES: Mapping[Kind, Json] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
    "list": {"type": "array", "items": {"type": "string"}},
}
#: Roles by name of the property (7.3.2, 8); a date that is not exact is an interval of days.
_ROLES = {
    "id": "id",
    GEOMETRY: "primary-geometry",
    "day_first": "primary-interval-start",
    "day_last": "primary-interval-end",
}
_HOW_TO_WRITE_COUNTS = "give a list of kind, count_min and count_max"
#: Columns of a strike that the server sets.
_SET_BY_SERVER = {"id", "dataset"}


def queryables_schema(collection: Collection, uri: str) -> Json:
    """Return the schema of the properties that a filter may name."""
    schemas = {name: property_schema(collection, queryable) for name, queryable in collection.queryables.items()}
    return _document(collection, uri, schemas, f"What {collection.title} can be filtered by")


def sortables_schema(collection: Collection, uri: str) -> Json:
    """Return the schema of the properties that sortby may name."""
    schemas = {name: property_schema(collection, queryable) for name, queryable in sortables(collection).items()}
    return _document(collection, uri, schemas, f"What {collection.title} can be sorted by")


def feature_schema(collection: Collection, uri: str) -> Json:
    """Return the schema of features as they are answered and, of strikes, written.

    A property that is only answered is readOnly, one that is only written is writeOnly.
    """
    schemas = {name: property_schema(collection, queryable) for name, queryable in collection.queryables.items()}
    required: list[str] = []
    if collection.model is StrikeFeature:
        written = strike_properties()
        schemas = {
            name: _merged(name, schemas.get(name), written.get(name)) for name in dict.fromkeys((*schemas, *written))
        }
        required = [name for name, field in Strike.model_fields.items() if field.is_required() and name in written]
    else:
        schemas = {name: {**schema, "readOnly": True} for name, schema in schemas.items()}
    document = _document(collection, uri, schemas, f"What features of {collection.title} have")
    return {**document, "required": required} if required else document


def _merged(name: str, returned: Json | None, written: Json | None) -> Json:
    if name == GEOMETRY and returned is not None:
        return returned
    if written is None:
        return {**(returned or {}), "readOnly": True}
    if returned is None:
        return {**written, "writeOnly": True}
    if written.get("type") != returned.get("type"):
        return {
            **returned,
            "description": f"{returned['description']} To write counts separately, {_HOW_TO_WRITE_COUNTS}.",
        }
    return {**written, **returned}


def strike_properties() -> Json:
    """Return the schemas of the properties that a strike is written with, without references."""
    schema = Strike.model_json_schema(mode="validation")
    inlined = {name: _inlined(part, schema.get("$defs", {})) for name, part in schema["properties"].items()}
    return {name: _titled(name, part) for name, part in inlined.items() if name not in _SET_BY_SERVER}


def _inlined(part: Any, definitions: Json) -> Any:
    """Replace references by their schemas, and leave null out: a null property of a feature is one that it lacks.

    Neither OGC 23-058r1 nor OpenAPI 3.0 has patterns of names: what a name may have is said of every name.
    """
    if isinstance(part, list):
        return [_inlined(member, definitions) for member in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(definitions[part["$ref"].rpartition("/")[2]], definitions)
    schema = {name: _inlined(member, definitions) for name, member in part.items() if name != "default"}
    if "patternProperties" in schema:
        (schema["additionalProperties"],) = schema.pop("patternProperties").values()
    choices = [choice for choice in schema.pop("anyOf", ()) if choice != {"type": "null"}]
    return {**schema, **choices[0]} if choices else schema


def _titled(name: str, part: Json) -> Json:
    schema = {**part, "title": name.replace("_", " ")}
    if unit := schema.pop("unit", None):
        schema["x-ogc-unit"] = unit
    return schema


def property_schema(collection: Collection, queryable: Queryable) -> Json:
    """Return the schema of one property; geometries have a format and no type (/req/schemas/properties)."""
    schema: Json = {"title": queryable.name.replace("_", " "), "description": queryable.doc}
    if role := _ROLES.get(queryable.name):
        schema["x-ogc-role"] = role
    if queryable.kind == "geometry":
        return {**schema, "format": f"geometry-{_GEOMETRIES.get(collection.model, 'any')}"}
    schema |= _TYPES[queryable.kind]
    if queryable.unit:
        schema["x-ogc-unit"] = queryable.unit
    if queryable.enum:
        schema["enum"] = list(queryable.enum)
    return schema


def _document(collection: Collection, uri: str, properties: Json, title: str) -> Json:
    numbered = {
        name: {**schema, "x-ogc-propertySeq": position} for position, (name, schema) in enumerate(properties.items(), 1)
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": uri,
        "type": "object",
        "title": title,
        "description": collection.description,
        "properties": numbered,
        "additionalProperties": False,
    }
