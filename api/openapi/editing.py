"""What reviewers read and write as OpenAPI 3.0 spells it: tokens, bodies, and what a write may be answered."""

from __future__ import annotations

from typing import Any

from api.formats.json_schema import strike_properties
from api.http.links import GEOJSON, JSON
from api.openapi.responses import PROBLEM, good
from api.requests import crs

Json = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "ETag of the version that was seen, or * for any.",
    "example": "*",
    # Entity tags as RFC 9110 has them (8.8.3).
    "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$'},
}
_CONTENT_CRS = {
    "name": "Content-Crs",
    "in": "header",
    "required": False,
    "description": "System of the coordinates of the body, its URI in angle brackets; OGC:CRS84 by default.",
    "schema": {"type": "string", "enum": [f"<{one.uri}>" for one in crs.OFFERED]},
}
_POINT: Json = {
    "type": "object",
    "nullable": True,
    "required": ["type", "coordinates"],
    "properties": {
        "type": {"type": "string", "enum": ["Point"]},
        "coordinates": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    },
}
#: Keywords of JSON Schema that OpenAPI 3.0 has in another form.
_UNKNOWN = ("exclusiveMinimum", "exclusiveMaximum", "x-ogc-unit")


def for_reviewers(method: str, path: str, operation: Json) -> None:
    """Say that a token is needed, what is sent, and what it may be answered."""
    operation["security"] = [{"reviewer": []}]
    answers = operation["responses"]
    answers["401"] = PROBLEM
    if method == "get":
        return
    del answers["304"]
    answers |= dict.fromkeys(("404", "409", "413", "422"), PROBLEM)
    done = answers.pop("200")
    if not path.startswith("/collections/"):
        answers["201"] = done
        return
    _feature(method, operation)
    answers |= dict.fromkeys(("412", "415", "428") if method != "post" else ("415",), PROBLEM)
    if method == "delete":
        answers["204"] = {"description": "It is gone."}
        del answers["413"], answers["415"], answers["422"]
        return
    headers = {"ETag": "Version of the feature, for If-Match."}
    if method == "post":
        headers["Location"] = "Address of the feature."
    told = good("The feature as it was written.", [GEOJSON], headers)
    answers["201" if method == "post" else "200"] = {**told, "links": _LINKS}


#: What can be asked for next of what was written (OpenAPI 3.0.3, 4.7.20).
_KEY = {"feature": "$response.body#/id"}
_LINKS = {
    "feature": {"operationId": "item_strikes", "parameters": _KEY},
    "replace": {"operationId": "replace_strike", "parameters": {**_KEY, "If-Match": "$response.header.ETag"}},
    "change": {"operationId": "change_strike", "parameters": {**_KEY, "If-Match": "$response.header.ETag"}},
    "remove": {"operationId": "remove_strike", "parameters": {**_KEY, "If-Match": "$response.header.ETag"}},
}


def _feature(method: str, operation: Json) -> None:
    if method != "post":
        operation["parameters"] = [*operation["parameters"], _IF_MATCH]
    if method == "delete":
        return
    operation["parameters"] = [*operation["parameters"], _CONTENT_CRS]
    if method == "patch":
        content = {MERGE_PATCH: {"schema": _patch(), "example": {"properties": {"status": "corroborated"}}}}
    else:
        content = {name: {"schema": _whole(), "example": _EXAMPLE} for name in (GEOJSON, JSON)}
    operation["requestBody"] = {"required": True, "content": content}


_NEEDED = ("title", "when", "place", "status", "sources", "checked")
_EXAMPLE: Json = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [30.72, 46.48]},
    "properties": {
        "title": "Depot at Odesa",
        "when": "2025-11-02",
        "place": "Odesa",
        "host_country": "UA",
        "uncertainty_m": 5000,
        "basis": "settlement",
        "place_source": "24tv-pmi",
        "status": "reported",
        "sources": ["24tv-pmi"],
        "checked": "read",
    },
}
_TYPE: Json = {"type": "string", "enum": ["Feature"]}
#: Weapons as a feature tells them, which GIS programs send back so: kinds, none of spaces alone, with "; " between.
_WEAPONS_IN_WORDS: Json = {
    "type": "string",
    "pattern": r"^(?![\s\S]*(^|; )\s*(; |$))",
    "description": "Kinds without counts, with '; ' between.",
}


def _properties() -> Json:
    """What a strike is written with; null is what is not there."""
    told = {name: _as_3_0(part) for name, part in strike_properties().items() if name != "geometry"}
    written = {name: part if name in _NEEDED else _nullable(part) for name, part in told.items()}
    return {**written, "weapons": {"anyOf": [written["weapons"], _WEAPONS_IN_WORDS]}}


def _nullable(part: Json) -> Json:
    """With null for what is not there, in a member of a list too."""
    if (member := part.get("items", {})).get("type") == "object":
        needed = member.get("required", ())
        told = {name: one if name in needed else _nullable(one) for name, one in member["properties"].items()}
        part = {**part, "items": {**member, "properties": told}}
    return {**part, "nullable": True, **({"enum": [*part["enum"], None]} if "enum" in part else {})}


def _whole() -> Json:
    properties = {"type": "object", "properties": _properties(), "additionalProperties": False}
    return {
        "type": "object",
        "required": ["type", "geometry", "properties"],
        "properties": {"type": _TYPE, "geometry": _POINT, "properties": {**properties, "required": list(_NEEDED)}},
    }


def _patch() -> Json:
    """A merge patch of the feature, or of its properties alone."""
    geometry: Json = {name: part for name, part in _POINT.items() if name != "required"}
    told: Json = {"type": "object", "properties": _properties(), "additionalProperties": False}
    feature = {"type": _TYPE, "id": {"type": "string"}, "geometry": geometry, "properties": told}
    return {
        "anyOf": [
            {"type": "object", "properties": feature, "additionalProperties": False},
            {**told, "properties": {"geometry": geometry, **told["properties"]}},
        ]
    }


def _as_3_0(part: Any) -> Any:
    if isinstance(part, list):
        return [_as_3_0(one) for one in part]
    if not isinstance(part, dict):
        return part
    told = {name: _as_3_0(one) for name, one in part.items() if name not in _UNKNOWN}
    if "exclusiveMinimum" in part:
        told |= {"minimum": part["exclusiveMinimum"], "exclusiveMinimum": True}
    return told
