"""Tiles as the web asks for them: zoom, column and row, their TileJSON and a MapLibre style.

Tiles are plain routes: they skip the framework's parsing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.http.conditional import representation
from api.http.json import Json, problem
from api.http.links import JSON, href, link
from api.http.work import WorkClass
from api.openapi.declaration import ApiPart, Endpoint, Link, ParameterTable, Scope
from api.openapi.parameters import path_parameter, require_described, selection_parameters
from api.openapi.responses import ANY_OBJECT, STRING, array_of, object_with
from api.rendering.canvas import tile_canvas
from api.requests.negotiation import MVT, PNG
from api.requests.parameters import RequestParameter
from api.requests.tile_matrix_sets import BASEMAP, MERCATOR_QUAD, parse_xyz
from api.responses.resource import look_of
from api.responses.tile import (
    RASTER,
    VECTOR,
    archived_tile_response,
    parse_tile_selection,
    picture_response,
    tile_response,
    vector_response,
)
from api.routes.ogc_styles import mapbox
from api.serializers.policy import attribution_text
from api.server.live_snapshot import LiveSnapshot
from api.styles.catalogue import STYLES, WHOLE_MAP
from geo.tiles import mvt
from geo.tiles.tile_matrix import Tile
from layers.collections.collection import Collection
from layers.collections.update_times import UPDATED
from layers.reference.basemap import ATTRIBUTION
from layers.reference.basemap_archive import BasemapArchive

MAX_ZOOM = 14
BASEMAP_MAX_ZOOM = 8


def _collection_links(request: Request, collection: Collection) -> Sequence[Link]:
    return [link("tilejson", href(request, f"/tiles/{collection.name}.json"), JSON, "Vector tiles (TileJSON)")]


PART = ApiPart(
    "tiles",
    schemas={
        "TileJson": object_with(
            tilejson=STRING,
            tiles=array_of(STRING),
            vector_layers=array_of(object_with(id=STRING, fields=ANY_OBJECT)),
        )
    },
    collection_links=_collection_links,
)

_ADDRESS = tuple(path_parameter(name, {"type": "integer", "minimum": 0}) for name in "zxy")
#: Kinds of tiles by the end of their path: what one is, and its media type.
_KINDS = {
    ".mvt": ("vector tile", MVT),
    ".png": ("tile as a picture", PNG),
    "@2x.png": ("tile as a picture of twice the pixels", PNG),
}


def _tile_parameters(scope: Scope) -> Sequence[RequestParameter[Any]]:
    names = [one.name for one in scope.collections]
    collection = path_parameter("collection", {"type": "string", "enum": names})
    return collection, *_ADDRESS, *selection_parameters(scope.collection)


def _tilejson_parameters(scope: Scope) -> Sequence[RequestParameter[Any]]:
    names = [one.name for one in scope.collections]
    return (path_parameter("collection", {"type": "string", "enum": [*names, BASEMAP]}),)


def _of_each_kind(tiles: str, of: str, parameters: ParameterTable) -> dict[str, Endpoint]:
    return {
        end: Endpoint(
            f"/tiles/{tiles}/{{z}}/{{x}}/{{y}}{end}", f"One {kind}{of}", "tiles", media_types=(media_type,),
            parameters=parameters,
        )
        for end, (kind, media_type) in _KINDS.items()
    }  # fmt: skip


_TILES = _of_each_kind("{collection}", "", _tile_parameters)
_TILEJSON = Endpoint(
    "/tiles/{collection}.json", "TileJSON of a tile set", "tiles", schema="TileJson", parameters=_tilejson_parameters
)
_STYLE = Endpoint("/style.json", "MapLibre style", "tiles", schema="Style")
#: Tiles of the base map, among which nothing is selected; the routes are those of the collections.
_BASEMAP_TILES = _of_each_kind(BASEMAP, " of the base map", lambda scope: _ADDRESS)
PART.endpoints += [*_TILES.values(), _TILEJSON, _STYLE, *_BASEMAP_TILES.values()]


def _atlas(request: Request) -> LiveSnapshot:
    atlas: LiveSnapshot = request.app.state.atlas
    return atlas


@PART.plain(_TILES[".mvt"].path)
async def vector_tile(request: Request) -> Response:
    """Answer the features in a tile."""
    view, name = _atlas(request).view, request.path_params["collection"]
    if name == BASEMAP:
        return await _basemap_tile(request)
    collection = view.snapshot.collections.get(name)
    if collection is None:
        return _unknown(name)
    tile = _address(request)
    selection = parse_tile_selection(request, _TILES[".mvt"], collection)
    return await vector_response(request, view, collection, tile, MERCATOR_QUAD, selection)


def _declare_picture(end: str, ratio: int) -> None:
    """Answer tiles as pictures of a ratio of pixels."""

    @PART.plain(_TILES[end].path)
    async def picture(request: Request) -> Response:
        view, name = _atlas(request).view, request.path_params["collection"]
        if name == BASEMAP:
            return await _basemap_picture(request, ratio)
        collection = view.snapshot.collections.get(name)
        if collection is None:
            return _unknown(name)
        tile = _address(request)
        selection = parse_tile_selection(request, _TILES[end], collection)
        return await picture_response(request, view, collection, tile, MERCATOR_QUAD, selection, ratio)


_declare_picture("@2x.png", 2)
_declare_picture(".png", 1)


@PART.plain(_TILEJSON.path)
async def tilejson(request: Request) -> Response:
    """Describe a tile set as TileJSON."""
    atlas, name = _atlas(request), request.path_params["collection"]
    if name != BASEMAP and name not in atlas.view.snapshot.collections:
        return _unknown(name)
    version = atlas.base_version if name == BASEMAP else atlas.view.version
    return representation(request, version, JSON, lambda: orjson.dumps(_tilejson(request, atlas, name)))


@PART.plain(_STYLE.path)
async def style(request: Request) -> Response:
    """Answer the style of the whole map."""
    document = mapbox(request, STYLES[WHOLE_MAP])
    return representation(request, _atlas(request).view.version, JSON, lambda: orjson.dumps(document))


def _unknown(name: str) -> Response:
    return problem(404, "No such tiles", f"no collection {name[:80]!r}")


async def _basemap_tile(request: Request) -> Response:
    atlas, tile = _atlas(request), _address(request)
    require_described(request.query_params.multi_items(), ())
    if atlas.base_archive is not None:
        packed = atlas.base_archive.tile(tile)
        # A map then draws the tile of a lower zoom that it lies in.
        if packed is None:
            return problem(404, "No such tile", f"the base map has no tile {tile.z}/{tile.x}/{tile.y}")
        return archived_tile_response(request, atlas.base_version, packed)

    def encode() -> bytes:
        return mvt.encode_tile(atlas.base_layers, tile)

    return await tile_response(request, atlas.base_tiles, atlas.base_version, VECTOR, (BASEMAP, *tile), encode)


async def _basemap_picture(request: Request, ratio: int) -> Response:
    atlas, tile = _atlas(request), _address(request)
    look = look_of(request)
    require_described(request.query_params.multi_items(), ())

    def encode() -> bytes:
        from api.rendering.png import render  # takes a third of a second, which every start would wait for

        return render(tile_canvas(tile, ratio), (), look, atlas.base_layers[:2], look["base"]["light"]["sea"])

    key = (BASEMAP, *tile, ratio)
    tiles, picture = atlas.base_tiles, WorkClass.PICTURE
    return await tile_response(request, tiles, atlas.base_version, RASTER, key, encode, picture)


def _address(request: Request) -> Tile:
    return parse_xyz(*(request.path_params[part] for part in "zxy"))


def _tilejson(request: Request, atlas: LiveSnapshot, name: str) -> Mapping[str, Any]:
    """Return the TileJSON 3.0.0 of a collection or of the base map."""
    template = href(request, f"/tiles/{name}") + "/{z}/{x}/{y}.mvt"
    document: Json = {"tilejson": "3.0.0", "name": name, "scheme": "xyz", "tiles": [template], "minzoom": 0}
    if name == BASEMAP and atlas.base_archive is not None:
        return {**document, **_archive_description(atlas.base_archive)}
    if name == BASEMAP:
        fields = {
            "country": ("iso_a2", "name_en"),
            "boundary": ("kind",),
            "country_label": ("name_en",),
            "place": ("name",),
        }
        layers = [{"id": layer, "fields": dict.fromkeys(names, "String")} for layer, names in fields.items()]
        return {**document, "maxzoom": BASEMAP_MAX_ZOOM, "vector_layers": layers, "attribution": ATTRIBUTION}
    collection = atlas.view.snapshot.collections[name]
    columns = {column.name: column.doc for column in collection.columns if column.name != UPDATED}
    layers = [{"id": name, "description": collection.description, "fields": columns}]
    if collection.bounds is not None:
        document["bounds"] = list(collection.bounds)
    attribution = attribution_text(request.app.state.settings.attribution, atlas.view.disclosure)
    return {**document, "maxzoom": MAX_ZOOM, "vector_layers": layers, "attribution": attribution}


def _archive_description(archive: BasemapArchive) -> Mapping[str, Any]:
    """Return the members of TileJSON that an archive of the base map decides.

    Two are beyond TileJSON 3.0.0: ``tile_boxes`` has first column, first row, last column and last row of the tiles of
    each zoom, and ``sparse`` lets MapLibre enlarge the nearest tile above where there is none.
    """
    return {
        "tile_boxes": {str(zoom): box for zoom, box in archive.tile_boxes.items()},
        "sparse": True,
        "minzoom": archive.min_zoom,
        "maxzoom": archive.max_zoom,
        "bounds": list(archive.bounds),
        "vector_layers": archive.layers,
        "attribution": str(archive.metadata.get("attribution") or ""),
        "description": str(archive.metadata.get("description") or ""),
    }
