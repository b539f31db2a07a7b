"""All that a store holds, copied to an empty one of whichever kind: the same history, records and order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from layers.geopackage import geopackage
from layers.store import derived_tables, external_edits, heat_table, history_chain, idempotency, reader, writer
from layers.store.connection import Connection, insert_rows
from layers.store.connections import StoreError
from layers.store.derived_tables import Derive
from layers.store.history_chain import EMPTY, VALUES, ChainBreak, Head
from layers.store.migrations.tables import PRIVATE_DATASETS, PRIVATE_REMOVED
from layers.store.row_mapping import TABLES, Row, Table

#: Rows that are read and written at once.
_BATCH = 1000
_PRIVATE_DATASETS = ("seq", "dataset", "private", "at", "who", "why")
_PRIVATE_REMOVED = ("noun", "record", "dataset")

#: Called with the number of rows written so far.
RowProgress: TypeAlias = Callable[[int], None]


def copy(source: Connection, target: Connection, derive: Derive, at: str, progress: RowProgress) -> Head:
    """Copy one version within the caller's transactions; give the head of both. See `Store.copy_from`."""
    if writer.last_seq(target):
        raise StoreError("the store that is to be written to is not empty")
    if external_edits.last_noted(source):
        raise StoreError("other programs edited records, and history does not tell of it yet: write to the store first")
    head = _copy_history(source, target, progress)
    with external_edits.own_write(target), target.unguarded(*TABLES):
        for table in TABLES.values():
            progress(_copy_rows(source, target, table))
            target.touch(table.name, head.at or at)
        _copy_table(source, target, PRIVATE_DATASETS, _PRIVATE_DATASETS, boolean="private")
        _copy_table(source, target, PRIVATE_REMOVED, _PRIVATE_REMOVED)
        idempotency.copy(source, target)
    target.number_on(PRIVATE_DATASETS, "seq")
    heat_table.copy(source, target)
    for layer in derive(*reader.read_all(target)):
        derived_tables.write_table(target, layer, at)
    return writer.head(target)


def _copy_history(source: Connection, target: Connection, progress: RowProgress) -> Head:
    head = EMPTY
    rows = source.stream(f"SELECT {history_chain.COLUMNS} FROM history ORDER BY seq")
    while batch := rows.fetchmany(_BATCH):
        found = history_chain.first_break(head, batch)
        if isinstance(found, ChainBreak):
            raise StoreError(f"row {found.seq} of history does not follow on the one before it: nothing was copied")
        head = found
        target.executemany(f"INSERT INTO history {VALUES}", batch)
        progress(len(batch))
    return head


def _copy_rows(source: Connection, target: Connection, table: Table) -> int:
    """Copy the records of a table as they stand, with their numbers, which are their order."""
    declared = {"fid": "INTEGER", **table.declarations}
    names, name = ", ".join(map(geopackage.quote, declared)), geopackage.quote(table.name)
    booleans = [place for place, column in enumerate(table.columns, 1) if column.type == "boolean"]
    rows = source.stream(f"SELECT {names} FROM {name} ORDER BY fid")
    done = 0
    while batch := rows.fetchmany(_BATCH):
        insert_rows(target, table.name, declared, _with_booleans(batch, booleans))
        done += len(batch)
    target.number_on(table.name, "fid")
    return done


def _copy_table(
    source: Connection, target: Connection, name: str, columns: Sequence[str], boolean: str | None = None
) -> None:
    rows = source.execute(f"SELECT {', '.join(map(geopackage.quote, columns))} FROM {name} ORDER BY 1, 2")
    booleans = [] if boolean is None else [columns.index(boolean)]
    insert_rows(target, name, dict.fromkeys(columns, "TEXT"), _with_booleans(rows, booleans))


def _with_booleans(rows: Iterable[Row], places: Sequence[int]) -> Iterator[list[Any]]:
    """Rows in which 0 and 1, as SQLite has them, are false and true; anything else is for the database to refuse."""
    for row in rows:
        values = list(row)
        for place in places:
            values[place] = bool(values[place]) if values[place] in (0, 1) else values[place]
        yield values
