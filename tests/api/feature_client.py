"""Requests of features in tests: pages, ids, links, and problem documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.testclient import TestClient

LAYERS = ("strikes", "assets", "attributions", "hits", "countries")
#: The assets of one kind of geometry each; of none of the bundled ones an area is known.
ASSET_VIEWS = ("asset-points", "asset-lines")
COLLECTIONS = (*LAYERS, *ASSET_VIEWS)
#: Those that there are; one is empty.
LISTED = (*COLLECTIONS, "asset-areas")
Json = dict[str, Any]


def links(document: Json) -> dict[str, Json]:
    return {link["rel"]: link for link in document["links"]}


def items(client: TestClient, collection: str = "strikes", **query: object) -> Json:
    answer = client.get(f"/collections/{collection}/items", params={"limit": 10_000, **query})
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    return page


def ids(page: Json) -> list[str]:
    return [feature["id"] for feature in page["features"]]


def pages(client: TestClient, url: str) -> Iterator[Json]:
    while url:
        page = client.get(url).json()
        yield page
        url = links(page).get("next", {}).get("href", "")


def problem(client: TestClient, path: str, status: int) -> Json:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    document: Json = answer.json()
    assert {"type", "title", "status", "detail"} <= document.keys()
    assert document["status"] == status
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    return document
