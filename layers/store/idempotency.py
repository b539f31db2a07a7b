"""Requests that were answered, by the keys that their senders gave them: one that is sent again is not done again.

The key is written in the transaction of what the request writes, so that there is either both or neither.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from layers.geopackage import geopackage
from layers.model.messages import Message
from layers.model.timestamps import timestamp
from layers.store import writer
from layers.store.connection import Connection, insert_rows
from layers.store.connections import StoreError
from layers.store.writer import Authorship

TABLE = "idempotency_keys"
#: The columns of the table.
COLUMNS = ("person", "key", "request", "at", "seq", "status", "headers", "body")
_NAMES = ", ".join(map(geopackage.quote, COLUMNS))
_ALL = f"SELECT {_NAMES} FROM {TABLE} ORDER BY 1, 2"
#: How long the answer of a key is given again.
RETENTION = timedelta(hours=24)
#: Keys that are removed at once when another is written; more are due only after a burst, and go with the next ones.
_PURGE = 100


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """An answer of HTTP: status, headers and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request of a person with a key; both ``key`` and ``request``, all that it says, are digests.

    ``answer`` gives the answer to it from the number of the change that it makes.
    """

    person: str
    key: str
    request: str
    answer: Callable[[int], StoredResponse]


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """The digest of a request that was answered, the number of the change that it made, and the answer."""

    request: str
    seq: int
    answer: StoredResponse


class KeyTaken(StoreError):
    """A request with the same key was answered meanwhile. Nothing was written."""


def find(connection: Connection, person: str, key: str, at: str) -> AnsweredRequest | None:
    """Find the answer to the request of a key that was answered within `RETENTION` before a time (RFC 3339, UTC)."""
    row = connection.execute(
        f'SELECT request, seq, status, headers, body FROM {TABLE} WHERE person = ? AND key = ? AND "at" > ?',
        (person, key, _due(at)),
    ).fetchone()
    if row is None:
        return None
    request, seq, status, headers, body = row
    return AnsweredRequest(request, seq, StoredResponse(status, orjson.loads(headers), bytes(body)))


def require_free(connection: Connection, keyed: KeyedRequest | None, at: str) -> None:
    """Refuse a request whose key was answered before, by `KeyTaken`."""
    if keyed is not None and find(connection, keyed.person, keyed.key, at) is not None:
        raise KeyTaken("a request with this key was answered meanwhile")


def insert(connection: Connection, keyed: KeyedRequest | None, authorship: Authorship, seq: int) -> None:
    """Write the answer to a request that made a change, in the same transaction, and a row of history that tells of it.

    Keys that are due are removed.
    """
    if keyed is None:
        return
    at = authorship.at
    connection.execute(
        f"DELETE FROM {TABLE} WHERE (person, key) IN "
        f'(SELECT person, key FROM {TABLE} WHERE "at" <= ? ORDER BY "at" LIMIT ?)',
        (_due(at), _PURGE),
    )
    answer = keyed.answer(seq)
    again = ", ".join(f"{name} = excluded.{name}" for name in map(geopackage.quote, COLUMNS[2:]))
    headers = orjson.dumps(dict(answer.headers)).decode()
    row = (keyed.person, keyed.key, keyed.request, at, seq, answer.status, headers, answer.body)
    connection.execute(
        f"INSERT INTO {TABLE} ({_NAMES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        f"ON CONFLICT (person, key) DO UPDATE SET {again}",
        row,
    )
    writer.append_history(connection, authorship, [(TABLE, keyed.key, None, {"at": at, "sha256": _digest(row)})])


def _noted(connection: Connection) -> Mapping[tuple[str, str], str]:
    """When each answer was given that history tells of, by its key and digest."""
    rows = connection.execute('SELECT record, "after" FROM history WHERE noun = ?', (TABLE,))
    return {(key, note["sha256"]): note["at"] for key, after in rows for note in [orjson.loads(after)]}


def _digest(row: tuple[Any, ...]) -> str:
    """The digest of a row, by which history tells of it."""
    return hashlib.sha256(orjson.dumps([*row[:-1], bytes(row[-1]).hex()])).hexdigest()


def copy(source: Connection, target: Connection) -> None:
    """Copy the answers that the history in the target tells of."""
    known = _noted(target)
    rows = [row for row in source.execute(_ALL) if (row[1], _digest(row)) in known]
    insert_rows(target, TABLE, dict.fromkeys(COLUMNS, "TEXT"), rows)


def findings(connection: Connection) -> Iterator[Message]:
    """Tell of answers that history does not tell of, and of those that are gone before they were due."""
    known = _noted(connection)
    there = {(row[1], _digest(row)) for row in connection.execute(_ALL)}
    for key, _ in sorted(there - known.keys()):
        yield Message("verification.answer-added", {"key": key})
    due = max(map(_due, known.values()), default="")
    for key in sorted({key for (key, _), at in known.items() if at > due} - {key for key, _ in there}):
        yield Message("verification.answer-gone", {"key": key})


def _due(at: str) -> str:
    return timestamp(datetime.fromisoformat(at) - RETENTION)
