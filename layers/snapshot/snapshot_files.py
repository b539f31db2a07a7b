"""A snapshot in files that a server maps into memory rather than compute it again.

The files hold the records in rows, the stakes, the index of assets, and the flat collections as they are served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from geo.columnar.binary_array import BinaryArray, DecodedArray, text_array
from geo.columnar.key_index import KeyIndex
from geo.columnar.lazy_array import Array
from layers.collections.update_times import UPDATED, TimesById, UpdateTimes
from layers.matching.asset_index import AssetIndex, trees
from layers.matching.name_index import NameIndex, RaggedArray
from layers.model.cache import Lazy
from layers.model.garbage import trim_memory
from layers.model.messages import Wording
from layers.model.records import RECORD_TYPES, Records
from layers.ownership.stake_graph import GraphNodes, LazyStakes, StakeColumns
from layers.reference.basemap import Basemap
from layers.resolution.resolve import apply_judgements
from layers.snapshot.collection_files import LazyGeometries, read_layers, write_layers
from layers.snapshot.snapshot import ProbableAssets, Snapshot, Stages, registers_of
from layers.snapshot.table_folder import TableFolderComparison, TableFolderReader, TableFolderWriter
from layers.store.reader import MANY
from layers.store.record_table import REFERRED, ForeignKeyIndex, PackedRecords, RecordTable, packed
from layers.store.row_mapping import TABLES

#: Types of arrays by name.
Dtypes: TypeAlias = Mapping[str, type[np.generic]]


def write(files: TableFolderWriter, snapshot: Snapshot, stored: Records) -> None:
    """Write a snapshot of stored records, of which none is private or withheld."""
    files.metadata("seq", snapshot.seq)
    files.metadata("data_date", snapshot.data_date.isoformat())
    for name in RECORD_TYPES:
        write_table(files, name, stored)
    write_stakes(files, snapshot.stakes)
    write_index(files, snapshot.asset_index)
    _write_times(files, snapshot, stored)
    trim_memory()  # what these were found with
    write_layers(files, snapshot.each_layer())
    counts = sorted(snapshot.counts().items())  # which were found with the layers
    files.metadata("counts", [[*key, number] for key, number in counts])


def read(
    files: TableFolderReader, basemap: Basemap, publish_from: float, show_from: float, wording: Wording
) -> tuple[Snapshot, Records]:
    """Read a snapshot that was written of the same base map and threshold of publishing, and the stored records.

    Collections are mapped; the stakes and the index of assets are read when they are needed.
    """
    stored = Records(**{name: read_table(files, name) for name in RECORD_TYPES})
    records = apply_judgements(stored)
    layers, asset_geometries = read_layers(files)
    proposed: Mapping[str, str] = ProbableAssets(layers["strikes"])
    stakes = Lazy(partial(read_stakes, files, records))
    stages = Stages(
        stakes,
        registers_of(stakes),
        Lazy(partial(_read_placed, files, asset_geometries)),
        backing_files=files,
        order=layers["strikes"].ids,
        proposed=Lazy.of(proposed),
        counts=Counter({(country, what): number for country, what, number in files.metadata("counts")}),
        layers=MappingProxyType(layers),
    )
    day = date.fromisoformat(files.metadata("data_date"))
    seq, times = files.metadata("seq"), Lazy(partial(_read_times, files))
    snapshot = Snapshot(records, basemap, seq, day, publish_from, show_from, stages, wording=wording, times=times)
    return snapshot, stored


def canonical_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as they are equal for equal snapshots: without names of tables, counts of 0 and what was found empty."""
    values = {name: value for name, value in metadata.items() if not name.endswith(".token")}
    values["counts"] = sorted(str(count) for count in metadata.get("counts", ()) if count[-1])
    found = (name for name in metadata if name.startswith("records.") and name.endswith(".found"))
    return values | {name: {key: value for key, value in metadata[name].items() if value} for name in found}


def rows_written_otherwise(files: TableFolderReader, stored: Records, differing: Container[str]) -> set[str]:
    """Names among files that differ which hold the same records in other bytes, as other programs write them."""
    return {
        file
        for name in RECORD_TYPES
        if (file := f"{_records(name)}.arrow") in differing and _is_written_otherwise(files, name, stored)
    }


def _is_written_otherwise(files: TableFolderReader, name: str, records: Records) -> bool:
    """Whether a table differs by the bytes of its rows alone, and these mean the same."""
    computed = packed(TABLES[name], records.table(name))
    try:
        stored = _packed_from(files, name)
        if not _have_same_values(stored, computed):
            return False
        comparison = TableFolderComparison(files, dict)
        _write_rows(comparison, name, replace(computed, values=stored.values, places=stored.places))
    except (ValueError, TypeError, LookupError):
        return False  # bytes that are no row
    return not comparison.differing


def _have_same_values(stored: PackedRecords, computed: PackedRecords) -> bool:
    if len(stored) != len(computed):
        return False
    pairs = ((stored.row(number), computed.row(number)) for number in range(len(stored)))
    table = computed.table
    return all(one == other or table.plain_row(one) == table.plain_row(other) for one, other in pairs)


def _records(name: str) -> str:
    return f"records.{name}"


def write_table(files: TableFolderWriter, name: str, records: Records) -> None:
    """Write the records of one table as packed rows."""
    rows = packed(TABLES[name], records.table(name))
    _write_rows(files, name, rows)
    for column, referring in rows.referring.items():
        table = files.builder()
        table.add_list("words", _as_binary(referring.words))
        table.add_list("start", referring.start, np.int64)
        table.add_list("rows", referring.rows, np.int64)
        files.table(f"{_records(name)}.{column}", table.batch())
    files.metadata(f"records.{name}.token", rows.token)
    files.metadata(f"records.{name}.found", rows.found)


def _write_rows(files: TableFolderWriter, name: str, rows: PackedRecords) -> None:
    table = files.builder()
    table.add_binary("id", rows.ids.texts)
    table.add_values("order", rows.ids.order, np.int64)
    table.add_binary("values", rows.values)
    if rows.places is not None:
        table.add_binary("place", rows.places)
    files.table(_records(name), table.batch())


def read_table(files: TableFolderReader, name: str) -> Mapping[str, Any]:
    """Read a table that was written by `write_table`; of a large one each record is decoded when it is read."""
    rows = _packed_from(files, name)
    return RecordTable(rows) if len(rows) > MANY else MappingProxyType({record.id: record for record in rows.all()})


def _packed_from(files: TableFolderReader, name: str) -> PackedRecords:
    table, rows = TABLES[name], files.table(_records(name))
    return PackedRecords(
        table,
        KeyIndex(rows.binary("id"), rows.values("order")),
        rows.binary("values"),
        rows.binary("place") if table.geometry_type else None,
        MappingProxyType({column: _referring(files, name, column) for column in REFERRED.get(name, ())}),
        files.metadata(f"records.{name}.found"),
        files.metadata(f"records.{name}.token"),
    )


def _referring(files: TableFolderReader, name: str, column: str) -> ForeignKeyIndex:
    table = files.table(f"{_records(name)}.{column}")
    return ForeignKeyIndex(table.texts("words"), table.values("start"), table.values("rows"))


_NODES: Dtypes = {"kind": np.int8, "registered": np.int16, "seat": np.int16, "joint": np.bool_}
_STAKES: Dtypes = {
    "owned": np.int64, "owner": np.int64, "low": np.float64, "high": np.float64, "sure": np.bool_,
    "began": np.int64, "ended": np.int64,
}  # fmt: skip


def write_stakes(files: TableFolderWriter, table: StakeColumns) -> None:
    """Write the stakes with their nodes."""
    ids = _lookup(table.nodes.index)
    nodes, stakes, records = files.builder(), files.builder(), files.builder()
    nodes.add_binary("id", ids.texts)
    nodes.add_values("order", ids.order, np.int64)
    nodes.add_binary("name", _as_binary(table.nodes.names))
    for name, dtype in _NODES.items():
        nodes.add_values(name, getattr(table.nodes, name), dtype)
    for name, dtype in _STAKES.items():
        stakes.add_values(name, getattr(table, name), dtype)
    records.add_binary("id", _as_binary(table.stakes.ids if isinstance(table.stakes, LazyStakes) else ()))
    files.table("nodes", nodes.batch())
    files.table("stakes", stakes.batch())
    files.table("stakes.ids", records.batch())
    files.metadata("nodes.countries", list(table.nodes.countries))


def read_stakes(files: TableFolderReader, records: Records) -> StakeColumns:
    """Read stakes that were written by `write_stakes`; each record of ``records`` is looked up when it is read."""
    nodes, stakes = files.table("nodes"), files.table("stakes")
    return StakeColumns(
        nodes=GraphNodes(
            ids=nodes.texts("id"),
            names=nodes.texts("name"),
            countries=files.metadata("nodes.countries"),
            known_index=KeyIndex(nodes.binary("id"), nodes.values("order")),
            **{name: nodes.values(name) for name in _NODES},
        ),
        stakes=LazyStakes(files.table("stakes.ids").texts("id"), records.stakes),
        **{name: stakes.values(name) for name in _STAKES},
    )


#: Columns of an index by asset; then those of other lengths, of all assets and of their names.
_BY_ASSET: Dtypes = {
    "uncertainty_m": np.float64, "site": np.bool_, "stands": np.bool_, "kind": np.uint64, "related": np.uint64,
    "kin": np.uint64, "rare": np.bool_, "number": np.uint64, "types": np.uint64, "country": np.int32,
    "first_day": np.int64, "last_day": np.int64, "area_km2": np.float64, "rim_km": np.float64, "bounds": np.float64,
}  # fmt: skip
_COUNTED: Dtypes = {
    "counted_kind": np.uint64, "counted_country": np.int32, "counted": np.int64, "twin_probability": np.float64,
}  # fmt: skip
_BY_STEM: Dtypes = {"rarity": np.float64, "owned": np.int64}
_RAGGED = ("words", "variants", "spelled", "owners", "with_word")


def write_index(files: TableFolderWriter, index: AssetIndex) -> None:
    """Write the columns of the assets, but for their geometries and trees."""
    assets, names = files.builder(), files.builder()
    assets.add_binary("id", _as_binary(index.ids))
    for name, dtype in _BY_ASSET.items():
        assets.add_values(name, getattr(index, name), dtype)
    code = _lookup(index.names.code)
    names.add_list("code", code.texts)
    names.add_list("code.order", code.order, np.int64)
    for name, dtype in _BY_STEM.items():
        names.add_list(name, getattr(index.names, name), dtype)
    for name, dtype in _COUNTED.items():
        names.add_list(name, getattr(index, name), dtype)
    for name, ragged in [("twins", index.twins), *((name, getattr(index.names, name)) for name in _RAGGED)]:
        names.add_list(f"{name}.values", ragged.values, np.int64)
        names.add_list(f"{name}.start", ragged.start, np.int64)
    files.table("index", assets.batch())
    files.table("index.names", names.batch())


def read_index(files: TableFolderReader, geometry: Array) -> AssetIndex:
    """Read the columns of the assets that have a geometry, which is given; the index has no trees.

    Parameters
    ----------
    geometry
        Shapely geometries of its rows in lon/lat degrees (OGC:CRS84), shape (n,).
    """
    assets, names = files.table("index"), files.table("index.names")
    ragged = {
        name: RaggedArray(names.values(f"{name}.values"), names.values(f"{name}.start")) for name in (*_RAGGED, "twins")
    }
    return AssetIndex(
        ids=assets.texts("id"),
        geometry=geometry,
        twins=ragged.pop("twins"),
        names=NameIndex(
            code=KeyIndex(names.binary("code"), names.values("code.order")),
            rarity=names.values("rarity"),
            owned=names.values("owned"),
            **ragged,
        ),
        trees=(),
        **{name: assets.values(name) for name in _BY_ASSET},
        **{name: names.values(name) for name in _COUNTED},
    )


def _read_placed(files: TableFolderReader, places: LazyGeometries) -> AssetIndex:
    """Read the index with the shapes of the layer, not shapes of its own: all of them are in memory once at most."""
    index = read_index(files, places if places.present.all() else places[np.flatnonzero(places.present)])
    points = places.points_only[places.present]
    return replace(index, trees=trees(index.bounds, points, index.uncertainty_m, index.stands))


def _write_times(files: TableFolderWriter, snapshot: Snapshot, stored: Records) -> None:
    times = snapshot.times.value
    files.metadata("times.basis", times.basis)
    strikes, nodes = packed(TABLES["strikes"], stored.strikes).ids, snapshot.stakes.nodes.ids
    for name, column in (("strikes", times.strikes.column(strikes)), ("nodes", times.nodes.column(nodes))):
        codes, words = files.builder(), files.builder()
        codes.add_coded(UPDATED, column, "timestamp", words)
        files.table(f"times.{name}", codes.batch())
        files.table(f"times.{name}.words", words.batch())


def _read_times(files: TableFolderReader) -> UpdateTimes:
    ids = {"strikes": files.table(_records("strikes")), "nodes": files.table("nodes")}
    strikes, nodes = (
        TimesById(
            KeyIndex(table.binary("id"), table.values("order")),
            files.table(f"times.{name}").coded(UPDATED, files.table(f"times.{name}.words")),
        )
        for name, table in ids.items()
    )
    return UpdateTimes(strikes, nodes, files.metadata("times.basis"), None)


def _lookup(numbers: Mapping[str, int]) -> KeyIndex:
    """The number of each text; they are in the order of their numbers, from 0."""
    return numbers if isinstance(numbers, KeyIndex) else KeyIndex(_as_binary(list(numbers)))


def _as_binary(texts: Sequence[str]) -> BinaryArray:
    """Texts as bytes; those that are packed already are taken as they are."""
    return texts.binary if isinstance(texts, DecodedArray) else text_array(texts).binary
