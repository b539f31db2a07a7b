"""OGC API - Maps (20-058): a collection, or all on the base map, of any place and size, as PNG or SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from api.http.conditional import not_modified_response, validators
from api.http.links import href, link
from api.http.work import WorkClass, queued, require_wanted
from api.openapi.declaration import OGC_REL, ApiPart, Endpoint, Link, Scope
from api.openapi.parameters import format_parameter, require_described, selection_parameters
from api.rendering.canvas import Canvas, RenderedLayer
from api.requests import crs
from api.requests.negotiation import HTML, PNG, SVG, MediaFormat
from api.requests.parameters import (
    BadParameter,
    RequestParameter,
    integer_between,
    parse_flag,
    parse_text,
)
from api.requests.query_parameters import (
    BBOX,
    BBOX_CRS,
    CRS,
    DATETIME,
    SELECTING,
    STRIKE_CONDITIONS,
    parse_selection,
    parse_strike_conditions,
)
from api.responses.resource import collection_or_404, look_of, negotiated_format, served_version, version
from api.responses.tile import layer_of, selection_mask
from api.routes import web_map
from api.routes.ogc_tiles import PICTURE
from api.server.live_snapshot import LiveSnapshot
from api.styles.rules import StyleTable
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import DEGREES, MERCATOR, TileProjection
from geo.tiles.tile_matrix import Box as WorldBox
from layers.collections.collection import Collection
from layers.collections.geometry_index import Box
from layers.query.selection import Selection
from layers.query.strike_truth import narrowed

#: Pixels of the longest side of a map, and of the longer side where a request gives neither.
MAX_MAP_PIXELS = 4096
_DEFAULT_PIXELS = 1024
#: Seconds that a pixel is expected to take; what a map takes beyond is charged when it is drawn.
_PIXEL_S = 2e-7
#: Systems that maps are drawn in, and their projections.
MAP_PROJECTIONS: Mapping[str, TileProjection] = {"OGC:CRS84": DEGREES, "EPSG:4326": DEGREES, "EPSG:3857": MERCATOR}
#: Collections on the map of all, the later on top.
SHOWN = ("assets", "strikes")
#: Half the width of the world in Pseudo-Mercator, in metres.
_HALF = math.pi * 6_378_137
_WORLD: Box = (-180.0, -85.0, 180.0, 85.0)
_EXPECTED = "a box with an area, within 180 degrees to the east and west"


def _size_parameter(name: str, description: str) -> RequestParameter[int]:
    schema = {"type": "integer", "minimum": 1, "maximum": MAX_MAP_PIXELS}
    return RequestParameter(name, integer_between(1, MAX_MAP_PIXELS), schema, description)


_SYSTEMS = [system.uri for system in crs.SUPPORTED_CRS if system.name in MAP_PROJECTIONS]
_CRS = replace(
    CRS,
    schema={"type": "string", "format": "uri", "enum": _SYSTEMS},
    description="System of the map, by its URI or CURIE; CRS84 by default.",
    component="",
)
_WIDTH = _size_parameter("width", "Pixels; of one that is not given the box decides.")
_HEIGHT = _size_parameter("height", "Pixels.")
_TRANSPARENT = RequestParameter(
    "transparent", parse_flag, {"type": "boolean"}, "Whether nothing is drawn where nothing is."
)
#: Parameters of every map, but for its format.
_MAPPING: Sequence[RequestParameter[Any]] = (BBOX, BBOX_CRS, _CRS, _WIDTH, _HEIGHT, _TRANSPARENT)
_F_PICTURE, _F_PAGE = format_parameter("png", "svg"), format_parameter("png", "svg", "html")
_SVG = MediaFormat("svg", SVG, "SVG")
#: Name of the parameter that chooses what the map of all shows (20-058, collections-selection).
_COLLECTIONS = "collections"


def _collections_parameter(names: Sequence[str]) -> RequestParameter[str]:
    items = {"type": "string", "enum": list(names)}
    description = (
        "What is drawn, the later on top; strikes and assets by default. Of one alone, filter and each of its "
        "queryables select among its features, and of strikes whatever selects them elsewhere, such as country."
    )
    schema = {"type": "array", "minItems": 1, "uniqueItems": True, "items": items}
    return RequestParameter(_COLLECTIONS, parse_text, schema, description, ["strikes"])


def _whole_map_parameters(scope: Scope) -> Sequence[RequestParameter[Any]]:
    return *_MAPPING, _F_PAGE, _collections_parameter([one.name for one in scope.collections]), *SELECTING


def _landing_links(request: Request) -> Sequence[Link]:
    return [link(f"{OGC_REL}map", href(request, "/map", f="png"), PNG, "Strikes and assets on the base map")]


def _collection_links(request: Request, collection: Collection) -> Sequence[Link]:
    return [link(f"{OGC_REL}map", href(request, f"/collections/{collection.name}/map", f="png"), PNG, "The map")]


PART = ApiPart("tiles", landing_links=_landing_links, collection_links=_collection_links)


@PART.declared(
    Endpoint(
        "/collections/{collection}/map",
        "Map",
        "tiles",
        media_types=(PNG, SVG),
        parameters=lambda scope: (*_MAPPING, _F_PICTURE, *selection_parameters(scope.collection)),
        negotiated=True,
    )
)
async def collection_map(request: Request, collection: str) -> Response:
    """Draw a collection as the web map does."""
    return await _answer(request, await run_in_threadpool(_map_of_collection, request, collection))


def _map_of_collection(request: Request, collection: str) -> _Drawing:
    form = negotiated_format(request, (PICTURE, _SVG))
    subject = collection_or_404(served_version(request), collection)
    sheet = _sheet(request.query_params, subject.bounds)
    chosen = _selecting(request, (one.name for one in selection_parameters(subject)))
    selection = parse_selection(chosen, subject) if chosen else None
    background = "white" if _TRANSPARENT.read(request.query_params) is False else None

    def draw() -> bytes:
        drawn = RenderedLayer(subject, layer_of(subject, sheet.projection), selection_mask(subject, selection))
        return _rendered(form, sheet.canvas, [drawn], look_of(request), (), background)

    return _Drawing(sheet, form, draw)


@PART.declared(
    Endpoint(
        "/map",
        "Map of strikes and assets, or the page of it",
        "tiles",
        media_types=(HTML.media_type, PNG, SVG),
        parameters=_whole_map_parameters,
        negotiated=True,
    ),
    checked=False,
)
async def whole_map(request: Request) -> Response:
    """Draw strikes and assets on the base map; without parameters, and for a browser, the page of the web map."""
    answer = await run_in_threadpool(_page_or_map, request)
    return await _answer(request, answer) if isinstance(answer, _Drawing) else answer


def _page_or_map(request: Request) -> _Drawing | Response:
    shown, selects = _shown(request)
    mapping = [one.name for one in (*_MAPPING, _F_PAGE)]
    known = (*mapping, _COLLECTIONS, *selects)
    selecting = [one.name for one in SELECTING]
    picture = any(name in request.query_params for name in (*known, *selecting) if name != _F_PAGE.name)
    form = negotiated_format(request, (PICTURE, _SVG, HTML) if picture else (HTML, PICTURE, _SVG))
    html = form is HTML
    # Links to the page may bear other parameters, such as the position of the map; those of the picture are read too.
    passed_over = request.query_params.keys() - {*mapping, *selecting} if html else ()
    require_described(request.query_params.multi_items(), (*known, *passed_over))
    sheet = _sheet(request.query_params, _union([one.bounds for one in shown]))
    chosen = _selecting(request, selects)
    transparent = _TRANSPARENT.read(request.query_params)
    selections = [_selection(request, chosen, one) for one in shown]
    country = _drawn_country(chosen) if [one.name for one in shown] == ["strikes"] else None
    if html:
        return web_map.web_map(request)
    look = look_of(request)
    atlas: LiveSnapshot = request.app.state.atlas
    background = None if transparent else look["base"]["light"]["sea"]

    def draw() -> bytes:
        drawn = [
            RenderedLayer(
                one, layer_of(one, sheet.projection), selection_mask(one, selection) if chosen else None, country
            )
            for one, selection in zip(shown, selections, strict=True)
        ]
        ground = atlas.base_layers[:2] if sheet.projection is MERCATOR else atlas.ground_in_degrees
        return _rendered(form, sheet.canvas, drawn, look, ground, background)

    return _Drawing(sheet, form, draw)


def _rendered(
    form: MediaFormat,
    canvas: Canvas,
    drawn: Sequence[RenderedLayer],
    look: StyleTable,
    ground: Sequence[TileLayer],
    background: str | None,
) -> bytes:
    from api.rendering.png import render  # takes a third of a second, which every start would wait for

    return render(canvas, drawn, look, ground, background, require_wanted, "svg" if form is _SVG else "png")


def _selection(request: Request, chosen: Mapping[str, str], collection: Collection) -> Selection:
    """Read what selects among the features of a collection; of strikes also whose sites were hit, words and more."""
    selection = parse_selection(chosen, collection)
    if chosen.keys().isdisjoint(one.name for one in STRIKE_CONDITIONS):
        return selection
    snapshot = served_version(request).snapshot
    return narrowed(snapshot.collections, snapshot.registers, selection, parse_strike_conditions(chosen))


def _drawn_country(chosen: Mapping[str, str]) -> str | None:
    """Return the country by whose share strikes are drawn: a chosen owner, by registration as the strikes tell it."""
    wanted = parse_strike_conditions(chosen)
    return wanted.country if (wanted.relation, wanted.reading) == ("owner", "registration") else None


def _selecting(request: Request, names: Iterable[str]) -> Mapping[str, str]:
    """Return the parameters of a request that are among the names."""
    wanted = set(names)
    return {name: text for name, text in request.query_params.items() if name in wanted}


def _shown(request: Request) -> tuple[Sequence[Collection], Sequence[str]]:
    """Return the collections on the map of all, and the parameters that select among them.

    A single collection has all of its own.

    Raises BadParameter if a collection is not served, or is named twice.
    """
    served = served_version(request).snapshot.collections
    text = request.query_params.get(_COLLECTIONS, ",".join(SHOWN))
    names = text.split(",")
    if len(set(names)) < len(names) or not served.keys() >= set(names):
        raise BadParameter(_COLLECTIONS, text, f"each once, some of {', '.join(served)}")
    shown = [served[name] for name in names]
    table = selection_parameters(shown[0]) if len(shown) == 1 else (DATETIME,)
    conditions = STRIKE_CONDITIONS if names == ["strikes"] else ()
    return shown, [one.name for one in (*table, *conditions)]


@dataclass(frozen=True, eq=False)
class _Sheet:
    """The extent of a map: its coordinate system, the projection that it is drawn in, and the canvas there."""

    system: crs.Crs
    projection: TileProjection
    canvas: Canvas


@dataclass(frozen=True, eq=False)
class _Drawing:
    """A map that can be drawn: its extent and format, and what draws it."""

    sheet: _Sheet
    form: MediaFormat
    draw: Callable[[], bytes]


def _sheet(query: Mapping[str, str], bounds: Box | None) -> _Sheet:
    """Read bbox, bbox-crs, crs, width and height.

    Raises BadParameter with the first parameter that cannot be read.

    ``bounds``: west, south, east, north in degrees of the map without a bbox; ``None`` for the world.
    """
    system = _CRS.read(query, crs.CRS84)
    projection = MAP_PROJECTIONS.get(system.name)
    if projection is None:
        raise BadParameter(_CRS.name, query[_CRS.name], f"one of {', '.join(MAP_PROJECTIONS)}")
    system_of_box = BBOX_CRS.read(query, crs.CRS84)
    if BBOX.name in query:
        box = _world(crs.parse_bbox(query[BBOX.name], system_of_box), projection)
        if not (box[0] < box[2] and box[1] < box[3] and -1 <= box[0] < 1 and box[2] <= 2):
            raise BadParameter(BBOX.name, query[BBOX.name], _EXPECTED)
    else:
        box = _padded(_corners(bounds or _WORLD, projection))
    return _Sheet(system, projection, Canvas(box, *_size(query, box)))


def _corners(bounds: Box, projection: TileProjection) -> WorldBox:
    west, south, east, north = bounds
    box: WorldBox = projection.world(np.array([[west, north], [east + (360 if west > east else 0), south]])).ravel()
    return box


def _world(area: crs.BoundingBox, projection: TileProjection) -> WorldBox:
    """Return the box of an area in world coordinates (0 to 1 across the square, y downwards), shape (4,).

    Metres of the projection itself are not cut off at the edge of its square.
    """
    if area.crs is not crs.WEB_MERCATOR or projection is not MERCATOR:
        return _corners(area.box, projection)
    west, south, east, north = (number / _HALF / 2 for number in area.native)
    return np.array([west + 0.5, 0.5 - north, east + (1 if west > east else 0) + 0.5, 0.5 - south])


def _padded(box: WorldBox) -> WorldBox:
    """Return a box with a twentieth more on every side, and with some room around a single point."""
    spare = max(float((box[2:] - box[:2]).max()) / 20, 0.001)
    return np.add(box, [-spare, -spare, spare, spare])


def _size(query: Mapping[str, str], box: WorldBox) -> tuple[int, int]:
    """Return width and height in pixels; a side that is not given follows from the shape of the box."""
    across, down = (box[2:] - box[:2]).tolist()
    given = {side.name: side.parse(side.name, query[side.name]) for side in (_WIDTH, _HEIGHT) if side.name in query}
    if not given:
        given = {"width": _DEFAULT_PIXELS} if across >= down else {"height": _DEFAULT_PIXELS}
    width = given.get("width", round(min(given.get("height", 0) * across / down, 2**31)))
    height = given.get("height", round(min(given.get("width", 0) * down / across, 2**31)))
    if max(width, height) > MAX_MAP_PIXELS:
        raise BadParameter(
            "width/height", f"{width}/{height}", f"at most {MAX_MAP_PIXELS}, both, for a box of this shape"
        )
    return max(width, 1), max(height, 1)


def _union(bounds: Sequence[Box | None]) -> Box | None:
    boxes = np.array([box for box in bounds if box is not None])
    if not len(boxes):
        return None
    (west, south), (east, north) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    return west, south, east, north


async def _answer(request: Request, drawing: _Drawing) -> Response:
    """Answer a picture with its system, and its box in the axis order of the system, as headers."""
    sheet, headers = drawing.sheet, validators(request, version(request), drawing.form.media_type)
    answer = not_modified_response(request, headers["ETag"], headers)
    if answer is None:
        expected_s = _PIXEL_S * sheet.canvas.width * sheet.canvas.height
        picture = await queued(request, WorkClass.PICTURE, drawing.draw, expected_s)
        answer = Response(picture, media_type=drawing.form.media_type, headers=headers)
    answer.headers["Content-Crs"] = f"<{sheet.system.uri}>"
    left, top, right, bottom = sheet.canvas.box.tolist()
    if sheet.projection is MERCATOR:
        box = [(left - 0.5) * 2 * _HALF, (0.5 - bottom) * 2 * _HALF, (right - 0.5) * 2 * _HALF, (0.5 - top) * 2 * _HALF]
    else:
        box = [(left - 0.5) * 360, 90 - bottom * 360, (right - 0.5) * 360, 90 - top * 360]
    if sheet.system.north_first:
        box = [box[1], box[0], box[3], box[2]]
    answer.headers["Content-Bbox"] = ",".join(f"{number:.10g}" for number in box)
    return answer
