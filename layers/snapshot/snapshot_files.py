"""What follows from a large store, kept in files that a server maps into memory rather than find it again.

These are the records in rows, the stakes, the index of assets, and the flat layers as they are served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from geo.columnar.binary_array import texts
from geo.columnar.chunked_array import spliced
from geo.columnar.key_index import Lookup
from geo.columnar.row_edit import Splice
from layers.matching.asset_index import AssetIndex, Names, Ragged, trees
from layers.model.records import NOUNS, Records
from layers.ownership.stake_graph import Looked, Nodes, StakeTable
from layers.reference.basemap import Basemap
from layers.snapshot.array_files import Reading, Writing, as_packed
from layers.snapshot.collection_files import KeptCollection, Shapes, read_layer, write_layer
from layers.snapshot.incremental import Published
from layers.snapshot.snapshot import LAYERS, Snapshot
from layers.store.reader import MANY
from layers.store.record_table import REFERRED, Referring, Rows, Stored
from layers.store.row_mapping import TABLES


def write(into: Writing, snapshot: Snapshot) -> None:
    """Keep a view whose records are those of the store, none of them private or judged to be one with another."""
    into.told("seq", snapshot.seq)
    into.told("data_date", snapshot.data_date.isoformat())
    for name in NOUNS:
        _write_table(into, name, snapshot.records)
    _write_stakes(into, snapshot.stakes)
    _write_index(into, snapshot.asset_index)
    for layer in snapshot.collections.values():
        write_layer(into, layer)
    into.told("counts", [[*key, number] for key, number in snapshot.counts().items()])


def read(kept: Reading, basemap: Basemap, publish_from: float, show_from: float) -> Snapshot:
    """The view that was kept; of the same base map and threshold of publishing."""
    records = Records(**{name: _read_table(kept, name) for name in NOUNS})
    day = date.fromisoformat(kept.told("data_date"))
    made = KeptSnapshot(records, basemap, kept.told("seq"), day, publish_from, show_from)
    taken = vars(made)
    taken["lies_on"] = kept
    layers: dict[str, KeptCollection] = {}
    for name in LAYERS:
        layers[name] = read_layer(kept, name, layers.get("strikes"))
    taken["collections"] = MappingProxyType(layers)
    taken["order"] = layers["strikes"].ids
    taken["proposed"] = Published(layers["strikes"])
    made.keep(Counter({(country, what): number for country, what, number in kept.told("counts")}))
    return made


class KeptSnapshot(Snapshot):
    """A view of which stakes and the index of assets are read when they are first asked for."""

    lies_on: Reading

    @cached_property
    def stakes(self) -> StakeTable:
        """All stakes as columns."""
        return _read_stakes(self.lies_on, self.records)

    @cached_property
    def asset_index(self) -> AssetIndex:
        """The assets, ready to be matched."""
        assets = self.collections["assets"]
        assert isinstance(assets, KeptCollection)  # a view that was read has layers that were
        return _read_index(self.lies_on, assets.geometries)


def _write_table(into: Writing, name: str, records: Records) -> None:
    table, plainly = records.table(name), TABLES[name]
    if isinstance(table, Stored):
        rows = table.packed()
    else:
        rows = Rows.of(plainly, [[plainly.row(one, plainly.plain(one)) for one in table.values()]])
    into.packed(f"records.{name}.ids", rows.ids.texts)
    into.array(f"records.{name}.order", rows.ids.order)
    into.packed(f"records.{name}.values", rows.values)
    if rows.places is not None:
        into.packed(f"records.{name}.places", rows.places)
    for column, referring in rows.referring.items():
        into.packed(f"records.{name}.{column}", as_packed(referring.words))
        into.array(f"records.{name}.{column}.start", referring.start)
        into.array(f"records.{name}.{column}.rows", referring.rows)
    into.told(f"records.{name}.token", rows.token)
    into.told(f"records.{name}.found", rows.found)


def _read_table(kept: Reading, name: str) -> Mapping[str, Any]:
    table = TABLES[name]
    referring = {
        column: Referring(
            texts(kept.packed(f"records.{name}.{column}")),
            kept.array(f"records.{name}.{column}.start"),
            kept.array(f"records.{name}.{column}.rows"),
        )
        for column in REFERRED.get(name, ())
    }
    rows = Rows(
        table,
        Lookup(kept.packed(f"records.{name}.ids"), kept.array(f"records.{name}.order")),
        kept.packed(f"records.{name}.values"),
        kept.packed(f"records.{name}.places") if table.geometry_type else None,
        MappingProxyType(referring),
        kept.told(f"records.{name}.found"),
        kept.told(f"records.{name}.token"),
    )
    return Stored(rows) if len(rows) > MANY else MappingProxyType({record.id: record for record in rows.all()})


_NODES = ("kind", "registered", "seat", "joint")
_STAKES = ("owned", "owner", "least", "most", "sure", "began", "ended")


def _write_stakes(into: Writing, table: StakeTable) -> None:
    nodes = table.nodes
    ids = _lookup(nodes.index)
    into.packed("nodes.ids", ids.texts)
    into.array("nodes.order", ids.order)
    into.packed("nodes.names", as_packed(nodes.names))
    into.told("nodes.countries", list(nodes.countries))
    for name in _NODES:
        into.array(f"nodes.{name}", getattr(nodes, name))
    for name in _STAKES:
        into.array(f"stake.{name}", getattr(table, name))
    into.packed("stake.ids", as_packed(table.stakes.ids if isinstance(table.stakes, Looked) else ()))


def _read_stakes(kept: Reading, records: Records) -> StakeTable:
    ids = Lookup(kept.packed("nodes.ids"), kept.array("nodes.order"))
    about = {name: kept.array(f"nodes.{name}") for name in _NODES}
    names = texts(kept.packed("nodes.names"))
    nodes = Nodes(ids=texts(ids.texts), names=names, countries=kept.told("nodes.countries"), **about)
    vars(nodes)["index"] = ids
    stakes = Looked(texts(kept.packed("stake.ids")), records.stakes)
    columns = {name: kept.array(f"stake.{name}") for name in _STAKES}
    return StakeTable(nodes=nodes, stakes=stakes, **columns)


_INDEX = ("uncertainty_m", "site", "kind", "related", "rare", "number", "area_km2", "rim_km", "bounds")
_RAGGED = ("words", "variants", "spelled", "owners")


def _write_index(into: Writing, index: AssetIndex) -> None:
    into.packed("index.ids", as_packed(index.ids))
    for name in _INDEX:
        into.array(f"index.{name}", getattr(index, name))
    code = _lookup(index.names.code)
    into.packed("index.code", code.texts)
    into.array("index.code.order", code.order)
    into.array("index.rarity", index.names.rarity)
    for name in _RAGGED:
        ragged: Ragged = getattr(index.names, name)
        into.array(f"index.{name}.values", ragged.values)
        into.array(f"index.{name}.start", ragged.start)


def _read_index(kept: Reading, places: Shapes) -> AssetIndex:
    ragged = {name: Ragged(kept.array(f"index.{name}.values"), kept.array(f"index.{name}.start")) for name in _RAGGED}
    names = Names(
        code=Lookup(kept.packed("index.code"), kept.array("index.code.order")),
        rarity=kept.array("index.rarity"),
        **ragged,
    )
    columns = {name: kept.array(f"index.{name}") for name in _INDEX}
    # The shapes of the layer, not shapes of its own: all of them are in memory once at most.
    placeless = Splice.exchanging(len(places), np.flatnonzero(~places.there), np.empty(0, np.int64))
    geometry = spliced(places, np.empty(0, object), placeless)
    near = trees(columns["bounds"], places.alone[places.there], columns["uncertainty_m"])
    ids = texts(kept.packed("index.ids"))
    return AssetIndex(ids=ids, geometry=geometry, names=names, trees=near, **columns)


def _lookup(numbers: Mapping[str, int]) -> Lookup:
    """The number of each text; they are in the order of their numbers, from 0."""
    return numbers if isinstance(numbers, Lookup) else Lookup(as_packed(list(numbers)))
