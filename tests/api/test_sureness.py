"""What is sure of a strike, of a site of it and of a country is worked out once, and every door says the same."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api.exports.printed_map.map_strikes import MapStrike, map_strikes, map_strikes_at
from api.exports.printed_map.story import region_class
from api.wording.catalogue import text
from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot

Json = dict[str, Any]
EITHER = ("ua-socar-depot-2025-08-08", "ua-socar-depot-2025-08-18")
DEPOTS = ("a-socar-sintez", "a-socar-svitanok")
WINDOWS = [
    ("2022-02-24", "2024-06-30"),
    *itertools.combinations(("2019-09-14", "2022-04-01", "2024-01-21", "2025-08-08", "2025-08-18", "2026-03-05"), 2),
]


def rows(client: TestClient, collection: str, **query: str) -> list[Json]:
    answer = client.get(f"/collections/{collection}/items", params={"limit": "10000", "f": "json", **query}).json()
    return [{"id": feature["id"], **feature["properties"]} for feature in answer["features"]]


@pytest.mark.parametrize("depot", DEPOTS)
def test_a_site_that_is_one_of_two_was_hit_for_sure_by_no_strike(client: TestClient, depot: str) -> None:
    page = client.get(f"/collections/assets/items/{depot}", headers={"Accept": "text/html"}).text
    assert "0 strikes on it for sure; 2 more possible." in page
    counted = client.get("/strikes/counts", params={"assets": depot}).json()
    assert (counted["sure"], counted["possible"], counted["reasons"]["unsettled"]) == (0, 2, 2)
    listed = client.get("/collections/strikes/items", params={"assets": depot, "f": "json"}).json()
    assert sorted(listed["possible"]) == sorted(EITHER)
    assert not client.get("/strikes/counts", params={"assets": depot, "certainty": "sure"}).json()["strikes"]


def test_sure_sites_and_countries_are_columns(client: TestClient) -> None:
    found = {row["id"]: row for row in rows(client, "strikes")}
    either = found[EITHER[0]]
    assert (either["sure"], either["assets_sure"], either["owner_countries_sure"]) == (True, [], ["AZ"])
    for row in found.values():
        assert set(row["assets_sure"]) <= set(row["assets"])
        assert set(row["owner_countries_sure"]) <= set(row["owner_countries"])
        assert row["sure"] or not (row["assets_sure"] or row["owner_countries_sure"])
        assert row["sure"] == (row["status"] not in ("draft", "retracted"))
    for hit in rows(client, "hits"):
        strike = found[hit["strike"]]
        assert hit["site_sure"] == (hit["asset"] in strike["assets_sure"])
        if hit["reading"] == "registration" and hit["sure"]:
            assert hit["country"] in strike["owner_countries_sure"]


def test_a_row_that_is_sure_says_whose(client: TestClient) -> None:
    assert all(row["country"] or row["owners"] for row in rows(client, "hits") if row["sure"])
    assert all(row["country"] or row["entity"] for row in rows(client, "attributions") if row["sure"])


@pytest.mark.parametrize("iso", ["US", "AZ", "RU", "QA", "UA", "KZ"])
def test_country_and_counts_have_one_number_in_every_window(client: TestClient, iso: str) -> None:
    """The card of a country on the page shows the one, the sentence above it the other."""
    for since, until in WINDOWS:
        of_country = client.get(f"/countries/{iso}", params={"since": since, "until": until}).json()["relations"]
        for relation in ("owner", "host"):
            query = {"country": iso, "relation": relation, "datetime": f"{since}/{until}"}
            counted = client.get("/strikes/counts", params={**query, "filter": "status <> 'retracted'"}).json()
            both = (of_country[relation]["strikes"], of_country[relation]["strikes_sure"])
            assert both == (counted["strikes"], counted["sure"]), (since, until, relation)


@pytest.mark.parametrize(
    "query",
    [
        {"country": "US", "datetime": "2022-02-24/2024-06-30"},
        {"country": "RU", "min_share": "40"},
        {"country": "GB", "relation": "related"},
        {"entity": "rosneft"},
        {"datetime": "2025-08-18/2025-08-18"},
    ],
)
def test_each_strike_that_is_drawn_alone_says_whether_it_is_sure(client: TestClient, query: Json) -> None:
    counted = client.get("/strikes/counts", params=query).json()
    listed = client.get("/collections/strikes/items", params={**query, "f": "json", "limit": "10000"}).json()
    assert len(listed["possible"]) == counted["possible"]
    drawn = client.get("/strikes/clusters", params={**query, "zoom": "22", "apart": "5000"}).json()
    placed = {feature["id"] for feature in listed["features"] if feature["geometry"]}
    assert set(drawn["possible"]) == placed.intersection(listed["possible"])
    clustered = client.get("/strikes/clusters", params={**query, "zoom": "3"}).json()
    sure = sum(one["sure"] for one in clustered["clusters"])
    assert sure + len(clustered["features"]) - len(clustered["possible"]) == len(placed - set(listed["possible"]))


def with_strikes(known: Records, base: Basemap, **values: Any) -> Snapshot:
    """A snapshot of records in which every strike that is set in Ukraine has other values."""
    own = {
        key: strike.model_copy(update=values) if strike.host_country == "UA" else strike
        for key, strike in known.strikes.items()
    }
    return Snapshot(replace(known, strikes=own), base, 1, date(2026, 11, 25), wording=text)


def test_nothing_of_a_retracted_strike_is_sure(records: Records, base: Basemap) -> None:
    snapshot = with_strikes(records, base, status="retracted")
    strikes, hits = snapshot.collections["strikes"].features, snapshot.collections["hits"].features
    retracted = [row for row in strikes if row.status == "retracted"]
    assert len(retracted) > 36
    assert not any(row.sure or row.assets_sure or row.owner_countries_sure for row in retracted)
    assert not any(row.sure or row.site_sure for row in hits if row.status == "retracted")


def drawn(snapshot: Snapshot, keys: list[str]) -> dict[str, MapStrike]:
    """Strikes as a printed map has them; both ways to make them agree."""
    layer = snapshot.collections["strikes"]
    by_rows = map_strikes_at(snapshot, [layer.rows_by_id[key] for key in keys]).strikes
    by_answers = map_strikes(snapshot.records, [snapshot.answer(key) for key in keys]).strikes
    assert [(one.host, one.at_sea, one.is_sure) for one in by_rows] == [
        (one.host, one.at_sea, one.is_sure) for one in by_answers
    ]
    return {one.id: one for one in by_rows}


def test_rows_whose_host_is_not_stated_count_as_abroad_by_their_owners_alone(
    records: Records, snapshot: Snapshot, whole_base: Basemap
) -> None:
    keys = [key for key, one in records.strikes.items() if one.host_country == "UA" and one.geometry is not None][:36]
    stated = drawn(snapshot, keys)
    derived = drawn(with_strikes(records, whole_base, host_country=None), keys)
    classes = {key: region_class(one) for key, one in stated.items()}
    assert {key: region_class(one) for key, one in derived.items() if one.host} == {
        key: classes[key] for key, one in derived.items() if one.host
    }
    assert sum(one.host == "UA" for one in derived.values()) >= 34
    assert all(one.host in ("UA", None) for one in derived.values())
    nowhere = with_strikes(records, whole_base, host_country=None, geometry=None, region=None)
    unknown = [one for one in drawn(nowhere, keys).values() if one.host is None]
    assert unknown
    assert not any(region_class(one) == "abroad" or one.at_sea for one in unknown)


def test_a_strike_at_sea_is_abroad_by_whoever_owned_it(snapshot: Snapshot) -> None:
    (ship,) = drawn(snapshot, ["om-mercer-street-2021-07-29"]).values()
    assert (ship.host, ship.at_sea, region_class(ship)) == (None, True, "abroad")


def test_the_answer_to_a_strike_says_what_names_its_host_and_which_sites_are_sure(client: TestClient) -> None:
    def said(key: str) -> tuple[Any, ...]:
        answer = orjson.loads(client.get(f"/strikes/{key}/attribution").content)
        return (answer["host"] or {}).get("country"), answer["host_basis"], [hit["sure"] for hit in answer["assets"]]

    assert said(EITHER[0]) == ("UA", "stated", [False, False])
    assert said("ru-cpc-nelsa-2026-07-21")[:2] == ("RU", "region")
    assert said("nord-stream-2-2022-09-26")[:2] == (None, "sea")
