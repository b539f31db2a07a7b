"""The API definition as OpenAPI 3.0, which today's OGC clients read (QGIS and GDAL take their page size from it)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import groupby

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.http.json import Json
from api.openapi.declaration import ApiPart, Endpoint, Scope
from api.openapi.parameters import SHARED, as_3_0, described, language_parameters, referenced, sent
from api.openapi.responses import LINK, PROBLEM_BODY, read_responses
from api.settings import Settings
from api.wording.catalogue import phrase
from layers.collections.collection import Collection

_COLLECTION = "/collections/{collection}"
#: Schemas of the framework that no operation refers to: errors are answered as problems.
_UNUSED = ("HTTPValidationError", "ValidationError")
#: Paths and schemas that do not stand where their part would put them, by the one they follow; as first published.
_FOLLOWS = {
    "/map": "/tiles/{collection}/{z}/{x}/{y}@2x.png",
    "TileJson": "Tileset",
    "StrikeToReview": "StrikeAnswer",
    "WrittenStrike": "Queue",
}


def install(app: FastAPI, parts: Sequence[ApiPart], settings: Settings) -> None:
    """Let ``app.openapi()`` give the definition of the parts; it is built once."""

    def openapi() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = definition(app, parts, settings)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def definition(app: FastAPI, parts: Sequence[ApiPart], settings: Settings) -> Json:
    """Return the definition of all parts, with the limits that the settings give.

    Each collection has paths of its own: clients look for ``/collections/strikes/items`` and its parameters by that
    very name.
    """
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        openapi_version="3.0.3",
        routes=app.routes,
    )
    openapi: Json = as_3_0(document)
    if app.state.atlas.store.read_only:
        openapi["info"]["description"] += f" {phrase('store.read-only')}"
        openapi["paths"] = {path: {"get": item["get"]} for path, item in openapi["paths"].items() if "get" in item}
    collections: Sequence[Collection] = list(app.state.atlas.view.snapshot.collections.values())
    openapi["paths"] = {
        **_handler_paths(openapi["paths"], parts, collections, settings),
        **_declared_paths(parts, collections, settings),
    }
    bodies = {name: sent(as_3_0(one, True)) for name, one in document["components"]["schemas"].items()}
    openapi["components"] = {
        "parameters": {one.component: described(one, settings) for one in SHARED},
        "responses": {"Problem": PROBLEM_BODY},
        "schemas": {name: one for name, one in bodies.items() if name not in _UNUSED} | _schemas(parts, collections),
        "securitySchemes": {"reviewer": {"type": "http", "scheme": "bearer"}},
    }
    return openapi


def _schemas(parts: Sequence[ApiPart], collections: Sequence[Collection]) -> Json:
    """Return the schemas of all answers in JSON by name, those of collections last."""
    own: Json = {"Link": LINK}
    for part in parts:
        own |= part.schemas
    of_collections: Json = {}
    for collection in collections:
        for part in parts:
            of_collections |= part.collection_schemas(collection)
    return _in_published_order(own) | of_collections


# --- operations that the framework describes by the signature of their handler ---------------------------------------


def _handler_paths(
    framework: Json, parts: Sequence[ApiPart], collections: Sequence[Collection], settings: Settings
) -> Json:
    """Return the paths of the framework with all that their parts declare; those of collections last."""
    endpoints = {(one.path, one.method): one for part in parts for one in part.endpoints if one.signature is not None}
    everywhere = Scope(collections)
    paths: Json = {}
    for path, item in framework.items():
        if not path.startswith(_COLLECTION):
            paths[path] = {
                method: _completed(operation, endpoints[path, method], everywhere, settings)
                for method, operation in item.items()
            }
    for path, item in framework.items():
        for collection in collections if path.startswith(_COLLECTION) else ():
            literal = path.replace("{collection}", collection.name)
            operation = _of_collection(item["get"], endpoints[path, "get"], Scope(collections, collection), settings)
            paths[literal] = {"get": operation} | paths.pop(literal, {})
    return paths


def _completed(operation: Json, endpoint: Endpoint, scope: Scope, settings: Settings) -> Json:
    """Return an operation of the framework with the parameters and answers that its endpoint declares."""
    operation = deepcopy(operation)
    operation["responses"] = read_responses(endpoint, endpoint.path, scope.collection)
    given = [
        {**one, "schema": sent(one["schema"])} for one in operation.get("parameters", ()) if one["name"] != "collection"
    ]
    operation["parameters"] = [*given, *_parameters(endpoint, scope, settings)]
    if endpoint.amend is not None:
        endpoint.amend(operation)
    return operation


def _of_collection(operation: Json, endpoint: Endpoint, scope: Scope, settings: Settings) -> Json:
    assert scope.collection is not None
    return {
        **_completed(operation, endpoint, scope, settings),
        "summary": f"{operation['summary']}: {scope.collection.title.lower()}",
        "operationId": f"{operation['operationId']}_{scope.collection.name}",
    }


# --- operations that are declared as a whole -------------------------------------------------------------------------


def _declared_paths(parts: Sequence[ApiPart], collections: Sequence[Collection], settings: Settings) -> Json:
    """Return the paths that are declared as a whole, tag by tag; those of a collection stand together."""
    endpoints = [one for part in parts for one in part.endpoints if one.signature is None]
    tags = list(dict.fromkeys(one.tag for one in endpoints))
    paths: Json = {}
    for below, run in groupby(sorted(endpoints, key=lambda one: tags.index(one.tag)), key=_below_collection):
        same = list(run)
        for collection in collections if below else (None,):
            for endpoint in same:
                paths |= _declared(endpoint, Scope(collections, collection), settings)
    return _in_published_order(paths)


def _below_collection(endpoint: Endpoint) -> tuple[str, bool] | tuple[()]:
    """Return a key that endpoints of one tag share whose paths are spelled out for each collection."""
    return (endpoint.tag, True) if endpoint.path.startswith(_COLLECTION) else ()


def _declared(endpoint: Endpoint, scope: Scope, settings: Settings) -> Json:
    """Return the path of an endpoint, spelled out where the scope has a collection."""
    path, summary = endpoint.path, endpoint.summary
    if scope.collection is not None:
        path = path.replace("{collection}", scope.collection.name)
        summary = f"{summary}: {scope.collection.title.lower()}"
    operation = {
        "tags": [endpoint.tag],
        "summary": summary,
        "operationId": summary.lower().replace(" ", "_").replace(":", "").replace(",", ""),
        "parameters": _parameters(endpoint, scope, settings),
        "responses": read_responses(endpoint, path, scope.collection),
    }
    return {path: {endpoint.method: operation}}


def _parameters(endpoint: Endpoint, scope: Scope, settings: Settings) -> list[Json]:
    return referenced([*endpoint.parameters(scope), *language_parameters()], settings)


def _in_published_order(named: Json) -> Json:
    """Return paths or schemas by name, with those of `_FOLLOWS` at their place."""
    names = [name for name in named if name not in _FOLLOWS]
    for name, before in _FOLLOWS.items():
        if name in named:
            names.insert(names.index(before) + 1, name)
    return {name: named[name] for name in names}
