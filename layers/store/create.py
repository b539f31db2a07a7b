"""The file of the store: a new one created whole, and a file that this program cannot work with refused."""

from __future__ import annotations

import errno
import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layers.filesystem.atomic_file import PRIVATE_MODE, replacing
from layers.geopackage import geopackage
from layers.store import idempotency
from layers.store.connections import SIDE_FILES, Connections, NotAStore, StoreBusy, StoreError, probing
from layers.store.migrations.registry import (
    MINIMUM_READER_VERSION,
    SCHEMA_VERSION,
    add_heat,
    add_history_indexes,
    add_idempotency_keys,
    add_reasons,
    salt_history,
)
from layers.store.migrations.tables import (
    HEAT,
    HEAT_LOADS,
    PRIVATE_DATASETS,
    PRIVATE_REMOVED,
    create_history,
    forbid_changes,
    install_privacy,
    note_external_edits,
)
from layers.store.row_mapping import TABLES
from layers.store.sqlite import SqliteConnection
from layers.store.writer import APPEND_ONLY

#: The table that makes a GeoPackage a store: the version of its schema, and the lowest version whose programs read it.
#: Every program refuses a ``schema_version`` above its own, those of version 1 any other than 1, unless the file says
#: that it may be read all the same.
MARK = "strikeatlas"
_MARK_COLUMNS = {"schema_version": "INTEGER NOT NULL", "minimum_reader_version": "INTEGER NOT NULL"}
#: Tables that are no derived layer.
OWN_TABLES = frozenset(
    {
        *TABLES,
        *("history", "external_edits", "own_write", PRIVATE_DATASETS, PRIVATE_REMOVED, idempotency.TABLE, MARK),
        *(HEAT, HEAT_LOADS),
    }
)


def make(path: Path) -> None:
    """Create a new file with all tables where `require_free` allows it: whole, or not at all."""
    require_free(path)
    with replacing(path, overwrite=False) as fresh:
        _build(fresh)


def require_free(path: Path, overwrite: bool = False) -> None:
    """Refuse a path where a store is, unless it may be overwritten, by FileExistsError.

    So is one where the log of a store is, which SQLite would replay into another file.
    """
    for suffix in SIDE_FILES if overwrite else ("", *SIDE_FILES):
        if os.path.lexists(taken := path.with_name(path.name + suffix)):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(taken))


def _build(path: Path) -> None:
    path.touch(exist_ok=False)
    path.chmod(PRIVATE_MODE)  # whatever the umask leaves, and so of the log beside it
    connections = Connections(path)
    try:
        with connections.writing() as connection:
            create_tables(connection)
    finally:
        connections.close()


def create_tables(connection: sqlite3.Connection) -> None:
    """Create every table of the store in an empty database, within the caller's transaction."""
    geopackage.create_header(connection)
    for name, table in TABLES.items():
        geopackage.add_layer(connection, name, table.declarations, table.record_type.__doc__ or "", table.geometry_type)
    create_history(connection)
    for name in sorted(APPEND_ONLY):
        forbid_changes(connection, name, "id")
    geopackage.add_layer(connection, MARK, _MARK_COLUMNS, "Version of the tables.")
    connection.execute(f"INSERT INTO {geopackage.quote(MARK)} (schema_version, minimum_reader_version) VALUES (0, 0)")
    mark_version(connection)
    note_external_edits(connection, TABLES)
    install_privacy(connection, TABLES)
    add_idempotency_keys(connection)
    add_history_indexes(connection)
    add_reasons(connection)
    add_heat(connection)
    salt_history(connection)


def mark_version(connection: sqlite3.Connection) -> None:
    """Say that the file is of this program's version, within the caller's transaction."""
    connection.execute(
        f"UPDATE {geopackage.quote(MARK)} SET schema_version = ?, minimum_reader_version = ?",
        (SCHEMA_VERSION, MINIMUM_READER_VERSION),
    )


def require_store(path: Path, read_only: bool = False) -> int:
    """Refuse a file that is no store of this version, without changing it; give the version of the file.

    That is a later one where the file says that this program may read it. Raises `NotAStore` if it is missing, no
    SQLite database, no GeoPackage, not ours, of a version that this program cannot work with, or lacks columns, and
    says what to do; `StoreBusy` if another program holds it.
    """
    with _probing_store(path, read_only) as connection:
        version = require_version(path, connection)
        _require_columns(path, connection)
        return version


def version_of_file(path: Path) -> int:
    """The version of the schema of a store, whichever it is; raises as `require_store` does for other files."""
    with _probing_store(path) as connection:
        return _versions(path, connection)[0]


@contextmanager
def _probing_store(path: Path, read_only: bool = False) -> Iterator[SqliteConnection]:
    require_file(path)
    try:
        with probing(path, read_only) as connection:
            if connection.execute("PRAGMA application_id").fetchone() != (geopackage.APPLICATION_ID,):
                raise NotAStore(f"{path}: a SQLite database, but no GeoPackage")
            yield connection
    except (StoreBusy, NotAStore):
        raise
    except StoreError as error:
        raise NotAStore(str(error)) from error


def require_file(path: Path) -> None:
    """Refuse a path at which there is no file, or an empty one, by `NotAStore`."""
    if not path.is_file():
        raise NotAStore(f"{path}: there is no such file; strikeatlas init makes a store, --store names another")
    if not path.stat().st_size:
        raise NotAStore(f"{path}: the file is empty")


def require_version(path: Path, connection: SqliteConnection) -> int:
    """Refuse a file of a version that this program cannot work with, by `NotAStore`; give its version.

    It is an earlier one, a later one that says nothing else, or none. The error says what to do.
    """
    version, minimum_reader = _versions(path, connection)
    if version < SCHEMA_VERSION:
        raise NotAStore(
            f"{path}: its tables are of version {version}, this program works with version {SCHEMA_VERSION}: "
            f"run strikeatlas upgrade {shlex.quote(str(path))}"
        )
    if minimum_reader > SCHEMA_VERSION:
        raise NotAStore(
            f"{path}: its tables are of version {version}, and only programs of version {minimum_reader} or later can "
            f"read them; this one is of version {SCHEMA_VERSION}: install the newer strikeatlas that wrote it"
        )
    return version


def _versions(path: Path, connection: SqliteConnection) -> tuple[int, int]:
    """The version of the schema of a file, and the lowest version whose programs read it."""
    columns = connection.column_names(MARK)
    if not columns:
        raise NotAStore(f"{path}: a GeoPackage, but no store of this program")
    reader = "minimum_reader_version" if "minimum_reader_version" in columns else "schema_version"
    version, minimum_reader = connection.execute(
        f"SELECT max(schema_version), max({reader}) FROM {geopackage.quote(MARK)}"
    ).fetchone()
    if not isinstance(version, int) or not isinstance(minimum_reader, int):
        raise NotAStore(f"{path}: a store whose table {MARK} says no version")
    return version, minimum_reader


def _require_columns(path: Path, connection: SqliteConnection) -> None:
    for name, table in TABLES.items():
        found = connection.column_names(name)
        if missing := [column for column in table.declarations if column not in found]:
            raise NotAStore(f"{path}: table {name} lacks the columns {', '.join(missing)}")
