"""Compression and conditional answers for every route, as plain ASGI: the last to touch what a route answered."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.conditional import coded, matched, unchanged_since
from api.http.content_coding import ENCODERS, Encoder, chosen, compressible, encoded, refuses_plain

#: Bodies under this many bytes fit a packet or little more, and are sent as they are.
SMALL = 1024
#: Bodies up to this many bytes are compressed whole even where they come in parts, and then may be kept.
WHOLE = 4 * 2**20
#: Bodies over this many bytes are compressed beside the loop, so that others need not wait.
LARGE = 64 * 2**10

_Raw = list[tuple[bytes, bytes]]
#: How a body is sent: as it is; compressed whole; compressed part by part; or not, as the client has it.
How = Literal["plain", "whole", "stream", "known"]


class Kept:
    """Compressed bodies by address and entity tag, the least used dropped first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._bodies: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> bytes | None:
        """A body, or ``None`` if it is not kept."""
        if key in self._bodies:
            self._bodies.move_to_end(key)
        return self._bodies.get(key)

    def put(self, key: tuple[object, ...], body: bytes) -> None:
        """Keep a body that takes no more than a quarter of the room."""
        if len(body) > self._most // 4 or key in self._bodies:
            return
        self._bodies[key] = body
        self._size += len(body)
        while self._size > self._most:
            self._size -= len(self._bodies.popitem(last=False)[1])


class Compression:
    """Middleware that answers in the coding the client prefers, and 304 where the client has the representation."""

    def __init__(self, app: ASGIApp, kept_bytes: int) -> None:
        self._app = app
        self._kept = Kept(kept_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and what is answered through an `_Answer`."""
        if scope["type"] == "http":
            send = _Answer(scope, send, self._kept).take
        await self._app(scope, receive, send)


class _Answer:
    """One answer on its way. Its start is held until the first part of its body tells how it is sent."""

    __slots__ = ("_asked", "_coding", "_encoder", "_headers", "_how", "_kept", "_parts", "_scope", "_send", "_start")

    _start: Message
    _headers: Mapping[bytes, bytes]
    _coding: str
    _encoder: Encoder

    def __init__(self, scope: Scope, send: Send, kept: Kept) -> None:
        self._scope = scope
        self._asked: Mapping[bytes, bytes] = dict(scope["headers"])
        self._send = send
        self._kept = kept
        # A word and no method: that would be a circle, and the body would stay until it is collected.
        self._how: How | None = None
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
            elif self._how == "stream":
                await self._encode(message)

    async def _begin(self, part: Message) -> How:
        """Decide how the answer is sent, with the first part of its body at hand, and begin."""
        start = self._start
        headers = self._headers = dict(start["headers"])
        whole = not part.get("more_body", False)
        size = len(part.get("body", b"")) if whole else int(headers.get(b"content-length", WHOLE + 1))
        choice = _is_choice(start["status"], headers)
        coding = self._chosen(size) if choice else None
        if (known := self._known(coding)) is not None:
            await self._unmodified(known)
            return "known"
        if coding is None:
            await self._send({**start, "headers": _with_vary(start["headers"], headers)} if choice else start)
            return "plain"
        self._coding = coding
        if whole or size <= WHOLE:
            return "whole"
        self._encoder = ENCODERS[coding]()
        await self._start_coded()
        return "stream"

    @property
    def _accepted(self) -> str | None:
        header = self._asked.get(b"accept-encoding")
        return None if header is None else header.decode("latin-1")

    def _chosen(self, size: int) -> str | None:
        accepted = self._accepted
        if accepted is None or (size < SMALL and not refuses_plain(accepted)):
            return None
        return chosen(accepted)

    def _known(self, coding: str | None) -> str | None:
        """The tag of what the client has, "" where it is known by its time; ``None`` if it has none (13.2.2)."""
        asked, headers = self._asked, self._headers
        if self._start["status"] != 200 or self._scope["method"] != "GET":
            return None
        if b"if-none-match" in asked:
            known, tag = asked[b"if-none-match"].decode("latin-1"), headers.get(b"etag", b"").decode("latin-1")
            if known.strip() == "*":
                return coded(tag, coding) if tag and coding else tag
            return matched(known, tag, self._accepted) if tag else None
        if b"if-modified-since" in asked and b"last-modified" in headers:
            stated, modified = asked[b"if-modified-since"], headers[b"last-modified"]
            return "" if unchanged_since(stated.decode("latin-1"), modified.decode("latin-1")) else None
        return None

    async def _unmodified(self, tag: str) -> None:
        told = [(name, self._headers[name]) for name in _OF_304 if name in self._headers]
        if tag:
            told.append((b"etag", tag.encode("latin-1")))
        await self._send({**self._start, "status": 304, "headers": _with_vary(told, self._headers)})
        await self._send({"type": "http.response.body", "body": b""})

    async def _start_coded(self, size: int | None = None) -> None:
        """Send the start of an answer that is compressed."""
        told = [header for header in self._start["headers"] if header[0] not in _OF_PLAIN]
        told.append((b"content-encoding", self._coding.encode()))
        if size is not None:
            told.append((b"content-length", b"%d" % size))
        if tag := self._headers.get(b"etag"):
            told.append((b"etag", coded(tag.decode("latin-1"), self._coding).encode("latin-1")))
        await self._send({**self._start, "headers": _with_vary(told, self._headers)})

    async def _encode(self, part: Message) -> None:
        """Send one part of a stream, compressed."""
        more, body = part.get("more_body", False), bytes(part.get("body", b""))
        data = await asyncio.to_thread(self._encoder.part, body) if len(body) > LARGE else self._encoder.part(body)
        await self._send({**part, "body": data if more else data + self._encoder.end()})

    async def _gather(self, part: Message) -> None:
        """Take parts until the body is whole; then send it compressed."""
        self._parts.append(part.get("body", b""))
        if part.get("more_body", False):
            return
        body, key = b"".join(self._parts), self._key()
        data = None if key is None else self._kept.get(key)
        if data is None:
            large = len(body) > LARGE
            data = await asyncio.to_thread(encoded, body, self._coding) if large else encoded(body, self._coding)
            if key is not None:
                self._kept.put(key, data)
        await self._start_coded(len(data))
        await self._send({**part, "body": data})

    def _key(self) -> tuple[object, ...] | None:
        """What tells a body from all others; ``None`` for what nobody may keep."""
        tag = self._headers.get(b"etag", b"W/")
        personal = b"authorization" in self._asked or b"no-store" in self._headers.get(b"cache-control", b"")
        if tag.startswith(b"W/") or personal or self._start["status"] != 200:
            return None
        scope = self._scope
        return self._coding, tag, scope["scheme"], self._asked.get(b"host"), scope["path"], scope["query_string"]


#: What a 304 tells besides the tag (RFC 9110, 15.4.5), and what is not true of a compressed body: its length, its
#: tag, and that parts of it can be asked for.
_OF_304 = (b"cache-control", b"content-location", b"expires", b"last-modified", b"vary")
_OF_PLAIN = {b"content-length", b"accept-ranges", b"etag"}


def _is_choice(status: int, headers: Mapping[bytes, bytes]) -> bool:
    """Whether this answer could be compressed, were it large enough."""
    if b"content-encoding" in headers or status in (204, 206, 304) or b"content-range" in headers:
        return False
    return compressible(headers.get(b"content-type", b""))


def _with_vary(told: _Raw, headers: Mapping[bytes, bytes]) -> _Raw:
    """What is told, with Vary naming Accept-Encoding besides what it names in the headers of the route."""
    vary = headers.get(b"vary")
    if vary is not None and b"accept-encoding" in vary.lower():
        return told
    rest = [header for header in told if header[0] != b"vary"]
    return [*rest, (b"vary", b"Accept-Encoding" if vary is None else vary + b", Accept-Encoding")]
