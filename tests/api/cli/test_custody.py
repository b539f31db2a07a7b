"""``strikeatlas upgrade`` and ``verify``, and what the other commands say of an older store or a broken history."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from layers.store.migrations.registry import MIGRATIONS, SCHEMA_VERSION
from layers.store.store import Store
from tests.command_runner import CommandResult, Run, shell
from tests.conftest import BASEMAP
from tests.layers.store.test_upgrade import built
from tests.layers.store.test_verification import behind_its_back
from tests.store_copies import copy_of


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
def own(store: Store, tmp_path: Path) -> Path:
    return copy_of(store, tmp_path / "own.gpkg")


@pytest.mark.parametrize("command", [("list", "strikes"), ("load",), ("serve",), ("keep",), ("init",)], ids=" ".join)
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
    assert run("verify", older, "--json").report == {"store": str(older), "findings": []}
    assert "nothing was done" in run("upgrade", older).out
    assert run("list", "strikes", "--store", older).code == 0


def test_an_upgrade_is_reported_to_people_too(run: Run, older: Path) -> None:
    said = run("upgrade", older)
    assert "atlas.v1.gpkg" in said.out
    assert "1 records that other programs had edited are in the history now." in said.out
    assert all(migration.title in said.out for migration in MIGRATIONS)


def test_what_was_loaded_and_edited_is_valid(run: Run, own: Path) -> None:
    said = run("verify", own)
    assert (said.code, said.out.strip()) == (0, f"{own} is valid.")
    one, other, *_ = Store.open(own).records().entities
    assert run("judge", one, other, "different", "--why", "A test", "--who", "Ann", "--store", own).code == 0
    assert run("verify", own, "--json").report["findings"] == []


def test_each_finding_is_a_line_that_says_what_to_do(run: Run, own: Path) -> None:
    behind_its_back(own, "UPDATE history SET who = 'Bob' WHERE seq = 7", "UPDATE strikes SET title = 'x' WHERE fid = 1")
    with closing(sqlite3.connect(own)) as connection, connection:
        connection.execute("DROP TRIGGER history_no_update")
    said = run("verify", own, "--json")
    assert said.code == 1
    codes = [finding["code"] for finding in said.report["findings"]]
    assert codes[:3] == ["verification.missing", "verification.chain", "verification.record-differs"]
    lines = run("verify", own).out
    for start in ("The trigger history_no_update is missing.", "Row 7 of history does not follow", "strikes "):
        assert start in lines


def test_load_and_serve_refuse_a_broken_history_unless_it_is_accepted(run: Run, own: Path) -> None:
    behind_its_back(own, "UPDATE history SET who = 'Bob' WHERE seq = 7")
    for command in (("load", "--dry-run"), ("serve",)):
        said = run(*command, "--store", own)
        assert said.code == 5
        assert "row 7 of history does not follow on the one before it; strikeatlas verify" in " ".join(said.err.split())
    assert run("load", "--dry-run", "--store", own, "--accept-broken-history").code == 0
