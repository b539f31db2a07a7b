"""A copy of a store that is in use: one version of it, whole and checked, in one file without a log."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from layers.filesystem.atomic_file import replacing
from layers.store import verification, writer
from layers.store.connections import StoreError, as_store_error
from layers.store.create import PRIVATE_MODE, require_free
from layers.store.history_chain import Head
from layers.store.sqlite import SqliteConnection
from layers.store.store import Store

#: Pages of the database that are copied in one step: 4 MB of SQLite's usual pages.
_STEP = 1024

#: Called with the number of pages copied so far, and of all.
CopyProgress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was put in place: its last change and when that was, its size, and its SHA-256 in hexadecimal."""

    path: Path
    seq: int
    at: str | None
    bytes: int
    sha256: str


def back_up(store: Store, target: Path, *, overwrite: bool = False, progress: CopyProgress | None = None) -> Backup:
    """Copy one version of a store while others read and write, by SQLite's online backup (sqlite.org/backup.html).

    The copy is whole and checked, or not there. It holds all that the store does, private records too, and only its
    owner may read a new file.

    Parameters
    ----------
    overwrite
        Whether a file that is there is replaced.
    progress
        Called now and then with the number of pages copied and of all; if it raises, nothing is put in place.

    Raises
    ------
    FileExistsError
        If the target is there and may not be overwritten, is the store itself, or has a log: it is in use.
    StoreError
        If the copy is not sound, or cannot be written.
    OSError
        If it cannot be put in place.
    """
    require_target(store.path, target, overwrite)
    with store.reading() as source, replacing(target, overwrite=overwrite, mode=PRIVATE_MODE) as fresh:
        # From here on the transaction reads this version: others write on, and the copy is not begun anew for that.
        head = writer.head(source)
        assert isinstance(source, SqliteConnection)  # as a store that has a path is a file
        try:
            with closing(sqlite3.connect(fresh, isolation_level=None, factory=SqliteConnection)) as copy:
                source.backup(copy, pages=_STEP, progress=_counted(progress))
                # A file in WAL mode cannot be read where nothing may be written beside it.
                if copy.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):
                    raise StoreError(f"{target.name}: the log of the copy cannot be folded in")
                _require_sound(copy, head)
        except sqlite3.Error as error:
            raise as_store_error(error, target) from error
        with fresh.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = fresh.stat().st_size
    verification.forget(target)
    return Backup(target, head.seq, head.at, size, digest)


def require_target(path: Path, target: Path, overwrite: bool) -> None:
    """Refuse a target that is the store itself, in use, or there and not to be overwritten, by FileExistsError."""
    if target.exists() and target.samefile(path):
        raise FileExistsError(f"{target} is the store itself")
    require_free(target.resolve(), overwrite)


def _counted(progress: CopyProgress | None) -> Callable[[int, int, int], None] | None:
    if progress is None:
        return None
    return lambda _status, remaining, total: progress(total - remaining, total)


def _require_sound(copy: SqliteConnection, head: Head) -> None:
    """Check every page and index of a copy, and that it is of the version that was to be copied."""
    faults = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
    if faults != ["ok"]:
        raise StoreError(f"the copy is damaged, and so may be the store: {'; '.join(faults)}")
    if (copied := writer.head(copy)) != head:
        raise StoreError(f"the copy is of change {copied.seq}, not of {head.seq}")
