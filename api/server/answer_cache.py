"""Whole answers of a version of the data, sent again as they were: no route is looked up, and nothing is coded."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.compression import known_tag, not_modified_headers
from api.http.conditional import accepts, negotiate_coding, refuses_identity
from api.http.links import FILES, root_path
from api.http.metrics import RequestCounters
from api.server.live_snapshot import LiveSnapshot
from api.server.served_version import ServedVersion
from api.wording.catalogue import languages
from api.wording.preference import preferred

#: Headers that an answer may depend on: the key has what follows from them.
NEGOTIATED = {b"host", b"accept", b"accept-language", b"accept-encoding"}
#: Headers whose requests are answered by the routes: of a reviewer, and for a part of an answer.
BYPASSING = {b"authorization", b"cookie", b"range"}
#: Name under which the scope of a request says that its answer depends on more than the version: on the clock, on
#: another file, or on whether the store may be written to. Such an answer is sent again within the same second alone.
TRANSIENT = "strikeatlas.transient"


@dataclass(frozen=True, slots=True, eq=False)
class CachedAnswer:
    """An answer with the headers that hold for it before it is coded, and the route that gave it."""

    start: Message
    body: Message
    plain_headers: Mapping[bytes, bytes]
    coding: str | None
    matched: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.body.get("body", b"")) + 2 * sum(
            len(name) + len(value) for name, value in self.plain_headers.items()
        )


class AnswerCache:
    """Middleware that sends the answer to an equal request again, for as long as the same version is served.

    That is done for a GET or HEAD that names no reviewer, and of answers with the status 200 and a strong entity tag
    that names the version, which is to say that address, version and negotiated headers determine every byte (see
    `api.http.conditional.strong_etag`). They are dropped with the version, be it for a change of the data, for another
    policy or as an embargo ends.
    """

    def __init__(self, app: ASGIApp, atlas: LiveSnapshot, tally: RequestCounters) -> None:
        self._app, self._atlas, self._tally = app, atlas, tally

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from the cache, or pass the request on and cache its answer."""
        view, key = self._atlas.view, _key(scope) if scope["type"] == "http" else None
        if key is None:
            await self._app(scope, receive, send)
            return
        found = view.responses.get(key)
        if found is None and (found := view.responses.get((key, int(time.time())))) is None:
            await self._app(scope, receive, self._recorder(scope, view, key, send))
            return
        self._tally.answers_cached += 1
        scope.update(found.matched)
        requested = dict(scope["headers"])
        if (tag := known_tag(requested, found.plain_headers, found.coding)) is not None:
            headers = not_modified_headers(found.plain_headers, tag)
            await send({**found.start, "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        # A copy, as what is outside of this adds headers.
        await send({**found.start})
        await send(found.body)

    def _recorder(self, scope: Scope, view: ServedVersion, key: Hashable, send: Send) -> Send:
        """Pass the messages of an answer on; one that may be cached and comes in one part is."""
        start: Message | None = None

        async def recorded(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = {**message}
            elif start is not None and message["type"] == "http.response.body":
                if not message.get("more_body", False) and self._is_of(view, start):
                    at = (key, int(time.time())) if scope.get(TRANSIENT) else key
                    view.responses.put(at, _answer(scope, start, message))
                start = None
            await send(message)

        return recorded

    def _is_of(self, view: ServedVersion, start: Message) -> bool:
        """Whether the entity tag of an answer says that it follows from a version, or from the base map."""
        headers = dict(start["headers"])
        tag: bytes = headers.get(b"etag", b"")
        names = (view.version.encode(), self._atlas.base_version.encode())
        is_shared = b"no-store" not in headers.get(b"cache-control", b"")
        return start["status"] == 200 and is_shared and tag[:1] == b'"' and any(name in tag for name in names)


def _key(scope: Scope) -> Hashable | None:
    """What determines the answer to a request besides the version; ``None`` where it is not answered from the cache."""
    if scope["method"] != "GET" or FILES in scope:
        return None
    stated: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in BYPASSING or (name in NEGOTIATED and stated.setdefault(name, value) is not value):
            return None
    if b"host" not in stated:
        return None
    coding, language = stated.get(b"accept-encoding"), stated.get(b"accept-language")
    return (
        scope.get("raw_path") or scope["path"],
        scope["query_string"],
        scope["scheme"],
        stated[b"host"],
        root_path(scope),
        stated.get(b"accept"),
        preferred(None, None if language is None else language.decode("latin-1"), languages()),
        None if coding is None else _codings(coding.decode("latin-1")),
    )


def _codings(accepted: str) -> tuple[object, ...]:
    return negotiate_coding(accepted), accepts(accepted, "gzip"), refuses_identity(accepted)


def _answer(scope: Scope, start: Message, body: Message) -> CachedAnswer:
    headers = dict(start["headers"])
    coding = headers[b"content-encoding"].decode() if b"content-encoding" in headers else None
    if coding is not None:
        headers[b"etag"] = headers[b"etag"].replace(f'-{coding}"'.encode(), b'"')
    matched = {name: scope[name] for name in ("route", "endpoint") if name in scope}  # for log and metrics
    return CachedAnswer({**start, "headers": [*map(_shared, start["headers"])]}, body, headers, coding, matched)


@lru_cache(maxsize=4096)
def _shared(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return one object for equal headers of all answers: to read others from memory takes longer than all else."""
    return header
