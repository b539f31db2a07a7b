"""One question has one number: by the API, the command line, and the layer in two formats."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from layers.attribution.country_totals import RELATIONS
from layers.store.store import Store
from tests.command_runner import shell
from tests.conftest import BASEMAP

Json = dict[str, Any]
ITEMS = "/collections/attributions/items"


def rows(client: TestClient, **query: str) -> list[Json]:
    answer = client.get(ITEMS, params={"limit": "10000", "f": "json", **query}).json()
    assert answer["numberMatched"] == len(answer["features"])
    return [feature["properties"] for feature in answer["features"]]


def in_csv(client: TestClient, **query: str) -> set[str]:
    text = client.get(ITEMS, params={"limit": "10000", "f": "csv", **query}).text
    return {row["strike"] for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))}


def strikes(found: list[Json]) -> set[str]:
    return {row["strike"] for row in found}


@pytest.fixture(scope="module")
def layer(client: TestClient) -> list[Json]:
    return rows(client)


def test_every_country_and_relation_has_one_number(client: TestClient, layer: list[Json]) -> None:
    listed = client.get("/countries").json()["countries"]
    assert {row["country"] for row in listed} == {
        row["country"] for row in layer if row["country"] and row["status"] != "retracted"
    }
    for country in listed:
        iso = country["country"]
        own = [row for row in layer if row["country"] == iso and row["status"] != "retracted"]
        assert client.get(f"/countries/{iso}").json()["relations"] == country["relations"]
        for relation in RELATIONS:
            of_relation = [row for row in own if row["relation"] == relation]
            counted = country["relations"][relation]
            assert counted["strikes"] == len(strikes(of_relation)), (iso, relation)
            assert counted["strikes_sure"] == len(strikes([row for row in of_relation if row["sure"]])), (iso, relation)


@pytest.mark.parametrize("relation", ["owner", "supplier"])
def test_the_recipe_for_other_programs_gives_that_number(client: TestClient, relation: str) -> None:
    for country in client.get("/countries", params={"relation": relation}).json()["countries"]:
        recipe = f"relation = '{relation}' AND country = '{country['country']}' AND sure"
        sure = country["relations"][relation]["strikes_sure"]
        assert len(strikes(rows(client, filter=recipe))) == len(in_csv(client, filter=recipe)) == sure


def test_any_window_of_time_has_one_number(client: TestClient, layer: list[Json]) -> None:
    chance = random.Random(2026)
    for _ in range(50):
        first = date(2019, 1, 1) + timedelta(days=chance.randrange(2800))
        last = first + timedelta(days=chance.choice((0, 6, 30, 364)))
        window = {"datetime": f"{first}/{last}", "filter": "relation = 'owner' AND country = 'RU' AND sure"}
        expected = {
            row["strike"]
            for row in layer
            if row["relation"] == "owner" and row["country"] == "RU" and row["sure"]
            and (row["day_first"] or "") <= f"{last}" and (row["day_last"] or "9") >= f"{first}"
        }  # fmt: skip
        assert strikes(rows(client, **window)) == in_csv(client, **window) == expected


def test_no_row_shows_a_bare_id(layer: list[Json]) -> None:
    assert layer
    for row in layer:
        assert (row["asset_name"] is None) == (row["asset"] is None)
        assert (row["entity_name"] is None) == (row["entity"] is None)
        assert row["title"]
        assert row["place"]


def test_the_command_line_says_it_too(
    client: TestClient, store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shell(capsys, monkeypatch)
    for iso in ("AZ", "KZ", "US"):
        for basis in ("registration", "headquarters"):
            answer = client.get(f"/countries/{iso}", params={"basis": basis}).json()
            ran = run("country", iso, "--basis", basis, "--store", store.path, "--basemap", BASEMAP, "--json")
            assert ran.report == answer
