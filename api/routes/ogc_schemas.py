"""OGC API - Features part 5: JSON Schemas of what a collection can be filtered and sorted by, and of its features."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import Request, Response

from api.formats import json_schema
from api.http.json import Json
from api.http.links import href, link
from api.openapi.declaration import OGC_REL, OGC_SPEC, ApiPart, Link
from api.openapi.responses import ANY_OBJECT, STRING, object_with
from api.requests.negotiation import SCHEMA, SCHEMAS
from api.responses.resource import collection_or_404, document, served_version
from layers.collections.collection import Collection

#: Resources that describe a collection: name, link relation and title.
DESCRIPTIONS = (
    ("queryables", f"{OGC_REL}queryables", "What it can be filtered by"),
    ("sortables", f"{OGC_REL}sortables", "What it can be sorted by"),
    ("schema", f"{OGC_REL}schema", "What its features have"),
)


def _collection_links(request: Request, collection: Collection) -> Sequence[Link]:
    path = f"/collections/{collection.name}"
    return [link(rel, href(request, f"{path}/{name}"), SCHEMA.media_type, title) for name, rel, title in DESCRIPTIONS]


PART = ApiPart(
    "features",
    conformance=[
        f"{OGC_SPEC}ogcapi-features-5/1.0/conf/{name}"
        for name in (
            "schemas",
            "advanced-property-roles",
            "returnables-and-receivables",
            "queryables",
            "sortables",
            "profile-parameter",
        )
    ],
    schemas={"JsonSchema": object_with(type=STRING, properties=ANY_OBJECT)},
    collection_links=_collection_links,
)


@PART.document(
    "/collections/{collection}/queryables", "What a collection can be filtered by", "JsonSchema", formats=SCHEMAS
)
def queryables(request: Request, collection: str) -> Response:
    """The properties that a filter may name, as JSON Schema."""
    return _schema(request, collection, "queryables", json_schema.queryables_schema)


@PART.document(
    "/collections/{collection}/sortables", "What a collection can be sorted by", "JsonSchema", formats=SCHEMAS
)
def sortables(request: Request, collection: str) -> Response:
    """The properties that sortby may name, as JSON Schema."""
    return _schema(request, collection, "sortables", json_schema.sortables_schema)


@PART.document(
    "/collections/{collection}/schema", "What the features of a collection have", "JsonSchema", formats=SCHEMAS
)
def schema(request: Request, collection: str) -> Response:
    """The properties that features are returned with, and strikes are written with, as JSON Schema."""
    return _schema(request, collection, "schema", json_schema.feature_schema)


def _schema(request: Request, name: str, kind: str, schema_of: Callable[[Collection, str], Json]) -> Response:
    collection = collection_or_404(served_version(request), name)
    uri = href(request, f"/collections/{collection.name}/{kind}")
    return document(request, kind, schema_of(collection, uri), SCHEMAS)
