"""Each row of history is hashed with random bytes of its own, and history tells of what it did not tell of before."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator

import orjson

from layers.store import history_chain
from layers.store.history_chain import EMPTY, VALUES, Head, Unlinked
from layers.store.migrations.m0001_complete_columns import forbid_changes

TITLE = "history with a salt in each row, so that its hashes give nothing away"

#: The index by which a row is found by the first digits of its hash, and how many these are.
INDEX, DIGITS = "history_of_hash", 16
INDEXED = f"ON history (substr(hash, 1, {DIGITS}))"
#: What rows of history are about that are of no record: tables beside it, whose rows they tell of, and the policy
#: and the open layer.
NOTES = ("private_datasets", "idempotency_keys", "policy", "open_layer")
_ROWS = 1000


def apply(connection: sqlite3.Connection) -> None:
    """Salt all rows and hash them anew, each with the hash that it had, and add rows for what stood beside history."""
    connection.execute("ALTER TABLE history ADD COLUMN salt TEXT")
    connection.execute("ALTER TABLE history ADD COLUMN unsalted TEXT")
    for event in ("update", "delete", "replace"):
        connection.execute(f"DROP TRIGGER history_no_{event}")
    head = _salt(connection)
    forbid_changes(connection, "history", "seq")
    connection.execute(f"CREATE INDEX {INDEX} {INDEXED}")
    connection.executemany(f"INSERT INTO history {VALUES}", history_chain.linked(head, _notes(connection)))


def _salt(connection: sqlite3.Connection) -> Head:
    """Hash all rows anew; give the new head."""
    head, salts = EMPTY, history_chain.salts()
    query = f"""SELECT seq, "at", who, noun, record, "before", "after", why, hash FROM history
      WHERE seq > ? ORDER BY seq LIMIT {_ROWS}"""
    while rows := connection.execute(query, (head.seq,)).fetchall():
        salted = []
        for (seq, *values, unsalted), salt in zip(rows, salts, strict=False):
            head = Head(seq, history_chain.link(head.hash, seq, tuple(values), salt, unsalted), values[0])
            salted.append((salt, unsalted, head.hash, seq))
        connection.executemany("UPDATE history SET salt = ?, unsalted = ?, hash = ? WHERE seq = ?", salted)
    return head


def _notes(connection: sqlite3.Connection) -> Iterator[Unlinked]:
    """Rows that tell which datasets were listed as private, and which answers to requests are stored."""
    (at,) = connection.execute("""SELECT max(coalesce((SELECT max("at") FROM history), ''),
      strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))""").fetchone()
    listed = connection.execute('SELECT seq, dataset, private, "at", who, why FROM private_datasets ORDER BY seq')
    for seq, dataset, private, since, who, why in listed.fetchall():
        entry = {"seq": seq, "private": bool(private), "at": since, "who": who, "why": why}
        yield at, "strikeatlas upgrade", "private_datasets", dataset, None, orjson.dumps(entry).decode(), None
    answers = connection.execute(
        'SELECT person, key, request, "at", seq, status, headers, body FROM idempotency_keys ORDER BY "at", person, key'
    )
    for *values, body in answers.fetchall():
        digest = hashlib.sha256(orjson.dumps([*values, bytes(body).hex()])).hexdigest()
        answer = orjson.dumps({"at": values[3], "sha256": digest}).decode()
        yield at, "strikeatlas upgrade", "idempotency_keys", values[1], None, answer, None
