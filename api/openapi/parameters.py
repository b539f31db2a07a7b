"""The parameters of collections and their features as OpenAPI 3.0 spells them, one object each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.formats.json_schema import property_schema
from api.requests import crs
from api.requests.negotiation import DOCUMENT, FEATURE, FEATURES, Format
from api.requests.query_parameters import LANGUAGES, LARGEST, PROFILES, sortables
from api.requests.scalars import MAX_LENGTH
from api.settings import Settings
from layers.collections.collection import Collection
from layers.collections.queryables import GEOMETRY, Queryable

Json = dict[str, Any]

#: Keywords of a property's schema that OpenAPI 3.0 knows.
_KEYWORDS = ("type", "format", "enum", "items")
_ANY_CRS = f"One of the list of the collection, by its URI or safe CURIE such as {crs.WEB_MERCATOR.curie}."


def parameter(name: str, schema: Json, description: str, **more: Any) -> Json:
    """One query parameter; of a list the values are joined by commas."""
    told = {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
    return {**told, "style": "form", "explode": False, **more}


def shared(settings: Settings) -> Mapping[str, Json]:
    """The parameters that are the same for every collection, by the name that they are referred to with."""
    told = [
        # More is cut, not refused (OGC 17-069r4, 7.15.2): the largest page is what a client should know of.
        parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": settings.limit_max, "default": settings.limit_default},
            "Most features of one answer; more than the maximum is cut.",
        ),
        parameter("offset", _whole(), "Features to pass over."),
        parameter("startindex", _whole(), "The same as offset."),
        parameter(
            "cursor",
            {"type": "string", "minLength": 1, "maxLength": settings.url_max},
            "Where the page before ended, as next links say; not together with an offset.",
        ),
        *_places(),
        *_filters(settings.url_max),
        *_tellings(),
    ]
    forms = {"f-features": FEATURES, "f-feature": FEATURE, "f-document": DOCUMENT}
    return {one["name"]: one for one in told} | {key: _f(offered) for key, offered in forms.items()}


def _whole() -> Json:
    return {"type": "integer", "minimum": 0, "maximum": 2**31, "default": 0}


def _uri() -> Json:
    return {"type": "string", "format": "uri", "enum": [one.uri for one in crs.OFFERED], "default": crs.CRS84.uri}


def _places() -> list[Json]:
    four, six = ({"minItems": count, "maxItems": count} for count in (4, 6))
    box = {"type": "array", "oneOf": [four, six], "items": {"type": "number"}}
    within = (
        "west,south,east,north in degrees (OGC:CRS84), or in the axis order of bbox-crs; with heights as the third and "
        "sixth number too. west > east crosses the antimeridian. Features without a place are kept."
    )
    days = (
        "A day or instant (RFC 3339), or an interval of two with .. for an open end. Keeps what may fall inside it; "
        "features without a date are kept."
    )
    return [
        parameter("bbox", box, within, example=[28, 45, 33, 48]),
        parameter("bbox-crs", _uri(), f"System of bbox. {_ANY_CRS}"),
        parameter("datetime", {"type": "string"}, days, example="2025-08-01/2025-08-31"),
    ]


def _filters(longest: int) -> list[Json]:
    text = {"type": "string", "minLength": 1, "maxLength": longest}
    language = {"type": "string", "enum": list(LANGUAGES), "default": LANGUAGES[0]}
    return [
        parameter("filter", text, "A CQL2 filter of the queryables.", example="id LIKE 'ua-%'"),
        parameter("filter-lang", language, "Language of the filter."),
        parameter("filter-crs", _uri(), f"System of the geometries in the filter. {_ANY_CRS}"),
    ]


def _tellings() -> list[Json]:
    one = {"type": "string", "enum": list(PROFILES)}
    profile = {"type": "array", "minItems": 1, "items": one, "default": [PROFILES[0]]}
    return [
        parameter("crs", _uri(), f"System of the geometries of the answer. {_ANY_CRS}"),
        parameter("skipGeometry", {"type": "boolean", "default": False}, "Whether to leave geometries out."),
        parameter("profile", profile, "Profile of GeoJSON."),
    ]


def _f(offered: Sequence[Format]) -> Json:
    names = [form.name for form in offered]
    return parameter("f", {"type": "string", "enum": names}, "Form of the answer; without it the Accept header counts.")


#: What can be asked of the features of every collection, of one feature, and of any other document.
ITEMS = (
    "f-features", "limit", "offset", "startindex", "cursor", "bbox", "bbox-crs", "datetime", "filter", "filter-lang",
    "filter-crs", "crs", "skipGeometry", "profile",
)  # fmt: skip
ITEM = ("f-feature", "crs", "skipGeometry", "profile")
ANY = ("f-document",)


def references(names: Sequence[str]) -> list[Json]:
    """References to shared parameters."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def of_items(collection: Collection) -> list[Json]:
    """All parameters of the features of a collection, each of its queryables among them."""
    names = "|".join(sortables(collection))
    keys = {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": f"^[+-]?({names})$"}}
    sortby = parameter("sortby", keys, "Properties to sort by, with - in front to descend; nulls come last.")
    return [*references(ITEMS), sortby, _properties(collection), *_queryables(collection)]


def of_tiles(collection: Collection) -> list[Json]:
    """All parameters that select among the features of a tile of a collection."""
    return [*references(("datetime", "filter", "filter-lang", "filter-crs")), *_queryables(collection)]


def _queryables(collection: Collection) -> list[Json]:
    known = [one for one in collection.queryables.values() if one.name != GEOMETRY]
    return [parameter(one.name, _asked(simple(collection, one)), f"Only with this: {one.doc}") for one in known]


def simple(collection: Collection, one: Queryable) -> Json:
    """Schema of a property with the keywords that OpenAPI 3.0 knows."""
    schema = property_schema(collection, one)
    return {key: schema[key] for key in _KEYWORDS if key in schema}


def _asked(schema: Json) -> Json:
    """Schema of a value of a property that is asked for, which is not too long nor too great."""
    if "items" in schema:
        return {**schema, "items": _asked(schema["items"])}
    if schema["type"] in ("integer", "number"):
        return {**schema, "minimum": -LARGEST, "maximum": LARGEST}
    return schema if "enum" in schema or "format" in schema else {**schema, "maxLength": MAX_LENGTH}


def of_item(collection: Collection) -> list[Json]:
    """All parameters of one feature of a collection."""
    return [*references(ITEM), _properties(collection)]


def _properties(collection: Collection) -> Json:
    names = {"type": "string", "enum": [column.name for column in collection.columns]}
    return parameter("properties", {"type": "array", "items": names}, "The properties to tell; empty for none.")
