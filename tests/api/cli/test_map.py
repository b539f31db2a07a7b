"""From files that no format knows to records: a mapping is drafted, loads them as they are, and what it says holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from layers.model.problems import ProblemsError
from layers.sources.files.source_file import SourceFile
from layers.sources.reader import mapping_file
from layers.store.store import Store
from tests.api.cli.unknown_files import DISRUPTIONS, HOLDINGS, REPORTS, collection, feature, written
from tests.command_runner import CommandResult, shell
from tests.conftest import BASEMAP
from tests.load_runner import Run, load, runner


@pytest.fixture
def own(tmp_path: Path) -> Store:
    """A store without a record."""
    return Store.create(tmp_path / "own.gpkg")


@pytest.fixture
def run(own: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(own, capsys, monkeypatch)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command that opens no store."""
    return shell(capsys, monkeypatch)


def loaded(command: Run, run: Run, own: Store, *files: Path) -> dict[str, list[dict[str, Any]]]:
    """The records of files by table, loaded by the mapping that is drafted of them: all rows, and twice."""
    out = files[0].with_name("mapping.toml")
    told = command("map", *files, "-o", out, "--json")
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


# The command.


def test_the_draft_is_printed_alone_and_the_preview_beside_it(command: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.geojson", REPORTS["nominatim.geojson"])
    told = command("map", path)
    assert told.code == 0
    mapping = mapping_file.parse("m.toml", told.out)
    assert (mapping.table, mapping.columns["title"]) == ("strikes", "headline")
    assert "3 rows read, 0 skipped, 0 with faults; would load 3 strikes" in told.err
    assert f"strikeatlas load geojson {path} --mapping mapping.toml" in told.err


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
    told = command("map", path, "--noun", "assets", "--json")
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


# An empty store.


def test_init_empty_makes_a_store_without_records(command: Run, tmp_path: Path) -> None:
    path = tmp_path / "empty.gpkg"
    made = command("init", "--empty", "--store", path, "--basemap", BASEMAP, "--json")
    assert made.code == 0, made.err
    records = Store.open(path).records()
    assert not any(records.table(name) for name in ("sources", "strikes", "assets", "entities", "stakes"))
    listed: CommandResult = command("list", "strikes", "--store", path, "--basemap", BASEMAP, "--json")
    assert listed.report == []
    assert command("verify", path).code == 0


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
