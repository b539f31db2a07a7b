"""The address that the client used, taken from the headers of a known proxy, as plain ASGI."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.common_headers import SEQ_HEADER
from api.requests.parameters import BadParameter

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_PREFIX = re.compile(r"(/\.*+[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_RAW_SEQ_HEADER = SEQ_HEADER.lower().encode()
_SEQ = re.compile(rb"[0-9]{1,15}")
#: Name under which a scope has the number of the newest change that an answer by way of the known proxy was of.
PASSED_ON = "strikeatlas.passed-on"


def require_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Return texts that are IP addresses or networks.

    Raises BadParameter with the first text that is neither.
    """
    networks = tuple(texts)
    for text in networks:
        try:
            ip_network(text, strict=False)
        except ValueError:
            raise BadParameter("proxy", text, "an address such as 10.0.0.2, or a network such as 10.0.0.0/8") from None
    return networks


class Forwarded:
    """Middleware that takes what a known proxy tells of the client's request: X-Forwarded-Proto, -Host, -Prefix, -For.

    Links are then built from the address that the client used, and its requests count for it. Of a header that several
    proxies added to, the last value counts: the known proxy wrote it. A value that is no scheme, host, prefix or
    address is ignored. A proxy may remove the prefix from the path or leave it there, and so it may with ``root_path``,
    the prefix where no header has one.

    `SEQ_HEADER` of a known proxy is the newest change that it passed an answer of on: `PASSED_ON` of the scope.
    """

    def __init__(self, app: ASGIApp, proxies: Iterable[str], root_path: str = "") -> None:
        self._app, self._root_path = app, root_path
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
            client = self._client(scope)
            scope = forwarded_scope(scope)
            scope["client"] = (client, 0)
            if (seq := _passed_on(scope)) is not None:
                scope[PASSED_ON] = seq
        if scope["type"] == "http" and self._root_path and not scope.get("root_path"):
            scope = {**scope, **_with_prefix(scope, self._root_path)}
        await self._app(scope, receive, send)

    def _client(self, scope: Scope) -> str:
        """Return the last address in X-Forwarded-For that is of no known proxy: whom the first known proxy answers."""
        address: str = scope["client"][0]
        stated = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        for text in reversed(b",".join(stated).decode("latin-1").split(",")):
            try:
                address = str(ip_address(text.strip()))
            except ValueError:
                break
            if not self._is_known(address):
                break
        return address


def _passed_on(scope: Scope) -> int | None:
    stated = [value for name, value in scope["headers"] if name == _RAW_SEQ_HEADER]
    return int(stated[-1]) if stated and _SEQ.fullmatch(stated[-1]) else None


@lru_cache(maxsize=4096)
def client_network(address: str) -> str:
    """Return what one client can choose its address from: of IPv6 the first 64 bits, of IPv4 the address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    # The first four groups of eight.
    return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else parsed.exploded[:19]


def forwarded_scope(scope: Scope) -> Scope:
    """Return the scope with scheme, host, root path and path of the request that the proxy received."""
    values = {
        name: value.decode("latin-1").rpartition(",")[2].strip()
        for name, value in scope["headers"]
        if name.startswith(b"x-forwarded-")
    }
    original = dict(scope)
    if (scheme := values.get(b"x-forwarded-proto", "").lower()) in ("http", "https"):
        original["scheme"] = scheme
    if _HOST.fullmatch(host := values.get(b"x-forwarded-host", "")):
        rest = [header for header in scope["headers"] if header[0] != b"host"]
        original["headers"] = [(b"host", host.encode()), *rest]
    prefix = values.get(b"x-forwarded-prefix", "").rstrip("/")
    if _PREFIX.fullmatch(prefix):
        original.update(_with_prefix(scope, prefix))
    return original


def _with_prefix(scope: Scope, prefix: str) -> Scope:
    """Return root path and paths below a prefix; as in ASGI the paths contain the root path."""
    changed: Scope = {"root_path": prefix}
    if not f"{scope['path']}/".startswith(f"{prefix}/"):
        changed["path"] = prefix + scope["path"]
        if scope.get("raw_path") is not None:
            changed["raw_path"] = prefix.encode() + scope["raw_path"]
    return changed
