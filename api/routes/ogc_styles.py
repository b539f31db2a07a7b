"""OGC API - Styles (draft 20-009): the styles of the map and of each collection, and the pictures of their symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from fastapi import Request, Response
from starlette.exceptions import HTTPException

from api.http.conditional import representation
from api.http.links import href, link
from api.openapi.declaration import OGC_REL, OGC_SPEC, ApiPart, Endpoint, Link, Scope, document_endpoint, media_types
from api.openapi.parameters import F_DOCUMENT, format_parameter, path_parameter
from api.openapi.responses import ANY_OBJECT, COUNT, LINKS, STRING, array_of, object_with, reference
from api.rendering.sprite import sprite_index, sprite_png
from api.requests.negotiation import DOCUMENT, GEOJSON, JSON, PNG
from api.requests.parameters import RequestParameter
from api.responses.resource import (
    collection_or_404,
    document,
    look_of,
    negotiated_format,
    self_links,
    served_version,
    version,
)
from api.styles import maplibre, sld
from api.styles.catalogue import (
    ENCODINGS,
    MAPBOX,
    SLD11,
    SPECIFICATIONS,
    STYLES,
    WHOLE_MAP,
    CatalogueStyle,
    style_layer,
    styles_of,
)
from layers.collections.collection import Collection

#: Pixels of the width of a preview.
_PREVIEW = 480


def _landing_links(request: Request) -> Sequence[Link]:
    address = href(request, "/styles")
    return [link(f"{OGC_REL}styles", address, JSON.media_type, "Styles of the map and the collections")]


def _collection_links(request: Request, collection: Collection) -> Sequence[Link]:
    address = href(request, f"/collections/{collection.name}/styles")
    return [link(f"{OGC_REL}styles", address, JSON.media_type, "How it is drawn")]


PART = ApiPart(
    "styles",
    conformance=(f"{OGC_SPEC}ogcapi-styles-1/1.0/conf/core",),
    schemas={
        "Styles": object_with(
            default=STRING, styles=array_of(object_with(id=STRING, title=STRING, links=LINKS)), links=LINKS
        ),
        "StyleMetadata": object_with(
            id=STRING, title=STRING, stylesheets=array_of(object_with(title=STRING, link=reference("Link")))
        ),
        "Sprites": {
            "type": "object",
            "additionalProperties": object_with(x=COUNT, y=COUNT, width=COUNT, height=COUNT),
        },
        "Style": object_with(version=COUNT, sources=ANY_OBJECT, layers=array_of(object_with(id=STRING, type=STRING))),
    },
    landing_links=_landing_links,
    collection_links=_collection_links,
)


def _style_parameter(scope: Scope) -> RequestParameter[str]:
    offered = STYLES if scope.collection is None else styles_of(scope.collection.name)
    return path_parameter("styleId", {"type": "string", "enum": list(offered)})


_list_endpoint = partial(document_endpoint, summary="List of styles", tag="styles", schema="Styles")
_style_endpoint = partial(
    Endpoint,
    summary="One style",
    tag="styles",
    media_types=media_types(ENCODINGS),
    schema="Style",
    parameters=lambda scope: (_style_parameter(scope), format_parameter(*(form.name for form in ENCODINGS))),
    negotiated=True,
)
_metadata_endpoint = partial(
    document_endpoint, summary="About a style", tag="styles", schema="StyleMetadata",
    parameters=lambda scope: (_style_parameter(scope), F_DOCUMENT),
)  # fmt: skip
_BELOW = "/collections/{collection}"


@PART.declared(_list_endpoint("/styles"))
def styles(request: Request) -> Response:
    """List the styles of the map and of the collections."""
    return _listed(request, "", STYLES, WHOLE_MAP)


@PART.declared(_style_endpoint("/styles/{styleId}"))
def style(request: Request, styleId: str) -> Response:
    """Answer a style in one of its encodings."""
    return _style(request, _style_or_404(STYLES, styleId))


@PART.declared(_metadata_endpoint("/styles/{styleId}/metadata"))
def metadata(request: Request, styleId: str) -> Response:
    """Answer the metadata of a style: its layers, its encodings and their addresses."""
    return _metadata(request, "", _style_or_404(STYLES, styleId))


@PART.declared(_list_endpoint(f"{_BELOW}/styles"))
def styles_of_collection(request: Request, collection: str) -> Response:
    """List the styles of a collection."""
    served = collection_or_404(served_version(request), collection)
    return _listed(request, f"/collections/{served.name}", styles_of(served.name), served.name)


@PART.declared(_style_endpoint(f"{_BELOW}/styles/{{styleId}}"))
def style_of_collection(request: Request, collection: str, styleId: str) -> Response:
    """Answer a style in one of its encodings."""
    served = collection_or_404(served_version(request), collection)
    return _style(request, _style_or_404(styles_of(served.name), styleId))


@PART.declared(_metadata_endpoint(f"{_BELOW}/styles/{{styleId}}/metadata"), "About a style of a collection")
def metadata_of_collection(request: Request, collection: str, styleId: str) -> Response:
    """Answer the metadata of a style: its layers, its encodings and their addresses."""
    served = collection_or_404(served_version(request), collection)
    return _metadata(request, f"/collections/{served.name}", _style_or_404(styles_of(served.name), styleId))


def _declare_symbols(ratio: int, end: str, fine: str) -> None:
    """Declare the picture of all symbols for screens of a ratio of pixels, and the position of each symbol in it."""
    about = f"Where the symbols are in their picture{fine}"

    @PART.declared(Endpoint(f"/sprites/symbols{end}.json", about, "styles", schema="Sprites"))
    def index(request: Request) -> Response:
        body = orjson.dumps(sprite_index(look_of(request), ratio))
        return representation(request, version(request), JSON.media_type, body)

    @PART.declared(
        Endpoint(f"/sprites/symbols{end}.png", f"Picture of the symbols{fine}", "styles", media_types=(PNG,))
    )
    def picture(request: Request) -> Response:
        return representation(request, version(request), PNG, lambda: sprite_png(_table(request), ratio))


_declare_symbols(1, "", "")
_declare_symbols(2, "@2x", " of twice the pixels")


def _style_or_404(offered: Mapping[str, CatalogueStyle], name: str) -> CatalogueStyle:
    if name not in offered:
        raise HTTPException(404, f"No style {name[:80]!r}; there are {', '.join(offered)}")
    return offered[name]


def _table(request: Request) -> Path:
    static: Path = request.app.state.settings.static
    return static / "style-table.json"


def _listed(request: Request, below: str, offered: Mapping[str, CatalogueStyle], default: str) -> Response:
    negotiated_format(request, DOCUMENT)
    listed = [
        {
            "id": style.name,
            "title": style.title,
            "links": [*_stylesheets(request, below, style), _about(request, below, style), _preview(request, style)],
        }
        for style in offered.values()
    ]
    links = self_links(request, f"{below}/styles")
    return document(request, "styles", {"default": default, "styles": listed, "links": links})


def _stylesheets(request: Request, below: str, style: CatalogueStyle) -> list[Link]:
    path = f"{below}/styles/{style.name}"
    return [
        link("stylesheet", href(request, path, f=form.name), form.media_type, f"{form.title} {SPECIFICATIONS[form][0]}")
        for form in ENCODINGS
    ]


def _about(request: Request, below: str, style: CatalogueStyle) -> Link:
    address = href(request, f"{below}/styles/{style.name}/metadata")
    return link("describedby", address, JSON.media_type, "What it shows and needs")


def _preview(request: Request, style: CatalogueStyle) -> Link:
    path = "/map" if style.on_base_map else f"/collections/{style.collections[0]}/map"
    return link("preview", href(request, path, f="png", width=_PREVIEW), "image/png", f"Picture of {style.title}")


def _metadata(request: Request, below: str, style: CatalogueStyle) -> Response:
    negotiated_format(request, DOCUMENT)
    path = f"{below}/styles/{style.name}/metadata"
    sheets = zip(ENCODINGS, _stylesheets(request, below, style), strict=True)
    metadata = {
        "id": style.name,
        "title": style.title,
        "description": style.description,
        "scope": "style",
        "stylesheets": [
            {
                "title": form.title,
                "version": SPECIFICATIONS[form][0],
                "specification": SPECIFICATIONS[form][1],
                # A descriptor has no sizes by zoom and six marks only.
                "native": form is MAPBOX,
                "link": sheet,
            }
            for form, sheet in sheets
        ],
        "layers": [_layer(request, name) for name in style.collections],
        "links": [*self_links(request, path), _preview(request, style)],
    }
    return document(request, "answer", metadata)


def _layer(request: Request, name: str) -> Mapping[str, Any]:
    collection = collection_or_404(served_version(request), name)
    sample = link("start", href(request, f"/collections/{name}/items"), GEOJSON.media_type, collection.title)
    return {**style_layer(collection, look_of(request)), "sampleData": sample}


def _style(request: Request, style: CatalogueStyle) -> Response:
    form = negotiated_format(request, ENCODINGS)

    def encode() -> bytes:
        if form is MAPBOX:
            return orjson.dumps(mapbox(request, style))
        collections = served_version(request).snapshot.collections
        layers = {name: collections[name].title for name in style.collections}
        dialect = sld.V11 if form is SLD11 else sld.V10
        return sld.descriptor(style.name, style.description, layers, look_of(request), dialect)

    return representation(request, version(request), form.media_type, encode)


def mapbox(request: Request, style: CatalogueStyle) -> dict[str, Any]:
    """Return a style for MapLibre, with the addresses that the client uses."""
    collections = {name: href(request, f"/tiles/{name}.json") for name in style.collections}
    archive = request.app.state.atlas.base_archive
    # An operator's base map has no areas of countries, and is drawn by the web map alone.
    has_countries = archive is None or any(one["id"] == "country" for one in archive.layers)
    ground = href(request, f"/tiles/{maplibre.BASE_MAP}.json") if style.on_base_map and has_countries else None
    return maplibre.style(style.title, collections, href(request, "/sprites/symbols"), look_of(request), ground)
