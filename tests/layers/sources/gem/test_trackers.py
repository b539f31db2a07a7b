"""GEM's tracker files: assets with places, owners and stakes, and everything that a row loses."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.problems import ReadResult
from layers.model.records import Asset
from layers.model.types import Basis
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.gem.record_builder import longest_stretch_m, name_id, read_location, source_of
from layers.sources.gem.trackers import parse_tables
from layers.sources.reader.cell_values import CellValueError, country_code
from layers.sources.reader.owner_grammar import parse_owners
from tests.layers.english import raises
from tests.layers.sources.making_files import csv_text

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "gem"
PIPELINES = "pipelines-2024-01-31.csv"
PLANTS = "plants-2024-02-29.csv"


def sample(name: str) -> ReadResult:
    return parse_tables([SourceFile.of(SAMPLES / name).table()])


@pytest.fixture(scope="module")
def pipelines() -> ReadResult:
    return sample(PIPELINES)


@pytest.fixture(scope="module")
def plants() -> ReadResult:
    return sample(PLANTS)


def shares(reading: ReadResult, owned: str) -> dict[str, tuple[float, float]]:
    return {s.owner: (s.share_min, s.share_max) for s in reading.records.stakes.values() if s.owned == owned}


def test_a_row_is_an_asset_with_its_place_and_source(pipelines: ReadResult) -> None:
    asset = pipelines.records.assets["gem/p9001"]
    assert (asset.name, asset.kind, asset.host_country) == ("Amber Pipeline", "pipeline", "GE")
    assert (asset.capacity, asset.capacity_unit, asset.commodity) == (5.0, "bcm/y", "natural gas")
    assert (asset.uncertainty_m, asset.basis) == (2_000.0, "site")
    assert asset.external_ids == {"gem": "P9001", "gem-wiki": "https://www.gem.wiki/Amber_Pipeline"}
    source = pipelines.records.sources[asset.sources[0]]
    assert (source.publisher, source.published, source.licence) == ("Global Energy Monitor", "2024-01-31", "CC BY 4.0")


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("a/b.xlsx#Data", "b.xlsx, Data"),
        ("b.xlsx#Oil/#Gas", "b.xlsx, Oil/#Gas"),
        ("#.csv", "#.csv"),
        (f"b.xlsx#{'S' * 9000}", f"b.xlsx, {'S' * 493}"),
    ],
)
def test_a_source_is_called_by_its_file_and_sheet_whatever_they_are_called(file: str, title: str) -> None:
    assert source_of(file).title == title


def test_a_line_across_a_border_has_no_host_and_says_where_it_lies(pipelines: ReadResult) -> None:
    asset = pipelines.records.assets["gem/p9002"]
    assert asset.name == "Brook Pipeline, East"
    assert asset.host_country is None
    assert asset.note == "GEM status: proposed; in Georgia, Türkiye"
    assert (asset.uncertainty_m, asset.basis) == (50_000.0, "line-end")


def test_stakes_come_from_the_owner_column_and_never_from_the_parents(pipelines: ReadResult) -> None:
    assert shares(pipelines, "gem/p9003") == {
        "gem/name/amber-line-co": (50.0, 50.0),
        "gem/name/brook-plc": (30.0, 30.0),
        "gem/name/other": (20.0, 20.0),
    }
    assert "gem/name/ministry-of-amber" not in pipelines.records.entities
    assert pipelines.records.entities["gem/name/other"].type == "unknownEntity"
    assert pipelines.records.entities["gem/name/brook-plc"].registered_in is None


def test_nothing_is_sure_where_a_list_contradicts_itself(pipelines: ReadResult) -> None:
    assert set(shares(pipelines, "gem/p9005").values()) == {(0.0, 100.0)}


def test_every_loss_is_a_problem_by_row_and_column(pipelines: ReadResult) -> None:
    assert sorted((problem.row or 0, problem.column) for problem in pipelines.problems) == [
        (5, "countries"),
        (5, "geometry"),
        (6, "capacity"),
        (6, "geometry"),
        (6, "owner"),
        (7, "owner"),
        (7, "owner"),
        (9, "id"),
        (10, "cells"),
    ]


def test_a_bad_place_loses_the_place_and_not_the_owners(pipelines: ReadResult) -> None:
    assert pipelines.records.assets["gem/p9004"].geometry is None
    assert len(shares(pipelines, "gem/p9004")) == 2


def test_names_that_share_a_slug_stay_apart(pipelines: ReadResult) -> None:
    found = shares(pipelines, "gem/p9006")
    assert found["gem/name/odd-one"] == (62.5, 62.5)
    assert found[name_id("Ödd Öne")] == (12.0, 12.0)
    assert found["gem/name/unknown"] == (5.0, 5.0)
    assert found["gem/name/a"] == (0.0, 20.5)


def test_plants_have_no_ids_and_twins_are_both_read(plants: ReadResult) -> None:
    reeds = [asset for asset in plants.records.assets.values() if asset.name == "Reed power station, 1"]
    assert len(reeds) == 2
    assert reeds[1].id == f"{reeds[0].id}/2"
    assert reeds[0].aliases == ("Електростанція Очерет",)
    assert (reeds[0].kind, reeds[0].capacity_unit, reeds[0].host_country) == ("power-plant", "MW", "UA")


def test_an_owner_without_a_share_may_have_anything(plants: ReadResult) -> None:
    asset = next(iter(plants.records.assets))
    assert shares(plants, asset) == {"gem/name/reed-energy-ag": (0.0, 100.0)}


def test_cut_digits_of_the_plants_file_leave_a_range(plants: ReadResult) -> None:
    sedge = next(a.id for a in plants.records.assets.values() if a.name.startswith("Sedge"))
    moss = next(a.id for a in plants.records.assets.values() if a.name.startswith("Moss"))
    assert sorted(shares(plants, sedge).values()) == [(33.0, 34.0), (66.0, 67.0)]
    # Of two owners of all, neither surely has any of it.
    assert sorted(shares(plants, moss).values()) == [(0.0, 100.0), (0.0, 100.0)]


def test_ids_of_owners_are_used_where_the_file_has_them() -> None:
    head = "ProjectID,PipelineName,Owner,OwnerEntityIDs,Countries,Coordinates,RouteAccuracy\n"
    reading = parse_tables(
        [
            RowTable.of_text(
                "goit.csv", head + 'P1,One,A [60%]; B [40%],E100000000001; E100000000002,Iraq,"33.1, 44.2",low\n'
            )
        ]
    )
    assert set(shares(reading, "gem/p1")) == {"gem/e100000000001", "gem/e100000000002"}
    asset = reading.records.assets["gem/p1"]
    assert (asset.kind, asset.uncertainty_m, asset.basis) == ("pipeline", 50_000.0, "line-end")
    assert asset.geometry is not None
    assert asset.geometry.wkt == "POINT (44.2 33.1)"
    fewer = parse_tables([RowTable.of_text("goit.csv", head + "P1,One,A [60%]; B [40%],E100000000001,Iraq,,low\n")])
    assert [problem.column for problem in fewer.problems] == ["owner_ids"]
    assert set(shares(fewer, "gem/p1")) == {"gem/name/a", "gem/name/b"}


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\n"])
def test_a_file_that_is_no_tracker_is_a_problem(text: str) -> None:
    reading = parse_tables([RowTable.of_text("other.csv", text)])
    assert [problem.column for problem in reading.problems] == ["name", "owner"]
    assert not reading.records.assets


def test_ids_of_names() -> None:
    assert name_id("Brook Plc") == name_id("BROOK PLC") == "gem/name/brook-plc"
    assert name_id("BOTAŞ").startswith("gem/name/botas-")
    different = ("BOTAS", "BOTAŞ", "Brook, Plc", "Brook Plc", "云", "南", "", "x" * 300, "x" * 301)
    assert len({name_id(name) for name in different}) == len(different)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.text("AЖ [5%;(", max_size=60))
def test_whatever_is_in_a_row_makes_records_or_problems(text: str, owner: str) -> None:
    cells = csv_text([["name", "owner", "unit", "geometry"], [text, owner, text, text]])
    reading = parse_tables([RowTable.of_text("x.csv", cells)])
    listed = len(parse_owners(owner.strip()).entries) if reading.records.assets else 0
    lost = [problem for problem in reading.problems if problem.record.startswith("stake ")]
    assert len(reading.records.stakes) + len({problem.record for problem in lost}) == listed
    assert reading.records.assets or reading.problems or not (text.strip() or owner.strip())


@pytest.mark.parametrize(
    ("wkt", "accuracy", "uncertainty_m", "basis"),
    [
        ("POINT (30 50)", "exact", 500.0, "site"),
        ("POINT (30 50)", "approximate", 15_000.0, "settlement"),
        ("POINT (30 50)", "", 5_000.0, "settlement"),
        ("LINESTRING (30 50, 30.1 50)", "", 10_000.0, "district"),
        ("LINESTRING (30 50, 31 50)", "", 25_000.0, "line-end"),
        ("LINESTRING (30 50, 31 50)", "High", 1_000.0, "site"),
        ("MULTILINESTRING ((30 50, 30.01 50), (40 50, 40.01 50))", "", 2_000.0, "site"),
    ],
)
def test_how_far_off_a_place_may_be(wkt: str, accuracy: str, uncertainty_m: float, basis: Basis) -> None:
    found = read_location(wkt, "", "", accuracy)
    assert found is not None
    assert (found.uncertainty_m, found.basis) == (uncertainty_m, basis)


def test_a_gap_between_parts_is_no_stretch_and_a_degree_is_111_km() -> None:
    one = read_location("LINESTRING (0 0, 0 1)", "", "", "")
    apart = read_location("MULTILINESTRING ((0 0, 0 1), (50 0, 50 0.5))", "", "", "")
    assert one is not None
    assert apart is not None
    assert longest_stretch_m(one.geometry) == pytest.approx(110_574, abs=2)
    assert longest_stretch_m(apart.geometry) == longest_stretch_m(one.geometry)


def test_parts_of_a_line_without_a_length_are_left_out_and_counted() -> None:
    found = read_location("MULTILINESTRING ((30 50, 30.01 50), (40 50, 40 50))", "", "", "")
    assert found is not None
    assert (found.geometry.wkt, found.points) == ("MULTILINESTRING ((30 50, 30.01 50))", 1)
    with raises(CellValueError, match="valid"):
        read_location("LINESTRING (40 50, 40 50)", "", "", "")


def test_no_place_is_none_and_half_a_place_is_an_error() -> None:
    assert read_location("", "", "", "") is None
    assert read_location("POINT EMPTY", "", "", "") is None
    with pytest.raises(CellValueError):
        read_location("", "50", "", "")


def test_countries() -> None:
    assert [country_code(n) for n in ("Türkiye", "Ukraine", "Timor-Leste")] == ["TR", "UA", "TL"]
    assert country_code("Joint Petroleum Development Area") is None
    with pytest.raises(CellValueError):
        country_code("Narnia")


def test_every_row_of_the_gas_tracker_is_read(real_data: Path) -> None:
    file = next((real_data / "gem_ggit_2024_10").glob("*.csv"))
    reading = parse_tables([SourceFile.of(file).table()])
    records = reading.records
    plants = {asset.part_of for asset in records.assets.values() if asset.part_of}
    assert (len(records.assets) - len(plants), len(records.stakes), len(records.entities)) == (4358, 5999, 1577)
    assert {records.assets[key].kind for key in plants} == {"lng-plant"}
    assert all(isinstance(asset, Asset) and asset.geometry for asset in records.assets.values())
    assert Counter(problem.column for problem in reading.problems) == {"owner": 29, "geometry": 2}
    assert shares(reading, "gem/p0763")[name_id("BOTAŞ")] == (30.0, 30.0)
    # A trunk line of Ukraine's is listed as Gazprom's alone, with Ukraine's company beside it and no share.
    assert set(shares(reading, "gem/p0768").values()) == {(0.0, 100.0)}


def test_every_plant_is_read(real_data: Path) -> None:
    file = next((real_data / "gem_gas_oil_plants_2024_08").glob("*.csv"))
    reading = parse_tables([SourceFile.of(file).table()])
    records = reading.records
    plants = {asset.part_of for asset in records.assets.values() if asset.part_of}
    assert (len(records.assets) - len(plants), len(plants)) == (12436, 2662)
    assert (len(records.stakes), len(records.entities)) == (15699, 3256)
    assert all(asset.host_country and asset.geometry for asset in records.assets.values())
    assert len(reading.problems) == 10
