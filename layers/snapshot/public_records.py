"""What may be published of the records: all but the private ones and what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping

from layers.model.records import NOUNS, REFERENCES, Record, Records
from layers.store.record_table import Stored

_Tables = dict[str, dict[str, Record]]


def public(records: Records) -> Records:
    """The records without those marked private, nor any that say something of them.

    A record that refers to a private one is left out with it. Of a list of references, as ``sources``, only the
    private ones are left out, unless none would stay. Gives ``records`` itself where nothing is private.
    """
    hidden = {name: _private(records.table(name)) for name in NOUNS}
    if not any(hidden.values()):
        return records
    tables: _Tables = {name: dict(records.table(name)) for name in NOUNS}
    gone = {name: set(keys) for name, keys in hidden.items()}
    while any(hidden.values()):
        for name, keys in hidden.items():
            gone[name] |= keys
            for key in keys:
                del tables[name][key]
        hidden = {name: _left_alone(name, tables, gone) for name in NOUNS}
    return Records.of(tables)


def _private(table: Mapping[str, Record]) -> set[str]:
    if isinstance(table, Stored):
        return table.private()
    return {key for key, record in table.items() if record.private}


def _left_alone(name: str, tables: _Tables, gone: dict[str, set[str]]) -> set[str]:
    """Take what is gone out of lists of references; give the records that cannot stand without it."""
    alone: set[str] = set()
    for column, targets in REFERENCES.get(name, {}).items():

        def is_gone(key: str, targets: tuple[str, ...] = targets) -> bool:
            there = any(key in tables[target] for target in targets)
            return not there and any(key in gone[target] for target in targets)

        for key, record in tables[name].items():
            value = getattr(record, column)
            if isinstance(value, tuple):
                kept = tuple(one for one in value if not is_gone(one))
                if value and not kept:
                    alone.add(key)
                elif kept != value:
                    tables[name][key] = record.model_copy(update={column: kept})
            elif value is not None and is_gone(value):
                alone.add(key)
    return alone
