"""The file of the store: a new one created whole, a foreign file refused, and edits of other programs counted."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
from pathlib import Path

from layers.geopackage import geopackage
from layers.store import history_pages, writer
from layers.store.connections import Connections, NotAStore, StoreBusy, StoreError, probing
from layers.store.row_mapping import TABLES
from layers.store.writer import APPEND_ONLY

#: Version of the tables. A program opens its own version only.
SCHEMA_VERSION = 1
#: The table that makes a GeoPackage a store, with the version of its tables.
MARK = "strikeatlas"
#: The table that counts edits of records by any program; they leave no history where the program is another one.
EDIT_COUNTER = "edits"
#: Tables that are no derived layer.
OWN_TABLES = frozenset({*TABLES, "history", EDIT_COUNTER, MARK})

_SIDE_FILES = ("-wal", "-shm", "-journal")

_HISTORY = """CREATE TABLE history (
  seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  "at" DATETIME NOT NULL,
  who TEXT NOT NULL,
  noun TEXT NOT NULL,
  record TEXT NOT NULL,
  "before" TEXT,
  "after" TEXT
)"""


def make(path: Path) -> None:
    """Create a new file with all tables: built aside, then put in place, so that it is whole or not there.

    Raises
    ------
    FileExistsError
        If the file exists, or the log of an earlier one of that name, which SQLite would replay into it.
    """
    for suffix in ("", *_SIDE_FILES):
        _require_free(path.with_name(path.name + suffix))
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        aside.touch(exist_ok=False)
        _build(aside)
        _put_in_place(aside, path)
    finally:
        for suffix in ("", *_SIDE_FILES):
            aside.with_name(aside.name + suffix).unlink(missing_ok=True)


def _require_free(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def _build(path: Path) -> None:
    connections = Connections(path)
    with connections.writing() as connection:
        create_tables(connection)
    connections.close()


def _put_in_place(aside: Path, path: Path) -> None:
    """Give the file its name unless another has taken it meanwhile: a link never overwrites, a rename does."""
    try:
        os.link(aside, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links.
        _require_free(path)
        aside.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_tables(connection: sqlite3.Connection) -> None:
    """Create every table of the store in an empty database, within the caller's transaction."""
    geopackage.create_header(connection)
    for name, table in TABLES.items():
        geopackage.add_layer(connection, name, table.declarations, table.record_type.__doc__ or "", table.geometry_type)
    connection.execute(_HISTORY)
    geopackage.register(connection, "history", "Every change of every record, in order. Only ever added to.")
    for name, key in {"history": "seq", **dict.fromkeys(APPEND_ONLY, "id")}.items():
        _forbid_changes(connection, name, key)
    geopackage.add_layer(connection, MARK, {"schema_version": "INTEGER NOT NULL"}, "Version of the tables.")
    connection.execute(f"INSERT INTO {geopackage.quote(MARK)} (schema_version) VALUES (?)", (SCHEMA_VERSION,))
    install_triggers(connection)
    history_pages.create_indexes(connection)


def _forbid_changes(connection: sqlite3.Connection, name: str, key: str) -> None:
    """Let a table only grow, whatever program writes to it."""
    table, key = geopackage.quote(name), geopackage.quote(key)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{name} is only ever added to'); END"
    for event in ("UPDATE", "DELETE"):
        trigger = geopackage.quote(f"{name}_no_{event.lower()}")
        connection.execute(f"CREATE TRIGGER {trigger} BEFORE {event} ON {table} {refuse}")
    # INSERT OR REPLACE deletes without a delete trigger (sqlite.org/lang_conflict.html).
    connection.execute(
        f"CREATE TRIGGER {geopackage.quote(f'{name}_no_replace')} BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) {refuse}"
    )


def require_store(path: Path) -> None:
    """Refuse a file that is no store of this version, without changing it.

    Raises
    ------
    NotAStore
        If it is missing, no SQLite database, no GeoPackage, not ours, of another version, or lacks columns.
    StoreBusy
        If another program holds it.
    """
    if not path.is_file():
        raise NotAStore(f"{path}: there is no such file")
    if not path.stat().st_size:
        raise NotAStore(f"{path}: the file is empty")
    try:
        with probing(path) as connection:
            _require_geopackage(path, connection)
            _require_version(path, connection)
            _require_columns(path, connection)
    except (StoreBusy, NotAStore):
        raise
    except StoreError as error:
        raise NotAStore(str(error)) from error


def _require_geopackage(path: Path, connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA application_id").fetchone() != (geopackage.APPLICATION_ID,):
        raise NotAStore(f"{path}: a SQLite database, but no GeoPackage")


def _require_version(path: Path, connection: sqlite3.Connection) -> None:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (MARK,)).fetchone():
        raise NotAStore(f"{path}: a GeoPackage, but no store of this program")
    (version,) = connection.execute(f"SELECT max(schema_version) FROM {geopackage.quote(MARK)}").fetchone()
    if version != SCHEMA_VERSION:
        raise NotAStore(f"{path}: its tables are of version {version}, this program reads version {SCHEMA_VERSION}")


def _require_columns(path: Path, connection: sqlite3.Connection) -> None:
    for name, table in TABLES.items():
        found = {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))}
        if missing := [column for column in table.declarations if column not in found]:
            raise NotAStore(f"{path}: table {name} lacks the columns {', '.join(missing)}")


# Each row of a record that any program adds, changes or removes is counted by triggers in the file itself. This program
# leaves one row of history for each, so that the rest are edits of other programs.


def install_triggers(connection: sqlite3.Connection) -> None:
    """Count edits from now on, within the caller's transaction; nothing is done where they are counted already."""
    if is_counting_edits(connection):
        return
    # Not listed as a layer: it is nothing that a GIS should show.
    connection.execute(f"CREATE TABLE {EDIT_COUNTER} (counted INTEGER NOT NULL)")
    connection.execute(f"INSERT INTO {EDIT_COUNTER} (counted) VALUES (?)", (writer.last_seq(connection),))
    for table in TABLES:
        for event in ("INSERT", "UPDATE", "DELETE"):
            trigger = geopackage.quote(f"{table}_counted_{event.lower()}")
            connection.execute(
                f"CREATE TRIGGER {trigger} AFTER {event} ON {geopackage.quote(table)} "
                f"BEGIN UPDATE {EDIT_COUNTER} SET counted = counted + 1; END"
            )


def is_counting_edits(connection: sqlite3.Connection) -> bool:
    """Whether the file counts edits."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (EDIT_COUNTER,)).fetchone() is not None


def external_count(connection: sqlite3.Connection) -> int | None:
    """Number of edits of records by other programs since edits are counted; ``None`` where they are not."""
    if not is_counting_edits(connection):
        return None
    (counted,) = connection.execute(f"SELECT counted FROM {EDIT_COUNTER}").fetchone()
    return int(counted) - writer.last_seq(connection)
