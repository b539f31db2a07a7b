"""A tracker with plants in one sheet and their capacities in another: each plant has both, and every row ends once."""

from __future__ import annotations

from pathlib import Path

from api.wording.catalogue import text
from layers.model.problems import ReadResult
from layers.sources.gem.formats import TRACKER
from layers.sources.reader.format import LoadOptions
from layers.sources.registry import recognise
from tests.layers.sources.making_files import csv_text, file_of, sheet_xml, workbook

PLANTS = [
    ["GEM plant ID", "Plant name (English)", "Plant name (other language)", "Owner", "Owner GEM entity ID",
     "Parent (English)", "Country/area", "Coordinates", "Coordinate accuracy", "GEM wiki page", "Start date",
     "Steel products", "Main production equipment"],
    ["P900000000001", "Amber steel plant", "Бурштин (Ukrainian)", "M [60%]; N [40%]",
     "E900000000001 [60%]; E900000000002 [40%]", "M", "Ukraine", "47.1, 37.6", "exact", "https://www.gem.wiki/Amber",
     "1930", "slab", "BF; BOF"],
    ["P900000000002", "Brook steel plant", "unknown", "N [100%]", "E900000000002 [100%]", "N", "Ukraine", "48.5, 34.9",
     "exact", "https://www.gem.wiki/Brook", "1950", "pipe", "EAF"],
    ["P900000000003", "Reed steel plant", "", "N [100%]", "E900000000002 [100%]", "N", "Ukraine", "48.6, 34.8",
     "approximate", "https://www.gem.wiki/Reed", "unknown", "", "EAF"],
]  # fmt: skip
CAPACITIES = [
    ["GEM plant ID", "Plant name (English)", "Country/area", "Status", "Start date",
     "Nominal crude steel capacity (ttpa)"],
    ["P900000000001", "Amber steel plant", "Ukraine", "operating", "1931", "5000"],
    ["P900000000001", "Amber steel plant", "Ukraine", "retired", "1931", "900"],
    ["P900000000002", "Brook steel plant", "Ukraine", "mothballed", "unknown", "300"],
]  # fmt: skip
SHEETS = {
    "About": sheet_xml([["About this tracker"]]),
    "Plant data": sheet_xml(PLANTS),
    "Plant capacities and status": sheet_xml(CAPACITIES),
    "Plant production": sheet_xml([["GEM plant ID", "Plant name (English)", "2023"], ["P900000000001", "Amber", "1"]]),
}


def values_by_asset(reading: ReadResult) -> dict[str, tuple[object, ...]]:
    return {
        one.id: (one.name, one.status, one.capacity, one.part_of, one.since, str(one.geometry))
        for one in reading.records.assets.values()
    }


def read(folder: Path, sheets: dict[str, str] = SHEETS) -> ReadResult:
    file = workbook(folder / "steel.xlsx", sheets)
    assert recognise(file) is TRACKER
    return TRACKER.read([file], LoadOptions("gem/sample"))


def test_rows_of_capacities_have_owner_place_and_page_of_their_plant(tmp_path: Path) -> None:
    reading = read(tmp_path)
    assert reading.problems == ()
    assert reading.rows == 6
    assert {text(reason): count for reason, count in reading.skipped.items()} == {
        "a row of a plant, joined to its rows in another sheet": 2
    }
    assets = values_by_asset(reading)
    amber, units = assets.pop("gem/p900000000001"), {}
    for key in [key for key in assets if key.startswith("gem/unit/")]:
        name, *rest = assets.pop(key)
        units[name] = tuple(rest)
    place = "POINT (37.6 47.1)"
    assert amber == ("Amber steel plant", "operating", 5000, None, "1931", place)
    assert units == {
        "Amber steel plant, operating": ("operating", 5000, "gem/p900000000001", "1931", place),
        "Amber steel plant, retired": ("retired", 900, "gem/p900000000001", "1931", place),
    }
    assert assets == {
        "gem/p900000000002": ("Brook steel plant", "mothballed", 300, None, "1950", "POINT (34.9 48.5)"),
        "gem/p900000000003": ("Reed steel plant", None, None, None, None, "POINT (34.8 48.6)"),
    }
    shares = {
        stake.owner: stake.share_min for stake in reading.records.stakes.values() if stake.owned == "gem/p900000000001"
    }
    assert shares == {"gem/e900000000001": 60, "gem/e900000000002": 40}
    assert reading.records.assets["gem/p900000000002"].external_ids["gem-wiki"] == "https://www.gem.wiki/Brook"


def test_the_order_of_sheets_and_files_does_not_matter(tmp_path: Path) -> None:
    expected = values_by_asset(read(tmp_path))
    assert values_by_asset(read(tmp_path, dict(reversed(SHEETS.items())))) == expected
    files = []
    for name, rows in (("capacities", CAPACITIES), ("plants", PLANTS)):
        files.append(file_of(tmp_path / f"{name}.csv", csv_text(rows)))
    assert values_by_asset(TRACKER.read(files, LoadOptions("gem/sample"))) == expected


def test_each_sheet_alone_is_read_as_it_is(tmp_path: Path) -> None:
    plants = read(tmp_path, {"Plant data": SHEETS["Plant data"]})
    assert (len(plants.records.assets), plants.rows, plants.skipped) == (3, 3, {})
    alone = read(tmp_path, {"Status": SHEETS["Plant capacities and status"]})
    assert {asset.status for asset in alone.records.assets.values()} == {"operating", "retired", "mothballed"}
    assert all(asset.geometry is None for asset in alone.records.assets.values())
