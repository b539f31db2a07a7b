"""Links of the OGC API, built from the address that the client used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, quote_plus

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.types import Scope

JSON = "application/json"
GEOJSON = "application/geo+json"
#: Name under which a scope has the `FileAddresses` of answers that become files.
FILES = "strikeatlas.files"


class FileAddresses(Protocol):
    """Where the answers of this server lie as files, on a server that knows paths alone."""

    @property
    def needs_server(self) -> str:
        """Address of the page that says what needs a server."""

    def find(self, path: str, query: Mapping[str, object]) -> str | None:
        """Return the absolute address of the file of an answer; ``None`` where there is none."""

    def find_or_say(self, path: str, query: Mapping[str, object]) -> str:
        """Return it, or that of the page that says what needs a server."""


def href(request: Request, path: str, **query: object) -> str:
    """Build the absolute address of a path of this server, percent-encoded, with query values; ``None`` is left out.

    Of an answer that becomes a file it is that of the file.
    """
    files: FileAddresses | None = request.scope.get(FILES)
    if files is not None:
        return files.find_or_say(path, {name: value for name, value in query.items() if value is not None})
    return with_query(base_address(request) + path, query_string(query))


def is_answered(request: Request, path: str, **query: object) -> bool:
    """Whether something answers at a path: this server does, and of files those that there are."""
    files: FileAddresses | None = request.scope.get(FILES)
    return files is None or files.find(path, query) is not None


def base_address(request: Request) -> str:
    """Return the address of this server as the client used it, without the last slash."""
    scope = request.scope
    host = next((value for name, value in scope["headers"] if name == b"host"), None)
    return _base(scope.get("scheme", "http"), host, tuple(scope.get("server") or ()), root_path(scope))


def root_path(scope: Scope) -> str:
    """Return the path below which a proxy shows this server."""
    root: str = scope.get("app_root_path", scope.get("root_path", ""))
    return root


@lru_cache(maxsize=256)
def _base(scheme: str, host: bytes | None, server: tuple[str, int | None] | tuple[()], root: str) -> str:
    headers = [] if host is None else [(b"host", host)]
    scope = {"type": "http", "scheme": scheme, "headers": headers, "server": server or None, "path": f"{root}/"}
    return str(URL(scope={**scope, "query_string": b""})).rstrip("/")


def query_string(query: Mapping[str, object]) -> str:
    """Write query parameters, percent-encoded; ``None`` values are left out."""
    return "&".join(
        f"{quote_plus(name)}={value if type(value) is int else quote_plus(str(value))}"
        for name, value in query.items()
        if value is not None
    )


def with_query(address: str, *queries: str) -> str:
    """Append query strings to an address; empty ones are left out."""
    query = "&".join(filter(None, queries))
    return f"{address}?{query}" if query else address


def link(rel: str, address: str, media_type: str, title: str) -> Mapping[str, str]:
    """Build a link object (RFC 8288 as JSON)."""
    return {"rel": rel, "href": address, "type": media_type, "title": title}


def link_header(links: Iterable[Mapping[str, str]]) -> str:
    """Write link objects as a Link header (RFC 8288, 3) without titles, as a header holds few letters."""
    return ", ".join(f'<{item["href"]}>; rel="{item["rel"]}"; type="{item["type"]}"' for item in links)


def item_path(collection: str, feature: str) -> str:
    """Return the path of a feature, its id percent-encoded apart from slashes."""
    return f"/collections/{collection}/items/{quote(feature, safe='/')}"
