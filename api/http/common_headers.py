"""What every answer bears, as plain ASGI: security and sharing headers; OPTIONS, and HEAD answered like GET."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from fastapi.routing import iter_route_contexts
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Nothing but our own files; MapLibre runs a worker and draws images from blobs.
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "style-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)

#: The same for a page with a form, which asks this server.
FORM_POLICY = POLICY.replace("form-action 'none'", "form-action 'self'")

#: Any page may read what is public anyway; no answer depends on who asks, so there is no credential to share.
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link, Content-Crs, Location, Retry-After",
}
_RAW = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
_NAMES = {name for name, _ in _RAW}

#: The methods that an Allow header may name, in its order.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def allowed(methods: Iterable[str]) -> str:
    """The Allow header of a route: its own methods, and those that every route has (see `Methods`)."""
    own = {method.strip() for method in methods}
    return ", ".join(name for name in METHODS if name in own or name == "OPTIONS" or (name == "HEAD" and "GET" in own))


def methods_at(scope: Scope) -> set[str]:
    """The methods of all routes that the path of a request leads to; GET where there is none."""
    root: str = scope.get("app_root_path", scope.get("root_path", ""))
    path = scope["path"].removeprefix(root) or "/"
    found: set[str] = set()
    for route in iter_route_contexts(scope["app"].routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(path):
            found.update(route.methods or ("GET",))
    return found or {"GET"}


class CommonHeaders:
    """Middleware that adds the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and mark its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = message["headers"]
                own = _NAMES & dict(there).keys()
                message["headers"] = [*there, *(_RAW if not own else [one for one in _RAW if one[0] not in own])]
            await send(message)

        await self._app(scope, receive, marked)


class Methods:
    """Middleware that answers OPTIONS, and HEAD with the headers of GET (RFC 9110, 9.3.2 and 9.3.7)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; send no body where only the head was asked for."""
        method = scope.get("method")
        if method == "OPTIONS":
            asked = any(name == b"access-control-request-method" for name, _ in scope["headers"])
            # To anybody but a browser 200 (OGC 20-002r1, /req/create-replace-delete/options-response).
            await Response(status_code=204 if asked else 200, headers=_preflight(scope))(scope, receive, send)
        elif method == "HEAD":
            await self._head(scope, send)
        else:
            await self._app(scope, receive, send)

    async def _head(self, scope: Scope, send: Send) -> None:
        """Answer as to GET until the head is out; what makes the body is then told that the client has gone."""
        told, asked = asyncio.Event(), False

        async def received() -> Message:
            nonlocal asked
            if asked:
                await told.wait()
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and not told.is_set():
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                told.set()

        inner = {**scope, "method": "GET"}
        try:
            await self._app(inner, received, sent)
        finally:
            # What is told of the request is told by them.
            scope.update({name: inner[name] for name in ("route", "endpoint") if name in inner})


def _preflight(scope: Scope) -> dict[str, str]:
    """What a browser asks before it sends methods or headers of its own to another origin (Fetch, CORS preflight).

    A token is never sent by itself as a cookie is, so a page that sends one has been given it; ``*`` does not name
    that header (Fetch, 3.3.3).
    """
    methods = allowed(methods_at(scope))
    return {
        "Allow": methods,
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": "*, Authorization",
        "Access-Control-Max-Age": "86400",
    }
