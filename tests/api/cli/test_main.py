"""The command line in this process: help, JSON, exit codes, and loading that is all or nothing."""

from __future__ import annotations

import gc
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from typer.testing import CliRunner

from api.cli import main, serve
from api.cli.export import MapFormat, format_of, with_suffix
from api.server.live_snapshot import LiveSnapshot
from api.server.version_builder import VersionBuilder
from api.terminal.console import console, errors
from layers.matching.asset_index import AssetIndex, index_of
from layers.model.records import Records
from layers.snapshot import snapshot
from layers.sources import curated
from layers.store.backends import open_store
from layers.store.store import ANY, Edit, Store
from strikeatlas.__main__ import main as load_and_run
from tests.command_runner import CommandResult, Run, shell
from tests.conftest import BASEMAP, ROOT
from tests.full_disk import full_beyond
from tests.store_copies import copied, opened_copy
from tests.store_kinds import NewAddress


def commands_of(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command, those of groups before them."""
    for name, one in group.commands.items():
        yield from commands_of(one, (*path, name)) if hasattr(one, "commands") else [(*path, name)]


COMMANDS = [*commands_of(typer.main.get_command(main.app))]
ORLIVKA, CPC = "ua-orlivka-2025-08-06", "ru-cpc-kropotkinskaya-2025-02-17"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as the shell would, with the tests' base map."""
    told = shell(capsys, monkeypatch)

    def ran(*args: object, base: bool = True) -> CommandResult:
        return told(*args, *(["--basemap", BASEMAP] if base else []))

    return ran


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled records, to edit."""
    made = tmp_path / "records"
    shutil.copytree(curated.BUNDLED, made)
    return made


@pytest.fixture
def own(few_store: Store, tmp_path: Path) -> str:
    """A copy of the store with a few of the bundled strikes, to change."""
    return copied(few_store, tmp_path / "own.gpkg")


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, (file.name, before)
    file.write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_has_a_help_with_an_example(command: tuple[str, ...]) -> None:
    said = CliRunner().invoke(main.app, [*command, "--help"], env={"COLUMNS": "200"})
    assert said.exit_code == 0
    assert f"Example: strikeatlas {' '.join(command)}" in said.stdout


def test_help_tells_the_exit_codes_and_every_command() -> None:
    said = CliRunner().invoke(main.app, ["--help"], env={"COLUMNS": "200"})
    assert "Exit codes" in said.stdout
    for command in COMMANDS:
        assert command[0] in said.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("match",),
        ("match", ORLIVKA),
        *(("list", name) for name in main.Collection.__args__),
        ("show", ORLIVKA),
        ("owners", "a-orlivka", "--on", "2025-08-06"),
        ("holdings", "socar", "--on", "2025-08-06"),
        ("show", "bp"),
        ("show", ORLIVKA, "--basis", "headquarters", "--minority", "follow"),
        ("country", "AZ"),
        ("country", "az"),
    ],
    ids=" ".join,
)
def test_answers_are_tables_for_people_and_json_for_programs(
    run: Run, few_store: Store, command: tuple[str, ...]
) -> None:
    people, programs = run(*command, "--store", few_store.name), run(*command, "--store", few_store.name, "--json")
    assert (people.code, people.err) == (0, "")
    assert people.out.strip()
    assert (programs.code, programs.err) == (0, "")
    assert programs.report


def test_show_and_country_say_what_the_api_says(run: Run, store: Store, client: Any) -> None:
    answer = client.get(f"/strikes/{ORLIVKA}/attribution").json()
    assert "/corrections?" in answer.pop("corrections"), "a link, which a terminal has no address for"
    assert run("show", ORLIVKA, "--store", store.name, "--json").report == answer
    assert run("country", "AZ", "--store", store.name, "--json").report == client.get("/countries/AZ").json()


def test_show_says_what_an_id_may_be_and_why_a_share_is_nobodys_once(run: Run, few_store: Store) -> None:
    said = run("show", "no-such-id", "--store", few_store.name)
    assert (said.code, said.err.strip()) == (3, "error: no entity, asset or strike 'no-such-id'")
    owners = run("show", "a-orlivka", "--store", few_store.name).out
    assert "known: no owner known" not in owners


@pytest.mark.parametrize("collection", ["assets", "entities", "strikes"])
def test_records_are_listed_by_their_tier(run: Run, few_store: Store, collection: str) -> None:
    every = run("list", collection, "--store", few_store.name, "--json").report
    curated, layer = (
        {row["id"] for row in run("list", collection, "--tier", tier, "--store", few_store.name, "--json").report}
        for tier in get_args(main.Tier)
    )
    assert len(curated) + len(layer) == len(every)
    assert curated | layer == {row["id"] for row in every}
    assert {row["id"] for row in every if row.get("dataset", row.get("tier", "")).startswith("open")} == layer


def test_shares_of_several_sites_say_that_they_are_of_all_together(run: Run, store: Store) -> None:
    assert "of 2 sites together" in run("show", "iq-tawke-peshkabir-2025-07-16", "--store", store.name).out
    assert "together" not in run("show", ORLIVKA, "--store", store.name).out


def test_country_lists_the_depot_as_owned_and_orlivka_as_supplied(run: Run, few_store: Store) -> None:
    told = run("country", "AZ", "--store", few_store.name, "--json").report
    assert "ua-socar-depot-2025-08-08" in {row["strike"] for row in told["owned"]}
    assert ORLIVKA in {row["strike"] for row in told["related"] if row["relation"] == "supplier"}
    assert ORLIVKA not in {row["strike"] for row in told["owned"]}


# Init and load.


def test_init_makes_a_store_and_keeps_one_that_is_there(run: Run, new_shared_address: NewAddress) -> None:
    address = new_shared_address()
    made = run("init", "--store", address, "--json")
    assert made.code == 0
    before = open_store(address).version()
    again = run("init", "--store", address, "--json")
    assert (again.code, again.report) == (0, {"store": made.report["store"], "created": False})
    assert open_store(address).version() == before
    loaded = run("load", "--store", address, "--json").report
    assert loaded["written"]["seq"] == made.report["seq"]
    changes = loaded["changes"].values()
    assert not any(change[kind] for change in changes for kind in ("added", "changed", "removed"))
    assert sum(change["unchanged"] for change in changes) == sum(made.report["added"].values())


def test_init_matches_the_strikes_once(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed: list[Records] = []

    def counted(records: Records) -> AssetIndex:
        indexed.append(records)
        return index_of(records)

    monkeypatch.setattr(snapshot, "index_of", counted)
    run("init", "--store", tmp_path / "atlas.gpkg")
    assert len(indexed) == 1
    # What is cached is what follows from the records of the store.
    run("verify", "--store", tmp_path / "atlas.gpkg")


def test_init_makes_the_folder_of_a_file_and_leaves_a_store_in_it_as_it_is(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "new" / "atlas.gpkg"
    assert run("init", "--empty", "--store", path).code == 0
    before = path.read_bytes()
    again = run("init", "--store", path, "--json")
    assert (again.code, again.report) == (0, {"store": str(path), "created": False})
    assert path.read_bytes() == before


def test_init_with_faults_leaves_no_store(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.toml").write_text("[[strikes]]\n")
    monkeypatch.setattr(curated, "BUNDLED", tmp_path)
    said = run("init", "--store", tmp_path / "atlas.gpkg")
    assert said.code == 1
    assert list(tmp_path.glob("atlas*")) == []


def test_a_stake_changed_in_the_text_changes_the_answer(run: Run, folder: Path, store: Store, tmp_path: Path) -> None:
    own = copied(store, tmp_path / "own.gpkg")

    def italy() -> list[tuple[float, float]]:
        told = run("show", CPC, "--store", own, "--json").report
        return [(row["share_min"], row["share_max"]) for row in told["owners"] if row["country"] == "IT"]

    before = italy()
    text = folder / "ownership-companies.toml"
    (stake,) = [part for part in text.read_text(encoding="utf-8").split("\n\n") if 'id = "cpc>eni-int"' in part]
    edit(text, stake, stake.replace("share_min = 2", "share_min = 1").replace("share_max = 2", "share_max = 1"))
    why = "The report of 2025 says so."
    loaded = run(
        "load", "curated", folder, "--dataset", "curated", "--store", own, "--json", "--who", "A. Editor", "--why", why
    )
    assert (loaded.code, loaded.report["changes"]["stakes"]["changed"]) == (
        0,
        {"cpc>eni-int": ["share_min", "share_max"]},
    )
    assert before == [(2, 2)]
    assert italy() == [(1, 1)]
    (change,) = open_store(own).revisions(loaded.report["written"]["seq"] - 1)
    assert (change.author, change.table, change.why) == ("A. Editor", "stakes", why)
    (entry,) = run("corrections", "--store", own, "--record", "cpc>eni-int", "--limit", 1, "--json").report[
        "corrections"
    ]
    assert (entry["kind"], entry["why"]) == ("correction", why)
    assert change.before is not None
    assert change.after is not None
    assert (change.before["share_min"], change.after["share_min"]) == (2, 1)


@pytest.mark.parametrize("why", ["", "x" * 501, "a\x1b[31m"])
@pytest.mark.parametrize(
    "command",
    [("load",), ("dataset", "withhold", "d", "--who", "Ann"), ("dataset", "publish", "d", "--who", "Ann")],
    ids=" ".join,
)
def test_a_reason_that_cannot_be_one_is_refused(run: Run, own: str, command: tuple[str, ...], why: str) -> None:
    seq = open_store(own).seq()
    said = run(*command, "--store", own, "--why", why, base=command[0] == "load")
    assert said.code == 2
    assert "expected a text of 1 to 500 letters" in " ".join(said.err.split())
    assert open_store(own).seq() == seq


#: Records with one of each fault, and what the report must say of it: record and column.
FAULTY = Path(__file__).resolve().parents[2] / "data" / "faulty.toml"
EXPECTED = {
    ("stake dangling", "owner"),
    ("stake unsourced", "source"),
    ("stake too-much", "share_min"),
    ("stake too-much", "share_max"),
    ("stake sum-1", "share_min"),
    ("stake loop-1", "owner"),
    ("asset misplaced", "geometry"),
    ("strike undated", "when"),
    ("assets a", "id"),
}


def line_of(record: str) -> int:
    """Line of the header of a record; of the second one where it is there twice."""
    text = FAULTY.read_text(encoding="utf-8")
    return text.count("\n", 0, text.rindex(f'\nid = "{record.split()[1]}"\n')) + 1


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    made = tmp_path / "faulty"
    made.mkdir()
    shutil.copy(FAULTY, made)
    return made


def test_check_names_every_fault_with_file_and_line(run: Run, faulty: Path) -> None:
    said = run("check", faulty, "--json")
    assert said.code == 1
    found = {(one["record"], one["column"]): one for one in said.report["problems"]}
    assert found.keys() == EXPECTED
    for (record, _), one in found.items():
        assert one["file"] == "faulty.toml"
        assert one["row"] == line_of(record), record
        assert one["value"]
        assert one["expected"]


def test_check_tells_people_on_standard_error(run: Run, faulty: Path) -> None:
    said = run("check", faulty)
    assert (said.code, said.out) == (1, "")
    assert "9 faults" in said.err
    for record, _ in EXPECTED:
        assert f"faulty.toml:{line_of(record)}" in said.err


def test_of_very_many_faults_those_after_a_table_are_lines(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "many.toml"
    file.write_text("[[strikes]]\nid = 5\n" * 600)
    said = run("check", file)
    faults = run("check", file, "--json").report["problems"]
    assert f"{len(faults):,} faults" in said.err
    lines = [line for line in said.err.splitlines() if line.startswith("many.toml:")]
    tabled = sum(line.count("many.toml:") for line in said.err.splitlines()) - len(lines)
    assert 0 < len(lines) == len(faults) - tabled
    assert tabled > 100
    assert lines[-1].startswith(f"many.toml:{faults[-1]['row']}: {faults[-1]['record']}: {faults[-1]['column']}")


@pytest.mark.parametrize("faults", [1, 300])
def test_a_file_cannot_steer_the_terminal(run: Run, tmp_path: Path, faults: int) -> None:
    file = tmp_path / "hostile.toml"
    file.write_text('[[strikes]]\nid = "\\u001b]0;owned\\u0007\\u009b2J"\n' * faults)
    said = run("check", file)
    assert said.code == 1
    assert "owned" in said.err
    without_colours = re.sub(r"\x1b\[[0-9;]*m", "", said.err)  # our own, where the environment forces colours
    assert not {letter for letter in without_colours if unicodedata.category(letter) == "Cc"} - {"\n"}


def test_load_with_a_fault_writes_nothing(run: Run, faulty: Path, own: str) -> None:
    before = open_store(own).seq()
    said = run("load", "curated", faulty, "--store", own)
    assert said.code == 1
    assert "9 faults" in said.err
    assert open_store(own).seq() == before


def test_the_bundled_records_have_no_fault(run: Run) -> None:
    assert run("check", "--json").report == {"problems": []}


# Files.


@pytest.mark.parametrize(
    ("name", "wanted", "fmt", "written"),
    [
        ("odesa.pdf", None, "pdf", "odesa.pdf"),
        ("odesa.PDF", "pdf", "pdf", "odesa.PDF"),
        ("odesa", None, "png", "odesa.png"),
        ("odesa.2025", "svg", "svg", "odesa.2025.svg"),
        ("-", "svg", "svg", "-"),
    ],
)
def test_a_file_is_of_the_format_that_its_name_says(name: str, wanted: Any, fmt: str, written: str) -> None:
    assert format_of(Path(name), wanted, get_args(MapFormat)) == fmt
    assert with_suffix(Path(name), f".{fmt}") == Path(written)


# Exit codes.


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("show", "nothing"), 3),
        (("match", "nothing"), 3),
        (("country", "ZZ"), 3),
        (("export", "geojson", "--bbox", "1,2,3"), 2),
        (("export", "map", "--format", "png", "-o", "odesa.pdf"), 2),
        (("list", "nothing"), 2),
        (("show", ORLIVKA, "--on", "yesterday"), 2),
        (("show", ORLIVKA, "--basis", "both"), 2),
        (("nothing",), 2),
    ],
)
def test_what_is_wrong_ends_in_its_code_and_one_message(run: Run, few_store: Store, command: Any, code: int) -> None:
    said = run(*command, "--store", few_store.name)
    assert (said.code, said.out) == (code, "")
    assert said.err.strip()


def test_an_error_is_json_for_programs(run: Run, few_store: Store) -> None:
    said = run("show", "nothing", "--store", few_store.name, "--json")
    assert said.code == 3
    assert "nothing" in said.report["error"]


def test_a_missing_or_strange_file_is_4_and_is_left_alone(run: Run, tmp_path: Path) -> None:
    missing, strange = tmp_path / "missing.gpkg", tmp_path / "strange.gpkg"
    strange.write_text("no database")
    for command in (("show", ORLIVKA), ("list", "strikes"), ("load",), ("country", "AZ"), ("serve",)):
        for path in (missing, strange):
            said = run(*command, "--store", path)
            assert (said.code, said.out) == (4, "")
            assert path.name in said.err.replace("\n", "")
    assert run("init", "--store", strange).code == 4
    assert not missing.exists()
    assert strange.read_text() == "no database"


def test_a_missing_base_map_or_folder_is_4(run: Run, few_store: Store, tmp_path: Path) -> None:
    said = run("show", ORLIVKA, "--store", few_store.name, "--basemap", tmp_path / "no.gpkg", base=False)
    assert (said.code, said.out) == (4, "")
    assert run("check", tmp_path / "no-folder").code == 4


def test_derived_files_are_written_ahead_of_a_server(run: Run, few_store: Store, tmp_path: Path) -> None:
    edited = opened_copy(few_store, tmp_path / "atlas.gpkg")
    command = ("cache", "--store", edited.name, "--basemap", BASEMAP)
    told = run(*command, "--json", base=False).report
    assert Path(told["folder"]).parent == edited.beside.with_name(f"{edited.beside.name}.cache")
    assert told["bytes"] > 100_000
    assert told["change"] == few_store.seq()
    assert "as of change" in run(*command, base=False).out, "it is read again"
    key, strike = next(iter(edited.records().strikes.items()))
    edited.write(Edit("strikes", key, strike.model_copy(update={"title": "Another title"}), ANY), author="tests")
    assert run(*command, "--json", base=False).report["change"] == edited.seq(), "after an edit it is cached anew"


def test_the_collector_of_garbage_rests_while_derived_files_are_found(
    run: Run, few_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    while_found: list[bool] = []

    class Watched(LiveSnapshot):
        def rebuild_cache(self) -> None:
            while_found.append(gc.isenabled())
            super().rebuild_cache()

    monkeypatch.setattr(serve, "LiveSnapshot", Watched)
    gc.enable()
    store = opened_copy(few_store, tmp_path / "atlas.gpkg")
    assert run("cache", "--store", store.name, "--basemap", BASEMAP, base=False).code == 0
    assert while_found == [False]
    assert gc.isenabled(), "behind it garbage is collected again"


def test_derived_files_that_cannot_be_written_are_an_error(run: Run, few_store: Store, tmp_path: Path) -> None:
    store = opened_copy(few_store, tmp_path / "atlas.gpkg")
    store.beside.with_name(f"{store.beside.name}.cache").write_text("in the way")
    said = run("cache", "--store", store.name)
    assert said.code == 6
    assert str(store.beside) in said.err


def test_private_records_cannot_be_cached_and_are_not_computed(
    run: Run, few_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VersionBuilder, "computed", None)
    store = opened_copy(few_store, tmp_path / "atlas.gpkg")
    key, strike = next(iter(store.records().strikes.items()))
    store.write(Edit("strikes", key, strike.model_copy(update={"private": True}), ANY), author="tests")
    said = run("cache", "--store", store.name)
    assert (said.code, said.out) == (5, "")
    assert "nothing can be cached" in said.err


def test_a_full_disk_ends_the_command_at_once_with_an_error(
    run: Run, few_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VersionBuilder, "computed", None)
    store, beside = opened_copy(few_store, tmp_path / "atlas.gpkg"), tmp_path / "derived"
    command = ("cache", "--store", store.name, "--cache-in", str(beside))
    assert run(*command).code == 0
    written = {file: file.read_bytes() for file in beside.rglob("*") if file.is_file()}
    key, strike = next(iter(store.records().strikes.items()))
    store.write(Edit("strikes", key, strike.model_copy(update={"title": "Another title"}), ANY), author="tests")
    with full_beyond(max(map(len, written.values())) // 2):
        said = run(*command)
    assert (said.code, said.out) == (6, "")
    assert "too large" in said.err
    assert {file: file.read_bytes() for file in beside.rglob("*") if file.is_file()} == written, "older files stay"
    assert run(*command, "--json").report["change"] == store.seq()


@pytest.mark.parametrize("error", [MemoryError(), ImportError("failed to map segment\nfrom shared object")])
def test_a_program_that_cannot_be_loaded_says_so_in_a_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Refusing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "api.cli.main":
                raise error

    monkeypatch.delitem(sys.modules, "api.cli.main")
    monkeypatch.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        load_and_run()
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (6, "", 1)
    assert "cannot be loaded" in said.err


def test_a_broken_list_of_reviewers_stops_the_start(run: Run, few_store: Store, tmp_path: Path) -> None:
    store = opened_copy(few_store, tmp_path / "atlas.gpkg")
    (tmp_path / "reviewers.json").write_text("{")
    said = run("serve", "--store", store.name, "--reviewers", str(tmp_path / "reviewers.json"), "--port", "0")
    assert said.code == 2
    assert "no list of reviewers" in said.err


def test_nothing_is_coloured_by_what_it_looks_like() -> None:
    for stream in (console, errors):
        assert stream.render_str("https://a.example 12 'x'").spans == []


def test_an_interrupt_while_modules_are_read_is_no_traceback() -> None:
    lines = (
        "import sys",
        "class Interrupting:",
        "    def find_spec(self, name, path=None, target=None):",
        "        if name == 'api.cli.main':",
        "            raise KeyboardInterrupt",
        "sys.meta_path.insert(0, Interrupting())",
        "from strikeatlas.__main__ import main",
        "main()",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
