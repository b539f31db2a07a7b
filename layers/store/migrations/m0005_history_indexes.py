"""History is read by record and by kind of change through indexes, so that a page of it never scans all of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

TITLE = "indexes of the history, for the log of corrections"

#: The indexes by name.
INDEXES: Mapping[str, str] = {
    "history_of_record": "ON history (noun, record, seq)",
    "history_of_changes": 'ON history (seq) WHERE "before" IS NOT NULL',
    "history_of_removals": 'ON history (seq) WHERE "after" IS NULL',
}


def apply(connection: sqlite3.Connection) -> None:
    """Create the indexes."""
    for name, what in INDEXES.items():
        connection.execute(f"CREATE INDEX {name} {what}")
