"""Datasets and records that may never be published: two tables in the file, and guards that hold for any program.

A dataset is private as a whole from the day on which it is listed; a record that is private by itself stays so. The
guards are plain SQL without functions of this program, so that QGIS and sqlite3 are held to them too; the writer corrects
by the same conditions what the guards would refuse.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from layers.geopackage import geopackage
from layers.model.records import Record
from layers.store.row_mapping import TABLES

#: Which datasets became private, and which were made public again, in order. Only ever added to.
PRIVATE_DATASETS = "private_datasets"
#: Private records that were removed, so that their ids do not come back as public ones. Only ever added to.
PRIVATE_REMOVED = "private_removed"
#: Datasets that people write record by record: single records of them are private, never the dataset.
WRITTEN_BY_HAND = frozenset({"curated", "review", "judgements"})

_R = TypeVar("_R", bound=Record)

_TABLES = (
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
# The newest row of a dataset says what it is.
_LISTED = (
    f"SELECT dataset FROM {PRIVATE_DATASETS} AS listed WHERE private AND NOT EXISTS "
    f"(SELECT 1 FROM {PRIVATE_DATASETS} AS later WHERE later.dataset = listed.dataset AND later.seq > listed.seq)"
)
_PREFIX = "private_guard_"


@dataclass(frozen=True, slots=True)
class PrivateDataset:
    """A dataset that is private: since when (RFC 3339, UTC), by whom and why it became so."""

    dataset: str
    at: str
    who: str
    why: str


def install(connection: sqlite3.Connection) -> None:
    """Create both tables and every guard, within the caller's transaction; nothing is done where they are."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (PRIVATE_DATASETS,)).fetchone():
        for statement in _TABLES:
            connection.execute(statement)
    for name, body in _guards().items():
        connection.execute(f"CREATE TRIGGER IF NOT EXISTS {geopackage.quote(name)} {body}")


def _guards() -> Mapping[str, str]:
    """Bodies of the triggers by name."""
    guards = {
        f"{_PREFIX}datasets_lift": _refusal(
            f"BEFORE INSERT ON {PRIVATE_DATASETS} WHEN NEW.private = 0",
            "a private dataset is made public by strikeatlas dataset publish alone",
        )
    }
    for table in (PRIVATE_DATASETS, PRIVATE_REMOVED):
        for event in ("UPDATE", "DELETE"):
            name = f"{_PREFIX}{table}_{event.lower()}"
            guards[name] = _refusal(f"BEFORE {event} ON {table}", f"{table} is only ever added to")
    guards[f"{_PREFIX}{PRIVATE_DATASETS}_replace"] = _refusal(
        f"BEFORE INSERT ON {PRIVATE_DATASETS} WHEN EXISTS (SELECT 1 FROM {PRIVATE_DATASETS} WHERE seq = NEW.seq)",
        f"{PRIVATE_DATASETS} is only ever added to",
    )
    for noun in TABLES:
        guards |= {f"{_PREFIX}{noun}_{name}": body for name, body in _guards_of(noun)}
    return guards


def _guards_of(noun: str) -> Iterator[tuple[str, str]]:
    """Yield name and body of the triggers that keep the private records of a table private."""
    table = geopackage.quote(noun)
    # INSERT OR REPLACE removes rows of the same id or number without a delete trigger (sqlite.org/lang_conflict.html).
    replaced = f"EXISTS (SELECT 1 FROM {table} WHERE private = 1 AND (id = NEW.id OR fid = NEW.fid)"
    removed = f"EXISTS (SELECT 1 FROM {PRIVATE_REMOVED} WHERE noun = '{noun}' AND record = NEW.id)"
    # Anything but 1 may be read as public.
    new = f"NEW.private IS NOT 1 AND (NEW.dataset IN ({_LISTED}) OR {removed} OR {replaced}"
    yield (
        "insert",
        _refusal(
            f"BEFORE INSERT ON {table} WHEN {new}))",
            f"{noun}: the record or its dataset is private, so private must be 1",
        ),
    )
    old = f"OLD.private = 1 OR OLD.dataset IN ({_LISTED})"
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
    was_private = f"(OLD.private = 1 OR OLD.dataset IN ({_LISTED}))"
    yield "delete", f"AFTER DELETE ON {table} WHEN {was_private} {remember}"
    yield "rename", f"AFTER UPDATE OF id ON {table} WHEN OLD.id <> NEW.id AND {was_private} {remember}"


def _refusal(event: str, sentence: str) -> str:
    return f"{event} BEGIN SELECT RAISE(ABORT, '{sentence}'); END"


@contextmanager
def unguarded(connection: sqlite3.Connection, *nouns: str) -> Iterator[None]:
    """Take the triggers away that refuse an update of some tables, and put them back as they were.

    Within the caller's transaction: no other connection ever sees the file without them, and where anything fails they
    are still there.
    """
    tables = (PRIVATE_DATASETS, PRIVATE_REMOVED, *nouns)
    marks = ", ".join("?" * len(tables))
    found = connection.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({marks}) "
        f"AND (name LIKE '{_PREFIX}%' OR name LIKE '%_no_update')",
        tables,
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP TRIGGER {geopackage.quote(name)}")
    yield
    for _, sql in found:
        connection.execute(sql)


def private_datasets(connection: sqlite3.Connection) -> Mapping[str, PrivateDataset]:
    """The datasets that are private now, by id; of one that was listed repeatedly the newest row counts."""
    query = f'SELECT dataset, "at", who, why FROM {PRIVATE_DATASETS} WHERE dataset IN ({_LISTED}) ORDER BY seq'
    return MappingProxyType({row[0]: PrivateDataset(*row) for row in connection.execute(query)})


def list_dataset(connection: sqlite3.Connection, entry: PrivateDataset, private: bool) -> None:
    """Append that a dataset is private, or no longer is, within the caller's transaction."""
    connection.execute(
        f'INSERT INTO {PRIVATE_DATASETS} (dataset, private, "at", who, why) VALUES (?, ?, ?, ?, ?)',
        (entry.dataset, int(private), entry.at, entry.who, entry.why),
    )


def private_column(noun: str) -> str:
    """Give the SQL for whether a row is private: as it says, or since its dataset is, whatever the row says.

    So is a judgement of identity about a private record, also after that record was removed: no other reference
    outlives the record that it names.
    """
    conditions = [f"dataset IN ({_LISTED})"]
    if noun == "identities":
        removed = f"(SELECT record FROM {PRIVATE_REMOVED} WHERE noun IN ('strikes', 'entities'))"
        conditions += [f'"one" IN {removed}', f'"other" IN {removed}']
    return f"CASE WHEN {' OR '.join(conditions)} THEN 1 ELSE private END"


@dataclass(frozen=True)
class Privacy:
    """What must stay private in one version of a store: datasets by id, and ids of removed records by table."""

    datasets: Mapping[str, PrivateDataset] = field(default_factory=dict)
    removed: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: sqlite3.Connection) -> Privacy:
        """Read it within the caller's transaction."""
        removed: dict[str, set[str]] = defaultdict(set)
        for noun, record in connection.execute(f"SELECT noun, record FROM {PRIVATE_REMOVED}"):
            removed[noun].add(record)
        return cls(private_datasets(connection), {noun: frozenset(ids) for noun, ids in removed.items()})

    def applied(self, noun: str, record: _R, was_private: bool = False) -> _R:
        """Return a record as it may be stored: private if its dataset is, or if the record was; else as it is."""
        stays = was_private or record.dataset in self.datasets or record.id in self.removed.get(noun, ())
        return as_private(record) if stays else record


def as_private(record: _R) -> _R:
    """Return the record marked private."""
    return record if record.private else record.model_copy(update={"private": True})


def stays_private(connection: sqlite3.Connection, noun: str, record: Record) -> bool:
    """Whether a record of a table must be private because of its dataset, or of a removed one of its id."""
    query = f"SELECT ?1 IN ({_LISTED}) OR EXISTS (SELECT 1 FROM {PRIVATE_REMOVED} WHERE noun = ?2 AND record = ?3)"
    return bool(connection.execute(query, (record.dataset, noun, record.id)).fetchone()[0])
