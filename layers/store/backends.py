"""Kinds of store, by the scheme of an address: a further kind is a module beside this one and a line in `BACKENDS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from layers.store.connections import StoreError
from layers.store.store import NotAStore, Store


@dataclass(frozen=True, slots=True)
class Backend:
    """A kind of store: how one at an address is opened, and a new one created, see `Store.open` and `Store.create`."""

    open: Callable[[str], Store]
    create: Callable[[str], Store]


class PostgresUnavailable(StoreError):
    """The package that speaks with PostgreSQL is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "a store in PostgreSQL needs a package that is not installed: install strikeatlas[postgresql] or "
            "psycopg[binary]"
        )


def _of_postgresql() -> Backend:
    try:
        from layers.store.postgresql.database import create_database, open_database
    except ImportError as error:
        raise PostgresUnavailable from error
    return Backend(open_database, create_database)


_POSTGRESQL = Backend(lambda address: _of_postgresql().open(address), lambda address: _of_postgresql().create(address))
#: Kinds of store by the scheme of their addresses (RFC 3986, 3.1); a path has none and is a GeoPackage. Both schemes of
#: PostgreSQL are its own (34.1.1.2, Connection URIs).
BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {"": Backend(Store.open, Store.create), "postgresql": _POSTGRESQL, "postgres": _POSTGRESQL}
)


def open_store(address: str | Path) -> Store:
    """Open the store at an address: the path of a GeoPackage, or a URL whose scheme is among `BACKENDS`.

    Raises
    ------
    NotAStore
        If there is no store at the address, or it names a kind of store that is not known.
    StoreError
        If the store cannot be read.
    """
    return _backend(address).open(str(address))


def open_to_read(address: str | Path) -> Store:
    """Open a store as `open_store` does; a file to read it without a trace."""
    return Store.open(address, read_only=True) if is_path(address) else open_store(address)


def create_new(address: str | Path) -> Store:
    """Create a new, empty store at an address: a GeoPackage in a folder that exists, or tables in a database that does.

    Raises
    ------
    FileExistsError
        If there is one.
    NotAStore
        If the address names a kind of store that is not known.
    StoreError
        If it cannot be created.
    """
    return _backend(address).create(str(address))


def is_path(address: str | Path) -> bool:
    """Whether an address is the path of a file, and no URL."""
    return "://" not in str(address)


def path_of(address: str | Path) -> Path:
    """Give the path of a file, for what is done with files alone.

    Raises
    ------
    NotAStore
        If it is a URL, which is not repeated: it may hold a password.
    """
    if not is_path(address):
        raise NotAStore("a database is no file, which is needed here; strikeatlas copy-store makes a GeoPackage of it")
    return Path(address)


def _backend(address: str | Path) -> Backend:
    scheme = "" if is_path(address) else str(address).partition("://")[0]
    if scheme not in BACKENDS:
        known = ", ".join(f"{name}://" for name in BACKENDS if name)
        raise NotAStore(f"{scheme}:// names no kind of store; a path to a GeoPackage is expected, or a URL of: {known}")
    return BACKENDS[scheme]
