"""The open layer: records of open data that lie under those of a store, read from one file and never written.

A store has neither rows nor history of them; its history says which file it is read with. The file is a zip archive
(APPNOTE 6.3.10, members stored) of a Parquet file for each table, whose columns are those of the table, and of
`about.json`, which says where they come from. Lists and objects are JSON texts, as in a store; the geometry of assets
is well-known binary, lon/lat (OGC:CRS84), so that the member is GeoParquet 1.1.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import shapely

from geo.columnar.row_edit import RowEdit
from layers.geopackage.geopackage import encode_many
from layers.model.records import REFERENCES, Record, Records, references
from layers.store.connections import StoreError
from layers.store.reader import MANY
from layers.store.record_table import PackedRecords, RecordTable, packed
from layers.store.row_mapping import TABLES, Row, Table

if TYPE_CHECKING:
    import pyarrow as pa

#: What the dataset of every record of the layer begins with.
OPEN = "open/"
#: The member of the file that says where its records come from.
ABOUT = "about.json"
#: The version of the form of the file.
FORM = 1
_PAGE = 5000


class NotAnOpenLayer(StoreError):
    """A file is no open layer that this program reads."""


@dataclass(frozen=True, eq=False)
class OpenLayer:
    """An open layer that is open.

    Parameters
    ----------
    path, digest
        The file, and its SHA-256.
    about
        What `ABOUT` holds: the day of the layer, and of each origin name, licence, address, day, SHA-256 and rows.
    """

    path: Path
    digest: str
    about: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path) -> OpenLayer:
        """Open a file; `NotAnOpenLayer` if it cannot be read, or is none."""
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            with zipfile.ZipFile(path) as archive:
                about = orjson.loads(archive.read(ABOUT))
                unknown = {name.removesuffix(".parquet") for name in archive.namelist()} - {ABOUT, *TABLES}
        except (OSError, LookupError, ValueError, zipfile.BadZipFile) as error:
            raise NotAnOpenLayer(f"{path}: no open layer can be read from it: {error}") from error
        if not isinstance(about, dict) or about.get("form") != FORM or unknown:
            raise NotAnOpenLayer(f"{path}: an open layer of form {FORM} was expected")
        return cls(path, digest, MappingProxyType(about))

    @property
    def attribution(self) -> str:
        """Whose data it is, and under which licences, in a line."""
        stated = dict.fromkeys((one["publisher"], one["licence"]) for one in self.about["origins"])
        return "; ".join(f"{publisher} ({licence})" for publisher, licence in stated)

    def under(self, records: Records) -> Records:
        """Records with those of the layer after them, but for those whose id they have; large tables are packed.

        Raises `NotAnOpenLayer` if the file was changed, or holds what is no record.
        """
        tables: dict[str, Any] = {name: self._under(name, records.table(name)) for name in self._members}
        return Records(**{name: tables.get(name, records.table(name)) for name in TABLES})

    def records(self, name: str, keys: Iterable[str], column: str = "id") -> Mapping[str, Record]:
        """The records of a table whose id, or text in another column, is one of some; others are left out.

        Raises as `under` does.
        """
        wanted = [*dict.fromkeys(keys)]
        if not wanted or name not in self._members:
            return {}
        rows = [row for page in self._pages(name, (column, wanted)) for row in page]
        return {record.id: record for record in TABLES[name].records(rows)}

    def needed_by(
        self, referred: Iterable[tuple[str, str]], is_there: Callable[[str, str], bool]
    ) -> list[tuple[str, Record]]:
        """What a store must have to refer to records of the layer: they, who holds them, and all that these refer to.

        Parameters
        ----------
        referred
            Tables and ids, whether of the layer or not.
        is_there
            Whether the store has a record of a table.

        Returns
        -------
        list
            Tables and records that the store has not, in the order in which references point.
        """
        found: dict[tuple[str, str], Record] = {}
        rest = [*referred]
        while rest:
            wanted: dict[str, list[str]] = {}
            for name, key in rest:
                if (name, key) not in found and not is_there(name, key):
                    wanted.setdefault(name, []).append(key)
            rest = []
            new = {(name, key): one for name, keys in wanted.items() for key, one in self.records(name, keys).items()}
            for name, column in (("stakes", "owned"), ("relations", "asset")):
                held = [key for table, key in new if table in REFERENCES[name][column]]
                new |= {(name, key): one for key, one in self.records(name, held, column).items()}
            found |= new
            for (name, _), record in new.items():
                rest += references_of(name, record)
        return [(name, record) for name in TABLES for (table, _), record in found.items() if table == name]

    @cached_property
    def _members(self) -> tuple[str, ...]:
        with zipfile.ZipFile(self.path) as archive:
            names = {*archive.namelist()}
        return tuple(name for name in TABLES if f"{name}.parquet" in names)

    def _under(self, name: str, own: Mapping[str, Record]) -> Mapping[str, Record]:
        table = TABLES[name]
        at = table.at("id")
        pages: Iterable[Sequence[Row]] = ([row for row in page if row[at] not in own] for page in self._pages(name))
        if name == "assets":
            pages = self._without_lost_wholes(pages, own)
        below = PackedRecords.of(table, pages)
        if len(own) + len(below) <= MANY:
            return MappingProxyType({**own, **{record.id: record for record in below.all()}})
        above = packed(table, own)
        splice = RowEdit(len(above), np.empty(0, np.int64), np.full(len(below), len(above)))
        return RecordTable(above.spliced(below, splice, {"private": above.found["private"]}))

    def _without_lost_wholes(
        self, pages: Iterable[Sequence[Row]], own: Mapping[str, Record]
    ) -> Iterator[Sequence[Row]]:
        """Rows of assets that are parts of none where what they are parts of is in neither the layer nor the store."""
        table = TABLES["assets"]
        whole = table.at("part_of")
        known = {*self._read("assets", columns=["id"])["id"].to_pylist()}
        for page in pages:
            yield [
                (*row[:whole], None, *row[whole + 1 :])
                if row[whole] is not None and row[whole] not in known and row[whole] not in own
                else row
                for row in page
            ]

    def _pages(self, name: str, of: tuple[str, Sequence[str]] | None = None) -> Iterator[Sequence[Row]]:
        """Rows of a table as a store holds them, all or those with one of some texts in a column."""
        filters = None if of is None else [(of[0], "in", of[1])]
        try:
            for batch in self._read(name, filters=filters).to_batches(_PAGE):
                yield _rows(TABLES[name], batch)
        except (LookupError, ValueError) as error:
            raise NotAnOpenLayer(f"{self.path}: {name} cannot be read: {error}") from error

    def _read(self, name: str, **options: Any) -> pa.Table:
        """A member of the file, as `pyarrow.parquet.read_table` gives it by its options."""
        import pyarrow.parquet as pq  # which takes 60 ms and 25 MB

        try:
            with zipfile.ZipFile(self.path) as archive:
                return pq.read_table(io.BytesIO(archive.read(f"{name}.parquet")), **options)
        except (OSError, LookupError, ValueError, zipfile.BadZipFile) as error:
            raise NotAnOpenLayer(f"{self.path}: {name} cannot be read: {error}") from error


def references_of(name: str, record: Record) -> Iterator[tuple[str, str]]:
    """Table and id of all that a record of a table refers to; of several possible tables, each."""
    return ((target, key) for _, key, targets in references(name, record) for target in targets)


def _rows(table: Table, batch: pa.RecordBatch) -> list[Row]:
    """The rows of a batch; a column that it lacks is empty."""
    empty: list[Any] = [None] * len(batch)
    columns = {name: batch.column(name).to_pylist() for name in batch.schema.names}
    if "geometry" in columns:
        columns["geometry"] = encode_many(shapely.from_wkb(np.array(columns["geometry"], object)))
    columns.setdefault("private", [0] * len(batch))
    return [*zip(*(columns.get(column.name, empty) for column in table.columns), strict=True)]
