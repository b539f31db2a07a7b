"""Tiles, maps and styles as OpenAPI 3.0 spells them: their routes skip the framework, or are told here whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from api.http.links import JSON
from api.openapi import parameters
from api.openapi.responses import responses
from api.requests import crs
from api.requests.map_parameters import MAP_PROJECTIONS, MAX_MAP_PIXELS
from api.requests.negotiation import DOCUMENT, MVT, PNG
from api.requests.query_parameters import SELECTING
from api.requests.tile_matrix_sets import BASEMAP, LEVELS, SETS
from api.styles.catalogue import ENCODINGS, STYLES, of_collection
from layers.collections.collection import Collection

Json = dict[str, Any]

_DOCUMENT = tuple(form.media_type for form in DOCUMENT)
_FORM: Json = parameters.references(parameters.ANY)[0]
_NUMBER: Json = {"type": "integer", "minimum": 0}


def paths(collections: Iterable[Collection]) -> Json:
    """Every path, those under a collection spelled out for each."""
    told = list(collections)
    found = _web([one.name for one in told]) | _ground() | _sets()
    for one in told:
        found |= _tilesets(one, "tiles", "vector", "mvt", MVT)
        found |= _tilesets(one, "map/tiles", "map", "png", PNG)
        found |= _map(one)
    return found


def get(path: str, summary: str, media_types: Sequence[str], given: Sequence[Json], tag: str = "tiles") -> Json:
    """The item of a path that is read."""
    told = {
        "tags": [tag],
        "summary": summary,
        "operationId": summary.lower().replace(" ", "_").replace(":", "").replace(",", ""),
    }
    return {path: {"get": {**told, "parameters": list(given), "responses": responses(media_types, path)}}}


#: Tiles as the web asks for them: the end of their path, what one is, its media type.
_WEB = (
    (".mvt", "vector tile", MVT),
    (".png", "tile as a picture", PNG),
    ("@2x.png", "tile as a picture of twice the pixels", PNG),
)


def _web(names: Sequence[str]) -> Json:
    collection = in_path("collection", {"type": "string", "enum": list(names)})
    given = [collection, *(in_path(name, _NUMBER) for name in "zxy"), *parameters.references(SELECTING)]
    sets = in_path("collection", {"type": "string", "enum": [*names, BASEMAP]})
    found: Json = {}
    for end, what, media_type in _WEB:
        found |= get(f"/tiles/{{collection}}/{{z}}/{{x}}/{{y}}{end}", f"One {what}", [media_type], given)
    mapped = [*_mapping(), form_of("png", "html"), _collections(names), *parameters.references(SELECTING)]
    found |= get("/map", "Map of strikes and assets, or the page of it", ["text/html", PNG], mapped)
    return found | get("/tiles/{collection}.json", "TileJSON of a tile set", [JSON], [sets]) | _style()


def _ground() -> Json:
    """Tiles of the base map, among which nothing is selected."""
    found: Json = {}
    for end, what, media_type in _WEB:
        given = [in_path(name, _NUMBER) for name in "zxy"]
        path = f"/tiles/{BASEMAP}/{{z}}/{{x}}/{{y}}{end}"
        found |= get(path, f"One {what} of the base map", [media_type], given)
    return found


def _style() -> Json:
    return get("/style.json", "MapLibre style", [JSON], [])


def _sets() -> Json:
    path, one = "/tileMatrixSets", in_path("tileMatrixSetId", {"type": "string", "enum": list(SETS)})
    return get(path, "Tile matrix sets", _DOCUMENT, [_FORM]) | get(
        f"{path}/{{tileMatrixSetId}}", "One tile matrix set", _DOCUMENT, [one, _FORM]
    )


def _tilesets(collection: Collection, under: str, kind: str, form: str, media_type: str) -> Json:
    """The tilesets of a collection's features, or of its map, and their tiles."""
    path, name = f"/collections/{collection.name}/{under}", collection.title.lower()
    one = in_path("tileMatrixSetId", {"type": "string", "enum": list(SETS)})
    # Text, as the standard has it (20-057, /req/core/tc-tilematrix-definition).
    matrix = in_path("tileMatrix", {"type": "string", "enum": [str(level) for level in range(LEVELS)]})
    tile = [one, matrix, in_path("tileRow", _NUMBER), in_path("tileCol", _NUMBER), form_of(form)]
    tile += parameters.of_tiles(collection)
    each = f"{path}/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    return {
        **get(path, f"List of {kind} tilesets: {name}", _DOCUMENT, [_FORM]),
        **get(f"{path}/{{tileMatrixSetId}}", f"One {kind} tileset: {name}", _DOCUMENT, [one, _FORM]),
        **get(each, f"One {kind} tile by row and column: {name}", [media_type], tile),
    }


def _map(collection: Collection) -> Json:
    given = [*_mapping(), form_of("png"), *parameters.of_tiles(collection)]
    return get(f"/collections/{collection.name}/map", f"Map: {collection.title.lower()}", [PNG], given)


def _mapping() -> list[Json]:
    """What is drawn where, and how large."""
    size: Json = {"type": "integer", "minimum": 1, "maximum": MAX_MAP_PIXELS}
    uris = [system.uri for system in crs.OFFERED if system.name in MAP_PROJECTIONS]
    systems: Json = {"type": "string", "format": "uri", "enum": uris}
    return [
        *parameters.references(("bbox", "bbox-crs")),
        parameters.parameter("crs", systems, "System of the map, by its URI or CURIE; CRS84 by default."),
        parameters.parameter("width", size, "Pixels; of one that is not given the box decides."),
        parameters.parameter("height", size, "Pixels."),
        parameters.parameter("transparent", {"type": "boolean"}, "Whether nothing is drawn where nothing is."),
    ]


def _collections(names: Sequence[str]) -> Json:
    schema = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "enum": list(names)}}
    told = (
        "What is drawn, the later on top; strikes and assets by default. Of one alone, filter and each of its "
        "queryables select among its features."
    )
    return parameters.parameter("collections", schema, told, example=["strikes"])


def form_of(*names: str) -> Json:
    """The parameter f with the names of forms."""
    return parameters.parameter("f", {"type": "string", "enum": list(names)}, "Form of the answer.")


def in_path(name: str, schema: Json) -> Json:
    """One parameter of a path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


_SHEET = tuple(one.media_type for one in ENCODINGS)


def style_paths(collections: Iterable[Collection]) -> Json:
    """Every path, those under a collection spelled out for each."""
    found = _style_paths("", "", list(STYLES))
    for one in collections:
        found |= _style_paths(f"/collections/{one.name}", f": {one.title.lower()}", list(of_collection(one.name)))
    for twice, of in (("", ""), ("@2x", " of twice the pixels")):
        where = f"Where the symbols are in their picture{of}"
        found |= get(f"/sprites/symbols{twice}.json", where, [JSON], [], "styles")
        found |= get(f"/sprites/symbols{twice}.png", f"Picture of the symbols{of}", [PNG], [], "styles")
    return found


def _style_paths(under: str, of: str, names: Sequence[str]) -> Json:
    path = f"{under}/styles"
    one = in_path("styleId", {"type": "string", "enum": list(names)})
    document = parameters.references(parameters.ANY)
    sheet = [one, form_of(*(encoding.name for encoding in ENCODINGS))]
    return {
        **get(path, f"List of styles{of}", _DOCUMENT, document, "styles"),
        **get(f"{path}/{{styleId}}", f"One style{of}", _SHEET, sheet, "styles"),
        **get(f"{path}/{{styleId}}/metadata", f"About a style{of}", _DOCUMENT, [one, *document], "styles"),
    }
