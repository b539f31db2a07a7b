"""The answers to requests by their idempotency keys stand in the file that the requests changed."""

from __future__ import annotations

import sqlite3

TITLE = "answers to requests that are sent again"


def apply(connection: sqlite3.Connection) -> None:
    """Create the table. It is not listed as a layer: it is nothing that a GIS should show."""
    connection.execute(
        """CREATE TABLE idempotency_keys (
  person TEXT NOT NULL,
  key TEXT NOT NULL,
  request TEXT NOT NULL,
  "at" TEXT NOT NULL,
  seq INTEGER NOT NULL,
  status INTEGER NOT NULL,
  headers TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (person, key)
)"""
    )
    connection.execute('CREATE INDEX idempotency_keys_at ON idempotency_keys ("at")')
