"""OGC API - Features part 1: landing page, conformance, collections and items."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from api.atlas import Atlas, View
from api.headers import is_known
from api.links import GEOJSON, JSON, href, link
from api.openapi import MEDIA_TYPE as OPENAPI
from api.params import BBox, Datetime, only_known
from geo import geojson
from layers.collection import Collection

router = APIRouter(tags=["features"], dependencies=[Depends(only_known)])

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)


def view(request: Request) -> View:
    """The version of the data that this request answers from, the same however often it is asked for."""
    if not hasattr(request.state, "view"):
        atlas: Atlas = request.app.state.atlas
        request.state.view = atlas.view
    taken: View = request.state.view
    return taken


def as_json(content: object, request: Request, media_type: str = JSON) -> Response:
    """Answer JSON made from the current version, or 304 where the client has it."""
    return made(orjson.dumps(content), request, media_type)


def made(body: bytes, request: Request, media_type: str) -> Response:
    """Answer a body made from the current version, with its entity tag, or 304 (RFC 9110, 13.1.2)."""
    headers = {"ETag": view(request).etag, "Cache-Control": "no-cache"}
    if is_known(request.headers, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


@router.get("/", name="landing", summary="Landing page")
def landing(request: Request) -> Response:
    """Where everything is. A browser is sent to the map."""
    accept = request.headers.get("accept", "")
    if "text/html" in accept and "f" not in request.query_params:
        return RedirectResponse(href(request, "/map"), 303)
    links = [
        link("self", href(request, "/"), JSON, "This document"),
        link("service-desc", href(request, "/api"), OPENAPI, "The API"),
        link("conformance", href(request, "/conformance"), JSON, "Conformance classes"),
        link("data", href(request, "/collections"), JSON, "Collections"),
        link("alternate", href(request, "/map"), "text/html", "The map"),
    ]
    return as_json({"title": "StrikeAtlas", "description": request.app.description, "links": links}, request)


@router.get("/api", summary="API definition")
def api(request: Request) -> Response:
    """Describe every route as OpenAPI."""
    here = href(request, "/").rstrip("/")
    return as_json({**request.app.openapi(), "servers": [{"url": here}]}, request, OPENAPI)


@router.get("/conformance", summary="Conformance classes")
def conformance(request: Request) -> Response:
    """Say which classes are implemented and tested."""
    return as_json({"conformsTo": CONFORMANCE}, request)


@router.get("/collections", summary="Collections")
def collections(request: Request) -> Response:
    """List what can be asked for."""
    told = [_described(request, collection) for collection in view(request).snapshot.collections.values()]
    links = [link("self", href(request, "/collections"), JSON, "This document")]
    return as_json({"links": links, "collections": told}, request)


@router.get("/collections/{collection}", summary="One collection")
def collection(request: Request, collection: str) -> Response:
    """Describe one collection."""
    return as_json(_described(request, find(view(request), collection)), request)


def find(view: View, name: str) -> Collection:
    """The collection of that name, or 404."""
    found = view.snapshot.collections.get(name)
    if found is None:
        raise HTTPException(404, f"No collection {name[:80]!r}; see /collections")
    return found


def _described(request: Request, collection: Collection) -> Mapping[str, Any]:
    path = f"/collections/{collection.name}"
    interval = [None, None] if collection.days is None else [day.isoformat() + "T00:00:00Z" for day in collection.days]
    extent: dict[str, Any] = {"temporal": {"interval": [interval], "trs": GREGORIAN}}
    if collection.bounds is not None:
        extent["spatial"] = {"bbox": [list(collection.bounds)], "crs": CRS84}
    return {
        "id": collection.name,
        "title": collection.title,
        "description": collection.description,
        "itemType": "feature",
        "crs": [CRS84],
        "extent": extent,
        "links": [
            link("self", href(request, path), JSON, collection.title),
            link("items", href(request, f"{path}/items"), GEOJSON, f"{collection.title} as GeoJSON"),
            link("tilejson", href(request, f"/tiles/{collection.name}.json"), JSON, "Vector tiles (TileJSON)"),
        ],
    }


@router.get("/collections/{collection}/items", summary="Features")
def items(
    request: Request,
    collection: str,
    bbox: BBox,
    datetime: Datetime,
    limit: Annotated[
        int | None, Query(ge=1, le=2**31, description="Most features of one answer; more than the maximum is cut.")
    ] = None,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Features to pass over.")] = 0,
) -> Response:
    """Features in a fixed order that intersect a box and may fall in an interval, a page at a time."""
    found = find(view(request), collection)
    settings = request.app.state.settings
    page = min(limit or settings.limit_default, settings.limit_max)
    rows = found.select(bbox, datetime.first, datetime.last, placeless=True)
    told = rows[offset : offset + page]
    extra = {
        "links": _page_links(request, found, page, offset, len(rows)),
        "numberMatched": len(rows),
        "numberReturned": len(told),
        "timeStamp": _now(),
    }
    return made(geojson.collection([found.fragments[row] for row in told], extra), request, GEOJSON)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _page_links(request: Request, found: Collection, page: int, offset: int, matched: int) -> list[Mapping[str, str]]:
    path = f"/collections/{found.name}/items"
    asked = {name: request.query_params.get(name) for name in ("bbox", "datetime", "f")}
    links = [
        link("self", href(request, path, **asked, limit=page, offset=offset or None), GEOJSON, "This page"),
        link("collection", href(request, f"/collections/{found.name}"), JSON, found.title),
    ]
    if offset + page < matched:
        links.append(link("next", href(request, path, **asked, limit=page, offset=offset + page), GEOJSON, "Next page"))
    if offset > 0:
        before = max(0, offset - page)
        links.append(
            link("prev", href(request, path, **asked, limit=page, offset=before or None), GEOJSON, "Page before")
        )
    return links


@router.get("/collections/{collection}/items/{feature:path}", summary="One feature")
def item(request: Request, collection: str, feature: str) -> Response:
    """One feature by its id."""
    found = find(view(request), collection)
    row = found.rows_by_id.get(feature)
    if row is None:
        raise HTTPException(404, f"No feature {feature[:80]!r} in {collection}")
    path = f"/collections/{collection}"
    links = [
        link("self", href(request, f"{path}/items/{feature}"), GEOJSON, "This feature"),
        link("collection", href(request, path), JSON, found.title),
    ]
    body = found.fragments[row][:-1] + b',"links":' + orjson.dumps(links) + b"}"
    return made(body, request, GEOJSON)
