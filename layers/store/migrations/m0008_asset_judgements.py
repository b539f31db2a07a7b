"""People judge assets to be one, too: what the table of judgements says of itself."""

from __future__ import annotations

import sqlite3

TITLE = "assets that people judged to be one"


def apply(connection: sqlite3.Connection) -> None:
    """Describe the table anew; its columns and rows stay as they are."""
    connection.execute(
        "UPDATE gpkg_contents SET description = ? WHERE table_name = 'identities'",
        (
            "A person's judgement on whether two entities, assets or strikes are one. "
            "Appended; the latest per pair holds.",
        ),
    )
