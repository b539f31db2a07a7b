"""The records that may be published: all but the private ones and those that refer to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from layers.model.records import RECORD_TYPES, REFERENCES, Record, Records
from layers.resolution.table_edit import TableEdit
from layers.store.record_table import RecordTable


def public(records: Records) -> Records:
    """The records without those marked private and those that refer to them.

    A record that refers to a private one is left out with it. Of a list of references, as ``sources``, only the
    private ones are left out, unless none would stay. Gives ``records`` itself where nothing is private.
    """
    lost = {name: private_ids(records.table(name)) for name in RECORD_TYPES}
    if not any(lost.values()):
        return records
    edits: dict[str, TableEdit[Any]] = {name: TableEdit(records.table(name)) for name in RECORD_TYPES}
    while any(lost.values()):
        for name, keys in lost.items():
            for key in keys:
                edits[name].remove(key)
        lost = {name: _lost(records, name, edits, lost) for name in RECORD_TYPES}
    tables: dict[str, Any] = {name: edit.finish() for name, edit in edits.items()}
    return Records(**tables)


def private_ids(table: Mapping[str, Record]) -> AbstractSet[str]:
    """Ids of the records of a table that are marked private."""
    if isinstance(table, RecordTable):
        return table.private()
    return {key for key, record in table.items() if record.private}


def _lost(
    records: Records, name: str, edits: Mapping[str, TableEdit[Any]], gone: Mapping[str, AbstractSet[str]]
) -> set[str]:
    """Leave references to records that have gone out of lists; give the records that cannot be without them."""
    lost: set[str] = set()
    for column, targets in REFERENCES.get(name, {}).items():
        keys = {key for target in targets for key in gone[target]}
        keys = {key for key in keys if not any(key in edits[target] for target in targets)}
        for record in referring(records, name, column, keys):
            if record.id not in edits[name]:
                continue
            value = getattr(edits[name][record.id], column)
            others = tuple(one for one in value if one not in keys) if isinstance(value, tuple) else ()
            if others:
                edits[name].update(record.id, {column: others})
            else:
                lost.add(record.id)
    return lost


def referring(records: Records, name: str, column: str, keys: AbstractSet[str]) -> Iterator[Record]:
    """Yield the records of a table that refer to some others by a column, of which only large tables are not read."""
    table = records.table(name)
    if not keys:
        return
    if isinstance(table, RecordTable) and column in table.rows.referring:
        for key in keys:
            yield from table.where(column, key)
        return
    for record in table.values():
        value = getattr(record, column)
        if not keys.isdisjoint(value) if isinstance(value, tuple) else value in keys:
            yield record
