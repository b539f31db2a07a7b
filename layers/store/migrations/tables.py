"""Tables, triggers and indexes that a step brings into the file of an earlier version, and that a new file has too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from layers.geopackage import geopackage

#: Which datasets became private, and which were made public again, in order. Only ever added to.
PRIVATE_DATASETS = "private_datasets"
#: Private records that were removed, so that their ids do not come back as public ones. Only ever added to.
PRIVATE_REMOVED = "private_removed"
#: Datasets that people write record by record: single records of them are private, never the dataset.
WRITTEN_BY_HAND = ("curated", "judgements", "review")

_DECLARATIONS = (
    f"""CREATE TABLE {PRIVATE_DATASETS} (
  seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  dataset TEXT NOT NULL,
  private INTEGER NOT NULL CHECK (private IN (0, 1)),
  "at" DATETIME NOT NULL,
  who TEXT NOT NULL,
  why TEXT NOT NULL
)""",
    f"CREATE INDEX {PRIVATE_DATASETS}_dataset ON {PRIVATE_DATASETS} (dataset, seq)",
    f"""CREATE TABLE {PRIVATE_REMOVED} (
  noun TEXT NOT NULL,
  record TEXT NOT NULL,
  dataset TEXT NOT NULL,
  PRIMARY KEY (noun, record)
)""",
)
#: The query for the datasets that are private; the newest row of a dataset says what it is.
LISTED = (
    f"SELECT dataset FROM {PRIVATE_DATASETS} AS listed WHERE private AND NOT EXISTS "
    f"(SELECT 1 FROM {PRIVATE_DATASETS} AS later WHERE later.dataset = listed.dataset AND later.seq > listed.seq)"
)
#: How the names of the guards begin.
GUARD = "private_guard_"
#: Indexes of history by name, so that a page of it, by record or kind of change, never scans all of it.
INDEXES: Mapping[str, str] = {
    "history_of_record": "ON history (noun, record, seq)",
    "history_of_changes": 'ON history (seq) WHERE "before" IS NOT NULL',
    "history_of_removals": 'ON history (seq) WHERE "after" IS NULL',
}
#: The index by which a row is found by the first digits of its hash, and how many these are.
HASH_INDEX, DIGITS = "history_of_hash", 16
HASH_INDEXED = f"ON history (substr(hash, 1, {DIGITS}))"
#: What rows of history are about that are of no record: tables beside it, whose rows they tell of, and the policy
#: and the open layer.
NOTES = ("private_datasets", "idempotency_keys", "policy", "open_layer")
#: The table of observations, which GIS show too, and the one of what was loaded into it.
HEAT, HEAT_LOADS = "heat_observations", "heat_loads"
#: Declarations of the columns of an observation. Another program cannot write one that is no such thing.
HEAT_COLUMNS: Mapping[str, str] = {
    "dataset": "TEXT NOT NULL",
    # From 1970 to the year 2200.
    "at": """DATETIME NOT NULL CHECK (ifnull(strftime('%s', "at"), -1) + 0 BETWEEN 0 AND 7258118400)""",
    "lon": "REAL NOT NULL CHECK (lon BETWEEN -180 AND 180)",
    "lat": "REAL NOT NULL CHECK (lat BETWEEN -90 AND 90)",
    "sensor": "TEXT NOT NULL",
    "radius_m": "REAL NOT NULL CHECK (typeof(radius_m) = 'real')",
    "confidence": "TEXT NOT NULL CHECK (confidence IN ('low', 'nominal', 'high'))",
    "frp_mw": "REAL CHECK (typeof(frp_mw) IN ('real', 'null'))",
    "type": "INTEGER CHECK (type IN (0, 1, 2, 3))",
}
#: Triggers by name: event, a further condition, and the ids that are noted. Where OR REPLACE removes a row that has the
#: same fid no trigger fires for that one (sqlite.org/lang_conflict.html), so that it is noted before.
_NOTING = {
    "noted_insert": ("AFTER INSERT", "", "NEW.id"),
    "noted_update": ("AFTER UPDATE", "", "OLD.id", "NEW.id WHERE NEW.id IS NOT OLD.id"),
    "noted_delete": ("AFTER DELETE", "", "OLD.id"),
    "noted_replace": ("BEFORE INSERT", "", "id FROM {t} WHERE fid = NEW.fid"),
    "noted_move": ("BEFORE UPDATE", " AND NEW.fid IS NOT OLD.fid", "id FROM {t} WHERE fid = NEW.fid"),
}


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


def create_history(connection: sqlite3.Connection) -> None:
    """Create the table of history, which is only ever added to, and list it for GIS."""
    create_history_table(connection, "history")
    geopackage.register(connection, "history", "Every change of every record, in order. Only ever added to.")
    forbid_changes(connection, "history", "seq")


def create_history_table(connection: sqlite3.Connection, name: str) -> None:
    """Create a table for the rows of history under some name, without its triggers."""
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


def install_privacy(connection: sqlite3.Connection, nouns: Iterable[str]) -> None:
    """Create both tables and every guard, within the caller's transaction; nothing is done where they are."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (PRIVATE_DATASETS,)).fetchone():
        for statement in _DECLARATIONS:
            connection.execute(statement)
    for name, body in _guards(nouns).items():
        connection.execute(f"CREATE TRIGGER IF NOT EXISTS {geopackage.quote(name)} {body}")


def _guards(nouns: Iterable[str]) -> Mapping[str, str]:
    """Bodies of the triggers by name."""
    guards = {
        f"{GUARD}datasets_lift": _refusal(
            f"BEFORE INSERT ON {PRIVATE_DATASETS} WHEN NEW.private = 0",
            "a private dataset is made public by strikeatlas dataset publish alone",
        )
    }
    for table in (PRIVATE_DATASETS, PRIVATE_REMOVED):
        for event in ("UPDATE", "DELETE"):
            name = f"{GUARD}{table}_{event.lower()}"
            guards[name] = _refusal(f"BEFORE {event} ON {table}", f"{table} is only ever added to")
    guards[f"{GUARD}{PRIVATE_DATASETS}_replace"] = _refusal(
        f"BEFORE INSERT ON {PRIVATE_DATASETS} WHEN EXISTS (SELECT 1 FROM {PRIVATE_DATASETS} WHERE seq = NEW.seq)",
        f"{PRIVATE_DATASETS} is only ever added to",
    )
    for noun in nouns:
        guards |= {f"{GUARD}{noun}_{name}": body for name, body in _guards_of(noun)}
    return guards


def _guards_of(noun: str) -> Iterator[tuple[str, str]]:
    """Yield name and body of the triggers that keep the private records of a table private."""
    table = geopackage.quote(noun)
    # INSERT OR REPLACE removes rows of the same id or number without a delete trigger (sqlite.org/lang_conflict.html).
    replaced = f"EXISTS (SELECT 1 FROM {table} WHERE private = 1 AND (id = NEW.id OR fid = NEW.fid)"
    removed = f"EXISTS (SELECT 1 FROM {PRIVATE_REMOVED} WHERE noun = '{noun}' AND record = NEW.id)"
    # Anything but 1 may be read as public.
    new = f"NEW.private IS NOT 1 AND (NEW.dataset IN ({LISTED}) OR {removed} OR {replaced}"
    yield (
        "insert",
        _refusal(
            f"BEFORE INSERT ON {table} WHEN {new}))",
            f"{noun}: the record or its dataset is private, so private must be 1",
        ),
    )
    old = f"OLD.private = 1 OR OLD.dataset IN ({LISTED})"
    yield (
        "update",
        _refusal(
            f"BEFORE UPDATE ON {table} WHEN {new} AND fid <> OLD.fid) OR {old})",
            f"{noun}: a private record, or one of a private dataset, stays private",
        ),
    )
    remember = (
        f"BEGIN INSERT INTO {PRIVATE_REMOVED} SELECT '{noun}', OLD.id, OLD.dataset WHERE NOT EXISTS "
        f"(SELECT 1 FROM {PRIVATE_REMOVED} WHERE noun = '{noun}' AND record = OLD.id); END"
    )
    was_private = f"(OLD.private = 1 OR OLD.dataset IN ({LISTED}))"
    yield "delete", f"AFTER DELETE ON {table} WHEN {was_private} {remember}"
    yield "rename", f"AFTER UPDATE OF id ON {table} WHEN OLD.id <> NEW.id AND {was_private} {remember}"


def _refusal(event: str, sentence: str) -> str:
    return f"{event} BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
