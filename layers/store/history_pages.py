"""Reads the history of records by pages, newest first, each by an index or within bounds.

Every function takes a connection within the caller's transaction, and reads no more rows than its bound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from layers.geopackage import geopackage
from layers.store import writer
from layers.store.connection import Connection, Cursor
from layers.store.migrations.tables import DIGITS, NOTES, PRIVATE_DATASETS, PRIVATE_REMOVED

_CHANGED = '"before" IS NOT NULL'
#: What a row is about: table and id.
RecordKey = tuple[str, str]
#: Which rows are read: all, those of records that were there before, or those of records that were removed.
Which = Literal["all", "changes", "removals"]
_CONDITIONS: Mapping[Which, str] = {"all": "", "changes": f"AND {_CHANGED}", "removals": 'AND "after" IS NULL'}
_COLUMNS = 'seq, "at", who, noun, record, "before", "after", why, hash'
_OF_RECORDS = f"noun NOT IN {NOTES}"
#: Begins the reason of a load that appends.
APPENDED = "appended"
#: Records of one query; SQLite takes more.
_TOGETHER = 400


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One change of one record: number, time (RFC 3339, UTC), author, table, id, and the values before and after.

    ``before`` is None for a new record, ``after`` for a removed one; both hold the columns of the table, geometry as
    WKT, lon/lat, in full. ``why`` is the reason that was stated; ``None`` without one. ``hash`` is that of the chain.
    """

    seq: int
    at: str
    author: str
    table: str
    record: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    why: str | None
    hash: str

    @property
    def key(self) -> RecordKey:
        """The record that it is about."""
        return self.table, self.record


@dataclass(frozen=True, slots=True)
class Transaction:
    """Rows that were written together: first and last number, both included, and their time and author."""

    first: int
    last: int
    at: str
    author: str

    def __len__(self) -> int:
        return self.last - self.first + 1


def rows(
    connection: Connection, below: int, from_seq: int, limit: int, which: Which = "all", *, private: bool = True
) -> list[HistoryRow]:
    """At most ``limit`` rows with a number below one and not before another, newest first.

    Without ``private`` those are left out before and after which their record was private, or was not there.
    """
    shown = "" if private else f"AND NOT ({_hidden(connection)})"
    query = f"""SELECT {_COLUMNS} FROM history WHERE seq < ? AND seq >= ? AND {_OF_RECORDS} {_CONDITIONS[which]}
      {shown} ORDER BY seq DESC LIMIT ?"""
    return _read(connection.execute(query, (below, from_seq, limit)))


def rows_after(connection: Connection, seq: int, limit: int) -> list[tuple[Any, ...]]:
    """At most ``limit`` rows of records with a higher number than one, oldest first, as `row_of` reads them."""
    query = f"SELECT {_COLUMNS} FROM history WHERE seq > ? AND {_OF_RECORDS} ORDER BY seq LIMIT ?"
    return connection.execute(query, (seq, limit)).fetchall()


def _hidden(connection: Connection) -> str:
    """Whether there was no public record before a row, nor after it."""
    text, position = '"private":true', connection.dialect.position
    return " AND ".join(f"({column} IS NULL OR {position(column, text)} > 0)" for column in ('"before"', '"after"'))


def rows_of(
    connection: Connection, keys: Collection[RecordKey], below: int, from_seq: int, limit: int
) -> list[HistoryRow]:
    """At most ``limit`` rows of given records with a number below one and not before another, newest first."""
    found: list[HistoryRow] = []
    ordered = sorted(keys)
    for start in range(0, len(ordered), _TOGETHER):
        some = ordered[start : start + _TOGETHER]
        marks = " OR ".join(["(noun = ? AND record = ?)"] * len(some))
        query = f"SELECT {_COLUMNS} FROM history WHERE ({marks}) AND seq < ? AND seq >= ? ORDER BY seq DESC LIMIT ?"
        values = [part for key in some for part in key]
        found += _read(connection.execute(query, (*values, below, from_seq, limit)))
    return sorted(found, key=lambda row: -row.seq)[:limit]


def changed_in(connection: Connection, from_seq: int, below: int) -> frozenset[RecordKey]:
    """Records that the changes from a number on and below another are about."""
    query = f"SELECT DISTINCT noun, record FROM history WHERE seq >= ? AND seq < ? AND {_OF_RECORDS}"
    return frozenset(connection.execute(query, (from_seq, below)))


def transaction(connection: Connection, seq: int) -> Transaction | None:
    """The transaction of a row: its neighbours of the same time and author. ``None`` where there is no such row.

    Found by doubled and halved steps, in a number of look-ups that grows as the logarithm of its size.
    """
    there = connection.execute('SELECT "at", who FROM history WHERE seq = ?', (seq,)).fetchone()
    if there is None:
        return None

    def is_in(number: int) -> bool:
        return bool(connection.execute('SELECT "at", who FROM history WHERE seq = ?', (number,)).fetchone() == there)

    return Transaction(seq - _reach(seq, -1, is_in), seq + _reach(seq, 1, is_in), *there)


def _reach(seq: int, sign: int, is_in: Any) -> int:
    """How far a run goes on from a row, in one direction."""
    step = 1
    while is_in(seq + sign * step):
        step *= 2
    low, high = step // 2, step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_in(seq + sign * middle) else (low, middle)
    return low


def first_since(connection: Connection, at: str) -> int:
    """Number of the first row that was written at a time or later (RFC 3339, UTC); the one after the last if none was.

    Times are taken to grow with the numbers of rows.
    """
    low, high = 0, writer.last_seq(connection)
    while high > low:
        middle = (low + high) // 2
        found = connection.execute(
            'SELECT seq, "at" FROM history WHERE seq > ? ORDER BY seq LIMIT 1', (middle,)
        ).fetchone()
        if found is None or found[1] >= at:
            high = middle
        else:
            low = found[0]
    return low + 1


def last_times(connection: Connection, tables: Collection[str], up_to: int) -> Iterator[tuple[str, str, str]]:
    """Yield table, id and time of the last change of each record of some tables, of changes up to a number."""
    query = f"""SELECT noun, record, max("at") FROM history WHERE noun IN ({_marks(tables)}) AND seq <= ?
      GROUP BY noun, record"""
    yield from connection.execute(query, (*tables, up_to))


def last_changed(connection: Connection, table: str, up_to: int) -> int:
    """Number of the last change or removal of a record of a table that there was before; 0 where there was none.

    Changes of records that were private before and after them do not count.
    """
    shown = f"noun = ? AND seq <= ? AND {_CHANGED} AND NOT ({_hidden(connection)})"
    return _last(connection, shown, table, up_to)


def rows_but_of(connection: Connection, tables: Collection[str], up_to: int) -> Iterator[HistoryRow]:
    """Yield every row of all tables but some, of changes up to a number, oldest first."""
    query = f"""SELECT {_COLUMNS} FROM history WHERE noun NOT IN ({_marks(tables)}) AND {_OF_RECORDS} AND seq <= ?
      ORDER BY seq"""
    for row in connection.execute(query, (*tables, up_to)):
        yield row_of(row)


def ever_private(connection: Connection, up_to: int) -> Iterator[str]:
    """Yield the ids of records that were private before or after any change up to a number; rather one too many."""
    is_private = _is_no_public(connection)
    query = f"SELECT DISTINCT record FROM history WHERE seq <= ? AND {_OF_RECORDS} AND {is_private}"
    yield from (record for (record,) in connection.execute(query, (up_to,)))


def citing_private(connection: Connection, tables: Collection[str], up_to: int) -> Iterator[str]:
    """Yield the ids of records of some tables that cited, by any change up to a number, an ever private source."""
    private = f"SELECT record FROM history WHERE noun = 'sources' AND seq <= ? AND {_is_no_public(connection)}"
    if connection.execute(f"SELECT EXISTS ({private})", (up_to,)).fetchone() == (0,):
        return
    cited = connection.dialect.elements('"after"', "sources")
    query = f"""SELECT DISTINCT record FROM history, {cited}
      WHERE noun IN ({_marks(tables)}) AND seq <= ? AND "after" NOTNULL AND element.value IN ({private})"""
    yield from (record for (record,) in connection.execute(query, (*tables, up_to, up_to)))


def _is_no_public(connection: Connection) -> str:
    # A search of the text as it is written here; reading it as JSON takes ten times as long.
    position = connection.dialect.position
    texts = ('"before"', '"after"')
    found = (f"""({text} NOTNULL AND {position(text, '"private":false')} = 0)""" for text in texts)
    return f"({' OR '.join(found)})"


def references(connection: Connection, table: str, column: str, condition: str = "TRUE") -> Iterator[tuple[str, str]]:
    """Yield the id of each record of a table that is stored and that a condition fits, with each id in a column."""
    name, value, elements = geopackage.quote(table), geopackage.quote(column), ""
    if column == "sources":
        value, elements = "element.value", f", {connection.dialect.elements(value, None)}"
    yield from connection.execute(
        f"SELECT {name}.id, {value} FROM {name}{elements} WHERE {value} NOTNULL AND {condition}"
    )


def _last(connection: Connection, condition: str, *values: Any) -> int:
    """Number of the last row that a condition fits; 0 where there is none."""
    query = f"SELECT coalesce(max(seq), 0) FROM history WHERE {condition}"
    return int(connection.execute(query, values).fetchone()[0])


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))


def seq_of(connection: Connection, digits: str) -> int | None:
    """Number of the row whose hash begins with some digits, `DIGITS` or more; ``None`` where there is none, or two."""
    query = f"SELECT seq, hash FROM history WHERE substr(hash, 1, {DIGITS}) = ?"
    found = [seq for seq, digest in connection.execute(query, (digits[:DIGITS],)) if digest.startswith(digits)]
    return found[0] if len(found) == 1 else None


def is_older_than_salts(connection: Connection, seq: int) -> bool:
    """Whether a row was written before there were salts, when rows were named in public by their numbers."""
    return connection.execute("SELECT unsalted FROM history WHERE seq = ?", (seq,)).fetchone() not in (None, (None,))


def last_private(connection: Connection, key: RecordKey, up_to: int) -> int:
    """Number of the last change before or after which a record was private; 0 where it never was."""
    return _last(connection, f"noun = ? AND record = ? AND seq <= ? AND ({_says_private(connection)})", *key, up_to)


def _says_private(connection: Connection) -> str:
    return " OR ".join(map(connection.dialect.says_private, ('"before"', '"after"')))


def last_listed(connection: Connection, dataset: str) -> int:
    """Number of the last change by which a dataset became private as a whole; the one after the last without one."""
    said = connection.dialect.says_private('"after"')
    found = _last(connection, f"noun = ? AND record = ? AND {said}", PRIVATE_DATASETS, dataset)
    return found or writer.last_seq(connection) + 1


def last_before(connection: Connection, key: RecordKey, seq: int, at: str) -> int:
    """Number of the last change of a record with a number up to one, or made before a time; 0 where there is none."""
    return _last(connection, 'noun = ? AND record = ? AND (seq <= ? OR "at" < ?)', *key, seq, at)


def last_values(connection: Connection, key: RecordKey) -> Mapping[str, Any] | None:
    """The last values that a record is known to have had; ``None`` where it has no history."""
    query = 'SELECT "before", "after" FROM history WHERE noun = ? AND record = ? ORDER BY seq DESC LIMIT 1'
    found = connection.execute(query, key).fetchone()
    return None if found is None else _values(found[1] or found[0])


def counts_in(connection: Connection, whole: Transaction) -> Mapping[tuple[str, str, str], int]:
    """Number of changes of public records in a transaction, by table, dataset and what was done.

    What was done is added, changed or removed. A record that was private before or after a change is not counted.
    """
    dataset = connection.dialect.member('coalesce("after", "before")', "dataset")
    query = f"""SELECT noun, {dataset},
      CASE WHEN "before" IS NULL THEN 'added' WHEN "after" IS NULL THEN 'removed' ELSE 'changed' END, count(*)
      FROM history WHERE seq BETWEEN ? AND ? AND {_OF_RECORDS} AND NOT ({_says_private(connection)})
      GROUP BY 1, 2, 3"""
    found = connection.execute(query, (whole.first, whole.last))
    return {(noun, dataset, done): number for noun, dataset, done, number in found}


def has_removed_private(connection: Connection) -> bool:
    """Whether a private record was ever removed."""
    return bool(connection.execute(f"SELECT EXISTS (SELECT 1 FROM {PRIVATE_REMOVED})").fetchone()[0])


def last_removed(connection: Connection, dataset: str) -> list[tuple[RecordKey, Mapping[str, Any]]]:
    """Key and last values of the records that were removed together when a dataset lost records last; else none."""
    of_dataset = f"""FROM history WHERE "after" IS NULL AND {connection.dialect.member('"before"', "dataset")} = ?"""
    (last,) = connection.execute(f"SELECT max(seq) {of_dataset}", (dataset,)).fetchone()
    whole = None if last is None else transaction(connection, last)
    if whole is None:
        return []
    query = f'SELECT noun, record, "before" {of_dataset} AND seq BETWEEN ? AND ? ORDER BY seq'
    found = connection.execute(query, (dataset, whole.first, whole.last))
    return [((noun, record), orjson.loads(before)) for noun, record, before in found]


def appended(connection: Connection) -> frozenset[RecordKey]:
    """Records that a load which appends added."""
    query = """SELECT noun, record FROM history WHERE "before" IS NULL AND (why = ? OR why LIKE ?)"""
    return frozenset(connection.execute(query, (APPENDED, f"{APPENDED}: %")))


def _read(cursor: Cursor) -> list[HistoryRow]:
    return [row_of(row) for row in cursor]


def row_of(row: tuple[Any, ...]) -> HistoryRow:
    """Read a row, whose values before and after are JSON texts."""
    seq, at, author, table, record, before, after, why, digest = row
    return HistoryRow(seq, at, author, table, record, _values(before), _values(after), why, digest)


def _values(text: str | None) -> Mapping[str, Any] | None:
    return None if text is None else orjson.loads(text)
