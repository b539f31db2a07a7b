"""The web map and its files, and the page on connecting programs, with the address that the reader came by."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.html.pages import translated, with_head
from api.html.shown_pages import map_head
from api.http.common_headers import embedding_policy
from api.http.links import href, link
from api.openapi.declaration import ApiPart, Link
from api.requests.map_view import MapView
from api.requests.negotiation import HTML
from api.responses.resource import document, served_version
from api.wording.catalogue import ENGLISH, languages
from api.wording.preference import language_headers, language_of
from layers.collections.collection import Collection
from layers.model.cache import LruCache

router = APIRouter(include_in_schema=False)

#: Bytes of static files in memory, several times those that there are; a file of more than a quarter is read for each
#: answer.
STATIC_CACHE_BYTES = 16 * 2**20


def _landing_links(request: Request) -> Sequence[Link]:
    return [link("alternate", href(request, "/map"), HTML.media_type, "The map"), _help(request)]


def _collection_links(request: Request, collection: Collection) -> Sequence[Link]:
    return [_help(request)]


def _help(request: Request) -> Link:
    title = "How to connect QGIS, ArcGIS, Python, R and others"
    return link("help", href(request, "/connect"), HTML.media_type, title)


PART = ApiPart(
    "web map",
    router=router,
    landing_links=_landing_links,
    collection_links=_collection_links,
    mount=lambda app: app.mount("/static", StaticFolder(directory=app.state.settings.static), name="static"),
)


@router.get("/map")
def web_map(request: Request) -> Response:
    """Answer the page of the map; its head says the view that the address has, if it has one."""
    shown, embedded = MapView.read(request.query_params), request.query_params.get("embed") == "1"
    if shown == MapView() and not embedded:
        return _page(request, "index.html")
    source = (request.app.state.settings.static / "index.html").read_text(encoding="utf-8")
    head = map_head(request, served_version(request), shown)
    page = with_head(request, translated(source, language_of(request)), head, embedded=embedded)
    headers = {"Cache-Control": "no-cache", **language_headers(request, worded=True)}
    if embedded:
        headers["Content-Security-Policy"] = embedding_policy(request.app.state.settings.embedders)
    return HTMLResponse(page, headers=headers)


@router.get("/review")
def review(request: Request) -> Response:
    """Answer the page of reviewers, who give their token there."""
    return _page(request, "review.html")


@router.get("/method")
def method(request: Request) -> Response:
    """Answer the page on what figures mean and how they are worked out."""
    links = [link("self", href(request, "/method"), HTML.media_type, "This document")]
    return document(request, "method", {"title": "How we know", "links": links}, (HTML,))


@router.get("/connect")
def connect(request: Request) -> Response:
    """Answer the page on connecting programs, with the addresses to paste into each."""
    links = [link("self", href(request, "/connect"), HTML.media_type, "This document")]
    return document(request, "connect", {"title": "Connect", "links": links}, (HTML,))


def _page(request: Request, name: str) -> Response:
    path: Path = request.app.state.settings.static / name
    language = language_of(request)
    headers = {"Cache-Control": "no-cache", "Accept-Ranges": "none"}
    if len(languages()) > 1:
        headers |= {"Vary": "Accept-Language", "Content-Language": language}
    if language == ENGLISH:
        # As a whole, whatever range a request names (RFC 9110, 14.2): a faulty range would be refused in text.
        return _whole(FileResponse(path, headers=headers, stat_result=path.stat()), path.read_bytes())
    return HTMLResponse(translated(path.read_text(encoding="utf-8"), language), headers=headers)


def _whole(answer: FileResponse, content: bytes) -> Response:
    """Return the answer to a file with its content, which may have been written anew since and be of another length."""
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return Response(content, headers=headers)


@router.get("/robots.txt")
def robots() -> Response:
    """Let crawlers read the page, not every tile."""
    return PlainTextResponse("User-agent: *\nDisallow: /tiles/\nDisallow: /review\n")


class StaticFolder(StaticFiles):
    """A folder of files that browsers ask for anew each time, so that a new version shows.

    A page asks for a hundred of them. They stay in memory until they change, and are looked up without a thread, which
    takes longer to begin than the look.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self._contents: LruCache[bytes] = LruCache(STATIC_CACHE_BYTES, len, STATIC_CACHE_BYTES // 4)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer a file as a whole, or as `StaticFiles` does where a part of it, another method or none is meant."""
        if scope["method"] == "GET" and not any(name == b"range" for name, _ in scope["headers"]):
            with suppress(OSError, ValueError):
                file, found = self.lookup_path(path)
                if found is not None and stat.S_ISREG(found.st_mode) and found.st_size <= STATIC_CACHE_BYTES // 4:
                    answer = self.file_response(file, found, scope)
                    return self._with_content(answer, found) if isinstance(answer, FileResponse) else answer
        return await super().get_response(path, scope)

    def _with_content(self, answer: FileResponse, found: os.stat_result) -> Response:
        key = (answer.path, found.st_mtime_ns, found.st_size)
        return _whole(answer, self._contents.get_or_compute(key, Path(answer.path).read_bytes))

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Answer a file that may not be cached without being revalidated."""
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "no-cache"
        return answer
