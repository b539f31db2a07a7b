"""Datasets that may never be published: two tables that say which, and guards in the file that hold for any program.

The guards are plain SQL without functions of this program, so that QGIS and sqlite3 are held to them too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from layers.geopackage import geopackage

TITLE = "datasets that are private as a whole, and guards that keep what is private so"

#: Which datasets became private, and which were made public again, in order. Only ever added to.
PRIVATE_DATASETS = "private_datasets"
#: Private records that were removed, so that their ids do not come back as public ones. Only ever added to.
PRIVATE_REMOVED = "private_removed"
#: Datasets that people write record by record: single records of them are private, never the dataset.
WRITTEN_BY_HAND = ("curated", "judgements", "review")

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


def apply(connection: sqlite3.Connection) -> None:
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
