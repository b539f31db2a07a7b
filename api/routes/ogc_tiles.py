"""OGC API - Tiles (20-057): tile matrix sets, the tilesets of each collection, and their tiles by row and column.

Vector tiles are under the collection, pictures under its map. Tiles are plain routes: they skip the
framework's parsing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import shapely
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route

from api.formats.json_schema import property_schema
from api.http.links import href, link
from api.requests.negotiation import DOCUMENT, JSON, MVT, PNG, Format
from api.requests.query_parameters import named_once
from api.requests.tile_matrix_sets import CRS84_QUAD, LEVELS, MERCATOR_QUAD, SETS, MatrixSet
from api.responses.resource import document, find, form_of, own_links, view
from api.responses.tile import VECTOR, answered, masked, pictured, selected
from api.server.live_snapshot import Atlas
from geo.tiles.tile_matrix import Tile
from layers.collections.collection import Collection

router = APIRouter(tags=["tiles"], dependencies=[Depends(named_once)], include_in_schema=False)

REL = "http://www.opengis.net/def/rel/ogc/1.0/"
_VECTOR = Format("mvt", MVT, "Mapbox Vector Tile")
PICTURE = Format("png", PNG, "PNG")
_GEOMETRIES = ("points", "lines", "polygons")


def matrix_set(name: str, offered: Mapping[str, MatrixSet] = SETS) -> MatrixSet:
    """The tile matrix set of that name, or 404."""
    found = offered.get(name)
    if found is None:
        raise HTTPException(404, f"No tile matrix set {name[:80]!r}; there are {', '.join(offered)}")
    return found


@router.get("/tileMatrixSets", summary="Tile matrix sets")
def sets(request: Request) -> Response:
    """List how the world is cut into tiles."""
    form_of(request, DOCUMENT)
    told = [
        {
            "id": one.name,
            "title": one.title,
            "uri": one.uri,
            "crs": one.crs.uri,
            "links": [link("self", href(request, f"/tileMatrixSets/{one.name}"), JSON.media_type, one.title)],
        }
        for one in SETS.values()
    ]
    return document(request, "answer", {"tileMatrixSets": told, "links": own_links(request, "/tileMatrixSets")})


@router.get("/tileMatrixSets/{tileMatrixSetId}", summary="One tile matrix set")
def definition(request: Request, tileMatrixSetId: str) -> Response:
    """Tell the matrices of a set."""
    form_of(request, DOCUMENT)
    return document(request, "answer", matrix_set(tileMatrixSetId).definition())


@router.get("/collections/{collection}/tiles", summary="Vector tilesets of a collection")
def vector_sets(request: Request, collection: str) -> Response:
    """List the tilesets of a collection's features."""
    form_of(request, DOCUMENT)
    found = find(view(request), collection)
    path = f"/collections/{found.name}/tiles"
    told = [_brief(request, path, found, one, "vector") for one in SETS.values()]
    return document(request, "answer", {"tilesets": told, "links": own_links(request, path)})


@router.get("/collections/{collection}/tiles/{tileMatrixSetId}", summary="One vector tileset of a collection")
def vector_set(request: Request, collection: str, tileMatrixSetId: str) -> Response:
    """Tell what the tiles hold, where they are and where there are any."""
    form_of(request, DOCUMENT)
    found = find(view(request), collection)
    told = described(request, f"/collections/{found.name}/tiles", found, matrix_set(tileMatrixSetId), "vector", MVT)
    told["layers"] = [_layer(found)]
    if tileMatrixSetId == MERCATOR_QUAD.name:
        address = href(request, f"/tiles/{found.name}.json")
        told["links"].append(link("alternate", address, JSON.media_type, "TileJSON"))
    return document(request, "answer", told)


@router.get("/collections/{collection}/map/tiles", summary="Tilesets of the map of a collection")
def map_sets(request: Request, collection: str) -> Response:
    """List the tilesets of a collection's map."""
    form_of(request, DOCUMENT)
    found = find(view(request), collection)
    path = f"/collections/{found.name}/map/tiles"
    told = [_brief(request, path, found, one, "map") for one in SETS.values()]
    return document(request, "answer", {"tilesets": told, "links": own_links(request, path)})


@router.get("/collections/{collection}/map/tiles/{tileMatrixSetId}", summary="One tileset of the map of a collection")
def map_set(request: Request, collection: str, tileMatrixSetId: str) -> Response:
    """Tell where the pictures are."""
    form_of(request, DOCUMENT)
    found = find(view(request), collection)
    path = f"/collections/{found.name}/map/tiles"
    return document(
        request, "answer", described(request, path, found, matrix_set(tileMatrixSetId), "map", PICTURE.media_type)
    )


def _brief(request: Request, path: str, collection: Collection, one: MatrixSet, kind: str) -> dict[str, Any]:
    scheme = href(request, f"/tileMatrixSets/{one.name}")
    return {
        "title": f"{collection.title}, {one.title}",
        "dataType": kind,
        "crs": one.crs.uri,
        "tileMatrixSetURI": one.uri,
        "links": [
            link("self", href(request, f"{path}/{one.name}"), JSON.media_type, "The tileset"),
            link(f"{REL}tiling-scheme", scheme, JSON.media_type, one.title),
        ],
    }


def described(
    request: Request, path: str, collection: Collection, one: MatrixSet, kind: str, media_type: str
) -> dict[str, Any]:
    """Metadata of a tileset (OGC 17-083r4, 9), with a template of its tiles under a path."""
    told = _brief(request, path, collection, one, kind)
    template = href(request, f"{path}/{one.name}") + "/{tileMatrix}/{tileRow}/{tileCol}"
    item = link("item", template, media_type, "One tile")
    told["links"].append({**item, "templated": True})
    styles = href(request, f"/collections/{collection.name}/styles")
    told["links"].append(link(f"{REL}styles", styles, JSON.media_type, "How it is drawn"))
    told["description"] = collection.description
    if collection.bounds is not None:
        west, south, east, north = collection.bounds
        told["boundingBox"] = {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84_QUAD.crs.uri}
    told["tileMatrixSetLimits"] = one.limits(LEVELS)
    return told


def _layer(collection: Collection) -> Mapping[str, Any]:
    """What a layer of the tiles holds; lists are text there, ``,a,b,``."""
    told: dict[str, Any] = {
        "id": collection.name,
        "title": collection.title,
        "description": collection.description,
        "dataType": "vector",
        "minTileMatrix": "0",
        "maxTileMatrix": str(LEVELS - 1),
    }
    dimensions = {int(one) for one in shapely.get_dimensions(collection.shapes) if one >= 0}
    if len(dimensions) == 1:
        told |= {"geometryDimension": (only := dimensions.pop()), "geometryType": _GEOMETRIES[only]}
    told["propertiesSchema"] = {
        "type": "object",
        "properties": {
            name: {**property_schema(collection, one), **({"type": "string"} if one.kind == "list" else {})}
            for name, one in collection.queryables.items()
            if one.kind != "geometry"
        },
    }
    for one in told["propertiesSchema"]["properties"].values():
        one.pop("items", None)
    return told


def place(request: Request, offered: Mapping[str, MatrixSet] = SETS) -> tuple[MatrixSet, Tile]:
    """Which tile of which set a request asks for; 404 beyond the last level of the tileset.

    Raises
    ------
    BadParameter
        If the address is not three whole numbers.
    UnknownTile
        If they are outside the set.
    """
    one = matrix_set(request.path_params["tms"], offered)
    address = request.path_params["matrix"], request.path_params["row"], request.path_params["col"]
    tile = one.tile(*address)
    if int(address[0]) >= LEVELS:
        raise HTTPException(404, f"The tileset ends at level {LEVELS - 1}")
    return one, tile


def mount(app: FastAPI, atlas: Atlas) -> None:
    """Add the routes of the tiles."""

    async def tile(request: Request) -> Response:
        taken = atlas.view
        found = find(taken, request.path_params["collection"])
        one, address = place(request)
        selection = selected(request, found, "f")
        form_of(request, (_VECTOR,))
        degrees = one is CRS84_QUAD

        def made() -> bytes:
            layer = found.layer_in_degrees if degrees else found.layer
            return layer.encode(address, masked(found, selection))

        # The same tile as by its XYZ address is kept once.
        key: tuple[Any, ...] = (
            found.name,
            *address,
            *((selection,) if selection else ()),
            *(("degrees",) if degrees else ()),
        )
        slow = degrees or selection is not None
        return await answered(request, taken.tiles, taken.version, VECTOR, key, made, slow)

    async def picture(request: Request) -> Response:
        taken = atlas.view
        found = find(taken, request.path_params["collection"])
        one, address = place(request)
        form_of(request, (PICTURE,))
        return await pictured(request, taken, found, address, one, 1, "f")

    app.router.routes.append(_route("/collections/{collection}/tiles", tile))
    app.router.routes.append(_route("/collections/{collection}/map/tiles", picture))


def _route(under: str, endpoint: Callable[[Request], Any]) -> Route:
    return Route(f"{under}/{{tms}}/{{matrix}}/{{row}}/{{col}}", endpoint, methods=["GET"])
