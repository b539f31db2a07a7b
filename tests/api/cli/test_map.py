"""From files that no format knows to records: a mapping is drafted, loads them as they are, and what it says holds."""

from __future__ import annotations

import json
import shlex
import stat
from pathlib import Path
from typing import Any

import pytest
import shapely

from layers.model.problems import ProblemsError
from layers.resolution.independent_reports import reporters_of
from layers.sources.files.source_file import SourceFile
from layers.sources.reader import mapping_file
from layers.store.backends import open_store
from layers.store.store import Store
from tests.api.cli.unknown_files import (
    DISRUPTIONS,
    DISRUPTIONS_AND_SITES,
    HOLDINGS,
    REPORTS,
    collection,
    feature,
    written,
)
from tests.command_runner import CommandResult
from tests.conftest import BASEMAP
from tests.layers.sources.making_files import sheet_xml, workbook
from tests.load_runner import Run, load
from tests.store_kinds import NewAddress, NewStore


@pytest.fixture
def own(new_shared_store: NewStore) -> Store:
    """A store without a record."""
    return new_shared_store()


def loaded(command: Run, run: Run, own: Store, *files: Path) -> dict[str, list[dict[str, Any]]]:
    """The records of files by table, loaded by the mapping that is drafted of them: all rows, and twice."""
    out = files[0].with_name("mapping.toml")
    told = command("map", *files, "-o", out, "--basemap", BASEMAP, "--json")
    assert told.code == 0, told.out + told.err
    assert told.report["problems"] == []
    report = load(run, "auto", *files, "--mapping", out, "--dataset", "own")
    assert report["problems"] == []
    assert report["rows"]["rejected"] == report["rows"]["skipped"] == 0
    assert {table: count for table, count in report["read"].items() if table != "sources"} == told.report["loads"]
    again = load(run, "auto", *files, "--mapping", out, "--dataset", "own")
    assert not any(change[kind] for change in again["changes"].values() for kind in ("added", "changed", "removed"))
    records = own.records()
    tables = ("strikes", "assets", "entities", "stakes")
    return {name: [r.model_dump(mode="json") for r in records.table(name).values()] for name in tables}


def mapped(command: Run, file: Path) -> mapping_file.ColumnMapping:
    """The mapping that is drafted of a file."""
    return mapping_file.parse("m.toml", command("map", file, "--basemap", BASEMAP, "--json").report["mapping"])


def only(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


# (a) Nested JSON of disruptions with ids of assets.


def test_disruptions_in_a_nested_list_are_strikes_on_assets(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    records = loaded(command, run, own, written(tmp_path / "list.json", DISRUPTIONS["list.json"]))
    strikes = records["strikes"]
    assert only(strikes, "when", "title", "geometry", "status") == [
        ("2024-05-03", "Low Meadow TPP", "POINT (35.021 48.451)", "reported"),
        ("2024-05-05", "Low Meadow TPP", "POINT (35.021 48.451)", "reported"),
    ]
    assert [[weapon["kind"] for weapon in strike["weapons"]] for strike in strikes] == [["drone"], ["missile"]]
    assert [len(strike["sources"]) for strike in strikes] == [3, 1]
    assert only(records["assets"], "id", "name", "kind") == [("own/x1", "Low Meadow TPP", "power-plant")]
    assert own.records().sources["own/source"].publisher == "Sample grid monitor"


def test_disruptions_in_lists_of_regions_have_the_region_around_them(
    command: Run, run: Run, own: Store, tmp_path: Path
) -> None:
    records = loaded(command, run, own, written(tmp_path / "a.json", DISRUPTIONS["of-regions.json"]))
    assert only(records["strikes"], "when", "region", "geometry", "target_kinds", "targets") == [
        ("2024-05-03", "Одеська область", "POINT (28.83 45.34)", ["port-terminal"], ["Порт Верхній"]),
        ("2024-05-05", "Київська область", "POINT (30.75 50.13)", ["power-plant"], ["Нижня ТЕС"]),
    ]
    assert only(records["assets"], "id", "kind") == [("own/od-1", "port-terminal"), ("own/ky-1", "power-plant")]


def test_disruptions_by_key_have_the_key_as_id(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    records = loaded(command, run, own, written(tmp_path / "a.json", DISRUPTIONS["by-key.json"]))
    assert only(records["strikes"], "id", "when", "geometry") == [
        ("own/d-001", "2024-05-03", "POINT (31.77 50.28)"),
        ("own/d-002", "2024-05-04", "POINT (23.85 49.26)"),
    ]
    assert only(records["assets"], "id", "kind") == [
        ("own/gts-7", "compressor-station"),
        ("own/gts-9", "gas-storage"),
    ]


def test_assets_of_disruptions_have_their_owners(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    records = loaded(command, run, own, written(tmp_path / "a.json", DISRUPTIONS["owned.json"]))
    assert only(records["strikes"], "id", "host_country", "geometry") == [
        ("own/r-1", "UA", "POINT (33.404 49.101)"),
        ("own/r-2", "RU", None),
    ]
    assert only(records["stakes"], "owned", "owner", "share_min", "share_max") == [
        ("own/x1", "own/name/acme", 60, 60),
        ("own/x1", "own/name/beta", 40, 40),
    ]


def test_lines_of_json_are_rows_too(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    rows = DISRUPTIONS["list.json"]["data"]["disruptions"]
    path = written(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert len(loaded(command, run, own, path)["strikes"]) == 2


#: What each file of disruptions beside or within sites gives: days, places, targets and points of strikes; assets.
SITES_STRUCK: dict[str, tuple[list[tuple[Any, ...]], dict[str, tuple[str, str]]]] = {
    "by-number.json": (
        [
            ("2024-05-03", "Beresna substation", ["Beresna substation"], "POINT (30.456 50.123)"),
            ("2024-05-05", "Verba TPP", ["Verba TPP"], "POINT (36.213 49.512)"),
            ("2024-05-16", "Beresna substation", ["Beresna substation"], "POINT (30.456 50.123)"),
        ],
        {"own/101": ("substation", "POINT (30.456 50.123)"), "own/102": ("power-plant", "POINT (36.213 49.512)")},
    ),
    "by-key.json": (
        [
            ("2024-03-22", "Verba CHP", ["Verba CHP"], "POINT (30.512 50.441)"),
            ("2024-03-23", "Lypa substation", ["Lypa substation"], "POINT (30.723 46.482)"),
        ],
        {"own/x1": ("power-plant", "POINT (30.512 50.441)"), "own/x2": ("substation", "POINT (30.723 46.482)")},
    ),
    "alike-ids.json": (
        [
            ("2025-02-01", "Sosna oil depot", ["Sosna oil depot"], "POINT (38.273 46.712)"),
            ("2025-02-02", "Yalyna refinery", ["Yalyna refinery"], "POINT (39.073 44.112)"),
        ],
        {"own/1": ("refinery", "POINT (39.073 44.112)"), "own/2": ("oil-depot", "POINT (38.273 46.712)")},
    ),
    "several-each.json": (
        [
            ("2025-01-03", "unknown place", ["Yalyna refinery", "Sosna oil depot"], None),
            ("2025-01-09", "unknown place", ["Yalyna refinery"], None),
        ],
        {"own/1": ("refinery", "POINT (39.073 44.112)"), "own/2": ("oil-depot", "POINT (38.273 46.712)")},
    ),
    "lists-in-lists.json": (
        [
            ("2024-05-03", "Kalyna oil depot", ["Kalyna oil depot"], "POINT (39.7122 47.2331)"),
            ("2024-05-03", "Kalyna pumping station", ["Kalyna pumping station"], "POINT (39.7131 47.2512)"),
            ("2024-05-04", "Rybne refinery", ["Rybne refinery"], "POINT (38.1121 45.2213)"),
        ],
        {
            "own/7": ("oil-depot", "POINT (39.7122 47.2331)"),
            "own/8": ("pump-station", "POINT (39.7131 47.2512)"),
            "own/9": ("refinery", "POINT (38.1121 45.2213)"),
        },
    ),
    "keyed-sites.json": (
        [
            ("2024-06-13", "Hnizdo refinery", ["Hnizdo refinery"], "POINT (37.913 55.112)"),
            ("2024-06-14", "Topol oil depot", ["Topol oil depot"], "POINT (50.112 53.213)"),
            ("2024-06-17", "Topol oil depot", ["Topol oil depot"], "POINT (50.112 53.213)"),
        ],
        {"own/881": ("refinery", "POINT (37.913 55.112)"), "own/882": ("oil-depot", "POINT (50.112 53.213)")},
    ),
}


@pytest.mark.parametrize("name", SITES_STRUCK)
def test_disruptions_beside_or_within_sites_know_their_site(
    command: Run, run: Run, own: Store, tmp_path: Path, name: str
) -> None:
    records = loaded(command, run, own, written(tmp_path / name, DISRUPTIONS_AND_SITES[name]))
    strikes, assets = SITES_STRUCK[name]
    assert only(records["strikes"], "when", "place", "targets", "geometry") == strikes
    assert {one["id"]: (one["kind"], one["geometry"]) for one in records["assets"]} == assets
    assert {strike["basis"] for strike in records["strikes"] if strike["geometry"]} <= {"site"}


def test_sites_of_no_known_kind_are_left_out_and_the_events_load(command: Run, tmp_path: Path) -> None:
    document = json.loads(json.dumps(DISRUPTIONS_AND_SITES["several-each.json"]).replace("refinery", "One"))
    told = command("map", written(tmp_path / "a.json", document), "--json")
    assert told.report["loads"] == {"assets": 1, "strikes": 2}
    document = json.loads(json.dumps(document).replace("oil depot", "Two"))
    told = command("map", written(tmp_path / "a.json", document), "--json")
    assert told.report["loads"] == {"strikes": 2}
    assert told.report["remarks"] == ["'sites' is left out: nothing says of which kind they are"]


def test_rows_of_every_list_of_a_document_are_counted_and_named(command: Run, run: Run, tmp_path: Path) -> None:
    document = json.loads(json.dumps(DISRUPTIONS_AND_SITES["by-number.json"]))
    document["assets"].append({"id": 103, "name": "Dub TPP", "type": "power plant", "location": {"lat": "x", "lon": 1}})
    document["disruptions"] += [
        {"id": 9100 + n, "asset_id": 102, "start": 1715889000000 + n, "cause": "drone strike", "text": f"More {n}"}
        for n in range(4)
    ]
    document["disruptions"].append({"id": 9200, "asset_id": 103, "start": 1715889000000, "text": "None"})
    document["assets"] += [
        {"id": 200 + n, "name": f"Lis {n} TPP", "type": "power plant", "location": {"lat": 48.1 + n, "lon": 33.1}}
        for n in range(4)
    ]
    for n, row in enumerate(document["disruptions"][:4]):
        row["asset_id"] = 200 + n
    path, out = written(tmp_path / "a.json", document), tmp_path / "m.toml"
    assert command("map", path, "-o", out, "--json").code == 0
    rejected = tmp_path / "rejected.json"
    report = load(run, "json", path, "--mapping", out, "--dataset", "own", "--partial", "--rejected", rejected)
    assert (report["rows"]["read"], report["rows"]["rejected"]) == (7 + 8, 2)
    assert {(one["file"], one["row"]) for one in report["problems"]} == {
        ("a.json#assets", 3),
        ("a.json#disruptions", 8),
    }
    left = json.loads(rejected.read_text(encoding="utf-8"))
    assert [row["id"] for row in left["disruptions"]] == [9200]
    assert len(left["assets"]) == 7
    assert [row["id"] for row in left["assets"] if "_problems" in row] == [103]
    rejected.write_text(json.dumps(left).replace('"x"', "48.912"), encoding="utf-8")
    again = load(run, "json", rejected, "--mapping", out, "--dataset", "own", "--append")
    assert {name: len(again["changes"][name]["added"]) for name in ("assets", "strikes")} == {"assets": 1, "strikes": 1}


def test_rejected_rows_of_two_documents_stay_in_theirs(command: Run, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    firms = {"companies": [{"name": f"Firm {n}", "inn": f"77{n}", "country": "UA"} for n in range(6)]}
    shares = {
        "holdings": [
            {"owner": f"Firm {n}", "company": f"Firm {n + 1}", "share": "x" if n == 2 else f"{51 + n} %"}
            for n in range(5)
        ]
    }
    files = [written(folder / "firms.json", firms), written(folder / "shares.json", shares)]
    out, rejected = tmp_path / "m.toml", tmp_path / "rejected"
    rejected.mkdir()
    assert command("map", *files, "-o", out, "--json").code == 0
    report = load(run, "json", *files, "--mapping", out, "--dataset", "own", "--partial", "--rejected", rejected)
    assert report["rows"] == {"read": 11, "skipped": 0, "rejected": 1, "of_which_partly_read": 0}
    assert [path.name for path in rejected.iterdir()] == ["shares.json"]
    assert stat.S_IMODE((rejected / "shares.json").stat().st_mode) == 0o600, "the load may be private"
    left = json.loads((rejected / "shares.json").read_text(encoding="utf-8"))
    assert [row["owner"] for row in left["holdings"]] == ["Firm 2"]


# Which of a pair of degrees comes first.


def test_a_pair_is_read_as_the_regions_in_its_rows_say(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    files = DISRUPTIONS_AND_SITES["of-sites.json"]
    records = loaded(command, run, own, written(tmp_path / "a.json", files))
    assert only(records["strikes"], "when", "title", "geometry") == [
        ("2025-08-02", "Рязанський НПЗ «Лис»", "POINT (39.742 54.571)"),
        ("2025-09-05", "Рязанський НПЗ «Лис»", "POINT (39.742 54.571)"),
        ("2025-08-02", "Нафтобаза «Рись»", "POINT (50.062 53.111)"),
    ]
    assert [one["geometry"] for one in records["assets"]] == [
        f"POINT ({lon} {lat})" for lat, lon in (site["location"] for site in files)
    ]
    text = (tmp_path / "mapping.toml").read_text(encoding="utf-8")
    assert '# owner = "company"' in text


def test_a_pair_that_nothing_tells_is_a_remark_and_a_comment(command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", [{"date": "2024-05-01", "headline": "Depot hit", "xy": [46.5, 30.7]}])
    told = command("map", path, "--basemap", BASEMAP)
    assert "# CHECK: 'xy' is read longitude first: nothing tells" in told.out
    assert "Look at this: 'xy' is read longitude first" in " ".join(told.err.split())
    turned = mapping_file.parse("m.toml", told.out.replace("lonlat =", "latlon ="))
    assert turned.columns["latlon"] == "xy"
    assert (turned.constants["basis"], turned.constants["uncertainty_m"]) == ("rounded", 8000), (
        "one decimal of a degree"
    )


def test_features_that_look_swapped_are_a_remark(command: Run, tmp_path: Path) -> None:
    rows = collection(
        *(
            feature({"date": f"2024-05-0{n}", "headline": "Fire", "country": "Ukraine"}, (48.5, 35.0 + n))
            for n in range(1, 4)
        )
    )
    told = command("map", written(tmp_path / "a.geojson", rows), "--basemap", BASEMAP, "--json")
    (remark,) = told.report["remarks"]
    assert "look swapped" in remark
    assert "3 of 3 points are in the country that their row names" in remark
    without_map = command("map", tmp_path / "a.geojson", "--basemap", tmp_path / "none.gpkg", "--json")
    assert without_map.report["remarks"] == []


# (b) Reports of drones that a geocoder placed.


def test_what_a_geocoder_says_is_how_sure_the_point_is(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    records = loaded(command, run, own, written(tmp_path / "a.geojson", REPORTS["nominatim.geojson"]))
    assert only(records["strikes"], "when", "title", "geometry", "basis", "uncertainty_m") == [
        ("2024-05-03", "Drones hit oil depot", "POINT (39.712 47.233)", "settlement", 8000),
        ("2024-05-04", "Fire at refinery", None, None, None),
        ("2024-05-05", "Fire at refinery", None, None, None),
    ]
    assert len({strike["id"] for strike in records["strikes"]}) == 3


def test_rows_that_are_alike_are_numbered(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    records = loaded(command, run, own, written(tmp_path / "a.geojson", REPORTS["alike.geojson"]))
    first, second, third = (strike["id"] for strike in records["strikes"])
    assert second == f"{first}-2"
    assert third not in (first, second)
    assert {strike["basis"] for strike in records["strikes"]} == {"settlement"}


def test_german_reports_have_days_by_name_and_countries(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    records = loaded(command, run, own, written(tmp_path / "a.geojson", REPORTS["meldungen.geojson"]))
    assert only(records["strikes"], "when", "host_country", "basis", "uncertainty_m") == [
        ("2024-05-03", "RU", "settlement", 8000),
        ("2024-06-14", "UA", "region", 120_000),
    ]


def test_a_stamp_is_a_day_and_a_report_may_have_no_text(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    records = loaded(command, run, own, written(tmp_path / "a.geojson", REPORTS["stamped.geojson"]))
    assert only(records["strikes"], "when", "title", "place") == [
        ("2024-05-03", "A drone hit a depot", "unknown place"),
        ("2024-05-04", "Report without a title", "unknown place"),
    ]


def test_a_point_that_a_geocoder_is_silent_of_is_a_settlement_at_best(
    command: Run, run: Run, own: Store, tmp_path: Path
) -> None:
    records = loaded(command, run, own, written(tmp_path / "a.geojson", REPORTS["matched.geojson"]))
    assert only(records["strikes"], "title", "host_country", "basis", "uncertainty_m") == [
        ("Drones over a refinery", "RU", "settlement", 8000),
        ("Three drones shot down", "RU", "region", 120_000),
        ("A drone hit a depot", "RU", "settlement", 8000),
        ("A drone hit a depot", "RU", None, None),
    ]


def test_the_name_of_a_geocoder_is_no_target(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    records = loaded(command, run, own, written(tmp_path / "a.geojson", REPORTS["displayed.geojson"]))
    assert only(records["strikes"], "when", "title", "place", "targets", "uncertainty_m") == [
        ("2024-05-17", "БПЛА атаковали НПЗ", "Туапсе, Россия", [], 8000),
        ("2024-05-18", "Взрывы", "unknown place", [], None),
    ]


# (c) Holdings as two tables of names and percents.

OWNERS = {
    "russian": {
        ("Российская Федерация", 'ПАО "Василёк"', 50.0000001, 50.01),
        ('ПАО "Василёк"', "АО «Ромашка»", 51.3, 51.3),
        ("Иванов И. И.", "АО «Ромашка»", 48.7, 48.7),
    },
    "federal shares in the header": {
        ("Russian Federation", 'АО "Верх"', 100, 100),
        ("Russian Federation", 'ПАО "Низ"', 78.55, 78.55),
        ("Russian Federation", "ПАО Середина", 0, 50),
        ('ПАО "Низ"', "ООО Север", 100, 100),
        ('ПАО "Низ"', "ООО Юг", 0, 100),
    },
    "english, fractions": {
        ("Department of X", "Alpha", 50, 50),
        ("Department of X", "Foo", 100, 100),
        ("Foo", "Bar", 25, 25),
        ("Department of X", "Baz Inc", 9.9, 9.9),
    },
    "german, owners in both": {
        ("Bund", "Alpha GmbH", 75.1, 75.1),
        ("Beta AG", "Alpha GmbH", 24.9, 24.9),
        ("Alpha GmbH", "Gamma GmbH", 50, 100),
    },
    "least and largest": {("Agency of Ports", "Sever JSC", 50, 75), ("Sever JSC", "Yug JSC", 25, 100)},
    "kinds of entities": {
        ("Federal Agency X", "Alpha Corp", 75.5, 75.5),
        ("Federal Agency X", "Beta Corp", 25, 25),
    },
}


@pytest.mark.parametrize("name", HOLDINGS)
def test_holdings_are_joined_by_names_across_files(
    command: Run, run: Run, own: Store, tmp_path: Path, name: str
) -> None:
    files = [written(tmp_path / file, text) for file, text in HOLDINGS[name].items()]
    records = loaded(command, run, own, *files)
    names = {entity["id"]: entity["name"] for entity in records["entities"]}
    assert len({*names.values()}) == len(names)
    found = {(names[s["owner"]], names[s["owned"]], s["share_min"], s["share_max"]) for s in records["stakes"]}
    assert found == OWNERS[name]


def test_a_country_as_an_owner_is_its_state(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    records = loaded(command, run, own, *(written(tmp_path / n, t) for n, t in HOLDINGS["russian"].items()))
    by_name = {entity["name"]: entity for entity in records["entities"]}
    state = by_name["Российская Федерация"]
    assert (state["type"], state["registered_in"]) == ("state", "RU")
    assert by_name["АО «Ромашка»"]["external_ids"] == {"inn": "7701"}


def test_types_of_entities_are_read_whatever_their_column_is_called(
    command: Run, run: Run, own: Store, tmp_path: Path
) -> None:
    files = [written(tmp_path / name, text) for name, text in HOLDINGS["least and largest"].items()]
    entities = loaded(command, run, own, *files)["entities"]
    assert {(one["name"], one["type"]) for one in entities} == {
        ("Agency of Ports", "stateBody"),
        ("Sever JSC", "legalEntity"),
        ("Yug JSC", "legalEntity"),
    }


def test_owners_in_columns_of_their_own_are_a_remark(command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "holdings.csv", "company,owner_1,owner_2\nAlpha,Beta,Gamma\nDelta,Beta,\n")
    (remark,) = command("map", path, "--json").report["remarks"]
    assert remark == "rows name further owners in 'owner_2': one table each"


# The command.


def test_the_draft_is_printed_alone_and_the_preview_beside_it(command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.geojson", REPORTS["nominatim.geojson"])
    told = command("map", path)
    assert told.code == 0
    mapping = mapping_file.parse("m.toml", told.out)
    assert (mapping.table, mapping.columns["title"]) == ("strikes", "headline")
    assert "3 rows read, 0 skipped, 0 with faults; would load 3 strikes" in told.err


def test_the_next_commands_write_the_mapping_and_load_with_it(
    command: Run, run: Run, own: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path / "my sites.csv", SITES)
    options = ("--table", "assets", "--basemap", BASEMAP)
    said = command("map", path, *options).err.splitlines()
    told = command("map", path, *options, "--json").report
    assert said[-2:] == [f"Write it: {told['write']}", f"Check it, then: {told['load']}"]
    assert command(*shlex.split(told["write"])[1:]).code == 0
    assert (tmp_path / "mapping.toml").read_text(encoding="utf-8") == told["mapping"]
    assert run(*shlex.split(told["load"])[1:]).code == 0
    assert len(own.records().assets) == 3
    again = command("map", path, "-o", "other.toml", "--json").report
    assert (again["write"], again["written"]) == (None, "other.toml")


def test_a_file_that_is_there_is_replaced_only_by_force(command: Run, tmp_path: Path) -> None:
    path, out = written(tmp_path / "a.geojson", REPORTS["nominatim.geojson"]), tmp_path / "m.toml"
    out.write_text("mine")
    assert command("map", path, "-o", out).code == 4
    assert out.read_text() == "mine"
    told = command("map", path, "-o", out, "--force", "--json")
    assert told.code == 0
    assert out.read_text(encoding="utf-8") == told.report["mapping"]


def test_what_cannot_be_guessed_is_a_comment_and_the_command_says_so(command: Run, tmp_path: Path) -> None:
    path, out = written(tmp_path / "a.csv", "name;lat;lon\nOne;46,48;30,72\n"), tmp_path / "m.toml"
    told = command("map", path, "-o", out, "--json")
    assert told.code == 1
    assert [(problem["file"], problem["column"]) for problem in told.report["problems"]] == [("m.toml", "columns.kind")]
    text = out.read_text(encoding="utf-8")
    assert '# kind = "power-plant"' in text
    whole = text.replace('# kind = "power-plant"', 'kind = "power-plant"')
    assert mapping_file.parse("m.toml", whole).constants["kind"] == "power-plant"


def test_the_noun_may_be_given(command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "name;day;kind\nRefinery One;03.05.2024;refinery\n")
    told = command("map", path, "--table", "assets", "--json")
    assert told.report["loads"] == {"assets": 1}


def test_the_first_faults_are_listed_with_their_cells(command: Run, tmp_path: Path) -> None:
    days = [f"{day:02}.05.2024" for day in range(1, 20)]
    rows = "".join(f"Fire {n};{day}\n" for n, day in enumerate([*days, "soon"]))
    told = command("map", written(tmp_path / "a.csv", f"headline;date\n{rows}"), "--json")
    assert told.code == 0
    assert told.report["loads"] == {"strikes": 19}
    assert len(told.report["preview"]["strikes"]) == 10
    (problem,) = told.report["problems"]
    assert (problem["row"], problem["column"], problem["value"]) == (21, "date", "soon")
    assert told.report["load"].endswith("--partial")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"features": []}', "a;b\n", '{"a": 1}', "[1, 2]", "\0\0"])
def test_a_file_without_rows_is_refused_with_a_reason(command: Run, tmp_path: Path, text: str) -> None:
    told = command("map", written(tmp_path / "a.json", text), "--json")
    assert told.code == 1
    assert told.out + told.err


def test_a_draft_of_hostile_names_is_toml_all_the_same(command: Run, tmp_path: Path) -> None:
    name = 'when "\\ \u007f\u2028 # [x]\ttail'
    rows = collection(*(feature({name: "2024-05-03", "headline\n": f"Fire # {n}"}, (30.001, 46.002)) for n in range(3)))
    told = command("map", written(tmp_path / "a.geojson", rows), "--json")
    mapping = mapping_file.parse("m.toml", told.report["mapping"])
    assert mapping.columns["when"] == name
    assert told.report["loads"] == {"strikes": 3}


def test_a_column_may_be_called_geometry(command: Run, tmp_path: Path) -> None:
    shape = {"type": "Point", "coordinates": [30.001, 46.002]}
    rows = [{"date": "2024-05-03", "headline": f"Fire {n}", "geometry": shape} for n in range(3)]
    told = command("map", written(tmp_path / "a.json", rows), "--json")
    assert told.report["loads"] == {"strikes": 3}
    assert mapping_file.parse("m.toml", told.report["mapping"]).id.columns == ("date", "geometry", "headline")


# An empty store.


def test_init_empty_makes_a_store_without_records(command: Run, new_shared_address: NewAddress) -> None:
    address = new_shared_address()
    made = command("init", "--empty", "--store", address, "--basemap", BASEMAP, "--json")
    assert made.code == 0, made.err
    records = open_store(address).records()
    assert not any(records.table(name) for name in ("sources", "strikes", "assets", "entities", "stakes"))
    listed: CommandResult = command("list", "strikes", "--store", address, "--basemap", BASEMAP, "--json")
    assert listed.report == []
    assert command("verify", address).code == 0


def test_an_empty_store_takes_what_is_mapped(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    path = written(tmp_path / "a.geojson", REPORTS["meldungen.geojson"])
    loaded(command, run, own, path)
    listed = run("list", "strikes", "--json").report
    assert {strike["title"] for strike in listed} == {"Brand im Öldepot", "Brand"}


def test_sources_of_a_mapping_are_files_that_stay_as_they_are(command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.geojson", REPORTS["alike.geojson"])
    before = path.read_bytes()
    command("map", path, "-o", tmp_path / "m.toml")
    assert path.read_bytes() == before
    with pytest.raises(ProblemsError):
        mapping_file.parse("m.toml", SourceFile.of(path).text())


# A sheet as people keep it: numbers with a gap in a row of totals, days as said, words of their own for weapons.

SHEET = """№;Дата;Місто;Широта;Довгота;Об'єкт;Тип;Зброя;Власник;Джерело;Примітка
1;08.08.2025;Одеса;46,48;30,71;Нафтобаза;нафтобаза;7 БПЛА;ТОВ А;https://www.bbc.com/news/1;одна
2;17.08-18.08.2025;Суми;50,91;34,80;Підстанція;підстанція;Шахед;ТОВ Б;;дві
3;ніч на 14.09.2025;Рівне;50,61;26,25;Електростанція;електростанція;БПЛА;ТОВ В;;три
4;2025-10-01/2025-10-02;Рівне;;;Підстанція;підстанція;ракета;ТОВ В;;
;;;;;Разом;;9;;;4 записи
"""


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return written(tmp_path / "sheet.csv", SHEET)


def test_a_corrected_cell_changes_a_strike_and_makes_none(command: Run, run: Run, own: Store, sheet: Path) -> None:
    out = sheet.with_name("sheet.toml")
    said = command("map", sheet, "-o", out, "--basemap", BASEMAP)
    assert said.code == 0
    assert "Columns not used, sheet.csv: strikes: Власник" in " ".join(said.out.split())
    load(run, "csv", sheet, "--mapping", out, "--partial", "--dataset", "s")
    before = own.records().strikes
    assert {one.id: one.when for one in before.values()} == {
        "s/1": "2025-08-08",
        "s/2": "2025-08-17/2025-08-18",
        "s/3": "2025-09-13/2025-09-14",
        "s/4": "2025-10-01/2025-10-02",
    }
    weapons = [(weapon.kind, weapon.count_min) for one in before.values() for weapon in one.weapons]
    assert weapons == [("drone", 7), ("Shahed drone", None), ("drone", None), ("missile", None)]
    sheet.write_text(SHEET.replace("одна", "перша").replace("Суми", "м. Суми"), encoding="utf-8")
    report = load(run, "csv", sheet, "--mapping", out, "--partial", "--dataset", "s")
    assert report["changes"]["strikes"]["changed"] == {"s/1": ["note"], "s/2": ["place"]}
    assert own.records().strikes.keys() == before.keys()


def test_ids_follow_from_what_happened_and_no_note(command: Run, run: Run, own: Store, sheet: Path) -> None:
    text = SHEET.replace("3;ніч", ";ніч")
    sheet.write_text(text, encoding="utf-8")
    out = sheet.with_name("sheet.toml")
    told = command("map", sheet, "-o", out, "--basemap", BASEMAP, "--json").report
    assert any("'№' would be the id, but 1 row(s) have none" in remark for remark in told["remarks"])
    load(run, "csv", sheet, "--mapping", out, "--partial", "--dataset", "s")
    before = own.records().strikes
    sheet.write_text(text.replace("три", "третя").replace("7 БПЛА", "8 БПЛА"), encoding="utf-8")
    report = load(run, "csv", sheet, "--mapping", out, "--partial", "--dataset", "s")
    assert report["changes"]["strikes"]["added"] == []
    assert sorted(report["changes"]["strikes"]["changed"].values()) == [["note"], ["weapons"]]
    assert own.records().strikes.keys() == before.keys()


@pytest.mark.parametrize("header", ["Ref", "No", "Nr.", "Number", "Code", "Key", "#", "№ п/п", "Ref. no."])
def test_a_column_of_ids_is_known_by_its_header_where_no_two_are_alike(
    command: Run, tmp_path: Path, header: str
) -> None:
    rows = ["2024-05-03;Odesa;B1", "2024-05-03;Odesa;B2", "2024-05-04;Reni;B3"]
    ids = written(tmp_path / "ids.csv", "\n".join([f"Day;Town;{header}", *rows]))
    assert mapped(command, ids).columns["id"] == header
    alike = written(tmp_path / "alike.csv", "\n".join([f"Day;Town;{header}", *rows, "2024-05-05;Reni;B3"]))
    assert "id" not in mapped(command, alike).columns


@pytest.mark.parametrize(
    "header", ["Notes", "Remark", "Comment", "Description", "Details", "Desc", "Beschreibung", "Hinweis", "Примітка"]
)
def test_no_note_is_part_of_an_id_though_nothing_else_tells_rows_apart(
    command: Run, tmp_path: Path, header: str
) -> None:
    rows = "2024-05-03;Odesa;Fire\n2024-05-03;Odesa;Another fire\n"
    strikes = mapped(command, written(tmp_path / "strikes.csv", f"Day;Town;{header}\n{rows}"))
    assert (strikes.id.columns, strikes.id.repeated) == (("Day", "Town"), "number")
    notes = written(tmp_path / "notes.csv", f"{header};Type\nFire;\nSmoke;\n")
    told = command("map", notes, "--table", "assets", "--json").report["mapping"]
    assert "row = true" in told, "no id is made of nothing but notes"


def test_a_sheet_and_the_report_that_it_cites_are_one_voice(command: Run, run: Run, own: Store, sheet: Path) -> None:
    out = sheet.with_name("sheet.toml")
    assert command("map", sheet, "-o", out, "--basemap", BASEMAP).code == 0
    load(run, "csv", sheet, "--mapping", out, "--partial", "--dataset", "s")
    records = own.records()
    assert reporters_of(records.strikes["s/1"], records.sources) == {"wwwbbccom"}
    assert reporters_of(records.strikes["s/2"], records.sources) == frozenset()


#: A glossary before the data, whose sheet has a title, a note, and a header in two rows.
SHEETS = {
    "Словник": [["Термін", "Значення", "Приклад"], ["БПЛА", "безпілотник", "Шахед"], ["ТЕС", "станція", "Ладижинська"]],
    "Удари": [
        ["Удари по енергетиці, 2025"],
        [],
        ["№", "Дата", "Місто", "Координати", "", "Об'єкт", "Тип", "Зброя"],
        ["", "", "", "широта", "довгота", "", "", ""],
        ["1", "08.08.2025", "Одеса", "46.48", "30.71", "Нафтобаза", "нафтобаза", "БПЛА"],
        ["2", "вівторок", "Суми", "50.91", "34.80", "Підстанція", "підстанція", "Шахед"],
        ["3", "10.08.2025", "Рівне", "50.61", "26.25", "Підстанція", "підстанція", "Шахед"],
        ["4", "11.08.2025", "Рівне", "50.61", "26.25", "Підстанція", "підстанція", "Шахед"],
        ["5", "12.08.2025", "Рівне", "50.61", "26.25", "Підстанція", "підстанція", "Шахед"],
    ],
}


def test_the_sheet_and_the_header_of_the_table_are_found_and_said(
    command: Run, run: Run, own: Store, tmp_path: Path
) -> None:
    file = workbook(tmp_path / "a.xlsx", {name: sheet_xml(rows) for name, rows in SHEETS.items()})
    out = tmp_path / "a.toml"
    told = command("map", file.path, "-o", out, "--basemap", BASEMAP, "--json").report
    said = "read: sheet 'Удари' with its header in row 4; other sheets that are not read: Словник"
    assert said in told["remarks"]
    report = load(run, "csv", file.path, "--mapping", out, "--partial", "--dataset", "s")
    assert said in report["warnings"]
    assert [(one["file"], one["row"], one["value"]) for one in report["problems"]] == [("a.xlsx#Удари", 6, "вівторок")]
    strikes = own.records().strikes
    assert [one.when for one in strikes.values()] == ["2025-08-08", "2025-08-10", "2025-08-11", "2025-08-12"]
    assert strikes["s/1"].geometry == shapely.Point(30.71, 46.48)
    assert strikes["s/1"].target_kinds == ("oil-depot",)


SITES = """Name;Type;Lat;Lon;Country;Owner;Share;Owner country
North depot;oil depot;46.48;30.71;Ukraine;Amber Oil;60 %;Azerbaijan
South depot;oil depot;46.50;30.75;Ukraine;Amber Oil;100 %;Azerbaijan
East depot;oil depot;46.52;30.79;Ukraine;Beryl;25 %;
"""


#: Tables of assets with owners and of strikes: what each is, whether it is beyond doubt, and some of its columns.
TOLD: dict[str, tuple[str, str, bool, dict[str, str]]] = {
    "start and owner": (
        "Ref;Object;Type;Lat;Lon;Owner;Owner share %;Owner country;Started;Remark;Colour\n"
        "B1;North depot;oil depot;46.481;30.711;Amber;60 %;Georgia;2011;big;red\n"
        "B2;South depot;refinery;46.502;30.752;Beryl;25 %;offshore;2012-05;;red\n"
        "B3;East depot;depot;46.512;30.762;Beryl;25 %;Cyprus;2012-05;;\n",
        "assets",
        True,
        {"id": "Ref", "name": "Object", "owner": "Owner", "owner_country": "Owner country", "since": "Started"},
    ),
    "shareholder": (
        "Asset;Kind;X;Y;Shareholder;Stake;Shareholder country;Start date\n"
        "Port A;port;30.711;46.481;Orbit;51 %;Cyprus;1.2.2001\n",
        "assets",
        True,
        {"owner": "Shareholder", "owner_country": "Shareholder country", "owner_share": "Stake", "since": "Start date"},
    ),
    "headquarters": (
        "Plant;Technology;MW;Lat;Lon;Country;Ultimate parent;Parent HQ country;Start year\n"
        "A;solar;9;46.481;30.711;UA;Amber;GE;2011\n",
        "assets",
        True,
        {"host_country": "Country", "owner_country": "Parent HQ country", "capacity": "MW", "since": "Start year"},
    ),
    "nationality": (
        "Site;Owner;Owner nationality;Lat;Lon;Start\nNorth refinery;Amber;Georgia;46.481;30.711;2011-03-04\n",
        "assets",
        True,
        {"name": "Site", "owner": "Owner", "owner_country": "Owner nationality", "since": "Start"},
    ),
    "german": (
        "Anlage;Typ;Breite;Länge;Eigentümer;Anteil;Land des Eigentümers;Inbetriebnahme\n"
        "Nord;Öllager;46,481;30,711;Amber;60;Georgien;2.4.2011\n",
        "assets",
        True,
        {"owner": "Eigentümer", "owner_country": "Land des Eigentümers", "since": "Inbetriebnahme"},
    ),
    "a company, not said to be the owner": (
        "Site name;Type;Lat;Lon;Company;Company country;Since\nNorth;oil depot;46.481;30.711;Amber;Georgia;2011\n",
        "assets",
        True,
        {"name": "Site name", "since": "Since"},
    ),
    "a country without an owner": (
        "Object;Type;Lat;Lon;Owner country;Last updated\nNorth;oil depot;46.481;30.711;Georgia;2024-05-03\n",
        "assets",
        True,
        {"name": "Object", "kind": "Type"},
    ),
    "a date and an owner": (
        "Facility;Category;Lat;Lon;Country of parent;Parent;Share;Date\n"
        "North;refinery;46.481;30.711;Georgia;Amber;50;2024-05-03\n",
        "assets",
        False,
        {"owner": "Parent", "owner_country": "Country of parent"},
    ),
    "a date, an owner and his share": (
        "Date;Object;Type;Lat;Lon;Owner;Owner share %;Owner country\n"
        "2024-05-03;North;oil depot;46.481;30.711;Amber;60;Georgia\n",
        "strikes",
        False,
        {"when": "Date", "targets": "Object"},
    ),
    "weapon": (
        "Ref;Date;Object;Type;Lat;Lon;Weapon;Owner;Owner country\n"
        "S1;2024-05-03;North;oil depot;46.481;30.711;drone;Amber;Georgia\n",
        "strikes",
        True,
        {"id": "Ref", "when": "Date", "weapon": "Weapon"},
    ),
    "day of an attack, in ukrainian": (
        "Дата удару;Об'єкт;Тип;Широта;Довгота;Власник;Країна власника\n"
        "03.04.2024;База;нафтобаза;46,481;30,711;Бурштин;Грузія\n",
        "strikes",
        True,
        {"when": "Дата удару", "targets": "Об'єкт"},
    ),
    "day of an attack on an old site": (
        "Commissioned;Day of strike;Target;Lat;Lon;Operator country\n"
        "1999-01-02;2024-05-03;North;46.481;30.711;Georgia\n",
        "strikes",
        True,
        {"when": "Day of strike", "targets": "Target"},
    ),
    "start and end": (
        "Object;Type;Lat;Lon;Start;End\nNorth depot;oil depot;46.481;30.711;2024-05-03;2024-05-04\n",
        "strikes",
        True,
        {"when": "Start", "targets": "Object"},
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_sites_with_owners_are_assets_and_days_of_events_are_strikes(command: Run, tmp_path: Path, name: str) -> None:
    text, table, is_sure, columns = TOLD[name]
    told = command("map", written(tmp_path / "a.csv", text), "--basemap", BASEMAP, "--json").report
    mapping = mapping_file.parse("m.toml", told["mapping"])
    assert mapping.table == table
    assert {column: mapping.columns.get(column) for column in columns} == columns
    assert mapping.columns.get("host_country") == columns.get("host_country"), "a country of an owner is none of a site"
    assert ("owner_country" in mapping.columns) == ("owner_country" in columns)
    assert ("# CHECK" in told["mapping"].splitlines()[2]) == (not is_sure)
    assert any("--table" in remark for remark in told["remarks"]) == (not is_sure)
    assert told["problems"] == []


def test_a_list_of_owners_has_their_countries(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    text = "Shareholder;Country of shareholder\nAmber;Azerbaijan\nBeryl;Georgia\n"
    told = command("map", written(tmp_path / "a.csv", text), "--table", "entities", "--json").report
    assert mapping_file.parse("m.toml", told["mapping"]).columns["registered_in"] == "Country of shareholder"
    held = "Company;Owner;Owner country;Share\nAlpha;Amber;Azerbaijan;60\n"
    entities = mapped(command, written(tmp_path / "b.csv", held))
    assert (entities.table, "registered_in" in entities.columns) == ("entities", False), "it is that of the owner"


def test_the_country_of_an_owner_may_stand_in_a_column(command: Run, run: Run, own: Store, tmp_path: Path) -> None:
    file = written(tmp_path / "sites.csv", SITES)
    records = loaded(command, run, own, file)
    assert only(records["entities"], "name", "registered_in") == [("Amber Oil", "AZ"), ("Beryl", None)]
    assert [one["host_country"] for one in records["assets"]] == ["UA", "UA", "UA"]
    north = next(one["id"] for one in records["assets"] if one["name"] == "North depot")
    countries = run("owners", north, "--json").report["owners"]
    assert {row["country"]: (row["share_min"], row["share_max"]) for row in countries}["AZ"] == (0, 60)
    file.write_text(SITES.replace("100 %;Azerbaijan", "100 %;Georgia"), encoding="utf-8")
    (fault,) = run("load", "csv", file, "--mapping", tmp_path / "mapping.toml", "--json").report["problems"]
    assert (fault["row"], fault["column"], fault["value"]) == (3, "Owner country", "Georgia")
    assert fault["expected"] == "one country for 'Amber Oil' in all that is loaded together; elsewhere it is AZ"
