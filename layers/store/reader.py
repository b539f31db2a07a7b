"""Reads the records of the newest version: all of them, or those that changed since an earlier version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol

from layers.geopackage import geopackage
from layers.model.records import Record, Records
from layers.store import writer
from layers.store.connection import Connection
from layers.store.record_table import PackedRecords, RecordTable
from layers.store.row_mapping import TABLES, Row, Table

#: Rows read at once.
_PAGE = 5000
#: Tables of more records are packed on request.
MANY = 5000
#: Ids in one query; SQLite takes more.
_TOGETHER = 500


class RecordsBelow(Protocol):
    """Records that lie under those of a store, and are not in it."""

    def records(self, name: str, keys: Iterable[str]) -> Mapping[str, Record]:
        """The records of a table with some ids; unknown ids are left out."""


def read_all(connection: Connection, packed: bool = False) -> tuple[int, Records]:
    """The number of the last change, and every record after it; with ``packed`` large tables are packed."""
    tables = {name: _table(connection, table, packed) for name, table in TABLES.items()}
    return writer.last_seq(connection), Records(**tables)


def _table(connection: Connection, table: Table, packed: bool) -> Any:
    if packed:
        (count,) = connection.execute(f"SELECT count(*) FROM {geopackage.quote(table.name)}").fetchone()
        if count > MANY:
            return RecordTable(PackedRecords.of(table, _pages(connection, table)))
    pages = _pages(connection, table)
    return MappingProxyType({record.id: record for page in pages for record in table.records(page)})


def _pages(connection: Connection, table: Table) -> Iterator[Sequence[Row]]:
    cursor = connection.stream(writer.select(table))
    while rows := cursor.fetchmany(_PAGE):
        yield rows


def read_since(
    connection: Connection, seq: int, records: Records, below: RecordsBelow | None = None
) -> tuple[int, Records]:
    """The number of the last change, and every record after it, from ``records``, which are those of change ``seq``.

    A record that was removed is again what ``below`` has of it, if it has it.
    """
    tables: dict[str, Any] = {
        name: _renewed(connection, TABLES[name], records.table(name), keys, below)
        for name, keys in _changed(connection, seq).items()
    }
    return writer.last_seq(connection), replace(records, **tables)


def _changed(connection: Connection, seq: int) -> Mapping[str, Mapping[str, bool]]:
    """Ids of records changed since a change, by table, and whether each was added since."""
    query = f"""SELECT noun, record, max(CASE WHEN "before" IS NULL THEN 1 ELSE 0 END)
      FROM history {connection.dialect.by_number} WHERE seq > ? GROUP BY noun, record"""
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for noun, key, added in connection.execute(query, (seq,)):
        if noun in TABLES:
            found[noun][key] = bool(added)
    return found


def _renewed(
    connection: Connection,
    table: Table,
    before: Mapping[str, Record],
    keys: Mapping[str, bool],
    below: RecordsBelow | None,
) -> Mapping[str, Record]:
    """The records of a table in the order in which they were added."""
    there: dict[str, Any] = _read(connection, table, list(keys))
    if below is not None:
        there |= below.records(table.name, [key for key in keys if key not in there])
    if isinstance(before, RecordTable):
        return before.renewed(there, keys)
    # What was removed and added again is now the last.
    unchanged = {key: record for key, record in before.items() if key not in keys or (key in there and not keys[key])}
    return MappingProxyType(unchanged | there)


def _read(connection: Connection, table: Table, keys: Sequence[str]) -> dict[str, Record]:
    """Records of given ids, in the order in which they were added; unknown ids are left out."""
    rows: list[Row] = []
    for start in range(0, len(keys), _TOGETHER):
        some = keys[start : start + _TOGETHER]
        marks = ", ".join("?" * len(some))
        names = writer.columns_of(table)
        rows += connection.execute(
            f"SELECT fid, {names} FROM {geopackage.quote(table.name)} WHERE id IN ({marks})", some
        )
    rows.sort(key=lambda row: row[0])
    return {record.id: record for record in table.records([row[1:] for row in rows])}
