"""Makes datasets private, or public again, with a row of history for each record that changes by it.

Each record that is private has the mark in its own row, also where its whole dataset is: what follows history reads no
other rows anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from layers.geopackage import geopackage
from layers.model.records import DESCRIPTION, REFERENCES
from layers.store import history_pages, writer
from layers.store.connection import Connection
from layers.store.connections import StoreError
from layers.store.history_pages import RecordKey
from layers.store.migrations.tables import PRIVATE_DATASETS, PRIVATE_REMOVED, WRITTEN_BY_HAND
from layers.store.private_datasets import PrivateDataset, is_private, list_dataset, private_datasets
from layers.store.row_mapping import TABLES, Table
from layers.store.writer import Authorship

#: Rows without the mark, whatever follows for them: anything but true may be read as public.
_UNMARKED = "coalesce(private, FALSE) <> TRUE"


@dataclass(frozen=True, slots=True)
class Published:
    """What was published, and what was not.

    Parameters
    ----------
    records
        Number of records that became public.
    bound
        Number of those that stay private for a private source of another dataset, or as they are descriptions.
    before
        Ids of those that stay so as they were private by themselves before their whole dataset was.
    """

    records: int
    bound: int = 0
    before: tuple[str, ...] = ()


def make_private(connection: Connection, dataset: str, authorship: Authorship, why: str) -> None:
    """List a dataset as private and mark every record of it, see `Store.make_private`."""
    if dataset in WRITTEN_BY_HAND:
        raise StoreError(f"{dataset} is written by hand: mark single records of it private, or name another dataset")
    if dataset in private_datasets(connection):
        return
    authorship = replace(authorship, why=why)
    _list(connection, dataset, True, authorship)
    for table in TABLES.values():
        mark(connection, table, _ids(connection, table, f"dataset = ? AND {_UNMARKED}", dataset), True, authorship)


def _list(connection: Connection, dataset: str, private: bool, authorship: Authorship) -> None:
    """Append that a dataset is private, or no longer is, and have history tell of it."""
    entry = PrivateDataset(dataset, authorship.at, authorship.author, authorship.why or "")
    listing = list_dataset(connection, entry, private)
    writer.append_history(connection, authorship, [(PRIVATE_DATASETS, dataset, None, dict(listing))])


def hide_judgements_of_removed(connection: Connection, authorship: Authorship) -> None:
    """Mark judgements of identity private that name a private record which was removed: only they outlive it."""
    removed = f"(SELECT record FROM {PRIVATE_REMOVED} WHERE noun IN ('strikes', 'assets', 'entities'))"
    table = TABLES["identities"]
    named = _ids(connection, table, f'{_UNMARKED} AND ("one" IN {removed} OR "other" IN {removed})')
    mark(connection, table, named, True, authorship)


def private_by_themselves(connection: Connection, noun: str, dataset: str) -> frozenset[str]:
    """Ids of the records of a table that are, or were, private for another reason than that a dataset is as a whole.

    They were private before it became so last, or of another dataset since. So is a removed one of which history does
    not tell, as in a store that was restored. A record that came since is private with the dataset, whatever it said.
    """
    says_private, member = connection.dialect.says_private, connection.dialect.member
    listed = history_pages.last_listed(connection, dataset)
    query = f"""SELECT record FROM history WHERE noun = ?1 AND {says_private('coalesce("after", "before")')}
        AND seq IN (SELECT max(seq) FROM history WHERE noun = ?1 AND seq < ?2 GROUP BY record)
      UNION SELECT record FROM history
        WHERE noun = ?1 AND seq > ?2 AND {says_private('"after"')} AND {member('"after"', "dataset")} <> ?3
      UNION SELECT record FROM {PRIVATE_REMOVED}
        WHERE noun = ?1 AND record NOT IN (SELECT record FROM history WHERE noun = ?1)"""
    return frozenset(record for (record,) in connection.execute(query, (noun, listed, dataset)))


def publish(
    connection: Connection, dataset: str, ids: Collection[str], authorship: Authorship, why: str, everything: bool
) -> Published:
    """Make a private dataset public, or some private records of one that is public, see `Store.publish`.

    A record based on a source of another dataset which is private stays private: its facts may be from there. So
    does a claim that describes a strike in the words of its author: a licence of the data does not cover these.

    Public records of which more is seen by it get a row of history that leaves them as they are, and tells when.
    """
    _require_publishable(connection, dataset, ids)
    published, bound, before, freed = dict[str, list[str]](), 0, list[str](), list[RecordKey]()
    for table in TABLES.values():
        stays = _resting_on_other_private(connection, table, dataset) | _descriptions(connection, table, dataset)
        own = frozenset() if ids or everything else private_by_themselves(connection, table.name, dataset)
        chosen = [key for key in _private_ids(connection, table, dataset) if not ids or key in ids]
        published[table.name] = [key for key in chosen if key not in stays | own]
        bound += len(stays.intersection(chosen))
        before += [key for key in chosen if key in own - stays]
        if not ids:
            freed += [(table.name, key) for key in _removed_ids(connection, table, dataset) if key not in own]
    seen = sorted(_seen_by(connection, published))
    with connection.unguarded(*TABLES):
        if not ids:
            _list(connection, dataset, False, replace(authorship, why=why))
            connection.executemany(f"DELETE FROM {PRIVATE_REMOVED} WHERE noun = ? AND record = ?", freed)
        for name, key in seen:
            values = _plain_values(connection, TABLES[name], key)
            writer.append_history(connection, authorship, [(name, key, values, values)])
        for name, free in published.items():
            mark(connection, TABLES[name], free, False, replace(authorship, why=why))
    return Published(sum(map(len, published.values())), bound, tuple(before))


def _seen_by(connection: Connection, published: Mapping[str, Collection[str]]) -> set[RecordKey]:
    """Public records that refer to private ones which are published, or to a record that is seen only with these."""
    public = {name: f"NOT {is_private(name)}" for name in TABLES}
    sources, found = set(_ids(connection, TABLES["sources"], public["sources"])), set[RecordKey]()
    new = {(name, key) for name, ids in published.items() for key in ids}
    while new:
        listing, naming, seen = set[RecordKey](), set[RecordKey](), set[RecordKey]()
        for name, column in ((name, column) for name, columns in REFERENCES.items() for column in columns):
            for key, value in history_pages.references(connection, name, column, public[name]):
                if not new.isdisjoint((target, value) for target in REFERENCES[name][column]):
                    (listing if column == "sources" else naming).add((name, key))
                elif column == "sources" and value in sources:
                    seen.add((name, key))
        new = (naming | (listing - seen)) - found
        found |= naming | listing
    return found


def _require_publishable(connection: Connection, dataset: str, ids: Collection[str]) -> None:
    is_listed = dataset in private_datasets(connection)
    if ids and is_listed:
        raise StoreError(f"{dataset} is private as a whole: no single record of it can be made public")
    if not ids and not is_listed:
        raise StoreError(f"{dataset} is no private dataset; name the private records of it that are to be public")
    known = {key for table in TABLES.values() for key in _private_ids(connection, table, dataset)}
    if unknown := sorted(set(ids) - known):
        raise StoreError(f"{dataset} has no private record {', '.join(unknown[:5])}")


def _private_ids(connection: Connection, table: Table, dataset: str) -> list[str]:
    return _ids(connection, table, f"dataset = ? AND {is_private(table.name)}", dataset)


def _removed_ids(connection: Connection, table: Table, dataset: str) -> list[str]:
    query = f"SELECT record FROM {PRIVATE_REMOVED} WHERE noun = ? AND dataset = ?"
    return [record for (record,) in connection.execute(query, (table.name, dataset))]


def _resting_on_other_private(connection: Connection, table: Table, dataset: str) -> set[str]:
    """Ids of the records of a dataset that cite a private source of another one."""
    lists = {column.name for column in table.columns if column.type == "json"}
    found: set[str] = set()
    for column, targets in REFERENCES.get(table.name, {}).items():
        if "sources" not in targets:
            continue
        quoted = geopackage.quote(column)
        other = f"(SELECT id FROM sources WHERE {is_private('sources')} AND dataset <> ?1)"
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
    return set(_ids(connection, table, "dataset = ? AND field = ?", dataset, DESCRIPTION))


def _ids(connection: Connection, table: Table, condition: str, *values: Any) -> list[str]:
    """Ids of the rows, as they stand in the file, that a condition fits."""
    query = f"SELECT id FROM {geopackage.quote(table.name)} WHERE {condition} ORDER BY fid"
    return [row[0] for row in connection.execute(query, values)]


def _plain_values(connection: Connection, table: Table, key: str) -> dict[str, Any]:
    columns = ", ".join(map(geopackage.quote, table.declarations))
    query = f"SELECT {columns} FROM {geopackage.quote(table.name)} WHERE id = ?"
    return table.plain_row(connection.execute(query, (key,)).fetchone())


def unmarked(connection: Connection, table: Table) -> Mapping[str, tuple[str, bool]]:
    """Records without the mark by id, each with its dataset, and whether it is private all the same."""
    name = geopackage.quote(table.name)
    query = f"SELECT id, dataset, {is_private(table.name)} FROM {name} WHERE {_UNMARKED} ORDER BY fid"
    return {key: (dataset, bool(hidden)) for key, dataset, hidden in connection.execute(query)}


def mark(connection: Connection, table: Table, ids: Sequence[str], private: bool, authorship: Authorship) -> int:
    """Set whether records are private, with their history; give their number. What is only added to is marked too."""
    if not ids:
        return 0
    name = geopackage.quote(table.name)
    with connection.unguarded(table.name):
        for key in ids:
            before = _plain_values(connection, table, key)
            connection.execute(f"UPDATE {name} SET private = ? WHERE id = ?", (private, key))
            after = {**before, "private": private}
            writer.append_history(connection, authorship, [(table.name, key, before, after)])
    connection.touch(table.name, authorship.at)
    return len(ids)
