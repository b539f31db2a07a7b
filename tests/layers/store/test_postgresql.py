"""What only a store in PostgreSQL has: addresses, announcements, other roles, replicas, and a server that dies."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from layers.model.records import Source
from layers.store import backends
from layers.store.backends import create_new, open_store
from layers.store.store import NotAStore, ReadOnlyStore, Store, StoreBusy, StoreError, StoreUnreachable
from tests.layers.load_builders import of, source, strike
from tests.layers.store.test_store import ALL
from tests.postgres_cluster import Cluster, missing, running
from tests.store_kinds import write_layer

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
        paused = (
            "DO 'BEGIN WHILE pg_get_wal_replay_pause_state() <> ''paused'' LOOP PERFORM pg_sleep(0.01); END LOOP; END'"
        )
        replica.execute(database, "SELECT pg_wal_replay_pause()", paused)
        acknowledged = add(store, "behind")
        primary.close()
        own_cluster.kill()
        answer = ""
        ends = time.monotonic() + 60
        while "a replica that is behind" not in answer and time.monotonic() < ends:
            try:
                store.seq()  # processes of the server that was killed answer for another moment
            except StoreUnreachable as error:
                answer = str(error)
        assert "a replica that is behind" in answer
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


# --- other roles --------------------------------------------------------------------------------


@pytest.fixture
def other(store: Store, cluster: Cluster) -> Iterator[str]:
    """A role that owns nothing, and the store with a record that is private."""
    store.load(of(source("o/s", "o"), strike("o/1", "o")), author="Ann")
    write_layer(store, "matches", {"strike": "TEXT"}, [("o/1",)], geometry=False)
    store.append("strikes", strike("o/2", "o").model_copy(update={"private": True}), author="Ann")
    role = "strikeatlas_reader"  # the name that earlier programs gave
    cluster.execute("postgres", f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN")
    yield role
    cluster.execute(database_of(store), f"DROP OWNED BY {role}")
    cluster.execute("postgres", f"DROP ROLE {role}")


def database_of(store: Store) -> str:
    return store.name.partition("?")[0].rpartition("/")[2]


def readable(cluster: Cluster, store: Store, role: str) -> list[str]:
    """Tables of which a role may read a column."""
    query = """SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace
      AND relname NOT IN ('spatial_ref_sys', 'geometry_columns', 'geography_columns')
      AND has_any_column_privilege(oid, 'SELECT')"""
    with psycopg.connect(cluster.address(database_of(store), role)) as connection:
        return [name for (name,) in connection.execute(query)]


def test_another_role_may_read_nothing(store: Store, cluster: Cluster, other: str) -> None:
    assert readable(cluster, store, other) == []
    with pytest.raises(StoreError, match="permission denied"):
        open_store(store.name.replace("postgresql:///", f"postgresql://{other}@/"))


def test_no_function_of_the_store_is_for_everybody(store: Store, address: str) -> None:
    with psycopg.connect(address) as owner:
        found = owner.execute(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'strikeatlas\\_%' AND proname <> 'strikeatlas_geometry' "
            "AND has_function_privilege('public', oid, 'EXECUTE')"
        ).fetchall()
    assert found == []


def test_what_an_earlier_program_granted_ends_when_the_store_is_opened(
    store: Store, cluster: Cluster, other: str
) -> None:
    cluster.execute(
        database_of(store),
        "CREATE FUNCTION strikeatlas_readable() RETURNS boolean LANGUAGE sql AS 'SELECT TRUE'",
        "CREATE FUNCTION strikeatlas_private_ids() RETURNS SETOF text LANGUAGE sql AS 'SELECT id FROM strikes'",
        "GRANT SELECT (seq, who) ON history TO PUBLIC",
        "GRANT SELECT ON sources TO PUBLIC",
        "CREATE TABLE mine (id text)",
        *(
            statement
            for table in ("strikes", "sources", "matches", "strikeatlas")
            for statement in (
                f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
                f"CREATE POLICY shown ON {table} USING (strikeatlas_readable())",
                f"GRANT SELECT, INSERT ON {table} TO {other} WITH GRANT OPTION",
            )
        ),
        f"GRANT SELECT ON mine TO {other}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {other}",
    )
    assert set(readable(cluster, store, other)) == {"history", "matches", "mine", "sources", "strikeatlas", "strikes"}
    open_store(store.name).close()
    cluster.execute(database_of(store), "CREATE TABLE later ()")
    assert readable(cluster, store, other) == ["mine"]
    with psycopg.connect(store.name) as owner:
        assert owner.execute("SELECT FROM pg_policies").fetchall() == []
        assert owner.execute("SELECT FROM pg_class WHERE relrowsecurity").fetchall() == []
        functions = "SELECT FROM pg_proc WHERE proname IN ('strikeatlas_readable', 'strikeatlas_private_ids')"
        assert owner.execute(functions).fetchall() == []
    add(store, "s")
    cluster.execute(database_of(store), f"GRANT SELECT ON strikes TO {other}")
    open_store(store.name).close()
    assert readable(cluster, store, other) == ["mine", "strikes"], "what the owner grants is the owner's decision"


def test_functions_of_an_editor_do_not_pass_the_guards(store: Store, address: str) -> None:
    with psycopg.connect(address) as owner:
        paths = owner.execute(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'strikeatlas\\_%' AND proname <> 'strikeatlas_geometry' "
            "AND NOT coalesce(proconfig, '{}') && ARRAY['search_path=pg_catalog, public, pg_temp']"
        ).fetchall()
    assert paths == []
