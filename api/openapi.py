"""The API definition as OpenAPI 3.0, which today's OGC clients read (QGIS and GDAL take their page size from it)."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.links import GEOJSON, JSON
from api.settings import Settings

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.0"

Json = dict[str, Any]

_MVT = "application/vnd.mapbox-vector-tile"
_ITEMS = "/collections/{collection}/items"
#: Media type of a good answer where it is not plain JSON.
_TYPES = {_ITEMS: GEOJSON, f"{_ITEMS}/{{feature}}": GEOJSON, "/api": MEDIA_TYPE}


def install(app: FastAPI, settings: Settings) -> None:
    """Let ``app.openapi()`` give this definition; it is made once."""

    def made() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = definition(app, settings)
        return app.openapi_schema

    app.openapi = made  # type: ignore[method-assign]


def definition(app: FastAPI, settings: Settings) -> Json:
    """The definition of all routes, with the limits that the settings give."""
    told: Json = _plain(
        get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            openapi_version="3.0.3",
            routes=app.routes,
        )
    )
    for path, item in told["paths"].items():
        for method, operation in item.items():
            operation["responses"] = _responses(_TYPES.get(path, JSON))
            if path.startswith("/review/"):
                _for_reviewers(method, operation)
    parameters = {part["name"]: part for part in told["paths"][_ITEMS]["get"]["parameters"] if part["in"] == "query"}
    # More is cut, not refused (OGC 17-069r4, 7.15.2), so the largest page is what a client should know of.
    parameters["limit"]["schema"].update(maximum=settings.limit_max, default=settings.limit_default)
    told["paths"].update(_tile_paths())
    told["components"] = {
        "parameters": parameters,
        "responses": {"Problem": _PROBLEM},
        "schemas": told["components"]["schemas"],
        "securitySchemes": {"reviewer": {"type": "http", "scheme": "bearer"}},
    }
    return told


_PROBLEM: Json = {
    "description": "What is wrong (RFC 9457).",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                },
            }
        }
    },
}


def _responses(media_type: str) -> Json:
    wrong = {"$ref": "#/components/responses/Problem"}
    found = {"description": "The answer.", "content": {media_type: {"schema": {}}}}
    return {"200": found, "304": {"description": "The client has it."}, "400": wrong, "404": wrong, "default": wrong}


def _for_reviewers(method: str, operation: Json) -> None:
    """Say that a token is needed, and what a write may be answered."""
    wrong = {"$ref": "#/components/responses/Problem"}
    operation["security"] = [{"reviewer": []}]
    operation["responses"]["401"] = wrong
    if method == "post":
        added = operation["responses"].pop("200")
        operation["responses"] |= {"201": added, "409": wrong, "413": wrong, "422": wrong, "503": wrong}


def _tile_paths() -> Json:
    """The routes that skip the framework."""
    sets = {"type": "string", "enum": ["strikes", "assets", "attributions", "countries", "basemap"]}
    number = {"type": "integer", "minimum": 0}
    place = [_in_path("collection", sets), *(_in_path(name, number) for name in "zxy")]
    return {
        "/tiles/{collection}/{z}/{x}/{y}.mvt": _tile_path("One vector tile (WebMercatorQuad)", _MVT, place),
        "/tiles/{collection}.json": _tile_path("TileJSON of a tile set", JSON, place[:1]),
        "/style.json": _tile_path("MapLibre style", JSON, []),
    }


def _tile_path(summary: str, media_type: str, parameters: list[Json]) -> Json:
    return {
        "get": {
            "tags": ["tiles"],
            "summary": summary,
            "operationId": summary.lower().replace(" ", "_"),
            "parameters": parameters,
            "responses": _responses(media_type),
        }
    }


def _in_path(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _plain(value: Any) -> Any:
    """JSON Schema as OpenAPI 3.0 knows it: without the type null, ``const`` and lists of examples."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if not isinstance(value, dict):
        return value
    told = {name: _plain(part) for name, part in value.items()}
    kept = [part for part in told.get("anyOf", ()) if part != {"type": "null"}]
    if len(kept) == 1:
        del told["anyOf"]
        told.update(kept[0])
    if "const" in told:
        told["enum"] = [told.pop("const")]
    if isinstance(told.get("examples"), list):
        told["example"] = told.pop("examples")[0]
    return told
