"""Real files of strikes load whole, to exact counts, and again to no change: one, and in the long tests each."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
import shapely

from layers.store.store import Store
from tests.conftest import BASEMAP, GAZETTEER
from tests.load_runner import Run, is_change, load


class Expected(NamedTuple):
    """A load of real files: how its rows end, and what comes of them."""

    files: str
    fmt: str
    rows: int
    skipped: dict[str, int]
    rejected: dict[str, int]
    read: dict[str, int]
    bases: dict[str | None, int]
    private: bool = False
    doubts: int = 0


EXPECTED = {
    "viina": Expected(
        "viina_deepstrike_2022_2025/*.csv",
        "viina",
        3199,
        {"an event that was read before": 48, "no fresh attack, by the table's own review": 10},
        {},
        {"sources": 2316, "strikes": 3141, "claims": 4427},
        {"region": 1288, "settlement": 1602, "district": 180, None: 71},
        doubts=21,
    ),
    "ucdp": Expected(
        "ucdp_ged_ukraine_2014_2023/*.csv",
        "ucdp",
        3883,
        {"the place is a whole country": 37},
        {},
        {"sources": 3666, "strikes": 3846, "claims": 4095},
        {"district": 1879, "settlement": 1055, "region": 911, "sea-area": 1},
    ),
    # Two events have one id, and are of two places.
    "timemap": Expected(
        "bellingcat_timemap_2023/*.json",
        "timemap",
        1159,
        {},
        {"id: expected an id not used at ...": 1},
        {"sources": 2304, "strikes": 1158, "claims": 1164},
        {"site": 1158},
        private=True,
        doubts=1,
    ),
}


@pytest.mark.parametrize(
    "name", ["timemap", *(pytest.param(name, marks=pytest.mark.long) for name in ("viina", "ucdp"))]
)
def test_real_files_load_whole_and_again_to_no_change(run: Run, own: Store, real_data: Path, name: str) -> None:
    expected = EXPECTED[name]
    files = sorted(real_data.glob(expected.files))
    arguments = ("auto", *files, "--partial", "--gazetteer", GAZETTEER)
    before = own.records()
    told = load(run, *arguments)
    assert (told["format"], told["private"]) == (expected.fmt, expected.private)
    assert (told["rows"]["read"], told["skipped"], told["rejected"]) == (
        expected.rows,
        expected.skipped,
        expected.rejected,
    )
    assert told["read"] == expected.read
    assert len(told["doubts"]) == sum(told["warnings"].values()) == expected.doubts
    ends = expected.read["strikes"] + sum(expected.skipped.values()) + told["rows"]["rejected"]
    assert expected.rows == ends
    assert {table: len(change["added"]) for table, change in told["changes"].items()} == expected.read
    records, seq = own.records(), own.seq()
    loaded = [strike for strike in records.strikes.values() if strike.dataset == told["dataset"]]
    assert Counter(strike.basis for strike in loaded) == expected.bases
    assert all(strike.private == expected.private for strike in loaded)
    for table in ("sources", "entities", "assets", "strikes", "claims", "stakes", "relations", "decisions"):
        assert before.table(table).items() <= records.table(table).items()
    assert not is_change(load(run, *arguments))
    assert own.seq() == seq


def test_a_real_file_that_no_format_knows_is_mapped_and_loads_whole(
    command: Run, run: Run, own: Store, real_data: Path, tmp_path: Path
) -> None:
    file, out = real_data / "refinery_strikes_ru_2025" / "refineries.json", tmp_path / "m.toml"
    refused = run("load", "auto", file)
    assert refused.code == 1
    assert "strikeatlas map" in refused.err
    drafted = command("map", file, "-o", out, "--basemap", BASEMAP, "--json").report
    assert (drafted["loads"], drafted["problem_count"], drafted["remarks"]) == ({"assets": 12, "strikes": 21}, 0, [])
    report = load(run, "auto", file, "--mapping", out, "--dataset", "refineries")
    assert report["rows"] == {"read": 33, "skipped": 0, "rejected": 0, "of_which_partly_read": 0}
    documents = json.loads(file.read_text(encoding="utf-8"))
    records = own.records()
    strikes = [one for one in records.strikes.values() if one.dataset == "refineries"]
    told = [(site["name"], event["date"], *site["location"][::-1]) for site in documents for event in site["events"]]
    points = [(one.geometry.x, one.geometry.y) for one in strikes if isinstance(one.geometry, shapely.Point)]
    days = [".".join(reversed(one.when.split("-"))) for one in strikes]
    loaded = [(one.place, day, *point) for one, day, point in zip(strikes, days, points, strict=True)]
    assert sorted(loaded) == sorted(told)


def test_regions_are_no_data_of_an_atlas(run: Run, real_data: Path) -> None:
    refused = run("load", "auto", next((real_data / "geoboundaries_ukr_adm1").glob("*.geojson")))
    assert refused.code == 1
    assert "not recognised (shapeName" in refused.err
