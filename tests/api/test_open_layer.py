"""A server with an open layer: its sites are asked for as others are, named as what they are, and cached."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely
from starlette.testclient import TestClient

from api.app import create_app
from api.publishing.publish import PublishedAtlas, PublishOrder
from api.server.live_snapshot import LiveSnapshot
from api.server.version_builder import derived_by_edit, derived_by_load, opened_version
from api.settings import Settings
from api.wording.catalogue import text
from layers.decisions import identity
from layers.model.records import Identity, Records
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.backends import open_store
from layers.store.open_layer import OpenLayer
from layers.store.store import DerivedUpdate, Store
from tests.conftest import BASEMAP
from tests.layers.store.test_open_layer import TRACKER, asset, decision, entity, held, point, stake, written
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


def test_the_page_of_a_site_of_the_layer_says_what_it_is(own: Store, tmp_path: Path) -> None:
    course = {"geometry": shapely.LineString([(30, 50), (50, 50)]), "uncertainty_m": 9e3, "basis": "line-end"}
    pipe = asset("pipe", kind="pipeline", place_source="tracker", **course)
    own.mount(written(tmp_path / "line.zip", TRACKER, pipe))
    with TestClient(create_app(own, SETTINGS)) as client:
        page = client.get("/collections/assets/items/pipe?f=html").text
    for words in (
        "No strike is recorded.",
        "1,430 km",
        "published by A tracker",
        "hardly more than these",
    ):
        assert words in page.replace("\u00a0", " ")


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


def loaded_strikes(store: Store) -> Records:
    """The strikes of a store once more, by a publisher of their own, without decisions."""
    records = store.records()
    strikes = {
        f"p/{key}": one.model_copy(update={"id": f"p/{key}", "dataset": "p"})
        for key, one in [*records.strikes.items()][:5]
    }
    return Records.of({"strikes": strikes, "sources": {}})


def test_a_load_of_strikes_derives_from_the_cache_what_it_would_from_all_records(
    own: Store, layer: OpenLayer, base: Basemap, tmp_path: Path
) -> None:
    assert not isinstance(derived_by_load(own, SETTINGS, layer), DerivedUpdate)  # its layers are not over that one
    own.record_open_layer(layer, author="Ann", derive=full_rewrite(base, text, layer))
    LiveSnapshot(own, SETTINGS, "tests")
    from_all = open_store(copy_of(own, tmp_path / "other.gpkg"))
    bare = own.mount(None)  # as a command opens it
    derived = derived_by_load(bare, SETTINGS, layer)
    assert isinstance(derived, DerivedUpdate)
    arriving = loaded_strikes(bare)
    bare.load(arriving, author="Ann", derive=derived)
    from_all.load(arriving, author="Ann", derive=full_rewrite(base, text, layer))
    assert rows_of(bare, "matches") == rows_of(from_all, "matches")
    assert rows_of(bare, "attributions") == rows_of(from_all, "attributions")
    assert any("p/" in str(row) for row in rows_of(bare, "matches"))


def test_a_judgement_derives_from_the_cache_what_it_would_from_all_records(
    own: Store, layer: OpenLayer, base: Basemap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.record_open_layer(layer, author="Ann", derive=full_rewrite(base, text, layer))
    LiveSnapshot(own, SETTINGS, "tests")
    monkeypatch.delattr("api.server.version_builder.full_rewrite")  # what is cached is enough
    from_all = open_store(copy_of(own, tmp_path / "other.gpkg")).mount(layer)
    at = datetime(2026, 12, 1, tzinfo=UTC)
    one = identity.judgement(own.records(), "plant", SITE, "same", who="Ann", why="one site", at=at)
    derived = derived_by_edit(own, SETTINGS)
    own.append("identities", one, author="Ann", at=at, derived=derived, why="one site")
    whole = DerivedUpdate(*from_all.version(), full_rewrite(base, text), lambda *_: None)
    from_all.append("identities", one, author="Ann", at=at, derived=whole, why="one site")
    assert rows_of(own, "matches") == rows_of(from_all, "matches")
    assert rows_of(own, "attributions") == rows_of(from_all, "attributions")


def rows_of(store: Store, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(store.beside)) as connection:
        names = [f'"{name}"' for _, name, *_ in connection.execute(f"PRAGMA table_info({table})") if name != "fid"]
        return sorted(connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall(), key=str)


def test_a_command_writes_what_it_computed_over_a_layer_to_the_cache(own: Store) -> None:
    first = opened_version(own, SETTINGS)
    assert first.snapshot.backing_files is not None
    assert opened_version(own, SETTINGS).snapshot.backing_files is not None
    assert opened_version(own.mount(None), SETTINGS).snapshot.backing_files is None


@pytest.mark.long
def test_a_publication_has_the_sites_of_a_layer_that_strikes_concern(few_store: Store, tmp_path: Path) -> None:
    layer = written(
        tmp_path / "far.zip", TRACKER, entity("holder", registered_in="AU"), asset("plant", **point(133.0, -25.0)),
        stake("plant", "holder", 100.0),
    )  # fmt: skip
    own = open_store(copy_of(few_store, tmp_path / "atlas.gpkg")).mount(layer)
    order = PublishOrder("https://example.org", ("en",))

    def published(name: str) -> Path:
        PublishedAtlas(own, SETTINGS, order).publish(tmp_path / name)
        return tmp_path / name

    bare = published("bare")
    assert not (bare / "assets" / "plant.html").exists()
    assert not (bare / "entities" / "holder.html").exists()
    assert "plant" not in rows_by_id(bare / "data" / "assets.csv")
    assert SITE in rows_by_id(bare / "data" / "assets.csv")
    assert '"holder"' not in (bare / "data" / "records" / "entities.json").read_text()
    (strike, *_) = own.records().strikes
    own.append("decisions", decision("d", "plant").model_copy(update={"strike": strike}), author="Ann")
    struck = published("struck")
    assert (struck / "assets" / "plant.html").exists()
    # And whose it was.
    assert (struck / "entities" / "holder.html").exists()
    assert "plant" in rows_by_id(struck / "data" / "assets.csv")


def rows_by_id(file: Path) -> set[str]:
    with file.open(newline="") as opened:
        return {row["id"] for row in csv.DictReader(opened)}
