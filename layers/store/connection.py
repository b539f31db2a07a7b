"""What the store needs of a database: connections, transactions, and the SQL in which kinds of databases differ.

All other SQL of the store is what SQLite and PostgreSQL have in common, with ``?`` or ``?1`` where a value comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from layers.geopackage.geopackage import Bounds, quote


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The SQL in which databases differ, each made of the SQL of a column."""

    #: Follows the name of the table of history where it is to be read by number, whatever else has an index.
    by_number: str
    #: The mark of a value that is written to a column of a declaration, as `Table.declarations` has them.
    mark: Callable[[str], str]
    #: The elements of a column of JSON lists, or of a list that its objects have: a table ``element`` (value).
    elements: Callable[[str, str | None], str]
    #: A text that the JSON objects of a column have by a name; NULL without.
    member: Callable[[str, str], str]
    #: Whether the record whose values are the JSON text of a column is private; false for NULL.
    says_private: Callable[[str], str]
    #: Where a text first stands in a column, from 1 on; 0 where it does not.
    position: Callable[[str, str], str]
    #: Whole minutes from 1970 to the time in a column.
    minutes: Callable[[str], str]
    #: The id in a column as history has it, whatever another program wrote there.
    text_of_id: Callable[[str], str]


class Cursor(Protocol):
    """Rows of a query, each a tuple; geometries are blobs of GeoPackage, times and days texts of ISO 8601."""

    def fetchone(self) -> Any:
        """The next row; None after the last one."""

    def fetchmany(self, size: int, /) -> list[Any]:
        """At most so many of the rows that are left."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection within a transaction, for one thread."""

    @property
    def dialect(self) -> Dialect:
        """How SQL is written where databases differ."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Cursor:
        """Run a statement."""

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Run a statement once for each row of values."""

    def stream(self, sql: str, values: Sequence[Any] = ..., /) -> Cursor:
        """Run a query of which more rows may come than memory should hold at once."""

    def column_names(self, table: str, /) -> list[str]:
        """The columns of a table in their order; none where there is no such table."""

    def any_text(self) -> AbstractContextManager[None]:
        """Read text that another program wrote and that is no UTF-8, where the database takes such."""

    def unguarded(self, *nouns: str) -> AbstractContextManager[None]:
        """Let this transaction publish what is private in some tables, and change what is only ever added to."""

    def add_layer(self, name: str, columns: Mapping[str, str], doc: str, geometry: str | None = None, /) -> None:
        """Create a layer: ``fid``, columns by SQL type, and with a geometry type a spatial index."""

    def drop_layer(self, name: str, /) -> None:
        """Remove a layer; one that does not exist is no fault."""

    def number_on(self, table: str, column: str, /) -> None:
        """Have the next row numbered after the last one, whose number was given with it."""

    def touch(self, name: str, at: str, /) -> None:
        """Record when a layer was last changed, and its extent anew, where the database has these."""

    def widen(self, name: str, at: str, box: Bounds | None, /) -> None:
        """Record when a layer was last changed, and that its extent holds a box, where the database has these."""

    def extent(self, name: str, /) -> tuple[float | None, ...] | None:
        """The extent that is recorded of a layer: west, south, east, north; None where the database has none."""


def insert_rows(
    connection: Connection, table: str, declarations: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """Add rows to a table, with their values in the order of its columns, whose declarations are given by name."""
    names, marks = ", ".join(map(quote, declarations)), ", ".join(map(connection.dialect.mark, declarations.values()))
    connection.executemany(f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})", rows)


class Database(Protocol):
    """The database of one store: transactions that readers, writers and threads share."""

    @property
    def name(self) -> str:
        """Its path or address as messages say it, without user and password."""

    @property
    def beside(self) -> Path:
        """The path after which files are named that belong to the store and stand outside of it."""

    @property
    def file(self) -> Path | None:
        """The file that holds all of it; None for a database of a server."""

    @property
    def read_only(self) -> bool:
        """Whether it may only be read."""

    def require_writable(self) -> None:
        """Refuse to write where it may only be read, by `ReadOnlyStore`."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Read one version: whatever is committed meanwhile stays unseen."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Write all or nothing, after every other writer: committed at the end, rolled back on any error.

        Raises
        ------
        StoreBusy
            If another writer does not finish within `layers.store.connections.BUSY_TIMEOUT_S`.
        ReadOnlyStore
            If the database may only be read.
        """

    @property
    def announces(self) -> bool:
        """Whether one can wait for changes, and need not look for them."""

    def wait(self, timeout_s: float) -> bool | None:
        """Wait until somebody committed a change, at most so long; whether somebody did. None, at once: unknown."""

    def close(self) -> None:
        """Close all connections; the next use opens others."""
