"""Copies of a store with what is kept beside it, complete even while a part of it is in the write-ahead log."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from layers.store.backends import open_store
from layers.store.store import Store
from tests.store_kinds import is_file


def copy_of(store: Store, path: Path) -> Path:
    """Copy by SQLite's own backup; GDAL, which brings its own SQLite, must not open the file we have open."""
    with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    kept, own = (one.with_name(f"{one.name}.kept") for one in (store.path, path))
    if kept.is_dir():
        # Files of it are never written to, only replaced.
        shutil.copytree(kept, own, copy_function=os.link)
    return path


def opened_copy(store: Store, path: Path) -> Store:
    """Copy a store of either kind, and open the copy: a file at a path, or a new database of the same server."""
    if is_file(store):
        return Store.open(copy_of(store, path))
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    source, name = conninfo_to_dict(store.name)["dbname"], f"copy_{secrets.token_hex(4)}"
    store.close()  # a database that somebody is connected to cannot be copied so
    with psycopg.connect(make_conninfo(store.name, dbname="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source}".encode())
    address = store.name.replace(f"/{source}?", f"/{name}?")
    with psycopg.connect(address) as connection:
        # A copy that is written to is another store.
        connection.execute("UPDATE strikeatlas SET store_id = gen_random_uuid()")
    return open_store(address)
