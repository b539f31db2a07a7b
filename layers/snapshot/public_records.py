"""The records that may be published: all but the private ones and those that refer to them."""

from __future__ import annotations

from collections.abc import Mapping

from layers.model.records import RECORD_TYPES, REFERENCES, Record, Records
from layers.store.record_table import RecordTable

_Tables = dict[str, dict[str, Record]]


def public(records: Records) -> Records:
    """The records without those marked private and those that refer to them.

    A record that refers to a private one is left out with it. Of a list of references, as ``sources``, only the
    private ones are left out, unless none would stay. Gives ``records`` itself where nothing is private.
    """
    hidden = {name: _private(records.table(name)) for name in RECORD_TYPES}
    if not any(hidden.values()):
        return records
    tables: _Tables = {name: dict(records.table(name)) for name in RECORD_TYPES}
    gone = {name: set(keys) for name, keys in hidden.items()}
    while any(hidden.values()):
        for name, keys in hidden.items():
            gone[name] |= keys
            for key in keys:
                del tables[name][key]
        hidden = {name: _without_lost_references(name, tables, gone) for name in RECORD_TYPES}
    return Records.of(tables)


def _private(table: Mapping[str, Record]) -> set[str]:
    if isinstance(table, RecordTable):
        return table.private()
    return {key for key, record in table.items() if record.private}


def _without_lost_references(name: str, tables: _Tables, gone: dict[str, set[str]]) -> set[str]:
    """Remove lost records from lists of references; give the records that cannot stand without them."""
    alone: set[str] = set()
    for column, targets in REFERENCES.get(name, {}).items():

        def is_gone(key: str, targets: tuple[str, ...] = targets) -> bool:
            there = any(key in tables[target] for target in targets)
            return not there and any(key in gone[target] for target in targets)

        for key, record in tables[name].items():
            value = getattr(record, column)
            if isinstance(value, tuple):
                public_ids = tuple(one for one in value if not is_gone(one))
                if value and not public_ids:
                    alone.add(key)
                elif public_ids != value:
                    tables[name][key] = record.model_copy(update={column: public_ids})
            elif value is not None and is_gone(value):
                alone.add(key)
    return alone
