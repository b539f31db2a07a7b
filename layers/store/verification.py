"""Whether a store is what its history says, and as this program writes it. Writes nothing to it.

What cannot be told from the file itself is left out: when a layer was last changed and its extent, which GIS write
too (``gpkg_contents``), row numbers (``fid``), and tables and columns that other programs added.
"""

from __future__ import annotations

import shlex
import sqlite3
import stat
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from layers.filesystem.atomic_file import PRIVATE_MODE, write_file
from layers.geopackage import geopackage
from layers.geopackage.geopackage import GeometryBlobError, bounds
from layers.model.messages import Message
from layers.store import create, derived_tables, heat_table, history_chain, idempotency, reader, writer
from layers.store.connection import Connection
from layers.store.connections import StoreError, probing
from layers.store.derived_tables import Derive, DerivedLayer
from layers.store.history_chain import EMPTY, ChainBreak, Head, Linked
from layers.store.migrations.tables import PRIVATE_DATASETS
from layers.store.private_datasets import listings
from layers.store.row_mapping import TABLES, Table, days_of, from_json, to_json
from layers.store.sqlite import SqliteConnection

#: What is wrong, in a sentence that says what to do.
Finding: TypeAlias = Message

#: Rows of a derived layer that are named.
_NAMED = 5
#: By how much of itself SQLite rounds a bound outwards to 32 bits at most (sqlite.org/src: rtree.c, rtreeValueDown).
_ROUNDING = 2 / 8388608
#: Smallest normal float of 32 bits, below which bounds are rounded to zero or it.
_TINY = 1.2e-38
#: What a damaged or doctored file may raise from within a check.
_UNREADABLE = (sqlite3.Error, ValueError, TypeError, StoreError, LookupError)


def verify_file(path: Path, derive: Derive | None = None) -> Iterator[Finding]:
    """Give every finding of a file (see `verify`), as of one version.

    Raises `NotAStore` if it is missing, no SQLite database, or of a version that this program cannot work with.
    """
    create.require_file(path)
    with probing(path) as connection:
        geopackage.register_functions(connection)
        connection.execute("BEGIN")
        create.require_version(path, connection)
        yield from verify(connection, derive)


def verify_database(connection: Connection, derive: Derive | None = None) -> Iterator[Finding]:
    """Give every finding of history, records and what follows from them, of any kind of store, as `verify` does.

    Tables, indexes and triggers are left to the database, and are compared in files alone, see `verify_file`.
    """
    with closing(expected_database()) as expected:
        yield from _found(
            lambda: _chain(connection),
            lambda: _beside(connection),
            lambda: _unrecorded(connection),
            lambda: _replayed(connection),
            lambda: heat_table.findings(connection),
            lambda: _derived_rows(connection, expected, derive) if derive is not None else iter(()),
        )


def verify(connection: SqliteConnection, derive: Derive | None = None) -> Iterator[Finding]:
    """Give every finding; none where the file is valid.

    Parameters
    ----------
    connection
        Within a transaction, so that all checks are of one version.
    derive
        Computes the derived layers from the records anew; without it they are not compared.
    """
    with closing(expected_database()) as expected:
        yield from _found(
            lambda: _pages(connection),
            lambda: _header(connection),
            lambda: _layout_differences(connection, expected),
            lambda: _own_tables(connection, expected),
            lambda: _history(connection),
            lambda: _beside(connection),
            lambda: _replayed(connection),
            lambda: heat_table.findings(connection),
            lambda: _indexed(connection),
            lambda: _derived(connection, expected, derive) if derive is not None else iter(()),
        )


def _found(*checks: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    for check in checks:
        try:
            yield from check()
        except _UNREADABLE as error:
            yield Message("verification.unreadable", {"detail": str(error)})


# --- the file -----------------------------------------------------------------------------------


def _pages(connection: SqliteConnection) -> Iterator[Finding]:
    for (line,) in connection.execute("PRAGMA integrity_check").fetchall():
        if line != "ok":
            yield Message("verification.pages", {"detail": str(line)})
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (name,) in tables:
        if not name.startswith("rtree_") or not name.endswith("_geometry"):
            continue
        (line,) = connection.execute("SELECT rtreecheck(?)", (name,)).fetchone()
        if line != "ok":
            yield Message("verification.pages", {"detail": f"{name}: {line}"})


def _header(connection: SqliteConnection) -> Iterator[Finding]:
    for pragma, expected in (
        ("application_id", geopackage.APPLICATION_ID),
        ("user_version", geopackage.USER_VERSION),
    ):
        (value,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if value != expected:
            yield Message("verification.header", {"name": pragma, "value": str(value), "expected": str(expected)})


# --- tables, triggers and indexes ---------------------------------------------------------------


def expected_database() -> SqliteConnection:
    """Make a temporary database that is laid out as a new store."""
    connection = sqlite3.connect("", isolation_level=None, factory=SqliteConnection)
    geopackage.register_functions(connection)
    connection.execute("BEGIN")
    create.create_tables(connection)
    return connection


def _layout_differences(connection: SqliteConnection, expected: SqliteConnection) -> Iterator[Finding]:
    own, there = _declared(expected), _declared(connection)
    for (kind, name), (table, sql) in own.items():
        if (kind, name) not in there:
            yield Message("verification.missing", {"kind": kind, "name": name})
        elif kind == "table" and not sql.startswith("CREATE VIRTUAL") and there[kind, name][0] == table:
            yield from _clause_differences(name, sql, there[kind, name][1])
        elif there[kind, name] != (table, sql):
            yield Message("verification.altered", {"kind": kind, "name": name})
    tables = {name for kind, name in own if kind == "table"}
    for name, table in connection.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        if table in tables and ("trigger", name) not in own:
            yield Message("verification.foreign-trigger", {"name": name, "table": table})
    for table in ("gpkg_spatial_ref_sys", "gpkg_geometry_columns", "gpkg_extensions"):
        yield from _missing_rows(connection, expected, table, "*")
    yield from _missing_rows(
        connection, expected, "gpkg_contents", "table_name, data_type, identifier, description, srs_id"
    )


def _declared(connection: SqliteConnection) -> dict[tuple[str, str], tuple[str, str]]:
    """What each table, index and trigger is of and how it is declared, by kind and name."""
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql NOTNULL").fetchall()
    return {(kind, name): (table, sql) for kind, name, table, sql in rows}


#: Defaults of columns that came later, in SQL: what holds of the records that were there.
_DEFAULTS = ("0", "1", "'{}'", "'[]'")


def _clause_differences(table: str, expected: str, there: str) -> Iterator[Finding]:
    """Clauses that the declaration of a table lacks.

    They may stand in another order, with a default, as columns that came later do in an upgraded file.
    """
    own = _clauses(there)
    for clause in _clauses(expected):
        if not own.intersection((clause, *(f"{clause} DEFAULT {default}" for default in _DEFAULTS))):
            yield Message("verification.declaration", {"table": table, "clause": clause})


def _clauses(sql: str) -> set[str]:
    """Columns and constraints of CREATE TABLE, and what stands before them: split at commas in one pair of brackets.

    Names are without their quotes, which a step that adds a column may leave out.
    """
    clauses, depth = [""], 0
    for letter in sql:
        depth += (letter == "(") - (letter == ")")
        if depth == 1 and letter in "(,":
            clauses.append("")
        else:
            clauses[-1] += letter
    if clauses[-1].endswith(")"):
        clauses[-1] = clauses[-1][:-1]
    return {" ".join(clause.replace('"', "").split()) for clause in clauses}


def _missing_rows(
    connection: SqliteConnection, expected: SqliteConnection, table: str, columns: str
) -> Iterator[Finding]:
    query = f"SELECT {columns} FROM {geopackage.quote(table)}"
    there = set(connection.execute(query).fetchall())
    for row in expected.execute(query).fetchall():
        if row not in there:
            yield Message("verification.header-row", {"table": table, "row": ", ".join(map(str, row[:2]))})


def _own_tables(connection: SqliteConnection, expected: SqliteConnection) -> Iterator[Finding]:
    yield from _missing_rows(connection, expected, create.MARK, "schema_version, minimum_reader_version")
    if connection.execute("SELECT 1 FROM own_write").fetchone():
        yield Message("verification.own-write")
    yield from _unrecorded(connection)


def _unrecorded(connection: Connection) -> Iterator[Finding]:
    query = "SELECT count(*) FROM (SELECT DISTINCT noun, record FROM external_edits) AS noted"
    (count,) = connection.execute(query).fetchone()
    if count:
        yield Message("verification.unrecorded", {"n": count})


# --- history ------------------------------------------------------------------------------------


def _chain(connection: Connection) -> Iterator[Finding]:
    end = follow(connection, EMPTY)
    if isinstance(end, ChainBreak):
        yield Message("verification.chain", {"seq": end.seq, "expected": end.expected_seq})


def _history(connection: SqliteConnection) -> Iterator[Finding]:
    broken = list(_chain(connection))
    if broken:
        yield from broken
        return
    end = writer.head(connection)
    counted = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'history'").fetchone()[0] or 0
    if counted != end.seq:
        yield Message("verification.cut", {"seq": end.seq, "written": counted})


def follow(connection: Connection, head: Head) -> ChainBreak | Head:
    """Follow the chain of history from a head on; the first row that breaks it, or its last one."""
    rows: Iterable[Linked] = connection.stream(
        f"SELECT {history_chain.COLUMNS} FROM history WHERE seq > ? ORDER BY seq", (head.seq,)
    )
    return history_chain.first_break(head, rows)


def find_head(connection: Connection, digits: str) -> ChainBreak | Head | None:
    """Find the change whose hash begins with some digits, now or before there were salts.

    History is followed from its first row on: where that is broken the row is given that breaks it, and ``None`` where
    no change, or more than one, has such a hash. The empty history has 64 zeros.
    """
    end = follow(connection, EMPTY)
    if isinstance(end, ChainBreak) or EMPTY.hash.startswith(digits):
        return end if isinstance(end, ChainBreak) else EMPTY
    pattern = f"{digits}%"
    query = 'SELECT seq, hash, "at" FROM history WHERE hash LIKE ? OR unsalted LIKE ?'
    found = connection.execute(query, (pattern, pattern)).fetchmany(2)
    return Head(*found[0]) if len(found) == 1 else None


def _beside(connection: Connection) -> Iterator[Finding]:
    """Compare what stands beside history, and history tells of, with what it tells."""
    query = 'SELECT record, "after" FROM history WHERE noun = ? ORDER BY seq'
    noted = [(dataset, orjson.loads(after)) for dataset, after in connection.execute(query, (PRIVATE_DATASETS,))]
    there = list(listings(connection))
    for dataset, listing in (*noted, *there):
        if (dataset, listing) not in noted:
            yield Message("verification.listing-added", {"dataset": dataset})
        elif (dataset, listing) not in there:
            yield Message("verification.listing-gone", {"dataset": dataset})
    yield from idempotency.findings(connection)


_LAST = """SELECT record, "after" FROM history
WHERE seq IN (SELECT max(seq) FROM history WHERE noun = ? GROUP BY record) AND "after" NOTNULL ORDER BY record"""


def _replayed(connection: Connection) -> Iterator[Finding]:
    """Compare what history leads to with what the tables hold, record by record."""
    noted: dict[str, set[str]] = defaultdict(set)
    for noun, record in connection.execute("SELECT noun, record FROM external_edits"):
        noted[noun].add(record)
    for name, table in TABLES.items():
        last = ((key, table.completed(from_json(after))) for key, after in connection.stream(_LAST, (name,)))
        for key, was, now in _paired(last, _rows(connection, table)):
            if key in noted[name]:
                continue
            if now is None:
                yield Message("verification.record-gone", {"table": name, "id": key})
            elif was is None:
                yield Message("verification.record-added", {"table": name, "id": key})
            elif to_json(was) != to_json(now):
                columns = tuple(column for column in now if was.get(column) != now[column])
                yield Message("verification.record-differs", {"table": name, "id": key, "columns": columns})
        yield from _days(connection, table)


def _rows(connection: Connection, table: Table) -> Iterator[tuple[str, dict[str, Any]]]:
    names = ", ".join(map(geopackage.quote, table.declarations))
    rows = connection.stream(f"SELECT {names} FROM {geopackage.quote(table.name)} ORDER BY id")
    return ((plain["id"], plain) for plain in map(table.plain_row, rows))


_Values: TypeAlias = dict[str, Any]


def _paired(
    left: Iterator[tuple[str, _Values]], right: Iterator[tuple[str, _Values]]
) -> Iterator[tuple[str, _Values | None, _Values | None]]:
    """Join two sequences that are sorted by their keys; None where one of them lacks a key."""
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[0], one[1], None
            one = next(left, None)
        elif one is None or other[0] < one[0]:
            yield other[0], None, other[1]
            other = next(right, None)
        else:
            yield one[0], one[1], other[1]
            one, other = next(left, None), next(right, None)


def _days(connection: Connection, table: Table) -> Iterator[Finding]:
    """Days of strikes, by which GIS filter, follow from their stated time."""
    if table.name != "strikes":
        return
    for key, when, *days in connection.execute('SELECT id, "when", day_first, day_last FROM strikes ORDER BY id'):
        if not _are_days_of(when, tuple(days)):
            yield Message("verification.days", {"id": key, "when": str(when)})


def _are_days_of(when: str, days: tuple[str | None, ...]) -> bool:
    try:
        return days_of(when) == days
    except ValueError:
        # The record is not valid, which is said where records are read.
        return True


# --- what follows from the records --------------------------------------------------------------


def _indexed(connection: SqliteConnection) -> Iterator[Finding]:
    """Compare each spatial index with the geometries of its table."""
    for (name,) in connection.execute("SELECT table_name FROM gpkg_geometry_columns").fetchall():
        table, index = geopackage.quote(name), geopackage.quote(f"rtree_{name}_geometry")
        for fid, blob, *box in connection.execute(
            f"SELECT t.fid, t.geometry, minx, miny, maxx, maxy FROM {table} AS t LEFT JOIN {index} AS r ON r.id = t.fid"
        ):
            if not _fits(blob, box):
                yield Message("verification.spatial-index", {"table": name, "fid": fid})
        for (fid,) in connection.execute(f"SELECT id FROM {index} WHERE id NOT IN (SELECT fid FROM {table})"):
            yield Message("verification.spatial-index", {"table": name, "fid": fid})


def _fits(blob: bytes | None, box: list[float | None]) -> bool:
    """Whether an entry of the index is the box of a geometry, rounded outwards to 32 bits."""
    try:
        exact = None if blob is None else bounds(blob)
    except GeometryBlobError:
        exact = None
    if exact is None:
        return box == [None] * 4
    signs = (1, 1, -1, -1)
    return all(
        value is not None and 0 <= sign * (edge - value) <= abs(edge) * _ROUNDING + _TINY
        for sign, edge, value in zip(signs, exact, box, strict=True)
    )


def _derived(connection: SqliteConnection, expected: SqliteConnection, derive: Derive) -> Iterator[Finding]:
    """Compare the derived layers with those of the records, and their tables with those of a new store."""
    known = set(_layout_differences(connection, expected))
    yield from _derived_rows(connection, expected, derive)
    yield from (finding for finding in _layout_differences(connection, expected) if finding not in known)


def _derived_rows(connection: Connection, expected: SqliteConnection, derive: Derive) -> Iterator[Finding]:
    """Compare the rows of derived layers with those of the records, computed anew into the expected database."""
    for layer in derive(*reader.read_all(connection)):
        derived_tables.write_table(expected, layer, "")
        if connection.column_names(layer.name):
            yield from _layer_differences(connection, expected, layer)


def _layer_differences(connection: Connection, expected: SqliteConnection, layer: DerivedLayer) -> Iterator[Finding]:
    names = [*layer.columns, *(["geometry"] if layer.geometry else [])]
    query = f"SELECT {', '.join(map(geopackage.quote, names))} FROM {geopackage.quote(layer.name)}"
    counts = Counter(map(hash, expected.execute(query)))
    counts.subtract(map(hash, connection.stream(query)))
    if any(counts.values()):
        yield Message(
            "verification.derived",
            {
                "table": layer.name,
                "missing": sum(count for count in counts.values() if count > 0),
                "extra": -sum(count for count in counts.values() if count < 0),
                "first": tuple(_first(expected, connection, query, counts)),
            },
        )


def _first(expected: SqliteConnection, connection: Connection, query: str, counts: Mapping[int, int]) -> list[str]:
    rows = (row for database in (connection, expected) for row in database.stream(query) if counts.get(hash(row)))
    return list(dict.fromkeys(str(row[0]) for row, _ in zip(rows, range(_NAMED), strict=False)))


# --- whether the chain holds when a program starts ----------------------------------------------
#
# It is followed from the head on that was followed to last, which is remembered in a file beside the store, so that a
# start follows the rows since alone, however long history is. Rows before it may be rewritten unnoticed there, but for
# the head itself.


class BrokenHistory(StoreError):
    """The history of a store was changed other than by being added to."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"{name}: {what}; strikeatlas verify {shlex.quote(name)} says what is wrong, and "
            "--accept-broken-history goes on all the same"
        )


def require_history(name: str, path: Path, connection: Connection, read_only: bool = False) -> None:
    """Follow the chain of history from the head that is remembered beside a path, and remember the last row.

    Of a store that is only read nothing is remembered, as nothing is written beside it. Raises `BrokenHistory`, with
    the ``name`` of the store, if a row does not follow on the one before, or the row of the head is another one or
    gone.
    """
    remembered = _checked(path)
    checked = EMPTY if remembered == EMPTY else _as_it_is(connection, remembered)
    if checked is None:
        raise BrokenHistory(
            name,
            f"row {remembered.seq} of history is gone or another one than when it was checked before (unless the file "
            f"was replaced on purpose: then remove {_file(path).name})",
        )
    end = follow(connection, checked)
    if isinstance(end, ChainBreak):
        raise BrokenHistory(name, f"row {end.seq} of history does not follow on the one before it")
    if end != remembered and not read_only:
        _remember(path, end)


def forget(path: Path) -> None:
    """Remember nothing of a store that was replaced by another one."""
    _file(path).unlink(missing_ok=True)


def _as_it_is(connection: Connection, head: Head) -> Head | None:
    """The row of a head as it is now; it may have been remembered before there were salts."""
    row = connection.execute("SELECT hash, unsalted FROM history WHERE seq = ?", (head.seq,)).fetchone()
    return replace(head, hash=row[0]) if row is not None and head.hash in row else None


def _file(path: Path) -> Path:
    return path.with_name(f"{path.name}.checked")


def _checked(path: Path) -> Head:
    """The head that is remembered; that of an empty history where there is none that can be read."""
    try:
        values = orjson.loads(_file(path).read_bytes())
        head = Head(values["seq"], values["hash"], values["at"])
    except (OSError, ValueError, LookupError, TypeError):
        return EMPTY
    return head if isinstance(head.seq, int) and isinstance(head.hash, str) else EMPTY


def _remember(path: Path, head: Head) -> None:
    """Write the head beside the store, for those who may read it: its row may be of a private record.

    Where nothing can be written, the next start follows the rows again.
    """
    file, content = _file(path), orjson.dumps({"seq": head.seq, "hash": head.hash, "at": head.at})
    with suppress(OSError):
        mode = PRIVATE_MODE | stat.S_IMODE(path.stat().st_mode) & 0o666 if path.exists() else PRIVATE_MODE
        if file.is_file():
            file.chmod(mode)
        write_file(file, content, mode=mode, durable=False)
