"""OGC API - Features parts 3 and 5: what a collection can be asked by, sorted by, and what its features have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from api.formats import json_schema
from api.http.links import href
from api.requests.negotiation import SCHEMAS
from api.requests.query_parameters import named_once
from api.responses.resource import document, find, view
from layers.collections.collection import Collection

router = APIRouter(tags=["features"], dependencies=[Depends(named_once)])


@router.get("/collections/{collection}/queryables", summary="What a collection can be filtered by")
def queryables(request: Request, collection: str) -> Response:
    """The properties that a filter may name, as JSON Schema."""
    return _schema(request, collection, "queryables", json_schema.queryables)


@router.get("/collections/{collection}/sortables", summary="What a collection can be sorted by")
def sortables(request: Request, collection: str) -> Response:
    """The properties that sortby may name, as JSON Schema."""
    return _schema(request, collection, "sortables", json_schema.sorting)


@router.get("/collections/{collection}/schema", summary="What the features of a collection have")
def schema(request: Request, collection: str) -> Response:
    """The properties that features are returned with, and strikes are written with, as JSON Schema."""
    return _schema(request, collection, "schema", json_schema.returned)


def _schema(
    request: Request, collection: str, kind: str, told: Callable[[Collection, str], dict[str, Any]]
) -> Response:
    found = find(view(request), collection)
    uri = href(request, f"/collections/{found.name}/{kind}")
    return document(request, kind, told(found, uri), SCHEMAS)
