"""The Global Power Plant Database: releases and national files, their encodings, places, fuels, owners and faults."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.problems import ReadResult
from layers.model.records import Asset
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.registry import recognise
from layers.sources.wri import FORMAT, LOCATED, UNSTATED
from tests.layers.english import english
from tests.layers.sources.making_files import file_of

#: Columns of release 1.3.0, the years of generation but the first left out.
RELEASE = (
    "country,country_long,name,gppd_idnr,capacity_mw,latitude,longitude,primary_fuel,other_fuel1,other_fuel2,other_fuel3,"
    "commissioning_year,owner,source,url,geolocation_source,wepp_id,year_of_capacity_data,generation_gwh_2013"
)
_FUELS = "primary_fuel,other_fuel1,other_fuel2,other_fuel3"
#: Those of release 1.1.0.
OLDER = RELEASE.replace(_FUELS, "fuel1,fuel2,fuel3,fuel4").replace("wepp_id,", "")
#: Those of a national file, without the ones that are not read.
NATIONAL = (
    "Power Plant ID,Name,Fuel,Secondary Fuel,Units,Capacity (MW),Commissioning Date,Owner,Operational Status,"
    "Latitude,Longitude,Source,Country,Natural Language,Geolocation Source"
)
PLANT = {
    "country": "UKR", "country_long": "Ukraine", "name": "Reed Bay", "gppd_idnr": "WRI1000001", "capacity_mw": "1200.5",
    "latitude": "46.6", "longitude": "31.2", "primary_fuel": "Coal", "other_fuel1": "Gas", "commissioning_year": "1971",
    "owner": "Reed Energy", "source": "Reed Energy report", "geolocation_source": "WRI",
}  # fmt: skip
UNIT = {
    "Power Plant ID": "1000002", "Name": "Sedge Hydro", "Fuel": "Hydro Water Reservoir", "Capacity (MW)": "30",
    "Owner": "Reed Energy", "Operational Status": "under construction", "Latitude": "45.5", "Longitude": "25.5",
    "Country": "Romania", "Natural Language": "Осока ГЕС", "Geolocation Source": "CARMA",
}  # fmt: skip


def table(header: str, *rows: Mapping[str, str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, header.split(","), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read(*files: SourceFile, **more: Any) -> ReadResult:
    return FORMAT.read(files, LoadOptions("wri/sample", retrieved="2026-11-25", **more))


def release(path: Path, *changes: Mapping[str, str]) -> ReadResult:
    """Read plants that differ from the sample."""
    rows = [{**PLANT, "gppd_idnr": f"WRI{n}", **change} for n, change in enumerate(changes, 1)]
    return read(file_of(path / "plants.csv", table(RELEASE, *rows)))


def only(reading: ReadResult) -> Asset:
    (asset,) = reading.records.assets.values()
    return asset


def faults(reading: ReadResult) -> list[tuple[int | None, str, str]]:
    return [(problem.row, problem.column, problem.value) for problem in english(reading.problems)]


def assert_every_row_ends_once(reading: ReadResult) -> None:
    loaded = {reading.locations["assets", key] for key in reading.records.assets}
    lost = {(problem.file, problem.row) for problem in reading.problems} - {(one.file, one.row) for one in loaded}
    assert reading.rows == len(loaded) + len(lost) == len(reading.records.assets) + len(lost)


def test_a_plant_of_the_release(tmp_path: Path) -> None:
    reading = read(file_of(tmp_path / "global_power_plant_database.csv", table(RELEASE, PLANT)))
    asset = only(reading)
    assert (asset.id, asset.name, asset.kind, asset.host_country) == (
        "wri/wri1000001", "Reed Bay", "power-plant", "UA",
    )  # fmt: skip
    assert (asset.capacity, asset.capacity_unit, asset.commodity) == (1200.5, "MW", "Coal")
    assert asset.geometry is not None
    assert asset.geometry.wkt == "POINT (31.2 46.6)"
    assert (asset.uncertainty_m, asset.basis) == LOCATED["wri"]
    assert asset.external_ids == {"gppd": "WRI1000001"}
    assert asset.note == "commissioned 1971, also Gas, from Reed Energy report"
    assert (asset.status, asset.since, asset.until) == (None, "1971", None)
    (source,) = reading.records.sources.values()
    assert (source.publisher, source.licence) == ("World Resources Institute", "CC BY 4.0")
    assert (source.retrieved, source.title) == (
        "2026-11-25", "Global Power Plant Database, global_power_plant_database.csv",
    )  # fmt: skip
    assert asset.sources == (asset.place_source,) == (source.id,)
    assert (reading.rows, reading.problems, reading.skipped) == (1, (), {})


def test_a_plant_of_an_older_release_is_the_same(tmp_path: Path) -> None:
    older = {name: value for name, value in PLANT.items() if "fuel" not in name}
    older |= {"fuel1": "Coal", "fuel2": "Gas"}
    now = only(read(file_of(tmp_path / "a.csv", table(RELEASE, PLANT))))
    before = only(read(file_of(tmp_path / "a.csv", table(OLDER, older))))
    assert before == now


def test_a_plant_of_a_national_file(tmp_path: Path) -> None:
    asset = only(read(file_of(tmp_path / "Romania.csv", table(NATIONAL, UNIT))))
    assert asset.id == "wri/wri1000002/sedge-hydro"
    assert (asset.kind, asset.commodity, asset.aliases) == ("hydro-plant", "Hydro Water Reservoir", ("Осока ГЕС",))
    assert (asset.host_country, asset.note) == ("RO", "status under construction")
    assert asset.status == "construction"
    assert asset.external_ids == {"gppd": "WRI1000002"}
    assert (asset.uncertainty_m, asset.basis) == (25_000, "settlement")


def test_a_plant_without_a_country_is_in_that_of_its_national_file(tmp_path: Path) -> None:
    bare = table(NATIONAL, {**UNIT, "Country": ""})
    assert only(read(file_of(tmp_path / "Saudi Arabia.csv", bare))).host_country == "SA"
    assert only(read(file_of(tmp_path / "plants.csv", bare))).host_country is None
    assert only(read(file_of(tmp_path / "Saudi Arabia.csv", table(NATIONAL, UNIT)))).host_country == "RO"


def test_units_of_a_national_file_share_a_number_and_plants_of_a_release_do_not(tmp_path: Path) -> None:
    one, other = table(NATIONAL, UNIT, UNIT, {**UNIT, "Name": "Sedge 2"}), table(RELEASE, PLANT, PLANT)
    reading = read(file_of(tmp_path / "a.csv", one))
    assert list(reading.records.assets) == [
        "wri/wri1000002/sedge-hydro", "wri/wri1000002/sedge-hydro/2", "wri/wri1000002/sedge-2",
    ]  # fmt: skip
    # The same file twice is no second set of plants.
    twice = read(file_of(tmp_path / "a.csv", one), file_of(tmp_path / "b.csv", one))
    assert len(twice.records.assets) == 3
    assert [problem.column for problem in twice.problems] == ["id"] * 3
    reading = read(file_of(tmp_path / "c.csv", other))
    assert faults(reading) == [(3, "id", "wri/wri1000001")]
    assert_every_row_ends_once(reading)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    content = table(RELEASE, {**PLANT, "name": "Ocón Façade"}, {**PLANT, "gppd_idnr": "WRI2", "owner": "Öl & Söhne"})
    file = file_of(tmp_path / "a.csv", content.encode(encoding))
    assert recognise(file) is FORMAT
    reading = read(file)
    assert reading.records.assets["wri/wri1000001"].name == "Ocón Façade"
    assert "Öl & Söhne" in {entity.name for entity in reading.records.entities.values()}


@pytest.mark.parametrize(
    ("fuel", "kind", "commodity"),
    [
        ("Hydro", "hydro-plant", "Hydro"),
        ("Nuclear", "nuclear-plant", "Nuclear"),
        ("Wind", "power-plant", "Wind"),
        ("Wave and Tidal", "power-plant", "Wave and Tidal"),
        ("", "power-plant", None),
        ("UNKNOWN", "power-plant", None),
    ],
)
def test_fuels(tmp_path: Path, fuel: str, kind: str, commodity: str | None) -> None:
    asset = only(release(tmp_path, {"primary_fuel": fuel}))
    assert (asset.kind, asset.commodity) == (kind, commodity)


@pytest.mark.parametrize("owner", ["", "  ", "Unknown", "--", "N/A", "Owner / Investor"])
def test_a_missing_owner_is_nobody(tmp_path: Path, owner: str) -> None:
    reading = release(tmp_path, {"owner": owner})
    assert (len(reading.records.assets), reading.records.stakes, reading.records.entities) == (1, {}, {})
    assert reading.problems == ()


def test_an_owner_is_a_name_with_a_stake_of_any_share(tmp_path: Path) -> None:
    reading = release(tmp_path, {}, {"owner": " Reed\u00a0 Energy "}, {"owner": 'JSC "Sedge" (99%); Moss & Co'})
    stakes = {stake.owned: stake for stake in reading.records.stakes.values()}
    assert {(stake.share_min, stake.share_max, stake.imputed) for stake in stakes.values()} == {(0.0, 100.0, False)}
    assert stakes["wri/wri1"].owner == stakes["wri/wri2"].owner == "wri/name/reed-energy"
    assert {(stake.since, stake.until, stake.checked) for stake in stakes.values()} == {(None, None, "unverified")}
    # A list is not taken apart: nobody says that it is one.
    assert {entity.name for entity in reading.records.entities.values()} == {
        "Reed Energy", 'JSC "Sedge" (99%); Moss & Co',
    }  # fmt: skip
    entity = reading.records.entities["wri/name/reed-energy"]
    assert (entity.type, entity.registered_in, entity.headquartered_in) == ("legalEntity", None, None)
    assert (entity.checked, entity.external_ids) == ("unverified", {})


@pytest.mark.parametrize(
    ("change", "column", "value", "expected"),
    [
        ({"latitude": "166.02", "longitude": "55.19"}, "latitude, longitude", "166.02, 55.19", "axes look swapped"),
        ({"latitude": "0", "longitude": "0.0"}, "latitude, longitude", "0, 0.0", "stands for none"),
        ({"latitude": ""}, "latitude, longitude", "(missing), 31.2", "both degrees or none"),
        ({"longitude": ""}, "latitude, longitude", "46.6, (missing)", "both degrees or none"),
        ({"latitude": "46,6"}, "latitude", "46,6", "a number"),
        ({"longitude": "31,200"}, "longitude", "31,200", "a number"),
        ({"latitude": "46°36'N"}, "latitude", "46°36'N", "a number"),
        ({"longitude": "1e400"}, "longitude", "1e400", "a number"),
    ],
)
def test_a_wrong_place_is_a_fault_and_loses_the_place_only(
    tmp_path: Path, change: dict[str, str], column: str, value: str, expected: str
) -> None:
    reading = release(tmp_path, change)
    asset = only(reading)
    assert (asset.geometry, asset.uncertainty_m, asset.basis, asset.place_source) == (None, None, None, None)
    assert len(reading.records.stakes) == 1
    (problem,) = english(reading.problems)
    assert (problem.row, problem.record, problem.column, problem.value) == (2, "asset wri/wri1", column, value)
    assert expected in problem.expected


def test_a_plant_without_coordinates_has_no_place_and_no_fault(tmp_path: Path) -> None:
    reading = release(tmp_path, {"latitude": "", "longitude": ""})
    assert (only(reading).geometry, reading.problems) == (None, ())


@pytest.mark.parametrize(
    ("text", "capacity"),
    [("1200", 1200.0), ("1,200", 1200.0), ("1,234,567.5", 1234567.5), ("0", 0.0), (" 18 ", 18.0), ("1e3", 1000.0)],
)
def test_capacities(tmp_path: Path, text: str, capacity: float) -> None:
    asset = only(release(tmp_path, {"capacity_mw": text}))
    assert (asset.capacity, asset.capacity_unit) == (capacity, "MW")


@pytest.mark.parametrize("text", ["12,5", "1_000", "3 x 100", "inf", "nan", "٣"])
def test_a_capacity_that_is_no_number_is_a_fault(tmp_path: Path, text: str) -> None:
    reading = release(tmp_path, {"capacity_mw": text})
    assert faults(reading) == [(2, "capacity_mw", text)]
    assert (only(reading).capacity, only(reading).capacity_unit) == (None, None)


def test_a_capacity_that_is_not_given_has_no_unit(tmp_path: Path) -> None:
    asset = only(release(tmp_path, {"capacity_mw": ""}))
    assert (asset.capacity, asset.capacity_unit) == (None, None)


def test_who_located_a_plant_says_how_far_off_it_may_be(tmp_path: Path) -> None:
    found = {name: only(release(tmp_path, {"geolocation_source": name.upper()})) for name in LOCATED}
    assert {name: (asset.uncertainty_m, asset.basis) for name, asset in found.items()} == dict(LOCATED)
    other = only(release(tmp_path, {"geolocation_source": "Industry About"}))
    assert (other.uncertainty_m, other.basis) == UNSTATED


def test_rows_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    rows = [{"name": ""}, {"gppd_idnr": ""}, {"capacity_mw": "-5"}, {"country": "XXX", "country_long": "Narnia"}]
    content = table(RELEASE, *({**PLANT, "gppd_idnr": f"WRI{n}", **row} for n, row in enumerate(rows)))
    reading = read(file_of(tmp_path / "a.csv", content + "UKR,Ukraine,short\n"))
    assert faults(reading) == [
        (2, "name", "''"),
        (3, "gppd_idnr", "(missing)"),
        (4, "capacity", "-5.0"),
        (5, "country_long", "Narnia"),
        (6, "cells", "3"),
    ]
    assert set(reading.records.assets) == {"wri/wri3"}
    assert_every_row_ends_once(reading)


def test_faults_name_the_columns_of_the_file(tmp_path: Path) -> None:
    reading = read(
        file_of(tmp_path / "a.csv", table(NATIONAL, {**UNIT, "Capacity (MW)": "many", "Power Plant ID": "1"}))
    )
    assert faults(reading) == [(2, "Capacity (MW)", "many")]


def test_a_file_without_its_columns_is_a_fault_of_the_header(tmp_path: Path) -> None:
    reading = read(file_of(tmp_path / "a.csv", "name,owner\nReed,Sedge\n"))
    assert [(problem.record, problem.column) for problem in reading.problems] == [
        ("header", "id"),
        ("header", "capacity"),
    ]
    assert reading.records.assets == {}


def test_the_licence_may_be_another(tmp_path: Path) -> None:
    reading = read(file_of(tmp_path / "a.csv", table(RELEASE, PLANT)), licence="CC0-1.0")
    assert {source.licence for source in reading.records.sources.values()} == {"CC0-1.0"}


CELLS = {
    "gppd_idnr": ["WRI1", "1", "", "—", "x" * 300],
    "name": ["Reed", "", "x" * 3000],
    "capacity_mw": ["5", "-5", "", "a"],
    "latitude": ["46", "91", "", "0"],
    "longitude": ["31", "181", "", "0"],
    "owner": ["", "A", "'; --", "x" * 3000],
    "country": ["UKR", "", "XXX"],
}


@given(
    rows=st.lists(st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()}), max_size=6)
)
def test_any_rows_end_once_and_read_the_same_twice(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    content = table(RELEASE, *({**PLANT, **row} for row in rows))
    file = file_of(tmp_path_factory.getbasetemp() / "any.csv", content)
    first, second = read(file), read(file)
    assert (first.records, first.problems) == (second.records, second.problems)
    assert_every_row_ends_once(first)
