"""Loading files end to end on the command line: what is read, what is told of it, and what is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from layers.model.records import RECORD_TYPES
from layers.store.store import Store
from tests.load_runner import ACLED, DATA, STRIKES, TIMEMAP, Run, is_change, load, of_all_records
from tests.store_kinds import is_file

# What is read.


@pytest.mark.parametrize(
    ("files", "fmt", "rows", "strikes"),
    [
        ([ACLED], "acled", (10, 2, 2), 6),
        ([STRIKES / "acled-old.csv", ACLED], "acled", (13, 3, 2), 8),
        ([STRIKES / "viina-info.csv", STRIKES / "viina-labels.csv"], "viina", (6, 3, 1), 2),
        ([STRIKES / "eyes-on-russia.csv"], "eyes-on-russia", (7, 3, 1), 3),
        (TIMEMAP, "timemap", (5, 0, 3), 2),
        ([STRIKES / "ucdp.csv"], "ucdp", (9, 1, 2), 6),
    ],
    ids=["acled", "acled, two styles", "viina", "eyes-on-russia", "timemap", "ucdp"],
)
def test_the_format_of_files_is_found(
    run: Run, files: list[Path], fmt: str, rows: tuple[int, int, int], strikes: int
) -> None:
    told = load(run, "auto", *files, "--partial", "--dry-run")
    assert (told["format"], told["files"]) == (fmt, [file.name for file in files])
    assert tuple(told["rows"][kind] for kind in ("read", "skipped", "rejected")) == rows
    assert told["read"]["strikes"] == strikes == rows[0] - rows[1] - rows[2]


def test_a_folder_is_all_files_in_it(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    for name in ("acled.csv", "acled-old.csv"):
        shutil.copy(STRIKES / name, folder)
    (folder / ".hidden").write_text("not read")
    of_folder = load(run, "auto", folder, "--partial", "--dry-run")
    of_files = load(run, "auto", *sorted(folder.glob("*.csv")), "--partial", "--dry-run")
    assert of_folder == of_files
    assert of_folder["files"] == ["acled-old.csv", "acled.csv"]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("paper", ACLED), 2, "auto, or one of curated, datapackage, acled"),
        ((ACLED,), 2, f"to load what is there: strikeatlas load auto {ACLED}"),
        ((DATA / "faulty.toml",), 2, "strikeatlas load curated"),
        (("no-such-file.csv",), 2, "auto, or one of"),
        (("auto",), 2, "at least one file"),
        (("auto", ACLED, STRIKES / "ucdp.csv"), 2, "acled.csv is acled, ucdp.csv is ucdp"),
        (("auto", DATA / "strikes" / "missing.csv"), 4, "missing.csv"),
        (("auto", Path(__file__)), 1, "not recognised"),
        (("viina", ACLED), 1, "a file of VIINA"),
        (("acled", ACLED, "--dataset", "Two Words"), 2, "an id of small letters"),
        (("acled", ACLED, "--retrieved", "yesterday"), 2, "a day such as"),
        (("acled", ACLED, "--licence", " "), 2, "--licence"),
        (("acled", ACLED, "--who", " "), 2, "--who"),
        (("csv", ACLED), 1, "mapping"),
        (("acled", ACLED, "--mapping", DATA / "missing.toml"), 4, "missing.toml"),
    ],
)
def test_what_cannot_be_loaded_is_told_and_nothing_is_written(
    run: Run, own: Store, args: tuple[object, ...], code: int, words: str
) -> None:
    seq = own.seq()
    said = run("load", *args)
    assert (said.code, said.out) == (code, "")
    assert words in " ".join(said.err.replace("│", " ").split())
    assert own.seq() == seq
    assert json.loads(run("load", *args, "--json").out)


GEM_ROW = "P9001,Amber Pipeline,A [100%],operating,gas pipeline,POINT (30 50)"
GEM_HEADER = "id,name,owner,status,tracker-display,geometry"


@pytest.mark.parametrize("extra", [(), ("--partial",), ("--json",), ("--partial", "--json")])
def test_a_format_that_finds_no_record_in_a_file_fails(
    run: Run, own: Store, tmp_path: Path, extra: tuple[str, ...]
) -> None:
    (tmp_path / "map.csv").write_text(f"{GEM_HEADER}\n", encoding="utf-8")
    seq = own.seq()
    said = run("load", "gem-tracker", tmp_path / "map.csv", *extra)
    assert said.code == 1
    shown = " ".join((said.out + said.err).replace("│", " ").split())
    assert "a record: of 0 row(s) 0 are skipped" in shown or "one is one for gem-tracker" in shown
    assert own.seq() == seq


def test_what_can_hardly_be_right_is_loaded_and_warned_of(run: Run, own: Store, tmp_path: Path) -> None:
    file = tmp_path / "map.csv"
    file.write_text(f"{GEM_HEADER}\n{GEM_ROW}\n", encoding="utf-8")
    told = load(run, "auto", file)
    assert told["warnings"] == {"a pipeline whose place is a point": 1}
    assert own.records().assets["gem/p9001"].status == "operating"
    assert "read, and to be looked at" in run("load", "auto", file).out


STRIKES_CSV = """id,title,lon,lat,country
1,Depot hit in Krasnodar krai,34.0,49.0,UA
2,Depot hit,37.77,44.72,UA
3,Depot hit,37.78,44.73,UA
4,Depot hit in Odesa oblast,30.7,46.5,UA
"""
STRIKES_MAPPING = """
table = "strikes"
source.publisher = "P"
columns = {id = "id", title = "title", lon = "lon", lat = "lat", host_country = "country"}
constants = {when = "2025-08-08", place = "Vyshneva", status = "reported", basis = "site", uncertainty_m = 500}
"""


def test_it_is_said_how_many_records_of_a_load_are_private(run: Run, own: Store, tmp_path: Path) -> None:
    table = '[[sources]]\nid = "mine/{0}"\npublisher = "A. Editor"\nprivate = {1}\n'
    file = tmp_path / "mine.toml"

    def load_with(*private: str) -> tuple[object, str]:
        file.write_text("".join(table.format(number, said) for number, said in enumerate(private)))
        report = load(run, "curated", file, "--dataset", "mine", "--dry-run")
        shown = run("load", "curated", file, "--dataset", "mine", "--dry-run").out
        return (report["private"], report["private_records"]), " ".join(shown.split())

    values, shown = load_with("false", "true", "false")
    assert values == (False, 1)
    assert "(1 of 3 records private: not published)" in shown
    values, shown = load_with("true", "true")
    assert values == (True, 2)
    assert "(private: not published)" in shown
    values, shown = load_with("false")
    assert values == (False, 0)
    assert "not published" not in shown


def test_points_that_contradict_are_loaded_and_listed_each_and_by_kind(run: Run, own: Store, tmp_path: Path) -> None:
    file, mapping = tmp_path / "s.csv", tmp_path / "s.toml"
    file.write_text(STRIKES_CSV, encoding="utf-8")
    mapping.write_text(STRIKES_MAPPING, encoding="utf-8")
    told = load(run, "csv", file, "--mapping", mapping, "--dataset", "s")
    assert (told["problems"], len(told["changes"]["strikes"]["added"])) == ([], 4)
    assert told["warnings"] == {
        "a point that is not in the country that is stated": 2,
        "a point that is in another country than place, region or texts name": 1,
    }
    in_russia = "a place in UA; this is in RU"
    expected = [
        (2, "strike s/1", "POINT (34 49)", "a place in RU, by title: Krasnodar krai; this is in UA"),
        (3, "strike s/2", "POINT (37.77 44.72)", in_russia),
        (4, "strike s/3", "POINT (37.78 44.73)", in_russia),
    ]
    keys = ("file", "row", "record", "column", "value", "expected")
    assert told["doubts"] == [
        dict(zip(keys, ("s.csv", row, record, "geometry", value, words), strict=True))
        for row, record, value, words in expected
    ]
    shown = " ".join(run("load", "csv", file, "--mapping", mapping, "--dataset", "s").out.replace("│", " ").split())
    assert "3 doubts; each in --json" in shown
    assert f"2 s.csv:3 strike s/2 {in_russia}" in shown
    assert own.records().strikes["s/1"].geometry is not None


def test_kinds_of_contradictions_beyond_the_twentieth_are_counted(run: Run, tmp_path: Path) -> None:
    file, mapping = tmp_path / "s.csv", tmp_path / "s.toml"
    codes = map("".join, zip("AAABBBCCCDDEEFFGGHHIII", "DLTAEGHYZEKESIRBRRUEST", strict=True))
    rows = [f"{number},Depot,37.77,44.72,{code}" for number, code in enumerate((*codes, "AD"))]
    file.write_text("\n".join(("id,title,lon,lat,country", *rows)), encoding="utf-8")
    mapping.write_text(STRIKES_MAPPING, encoding="utf-8")
    shown = " ".join(run("load", "csv", file, "--mapping", mapping, "--dry-run").out.replace("│", " ").split())
    assert "23 doubts; each in --json" in shown
    assert "2 2 more in --json" in shown
    assert len(load(run, "csv", file, "--mapping", mapping, "--dry-run")["doubts"]) == 23


def test_an_unknown_type_of_many_rows_stops_a_load_and_is_named_with_its_count(
    run: Run, own: Store, tmp_path: Path
) -> None:
    file, seq = tmp_path / "map.csv", own.seq()
    rows = [
        GEM_ROW,
        GEM_ROW.replace("P9001", "P9002"),
        "X1,Amber,A [100%],operating,wave farm,POINT (30 50)",
    ]
    file.write_text("\n".join((GEM_HEADER, *rows)), encoding="utf-8")
    said = run("load", "auto", file)
    assert (said.code, own.seq()) == (1, seq)
    assert "wave farm: 1 of 3 rows" in " ".join(said.err.replace("│", " ").split())
    told = load(run, "auto", file, "--partial")
    assert told["rows"] == {"read": 3, "skipped": 1, "rejected": 0, "of_which_partly_read": 0}


def test_an_empty_folder_is_a_missing_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("load", "auto", tmp_path / "empty").code == 4


# What is told.


def test_the_report_for_programs(run: Run, own: Store) -> None:
    told = load(run, "auto", ACLED, "--partial")
    written = {name: {"strikes": 6, "claims": 7, "sources": 3}.get(name, 0) for name in RECORD_TYPES}
    assert {name: told[name] for name in ("format", "dataset", "private", "files", "rows", "read", "skipped")} == {
        "format": "acled",
        "dataset": "acled/acled",
        "private": True,
        "files": ["acled.csv"],
        "rows": {"read": 10, "skipped": 2, "rejected": 2, "of_which_partly_read": 0},
        "read": {"sources": 3, "strikes": 6, "claims": 7},
        "skipped": {"a protest": 1, "fighting, not an attack on a place": 1},
    }
    assert told["rejected"] == {
        "event_date: expected a day such as 2022-03-24 or 24 March 2022": 1,
        "geo_precision: expected one of 1, 2, 3": 1,
        "fatalities: expected a whole number from 0 up": 1,
        "sub_event_type: expected a sub-event type of the ACLED codebook": 1,
    }
    assert {(one["file"], one["row"], one["record"], one["column"]) for one in told["problems"]} == {
        ("acled.csv", 9, "strike acled/ukr900008", "event_date"),
        ("acled.csv", 9, "strike acled/ukr900008", "geo_precision"),
        ("acled.csv", 9, "strike acled/ukr900008", "fatalities"),
        ("acled.csv", 10, "strike acled/ukr900009", "sub_event_type"),
    }
    assert told["changes"]["strikes"] == {
        "added": [f"acled/ukr9000{number}" for number in ("01", "02", "03", "04", "07", "10")],
        "changed": {},
        "removed": [],
        "unchanged": 0,
    }
    assert told["written"] == {
        "seq": own.seq(),
        "added": written,
        "changed": dict.fromkeys(RECORD_TYPES, 0),
        "removed": dict.fromkeys(RECORD_TYPES, 0),
        "unchanged": dict.fromkeys(RECORD_TYPES, 0),
    }


def test_a_dry_run_says_what_the_load_says_and_writes_nothing(run: Run, own: Store) -> None:
    def held() -> object:
        return own.path.read_bytes() if is_file(own) else own.seq()

    before = held()
    dry = load(run, "auto", ACLED, "--partial", "--dry-run")
    assert dry["written"] is None
    assert held() == before
    assert not is_file(own) or not own.path.with_name("own.gpkg-wal").exists()
    wet = load(run, "auto", ACLED, "--partial")
    assert {**wet, "written": None} == dry
    assert all(wet["written"]["added"][name] == len(dry["changes"][name]["added"]) for name in dry["changes"])


def test_people_read_tables(run: Run) -> None:
    said = run("load", "auto", ACLED, "--partial")
    assert (said.code, said.err) == (0, "")
    text = " ".join(said.out.split())
    for words in (
        "acled/acled",
        "ACLED terms: attribution is required, redistribution is not permitted (private: not published)",
        "10 read, 2 skipped, 2 rejected",
        "written",
        "│ strikes │ 6 │ 6 │ 0 │ 0 │ 0 │",
        "fighting, not an attack on a place",
        "acled.csv:9",
        "a sub-event type of the ACLED codebook",
    ):
        assert words in text, words
    said = run("load", "auto", ACLED, "--partial", "--dry-run")
    assert "nothing was written" in said.out


# All or nothing.


def test_a_fault_stops_a_load_unless_it_is_partial(run: Run, own: Store) -> None:
    seq = own.seq()
    said = run("load", "acled", ACLED)
    assert said.code == 1
    assert "nothing was written" in said.out
    assert "4 faults" in said.err
    assert "acled.csv:10" in said.err
    said = run("load", "acled", ACLED, "--json")
    assert (said.code, said.report["written"], len(said.report["problems"])) == (1, None, 4)
    assert own.seq() == seq
    assert run("load", "acled", ACLED, "--dry-run").code == 1
    assert run("load", "wikidata", DATA / "wikidata" / "faulty.json").code == 1
    assert own.seq() == seq
    load(run, "acled", ACLED, "--partial")
    assert own.seq() == seq + 17, "sixteen records, and that they are private"


@pytest.mark.parametrize(
    ("fmt", "files"),
    [
        ("auto", [ACLED]),
        ("auto", TIMEMAP),
        ("bods", [DATA / "bods" / "indirect.json"]),
        ("wikidata", [DATA / "wikidata" / "owners.json"]),
    ],
    ids=["acled", "timemap", "bods", "wikidata"],
)
def test_a_load_takes_nothing_away_and_a_second_one_changes_nothing(
    run: Run, own: Store, fmt: str, files: list[Path]
) -> None:
    before = own.records()
    assert is_change(load(run, fmt, *files, "--partial"))
    after, seq = own.records(), own.seq()
    for name in set(RECORD_TYPES) - {"entities"}:
        assert before.table(name).items() <= after.table(name).items()
    assert before.entities.keys() <= after.entities.keys()
    again = load(run, fmt, *files, "--partial")
    assert not is_change(again)
    assert again["written"] == {"seq": seq}
    assert own.seq() == seq


def test_day_of_retrieval_licence_and_dataset_are_kept_with_the_source(run: Run, own: Store) -> None:
    options = ("--dataset", "ucdp/one", "--retrieved", "2025-11-25", "--licence", "CC BY 4.0, by letter")
    told = load(run, "auto", STRIKES / "ucdp.csv", "--partial", *options)
    assert (told["dataset"], told["licence"]) == ("ucdp/one", "CC BY 4.0, by letter")
    source = own.records().sources["ucdp/one"]
    assert (source.retrieved, source.licence) == ("2025-11-25", "CC BY 4.0, by letter")
    assert {one.dataset for one in own.records().strikes.values()} == {"curated", "ucdp/one"}


def test_a_licence_that_was_given_makes_public_what_had_none_and_acled_never(run: Run, own: Store) -> None:
    told = load(run, "auto", STRIKES / "eyes-on-russia.csv", "--partial", "--dry-run")
    assert told["private"]
    told = load(run, "auto", STRIKES / "eyes-on-russia.csv", "--partial", "--licence", "CC BY 4.0, by letter")
    assert not told["private"]
    assert not any(one.private for one in own.records().strikes.values())
    assert load(run, "auto", ACLED, "--partial", "--licence", "CC BY 4.0", "--dry-run")["private"]


# Records of one's own beside the bundled ones.

MINE = """
[[sources]]
id = "mine/s"
publisher = "A. Editor"

[[entities]]
id = "mine/e"
name = "A company"
type = "registeredEntity"
registered_in = "AZ"
sources = ["mine/s"]
checked = "read"

[[stakes]]
id = "mine/e>socar"
owned = "mine/e"
owner = "socar"
share_min = 50
share_max = 50
source = "mine/s"
checked = "read"
"""


@of_all_records
def test_records_of_ones_own_refer_to_the_bundled_ones_and_leave_them_be(run: Run, own: Store, tmp_path: Path) -> None:
    before, file = own.records(), tmp_path / "mine.toml"
    file.write_text(MINE, encoding="utf-8")
    told = load(run, "curated", file, "--dataset", "mine")
    assert {name: change["added"] for name, change in told["changes"].items()} == {
        "sources": ["mine/s"],
        "entities": ["mine/e"],
        "stakes": ["mine/e>socar"],
    }
    after = own.records()
    assert all(before.table(name).items() <= after.table(name).items() for name in RECORD_TYPES)
    assert not is_change(load(run, "curated", file, "--dataset", "mine"))
    assert not is_change(load(run, "curated"))
    file.write_text(MINE[: MINE.index("[[stakes]]")], encoding="utf-8")
    assert load(run, "auto", file, "--dataset", "mine", "--replace")["changes"]["stakes"]["removed"] == ["mine/e>socar"]
    assert own.records().stakes == before.stakes
    file.write_text(MINE.replace('owner = "socar"', 'owner = "nobody-known"'), encoding="utf-8")
    said = run("load", "curated", file, "--dataset", "mine", "--json")
    assert (said.code, [one["column"] for one in said.report["problems"]]) == (1, ["owner"])


# Owners out and in again.


@of_all_records
def test_all_owners_go_out_as_bods_and_come_back(run: Run, own: Store, tmp_path: Path) -> None:
    out = tmp_path / "owners.json"
    assert run("export", "bods", "-o", out).code == 0
    told = load(run, "auto", out, "--dry-run")
    assert (told["format"], told["problems"]) == ("bods", [])
    assert told["read"]["stakes"] == len(own.records().stakes)
