"""OGC API - Styles (draft 20-009): the styles of the map and of each collection, and the pictures of their symbols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.http.conditional import representation
from api.http.links import href, link
from api.rendering import sprite
from api.rendering.png import table
from api.requests.negotiation import DOCUMENT, GEOJSON, JSON
from api.requests.query_parameters import named_once
from api.responses.resource import document, find, form_of, own_links, version, view
from api.styles import maplibre, sld
from api.styles.catalogue import ENCODINGS, MAPBOX, SLD11, SPECIFIED, STYLES, WHOLE, Style, layer, of_collection
from api.styles.rules import Table

router = APIRouter(tags=["styles"], dependencies=[Depends(named_once)], include_in_schema=False)

#: Pixels of the width of a preview.
_PREVIEW = 480
Link = Mapping[str, str]


@router.get("/styles", summary="Styles")
def styles(request: Request) -> Response:
    """List the styles of the map and of the collections."""
    return _listed(request, "", STYLES, WHOLE)


@router.get("/styles/{styleId}", summary="One style")
def style(request: Request, styleId: str) -> Response:
    """The style in one of its encodings."""
    return _style(request, _found(STYLES, styleId))


@router.get("/styles/{styleId}/metadata", summary="About a style")
def metadata(request: Request, styleId: str) -> Response:
    """Tell what a style shows, what it needs, and where its encodings are."""
    return _metadata(request, "", _found(STYLES, styleId))


@router.get("/collections/{collection}/styles", summary="Styles of a collection")
def styles_of_collection(request: Request, collection: str) -> Response:
    """List the styles of a collection."""
    found = find(view(request), collection)
    return _listed(request, f"/collections/{found.name}", of_collection(found.name), found.name)


@router.get("/collections/{collection}/styles/{styleId}", summary="One style of a collection")
def style_of_collection(request: Request, collection: str, styleId: str) -> Response:
    """The style in one of its encodings."""
    return _style(request, _found(of_collection(find(view(request), collection).name), styleId))


@router.get("/collections/{collection}/styles/{styleId}/metadata", summary="About a style of a collection")
def metadata_of_collection(request: Request, collection: str, styleId: str) -> Response:
    """Tell what a style shows, what it needs, and where its encodings are."""
    found = find(view(request), collection)
    return _metadata(request, f"/collections/{found.name}", _found(of_collection(found.name), styleId))


@router.get("/sprites/symbols.json", summary="Where the symbols are in their picture")
def index(request: Request) -> Response:
    """Where each symbol is, for the pixels of plain screens."""
    return representation(request, version(request), JSON.media_type, orjson.dumps(sprite.index(_look(request), 1)))


@router.get("/sprites/symbols@2x.json", summary="Where the symbols are in their picture of twice the pixels")
def fine_index(request: Request) -> Response:
    """Where each symbol is, for screens of twice the pixels."""
    return representation(request, version(request), JSON.media_type, orjson.dumps(sprite.index(_look(request), 2)))


@router.get("/sprites/symbols.png", summary="Picture of the symbols")
def picture(request: Request) -> Response:
    """All symbols in one picture."""
    return representation(request, version(request), "image/png", lambda: sprite.picture(_table(request), 1))


@router.get("/sprites/symbols@2x.png", summary="Picture of the symbols of twice the pixels")
def fine_picture(request: Request) -> Response:
    """All symbols in one picture, of twice the pixels."""
    return representation(request, version(request), "image/png", lambda: sprite.picture(_table(request), 2))


def _found(offered: Mapping[str, Style], name: str) -> Style:
    found = offered.get(name)
    if found is None:
        raise HTTPException(404, f"No style {name[:80]!r}; there are {', '.join(offered)}")
    return found


def _table(request: Request) -> Path:
    static: Path = request.app.state.settings.static
    return static / "style-table.json"


def _look(request: Request) -> Table:
    return table(_table(request))


def _listed(request: Request, under: str, offered: Mapping[str, Style], default: str) -> Response:
    form_of(request, DOCUMENT)
    told = [
        {
            "id": one.name,
            "title": one.title,
            "links": [*_stylesheets(request, under, one), _about(request, under, one), _preview(request, one)],
        }
        for one in offered.values()
    ]
    links = own_links(request, f"{under}/styles")
    return document(request, "styles", {"default": default, "styles": told, "links": links})


def _stylesheets(request: Request, under: str, one: Style) -> list[Link]:
    path = f"{under}/styles/{one.name}"
    return [
        link("stylesheet", href(request, path, f=form.name), form.media_type, f"{form.title} {SPECIFIED[form][0]}")
        for form in ENCODINGS
    ]


def _about(request: Request, under: str, one: Style) -> Link:
    address = href(request, f"{under}/styles/{one.name}/metadata")
    return link("describedby", address, JSON.media_type, "What it shows and needs")


def _preview(request: Request, one: Style) -> Link:
    path = "/map" if one.grounded else f"/collections/{one.collections[0]}/map"
    return link("preview", href(request, path, f="png", width=_PREVIEW), "image/png", f"Picture of {one.title}")


def _metadata(request: Request, under: str, one: Style) -> Response:
    form_of(request, DOCUMENT)
    path = f"{under}/styles/{one.name}/metadata"
    sheets = zip(ENCODINGS, _stylesheets(request, under, one), strict=True)
    told = {
        "id": one.name,
        "title": one.title,
        "description": one.description,
        "scope": "style",
        "stylesheets": [
            {
                "title": form.title,
                "version": SPECIFIED[form][0],
                "specification": SPECIFIED[form][1],
                # A descriptor has no sizes by zoom and but six marks.
                "native": form is MAPBOX,
                "link": sheet,
            }
            for form, sheet in sheets
        ],
        "layers": [_layer(request, name) for name in one.collections],
        "links": [*own_links(request, path), _preview(request, one)],
    }
    return document(request, "answer", told)


def _layer(request: Request, name: str) -> Mapping[str, Any]:
    found = find(view(request), name)
    sample = link("start", href(request, f"/collections/{name}/items"), GEOJSON.media_type, found.title)
    return {**layer(found, _look(request)), "sampleData": sample}


def _style(request: Request, one: Style) -> Response:
    form = form_of(request, ENCODINGS)

    def made() -> bytes:
        if form is MAPBOX:
            return orjson.dumps(mapbox(request, one))
        collections = view(request).snapshot.collections
        told = [sld.Layer(name, collections[name].title) for name in one.collections]
        dialect = sld.V11 if form is SLD11 else sld.V10
        return sld.descriptor(one.name, one.description, told, _look(request), dialect)

    return representation(request, version(request), form.media_type, made)


def mapbox(request: Request, one: Style) -> dict[str, Any]:
    """A style for MapLibre, with the address that the client used."""
    collections = {name: href(request, f"/tiles/{name}.json") for name in one.collections}
    ground = href(request, f"/tiles/{maplibre.GROUND}.json") if one.grounded else None
    return maplibre.style(one.title, collections, href(request, "/sprites/symbols"), _look(request), ground)
