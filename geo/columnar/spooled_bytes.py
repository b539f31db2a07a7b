"""Bytes that are written piece by piece and then read at any place: few in memory, many in a file without a name."""

from __future__ import annotations

import mmap
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType

#: So many bytes stay in memory.
_MAX_BYTES_IN_MEMORY = 1 << 20


class SpooledBytes:
    """Collects bytes; as a context manager it closes its file, and what was read of it stays readable.

    Parameters
    ----------
    folder
        Where the file is; it has no name there. ``None`` is the system's own folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = SpooledTemporaryFile[bytes](_MAX_BYTES_IN_MEMORY, dir=None if folder is None else str(folder))

    def __enter__(self) -> SpooledBytes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, piece: bytes) -> None:
        """Write bytes behind all others."""
        self._file.write(piece)

    def contents(self) -> bytes | mmap.mmap:
        """All bytes that were written: many are a map of the file, whose memory the system can take back."""
        if (size := self._file.tell()) <= _MAX_BYTES_IN_MEMORY:
            self._file.seek(0)
            return self._file.read()
        self._file.flush()
        return mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_READ)
