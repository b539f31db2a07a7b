"""Copies of a store with what is kept beside it, complete even while a part of it is in the write-ahead log."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from layers.store.store import Store


def copy_of(store: Store, path: Path) -> Path:
    """Copy by SQLite's own backup; GDAL, which brings its own SQLite, must not open the file we have open."""
    with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    kept, own = (one.with_name(f"{one.name}.kept") for one in (store.path, path))
    if kept.is_dir():
        # Files of it are never written to, only replaced.
        shutil.copytree(kept, own, copy_function=os.link)
    return path
