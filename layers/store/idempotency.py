"""Requests that were answered, by the keys that their senders gave them: one that is sent again is not done again.

The key is written in the transaction of what the request writes, so that there is either both or neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from layers.geopackage import geopackage
from layers.model.timestamps import timestamp
from layers.store.connection import Connection
from layers.store.connections import StoreError

TABLE = "idempotency_keys"
#: The columns of the table.
COLUMNS = ("person", "key", "request", "at", "seq", "status", "headers", "body")
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
    """Refuse a request whose key was answered before.

    Raises
    ------
    KeyTaken
        If it was.
    """
    if keyed is not None and find(connection, keyed.person, keyed.key, at) is not None:
        raise KeyTaken("a request with this key was answered meanwhile")


def insert(connection: Connection, keyed: KeyedRequest | None, at: str, seq: int) -> None:
    """Write the answer to a request that made a change, in the same transaction; remove keys that are due."""
    if keyed is None:
        return
    connection.execute(
        f"DELETE FROM {TABLE} WHERE (person, key) IN "
        f'(SELECT person, key FROM {TABLE} WHERE "at" <= ? ORDER BY "at" LIMIT ?)',
        (_due(at), _PURGE),
    )
    answer = keyed.answer(seq)
    names = ", ".join(map(geopackage.quote, COLUMNS))
    again = ", ".join(f"{name} = excluded.{name}" for name in map(geopackage.quote, COLUMNS[2:]))
    connection.execute(
        f"INSERT INTO {TABLE} ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        f"ON CONFLICT (person, key) DO UPDATE SET {again}",
        (
            keyed.person,
            keyed.key,
            keyed.request,
            at,
            seq,
            answer.status,
            orjson.dumps(dict(answer.headers)).decode(),
            answer.body,
        ),
    )


def _due(at: str) -> str:
    return timestamp(datetime.fromisoformat(at) - RETENTION)
