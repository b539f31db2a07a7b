"""OGC API - Maps (20-058): the map of a collection, and of all on the base map, as pictures of any place and size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from fastapi import APIRouter, Depends, Request, Response

from api.http.conditional import representation
from api.rendering.png import Canvas, Drawn, painted, table
from api.requests import crs
from api.requests.map_parameters import MAP_PROJECTIONS, MAX_MAP_PIXELS
from api.requests.negotiation import HTML, PNG
from api.requests.query_parameters import SELECTING, named_once, selection_of
from api.requests.scalars import BadParameter, parse_flag, parse_whole
from api.responses.resource import find, form_of, version, view
from api.responses.tile import masked, require_known, selecting
from api.routes import web_map
from api.routes.ogc_tiles import PICTURE
from api.server.live_snapshot import Atlas
from api.styles.rules import Table
from geo.tiles.mvt import Layer
from geo.tiles.tile_matrix import MERCATOR, Plane
from geo.tiles.tile_matrix import Box as WorldBox
from layers.collections.collection import Box, Collection

router = APIRouter(tags=["maps"], include_in_schema=False)

#: Pixels of the largest picture a side, and of the longer side where nothing is asked for.
USUAL = 1024
#: Parameters of every map.
MAPPING = ("bbox", "bbox-crs", "crs", "width", "height", "transparent", "f")
#: What the map of all may be made of instead, and its name in a request (20-058, collections-selection).
_COLLECTIONS = "collections"
#: What the map of all shows, the later on top.
SHOWN = ("assets", "strikes")
#: Half the width of the world in Pseudo-Mercator, in metres.
_HALF = math.pi * 6_378_137
_WORLD: Box = (-180.0, -85.0, 180.0, 85.0)
_EXPECTED = "a box with an area, within 180 degrees to the east and west"


@router.get("/collections/{collection}/map", summary="Map of a collection", dependencies=[Depends(named_once)])
def collection_map(request: Request, collection: str) -> Response:
    """Draw a collection as the web map does."""
    form_of(request, (PICTURE,))
    found = find(view(request), collection)
    sheet = _sheet(request.query_params, found.bounds)
    chosen = {name: text for name, text in request.query_params.items() if name in selecting(found)}
    drawn = Drawn(found, _layer(found, sheet), masked(found, selection_of(chosen, found)) if chosen else None)
    background = "white" if _flag(request, "transparent") is False else None

    def made() -> bytes:
        return painted(sheet.canvas, [drawn], _look(request), (), background)

    return _answer(request, sheet, made)


@router.get("/map", summary="Map of strikes and assets, or the page of it")
def whole_map(request: Request) -> Response:
    """Draw strikes and assets on the base map; without parameters, and for a browser, the page of the web map."""
    shown, selects = _shown(request)
    known = (*MAPPING, _COLLECTIONS, *selects)
    asked = any(name in request.query_params for name in (*known, *SELECTING) if name != "f")
    offered = (PICTURE, HTML) if asked else (HTML, PICTURE)
    html = form_of(request, offered) is HTML
    # Links to the page may bear other parameters, such as where they stood; those of the picture are read for it too.
    require_known(request, known if not html else (*known, *(request.query_params.keys() - {*MAPPING, *SELECTING})))
    sheet = _sheet(request.query_params, _around([one.bounds for one in shown]))
    chosen = {name: text for name, text in request.query_params.items() if name in selects}
    transparent, selections = _flag(request, "transparent"), [selection_of(chosen, one) for one in shown]
    if html:
        return web_map.web_map(request)
    drawn = [
        Drawn(one, _layer(one, sheet), masked(one, selection) if chosen else None)
        for one, selection in zip(shown, selections, strict=True)
    ]
    look = _look(request)
    atlas: Atlas = request.app.state.atlas
    background = None if transparent else look["base"]["light"]["sea"]

    def made() -> bytes:
        ground = atlas.base_layers[:2] if sheet.plane is MERCATOR else atlas.ground_in_degrees
        return painted(sheet.canvas, drawn, look, ground, background)

    return _answer(request, sheet, made)


def _shown(request: Request) -> tuple[Sequence[Collection], Sequence[str]]:
    """What the map of all shows, and what selects among it: of one collection all that selects among its features.

    Raises
    ------
    BadParameter
        If there is no such collection, or one is named twice.
    """
    there = view(request).snapshot.collections
    text = request.query_params.get(_COLLECTIONS, ",".join(SHOWN))
    names = text.split(",")
    if len(set(names)) < len(names) or not there.keys() >= set(names):
        raise BadParameter(_COLLECTIONS, text, f"each once, some of {', '.join(there)}")
    shown = [there[name] for name in names]
    return shown, selecting(shown[0]) if len(shown) == 1 else ("datetime",)


@dataclass(frozen=True, eq=False)
class _Sheet:
    """What is drawn where: the system, its plane, and the canvas on it."""

    system: crs.Crs
    plane: Plane
    canvas: Canvas


def _sheet(query: Mapping[str, str], bounds: Box | None) -> _Sheet:
    """Read bbox, bbox-crs, crs, width and height; by default the bounds, or the world.

    Raises
    ------
    BadParameter
        With the first that cannot be read.
    """
    system = _system(query["crs"], "crs") if "crs" in query else crs.CRS84
    plane = MAP_PROJECTIONS.get(system.name)
    if plane is None:
        raise BadParameter("crs", query["crs"], f"one of {', '.join(MAP_PROJECTIONS)}")
    of_box = _system(query["bbox-crs"], "bbox-crs") if "bbox-crs" in query else crs.CRS84
    if "bbox" in query:
        box = _world(crs.region(query["bbox"], of_box), plane)
        if not (box[0] < box[2] and box[1] < box[3] and -1 <= box[0] < 1 and box[2] <= 2):
            raise BadParameter("bbox", query["bbox"], _EXPECTED)
    else:
        box = _roomy(_corners(bounds or _WORLD, plane))
    return _Sheet(system, plane, Canvas(box, *_size(query, box)))


def _system(text: str, parameter: str) -> crs.Crs:
    """A system by its URI or CURIE, safe or not."""
    return crs.named(text if text.startswith(("http", "[")) else f"[{text}]", parameter)


def _corners(bounds: Box, plane: Plane) -> WorldBox:
    west, south, east, north = bounds
    box: WorldBox = plane.world(np.array([[west, north], [east + (360 if west > east else 0), south]])).ravel()
    return box


def _world(area: crs.Region, plane: Plane) -> WorldBox:
    """The box of an area in world coordinates; metres of the plane itself are not cut off at its edge."""
    if area.crs is not crs.WEB_MERCATOR or plane is not MERCATOR:
        return _corners(area.box, plane)
    west, south, east, north = (number / _HALF / 2 for number in area.own)
    return np.array([west + 0.5, 0.5 - north, east + (1 if west > east else 0) + 0.5, 0.5 - south])


def _roomy(box: WorldBox) -> WorldBox:
    """A twentieth more on every side, and some room about a single place."""
    spare = max(float((box[2:] - box[:2]).max()) / 20, 0.001)
    return np.add(box, [-spare, -spare, spare, spare])


def _size(query: Mapping[str, str], box: WorldBox) -> tuple[int, int]:
    """Width and height in pixels; one that is not given follows from the shape of the box."""
    across, down = (box[2:] - box[:2]).tolist()
    given = {name: parse_whole(name, query[name], 1, MAX_MAP_PIXELS) for name in ("width", "height") if name in query}
    if not given:
        given = {"width": USUAL} if across >= down else {"height": USUAL}
    width = given.get("width", round(min(given.get("height", 0) * across / down, 2**31)))
    height = given.get("height", round(min(given.get("width", 0) * down / across, 2**31)))
    if max(width, height) > MAX_MAP_PIXELS:
        raise BadParameter(
            "width/height", f"{width}/{height}", f"at most {MAX_MAP_PIXELS}, both, for a box of this shape"
        )
    return max(width, 1), max(height, 1)


def _around(bounds: Sequence[Box | None]) -> Box | None:
    there = np.array([one for one in bounds if one is not None])
    if not len(there):
        return None
    (west, south), (east, north) = there[:, :2].min(axis=0).tolist(), there[:, 2:].max(axis=0).tolist()
    return west, south, east, north


def _layer(collection: Collection, sheet: _Sheet) -> Layer:
    return collection.layer if sheet.plane is MERCATOR else collection.layer_in_degrees


def _look(request: Request) -> Table:
    return table(request.app.state.settings.static / "style-table.json")


def _flag(request: Request, name: str) -> bool | None:
    text = request.query_params.get(name)
    return None if text is None else parse_flag(name, text)


def _answer(request: Request, sheet: _Sheet, made: Callable[[], bytes]) -> Response:
    """The picture, with its system and its box in the axis order of the system."""
    answer = representation(request, version(request), PNG, made)
    answer.headers["Content-Crs"] = f"<{sheet.system.uri}>"
    left, top, right, bottom = sheet.canvas.box.tolist()
    if sheet.plane is MERCATOR:
        box = [(left - 0.5) * 2 * _HALF, (0.5 - bottom) * 2 * _HALF, (right - 0.5) * 2 * _HALF, (0.5 - top) * 2 * _HALF]
    else:
        box = [(left - 0.5) * 360, 90 - bottom * 360, (right - 0.5) * 360, 90 - top * 360]
    if sheet.system.north_first:
        box = [box[1], box[0], box[3], box[2]]
    answer.headers["Content-Bbox"] = ",".join(f"{number:.10g}" for number in box)
    return answer
