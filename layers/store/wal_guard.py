"""A lock that keeps a SQLite file's log in place while a program uses it. Knows no table."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, whose locks belong to a handle: nothing to guard against.
    fcntl = None  # type: ignore[assignment]

# SQLite's shared lock: 510 bytes from the second after PENDING_BYTE (sqlite.org/src: os.h).
_SHARED_FIRST, _SHARED_SIZE = 0x40000000 + 2, 510


class FileGuard:
    """Holds SQLite's own shared lock on a file, so that no other user of it thinks itself the last one.

    SQLite locks by POSIX record locks, which a process loses as soon as anything in it closes the file: a
    download, a backup, or GDAL, which brings a second SQLite (sqlite.org/howtocorrupt.html, 2.2). Whoever then
    leaves the file last deletes the log that this program goes on writing to, and commits are lost. A lock of
    the open file description (Linux, fcntl(2), F_OFD_SETLK) outlives such a close. Elsewhere nothing is held.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = None
        if hasattr(fcntl, "F_OFD_SETLK"):
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._set(fcntl.F_RDLCK)

    def _set(self, kind: int) -> None:
        if self._descriptor is None:
            return
        # struct flock of 64-bit Linux: type, whence, start, length, process (0 as the manual asks).
        lock = struct.pack("hhqqi", kind, os.SEEK_SET, _SHARED_FIRST, _SHARED_SIZE, 0)
        # A file system that knows no such lock is as it would be without.
        with suppress(OSError):
            fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, lock)

    def unlock(self) -> None:
        """Let the next user of the file be the last one. The descriptor stays open."""
        self._set(fcntl.F_UNLCK)

    def close(self) -> None:
        """Close the descriptor, after all connections of its owner."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
