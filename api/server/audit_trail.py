"""Who wrote, and who read what is not published: lines that are only added to a file, each with a hash of the last.

Each line is a JSON object, and its member ``previous`` the SHA-256 of the bytes of the line before (without its end),
so that no line can be changed, removed or put between others without a trace; a cut end shows only to those who noted
the last hash. No line holds a token, or anything of a record but its id.

A write leaves two lines: ``write`` before anything is written to the store, and ``written`` or ``refused`` after it,
which names the first by its ``id``. Each is on disk before the next step begins. Whatever ends the program between the
two leaves a ``write`` without an outcome: the history of the store, which is written at one stroke, says whether it
took place.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import orjson

from api.http.json import Json
from layers.filesystem.atomic_file import sync
from layers.filesystem.file_lock import lock
from layers.model.timestamps import timestamp

Event = Literal["write", "written", "refused", "read"]
#: What stands for the hash of the line before the first.
FIRST = "0" * 64
#: Ids of records that one line names; of more it has the number alone.
MAX_RECORDS = 100
#: Faults of a line: a crash cut it off; it is none; it does not have the hash of the line before.
TORN, FOREIGN, UNCHAINED = "cut off", "is no line of a trail", "does not follow the line before"
#: How each line begins, and the members that each has.
_BEGIN = b'{"id":"'
_MEMBERS = ("id", "at", "event", "who", "previous")
_TAIL = 4096


def audit_path(store: Path) -> Path:
    """Return where the trail of a store is unless another place is given: beside it."""
    return store.with_name(f"{store.name}.audit.jsonl")


class AuditTrailError(RuntimeError):
    """The trail cannot be written, so that nothing may be done that belongs into it."""


class AuditTrail:
    """The trail of one store. Safe to use from many threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        #: Inode, size and last hash after the last line of this process, which need not be read where they still hold.
        self._last: tuple[int, int, str] = (0, 0, FIRST)

    def append(self, event: Event, **members: object) -> str:
        """Add a line and give its id; it is on disk then.

        Raises `AuditTrailError` if it cannot be written, such as where the disk is full. Nothing of it is left then.
        """
        key = secrets.token_hex(8)
        at = timestamp()
        try:
            with self._lock, _held(self.path) as handle:
                self._write(handle, {"id": key, "at": at, "event": event, **members})
        except OSError as error:
            raise AuditTrailError(f"the audit trail cannot be written: {error.strerror}; nothing was done") from error
        return key

    def _write(self, handle: int, line: Json) -> None:
        stat = os.fstat(handle)
        known = self._last[:2] == (stat.st_ino, stat.st_size)
        torn, previous = (b"", self._last[2]) if known else _tail(handle, stat.st_size)
        content = orjson.dumps({**line, "previous": previous})
        end = b"\n" if torn else b""
        written = end + content + b"\n"
        if os.write(handle, written) != len(written):
            os.ftruncate(handle, stat.st_size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)
        self._last = (stat.st_ino, stat.st_size + len(written), _hash(content))


@contextmanager
def _held(path: Path) -> Iterator[int]:
    """Open the file to append to it, and hold it against other processes."""
    is_new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        lock(handle)
        yield handle
    finally:
        os.close(handle)
    if is_new:
        sync(path.parent)


def _tail(handle: int, size: int) -> tuple[bytes, str]:
    """Return what a crash left of a line at the end, if anything, and the hash that the next line has of the last."""
    length = _TAIL
    while True:
        os.lseek(handle, max(0, size - length), os.SEEK_SET)
        tail = os.read(handle, length)
        lines = tail.removesuffix(b"\n").rsplit(b"\n", 1)
        if len(lines) == 2 or length >= size:
            break
        length *= 2
    if not tail:
        return b"", FIRST
    return b"" if tail.endswith(b"\n") else lines[-1], _hash(lines[-1])


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


@dataclass(frozen=True)
class AuditReport:
    """What a trail holds."""

    #: In their order.
    lines: list[Json] = field(default_factory=list)
    #: Hash of the last line.
    head: str = FIRST
    #: Numbers of lines that are cut off or do not follow the one before, and which of both.
    faults: list[tuple[int, str]] = field(default_factory=list)
    #: Ids of writes without an outcome.
    open: list[str] = field(default_factory=list)

    @property
    def is_broken(self) -> bool:
        """Whether a line was changed, removed or put between others; what a crash cut off does not count."""
        return any(fault != TORN for _, fault in self.faults)


def read(path: Path) -> AuditReport:
    """Read a trail and check its chain; a missing file has no lines; raises `OSError` if it cannot be read."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return AuditReport()
    lines, faults, head = list[Json](), list[tuple[int, str]](), FIRST
    raws = content.split(b"\n")
    for number, raw in enumerate(raws[:-1] if not raws[-1] else raws, start=1):
        line = _parsed(raw)
        if line is None:
            # The chain goes on over what a crash left of a line.
            faults.append((number, TORN if raw.startswith(_BEGIN) or _BEGIN.startswith(raw) else FOREIGN))
        elif line.get("previous") != head:
            faults.append((number, UNCHAINED))
        head = _hash(raw)
        if line is not None:
            lines.append(line)
    ended = {line.get("of") for line in lines}
    begun = [str(line["id"]) for line in lines if line.get("event") == "write" and line.get("id") not in ended]
    return AuditReport(lines, head, faults, begun)


def _parsed(raw: bytes) -> Json | None:
    try:
        line = orjson.loads(raw)
        is_in_time = datetime.fromisoformat(line["at"]).tzinfo is not None
    except (ValueError, TypeError, KeyError):
        return None
    return line if is_in_time and all(isinstance(line.get(name), str) for name in _MEMBERS) else None
