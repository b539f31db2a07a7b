"""What the strikes of any cell are answered with, in files that all workers of a machine map into memory together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from geo.columnar.lazy_array import to_numpy
from layers.attribution.host_country import HostCountries
from layers.matching.asset_index import AssetIndex, trees
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


@dataclass(frozen=True, eq=False)
class SharedTables:
    """The assets, the stakes, and the records that answers are based on; nothing in it changes."""

    #: All assets.
    index: AssetIndex
    #: Stakes of all times.
    stakes: StakeColumns
    #: Assets, entities, relations and decisions; all other tables are empty.
    records: Records
    #: Finds the countries in which strikes happened.
    hosts: HostCountries

    @classmethod
    def read(cls, folder: Path) -> SharedTables:
        """Map the files that `write` left in a folder.

        Raises `OSError` or `ValueError` if a file is missing or cannot be read.
        """
        files = TableFolderReader(folder)
        tables: dict[str, Any] = dict.fromkeys(RECORD_TYPES, MappingProxyType({}))
        records = Records(**tables | {name: read_table(files, name) for name in _TABLES})
        shapes = read_shapes(files, "index.shapes")
        index = read_index(files, shapes)
        # Each word of each text is looked up: a dictionary answers ten times as fast as a search in sorted texts.
        code = {word: number for number, word in enumerate(index.names.code)}
        index = replace(
            index,
            names=replace(index.names, code=code),
            trees=trees(index.bounds, shapes.points_only, index.uncertainty_m, index.stands),
        )
        land = Lazy(lambda: Land(to_numpy(read_shapes(files, "land.shapes")), np.array(files.metadata("land"), object)))
        hosts = HostCountries(land if files.metadata("land") else None)
        return cls(index, read_stakes(files, records), records, hosts)


def write(folder: Path, records: Records, index: AssetIndex, stakes: StakeColumns, land: Land | None = None) -> None:
    """Write the files into an empty folder.

    Parameters
    ----------
    records
        All records, or all but strikes.
    index, stakes
        Their assets and their stakes.
    land
        The land of the countries; without it points say nothing of where a strike happened.
    """
    files = TableFolderWriter(folder)
    for name in _TABLES:
        write_table(files, name, records)
    write_stakes(files, stakes)
    write_index(files, index)
    write_shapes(files, "index.shapes", to_numpy(index.geometry))
    write_shapes(files, "land.shapes", land.parts if land else np.empty(0, object))
    files.metadata("land", land.codes.tolist() if land else [])
    files.finish()
