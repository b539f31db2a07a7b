"""Vector tiles, their TileJSON and a MapLibre style. Tiles are plain routes: they skip the framework's parsing."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.atlas import Atlas, Tiles
from api.errors import problem
from api.headers import is_known
from api.links import href
from api.reading import BadParameter
from api.style import style as make_style
from geo.errors import GeoError
from geo.mvt import Layer
from geo.tiles import Tile
from layers.basemap import ATTRIBUTION

MVT = "application/vnd.mapbox-vector-tile"
BASEMAP = "basemap"
MAX_ZOOM = 14
BASEMAP_MAX_ZOOM = 8


def mount(app: FastAPI, atlas: Atlas) -> None:
    """Add the routes."""

    async def tile(request: Request) -> Response:
        name = request.path_params["collection"]
        view = atlas.view
        if name == BASEMAP:
            return _tile(request, name, atlas.base_layers, atlas.base_tiles, atlas.base_etag)
        found = view.snapshot.collections.get(name)
        if found is None:
            return problem(404, "No such tiles", f"no collection {name[:80]!r}")
        return _tile(request, name, (found.layer,), view.tiles, view.etag)

    async def tilejson(request: Request) -> Response:
        name = request.path_params["collection"]
        if name != BASEMAP and name not in atlas.view.snapshot.collections:
            return problem(404, "No such tiles", f"no collection {name[:80]!r}")
        return Response(orjson.dumps(describe(request, atlas, name)), media_type="application/json")

    async def style(request: Request) -> Response:
        addresses = {name: href(request, f"/tiles/{name}.json") for name in (BASEMAP, "assets", "strikes")}
        made = make_style(request.app.state.settings.static / "style-table.json", addresses)
        return Response(orjson.dumps(made), media_type="application/json")

    app.router.routes.append(Route("/tiles/{collection}/{z}/{x}/{y}.mvt", tile, methods=["GET"]))
    app.router.routes.append(Route("/tiles/{collection}.json", tilejson, methods=["GET"]))
    app.router.routes.append(Route("/style.json", style, methods=["GET"]))


def _tile(request: Request, name: str, layers: Sequence[Layer], kept: Tiles, etag: str) -> Response:
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    key = (name, *_numbers(request))
    tile = _tile_of(key)
    if is_known(request.headers, etag):
        return Response(status_code=304, headers=headers)
    body = kept.get(key)
    if body is None:
        # Level 1: higher levels cost more than the encoding.
        body = gzip.compress(b"".join(layer.encode(tile) for layer in layers), 1, mtime=0)
        kept.put(key, body)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, media_type=MVT, headers=headers)


def _numbers(request: Request) -> tuple[int, int, int]:
    given = [request.path_params[part] for part in ("z", "x", "y")]
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in given):
        raise BadParameter("z/x/y", "/".join(given), "three whole numbers, such as 6/37/22")
    z, x, y = (int(part) for part in given)
    return z, x, y


def _tile_of(key: tuple[Any, ...]) -> Tile:
    try:
        return Tile(*key[1:])
    except GeoError as error:
        raise BadParameter("z/x/y", "/".join(map(str, key[1:])), str(error)) from error


def describe(request: Request, atlas: Atlas, name: str) -> Mapping[str, Any]:
    """TileJSON 3.0.0 of a tile set."""
    template = href(request, f"/tiles/{name}") + "/{z}/{x}/{y}.mvt"
    told: dict[str, Any] = {"tilejson": "3.0.0", "name": name, "scheme": "xyz", "tiles": [template], "minzoom": 0}
    if name == BASEMAP:
        fields = {
            "country": ("iso_a2", "name_en"),
            "boundary": ("kind",),
            "country_label": ("name_en",),
            "place": ("name",),
        }
        layers = [{"id": layer, "fields": dict.fromkeys(names, "String")} for layer, names in fields.items()]
        return {**told, "maxzoom": BASEMAP_MAX_ZOOM, "vector_layers": layers, "attribution": ATTRIBUTION}
    found = atlas.view.snapshot.collections[name]
    columns = {column.name: column.doc for column in found.columns}
    layers = [{"id": name, "description": found.description, "fields": columns}]
    if found.bounds is not None:
        told["bounds"] = list(found.bounds)
    attribution = request.app.state.settings.attribution
    return {**told, "maxzoom": MAX_ZOOM, "vector_layers": layers, "attribution": attribution}
