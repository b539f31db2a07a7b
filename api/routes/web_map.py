"""The web map and its files, and the page on connecting programs, with the address that the reader came by."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.responses import FileResponse, PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from api.http.links import href, link
from api.requests.negotiation import HTML
from api.responses.resource import document

router = APIRouter(include_in_schema=False)


@router.get("/map")
def web_map(request: Request) -> Response:
    """The map."""
    return _page(request, "index.html")


@router.get("/review")
def review(request: Request) -> Response:
    """The page of reviewers; what it shows needs a token."""
    return _page(request, "review.html")


@router.get("/connect")
def connect(request: Request) -> Response:
    """What to paste into each program."""
    links = [link("self", href(request, "/connect"), HTML.media_type, "This document")]
    return document(request, "connect", {"title": "Connect", "links": links}, (HTML,))


class Page(FileResponse):
    """A page as a whole, whatever Range asks for (RFC 9110, 14.2): a fault in it would be told as plain text."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the file."""
        whole = [(name, value) for name, value in scope["headers"] if name not in (b"range", b"if-range")]
        await super().__call__({**scope, "headers": whole}, receive, send)


def _page(request: Request, name: str) -> Response:
    static: Path = request.app.state.settings.static
    return Page(static / name, headers={"Cache-Control": "no-cache", "Accept-Ranges": "none"})


@router.get("/robots.txt")
def robots() -> Response:
    """Let crawlers read the page, not every tile."""
    return PlainTextResponse("User-agent: *\nDisallow: /tiles/\nDisallow: /review\n")


class Files(StaticFiles):
    """Static files; what is not vendored is asked for anew each time, so that a new version shows."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Answer a file with the caching it bears."""
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def mount(app: FastAPI, static: Path) -> None:
    """Serve the folder of the page under /static."""
    app.mount("/static", Files(directory=static), name="static")
