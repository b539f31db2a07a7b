"""What only a store in PostgreSQL has: addresses, announcements, roles of readers, replicas, and a server that dies."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from layers.disclosure.policy import OPEN, parse
from layers.model.records import Source
from layers.store import backends
from layers.store.backends import create_new, open_store
from layers.store.migrations.tables import PRIVATE_DATASETS, PRIVATE_REMOVED
from layers.store.row_mapping import TABLES
from layers.store.store import NotAStore, ReadOnlyStore, Store, StoreBusy, StoreError, StoreUnreachable
from tests.layers.load_builders import of, source, strike
from tests.layers.store.test_store import ALL
from tests.postgres_cluster import Cluster, missing, running
from tests.store_kinds import set_policy, write_layer

psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def address(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return cluster.new_database()


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    made = create_new(address)
    yield made
    made.close()


def add(store: Store, key: str) -> int:
    return store.append("sources", Source(id=key, publisher="P"), author="Ann")


def test_the_address_is_shown_without_user_and_password(store: Store, address: str) -> None:
    secret = address.replace("postgres@", "postgres:hush@")
    opened = open_store(secret)
    assert opened.name == store.name
    assert "hush" not in opened.name
    assert "postgres@" not in opened.name
    assert opened.beside == store.beside
    opened.close()
    for wrong in (
        secret.replace("port=5432", "port=1"),
        secret + "&nonsense=hush",
        secret.replace("host=", "host=/no"),
    ):
        with pytest.raises(StoreError) as raised:
            open_store(wrong)
        assert "hush" not in f"{raised.value}"
        assert isinstance(raised.value, StoreUnreachable) == ("nonsense" not in wrong)


def test_a_database_without_a_store_is_named_and_takes_one_once(address: str) -> None:
    with pytest.raises(NotAStore, match="strikeatlas init"):
        open_store(address)
    create_new(address).close()
    with pytest.raises(FileExistsError):
        create_new(address)


def test_a_store_of_another_version_is_refused(store: Store, address: str) -> None:
    with psycopg.connect(address) as connection:
        connection.execute("UPDATE strikeatlas SET schema_version = 5")
    with pytest.raises(NotAStore, match="version 5"):
        open_store(address)


def test_without_the_package_it_is_said_what_to_install(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "layers.store.postgresql.database", None)
    with pytest.raises(backends.PostgresUnavailable, match=r"strikeatlas\[postgresql\]"):
        open_store(address)


def test_its_package_is_imported_for_such_an_address_alone() -> None:
    code = "import sys, api.cli.main, api.app, layers.store.backends; print('psycopg' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "False"


def test_a_change_is_announced(store: Store) -> None:
    assert store.wait(0)  # what came before nobody was told
    assert store.wait(0.05) is False
    begun = time.monotonic()
    threading.Timer(0.2, add, (store, "s")).start()
    assert store.wait(20)
    assert time.monotonic() - begun < 10
    with psycopg.connect(store.name, autocommit=True) as connection:
        connection.execute("UPDATE sources SET title = 'by another'")
    assert store.wait(20)


def test_a_writer_that_waits_too_long_is_refused_and_readers_never_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layers.store.postgresql.database._WRITE", _quick())
    with psycopg.connect(store.name) as connection:
        connection.execute("LOCK TABLE history IN SHARE ROW EXCLUSIVE MODE")
        with pytest.raises(StoreBusy, match="another program is writing; nothing was written"):
            add(store, "s")
        assert store.seq() == 0
    assert add(store, "s") == 1


def test_a_reader_that_holds_a_table_to_be_replaced_is_not_called_a_writer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_layer(store, "matches", {"strike": "TEXT"}, [("o/1",)], geometry=False)
    monkeypatch.setattr("layers.store.postgresql.database._WRITE", _quick())
    with psycopg.connect(store.name) as reader:
        reader.execute("SELECT * FROM matches")
        with pytest.raises(StoreBusy, match=r"or has a transaction open that read a table .* nothing was written"):
            write_layer(store, "matches", {"strike": "TEXT"}, [("o/2",)], geometry=False)
        assert add(store, "s") == 1, "no other write waits for it"
    write_layer(store, "matches", {"strike": "TEXT"}, [("o/2",)], geometry=False)


def _quick() -> bytes:
    from layers.store.postgresql import database

    return database._WRITE.replace(b"5000ms", b"100ms")


def test_an_edit_by_another_program_while_we_write_is_not_lost(store: Store) -> None:
    store.load(ALL, author="Ann")
    with psycopg.connect(store.name) as other:
        other.execute("UPDATE entities SET name = 'Theirs' WHERE id = 'e'")
        assert add(store, "later") == store.seq()  # who edits another record does not hold a writer up
        other.commit()
    assert store.record_external_edits() == 1
    assert store.records().entities["e"].name == "Theirs"
    assert store.verify() == ()


# --- servers that die ---------------------------------------------------------------------------


@pytest.fixture
def own_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with running() as made:
        monkeypatch.setenv("PGUSER", made.user)
        yield made


def test_a_server_that_was_killed_has_all_that_was_acknowledged(own_cluster: Cluster) -> None:
    store = create_new(own_cluster.new_database())
    acknowledged = [add(store, f"s{number}") for number in range(20)]
    own_cluster.kill()
    with suppress(StoreError):
        acknowledged.append(add(store, "lost"))
    own_cluster.start_again()
    assert store.seq() >= len(acknowledged)
    assert add(store, "after") == store.seq()
    assert store.verify() == ()
    store.close()


def test_a_replica_is_read_and_takes_over_with_the_same_head(own_cluster: Cluster) -> None:
    store = create_new(own_cluster.new_database())
    store.load(ALL, author="Ann")
    replica = own_cluster.start_replica()
    try:
        database = store.name.partition("?")[0].rpartition("/")[2]
        reader = open_store(replica.address(database))
        assert reader.read_only
        assert reader.wait(0.1) is None
        with pytest.raises(ReadOnlyStore):
            add(reader, "s")
        for number in range(20):
            add(store, f"s{number}")
        head = store.head()
        own_cluster.kill()
        replica.promote()
        assert reader.head() == head
        assert not reader.read_only
        assert add(reader, "after") == head.seq + 1
        assert reader.verify() == ()
        reader.close()
    finally:
        replica.stop()
        store.close()


def test_a_replica_that_is_behind_is_not_read_until_it_has_what_was_read_before(own_cluster: Cluster) -> None:
    primary = create_new(own_cluster.new_database())
    primary.load(ALL, author="Ann")
    replica = own_cluster.start_replica()
    database = primary.name.partition("?")[0].rpartition("/")[2]
    either = f"postgresql:///{database}?host={own_cluster.folder},{own_cluster.folder}&port=5432,{replica.port}"
    store = open_store(either)
    try:
        replica.execute(database, "SELECT pg_wal_replay_pause()")
        acknowledged = add(store, "behind")
        primary.close()
        own_cluster.kill()
        for _ in range(20):  # processes of the server that was killed end a moment later
            with pytest.raises(StoreUnreachable) as raised:
                store.seq()
            if "a replica that is behind" in str(raised.value):
                break
            time.sleep(0.1)
        assert "a replica that is behind" in str(raised.value)
        with pytest.raises(StoreUnreachable):
            add(store, "on-the-replica")
        replica.execute(database, "SELECT pg_wal_replay_resume()")
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            with suppress(StoreUnreachable):
                assert store.seq() == acknowledged
                break
        assert store.head().seq == acknowledged
    finally:
        store.close()
        replica.stop()


# --- the role of readers ------------------------------------------------------------------------


def test_who_only_reads_sees_no_private_row_in_any_table(store: Store, cluster: Cluster, address: str) -> None:
    store.load(of(source("o/s", "o"), strike("o/1", "o")), author="Ann")
    store.load(of(source("d/s", "d"), strike("d/1", "d")), author="Ann", private={"d": "no"})
    hidden = strike("o/2", "o").model_copy(update={"private": True})
    store.append("strikes", hidden, author="Ann")
    write_layer(store, "matches", {"strike": "TEXT"}, [("o/1",), ("d/1",)], geometry=False)
    database = store.name.partition("?")[0].rpartition("/")[2]
    cluster.execute("postgres", "ALTER ROLE strikeatlas_reader LOGIN")
    with psycopg.connect(cluster.address(database, "strikeatlas_reader")) as reader:
        assert reader.execute("SELECT id FROM strikes").fetchall() == [("o/1",)]
        assert reader.execute("SELECT id FROM sources").fetchall() == [("o/s",)]
        assert set(reader.execute("SELECT noun, record FROM history").fetchall()) == {
            ("sources", "o/s"),
            ("strikes", "o/1"),
        }
        tables = [
            name
            for (name,) in reader.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
                "AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')"
            )
        ]
        assert {"strikes", "matches"} <= set(tables)
        tables.append("history")
        for table in tables:
            columns = "seq, who, noun, record, before, after, why, hash" if table == "history" else "*"
            for row in reader.execute(f'SELECT {columns} FROM "{table}"').fetchall():
                assert not {"d", "d/1", "d/s", "o/2"} & {value for value in row if isinstance(value, str)}, table
        for statement in ("DELETE FROM strikes", "INSERT INTO own_write VALUES (1)", "SELECT * FROM idempotency_keys"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), reader.transaction():
                reader.execute(statement)
        for column in ("salt", "unsalted", "*"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), reader.transaction():
                reader.execute(f"SELECT {column} FROM history")
    with pytest.raises(StoreError, match="only the public"):
        open_store(cluster.address(database, "strikeatlas_reader"))


@pytest.mark.parametrize(
    ("policy", "shows"),
    [
        ('[[rounding]]\ntable = "strikes"\nmetres = 5000', False),
        ('[[withhold]]\ntable = "sources"\nfields = ["title"]', False),
        ("[[embargo]]\nhours = 24", False),
        ('contact = "a@example.org"', True),
    ],
)
def test_who_only_reads_sees_no_record_while_a_policy_withholds_anything(
    store: Store, cluster: Cluster, address: str, policy: str, shows: bool
) -> None:
    store.load(of(source("o/s", "o"), strike("o/1", "o")), author="Ann")
    write_layer(store, "matches", {"strike": "TEXT"}, [("o/1",)], geometry=False)
    database = store.name.partition("?")[0].rpartition("/")[2]
    cluster.execute("postgres", "ALTER ROLE strikeatlas_reader LOGIN")
    with psycopg.connect(cluster.address(database, "strikeatlas_reader"), autocommit=True) as reader:

        def seen() -> list[bool]:
            columns = {"strikes": "id", "sources": "id", "history": "record", "matches": "strike"}
            queries = (f"SELECT {column} FROM {table}" for table, column in columns.items())
            return [bool(reader.execute(query).fetchall()) for query in queries]

        assert all(seen())
        set_policy(store, parse(policy))
        assert seen() == [shows] * 4
        set_policy(store, OPEN)
        assert all(seen())


def test_tables_of_a_readers_own_are_not_read_in_place_of_those_of_the_store(
    store: Store, cluster: Cluster, address: str
) -> None:
    """What was private before stays hidden in history, whatever temporary tables of the same names say."""
    store.load(of(source("o/s", "o"), strike("o/1", "o")), author="Ann")
    store.append("strikes", strike("o/2", "o").model_copy(update={"private": True}), author="Ann")
    store.publish("o", ["o/2"], author="Ann", why="cleared")
    database = store.name.partition("?")[0].rpartition("/")[2]
    cluster.execute("postgres", "ALTER ROLE strikeatlas_reader LOGIN")
    with psycopg.connect(cluster.address(database, "strikeatlas_reader")) as reader:
        for name in (*TABLES, "history"):
            columns = "noun, record, before, after" if name == "history" else "*"
            reader.execute(f"CREATE TEMPORARY TABLE {name} AS SELECT {columns} FROM public.{name} LIMIT 0")
        reader.execute(f"CREATE TEMPORARY TABLE {PRIVATE_DATASETS} (seq bigint, dataset text, private boolean)")
        reader.execute(f"CREATE TEMPORARY TABLE {PRIVATE_REMOVED} (noun text, record text, dataset text)")
        shown = reader.execute("SELECT record FROM public.history ORDER BY seq").fetchall()
    assert shown == [("o/s",), ("o/1",)]
