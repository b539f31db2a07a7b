"""Observations of heat stand in a table of their own: they are no records, and history has the digest of each load."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from layers.geopackage import geopackage

TITLE = "observations of heat, as witnesses of strikes"

#: The table of observations, which GIS show too, and the one of what was loaded into it.
TABLE, LOADS = "heat_observations", "heat_loads"
#: Declarations of the columns of an observation. Another program cannot write one that is no such thing.
COLUMNS: Mapping[str, str] = {
    "dataset": "TEXT NOT NULL",
    # From 1970 to the year 2200.
    "at": """DATETIME NOT NULL CHECK (ifnull(strftime('%s', "at"), -1) + 0 BETWEEN 0 AND 7258118400)""",
    "lon": "REAL NOT NULL CHECK (lon BETWEEN -180 AND 180)",
    "lat": "REAL NOT NULL CHECK (lat BETWEEN -90 AND 90)",
    "sensor": "TEXT NOT NULL",
    "radius_m": "REAL NOT NULL CHECK (typeof(radius_m) = 'real')",
    "confidence": "TEXT NOT NULL CHECK (confidence IN ('low', 'nominal', 'high'))",
    "frp_mw": "REAL CHECK (typeof(frp_mw) IN ('real', 'null'))",
    "type": "INTEGER CHECK (type IN (0, 1, 2, 3))",
}


def apply(connection: sqlite3.Connection) -> None:
    """Create both tables, and a trigger by which observations go with the source that they were loaded with."""
    geopackage.add_layer(connection, TABLE, COLUMNS, "Heat that satellites saw: witnesses of strikes, no records.")
    connection.execute(
        f"""CREATE TABLE {LOADS} (
  dataset TEXT PRIMARY KEY NOT NULL,
  source TEXT NOT NULL,
  observations INTEGER NOT NULL,
  sha256 TEXT NOT NULL
)"""
    )
    of_source = f"(SELECT dataset FROM {LOADS} WHERE source = OLD.id)"
    connection.execute(
        f"CREATE TRIGGER {TABLE}_with_source AFTER DELETE ON sources WHEN EXISTS {of_source} BEGIN "
        f"DELETE FROM {TABLE} WHERE dataset IN {of_source}; DELETE FROM {LOADS} WHERE source = OLD.id; END"
    )
