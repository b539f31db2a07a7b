"""What the tests of the API share: an application of their own, to change and to break."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.settings import Settings
from layers.store.store import Store
from tests.conftest import BASEMAP
from tests.store_copies import opened_copy


class Own(NamedTuple):
    """An application of these tests' own, with small limits and a route that fails."""

    client: TestClient
    app: FastAPI
    store: Store


@pytest.fixture(scope="session")
def own(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    def fail(request: Request) -> None:
        raise RuntimeError("secret")

    store = opened_copy(store, tmp_path_factory.mktemp("own") / "atlas.gpkg")
    app = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, limit_default=3, limit_max=7))
    app.router.routes.insert(0, Route("/fail", fail))
    with TestClient(app) as client:
        yield Own(client, app, store)


class Writers(NamedTuple):
    """An application with the bundled records, and two reviewers who write to it."""

    client: TestClient
    app: FastAPI
    store: Store
    ann: dict[str, str]
    ben: dict[str, str]

    def add(self, **properties: Any) -> Any:
        """Ask to add a strike; give the answer."""
        return self.client.post("/collections/strikes/items", json=feature(**properties), headers=self.ann)


def feature(**properties: Any) -> dict[str, Any]:
    """A strike as a reviewer writes it; a place in ``geometry`` is lon/lat, None for none; others as they are."""
    place = properties.pop("geometry", (30.72, 46.48))
    given: dict[str, Any] = {
        "title": "Depot at Odesa",
        "when": "2025-11-02",
        "place": "Odesa",
        "host_country": "UA",
        "status": "reported",
        "sources": ["24tv-pmi"],
        "checked": "read",
    }
    if place is not None:
        given |= {"uncertainty_m": 5000, "basis": "settlement", "place_source": "24tv-pmi"}
    told = {name: value for name, value in {**given, **properties}.items() if value is not ...}
    shape = {"type": "Point", "coordinates": list(place)} if isinstance(place, tuple) else place
    return {"type": "Feature", "geometry": shape, "properties": told}


@pytest.fixture(scope="module")
def writers(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writers]:
    folder = tmp_path_factory.mktemp("writers")
    store = opened_copy(store, folder / "atlas.gpkg")
    file = folder / "reviewers.json"
    ann, ben = ({"Authorization": f"Bearer {reviewer_tokens.add_reviewer(file, name)}"} for name in ("Ann", "Ben"))
    app = create_app(store, Settings(basemap=BASEMAP, reviewers=file, follow_every_s=0))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Writers(client, app, store, ann, ben)
