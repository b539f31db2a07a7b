"""Files of version 1 were of several kinds, as columns and tables were added without a number: all to the last kind."""

from __future__ import annotations

import sqlite3

from layers.geopackage import geopackage

TITLE = "columns and tables that were added without a new version"

#: Tables that the first programs had, and had no column for what is private.
_WITHOUT_PRIVATE = (
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
_ID = {"id": "TEXT NOT NULL UNIQUE", "dataset": "TEXT", "private": "BOOLEAN"}
#: Tables that came later, with the declarations of their columns.
_LATER_TABLES = {
    "controls": {
        **_ID,
        "controlled": "TEXT NOT NULL",
        "controller": "TEXT NOT NULL",
        "kind": "TEXT NOT NULL",
        "since": "TEXT",
        "until": "TEXT",
        "source": "TEXT NOT NULL",
        "checked": "TEXT NOT NULL",
        "note": "TEXT",
    },
    "identities": {
        **_ID,
        "one": "TEXT NOT NULL",
        "other": "TEXT NOT NULL",
        "verdict": "TEXT NOT NULL",
        "who": "TEXT NOT NULL",
        "when": "TEXT NOT NULL",
        "why": "TEXT NOT NULL",
    },
}
_DOCS = {
    "controls": "Who controls what without a share that says so, as declared or consolidated. "
    "It never counts as a share.",
    "identities": "A person's judgement on whether two entities, or two strikes, are one. "
    "Appended; the latest per pair holds.",
}


def apply(connection: sqlite3.Connection) -> None:
    """Add what is missing; a file that lacks nothing stays as it is.

    No program that wrote files without the column ``private`` could load data whose licence forbids to publish it, so
    that no record in them is private, which the default says. The mark says that any program of version 1 reads it.
    """
    for name, columns in _LATER_TABLES.items():
        if not _columns(connection, name):
            geopackage.add_layer(connection, name, columns, _DOCS[name])
            if name == "identities":
                forbid_changes(connection, name, "id")
        # Identities were of entities alone at first.
        connection.execute("UPDATE gpkg_contents SET description = ? WHERE table_name = ?", (_DOCS[name], name))
    for name in _WITHOUT_PRIVATE:
        _add_column(connection, name, "private", "BOOLEAN DEFAULT 0")
    _add_column(connection, "decisions", "undoes", "TEXT")
    _add_column(connection, "strikeatlas", "minimum_reader_version", "INTEGER NOT NULL DEFAULT 1")


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def _add_column(connection: sqlite3.Connection, table: str, column: str, declaration: str) -> None:
    if column not in _columns(connection, table):
        connection.execute(f"ALTER TABLE {geopackage.quote(table)} ADD COLUMN {geopackage.quote(column)} {declaration}")


def forbid_changes(connection: sqlite3.Connection, name: str, key: str) -> None:
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
