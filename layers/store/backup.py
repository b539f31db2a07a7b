"""Copies of a store: as it is while others use it, and as it was after any change, which follows from history alone."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import shapely
from pydantic import ValidationError

from layers.filesystem.atomic_file import PRIVATE_MODE, replacing
from layers.geopackage import geopackage
from layers.geopackage.geopackage import quote
from layers.model.records import Record
from layers.model.timestamps import timestamp
from layers.store import (
    create,
    derived_tables,
    external_edits,
    heat_table,
    idempotency,
    policy_history,
    privacy_changes,
    reader,
    verification,
    writer,
)
from layers.store.connection import Connection, insert_rows
from layers.store.connections import StoreError, as_store_error
from layers.store.copying import RowProgress
from layers.store.create import require_free
from layers.store.derived_tables import Derive
from layers.store.history_chain import Head
from layers.store.migrations.tables import PRIVATE_DATASETS, PRIVATE_REMOVED
from layers.store.private_datasets import is_private, listings, private_datasets
from layers.store.row_mapping import TABLES, Row, Table
from layers.store.sqlite import SqliteConnection
from layers.store.store import Store

#: Pages of the database that are copied in one step: 4 MB of SQLite's usual pages.
_STEP = 1024

#: Called with the number of pages copied so far, and of all.
CopyProgress: TypeAlias = Callable[[int, int], None]
#: The author of rows that tell what became private after the change that is restored.
AUTHOR = "strikeatlas restore"
#: Rows that are read and written at once.
_BATCH = 1000
#: Records that are named where the history does not reach.
_NAMED = 5
#: Letters of an id that are named; a record's own has 160 at most.
_MAX_KEY = 160


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was put in place: its last change and when that was, its size, and its SHA-256 in hexadecimal."""

    path: Path
    seq: int
    at: str | None
    bytes: int
    sha256: str


def back_up(store: Store, target: Path, *, overwrite: bool = False, progress: CopyProgress | None = None) -> Backup:
    """Copy one version of a store while others read and write, by SQLite's online backup (sqlite.org/backup.html).

    The copy is whole and checked, or not there. It holds all that the store does, private records too, and only its
    owner may read a new file.

    Parameters
    ----------
    overwrite
        Whether a file that is there is replaced.
    progress
        Called now and then with the number of pages copied and of all; if it raises, nothing is put in place.

    Raises
    ------
    FileExistsError
        If the target is there and may not be overwritten, is the store itself, or has a log: it is in use.
    StoreError
        If the copy is not sound, or cannot be written.
    OSError
        If it cannot be put in place.
    """
    require_target(store.path, target, overwrite)
    with store.reading() as source, replacing(target, overwrite=overwrite, mode=PRIVATE_MODE) as fresh:
        # From here on the transaction reads this version: others write on, and the copy is not begun anew for that.
        head = writer.head(source)
        assert isinstance(source, SqliteConnection)  # as a store that has a path is a file
        try:
            with closing(sqlite3.connect(fresh, isolation_level=None, factory=SqliteConnection)) as copy:
                source.backup(copy, pages=_STEP, progress=_counted(progress))
                # A file in WAL mode cannot be read where nothing may be written beside it.
                if copy.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):
                    raise StoreError(f"{target.name}: the log of the copy cannot be folded in")
                _require_sound(copy, head)
        except sqlite3.Error as error:
            raise as_store_error(error, target) from error
        with fresh.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = fresh.stat().st_size
    verification.forget(target)
    return Backup(target, head.seq, head.at, size, digest)


def require_target(path: Path, target: Path, overwrite: bool) -> None:
    """Refuse a target that is the store itself, in use, or there and not to be overwritten, by FileExistsError."""
    if target.exists() and target.samefile(path):
        raise FileExistsError(f"{target} is the store itself")
    require_free(target.resolve(), overwrite)


def _counted(progress: CopyProgress | None) -> Callable[[int, int, int], None] | None:
    if progress is None:
        return None
    return lambda _status, remaining, total: progress(total - remaining, total)


def _require_sound(copy: SqliteConnection, head: Head) -> None:
    """Check every page and index of a copy, and that it is of the version that was to be copied."""
    faults = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
    if faults != ["ok"]:
        raise StoreError(f"the copy is damaged, and so may be the store: {'; '.join(faults)}")
    if (copied := writer.head(copy)) != head:
        raise StoreError(f"the copy is of change {copied.seq}, not of {head.seq}")


# --- a store as it was --------------------------------------------------------------------------


class HistoryGap(StoreError):
    """Records were changed by another program that left no history, so that nobody knows what they were at a change."""

    def __init__(self, seq: int, records: Iterable[tuple[str, str]]) -> None:
        self.records = tuple(records)
        named = ", ".join(f"{table} {str(key)[:_MAX_KEY]}" for table, key in self.records[:_NAMED])
        more = "" if len(self.records) <= _NAMED else f" and {len(self.records) - _NAMED} more"
        super().__init__(
            f"history does not tell all of change {seq}: other programs edited {named}{more}, and when is not known"
        )


@dataclass(frozen=True, slots=True)
class Restored:
    """A store that was put in place: its last change and when that was, None for an empty store.

    ``private`` is the number of records that are private in it, as they are now, and were public then.

    ``within`` are the first and last of the changes that were written together with that one, where it is not the last
    of them: no reader ever saw the store so.
    """

    path: Path
    seq: int
    at: str | None
    within: tuple[int, int] | None
    private: int = 0


def restore(
    store: Store,
    target: Path,
    derive: Derive,
    *,
    to: int | datetime | None = None,
    overwrite: bool = False,
    progress: RowProgress = lambda _: None,
) -> Restored:
    """Write a new store of the version after a change of another one, or of a backup of it, from history alone.

    History is copied as it is. Tables of records follow from it: a record has its values of the last change, and its
    place in the order in which records were added. Derived layers are computed anew. Observations of heat, which
    are not in history, are copied where they still are those of then. What is private now stays so: datasets, records
    by their ids, and ids of removed ones; rows of history tell of it after those of then.

    Parameters
    ----------
    derive
        Gives the layers that follow from the records of that version.
    to
        Number of the last change, or a time with a zone, by which it was made; None for the newest one.
    overwrite
        Whether a file that is there is replaced.
    progress
        Called with numbers of rows written; if it raises, nothing is put in place.

    Raises
    ------
    HistoryGap
        If the history does not tell what records were then.
    FileExistsError
        If the target is there and may not be overwritten, is the source itself, or has a log: it is in use.
    StoreError
        If there is no such change, or what was then is no longer valid.
    OSError
        If the new store cannot be put in place.
    """
    require_target(store.path, target, overwrite)
    with store.reading() as source, replacing(target, overwrite=overwrite, mode=PRIVATE_MODE) as fresh:
        seq = _seq_of(source, to)
        within = _written_together(source, seq)
        create.make(fresh)
        try:
            with closing(sqlite3.connect(fresh, isolation_level=None, factory=SqliteConnection)) as copy:
                geopackage.register_functions(copy)
                copy.execute("PRAGMA journal_mode = OFF")  # A file that is not whole is never put in place.
                copy.execute("BEGIN")
                private = _fill(source, copy, seq, progress)
                at = writer.head(copy, seq).at
                _derive(copy, derive, at or timestamp(), within)
                copy.execute("COMMIT")
        except sqlite3.Error as error:
            raise as_store_error(error, target) from error
    verification.forget(target)
    return Restored(target, seq, at, within, private)


def _fill(source: Connection, copy: SqliteConnection, seq: int, progress: RowProgress) -> int:
    """Write history, and the records that follow from it, to a new store; give the number of those made private."""
    _copy_history(source, copy, seq, progress)
    with external_edits.own_write(copy):
        for table in TABLES.values():
            _replay(source, copy, table, progress)
        if gaps := list(_gaps(source, copy, seq)):
            raise HistoryGap(seq, gaps)
        private = _copy_privacy(source, copy)
    idempotency.copy(source, copy)
    heat_table.copy(source, copy)
    return private


def _copy_privacy(source: Connection, copy: SqliteConnection) -> int:
    """Copy what must stay private, and the policy, as they are now: no older version publishes anything again.

    Gives the number of records that were not marked private then. What is private by itself is marked before its
    dataset is listed, and the others after it: so `privacy_changes.publish` gives back the others alone.
    """
    restored = writer.Authorship(AUTHOR, timestamp(), "The policy of the store that was restored.")
    policy_history.write(copy, policy_history.read(source), restored)
    authorship = writer.in_order(copy, replace(restored, why="It is private in the store that was restored."))
    private, marked = {name: _private_with(source, table) for name, table in TABLES.items()}, 0
    for name, table in TABLES.items():
        now, rows = private[name], privacy_changes.unmarked(copy, table)
        own = [key for key, (dataset, _) in rows.items() if key in now and now[key] != dataset]
        marked += privacy_changes.mark(copy, table, own, True, authorship)
    _copy_listings(source, copy, authorship)
    for name, table in TABLES.items():
        rows = privacy_changes.unmarked(copy, table)
        others = [key for key, (_, is_hidden) in rows.items() if is_hidden or key in private[name]]
        marked += privacy_changes.mark(copy, table, others, True, authorship)
    return marked


def _private_with(source: Connection, table: Table) -> Mapping[str, str | None]:
    """Ids that are private in a table, removed ones too, each with the dataset that makes it so; None: by itself."""
    rows = f"""SELECT id, dataset FROM {quote(table.name)} WHERE {is_private(table.name)}
      UNION SELECT record, dataset FROM {PRIVATE_REMOVED} WHERE noun = ?"""
    listed, found = private_datasets(source), dict[str, str | None]()
    for key, dataset in source.execute(rows, (table.name,)):
        reason = dataset if dataset in listed else None
        found[key] = reason if found.get(key, reason) == reason else None
    for dataset in listed.keys() & set(found.values()):
        own = privacy_changes.private_by_themselves(source, table.name, dataset)
        found |= {key: None for key in own if found.get(key) == dataset}
    return found


def _copy_listings(source: Connection, copy: SqliteConnection, authorship: writer.Authorship) -> None:
    """Copy which datasets and removed ids are private, with a row of history for each listing that is newer."""
    with copy.unguarded():
        for name in (PRIVATE_DATASETS, PRIVATE_REMOVED):
            columns = _shared_columns(source, copy, name)
            insert_rows(copy, name, columns, source.execute(f"SELECT {', '.join(map(quote, columns))} FROM {name}"))
    noted = 'SELECT record, "after" FROM history WHERE noun = ?'
    known = [(dataset, orjson.loads(after)) for dataset, after in copy.execute(noted, (PRIVATE_DATASETS,))]
    later = [(PRIVATE_DATASETS, name, None, dict(one)) for name, one in listings(copy) if (name, one) not in known]
    writer.append_history(copy, replace(authorship, why=None), later)


def _shared_columns(source: Connection, copy: SqliteConnection, table: str) -> Mapping[str, str]:
    """The columns of a table that both files have, none of a geometry: other programs may have added some."""
    known = set(copy.column_names(table))
    return {name: "TEXT" for name in source.column_names(table) if name in known}


def _seq_of(source: Connection, to: int | datetime | None) -> int:
    """The change that is meant; 0 is the empty store before the first one."""
    last = writer.last_seq(source)
    if to is None:
        return last
    if isinstance(to, int):
        if not 0 <= to <= last:
            raise StoreError(f"there is no change {to}: the last one is {last}")
        return to
    stamp = timestamp(to)
    (seq,) = source.execute('SELECT max(seq) FROM history WHERE "at" <= ?', (stamp,)).fetchone()
    if seq is None:
        (first,) = source.execute('SELECT min("at") FROM history').fetchone()
        raise StoreError(f"nothing was there at {stamp}: the first change is of {first or 'never'}")
    return int(seq)


def _written_together(source: Connection, seq: int) -> tuple[int, int] | None:
    """First and last of the changes of one time and author around one that is not their last."""
    rows = source.execute('SELECT "at", who FROM history WHERE seq IN (?1, ?1 + 1)', (seq,)).fetchall()
    if len(rows) < 2 or rows[0] != rows[1]:
        return None
    query = 'SELECT min(seq), max(seq) FROM history WHERE "at" = ? AND who = ?'
    first, last = source.execute(query, rows[0]).fetchone()
    return int(first), int(last)


def _copy_history(source: Connection, copy: SqliteConnection, seq: int, progress: RowProgress) -> None:
    """Copy all columns of history that a store has as they are, those too that this module knows nothing of."""
    columns = _shared_columns(source, copy, "history")
    names = ", ".join(map(quote, columns))
    rows = source.execute(f"SELECT {names} FROM history WHERE seq <= ? ORDER BY seq", (seq,))
    while batch := rows.fetchmany(_BATCH):
        insert_rows(copy, "history", columns, batch)
        progress(len(batch))


#: Of each record that is there after the last change: its number in the order in which its table grew, that of its last
#: change, and its values.
_LAST_VALUES = """
WITH newest AS (SELECT record, max(seq) AS seq FROM history WHERE noun = ?1 GROUP BY record),
  numbered AS (
    SELECT record, row_number() OVER (ORDER BY seq) AS fid FROM history WHERE noun = ?1 AND "before" IS NULL
  ),
  added AS (SELECT record, max(fid) AS fid FROM numbered GROUP BY record)
SELECT fid, seq, record, "after" FROM newest JOIN history USING (seq, record) LEFT JOIN added USING (record)
WHERE "after" NOTNULL ORDER BY fid NULLS LAST, seq
"""


def _replay(source: Connection, copy: SqliteConnection, table: Table, progress: RowProgress) -> None:
    """Fill a table by the history in the same file."""
    rows = _rows(source, table, copy.execute(_LAST_VALUES, (table.name,)))
    while batch := list(islice(rows, _BATCH)):
        insert_rows(copy, table.name, {"fid": "INTEGER", **table.declarations}, batch)
        progress(len(batch))
    _number_on(copy, table.name)
    (at,) = copy.execute('SELECT max("at") FROM history WHERE noun = ?', (table.name,)).fetchone()
    if at is not None:
        geopackage.touch(copy, table.name, at)


def _rows(source: Connection, table: Table, changes: Iterable[Row]) -> Iterator[Row]:
    last = 0
    for fid, seq, key, text in changes:
        record = _record(table, seq, key, text)
        if fid is None:  # another program added it
            fid = _fid(source, table, key) or last + 1
        last = max(fid, last + 1)
        yield (last, *table.row(record, table.to_dict(record)))


def _record(table: Table, seq: int, key: str, text: str) -> Record:
    try:
        return table.record_of(orjson.loads(text))
    except (ValueError, AttributeError, shapely.errors.ShapelyError, ValidationError) as error:
        raise StoreError(f"history, change {seq}: {table.name} {key} is no longer valid: {error}") from error


def _fid(source: Connection, table: Table, key: str) -> int | None:
    row = source.execute(f"SELECT fid FROM {quote(table.name)} WHERE id = ?", (key,)).fetchone()
    return None if row is None else int(row[0])


def _number_on(copy: SqliteConnection, name: str) -> None:
    """Let the next record have the number that it would have had: those of removed ones are not given again."""
    query = 'SELECT count(*) FROM history WHERE noun = ? AND "before" IS NULL'
    (added,) = copy.execute(query, (name,)).fetchone()
    (last,) = copy.execute(f"SELECT ifnull(max(fid), 0) FROM {quote(name)}").fetchone()
    copy.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
    copy.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, max(added, last)))


def _derive(copy: SqliteConnection, derive: Derive, at: str, within: tuple[int, int] | None) -> None:
    try:
        for layer in derive(*reader.read_all(copy)):
            derived_tables.write_table(copy, layer, at)
    except (KeyError, ValueError) as error:
        if within is None:
            raise
        first, last = within
        raise StoreError(
            f"changes {first} to {last} were written together, and what refers to each other is not complete between "
            f"them: {first - 1} and {last} are whole"
        ) from error


# --- whether history tells all --------------------------------------------------------------------------------------


def _gaps(source: Connection, copy: SqliteConnection, seq: int) -> Iterator[tuple[str, str]]:
    """Table and id of each record whose next known values are others than those that were replayed.

    The next known values of a record are those before its first later change or, without one, those that it has now.
    """
    for table in TABLES.values():
        later = set()
        for key, before in source.execute(_NEXT_CHANGES, (table.name, seq)):
            later.add(key)
            if not _is_same(_values(copy, table, key), None if before is None else orjson.loads(before)):
                yield table.name, key
        here, now = _ids(copy, table), _ids(source, table)
        # In a file that another program wrote, an id may be anything.
        for key in sorted((here | now) - later, key=str):
            if _row(copy, table, key) != _row(source, table, key) and not _is_same(
                _values(copy, table, key), _values(source, table, key)
            ):
                yield table.name, key


_NEXT_CHANGES = """
SELECT record, "before" FROM history
WHERE seq IN (SELECT min(seq) FROM history WHERE noun = ?1 AND seq > ?2 GROUP BY record)
"""


def _ids(connection: Connection, table: Table) -> set[str]:
    return {row[0] for row in connection.execute(f"SELECT id FROM {quote(table.name)}")}


def _row(connection: Connection, table: Table, key: str) -> Row | None:
    names = ", ".join(map(quote, table.declarations))
    row: Row | None = connection.execute(f"SELECT {names} FROM {quote(table.name)} WHERE id = ?", (key,)).fetchone()
    return row


def _values(connection: Connection, table: Table, key: str) -> Mapping[str, Any] | None:
    row = _row(connection, table, key)
    return None if row is None else table.plain_row(row)


def _is_same(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Whether two sets of values agree in all columns that both have: an older program had fewer."""
    if one is None or other is None:
        return one is other
    return all(_is_equal(name, one[name], other[name]) for name in one.keys() & other.keys())


def _is_equal(name: str, one: Any, other: Any) -> bool:
    if one == other or name != "geometry" or not (isinstance(one, str) and isinstance(other, str)):
        return bool(one == other)
    try:
        return bool(shapely.from_wkt(one).wkb == shapely.from_wkt(other).wkb)
    except shapely.errors.ShapelyError:
        return False
