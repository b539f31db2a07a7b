"""Tiles as the web asks for them, zoom, column and row, their TileJSON and a MapLibre style.

Tiles are plain routes: they skip the framework's parsing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.http.conditional import representation
from api.http.links import JSON, href
from api.http.problem import problem
from api.rendering.png import painted, table, tile_canvas
from api.requests.tile_matrix_sets import BASEMAP, MERCATOR_QUAD, xyz
from api.responses.tile import RASTER, VECTOR, answered, masked, pictured, require_known, selected
from api.routes.ogc_styles import mapbox
from api.server.live_snapshot import Atlas
from api.styles.catalogue import STYLES, WHOLE
from geo.tiles.mvt import encode_tile
from geo.tiles.tile_matrix import Tile
from layers.reference.basemap import ATTRIBUTION

MAX_ZOOM = 14
BASEMAP_MAX_ZOOM = 8


def mount(app: FastAPI, atlas: Atlas) -> None:
    """Add the routes."""

    async def tile(request: Request) -> Response:
        name = request.path_params["collection"]
        if name == BASEMAP:
            return await _ground(request, atlas)
        view = atlas.view
        found = view.snapshot.collections.get(name)
        if found is None:
            return problem(404, "No such tiles", f"no collection {name[:80]!r}")
        address = _address(request)
        selection = selected(request, found)
        key = (name, *address) if selection is None else (name, *address, selection)

        def made() -> bytes:
            return found.layer.encode(address, masked(found, selection))

        return await answered(request, view.tiles, view.version, VECTOR, key, made, slow=selection is not None)

    async def picture(request: Request) -> Response:
        return await _picture(request, atlas, 1)

    async def fine_picture(request: Request) -> Response:
        return await _picture(request, atlas, 2)

    async def tilejson(request: Request) -> Response:
        name = request.path_params["collection"]
        if name != BASEMAP and name not in atlas.view.snapshot.collections:
            return problem(404, "No such tiles", f"no collection {name[:80]!r}")
        version = atlas.base_version if name == BASEMAP else atlas.view.version
        return representation(request, version, JSON, lambda: orjson.dumps(describe(request, atlas, name)))

    async def style(request: Request) -> Response:
        told = mapbox(request, STYLES[WHOLE])
        return representation(request, atlas.view.version, JSON, lambda: orjson.dumps(told))

    app.router.routes.append(Route("/tiles/{collection}/{z}/{x}/{y}.mvt", tile, methods=["GET"]))
    app.router.routes.append(Route("/tiles/{collection}/{z}/{x}/{y}@2x.png", fine_picture, methods=["GET"]))
    app.router.routes.append(Route("/tiles/{collection}/{z}/{x}/{y}.png", picture, methods=["GET"]))
    app.router.routes.append(Route("/tiles/{collection}.json", tilejson, methods=["GET"]))
    app.router.routes.append(Route("/style.json", style, methods=["GET"]))


async def _ground(request: Request, atlas: Atlas) -> Response:
    address = _address(request)
    require_known(request, ())

    def made() -> bytes:
        return encode_tile(atlas.base_layers, address)

    return await answered(request, atlas.base_tiles, atlas.base_version, VECTOR, (BASEMAP, *address), made)


async def _picture(request: Request, atlas: Atlas, ratio: int) -> Response:
    name = request.path_params["collection"]
    look = table(request.app.state.settings.static / "style-table.json")
    if name != BASEMAP:
        found = atlas.view.snapshot.collections.get(name)
        if found is None:
            return problem(404, "No such tiles", f"no collection {name[:80]!r}")
        return await pictured(request, atlas.view, found, _address(request), MERCATOR_QUAD, ratio)
    address = _address(request)
    require_known(request, ())

    def made() -> bytes:
        return painted(tile_canvas(address, ratio), (), look, atlas.base_layers[:2], look["base"]["light"]["sea"])

    key = (BASEMAP, *address, ratio)
    return await answered(request, atlas.base_tiles, atlas.base_version, RASTER, key, made, slow=True)


def _address(request: Request) -> Tile:
    return xyz(*(request.path_params[part] for part in "zxy"))


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
