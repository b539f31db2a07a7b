"""The versions of the store's schema, and the steps between them, in order: a version is a function and a line.

A step spells its own SQL and names no table by way of the record types, which belong to the newest version alone. What
a step defines and no later one changes, such as a trigger, is in `tables`, for new files.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from layers.geopackage import geopackage
from layers.store import history_chain
from layers.store.history_chain import EMPTY, VALUES, Head, Unlinked, unsalted_link
from layers.store.migrations.tables import (
    HASH_INDEX,
    HASH_INDEXED,
    HEAT,
    HEAT_COLUMNS,
    HEAT_LOADS,
    INDEXES,
    LISTED,
    PRIVATE_DATASETS,
    WRITTEN_BY_HAND,
    create_history_table,
    forbid_changes,
    install_privacy,
    note_edits_of,
    note_external_edits,
)

#: Tables of records of the first versions, which had no column for what is private.
_NOUNS = (
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
_APPENDED = ("decisions", "identities")
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
_CONDITION_COLUMNS: Mapping[str, str] = {
    **_ID,
    "asset": "TEXT NOT NULL",
    "strike": "TEXT",
    "status": "TEXT NOT NULL",
    "working_min": "REAL",
    "working_max": "REAL",
    "since": "TEXT NOT NULL",
    "until": "TEXT",
    "source": "TEXT NOT NULL",
    "checked": "TEXT NOT NULL",
    "note": "TEXT",
}
#: Rows of history that are hashed anew at once.
_ROWS = 1000


@dataclass(frozen=True)
class Migration:
    """A step to a version of the schema.

    Parameters
    ----------
    version
        The version that a file has after the step.
    title
        What the step does, as `strikeatlas upgrade` says it.
    minimum_reader
        The lowest version whose programs read a file of this version rightly. Raise it where a program that does not
        know the change would give wrong answers, such as showing what is private.
    apply
        Makes the change within the caller's transaction, with the GeoPackage functions at hand.
    """

    version: int
    title: str
    minimum_reader: int
    apply: Callable[[sqlite3.Connection], None]


def _adding(*columns: tuple[str, str]) -> Callable[[sqlite3.Connection], None]:
    """Give a step that adds columns, each with its table and declaration; rows that are there have its default."""

    def apply(connection: sqlite3.Connection) -> None:
        for table, declaration in columns:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {declaration}")

    return apply


#: Rows of history that are there have no reason, and their hashes are what they were.
add_reasons = _adding(("history", "why TEXT"))
#: Of assets that are there nothing is known, as no program before had a place for it.
_add_operating_status = _adding(*(("assets", f"{column} TEXT") for column in ("status", "since", "until")))
#: What is there has its English title and place, and one nationality at most.
_add_languages = _adding(
    ("strikes", "titles TEXT DEFAULT '{}'"),
    ("strikes", "places TEXT DEFAULT '{}'"),
    ("entities", "nationalities TEXT DEFAULT '[]'"),
)


def _complete_columns(connection: sqlite3.Connection) -> None:
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
    for name in _NOUNS:
        _add_column(connection, name, "private", "BOOLEAN DEFAULT 0")
    _add_column(connection, "decisions", "undoes", "TEXT")
    _add_column(connection, "strikeatlas", "minimum_reader_version", "INTEGER NOT NULL DEFAULT 1")


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def _add_column(connection: sqlite3.Connection, table: str, column: str, declaration: str) -> None:
    if column not in _columns(connection, table):
        connection.execute(f"ALTER TABLE {geopackage.quote(table)} ADD COLUMN {geopackage.quote(column)} {declaration}")


def _chain_history(connection: sqlite3.Connection) -> None:
    """Compute the hashes of all rows of history, and note every record for comparison with its last row of history.

    Until this version edits of other programs left no history. Those that differ from it now become rows as soon as
    `layers.store.external_edits` looks at the notes.
    """
    create_history_table(connection, "history_chained")
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
    note_external_edits(connection, _NOUNS)
    for table in _NOUNS:
        connection.execute(
            f"INSERT INTO external_edits (noun, record) SELECT '{table}', id FROM {geopackage.quote(table)} "
            f"UNION SELECT noun, record FROM history WHERE noun = '{table}'"
        )


def _linked(rows: Iterable[Unlinked]) -> Iterator[tuple[Any, ...]]:
    previous = EMPTY.hash
    for seq, row in enumerate(rows, 1):
        previous = unsalted_link(previous, seq, row)
        yield (seq, *row[:-1], previous)


def _drop_counter(connection: sqlite3.Connection) -> None:
    """Drop the counter of edits, and its triggers, that the last programs of version 1 had."""
    for table in _NOUNS:
        for event in ("insert", "update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {geopackage.quote(f'{table}_counted_{event}')}")
    connection.execute("DROP TABLE IF EXISTS edits")


def _add_private_datasets(connection: sqlite3.Connection) -> None:
    """Create tables and guards, and list every dataset that has a private record and is not written by hand.

    Nothing tells any more whether the licence of a whole dataset made its records private, so that any private one
    does. What is only ever added to is marked by that list alone; of all other records history tells what changed.
    """
    install_privacy(connection, _NOUNS)
    by_hand = ", ".join(f"'{dataset}'" for dataset in WRITTEN_BY_HAND)
    found = " UNION ".join(
        f"SELECT dataset FROM {geopackage.quote(noun)} WHERE private = 1 AND dataset NOT IN ({by_hand})"
        for noun in _NOUNS
    )
    connection.execute(
        f'INSERT INTO {PRIVATE_DATASETS} (dataset, private, "at", who, why) '
        "SELECT dataset, 1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'strikeatlas upgrade', "
        f"'It had a private record.' FROM ({found}) ORDER BY dataset"
    )
    for noun in _NOUNS:
        rows = f"WHERE private IS NOT 1 AND dataset IN ({LISTED})"
        if noun in _APPENDED:
            connection.execute(
                f"INSERT INTO external_edits (noun, record) SELECT '{noun}', id FROM {geopackage.quote(noun)} {rows}"
            )
        else:
            connection.execute(f"UPDATE {geopackage.quote(noun)} SET private = 1 {rows}")


def add_idempotency_keys(connection: sqlite3.Connection) -> None:
    """Create the table. It is not listed as a layer: it is nothing that a GIS should show."""
    connection.execute(
        """CREATE TABLE idempotency_keys (
  person TEXT NOT NULL,
  key TEXT NOT NULL,
  request TEXT NOT NULL,
  "at" TEXT NOT NULL,
  seq INTEGER NOT NULL,
  status INTEGER NOT NULL,
  headers TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (person, key)
)"""
    )
    connection.execute('CREATE INDEX idempotency_keys_at ON idempotency_keys ("at")')


def add_history_indexes(connection: sqlite3.Connection) -> None:
    """Create the indexes."""
    for name, what in INDEXES.items():
        connection.execute(f"CREATE INDEX {name} {what}")


def _describe_judgements(connection: sqlite3.Connection) -> None:
    """Describe the table anew; its columns and rows stay as they are."""
    connection.execute(
        "UPDATE gpkg_contents SET description = ? WHERE table_name = 'identities'",
        (
            "A person's judgement on whether two entities, assets or strikes are one. "
            "Appended; the latest per pair holds.",
        ),
    )


def add_heat(connection: sqlite3.Connection) -> None:
    """Create both tables, and a trigger by which observations go with the source that they were loaded with."""
    geopackage.add_layer(connection, HEAT, HEAT_COLUMNS, "Heat that satellites saw: witnesses of strikes, no records.")
    connection.execute(
        f"""CREATE TABLE {HEAT_LOADS} (
  dataset TEXT PRIMARY KEY NOT NULL,
  source TEXT NOT NULL,
  observations INTEGER NOT NULL,
  sha256 TEXT NOT NULL
)"""
    )
    of_source = f"(SELECT dataset FROM {HEAT_LOADS} WHERE source = OLD.id)"
    connection.execute(
        f"CREATE TRIGGER {HEAT}_with_source AFTER DELETE ON sources WHEN EXISTS {of_source} BEGIN "
        f"DELETE FROM {HEAT} WHERE dataset IN {of_source}; DELETE FROM {HEAT_LOADS} WHERE source = OLD.id; END"
    )


def _add_conditions(connection: sqlite3.Connection) -> None:
    """Add the table with its guards, and the columns. Of what is there nothing is known."""
    geopackage.add_layer(
        connection, "conditions", _CONDITION_COLUMNS, "How far an asset worked over some days, as a source says."
    )
    note_edits_of(connection, ("conditions",))
    install_privacy(connection, ("conditions",))
    connection.execute("ALTER TABLE assets ADD COLUMN capacity_on TEXT")
    connection.execute("ALTER TABLE sources ADD COLUMN same_report_as TEXT")


def salt_history(connection: sqlite3.Connection) -> None:
    """Salt all rows and hash them anew, each with the hash that it had, and add rows for what stood beside history."""
    connection.execute("ALTER TABLE history ADD COLUMN salt TEXT")
    connection.execute("ALTER TABLE history ADD COLUMN unsalted TEXT")
    for event in ("update", "delete", "replace"):
        connection.execute(f"DROP TRIGGER history_no_{event}")
    head = _salt(connection)
    forbid_changes(connection, "history", "seq")
    connection.execute(f"CREATE INDEX {HASH_INDEX} {HASH_INDEXED}")
    connection.executemany(f"INSERT INTO history {VALUES}", history_chain.linked(head, _notes(connection)))


def _salt(connection: sqlite3.Connection) -> Head:
    """Hash all rows anew; give the new head."""
    head, salts = EMPTY, history_chain.salts()
    query = f"""SELECT seq, "at", who, noun, record, "before", "after", why, hash FROM history
      WHERE seq > ? ORDER BY seq LIMIT {_ROWS}"""
    while rows := connection.execute(query, (head.seq,)).fetchall():
        salted = []
        for (seq, *values, unsalted), salt in zip(rows, salts, strict=False):
            head = Head(seq, history_chain.link(head.hash, seq, tuple(values), salt, unsalted), values[0])
            salted.append((salt, unsalted, head.hash, seq))
        connection.executemany("UPDATE history SET salt = ?, unsalted = ?, hash = ? WHERE seq = ?", salted)
    return head


def _notes(connection: sqlite3.Connection) -> Iterator[Unlinked]:
    """Rows that tell which datasets were listed as private, and which answers to requests are stored."""
    (at,) = connection.execute("""SELECT max(coalesce((SELECT max("at") FROM history), ''),
      strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))""").fetchone()
    listed = connection.execute('SELECT seq, dataset, private, "at", who, why FROM private_datasets ORDER BY seq')
    for seq, dataset, private, since, who, why in listed.fetchall():
        entry = {"seq": seq, "private": bool(private), "at": since, "who": who, "why": why}
        yield at, "strikeatlas upgrade", "private_datasets", dataset, None, orjson.dumps(entry).decode(), None
    answers = connection.execute(
        'SELECT person, key, request, "at", seq, status, headers, body FROM idempotency_keys ORDER BY "at", person, key'
    )
    for *values, body in answers.fetchall():
        digest = hashlib.sha256(orjson.dumps([*values, bytes(body).hex()])).hexdigest()
        answer = orjson.dumps({"at": values[3], "sha256": digest}).decode()
        yield at, "strikeatlas upgrade", "idempotency_keys", values[1], None, answer, None


#: Every step in order. The first is for files of version 1, which were of several kinds, and leaves them at 1.
MIGRATIONS: Sequence[Migration] = (
    Migration(1, "columns and tables that were added without a new version", 1, _complete_columns),
    Migration(2, "history as a chain of hashes, with the edits of other programs in it", 2, _chain_history),
    Migration(
        3, "datasets that are private as a whole, and guards that keep what is private so", 3, _add_private_datasets
    ),
    Migration(4, "answers to requests that are sent again", 2, add_idempotency_keys),
    Migration(5, "indexes of the history, for the log of corrections", 3, add_history_indexes),
    # To a program that knows no reasons the hash of a row with one is wrong.
    Migration(6, "why a change was made, in its row of history", 6, add_reasons),
    # Rows of history hold values of the new columns, which a program that does not know them refuses to restore.
    Migration(7, "whether an asset operates, and from when to when", 7, _add_operating_status),
    # A program that merges no assets shows them side by side, as before they were judged.
    Migration(8, "assets that people judged to be one", 7, _describe_judgements),
    # A program that knows no heat gives the answers that it gave before.
    Migration(9, "observations of heat, as witnesses of strikes", 7, add_heat),
    # Rows of history hold conditions and the new columns, which a program that does not know them refuses to restore.
    Migration(10, "how far assets worked, and which reports are one independent source", 10, _add_conditions),
    # Rows of history hold the new columns, which a program that does not know them refuses to restore.
    Migration(11, "titles and places by language, and persons of several nationalities", 11, _add_languages),
    # To a program that knows no salts every hash is wrong; one that knows no policy publishes what it withholds.
    Migration(12, "history with a salt in each row, so that its hashes give nothing away", 12, salt_history),
)
#: Version of the schema that this program writes.
SCHEMA_VERSION = MIGRATIONS[-1].version
#: The lowest version whose programs may read a file that this program writes.
MINIMUM_READER_VERSION = max(migration.minimum_reader for migration in MIGRATIONS)
