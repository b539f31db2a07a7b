"""The durable store: one GeoPackage file that holds every record and the history of its changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from layers.geopackage import geopackage
from layers.model.records import Record, Records
from layers.store import create as store_file
from layers.store import derived_tables, reader, writer
from layers.store import external_edits as edits
from layers.store.connections import Connections, NotAStore, StoreBusy, StoreError
from layers.store.derived_tables import Derive, DerivedLayer, Renewal
from layers.store.row_mapping import TABLES, sql_types
from layers.store.writer import ANY, Author, Changed, Difference, Edit, Progress, Referred

__all__ = [
    "ANY",
    "Changed",
    "Conflict",
    "Derive",
    "DerivedLayer",
    "Edit",
    "LoadReport",
    "Newest",
    "NotAStore",
    "Outdated",
    "Referred",
    "Renewal",
    "Revision",
    "Store",
    "StoreBusy",
    "StoreError",
    "sql_types",
]

# Rows read at once.
_PAGE = 5000


@dataclass(frozen=True)
class Revision:
    """One change of one record.

    ``at`` is RFC 3339 in UTC, ``noun`` the table, ``record`` the id. ``before`` is None for a new record,
    ``after`` for a removed one; both hold the columns of the noun, geometry as WKT, lon/lat, in full.
    """

    seq: int
    at: str
    who: str
    noun: str
    record: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True)
class LoadReport:
    """What a load did, by table, and the number of the last change after it."""

    added: Mapping[str, int]
    changed: Mapping[str, int]
    removed: Mapping[str, int]
    unchanged: Mapping[str, int]
    seq: int


class Conflict(StoreError):
    """Something was added that the writer had not seen; ``newest`` is the id of the last record about the same."""

    def __init__(self, newest: str | None) -> None:
        super().__init__(f"the newest record about it is {newest or 'none'}, which the writer had not seen")
        self.newest = newest


class Outdated(StoreError):
    """The store was changed after the version that the writer went by."""

    def __init__(self, seen: int, last: int) -> None:
        super().__init__(f"the store is at change {last}, and the writer had seen {seen}; nothing was written")


@dataclass(frozen=True, slots=True)
class Newest:
    """What a writer has seen: the last record with ``value`` in ``column`` has this ``id``, or there is none."""

    column: str
    value: str
    id: str | None


class Store:
    """A store that is open. Safe to use from many threads, and beside other programs such as QGIS.

    Readers see the last version that was committed and never wait; one writer writes at a time. What a
    method acknowledged by returning outlives a crash of the program or the machine. Edits made with other
    programs are read, but leave no history. Within this process the file is not to be opened by other means:
    GDAL (geopandas, pyogrio) brings its own SQLite, whose locks do not hold against ours.
    """

    def __init__(self, path: Path, connections: Connections) -> None:
        self.path = path
        self._connections = connections

    @classmethod
    def create(cls, path: str | Path) -> Store:
        """Make a new, empty store in a folder that exists. Either it is whole or there is none.

        Raises
        ------
        FileExistsError
            If there is such a file, or the log that an earlier one left beside it.
        """
        store_file.make(Path(path))
        return cls.open(path)

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """Open a store.

        Raises
        ------
        NotAStore
            If the file is missing, no SQLite database, not a store, or of another version.
        StoreBusy
            If another program holds the whole file.
        """
        path = Path(path)
        store_file.require_store(path)
        return cls(path, Connections(path))

    def close(self) -> None:
        """Let go of the file and fold its log into it, so that it can be copied. The store stays usable."""
        self._connections.close()

    def seq(self) -> int:
        """Number of the last change; 0 when there was none. It only ever grows."""
        with self._connections.reading() as connection:
            return writer.last_seq(connection)

    def size(self, *nouns: str) -> int:
        """Number of records in some tables.

        Raises
        ------
        ValueError
            If there is no such table.
        """
        for noun in nouns:
            _require_noun(noun, None)
        with self._connections.reading() as connection:
            counts = (connection.execute(f"SELECT count(*) FROM {geopackage.quote(noun)}").fetchone() for noun in nouns)
            return sum(count for (count,) in counts)

    def count_edits(self) -> None:
        """Count from now on what other programs edit, where that is not done and this file can be written to."""
        if self.edited_by_others() is None:
            with suppress(StoreError), self._connections.writing() as connection:
                edits.watch(connection)

    def edited_by_others(self) -> int | None:
        """How many rows of records other programs changed, of which history tells nothing; ``None`` if not counted."""
        with self._connections.reading() as connection:
            return edits.by_others(connection)

    def records(self) -> Records:
        """Read every record, as of one version.

        Raises
        ------
        StoreError
            If another program left a row that is no valid record.
        """
        return self.version()[1]

    def version(self, packed: bool = False) -> tuple[int, Records]:
        """Read every record with the number of the last change that is in them; large tables ``packed`` if asked.

        A packed table (`layers.store.record_table.Stored`) takes a tenth of the memory, and reads each record on
        access.

        Raises
        ------
        StoreError
            If another program left a row that is no valid record.
        """
        with self._connections.reading() as connection:
            return reader.whole(connection, packed)

    def newer(self, seq: int, records: Records) -> tuple[int, Records]:
        """Read the newest version where ``records`` are that of change ``seq``: only what history tells of since.

        What other programs edited has no history, and stays as it is in ``records``.

        Raises
        ------
        StoreError
            If another program left a row that is no valid record.
        """
        with self._connections.reading() as connection:
            return reader.newer(connection, seq, records)

    def load(
        self,
        records: Records,
        *,
        who: str,
        at: datetime | None = None,
        progress: Progress | None = None,
        derive: Derive | None = None,
        seen: int | None = None,
    ) -> LoadReport:
        """Bring the store to ``records`` in one transaction; the same again changes nothing.

        Records that differ are written. Those of a dataset that occurs in ``records``, in whichever table,
        are removed when they are no longer in it; other datasets stay. Each change is one row of history.

        Parameters
        ----------
        who
            Who loads, for the history.
        at
            When, with a zone; now if None.
        progress
            Called now and then with the number of records done and of all; if it raises, nothing is written.
        derive
            Gives the layers that follow from all records after the load; they are replaced in the same transaction.
        seen
            Number of the last change that ``records`` were made with; None if they do not depend on it.

        Raises
        ------
        Outdated
            If there is a later change than ``seen``. Nothing is written.
        StoreError
            If a decision would be changed or removed, or a record cannot be stored. Nothing is written.
        StoreBusy
            If another writer does not finish in time.
        """
        author = _author(who, at)
        with self._connections.writing() as connection:
            if seen is not None and (last := writer.last_seq(connection)) != seen:
                raise Outdated(seen, last)
            done = writer.load(connection, records, author, progress)
            for layer in derive(*reader.whole(connection)) if derive else ():
                derived_tables.put(connection, layer, _stamp(None))
            return _report(done, writer.last_seq(connection))

    def append(
        self,
        noun: str,
        record: Record,
        *,
        who: str,
        at: datetime | None = None,
        seen: Newest | None = None,
        renewal: Renewal | None = None,
    ) -> int:
        """Add one new record to the table ``noun``, such as a decision; give the number of the change.

        A decision that is added here should be of a dataset that no load brings: a load refuses to drop it.
        With ``seen`` nothing is added unless that still is the newest; it is looked up in the same transaction, in
        which a ``renewal`` renews the derived layers.

        Raises
        ------
        ValueError
            If there is no such table, or the record is not of its noun.
        Conflict
            If something newer than ``seen`` was added.
        StoreError
            If the table has a record of that id.
        StoreBusy
            If another writer does not finish in time.
        """
        _require_noun(noun, record)
        author = _author(who, at)
        with self._connections.writing() as connection:
            if seen is not None and (there := _newest(connection, noun, seen)) != seen.id:
                raise Conflict(there)
            seq = writer.insert(connection, TABLES[noun], record, author)
            if renewal is not None:
                derived_tables.renew(connection, renewal, author.at)
            return seq

    def write(self, *edits: Edit, who: str, at: datetime | None = None, renewal: Renewal | None = None) -> int:
        """Add, replace or remove single records in one transaction, all or none; give the number of the last change.

        A record that already is as given leaves no history. Those of a dataset that a load brings stay as they are
        written here only until that load brings them again. A ``renewal`` renews the derived layers with them.

        Raises
        ------
        ValueError
            If there is no such table, or a record is not of its noun or has another id.
        Changed
            If a record is not what the writer saw. Nothing is written.
        Referred
            If others speak of a record that shall be removed. Nothing is written.
        StoreError
            If a decision would be changed or removed, or a record cannot be stored. Nothing is written.
        StoreBusy
            If another writer does not finish in time.
        """
        for edit in edits:
            _require_noun(edit.noun, edit.record)
            if edit.record is not None and edit.record.id != edit.id:
                raise ValueError(f"{edit.record.id} is not {edit.id}")
        author = _author(who, at)
        with self._connections.writing() as connection:
            for edit in edits:
                writer.edit(connection, edit, author)
            if renewal is not None:
                derived_tables.renew(connection, renewal, author.at)
            return writer.last_seq(connection)

    def revisions(self, since: int = 0) -> Iterator[Revision]:
        """Give every change after number ``since``, oldest first. Holds no lock between two pages."""
        query = 'SELECT seq, "at", who, noun, record, "before", "after" FROM history WHERE seq > ? ORDER BY seq LIMIT ?'
        while True:
            with self._connections.reading() as connection:
                rows = connection.execute(query, (since, _PAGE)).fetchall()
            for row in rows:
                yield _revision(*row)
            if len(rows) < _PAGE:
                return
            since = rows[-1][0]

    def write_layer(
        self, name: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]], geometry: bool
    ) -> None:
        """Replace a derived layer, such as the matches, in one transaction. It leaves no history.

        Parameters
        ----------
        name
            Lower-case letters, digits, underscores; not a table of records.
        columns
            Column name to SQL type (`sql_types` gives those of a noun); ``fid`` and ``geometry`` come by themselves.
        rows
            One tuple a row: the values in the order of ``columns`` and, if ``geometry``, a shapely geometry,
            lon/lat, or None at the end. No rows make an empty layer.
        geometry
            Whether it is a feature layer with a spatial index, or one of attributes.

        Raises
        ------
        ValueError
            If a name or type cannot be used, or a row has another number of values.
        StoreBusy
            If another writer does not finish in time.
        """
        with self._connections.writing() as connection:
            derived_tables.put(connection, DerivedLayer(name, columns, rows, geometry), _stamp(None))


def _require_noun(noun: str, record: Record | None) -> None:
    if noun not in TABLES or not (record is None or isinstance(record, TABLES[noun].noun)):
        raise ValueError(f"a {type(record).__name__} does not belong to the table {noun!r}")


def _newest(connection: sqlite3.Connection, noun: str, seen: Newest) -> str | None:
    query = (
        f"SELECT id FROM {geopackage.quote(noun)} WHERE {geopackage.quote(seen.column)} = ? ORDER BY fid DESC LIMIT 1"
    )
    row = connection.execute(query, (seen.value,)).fetchone()
    return None if row is None else str(row[0])


def _revision(seq: int, at: str, who: str, noun: str, record: str, before: str | None, after: str | None) -> Revision:
    return Revision(seq, at, who, noun, record, _values(before), _values(after))


def _values(text: str | None) -> dict[str, Any] | None:
    return None if text is None else orjson.loads(text)


def _stamp(at: datetime | None) -> str:
    at = at or datetime.now(UTC)
    if at.tzinfo is None:
        raise ValueError("a time with a zone expected")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _author(who: str, at: datetime | None) -> Author:
    if not who.strip():
        raise ValueError("who changes something must be named")
    return Author(who.strip(), _stamp(at))


def _report(done: Mapping[str, Difference], seq: int) -> LoadReport:
    return LoadReport(
        added=MappingProxyType({name: len(difference.added) for name, difference in done.items()}),
        changed=MappingProxyType({name: len(difference.changed) for name, difference in done.items()}),
        removed=MappingProxyType({name: len(difference.removed) for name, difference in done.items()}),
        unchanged=MappingProxyType({name: difference.unchanged for name, difference in done.items()}),
        seq=seq,
    )
