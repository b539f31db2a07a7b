"""How often other programs changed the records of a store: what they edit leaves no history.

Each row that any program adds, changes or removes is counted by triggers in the file itself; ours leave one row of
history for each, so that what is over are edits by others.
"""

from __future__ import annotations

import sqlite3

from layers.geopackage import geopackage
from layers.store import writer
from layers.store.row_mapping import TABLES

#: The table that counts.
NAME = "edits"


def watch(connection: sqlite3.Connection) -> None:
    """Count from now on, within the caller's transaction; nothing is done where it is counted already."""
    if is_watched(connection):
        return
    # Not listed as a layer: it is nothing that a GIS should show.
    connection.execute(f"CREATE TABLE {NAME} (counted INTEGER NOT NULL)")
    connection.execute(f"INSERT INTO {NAME} (counted) VALUES (?)", (writer.last_seq(connection),))
    for table in TABLES:
        for event in ("INSERT", "UPDATE", "DELETE"):
            trigger = geopackage.quote(f"{table}_counted_{event.lower()}")
            connection.execute(
                f"CREATE TRIGGER {trigger} AFTER {event} ON {geopackage.quote(table)} "
                f"BEGIN UPDATE {NAME} SET counted = counted + 1; END"
            )


def is_watched(connection: sqlite3.Connection) -> bool:
    """Whether changes are counted."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (NAME,)).fetchone() is not None


def by_others(connection: sqlite3.Connection) -> int | None:
    """How many rows other programs changed since it is counted; ``None`` where it is not."""
    if not is_watched(connection):
        return None
    (counted,) = connection.execute(f"SELECT counted FROM {NAME}").fetchone()
    return int(counted) - writer.last_seq(connection)
