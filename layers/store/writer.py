"""Loading records into the store's tables: what differs is written, and each change leaves a row of history."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from layers.geopackage import geopackage
from layers.model.records import REFERENCES, Record, Records
from layers.store import history_chain
from layers.store.connection import Connection, insert_rows
from layers.store.connections import StoreError
from layers.store.history_chain import EMPTY, VALUES, Head
from layers.store.private_datasets import Privacy, as_private, private_column, stays_private
from layers.store.row_mapping import TABLES, Row, Table, geometry_of, to_json, version_of

#: Tables whose records are only ever added.
APPEND_ONLY = frozenset({"decisions", "identities"})
#: Called with the number of records done and of all.
Progress: TypeAlias = Callable[[int, int], None]
#: Stands for any version as the one that a writer saw.
ANY = "*"
#: One row of history before it has a number: table, record id, values before and after.
Change: TypeAlias = tuple[str, str, dict[str, Any] | None, dict[str, Any] | None]

_Item = TypeVar("_Item")
# Records written at once.
_BATCH = 1000


@dataclass(frozen=True)
class Authorship:
    """The author of a change, its time (RFC 3339, UTC), and the reason that was stated, if one was."""

    author: str
    at: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one record to ``record``; None removes it.

    ``seen`` is the version that the writer saw (see `layers.store.row_mapping.version_of`): None where there was
    none, `ANY` for whichever there is.
    """

    table: str
    id: str
    record: Record | None
    seen: str | None


class EditConflict(StoreError):
    """A record is not, or no longer, the version that its writer saw."""


class StillReferenced(StoreError):
    """A record cannot be removed while other records refer to it."""


@dataclass
class Difference:
    """Changes of a load to one table: records to write, and rows as the table has them before."""

    added: list[Record] = field(default_factory=list)
    changed: list[tuple[Record, Row]] = field(default_factory=list)
    removed: list[Row] = field(default_factory=list)
    unchanged: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True)
class LoadReport:
    """Numbers of records that a load added, changed, removed and left, by table, and its last change number."""

    added: Mapping[str, int]
    changed: Mapping[str, int]
    removed: Mapping[str, int]
    unchanged: Mapping[str, int]
    seq: int

    @classmethod
    def of(cls, done: Mapping[str, Difference], seq: int) -> LoadReport:
        """Count the differences of each table."""
        numbers = {
            what: MappingProxyType({name: len(getattr(difference, what)) for name, difference in done.items()})
            for what in ("added", "changed", "removed")
        }
        return cls(**numbers, unchanged={name: difference.unchanged for name, difference in done.items()}, seq=seq)


class Conflict(StoreError):
    """A record was added that the writer had not seen; ``newest`` is the id of the last one about its subject."""

    def __init__(self, newest: str | None) -> None:
        super().__init__(f"the newest record about it is {newest or 'none'}, which the writer had not seen")
        self.newest = newest


class StaleVersion(StoreError):
    """The store was changed after the version that the writer went by."""

    def __init__(self, seen: int, last: int) -> None:
        super().__init__(f"the store is at change {last}, and the writer had seen {seen}; nothing was written")


@dataclass(frozen=True, slots=True)
class ExpectedLatest:
    """The newest record that a writer saw with ``value`` in ``column``: its ``id``, or None where there was none."""

    column: str
    value: str
    id: str | None

    def require(self, connection: Connection, table: str) -> None:
        """Refuse where something newer was added, by a `Conflict` with its id."""
        query = (
            f"SELECT id FROM {geopackage.quote(table)} WHERE {geopackage.quote(self.column)} = ? "
            "ORDER BY fid DESC LIMIT 1"
        )
        row = connection.execute(query, (self.value,)).fetchone()
        newest = None if row is None else str(row[0])
        if newest != self.id:
            raise Conflict(newest)


def load(
    connection: Connection,
    records: Records,
    authorship: Authorship,
    progress: Progress | None,
    emptied: Collection[str] = (),
) -> dict[str, Difference]:
    """Bring the tables to ``records`` within the caller's transaction, see `Store.load`; give the changes by table."""
    privacy = Privacy.of(connection)
    tables = {
        name: {record.id: privacy.applied(name, record) for record in records.table(name).values()} for name in TABLES
    }
    datasets = {record.dataset for table in tables.values() for record in table.values()}.union(emptied)
    report = _counter(sum(map(len, tables.values())), progress)
    done = {}
    for name, incoming in tables.items():
        difference = _compare(connection, TABLES[name], incoming, datasets)
        report(difference.unchanged)
        if difference:
            _apply(connection, TABLES[name], difference, authorship, report)
        done[name] = difference
    return done


def insert(connection: Connection, table: Table, record: Record, authorship: Authorship) -> int:
    """Add one record with its history within the caller's transaction, see `Store.append`; give its number."""
    if connection.execute(f"SELECT 1 FROM {geopackage.quote(table.name)} WHERE id = ?", (record.id,)).fetchone():
        raise StoreError(f"{table.name} already holds {record.id}")
    if stays_private(connection, table.name, record):
        record = as_private(record)
    _insert(connection, table, [record], authorship)
    geometry = geometry_of(record)
    connection.widen(table.name, authorship.at, None if geometry is None else geometry.bounds)
    return last_seq(connection)


def edit(connection: Connection, wanted: Edit, authorship: Authorship) -> None:
    """Add, replace or remove one record with its history within the caller's transaction, see `Store.write`."""
    table = TABLES[wanted.table]
    row = connection.execute(f"{select_rows(table)} WHERE id = ?", (wanted.id,)).fetchone()
    _require_seen(connection, table, row, wanted)
    if wanted.record is None:
        _require_unreferred(connection, wanted)
        _delete(connection, table, [row], authorship)
        connection.touch(table.name, authorship.at)
    elif row is None:
        insert(connection, table, wanted.record, authorship)
    else:
        _replace(connection, table, wanted.record, row, authorship)


def _replace(connection: Connection, table: Table, record: Record, row: Row, authorship: Authorship) -> None:
    if row[table.at("private")] or stays_private(connection, table.name, record):
        record = as_private(record)
    if not table.is_same(record, row):
        _update(connection, table, [(record, row)], authorship)
        geometry = geometry_of(record)
        connection.widen(table.name, authorship.at, None if geometry is None else geometry.bounds)


def _require_seen(connection: Connection, table: Table, row: Row | None, wanted: Edit) -> None:
    if row is None:
        if wanted.seen is not None:
            raise EditConflict(f"there is no {table.name} {wanted.id}")
        return
    if wanted.seen is None:
        raise EditConflict(f"{table.name} already holds {wanted.id}")
    if table.name in APPEND_ONLY:
        raise StoreError(f"{table.name} are only ever added")
    if wanted.seen not in (ANY, version_of(table.plain_row(row), version_key(connection))):
        raise EditConflict(f"{table.name} {wanted.id} was changed since it was seen")


def _require_unreferred(connection: Connection, wanted: Edit) -> None:
    for name, references in REFERENCES.items():
        lists = {column.name for column in TABLES[name].columns if column.type == "json"}
        for column, targets in references.items():
            if wanted.table not in targets:
                continue
            quoted = geopackage.quote(column)
            elements = connection.dialect.elements(quoted, None)
            speaks = f"EXISTS (SELECT 1 FROM {elements} WHERE value = ?1)" if column in lists else f"{quoted} = ?1"
            found = connection.execute(
                f"SELECT id FROM {geopackage.quote(name)} WHERE {speaks} LIMIT 1", (wanted.id,)
            ).fetchone()
            if found:
                raise StillReferenced(f"{name} {found[0]} speaks of {wanted.id}")


def version_key(connection: Connection) -> bytes:
    """The key with which versions of records are named: the salt of the first change, which the store alone knows."""
    row = connection.execute("SELECT salt FROM history ORDER BY seq LIMIT 1").fetchone()
    return b"" if row is None else bytes.fromhex(row[0])


def last_seq(connection: Connection) -> int:
    """Number of the latest change; 0 when there was none."""
    seq: int = connection.execute("SELECT coalesce(max(seq), 0) FROM history").fetchone()[0]
    return seq


def head(connection: Connection, seq: int | None = None) -> Head:
    """The last row of history, or that of a number."""
    which = "ORDER BY seq DESC LIMIT 1" if seq is None else "WHERE seq = ?"
    row = connection.execute(f'SELECT seq, hash, "at" FROM history {which}', () if seq is None else (seq,)).fetchone()
    return EMPTY if row is None else Head(*row)


def in_order(connection: Connection, authorship: Authorship) -> Authorship:
    """Date a change no earlier than the one before it: history never runs backwards, even where a clock does."""
    return replace(authorship, at=max(authorship.at, head(connection).at or ""))


def select(table: Table) -> str:
    """Give the query for all rows of a table, in the order they were added."""
    return f"{select_rows(table)} ORDER BY fid"


def select_rows(table: Table) -> str:
    """Give the query for all rows of a table; a condition may follow."""
    return f"SELECT {columns_of(table)} FROM {geopackage.quote(table.name)}"


def columns_of(table: Table) -> str:
    """Give the columns of a query for rows; ``private`` is what follows for the record from its dataset too."""
    names = (private_column(table.name) if name == "private" else geopackage.quote(name) for name in table.declarations)
    return ", ".join(names)


def _counter(total: int, progress: Progress | None) -> Callable[[int], None]:
    done = 0

    def report(more: int) -> None:
        nonlocal done
        done += more
        if progress and more:
            progress(done, total)

    return report


def _compare(
    connection: Connection, table: Table, incoming: Mapping[str, Record], datasets: AbstractSet[str]
) -> Difference:
    """Walk once over the table, so that only differences are held in memory."""
    difference, seen = Difference(), set()
    at_id, at_dataset, at_private = map(table.at, ("id", "dataset", "private"))
    for row in connection.stream(select(table)):
        record = incoming.get(row[at_id])
        if record is not None:
            seen.add(record.id)
            record = as_private(record) if row[at_private] else record
            if table.is_same(record, row):
                difference.unchanged += 1
            else:
                difference.changed.append((record, row))
        elif row[at_dataset] in datasets:
            difference.removed.append(row)
    difference.added = [record for key, record in incoming.items() if key not in seen]
    _require_append_only(table, difference, at_id)
    return difference


def _require_append_only(table: Table, difference: Difference, at_id: int) -> None:
    faults = [f"{record.id} differs" for record, _ in difference.changed]
    faults += [f"{row[at_id]} is missing" for row in difference.removed]
    if table.name in APPEND_ONLY and faults:
        raise StoreError(f"{table.name} are only ever added: {len(faults)} would not stay: {'; '.join(faults[:5])}")


def _apply(
    connection: Connection,
    table: Table,
    difference: Difference,
    authorship: Authorship,
    report: Callable[[int], None],
) -> None:
    for rows in _batches(difference.removed):
        _delete(connection, table, rows, authorship)
    for pairs in _batches(difference.changed):
        _update(connection, table, pairs, authorship)
        report(len(pairs))
    for records in _batches(difference.added):
        _insert(connection, table, records, authorship)
        report(len(records))
    connection.touch(table.name, authorship.at)


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _insert(connection: Connection, table: Table, records: list[Record], authorship: Authorship) -> None:
    plains = [table.to_dict(record) for record in records]
    rows = [table.row(record, plain) for record, plain in zip(records, plains, strict=True)]
    insert_rows(connection, table.name, table.declarations, rows)
    append_history(connection, authorship, [(table.name, plain["id"], None, plain) for plain in plains])


def _update(connection: Connection, table: Table, pairs: list[tuple[Record, Row]], authorship: Authorship) -> None:
    mark = connection.dialect.mark
    settings = ", ".join(f"{geopackage.quote(name)} = {mark(kind)}" for name, kind in table.declarations.items())
    plains = [table.to_dict(record) for record, _ in pairs]
    connection.executemany(
        f"UPDATE {geopackage.quote(table.name)} SET {settings} WHERE id = ?",
        [(*table.row(record, plain), record.id) for (record, _), plain in zip(pairs, plains, strict=True)],
    )
    befores = [table.plain_row(row) for _, row in pairs]
    append_history(connection, authorship, [(table.name, b["id"], b, a) for b, a in zip(befores, plains, strict=True)])


def _delete(connection: Connection, table: Table, rows: list[Row], authorship: Authorship) -> None:
    befores = [table.plain_row(row) for row in rows]
    ids = [(before["id"],) for before in befores]
    connection.executemany(f"DELETE FROM {geopackage.quote(table.name)} WHERE id = ?", ids)
    append_history(connection, authorship, [(table.name, before["id"], before, None) for before in befores])


def append_history(connection: Connection, authorship: Authorship, changes: Iterable[Change]) -> None:
    """Add a row of history for each change, each chained to the one before."""
    rows = (
        (authorship.at, authorship.author, noun, key, _json(before), _json(after), authorship.why)
        for noun, key, before, after in changes
    )
    connection.executemany(f"INSERT INTO history {VALUES}", history_chain.linked(head(connection), rows))


def _json(values: dict[str, Any] | None) -> str | None:
    return None if values is None else to_json(values)
