"""Others' files of assets and owners, whole and as they were published: every row is loaded, skipped or rejected.

The numbers are facts of those files, in the state that their folders name. A row is loaded if a record was made of
it; of a faulty row that is loaded, too, only what the fault names was lost.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from layers.model.problems import ReadResult
from layers.model.records import RECORD_TYPES, Asset
from layers.sources.files.source_file import SourceFile
from layers.sources.gleif import CONSOLIDATED, entity_id
from layers.sources.reader.format import LoadOptions
from layers.sources.registry import recognise
from tests.layers.english import english_counts


@dataclass(frozen=True)
class Ends:
    """What becomes of the rows of a file, and which records they make, their sources left out.

    ``partly`` counts faulty rows of which something was loaded, ``lost`` those of which nothing was.
    """

    form: str
    rows: int
    loaded: int
    records: dict[str, int]
    skipped: dict[str, int] = field(default_factory=dict)
    partly: int = 0
    lost: int = 0
    faults: dict[str, int] = field(default_factory=dict)


_EARLIER = "an earlier statement of a record"
#: Of GEM's 29 faults of owners in the first file 20 are lists that contradict themselves, 9 are names with a comma of a
#: list or a percentage in them and no shares that make 100. Two routes have parts of no length. Assets that are more
#: than the rows are plants above their units. Seventy fields and the plant without a place in Russia have their degrees
#: swapped.
FILES: dict[str, Ends] = {
    "gem_ggit_2024_10/ggit_map_2024-10-08.csv": Ends(
        "gem-tracker", 4358, 4358, {"entities": 1577, "assets": 4577, "stakes": 5999},
        partly=31, faults={"owner": 29, "geometry": 2},
    ),
    "gem_gas_oil_plants_2024_08/data-2024-08-29.csv": Ends(
        "gem-tracker", 12436, 12436, {"entities": 3256, "assets": 15098, "stakes": 15699},
        partly=10, faults={"owner": 10},
    ),
    "gem_goget_2025_02/goget_map_2025-02-26.csv": Ends(
        "gem-tracker", 7396, 7396, {"entities": 1365, "assets": 7396, "stakes": 6786},
        partly=91, faults={"geometry": 70, "owner": 20, "countries": 1},
    ),
    "gem_goit_oil_pipelines_2024/data.csv": Ends(
        "gem-tracker", 1018, 1018, {"entities": 338, "assets": 1018, "stakes": 1935}, partly=27, faults={"owner": 27}
    ),
    "gem_hydro_2024_05/data.csv": Ends(
        "gem-tracker", 4203, 4203, {"entities": 1396, "assets": 4240, "stakes": 4602}, partly=10, faults={"owner": 12}
    ),
    "wri_gppd/WRI_Azerbaijan.csv": Ends("wri", 28, 28, {"entities": 1, "assets": 28, "stakes": 28}),
    "wri_gppd/WRI_Romania.csv": Ends("wri", 55, 55, {"entities": 7, "assets": 55, "stakes": 21}),
    "wri_gppd/WRI_Russia.csv": Ends(
        "wri", 833, 833, {"entities": 200, "assets": 833, "stakes": 806}, partly=1, faults={"Latitude, Longitude": 1}
    ),
    "wri_gppd/WRI_Ukraine.csv": Ends("wri", 61, 61, {"entities": 15, "assets": 61, "stakes": 58}),
    "wri_gppd/global_power_plant_database_ukraine.csv": Ends(
        "wri", 64, 64, {"entities": 12, "assets": 64, "stakes": 37}
    ),
    "osm_power_ukraine/power_stations_with_oblasts.geojson": Ends(
        "osm", 999, 998, {"entities": 122, "assets": 998, "relations": 268},
        {"power=substation of a street or workshop: voltage=400": 1},
    ),
    "gleif_level2_fixtures/lei-data.json": Ends("gleif", 13, 13, {"entities": 13}),
    "gleif_level2_fixtures/repex-data.json": Ends("gleif", 10, 10, {"entities": 10}),
    "gleif_level2_fixtures/rr-data.json": Ends("gleif", 10, 10, {"entities": 16, "controls": 2}),
    "bods_v04/bods_v04_fixtures_0.1.1/01-direct-ownership.json": Ends(
        "bods", 3, 3, {"entities": 2, "stakes": 1, "controls": 1}
    ),
    "bods_v04/bods_v04_fixtures_0.1.1/10-circular-ownership.json": Ends("bods", 4, 4, {"entities": 2, "stakes": 2}),
    "bods_v04/bods_v04_fixtures_0.1.1/11-anonymous-person.json": Ends("bods", 2, 2, {"entities": 2, "stakes": 1}),
    "bods_v04/openownership_examples/fermcat.json": Ends(
        "bods", 23, 7, {"entities": 4, "stakes": 3, "controls": 2}, {_EARLIER: 16}
    ),
    "bods_v04/openownership_examples/indirect-ownership.json": Ends(
        "bods", 6, 6, {"entities": 3, "stakes": 2, "controls": 1}
    ),
    "bods_v04/openownership_examples/joint-ownership.json": Ends("bods", 7, 7, {"entities": 4, "stakes": 3}),
    "bods_v04/openownership_examples/levent.json": Ends("bods", 7, 7, {"entities": 4, "controls": 4}),
    "bods_v04/openownership_examples/mixed-direct-and-indirect-ownership.json": Ends(
        "bods", 6, 6, {"entities": 3, "stakes": 3, "controls": 2}
    ),
    "bods_v04/openownership_examples/multiple-indirect-ownership.json": Ends(
        "bods", 9, 9, {"entities": 4, "stakes": 4, "controls": 3}
    ),
    "bods_v04/openownership_examples/mutilple-indirect-ownership-2.json": Ends(
        "bods", 9, 9, {"entities": 4, "stakes": 4, "controls": 3}
    ),
    "bods_v04/openownership_examples/nomination.json": Ends("bods", 8, 8, {"entities": 4, "controls": 4}),
    "bods_v04/openownership_examples/tecido.json": Ends(
        "bods", 11, 5, {"entities": 3, "stakes": 2, "controls": 3}, {_EARLIER: 6}
    ),
}  # fmt: skip


@cache
def read(path: Path) -> tuple[str, ReadResult]:
    """Read a file by the format that it is recognised as."""
    file = SourceFile.of(path)
    form = recognise(file)
    return form.name, form.read([file], LoadOptions("real/sample"))


@cache
def plain(path: Path) -> list[dict[str, Any]]:
    """Rows, features or statements of a file, by the standard library alone."""
    is_utf_16 = path.read_bytes()[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    text = path.read_text(encoding="utf-16" if is_utf_16 else "utf-8-sig")
    if path.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(text, newline="")))
    document = json.loads(text)
    found: list[dict[str, Any]] = document["features"] if isinstance(document, dict) else document
    return found


def ends(form: str, reading: ReadResult) -> Ends:
    """Count what became of the rows of a reading."""
    made = {(place.file, place.row) for (table, _), place in reading.locations.items() if table != "sources"}
    faulty = {(problem.file, problem.row) for problem in reading.problems}
    counts = {name: len(reading.records.table(name)) for name in RECORD_TYPES if name != "sources"}
    return Ends(
        form,
        reading.rows,
        len(made),
        {name: count for name, count in counts.items() if count},
        english_counts(reading.skipped),
        len(faulty & made),
        len(faulty - made),
        dict(Counter(problem.column for problem in reading.problems)),
    )


def test_no_file_is_left_out(real_data: Path) -> None:
    folders = {name.partition("/")[0] for name in FILES}
    there = {path for folder in folders for path in (real_data / folder).rglob("*") if path.is_file()}
    notes = {path for path in there if path.name == "README.md" or path.name.endswith(".expected.md")}
    assert {path.relative_to(real_data).as_posix() for path in there - notes} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_every_row_is_loaded_skipped_or_rejected(real_data: Path, name: str) -> None:
    form, reading = read(real_data / name)
    found = ends(form, reading)
    assert found == FILES[name]
    assert found.rows == found.loaded + sum(found.skipped.values()) + found.lost == len(plain(real_data / name))
    assert all(problem.row and problem.value and problem.expected for problem in reading.problems)


def test_every_owner_of_a_tracker_is_a_stake_and_every_place_a_geometry(real_data: Path) -> None:
    for name in [name for name in FILES if name.startswith("gem")]:
        _, reading = read(real_data / name)
        owned = {stake.owned for stake in reading.records.stakes.values()}
        plants = {asset.part_of for asset in reading.records.assets.values()}
        units = [asset for asset in reading.records.assets.values() if asset.id not in plants]
        faulty = {problem.row for problem in reading.problems if problem.column == "geometry"}
        for row, (asset, cells) in enumerate(zip(units, plain(real_data / name), strict=True), 2):
            listed = cells["owner" if "owner" in cells else "parent"]
            assert (asset.id in owned) == (listed.strip() not in ("", "--")), cells
            assert asset.geometry is not None or row in faulty
            assert asset.external_ids["gem-wiki"] == cells["url"].strip()


def test_every_plant_above_units_has_what_they_have(real_data: Path) -> None:
    for name in [name for name in FILES if name.startswith("gem")]:
        _, reading = read(real_data / name)
        units: dict[str, list[Asset]] = {}
        for asset in reading.records.assets.values():
            if asset.part_of:
                units.setdefault(asset.part_of, []).append(asset)
        owners: dict[str, set[str]] = {}
        for stake in reading.records.stakes.values():
            owners.setdefault(stake.owned, set()).add(stake.owner)
        for key, parts in units.items():
            plant = reading.records.assets[key]
            assert len(parts) > 1
            assert (plant.kind, plant.geometry is None) == (parts[0].kind, False)
            assert (plant.status == "operating") == any(part.status == "operating" for part in parts)
            running = [part.capacity for part in parts if part.status == "operating"]
            if plant.capacity is not None:
                assert plant.capacity == pytest.approx(sum(size or 0 for size in running))
            assert owners.get(key, set()) <= {owner for part in parts for owner in owners.get(part.id, ())}


def test_every_owner_and_place_of_the_power_plants_is_read(real_data: Path) -> None:
    for name in [name for name in FILES if name.startswith("wri")]:
        _, reading = read(real_data / name)
        rows = [{key.casefold(): value.strip() for key, value in row.items()} for row in plain(real_data / name)]
        named = [row for row in rows if row["owner"] not in ("", "Owner / Investor")]
        assert len(reading.records.stakes) == len(named)
        placed = sum(asset.geometry is not None for asset in reading.records.assets.values())
        assert placed == sum(bool(row["latitude"]) for row in rows) - FILES[name].partly
        sized = sum(asset.capacity is not None for asset in reading.records.assets.values())
        assert sized == sum(bool(row.get("capacity_mw") or row.get("capacity (mw)")) for row in rows)


def test_every_operator_and_output_of_openstreetmap_is_read_or_reported(real_data: Path) -> None:
    name = next(name for name in FILES if name.startswith("osm"))
    _, reading = read(real_data / name)
    tags = [feature["properties"] for feature in plain(real_data / name)]
    assets = [one for one in tags if one["power"] == "plant" or one["voltage"] != "400"]
    assert len(reading.records.relations) == sum(bool(one["operator"]) for one in assets)
    outputs = [one["plant:output:electricity"] for one in tags if one["power"] == "plant"]
    substations = [asset for asset in reading.records.assets.values() if asset.kind == "substation"]
    assert sorted(asset.note for asset in substations if asset.note) == sorted(
        f"OpenStreetMap: voltage={one['voltage']}" for one in assets if one["power"] != "plant" and one["voltage"]
    )
    plants = [asset for asset in reading.records.assets.values() if asset.kind != "substation"]
    told = [asset.note for asset in plants if asset.note]
    sized = sum(asset.capacity is not None for asset in reading.records.assets.values())
    assert sized + len(told) == sum(output not in (None, "yes", "no") for output in outputs)
    assert sorted(told) == [
        f"OpenStreetMap: plant:output:electricity={output}" for output in ("0", "135 MVA", "3,680 mW")
    ]


def test_every_relationship_and_exception_of_gleif_is_a_control_or_reported(real_data: Path) -> None:
    folder = real_data / "gleif_level2_fixtures"
    records = read(folder / "rr-data.json")[1].records
    for row in plain(folder / "rr-data.json"):
        told = row["Relationship"]
        child, parent = (entity_id(told[end]["NodeID"]) for end in ("StartNode", "EndNode"))
        if told["RelationshipType"] in CONSOLIDATED:
            assert (child, parent) in {(one.controlled, one.controller) for one in records.controls.values()}
        else:
            assert f"{told['RelationshipType']} {parent}" in str(records.entities[child].note)
    records = read(folder / "repex-data.json")[1].records
    for row in plain(folder / "repex-data.json"):
        assert f"is reported: {row['ExceptionReason']}." in str(records.entities[entity_id(row["LEI"])].note)


def test_only_earlier_statements_of_bods_make_no_record(real_data: Path) -> None:
    for name in [name for name in FILES if name.startswith("bods")]:
        statements = plain(real_data / name)
        latest = len({statement["recordId"] for statement in statements})
        assert sum(FILES[name].skipped.values()) == len(statements) - latest
