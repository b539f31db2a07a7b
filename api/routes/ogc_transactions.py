"""OGC API - Features part 4: reviewers add, replace, update and remove strikes. All of it needs a token."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.http.conditional import strong
from api.http.links import GEOJSON as GEOJSON_TYPE
from api.http.links import href, item_path
from api.requests import crs, strike_body
from api.requests.negotiation import GEOJSON
from api.requests.query_parameters import named_once
from api.routes.review import DATASET, Who
from api.server.live_snapshot import Atlas
from api.server.served_version import View
from layers.model.records import Strike
from layers.store.row_mapping import TABLES, version_of
from layers.store.store import ANY, Changed, Edit

router = APIRouter(tags=["writing"], dependencies=[Depends(named_once)])

MERGE_PATCH = "application/merge-patch+json"
ITEMS = "/collections/strikes/items"
ITEM = f"{ITEMS}/{{feature:path}}"


async def _body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_body)]


@router.post(ITEMS, summary="Add a strike", status_code=201)
def create(request: Request, who: Who, body: Body) -> Response:
    """Add a strike in the name of the reviewer whose token is given; the server gives its id."""
    _require_type(request, GEOJSON_TYPE, "application/json")
    atlas, view = _newest(request)
    now = datetime.now(UTC)
    key = f"{DATASET}-{now:%Y%m%d}-{secrets.token_hex(4)}"
    values, faults = strike_body.feature(strike_body.parsed(body), _system(request))
    made = strike_body.strike(values, faults, {"id": key, "dataset": DATASET}, view.stored, atlas.basemap)
    atlas.store.write(Edit("strikes", key, made, None), who=who, at=now, renewal=atlas.renewal())
    return _written(request, made, 201)


@router.put(ITEM, summary="Replace a strike", operation_id="replace_strike")
def replace(request: Request, feature: str, who: Who, body: Body) -> Response:
    """Replace a strike as a whole, if it still is the version that If-Match names; its id and dataset stay."""
    _require_type(request, GEOJSON_TYPE, "application/json")
    _, view = _newest(request)
    before = view.stored.strikes.get(feature)
    if before is None and "if-match" in request.headers:
        raise Changed(f"there is no strike {feature[:80]!r}")
    before = _required(request, feature, before)
    values, faults = strike_body.feature(strike_body.parsed(body), _system(request))
    return _replaced(request, who, before, values, faults)


@router.patch(ITEM, summary="Change parts of a strike", operation_id="change_strike")
def update(request: Request, feature: str, who: Who, body: Body) -> Response:
    """Change what the body names (JSON Merge Patch, RFC 7396), if it still is the version that If-Match names."""
    _require_type(request, MERGE_PATCH, "application/json")
    _, view = _newest(request)
    before = _required(request, feature, view.stored.strikes.get(feature))
    values, faults = strike_body.patched(strike_body.parsed(body), before, _system(request))
    return _replaced(request, who, before, values, faults)


@router.delete(ITEM, summary="Remove a strike that a reviewer added", status_code=204, operation_id="remove_strike")
def delete(request: Request, feature: str, who: Who) -> Response:
    """Remove a strike that came by this way, if it still is the version that If-Match names."""
    atlas, view = _newest(request)
    before = _required(request, feature, view.stored.strikes.get(feature))
    if before.dataset != DATASET:
        raise strike_body.NotOwn(before.id, before.dataset)
    atlas.store.write(Edit("strikes", before.id, None, _version(before)), who=who, renewal=atlas.renewal())
    atlas.refresh()
    return Response(status_code=204)


def _replaced(
    request: Request, who: str, before: Strike, values: strike_body.Json, faults: list[strike_body.Fault]
) -> Response:
    atlas: Atlas = request.app.state.atlas
    own = {"id": before.id, "dataset": before.dataset}
    made = strike_body.strike(values, faults, own, atlas.view.stored, atlas.basemap, before)
    atlas.store.write(Edit("strikes", before.id, made, _version(before)), who=who, renewal=atlas.renewal())
    return _written(request, made, 200)


def _newest(request: Request) -> tuple[Atlas, View]:
    """The newest version, as who has just written looks for what they wrote."""
    atlas: Atlas = request.app.state.atlas
    atlas.refresh()
    return atlas, atlas.view


def _required(request: Request, feature: str, there: Strike | None) -> Strike:
    """The strike, if it is the version that the request names (RFC 9110, 13.1.1).

    Entity tags of a strike begin with the version of its record: what else they name, as the form and the version of
    what follows from other records, does not matter here.
    """
    if there is None:
        raise HTTPException(404, f"No feature {feature[:80]!r} in strikes")
    stated = request.headers.get("if-match")
    if stated is None:
        raise HTTPException(428, "If-Match must name the version that was seen, by the ETag of the strike")
    tags = [tag.strip().removeprefix("W/").strip('"').partition(".")[0] for tag in stated.split(",")]
    if ANY not in tags and _version(there) not in tags:
        raise Changed(f"{there.id} was changed since it was seen")
    return there


def _version(strike: Strike) -> str:
    return version_of(TABLES["strikes"].plain(strike))


def _require_type(request: Request, *types: str) -> None:
    """Refuse a body of another media type (RFC 9110, 15.5.16)."""
    stated = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if stated not in types:
        accepted = {"Accept-Patch" if types[0] == MERGE_PATCH else "Accept": types[0]}
        raise HTTPException(415, f"A body of {' or '.join(types)} is read", headers=accepted)


def _system(request: Request) -> crs.Crs:
    """The system of the coordinates of the body (OGC 20-002, 9.4)."""
    stated = request.headers.get("content-crs")
    return crs.CRS84 if stated is None else crs.named(stated.strip().strip("<>"), "Content-Crs")


def _written(request: Request, made: Strike, status: int) -> Response:
    """The feature as it was written; it is in the answers of this server before this one is out."""
    atlas: Atlas = request.app.state.atlas
    atlas.refresh()
    headers = {"ETag": strong(f"{_version(made)}.{atlas.view.version}", GEOJSON.name), "Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = href(request, item_path("strikes", made.id))
    body = orjson.dumps(strike_body.told(made))
    return Response(body, status, media_type=GEOJSON_TYPE, headers=headers)
