"""What is private in a store: which datasets are, as a whole, and which records stay so by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from layers.model.records import Record
from layers.store.connection import Connection
from layers.store.migrations.tables import LISTED, PRIVATE_DATASETS, PRIVATE_REMOVED

_R = TypeVar("_R", bound=Record)


@dataclass(frozen=True, slots=True)
class PrivateDataset:
    """A dataset that is private: since when (RFC 3339, UTC), by whom and why it became so."""

    dataset: str
    at: str
    who: str
    why: str


def private_datasets(connection: Connection) -> Mapping[str, PrivateDataset]:
    """The datasets that are private now, by id; of one that was listed repeatedly the newest row counts."""
    query = f'SELECT dataset, "at", who, why FROM {PRIVATE_DATASETS} WHERE dataset IN ({LISTED}) ORDER BY seq'
    return MappingProxyType({row[0]: PrivateDataset(*row) for row in connection.execute(query)})


def list_dataset(connection: Connection, entry: PrivateDataset, private: bool) -> Mapping[str, Any]:
    """Append that a dataset is private, or no longer is, within the caller's transaction; give it as `listings` do."""
    connection.execute(
        f'INSERT INTO {PRIVATE_DATASETS} (dataset, private, "at", who, why) VALUES (?, ?, ?, ?, ?)',
        (entry.dataset, private, entry.at, entry.who, entry.why),
    )
    *_, (_, listing) = listings(connection)
    return listing


def listings(connection: Connection) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield, in order, each dataset that became private, or public again, and what history tells of that."""
    rows = connection.execute(f'SELECT dataset, seq, private, "at", who, why FROM {PRIVATE_DATASETS} ORDER BY seq')
    for dataset, seq, private, at, who, why in rows:
        yield dataset, {"seq": seq, "private": bool(private), "at": at, "who": who, "why": why}


def private_column(noun: str) -> str:
    """Give the SQL for whether a row is private: as it says, or since its dataset is, whatever the row says.

    So is a judgement of identity about a private record, also after that record was removed: no other reference
    outlives the record that it names.
    """
    conditions = [f"dataset IN ({LISTED})"]
    if noun == "identities":
        removed = f"(SELECT record FROM {PRIVATE_REMOVED} WHERE noun IN ('strikes', 'assets', 'entities'))"
        conditions += [f'"one" IN {removed}', f'"other" IN {removed}']
    return f"CASE WHEN {' OR '.join(conditions)} THEN TRUE ELSE private END"


def is_private(noun: str) -> str:
    """Give the condition for rows that are private, as `private_column` has it; anything but true is public."""
    return f"coalesce({private_column(noun)}, FALSE) = TRUE"


@dataclass(frozen=True)
class Privacy:
    """What must stay private in one version of a store: datasets by id, and ids of removed records by table."""

    datasets: Mapping[str, PrivateDataset] = field(default_factory=dict)
    removed: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Connection) -> Privacy:
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


def stays_private(connection: Connection, noun: str, record: Record) -> bool:
    """Whether a record of a table must be private because of its dataset, or of a removed one of its id."""
    query = f"SELECT ?1 IN ({LISTED}) OR EXISTS (SELECT 1 FROM {PRIVATE_REMOVED} WHERE noun = ?2 AND record = ?3)"
    return bool(connection.execute(query, (record.dataset, noun, record.id)).fetchone()[0])
