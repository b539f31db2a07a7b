"""Plants above their units: which rows are of one plant, its shares by capacity, its capacity, place and status."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.problems import ReadResult
from layers.model.records import Asset
from layers.sources.files.tables import RowTable
from layers.sources.gem.formats import TRACKER
from layers.sources.gem.plants import Unit, plant_shares
from layers.sources.gem.trackers import parse_tables
from layers.sources.reader.format import LoadOptions
from tests.layers.sources.making_files import sheet_xml, workbook

HEADER = [
    "GEM unit ID", "GEM location ID", "Plant name", "Unit name", "Status", "Capacity (MW)", "Owner(s)", "Country/Area",
    "Latitude", "Longitude", "Location accuracy", "Start year", "Retired year", "Combustion technology", "Wiki URL",
]  # fmt: skip
PLACE = ["Ukraine", "48.5", "30.1", "exact"]


def row(
    number: str, plant: str, status: str, size: str, owner: str, *, since: str = "", until: str = "", name: str = "Reed"
) -> list[str]:
    page = f"https://www.gem.wiki/{name}"
    return [number, plant, name, number, status, size, owner, *PLACE, since, until, "subcritical", page]


def read(*rows: list[str], header: list[str] = HEADER) -> ReadResult:
    text = "\n".join("\t".join(cells) for cells in (header, *rows))
    reading = parse_tables([RowTable.of_text("plants-2025-01-31.csv", text)])
    assert reading.problems == ()
    return reading


def shares(reading: ReadResult, owned: str) -> dict[str, tuple[float, float]]:
    return {
        stake.owner.removeprefix("gem/name/"): (stake.share_min, stake.share_max)
        for stake in reading.records.stakes.values()
        if stake.owned == owned
    }


def notes(reading: ReadResult, owned: str) -> set[str | None]:
    return {stake.note for stake in reading.records.stakes.values() if stake.owned == owned}


def test_units_of_one_number_are_parts_of_one_plant() -> None:
    reading = read(
        row("G1", "L1", "retired", "100", "A [100%]", since="1961", until="2019"),
        row("G2", "L1", "operating", "300", "A [100%]", since="1968"),
        row("G3", "L1", "cancelled", "900", "B [100%]", since="2025"),
    )
    plant = reading.records.assets["gem/l1"]
    assert {key: asset.part_of for key, asset in reading.records.assets.items()} == {
        "gem/g1": "gem/l1", "gem/g2": "gem/l1", "gem/g3": "gem/l1", "gem/l1": None,
    }  # fmt: skip
    assert (plant.name, plant.kind, plant.capacity, plant.capacity_unit) == ("Reed", "power-plant", 300, "MW")
    assert (plant.status, plant.since, plant.until) == ("operating", "1961", None)
    assert plant.external_ids == {"gem": "L1", "gem-wiki": "https://www.gem.wiki/Reed"}
    assert plant.note == "3 units: 1 cancelled, 1 operating, 1 retired"
    assert (plant.host_country, plant.uncertainty_m, plant.basis) == ("UA", 500, "site")
    unit = reading.records.assets["gem/g1"]
    assert (unit.status, unit.since, unit.until) == ("retired", "1961", "2019")
    # Who owns what was never built is no owner of the plant.
    assert shares(reading, "gem/l1") == {"a": (100.0, 100.0)}
    assert shares(reading, "gem/g3") == {"b": (100.0, 100.0)}


def test_shares_are_summed_by_capacity() -> None:
    reading = read(
        row("G1", "L1", "operating", "300", "A [100%]"), row("G2", "L1", "operating", "100", "A [50%]; B [50%]")
    )
    assert shares(reading, "gem/l1") == {"a": (87.5, 87.5), "b": (12.5, 12.5)}
    assert notes(reading, "gem/l1") == {"Mean of the 2 unit(s) that operate, by capacity"}
    assert shares(reading, "gem/g2") == {"a": (50.0, 50.0), "b": (50.0, 50.0)}


def test_without_a_capacity_shares_that_differ_are_a_range_and_none_is_invented() -> None:
    reading = read(
        row("G1", "L1", "operating", "300", "A [100%]"), row("G2", "L1", "operating", "", "A [40%]; B [60%]")
    )
    assert shares(reading, "gem/l1") == {"a": (40.0, 100.0), "b": (0.0, 60.0)}
    assert notes(reading, "gem/l1") == {
        "From the least to the most in any of the 2 unit(s) that operate, as not every capacity is known"
    }
    assert reading.records.assets["gem/l1"].capacity is None


def test_shares_that_agree_need_no_capacity() -> None:
    reading = read(
        row("G1", "L1", "operating", "", "A [40%]; B [60%]"), row("G2", "L1", "operating", "", "A [40%]; B [60%]")
    )
    assert shares(reading, "gem/l1") == {"a": (40.0, 40.0), "b": (60.0, 60.0)}
    assert notes(reading, "gem/l1") == {"As in each of the 2 unit(s) that operate"}


def test_a_unit_whose_owner_nobody_names_may_be_anybodys() -> None:
    reading = read(row("G1", "L1", "operating", "300", "A [100%]"), row("G2", "L1", "operating", "100", ""))
    assert shares(reading, "gem/l1") == {"a": (75.0, 100.0)}


def test_units_that_do_not_operate_say_whose_it_is_where_none_does() -> None:
    reading = read(
        row("G1", "L1", "retired", "100", "A [100%]", until="2010"),
        row("G2", "L1", "retired", "300", "B [100%]", until="2012"),
    )
    plant = reading.records.assets["gem/l1"]
    assert (plant.status, plant.until, plant.capacity) == ("retired", "2012", None)
    assert shares(reading, "gem/l1") == {"a": (25.0, 25.0), "b": (75.0, 75.0)}


def test_a_plant_of_one_row_is_that_row() -> None:
    reading = read(row("G1", "L1", "operating", "100", "A [100%]"), row("G2", "L2", "operating", "1", "B [100%]"))
    assert {key: asset.part_of for key, asset in reading.records.assets.items()} == {"gem/g1": None, "gem/g2": None}
    assert reading.records.assets["gem/g1"].external_ids["gem-location"] == "L1"


def test_without_numbers_rows_of_one_name_and_page_are_one_plant_with_the_same_id_in_any_order() -> None:
    header = ["project", "unit", "owner", "status", "capacity", "technology", "url", "country"]
    first, second = (
        [
            "Reed power station",
            unit,
            "A [100%]",
            "operating",
            "10",
            "gas turbine",
            "https://www.gem.wiki/Reed",
            "Ukraine",
        ]
        for unit in "12"
    )
    other = [
        "Reed power station",
        "1",
        "B [100%]",
        "operating",
        "10",
        "gas turbine",
        "https://www.gem.wiki/Reed_2",
        "Iraq",
    ]
    reading, again = read(first, second, other, header=header), read(other, second, first, header=header)
    plants = {asset.part_of for asset in reading.records.assets.values()} - {None}
    assert len(plants) == 1
    assert plants == {asset.part_of for asset in again.records.assets.values()} - {None}


def test_without_pages_rows_of_one_name_are_one_plant_only_near_each_other() -> None:
    header = ["Plant name", "Unit name", "Owner", "Status", "Capacity (MW)", "Country", "Latitude", "Longitude"]
    rows = [
        ["Reed", "1", "A [100%]", "operating", "5", "Ukraine", "48.50", "30.10"],
        ["Reed", "2", "A [100%]", "operating", "5", "Ukraine", "48.51", "30.11"],
        ["Reed", "1", "B [100%]", "operating", "5", "Ukraine", "50.50", "24.10"],
        ["Reed", "2", "B [100%]", "operating", "5", "Ukraine", "50.50", "24.10"],
    ]
    reading = read(*rows, header=header)
    parts: dict[str | None, int] = {}
    for asset in reading.records.assets.values():
        parts[asset.part_of] = parts.get(asset.part_of, 0) + 1
    assert sorted(parts.values()) == [2, 2, 2]


def test_segments_of_a_pipeline_stay_segments() -> None:
    header = ["ProjectID", "PipelineName", "SegmentName", "Owner", "Status", "Wiki"]
    rows = [[f"P{n}", "Amber", f"part {n}", "A [100%]", "operating", "https://www.gem.wiki/Amber"] for n in (1, 2)]
    assert {asset.part_of for asset in read(*rows, header=header).records.assets.values()} == {None}


def test_units_in_two_sheets_are_of_one_plant(tmp_path: Path) -> None:
    sheets = {
        "Units": sheet_xml([HEADER, row("G1", "L1", "operating", "300", "A [100%]")]),
        "Small units": sheet_xml([HEADER, row("G2", "L1", "operating", "100", "B [100%]")]),
    }
    reading = TRACKER.read([workbook(tmp_path / "plants.xlsx", sheets)], LoadOptions("gem/x"))
    assert reading.problems == ()
    assert sorted(reading.records.assets) == ["gem/g1", "gem/g2", "gem/l1"]
    assert shares(reading, "gem/l1") == {"a": (75.0, 75.0), "b": (25.0, 25.0)}


def test_a_plant_of_distant_phases_is_as_far_off_as_they_lie_apart() -> None:
    one, other = row("G1", "L1", "operating", "1", "A [100%]"), row("G2", "L1", "operating", "1", "A [100%]")
    other[8] = "48.6"
    plant = read(one, other).records.assets["gem/l1"]
    assert plant.uncertainty_m == pytest.approx(11_120, abs=10)


_HOLDERS = st.dictionaries(
    st.sampled_from("ABC"), st.tuples(st.integers(0, 100), st.integers(0, 100)).map(lambda pair: tuple(sorted(pair)))
)


def unit(size: float | None, holders: Mapping[str, tuple[float, float]] | None, status: str) -> Unit:
    asset = Asset.model_validate(
        {
            "id": "u", "name": "U", "kind": "power-plant", "sources": ("s",), "checked": "read", "status": status,
            "capacity": size, "capacity_unit": None if size is None else "MW",
        }
    )  # fmt: skip
    return Unit(asset, dict(holders) if holders is not None else None)


@given(
    st.lists(
        st.builds(
            unit,
            st.none() | st.floats(0, 2000),
            st.none() | _HOLDERS,
            st.sampled_from(["operating", "retired", "cancelled"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_share_of_a_plant_lies_between_those_of_its_units(units: list[Unit]) -> None:
    running = [unit for unit in units if unit.asset.status == "operating"] or units
    for holder, (least, most) in plant_shares(units)[0].items():
        bounds = [unit.share_of(holder) for unit in running]
        assert 0 <= least <= most <= 100
        assert min(low for low, _ in bounds) - 1e-6 <= least
        assert most <= max(high for _, high in bounds) + 1e-6
