"""What is told of each request to the log and the metrics, as plain ASGI: the outermost of all."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access_log import AccessLog
from api.metrics import Tally

#: What a route is called that no request for it found.
NO_ROUTE = "none"


@dataclass(slots=True)
class Seen:
    """One request and how it was answered."""

    at: float
    method: str
    #: As sent, percent-encoded.
    path: bytes
    query: bytes
    status: int
    size: int
    seconds: float


class Observed:
    """Middleware that counts and logs every request; one whose client went away before an answer has status 499."""

    def __init__(self, app: ASGIApp, tally: Tally, log: AccessLog | None) -> None:
        self._app = app
        self._tally = tally
        self._log = log
        self._templates = Templates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and look at what is sent."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        at, begun = time.time(), time.perf_counter()
        status, size, ended = 499, 0, 0.0

        async def seen(message: Message) -> None:
            nonlocal status, size, ended
            await send(message)
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
                # What runs after the answer, such as reading a change, is no part of it.
                ended = time.perf_counter()

        try:
            await self._app(scope, receive, seen)
        finally:
            seconds = (ended or time.perf_counter()) - begun
            method: str = scope["method"]
            self._tally.answered(method, self._templates.of(scope), status, size, seconds)
            if self._log is not None:
                path: bytes = scope.get("raw_path") or scope["path"].encode()
                self._log.add(Seen(at, method, path, scope["query_string"], status, size, seconds))


class Templates:
    """Paths of routes, with their gaps: there are only so many."""

    def __init__(self) -> None:
        self._of: dict[object, str] = {}

    def of(self, scope: Scope) -> str:
        """That of the route that answered; plain routes are known by their endpoint only."""
        route = scope.get("route")
        if route is not None:
            return str(route.path_format)
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return NO_ROUTE
        if endpoint not in self._of:
            self._of = {endpoint: NO_ROUTE}
            for one in iter_route_contexts(scope["app"].routes):
                self._of[one.endpoint or getattr(one.route, "app", None)] = str(one.path)
        return self._of[endpoint]
