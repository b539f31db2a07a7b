"""The chain of history: each row has a hash that the hash of the row before goes into. Pure; runs no SQL.

The hash of a row is the SHA-256 (FIPS 180-4), in small hexadecimal digits, of the UTF-8 bytes of the JSON array

    [hash of the row before, seq, at, who, noun, record, before, after]

in the canonical form of RFC 8785: no white space, and only those characters escaped that JSON requires. ``seq`` is a
number; ``before`` and ``after`` are strings, the JSON texts as they stand in the row, or null. The first row follows on
64 zeros. A row with a reason has one member more, the string ``why``, at the end. A row without one has the eight
members that every row had before there were reasons, so that hashes of that time hold; as the number of members tells
which of the two a row is, and ``why`` is never null, no two rows have the same text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import orjson

#: A row of history before it has a number and a hash: at, who, noun, record, before, after, why.
Unlinked: TypeAlias = tuple[str, str, str, str, str | None, str | None, str | None]
#: A row of history as it is stored: seq, at, who, noun, record, before, after, why, hash.
Linked: TypeAlias = tuple[int, str, str, str, str, str | None, str | None, str | None, str]

#: The columns of a linked row, in the order of `Linked`, for SQL.
COLUMNS = 'seq, "at", who, noun, record, "before", "after", why, hash'
#: What follows on INSERT INTO the table of history.
VALUES = f"({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of history: its number, its hash, and when it was written (RFC 3339, UTC; None where there is none).

    Whoever has noted a head can tell later whether anything up to it was rewritten.
    """

    seq: int
    hash: str
    at: str | None


#: The head of a history without rows.
EMPTY = Head(0, "0" * 64, None)


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first row that does not follow on the one before: its number, and the number and hash that it should have."""

    seq: int
    expected_seq: int
    expected_hash: str


def canonical_text(previous: str, seq: int, row: Unlinked) -> bytes:
    """The text of a row that follows on the row of hash ``previous``.

    Raises
    ------
    TypeError
        If a value is no text, and so no value of a row of history.
    """
    *values, why = row
    stated = [] if why is None else [why]
    return orjson.dumps([previous, seq, *values, *stated])


def link(previous: str, seq: int, row: Unlinked) -> str:
    """The hash of a row that follows on the row of hash ``previous``; raises as `canonical_text` does."""
    return hashlib.sha256(canonical_text(previous, seq, row)).hexdigest()


def linked(head: Head, rows: Iterable[Unlinked]) -> Iterator[Linked]:
    """Give rows the numbers and hashes with which they follow on a head, in their order."""
    seq, previous = head.seq, head.hash
    for row in rows:
        seq, previous = seq + 1, link(previous, seq + 1, row)
        yield (seq, *row, previous)


def first_break(head: Head, rows: Iterable[Linked]) -> ChainBreak | Head:
    """Follow rows from a head on: the first one that does not follow, or the head that they lead to."""
    for seq, at, who, noun, record, before, after, why, given in rows:
        expected = link(head.hash, seq, (at, who, noun, record, before, after, why))
        if seq != head.seq + 1 or expected != given:
            return ChainBreak(seq, head.seq + 1, expected)
        head = Head(seq, given, at)
    return head
