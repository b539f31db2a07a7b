"""The address that the client used, as a proxy in front of the server tells it, as plain ASGI."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

from api.requests.scalars import BadParameter

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_PREFIX = re.compile(r"(/(?!\.+(/|$))[A-Za-z0-9._~-]+)+")


def require_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Addresses and networks as they are.

    Raises
    ------
    BadParameter
        With the first that is none.
    """
    found = tuple(texts)
    for text in found:
        try:
            ip_network(text, strict=False)
        except ValueError:
            raise BadParameter("proxy", text, "an address such as 10.0.0.2, or a network such as 10.0.0.0/8") from None
    return found


class Forwarded:
    """Middleware that takes scheme, host and prefix from X-Forwarded-Proto, -Host and -Prefix of known proxies.

    Links are then built from what the client used. Of a header that several proxies added to, the last value
    counts: it is that of the proxy that is known. A value that can be none is passed over. A proxy may take the
    prefix off the path or leave it on.
    """

    def __init__(self, app: ASGIApp, proxies: Iterable[str]) -> None:
        self._app = app
        networks = [ip_network(proxy, strict=False) for proxy in proxies]

        @lru_cache(maxsize=256)
        def is_known(address: str) -> bool:
            try:
                return any(ip_address(address) in network for network in networks)
            except ValueError:
                return False

        self._is_known = is_known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as the client sent it."""
        if scope["type"] == "http" and scope.get("client") and self._is_known(scope["client"][0]):
            scope = forwarded(scope)
        await self._app(scope, receive, send)


def forwarded(scope: Scope) -> Scope:
    """The scope of the request that the proxy was sent."""
    told = {
        name: value.decode("latin-1").rpartition(",")[2].strip()
        for name, value in scope["headers"]
        if name.startswith(b"x-forwarded-")
    }
    made = dict(scope)
    if (scheme := told.get(b"x-forwarded-proto", "").lower()) in ("http", "https"):
        made["scheme"] = scheme
    if _HOST.fullmatch(host := told.get(b"x-forwarded-host", "")):
        rest = [header for header in scope["headers"] if header[0] != b"host"]
        made["headers"] = [(b"host", host.encode()), *rest]
    prefix = told.get(b"x-forwarded-prefix", "").rstrip("/")
    if _PREFIX.fullmatch(prefix):
        made.update(_below(scope, prefix))
    return made


def _below(scope: Scope, prefix: str) -> Scope:
    """Root and paths of a server that lies below a prefix; the paths bear it, as ASGI has it."""
    made: Scope = {"root_path": prefix}
    if not f"{scope['path']}/".startswith(f"{prefix}/"):
        made["path"] = prefix + scope["path"]
        if scope.get("raw_path") is not None:
            made["raw_path"] = prefix.encode() + scope["raw_path"]
    return made
