"""The records as they were after a change, from the history alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.records import RECORD_TYPES, Record, Records
from layers.resolution.table_edit import TableEdit
from layers.store.store import Store, StoreError


def records_at(store: Store, seq: int) -> Records:
    """Replay the history up to a change; of each table the records come in the order in which they were added.

    What other programs wrote without history is not in them.

    Raises
    ------
    UnknownRecord
        If there is no such change.
    StoreError
        If values of that time are no valid record any more.
    """
    if not 0 <= seq <= store.seq():
        raise UnknownRecord(Message("record.no-change", {"seq": seq, "last": store.seq()}))
    tables: dict[str, dict[str, Mapping[str, Any]]] = {name: {} for name in RECORD_TYPES}
    for revision in store.revisions():
        if revision.seq > seq:
            break
        if revision.before is None or revision.after is None:
            tables[revision.table].pop(revision.record, None)
        if revision.after is not None:
            tables[revision.table][revision.record] = revision.after
    try:
        return Records.of(
            {
                name: {key: RECORD_TYPES[name].model_validate(values) for key, values in rows.items()}
                for name, rows in tables.items()
            }
        )
    except ValidationError as error:
        raise StoreError(f"change {seq}: what was then is no valid record now: {error}") from error


def recent_records_at(store: Store, seq: int) -> Records:
    """The records as `records_at` gives them, from those of now and the changes since: quicker if these are few.

    Large tables stay packed. Edits of other programs that history does not tell of are in them.

    Raises
    ------
    UnknownRecord
        If there is no such change.
    StoreError
        If values of that time are no valid record any more.
    """
    newest, records = store.version(packed=True)
    if not 0 <= seq <= newest:
        raise UnknownRecord(Message("record.no-change", {"seq": seq, "last": newest}))
    before: dict[str, dict[str, Mapping[str, Any] | None]] = {name: {} for name in RECORD_TYPES}
    for revision in store.revisions(seq):
        if revision.seq > newest:
            break
        before[revision.table].setdefault(revision.record, revision.before)
        if revision.after is None and before[revision.table][revision.record] is not None:
            return records_at(store, seq)  # its place in the order is known by the whole history alone
    try:
        tables: dict[str, Any] = {name: _undone(name, records.table(name), values) for name, values in before.items()}
        return Records(**tables)
    except ValidationError as error:
        raise StoreError(f"change {seq}: what was then is no valid record now: {error}") from error


def _undone(
    name: str, table: Mapping[str, Record], before: Mapping[str, Mapping[str, Any] | None]
) -> Mapping[str, Record]:
    """A table with the values that some of its records had before; of those that it did not have, none is left."""
    edit = TableEdit[Record](table)
    for key, values in before.items():
        if values is None:
            edit.remove(key)
        else:
            edit.put(RECORD_TYPES[name].model_validate(values))
    return edit.finish()
