"""The file of the store: how a new one is made whole, and how one is told from any other file."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
from pathlib import Path

from layers.geopackage import geopackage
from layers.store import external_edits
from layers.store.connections import Connections, NotAStore, StoreBusy, StoreError, probing
from layers.store.row_mapping import TABLES
from layers.store.writer import APPEND_ONLY

#: Version of the tables. A program opens its own version only.
SCHEMA_VERSION = 1
#: The table that makes a GeoPackage a store, with the version of its tables.
MARK = "strikeatlas"
#: Tables that are no derived layer.
OWN_TABLES = frozenset({*TABLES, "history", external_edits.NAME, MARK})

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
    """Make a new file with all tables: built aside, then put in place, so that it is whole or not there.

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
        geopackage.add_layer(connection, name, table.declarations, table.noun.__doc__ or "", table.geometry_type)
    connection.execute(_HISTORY)
    geopackage.register(connection, "history", "Every change of every record, in order. Only ever added to.")
    for name, key in {"history": "seq", **dict.fromkeys(APPEND_ONLY, "id")}.items():
        _forbid_changes(connection, name, key)
    geopackage.add_layer(connection, MARK, {"schema_version": "INTEGER NOT NULL"}, "Version of the tables.")
    connection.execute(f"INSERT INTO {geopackage.quote(MARK)} (schema_version) VALUES (?)", (SCHEMA_VERSION,))
    external_edits.watch(connection)


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
    """Refuse a file that is no store of this version, and leave it as it is.

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
