"""OGC API - Features part 1: landing page, conformance, and what the collections are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from api.http.links import JSON, href, link
from api.openapi.conformance import CLASSES
from api.requests import crs
from api.requests.negotiation import DEFINITION, FEATURES, GEOJSON, JSONFG, SCHEMA, Format
from api.requests.query_parameters import ORDERS, named_once
from api.responses.resource import document, find, own_links, view
from layers.collections.collection import Collection
from layers.collections.feature_types import StrikeFeature

router = APIRouter(tags=["features"], dependencies=[Depends(named_once)])

GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
#: What describes a collection: name of the resource, its link relation and title.
DESCRIPTIONS = (
    ("queryables", f"{REL}queryables", "What it can be filtered by"),
    ("sortables", f"{REL}sortables", "What it can be sorted by"),
    ("schema", f"{REL}schema", "What its features have"),
)


@router.get("/", name="landing", summary="Landing page")
def landing(request: Request) -> Response:
    """Where everything is."""
    links = [
        *own_links(request, "/"),
        link("service-desc", href(request, "/api"), DEFINITION[0].media_type, "The API"),
        link("service-doc", href(request, "/api", f="html"), "text/html", "The API, to read"),
        link("conformance", href(request, "/conformance"), JSON, "Conformance classes"),
        link("data", href(request, "/collections"), JSON, "Collections"),
        link(f"{REL}tiling-schemes", href(request, "/tileMatrixSets"), JSON, "Tile matrix sets"),
        link(f"{REL}styles", href(request, "/styles"), JSON, "Styles of the map and the collections"),
        link(f"{REL}map", href(request, "/map", f="png"), "image/png", "Strikes and assets on the base map"),
        link("alternate", href(request, "/map"), "text/html", "The map"),
        _help(request),
    ]
    told = {"title": "StrikeAtlas", "description": request.app.description, "links": links}
    return document(request, "landing", told)


@router.get("/api", summary="API definition")
def api(request: Request) -> Response:
    """Describe every route as OpenAPI 3.0."""
    told = {**request.app.openapi(), "servers": [{"url": href(request, "/").rstrip("/")}]}
    return document(request, "definition", told, DEFINITION)


@router.get("/conformance", summary="Conformance classes")
def conformance(request: Request) -> Response:
    """Say which classes are implemented and tested."""
    return document(request, "conformance", {"conformsTo": CLASSES, "links": own_links(request, "/conformance")})


@router.get("/collections", summary="Collections")
def collections(request: Request) -> Response:
    """List what can be asked for."""
    told = [described(request, collection) for collection in view(request).snapshot.collections.values()]
    links = own_links(request, "/collections")
    return document(request, "collections", {"links": links, "collections": told})


@router.get("/collections/{collection}", summary="One collection")
def collection(request: Request, collection: str) -> Response:
    """Describe one collection."""
    return document(request, "collection", described(request, find(view(request), collection)))


def described(request: Request, collection: Collection) -> Mapping[str, Any]:
    """What is said of a collection, by itself and in the list of all."""
    days = collection.days
    interval = [None, None] if days is None else [f"{day}T00:00:00Z" for day in days]
    extent: dict[str, Any] = {"temporal": {"interval": [interval], "trs": GREGORIAN}}
    if collection.bounds is not None:
        extent["spatial"] = {"bbox": [list(collection.bounds)], "crs": crs.CRS84.uri}
    order = [f"{'-' if key.descending else ''}{key.name}" for key in ORDERS.get(collection.name, ())]
    return {
        "id": collection.name,
        "title": collection.title,
        "description": collection.description,
        "itemType": "feature",
        "crs": [system.uri for system in crs.OFFERED],
        "storageCrs": crs.CRS84.uri,
        "extent": extent,
        "defaultSortOrder": order or ["id"],
        "links": _links(request, collection),
    }


def _links(request: Request, collection: Collection) -> list[Mapping[str, str]]:
    path = f"/collections/{collection.name}"
    links = own_links(request, path)
    links += [_items(request, collection, form) for form in FEATURES if form is not JSONFG]
    for name, rel, title in DESCRIPTIONS:
        links.append(link(rel, href(request, f"{path}/{name}"), SCHEMA.media_type, title))
    links.append(link("tilejson", href(request, f"/tiles/{collection.name}.json"), JSON, "Vector tiles (TileJSON)"))
    links.append(link(f"{REL}tilesets-vector", href(request, f"{path}/tiles"), JSON, "Vector tiles (OGC API - Tiles)"))
    links.append(link(f"{REL}tilesets-map", href(request, f"{path}/map/tiles"), JSON, "Tiles of the map"))
    links.append(link(f"{REL}styles", href(request, f"{path}/styles"), JSON, "How it is drawn"))
    links.append(link(f"{REL}map", href(request, f"{path}/map", f="png"), "image/png", "The map"))
    if collection.model is StrikeFeature:
        links.append(link("describedby", href(request, "/schemas/strikes"), JSON, "What is written of a strike"))
    links.append(_help(request))
    return links


def _help(request: Request) -> Mapping[str, str]:
    return link("help", href(request, "/connect"), "text/html", "How to connect QGIS, ArcGIS, Python, R and others")


def _items(request: Request, collection: Collection, form: Format) -> Mapping[str, str]:
    f = None if form is GEOJSON else form.name
    address = href(request, f"/collections/{collection.name}/items", f=f)
    return link("items", address, form.media_type, f"{collection.title} as {form.title}")
