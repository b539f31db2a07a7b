"""The API definition as OpenAPI 3.0, which today's OGC clients read (QGIS and GDAL take their page size from it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.http.links import JSON
from api.openapi import parameters, tiles_and_styles
from api.openapi import responses as answers
from api.openapi.editing import for_reviewers
from api.requests.negotiation import DEFINITION, DOCUMENT, FEATURE, FEATURES, SCHEMAS, Format
from api.settings import Settings
from layers.collections.collection import Collection

MEDIA_TYPE = DEFINITION[0].media_type

Json = dict[str, Any]

_ONE = "/collections/{collection}"
_ITEMS = f"{_ONE}/items"
_ITEM = f"{_ITEMS}/{{feature}}"
#: Forms of a good answer where it is not JSON alone.
_FORMS: Mapping[str, Sequence[Format]] = {
    "/": DOCUMENT,
    "/api": DEFINITION,
    "/conformance": DOCUMENT,
    "/collections": DOCUMENT,
    _ONE: DOCUMENT,
    f"{_ONE}/queryables": SCHEMAS,
    f"{_ONE}/sortables": SCHEMAS,
    f"{_ONE}/schema": SCHEMAS,
    _ITEMS: FEATURES,
    _ITEM: FEATURE,
    "/strikes/{strike}/attribution": DOCUMENT,
    "/countries": DOCUMENT,
    "/countries/{iso}": DOCUMENT,
    "/assets/{asset}/owners": DOCUMENT,
    "/entities/{entity}/holdings": DOCUMENT,
    "/records/{table}/{record}": DOCUMENT,
    "/schemas/{table}": DOCUMENT,
    "/about": DOCUMENT,
    "/places": DOCUMENT,
}


def install(app: FastAPI, settings: Settings) -> None:
    """Let ``app.openapi()`` give this definition; it is made once."""

    def made() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = definition(app, settings)
        return app.openapi_schema

    app.openapi = made  # type: ignore[method-assign]


def definition(app: FastAPI, settings: Settings) -> Json:
    """The definition of all routes, with the limits that the settings give; each collection has paths of its own.

    Clients look for ``/collections/strikes/items`` and its parameters by that very name.
    """
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        openapi_version="3.0.3",
        routes=app.routes,
    )
    told: Json = _plain(made)
    for path, item in told["paths"].items():
        for method, operation in item.items():
            operation["responses"] = answers.responses(_types(path), path)
            operation.setdefault("parameters", [])
            if path == _ITEMS:
                operation["responses"]["303"] = {"description": "A page of the form's fields that are not empty."}
            if path in _FORMS:
                operation["parameters"] += parameters.references(parameters.ANY)
            if path.startswith("/review/") or method != "get":
                for_reviewers(method, path, operation)
    collections = list(app.state.atlas.view.snapshot.collections.values())
    told["paths"] = _literal(told["paths"], collections)
    told["paths"] |= tiles_and_styles.paths(collections) | tiles_and_styles.style_paths(collections)
    answers.fill(told["paths"])
    bodies = {name: _plain(made["components"]["schemas"][name], nullable=True) for name in ("NewDecision",)}
    told["components"] = {
        "parameters": dict(parameters.shared(settings)),
        "responses": {"Problem": answers.PROBLEM_BODY},
        "schemas": {**bodies, **answers.schemas(collections)},
        "securitySchemes": {"reviewer": {"type": "http", "scheme": "bearer"}},
    }
    return told


def _types(path: str) -> list[str]:
    return list(dict.fromkeys(form.media_type for form in _FORMS[path])) if path in _FORMS else [JSON]


def _literal(paths: Json, collections: Sequence[Collection]) -> Json:
    """The same paths, those of any collection spelled out for each."""
    told = {path: item for path, item in paths.items() if not path.startswith(_ONE)}
    for path, item in paths.items():
        for collection in collections if path.startswith(_ONE) else ():
            literal = path.replace("{collection}", collection.name)
            told[literal] = {"get": _of_collection(path, item["get"], collection)} | told.pop(literal, {})
    return told


def _of_collection(path: str, operation: Json, collection: Collection) -> Json:
    own = [part for part in operation["parameters"] if part.get("name") not in ("collection", None)]
    if path == _ITEMS:
        own = parameters.of_items(collection)
    elif path == _ITEM:
        own += parameters.of_item(collection)
    else:
        own += parameters.references(parameters.ANY)
    return {
        **operation,
        "responses": deepcopy(operation["responses"]),
        "summary": f"{operation['summary']}: {collection.title.lower()}",
        "operationId": f"{operation['operationId']}_{collection.name}",
        "parameters": own,
    }


def _plain(value: Any, nullable: bool = False) -> Any:
    """JSON Schema as OpenAPI 3.0 knows it: without the type null, ``const`` and lists of examples.

    What may be null is said to be ``nullable`` or, as of parameters which have no null, not said.
    """
    if isinstance(value, list):
        return [_plain(part, nullable) for part in value]
    if not isinstance(value, dict):
        return value
    told = {name: _plain(part, nullable) for name, part in value.items()}
    kept = [part for part in told.get("anyOf", ()) if part != {"type": "null"}]
    if len(kept) == 1:
        del told["anyOf"]
        told.update(kept[0], **({"nullable": True} if nullable else {}))
    if "const" in told:
        told["enum"] = [told.pop("const")]
    if isinstance(told.get("examples"), list):
        told["example"] = told.pop("examples")[0]
    return told
