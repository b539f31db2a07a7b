"""The web map and its files."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.responses import FileResponse, PlainTextResponse
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)


@router.get("/map")
def web_map(request: Request) -> Response:
    """The map."""
    return _page(request, "index.html")


@router.get("/review")
def review(request: Request) -> Response:
    """The page of reviewers; what it shows needs a token."""
    return _page(request, "review.html")


def _page(request: Request, name: str) -> Response:
    static: Path = request.app.state.settings.static
    return FileResponse(static / name, headers={"Cache-Control": "no-cache"})


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
