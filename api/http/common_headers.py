"""Headers of every answer, for security and sharing, and the methods OPTIONS and HEAD, as plain ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from fastapi.routing import iter_route_contexts
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Header with the number of a change: that which a write made, the newest that an answer is of, or was passed on of.
SEQ_HEADER = "Atlas-Seq"
#: Only files of this server; MapLibre runs a worker and draws images from blobs.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "style-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)

#: The policy as a file says it of itself: who may show it within a page is for a header to say (CSP 3, 6.4.2).
FILE_SECURITY_POLICY = CONTENT_SECURITY_POLICY.removesuffix("; frame-ancestors 'self'")

#: The policy of a page with a form, which is sent to this server.
FORM_SECURITY_POLICY = CONTENT_SECURITY_POLICY.replace("form-action 'none'", "form-action 'self'")

#: Who may show the map within a page of theirs: this server alone, unless the operator names others.
_OWN_FRAMES = "frame-ancestors 'self'"


def embedding_policy(embedders: Iterable[str]) -> str:
    """Return the policy of a page that the operator lets these origins show within theirs, ``*`` being all."""
    return CONTENT_SECURITY_POLICY.replace(_OWN_FRAMES, " ".join((_OWN_FRAMES, *embedders)))


#: Any page may read what is public anyway; no answer depends on the reader, so there is no credential to share.
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Allow, Content-Bbox, Content-Crs, Content-Range, ETag, Link, "
    f"Location, Retry-After, WWW-Authenticate, {SEQ_HEADER}",
}
_RAW = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
_NAMES = {name for name, _ in _RAW}

#: The methods that an Allow header may name, in its order.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def allow_header(methods: Iterable[str]) -> str:
    """Build the Allow header of a route: its own methods, and those that every route has (see `HeadAndOptions`)."""
    own = {method.strip() for method in methods}
    return ", ".join(name for name in METHODS if name in own or name == "OPTIONS" or (name == "HEAD" and "GET" in own))


def methods_at(scope: Scope) -> set[str]:
    """Collect the methods of all routes that match the path of a request; GET where none does.

    A route whose last part swallows what another one spells out does not count: ``/strikes/{strike}/publication`` is
    no strike.
    """
    root: str = scope.get("app_root_path", scope.get("root_path", ""))
    path = scope["path"].removeprefix(root) or "/"
    matching: dict[str, set[str]] = {}
    for route in iter_route_contexts(scope["app"].routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(path):
            matching.setdefault(str(route.path_format), set()).update(route.methods or ("GET",))
    spelt_out = [own for form, own in matching.items() if not any(one.startswith(f"{form}/") for one in matching)]
    return set().union(*spelt_out) or {"GET"}


class CommonHeaders:
    """Middleware that adds the headers of security and sharing to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                own = _NAMES & dict(headers).keys()
                added = _RAW if not own else [header for header in _RAW if header[0] not in own]
                message["headers"] = [*headers, *added]
            await send(message)

        await self._app(scope, receive, marked)


class HeadAndOptions:
    """Middleware that answers OPTIONS, and HEAD with the headers of GET (RFC 9110, 9.3.2 and 9.3.7)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; send no body where only the head was requested."""
        method = scope.get("method")
        if method == "OPTIONS":
            await _options(scope)(scope, receive, send)
        elif method == "HEAD":
            await self._head(scope, send)
        else:
            await self._app(scope, receive, send)

    async def _head(self, scope: Scope, send: Send) -> None:
        """Answer like GET until the head is sent; the route then sees the client disconnect and builds no body."""
        head_sent, is_read = asyncio.Event(), False

        async def received() -> Message:
            nonlocal is_read
            if is_read:
                await head_sent.wait()
                return {"type": "http.disconnect"}
            is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and not head_sent.is_set():
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                head_sent.set()

        inner = {**scope, "method": "GET"}
        try:
            await self._app(inner, received, sent)
        finally:
            # Log and metrics read them.
            scope.update({name: inner[name] for name in ("route", "endpoint") if name in inner})


def _options(scope: Scope) -> Response:
    """Answer OPTIONS: 204 with the headers of a CORS preflight (Fetch) to one, else 200 with what the client may do.

    Methods that write need a token. To a client without one they are not offered where it can read (RFC 9110, 10.2.1):
    QGIS takes them for a layer that may be edited. A browser never sends a token by itself as it does a cookie, so a
    page that sends one was given it; ``*`` does not cover the Authorization header (Fetch, 3.3.3).
    """
    names, methods = {name for name, _ in scope["headers"]}, methods_at(scope)
    is_preflight = b"access-control-request-method" in names
    allowed = allow_header(methods)
    if not is_preflight and b"authorization" not in names and "GET" in methods:
        allowed = allow_header(("GET",))
    headers = {
        "Allow": allowed,
        "Access-Control-Allow-Methods": allowed,
        "Access-Control-Allow-Headers": "*, Authorization",
        "Access-Control-Max-Age": "86400",
    }
    # Without a preflight 200 (OGC 20-002r1, /req/create-replace-delete/options-response).
    return Response(status_code=204 if is_preflight else 200, headers=headers)
