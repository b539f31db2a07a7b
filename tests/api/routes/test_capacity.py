"""Capacity of a country that was hit and lost, as the API and the command line tell it, and what it is based on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.store.store import Store
from tests.command_runner import shell
from tests.conftest import BASEMAP
from tests.outage_records import outage_store

Json = dict[str, Any]
COUNTRIES = ("AZ", "KZ", "US")
UNITS = {"MW", "t/y", "bbl/d", "bcm/y", "t", "m3", None}
CAUSES = ("strike", "other", "occupied")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, base: Basemap) -> Store:
    return outage_store(tmp_path_factory.mktemp("outages"), base)


@pytest.fixture(scope="module")
def outages(stored: Store) -> Iterator[TestClient]:
    with TestClient(create_app(stored, Settings(basemap=BASEMAP, follow_every_s=0))) as client:
        yield client


def get(client: TestClient, path: str, **query: str) -> Json:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def bounds_are_ordered(rows: list[Json], *names: str) -> None:
    for row in rows:
        assert 0 <= row["sites_sure"] <= row["sites"]
        for name in names:
            low, high = row[f"{name}_min"], row[f"{name}_max"]
            assert (low is None) == (high is None)
            assert low is None or 0 <= low <= high


def figures_hold(told: Json, sources: Json) -> None:
    for of_relation in told.values():
        units = [row["unit"] for row in of_relation["hit"]]
        lost = [(row["cause"], row["unit"]) for row in of_relation["lost"]]
        assert len({*units}) == len(units)
        assert len({*lost}) == len(lost)
        assert {*units} | {unit for _, unit in lost} <= UNITS
        assert {cause for cause, _ in lost} <= {*CAUSES}
        bounds_are_ordered(of_relation["hit"], "capacity")
        bounds_are_ordered(of_relation["lost"], "capacity_days", "volume")
        for row in (*of_relation["hit"], *of_relation["lost"]):
            assert row["sources"]
            assert {*row["sources"]} <= sources.keys()
            assert row["unit"] is None or row["sites"] > 0
        for row in of_relation["lost"]:
            assert (row["volume_unit"] is None) == (row["unit"] not in ("t/y", "bcm/y", "bbl/d"))


@pytest.mark.parametrize("iso", COUNTRIES)
@pytest.mark.parametrize("basis", ["registration", "headquarters"])
def test_bundled_figures_are_ordered_and_have_sources(client: TestClient, iso: str, basis: str) -> None:
    whole = get(client, f"/countries/{iso}", basis=basis)
    told = get(client, f"/countries/{iso}/capacity", basis=basis)
    figures_hold(whole["capacity"], whole["sources"])
    for relation in ("owner", "host"):
        assert whole["capacity"][relation] == {key: part for key, part in told[relation].items() if key != "sites"}
        for site in told[relation]["sites"]:
            assert site["sources"]
            assert {*site["sources"]} <= told["sources"].keys()
            assert {one["source"] for one in site["conditions"]} <= {*site["sources"]}
            assert not site["lost"] or site["conditions"]
    windows = [
        get(client, f"/countries/{iso}/capacity", basis=basis, since=since, until=until)["owner"]
        for since, until in (("2014-01-01", "2025-12-31"), ("2026-01-01", told["data_date"]))
    ]
    for row in told["owner"]["lost"]:
        if row["unit"] is not None:
            parts = [p for w in windows for p in w["lost"] if (p["cause"], p["unit"]) == (row["cause"], row["unit"])]
            for end in ("capacity_days_min", "capacity_days_max"):
                assert sum(part[end] for part in parts) == pytest.approx(row[end])


def test_every_unit_of_the_bundled_records_is_known(records: Records) -> None:
    assert {asset.capacity_unit for asset in records.assets.values()} <= UNITS


def test_figures_of_a_country(outages: TestClient) -> None:
    told = get(outages, "/countries/AZ/capacity", since="2026-01-01", until="2026-06-30")
    (mw,) = [row for row in told["owner"]["lost"] if row["unit"] == "MW"]
    assert (mw["capacity_days_min"], mw["capacity_days_max"], mw["volume_unit"]) == (4000, 6000, None)
    assert mw["sources"] == ["gazette", "register"]
    (gas,) = [row for row in told["owner"]["lost"] if row["unit"] == "t/y"]
    # From 2 March to 30 June: 30 + 30 + 31 + 30 = 121 days of 3.65 Mt/y, each 10,000 t.
    assert (gas["volume_unit"], gas["volume_min"], gas["volume_max"]) == ("t", 10_000, 1_210_000)
    assert [(row["unit"], row["capacity_min"], row["capacity_max"]) for row in told["owner"]["hit"]] == [
        ("MW", 1000, 1000), ("bbl/d", 60_000, 60_000), ("t", 25_000, 30_000), ("t/y", 3_650_000, 3_650_000),
    ]  # fmt: skip
    assert told["owner"]["untold"] == 2  # the two depots
    (station,) = [site for site in told["owner"]["sites"] if site["asset"] == "station"]
    assert station["strikes"] == [{"strike": "s2", "title": "Station struck", "when": "2026-04-21"}]
    assert [one["since"] for one in station["conditions"]] == ["2026-04-21"]
    assert told["sources"]["gazette"]["publisher"] == "The Gazette"


def test_a_window_counts_the_strikes_that_may_be_in_it(outages: TestClient) -> None:
    told = get(outages, "/countries/AZ", since="2026-04-01", until="2026-04-30")
    assert told["relations"]["owner"]["strikes"] == 1
    assert [row["strike"] for row in told["owned"]] == ["s2"]
    assert (told["since"], told["until"]) == ("2026-04-01", "2026-04-30")
    whole = get(outages, "/countries/AZ", since="0001-01-01", until="9999-12-31")
    assert {**whole, "since": None, "until": None} == get(outages, "/countries/AZ")
    assert get(outages, "/countries/AZ", relation="supplier")["capacity"] == {}


@pytest.mark.parametrize("path", ["/countries/AZ", "/countries/AZ/capacity"])
def test_a_period_that_ends_before_it_begins_is_refused(outages: TestClient, path: str) -> None:
    for query in ({"since": "2026-05-02", "until": "2026-05-01"}, {"since": "yesterday"}, {"until": "2026-13-01"}):
        answer = outages.get(path, params=query)
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")


def test_conditions_stand_beside_the_asset_and_the_strike(outages: TestClient) -> None:
    asset = get(outages, "/assets/refinery/owners")
    struck = get(outages, "/strikes/s1/attribution")
    (condition,) = asset["conditions"]
    assert (condition["since"], condition["until"], condition["status"]) == ("2026-03-02", "2026-03-12", "offline")
    assert struck["assets"][0]["conditions"] == asset["conditions"]
    assert {"gazette"} <= struck["sources"].keys() & asset["sources"].keys()
    page = outages.get("/strikes/s1/attribution", headers={"accept": "text/html"}).text
    assert "conditions" in page
    assert "12 March 2026" in page or "2026-03-12" in page


def test_the_command_line_gives_the_same(
    stored: Store, outages: TestClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shell(capsys, monkeypatch)
    where = ("--store", stored.path, "--basemap", BASEMAP)
    window = ("--since", "2026-04-01", "--until", "2026-05-31")
    told = run("capacity", "KZ", *window, *where, "--json").report
    assert told == {
        **get(outages, "/countries/KZ/capacity", since="2026-04-01", until="2026-05-31"),
        "data_date": told["data_date"],
    }
    words = " ".join(run("capacity", "KZ", *window, *where).out.split())
    assert "lost to strikes │ (MW)-days │ 4,000 │ 6,000 │ 1 │ 1 │ The Gazette, The Register" in words
    assert "Station (1,000 MW)" in words
    words = " ".join(run("country", "AZ", *where).out.split())
    assert "hit │ bbl/d │ 60,000 │ 60,000 │ 1 │ 1 │ The Gazette, The Register" in words
    assert "lost to strikes │ capacity not known" in words
    words = " ".join(run("show", "s2", *where).out.split())
    assert "How far Station worked" in words
    assert "21 April 2026 │ 11 May 2026 │ 40-60 │ reduced │ The Gazette" in words
    assert run("country", "AZ", "--since", "2026-05-02", "--until", "2026-05-01", *where).code == 2
