"""One question has one number: by the API, the command line, the layers, the exports and dossiers."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas
import orjson
import pytest
from starlette.testclient import TestClient

from api.exports.dossier.sections import CitedSources, SectionWriter
from api.exports.text import page_text, share
from api.serializers.attribution import strike_answer
from layers.attribution.attribute import counts_as_strike
from layers.attribution.country_totals import RELATIONS
from layers.attribution.readings import READINGS
from layers.model.types import CountryBasis
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Store
from tests.command_runner import shell
from tests.conftest import BASEMAP

Json = dict[str, Any]
BASES: tuple[CountryBasis, ...] = ("registration", "headquarters")


def rows(client: TestClient, collection: str = "attributions", **query: str) -> list[Json]:
    path = f"/collections/{collection}/items"
    answer = client.get(path, params={"limit": "10000", "f": "json", **query}).json()
    assert answer["numberMatched"] == len(answer["features"])
    return [feature["properties"] for feature in answer["features"]]


def in_csv(client: TestClient, collection: str = "attributions", **query: str) -> set[str]:
    text = client.get(f"/collections/{collection}/items", params={"limit": "10000", "f": "csv", **query}).text
    return {row["strike"] for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))}


def strikes(found: list[Json]) -> set[str]:
    return {row["strike"] for row in found}


@pytest.fixture(scope="module")
def hits(client: TestClient) -> list[Json]:
    return rows(client, "hits")


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


def listed_by(client: TestClient, basis: str) -> dict[str, Json]:
    """What the API counts of owned strikes by country, and nothing of countries that own none of what was hit."""
    listed = client.get("/countries", params={"basis": basis, "relation": "owner"}).json()["countries"]
    return {country["country"]: country["relations"]["owner"] for country in listed}


@pytest.mark.parametrize("basis", BASES)
def test_hits_count_every_country_as_the_api_does(client: TestClient, hits: list[Json], basis: str) -> None:
    read = [row for row in hits if row["reading"] == basis and row["status"] != "retracted" and row["country"]]
    counted = listed_by(client, basis)
    assert counted
    assert {row["country"] for row in read} == set(counted)
    for iso, totals in counted.items():
        own = [row for row in read if row["country"] == iso]
        assert totals["strikes"] == len(strikes(own)), iso
        assert totals["strikes_sure"] == len(strikes([row for row in own if row["sure"]])), iso
        # The card of the page writes these numbers, and lists these strikes.
        card = client.get(f"/countries/{iso}", params={"basis": basis, "minority": "stay"}).json()
        assert card["relations"]["owner"] == totals
        assert {row["strike"] for row in card["owned"]} == strikes(own), iso


@pytest.mark.parametrize("basis", BASES)
def test_the_recipe_for_hits_gives_that_number(client: TestClient, basis: str) -> None:
    for iso, totals in listed_by(client, basis).items():
        recipe = f"country = '{iso}' AND reading = '{basis}' AND sure"
        found = strikes(rows(client, "hits", filter=recipe))
        assert found == in_csv(client, "hits", filter=recipe)
        assert len(found) == totals["strikes_sure"], iso


def controlling(hit: Json) -> set[str | None]:
    """The countries of who controlled a site in an answer, on any of its days; ``None`` for nobody's."""
    return {span["control"] and span["control"]["country"] for span in hit["control_days"]}


def test_hits_by_control_are_what_the_answers_to_strikes_say(client: TestClient, hits: list[Json]) -> None:
    read = [row for row in hits if row["reading"] == "control"]
    counted = {row["strike"] for row in hits if row["status"] not in ("retracted", "draft")}
    for strike in strikes(hits):
        answer = client.get(f"/strikes/{strike}/attribution").json()
        own = [row for row in read if row["strike"] == strike]
        sites = answer["assets"]
        assert {(row["asset"], row["country"]) for row in own} == {
            (hit["asset"]["id"], country) for hit in sites for country in controlling(hit)
        }
        sure = [found if len(found := controlling(hit)) == 1 else set() for hit in sites]
        confirmed = [found for found, hit in zip(sure, sites, strict=True) if hit["verdict"] == "confirmed"]
        expected = set[str | None]()
        if confirmed:
            expected = set.union(*confirmed)
        elif len(sites) > 1:
            expected = set.intersection(*sure)
        named = {row["country"] for row in own if row["sure"] and row["country"]}
        assert named == (expected - {None} if strike in counted else set()), strike


def test_hits_of_any_window_of_time_have_one_number(client: TestClient, hits: list[Json]) -> None:
    chance = random.Random(16)
    countries = sorted({row["country"] for row in hits if row["country"]})
    for number in range(50):
        first = date(2019, 1, 1) + timedelta(days=chance.randrange(2800))
        last = first + timedelta(days=chance.choice((0, 6, 30, 364)))
        iso, reading = chance.choice(countries), READINGS[number % 3]
        expected = {
            row["strike"]
            for row in hits
            if row["reading"] == reading and row["country"] == iso and row["sure"]
            and (row["day_first"] or "") <= f"{last}" and (row["day_last"] or "9") >= f"{first}"
        }  # fmt: skip
        window = {"datetime": f"{first}/{last}", "filter": f"reading = '{reading}' AND country = '{iso}' AND sure"}
        assert strikes(rows(client, "hits", **window)) == in_csv(client, "hits", **window) == expected
        if reading == "registration":
            recipe = f"relation = 'owner' AND country = '{iso}' AND sure"
            assert strikes(rows(client, datetime=window["datetime"], filter=recipe)) == expected


def test_exports_of_hits_have_the_rows_of_the_layer(
    hits: list[Json], store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shell(capsys, monkeypatch)
    where = ("--store", store.name, "--basemap", BASEMAP)
    ids = {f"{row['strike']}/{row['asset']}/{row['reading']}/{row['country'] or '-'}" for row in hits}
    sure = {key for key, row in zip(map(key_of, hits), hits, strict=True) if row["sure"]}
    run("export", "geojson", "hits", "--out", tmp_path / "hits.geojson", *where)
    features = orjson.loads((tmp_path / "hits.geojson").read_bytes())["features"]
    assert {feature["properties"]["id"] for feature in features} == ids
    assert {key_of(one["properties"]) for one in features if one["properties"]["sure"]} == sure
    run("export", "csv", "hits", "--out", tmp_path / "hits.csv", *where)
    with (tmp_path / "hits.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert {row["id"] for row in table} == ids
    assert {key_of(row) for row in table if row["sure"].lower() == "true"} == sure
    run("export", "gpkg", "--out", tmp_path / "all.gpkg", *where)
    exported = geopandas.read_file(tmp_path / "all.gpkg", layer="hits")
    assert set(exported["id"]) == ids
    assert set(exported[exported["sure"].astype(bool)]["id"]) == sure


def key_of(row: Json) -> str:
    return f"{row['strike']}/{row['asset']}/{row['reading']}/{row['country'] or '-'}"


@pytest.mark.parametrize("basis", BASES)
def test_a_dossier_prints_the_countries_and_shares_of_hits(
    client: TestClient, snapshot: Snapshot, hits: list[Json], basis: CountryBasis
) -> None:
    names = snapshot.basemap.country_names
    answers = [answer for answer in snapshot.answers(basis).values() if counts_as_strike(answer)]
    said = [strike_answer(snapshot, answer) for answer in answers]
    printed = [
        SectionWriter(CitedSources(said), names).section(number, answer) for number, answer in enumerate(said, 1)
    ]
    read = [row for row in hits if row["reading"] == basis]
    named: dict[str, int] = {}
    for answer, page in zip(answers, printed, strict=True):
        own = [row for row in read if row["strike"] == answer.strike.id]
        owners = {row["name"]: row["share"] for row in page["owners"]}
        told = {names[row["country"]] if row["country"] else page_text("unattributed") for row in own}
        assert set(owners) == (told or {page_text("unattributed")}), answer.strike.id
        if len(answer.hits) == 1:
            for row in own:
                name = names[row["country"]] if row["country"] else page_text("unattributed")
                assert owners[name] == share(row["share_min"], row["share_max"])
        for name in owners:
            named[name] = named.get(name, 0) + 1
    for iso, totals in listed_by(client, basis).items():
        assert named[names[iso]] == totals["strikes"], iso


def test_no_row_of_hits_shows_a_bare_id(hits: list[Json]) -> None:
    assert hits
    for row in hits:
        assert row["title"]
        assert row["asset_name"]
        assert len(row["owners"]) == len(row["owner_names"])
        assert (row["operator"] is None) == (row["operator_name"] is None)
        assert (row["country"] is None) == (row["country_name"] is None)


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
            ran = run("country", iso, "--basis", basis, "--store", store.name, "--basemap", BASEMAP, "--json")
            assert ran.report == answer
