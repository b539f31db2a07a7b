"""The policy of disclosure of a store, which stands in its history: each change of it is a row, with who and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layers.store import writer
from layers.store.connection import Connection
from layers.store.history_chain import EMPTY, Head
from layers.store.row_mapping import from_json
from layers.store.writer import Authorship

#: In place of a table and an id in rows of history that are about the policy, and no record.
POLICY = "policy"


def read(connection: Connection, seq: int | None = None) -> Mapping[str, Any] | None:
    """The values of the policy that held after a change, by default the last one; ``None`` where there was none."""
    up_to = "" if seq is None else "AND seq <= ?"
    query = f'SELECT "after" FROM history WHERE noun = ? AND record = ? {up_to} ORDER BY seq DESC LIMIT 1'
    row = connection.execute(query, (POLICY, POLICY, *(() if seq is None else (seq,)))).fetchone()
    return None if row is None or row[0] is None else from_json(row[0])


def head(connection: Connection, seq: int) -> Head:
    """The last row, up to a change, by which another policy held; the head of the empty history where there is none."""
    query = 'SELECT seq, hash, "at" FROM history WHERE noun = ? AND seq <= ? ORDER BY seq DESC LIMIT 1'
    row = connection.execute(query, (POLICY, seq)).fetchone()
    return EMPTY if row is None else Head(*row)


def write(connection: Connection, values: Mapping[str, Any] | None, authorship: Authorship) -> None:
    """Add a row by which another policy holds, or none, within the caller's transaction; nothing for an equal one."""
    before, after = read(connection), None if values is None else dict(values)
    if before != after:
        change = (POLICY, POLICY, None if before is None else dict(before), after)
        writer.append_history(connection, writer.in_order(connection, authorship), [change])
