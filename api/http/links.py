"""Links of the OGC API, built from the address that the client used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.types import Scope

JSON = "application/json"
GEOJSON = "application/geo+json"


def href(request: Request, path: str, **query: object) -> str:
    """Absolute address of a path of this server, percent-encoded, with query values; ``None`` values are left out."""
    return joined(base(request) + path, written(query))


def base(request: Request) -> str:
    """Address of this server as the client used it, without the last slash."""
    scope = request.scope
    host = next((value for name, value in scope["headers"] if name == b"host"), None)
    return _base(scope.get("scheme", "http"), host, tuple(scope.get("server") or ()), root_path(scope))


def root_path(scope: Scope) -> str:
    """The path below which a proxy shows this server."""
    root: str = scope.get("app_root_path", scope.get("root_path", ""))
    return root


@lru_cache(maxsize=256)
def _base(scheme: str, host: bytes | None, server: tuple[str, int | None] | tuple[()], root: str) -> str:
    headers = [] if host is None else [(b"host", host)]
    scope = {"type": "http", "scheme": scheme, "headers": headers, "server": server or None, "path": f"{root}/"}
    return str(URL(scope={**scope, "query_string": b""})).rstrip("/")


def written(query: Mapping[str, object]) -> str:
    """Parameters percent-encoded, ``None`` values left out."""
    return "&".join(
        f"{quote_plus(name)}={value if type(value) is int else quote_plus(str(value))}"
        for name, value in query.items()
        if value is not None
    )


def joined(address: str, *queries: str) -> str:
    """An address with such parameters after it."""
    given = "&".join(filter(None, queries))
    return f"{address}?{given}" if given else address


def link(rel: str, address: str, media_type: str, title: str) -> Mapping[str, str]:
    """One link object (RFC 8288 as JSON)."""
    return {"rel": rel, "href": address, "type": media_type, "title": title}


def header(links: Iterable[Mapping[str, str]]) -> str:
    """The same links as a Link header (RFC 8288, 3); titles are left out, as a header holds few letters."""
    return ", ".join(f'<{one["href"]}>; rel="{one["rel"]}"; type="{one["type"]}"' for one in links)


def item_path(collection: str, feature: str) -> str:
    """Path of one feature, its id percent-encoded but for the slashes."""
    return f"/collections/{collection}/items/{quote(feature, safe='/')}"
