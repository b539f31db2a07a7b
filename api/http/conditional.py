"""Validators of answers: strong entity tags, and requests conditional on them (RFC 9110, 8.8 and 13)."""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import MappingProxyType

import brotli
from starlette.requests import Request
from starlette.responses import Response

from api.wording.preference import language_headers, language_parts

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


#: The preferred first. At their fast levels zstd takes a quarter of the time of gzip and gives less.
CODINGS = ("zstd", "br", "gzip")

_MEMBER = re.compile(r"\s*([^\s;,]+)\s*(?:;\s*[qQ]\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


@lru_cache(maxsize=256)
def coding_weights(accepted: str) -> Mapping[str, float]:
    """Read the weight of each coding of an Accept-Encoding header; members that cannot be read are ignored."""
    weights: dict[str, float] = {}
    for member in accepted.lower().split(","):
        if read := _MEMBER.fullmatch(member):
            name = "gzip" if read[1] == "x-gzip" else read[1]
            weights.setdefault(name, 1.0 if read[2] is None else min(1.0, float(read[2])))
    # A client that accepts "*" without naming codings may not know the newer ones.
    weights.setdefault("gzip", weights.get("*", 0.0))
    return MappingProxyType(weights)


@lru_cache(maxsize=256)
def negotiate_coding(accepted: str | None) -> str | None:
    """Choose the coding of an answer (RFC 9110, 12.5.3): the heaviest, then the first of `CODINGS`, or none."""
    if accepted is None:
        return None
    weights = coding_weights(accepted)
    best = max(CODINGS, key=lambda coding: weights.get(coding, 0.0))
    weight = weights.get(best, 0.0)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def accepts(accepted: str | None, coding: str) -> bool:
    """Return whether a client accepts a body in a coding."""
    return accepted is not None and coding_weights(accepted).get(coding, 0.0) > 0


@lru_cache(maxsize=256)
def refuses_identity(accepted: str) -> bool:
    """Return whether a client refuses bodies without a coding."""
    weights = coding_weights(accepted)
    return weights.get("identity", weights.get("*", 1.0)) == 0


def encode(body: bytes, coding: str) -> bytes:
    """Encode a whole body in a coding, at its fast level."""
    if coding == "br":
        return bytes(brotli.compress(body, quality=1))
    if coding == "zstd":
        return zstd.compress(body, 1)
    encoder = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return encoder.compress(body) + encoder.flush()


#: Media types of text besides text/*. Images, archives, Parquet and the like are compressed already.
_TEXT = {
    "application/flatgeobuf",
    "application/geopackage+sqlite3",
    "application/javascript",
    "application/json",
    "application/vnd.flatgeobuf",
    "application/vnd.mapbox-vector-tile",
    "application/wasm",
    "application/x-ndjson",
    "application/x-protobuf",
    "application/xml",
    "application/yaml",
}


@lru_cache(maxsize=256)
def is_compressible(content_type: bytes) -> bool:
    """Return whether compression makes bodies of a media type smaller, given its Content-Type header."""
    media_type = content_type.decode("latin-1").partition(";")[0].strip().lower()
    suffixes = ("+json", "+json-seq", "+xml", "+yaml")
    return media_type.startswith("text/") or media_type in _TEXT or media_type.endswith(suffixes)


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

    Gives the tag of the client's copy, strong; ``None`` where the client has no such copy.

    Parameters
    ----------
    known
        If-None-Match header.
    tag
        Tag of the representation without a coding.
    accepted
        Accept-Encoding header, ``None`` where there is none.
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

    ``worded``: whether the body has sentences in the language of the request; a page always has.
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
