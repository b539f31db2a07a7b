"""The chain of history: each row has a hash that the hash of the row before goes into. Pure; runs no SQL.

The hash of a row is the SHA-256 (FIPS 180-4), in small hexadecimal digits, of the UTF-8 bytes of the JSON array

    [hash of the row before, salt, seq, at, who, noun, record, before, after, why]

in the canonical form of RFC 8785: no white space, and only those characters escaped that JSON requires. ``salt`` are 32
random bytes of the row's own, in hexadecimal digits, which never leave the store: without them nobody can find by trial
what a published hash was made of. ``seq`` is a number; ``before`` and ``after`` are strings, the JSON texts as they
stand in the row, or null, and ``why`` is a string or null. The first row follows on 64 zeros.

A row from before there were salts has one member more, at the end: ``unsalted``, the hash that it had then, of the
array without salt, and without ``why`` where that is null. So each hash of that time can still be proved.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import orjson

#: A row of history before it has a number and a hash: at, who, noun, record, before, after, why.
Unlinked: TypeAlias = tuple[str, str, str, str, str | None, str | None, str | None]
#: A row of history as it is stored: seq, the members of `Unlinked`, salt, unsalted, hash.
Linked: TypeAlias = tuple[int, str, str, str, str, str | None, str | None, str | None, str, str | None, str]

#: The columns of a linked row, in the order of `Linked`, for SQL.
COLUMNS = 'seq, "at", who, noun, record, "before", "after", why, salt, unsalted, hash'
#: What follows on INSERT INTO the table of history.
VALUES = f"({COLUMNS}) VALUES ({', '.join('?' * 11)})"
#: Bytes of a salt, and salts that are drawn at once.
_SALT, _DRAWN = 32, 256


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of history: its number, its hash, and when it was written (RFC 3339, UTC; None where there is none).

    Whoever has noted a head can tell later whether anything up to it was rewritten.
    """

    seq: int
    hash: str
    at: str | None

    @property
    def digits(self) -> str:
        """The first digits of the hash, by which a version of the data is named in print and in codes of figures."""
        return self.hash[:16]


#: The head of a history without rows.
EMPTY = Head(0, "0" * 64, None)


def goes_on(known: Head, found: Head) -> bool:
    """Whether a history goes on from a row that is known, where it has the row ``found`` by the number of that.

    ``found`` is `EMPTY` where it has none. Any history goes on from the empty one.
    """
    return known in (EMPTY, found)


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first row that does not follow on the one before: its number, and the number and hash that it should have."""

    seq: int
    expected_seq: int
    expected_hash: str


def canonical_text(previous: str, seq: int, row: Unlinked, salt: str, unsalted: str | None = None) -> bytes:
    """The text of a row that follows on the row of hash ``previous``.

    Raises TypeError if a value is no text, and so no value of a row of history.
    """
    return orjson.dumps([previous, salt, seq, *row, *(() if unsalted is None else (unsalted,))])


def link(previous: str, seq: int, row: Unlinked, salt: str, unsalted: str | None = None) -> str:
    """The hash of a row that follows on the row of hash ``previous``; raises as `canonical_text` does."""
    return hashlib.sha256(canonical_text(previous, seq, row, salt, unsalted)).hexdigest()


def unsalted_link(previous: str, seq: int, row: Unlinked) -> str:
    """The hash that a row had before there were salts, after the row that then had the hash ``previous``."""
    *values, why = row
    return hashlib.sha256(orjson.dumps([previous, seq, *values, *(() if why is None else (why,))])).hexdigest()


def salts() -> Iterator[str]:
    """Draw a salt for each row, without an end."""
    digits = 2 * _SALT
    while True:
        drawn = secrets.token_hex(_SALT * _DRAWN)
        yield from (drawn[start : start + digits] for start in range(0, len(drawn), digits))


def linked(head: Head, rows: Iterable[Unlinked]) -> Iterator[Linked]:
    """Give rows the numbers, salts and hashes with which they follow on a head, in their order."""
    seq, previous = head.seq, head.hash
    for row, salt in zip(rows, salts(), strict=False):
        seq, previous = seq + 1, link(previous, seq + 1, row, salt)
        yield (seq, *row, salt, None, previous)


def first_break(head: Head, rows: Iterable[Linked]) -> ChainBreak | Head:
    """Follow rows from a head on: the first one that does not follow, or the head that they lead to.

    Hashes from before there were salts are followed too, from the first row on.
    """
    before: str | None = EMPTY.hash if head.seq == 0 else None
    for seq, at, who, noun, record, was, now, why, salt, unsalted, given in rows:
        row = (at, who, noun, record, was, now, why)
        expected = link(head.hash, seq, row, salt, unsalted)
        is_proved = unsalted is None or before is None or unsalted == unsalted_link(before, seq, row)
        if seq != head.seq + 1 or expected != given or not is_proved or not salt:
            return ChainBreak(seq, head.seq + 1, expected)
        # After the first row with a salt alone none has an older hash.
        head, before = Head(seq, given, at), unsalted or ""
    return head
