"""The policy of disclosure is in the history, and a program that does not know it would publish without it."""

from __future__ import annotations

import sqlite3

TITLE = "the policy of what is published, in the history"


def apply(connection: sqlite3.Connection) -> None:
    """Change nothing: a store of before has no policy until `strikeatlas policy set` gives it one."""
