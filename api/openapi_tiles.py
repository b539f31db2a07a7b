"""Tiles, maps and styles as OpenAPI 3.0 spells them: their routes skip the framework, or are told here whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from api import openapi_parameters as parameters
from api.formats.choice import DOCUMENT
from api.links import JSON
from api.matrices import SETS
from api.routes.maps import LARGEST
from api.tiling import MVT, PNG, SELECTING
from layers.collection import Collection

Json = dict[str, Any]
Responses = Callable[[Sequence[str]], Json]

_DOCUMENT = tuple(form.media_type for form in DOCUMENT)
_FORM: Json = parameters.references(parameters.ANY)[0]
_NUMBER: Json = {"type": "integer", "minimum": 0}


def paths(collections: Iterable[Collection], responses: Responses) -> Json:
    """Every path, those under a collection spelled out for each."""
    told = list(collections)
    found = _web([*(one.name for one in told), "basemap"], responses) | _sets(responses)
    for one in told:
        found |= _tilesets(one, "tiles", "vector", "mvt", MVT, responses)
        found |= _tilesets(one, "map/tiles", "map", "png", PNG, responses)
        found |= _map(one, responses)
    return found


def get(
    summary: str, media_types: Sequence[str], given: Sequence[Json], responses: Responses, tag: str = "tiles"
) -> Json:
    """The operation that gets something, as the item of its path."""
    told = {
        "tags": [tag],
        "summary": summary,
        "operationId": summary.lower().replace(" ", "_").replace(":", "").replace(",", ""),
    }
    return {"get": {**told, "parameters": list(given), "responses": responses(media_types)}}


def _web(names: Sequence[str], responses: Responses) -> Json:
    """Tiles as the web asks for them."""
    collection = in_path("collection", {"type": "string", "enum": list(names)})
    place = [collection, *(in_path(name, _NUMBER) for name in "zxy")]
    filters = parameters.references(SELECTING)
    return {
        "/tiles/{collection}/{z}/{x}/{y}.mvt": get("One vector tile", [MVT], [*place, *filters], responses),
        "/tiles/{collection}/{z}/{x}/{y}.png": get("One tile as a picture", [PNG], [*place, *filters], responses),
        "/tiles/{collection}/{z}/{x}/{y}@2x.png": get(
            "One tile as a picture of twice the pixels", [PNG], [*place, *filters], responses
        ),
        "/map": get(
            "Map of strikes and assets, or the page of it",
            ["text/html", PNG],
            [*_mapping(), form("png", "html"), _collections(names), *parameters.references(SELECTING)],
            responses,
        ),
        "/tiles/{collection}.json": get("TileJSON of a tile set", [JSON], [collection], responses),
        "/style.json": get("MapLibre style", [JSON], [], responses),
    }


def _sets(responses: Responses) -> Json:
    one = in_path("tileMatrixSetId", {"type": "string", "enum": list(SETS)})
    return {
        "/tileMatrixSets": get("Tile matrix sets", _DOCUMENT, [_FORM], responses),
        "/tileMatrixSets/{tileMatrixSetId}": get("One tile matrix set", _DOCUMENT, [one, _FORM], responses),
    }


def _tilesets(collection: Collection, under: str, kind: str, f: str, media_type: str, responses: Responses) -> Json:
    """The tilesets of a collection's features, or of its map, and their tiles."""
    path, name = f"/collections/{collection.name}/{under}", collection.title.lower()
    one = in_path("tileMatrixSetId", {"type": "string", "enum": list(SETS)})
    # Text, as the standard has it (20-057, /req/core/tc-tilematrix-definition).
    place = [one, in_path("tileMatrix", {"type": "string"}), in_path("tileRow", _NUMBER), in_path("tileCol", _NUMBER)]
    tile = [*place, form(f), *parameters.of_tiles(collection)]
    matrix = f"{path}/{{tileMatrixSetId}}"
    return {
        path: get(f"List of {kind} tilesets: {name}", _DOCUMENT, [_FORM], responses),
        matrix: get(f"One {kind} tileset: {name}", _DOCUMENT, [one, _FORM], responses),
        f"{matrix}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": get(
            f"One {kind} tile by row and column: {name}", [media_type], tile, responses
        ),
    }


def _map(collection: Collection, responses: Responses) -> Json:
    given = [*_mapping(), form("png"), *parameters.of_tiles(collection)]
    name = collection.title.lower()
    return {f"/collections/{collection.name}/map": get(f"Map: {name}", [PNG], given, responses)}


def _mapping() -> list[Json]:
    """What is drawn where, and how large."""
    size: Json = {"type": "integer", "minimum": 1, "maximum": LARGEST}
    system = "CRS84 by default; EPSG:3857 and EPSG:4326, by URI or CURIE."
    return [
        *parameters.references(("bbox", "bbox-crs")),
        parameters.parameter("crs", {"type": "string"}, f"System of the map: {system}"),
        parameters.parameter("width", size, "Pixels; of one that is not given the box decides."),
        parameters.parameter("height", size, "Pixels."),
        parameters.parameter("transparent", {"type": "boolean"}, "Whether nothing is drawn where nothing is."),
    ]


def _collections(names: Sequence[str]) -> Json:
    listed = {"type": "string", "enum": [name for name in names if name != "basemap"]}
    schema = {"type": "array", "minItems": 1, "items": listed}
    told = (
        "What is drawn, the later on top; strikes and assets by default. Of one alone, filter and each of its "
        "queryables select among its features."
    )
    return parameters.parameter("collections", schema, told)


def form(*names: str) -> Json:
    """The parameter f with the names of forms."""
    return parameters.parameter("f", {"type": "string", "enum": list(names)}, "Form of the answer.")


def in_path(name: str, schema: Json) -> Json:
    """One parameter of a path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}
