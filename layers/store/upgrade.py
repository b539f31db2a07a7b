"""Brings the file of an earlier version of the schema to the newest: a copy beside it first, then one transaction."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from layers.filesystem.atomic_file import PRIVATE_MODE, replacing
from layers.store import create, derived_tables, external_edits, reader
from layers.store.connections import Connections, StoreError, probing
from layers.store.derived_tables import Derive
from layers.store.migrations.registry import MIGRATIONS, SCHEMA_VERSION
from layers.store.sqlite import SqliteConnection


@dataclass(frozen=True)
class Upgrade:
    """What an upgrade did.

    Parameters
    ----------
    before, after
        Versions of the schema; equal where there was nothing to do.
    backup
        The copy of the file as it was; None where nothing was done.
    steps
        Titles of the steps, in order.
    recorded
        Number of records that other programs had edited, which history tells of now.
    fault
        Why the derived layers stayed as they were: the first record that is not valid; None if they were renewed.
    """

    before: int
    after: int
    backup: Path | None = None
    steps: tuple[str, ...] = ()
    recorded: int = 0
    fault: str | None = None


def upgrade(path: Path, at: str, derive: Derive | None = None) -> Upgrade:
    """Bring a file to the newest version. Whatever interrupts that, the file is as it was, or whole.

    Parameters
    ----------
    path
        The file. Other programs may read it meanwhile, and none can write.
    at
        The time of the upgrade (RFC 3339, UTC).
    derive
        Gives the layers that follow from all records; they are replaced in the same transaction.

    Raises
    ------
    NotAStore
        If it is no store, or one of a newer version.
    StoreBusy
        If another program is writing to it.
    StoreError
        If it cannot be written, or a step fails. Nothing is changed then.
    """
    found = create.version_of_file(path)
    if found >= SCHEMA_VERSION:
        create.require_store(path)
        return Upgrade(found, found)
    connections = Connections(path)
    try:
        with connections.writing() as connection:
            # Read again: another upgrade may have been quicker.
            found = create.version_of_file(path)
            backup = _back_up(path, found)
            steps = _migrate(connection, found)
            recorded = external_edits.absorb(connection, at)
            fault = _derive(connection, at, derive)
    finally:
        connections.close()
    create.require_store(path)
    return Upgrade(found, SCHEMA_VERSION, backup, steps, recorded, fault)


def _migrate(connection: SqliteConnection, found: int) -> tuple[str, ...]:
    # Files of version 1 are of several kinds, which the first step makes one.
    steps = [migration for migration in MIGRATIONS if migration.version > found or migration.version == found == 1]
    for migration in steps:
        migration.apply(connection)
    create.mark_version(connection)
    return tuple(migration.title for migration in steps)


def _derive(connection: SqliteConnection, at: str, derive: Derive | None) -> str | None:
    if derive is None:
        return None
    try:
        version = reader.read_all(connection)
    except StoreError as error:
        return str(error)
    for layer in derive(*version):
        derived_tables.write_table(connection, layer, at)
    return None


def _back_up(path: Path, version: int) -> Path:
    """Copy the file as it was last committed, durably, to a name beside it that is free."""
    for number in count(1):
        backup = path.with_name(f"{path.stem}.v{version}{f'-{number}' if number > 1 else ''}{path.suffix}")
        try:
            with (
                replacing(backup, overwrite=False, mode=PRIVATE_MODE) as fresh,
                probing(path) as source,
                closing(sqlite3.connect(fresh)) as copy,
            ):
                source.backup(copy)
        except FileExistsError:
            continue
        return backup
    raise AssertionError("numbers have no end")
