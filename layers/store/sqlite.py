"""SQLite where databases differ: its SQL, and a connection that knows layers and guards of a GeoPackage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from layers.geopackage import geopackage
from layers.geopackage.geopackage import Bounds
from layers.store.connection import Dialect
from layers.store.migrations.tables import GUARD, PRIVATE_DATASETS, PRIVATE_REMOVED


def _elements(column: str, member: str | None) -> str:
    """The elements of JSON lists (sqlite.org/json1.html)."""
    path = "" if member is None else f", '$.{member}'"
    return f"json_each({column}{path}) AS element"


_SQL = Dialect(
    # SQLite would rather walk a whole index in the order of the groups than sort the few rows.
    by_number="NOT INDEXED",
    mark=lambda declaration: "?",
    elements=_elements,
    member=lambda column, name: f"json_extract({column}, '$.{name}')",
    says_private=lambda column: f"ifnull(json_extract({column}, '$.private'), 0)",
    position=lambda column, text: f"instr({column}, '{text}')",
    minutes=lambda column: f"CAST(strftime('%s', {column}) AS INTEGER) / 60",
    # Other programs may write blobs.
    text_of_id=lambda column: f"iif(typeof({column}) = 'blob', lower(hex({column})), {column})",
)


class SqliteConnection(sqlite3.Connection):
    """A connection to a GeoPackage, see `layers.store.connection.Connection`."""

    dialect = _SQL

    def stream(self, sql: str, values: Sequence[Any] = (), /) -> sqlite3.Cursor:
        """Run a query; SQLite finds each row when it is read."""
        return self.execute(sql, values)

    def column_names(self, table: str, /) -> list[str]:
        """The columns of a table."""
        return [row[0] for row in self.execute("SELECT name FROM pragma_table_info(?)", (table,))]

    @contextmanager
    def any_text(self) -> Iterator[None]:
        """Read text that is not UTF-8 with its bytes escaped instead of failing."""
        before = self.text_factory
        self.text_factory = lambda value: value.decode("utf-8", "backslashreplace")
        try:
            yield
        finally:
            self.text_factory = before

    @contextmanager
    def unguarded(self, *nouns: str) -> Iterator[None]:
        """Take the triggers away that refuse an update of some tables, and put them back as they were.

        Within the caller's transaction: no other connection ever sees the file without them, and where anything fails
        they are still there.
        """
        tables = (PRIVATE_DATASETS, PRIVATE_REMOVED, *nouns)
        marks = ", ".join("?" * len(tables))
        found = self.execute(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({marks}) "
            f"AND (name LIKE '{GUARD}%' OR name LIKE '%_no_update')",
            tables,
        ).fetchall()
        for name, _ in found:
            self.execute(f"DROP TRIGGER {geopackage.quote(name)}")
        yield
        for _, sql in found:
            self.execute(sql)

    def add_layer(self, name: str, columns: Mapping[str, str], doc: str, geometry: str | None = None, /) -> None:
        """Create a layer, with its rows in the header tables."""
        geopackage.add_layer(self, name, columns, doc, geometry)

    def drop_layer(self, name: str, /) -> None:
        """Remove a layer."""
        geopackage.drop_layer(self, name)

    def number_on(self, table: str, column: str, /) -> None:
        """Nothing is to be done: SQLite numbers on after the highest number that there was."""

    def touch(self, name: str, at: str, /) -> None:
        """Record when a layer was changed, and its extent."""
        geopackage.touch(self, name, at)

    def widen(self, name: str, at: str, box: Bounds | None, /) -> None:
        """Record when a layer was changed, and that its extent holds a box."""
        geopackage.widen(self, name, at, box)

    def extent(self, name: str, /) -> tuple[float | None, ...] | None:
        """The extent of a layer, as its header says it."""
        query = "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = ?"
        found: tuple[float | None, ...] | None = self.execute(query, (name,)).fetchone()
        return found
