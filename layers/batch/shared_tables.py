"""What the strikes of any cell are matched with, in files that all workers of a machine map into memory together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from geo.columnar.lazy_array import to_numpy
from layers.attribution.host_country import HostCountries
from layers.matching.asset_index import AssetIndex
from layers.model.cache import Lazy
from layers.model.records import RECORD_TYPES, Records
from layers.ownership.stake_graph import StakeColumns
from layers.reference.land import Land
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

#: Tables of records that an attribution reads, besides the strike itself. Of stakes the columns are enough.
_TABLES = ("assets", "entities", "relations", "decisions")
#: And those that rows of the layers say something of.
_OF_LAYERS = ("stakes", "sources", "controls")


@dataclass(frozen=True, eq=False)
class SharedTables:
    """The assets, the stakes, and the records that answers rest on; nothing in it changes."""

    #: The assets as columns, without trees: each cell searches the rows in reach of its strikes.
    index: AssetIndex
    #: As `AssetIndex.widest_m` of the index with all its trees.
    widest_m: tuple[float, ...]
    #: Stakes of all times.
    stakes: StakeColumns
    #: Assets, entities, relations and decisions, and where there are ``layers`` stakes, sources and controls; all other
    #: tables are empty.
    records: Records
    #: Finds the countries in which strikes happened.
    hosts: HostCountries
    #: Whether rows of the layers are to be laid out.
    layers: bool = False

    @classmethod
    def read(cls, folder: Path) -> SharedTables:
        """Map the files that `write` left in a folder.

        Raises `OSError` or `ValueError` if a file is missing or cannot be read.
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
        land = Lazy(lambda: Land(to_numpy(read_shapes(files, "land.shapes")), np.array(files.metadata("land"), object)))
        hosts = HostCountries(land if files.metadata("land") else None)
        return cls(index, tuple(files.metadata("widest_m")), read_stakes(files, records), records, hosts, layers)


def write(
    folder: Path,
    records: Records,
    index: AssetIndex,
    stakes: StakeColumns,
    layers: bool = False,
    land: Land | None = None,
) -> None:
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
    land
        The land of the countries; without it points say nothing of where a strike happened.
    """
    files = TableFolderWriter(folder)
    for name in (*_TABLES, *(_OF_LAYERS if layers else ())):
        write_table(files, name, records)
    write_stakes(files, stakes)
    write_index(files, index)
    write_shapes(files, "index.shapes", to_numpy(index.geometry))
    files.metadata("widest_m", index.widest_m)
    files.metadata("layers", layers)
    write_shapes(files, "land.shapes", land.parts if land else np.empty(0, object))
    files.metadata("land", land.codes.tolist() if land else [])
    files.finish()
