"""What may not be published stays in the store, with all that hangs on it."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from layers.model.records import RECORD_TYPES, Record, Records
from layers.snapshot.public_records import public
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Store
from tests.conftest import BASEMAP

DEPOT = "ua-socar-depot-2025-08-08"


def with_private(records: Records, table: str, *keys: str) -> Records:
    there = records.table(table)
    marked = {key: there[key].model_copy(update={"private": True}) for key in keys}
    return dataclasses.replace(records, **{table: {**there, **marked}})


def telling(records: Records, key: str) -> dict[str, set[str]]:
    """Records of each table whose text names a record."""

    def says(record: Record) -> bool:
        return key in record.model_dump_json().replace(f'"note":"{key}', "")

    return {name: {one for one, record in records.table(name).items() if says(record)} for name in RECORD_TYPES}


def test_nothing_private_is_the_same_records(records: Records) -> None:
    assert public(records) is records


def test_a_private_strike_goes_with_its_claims_and_decisions(records: Records) -> None:
    before = telling(records, DEPOT)
    assert before["claims"]
    assert before["decisions"]
    seen = public(with_private(records, "strikes", DEPOT))
    assert telling(seen, DEPOT) == {name: set() for name in RECORD_TYPES}
    assert len(seen.strikes) == len(records.strikes) - 1
    assert seen.stakes == records.stakes


def test_of_several_sources_only_the_private_one_goes(records: Records) -> None:
    strike = next(strike for strike in records.strikes.values() if len(strike.sources) > 2)
    hidden = strike.sources[0]
    if strike.place_source == hidden:
        hidden = strike.sources[1]
    seen = public(with_private(records, "sources", hidden))
    assert hidden not in seen.sources
    assert seen.strikes[strike.id].sources == tuple(one for one in strike.sources if one != hidden)


def test_a_private_asset_takes_its_stakes_along(records: Records) -> None:
    asset = next(stake.owned for stake in records.stakes.values() if stake.owned in records.assets)
    seen = public(with_private(records, "assets", asset))
    assert asset not in seen.assets
    assert all(stake.owned != asset for stake in seen.stakes.values())


@pytest.fixture(scope="module")
def private_client(records: Records, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    store = Store.create(tmp_path_factory.mktemp("private") / "atlas.gpkg")
    store.load(with_private(records, "strikes", DEPOT), author="tests")
    return TestClient(create_app(store, Settings(basemap=BASEMAP, follow_every_s=0)))


@pytest.mark.parametrize(
    "path",
    [
        "/collections/strikes/items?limit=1000",
        "/collections/attributions/items?limit=5000",
        "/collections/hits/items?limit=5000",
        "/countries/AZ",
        "/entities/socar/holdings",
        "/tiles/strikes/0/0/0.mvt",
        "/tiles/attributions/0/0/0.mvt",
    ],
)
def test_no_answer_names_a_private_strike(private_client: TestClient, client: TestClient, path: str) -> None:
    with private_client:
        answer = private_client.get(path)
    assert answer.status_code == 200
    assert DEPOT.encode() not in answer.content
    open_answer = client.get(path)
    assert open_answer.status_code == 200
    if "holdings" not in path:
        assert DEPOT.encode() in open_answer.content


@pytest.mark.parametrize("path", [f"/collections/strikes/items/{DEPOT}", f"/strikes/{DEPOT}/attribution"])
def test_a_private_strike_is_not_there(private_client: TestClient, path: str) -> None:
    with private_client:
        assert private_client.get(path).status_code == 404


def test_a_snapshot_of_the_public_records_still_answers(records: Records, base: Any) -> None:
    seen = Snapshot.of(public(with_private(records, "strikes", DEPOT)), base, 1, date(2026, 11, 25), wording=str)
    assert DEPOT not in seen.answers()
    assert len(seen.answers()) == len(records.strikes) - 1
