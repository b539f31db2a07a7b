"""Makes datasets private, or public again, with a row of history for each record that changes by it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from layers.geopackage import geopackage
from layers.model.records import DESCRIPTION, REFERENCES
from layers.store import history_pages, writer
from layers.store.connection import Connection
from layers.store.connections import StoreError
from layers.store.history_pages import RecordKey
from layers.store.migrations.tables import PRIVATE_DATASETS, PRIVATE_REMOVED, WRITTEN_BY_HAND
from layers.store.private_datasets import PrivateDataset, list_dataset, private_datasets
from layers.store.row_mapping import TABLES, Table
from layers.store.writer import Authorship

#: Anything but true may be read as public.
_PUBLIC = "coalesce(private, FALSE) <> TRUE"


def make_private(connection: Connection, dataset: str, authorship: Authorship, why: str) -> None:
    """List a dataset as private and mark every record of it, see `Store.make_private`."""
    if dataset in WRITTEN_BY_HAND:
        raise StoreError(f"{dataset} is written by hand: mark single records of it private, or name another dataset")
    if dataset in private_datasets(connection):
        return
    authorship = replace(authorship, why=why)
    _list(connection, dataset, True, authorship)
    for table in TABLES.values():
        _mark(connection, table, _ids(connection, table, f"dataset = ? AND {_PUBLIC}", dataset), True, authorship)


def _list(connection: Connection, dataset: str, private: bool, authorship: Authorship) -> None:
    """Append that a dataset is private, or no longer is, and have history tell of it."""
    entry = PrivateDataset(dataset, authorship.at, authorship.author, authorship.why or "")
    listing = list_dataset(connection, entry, private)
    writer.append_history(connection, authorship, [(PRIVATE_DATASETS, dataset, None, dict(listing))])


def hide_judgements_of_removed(connection: Connection, authorship: Authorship) -> None:
    """Mark judgements of identity private that name a private record which was removed: only they outlive it."""
    removed = f"(SELECT record FROM {PRIVATE_REMOVED} WHERE noun IN ('strikes', 'assets', 'entities'))"
    table = TABLES["identities"]
    named = _ids(connection, table, f'{_PUBLIC} AND ("one" IN {removed} OR "other" IN {removed})')
    _mark(connection, table, named, True, authorship)


def publish(
    connection: Connection, dataset: str, ids: Collection[str], authorship: Authorship, why: str
) -> tuple[int, int]:
    """Make a private dataset public, or some private records of one that is public, see `Store.publish`.

    A record that rests on a source of another dataset which is private stays private: its facts may be from there. So
    does a claim that describes a strike in the words of its author: a licence of the data does not cover these.

    Public records of which more is seen by it get a row of history that leaves them as they are, and tells when.
    """
    _require_publishable(connection, dataset, ids)
    published, stay = dict[str, list[str]](), 0
    with connection.unguarded(*TABLES):
        if not ids:
            _list(connection, dataset, False, replace(authorship, why=why))
            connection.execute(f"DELETE FROM {PRIVATE_REMOVED} WHERE dataset = ?", (dataset,))
        for table in TABLES.values():
            private = _ids(connection, table, "dataset = ? AND private = TRUE", dataset)
            chosen = [key for key in private if not ids or key in ids]
            bound = _resting_on_other_private(connection, table, dataset) | _descriptions(connection, table, dataset)
            published[table.name] = [key for key in chosen if key not in bound]
            stay += len(chosen) - len(published[table.name])
        for name, key in sorted(_seen_by(connection, published)):
            values = _plain_values(connection, TABLES[name], key)
            writer.append_history(connection, authorship, [(name, key, values, values)])
        for name, free in published.items():
            _mark(connection, TABLES[name], free, False, replace(authorship, why=why))
    return sum(map(len, published.values())), stay


def _seen_by(connection: Connection, published: Mapping[str, Collection[str]]) -> set[RecordKey]:
    """Public records that refer to private ones which are published, or to a record that is seen only with these."""
    sources, found = set(_ids(connection, TABLES["sources"], _PUBLIC)), set[RecordKey]()
    new = {(name, key) for name, ids in published.items() for key in ids}
    while new:
        listing, naming, seen = set[RecordKey](), set[RecordKey](), set[RecordKey]()
        for name, column in ((name, column) for name, columns in REFERENCES.items() for column in columns):
            for key, value in history_pages.references(connection, name, column, _PUBLIC):
                if not new.isdisjoint((target, value) for target in REFERENCES[name][column]):
                    (listing if column == "sources" else naming).add((name, key))
                elif column == "sources" and value in sources:
                    seen.add((name, key))
        new = (naming | (listing - seen)) - found
        found |= naming | listing
    return found


def _require_publishable(connection: Connection, dataset: str, ids: Collection[str]) -> None:
    is_private = dataset in private_datasets(connection)
    if ids and is_private:
        raise StoreError(f"{dataset} is private as a whole: no single record of it can be made public")
    if not ids and not is_private:
        raise StoreError(f"{dataset} is no private dataset; name the private records of it that are to be public")
    known = {
        key for table in TABLES.values() for key in _ids(connection, table, "dataset = ? AND private = TRUE", dataset)
    }
    if unknown := sorted(set(ids) - known):
        raise StoreError(f"{dataset} has no private record {', '.join(unknown[:5])}")


def _resting_on_other_private(connection: Connection, table: Table, dataset: str) -> set[str]:
    """Ids of the records of a dataset that cite a private source of another one."""
    lists = {column.name for column in table.columns if column.type == "json"}
    found: set[str] = set()
    for column, targets in REFERENCES.get(table.name, {}).items():
        if "sources" not in targets:
            continue
        quoted = geopackage.quote(column)
        other = "(SELECT id FROM sources WHERE private = TRUE AND dataset <> ?1)"
        cites = (
            f"EXISTS (SELECT 1 FROM {connection.dialect.elements(quoted, None)} WHERE value IN {other})"
            if column in lists
            else f"{quoted} IN {other}"
        )
        found.update(_ids(connection, table, f"dataset = ?1 AND {cites}", dataset))
    return found


def _descriptions(connection: Connection, table: Table, dataset: str) -> set[str]:
    """Ids of the claims of a dataset that describe a strike."""
    if table.name != "claims":
        return set()
    return set(_ids(connection, table, "dataset = ? AND private = TRUE AND field = ?", dataset, DESCRIPTION))


def _ids(connection: Connection, table: Table, condition: str, *values: Any) -> list[str]:
    """Ids of the rows, as they stand in the file, that a condition fits."""
    query = f"SELECT id FROM {geopackage.quote(table.name)} WHERE {condition} ORDER BY fid"
    return [row[0] for row in connection.execute(query, values)]


def _plain_values(connection: Connection, table: Table, key: str) -> dict[str, Any]:
    columns = ", ".join(map(geopackage.quote, table.declarations))
    query = f"SELECT {columns} FROM {geopackage.quote(table.name)} WHERE id = ?"
    return table.plain_row(connection.execute(query, (key,)).fetchone())


def _mark(connection: Connection, table: Table, ids: Sequence[str], private: bool, authorship: Authorship) -> None:
    """Set whether records are private, with their history. What is only ever added to is marked too."""
    if not ids:
        return
    name = geopackage.quote(table.name)
    with connection.unguarded(table.name):
        for key in ids:
            before = _plain_values(connection, table, key)
            connection.execute(f"UPDATE {name} SET private = ? WHERE id = ?", (private, key))
            after = {**before, "private": private}
            writer.append_history(connection, authorship, [(table.name, key, before, after)])
    connection.touch(table.name, authorship.at)
