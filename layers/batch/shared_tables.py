"""What the strikes of any cell are matched with, in files that all workers of a machine map into memory together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from geo.columnar.chunked_array import to_numpy
from layers.matching.asset_index import AssetIndex
from layers.model.records import RECORD_TYPES, Records
from layers.ownership.stake_graph import StakeColumns
from layers.snapshot.collection_files import read_shapes, write_shapes
from layers.snapshot.snapshot_files import (
    read_index,
    read_stakes,
    read_table,
    write_index,
    write_stakes,
    write_table,
)
from layers.snapshot.table_folder import TableFolderReader, TableFolderWriter

#: Tables of records that an attribution reads, besides the strike itself. Of assets and stakes the columns are enough.
_TABLES = ("entities", "relations", "decisions")
#: And those that rows of the layers say something of.
_OF_LAYERS = ("assets", "stakes", "sources", "controls")


@dataclass(frozen=True, eq=False)
class SharedTables:
    """The assets, the stakes, and the records that answers rest on; nothing in it changes.

    Attributes
    ----------
    index
        The assets as columns, without trees: each cell searches the rows in reach of its strikes.
    widest_m
        As `AssetIndex.widest_m` of the index with all its trees.
    stakes
        Stakes of all times.
    records
        Entities, relations and decisions, and where there are ``layers`` assets, stakes, sources and controls; all
        tables are empty.
    layers
        Whether rows of the layers are to be laid out.
    """

    index: AssetIndex
    widest_m: tuple[float, ...]
    stakes: StakeColumns
    records: Records
    layers: bool = False

    @classmethod
    def read(cls, folder: Path) -> SharedTables:
        """Map the files that `write` left in a folder.

        Raises
        ------
        OSError, ValueError
            If a file is missing or cannot be read.
        """
        files = TableFolderReader(folder)
        tables: dict[str, Any] = dict.fromkeys(RECORD_TYPES, MappingProxyType({}))
        layers = bool(files.metadata("layers"))
        names = (*_TABLES, *(_OF_LAYERS if layers else ()))
        records = Records(**tables | {name: read_table(files, name) for name in names})
        index = read_index(files, read_shapes(files, "index.shapes"))
        # Each word of each text is looked up: a dictionary answers ten times as fast as a search in sorted texts.
        code = {word: number for number, word in enumerate(index.names.code)}
        index = replace(index, names=replace(index.names, code=code))
        return cls(index, tuple(files.metadata("widest_m")), read_stakes(files, records), records, layers)


def write(folder: Path, records: Records, index: AssetIndex, stakes: StakeColumns, layers: bool = False) -> None:
    """Write the files into an empty folder.

    Parameters
    ----------
    records
        All records, or all but strikes.
    index
        Their assets, with trees.
    stakes
        Their stakes.
    layers
        Whether rows of the layers are to be laid out.
    """
    files = TableFolderWriter(folder)
    for name in (*_TABLES, *(_OF_LAYERS if layers else ())):
        write_table(files, name, records)
    write_stakes(files, stakes)
    write_index(files, index)
    write_shapes(files, "index.shapes", to_numpy(index.geometry))
    files.metadata("widest_m", index.widest_m)
    files.metadata("layers", layers)
    files.finish()
