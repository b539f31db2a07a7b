"""Stores of earlier programs are refused with what to do, and upgraded whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from layers.model.records import Entity, Records
from layers.sources import curated
from layers.store import create
from layers.store import upgrade as upgrading
from layers.store.derived_tables import DerivedLayer
from layers.store.external_edits import AUTHOR
from layers.store.history_chain import COLUMNS, EMPTY, Head, first_break
from layers.store.migrations.registry import MIGRATIONS, MINIMUM_READER_VERSION, SCHEMA_VERSION, Migration
from layers.store.store import NotAStore, Store, StoreBusy, StoreError
from layers.store.upgrade import upgrade
from layers.store.verification import find_head, verify_file

STORES = Path(__file__).resolve().parents[2] / "data" / "stores"
#: The last programs whose history has hashes and no reasons, and whose assets say not whether they operate, with the
#: versions of their files, and the last program without conditions; all others are of version 1.
CHAINED = {"68f1b36": 5, "ef06062": 6, "a280949": 9, "6fe3002": 10}
COMMITS = sorted(file.stem for file in STORES.glob("*.sql") if file.stem not in CHAINED)
AT = "2150-08-09T12:00:00.000Z"


def built(commit: str, folder: Path) -> Path:
    """The file that the program of a commit wrote."""
    path = folder / "atlas.gpkg"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((STORES / f"{commit}.sql").read_text(encoding="utf-8"))
    return path


@pytest.fixture(params=COMMITS)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return built(request.param, tmp_path)


@pytest.fixture
def oldest(tmp_path: Path) -> Path:
    return built("949837a", tmp_path)


def content(path: Path) -> list[object]:
    """Everything in a file: what is declared, and each row of each table."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        names = [name for name, sql in tables if sql and sql.startswith("CREATE TABLE")]
        rows = [(name, connection.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names]
        versions = [connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")]
    return [tables, rows, versions]


def declared(path: Path) -> Iterator[object]:
    """Every table with its columns in any order, but for defaults, and all else as it is spelt."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql NOTNULL ORDER BY name"
        ).fetchall()
        for kind, name, sql in rows:
            if name.startswith(("matches", "attributions", "rtree_attributions", "matches")):
                continue
            if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
                columns = connection.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (name,))
                unique = connection.execute('SELECT "unique", origin FROM pragma_index_list(?)', (name,))
                yield name, sorted(columns), sorted(unique)
            else:
                yield name, sql


def chain(store: Store) -> object:
    with closing(sqlite3.connect(store.path)) as connection:
        return first_break(EMPTY, connection.execute(f"SELECT {COLUMNS} FROM history ORDER BY seq"))


def expected(after: Path) -> Records:
    records = curated.read(STORES / "records.toml").require_clean()
    strikes, claims, entities = dict(records.strikes), dict(records.claims), dict(records.entities)
    strikes["depot-2025-08"] = strikes["depot-2025-08"].model_copy(update={"title": "Oil depot near Odesa"})
    del claims["depot-2025-08-08/weapons/1"]
    entities["oil-company"] = entities["oil-company"].model_copy(update={"name": "Oil Company Ltd"})
    tables = {"strikes": strikes, "claims": claims, "entities": entities}
    return Records.of({**{name: records.table(name) for name in create.TABLES}, **tables})


def test_there_is_a_store_of_each_earlier_kind() -> None:
    assert len(COMMITS) >= 5
    readme = (STORES / "README.md").read_text(encoding="utf-8")
    assert all(f"`{commit}`" in readme for commit in (*COMMITS, *CHAINED))


def test_versions_are_numbered_without_a_gap() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, SCHEMA_VERSION + 1))
    assert 1 < MINIMUM_READER_VERSION <= SCHEMA_VERSION


def test_an_older_store_is_refused_with_what_to_do(older: Path) -> None:
    before = content(older)
    with pytest.raises(NotAStore, match=f"version 1, this program works with .*: run strikeatlas upgrade {older}"):
        Store.open(older)
    assert content(older) == before


def test_an_upgraded_store_is_as_a_new_one_with_the_same_records(older: Path, tmp_path: Path) -> None:
    before = content(older)
    done = upgrade(older, AT)
    assert (done.before, done.after, done.recorded, done.fault) == (1, SCHEMA_VERSION, 1, None)
    assert done.steps == tuple(migration.title for migration in MIGRATIONS)
    assert done.backup == tmp_path / "atlas.v1.gpkg"
    assert content(done.backup) == before

    store = Store.open(older)
    assert store.records() == expected(older)
    assert list(declared(older)) == list(declared(Store.create(tmp_path / "new.gpkg").path))
    assert list(verify_file(older)) == []
    *loaded, edited = store.revisions()
    assert (edited.author, edited.at, edited.table, edited.record) == (AUTHOR, AT, "entities", "oil-company")
    assert edited.before is not None
    assert edited.after == {**edited.before, "private": False, "name": "Oil Company Ltd", "nationalities": []}
    assert [row.author for row in loaded[-2:]] == ["Ann", "Ann"]
    assert chain(store) == store.head() == Head(len(loaded) + 1, store.head().hash, AT)
    assert store.last_external_edit() == 0
    assert store.load(expected(older), author="test").seq == store.head().seq, "nothing differs"


def test_an_upgraded_store_is_written_as_any_other(older: Path) -> None:
    upgrade(older, AT)
    store = Store.open(older)
    entity = Entity(id="new", name="New", type="person", checked="read")
    seq = store.append("entities", entity, author="test")
    with closing(sqlite3.connect(older)) as connection, connection:
        connection.execute("UPDATE entities SET name = 'Newer' WHERE id = 'new'")
    assert store.record_external_edits() == 1
    assert [row.seq for row in store.revisions(seq)] == [seq + 1]
    assert chain(store) == store.head()


@pytest.mark.parametrize(("commit", "version"), CHAINED.items())
def test_a_head_that_was_noted_before_an_upgrade_is_proved_after_it(tmp_path: Path, commit: str, version: int) -> None:
    path = built(commit, tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        noted = connection.execute("SELECT seq, hash FROM history ORDER BY seq").fetchall()
    done = upgrade(path, AT)
    assert (done.before, done.after, done.recorded, done.fault) == (version, SCHEMA_VERSION, 1, None)
    assert done.steps == tuple(migration.title for migration in MIGRATIONS[version:])
    store = Store.open(path)
    with store.reading() as connection:
        found = [find_head(connection, digest[:digits]) for _, digest in noted for digits in (16, 64)]
        hashes = {one for (one,) in connection.execute("SELECT hash FROM history")}
    assert found == [store.head(seq) for seq, _ in noted for _ in range(2)]
    assert not hashes & {digest for _, digest in noted}, "no hash that can be found by trial goes on as the row's own"
    assert store.records() == expected(path)
    assert list(declared(path)) == list(declared(Store.create(tmp_path / "new.gpkg").path))

    entity = Entity(id="new", name="New", type="person", checked="read")
    seq = store.append("entities", entity, author="test", why="Named by the register.")
    assert [row.why for row in store.revisions()] == [None] * (seq - 1) + ["Named by the register."]
    assert chain(store) == store.head() == Head(seq, store.head().hash, store.head().at)
    assert list(verify_file(path)) == []


@pytest.mark.parametrize("column", ["who", "hash"])
def test_an_upgrade_does_not_mend_a_chain_that_was_broken_before(tmp_path: Path, column: str) -> None:
    path = built("6fe3002", tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER history_no_update")
        connection.execute(f"UPDATE history SET {column} = 'x' WHERE seq = 3")
    with closing(sqlite3.connect(path)) as connection, connection:
        forbid = "CREATE TRIGGER history_no_update BEFORE UPDATE ON history BEGIN SELECT RAISE(ABORT, 'x'); END"
        connection.execute(forbid)
    upgrade(path, AT)
    assert [finding.arguments["seq"] for finding in verify_file(path) if finding.code == "verification.chain"] == [3]


def test_what_stood_beside_history_is_in_it_after_an_upgrade(tmp_path: Path) -> None:
    path = built("6fe3002", tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        listed = "INSERT INTO private_datasets (dataset, private, at, who, why) VALUES ('secret', 1, ?, 'Ann', 'no')"
        connection.execute(listed, (AT,))
        answer = ("Ann", "k", "r", AT, 1, 201, "{}", b"\x00")
        connection.execute("INSERT INTO idempotency_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)", answer)
    upgrade(path, AT)
    assert list(verify_file(path)) == []
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE idempotency_keys SET status = 200")
        connection.execute("DROP TRIGGER private_guard_private_datasets_delete")
        connection.execute("DELETE FROM private_datasets")
    codes = [finding.code.removeprefix("verification.") for finding in verify_file(path)]
    assert codes == ["missing", "listing-gone", "answer-added"]


def test_programs_that_know_no_reasons_refuse_a_file_that_may_have_them(tmp_path: Path) -> None:
    """To those of version 5 the hash of a row with one is wrong."""
    store = Store.create(tmp_path / "atlas.gpkg")
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT min(minimum_reader_version) > 5 FROM strikeatlas").fetchone() == (1,)


def test_programs_that_know_no_status_of_assets_refuse_a_file_that_may_have_one(tmp_path: Path) -> None:
    """Those of version 6 cannot read the rows of history that hold one."""
    store = Store.create(tmp_path / "atlas.gpkg")
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT min(minimum_reader_version) > 6 FROM strikeatlas").fetchone() == (1,)


def test_a_second_upgrade_does_nothing(oldest: Path, tmp_path: Path) -> None:
    upgrade(oldest, AT)
    before = content(oldest)
    again = upgrade(oldest, AT)
    assert (again.before, again.after, again.backup, again.steps) == (SCHEMA_VERSION, SCHEMA_VERSION, None, ())
    assert content(oldest) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["atlas.gpkg", "atlas.v1.gpkg"]


def test_derived_layers_follow_in_the_same_transaction(oldest: Path) -> None:
    layer = DerivedLayer("matches", {"strike": "TEXT"}, [("k",)], geometry=False)
    seen = []
    upgrade(oldest, AT, lambda seq, records: (seen.append((seq, records)), [layer])[1])
    assert seen == [Store.open(oldest).version()]
    with closing(sqlite3.connect(oldest)) as connection:
        assert connection.execute("SELECT * FROM matches").fetchall() == [(1, "k")]


def test_a_store_with_a_record_that_is_not_valid_is_upgraded_and_the_record_named(oldest: Path) -> None:
    with closing(sqlite3.connect(oldest)) as connection, connection:
        connection.execute("UPDATE entities SET registered_in = 'Azerbaijan' WHERE id = 'oil-company'")
    done = upgrade(oldest, AT, lambda *_: pytest.fail("there is nothing to derive from"))
    assert done.fault is not None
    assert "entities oil-company" in done.fault
    assert [
        row.after["registered_in"] for row in Store.open(oldest).revisions() if row.author == AUTHOR and row.after
    ] == ["Azerbaijan"]


@pytest.mark.parametrize("step", range(len(MIGRATIONS)))
def test_a_step_that_fails_leaves_the_old_store(oldest: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(oldest)
    whole = MIGRATIONS[step]

    def fail(connection: sqlite3.Connection) -> None:
        whole.apply(connection)
        raise sqlite3.OperationalError("the disk is full")

    steps = [*MIGRATIONS[:step], Migration(whole.version, whole.title, 1, fail), *MIGRATIONS[step + 1 :]]
    monkeypatch.setattr(upgrading, "MIGRATIONS", steps)
    with pytest.raises(StoreError, match="the disk is full"):
        upgrade(oldest, AT)
    assert content(oldest) == before
    monkeypatch.undo()
    assert upgrade(oldest, AT).backup == oldest.with_name("atlas.v1-2.gpkg"), "that of the first try stays"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_killed_before_the_end_it_leaves_the_old_store(oldest: Path) -> None:
    before = content(oldest)
    child = os.fork()
    if not child:
        try:
            upgrade(oldest, AT, lambda *_: os._exit(7))
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert content(oldest) == before
    assert content(oldest.with_name("atlas.v1.gpkg")) == before


def test_a_copy_that_cannot_be_made_stops_the_upgrade(oldest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(oldest)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("layers.filesystem.atomic_file.put_in_place", full)
    with pytest.raises(OSError, match="No space"):
        upgrade(oldest, AT)
    assert content(oldest) == before
    assert [file.name for file in oldest.parent.iterdir()] == ["atlas.gpkg"]


def test_another_writer_is_waited_for_and_then_told_of(oldest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.store.connections.BUSY_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(oldest, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            upgrade(oldest, AT)


def test_no_store_is_upgraded_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotAStore, match="no such file"):
        upgrade(tmp_path / "missing.gpkg", AT)
    (tmp_path / "text.gpkg").write_text("id,title\n" * 50)
    with pytest.raises(NotAStore, match="not a SQLite database"):
        upgrade(tmp_path / "text.gpkg", AT)


# --- newer stores -------------------------------------------------------------------------------


def newer(path: Path, version: int, minimum_reader: int) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE strikeatlas SET schema_version = ?, minimum_reader_version = ?", (version, minimum_reader)
        )


def test_a_newer_store_that_says_so_is_read_and_not_written(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "atlas.gpkg")
    entity = Entity(id="e", name="E", type="person", checked="read")
    store.append("entities", entity, author="test")
    newer(store.path, SCHEMA_VERSION + 3, SCHEMA_VERSION)
    later = Store.open(store.path)
    assert later.records().entities == {"e": entity}
    with pytest.raises(StoreError, match=f"version {SCHEMA_VERSION + 3}; .* only a newer one can write"):
        later.append("entities", entity.model_copy(update={"id": "e2"}), author="test")
    assert upgrade(store.path, AT).backup is None
    assert later.seq() == 1


def test_a_newer_store_is_refused_with_what_to_do(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "atlas.gpkg")
    newer(store.path, SCHEMA_VERSION + 3, SCHEMA_VERSION + 1)
    sentence = (
        f"version {SCHEMA_VERSION + 3}, and only programs of version {SCHEMA_VERSION + 1} or later .* install the"
    )
    for work in (Store.open, lambda path: upgrade(path, AT)):
        with pytest.raises(NotAStore, match=sentence):
            work(store.path)


def test_programs_of_version_1_refuse_what_this_one_writes(tmp_path: Path) -> None:
    """Each of them compares this with 1, and says the version that it finds."""
    store = Store.create(tmp_path / "atlas.gpkg")
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT max(schema_version) FROM strikeatlas").fetchone() == (SCHEMA_VERSION,)
    assert SCHEMA_VERSION != 1


def test_a_dataset_with_a_private_record_is_private_after_an_upgrade(tmp_path: Path) -> None:
    """Not one that people write by hand: there the record alone is."""
    path = built("22213a3", tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE stakes SET dataset = 'x'")
        connection.execute("UPDATE stakes SET private = 1 WHERE fid = (SELECT min(fid) FROM stakes)")
        connection.execute("UPDATE sources SET private = 1 WHERE fid = (SELECT min(fid) FROM sources)")
    upgrade(path, AT)
    store = Store.open(path)
    (listed,) = store.privacy().datasets.values()
    assert (listed.dataset, listed.who) == ("x", "strikeatlas upgrade")
    records = store.records()
    assert len(records.stakes) > 1
    assert all(one.private for one in records.stakes.values())
    assert [one.private for one in records.sources.values()].count(True) == 1
    last = {row.record: row.after for row in store.revisions() if row.table == "stakes"}
    assert all(after is None or after["private"] for key, after in last.items() if key in records.stakes)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE stakes SET private = 0")
