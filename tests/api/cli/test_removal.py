"""What loads and ``strikeatlas dataset`` remove or replace: never another folder's records, never much unasked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from layers.model.records import RECORD_TYPES
from layers.sources import curated
from layers.store.store import Store
from tests.load_runner import Run, is_change, load, of_dataset

ASSET = """
[[sources]]
id = "mine/s"
publisher = "A. Editor"

[[assets]]
id = "mine/depot"
name = "A depot of ours"
kind = "oil-depot"
checked = "read"
sources = ["mine/s"]
"""

HEADER = "id,title,lon,lat\n"
MAPPING = """
table = "strikes"
source.publisher = "P"
columns = {id = "id", title = "title", lon = "lon", lat = "lat"}
constants = {when = "2025-08-08", place = "Odesa", status = "reported", basis = "site", uncertainty_m = 500}
"""


@pytest.fixture
def sheet(tmp_path: Path) -> Any:
    """Write a table of so many rows, and give the arguments of its load."""
    (tmp_path / "s.toml").write_text(MAPPING, encoding="utf-8")

    def write(numbers: range) -> tuple[object, ...]:
        rows = (f"{number},Depot {number},30.{number:03},46.{number:03}\n" for number in numbers)
        (tmp_path / "s.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
        return "csv", tmp_path / "s.csv", "--mapping", tmp_path / "s.toml"

    return write


def shown(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


# Loads.


@pytest.mark.parametrize("given", ["mine", "mine/asset.toml"])
def test_curated_records_of_ones_own_are_a_dataset_of_their_own(
    run: Run, own: Store, tmp_path: Path, given: str
) -> None:
    before = own.records()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "asset.toml").write_text(ASSET, encoding="utf-8")
    report = load(run, "curated", tmp_path / given)
    assert report["dataset"] == ("curated/mine" if given == "mine" else "curated/asset")
    assert f"dataset {report['dataset']}" in shown(run("load", "curated", tmp_path / given).out)
    after = own.records()
    new = {name: after.table(name).keys() - before.table(name).keys() for name in RECORD_TYPES}
    assert {name: ids for name, ids in new.items() if ids} == {"sources": {"mine/s"}, "assets": {"mine/depot"}}
    assert all(before.table(name).items() <= after.table(name).items() for name in RECORD_TYPES)


def test_the_bundled_records_do_not_remove_those_of_ones_own(run: Run, own: Store, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "asset.toml").write_text(ASSET, encoding="utf-8")
    load(run, "curated", tmp_path / "mine", "--append")
    load(run, "curated", "--dry-run")
    report = load(run, "curated")
    assert report["dataset"] == "curated"
    assert all(change["removed"] == [] for change in report["changes"].values())
    assert own.records().assets["mine/depot"].dataset == "curated/mine"


@pytest.mark.parametrize("extra", [(), ("--dry-run",)])
def test_a_load_that_would_remove_much_stops_and_names_how_to_agree(
    run: Run, own: Store, sheet: Any, extra: tuple[str, ...]
) -> None:
    load(run, *sheet(range(40)))
    seq = own.seq()
    said = run("load", *sheet(range(20)), *extra)
    assert (said.code, own.seq()) == (7, seq)
    assert "To be removed from csv/s, once --replace is given: 20 strikes." in shown(said.out)
    assert all(option in shown(said.err) for option in ("--replace", "--append", "--dataset"))
    said = run("load", *sheet(range(20)), *extra, "--json")
    assert (said.code, said.report["written"]) == (7, None)
    assert said.report["to_confirm"] == {"csv/s": {"strikes": 20}}
    assert len(load(run, *sheet(range(20)), "--remove")["changes"]["strikes"]["removed"]) == 20
    assert len(of_dataset(own, "csv/s")["strikes"]) == 20


@pytest.mark.parametrize(("size", "left", "code"), [(100, 90, 0), (100, 89, 7), (10, 9, 0), (9, 7, 7)])
def test_a_tenth_of_a_dataset_goes_without_a_question(run: Run, sheet: Any, size: int, left: int, code: int) -> None:
    load(run, *sheet(range(size)))
    assert run("load", *sheet(range(left)), "--json").code == code


def test_a_small_file_of_the_same_name_replaces_no_other(run: Run, own: Store, sheet: Any) -> None:
    load(run, *sheet(range(9)))
    assert run("load", *sheet(range(50, 51)), "--json").code == 7
    assert len(of_dataset(own, "csv/s")["strikes"]) == 9


# Events that become others under their ids.

EVENTS = """
table = "strikes"
source.publisher = "Own Sheet"
{row}
columns = {{{number}title = "T", when = "Day", place = "P", lon = "E", lat = "N"}}
constants = {{status = "reported", basis = "site", uncertainty_m = 500}}
"""
Row = tuple[str, str, float, float]


@pytest.fixture
def events(tmp_path: Path) -> Any:
    """Write a sheet of events, numbered from 1, and give the arguments of its load."""

    def write(rows: Sequence[Row], by_row: bool = False, publisher: str = "Own Sheet") -> tuple[object, ...]:
        known = {"row": "id = {row = true}", "number": ""} if by_row else {"row": "", "number": 'id = "No", '}
        mapping = EVENTS.format(**known).replace("Own Sheet", publisher)
        (tmp_path / "m.toml").write_text(mapping, encoding="utf-8")
        listed = (f"{no},Depot,{day},{place},{lon},{lat}\n" for no, (day, place, lon, lat) in enumerate(rows, 1))
        (tmp_path / "sheet.csv").write_text("No,T,Day,P,E,N\n" + "".join(listed), encoding="utf-8")
        return "csv", tmp_path / "sheet.csv", "--mapping", tmp_path / "m.toml"

    return write


SHEET: list[Row] = [(f"2025-08-{day:02}", f"Town {day}", 30 + day / 10, 46.123456) for day in range(1, 21)]
OTHERS: list[Row] = [("2024-01-01", "Elsewhere", 40.0, 50.0)] * 20


@pytest.mark.parametrize("append", [(), ("--append",)])
def test_another_sheet_of_the_same_name_is_stopped_before_it_replaces_events(
    run: Run, own: Store, events: Any, append: tuple[str, ...]
) -> None:
    load(run, *events(SHEET))
    before, seq = of_dataset(own, "csv/sheet"), own.seq()
    said = run("load", *events(OTHERS), *append)
    assert (said.code, own.seq()) == (7, seq)
    assert "To become other events in csv/sheet, once --replace is given: 20 of 20" in shown(said.out)
    assert "csv/sheet/1: when 2025-08-01 → 2024-01-01" in shown(said.out)
    assert all(option in shown(said.err) for option in ("--replace", "--append", "--dataset"))
    said = run("load", *events(OTHERS), *append, "--json")
    assert said.code == 7
    confirm = said.report["events_to_confirm"]["csv/sheet"]
    assert (confirm["events"], confirm["of"]) == (20, 20)
    assert confirm["columns"] == {"when": 20, "place": 20, "geometry": 20}
    assert confirm["first"][1] == {"id": "csv/sheet/1", "column": "place", "before": "Town 1", "after": "Elsewhere"}
    assert (of_dataset(own, "csv/sheet"), own.seq()) == (before, seq)
    assert len(load(run, *events(OTHERS), *append, "--replace")["changes"]["strikes"]["changed"]) == 20


def test_a_row_inserted_above_others_that_are_known_by_their_numbers_is_stopped(
    run: Run, own: Store, events: Any
) -> None:
    load(run, *events(SHEET, by_row=True))
    before = of_dataset(own, "csv/sheet")
    said = run("load", *events([("2025-07-31", "Town 0", 30.0, 46.123456), *SHEET], by_row=True), "--json")
    assert (said.code, said.report["events_to_confirm"]["csv/sheet"]["events"]) == (7, 20)
    assert of_dataset(own, "csv/sheet") == before
    assert not is_change(load(run, *events(SHEET, by_row=True)))
    load(run, *events([*SHEET, ("2025-08-21", "Town 21", 30.0, 46.1)], by_row=True))  # below, where it shifts none


@pytest.mark.parametrize(("changed", "code"), [(1, 0), (2, 0), (3, 7)])
def test_a_tenth_of_the_events_may_be_corrected_much(run: Run, events: Any, changed: int, code: int) -> None:
    load(run, *events(SHEET))
    assert run("load", *events([*OTHERS[:changed], *SHEET[changed:]]), "--json").code == code


def test_one_event_of_a_few_may_be_corrected_much(run: Run, events: Any) -> None:
    load(run, *events(SHEET[:3]))
    load(run, *events([*OTHERS[:1], *SHEET[1:3]]))
    assert run("load", *events([*OTHERS[:2], *SHEET[2:3]]), "--json").code == 0  # one more
    assert run("load", *events(SHEET[:3]), "--json").code == 7


def test_small_corrections_of_every_event_go_through(run: Run, events: Any) -> None:
    load(run, *events([("2025-08", f"town {n}", lon, lat) for n, (_, _, lon, lat) in enumerate(SHEET)]))
    rounded = [(day, place, round(lon, 1), 46.12) for day, place, lon, _ in SHEET]
    assert len(load(run, *events(rounded))["changes"]["strikes"]["changed"]) == 20


def test_another_publishers_sheet_of_the_same_name_is_refused(run: Run, own: Store, events: Any) -> None:
    load(run, *events(SHEET))
    before = of_dataset(own, "csv/sheet")
    said = run("load", *events(SHEET, publisher="Another Desk"), "--json")
    (fault,) = said.report["problems"]
    assert (said.code, fault["column"], fault["value"]) == (1, "publisher", "Another Desk")
    assert "Own Sheet, as before" in fault["expected"]
    assert all(option in fault["expected"] for option in ("--dataset", "--replace"))
    assert of_dataset(own, "csv/sheet") == before
    load(run, *events(SHEET, publisher="Another Desk"), "--replace")
    assert {one.publisher for one in of_dataset(own, "csv/sheet")["sources"].values()} == {"Another Desk"}


def test_one_that_was_appended_goes_only_by_consent(run: Run, own: Store, sheet: Any) -> None:
    load(run, *sheet(range(40)))
    load(run, *sheet(range(40, 41)), "--append", "--why", "mended")
    said = run("load", *sheet(range(40)), "--json")
    assert (said.code, said.report["to_confirm"]) == (7, {"csv/s": {"strikes": 1}})
    assert not is_change(load(run, *sheet(range(41))))
    assert "csv/s/40" in own.records().strikes
    load(run, *sheet(range(40)), "--replace")
    assert "csv/s/40" not in own.records().strikes


def test_the_advice_on_ids_of_another_dataset_removes_nothing(run: Run, own: Store, tmp_path: Path) -> None:
    for name, ids in (("one", range(30)), ("two", range(29, 31))):
        asset = ASSET[ASSET.index("[[assets]]") :]
        rows = "".join(asset.replace("mine/depot", f"x/{n}").replace("A depot of ours", f"{name} {n}") for n in ids)
        source = ASSET[: ASSET.index("[[assets]]")]
        (tmp_path / f"{name}.toml").write_text(source + rows, encoding="utf-8")
    load(run, "curated", tmp_path / "one.toml")
    said = run("load", "curated", tmp_path / "two.toml", "--json")
    (fault,) = said.report["problems"]
    assert "--dataset curated/one --append" in fault["expected"]
    load(run, "curated", tmp_path / "two.toml", "--dataset", "curated/one", "--append")
    assert len(of_dataset(own, "curated/one")["assets"]) == 31
    assert own.records().assets["x/29"].name == "two 29"


def test_a_column_that_no_record_has_is_refused_with_those_that_there_are(run: Run, own: Store, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(ASSET + 'owner = "somebody"\n', encoding="utf-8")
    (fault,) = [
        one for one in run("load", "curated", tmp_path / "mine.toml", "--json").report["problems"] if one["row"]
    ]
    assert fault["column"] == "owner"
    assert fault["expected"].startswith("a column of the record, one of: id")
    assert "host_country" in fault["expected"]


def test_a_copy_of_the_bundled_records_does_not_stand_for_them(run: Run, own: Store, tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    for file in curated.BUNDLED.glob("*.toml"):
        (tmp_path / "records" / file.name).write_bytes(file.read_bytes())
    load(run, "curated")
    report = load(run, "curated", tmp_path / "records")
    assert (report["dataset"], is_change(report)) == ("curated/records", False)


# The removal of a dataset.

WHY = ("--why", "loaded by mistake", "--who", "A. Editor")


def test_a_dataset_goes_by_consent_alone_and_comes_back(run: Run, own: Store, sheet: Any) -> None:
    before = own.records()
    load(run, *sheet(range(5)))
    held = of_dataset(own, "csv/s")
    seq = own.seq()
    dry = run("dataset", "remove", "csv/s", "--json")
    assert (dry.code, dry.report["written"], dry.report["removed"]) == (0, False, {"sources": 1, "strikes": 5})
    assert "Nothing was written" in run("dataset", "remove", "csv/s").out
    assert run("dataset", "remove", "csv/s", "--yes").code == 2
    assert run("dataset", "remove", "csv/s", "--yes", "--why", "x").code == 2
    assert own.seq() == seq
    assert run("dataset", "remove", "csv/s", *WHY, "--yes", "--json").report["written"]
    assert own.records() == before
    with own.reading() as connection:
        removals = connection.execute('SELECT DISTINCT who, why FROM history WHERE "after" IS NULL').fetchall()
    assert removals == [("A. Editor", "loaded by mistake")]
    assert run("dataset", "remove", "csv/s").code == 3
    assert run("dataset", "restore", "csv/s", "--json").report["restored"] == {"sources": 1, "strikes": 5}
    assert own.records() == before
    assert run("dataset", "restore", "csv/s", *WHY, "--yes").code == 0
    assert of_dataset(own, "csv/s") == held
    assert run("dataset", "restore", "csv/s").code == 3


def test_what_others_refer_to_and_decisions_stay(run: Run, own: Store, sheet: Any, tmp_path: Path) -> None:
    load(run, *sheet(range(3)))
    decision = (
        '[[decisions]]\nid = "d/1"\nstrike = "csv/s/1"\nverdict = "none"\nwho = "A. Editor"\nwhy = "far off"\n'
        'when = "2025-09-01"\n'
    )
    (tmp_path / "d.toml").write_text(decision, encoding="utf-8")
    load(run, "curated", tmp_path / "d.toml", "--dataset", "mine")
    report = run("dataset", "remove", "csv/s", *WHY, "--yes", "--json").report
    assert report["removed"] == {"strikes": 2}
    assert report["staying"]["csv/s/1"] == "decision d/1 of mine refers to it"
    assert {*of_dataset(own, "csv/s")["strikes"]} == {"csv/s/1"}
    assert run("dataset", "remove", "mine", "--json").report["staying"] == {"d/1": "decisions are only ever added"}


def test_what_was_removed_does_not_come_back_over_a_record_of_another(run: Run, own: Store, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(ASSET, encoding="utf-8")
    load(run, "curated", tmp_path / "mine.toml", "--dataset", "one")
    assert run("dataset", "remove", "one", *WHY, "--yes").code == 0
    (tmp_path / "mine.toml").write_text(ASSET.replace("ours", "others"), encoding="utf-8")
    load(run, "curated", tmp_path / "mine.toml", "--dataset", "two")
    seq = own.seq()
    said = run("dataset", "restore", "one", *WHY, "--yes", "--json")
    assert said.code == 1
    assert {one["record"] for one in json.loads(said.out)["problems"]} == {"asset mine/depot"}
    assert own.seq() == seq


# What is probably known already.


def test_a_load_says_which_strikes_are_probably_known_and_how_many_have_no_place(
    run: Run, own: Store, tmp_path: Path
) -> None:
    placed = [one for one in own.records().strikes.values() if one.geometry is not None and one.basis == "site"]
    rows = "".join(
        f'{n},"{one.title}",{one.geometry.centroid.x},{one.geometry.centroid.y},{one.when},"{one.place}"\n'
        for n, one in enumerate(placed)
    )
    (tmp_path / "s.csv").write_text(
        f"id,title,lon,lat,day,place\n{rows}x,Else,,,1999-01-01,Nowhere\n", encoding="utf-8"
    )
    mapping = MAPPING.replace('lat = "lat"', 'lat = "lat", when = "day", place = "place"')
    (tmp_path / "s.toml").write_text(mapping.replace('when = "2025-08-08", place = "Odesa", ', ""), encoding="utf-8")
    args = ("csv", tmp_path / "s.csv", "--mapping", tmp_path / "s.toml")
    report = load(run, *args, "--dry-run")
    twins = {key: twin["known"] for key, twin in report["probably_known"]["strikes"].items()}
    assert len(twins) >= len(placed) / 2
    assert all(twins[key] == placed[int(key.rpartition("/")[2])].id for key in twins)
    assert report["without_place"] == {"strikes": 1}
    out = shown(run("load", *args).out)
    assert f"until somebody judges: {len(twins)} of {len(placed) + 1} new strikes;" in out
    assert f"Without coordinates, and on no map: 1 of {len(placed) + 1} strikes." in out
    assert load(run, *args)["probably_known"] == {}, "the second load adds none"
