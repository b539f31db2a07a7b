"""The last change of a store that changed what is published, the policy included: what the public is told of a version.

Its hash names the version, and its time dates it. Changes of private records, and of what the policy withholds, move
neither, so that nobody can tell by them that there were any.
"""

from __future__ import annotations

from layers.corrections.changed import PublishedRecords
from layers.corrections.visibility import Visibility
from layers.store import history_pages, policy_history
from layers.store.connection import Connection
from layers.store.history_chain import EMPTY, Head

#: Rows of history that are read at once.
_PAGE = 50


def published_head(connection: Connection, published: PublishedRecords, seq: int, known: Head = EMPTY) -> Head:
    """Find the last change, up to a number, of what is published, or of the policy.

    Parameters
    ----------
    published
        What is published of the records of change ``seq``.
    known
        That of an earlier version with the same policy: only changes after it are looked at, and it is returned where
        there are none.
    """
    known = max(known, policy_history.head(connection, seq), key=lambda head: head.seq)
    visibility = Visibility(connection, published.stored, published.disclosure, seq, published.now)
    below = seq + 1
    while rows := history_pages.rows(connection, below, known.seq + 1, _PAGE, private=False):
        for row in rows:
            if visibility.moves(row):
                return Head(row.seq, row.hash, row.at)
        below = rows[-1].seq
    return known
