"""What a store is published by, in its history: the policy of disclosure, and the open layer under its records.

Each change of either is a row, with who and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layers.store import writer
from layers.store.connection import Connection
from layers.store.history_chain import EMPTY, Head
from layers.store.row_mapping import from_json
from layers.store.writer import Authorship

#: In place of a table and an id in rows of history that are about the policy, or the open layer, and no record.
POLICY, OPEN_LAYER = "policy", "open_layer"


def read(connection: Connection, seq: int | None = None, what: str = POLICY) -> Mapping[str, Any] | None:
    """The values that held after a change, by default the last one; ``None`` where there were none."""
    up_to = "" if seq is None else "AND seq <= ?"
    query = f'SELECT "after" FROM history WHERE noun = ? AND record = ? {up_to} ORDER BY seq DESC LIMIT 1'
    row = connection.execute(query, (what, what, *(() if seq is None else (seq,)))).fetchone()
    return None if row is None or row[0] is None else from_json(row[0])


def head(connection: Connection, seq: int) -> Head:
    """The last row, up to a change, by which other ones held; the head of the empty history where there is none."""
    query = 'SELECT seq, hash, "at" FROM history WHERE noun IN (?, ?) AND seq <= ? ORDER BY seq DESC LIMIT 1'
    row = connection.execute(query, (POLICY, OPEN_LAYER, seq)).fetchone()
    return EMPTY if row is None else Head(*row)


def write(connection: Connection, values: Mapping[str, Any] | None, authorship: Authorship, what: str = POLICY) -> None:
    """Add a row by which other values hold, or none, within the caller's transaction; nothing for equal ones."""
    before, after = read(connection, None, what), None if values is None else dict(values)
    if before != after:
        change = (what, what, None if before is None else dict(before), after)
        writer.append_history(connection, writer.in_order(connection, authorship), [change])
