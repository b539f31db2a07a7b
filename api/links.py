"""Links of the OGC API, built from the address that the client used."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

JSON = "application/json"
GEOJSON = "application/geo+json"


def href(request: Request, path: str, **query: object) -> str:
    """Absolute address of a path of this server with query values; ``None`` values are left out."""
    base = request.url_for("landing").replace(query="")
    given = {name: str(value) for name, value in query.items() if value is not None}
    url = base.replace(path=base.path.rstrip("/") + path)
    return str(url.include_query_params(**given)) if given else str(url)


def link(rel: str, address: str, media_type: str, title: str) -> Mapping[str, str]:
    """One link object (RFC 8288 as JSON)."""
    return {"rel": rel, "href": address, "type": media_type, "title": title}
