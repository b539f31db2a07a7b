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

from layers.sources.files.limits import FREE_BYTES, MAX_MEMBERS, MAX_RATIO, MAX_TABLE_BYTES, Refused

_DATA = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".geojson", ".xlsx", ".gpkg", ".pbf")
# Deflate needs 32 kB whatever a file says; LZMA would take as much memory as its header asks for.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, RuntimeError, NotImplementedError)


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Bounded(io.RawIOBase):
    """A stream that refuses to give more than ``most`` bytes, or far more bytes than it was packed in so far."""

    def __init__(self, raw: _Readable, file: str, most: int, packed: Callable[[], int] | None = None) -> None:
        self._raw, self._file, self._most, self._packed = raw, file, most, packed
        self._given = 0

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer.

        Raises
        ------
        Refused
            If there is more than is allowed, or the packing is broken.
        """
        try:
            data = self._raw.read(len(buffer))
        except _BROKEN as error:
            raise Refused(self._file, "packing", error, "a whole, unencrypted zip or gzip file") from error
        self._given += len(data)
        if self._given > self._most:
            raise Refused(self._file, "size", f"over {self._given:,} bytes", f"at most {self._most:,} bytes unpacked")
        if self._packed is not None:
            require_ratio(self._file, self._given, self._packed())
        buffer[: len(data)] = data
        return len(data)


def require_ratio(file: str, unpacked: int, packed: int) -> None:
    """Refuse a file that is packed as tightly as only a bomb is.

    Raises
    ------
    Refused
        If it is larger than ``FREE_BYTES`` and than ``MAX_RATIO`` times the packed size.
    """
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * max(packed, 1):
        raise Refused(file, "packing", f"{unpacked:,} bytes out of {packed:,}", f"at most {MAX_RATIO} times the size")


@contextmanager
def opened(path: Path, name: str, most: int = MAX_TABLE_BYTES) -> Iterator[io.BufferedReader]:
    """The unpacked bytes of a file, at most ``most`` of them. A workbook (.xlsx) is not unpacked.

    Raises
    ------
    Refused
        If the file is larger, packed too tightly, broken, encrypted, or an archive of several data files.
    OSError
        If it cannot be opened.
    """
    with path.open("rb") as raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic.startswith(b"\x1f\x8b"):
            yield io.BufferedReader(Bounded(gzip.GzipFile(fileobj=raw), name, most, raw.tell))
        elif magic == b"PK\x03\x04" and (member := data_member(raw, name)):
            archive, info = member
            if info.file_size > most:
                raise Refused(name, "size", f"{info.file_size:,} bytes", f"at most {most:,} bytes unpacked")
            require_ratio(name, info.file_size, info.compress_size)
            with archive.open(info) as inner:
                yield io.BufferedReader(Bounded(inner, name, most, lambda: info.compress_size))
        else:
            raw.seek(0)
            yield io.BufferedReader(Bounded(raw, name, most))


def archive_of(raw: IO[bytes], file: str) -> zipfile.ZipFile:
    """Open a zip file and look at its list of members.

    Raises
    ------
    Refused
        If it is broken or has too many members.
    """
    try:
        archive = zipfile.ZipFile(raw)
    except (*_BROKEN, ValueError, OSError) as error:
        raise Refused(file, "packing", error, "a whole zip file") from error
    if len(archive.infolist()) > MAX_MEMBERS:
        raise Refused(file, "packing", f"{len(archive.infolist()):,} members", f"at most {MAX_MEMBERS:,}")
    return archive


def data_member(raw: IO[bytes], file: str) -> tuple[zipfile.ZipFile, zipfile.ZipInfo] | None:
    """The archive and its only data file; None if it is a workbook, which is a zip itself."""
    archive = archive_of(raw, file)
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if any(info.filename == "[Content_Types].xml" for info in infos):
        return None
    infos = [info for info in infos if info.filename.lower().endswith(_DATA) and _is_plain(info.filename)]
    # A note beside the data does not make it two data files.
    infos = [info for info in infos if not info.filename.lower().endswith(".txt")] or infos
    if len(infos) != 1:
        found = ", ".join(info.filename for info in infos) or "none"
        raise Refused(file, "members", found, f"one data file ({', '.join(_DATA)}); unpack it and name the files")
    (info,) = infos
    if info.compress_type not in _METHODS:
        raise Refused(file, "packing", f"method {info.compress_type}", "a member that is stored or deflated")
    if info.flag_bits & 1:
        raise Refused(file, "packing", "encrypted", "a zip without a password")
    return archive, info


def member_name(path: Path) -> str | None:
    """Name of the data file in a zip, None if the file is no zip."""
    with path.open("rb") as raw:
        if raw.read(4) != b"PK\x03\x04":
            return None
        found = data_member(raw, path.name)
    return found[1].filename if found else None


def _is_plain(name: str) -> bool:
    return not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
