"""The corrections log: what was published and was changed since, as a page, as JSON and as an Atom feed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field
from pydantic.config import JsonDict
from starlette.exceptions import HTTPException

from api.http.conditional import http_date, representation
from api.http.json import Json
from api.http.links import JSON, href, link
from api.openapi.declaration import ApiPart, Link
from api.openapi.responses import (
    ANY_OBJECT,
    COUNT,
    LINKS,
    NULLABLE_STRING,
    STRING,
    array_of,
    may_be_missing,
    object_with,
    reference,
)
from api.requests.corrections_query import LIMIT, LIMIT_MAX, MOMENT_PATTERN, corrections_query, keys_of
from api.requests.negotiation import ATOM, HTML, MediaFormat
from api.requests.negotiation import JSON as JSON_FORMAT
from api.requests.parameters import INTEGER_TEXT, must_match
from api.responses.resource import document, json_or_page, negotiated_format, served_version, version
from api.serializers.corrections import atom_feed, entry_values
from api.server.answer_cache import TRANSIENT
from api.server.live_snapshot import LiveSnapshot
from api.wording.preference import language_of
from layers.corrections.log import ID_DIGITS, KINDS, CorrectionsPage, EntryKind

PATH = "/corrections"
#: Parameters that make a feed of its own.
_FEEDS = ("strike", "record", "asset", "entity", "country", "kind")
_ROW = f"[0-9a-f]{{{ID_DIGITS}}}"
#: By digits of a hash, or by its number a change from before history had salts.
_ENTRY_ID = re.compile(rf"(load-)?({_ROW}|[0-9]{{1,15}})", re.ASCII)
_FORMATS: tuple[MediaFormat, ...] = (JSON_FORMAT, HTML, ATOM)


def _landing_links(request: Request) -> Sequence[Link]:
    return [
        link("version-history", href(request, PATH), JSON, "Corrections"),
        link("version-history", href(request, PATH, f="atom"), ATOM.media_type, "Corrections as a feed"),
    ]


_ENTRY: Json = object_with(
    id=STRING,
    at={"type": "string", "format": "date-time"},
    kind={"type": "string", "enum": list(KINDS)},
    table=NULLABLE_STRING,
    record=NULLABLE_STRING,
    title=STRING,
    changes=array_of(object_with(field=STRING)),
    counts=array_of(ANY_OBJECT),
    by={"type": "string", "enum": ["load", "editor"]},
    author=NULLABLE_STRING,
    why=NULLABLE_STRING,
    strikes=array_of(STRING),
    may_follow=array_of(STRING),
    countries=array_of(STRING),
)
PART = ApiPart(
    "corrections",
    schemas={
        "Correction": _ENTRY,
        "Corrections": object_with(numberReturned=COUNT, corrections=array_of(reference("Correction")), links=LINKS),
    },
    landing_links=_landing_links,
)

_Country = Annotated[
    str | None,
    Query(description="Only what concerns a country: ISO 3166-1 alpha-2 code.", pattern="^[A-Za-z]{2}$"),
    must_match(re.compile("[A-Za-z]{2}", re.ASCII), "an ISO 3166-1 alpha-2 code"),
]

_MOMENT: JsonDict = {"pattern": MOMENT_PATTERN}


@PART.document(PATH, "Corrections", "Corrections", formats=_FORMATS, amend=may_be_missing)
def corrections(
    request: Request,
    strike: Annotated[
        str | None, Query(description="Only what the answer to a strike is based on, or was based on.", max_length=160)
    ] = None,
    record: Annotated[str | None, Query(description="Only the record of an id.", max_length=160)] = None,
    asset: Annotated[
        str | None,
        Query(description="Only what is said of a site: its record, owners, ties, and strikes on it.", max_length=160),
    ] = None,
    entity: Annotated[
        str | None,
        Query(
            description="Only what concerns an owner: its stakes and ties, and strikes on what it holds.",
            max_length=160,
        ),
    ] = None,
    country: _Country = None,
    since: Annotated[
        str | None,
        Query(description="Only changes on a day (UTC), at a time, or later.", json_schema_extra=_MOMENT),
    ] = None,
    until: Annotated[
        str | None,
        Query(description="Only changes up to a day (UTC), or before a time.", json_schema_extra=_MOMENT),
    ] = None,
    kind: Annotated[EntryKind | None, Query(description="Only entries of a kind.")] = None,
    limit: Annotated[
        int, Field(ge=1, le=LIMIT_MAX), INTEGER_TEXT, Query(description="Most entries of a page.")
    ] = LIMIT,
    before: Annotated[
        str | None,
        Query(description="Only changes before one; next links have it.", pattern=f"^{_ROW}$"),
        must_match(re.compile(_ROW, re.ASCII), f"the first {ID_DIGITS} digits of the hash of a change"),
    ] = None,
) -> Response:
    """What changed, when and why, of all that is published, newest first; a page may be short and have a next one."""
    snapshot = served_version(request).snapshot
    query = corrections_query(
        since=since,
        until=until,
        country=country,
        kind=kind,
        keys=keys_of(snapshot, record=record, strike=strike, asset=asset, entity=entity),
        followed=asset or entity,
        limit=limit,
        before=before,
    )
    atlas: LiveSnapshot = request.app.state.atlas
    request.scope[TRANSIENT] = True
    page = atlas.corrections.page(served_version(request).published, query)
    return _answered(request, page)


@PART.document(f"{PATH}/{{entry}}", "One correction", "Correction")
def correction(
    request: Request,
    entry: Annotated[str, Path(description="Id of an entry.", json_schema_extra={"pattern": f"^{_ENTRY_ID.pattern}$"})],
) -> Response:
    """One entry of the corrections log, by the address that the feed has for it."""
    atlas: LiveSnapshot = request.app.state.atlas
    request.scope[TRANSIENT] = True
    read = _ENTRY_ID.fullmatch(entry)
    found = read and atlas.corrections.entry(served_version(request).published, read[2], is_load=bool(read[1]))
    if not found:
        raise HTTPException(404, f"No correction {entry[:80]!r}")
    return document(request, "answer", entry_values(found, language_of(request)))


def _answered(request: Request, page: CorrectionsPage) -> Response:
    form = negotiated_format(request, _FORMATS)
    links = _links(request, page, form)
    language = language_of(request)
    if form is ATOM:
        changed = http_date(served_version(request).changed)
        address = href(request, PATH)
        feed = href(request, PATH, **_following(request))

        def of_entry(name: str) -> str:
            return href(request, f"{PATH}/{name}")

        return representation(
            request,
            version(request),
            ATOM.media_type,
            lambda: atom_feed(page.entries, links, address, of_entry, changed, language, feed=feed),
            address,
            worded=True,
        )
    content = {
        "numberReturned": len(page.entries),
        "corrections": [entry_values(entry, language) for entry in page.entries],
        "links": links,
    }
    return json_or_page(request, version(request), form, "corrections", lambda: content)


def _following(request: Request) -> dict[str, str]:
    """The parameters that tell one feed from another, which its pages have in common."""
    return {name: value for name, value in request.query_params.items() if name in _FEEDS}


def _links(request: Request, page: CorrectionsPage, form: MediaFormat) -> list[Link]:
    given = {name: value for name, value in request.query_params.items() if name != "f"}
    links = [_link(request, "self", form, given, "This document")]
    links += [_link(request, "alternate", one, given, f"As {one.title}") for one in _FORMATS if one is not form]
    if page.next_before is not None:
        links.append(_link(request, "next", form, {**given, "before": page.next_before}, "Older corrections"))
    return links


def _link(request: Request, rel: str, form: MediaFormat, given: Json, title: str) -> Link:
    return link(rel, href(request, PATH, **given, f=form.name), form.media_type, title)
