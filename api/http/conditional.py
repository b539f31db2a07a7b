"""Validators of answers: strong entity tags, and requests conditional on them (RFC 9110, 8.8 and 13)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from api.http.content_coding import CODINGS, accepts
from api.wording.preference import language_headers, language_parts

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_OTHER = re.compile(r"[^\w.+-]+", re.ASCII)


@lru_cache(maxsize=512)
def strong_etag(version: str, media_type: str, *parts: str) -> str:
    """Build the strong entity tag of a representation, before it is compressed.

    Address, version and media type must determine the bytes; anything else that they depend on, such as a language,
    is among ``parts``. A compressed body has a tag of its own (`etag_for_coding`), as its bytes differ.
    """
    return f'"{"-".join(_OTHER.sub("_", part) for part in (version, media_type, *parts))}"'


def etag_for_coding(tag: str, coding: str) -> str:
    """Build the tag of a representation in a content coding from its tag without one."""
    return f'{tag[:-1]}-{coding}"'


def matching_etag(known: str, tag: str, accepted: str | None) -> str | None:
    """Find the tag in If-None-Match that names a representation, uncoded or in a coding that the client accepts.

    The server may choose among the codings that a client accepts, so it chooses that of the client's copy. The
    comparison is weak (RFC 9110, 13.1.2). ``*`` is left to the compression, which knows the final tag.

    Parameters
    ----------
    known
        If-None-Match header.
    tag
        Tag of the representation without a coding.
    accepted
        Accept-Encoding header, ``None`` where there is none.

    Returns
    -------
    str or None
        The tag of the client's copy, strong; ``None`` where the client has no such copy.
    """
    plain = tag.removeprefix("W/").strip('"')
    for candidate in _TAG.findall(known):
        coding = candidate.removeprefix(f"{plain}-")
        if candidate == plain or (candidate != coding and coding in CODINGS and accepts(accepted, coding)):
            return f'"{candidate}"'
    return None


def is_unmodified_since(stated: str, modified: str) -> bool:
    """Return whether Last-Modified is not after If-Modified-Since; an unreadable date counts as after (13.1.3)."""
    try:
        return parsedate_to_datetime(modified) <= parsedate_to_datetime(stated)
    except (TypeError, ValueError):
        return False


def cache_control(seconds: int) -> str:
    """Return the Cache-Control header of public answers: fresh for some seconds, then to be revalidated."""
    return f"public, max-age={seconds}" if seconds else "no-cache"


def not_modified_response(request: Request, tag: str, headers: Mapping[str, str]) -> Response | None:
    """Return 304 where the client has the representation, else ``None``; routes ask before they build the body."""
    known = request.headers.get("if-none-match")
    if known is None or request.method not in ("GET", "HEAD"):
        return None
    has = matching_etag(known, tag, request.headers.get("accept-encoding"))
    return None if has is None else Response(status_code=304, headers={**headers, "ETag": has})


def representation(
    request: Request,
    version: str,
    media_type: str,
    body: bytes | Callable[[], bytes],
    *parts: str,
    worded: bool = False,
) -> Response:
    """Answer a body built from a version of the data, or 304; a body given as a function is built only where needed.

    Parameters
    ----------
    worded
        Whether the body has sentences in the language of the request; a page always has.
    """
    headers = validators(request, version, media_type, *parts, worded=worded)
    known = not_modified_response(request, headers["ETag"], headers)
    if known is not None:
        return known
    return Response(body() if callable(body) else body, media_type=media_type, headers=headers)


def validators(request: Request, version: str, media_type: str, *parts: str, worded: bool = False) -> dict[str, str]:
    """Return the headers of a representation by which copies of it are revalidated, see `strong_etag`."""
    worded = worded or media_type == "text/html"
    tag = strong_etag(version, media_type, *parts, *(language_parts(request) if worded else ()))
    cached = cache_control(request.app.state.settings.cache_s)
    return {"ETag": tag, "Cache-Control": cached, **language_headers(request, worded=worded)}


def http_date(at: datetime) -> str:
    """Write a time in UTC as RFC 3339, to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
