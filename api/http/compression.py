"""Compression and conditional answers for every route, as plain ASGI: the last step that changes an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.conditional import (
    encode,
    etag_for_coding,
    is_compressible,
    is_unmodified_since,
    matching_etag,
    negotiate_coding,
    refuses_identity,
)
from layers.model.cache import LruCache

#: Bodies under this many bytes fit a packet or little more, and are sent as they are.
MIN_COMPRESSED_BYTES = 1024
#: Bodies in parts are put together to be compressed where they have at most this many bytes, else sent as they are.
MAX_WHOLE_BYTES = 4 * 2**20
#: Bodies over this many bytes are compressed in a thread, so that other requests need not wait.
MIN_THREAD_BYTES = 64 * 2**10

_Raw = list[tuple[bytes, bytes]]
_Headers = Mapping[bytes, bytes]
#: How a body is sent: as it is; compressed; or not at all, as the client has it.
Handling = Literal["plain", "whole", "known"]


#: Headers of a 304 besides the tag (RFC 9110, 15.4.5), and those that do not hold for a compressed body: its length,
#: its tag, and that it has ranges.
_OF_304 = (b"cache-control", b"content-location", b"expires", b"last-modified", b"vary")


class Compression:
    """Middleware that answers in the coding the client prefers, and 304 where the client has the representation."""

    def __init__(self, app: ASGIApp, cache_bytes: int) -> None:
        self._app = app
        self._cache: LruCache[bytes] = LruCache(cache_bytes, len, cache_bytes // 4)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer through an `_CompressedAnswer`."""
        if scope["type"] == "http":
            send = _CompressedAnswer(scope, send, self._cache).take
        await self._app(scope, receive, send)


class _CompressedAnswer:
    """An answer while it is sent. Its start is held until the first part of its body decides how it is sent."""

    _start: Message
    _headers: _Headers
    _coding: str

    def __init__(self, scope: Scope, send: Send, cache: LruCache[bytes]) -> None:
        self._scope = scope
        self._request_headers: _Headers = dict(scope["headers"])
        self._send = send
        self._cache = cache
        # A word and no method: that would be a circle, and the body would stay until it is collected.
        self._how: Handling | None = None
        self._parts: list[bytes] = []

    async def take(self, message: Message) -> None:
        """Take one message of the route."""
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] != "http.response.body":
            await self._send(message)
        else:
            if self._how is None:
                self._how = await self._begin(message)
            if self._how == "plain":
                await self._send(message)
            elif self._how == "whole":
                await self._gather(message)

    async def _begin(self, part: Message) -> Handling:
        """Decide how the answer is sent, with the first part of its body at hand, and begin."""
        start = self._start
        headers = self._headers = dict(start["headers"])
        whole = not part.get("more_body", False)
        size = len(part.get("body", b"")) if whole else int(headers.get(b"content-length", MAX_WHOLE_BYTES + 1))
        choice = _is_choice(start["status"], headers)
        coding = self._chosen(size) if choice and (whole or size <= MAX_WHOLE_BYTES) else None
        is_get = start["status"] == 200 and self._scope["method"] == "GET"
        if is_get and (known := known_tag(self._request_headers, headers, coding)) is not None:
            await self._send({**start, "status": 304, "headers": not_modified_headers(headers, known)})
            await self._send({"type": "http.response.body", "body": b""})
            return "known"
        if coding is None:
            await self._send({**start, "headers": _with_vary(start["headers"], headers)} if choice else start)
            return "plain"
        self._coding = coding
        return "whole"

    def _chosen(self, size: int) -> str | None:
        accepted = _accepted(self._request_headers)
        if accepted is None or (size < MIN_COMPRESSED_BYTES and not refuses_identity(accepted)):
            return None
        return negotiate_coding(accepted)

    async def _gather(self, part: Message) -> None:
        """Take parts until the body is whole; then send it compressed."""
        self._parts.append(part.get("body", b""))
        if part.get("more_body", False):
            return
        body, key = b"".join(self._parts), self._key()
        data = None if key is None else self._cache.get(key)
        if data is None:
            large = len(body) > MIN_THREAD_BYTES
            data = await asyncio.to_thread(encode, body, self._coding) if large else encode(body, self._coding)
            if key is not None:
                self._cache.put(key, data)
        headers = [header for header in self._start["headers"] if header[0] not in _OF_PLAIN]
        headers += [(b"content-encoding", self._coding.encode()), (b"content-length", b"%d" % len(data))]
        if tag := self._headers.get(b"etag"):
            headers.append((b"etag", etag_for_coding(tag.decode("latin-1"), self._coding).encode("latin-1")))
        await self._send({**self._start, "headers": _with_vary(headers, self._headers)})
        await self._send({**part, "body": data})

    def _key(self) -> tuple[object, ...] | None:
        """Return the cache key of the body; ``None`` where the answer may not be cached."""
        tag = self._headers.get(b"etag", b"W/")
        personal = b"authorization" in self._request_headers or b"no-store" in self._headers.get(b"cache-control", b"")
        if tag.startswith(b"W/") or personal or self._start["status"] != 200:
            return None
        scope = self._scope
        return (
            self._coding,
            tag,
            scope["scheme"],
            self._request_headers.get(b"host"),
            scope["path"],
            scope["query_string"],
        )


def known_tag(requested: _Headers, headers: _Headers, coding: str | None) -> str | None:
    """Find the tag of the client's copy of an answer to GET with the status 200 (RFC 9110, 13.2.2).

    Gives an empty text where the copy is known by its time; ``None`` where the client has no such copy.

    Parameters
    ----------
    requested, headers
        Headers of the request, and of the answer as they are without a coding.
    coding
        The coding that the answer would be sent in.
    """
    if b"if-none-match" in requested:
        known, tag = requested[b"if-none-match"].decode("latin-1"), headers.get(b"etag", b"").decode("latin-1")
        if known.strip() == "*":
            return etag_for_coding(tag, coding) if tag and coding else tag
        return matching_etag(known, tag, _accepted(requested)) if tag else None
    if b"if-modified-since" in requested and b"last-modified" in headers:
        stated, modified = requested[b"if-modified-since"], headers[b"last-modified"]
        return "" if is_unmodified_since(stated.decode("latin-1"), modified.decode("latin-1")) else None
    return None


def not_modified_headers(headers: _Headers, tag: str) -> _Raw:
    """Return the headers of a 304 from those of the answer and the tag that `known_tag` found."""
    sent = [(name, headers[name]) for name in _OF_304 if name in headers]
    if tag:
        sent.append((b"etag", tag.encode("latin-1")))
    return _with_vary(sent, headers)


def _accepted(requested: _Headers) -> str | None:
    header = requested.get(b"accept-encoding")
    return None if header is None else header.decode("latin-1")


_OF_PLAIN = {b"content-length", b"accept-ranges", b"etag"}


def _is_choice(status: int, headers: _Headers) -> bool:
    """Return whether an answer could be compressed if it were large enough."""
    if b"content-encoding" in headers or status in (204, 206, 304) or b"content-range" in headers:
        return False
    return is_compressible(headers.get(b"content-type", b""))


def _with_vary(sent: _Raw, headers: _Headers) -> _Raw:
    """Return headers to be sent, with Accept-Encoding added to the Vary of the route's headers."""
    vary = headers.get(b"vary")
    if vary is not None and b"accept-encoding" in vary.lower():
        return sent
    rest = [header for header in sent if header[0] != b"vary"]
    return [*rest, (b"vary", b"Accept-Encoding" if vary is None else vary + b", Accept-Encoding")]
