"""Each row of history has the hash of the row before in its own, and edits of other programs become rows of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from layers.geopackage import geopackage
from layers.store.history_chain import EMPTY, Unlinked, unsalted_link
from layers.store.migrations.m0001_complete_columns import forbid_changes

TITLE = "history as a chain of hashes, with the edits of other programs in it"

_TABLES = (
    "sources",
    "entities",
    "assets",
    "strikes",
    "claims",
    "stakes",
    "relations",
    "controls",
    "decisions",
    "identities",
)


def apply(connection: sqlite3.Connection) -> None:
    """Compute the hashes of all rows of history, and note every record for comparison with its last row of history.

    Until this version edits of other programs left no history. Those that differ from it now become rows as soon as
    `layers.store.external_edits` looks at the notes.
    """
    _create_history_table(connection, "history_chained")
    rows = connection.execute('SELECT "at", who, noun, record, "before", "after", NULL FROM history ORDER BY seq')
    connection.executemany(
        """INSERT INTO history_chained (seq, "at", who, noun, record, "before", "after", hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        _linked(rows),
    )
    connection.execute("DROP TABLE history")
    connection.execute("ALTER TABLE history_chained RENAME TO history")
    forbid_changes(connection, "history", "seq")
    _drop_counter(connection)
    note_external_edits(connection, _TABLES)
    for table in _TABLES:
        connection.execute(
            f"INSERT INTO external_edits (noun, record) SELECT '{table}', id FROM {geopackage.quote(table)} "
            f"UNION SELECT noun, record FROM history WHERE noun = '{table}'"
        )


def _linked(rows: Iterable[Unlinked]) -> Iterator[tuple[Any, ...]]:
    previous = EMPTY.hash
    for seq, row in enumerate(rows, 1):
        previous = unsalted_link(previous, seq, row)
        yield (seq, *row[:-1], previous)


def create_history(connection: sqlite3.Connection) -> None:
    """Create the table of history, which is only ever added to, and list it for GIS."""
    _create_history_table(connection, "history")
    geopackage.register(connection, "history", "Every change of every record, in order. Only ever added to.")
    forbid_changes(connection, "history", "seq")


def _create_history_table(connection: sqlite3.Connection, name: str) -> None:
    connection.execute(
        f"""CREATE TABLE {geopackage.quote(name)} (
  seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  "at" DATETIME NOT NULL,
  who TEXT NOT NULL,
  noun TEXT NOT NULL,
  record TEXT NOT NULL,
  "before" TEXT,
  "after" TEXT,
  hash TEXT NOT NULL
)"""
    )


def _drop_counter(connection: sqlite3.Connection) -> None:
    """Drop the counter of edits, and its triggers, that the last programs of version 1 had."""
    for table in _TABLES:
        for event in ("insert", "update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {geopackage.quote(f'{table}_counted_{event}')}")
    connection.execute("DROP TABLE IF EXISTS edits")


def note_external_edits(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Create the tables and triggers that note which records other programs edit.

    A connection of this program puts a row into ``own_write`` for as long as its transaction lasts, and nothing is
    noted then. The triggers use nothing that SQLite lacks, so that they work in any program. Neither table is listed
    as a layer: they are nothing that a GIS should show.
    """
    connection.execute(
        "CREATE TABLE external_edits (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, noun TEXT NOT NULL, record TEXT)"
    )
    connection.execute("CREATE TABLE own_write (writing INTEGER NOT NULL)")
    note_edits_of(connection, tables)


def note_edits_of(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Create the triggers that note which records of some tables other programs edit, in a file that notes edits."""
    for table in tables:
        for name, (event, condition, *selections) in _NOTING.items():
            notes = " ".join(
                f"INSERT INTO external_edits (noun, record) SELECT '{table}', {selected};".replace(
                    "{t}", geopackage.quote(table)
                )
                for selected in selections
            )
            connection.execute(
                f"CREATE TRIGGER {geopackage.quote(f'{table}_{name}')} {event} ON {geopackage.quote(table)} "
                f"WHEN NOT EXISTS (SELECT 1 FROM own_write){condition} BEGIN {notes} END"
            )


#: Triggers by name: event, a further condition, and the ids that are noted. Where OR REPLACE removes a row that has the
#: same fid no trigger fires for that one (sqlite.org/lang_conflict.html), so that it is noted before.
_NOTING = {
    "noted_insert": ("AFTER INSERT", "", "NEW.id"),
    "noted_update": ("AFTER UPDATE", "", "OLD.id", "NEW.id WHERE NEW.id IS NOT OLD.id"),
    "noted_delete": ("AFTER DELETE", "", "OLD.id"),
    "noted_replace": ("BEFORE INSERT", "", "id FROM {t} WHERE fid = NEW.fid"),
    "noted_move": ("BEFORE UPDATE", " AND NEW.fid IS NOT OLD.fid", "id FROM {t} WHERE fid = NEW.fid"),
}
