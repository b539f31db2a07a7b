"""Edits of records by other programs, such as QGIS: triggers in the file note them, and here they become history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any

from layers.store import writer
from layers.store.connection import Connection
from layers.store.row_mapping import TABLES, from_json, to_json

#: The author of the edits in history: SQLite does not say which program wrote.
AUTHOR = "another program"

#: Records compared at once.
_BATCH = 1000

#: The noted records by table and id, with the name of the id in history, and what history has last of each.
_NOTED = """WITH noted AS (
  SELECT DISTINCT noun, record AS id, {text_of_id} AS record
  FROM external_edits
), last AS (
  SELECT noun, record, max(seq) AS seq FROM history
  WHERE (noun, record) IN (SELECT noun, record FROM noted) GROUP BY noun, record
)
SELECT noted.noun, noted.id, noted.record, history."after" FROM noted
LEFT JOIN last USING (noun, record) LEFT JOIN history ON history.seq = last.seq"""


@contextmanager
def own_write(connection: Connection) -> Iterator[None]:
    """Say that this program writes, whose changes are not noted, for a part of the caller's transaction."""
    connection.execute("INSERT INTO own_write (writing) VALUES (1)")
    yield
    connection.execute("DELETE FROM own_write")


def last_noted(connection: Connection) -> int:
    """Number of the last edit by another program that history does not tell of yet; 0 if it tells of all."""
    last: int = connection.execute("SELECT coalesce(max(id), 0) FROM external_edits").fetchone()[0]
    return last


def absorb(connection: Connection, at: str) -> int:
    """Write what was noted to history, within the caller's transaction; give the number of rows.

    A row is from what history has last of a record to what the record is now, whether or not that is a valid one: a
    value that cannot be read stays as it is. Where nothing differs there is no row.

    Parameters
    ----------
    at
        When this is done (RFC 3339, UTC); nothing says when the edits were made.
    """
    if not last_noted(connection):
        return 0
    authorship, written = writer.in_order(connection, writer.Authorship(AUTHOR, at)), 0
    with connection.any_text():
        cursor = connection.execute(_NOTED.format(text_of_id=connection.dialect.text_of_id("record")))
        while notes := cursor.fetchmany(_BATCH):
            changes = [
                change
                for noun, group in groupby(notes, itemgetter(0))
                for change in _changes(connection, noun, [note[1:] for note in group])
            ]
            writer.append_history(connection, authorship, changes)
            written += len(changes)
        connection.execute("DELETE FROM external_edits")
    return written


def _changes(
    connection: Connection, noun: str, notes: Sequence[tuple[Any, str, str | None]]
) -> Iterator[writer.Change]:
    """Changes of records of one table from what history has last of them: id, its name in history, and that."""
    nows = _rows(connection, noun, [key for key, _, _ in notes])
    for key, name, last in notes:
        was = None if last is None else from_json(last)
        now = nows.get(key)
        if _is_other(noun, was, now):
            yield noun, name, was, now


def _is_other(noun: str, was: dict[str, Any] | None, now: dict[str, Any] | None) -> bool:
    if was is None or now is None:
        return was is not now
    return to_json(TABLES[noun].completed(was)) != to_json(now)


def _rows(connection: Connection, noun: str, keys: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    """The plain values of records as they are now, by id as SQLite holds it."""
    table, marks = TABLES[noun], ", ".join("?" * len(keys))
    rows = connection.execute(f"{writer.select_rows(table)} WHERE id IN ({marks})", keys)
    return {row[table.at("id")]: table.plain_row(row) for row in rows}
