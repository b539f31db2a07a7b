"""Operations of reviewers as OpenAPI 3.0 spells them: the token, the bodies, and the answers to a write."""

from __future__ import annotations

from collections.abc import Sequence

from api.formats.json_schema import strike_properties
from api.http.common_headers import SEQ_HEADER
from api.http.json import Json
from api.http.links import GEOJSON, JSON
from api.openapi.parameters import as_3_0, sent
from api.openapi.responses import PROBLEM, good_response, header_descriptions
from api.requests import crs, write_headers
from api.requests.reviewer_tokens import REVIEW_READERS, ROLES, Role
from api.requests.strike_body import REQUIRED_WITH_GEOMETRY, WRITABLE

MERGE_PATCH = "application/merge-patch+json"


def _header(name: str, description: str, schema: Json, example: str | None = None, required: bool = False) -> Json:
    header = {"name": name, "in": "header", "required": required, "description": description}
    return {**header, **({} if example is None else {"example": example}), "schema": schema}


_IF_MATCH = _header(
    write_headers.IF_MATCH, "ETag of the version that was seen, or * for any.",
    {"type": "string", "pattern": write_headers.IF_MATCH_PATTERN}, "*", required=True,
)  # fmt: skip
_IDEMPOTENCY_KEY = _header(
    write_headers.IDEMPOTENCY_KEY,
    "A string that the client makes up for what it wants done once. The same request with the same key is given the "
    "first answer for 24 hours; another request with it is answered by 422, and one that comes while the first is "
    "worked on by 409.",
    {"type": "string", "pattern": write_headers.KEY_PATTERN}, '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
)  # fmt: skip
_CHANGE_REASON = _header(
    write_headers.REASON,
    "Why the strike is written, for its history; the corrections log shows it where the strike is public. A String or "
    "a Display String of RFC 9651.",
    {"type": "string", "pattern": write_headers.REASON_PATTERN}, '%"The owner corrected the name: %c3%96l-Depot"',
)  # fmt: skip
_SEQ = {SEQ_HEADER: "Number of the change that was made; no later answer to the client is of an older version."}
_CONTENT_CRS = _header(
    "Content-Crs", "System of the coordinates of the body, its URI in angle brackets; OGC:CRS84 by default.",
    {"type": "string", "enum": [f"<{one.uri}>" for one in crs.SUPPORTED_CRS]},
)  # fmt: skip
_POINT: Json = {
    "type": "object",
    "nullable": True,
    "required": ["type", "coordinates"],
    "properties": {
        "type": {"type": "string", "enum": ["Point"]},
        "coordinates": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    },
}


def require_token(operation: Json, *, roles: Sequence[Role] = REVIEW_READERS) -> None:
    """Amend an operation that needs the token of a reviewer with one of some roles."""
    operation["security"] = [{"reviewer": []}]
    operation["x-roles"] = list(roles)
    allowed = "".join(f"\n- {role}: {ROLES[role]}" for role in roles)
    operation["description"] = (
        f"{operation.get('description', '')}\n\nNeeds a role of these, or admin:\n{allowed}".strip()
    )
    operation["responses"] |= dict.fromkeys(("401", "403", "429"), PROBLEM)


def describe_decision(operation: Json) -> None:
    """Amend the operation that adds a decision, which is answered as 201."""
    added = _describe_write("review", operation)
    operation["parameters"] = [*operation["parameters"], _IDEMPOTENCY_KEY]
    operation["responses"]["201"] = {**added, "headers": header_descriptions(_SEQ)}


def describe_publication(operation: Json) -> None:
    """Amend the operation that makes a private strike public."""
    published = _describe_write("publish", operation)
    operation["responses"]["200"] = {**published, "headers": header_descriptions(_SEQ)}


def _describe_write(role: Role, operation: Json) -> Json:
    """Amend an operation that writes; return its good answer, which is taken out."""
    require_token(operation, roles=(role,))
    answers: Json = operation["responses"]
    del answers["304"]
    answers |= dict.fromkeys(("404", "409", "413", "422"), PROBLEM)
    good: Json = answers.pop("200")
    return good


def describe_strike_write(method: str, operation: Json) -> None:
    """Amend the operation by which a method writes a strike (OGC 20-002)."""
    _describe_write("edit", operation)
    _describe_body(method, operation)
    answers: Json = operation["responses"]
    answers |= dict.fromkeys(("412", "415", "428") if method != "post" else ("415",), PROBLEM)
    if method == "delete":
        answers["204"] = {"description": "It is gone.", "headers": header_descriptions(_SEQ)}
        del answers["413"], answers["415"]
        return
    headers = {"ETag": "Version of the feature, for If-Match.", **_SEQ}
    if method == "post":
        headers["Location"] = "Address of the feature."
    written = good_response("The feature as it was written.", [GEOJSON], "WrittenStrike", headers)
    answers["201" if method == "post" else "200"] = {**written, "links": _LINKS}


#: Requests that may follow a write (OpenAPI 3.0.3, 4.7.20).
_KEY = {"feature": "$response.body#/id"}
_LINKS = {
    "feature": {"operationId": "item_strikes", "parameters": _KEY},
    "replace": {"operationId": "replace_strike", "parameters": {**_KEY, "If-Match": "$response.header.ETag"}},
    "change": {"operationId": "change_strike", "parameters": {**_KEY, "If-Match": "$response.header.ETag"}},
    "remove": {"operationId": "remove_strike", "parameters": {**_KEY, "If-Match": "$response.header.ETag"}},
}


def _describe_body(method: str, operation: Json) -> None:
    seen = () if method == "post" else (_IF_MATCH,)
    operation["parameters"] = [*operation["parameters"], *seen, _IDEMPOTENCY_KEY, _CHANGE_REASON]
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
#: Weapons as features have them, and GIS programs send them back: kinds, none of spaces alone, with "; " between.
_WEAPONS_IN_WORDS: Json = {
    "type": "string",
    "pattern": r"^(?![\s\S]*(^|; )\s*(; |$))[^\x00]*$",
    "description": "Kinds without counts, with '; ' between.",
}


def _properties() -> Json:
    """Return the schemas of the properties that a strike is written with; null stands for a missing value."""
    written = {name: part if name in _NEEDED else _nullable(part) for name, part in _written().items()}
    return {**written, "weapons": {"anyOf": [written["weapons"], _WEAPONS_IN_WORDS]}}


def _written() -> Json:
    """Return the schemas of values of the properties that a strike is written with."""
    return {name: sent(as_3_0(part)) for name, part in strike_properties().items() if name != "geometry"}


def _nullable(part: Json) -> Json:
    """Return a schema that null fits too; in objects of a list, null fits every member that is not required."""
    if (member := part.get("items", {})).get("type") == "object":
        needed = member.get("required", ())
        schemas = {name: one if name in needed else _nullable(one) for name, one in member["properties"].items()}
        part = {**part, "items": {**member, "properties": schemas}}
    return {**part, "nullable": True, **({"enum": [*part["enum"], None]} if "enum" in part else {})}


_NO_GEOMETRY: Json = {"type": "object", "nullable": True, "enum": [None]}


def _whole() -> Json:
    """Return the schema of a whole feature; foreign members (RFC 7946, 6.1) do not have the names of properties."""
    written = _written()
    placed = {name: written[name] for name in REQUIRED_WITH_GEOMETRY}
    with_geometry = {"type": "object", "properties": placed, "required": list(placed)}
    properties = {"type": "object", "properties": _properties(), "additionalProperties": False}
    return {
        "type": "object",
        "required": ["type", "geometry", "properties"],
        "properties": {"type": _TYPE, "geometry": _POINT, "properties": {**properties, "required": list(_NEEDED)}},
        "not": {"anyOf": [{"required": [name]} for name in WRITABLE]},
        "anyOf": [{"properties": {"geometry": _NO_GEOMETRY}}, {"properties": {"properties": with_geometry}}],
    }


def _patch() -> Json:
    """Return the schema of a merge patch (RFC 7396) of the feature, or of its properties alone."""
    geometry: Json = {name: part for name, part in _POINT.items() if name != "required"}
    properties: Json = {"type": "object", "properties": _properties(), "additionalProperties": False}
    feature = {"type": _TYPE, "id": _nullable(sent({"type": "string"})), "geometry": geometry, "properties": properties}
    return {
        "anyOf": [
            {"type": "object", "properties": feature, "additionalProperties": False},
            {**properties, "properties": {"geometry": geometry, **properties["properties"]}},
        ]
    }
