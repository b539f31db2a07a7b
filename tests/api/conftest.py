"""What the tests of the API share: an application of their own, to change and to break."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from layers.schema import Records
from layers.store import Store
from tests.conftest import BASEMAP


class Own(NamedTuple):
    """An application of these tests' own, with small limits and a route that fails."""

    client: TestClient
    app: FastAPI
    store: Store


@pytest.fixture(scope="session")
def own(records: Records, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    def fail(request: Request) -> None:
        raise RuntimeError("secret")

    store = Store.create(tmp_path_factory.mktemp("own") / "atlas.gpkg")
    store.load(records, who="tests")
    app = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, limit_default=3, limit_max=7))
    app.router.routes.insert(0, Route("/fail", fail))
    with TestClient(app) as client:
        yield Own(client, app, store)
