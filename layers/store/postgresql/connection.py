"""PostgreSQL where databases differ: its SQL, its values, and a connection that knows layers and guards of a store."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import chain, count, islice
from typing import Any

import psycopg
import shapely
from psycopg import RawCursor, pq
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types import TypeInfo
from psycopg.types.datetime import DateBinaryLoader, TimestamptzBinaryLoader

from layers.geopackage import geopackage
from layers.geopackage.geopackage import WGS84, Bounds, encode
from layers.model.timestamps import timestamp
from layers.store.postgresql import roles

#: Column types by those of GeoPackage. Texts are compared by their bytes, as SQLite and Python do.
TYPES: Mapping[str, str] = {
    "TEXT": 'text COLLATE "C"',
    "REAL": "double precision",
    "INTEGER": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DATETIME": "timestamptz",
    "POINT": f"geometry(Point, {WGS84})",
    "GEOMETRY": f"geometry(Geometry, {WGS84})",
}
#: The SQL function that makes a geometry of a blob of GeoPackage.
FROM_BLOB = "strikeatlas_geometry"
#: The setting that lets a transaction of the owner pass the guards.
UNGUARDED = "strikeatlas.unguarded"

_MARK = re.compile(r"\?([0-9]*)", re.ASCII)
_HAS_SRID = 0x20000000
_POINT_WKB = b"\x01\x01\x00\x00\x00"
_POINT_HEADER = encode(shapely.Point(0, 0))[:8]
#: Rows that a stream has from the server at once.
_PAGE = 5000


class PostgresDialect:
    """The SQL of PostgreSQL, see `layers.store.connection.Dialect`."""

    by_number = ""

    def mark(self, declaration: str) -> str:
        """The mark of a value; a geometry comes as a blob of GeoPackage."""
        return f"{FROM_BLOB}(?)" if declaration.split()[0] in ("POINT", "GEOMETRY") else "?"

    def elements(self, column: str, member: str | None = None) -> str:
        """The elements of JSON lists; none of what is no list."""
        value = f"CAST({column} AS json)" + ("" if member is None else f" -> '{member}'")
        return f"json_array_elements_text(CASE json_typeof({value}) WHEN 'array' THEN {value} END) AS element (value)"

    def member(self, column: str, name: str) -> str:
        """A text in JSON objects."""
        return f"CAST({column} AS json) ->> '{name}'"

    def says_private(self, column: str) -> str:
        """Whether values are private: these texts have no white space, and a text in them has its quotes escaped."""
        return f"""coalesce(strpos({column}, '"private":true') > 0, FALSE)"""

    def position(self, column: str, text: str) -> str:
        """Where a text stands."""
        return f"strpos({column}, '{text}')"

    def minutes(self, column: str) -> str:
        """Minutes from 1970 on."""
        return f"CAST(floor(extract(epoch FROM {column}) / 60) AS bigint)"

    def text_of_id(self, column: str) -> str:
        """The id as it is: the column takes nothing but text."""
        return column


class PostgresConnection:
    """A connection to a database with a store, see `layers.store.connection.Connection`."""

    dialect = PostgresDialect()

    def __init__(self, base: psycopg.Connection) -> None:
        self.base = base
        self._names = count()

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> RawCursor[Any]:
        """Run a statement."""
        return RawCursor(self.base).execute(numbered(sql), values, binary=True)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Run a statement for each row; all are sent before the first answer is waited for."""
        with RawCursor(self.base) as cursor:
            cursor.executemany(numbered(sql), rows)

    def stream(self, sql: str, values: Sequence[Any] = (), /) -> _Stream:
        """Run a query whose rows stay with the server until they are read."""
        name = f"stream_{next(self._names)}"
        self.execute(f"DECLARE {name} NO SCROLL CURSOR FOR {sql}", values)
        return _Stream(self, name)

    def column_names(self, table: str, /) -> list[str]:
        """The columns of a table."""
        query = (
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped "
            "ORDER BY attnum"
        )
        return [name for (name,) in self.execute(query, (geopackage.quote(table),))]

    @contextmanager
    def any_text(self) -> Iterator[None]:
        """Nothing is to be done: the database takes no text that is not UTF-8."""
        yield

    @contextmanager
    def unguarded(self, *nouns: str) -> Iterator[None]:
        """Pass the guards of the tables, all of them, which only their owner may."""
        self.execute("SELECT set_config(?, 'on', TRUE)", (UNGUARDED,))
        yield
        self.execute("SELECT set_config(?, 'off', TRUE)", (UNGUARDED,))

    def add_layer(self, name: str, columns: Mapping[str, str], doc: str, geometry: str | None = None, /) -> None:
        """Create a table, with an index of its geometry, that GIS can read."""
        declared = "".join(f", {geopackage.quote(column)} {_declaration(text)}" for column, text in columns.items())
        fid = "fid bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
        self.execute(f"CREATE TABLE {geopackage.quote(name)} ({fid}{declared})")
        text = doc.replace("'", "''")
        self.execute(f"COMMENT ON TABLE {geopackage.quote(name)} IS '{text}'")
        if geometry is not None:
            self.execute(f"CREATE INDEX ON {geopackage.quote(name)} USING gist (geometry)")

    def protect_derived(self, name: str, /) -> None:
        """Secure the rows of a derived layer."""
        for statement in roles.derived_policy(name):
            self.execute(statement)

    def drop_layer(self, name: str, /) -> None:
        """Remove a table; what other programs made of it, such as a view, is refused to be removed with it."""
        self.execute(f"DROP TABLE IF EXISTS {geopackage.quote(name)}")

    def number_on(self, table: str, column: str, /) -> None:
        """Set the sequence of the column to its highest number."""
        sequence = f"pg_get_serial_sequence('{geopackage.quote(table)}', '{column}')"
        last = f"(SELECT max({geopackage.quote(column)}) FROM {geopackage.quote(table)})"
        self.execute(f"SELECT setval({sequence}, {last}) WHERE {last} NOTNULL")

    def touch(self, name: str, at: str, /) -> None:
        """Nothing is to be done: the database keeps no such times, and finds extents itself."""

    def widen(self, name: str, at: str, box: Bounds | None, /) -> None:
        """Nothing is to be done, as in `touch`."""

    def extent(self, name: str, /) -> None:
        """No extent is recorded."""
        return None


class _Stream:
    """The rows of a cursor of the server, which ends with the transaction."""

    def __init__(self, connection: PostgresConnection, name: str) -> None:
        self._connection, self._name = connection, name
        self._rows = chain.from_iterable(iter(partial(self._fetch, _PAGE), []))

    def _fetch(self, size: int) -> list[Any]:
        return self._connection.execute(f"FETCH {size} FROM {self._name}").fetchall()

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int, /) -> list[Any]:
        return list(islice(self._rows, size))

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


@lru_cache(maxsize=1024)
def numbered(sql: str) -> bytes:
    """Number the marks of a statement, as PostgreSQL has them: ``?`` in their order, ``?1`` by its own number."""
    numbers = count(1)
    return _MARK.sub(lambda mark: f"${mark[1] or next(numbers)}", sql).encode()


def _declaration(text: str) -> str:
    kind, *constraints = text.split()
    return " ".join((TYPES[kind], *constraints))


class _DateText(DateBinaryLoader):
    def load(self, data: Buffer) -> Any:
        return super().load(data).isoformat()


class _TimeText(TimestamptzBinaryLoader):
    def load(self, data: Buffer) -> Any:
        return timestamp(super().load(data))


class _GeometryBlob(Loader):
    """Geometries as the blobs of GeoPackage that `encode` writes."""

    format = pq.Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return blob_of_ewkb(bytes(data))


def blob_of_ewkb(ewkb: bytes) -> bytes:
    """Write a geometry of PostGIS (EWKB, in EPSG:4326) as a blob of GeoPackage, byte by byte as `encode` does."""
    order = "<" if ewkb[0] else ">"
    (code,) = struct.unpack_from(f"{order}I", ewkb, 1)
    body = ewkb[9:] if code & _HAS_SRID else ewkb[5:]
    wkb = ewkb[:1] + struct.pack(f"{order}I", code & ~_HAS_SRID) + body
    (lon,) = struct.unpack_from(f"{order}d", body) if len(body) == 16 else (float("nan"),)
    # Most are points, whose blob is their WKB after a header that is the same for all.
    if wkb.startswith(_POINT_WKB) and lon == lon:
        return _POINT_HEADER + wkb
    return encode(shapely.from_wkb(wkb))


def adapt(base: psycopg.Connection) -> None:
    """Have a connection give values as the store takes them, geometries too once the database has that type."""
    base.adapters.register_loader("date", _DateText)
    base.adapters.register_loader("timestamptz", _TimeText)
    found = TypeInfo.fetch(base, "geometry")
    if found is not None:
        base.adapters.register_loader(found.oid, _GeometryBlob)
