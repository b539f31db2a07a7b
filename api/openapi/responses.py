"""The answers of an endpoint as OpenAPI 3.0 spells them: every status by its own code, and schemas of JSON answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from api.http.json import Json
from api.http.links import GEOJSON
from api.openapi.declaration import Endpoint
from layers.collections.collection import Collection

STRING: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
NUMBER: Json = {"type": "number"}
BOOLEAN: Json = {"type": "boolean"}
NULLABLE_STRING: Json = {"type": "string", "nullable": True}
ANY_OBJECT: Json = {"type": "object"}


def object_with(**members: Json) -> Json:
    """Return the schema of an object that has all these members, and may have more."""
    return {"type": "object", "required": list(members), "properties": members}


def array_of(items: Json) -> Json:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def reference(name: str) -> Json:
    """Return a reference to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


LINK = object_with(rel=STRING, href=STRING)
LINKS = array_of(reference("Link"))
#: A record of the atlas.
RECORD = object_with(id=STRING, dataset=STRING)

PROBLEM: Json = {"$ref": "#/components/responses/Problem"}
#: The answer to a request that failed, of whichever status.
PROBLEM_BODY: Json = {
    "description": "What is wrong (RFC 9457).",
    "content": {
        "application/problem+json": {
            "schema": object_with(type=STRING, title=STRING, status={"type": "integer"}, detail=STRING)
        },
        # For a browser.
        "text/html": {"schema": STRING},
    },
}


def may_be_missing(operation: Json) -> None:
    """Amend an operation whose parameters may name a thing that does not exist."""
    operation["responses"]["404"] = PROBLEM


#: Statuses of any operation: a parameter that cannot be read, too long a request, a failure, a server at its limits.
_ALWAYS = ("400", "414", "431", "500", "503")


def read_responses(endpoint: Endpoint, path: str, collection: Collection | None) -> Json:
    """Return the answers of an operation that reads, by status; no other status is answered.

    A path with parameters may name a thing that does not exist.
    """
    name = endpoint.schema
    # JSON, and GeoJSON, which is of one collection.
    schema = {False: name, True: name if collection is None else f"{name}_{collection.name}"}
    responses: Json = {
        "200": good_response("The answer.", endpoint.media_types, schema),
        "304": {"description": "The client has it."},
    }
    responses |= dict.fromkeys(_ALWAYS, PROBLEM)
    if "{" in path:
        responses["404"] = PROBLEM
    if endpoint.negotiated:
        responses["406"] = PROBLEM
    return responses


def good_response(
    description: str,
    media_types: Sequence[str],
    schema: str | Mapping[bool, str],
    headers: Mapping[str, str] | None = None,
) -> Json:
    """Return a good answer in its media types.

    Parameters
    ----------
    schema
        Name of the schema of JSON, or those by whether it is GeoJSON.
    headers
        Headers that the answer always has, by name, and their descriptions.
    """
    names = {False: schema, True: schema} if isinstance(schema, str) else schema
    response: Json = {
        "description": description,
        "content": {name: {"schema": _content_schema(name, names[name == GEOJSON])} for name in media_types},
    }
    if headers:
        response["headers"] = header_descriptions(headers)
    return response


def header_descriptions(headers: Mapping[str, str]) -> Json:
    """Return the descriptions of headers that an answer always has, by name."""
    return {name: {"description": doc, "required": True, "schema": STRING} for name, doc in headers.items()}


def _content_schema(media_type: str, json_schema: str) -> Json:
    if media_type.partition(";")[0].endswith("json"):
        assert json_schema, f"no schema of what is answered as {media_type}"
        return reference(json_schema)
    return STRING if media_type.startswith("text/") else {"type": "string", "format": "binary"}
