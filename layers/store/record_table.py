"""Large tables of records in packed rows: a record is decoded when it is read, and edits are an overlay.

A million strikes as objects take 5 GB; as rows of a store they take a tenth, which may be files mapped into memory.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import compress, islice
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, TypeVar, cast

import numpy as np
import orjson
from shapely.geometry.base import BaseGeometry

from geo.columnar.binary_array import BinaryArray, DecodedArray
from geo.columnar.binary_builder import BinaryBuilder
from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.key_index import KeyIndex
from geo.columnar.lazy_array import batches
from geo.columnar.row_edit import RowEdit
from geo.lonlat import Ints
from layers.geopackage.geopackage import decode_many
from layers.model.cache import LruCache
from layers.model.records import REFERENCES, Record
from layers.store.row_mapping import Row, Table, geometry_of

R = TypeVar("R", bound=Record)
#: Values led by the id of the record that they are of.
V = TypeVar("V", bound=tuple[Any, ...])

#: Tables whose records are not looked up by what refers to them.
_NOT_REFERRED = (("sources",), ("decisions",))
#: References by which records are looked up, by table.
REFERRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        name: columns
        for name, references in REFERENCES.items()
        if name != "identities"
        and (columns := tuple(column for column, tables in references.items() if tables not in _NOT_REFERRED))
    }
)
#: Records read at once.
_PAGE = 5000
#: Records of a table that are cached.
_CACHED_RECORDS = 5_000


@dataclass(frozen=True, eq=False)
class ForeignKeyIndex:
    """Rows by a reference: those that refer to ``words[i]`` are ``rows[start[i]:start[i + 1]]``, ascending."""

    words: Sequence[str]
    start: Ints
    rows: Ints

    @classmethod
    def of(cls, column: DictionaryArray) -> ForeignKeyIndex:
        """Group rows by a column."""
        order = np.argsort(column.codes, kind="stable")
        start = np.searchsorted(column.codes[order], np.arange(len(column.dictionary) + 1))
        return cls(column.dictionary, start, order)

    @property
    def column(self) -> DictionaryArray:
        """The column that rows are grouped by."""
        codes = np.full(len(self.rows), -1, np.int32)
        codes[self.rows] = np.searchsorted(self.start, np.arange(len(self.rows)), side="right") - 1
        return DictionaryArray(self.words, codes)

    def to(self, value: str) -> Ints:
        """Rows that refer to a value, none if none does."""
        place = self._place.get(value)
        return self.rows[:0] if place is None else self.rows[self.start[place] : self.start[place + 1]]

    @cached_property
    def _place(self) -> Mapping[str, int]:
        """The place of each of ``words``; of packed ones without a dictionary of all."""
        if isinstance(self.words, DecodedArray):
            return KeyIndex(self.words.binary, np.arange(len(self.words)))
        return {word: place for place, word in enumerate(self.words)}


@dataclass(frozen=True, eq=False)
class PackedRecords:
    """The records of one version of a table as packed rows, in the order in which they were added.

    Parameters
    ----------
    ids
        Row of each id.
    values
        The values of each row as a JSON list, with null for the geometry.
    places
        The geometry of each row as the store holds it, empty where there is none; None for tables without.
    referring
        Rows by the references in `REFERRED`.
    found
        The ids of the records that are marked private, as `private`.
    token
        Names these rows wherever they are referred to.
    """

    table: Table
    ids: KeyIndex
    values: BinaryArray
    places: BinaryArray | None
    referring: Mapping[str, ForeignKeyIndex]
    found: dict[str, Any] = field(default_factory=dict)
    token: str = field(default_factory=partial(secrets.token_hex, 8))

    @classmethod
    def of(cls, table: Table, pages: Iterable[Sequence[Row]]) -> PackedRecords:
        """Pack the rows of a table; `StoreError` if a row is no valid record."""
        columns = {name: table.at(name) for name in REFERRED.get(table.name, ())}
        at = table.at("geometry") if table.geometry_type else None
        ids: list[bytes] = []
        private: list[str] = []
        referred: dict[str, list[str | None]] = {name: [] for name in columns}
        # Their bytes, of which there may be a gigabyte, are not in memory.
        with BinaryBuilder() as values, BinaryBuilder() as places:
            for page in pages:
                valid = table.valid_fields(page)
                ids += map(str.encode, valid["id"])
                private += compress(valid["id"], valid["private"])
                for name, column in columns.items():
                    referred[name] += [row[column] for row in page]
                rows = [list(row) for row in page]
                if at is not None:
                    places.extend([row[at] or b"" for row in rows])
                    for row in rows:
                        row[at] = None
                values.extend(map(orjson.dumps, rows))
            packed_values, packed_places = values.finish(), None if at is None else places.finish()
        referring = {name: ForeignKeyIndex.of(DictionaryArray.of(found)) for name, found in referred.items()}
        index, found = KeyIndex(BinaryArray.of(ids)), {"private": private}
        return cls(table, index, packed_values, packed_places, MappingProxyType(referring), found)

    def __len__(self) -> int:
        return len(self.ids)

    def spliced(self, new: PackedRecords, splice: RowEdit, found: dict[str, Any]) -> PackedRecords:
        """The rows of this table and of a second one, in the order of a row edit.

        No row is read, and no bytes are copied. ``found`` is found of all records then.
        """
        places = (
            self.places.with_edit(new.places, splice) if self.places is not None and new.places is not None else None
        )
        referring = {
            name: ForeignKeyIndex.of(one.column.with_edit(new.referring[name].column, splice))
            for name, one in self.referring.items()
        }
        ids, values = self.ids.with_edit(new.ids, splice), self.values.with_edit(new.values, splice)
        return PackedRecords(self.table, ids, values, places, MappingProxyType(referring), found)

    def record(self, key: str) -> Record:
        """The record of an id; those read last are cached. KeyError if there is none."""
        return self._recent.get_or_compute(key, lambda: next(self.records((self.ids[key],))))

    @cached_property
    def _recent(self) -> LruCache[Record]:
        return LruCache(_CACHED_RECORDS)

    def prime(self, keys: Iterable[str]) -> None:
        """Read records at once into the cache, which takes a third of the time; unknown ids are left out.

        Of more than it holds the first ones are read.
        """
        found = (self.ids.get(key) for key in islice(keys, _CACHED_RECORDS) if self._recent.get(key) is None)
        for record in self.records([row for row in found if row is not None]):
            self._recent.put(record.id, record)

    def cached_at(self, rows: Ints) -> list[Record]:
        """The records of rows, read at once, of which as many stay in the cache as it holds."""
        return [self._recent.put(record.id, record) for record in self.records(rows.tolist())]

    def referring_to(self, column: str, value: str) -> Iterator[Record]:
        """Records whose reference in a column is ``value``, in their order."""
        return (self.record(self.ids.texts[row].decode()) for row in self.referring[column].to(value).tolist())

    def records(self, rows: Iterable[int]) -> Iterator[Record]:
        """The records of rows, in their order."""
        return self.table.records(self._values_at(np.fromiter(rows, np.int64)))

    def fields(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Fields of every record, in order, with the values that records have."""
        for rows in batches(len(self), _PAGE):
            values = self._values_at(np.arange(len(self))[rows], "geometry" in names)
            yield from zip(*self.table.fields(values, *names), strict=True)

    def _values_at(self, rows: Ints, with_places: bool = True) -> list[Any]:
        values = [*map(orjson.loads, self.values.take(rows).views())]
        if self.places is not None and with_places:
            for row, place in zip(values, self.places.take(rows), strict=True):
                row[self._place_column] = place or None
        return values

    def all(self) -> Iterator[Record]:
        """Every record, in order."""
        for rows in batches(len(self), _PAGE):
            yield from self.records(range(len(self))[rows])

    def row(self, row: int) -> Row:
        """The values of a row as the store holds them."""
        values = orjson.loads(self.values[row])
        if self.places is not None:
            values[self._place_column] = self.places[row] or None
        return tuple(values)

    @cached_property
    def _place_column(self) -> int:
        return self.table.at("geometry")


class RecordTable(Mapping[str, Record]):
    """The records of a table by id, in the order in which they were added: packed rows, and an overlay of changes.

    Parameters
    ----------
    rows
        The version that lies below.
    changed
        Records that are others now, in their old place.
    gone
        Ids of rows that are no longer there, or not in their old place.
    added
        Records that came after all others.
    """

    def __init__(
        self,
        rows: PackedRecords,
        changed: Mapping[str, Record] = MappingProxyType({}),
        gone: frozenset[str] = frozenset(),
        added: Mapping[str, Record] = MappingProxyType({}),
    ) -> None:
        self.rows, self._changed, self._gone, self._added = rows, changed, gone, added

    def renewed(self, there: Mapping[str, Record], keys: Mapping[str, bool]) -> RecordTable:
        """The table after changes of some records.

        Parameters
        ----------
        there
            Those of the records that there are, in the order in which they were added.
        keys
            Ids that were changed, and whether the record was added.
        """
        changed, gone, added = dict(self._changed), set(self._gone), dict(self._added)
        for key in keys:
            if key in there and not keys[key]:
                (added if key in added else changed)[key] = there[key]
                continue
            changed.pop(key, None)
            added.pop(key, None)
            if key in self.rows.ids:
                gone.add(key)
        added |= {key: record for key, record in there.items() if keys[key]}
        return RecordTable(self.rows, changed, frozenset(gone), added)

    def __len__(self) -> int:
        return len(self.rows) - len(self._gone) + len(self._added)

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        return key in self._added or (key not in self._gone and key in self.rows.ids)

    def __getitem__(self, key: str) -> Record:
        if key in self.above:
            return self.above[key]
        if key in self._gone:
            raise KeyError(key)
        return self.rows.record(key)

    def __iter__(self) -> Iterator[str]:
        yield from (key for key in self.rows.ids if key not in self._gone)
        yield from self._added

    def values(self) -> ValuesView[Record]:
        """The records, read page by page."""
        return _Values(self)

    def items(self) -> ItemsView[str, Record]:
        """The records with their ids, read page by page."""
        return _Items(self)

    def each(self) -> Iterator[Record]:
        """The records in order; none of them is cached."""
        for record in self.rows.all():
            if record.id not in self._gone:
                yield self._changed.get(record.id, record)
        yield from self._added.values()

    @cached_property
    def above(self) -> Mapping[str, Record]:
        """The records that lie above the packed rows: those that were changed, and then those that were added."""
        return {**self._changed, **self._added}

    @cached_property
    def keys_in_order(self) -> Sequence[str]:
        """The ids by their numbers in the order of the table."""
        return list(self)

    def overlaid(self, below: Iterable[V], above: Callable[[Record], V]) -> Iterator[V]:
        """Values of every record, each led by its id: of the packed rows, and of the records that an edit put above."""
        for values in below:
            if values[0] not in self._gone:
                yield above(self._changed[values[0]]) if values[0] in self._changed else values
        yield from map(above, self._added.values())

    def where(self, column: str, value: str) -> list[Record]:
        """Records whose reference in a column is ``value``, in their order; of other columns than `REFERRED` slowly."""
        if column not in self.rows.referring:
            return [record for record in self.each() if getattr(record, column) == value]
        found = {record.id: record for record in self.rows.referring_to(column, value)}
        old = [record for key, record in found.items() if key not in self._gone and key not in self._changed]
        changed, added = (of.get(value, ()) for of in self._above_by(column))
        if changed:
            old = sorted([*old, *changed], key=lambda record: self.rows.ids[record.id])
        return [*old, *added]

    def _above_by(self, column: str) -> tuple[dict[str, list[Record]], ...]:
        """The records that were changed, and those that were added, by their reference in a column."""
        if column not in self._grouped:
            groups: tuple[dict[str, list[Record]], ...] = ({}, {})
            for records, of in zip((self._changed, self._added), groups, strict=True):
                for record in records.values():
                    of.setdefault(getattr(record, column), []).append(record)
            self._grouped[column] = groups
        return self._grouped[column]

    @cached_property
    def _grouped(self) -> dict[str, tuple[dict[str, list[Record]], ...]]:
        return {}

    def private(self) -> set[str]:
        """Ids of the records that are marked private."""
        below: list[str] = self.rows.found["private"]
        old = {key for key in below if key not in self._gone and key not in self.above}
        return old | {key for key, record in self.above.items() if record.private}

    def changed_ids(self, other: RecordTable) -> set[str] | None:
        """Ids of the records that two tables do not have alike; ``None`` where they are of different packed rows."""
        if self.rows.token != other.rows.token:
            return None
        keys = {*self.above, *other.above} | (self._gone ^ other._gone)
        return {key for key in keys if self.get(key) != other.get(key)}

    def packed(self) -> PackedRecords:
        """The table as packed rows without an overlay."""
        if self.is_as_below:
            return self.rows
        table, row_of = self.rows.table, self.rows.ids.__getitem__
        changed = sorted(self._changed.values(), key=lambda record: row_of(record.id))
        at = [row_of(record.id) for record in changed]
        gone = np.array(sorted([*at, *map(row_of, self._gone)]), np.int64)
        at += [len(self.rows)] * len(self._added)
        new = [*changed, *self._added.values()]
        above = PackedRecords.of(table, [[table.row(record, table.to_dict(record)) for record in new]])
        splice = RowEdit(len(self.rows), gone, np.array(at, np.int64))
        return self.rows.spliced(above, splice, {"private": sorted(self.private())})

    @property
    def is_as_below(self) -> bool:
        """Whether nothing was changed since the rows were packed."""
        return not (self._changed or self._gone or self._added)


def packed(table: Table, records: Mapping[str, Record]) -> PackedRecords:
    """The records of a table as packed rows without an overlay."""
    if isinstance(records, RecordTable):
        return records.packed()
    return PackedRecords.of(table, [[table.row(record, table.to_dict(record)) for record in records.values()]])


def texts(table: Mapping[str, Record], *columns: str) -> Iterator[tuple[Any, ...]]:
    """Id and texts, or None where it has none, in columns of plain texts of every record, in the order of the table.

    At least one column is named.
    """
    above = attrgetter("id", *columns)
    if not isinstance(table, RecordTable):
        return map(above, table.values())
    below = itemgetter(*map(table.rows.table.at, ("id", *columns)))
    return table.overlaid(map(below, map(orjson.loads, table.rows.values)), above)


def fields(table: Mapping[str, Record], *names: str) -> Iterator[tuple[Any, ...]]:
    """Id and fields of every record, in the order of the table, without making the records of a packed one.

    At least one field is named. Unlike `texts` any may be, and all have the values that records have.
    """
    above = attrgetter("id", *names)
    if not isinstance(table, RecordTable):
        return map(above, table.values())
    return table.overlaid(table.rows.fields("id", *names), above)


def lists_of(table: Mapping[str, Record], column: str, keys: Iterable[str]) -> Iterator[Sequence[str]]:
    """The list in a column of lists of texts of each of some records that there are, without reading all else."""
    if not isinstance(table, RecordTable):
        yield from (getattr(table[key], column) for key in keys)
        return
    at = table.rows.table.at(column)
    for key in keys:
        if key in table.above:
            yield getattr(table.above[key], column)
        else:
            yield orjson.loads(orjson.loads(table.rows.values[table.rows.ids[key]])[at])


def geometries(table: Mapping[str, Record]) -> Iterator[tuple[str, BaseGeometry | None]]:
    """Id and geometry, lon/lat (OGC:CRS84), of every record of a table of features, in the order of the table."""
    if not isinstance(table, RecordTable):
        return ((key, geometry_of(record)) for key, record in table.items())
    assert table.rows.places is not None, f"{table.rows.table.name} have no geometry"
    below = zip(table.rows.ids, decode_many(place or None for place in table.rows.places), strict=True)
    return table.overlaid(below, lambda record: (record.id, geometry_of(record)))


def records_at(table: Mapping[str, R], rows: Ints) -> list[R]:
    """Records by their numbers in the order of the table; those of packed rows are read at once."""
    if not isinstance(table, RecordTable):
        records = list(table.values())
        return [records[row] for row in rows.tolist()]
    read: list[Record]
    if table.is_as_below:
        read = table.rows.cached_at(rows)
    else:
        keys = [table.keys_in_order[row] for row in rows.tolist()]
        prefetch(table, keys)
        read = [table[key] for key in keys]
    return cast(list[R], read)


def referred(table: Mapping[str, Record], column: str) -> set[str]:
    """What records refer to by a column of `REFERRED`; rather some too many, to which no record refers any more."""
    if isinstance(table, RecordTable):
        return {*table.rows.referring[column].words, *(getattr(one, column) for one in table.above.values())}
    return {getattr(record, column) for record in table.values()}


def prefetch(table: Mapping[str, Record], keys: Iterable[str]) -> None:
    """Read records into the cache of a packed table that are looked up next."""
    if isinstance(table, RecordTable):
        table.rows.prime(key for key in keys if key not in table.above)


def prefetch_where(table: Mapping[str, Record], column: str, values: Iterable[str]) -> None:
    """Read records into the cache of a packed table that are looked up next by a reference to one of some values."""
    rows = [table.rows.referring[column].to(one) for one in values] if isinstance(table, RecordTable) else []
    if rows and isinstance(table, RecordTable):
        table.rows.cached_at(np.concatenate(rows))


class _Values(ValuesView[Record]):
    _mapping: RecordTable

    def __iter__(self) -> Iterator[Record]:
        return self._mapping.each()


class _Items(ItemsView[str, Record]):
    _mapping: RecordTable

    def __iter__(self) -> Iterator[tuple[str, Record]]:
        return ((record.id, record) for record in self._mapping.each())
