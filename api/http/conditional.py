"""Validators of what is answered: strong entity tags, and requests conditional on them (RFC 9110, 8.8 and 13)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from api.http.content_coding import CODINGS, takes

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_OTHER = re.compile(r"[^\w.+-]+", re.ASCII)


@lru_cache(maxsize=512)
def strong(version: str, media_type: str, *parts: str) -> str:
    """The strong entity tag of one representation, before it is compressed.

    The same address, version and media type must give the same bytes; whatever else the bytes depend on, such as a
    language, is one of ``parts``. A compressed body has another tag (`coded`), as its bytes are others.
    """
    return f'"{"-".join(_OTHER.sub("_", part) for part in (version, media_type, *parts))}"'


def coded(tag: str, coding: str) -> str:
    """The tag of a representation in a content coding."""
    return f'{tag[:-1]}-{coding}"'


def matched(known: str, tag: str, accepted: str | None) -> str | None:
    """The tag in If-None-Match that names this representation, plain or in a coding that the client takes.

    Which coding is chosen is free among those the client takes, so the one that it has already is chosen. The
    comparison is weak (RFC 9110, 13.1.2). ``*`` is left to whoever knows the final tag.
    """
    plain = tag.removeprefix("W/").strip('"')
    for found in _TAG.findall(known):
        coding = found.removeprefix(f"{plain}-")
        if found == plain or (found != coding and coding in CODINGS and takes(accepted, coding)):
            return f'"{found}"'
    return None


def unchanged_since(stated: str, modified: str) -> bool:
    """Whether Last-Modified is not after If-Modified-Since; a date that is none is disregarded (13.1.3)."""
    try:
        return parsedate_to_datetime(modified) <= parsedate_to_datetime(stated)
    except (TypeError, ValueError):
        return False


def caching(seconds: int) -> str:
    """Cache-Control of what anybody may keep: so many seconds, and after that only with a question."""
    return f"public, max-age={seconds}" if seconds else "no-cache"


def unmodified(request: Request, tag: str, headers: Mapping[str, str]) -> Response | None:
    """304 where the client has the representation, for a route to ask before it makes the body; else ``None``."""
    known = request.headers.get("if-none-match")
    if known is None or request.method not in ("GET", "HEAD"):
        return None
    has = matched(known, tag, request.headers.get("accept-encoding"))
    return None if has is None else Response(status_code=304, headers={**headers, "ETag": has})


def representation(
    request: Request, version: str, media_type: str, body: bytes | Callable[[], bytes], *parts: str
) -> Response:
    """Answer a body made from a version of the data, or 304. A body that is a function is made only where needed."""
    tag = strong(version, media_type, *parts)
    headers = {"ETag": tag, "Cache-Control": caching(request.app.state.settings.cache_s), "Vary": "Accept"}
    known = unmodified(request, tag, headers)
    if known is not None:
        return known
    return Response(body() if callable(body) else body, media_type=media_type, headers=headers)


def stamp(at: datetime) -> str:
    """A time of the data, UTC, as RFC 3339 to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
