"""New stores of each kind, and how other programs write to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeAlias

import pytest

from layers.disclosure.policy import OPEN, Policy
from layers.geopackage import geopackage
from layers.model.timestamps import timestamp
from layers.store import derived_tables
from layers.store.backends import create_new, open_store
from layers.store.derived_tables import DerivedLayer
from layers.store.store import Store

try:
    import psycopg
except ImportError:
    REFUSED: tuple[type[Exception], ...] = (sqlite3.IntegrityError,)
else:
    #: How a kind of store refuses what other programs may not write.
    REFUSED = (sqlite3.IntegrityError, psycopg.errors.RaiseException, psycopg.IntegrityError, psycopg.DataError)

#: Makes a new, empty store.
NewStore: TypeAlias = Callable[[], Store]

#: Names where there is no store yet, but one can be created: the path of a file, or the address of a database.
NewAddress: TypeAlias = Callable[[], str]

#: For tests on each kind of store: of what only a file has.
geopackage_only = pytest.mark.parametrize("kind", ["geopackage"], indirect=True)


def needs_a_file(why: str) -> pytest.MarkDecorator:
    """For tests on the kind of store that `--store-kind` names: skipped but on files, for what only a file has."""
    return pytest.mark.skipif("config.getoption('store_kind') != 'geopackage'", reason=why)


def is_file(store: Store) -> bool:
    return not store.name.startswith("postgresql://")


def cache_folder(store: Store) -> Path:
    """The folder of what is kept beside a store."""
    return store.beside.with_name(f"{store.beside.name}.cache")


def set_policy(store: Store, policy: Policy, at: datetime | None = None) -> None:
    """Give a store a policy of disclosure, as the command does."""
    store.set_policy(None if policy == OPEN else policy.model_dump(mode="json"), author="tests", why="tests", at=at)


def write_layer(
    store: Store, name: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]], geometry: bool
) -> None:
    """Replace a derived layer by rows of a test."""
    with store._writing() as connection:
        derived_tables.write_table(connection, DerivedLayer(name, columns, rows, geometry), timestamp())


def again(store: Store) -> Store:
    """The same store, opened by somebody else."""
    return open_store(store.name)


class Program(Protocol):
    """Another program that has a store open."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Any: ...


@contextmanager
def raw(store: Store) -> Iterator[Program]:
    """Open the store as any other program would; what it writes is committed at once."""
    if is_file(store):
        with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
            geopackage.register_functions(connection)  # as any GIS brings them
            yield connection
        return
    from layers.store.postgresql.connection import PostgresConnection

    with psycopg.connect(store.name, autocommit=True) as base:
        yield PostgresConnection(base)


def by_another(store: Store, sql: str, *values: Any) -> None:
    """Have another program run a statement."""
    with raw(store) as program:
        program.execute(sql, values)


@contextmanager
def without_triggers(store: Store) -> Iterator[Program]:
    """Open the store as `raw` does, so that none of its triggers sees what is written; they are then as they were."""
    with raw(store) as program:
        if not is_file(store):
            program.execute("SET session_replication_role = replica")
            yield program
            return
        triggers = program.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        program.execute("BEGIN")
        for name, _ in triggers:
            program.execute(f'DROP TRIGGER "{name}"')
        yield program
        for _, sql in triggers:
            program.execute(sql)
        program.execute("COMMIT")


def behind_its_back(store: Store, *statements: str) -> None:
    """Change a store so that it learns nothing of it."""
    with without_triggers(store) as program:
        for statement in statements:
            program.execute(statement)


@cache
def _empty_file() -> bytes:
    """A new store, of which others are copies: to create its tables takes longer than what many a test does."""
    with TemporaryDirectory() as folder:
        made = create_new(Path(folder) / "atlas.gpkg")
        made.close()
        return made.path.read_bytes()


def new_geopackages(folder: Path) -> NewStore:
    """Make new files in a folder."""

    def new() -> Store:
        path = folder / f"atlas{len(list(folder.glob('*.gpkg'))) or ''}.gpkg"
        path.write_bytes(_empty_file())
        path.chmod(0o600)
        return open_store(path)

    return new
