"""OGC API - Tiles (20-057): tile matrix sets, the tilesets of each collection, and their tiles by row and column.

Vector tiles are below the collection, pictures below its map. Tiles are plain routes: they skip the framework's
parsing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import shapely
from fastapi import Request, Response
from starlette.exceptions import HTTPException

from api.formats.json_schema import property_schema
from api.http.json import Json
from api.http.links import href, link
from api.openapi.declaration import OGC_REL, OGC_SPEC, ApiPart, Endpoint, Link, Scope, document_endpoint
from api.openapi.parameters import F_DOCUMENT, format_parameter, path_parameter, selection_parameters
from api.openapi.responses import COUNT, LINKS, NUMBER, STRING, array_of, object_with
from api.requests.negotiation import DOCUMENT, JSON, MVT, PNG, MediaFormat
from api.requests.parameters import RequestParameter
from api.requests.tile_matrix_sets import CRS84_QUAD, LEVELS, MERCATOR_QUAD, TILE_MATRIX_SETS, TileMatrixSet
from api.responses.resource import collection_or_404, document, negotiated_format, self_links, served_version
from api.responses.tile import parse_tile_selection, picture_response, vector_response
from api.server.served_version import ServedVersion
from geo.tiles.tile_matrix import Tile
from layers.collections.collection import Collection

_VECTOR = MediaFormat("mvt", MVT, "Mapbox Vector Tile")
PICTURE = MediaFormat("png", PNG, "PNG")
_GEOMETRIES = ("points", "lines", "polygons")


def _landing_links(request: Request) -> Sequence[Link]:
    return [link(f"{OGC_REL}tiling-schemes", href(request, "/tileMatrixSets"), JSON.media_type, "Tile matrix sets")]


def _collection_links(request: Request, collection: Collection) -> Sequence[Link]:
    path = f"/collections/{collection.name}"
    vector, pictures = href(request, f"{path}/tiles"), href(request, f"{path}/map/tiles")
    return [
        link(f"{OGC_REL}tilesets-vector", vector, JSON.media_type, "Vector tiles (OGC API - Tiles)"),
        link(f"{OGC_REL}tilesets-map", pictures, JSON.media_type, "Tiles of the map"),
    ]


_TILESET = {"dataType": STRING, "crs": STRING, "tileMatrixSetURI": STRING, "links": LINKS}

PART = ApiPart(
    "tiles",
    conformance=[
        f"{OGC_SPEC}ogcapi-tiles-1/1.0/conf/{name}"
        for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt")
    ],
    schemas={
        "TileMatrixSets": object_with(tileMatrixSets=array_of(object_with(id=STRING, links=LINKS)), links=LINKS),
        "TileMatrixSet": object_with(
            id=STRING, crs=STRING, tileMatrices=array_of(object_with(id=STRING, cellSize=NUMBER))
        ),
        "Tilesets": object_with(tilesets=array_of(object_with(**_TILESET)), links=LINKS),
        "Tileset": object_with(
            **_TILESET, tileMatrixSetLimits=array_of(object_with(tileMatrix=STRING, maxTileRow=COUNT))
        ),
    },
    landing_links=_landing_links,
    collection_links=_collection_links,
)

_ONE_SET = "{tileMatrixSetId}"
_ONE_TILE = f"{_ONE_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
_WHOLE: Json = {"type": "integer", "minimum": 0}
_SET = path_parameter("tileMatrixSetId", {"type": "string", "enum": list(TILE_MATRIX_SETS)})


def _set_parameters(scope: Scope) -> Sequence[RequestParameter[Any]]:
    return _SET, F_DOCUMENT


def _tile_parameters(form: MediaFormat, scope: Scope) -> Sequence[RequestParameter[Any]]:
    # Text, as the standard has it (20-057, /req/core/tc-tilematrix-definition).
    matrix = {"type": "string", "enum": [str(level) for level in range(LEVELS)]}
    return (
        _SET,
        path_parameter("tileMatrix", matrix),
        path_parameter("tileRow", _WHOLE),
        path_parameter("tileCol", _WHOLE),
        format_parameter(form.name),
        *selection_parameters(scope.collection),
    )


def _tile_matrix_set(name: str) -> TileMatrixSet:
    """Return the tile matrix set of that name, or answer 404."""
    matrices = TILE_MATRIX_SETS.get(name)
    if matrices is None:
        raise HTTPException(404, f"No tile matrix set {name[:80]!r}; there are {', '.join(TILE_MATRIX_SETS)}")
    return matrices


@PART.declared(document_endpoint("/tileMatrixSets", "Tile matrix sets", "tiles", "TileMatrixSets"))
def sets(request: Request) -> Response:
    """List how the world is cut into tiles."""
    negotiated_format(request, DOCUMENT)
    listed = [
        {
            "id": matrices.name,
            "title": matrices.title,
            "uri": matrices.uri,
            "crs": matrices.crs.uri,
            "links": [link("self", href(request, f"/tileMatrixSets/{matrices.name}"), JSON.media_type, matrices.title)],
        }
        for matrices in TILE_MATRIX_SETS.values()
    ]
    return document(request, "answer", {"tileMatrixSets": listed, "links": self_links(request, "/tileMatrixSets")})


@PART.declared(
    document_endpoint(f"/tileMatrixSets/{_ONE_SET}", "One tile matrix set", "tiles", "TileMatrixSet", _set_parameters)
)
def definition(request: Request, tileMatrixSetId: str) -> Response:
    """Describe the matrices of a set."""
    negotiated_format(request, DOCUMENT)
    return document(request, "answer", _tile_matrix_set(tileMatrixSetId).definition())


def _declare_tilesets(below: str, kind: str, titles: tuple[str, str], form: MediaFormat) -> None:
    """Declare the tilesets of a kind, each of them and their tiles, by their path below a collection."""
    path = f"/collections/{{collection}}/{below}"
    endpoint = Endpoint(
        f"{path}/{_ONE_TILE}",
        f"One {kind} tile by row and column",
        "tiles",
        media_types=(form.media_type,),
        parameters=partial(_tile_parameters, form),
        negotiated=True,
    )

    @PART.declared(document_endpoint(path, f"List of {kind} tilesets", "tiles", "Tilesets"), titles[0])
    def tilesets(request: Request, collection: str) -> Response:
        """List the tilesets of a collection, or of its map."""
        return _tilesets(request, collection, below, kind)

    @PART.declared(
        document_endpoint(f"{path}/{_ONE_SET}", f"One {kind} tileset", "tiles", "Tileset", _set_parameters), titles[1]
    )
    def tileset(request: Request, collection: str, tileMatrixSetId: str) -> Response:
        """Describe the address of the tiles and their limits, and of vector tiles their layer."""
        negotiated_format(request, DOCUMENT)
        served = collection_or_404(served_version(request), collection)
        matrices = _tile_matrix_set(tileMatrixSetId)
        described = _tileset(request, f"/collections/{served.name}/{below}", served, matrices, kind, form)
        if form is _VECTOR:
            described["layers"] = [_layer(served)]
            if matrices is MERCATOR_QUAD:
                address = href(request, f"/tiles/{served.name}.json")
                described["links"].append(link("alternate", address, JSON.media_type, "TileJSON"))
        return document(request, "answer", described)

    @PART.plain(endpoint.path, endpoint)
    async def tile(request: Request) -> Response:
        """Answer the features in a tile, or their picture."""
        view, collection, matrices, at = _requested_tile(request)
        negotiated_format(request, (form,))
        selection = parse_tile_selection(request, endpoint, collection)
        if form is _VECTOR:
            return await vector_response(request, view, collection, at, matrices, selection, is_negotiated=True)
        return await picture_response(request, view, collection, at, matrices, selection)


_declare_tilesets("tiles", "vector", ("Vector tilesets of a collection", "One vector tileset of a collection"), _VECTOR)
_declare_tilesets(
    "map/tiles", "map", ("Tilesets of the map of a collection", "One tileset of the map of a collection"), PICTURE
)


def _requested_tile(request: Request) -> tuple[ServedVersion, Collection, TileMatrixSet, Tile]:
    """Read collection, tile matrix set and tile from the path; 404 beyond the last level of the tileset.

    Raises BadParameter if the address is not three whole numbers; UnknownTile if they are outside the set.
    """
    view: ServedVersion = request.app.state.atlas.view
    collection = collection_or_404(view, request.path_params["collection"])
    matrices = _tile_matrix_set(request.path_params["tileMatrixSetId"])
    matrix, row, column = (request.path_params[name] for name in ("tileMatrix", "tileRow", "tileCol"))
    tile = matrices.tile(matrix, row, column)
    if int(matrix) >= LEVELS:
        raise HTTPException(404, f"The tileset ends at level {LEVELS - 1}")
    return view, collection, matrices, tile


def _tilesets(request: Request, name: str, below: str, kind: str) -> Response:
    """Answer the list of the tilesets of a collection, by their path below it."""
    negotiated_format(request, DOCUMENT)
    collection = collection_or_404(served_version(request), name)
    path = f"/collections/{collection.name}/{below}"
    listed = [_brief(request, path, collection, matrices, kind) for matrices in TILE_MATRIX_SETS.values()]
    return document(request, "answer", {"tilesets": listed, "links": self_links(request, path)})


def _brief(request: Request, path: str, collection: Collection, matrices: TileMatrixSet, kind: str) -> Json:
    scheme = href(request, f"/tileMatrixSets/{matrices.name}")
    return {
        "title": f"{collection.title}, {matrices.title}",
        "dataType": kind,
        "crs": matrices.crs.uri,
        "tileMatrixSetURI": matrices.uri,
        "links": [
            link("self", href(request, f"{path}/{matrices.name}"), JSON.media_type, "The tileset"),
            link(f"{OGC_REL}tiling-scheme", scheme, JSON.media_type, matrices.title),
        ],
    }


def _tileset(
    request: Request, path: str, collection: Collection, matrices: TileMatrixSet, kind: str, form: MediaFormat
) -> Json:
    """Return the metadata of a tileset (OGC 17-083r4, 9), with a template of the address of its tiles."""
    tileset = _brief(request, path, collection, matrices, kind)
    template = href(request, f"{path}/{matrices.name}") + "/{tileMatrix}/{tileRow}/{tileCol}"
    tileset["links"].append({**link("item", template, form.media_type, "One tile"), "templated": True})
    styles = href(request, f"/collections/{collection.name}/styles")
    tileset["links"].append(link(f"{OGC_REL}styles", styles, JSON.media_type, "How it is drawn"))
    tileset["description"] = collection.description
    if collection.bounds is not None:
        west, south, east, north = collection.bounds
        tileset["boundingBox"] = {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84_QUAD.crs.uri}
    tileset["tileMatrixSetLimits"] = matrices.limits(LEVELS)
    return tileset


def _layer(collection: Collection) -> Mapping[str, Any]:
    """Return the description of the layer in the tiles of a collection; lists are text there, ``,a,b,``."""
    layer: Json = {
        "id": collection.name,
        "title": collection.title,
        "description": collection.description,
        "dataType": "vector",
        "minTileMatrix": "0",
        "maxTileMatrix": str(LEVELS - 1),
    }
    dimensions = {int(dimension) for dimension in shapely.get_dimensions(collection.shapes) if dimension >= 0}
    if len(dimensions) == 1:
        (only,) = dimensions
        layer |= {"geometryDimension": only, "geometryType": _GEOMETRIES[only]}
    properties = {
        name: {**property_schema(collection, one), **({"type": "string"} if one.kind == "list" else {})}
        for name, one in collection.queryables.items()
        if one.kind != "geometry"
    }
    for schema in properties.values():
        schema.pop("items", None)
    layer["propertiesSchema"] = {"type": "object", "properties": properties}
    return layer
