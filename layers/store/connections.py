"""Connections to one SQLite file: transactions that readers, writers and threads share. Knows no table.

A file that may not be written to is read without a trace. One that was written over, as by cp, is refused: SQLite would
join its pages with those that are in memory and in the log of the file before.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, TypeAlias

from layers.filesystem.file_lock import HAS_RANGE_LOCKS, lock_range
from layers.geopackage import geopackage
from layers.store.history_chain import EMPTY, Head, goes_on
from layers.store.sqlite import SqliteConnection

#: Gives the row of history of a number, or the last one; `layers.store.history_chain.EMPTY` where there is none.
HeadOf: TypeAlias = Callable[[SqliteConnection, int | None], Head]
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
        """The state of a file now; OSError if it is gone."""
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


# SQLite's shared lock: 510 bytes from the second after PENDING_BYTE (sqlite.org/src: os.h).
_SHARED_FIRST, _SHARED_SIZE = 0x40000000 + 2, 510


class WalGuard:
    """Holds SQLite's own shared lock on a file, so that no other user of it thinks itself the last one.

    SQLite locks by POSIX record locks, which a process loses as soon as anything in it closes the file: a
    download, a backup, or GDAL, which brings a second SQLite (sqlite.org/howtocorrupt.html, 2.2). Whoever then
    leaves the file last deletes the log that this program goes on writing to, and commits are lost. A lock of
    the open file description (Linux, fcntl(2), F_OFD_SETLK) outlives such a close. Elsewhere nothing is held.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = None
        if HAS_RANGE_LOCKS:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._set("shared")

    def _set(self, kind: Literal["shared", "none"]) -> None:
        if self._descriptor is None:
            return
        # A file system that knows no such lock is as it would be without.
        with suppress(OSError):
            lock_range(self._descriptor, kind, _SHARED_FIRST, _SHARED_SIZE)

    def has(self, text: bytes) -> bool:
        """Whether the bytes of the file have a text; true where no descriptor is held by which they could be read.

        The file is read through the descriptor that stays open, as to close another one would release locks.
        """
        return self._descriptor is None or _contains(self._descriptor, text)

    def unlock(self) -> None:
        """Let the next user of the file be the last one. The descriptor stays open."""
        self._set("none")

    def close(self) -> None:
        """Close the descriptor, after all connections of its owner."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


#: How long a writer waits for another one, in seconds.
BUSY_TIMEOUT_S = 5.0
#: A commit that returned outlives a power cut.
_DURABLE = "PRAGMA synchronous = FULL"
#: Idle connections that stay open for the next user.
_MAX_IDLE = 8
# How often a file is read again that seems to be written over, and seconds before each time: while a log is folded into
# it, some of its pages may be there and others not.
_LOOKS, _LOOK_AGAIN_S = 25, 0.02
# Bytes of a file that are read at once.
_PART = 1 << 20
# What a fork copied. To close or collect it would disturb the parent's locks and log
# (sqlite.org/howtocorrupt.html, 2.6), so that it is only kept.
_INHERITED: list[object] = []


class StoreError(RuntimeError):
    """Something that the store cannot do; the message says what and why.

    ``for_readers`` is what readers of a server are told in place of it, where it says more than they need to know, such
    as where a database is.
    """

    def __init__(self, message: str, for_readers: str | None = None) -> None:
        super().__init__(message)
        self.for_readers = for_readers


class StoreBusy(StoreError):
    """Another writer held the store for longer than a writer waits. Nothing was written."""


class StoreUnreachable(StoreError):
    """The server of a database, or a disk, does not answer, or went away; the message tells of a commit in doubt.

    A replica that does not have yet what was read before is as one that does not answer.
    """


class StoreFull(StoreError):
    """A write for which the disk has no room. Nothing was written."""


class StoreReplaced(StoreError):
    """Another file or database took the place of the one that is open: what was written to that is not in this one."""


class StoreOverwritten(StoreReplaced):
    """What is open was written over, or a database is an earlier copy: its history does not go on from what was read.

    Nothing of it is read, and the log of a file is not folded into it.
    """


class ReadOnlyStore(StoreError):
    """A write to a store that may only be read. Nothing was written."""


class NotAStore(StoreError):
    """A path that holds no store of this program, or one of a newer version."""


class Connections:
    """Connections to one file, each used by one thread at a time and kept open for the next.

    Safe to use from many threads, after a fork and beside other programs, but not beside GDAL or another
    copy of SQLite that writes to the file from this very process. All are in WAL mode, where readers see the
    last commit and never wait for a writer, and ``synchronous=FULL``, where a commit that returned outlives a
    power cut. A file that may not be written to, or is opened to be read only, is read without a trace.

    Parameters
    ----------
    path
        The file.
    read_only
        Whether it is opened to be read only.
    head_of
        By its history a file that was written over is found; without, none is.
    """

    def __init__(self, path: Path, read_only: bool = False, head_of: HeadOf | None = None) -> None:
        self.file = path
        self._path = path.resolve()
        self._lock = threading.Lock()
        self._idle: list[SqliteConnection] = []
        self._guard: WalGuard | None = None
        self._pid = os.getpid()
        #: How the file is read, where it may only be read.
        self._state = None if access_to(self._path, read_only) is Access.WRITABLE else FileState.of(self._path)
        #: The file that is written to: another one of its name has another log.
        self._device_and_inode = _stamp(self._path)[:2]
        self._head_of = head_of
        #: The file when its history was last compared, the first row then, and the last that it had without its log.
        self._compared: tuple[int, ...] | None = None
        self._first = self._head = EMPTY

    @property
    def name(self) -> str:
        """Its path, as it was given."""
        return str(self.file)

    @property
    def beside(self) -> Path:
        """Its path: what belongs to it stands in its folder."""
        return self.file

    @property
    def read_only(self) -> bool:
        """Whether the file may only be read."""
        return self._state is not None

    def reading(self) -> AbstractContextManager[SqliteConnection]:
        """Read one version: whatever is committed meanwhile stays unseen.

        Raises `StoreBusy` if a file that nobody was writing to is written to meanwhile.
        """
        return self._transaction("BEGIN")

    def writing(self) -> AbstractContextManager[SqliteConnection]:
        """Write all or nothing, see `layers.store.connection.Database.writing`."""
        self.require_writable()
        return self._transaction("BEGIN IMMEDIATE")

    def require_writable(self) -> None:
        """Refuse to write to a file that may only be read, by `ReadOnlyStore`."""
        if self.read_only:
            raise ReadOnlyStore(f"{self._path.name}: the store may only be read here; nothing was written")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[SqliteConnection]:
        state = self._look_again()
        self._require_same_file(state)
        compared, connection = self._compared, self._take(state)
        try:
            connection.execute(begin)
            yield connection
            self._require_same_file(state)
            connection.execute("COMMIT")
            self._require_unchanged(state)
            self._require_same_file(state)
        except BaseException as error:
            # Closing rolls back, and a connection in doubt is not used again.
            (_fold if type(error) is StoreReplaced else SqliteConnection.close)(connection)
            if isinstance(error, sqlite3.Error):
                self._require_unchanged(state)
                self._require_same_file(state)
                raise as_store_error(error, self._path) from error
            raise
        if compared == self._compared:
            self._give(connection, state)
        else:  # it may have pages of the file before
            connection.close()

    def _look_again(self) -> FileState | None:
        """Go over to SQLite's own locks where somebody has begun to write to the file, and back where they ended."""
        if self._state is None:
            return None
        state = self._state_now()
        if state != self._state:
            self._state = state
            self.close()  # connections that were opened in another way, or hold pages of the file before
        return state

    def _state_now(self) -> FileState:
        try:
            return FileState.of(self._path)
        except OSError as error:
            raise StoreError(f"{self._path.name}: {error.strerror}") from error

    def _require_unchanged(self, state: FileState | None) -> None:
        """Refuse what was read without locks of a file that somebody wrote to meanwhile."""
        if state is not None and state.access is Access.UNSHARED and self._state_now() != state:
            raise StoreBusy(f"{self._path.name}: another program wrote to it while it was read; try again")

    def _require_same_file(self, state: FileState | None) -> None:
        """Refuse to go on with a file that is written to and no longer has its name, by `StoreReplaced`.

        Its log is folded into it, so that nothing is lost that was acknowledged: it would be taken for the log of the
        file that has the name now, which SQLite leaves alone when it closes a file that was moved.
        """
        now = _stamp(self._path)
        if state is None and now[:2] != self._device_and_inode:
            self._close_idle(_fold)
            self.close()
            raise StoreReplaced(
                f"{self._path.name}: another file took its place, or none; what was written since is not in it: "
                "start again what has it open"
            )
        self._compare_history(now, state)

    def _compare_history(self, now: tuple[int, ...], state: FileState | None) -> None:
        """Refuse a file whose history does not go on from the last row that it had, by `StoreOverwritten`.

        It is compared whenever the file was written to, which is mostly as its log was folded into it. Its rows are
        read without the log, from which all of them must go on, and by no connection that has pages of the file before.
        """
        head_of = self._head_of
        if head_of is None or now == self._compared:
            return
        self._close_idle()
        fault: StoreError | None = None
        for look in range(_LOOKS):
            time.sleep(_LOOK_AGAIN_S if look else 0)
            now = _stamp(self._path)
            alone = self._without_log(head_of)
            if alone and not goes_on(self._head, alone[1]):
                continue  # before its log is read, which may wait for who holds it
            with_log = self._open(state)
            try:
                first, there = head_of(with_log, 1), head_of(with_log, alone[-1].seq if alone else 0)
            except sqlite3.Error as error:
                with_log.close()
                unreadable = fault = as_store_error(error, self._path)
                if not isinstance(fault, NotAStore) and "no such table" not in str(fault):
                    raise unreadable from error
                continue
            if alone:
                is_same = goes_on(alone[0], first) and goes_on(self._first, first) and goes_on(alone[2], there)
            else:
                is_same = goes_on(self._first, first) and self._has_bytes(first.hash.encode())
            if is_same:
                self._compared, self._first, self._head = now, first, alone[-1] if alone else self._head
                self._give(with_log, state)
                return
            with_log.close()
        if _stamp(self._path) != now:
            raise StoreBusy(f"{self._path.name}: another program is writing to it; try again")
        if fault is not None and self._compared is None:
            raise fault
        raise StoreOverwritten(
            f"{self._path.name}: another file was written over it, or its log ({self._path.name}-wal) is of another: "
            "stop what has it open; if it was copied there, remove the log and its index (-shm), and copy it again"
        ) from fault

    def _without_log(self, head_of: HeadOf) -> tuple[Head, Head, Head] | None:
        """The first row, that of the last comparison, and the last one that the file has without its log.

        ``None`` where they cannot be read: whoever was killed while the log was folded left some pages behind.
        """
        try:
            with closing(_connect(self._path, Access.UNSHARED)) as alone:
                rows = head_of(alone, 1), head_of(alone, self._head.seq), head_of(alone, None)
        except sqlite3.DatabaseError:
            return None
        return rows if all(isinstance(row.hash, str) and len(row.hash) == len(EMPTY.hash) for row in rows) else None

    def _has_bytes(self, text: bytes) -> bool:
        """Whether the file or its log has a text."""
        with self._lock:
            if self._guard is None or self._guard.has(text):
                return True
        with suppress(FileNotFoundError), open(f"{self._path}-wal", "rb") as log:
            return _contains(log.fileno(), text)
        return False

    def _take(self, state: FileState | None) -> SqliteConnection:
        with self._lock:
            self._leave_to_parent()
            if self._idle and state == self._state:
                return self._idle.pop()
        return self._open(state)

    def _open(self, state: FileState | None) -> SqliteConnection:
        access = Access.WRITABLE if state is None else state.access
        connection = _connect(self._path, access)
        if access is Access.UNSHARED:
            return connection
        with self._lock:
            # Only now: to enter WAL mode SQLite needs the file for itself.
            self._guard = self._guard or WalGuard(self._path)
        return connection

    def _leave_to_parent(self) -> None:
        if self._pid != os.getpid():
            _INHERITED.append((self._idle, self._guard))
            self._idle, self._guard, self._pid = [], None, os.getpid()

    def _give(self, connection: SqliteConnection, state: FileState | None) -> None:
        with self._lock:
            if len(self._idle) < _MAX_IDLE and state == self._state:
                self._idle.append(connection)
                return
        connection.close()

    @property
    def announces(self) -> bool:
        """Nobody announces changes of a file: whoever follows them looks, which takes a few microseconds."""
        return False

    def wait(self, timeout_s: float) -> None:
        """Give at once that nothing is known."""

    def _close_idle(self, close: Callable[[SqliteConnection], None] = SqliteConnection.close) -> None:
        """Close the idle connections; while the log is guarded, closing alone does not fold it."""
        with self._lock:
            self._leave_to_parent()
            while self._idle:
                close(self._idle.pop())

    def close(self) -> None:
        """Close the idle connections; the last one to leave the file folds the log into it, if the log is of it."""
        is_of_it = self._is_own_log()
        with self._lock:
            self._leave_to_parent()
            if self._guard and is_of_it:
                self._guard.unlock()
            while self._idle:
                self._idle.pop().close()
            if self._guard:
                self._guard.close()
            self._guard = None

    def _is_own_log(self) -> bool:
        """Whether the log may be folded into the file that has the name."""
        now = _stamp(self._path)
        # SQLite leaves a file alone that was moved.
        if self._guard is None or self._pid != os.getpid() or now[:2] != self._device_and_inode:
            return True
        try:
            self._compare_history(now, self._state)
        except StoreError:
            return False
        return True

    def __del__(self) -> None:
        self.close()


@contextmanager
def probing(path: Path, read_only: bool = False) -> Iterator[SqliteConnection]:
    """Look into a file that may be anything, without changing it; `StoreError` if SQLite cannot read it.

    The file is never opened but by SQLite: closing it by other means would release locks on it.
    """
    access = access_to(path.resolve(), read_only)
    try:
        if access is Access.WRITABLE and not has_journal(path):  # which only who writes can roll back
            access = Access.SHARED
        with closing(
            sqlite3.connect(access.uri(path), uri=True, timeout=BUSY_TIMEOUT_S, factory=SqliteConnection)
        ) as connection:
            yield connection
    except sqlite3.Error as error:
        raise as_store_error(error, path) from error
    except UnicodeDecodeError as error:
        # SQLite's own message holds bytes of the file.
        raise NotAStore(f"{path.name}: a damaged SQLite database: {error}") from error


def _contains(descriptor: int, text: bytes) -> bool:
    """Whether the bytes of an open file have a text, wherever it is read."""
    at, before = 0, b""
    while part := os.pread(descriptor, _PART, at):
        if text in before + part:
            return True
        at, before = at + len(part), part[-len(text) :]
    return False


def _stamp(path: Path) -> tuple[int, ...]:
    """Device and inode of a file, its size and when it was written to and changed; empty where it is gone."""
    try:
        info = path.stat()
    except FileNotFoundError:
        return ()
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def _fold(connection: SqliteConnection) -> None:
    """Close a connection after the log was folded into its file, as far as no other one reads from it."""
    with closing(connection), suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _connect(path: Path, access: Access) -> SqliteConnection:
    try:
        # No mode makes a file: one that is not there is an error, never a new database.
        connection = sqlite3.connect(
            access.uri(path),
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            factory=SqliteConnection,
        )
    except sqlite3.Error as error:
        raise as_store_error(error, path) from error
    if access is not Access.WRITABLE:
        return connection
    try:
        # QGIS sets a GeoPackage back to a rollback journal when it leaves.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(_DURABLE)
        geopackage.register_functions(connection)
    except sqlite3.Error as error:
        connection.close()
        raise as_store_error(error, path) from error
    return connection


def as_store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """Say what an error of SQLite means for a store."""
    # The low byte is the primary code (sqlite.org/rescode.html).
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(f"{path.name}: another program is writing; nothing was written, try again")
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(f"{path.name}: the disk is full; nothing was written")
    if code == sqlite3.SQLITE_IOERR:
        return StoreUnreachable(f"{path.name}: the disk does not answer, or is full: {error}")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return NotAStore(f"{path.name}: not a SQLite database, or a damaged one: {error}")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) and has_log(path):
        return StoreError(
            f"{path.name}: its newest changes are in the log beside it ({path.name}-wal or -journal), which cannot be "
            "read without writing: copy the file with its log to where it can be written, and open it there"
        )
    return StoreError(f"{path.name}: {error}")
