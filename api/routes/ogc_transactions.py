"""OGC API - Features part 4: reviewers add, replace, update and remove strikes. All of it needs a token."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request, Response
from starlette.exceptions import HTTPException

from api.http.conditional import strong_etag
from api.http.json import Json
from api.http.links import GEOJSON as GEOJSON_TYPE
from api.http.links import href, item_path
from api.openapi.declaration import OGC_SPEC, ApiPart, Handler
from api.openapi.editing import MERGE_PATCH, describe_strike_write
from api.openapi.responses import ANY_OBJECT, STRING, array_of, object_with
from api.requests import crs, strike_body
from api.requests.negotiation import GEOJSON
from api.requests.reviewer_tokens import InsufficientRole
from api.requests.write_headers import IF_MATCH, REASON, parse_if_match, parse_reason
from api.responses.authorisation import Author, allowed
from api.responses.person_write import Body, PersonWrite
from api.routes.review import DATASET, version_for
from api.server.live_snapshot import LiveSnapshot
from api.server.served_version import ServedVersion
from layers.disclosure.ruling import PLACE_FIELDS, withheld_fields
from layers.model.records import Record, Strike
from layers.store.idempotency import KeyedRequest, StoredResponse
from layers.store.store import ANY, Edit, EditConflict, StillReferenced

PART = ApiPart(
    "writing",
    conformance=[
        f"{OGC_SPEC}ogcapi-features-4/1.0/conf/{name}"
        for name in ("create-replace-delete", "update", "optimistic-locking-etags", "features")
    ],
    schemas={
        "WrittenStrike": object_with(
            type={"type": "string", "enum": ["Feature"]},
            id=STRING,
            geometry={**ANY_OBJECT, "nullable": True},
            properties=object_with(
                title=STRING, when=STRING, place=STRING, status=STRING, sources=array_of(STRING), checked=STRING
            ),
        )
    },
)

ITEMS = "/collections/strikes/items"
ITEM = f"{ITEMS}/{{feature:path}}"


Editor = Annotated[Author, Depends(allowed("edit", writes=True))]


def _write(method: str, path: str, summary: str, **options: Any) -> Callable[[Handler], Handler]:
    """Declare a write of a strike, which is answered by the strike as it was written."""
    return PART.route(
        method, path, summary, schema="WrittenStrike", amend=partial(describe_strike_write, method), **options
    )


@_write("post", ITEMS, "Add a strike", status_code=201)
def create(request: Request, author: Editor, body: Body) -> Response:
    """Add a strike in the name of the reviewer whose token is given; the server gives its id."""
    _require_type(request, GEOJSON_TYPE, "application/json")
    writing = _writing(request, author, body)
    return writing.once(lambda: _created(request, writing, body))


@_write("put", ITEM, "Replace a strike", operation_id="replace_strike")
def replace(request: Request, feature: str, author: Editor, body: Body) -> Response:
    """Replace a strike as a whole, if it still is the version that If-Match names; its id and dataset stay."""
    _require_type(request, GEOJSON_TYPE, "application/json")
    writing = _writing(request, author, body)
    return writing.once(lambda: _replaced(request, writing, feature, body))


@_write("patch", ITEM, "Change parts of a strike", operation_id="change_strike")
def update(request: Request, feature: str, author: Editor, body: Body) -> Response:
    """Change what the body names (JSON Merge Patch, RFC 7396), if it still is the version that If-Match names."""
    _require_type(request, MERGE_PATCH, "application/json")
    writing = _writing(request, author, body)
    return writing.once(lambda: _patched(request, writing, feature, body))


@_write("delete", ITEM, "Remove a strike that a reviewer added", status_code=204, operation_id="remove_strike")
def delete(request: Request, feature: str, author: Editor) -> Response:
    """Remove a strike that came by this way, if it still is the version that If-Match names."""
    writing = _writing(request, author, b"")
    return writing.once(lambda: _removed(request, writing, feature))


def _writing(request: Request, author: Author, body: bytes) -> PersonWrite:
    """Read a write; whoever may not read what is not published is answered by what is."""
    writing = PersonWrite.keyed(request, author, body)
    return (
        writing if author.may("read-private") else dataclasses.replace(writing, shown=partial(_as_published, request))
    )


def _created(request: Request, writing: PersonWrite, body: bytes) -> Response:
    why = _reason(request)
    atlas, view = _newest(request)
    now = datetime.now(UTC)
    key = f"{DATASET}-{now:%Y%m%d}-{secrets.token_hex(4)}"
    values, faults = strike_body.feature_values(strike_body.parse_json_object(body), _system(request))
    strike = strike_body.build_strike(
        values, faults, {"id": key, "dataset": DATASET}, writing.author.may_know(view), atlas.basemap
    )
    if strike.private and not writing.author.may("read-private"):
        raise InsufficientRole(("read-private",), "whoever adds a private strike must be able to read it")
    return _committed(request, writing, Edit("strikes", key, strike, None), 201, why, now)


def _replaced(request: Request, writing: PersonWrite, feature: str, body: bytes) -> Response:
    why, system = _reason(request), _system(request)
    before = _stored(request, feature, writing.author)
    if before is None and _if_match(request) is not None:
        raise EditConflict(f"there is no strike {feature[:80]!r}")
    before = _required(request, feature, before, writing.author)
    seen = _seen(request, before, writing.author, ("geometry", *strike_body.WRITABLE))
    values, faults = strike_body.feature_values(strike_body.parse_json_object(body), system)
    return _rewritten(request, writing, before, seen, values, faults, why)


def _patched(request: Request, writing: PersonWrite, feature: str, body: bytes) -> Response:
    why, system = _reason(request), _system(request)
    before = _required(request, feature, _stored(request, feature, writing.author), writing.author)
    document = strike_body.parse_json_object(body)
    properties = document.get("properties")
    named = {*document, *(properties if isinstance(properties, dict) else ())}
    seen = _seen(request, before, writing.author, named)
    values, faults = strike_body.patched_values(document, seen, system)
    return _rewritten(request, writing, before, seen, values, faults, why)


def _removed(request: Request, writing: PersonWrite, feature: str) -> Response:
    why = _reason(request)
    before = _required(request, feature, _stored(request, feature, writing.author), writing.author)
    if before.dataset != DATASET:
        raise strike_body.NotEditable(before.id, before.dataset)
    edit = Edit("strikes", before.id, None, request.app.state.atlas.view.name_of(before))
    return _committed(request, writing, edit, 204, why)


def _rewritten(
    request: Request,
    writing: PersonWrite,
    before: Strike,
    seen: Strike,
    values: Json,
    faults: list[strike_body.BodyFault],
    why: str | None,
) -> Response:
    atlas: LiveSnapshot = request.app.state.atlas
    own = {"id": before.id, "dataset": before.dataset}
    strike = strike_body.build_strike(values, faults, own, writing.author.may_know(atlas.view), atlas.basemap, seen)
    if unseen := [source for source in before.sources if source not in seen.sources]:
        strike = strike.model_copy(update={"sources": (*strike.sources, *unseen)})
    edit = Edit("strikes", before.id, strike, atlas.view.name_of(before))
    return _committed(request, writing, edit, 200, why)


def _committed(
    request: Request, writing: PersonWrite, edit: Edit, status: int, why: str | None, at: datetime | None = None
) -> Response:
    """Write an edit, and answer the feature as it was written."""
    atlas: LiveSnapshot = request.app.state.atlas
    author = writing.author
    if edit.seen is not None:
        author.require_may_lift(atlas.view, "strikes", edit.id, edit.record)

    def write(keyed: KeyedRequest | None) -> int:
        try:
            return atlas.write(edit, author=author.name, at=at, keyed=keyed, why=why)
        except StillReferenced:
            if author.may("read-private"):
                raise
            raise StillReferenced(f"other records speak of {edit.id}") from None  # which may be private

    return writing.commit([edit.id], write, lambda seq: _answer(request, edit.record, seq, status))


def _newest(request: Request) -> tuple[LiveSnapshot, ServedVersion]:
    """Return the newest version of the data: a writer looks at their own last write."""
    atlas: LiveSnapshot = request.app.state.atlas
    atlas.refresh()
    return atlas, atlas.view


def _stored(request: Request, feature: str, author: Author) -> Strike | None:
    """Return a strike of the newest version; one that is not published is there for those who may read it."""
    _, view = _newest(request)
    if feature not in view.snapshot.records.strikes and not author.may("read-private"):
        return None
    return view.stored.strikes.get(feature)


def _seen(request: Request, stored: Strike, author: Author, named: Collection[str]) -> Strike:
    """Return a strike with the sources that its writer may know of.

    Raises InsufficientRole if the writer names what is withheld from them, or what is checked against it: the answer
    would give it away; EditConflict if it is no longer published.
    """
    if author.may("read-private"):
        return stored
    published = request.app.state.atlas.view.disclosure.records.strikes.get(stored.id)
    if published is None:
        raise EditConflict(f"{stored.id} was changed since it was seen")
    withheld = withheld_fields(published)
    place = (*PLACE_FIELDS, *strike_body.POSITION) if "geometry" in withheld else ()
    if hidden := [name for name in dict.fromkeys((*withheld, *place)) if name in named]:
        raise InsufficientRole(("read-private",), f"what is withheld bears on {', '.join(hidden)}, see /policy")
    return stored.model_copy(update={"sources": published.sources})


def _required(request: Request, feature: str, current: Strike | None, author: Author) -> Strike:
    """Return the strike if it is of the version that the request names (RFC 9110, 13.1.1).

    Entity tags of a strike begin with the version of its record, for who may read no other of the published one. The
    rest of a tag, the format and the version of the whole data, does not matter to a writer.
    """
    if current is None:
        raise HTTPException(404, f"No feature {feature[:80]!r} in strikes")
    stated = _if_match(request)
    if stated is None:
        raise HTTPException(428, "If-Match must name the version that was seen, by the ETag of the strike")
    versions = [tag.strip('"').partition(".")[0] for tag in stated]
    if ANY not in stated and version_for(request.app.state.atlas.view, current.id, author) not in versions:
        raise EditConflict(f"{current.id} was changed since it was seen")
    return current


def _reason(request: Request) -> str | None:
    """Read why it is written. A malformed header is refused before the version is compared (RFC 9110, 13.2.1)."""
    return parse_reason(request.headers.getlist(REASON))


def _if_match(request: Request) -> tuple[str, ...] | None:
    return parse_if_match(request.headers.getlist(IF_MATCH))


def _require_type(request: Request, *types: str) -> None:
    """Refuse a body of another media type (RFC 9110, 15.5.16)."""
    stated = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if stated not in types:
        accepted = {"Accept-Patch" if types[0] == MERGE_PATCH else "Accept": types[0]}
        raise HTTPException(415, f"A body of {' or '.join(types)} is read", headers=accepted)


def _system(request: Request) -> crs.Crs:
    """Read the system of the coordinates of the body (OGC 20-002, 9.4)."""
    stated = request.headers.get("content-crs")
    return crs.CRS84 if stated is None else crs.parse_crs(stated.strip().strip("<>"), "Content-Crs")


def _answer(request: Request, strike: Record | None, seq: int, status: int) -> StoredResponse:
    """Return the answer to a write, whose entity tag is its own: clients read a feature in another form than it has."""
    if not isinstance(strike, Strike):
        return StoredResponse(status, {}, b"")
    name = request.app.state.atlas.view.name_of(strike)
    headers = {
        "Content-Type": GEOJSON_TYPE,
        "ETag": strong_etag(f"{name}.{seq}", GEOJSON.name),
        "Cache-Control": "no-store",
    }
    if status == 201:
        headers["Location"] = href(request, item_path("strikes", strike.id))
    return StoredResponse(status, headers, orjson.dumps(strike_body.to_geojson(strike)))


def _as_published(request: Request, answer: StoredResponse) -> StoredResponse:
    """Return the answer to a write with the strike as it is published now; without its values where it is not."""
    if not answer.body:
        return answer
    view: ServedVersion = request.app.state.atlas.view
    key = orjson.loads(answer.body)["id"]
    strike, headers = view.disclosure.records.strikes.get(key), dict(answer.headers)
    del headers["ETag"]
    if strike is None:
        empty = {"type": "Feature", "id": key, "geometry": None, "properties": {}}
        return StoredResponse(answer.status, headers, orjson.dumps(empty))
    headers["ETag"] = strong_etag(f"{view.version_of_strike(key)}.written", GEOJSON.name)
    return StoredResponse(answer.status, headers, orjson.dumps(strike_body.to_geojson(strike)))
