"""Each row of history may say why the change was made, and its hash proves that too."""

from __future__ import annotations

import sqlite3

TITLE = "why a change was made, in its row of history"


def apply(connection: sqlite3.Connection) -> None:
    """Add the column. Rows that are there have no reason, and their hashes are what they were."""
    connection.execute("ALTER TABLE history ADD COLUMN why TEXT")
