"""Answers from the current version of the data, with validators, in the requested format."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence

import orjson
from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from api.formats.page import FileMetadata, Piece
from api.html import pages
from api.http.conditional import representation
from api.http.json import Json
from api.http.links import JSON, href, link
from api.rendering.canvas import style_table
from api.requests.negotiation import DOCUMENT, HTML, MediaFormat, negotiate
from api.server.live_snapshot import LiveSnapshot
from api.server.served_version import ServedVersion
from api.styles.rules import StyleTable
from layers.collections.collection import Collection

#: Answers of fewer bytes are joined, as whole ones may be cached; and those of more pieces, as each has its own write.
_LEAST_BYTES, _MOST_PIECES = 4 * 2**20, 64


class PiecesResponse(Response):
    """The answer 200 with a body that is given in pieces; where they are few and long they are not copied."""

    def __init__(self, pieces: Sequence[Piece], headers: Mapping[str, str], media_type: str) -> None:
        size = sum(map(len, pieces))
        is_joined = size < _LEAST_BYTES or len(pieces) > _MOST_PIECES
        self._pieces = [b"".join(pieces)] if is_joined else pieces
        super().__init__(None, headers={**headers, "Content-Length": str(size)}, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then each piece."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for number, piece in enumerate(self._pieces, 1):
            more = number < len(self._pieces)
            await send({"type": "http.response.body", "body": piece, "more_body": more})


def served_version(request: Request) -> ServedVersion:
    """Return the version of the data that a request is answered from, one version for the whole request."""
    if not hasattr(request.state, "view"):
        atlas: LiveSnapshot = request.app.state.atlas
        request.state.view = atlas.view
    view: ServedVersion = request.state.view
    return view


def version(request: Request) -> str:
    """Return the name of the version of the data that a request is answered from, for entity tags."""
    return served_version(request).version


def collection_or_404(view: ServedVersion, name: str) -> Collection:
    """Return the collection of a name, or answer 404."""
    collection = view.snapshot.collections.get(name)
    if collection is None:
        raise HTTPException(404, f"No collection {name[:80]!r}; see /collections")
    return collection


#: What files of each served version say of it; the cache does not keep a version alive.
_METADATA: weakref.WeakKeyDictionary[ServedVersion, FileMetadata] = weakref.WeakKeyDictionary()


def has_file_metadata(request: Request) -> bool:
    """Whether what files say of the version that a request is answered from is known, and so is read at once."""
    return served_version(request) in _METADATA


def file_metadata(request: Request) -> FileMetadata:
    """Return what files say of the version of the data that a request is answered from."""
    view = served_version(request)
    known = _METADATA.get(view)
    if known is None:
        described = FileMetadata.of(view.published, request.app.state.settings)
        known = _METADATA.setdefault(view, described)
    return known


def look_of(request: Request) -> StyleTable:
    """Return how the map is drawn."""
    return style_table(request.app.state.settings.static / "style-table.json")


def licence_link(request: Request) -> Mapping[str, str]:
    """Return the link to the licence of the records (RFC 4946)."""
    return link("license", request.app.state.settings.licence, "text/html", "Licence of the records")


def negotiated_format(request: Request, offered: tuple[MediaFormat, ...]) -> MediaFormat:
    """Return the format that a request is answered in.

    Raises BadParameter if the parameter f names no offered format; NotAcceptable if the Accept header has the media
    type of no offered format.
    """
    return negotiate(request.query_params.get("f"), request.headers.get("accept"), offered)


def as_json(content: object, request: Request, media_type: str = JSON) -> Response:
    """Answer a document of the current version as JSON, or 304 if the client has it."""
    return representation(request, version(request), media_type, orjson.dumps(content), worded=True)


def document(
    request: Request, kind: str, content: Json, offered: tuple[MediaFormat, ...] = DOCUMENT, variant: str = ""
) -> Response:
    """Answer a resource as JSON, or as a page.

    Parameters
    ----------
    kind
        Kind of page, see `api.html.pages.page`.
    content
        The resource as JSON values.
    offered
        Formats that the request chooses from, JSON first.
    variant
        Tells contents apart that one version of the data may have.
    """
    form = negotiated_format(request, offered)
    return json_or_page(request, version(request) + variant, form, kind, lambda: content)


def json_or_page(request: Request, name: str, form: MediaFormat, kind: str, content: Callable[[], Json]) -> Response:
    """Answer a resource of the name of a version in a format, see `document`; its values are found where needed."""

    def body() -> bytes:
        if form is HTML:
            return pages.page(request, served_version(request), kind, content())
        return orjson.dumps(content())

    return representation(request, name, form.media_type, body, worded=True)


def self_links(request: Request, path: str, offered: Sequence[MediaFormat] = DOCUMENT) -> list[Mapping[str, str]]:
    """Return the links of a document to itself as requested, and to its other formats (OGC 17-069r4, 7.13.2)."""
    requested = negotiated_format(request, tuple(offered))
    address = href(request, path, f=None if requested is offered[0] else requested.name)
    return [
        link("self", address, requested.media_type, "This document"),
        *(
            link("alternate", href(request, path, f=form.name), form.media_type, f"As {form.title}")
            for form in offered
            if form is not requested
        ),
    ]
