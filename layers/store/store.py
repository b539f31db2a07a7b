"""The durable store: one database, by default a GeoPackage, that holds every record and the history of its changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Concatenate, ParamSpec, TypeVar

from layers.geopackage import geopackage
from layers.model.heat import HeatColumns
from layers.model.messages import Message
from layers.model.records import Record, Records, Source
from layers.model.timestamps import timestamp
from layers.store import (
    copying,
    create,
    derived_tables,
    external_edits,
    heat_table,
    history_pages,
    idempotency,
    policy_history,
    privacy_changes,
    reader,
    verification,
    writer,
)
from layers.store.connection import Connection, Database
from layers.store.connections import (
    Connections,
    NotAStore,
    ReadOnlyStore,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreReplaced,
    StoreUnreachable,
)
from layers.store.copying import RowProgress
from layers.store.derived_tables import Derive, DerivedLayer, DerivedUpdate
from layers.store.history_chain import Head
from layers.store.history_pages import HistoryRow
from layers.store.idempotency import AnsweredRequest, KeyedRequest
from layers.store.migrations.registry import SCHEMA_VERSION
from layers.store.open_layer import OpenLayer, references_of
from layers.store.policy_history import OPEN_LAYER
from layers.store.privacy_changes import Published
from layers.store.private_datasets import Privacy
from layers.store.row_mapping import TABLES, sql_types
from layers.store.writer import (
    ANY,
    Authorship,
    Conflict,
    Edit,
    EditConflict,
    ExpectedLatest,
    LoadReport,
    Progress,
    StaleVersion,
    StillReferenced,
)

__all__ = [
    "ANY",
    "Conflict",
    "Derive",
    "DerivedLayer",
    "DerivedUpdate",
    "Edit",
    "EditConflict",
    "ExpectedLatest",
    "Head",
    "LoadReport",
    "NotAStore",
    "ReadOnlyStore",
    "StaleVersion",
    "StillReferenced",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "StoreReplaced",
    "StoreUnreachable",
    "sql_types",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")
# Rows read at once.
_PAGE = 5000


class Store:
    """A store that is open: of whichever kind its database is, all of it is done here, by the same SQL.

    Safe to use from many threads, and beside other programs such as QGIS. What writes raises `StoreBusy` if another
    writer does not finish in time, and what reads records `StoreError` if another program left a row that is no valid
    record.

    Readers see the last version that was committed and never wait; one writer writes at a time. What a
    method acknowledged by returning outlives a crash of the program or the machine. Edits made with other
    programs are read, and become history with the next write (`record_external_edits`). A store of a newer
    version that says that this program may read it is only read. Within this process a GeoPackage is not to be opened
    by other means: GDAL (geopandas, pyogrio) brings its own SQLite, whose locks do not hold against ours.
    """

    def __init__(self, database: Database, schema_version: int = SCHEMA_VERSION) -> None:
        self._database = database
        self._schema_version = schema_version
        #: The records that lie under those of the store, ``None`` for none; see `mount`.
        self.open_layer: OpenLayer | None = None

    @property
    def name(self) -> str:
        """The path of a GeoPackage, or the address of a database without user and password: for messages."""
        return self._database.name

    @property
    def beside(self) -> Path:
        """The path after which files are named that belong to the store: that of a GeoPackage itself.

        For a database of a server it is one in a folder of this machine, the same for each of its addresses.
        """
        return self._database.beside

    @property
    def path(self) -> Path:
        """The file of a GeoPackage.

        Raises
        ------
        StoreError
            If the store is a database of a server.
        """
        if self._database.file is None:
            raise StoreError(f"{self.name}: a database is no file; strikeatlas copy-store makes a GeoPackage of it")
        return self._database.file

    @property
    def read_only(self) -> bool:
        """Whether the store may only be read."""
        return self._database.read_only

    def require_writable(self) -> None:
        """Refuse to write.

        Raises
        ------
        ReadOnlyStore
            If the store may only be read.
        """
        self._database.require_writable()

    @classmethod
    def create(cls, path: str | Path) -> Store:
        """Create a new, empty store in a folder that exists. Either it is whole or there is none.

        Raises
        ------
        FileExistsError
            If there is such a file, or the log that an earlier one left beside it.
        """
        create.make(Path(path))
        return cls.open(path)

    @classmethod
    def open(cls, path: str | Path, read_only: bool = False) -> Store:
        """Open a store; one without permission to write, or with ``read_only``, to read it without a trace.

        Raises
        ------
        NotAStore
            If the file is missing, no SQLite database, not a store, or of a version that this program cannot work
            with; it says what to do.
        StoreBusy
            If another program holds the whole file.
        """
        path = Path(path)
        version = create.require_store(path, read_only)
        return cls(Connections(path, read_only, writer.head), version)

    def reading(self) -> AbstractContextManager[Connection]:
        """Read one version by SQL, for modules beside this one; whatever is committed meanwhile stays unseen."""
        return self._database.reading()

    def _read(self, look: Callable[Concatenate[Connection, _P], _T], *values: _P.args, **named: _P.kwargs) -> _T:
        """What a function of a connection gives for one version."""
        with self._database.reading() as connection:
            return look(connection, *values, **named)

    def close(self) -> None:
        """Close all connections; the log of a file is folded into it, so that it can be copied. All stays usable."""
        self._database.close()

    @property
    def announces(self) -> bool:
        """Whether the database announces changes, so that one can wait for them."""
        return self._database.announces

    def wait(self, timeout_s: float) -> bool | None:
        """Wait until somebody committed a change, at most so long; whether somebody did, rather once too often.

        None, at once, where nobody does: of a file, and of a database that is a replica or went away.
        """
        return self._database.wait(timeout_s)

    def seq(self) -> int:
        """Number of the last change; 0 when there was none. It only ever grows."""
        return self._read(writer.last_seq)

    def head(self, seq: int | None = None) -> Head:
        """The last row of history, or that of a change, whose hash stands for all rows up to it.

        See `layers.store.history_chain`. Where there is no such change it is the empty history.
        """
        return self._read(writer.head, seq)

    def version_key(self) -> bytes:
        """The key with which versions of records are named, see `layers.store.row_mapping.version_of`."""
        return self._read(writer.version_key)

    def find_head(self, digits: str) -> Head | None:
        """The change whose hash begins with some digits, 16 or more; ``None`` where there is none, or more than one."""
        with self._database.reading() as connection:
            seq = history_pages.seq_of(connection, digits)
            return None if seq is None else writer.head(connection, seq)

    def verify(self, derive: Derive | None = None) -> Sequence[Message]:
        """Compare history, records and derived layers of one version, see `layers.store.verification`; all findings.

        ``derive`` computes the derived layers anew; without it they are not compared.
        """
        if self._database.file is not None:
            return tuple(verification.verify_file(self._database.file, derive))
        with self._database.reading() as connection:
            return tuple(verification.verify_database(connection, derive))

    def require_history(self) -> None:
        """Refuse a history that was changed other than by being added to, see `layers.store.verification`.

        Raises
        ------
        BrokenHistory
            If its chain of hashes does not hold.
        """
        with self._database.reading() as connection:
            verification.require_history(self.name, self.beside, connection, self.read_only)

    def count(self, *tables: str) -> int:
        """Number of records in some tables.

        Raises
        ------
        ValueError
            If there is no such table.
        """
        for noun in tables:
            _require_table(noun, None)
        with self._database.reading() as connection:
            counts = (
                connection.execute(f"SELECT count(*) FROM {geopackage.quote(noun)}").fetchone() for noun in tables
            )
            return sum(count for (count,) in counts)

    def last_external_edit(self) -> int:
        """Number of the last edit by another program that history does not tell of yet; 0 if it tells of all.

        It grows with each edit, also where nothing can be written.
        """
        return self._read(external_edits.last_noted)

    def record_external_edits(self, *, at: datetime | None = None, derived: DerivedUpdate | None = None) -> int:
        """Write what other programs edited to history; give the number of records. Every write does so first.

        The author is `layers.store.external_edits.AUTHOR`, the time ``at`` or else now. ``derived`` updates the derived
        layers in the same transaction.

        Raises
        ------
        StoreError
            If the file cannot be written, or ``derived`` is given and a record is not valid. Nothing is written.
        """
        if not self.last_external_edit():
            return 0
        with self._transaction() as connection:
            recorded = external_edits.absorb(connection, timestamp(at))
            with external_edits.own_write(connection):
                privacy_changes.hide_judgements_of_removed(connection, Authorship(external_edits.AUTHOR, timestamp(at)))
            if derived is not None and recorded:
                derived_tables.update(connection, derived, timestamp(at))
            return recorded

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Write all or nothing, after what other programs edited before: that is history even if this is not."""
        self.record_external_edits()
        with self._transaction() as connection:
            external_edits.absorb(connection, timestamp())
            with external_edits.own_write(connection):
                yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self._schema_version > SCHEMA_VERSION:
            raise StoreError(
                f"{self.name}: its tables are of version {self._schema_version}; this program, of version "
                f"{SCHEMA_VERSION}, may read them, and only a newer one can write"
            )
        with self._database.writing() as connection:
            yield connection

    def privacy(self) -> Privacy:
        """Read which datasets are private, and ids of private records that were removed."""
        return self._read(Privacy.of)

    def make_private(self, dataset: str, *, author: str, why: str, at: datetime | None = None) -> None:
        """Make a dataset private as a whole, with all records that it has and will have; a private one stays as it is.

        Raises
        ------
        StoreError
            If people write it record by record, as the curated records.
        """
        authorship = _authorship(author, at)
        with self._writing() as connection:
            privacy_changes.make_private(connection, dataset, authorship, _reason(why))

    def publish(
        self,
        dataset: str,
        ids: Collection[str] = (),
        *,
        author: str,
        why: str,
        at: datetime | None = None,
        everything: bool = False,
    ) -> Published:
        """Make a private dataset public, or single private records of a public one; nothing else can do either.

        With the dataset its records become public but those that were private by themselves before it was.

        Parameters
        ----------
        ids
            The single records, in whichever table; empty for the dataset as a whole.
        everything
            Whether those of the dataset too become public that were private by themselves before.

        Raises
        ------
        StoreError
            If the dataset is not private, or no private record of it has one of the ids. Nothing is written.
        """
        authorship = _authorship(author, at)
        with self._writing() as connection:
            return privacy_changes.publish(connection, dataset, ids, authorship, _reason(why), everything)

    def policy(self, seq: int | None = None) -> Mapping[str, Any] | None:
        """Read the policy of disclosure as of a change, by default the last one; None where the store has none."""
        return self._read(policy_history.read, seq)

    def set_policy(
        self, values: Mapping[str, Any] | None, *, author: str, why: str, at: datetime | None = None
    ) -> None:
        """Have another policy of disclosure hold, as values of JSON, or none; an equal one is no change."""
        with self._writing() as connection:
            policy_history.write(connection, values, _authorship(author, at, _reason(why)))

    def mount(self, layer: OpenLayer | None) -> Store:
        """Have the records of an open layer lie under those that `version` and `newer` read; give the store itself."""
        self.open_layer = layer
        return self

    def record_open_layer(self, layer: OpenLayer | None, *, author: str, derive: Derive | None = None) -> None:
        """Have history tell which open layer the derived layers are of; an equal one is no change.

        ``derive`` gives the layers over that one; they are replaced in the same transaction.
        """
        if self.recorded_open_layer() == (None if layer is None else layer.digest):
            return
        values = None if layer is None else {"sha256": layer.digest, **layer.about}
        with self._writing() as connection:
            policy_history.write(connection, values, _authorship(author, None), OPEN_LAYER)
            for derived in derive(*reader.read_all(connection)) if derive else ():
                derived_tables.write_table(connection, derived, timestamp())

    def recorded_open_layer(self) -> str | None:
        """SHA-256 of the open layer that the derived layers are of, as history tells; None for none."""
        with self._database.reading() as connection:
            values = policy_history.read(connection, None, OPEN_LAYER)
        return None if values is None else str(values["sha256"])

    def records(self) -> Records:
        """Read every record, as of one version."""
        return self.version()[1]

    def version(self, packed: bool = False) -> tuple[int, Records]:
        """Read every record, and the number of the last change in them; those of an open layer come last.

        With ``packed`` large tables are packed; with an open layer they always are.

        A packed table (`layers.store.record_table.RecordTable`) takes a tenth of the memory, and reads each record on
        access.
        """
        with self._database.reading() as connection:
            seq, records = reader.read_all(connection, packed)
        return seq, records if self.open_layer is None else self.open_layer.under(records)

    def newer(self, seq: int, records: Records) -> tuple[int, Records]:
        """Read the newest version from ``records``, which are those of change ``seq``, and the history since.

        Records that other programs edited have no history, and stay as they are in ``records``.
        """
        return self._read(reader.read_since, seq, records, self.open_layer)

    def load(
        self,
        records: Records,
        *,
        author: str,
        at: datetime | None = None,
        progress: Progress | None = None,
        derive: Derive | DerivedUpdate | None = None,
        seen: int | None = None,
        private: Mapping[str, str] = MappingProxyType({}),
        why: str | None = None,
        heat: tuple[Source, HeatColumns] | None = None,
        emptied: Collection[str] = (),
    ) -> LoadReport:
        """Bring the store to ``records`` in one transaction; loading them again changes nothing.

        Records that differ are written. Those of a dataset that occurs in ``records``, in whichever table, or in
        ``emptied``, are removed when they are no longer in it; other datasets stay. Each change is one row of history.
        A record that is private in the store, or whose dataset is, is written as private.

        Parameters
        ----------
        author
            Of the load, for the history.
        at
            When, with a zone; now if None. Where that is before the last change, the time of that one counts.
        progress
            Called now and then with the number of records done and of all; if it raises, nothing is written.
        derive
            Gives the layers that follow from all records after the load, or updates them, in the same transaction.
        seen
            Number of the last change that ``records`` were made with; None if they do not depend on it.
        private
            Datasets that become private as a whole, and why: their licence forbids to publish them.
        why
            The reason of the load, for the history.
        heat
            Observations that take the place of those of a dataset, and the source among ``records`` that tells of them.
        emptied
            Datasets of which nothing remains but what ``records`` have of them; heat goes with its source.

        Raises
        ------
        StaleVersion
            If there is a later change than ``seen``. Nothing is written.
        StoreError
            If a decision would be changed or removed, a record cannot be stored, or a dataset that people write by
            hand would become private. Nothing is written.
        """
        authorship = _authorship(author, at, why)
        with self._writing() as connection:
            if seen is not None and (last := writer.last_seq(connection)) != seen:
                raise StaleVersion(seen, last)
            authorship = writer.in_order(connection, authorship)
            for dataset, why_private in private.items():
                privacy_changes.make_private(connection, dataset, authorship, why_private)
            done = writer.load(connection, records, authorship, progress, emptied)
            if heat is not None:
                heat_table.replace(connection, *heat, authorship.at)
            privacy_changes.hide_judgements_of_removed(connection, authorship)
            if isinstance(derive, DerivedUpdate):
                derived_tables.update(connection, derive, timestamp())
            elif derive is not None:
                for layer in derive(*reader.read_all(connection)):
                    derived_tables.write_table(connection, layer, timestamp())
            return LoadReport.of(done, writer.last_seq(connection))

    def last_removed(self, dataset: str) -> Records:
        """Read the records that the last removal from a dataset took away, as history has them; empty without one."""
        with self._database.reading() as connection:
            rows = history_pages.last_removed(connection, dataset)
        tables: dict[str, dict[str, Record]] = {name: {} for name in TABLES}
        for (noun, key), before in rows:
            tables[noun][key] = TABLES[noun].record_of(before)
        return Records.of(tables)

    def appended(self) -> frozenset[tuple[str, str]]:
        """Read table and id of the records that were added by a load that appends, whatever became of them."""
        return self._read(history_pages.appended)

    def heat(self, dataset: str | None = None) -> HeatColumns:
        """Read the observations of heat of a dataset, or of all but the private ones."""
        return self._read(heat_table.read, dataset)

    def heat_loads(self) -> Mapping[str, tuple[int, str]]:
        """Number and digest of the observations of heat by dataset, those of private ones left out."""
        return self._read(heat_table.loads)

    def append(
        self,
        table: str,
        record: Record,
        *,
        author: str,
        at: datetime | None = None,
        seen: ExpectedLatest | None = None,
        derived: DerivedUpdate | None = None,
        keyed: KeyedRequest | None = None,
        why: str | None = None,
    ) -> int:
        """Add one new record to a table, such as a decision; give the number of the change.

        A decision that is added here should be of a dataset that no load brings: a load refuses to drop it.
        With ``seen`` nothing is added unless that still is the newest record, which is looked up in the same
        transaction. ``derived`` updates the derived layers in it, and ``keyed`` is the request that is answered.
        A record of a private dataset is added as private. ``why`` is the reason, for the history.

        Raises
        ------
        ValueError
            If there is no such table, or the record is not of its class.
        KeyTaken
            If a request with the key was answered before.
        Conflict
            If something newer than ``seen`` was added.
        StoreError
            If the table has a record of that id.
        """
        _require_table(table, record)
        authorship = _authorship(author, at, why)
        with self._writing() as connection:
            idempotency.require_free(connection, keyed, authorship.at)
            if seen is not None:
                seen.require(connection, table)
            authorship = writer.in_order(connection, authorship)
            self._copy_from_open_layer(connection, references_of(table, record), authorship)
            seq = writer.insert(connection, TABLES[table], record, authorship)
            idempotency.insert(connection, keyed, authorship, seq)
            if derived is not None:
                derived_tables.update(connection, derived, authorship.at)
            return seq

    def write(
        self,
        *edits: Edit,
        author: str,
        at: datetime | None = None,
        derived: DerivedUpdate | None = None,
        keyed: KeyedRequest | None = None,
        why: str | None = None,
    ) -> int:
        """Add, replace or remove single records in one transaction, all or none; give the number of the last change.

        A record that already is as given leaves no history. Those of a dataset that a load brings stay as they are
        written here only until that load brings them again. What is private stays so, whatever a new version says.
        ``derived`` updates the derived layers in the transaction, and ``keyed`` is the request that is answered.
        ``why`` is the reason, for the history.

        Raises
        ------
        ValueError
            If there is no such table, or a record is not of its class or has another id.
        KeyTaken
            If a request with the key was answered before.
        EditConflict
            If a record is not what the writer saw. Nothing is written.
        StillReferenced
            If other records refer to one that is removed. Nothing is written.
        StoreError
            If a decision would be changed or removed, or a record cannot be stored. Nothing is written.
        """
        for edit in edits:
            _require_table(edit.table, edit.record)
            if edit.record is not None and edit.record.id != edit.id:
                raise ValueError(f"{edit.record.id} is not {edit.id}")
        authorship = _authorship(author, at, why)
        with self._writing() as connection:
            idempotency.require_free(connection, keyed, authorship.at)
            authorship = writer.in_order(connection, authorship)
            self._copy_from_open_layer(connection, chain.from_iterable(map(_written_about, edits)), authorship)
            for edit in edits:
                writer.edit(connection, edit, authorship)
            if any(edit.record is None for edit in edits):
                privacy_changes.hide_judgements_of_removed(connection, authorship)
            seq = writer.last_seq(connection)
            idempotency.insert(connection, keyed, authorship, seq)
            if derived is not None:
                derived_tables.update(connection, derived, authorship.at)
            return seq

    def _copy_from_open_layer(
        self, connection: Connection, referred: Iterable[tuple[str, str]], authorship: Authorship
    ) -> None:
        """Write records of the open layer that are written about to the store, as others may be in a newer layer."""
        if self.open_layer is None:
            return

        def is_there(table: str, key: str) -> bool:
            query = f"SELECT 1 FROM {geopackage.quote(table)} WHERE id = ?"
            return connection.execute(query, (key,)).fetchone() is not None

        why = replace(authorship, why="Copied from the open layer, as somebody wrote about it.")
        for table, record in self.open_layer.needed_by(referred, is_there):
            writer.insert(connection, TABLES[table], record, why)

    def copy_from(self, source: Store, derive: Derive, *, progress: RowProgress = lambda _: None) -> Head:
        """Fill this store, which is empty, with all that another one holds, private records too, in one transaction.

        History is the same to the last hash, and so are records, their order, what is private, and the answers to
        requests. Layers are derived anew by ``derive``.

        Parameters
        ----------
        progress
            Called with numbers of rows written; if it raises, nothing is written.

        Returns
        -------
        Head
            That of both.

        Raises
        ------
        StoreError
            If this store is not empty, the history of the other one does not hold or does not tell of edits by other
            programs, or this database cannot hold a value. Nothing is written.
        """
        with source.reading() as old, self._transaction() as connection:
            return copying.copy(old, connection, derive, timestamp(), progress)

    def answered(self, person: str, key: str, at: datetime | None = None) -> AnsweredRequest | None:
        """Find the answer to the request of a person's key (a digest), given within the last 24 hours."""
        with self._database.reading() as connection:
            return idempotency.find(connection, person, key, timestamp(at))

    def revisions(self, since: int = 0) -> Iterator[HistoryRow]:
        """Give every change of a record after number ``since``, oldest first. Holds no lock between two pages."""
        while True:
            with self._database.reading() as connection:
                rows = history_pages.rows_after(connection, since, _PAGE)
            yield from map(history_pages.row_of, rows)
            if len(rows) < _PAGE:
                return
            since = rows[-1][0]


def _written_about(edit: Edit) -> Iterator[tuple[str, str]]:
    """Table and id of what an edit replaces or removes, and of all that its record refers to."""
    if edit.seen is not None:
        yield edit.table, edit.id
    if edit.record is not None:
        yield from references_of(edit.table, edit.record)


def _require_table(noun: str, record: Record | None) -> None:
    if noun not in TABLES or not (record is None or isinstance(record, TABLES[noun].record_type)):
        raise ValueError(f"a {type(record).__name__} does not belong to the table {noun!r}")


def _authorship(author: str, at: datetime | None, why: str | None = None) -> Authorship:
    if not author.strip():
        raise ValueError("who changes something must be named")
    # A blank reason is none.
    return Authorship(author.strip(), timestamp(at), (why or "").strip() or None)


def _reason(why: str) -> str:
    if not why.strip():
        raise ValueError("why it is published, or no longer is, must be said")
    return why.strip()
