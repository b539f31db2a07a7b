"""A store without any record is served as one with nothing in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore

COLLECTIONS = ("strikes", "assets", "attributions", "hits")


@pytest.fixture(scope="module")
def empty(new_shared_store: NewStore) -> Iterator[TestClient]:
    store = new_shared_store()
    with TestClient(create_app(store, Settings(basemap=BASEMAP, follow_every_s=0))) as made:
        yield made


def test_collections_are_described_without_an_extent_in_space(empty: TestClient) -> None:
    told = {one["id"]: one for one in empty.get("/collections").raise_for_status().json()["collections"]}
    assert all("spatial" not in told[name]["extent"] for name in COLLECTIONS)
    assert "spatial" in told["countries"]["extent"]


@pytest.mark.parametrize("name", COLLECTIONS)
def test_items_and_tiles_hold_nothing(empty: TestClient, name: str) -> None:
    asked = f"/collections/{name}/items?bbox=1,2,3,4&datetime=2025-01-01/.."
    assert empty.get(asked).raise_for_status().json()["features"] == []
    assert empty.get(f"/tiles/{name}/0/0/0.mvt").raise_for_status().content == b""
    assert "bounds" not in empty.get(f"/tiles/{name}.json").raise_for_status().json()


@pytest.mark.parametrize("path", ["/", "/about", "/style.json", "/countries", "/countries/AZ", "/map"])
def test_the_rest_answers(empty: TestClient, path: str) -> None:
    assert empty.get(path).status_code == 200
