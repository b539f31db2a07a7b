"""Connections to one database of PostgreSQL: transactions that readers, writers and threads share."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from layers.store.connections import (
    BUSY_TIMEOUT_S,
    NotAStore,
    ReadOnlyStore,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreOverwritten,
    StoreReplaced,
    StoreUnreachable,
)
from layers.store.history_chain import EMPTY, Head, goes_on
from layers.store.migrations.registry import SCHEMA_VERSION
from layers.store.postgresql import schema
from layers.store.postgresql.connection import PostgresConnection, adapt
from layers.store.store import Store

#: Idle connections that stay open for the next user.
_MAX_IDLE = 8
#: What holds where the address says nothing else: after how many seconds a server that does not answer counts as gone,
#: and the name by which its administrator sees this program.
_DEFAULTS = {"connect_timeout": "10", "application_name": "strikeatlas"}
#: The oldest release that this was tested with.
_LEAST_VERSION = 150000
# What a fork copied: to close it would end the parent's session.
_INHERITED: list[object] = []

# Which store it is, whether on a replica, and two rows of its history: that of a number, and the last one.
_WHICH = f""";
SELECT store_id::text, pg_is_in_recovery(), seq, hash, "at" FROM {schema.MARK}
LEFT JOIN history ON seq IN (%d, (SELECT max(seq) FROM history))
""".encode()
_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Locked before the first query, so that what is then read is what the writer before has left. Readers do not wait, nor
# do other programs that edit records. What was acknowledged is on disk, or with the replicas that the server waits for.
_WRITE = f"""BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '{int(BUSY_TIMEOUT_S * 1000)}ms';
LOCK TABLE history IN SHARE ROW EXCLUSIVE MODE;
SELECT set_config('synchronous_commit', 'on', TRUE) WHERE current_setting('synchronous_commit') = 'off'
""".encode()
# Gives the row of history that the next transaction must find.
_COMMIT_WRITTEN = b'SELECT seq, hash, "at" FROM history ORDER BY seq DESC LIMIT 1; COMMIT'
_MARK = f"SELECT schema_version, minimum_reader_version, store_id::text FROM {schema.MARK}"
_READ_ONLY = "the store may only be read here; nothing was written"
_REPLACED = "another store took its place, or none; nothing was read of it or written"
# Without the numbers of changes, which would count private ones.
_OVERWRITTEN = (
    "its history does not go on from what was read or written before: it is an earlier copy, or was changed. Nothing "
    "was written; put the database back that has it, or start again what has it open, to go on without"
)
_AWAY = "the database does not answer, or ended the connection"
_BEHIND = "a replica that is behind, and does not have yet what was read before; try again"
# A transaction that only reads holds no writer up, but where a table of derived rows is to be replaced.
_HELD = "another program is writing, or has a transaction open that read a table which is to be replaced"


class PostgresDatabase:
    """A database with a store, see `layers.store.connection.Database`.

    Every transaction is REPEATABLE READ: it reads one version. Writers take their turn by a lock on the table of
    history, so that its chain is one line. A connection is used by one thread at a time and stays open for the next;
    one whose server went away is replaced by another, which may be to the server that took its place.

    Each begins by comparing what is there with what was there before: the id of the store, and the last row of history
    that was read or written here.

    Whatever is done raises `StoreUnreachable` if the server does not answer, or is a replica that does not have that
    row yet; `StoreReplaced` if another store is there, or none; `StoreOverwritten` if the store does not have that row,
    as an earlier copy of it; and `StoreError` if the server refuses.
    """

    file = None

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._idle: list[psycopg.Connection] = []
        self._listening: psycopg.Connection | None = None
        self._pid = os.getpid()
        self._name = "postgresql://"
        #: Which store this is; ``None`` where there was none yet.
        self._store_id: str | None = None
        #: The last row of history that was read or written here.
        self._known = EMPTY
        with self._connected() as connection:
            self._name = _shown(connection.info)
            self._database = connection.info.dbname
            self._can_write = True
            if connection.execute("SELECT to_regclass(%s)", (schema.MARK,)).fetchone() != (None,):
                self._can_write = _can_write(connection)
                (self._store_id,) = connection.execute(f"SELECT store_id::text FROM {schema.MARK}").fetchone() or ("",)

    @property
    def name(self) -> str:
        """The address, without user and password."""
        return self._name

    @property
    def beside(self) -> Path:
        """A path in the folder of state of this user (XDG Base Directory Specification), by the store's own name."""
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return Path(home) / "strikeatlas" / (self._store_id or self._database)

    @property
    def read_only(self) -> bool:
        """Whether the server is a replica, which may become the primary, or the role may not write."""
        if not self._can_write:
            with suppress(StoreError), self._connected() as connection:
                self._can_write = _can_write(connection)
        return not self._can_write

    def require_writable(self) -> None:
        """Refuse to write where the store may only be read, by `ReadOnlyStore`."""
        if self.read_only:
            raise _error(ReadOnlyStore, self._name, _READ_ONLY)

    def reading(self) -> AbstractContextManager[PostgresConnection]:
        """Read one version."""
        return self._transaction(_READ)

    def writing(self) -> AbstractContextManager[PostgresConnection]:
        """Write all or nothing, see `layers.store.connection.Database.writing`.

        Another program that edited the same record is a `StoreBusy` too.
        """
        self.require_writable()
        return self._transaction(_WRITE, _COMMIT_WRITTEN)

    @contextmanager
    def making(self) -> Iterator[PostgresConnection]:
        """Write all or nothing to a database that has no tables yet."""
        with self._transaction(b"BEGIN") as connection:
            yield connection
            adapt(connection.base)

    @property
    def announces(self) -> bool:
        """The server announces changes, unless it is a replica."""
        return True

    def wait(self, timeout_s: float) -> bool | None:
        """Wait until somebody committed a change, at most so long; None where this server announces none."""
        try:
            if self._listening is None:
                self._listening = self._connect()
                self._listening.execute(f"LISTEN {schema.CHANNEL}")
                return True  # something may have been committed before
            return any(True for _ in self._listening.notifies(timeout=timeout_s, stop_after=1))
        except (psycopg.Error, StoreError):  # a replica, or a server that went away
            self._end_listening()
            return None

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            self._leave_to_parent()
            while self._idle:
                self._idle.pop().close()
        self._end_listening()

    def __del__(self) -> None:
        if hasattr(self, "_idle"):
            self.close()

    @contextmanager
    def _transaction(self, begin: bytes, commit: bytes = b"COMMIT") -> Iterator[PostgresConnection]:
        connection, is_over = self._begun(begin), False
        try:
            with _as_store_errors(self._name):
                yield PostgresConnection(connection)
                is_over = True
                ended = connection.execute(commit)
        except BaseException as error:
            # Closing rolls back, and a connection in doubt is not used again.
            is_lost = connection.closed
            connection.close()
            if is_over and is_lost:
                sentence = "the server went away while it was to commit: whether it did is not known"
                raise _error(StoreUnreachable, self._name, sentence) from error
            raise
        if ended.description is not None:
            self._note(*(Head(*row) for row in ended))
        self._give(connection)

    def _begun(self, begin: bytes) -> psycopg.Connection:
        """A connection with a transaction; idle ones may be of a server that went away since."""
        while True:
            idle = self._take()
            connection = idle or self._connect()
            try:
                with _as_store_errors(self._name, busy="another program is writing"):
                    self._begin(connection, begin)
                return connection
            except StoreError:
                is_gone = connection.closed
                connection.close()
                if idle is None or not is_gone:
                    raise

    def _begin(self, connection: psycopg.Connection, begin: bytes) -> None:
        """Begin a transaction, and refuse what is not, or no longer, the store that was read or written before."""
        if self._store_id is None:
            connection.execute(begin)
            return
        known = self._known  # before the query, or another thread might have read a later version meanwhile
        try:
            cursor = connection.execute(begin + _WHICH % known.seq)
        except (errors.UndefinedTable, errors.UndefinedColumn):
            raise _error(StoreReplaced, self._name, _REPLACED) from None
        while cursor.nextset():
            pass
        rows = cursor.fetchall()
        if not rows or rows[0][0] != self._store_id:
            raise _error(StoreReplaced, self._name, _REPLACED)
        heads = {seq: Head(seq, *values) for _, _, seq, *values in rows if seq is not None}
        if not goes_on(known, heads.get(known.seq, EMPTY)):
            # A primary lacks nothing that was committed: where a replica may be behind, it is an earlier copy.
            if rows[0][1] and max(heads, default=0) < known.seq:
                raise _error(StoreUnreachable, self._name, _BEHIND)
            raise _error(StoreOverwritten, self._name, _OVERWRITTEN)
        self._note(*heads.values())

    def _note(self, *heads: Head) -> None:
        with self._lock:
            self._known = max((self._known, *heads), key=lambda head: head.seq)

    def _connect(self) -> psycopg.Connection:
        with _as_store_errors(self._name):
            try:
                given = conninfo_to_dict(self._address)
            except psycopg.ProgrammingError:
                # Its message may show the password.
                raise NotAStore("postgresql://: the address cannot be read as one of PostgreSQL") from None
            others = {name: value for name, value in _DEFAULTS.items() if name not in given}
            address = make_conninfo(self._address, client_encoding="utf8", **others)
            connection = psycopg.connect(address, autocommit=True)
            adapt(connection)
            return connection

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        connection = self._connect()
        try:
            with _as_store_errors(self._name):
                yield connection
        finally:
            self._give(connection)

    def _take(self) -> psycopg.Connection | None:
        with self._lock:
            self._leave_to_parent()
            return self._idle.pop() if self._idle else None

    def _give(self, connection: psycopg.Connection) -> None:
        with self._lock:
            is_free = connection.info.transaction_status == TransactionStatus.IDLE
            if is_free and len(self._idle) < _MAX_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _end_listening(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def _leave_to_parent(self) -> None:
        """In a fork, put aside what was copied."""
        if self._pid != os.getpid():
            _INHERITED.extend((*self._idle, self._listening))
            self._idle, self._listening, self._pid = [], None, os.getpid()


def open_database(address: str) -> Store:
    """Open the store in a database, at a URL or, behind ``postgresql://``, nothing: then the environment says where.

    Raises `NotAStore` if the database holds no store, or one of a version that this program cannot work with, and says
    what to do; `StoreUnreachable` if the server does not answer.
    """
    database = PostgresDatabase(address)
    with database._connected() as connection:
        if connection.execute("SELECT to_regclass(%s)", (schema.MARK,)).fetchone() == (None,):
            raise NotAStore(f"{database.name}: a database, but no store of this program: strikeatlas init makes one")
        version, minimum_reader, _ = connection.execute(_MARK).fetchone() or (0, 0, "")
        if version < SCHEMA_VERSION or minimum_reader > SCHEMA_VERSION:
            raise NotAStore(
                f"{database.name}: its tables are of version {version}, this program works with version "
                f"{SCHEMA_VERSION}: with the program of that version strikeatlas copy-store makes a GeoPackage of it, "
                "which strikeatlas upgrade brings to another version"
            )
        is_shared = connection.execute(schema.IS_SHARED).fetchone() == (True,)
    if is_shared and not database.read_only:
        with database.writing() as writer:
            schema.close(writer)
    with suppress(OSError):  # where nothing can be written, whoever needs a file there says so
        database.beside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Store(database, version)


def create_database(address: str) -> Store:
    """Create the tables of a new, empty store in a database that exists. Either all of them are there or none.

    Raises FileExistsError if it holds a store; `StoreError` if it is not encoded in UTF-8, has no PostGIS and the role
    may not add it, or may not create tables.
    """
    database = PostgresDatabase(address)
    with database._connected() as connection:
        _require_usable(database.name, connection)
    with database.making() as connection:
        schema.create_tables(connection)
    database.close()
    return open_database(address)


def _require_usable(name: str, connection: psycopg.Connection) -> None:
    if connection.execute("SELECT to_regclass(%s)", (schema.MARK,)).fetchone() != (None,):
        raise FileExistsError(f"{name} holds a store")
    if connection.info.server_version < _LEAST_VERSION:
        raise StoreError(f"{name}: PostgreSQL {_LEAST_VERSION // 10000} or newer is needed")
    (encoding,) = connection.execute("SHOW server_encoding").fetchone() or ("",)
    if encoding != "UTF8":
        raise StoreError(f"{name}: the database is encoded in {encoding}, and UTF8 is needed")
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    except (errors.InsufficientPrivilege, errors.UndefinedFile, errors.FeatureNotSupported) as error:
        raise StoreError(f"{name}: a superuser has to run CREATE EXTENSION postgis in it first") from error


def _can_write(connection: psycopg.Connection) -> bool:
    query = "SELECT NOT pg_is_in_recovery() AND has_table_privilege('history', 'INSERT')"
    return connection.execute(query).fetchone() == (True,)


def _shown(info: psycopg.ConnectionInfo) -> str:
    """The address of a connection, by which another one can be opened that has user and password from elsewhere."""
    if info.host.startswith("/"):
        return f"postgresql:///{quote(info.dbname)}?{urlencode({'host': info.host, 'port': info.port}, safe='/')}"
    return f"postgresql://{info.host}:{info.port}/{quote(info.dbname)}"


def _error(kind: type[StoreError], name: str, sentence: str, for_readers: str | None = None) -> StoreError:
    """An error whose message has the name of the database, which readers are not told."""
    return kind(f"{name}: {sentence}", for_readers or sentence)


@contextmanager
def _as_store_errors(name: str, busy: str = _HELD) -> Iterator[None]:
    """Say what an error of PostgreSQL means for a store; none of its messages has a password.

    ``busy`` says who it may be where a lock was waited for too long.
    """
    try:
        yield
    except errors.LockNotAvailable as error:
        raise _error(StoreBusy, name, f"{busy}; nothing was written, try again") from error
    except (errors.SerializationFailure, errors.DeadlockDetected) as error:
        raise _error(StoreBusy, name, "another program is writing; nothing was written, try again") from error
    except errors.DiskFull as error:
        raise _error(StoreFull, name, "the disk is full; nothing was written") from error
    except errors.ReadOnlySqlTransaction as error:
        raise _error(ReadOnlyStore, name, _READ_ONLY) from error
    except psycopg.DataError as error:
        if "NUL" not in str(error):
            raise _error(StoreError, name, str(error), "the database refused a value") from error
        raise _error(StoreError, name, "a text has the character U+0000, which PostgreSQL cannot hold") from error
    except psycopg.Error as error:
        (first, *_) = str(error).splitlines() or [type(error).__name__]
        if isinstance(error, psycopg.OperationalError):
            raise _error(StoreUnreachable, name, first, _AWAY) from error
        raise _error(StoreError, name, first, "the database refused what was asked of it") from error
