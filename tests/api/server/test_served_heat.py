"""A server shows heat beside the candidates of a strike as soon as it is loaded, from whichever source it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.server.live_snapshot import LiveSnapshot
from api.settings import Settings
from layers.model.records import Records
from layers.snapshot.snapshot import Snapshot
from layers.sources import firms
from layers.sources.reader.format import LoadOptions
from layers.store.store import ANY, Edit, Store
from tests.conftest import BASEMAP
from tests.heat_files import background, csv_text, row
from tests.layers.sources.making_files import file_of
from tests.store_copies import opened_copy
from tests.store_kinds import NewStore

STRIKE, ASSET = "ua-trypilska-2024-04-11", "a-trypilska"
SEEN = row(longitude="30.747", latitude="50.1360", acq_date="2024-04-11", acq_time="1048")
SETTINGS = Settings(basemap=BASEMAP)


@pytest.fixture(autouse=True)
def _shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    # Deep zooms of countries take seconds, each time.
    monkeypatch.setattr("api.server.live_snapshot._ZOOMS", 2)


@pytest.fixture(scope="module")
def loaded(records: Records, new_shared_store: NewStore) -> Store:
    """A store of one strike."""
    decisions = {key: one for key, one in records.decisions.items() if one.strike == STRIKE}
    relations = {key: one for key, one in records.relations.items() if one.strike in (None, STRIKE)}
    strikes = {STRIKE: records.strikes[STRIKE]}
    made = new_shared_store()
    made.load(replace(records, strikes=strikes, decisions=decisions, relations=relations), author="tests")
    return made


@pytest.fixture
def store(loaded: Store, tmp_path: Path) -> Iterator[Store]:
    with closing(opened_copy(loaded, tmp_path / "atlas.gpkg")) as opened:
        yield opened


def observe(store: Store, folder: Path) -> None:
    rows = [*background(30.747, 50.133, date(2024, 2, 11), 60), SEEN]
    reading = firms.read([file_of(folder / "fires.csv", csv_text("viirs-archive", rows))], LoadOptions("firms/fires"))
    (source,) = reading.records.sources.values()
    assert reading.heat is not None
    store.load(reading.records, author="tests", heat=(source, reading.heat))


def number_of_witnesses(snapshot: Snapshot) -> int:
    (match,) = [match for match in snapshot.matches[STRIKE] if match.asset == ASSET]
    return [reason.name for reason in match.reasons].count("heat")


def test_heat_is_served_when_it_was_loaded_and_after_every_edit(store: Store, tmp_path: Path) -> None:
    atlas = LiveSnapshot(store, SETTINGS, "test")
    before = atlas.view
    assert number_of_witnesses(before.snapshot) == 0
    observe(store, tmp_path)
    assert atlas.refresh()
    assert atlas.view.version != before.version
    assert [number_of_witnesses(one) for one in (atlas.view.snapshot, atlas.view.with_private)] == [1, 1]
    read = atlas.view.snapshot.heat
    strike = store.records().strikes[STRIKE].model_copy(update={"title": "Another title"})
    atlas.write(Edit("strikes", STRIKE, strike, ANY), author="Ann")
    assert atlas.refresh()
    assert atlas.view.snapshot.records.strikes[STRIKE].title == "Another title"
    assert number_of_witnesses(atlas.view.snapshot) == 1
    assert atlas.view.snapshot.heat is read, "observations are read once"


def test_a_server_that_starts_from_cached_files_has_it_too(store: Store, tmp_path: Path) -> None:
    observe(store, tmp_path)
    assert LiveSnapshot(store, SETTINGS, "test").rebuild_cache()
    again = LiveSnapshot(store, SETTINGS, "test").view
    assert again.snapshot.backing_files is not None
    assert number_of_witnesses(again.snapshot) == 1


def test_heat_of_a_dataset_that_became_private_is_no_longer_shown(store: Store, tmp_path: Path) -> None:
    observe(store, tmp_path)
    atlas = LiveSnapshot(store, SETTINGS, "test")
    assert number_of_witnesses(atlas.view.snapshot) == 1
    store.make_private("firms/fires", author="Ann", why="a test")
    assert atlas.refresh()
    assert [number_of_witnesses(one) for one in (atlas.view.snapshot, atlas.view.with_private)] == [0, 0]


def test_the_answer_to_a_strike_says_when_how_far_and_by_what(store: Store, tmp_path: Path) -> None:
    observe(store, tmp_path)
    with TestClient(create_app(store, Settings(basemap=BASEMAP, cache_from=0))) as client:
        answer = client.get(f"/strikes/{STRIKE}/attribution").json()
    matches = [hit["match"] for hit in answer["assets"] if hit["asset"]["id"] == ASSET]
    matches += [one for one in answer["candidates"] if one["asset"] == ASSET]
    said = [reason for match in matches for reason in match["reasons"] if reason["name"] == "heat"]
    assert said
    assert {reason["weight"] for reason in said} == {0}
    assert "VIIRS on NOAA-20 saw heat" in said[0]["detail"]
    assert "10:48 UTC on 2024-04-11" in said[0]["detail"]
