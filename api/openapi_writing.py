"""What reviewers read and write as OpenAPI 3.0 spells it: tokens, bodies, and what a write may be answered."""

from __future__ import annotations

from typing import Any

from api.links import GEOJSON
from api.schemas import strike_properties

Json = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
_WRONG = {"$ref": "#/components/responses/Problem"}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "ETag of the version that was seen, or * for any.",
    "schema": {"type": "string"},
}
_CONTENT_CRS = {
    "name": "Content-Crs",
    "in": "header",
    "required": False,
    "description": "System of the coordinates of the body, its URI in angle brackets; OGC:CRS84 by default.",
    "schema": {"type": "string"},
}
_POINT = {
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
    answers["401"] = _WRONG
    if method == "get":
        return
    del answers["304"]
    answers |= dict.fromkeys(("409", "413", "422", "503"), _WRONG)
    done = answers.pop("200")
    if method == "post":
        answers["201"] = done
    if not path.startswith("/collections/"):
        return
    _feature(method, operation)
    answers |= {"412": _WRONG, "415": _WRONG, "428": _WRONG}
    written = {"description": "The feature as it was written.", "content": {GEOJSON: {"schema": {"type": "object"}}}}
    if method == "delete":
        answers["204"] = {"description": "It is gone."}
    else:
        answers["201" if method == "post" else "200"] = written


def _feature(method: str, operation: Json) -> None:
    if method != "post":
        operation["parameters"] = [*operation["parameters"], _IF_MATCH]
    if method == "delete":
        return
    operation["parameters"] = [*operation["parameters"], _CONTENT_CRS]
    properties = {name: _as_3_0(part) for name, part in strike_properties().items() if name != "geometry"}
    told = {"type": "object", "properties": properties, "additionalProperties": False}
    if method == "patch":
        patch = {"type": "object", "properties": {"geometry": _POINT, "properties": told}}
        operation["requestBody"] = {"required": True, "content": {MERGE_PATCH: {"schema": patch}}}
        return
    told["required"] = ["title", "when", "place", "status", "sources", "checked"]
    feature = {
        "type": "object",
        "required": ["type", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "geometry": _POINT,
            "properties": told,
        },
    }
    operation["requestBody"] = {"required": True, "content": {GEOJSON: {"schema": feature}}}


def _as_3_0(part: Any) -> Any:
    if isinstance(part, list):
        return [_as_3_0(one) for one in part]
    if not isinstance(part, dict):
        return part
    told = {name: _as_3_0(one) for name, one in part.items() if name not in _UNKNOWN}
    if "exclusiveMinimum" in part:
        told |= {"minimum": part["exclusiveMinimum"], "exclusiveMinimum": True}
    return told
