"""Copies of a store with what is kept beside it, complete even while a part of it is in the write-ahead log."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from layers.store.backends import open_store
from layers.store.backup import back_up
from layers.store.store import Store
from tests.store_kinds import is_file

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
except ImportError:
    """Without it there is no store of that kind."""

#: Ends the name of a database that was set aside.
_ASIDE = "_aside"


def copy_of(store: Store, path: Path) -> Path:
    """Copy by SQLite's own backup; GDAL, which brings its own SQLite, must not open the file we have open."""
    with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    kept, own = (one.with_name(f"{one.name}.cache") for one in (store.path, path))
    if kept.is_dir():
        # Files of it are never written to, only replaced.
        shutil.copytree(kept, own, copy_function=os.link)
    return path


def set_aside(store: Store) -> Store:
    """Copy a new database before anybody is connected to it, as its copies are made of that; a file needs none."""
    if not is_file(store):
        store.close()
        name = conninfo_to_dict(store.name)["dbname"]
        _administer(
            store, f"CREATE DATABASE {name}{_ASIDE} TEMPLATE {name}", f"ALTER DATABASE {name}{_ASIDE} IS_TEMPLATE true"
        )
    return store


def copied(store: Store, path: Path) -> str:
    """Copy a store of either kind; give the path of the file, or the address of a new database of the same server."""
    if is_file(store):
        return str(copy_of(store, path))
    source, name = conninfo_to_dict(store.name)["dbname"], f"copy_{secrets.token_hex(4)}"
    if _administer(store, f"SELECT 1 FROM pg_database WHERE datname = '{source}{_ASIDE}'"):
        template = f"{source}{_ASIDE}"
    else:
        store.close()  # a database that somebody is connected to cannot be copied
        template = source
    _administer(store, f"CREATE DATABASE {name} TEMPLATE {template}")
    address = store.name.replace(f"/{source}?", f"/{name}?")
    with psycopg.connect(address) as connection:
        # A copy that is written to is another store.
        connection.execute("UPDATE strikeatlas SET store_id = gen_random_uuid()")
    return address


def _administer(store: Store, *statements: str) -> bool:
    """Run statements on the server of a database; whether the last one gives a row."""
    with psycopg.connect(make_conninfo(store.name, dbname="postgres"), autocommit=True) as connection:
        for statement in statements:
            answer = connection.execute(statement.encode())
        return answer.description is not None and answer.fetchone() is not None


def sealed_copy(store: Store, path: Path) -> str:
    """Copy a store of either kind; give an address at which the copy may only be read, and is seen whole."""
    if is_file(store):
        back_up(store, path)
        path.chmod(0o444)
        return str(path)
    address, role = copied(store, path), f"reads_{secrets.token_hex(4)}"
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in (
            f"CREATE ROLE {role} LOGIN BYPASSRLS",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        ):
            connection.execute(statement.encode())
    return address.replace("://", f"://{role}@", 1)


def opened_copy(store: Store, path: Path) -> Store:
    """Copy a store of either kind, and open the copy."""
    return open_store(copied(store, path))
