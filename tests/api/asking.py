"""How tests ask for features: pages, ids, links, and problems that must be named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.testclient import TestClient

COLLECTIONS = ("strikes", "assets", "attributions", "countries")
Json = dict[str, Any]


def links(told: Json) -> dict[str, Json]:
    return {link["rel"]: link for link in told["links"]}


def items(client: TestClient, collection: str = "strikes", **query: object) -> Json:
    answer = client.get(f"/collections/{collection}/items", params={"limit": 10_000, **query})
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def ids(told: Json) -> list[str]:
    return [feature["id"] for feature in told["features"]]


def pages(client: TestClient, url: str) -> Iterator[Json]:
    while url:
        told = client.get(url).json()
        yield told
        url = links(told).get("next", {}).get("href", "")


def problem(client: TestClient, path: str, status: int) -> Json:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    told: Json = answer.json()
    assert {"type", "title", "status", "detail"} <= told.keys()
    assert told["status"] == status
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    return told
