"""Opens a file as a stream of its unpacked bytes: plain, gzip, or the one data file in a zip; bombs are refused."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from layers.model.messages import Message
from layers.sources.files.limits import FREE_BYTES, MAX_MEMBERS, MAX_RATIO, MAX_TABLE_BYTES, FileRefused

_DATA = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".geojson", ".xlsx", ".gpkg", ".pbf")
# Deflate needs 32 kB whatever a file says; LZMA would take as much memory as its header asks for.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, RuntimeError, NotImplementedError)


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class BoundedStream(io.RawIOBase):
    """A stream that refuses to give more than ``max_bytes``, or far more bytes than it was packed in so far."""

    def __init__(self, raw: _Readable, file: str, max_bytes: int, packed: Callable[[], int] | None = None) -> None:
        self._raw, self._file, self._max_bytes, self._packed_size = raw, file, max_bytes, packed
        self._bytes_read = 0

    def readable(self) -> bool:
        """Whether the stream can be read: always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer.

        Raises ``FileRefused`` if there is more than is allowed, or the packing is broken.
        """
        try:
            data = self._raw.read(len(buffer))
        except _BROKEN as error:
            raise FileRefused(self._file, "packing", error, Message("files.whole-archive")) from error
        self._bytes_read += len(data)
        if self._bytes_read > self._max_bytes:
            over = Message("files.over-bytes", {"count": self._bytes_read})
            raise FileRefused(self._file, "size", over, Message("files.at-most-bytes", {"limit": self._max_bytes}))
        if self._packed_size is not None:
            require_ratio(self._file, self._bytes_read, self._packed_size())
        buffer[: len(data)] = data
        return len(data)


def require_ratio(file: str, unpacked: int, packed: int) -> None:
    """Refuse a file that is packed as tightly as only a zip bomb is.

    Raises ``FileRefused`` if it unpacks to more than ``FREE_BYTES`` and to more than ``MAX_RATIO`` times its packed
    size.
    """
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * max(packed, 1):
        sizes = Message("files.packed", {"unpacked": unpacked, "packed": packed})
        raise FileRefused(file, "packing", sizes, Message("files.ratio", {"limit": MAX_RATIO}))


@contextmanager
def open_unpacked(path: Path, name: str, max_bytes: int = MAX_TABLE_BYTES) -> Iterator[io.BufferedReader]:
    """Open a file as a stream of its unpacked bytes, at most ``max_bytes``. A workbook (.xlsx) is not unpacked.

    Raises ``FileRefused`` if the file is larger, packed too tightly, broken, encrypted, or an archive of several data
    files. Raises ``OSError`` if it cannot be opened.
    """
    with path.open("rb") as raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic.startswith(b"\x1f\x8b"):
            yield io.BufferedReader(BoundedStream(gzip.GzipFile(fileobj=raw), name, max_bytes, raw.tell))
        elif magic == b"PK\x03\x04" and (member := data_member(raw, name)):
            archive, info = member
            if info.file_size > max_bytes:
                size = Message("files.bytes", {"count": info.file_size})
                raise FileRefused(name, "size", size, Message("files.at-most-bytes", {"limit": max_bytes}))
            require_ratio(name, info.file_size, info.compress_size)
            with open_member(archive, info, name) as inner:
                yield io.BufferedReader(BoundedStream(inner, name, max_bytes, lambda: info.compress_size))
        else:
            raw.seek(0)
            yield io.BufferedReader(BoundedStream(raw, name, max_bytes))


def open_archive(raw: IO[bytes], file: str) -> zipfile.ZipFile:
    """Open a zip file and look at its list of members.

    Raises ``FileRefused`` if it is broken or has too many members.
    """
    try:
        archive = zipfile.ZipFile(raw)
    except (*_BROKEN, ValueError, OSError) as error:
        raise FileRefused(file, "packing", error, Message("files.whole-zip")) from error
    if len(archive.infolist()) > MAX_MEMBERS:
        members = Message("files.members", {"count": len(archive.infolist())})
        raise FileRefused(file, "packing", members, Message("files.at-most", {"limit": MAX_MEMBERS}))
    return archive


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: str) -> IO[bytes]:
    """Open a member of a zip file.

    Raises ``FileRefused`` if what stands there is not what the list of members says, is encrypted, or neither stored
    nor deflated.
    """
    if info.compress_type not in _METHODS:
        method = Message("files.method", {"number": info.compress_type})
        raise FileRefused(file, "packing", method, Message("files.stored-or-deflated"))
    if info.flag_bits & 1:
        raise FileRefused(file, "packing", Message("files.encrypted"), Message("files.no-password"))
    try:
        return archive.open(info)
    except (*_BROKEN, ValueError, OSError) as error:  # an offset outside of the file is an OSError
        raise FileRefused(file, "packing", error, Message("files.whole-zip")) from error


def data_member(raw: IO[bytes], file: str) -> tuple[zipfile.ZipFile, zipfile.ZipInfo] | None:
    """Return the archive and its only data file, None for a workbook, which is a zip itself.

    Raises ``FileRefused`` if there are several data files or none.
    """
    archive = open_archive(raw, file)
    # `is_dir` of a member without a name is an IndexError.
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if any(info.filename == "[Content_Types].xml" for info in infos):
        return None
    infos = [info for info in infos if info.filename.lower().endswith(_DATA) and _is_plain(info.filename)]
    # A note beside the data does not make it two data files.
    infos = [info for info in infos if not info.filename.lower().endswith(".txt")] or infos
    if len(infos) != 1:
        names = ", ".join(info.filename for info in infos) or Message("value.no-one")
        raise FileRefused(file, "members", names, Message("files.one-data-file", {"endings": _DATA}))
    (info,) = infos
    return archive, info


def member_name(path: Path) -> str | None:
    """Name of the data file in a zip, None if the file is no zip."""
    with path.open("rb") as raw:
        if raw.read(4) != b"PK\x03\x04":
            return None
        member = data_member(raw, path.name)
    return member[1].filename if member else None


def _is_plain(name: str) -> bool:
    return not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
