"""What changed since a time is by its own record, by what was decided of it, or by a record that it rests on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from layers.model.records import Decision, Records
from layers.store.backup import back_up
from layers.store.store import ANY, Edit, Store
from tests.api.feature_client import ids, items, problem
from tests.conftest import BASEMAP

DEPOT, SITE, OWNER = "ua-socar-depot-2025-08-08", "a-socar-sintez", "socar"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def opened(tmp_path: Path, few_records: Records) -> Store:
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(few_records, author="a load", at=START)
    return store


def since(store: Store, at: datetime, collection: str = "strikes", **query: str) -> set[str]:
    """Ids of the features of a new server of the store."""
    with TestClient(create_app(store, Settings(basemap=BASEMAP, follow_every_s=0))) as client:
        return set(ids(items(client, collection, updated_since=at.isoformat(), **query)))


def edit(store: Store, hours: int, table: str, key: str, **values: object) -> datetime:
    at = START + timedelta(hours=hours)
    record = store.records().table(table)[key].model_copy(update=values)
    store.write(Edit(table, key, record, ANY), author="an editor", at=at)
    return at


def test_an_edit_of_a_strike_and_nothing_before(opened: Store, few_records: Records) -> None:
    at = edit(opened, 1, "strikes", DEPOT, note="a note")
    assert since(opened, START) == set(few_records.strikes)
    assert since(opened, at) == since(opened, at - timedelta(minutes=1)) == {DEPOT}
    assert since(opened, at, filter="host_country = 'UA'") == {DEPOT}
    assert since(opened, at, filter="host_country = 'RU'") == set()
    assert since(opened, at + timedelta(milliseconds=1)) == set()
    assert {key.split("/")[0] for key in since(opened, at, "hits")} == {DEPOT}


def test_a_stake_moves_the_sites_below_it_and_their_strikes(opened: Store, few_records: Records) -> None:
    stake = next(one for one in few_records.stakes.values() if one.owned == OWNER)
    at = edit(opened, 1, "stakes", stake.id, note="a note")
    assert SITE in since(opened, at, "assets")
    assert "a-abq" not in since(opened, at, "assets")
    moved = since(opened, at)
    assert DEPOT in moved
    assert "sa-abqaiq-khurais-2019-09-14" not in moved
    assert moved < set(few_records.strikes)


def test_a_decision_and_a_removed_stake_count(opened: Store, few_records: Records) -> None:
    one = Decision(
        id="new", strike="ua-orlivka-2025-08-06", asset=SITE, verdict="possible", who="x", when="2026-03-01", why="."
    )
    opened.append("decisions", one, author="an editor", at=START + timedelta(hours=1))
    assert "ua-orlivka-2025-08-06" in since(opened, START + timedelta(hours=1))
    assert SITE in since(opened, START + timedelta(hours=1), "assets")
    stake = next(stake for stake in few_records.stakes.values() if stake.owned == SITE)
    opened.write(Edit("stakes", stake.id, None, ANY), author="an editor", at=START + timedelta(hours=2))
    assert DEPOT in since(opened, START + timedelta(hours=2))


def test_a_backup_answers_as_the_store(opened: Store, tmp_path: Path) -> None:
    at = edit(opened, 1, "strikes", DEPOT, note="a note")
    back_up(opened, tmp_path / "copy.gpkg")
    assert since(Store.open(tmp_path / "copy.gpkg"), at) == {DEPOT}


def test_of_too_many_changes_every_feature_may_have_changed(
    opened: Store, few_records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = edit(opened, 1, "strikes", DEPOT, note="a note")
    edit(opened, 2, "strikes", DEPOT, note="another note")
    monkeypatch.setattr("layers.corrections.log.MAX_CHANGES", 1)
    assert since(opened, at) == set(few_records.strikes)


def test_a_private_change_is_none(opened: Store) -> None:
    at = edit(opened, 1, "strikes", DEPOT, private=True)
    edit(opened, 2, "strikes", DEPOT, note="unseen")
    assert since(opened, at + timedelta(hours=1)) == set()


@pytest.mark.parametrize("text", ["2026-03-01", "yesterday", "2026-03-01T12:00:00", "2026-02-30T12:00:00Z", ""])
def test_what_is_no_time_is_refused(client: TestClient, text: str) -> None:
    problem(client, f"/collections/strikes/items?updated_since={text}", 400)


def test_countries_have_no_such_parameter(client: TestClient) -> None:
    problem(client, "/collections/countries/items?updated_since=2026-03-01T12:00:00Z", 400)
