"""How far assets worked over time; for which time a capacity was stated; which report a source retells."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from layers.geopackage import geopackage
from layers.store.migrations.m0002_history_chain import note_edits_of
from layers.store.migrations.m0003_private_datasets import install_privacy

TITLE = "how far assets worked, and which reports are one voice"

_TABLE = "conditions"
_COLUMNS: Mapping[str, str] = {
    "id": "TEXT NOT NULL UNIQUE",
    "dataset": "TEXT",
    "private": "BOOLEAN",
    "asset": "TEXT NOT NULL",
    "strike": "TEXT",
    "status": "TEXT NOT NULL",
    "working_min": "REAL",
    "working_max": "REAL",
    "since": "TEXT NOT NULL",
    "until": "TEXT",
    "source": "TEXT NOT NULL",
    "checked": "TEXT NOT NULL",
    "note": "TEXT",
}


def apply(connection: sqlite3.Connection) -> None:
    """Add the table with its guards, and the columns. Of what is there nothing is known."""
    geopackage.add_layer(connection, _TABLE, _COLUMNS, "How far an asset worked over some days, as a source says.")
    note_edits_of(connection, (_TABLE,))
    install_privacy(connection, (_TABLE,))
    connection.execute("ALTER TABLE assets ADD COLUMN capacity_on TEXT")
    connection.execute("ALTER TABLE sources ADD COLUMN same_report_as TEXT")
