"""Copies of a store, complete even while a server has it open and a part of it is in the write-ahead log."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from layers.store.store import Store


def copy_of(store: Store, path: Path) -> Path:
    """Copy by SQLite's own backup; GDAL, which brings its own SQLite, must not open the file we have open."""
    with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    return path
