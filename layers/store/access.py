"""Whether a store may be written to, and how one that may not is read without a trace. Opens no file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

#: Files that SQLite keeps beside a database: the log, its index and a rollback journal.
SIDE_FILES = ("-wal", "-shm", "-journal")


class Access(Enum):
    """How a file is opened: the query of its URI (sqlite.org/uri.html)."""

    #: By any program, in WAL mode.
    WRITABLE = "mode=rw"
    #: Beside a program that may write to it: SQLite reads its log and takes its locks.
    SHARED = "mode=ro"
    #: Without locks and log. Sound only while no program writes to it, which a `FileState` shows.
    UNSHARED = "mode=ro&immutable=1"

    def uri(self, path: Path) -> str:
        """The address of a file that is opened so."""
        return f"{path.resolve().as_uri()}?{self.value}"


@dataclass(frozen=True, slots=True)
class FileState:
    """How a file that is only read is read, and what a write to it changes while it is read without locks: stat(2)."""

    access: Access
    inode: int
    written: tuple[int, int, int] | None

    @classmethod
    def of(cls, path: Path) -> FileState:
        """The state of a file now.

        Raises
        ------
        OSError
            If it is gone.
        """
        info, access = path.stat(), access_to(path, read_only=True)
        written = (info.st_size, info.st_mtime_ns, info.st_ctime_ns) if access is Access.UNSHARED else None
        return cls(access, info.st_ino, written)


def access_to(path: Path, read_only: bool = False) -> Access:
    """Find how a file is to be opened; one that is only read is never written to, nor is anything beside it.

    A file is written to if it and its folder may be, and if it has any permission to write: that nobody has one is
    taken for a seal, also by root, whom no permission binds.

    SQLite reads a database in WAL mode only where it may make the index of the log beside it, or finds it there
    (sqlite.org/wal.html, Read-Only Databases). Where neither is so, nobody is writing: a writer would have a log.
    """
    if not read_only and _is_writable(path):
        return Access.WRITABLE
    return Access.SHARED if has_log(path) else Access.UNSHARED


def has_log(path: Path) -> bool:
    """Whether something stands in a log or journal beside a file: a program has it open, or was cut off."""
    return os.path.lexists(f"{path}-shm") or bool(_size(f"{path}-wal")) or has_journal(path)


def has_journal(path: Path) -> bool:
    """Whether a rollback journal stands beside a file: a program is writing to it, or was cut off."""
    return bool(_size(f"{path}-journal"))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def _is_writable(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o222) and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
