"""A draft is named as one wherever a strike is named, and is counted as sure nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.exports.dossier.sections import CitedSources, SectionWriter
from api.exports.notebook_map.notebook_map import drawn_strikes, title_of
from api.settings import Settings
from layers.model.records import Records
from layers.store.store import Store
from tests.api import test_one_answer as one_answer
from tests.api.exports.making import frame_of, strike
from tests.command_runner import Run, shell
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore

DEPOT = "ua-socar-depot-2025-08-08"


@pytest.fixture(scope="module")
def drafts(records: Records, new_shared_store: NewStore) -> Store:
    """The bundled records with the depot at Odesa, and each third strike, as a draft."""
    marked = {
        name: row.model_copy(update={"status": "draft"}) if name == DEPOT or number % 3 == 0 else row
        for number, (name, row) in enumerate(records.strikes.items())
    }
    store = new_shared_store()
    store.load(replace(records, strikes=marked), author="tests")
    return store


@pytest.fixture(scope="module")
def client(drafts: Store) -> Iterator[TestClient]:
    with TestClient(create_app(drafts, Settings(basemap=BASEMAP, follow_every_s=0))) as client:
        yield client


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return shell(capsys, monkeypatch)


def test_counts_and_rows_agree_and_no_draft_is_sure(client: TestClient) -> None:
    rows = one_answer.rows(client)
    one_answer.test_every_country_and_relation_has_one_number(client, rows)
    of_drafts = [row for row in rows if row["status"] == "draft"]
    assert of_drafts
    assert not any(row["sure"] for row in of_drafts)
    assert any(row["sure"] for row in rows)


def test_the_lower_bound_of_sites_has_no_draft(client: TestClient, drafts: Store) -> None:
    owner = client.get("/countries/AZ").json()["relations"]["owner"]
    owned = {row["strike"]: row["status"] for row in client.get("/countries/AZ").json()["owned"]}
    assert owner["strikes"] == len(owned)
    assert owner["strikes_sure"] <= sum(status != "draft" for status in owned.values()) < len(owned)
    assert owner["assets_min"] <= owner["strikes_sure"] < owner["assets_max"]


def test_pages_and_tables_name_it_a_draft(client: TestClient, drafts: Store, run: Run) -> None:
    title = drafts.records().strikes[DEPOT].title
    for path in ("/collections/strikes/items", f"/collections/strikes/items/{DEPOT}"):
        page = client.get(path, params={"f": "html", **({"limit": "1000"} if path.endswith("items") else {})}).text
        assert f"{title} (draft)" in page
    assert f"{DEPOT} (draft)" in run("list", "strikes", "--store", drafts.name, "--basemap", BASEMAP).out
    for command in (("show", DEPOT), ("country", "AZ")):
        assert "(draft)" in run(*command, "--store", drafts.name, "--basemap", BASEMAP).out
    assert "draft" in {row["status"] for row in client.get("/countries/AZ").json()["owned"]}


def test_report_and_maps_name_it_a_draft(client: TestClient) -> None:
    answer = client.get(f"/strikes/{DEPOT}/attribution").json()
    title = answer["strike"]["title"]
    assert SectionWriter(CitedSources([answer]), {}).section(1, answer)["title"] == f"1. {title} (draft)"
    rows = [strike(0, status="draft"), strike(1)]
    assert [title_of(row) for row, _ in drawn_strikes(frame_of(rows))] == ["Depot 0 (draft)", "Depot 1"]
    assert [title_of(row) for row in rows] == ["Depot 0 (draft)", "Depot 1"]
