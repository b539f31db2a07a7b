"""Assets say whether they operate, since when and until when."""

from __future__ import annotations

import sqlite3

TITLE = "whether an asset operates, and from when to when"


def apply(connection: sqlite3.Connection) -> None:
    """Add the columns. Of assets that are there nothing is known, as no program before had a place for it."""
    for column in ("status", "since", "until"):
        connection.execute(f"ALTER TABLE assets ADD COLUMN {column} TEXT")
