"""A server with an open layer: its sites are asked for as others are, named as what they are, and cached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.server.live_snapshot import LiveSnapshot
from api.settings import Settings
from layers.model.records import Identity
from layers.store.backends import open_store
from layers.store.open_layer import OpenLayer
from layers.store.store import Store
from tests.conftest import BASEMAP
from tests.layers.store.test_open_layer import decision, held, written
from tests.store_copies import copy_of

SETTINGS = Settings(basemap=BASEMAP, follow_every_s=0)
SITE = "a-socar-azs-odesa"


@pytest.fixture
def layer(tmp_path: Path) -> OpenLayer:
    same = Identity(
        id="same", dataset="open/judgements", one=SITE, other="plant/1", verdict="same", who="Ann", when="2026-01-01",
        why="x",
    )  # fmt: skip
    return written(tmp_path / "layer.zip", *held(), same)


@pytest.fixture
def own(few_store: Store, layer: OpenLayer, tmp_path: Path) -> Store:
    return open_store(copy_of(few_store, tmp_path / "atlas.gpkg")).mount(layer)


@pytest.fixture
def client(own: Store) -> Iterator[TestClient]:
    with TestClient(create_app(own, SETTINGS)) as made:
        yield made


def test_sites_of_the_layer_are_features_and_say_so(client: TestClient) -> None:
    feature = client.get("/collections/assets/items/plant").json()
    assert feature["properties"]["tier"] == "open"
    tiers = {
        one["id"]: one["properties"]["tier"]
        for one in client.get("/collections/assets/items?limit=100").json()["features"]
    }
    assert tiers.pop("plant") == "open"
    assert {*tiers.values()} == {"curated"}
    assert "plant/1" not in tiers  # which is one with a site of the records
    answer = client.get("/collections/assets/items?filter=tier='open'").json()
    assert [one["id"] for one in answer["features"]] == ["plant"]


def test_the_layer_and_its_licences_are_named(client: TestClient, layer: OpenLayer) -> None:
    about = client.get("/about").json()
    assert about["open_layer"]["sha256"] == layer.digest
    assert "A tracker (CC BY 4.0)" in about["attribution"]


def test_what_follows_is_cached_although_records_are_united_and_read_again_alike(own: Store, layer: OpenLayer) -> None:
    first = LiveSnapshot(own, SETTINGS, "tests")
    assert first.view.snapshot.backing_files is not None
    again = LiveSnapshot(own, SETTINGS, "tests").view
    assert again.version == first.view.version
    assert again.snapshot.records.assets[SITE].capacity == 7.0
    assert "plant/1" in again.stored.assets
    bare = LiveSnapshot(own.mount(None), SETTINGS, "tests").view
    assert bare.snapshot.records.assets[SITE].capacity is None


def test_a_decision_on_a_site_of_the_layer_is_served_as_after_a_start(own: Store, layer: OpenLayer) -> None:
    live = LiveSnapshot(own, SETTINGS, "tests")
    (strike, *_) = own.records().strikes
    live.append("decisions", decision("d", "plant").model_copy(update={"strike": strike}), author="Ann")
    assert live.look()
    answer = live.view.snapshot.answer(strike)
    assert "plant" in answer.assets
    assert {*own.mount(None).records().assets} >= {"plant"}
    own.mount(layer)
    assert (
        LiveSnapshot(own, SETTINGS, "anew").view.snapshot.layers["strikes"].digest
        == live.view.snapshot.layers["strikes"].digest
    )
