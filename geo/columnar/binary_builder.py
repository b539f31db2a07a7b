"""Builds arrays of byte strings part by part: few bytes are in memory, many in a file without a name."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType

import numpy as np

from geo.columnar.binary_array import BinaryArray, write_rows
from geo.lonlat import Ints

#: So many bytes stay in memory.
_MAX_BYTES_IN_MEMORY = 1 << 20


class BinaryBuilder:
    """Packs byte strings as `BinaryArray.of` does; as a context manager closes its file, and the array stays readable.

    Parameters
    ----------
    folder
        Where the file is; it has no name there. ``None`` is the system's own folder.
    separator
        Follows each row.

    Attributes
    ----------
    map
        The file as the array reads it, once that is finished; ``None`` where all bytes are in memory. The system can
        take back the memory of what was read of it.
    """

    def __init__(self, folder: Path | None = None, separator: bytes = b"") -> None:
        self._file = SpooledTemporaryFile[bytes](_MAX_BYTES_IN_MEMORY, dir=None if folder is None else str(folder))
        self._separator = separator
        self._sizes = list[Ints]()
        self.map: mmap.mmap | None = None

    def __enter__(self) -> BinaryBuilder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def extend(self, rows: Iterable[bytes]) -> None:
        """Append rows."""
        self._sizes.append(write_rows(rows, self._separator, self._file.write))

    def append(self, page: BinaryArray) -> None:
        """Append all rows of an array that was packed with the separator, as `BinaryArray.of` gives it."""
        self._file.write(page.buffers[0].data)
        self._sizes.append(page.stops - page.starts)

    def finish(self) -> BinaryArray:
        """Return all rows; none can be appended then."""
        if (size := self._file.tell()) > _MAX_BYTES_IN_MEMORY:
            self._file.flush()
            self.map = mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_READ)
        else:
            self._file.seek(0)
        data = np.frombuffer(self.map or self._file.read(), np.uint8)
        return BinaryArray.from_sizes(data, np.concatenate([np.empty(0, np.int64), *self._sizes]), self._separator)
