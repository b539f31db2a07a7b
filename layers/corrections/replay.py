"""The records as they were after a change, from the history alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.records import RECORD_TYPES, Records
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
