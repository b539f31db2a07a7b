"""``strikeatlas upgrade`` and ``verify``, and what the other commands say of an older store or a broken history."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.sources import curated
from layers.store.history_chain import COLUMNS, EMPTY, VALUES, linked
from layers.store.migrations.registry import MIGRATIONS, SCHEMA_VERSION
from layers.store.store import ANY, Edit, Store
from tests.command_runner import CommandResult, Run, shell
from tests.conftest import BASEMAP
from tests.layers.store.test_upgrade import built
from tests.store_copies import opened_copy
from tests.store_kinds import NewStore, behind_its_back, by_another, needs_a_file, without_triggers


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    told = shell(capsys, monkeypatch)

    def ran(*args: object) -> CommandResult:
        return told(*args, "--basemap", BASEMAP)

    return ran


@pytest.fixture
def older(tmp_path: Path) -> Path:
    return built("949837a", tmp_path)


@pytest.fixture
def own(few_store: Store, tmp_path: Path) -> Store:
    return opened_copy(few_store, tmp_path / "own.gpkg")


@pytest.mark.parametrize("command", [("list", "strikes"), ("load",), ("serve",), ("cache",), ("init",)], ids=" ".join)
def test_each_command_says_how_an_older_store_is_upgraded(run: Run, older: Path, command: tuple[str, ...]) -> None:
    said = run(*command, "--store", older)
    assert said.code == 4
    assert f"run strikeatlas upgrade {older}" in " ".join(said.err.split())


def test_an_upgrade_says_what_it_did_and_leaves_a_valid_store(run: Run, older: Path) -> None:
    said = run("upgrade", older, "--json")
    assert said.code == 0
    assert said.report == {
        "store": str(older),
        "before": 1,
        "after": SCHEMA_VERSION,
        "backup": str(older.with_name("atlas.v1.gpkg")),
        "steps": [migration.title for migration in MIGRATIONS],
        "recorded": 1,
        "fault": None,
    }
    assert run("verify", older, "--json").report == {"store": str(older), "findings": [], "heads": [], "cached": []}
    assert "nothing was done" in run("upgrade", older).out
    assert run("list", "strikes", "--store", older).code == 0


def test_an_upgrade_is_reported_to_people_too(run: Run, older: Path) -> None:
    said = run("upgrade", older)
    assert "atlas.v1.gpkg" in said.out
    assert "In the history now, as other programs had edited them: 1 record." in said.out
    assert all(migration.title in said.out for migration in MIGRATIONS)


def test_what_was_loaded_and_edited_is_valid(run: Run, own: Store) -> None:
    said = run("verify", own.name)
    assert (said.code, said.out.splitlines()[:2]) == (0, [f"{own.name} is valid.", "There is no cache beside it."])
    one, other, *_ = own.records().entities
    assert run("judge", one, other, "different", "--why", "A test", "--who", "Ann", "--store", own.name).code == 0
    assert run("verify", own.name, "--json").report["findings"] == []


def test_each_finding_is_a_line_that_says_what_to_do(run: Run, own: Store) -> None:
    behind_its_back(own, "UPDATE history SET who = 'Bob' WHERE seq = 7", "UPDATE strikes SET title = 'x' WHERE fid = 1")
    said = run("verify", own.name, "--json")
    assert said.code == 1
    assert codes(said)[:2] == ["chain", "record-differs"]
    lines = run("verify", own.name).out
    for start in ("Row 7 of history does not follow", "strikes "):
        assert start in lines


@needs_a_file("tables and triggers of a database are its owner's to check")
def test_a_trigger_that_was_dropped_is_named(run: Run, own: Store) -> None:
    by_another(own, "DROP TRIGGER history_no_update")
    assert codes(run("verify", own.name, "--json")) == ["missing"]
    assert "The trigger history_no_update is missing." in run("verify", own.name).out


def test_load_and_serve_refuse_a_broken_history_unless_it_is_accepted(run: Run, own: Store) -> None:
    behind_its_back(own, "UPDATE history SET who = 'Bob' WHERE seq = 7")
    for command in (("load", "--dry-run"), ("serve",)):
        said = run(*command, "--store", own.name)
        assert said.code == 5
        assert "row 7 of history does not follow on the one before it; strikeatlas verify" in " ".join(said.err.split())
    assert run("load", "--dry-run", "--store", own.name, "--accept-broken-history").code == 0


def codes(said: CommandResult) -> list[str]:
    return [finding["code"].removeprefix("verification.") for finding in said.report["findings"]]


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@needs_a_file("pages of a database are its server's to check")
def test_a_flipped_bit_is_named(run: Run, own: Store) -> None:
    """In the letters of a title, as SQLite finds nothing wrong with it."""
    title = next(iter(own.records().strikes.values())).title.encode()
    own.close()
    flip(own.path, own.path.read_bytes().index(title))
    assert set(codes(run("verify", own.name, "--json"))) & {"record-differs", "chain", "derived"}


def test_an_edited_export_and_a_rewritten_history_are_named_and_a_broken_chain_is_refused(
    run: Run, own: Store, tmp_path: Path
) -> None:
    export = tmp_path / "strikes.csv"
    written = run("export", "csv", "--store", own.name, "-o", export, "--json").report
    assert written["manifest"] == f"{export}.manifest.json"
    assert run("verify", export, "--store", own.name, "--json").report["findings"] == []

    # One edited export.
    content = export.read_bytes()
    flip(export, len(content) // 2)
    assert codes(run("verify", export, "--store", own.name, "--json")) == ["export-edited"]
    export.write_bytes(content)

    # One rewritten row of history, which an export of then tells as well.
    behind_its_back(own, "UPDATE history SET who = 'Bob' WHERE seq = 7")
    said = run("verify", own.name, "--json")
    assert (said.code, codes(said)) == (1, ["chain"])
    said = run("verify", export, "--store", own.name, "--json")
    assert (said.code, codes(said)) == (1, ["chain"])
    for command in (("serve",), ("load", "--dry-run")):
        assert run(*command, "--store", own.name).code == 5
    assert run("load", "--dry-run", "--store", own.name, "--accept-broken-history").code == 0


def test_a_history_that_was_rewritten_as_a_whole_is_found_by_a_head_from_outside(run: Run, own: Store) -> None:
    noted = own.head()
    said = run("verify", own.name)
    assert "Nothing in a store tells whether its whole history was rewritten and hashed anew" in said.out
    assert "--head" in said.out
    said = run("verify", own.name, "--head", noted.digits, "--json")
    assert (said.code, codes(said)) == (0, [])
    assert said.report["heads"] == [{"hash": noted.hash, "change": noted.seq, "at": noted.at}]
    assert f"{noted.hash} is change {noted.seq} of" in run("verify", own.name, "--head", noted.hash.upper()).out
    own.close()  # so that the log is folded: one of another history than that of its file is refused
    with without_triggers(own) as program:
        rows = [row[1:8] for row in program.execute(f"SELECT {COLUMNS} FROM history ORDER BY seq")]
        program.execute("DELETE FROM history")
        for row in linked(EMPTY, rows):
            program.execute(f"INSERT INTO history {VALUES}", row)
    assert run("verify", own.name).code == 0, "the store alone cannot tell"
    said = run("verify", own.name, "--head", noted.digits, "--json")
    assert (said.code, codes(said), said.report["heads"]) == (1, ["head-gone"], [])
    assert run("verify", own.name, "--head", "9f3c").code == 2


def test_an_export_of_another_store_or_of_none_is_not_proved(
    run: Run, own: Store, tmp_path: Path, new_shared_store: NewStore
) -> None:
    export = tmp_path / "owners.json"
    assert run("export", "bods", "--store", own.name, "-o", export).code == 0
    other = new_shared_store()
    other.load(curated.read().require_clean(), author="Somebody else")
    said = run("verify", export, "--store", other.name, "--json")
    assert (said.code, codes(said)) == (1, ["head-absent"])
    missing = tmp_path / "no.gpkg"
    said = run("verify", export, "--store", missing, "--json")
    assert said.code == 4
    assert (said.report["findings"], said.report["unchecked"][0]["code"]) == ([], "verification.head-unchecked")
    assert "Not checked" in run("verify", export, "--store", missing).out
    assert (
        run("export", "bods", "--store", own.name, "-o", export, "--no-manifest", "--json").report["manifest"] is None
    )
    assert [one.name for one in tmp_path.glob("owners.json*")] == ["owners.json"], "nor that of an earlier export"
    assert codes(run("verify", export, "--store", own.name, "--json")) == ["manifest-invalid"]


def test_cached_snapshots_are_compared_with_the_records(run: Run, own: Store) -> None:
    assert "There is no cache beside it." in run("verify", own.name).out
    folder = Path(run("cache", "--store", own.name, "--json").report["folder"])
    key, strike = next(iter(own.records().strikes.items()))
    own.write(Edit("strikes", key, strike.model_copy(update={"damage": "Later"}), ANY), author="tests")
    own.close()
    said = run("verify", own.name, "--json").report
    assert {one["code"] for one in said["findings"]} <= {"verification.derived"}, "the edit left the layers alone"
    (compared,) = said["cached"]
    assert compared["files"] == len(list(folder.iterdir()))
    flip(folder / "strikes.rendered.arrow", 100)
    (folder / "hits.arrow").unlink()
    (folder / "note").write_text("mine")
    found = [one for one in run("verify", own.name, "--json").report["findings"] if "cache" in one["code"]]
    assert [(one["code"].removeprefix("verification."), Path(one["arguments"]["file"]).name) for one in found] == [
        ("cache-missing", "hits.arrow"),
        ("cache-foreign", "note"),
        ("cache-differs", "strikes.rendered.arrow"),
    ]
    (folder / "manifest.json").write_text("{")
    assert codes(run("verify", own.name, "--json"))[-1] == "cache-unreadable"
