"""Whether the chain of history holds when a program starts: followed from the head on that was followed to last.

That head is remembered in a file beside the store, so that a start follows the rows since alone, however long history
is. Rows before it may be rewritten unnoticed here, but for the head itself; `layers.store.verification` follows all.
"""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import orjson

from layers.filesystem.atomic_file import write_file
from layers.store.connection import Connection
from layers.store.connections import StoreError
from layers.store.history_chain import EMPTY, ChainBreak, Head
from layers.store.verification import follow


class BrokenHistory(StoreError):
    """The history of a store was changed other than by being added to."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"{name}: {what}; strikeatlas verify {shlex.quote(name)} says what is wrong, and "
            "--accept-broken-history goes on all the same"
        )


def require_history(name: str, path: Path, connection: Connection, read_only: bool = False) -> None:
    """Follow the chain of history from the head that is remembered, and remember the last row.

    Of a store that is only read nothing is remembered, as nothing is written beside it.

    Parameters
    ----------
    name
        Of the store, for messages.
    path
        Beside which the head is remembered.

    Raises
    ------
    BrokenHistory
        If a row does not follow on the one before, or the row of the head is another one or gone.
    """
    remembered = _checked(path)
    checked = EMPTY if remembered == EMPTY else _found(connection, remembered)
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


def _found(connection: Connection, head: Head) -> Head | None:
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
    """Write the head beside the store; where nothing can be written, the next start follows the rows again."""
    with suppress(OSError):
        write_file(_file(path), orjson.dumps({"seq": head.seq, "hash": head.hash, "at": head.at}), durable=False)
