"""Parameter tables that depend on a collection, and any parameter as OpenAPI 3.0 spells it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from api.formats.json_schema import property_schema
from api.formats.registry import FEATURE, FEATURES
from api.http.json import Json
from api.requests import query_parameters as shared
from api.requests.corrections_query import INSTANT_PATTERN
from api.requests.negotiation import DOCUMENT, MediaFormat
from api.requests.parameters import MAX_LENGTH, Limits, RequestParameter, parse_text, require_known_names
from api.requests.query_parameters import MAX_EXACT_INTEGER, STRIKE_CONDITIONS
from api.wording.catalogue import languages
from layers.collections.collection import Collection
from layers.collections.queryables import GEOMETRY, Queryable

#: Keywords of JSON Schema that OpenAPI 3.0 has in another form.
_UNKNOWN = ("exclusiveMinimum", "exclusiveMaximum", "x-ogc-unit")


def as_3_0(value: Any, nullable: bool = False) -> Any:
    """Return a schema, or what holds schemas, without null, ``const``, patterns of names and lists of examples.

    Parameters
    ----------
    value
        JSON values; what is no schema stays as it is.
    nullable
        Whether a value that may be null is stated as ``nullable``; parameters have no null.
    """
    if isinstance(value, list):
        return [as_3_0(part, nullable) for part in value]
    if not isinstance(value, dict):
        return value
    schema = {name: as_3_0(part, nullable) for name, part in value.items() if name not in _UNKNOWN}
    if "exclusiveMinimum" in value:
        schema |= {"minimum": value["exclusiveMinimum"], "exclusiveMinimum": True}
    present = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
    if len(present) == 1:
        del schema["anyOf"]
        schema.update(present[0], **({"nullable": True} if nullable else {}))
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    if "patternProperties" in schema:
        (schema["additionalProperties"],) = schema.pop("patternProperties").values()
    if isinstance(schema.get("examples"), list):
        schema["example"] = schema.pop("examples")[0]
    return schema


#: NUL is in no text of a request: `api.http` refuses it wherever it stands, a text of spaces alone is none.
_WITHOUT_NUL, _NOT_BLANK = r"^[^\x00]*$", r"^(?!\s*$)[^\x00]*$"
#: Keywords of a property's schema that OpenAPI 3.0 knows.
_KEYWORDS = ("type", "format", "enum", "items")


def _shared_format(component: str, offered: Sequence[MediaFormat]) -> RequestParameter[str]:
    schema = {"type": "string", "enum": [form.name for form in offered]}
    description = "Form of the answer; without it the Accept header counts."
    return RequestParameter("f", parse_text, schema, description, component=component)


F_FEATURES = _shared_format("f-features", FEATURES)
F_FEATURE = _shared_format("f-feature", FEATURE)
F_DOCUMENT = _shared_format("f-document", DOCUMENT)

_OF_FEATURE = (shared.CRS, shared.SKIP_GEOMETRY, shared.PROFILE)
#: Parameters of the features of every collection.
_OF_FEATURES = (
    shared.LIMIT,
    shared.OFFSET,
    shared.STARTINDEX,
    shared.CURSOR,
    shared.BBOX,
    shared.BBOX_CRS,
    shared.DATETIME,
    shared.FILTER,
    shared.FILTER_LANG,
    shared.FILTER_CRS,
    *_OF_FEATURE,
)
#: Parameters that the definition describes once, in the order of its components.
SHARED: Sequence[RequestParameter[Any]] = (*_OF_FEATURES, F_FEATURES, F_FEATURE, F_DOCUMENT)


def require_described(given: Iterable[tuple[str, str]], names: Sequence[str]) -> None:
    """Refuse query parameters that are neither among the names nor those of every endpoint, or are given twice.

    Raises BadParameter with the first such name.
    """
    require_known_names(given, (*names, *(one.name for one in language_parameters())))


def language_parameters() -> Sequence[RequestParameter[str]]:
    """Return the parameter of every endpoint that chooses a language; none where there is English alone."""
    if len(languages()) == 1:
        return ()
    offered = ", ".join(languages())
    about = f"Language of pages and sentences: {offered}; any other counts as none, and Accept-Language is read."
    return (RequestParameter("lang", parse_text, {"type": "string"}, about),)


def format_parameter(*names: str) -> RequestParameter[str]:
    """Return the parameter f of an endpoint with formats of its own."""
    return RequestParameter("f", parse_text, {"type": "string", "enum": list(names)}, "Form of the answer.")


def path_parameter(name: str, schema: Json) -> RequestParameter[str]:
    """Return a parameter that is a part of the path."""
    return RequestParameter(name, parse_text, schema, location="path")


def items_parameters(collection: Collection) -> Sequence[RequestParameter[Any]]:
    """Return the table of the features of a collection, each of its queryables among them."""
    return (
        F_FEATURES,
        *_OF_FEATURES,
        *((shared.UPDATED_SINCE,) if collection.name != "countries" else ()),
        *(STRIKE_CONDITIONS if collection.name == "strikes" else ()),
        shared.sortby_parameter(collection),
        shared.properties_parameter(collection),
        *_queryables(collection),
    )


def item_parameters(collection: Collection) -> Sequence[RequestParameter[Any]]:
    """Return the table of one feature of a collection."""
    return F_FEATURE, *_OF_FEATURE, shared.properties_parameter(collection)


def selection_parameters(collection: Collection | None) -> Sequence[RequestParameter[Any]]:
    """Return the table of what selects among the features of a tile or a map, whose box is given in another way.

    Without a collection those that every collection has.
    """
    return *shared.SELECTING, *(() if collection is None else _queryables(collection))


def _queryables(collection: Collection) -> Sequence[RequestParameter[str]]:
    return [
        RequestParameter(one.name, parse_text, _bounded(openapi_schema(collection, one)), f"Only with this: {one.doc}")
        for one in collection.queryables.values()
        if one.name != GEOMETRY
    ]


def openapi_schema(collection: Collection, queryable: Queryable) -> Json:
    """Return the schema of a property with the keywords that OpenAPI 3.0 knows."""
    schema = property_schema(collection, queryable)
    return {key: schema[key] for key in _KEYWORDS if key in schema}


def _bounded(schema: Json) -> Json:
    """Return the schema of a value in a request, which is neither too long nor too great."""
    if "items" in schema:
        return {**schema, "items": _bounded(schema["items"])}
    if schema["type"] in ("integer", "number"):
        return {**schema, "minimum": -MAX_EXACT_INTEGER, "maximum": MAX_EXACT_INTEGER}
    if schema.get("format") == "date-time":
        return {**schema, "pattern": INSTANT_PATTERN}
    return schema if "enum" in schema or "format" in schema else {**schema, "maxLength": MAX_LENGTH}


def sent(schema: Any) -> Any:
    """Return the schema of a value that requests send, whose texts are without NUL, which no request may have."""
    if isinstance(schema, list):
        return [sent(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: sent(part) for name, part in schema.items()}
    if schema.get("type") != "string" or schema.keys() & {"enum", "format"}:
        return schema
    pattern = schema.get("pattern", _WITHOUT_NUL)
    return {**schema, "pattern": _NOT_BLANK if pattern == r"\S" else pattern}


def described(parameter: RequestParameter[Any], limits: Limits) -> Json:
    """Return the parameter object of OpenAPI 3.0; of a list the values are joined by commas."""
    schema = sent(parameter.schema(limits) if callable(parameter.schema) else parameter.schema)
    if parameter.location == "path":
        return {"name": parameter.name, "in": "path", "required": True, "schema": schema}
    document: Json = {
        "name": parameter.name,
        "in": parameter.location,
        "required": False,
        "description": parameter.description,
        "schema": schema,
        "style": "form",
        "explode": False,
    }
    return document if parameter.example is None else {**document, "example": parameter.example}


def referenced(parameters: Sequence[RequestParameter[Any]], limits: Limits) -> list[Json]:
    """Return parameter objects, of shared parameters references to them."""
    return [
        {"$ref": f"#/components/parameters/{one.component}"} if one.component else described(one, limits)
        for one in parameters
    ]
