"""A backup is one whole version, while others write, on a full disk, and wherever it is put."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from layers.store import backup, writer
from layers.store.backup import back_up, restore
from layers.store.history_chain import Head
from layers.store.row_mapping import TABLES
from layers.store.store import Edit, Store, StoreError
from tests.layers.store.test_store import ALL, DECISION, STRIKE, changed

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    created = Store.create(tmp_path / "atlas.gpkg")
    created.load(ALL, author="tests")
    yield created
    created.close()


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables of a store and of its history, by table."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return {
            name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for name in (*TABLES, "history")
        }


def test_a_backup_is_the_store_with_its_digest_in_one_file(store: Store, tmp_path: Path) -> None:
    pages: list[tuple[int, int]] = []
    copy = back_up(store, tmp_path / "copy.gpkg", progress=lambda *done: pages.append(done))
    assert (copy.seq, copy.at) == (store.seq(), next(store.revisions(store.seq() - 1)).at)
    written = copy.path.read_bytes()
    assert (copy.bytes, copy.sha256) == (len(written), hashlib.sha256(written).hexdigest())
    assert pages[-1][0] == pages[-1][1] == len(written) // 4096
    assert content(copy.path) == content(store.path)
    assert not [name for name in os.listdir(tmp_path) if name.startswith(("copy.gpkg-", "."))]


def test_what_only_the_log_holds_is_in_a_backup_and_not_in_a_plain_copy(store: Store, tmp_path: Path) -> None:
    store.close()
    store.append("decisions", changed(DECISION, id="newest"), author="Ann")
    (tmp_path / "plain.gpkg").write_bytes(store.path.read_bytes())
    copy = back_up(store, tmp_path / "copy.gpkg")
    assert Store.open(copy.path).records() == store.records()
    assert "newest" not in Store.open(tmp_path / "plain.gpkg").records().decisions


def test_no_file_is_overwritten_unless_that_is_wanted(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "copy.gpkg"
    target.write_text("precious")
    with pytest.raises(FileExistsError):
        back_up(store, target)
    assert target.read_text() == "precious"
    assert back_up(store, target, overwrite=True).seq == store.seq()
    assert Store.open(target, read_only=True).records() == store.records()


@pytest.mark.parametrize("how", ["itself", "a symbolic link", "a hard link"])
def test_the_store_is_never_its_own_backup(store: Store, tmp_path: Path, how: str) -> None:
    target = store.path if how == "itself" else tmp_path / "other.gpkg"
    if how == "a symbolic link":
        target.symlink_to(store.path)
    elif how == "a hard link":
        os.link(store.path, target)
    with pytest.raises(FileExistsError, match="store itself"):
        back_up(store, target, overwrite=True)
    assert store.records() == ALL


def test_a_target_that_is_in_use_is_refused(store: Store, tmp_path: Path) -> None:
    """SQLite would replay the log of the older file into the new one."""
    used = Store.create(tmp_path / "used.gpkg")
    used.append("decisions", DECISION, author="Ann")
    with pytest.raises(FileExistsError, match=r"used\.gpkg-"):
        back_up(store, used.path, overwrite=True)
    assert used.seq() == 1
    used.close()
    back_up(store, used.path, overwrite=True)
    assert Store.open(used.path, read_only=True).records() == store.records()


def test_only_its_owner_reads_what_may_hold_private_records(tmp_path: Path) -> None:
    """Whatever the umask is: a store, its log, a copy, an older version of it, and what an upgrade sets aside."""

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    before = os.umask(0)
    try:
        made = Store.create(tmp_path / "atlas.gpkg")
        made.load(ALL, author="Ann")
        modes = {path.name: mode(path) for path in tmp_path.iterdir()}
        assert modes == dict.fromkeys(("atlas.gpkg", "atlas.gpkg-wal", "atlas.gpkg-shm"), 0o600)
        assert mode(back_up(made, tmp_path / "copy.gpkg").path) == 0o600
        assert mode(restore(made, tmp_path / "older.gpkg", lambda *_: ()).path) == 0o600
    finally:
        os.umask(before)


def test_a_damaged_copy_is_not_put_in_place(store: Store, tmp_path: Path) -> None:
    store.close()
    damaged = tmp_path / "damaged.gpkg"
    damaged.write_bytes(store.path.read_bytes())
    with closing(sqlite3.connect(damaged)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'strikes'").fetchone()
    with damaged.open("r+b") as file:
        file.seek((page - 1) * 4096 + 3)
        file.write(b"\xff\xff")
    with pytest.raises(StoreError, match="damaged"):
        back_up(Store.open(damaged), tmp_path / "copy.gpkg")
    assert not [name for name in os.listdir(tmp_path) if "copy" in name]


def test_a_copy_of_another_version_is_not_put_in_place(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = iter((Head(1, "a", None), Head(2, "b", None)))
    monkeypatch.setattr(writer, "head", lambda _: next(heads))
    with pytest.raises(StoreError, match="of change 2, not of 1"):
        back_up(store, tmp_path / "copy.gpkg")
    assert not [name for name in os.listdir(tmp_path) if "copy" in name]


def test_a_copy_that_is_stopped_leaves_nothing(store: Store, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(store, tmp_path / "copy.gpkg", progress=stop)
    assert not [name for name in os.listdir(tmp_path) if "copy" in name]
    assert store.append("decisions", changed(DECISION, id="d9"), author="Ann") == store.seq()


_WRITER = """
import sys
from layers.store.store import Store
from tests.layers.store.test_store import DECISION, changed
store, number = Store.open(sys.argv[1]), 0
while True:
    print(store.append("decisions", changed(DECISION, id=f"{sys.argv[2]}-{number}"), author=sys.argv[2]), flush=True)
    number += 1
"""


def test_while_two_processes_write_each_copy_is_a_version_that_was(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_STEP", 1)
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(store.path), name], stdout=subprocess.PIPE, cwd=ROOT)
        for name in ("one", "two")
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        written = threading.Event()

        def wait_for_a_write(done: int, total: int) -> None:
            """Let both write between the first steps."""
            if done < 5:
                for writer in writers:
                    assert writer.stdout is not None
                    writer.stdout.readline()
                written.set()

        copies = [back_up(store, tmp_path / f"copy{number}.gpkg", progress=wait_for_a_write) for number in range(5)]
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert written.is_set()
    final = content_of_history(store)
    assert len({copy.seq for copy in copies}) == len(copies)
    for copy in copies:
        rows = content(copy.path)
        assert rows["history"] == final[: copy.seq], "every change up to its own, and none after it"
        added = [json.loads(row[6])["id"] for row in rows["history"] if row[3] == "decisions"]
        assert [row[1] for row in rows["decisions"]] == added, "the tables are of the same version as history"


def content_of_history(store: Store) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return connection.execute("SELECT * FROM history ORDER BY seq").fetchall()


def test_a_backup_goes_on_as_a_store(store: Store, tmp_path: Path) -> None:
    copy = Store.open(back_up(store, tmp_path / "copy.gpkg").path)
    assert copy.last_external_edit() == 0
    assert copy.write(Edit("strikes", "new", changed(STRIKE, id="new"), None), author="Ann") == store.seq() + 1
    assert "new" not in store.records().strikes
