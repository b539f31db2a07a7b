"""A store that may not be written to is read without a trace, and those who write to it after all are noticed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from layers.model.records import RECORD_TYPES
from layers.store.backup import back_up
from layers.store.connections import Access, access_to
from layers.store.store import Edit, NotAStore, ReadOnlyStore, Store, StoreBusy, StoreError, StoreReplaced
from tests.layers.store.test_store import ALL, DECISION, STRIKE, changed
from tests.store_kinds import write_layer

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A store in a folder of its own, closed."""
    (tmp_path / "store").mkdir()
    store = Store.create(tmp_path / "store" / "atlas.gpkg")
    store.load(ALL, author="tests")
    store.close()
    yield store.path
    store.path.chmod(0o644)
    store.path.parent.chmod(0o755)


def seal(path: Path) -> None:
    path.chmod(0o444)
    path.parent.chmod(0o555)


def bytes_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


def test_a_sealed_store_is_read_and_nothing_is_written_anywhere(path: Path) -> None:
    seal(path)
    before = bytes_of(path.parent)
    store = Store.open(path)
    assert store.read_only
    assert store.records() == ALL
    assert len(list(store.revisions())) == store.seq() == len(ALL.sources) * len(RECORD_TYPES)
    assert store.last_external_edit() == 0
    assert store.count("strikes") == 2
    store.close()
    assert bytes_of(path.parent) == before
    assert list(before) == ["atlas.gpkg"]


@pytest.mark.parametrize("mode", [0o444, 0o400])
def test_a_file_that_nobody_may_write_to_is_not_written_to_even_by_root(path: Path, mode: int) -> None:
    path.chmod(mode)
    store = Store.open(path)
    with pytest.raises(ReadOnlyStore, match=r"atlas\.gpkg: the store may only be read here"):
        store.load(ALL, author="tests")
    with pytest.raises(ReadOnlyStore):
        store.append("decisions", DECISION, author="Ann")
    with pytest.raises(ReadOnlyStore):
        store.write(Edit("strikes", "k", None, "*"), author="Ann")
    with pytest.raises(ReadOnlyStore):
        write_layer(store, "mine", {"a": "TEXT"}, [], False)
    assert store.records() == ALL
    assert os.listdir(path.parent) == ["atlas.gpkg"]


def test_a_store_is_opened_to_be_read_only_on_request(path: Path) -> None:
    before = bytes_of(path.parent)
    store = Store.open(path, read_only=True)
    assert store.read_only
    assert store.records() == ALL
    store.close()
    assert bytes_of(path.parent) == before
    assert not Store.open(path).read_only


def test_without_the_permission_to_write_beside_it_a_store_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user who may only look: here, too, where the tests are run by root."""
    monkeypatch.setattr(os, "access", lambda place, mode: not (mode & os.W_OK and Path(place) == path.parent))
    store = Store.open(path)
    assert store.read_only
    assert store.records() == ALL
    assert os.listdir(path.parent) == ["atlas.gpkg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any file")
def test_a_file_of_somebody_else_is_read(path: Path) -> None:
    path.chmod(0o444)
    path.parent.chmod(0o555)
    assert Store.open(path).records() == ALL


@pytest.fixture
def read_only_mount(path: Path) -> Iterator[Path]:
    """The folder of the store, mounted read-only at another place."""
    place = path.parent.parent / "medium"
    place.mkdir()
    steps = (["mount", "--bind", path.parent, place], ["mount", "-o", "remount,bind,ro", place])
    done = [
        subprocess.run(step, capture_output=True, check=False).returncode if shutil.which("mount") else 1
        for step in steps
    ]
    try:
        if any(done):
            pytest.skip("nothing can be mounted here")
        yield place / path.name
    finally:
        subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)


def test_a_store_on_a_read_only_medium_is_read(read_only_mount: Path) -> None:
    store = Store.open(read_only_mount)
    assert store.read_only
    assert store.records() == ALL
    with pytest.raises(ReadOnlyStore):
        store.append("decisions", DECISION, author="Ann")
    store.close()
    assert os.listdir(read_only_mount.parent) == ["atlas.gpkg"]


def test_who_reads_by_a_read_only_mount_sees_what_others_write(read_only_mount: Path, path: Path) -> None:
    """A container that serves what another one edits: the log is read, and its index is the one of the writer."""
    reader = Store.open(read_only_mount)
    assert reader.records() == ALL
    with running_writer(path) as writer:
        for number in range(3):
            writer.write(f"written-{number}")
            assert f"written-{number}" in reader.records().decisions
        assert access_to(read_only_mount) is Access.SHARED
    assert "written-2" in reader.records().decisions
    reader.close()
    Store.open(path).close()
    again = Store.open(read_only_mount)
    assert "written-2" in again.records().decisions


def test_a_log_without_its_index_on_a_read_only_medium_is_refused_in_words(read_only_mount: Path, path: Path) -> None:
    store = Store.open(path)
    store.append("decisions", changed(DECISION, id="newest"), author="Ann")
    shutil.copytree(path.parent, path.parent.parent / "copy")
    store.close()
    for name in ("atlas.gpkg", "atlas.gpkg-wal"):
        shutil.copy(path.parent.parent / "copy" / name, path.parent / name)
    with pytest.raises(StoreError, match="newest changes are in the log beside it"):
        Store.open(read_only_mount)
    # Where it can be written, nothing is lost.
    assert "newest" in Store.open(path).records().decisions


class running_writer:
    """A process that has a store open and writes to it on request."""

    _CODE = (
        "import sys\n"
        "from layers.store.store import Store\n"
        "from tests.layers.store.test_store import DECISION, changed\n"
        "store = Store.open(sys.argv[1])\n"
        "print(store.seq(), flush=True)\n"
        "for line in sys.stdin:\n"
        "    print(store.append('decisions', changed(DECISION, id=line.strip()), author='other'), flush=True)\n"
        "store.close()\n"
    )

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._CODE, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def __enter__(self) -> running_writer:
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def write(self, key: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{key}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip().isdigit()

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def test_who_may_only_look_sees_what_others_write(path: Path) -> None:
    reader = Store.open(path, read_only=True)
    seq = reader.seq()
    with running_writer(path) as writer:
        writer.write("first")
        assert reader.seq() == seq + 1
        writer.write("second")
        assert "second" in reader.records().decisions
    assert reader.seq() == seq + 2
    reader.close()
    with running_writer(path) as writer:
        writer.write("third")
    assert reader.seq() == seq + 3


def test_a_write_in_the_midst_of_a_reading_without_locks_is_noticed(path: Path) -> None:
    reader = Store.open(path, read_only=True)

    def read_while_somebody_writes() -> None:
        with reader.reading() as connection:
            connection.execute("SELECT count(*) FROM strikes").fetchone()
            other = Store.open(path)
            other.append("decisions", changed(DECISION, id="new"), author="Ann")
            other.close()

    assert access_to(path, read_only=True) is Access.UNSHARED
    with pytest.raises(StoreBusy, match="another program wrote to it while it was read"):
        read_while_somebody_writes()
    assert "new" in reader.records().decisions


def test_a_later_copy_is_read_anew_another_store_refused_and_one_that_is_gone_is_named(
    path: Path, tmp_path: Path
) -> None:
    reader = Store.open(path, read_only=True)
    assert reader.records() == ALL
    later = Store.open(back_up(Store.open(path), tmp_path / "later.gpkg").path)
    seq = later.append("decisions", changed(DECISION, id="new"), author="Ann")
    later.close()
    os.replace(later.path, path)
    assert reader.seq() == seq
    Store.create(tmp_path / "other.gpkg").close()
    os.replace(tmp_path / "other.gpkg", path)
    with pytest.raises(StoreReplaced):
        reader.seq()
    path.unlink()
    with pytest.raises(StoreError, match=r"atlas\.gpkg: No such file"):
        reader.seq()
    path.touch()
    with pytest.raises(NotAStore, match="empty"):
        Store.open(path, read_only=True)


def test_a_sealed_store_is_backed_up_to_one_that_can_be_written(path: Path, tmp_path: Path) -> None:
    seal(path)
    copy = Store.open(back_up(Store.open(path), tmp_path / "copy.gpkg").path)
    assert not copy.read_only
    assert copy.append("decisions", changed(DECISION, id="new"), author="Ann") == copy.seq()
    assert copy.records().strikes["k"] == STRIKE


def test_what_sqlite_cannot_open_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    path.chmod(0o444)
    store = Store.open(path)
    monkeypatch.setattr(sqlite3, "connect", refuse)
    with pytest.raises(StoreError, match=r"atlas\.gpkg: unable to open"):
        store.seq()


def test_an_empty_log_is_none(path: Path) -> None:
    path.with_name("atlas.gpkg-wal").touch()
    assert access_to(path, read_only=True) is Access.UNSHARED
    assert Store.open(path, read_only=True).records() == ALL


def test_a_journal_that_a_program_left_is_not_passed_over(path: Path) -> None:
    """A file with a hot journal is half written: SQLite would roll it back, which takes a write."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        for name in ("a", "b", "c"):
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM history")
        shutil.copy(f"{path}-journal", path.parent.parent / "journal")
        shutil.copy(path, path.parent.parent / "half")
        connection.execute("ROLLBACK")
    shutil.copy(path.parent.parent / "half", path)
    shutil.copy(path.parent.parent / "journal", f"{path}-journal")
    if os.stat(f"{path}-journal").st_size == 0:
        pytest.skip("SQLite held the journal in memory")
    with pytest.raises(StoreError):
        Store.open(path, read_only=True).records()
    assert Store.open(path).records() == ALL
