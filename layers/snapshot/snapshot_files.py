"""A snapshot in files that a server maps into memory rather than compute it again.

The files hold the records in rows, the stakes, the index of assets, and the flat collections as they are served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from geo.columnar.binary_array import text_array
from geo.columnar.chunked_array import Array, apply_edit
from geo.columnar.key_index import KeyIndex
from geo.columnar.row_edit import RowEdit
from layers.collections.update_times import TimesById, UpdateTimes
from layers.matching.asset_index import AssetIndex, trees
from layers.matching.name_index import NameIndex, RaggedArray
from layers.model.cache import Lazy
from layers.model.messages import Wording
from layers.model.records import RECORD_TYPES, Records
from layers.ownership.stake_graph import GraphNodes, LazyStakes, StakeColumns
from layers.reference.basemap import Basemap
from layers.snapshot.array_files import ArrayFolderReader, ArrayFolderWriter, as_packed
from layers.snapshot.collection_files import LazyGeometries, read_layers, write_layer
from layers.snapshot.incremental import ProbableAssets
from layers.snapshot.snapshot import Snapshot, Stages, registers_of
from layers.store.reader import MANY
from layers.store.record_table import REFERRED, ForeignKeyIndex, PackedRecords, RecordTable
from layers.store.row_mapping import TABLES


def write(files: ArrayFolderWriter, snapshot: Snapshot) -> None:
    """Write a snapshot whose records are those of the store: none of them private, merged or counted once."""
    files.metadata("seq", snapshot.seq)
    files.metadata("data_date", snapshot.data_date.isoformat())
    for name in RECORD_TYPES:
        write_table(files, name, snapshot.records)
    write_stakes(files, snapshot.stakes)
    write_index(files, snapshot.asset_index)
    _write_times(files, snapshot)
    for layer in snapshot.layers.values():
        write_layer(files, layer)
    files.metadata("counts", [[*key, number] for key, number in snapshot.counts().items()])


def read(
    files: ArrayFolderReader, basemap: Basemap, publish_from: float, show_from: float, wording: Wording
) -> Snapshot:
    """Read a snapshot that was written of the same base map and threshold of publishing.

    Collections are mapped; the stakes and the index of assets are read when they are needed.
    """
    records = Records(**{name: read_table(files, name) for name in RECORD_TYPES})
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
    return Snapshot(records, basemap, seq, day, publish_from, show_from, stages, wording=wording, times=times)


def canonical_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as they are equal for equal snapshots: without names of tables, counts of 0 and what was found empty."""
    values = {name: value for name, value in metadata.items() if not name.endswith(".token")}
    values["counts"] = sorted(str(count) for count in metadata.get("counts", ()) if count[-1])
    found = (name for name in metadata if name.startswith("records.") and name.endswith(".found"))
    return values | {name: {key: value for key, value in metadata[name].items() if value} for name in found}


def rows_written_otherwise(files: ArrayFolderReader, snapshot: Snapshot, differing: Iterable[str]) -> set[str]:
    """Names among files that differ which hold the same records in other bytes, as other programs write them."""
    written, others = set[str](), set(differing)
    for name in RECORD_TYPES:
        parts = others.intersection(f"records.{name}.{part}" for part in _ROW_FILES)
        are_same_ids = others.isdisjoint(f"records.{name}.{part}" for part in _ID_FILES)
        if parts and are_same_ids and _have_same_values(_packed_from(files, name), _packed(name, snapshot.records)):
            written |= parts
    return written


_ROW_FILES = ("values.bytes", "values.ends.npy", "places.bytes", "places.ends.npy")
_ID_FILES = ("ids.bytes", "ids.ends.npy", "order.npy")


def _have_same_values(stored: PackedRecords, computed: PackedRecords) -> bool:
    if len(stored) != len(computed):
        return False
    try:
        pairs = ((stored.row(number), computed.row(number)) for number in range(len(stored)))
        table = computed.table
        return all(one == other or table.plain_row(one) == table.plain_row(other) for one, other in pairs)
    except (ValueError, TypeError, IndexError):
        return False  # bytes that are no row


def _packed(name: str, records: Records) -> PackedRecords:
    table, plainly = records.table(name), TABLES[name]
    if isinstance(table, RecordTable):
        return table.packed()
    return PackedRecords.of(plainly, [[plainly.row(one, plainly.to_dict(one)) for one in table.values()]])


def write_table(files: ArrayFolderWriter, name: str, records: Records) -> None:
    """Write the records of one table as packed rows."""
    rows = _packed(name, records)
    files.packed(f"records.{name}.ids", rows.ids.texts)
    files.array(f"records.{name}.order", rows.ids.order)
    files.packed(f"records.{name}.values", rows.values)
    if rows.places is not None:
        files.packed(f"records.{name}.places", rows.places)
    for column, referring in rows.referring.items():
        files.packed(f"records.{name}.{column}", as_packed(referring.words))
        files.array(f"records.{name}.{column}.start", referring.start)
        files.array(f"records.{name}.{column}.rows", referring.rows)
    files.metadata(f"records.{name}.token", rows.token)
    files.metadata(f"records.{name}.found", rows.found)


def read_table(files: ArrayFolderReader, name: str) -> Mapping[str, Any]:
    """Read a table that was written by `write_table`; of a large one each record is decoded when it is read."""
    rows = _packed_from(files, name)
    return RecordTable(rows) if len(rows) > MANY else MappingProxyType({record.id: record for record in rows.all()})


def _packed_from(files: ArrayFolderReader, name: str) -> PackedRecords:
    table = TABLES[name]
    referring = {
        column: ForeignKeyIndex(
            text_array(files.packed(f"records.{name}.{column}")),
            files.array(f"records.{name}.{column}.start"),
            files.array(f"records.{name}.{column}.rows"),
        )
        for column in REFERRED.get(name, ())
    }
    return PackedRecords(
        table,
        KeyIndex(files.packed(f"records.{name}.ids"), files.array(f"records.{name}.order")),
        files.packed(f"records.{name}.values"),
        files.packed(f"records.{name}.places") if table.geometry_type else None,
        MappingProxyType(referring),
        files.metadata(f"records.{name}.found"),
        files.metadata(f"records.{name}.token"),
    )


_NODES = ("kind", "registered", "seat", "joint")
_STAKES = ("owned", "owner", "low", "high", "sure", "began", "ended")


def write_stakes(files: ArrayFolderWriter, table: StakeColumns) -> None:
    """Write the stakes with their nodes."""
    nodes = table.nodes
    ids = _lookup(nodes.index)
    files.packed("nodes.ids", ids.texts)
    files.array("nodes.order", ids.order)
    files.packed("nodes.names", as_packed(nodes.names))
    files.metadata("nodes.countries", list(nodes.countries))
    for name in _NODES:
        files.array(f"nodes.{name}", getattr(nodes, name))
    for name in _STAKES:
        files.array(f"stake.{name}", getattr(table, name))
    files.packed("stake.ids", as_packed(table.stakes.ids if isinstance(table.stakes, LazyStakes) else ()))


def read_stakes(files: ArrayFolderReader, records: Records) -> StakeColumns:
    """Read stakes that were written by `write_stakes`; each record of ``records`` is looked up when it is read."""
    ids = KeyIndex(files.packed("nodes.ids"), files.array("nodes.order"))
    about = {name: files.array(f"nodes.{name}") for name in _NODES}
    names = text_array(files.packed("nodes.names"))
    nodes = GraphNodes(
        ids=text_array(ids.texts), names=names, countries=files.metadata("nodes.countries"), known_index=ids, **about
    )
    stakes = LazyStakes(text_array(files.packed("stake.ids")), records.stakes)
    columns = {name: files.array(f"stake.{name}") for name in _STAKES}
    return StakeColumns(nodes=nodes, stakes=stakes, **columns)


_INDEX = (
    *(
        "uncertainty_m",
        "site",
        "stands",
        "kind",
        "related",
        "kin",
        "rare",
        "number",
        "types",
        "country",
        "first_day",
        "last_day",
    ),
    *("area_km2", "rim_km", "counted_kind", "counted_country", "counted", "twin_probability", "bounds"),
)
_RAGGED = ("words", "variants", "spelled", "owners", "with_word")


def write_index(files: ArrayFolderWriter, index: AssetIndex) -> None:
    """Write the columns of the assets, but for their geometries and trees."""
    files.packed("index.ids", as_packed(index.ids))
    for name in _INDEX:
        files.array(f"index.{name}", getattr(index, name))
    code = _lookup(index.names.code)
    files.packed("index.code", code.texts)
    files.array("index.code.order", code.order)
    files.array("index.rarity", index.names.rarity)
    files.array("index.owned", index.names.owned)
    for name, ragged in [("twins", index.twins), *((name, getattr(index.names, name)) for name in _RAGGED)]:
        files.array(f"index.{name}.values", ragged.values)
        files.array(f"index.{name}.start", ragged.start)


def read_index(files: ArrayFolderReader, geometry: Array) -> AssetIndex:
    """Read the columns of the assets that have a geometry, which is given; the index has no trees.

    Parameters
    ----------
    geometry
        Shapely geometries of its rows in lon/lat degrees (OGC:CRS84), shape (n,).
    """
    ragged = {
        name: RaggedArray(files.array(f"index.{name}.values"), files.array(f"index.{name}.start"))
        for name in (*_RAGGED, "twins")
    }
    twins = ragged.pop("twins")
    names = NameIndex(
        code=KeyIndex(files.packed("index.code"), files.array("index.code.order")),
        rarity=files.array("index.rarity"),
        owned=files.array("index.owned"),
        **ragged,
    )
    columns = {name: files.array(f"index.{name}") for name in _INDEX}
    ids = text_array(files.packed("index.ids"))
    return AssetIndex(ids=ids, geometry=geometry, twins=twins, names=names, trees=(), **columns)


def _read_placed(files: ArrayFolderReader, places: LazyGeometries) -> AssetIndex:
    """Read the index with the shapes of the layer, not shapes of its own: all of them are in memory once at most."""
    placeless = RowEdit.replace(len(places), np.flatnonzero(~places.present), np.empty(0, np.int64))
    index = read_index(files, apply_edit(places, np.empty(0, object), placeless))
    points = places.points_only[places.present]
    return replace(index, trees=trees(index.bounds, points, index.uncertainty_m, index.stands))


def _write_times(files: ArrayFolderWriter, snapshot: Snapshot) -> None:
    times = snapshot.times.value
    files.metadata("times.basis", times.basis)
    files.coded("times.strikes", times.strikes.column(_packed("strikes", snapshot.records).ids))
    files.coded("times.nodes", times.nodes.column(snapshot.stakes.nodes.ids))


def _read_times(files: ArrayFolderReader) -> UpdateTimes:
    strikes, nodes = (
        TimesById(KeyIndex(files.packed(f"{ids}.ids"), files.array(f"{ids}.order")), files.coded(f"times.{name}"))
        for ids, name in (("records.strikes", "strikes"), ("nodes", "nodes"))
    )
    return UpdateTimes(strikes, nodes, files.metadata("times.basis"), None)


def _lookup(numbers: Mapping[str, int]) -> KeyIndex:
    """The number of each text; they are in the order of their numbers, from 0."""
    return numbers if isinstance(numbers, KeyIndex) else KeyIndex(as_packed(list(numbers)))
