"""What writes leave and how they clash: revisions of records, reports of loads, and who was quicker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson

from layers.geopackage import geopackage
from layers.store.connection import Connection
from layers.store.connections import StoreError
from layers.store.writer import Difference


@dataclass(frozen=True)
class Revision:
    """One change of one record.

    ``at`` is RFC 3339 in UTC, ``record`` the id. ``before`` is None for a new record,
    ``after`` for a removed one; both hold the columns of the table, geometry as WKT, lon/lat, in full. ``why`` is the
    reason that was stated, None without one.
    """

    seq: int
    at: str
    author: str
    table: str
    record: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    why: str | None

    @classmethod
    def of_row(
        cls,
        seq: int,
        at: str,
        author: str,
        table: str,
        record: str,
        before: str | None,
        after: str | None,
        why: str | None,
    ) -> Revision:
        """Read a row of history, whose values before and after are JSON texts."""
        was, now = (None if text is None else orjson.loads(text) for text in (before, after))
        return cls(seq, at, author, table, record, was, now, why)


@dataclass(frozen=True)
class LoadReport:
    """Numbers of records that a load added, changed, removed and left, by table, and its last change number."""

    added: Mapping[str, int]
    changed: Mapping[str, int]
    removed: Mapping[str, int]
    unchanged: Mapping[str, int]
    seq: int

    @classmethod
    def of(cls, done: Mapping[str, Difference], seq: int) -> LoadReport:
        """Count the differences of each table."""
        return cls(
            added=MappingProxyType({name: len(difference.added) for name, difference in done.items()}),
            changed=MappingProxyType({name: len(difference.changed) for name, difference in done.items()}),
            removed=MappingProxyType({name: len(difference.removed) for name, difference in done.items()}),
            unchanged=MappingProxyType({name: difference.unchanged for name, difference in done.items()}),
            seq=seq,
        )


class Conflict(StoreError):
    """A record was added that the writer had not seen; ``newest`` is the id of the last one about its subject."""

    def __init__(self, newest: str | None) -> None:
        super().__init__(f"the newest record about it is {newest or 'none'}, which the writer had not seen")
        self.newest = newest


class StaleVersion(StoreError):
    """The store was changed after the version that the writer went by."""

    def __init__(self, seen: int, last: int) -> None:
        super().__init__(f"the store is at change {last}, and the writer had seen {seen}; nothing was written")


@dataclass(frozen=True, slots=True)
class ExpectedLatest:
    """The newest record that a writer saw with ``value`` in ``column``: its ``id``, or None where there was none."""

    column: str
    value: str
    id: str | None

    def require(self, connection: Connection, table: str) -> None:
        """Refuse where something newer was added.

        Raises
        ------
        Conflict
            With the id of the newest record.
        """
        query = (
            f"SELECT id FROM {geopackage.quote(table)} WHERE {geopackage.quote(self.column)} = ? "
            "ORDER BY fid DESC LIMIT 1"
        )
        row = connection.execute(query, (self.value,)).fetchone()
        newest = None if row is None else str(row[0])
        if newest != self.id:
            raise Conflict(newest)
