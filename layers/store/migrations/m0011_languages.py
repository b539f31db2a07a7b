"""Titles and places of strikes by language; all nationalities of a person."""

from __future__ import annotations

import sqlite3

TITLE = "titles and places by language, and persons of several nationalities"


def apply(connection: sqlite3.Connection) -> None:
    """Add the columns, empty: what is there has its English title and place, and one nationality at most."""
    for table, column, empty in (
        ("strikes", "titles", "{}"),
        ("strikes", "places", "{}"),
        ("entities", "nationalities", "[]"),
    ):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT DEFAULT '{empty}'")
