"""What follows from a large store, kept in files that a server maps into memory rather than find it again.

These are the records in rows, the stakes, the index of assets, and the flat layers as they are served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely

from geo.coded import Coded
from geo.crs import Objects
from geo.lookup import Lookup
from geo.mvt import Places as DrawnAt
from geo.packed import Packed, texts
from layers.asset_index import AssetIndex, Names, Ragged, trees
from layers.basemap import Basemap
from layers.collection import BETWEEN, Collection, Places, as_objects
from layers.edited import Published
from layers.feature_table import FeatureTable
from layers.kept_arrays import Reading, Writing
from layers.rows import TABLES
from layers.schema import NOUNS, Records
from layers.snapshot import LAYERS, Snapshot, laid, of_strikes
from layers.stake_table import Looked, Nodes, StakeTable
from layers.stored import REFERRED, Referring, Rows, Stored
from layers.versions import MANY


def write(into: Writing, snapshot: Snapshot) -> None:
    """Keep a view whose records are those of the store, none of them private or judged to be one with another."""
    into.told("seq", snapshot.seq)
    into.told("data_date", snapshot.data_date.isoformat())
    for name in NOUNS:
        _write_table(into, name, snapshot.records)
    _write_stakes(into, snapshot.stakes)
    _write_index(into, snapshot.asset_index)
    for layer in snapshot.collections.values():
        _write_layer(into, layer)
    into.told("counts", [[*key, number] for key, number in snapshot.counts().items()])


def read(kept: Reading, basemap: Basemap, publish_from: float, show_from: float) -> Snapshot:
    """The view that was kept; of the same base map and threshold of publishing."""
    records = Records(**{name: _read_table(kept, name) for name in NOUNS})
    day = date.fromisoformat(kept.told("data_date"))
    made = KeptSnapshot(records, basemap, kept.told("seq"), day, publish_from, show_from)
    taken = vars(made)
    taken["kept"] = kept
    layers: dict[str, Collection] = {}
    for name in LAYERS:
        layers[name] = _read_layer(kept, name, layers.get("strikes"))
    taken["collections"] = MappingProxyType(layers)
    taken["order"] = layers["strikes"].ids
    taken["proposed"] = Published(layers["strikes"])
    made.keep(Counter({(country, what): number for country, what, number in kept.told("counts")}))
    return made


class KeptSnapshot(Snapshot):
    """A view of which stakes and the index of assets are read when they are first asked for."""

    kept: Reading

    @cached_property
    def stakes(self) -> StakeTable:
        """All stakes as columns."""
        return _read_stakes(self.kept, self.records)

    @cached_property
    def asset_index(self) -> AssetIndex:
        """The assets, ready to be matched."""
        return _read_index(self.kept, self.collections["assets"])


def _write_table(into: Writing, name: str, records: Records) -> None:
    table = records.table(name)
    if not isinstance(table, Stored):
        rows = Rows.of(TABLES[name], [[TABLES[name].row(one, TABLES[name].plain(one)) for one in table.values()]])
    else:
        rows = table.rows
    into.packed(f"records.{name}.ids", rows.ids.texts)
    into.array(f"records.{name}.order", rows.ids.order)
    into.packed(f"records.{name}.values", rows.values)
    if rows.places is not None:
        into.packed(f"records.{name}.places", rows.places)
    for column, referring in rows.referring.items():
        into.packed(f"records.{name}.{column}", Packed.of(map(str.encode, referring.words)))
        into.array(f"records.{name}.{column}.start", referring.start)
        into.array(f"records.{name}.{column}.rows", referring.rows)
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
    )
    return Stored(rows) if len(rows) > MANY else MappingProxyType({record.id: record for record in rows.all()})


_NODES = ("kind", "registered", "seat", "joint")
_STAKES = ("owned", "owner", "least", "most", "sure", "began", "ended")


def _write_stakes(into: Writing, table: StakeTable) -> None:
    nodes = table.nodes
    ids = Lookup(_packed(nodes.ids))
    into.packed("nodes.ids", ids.texts)
    into.array("nodes.order", ids.order)
    into.packed("nodes.names", _packed(nodes.names))
    into.told("nodes.countries", list(nodes.countries))
    for name in _NODES:
        into.array(f"nodes.{name}", getattr(nodes, name))
    for name in _STAKES:
        into.array(f"stake.{name}", getattr(table, name))
    into.packed("stake.ids", _packed(table.stakes.ids if isinstance(table.stakes, Looked) else ()))


def _read_stakes(kept: Reading, records: Records) -> StakeTable:
    ids = Lookup(kept.packed("nodes.ids"), kept.array("nodes.order"))
    about = {name: kept.array(f"nodes.{name}") for name in _NODES}
    names = texts(kept.packed("nodes.names"))
    nodes = Nodes(ids=texts(ids.texts), names=names, countries=kept.told("nodes.countries"), **about)
    vars(nodes)["index"] = ids
    stakes = Looked(texts(kept.packed("stake.ids")), records.stakes)
    columns = {name: kept.array(f"stake.{name}") for name in _STAKES}
    return StakeTable(nodes=nodes, stakes=stakes, **columns)


_INDEX = ("uncertainty_m", "site", "kind", "related", "rare", "number", "area_km2", "rim_km")
_RAGGED = ("words", "variants", "spelled", "owners")


def _write_index(into: Writing, index: AssetIndex) -> None:
    into.packed("index.ids", _packed(index.ids))
    for name in _INDEX:
        into.array(f"index.{name}", getattr(index, name))
    code = Lookup(_packed(list(index.names.code)))  # in the order of the codes, from 0
    into.packed("index.code", code.texts)
    into.array("index.code.order", code.order)
    into.array("index.rarity", index.names.rarity)
    for name in _RAGGED:
        ragged: Ragged = getattr(index.names, name)
        into.array(f"index.{name}.values", ragged.values)
        into.array(f"index.{name}.start", ragged.start)


def _read_index(kept: Reading, assets: Collection) -> AssetIndex:
    ragged = {name: Ragged(kept.array(f"index.{name}.values"), kept.array(f"index.{name}.start")) for name in _RAGGED}
    names = Names(
        code=Lookup(kept.packed("index.code"), kept.array("index.code.order")),
        rarity=kept.array("index.rarity"),
        **ragged,
    )
    places = np.asarray(assets.geometries, dtype=object)
    placed = ~shapely.is_missing(places)
    columns = {name: kept.array(f"index.{name}") for name in _INDEX}
    ids = texts(kept.packed("index.ids"))
    near = trees(assets.shapes[placed], columns["uncertainty_m"])
    return AssetIndex(ids=ids, geometry=places[placed], names=names, trees=near, **columns)


def _packed(words: Sequence[str]) -> Packed:
    return Packed.of(map(str.encode, words))


_PLACES = ("codes", "xy", "row", "line_row", "area_row")


def _write_layer(into: Writing, layer: Collection) -> None:
    name = layer.name
    for field, column in layer.features.columns.items():
        into.coded(f"layer.{name}.{field}", column)
    for field, column in layer.drawn.items():
        if column is not layer.features.columns[field]:
            into.coded(f"layer.{name}.{field}.drawn", column)
    into.told(f"layer.{name}.drawn", list(layer.drawn))
    into.packed(f"layer.{name}.fragments", layer.fragments, BETWEEN)
    into.told(f"layer.{name}.digest", layer.digest)
    _write_places(into, f"layer.{name}.drawn_at", layer.layer.places)
    if name == "attributions":  # each is where its strike is
        return
    _write_shapes(into, f"layer.{name}.shapes", layer.geometries)
    same = shapely.equals_identical(layer.geometries, layer.shapes) | shapely.is_missing(layer.shapes)
    into.told(f"layer.{name}.whole", bool(np.all(same)))


def _write_places(into: Writing, name: str, places: DrawnAt) -> None:
    for field in _PLACES:
        into.array(f"{name}.{field}", getattr(places, field))
    into.told(f"{name}.single", places.single)
    for field in ("lines", "areas"):
        _write_shapes(into, f"{name}.{field}", getattr(places, field))


def _read_places(kept: Reading, name: str) -> DrawnAt:
    arrays = {field: kept.array(f"{name}.{field}") for field in _PLACES}
    lines, areas = (_read_shapes(kept, f"{name}.{field}") for field in ("lines", "areas"))
    return DrawnAt(single=kept.told(f"{name}.single"), lines=lines, areas=areas, **arrays)


def _write_shapes(into: Writing, name: str, shapes: Places) -> None:
    """Keep geometries: points as degrees, which are read at once, all others as WKB."""
    rows = as_objects(shapes)
    points = (shapely.get_type_id(rows) == 0) & ~shapely.is_empty(rows)
    into.array(f"{name}.rows", np.flatnonzero(points))
    into.array(f"{name}.lonlat", shapely.get_coordinates(rows[points]))
    into.packed(name, Packed.of(shape or b"" for shape in shapely.to_wkb(rows[~points])))


def _read_shapes(kept: Reading, name: str) -> Objects:
    lonlat, at, packed = kept.array(f"{name}.lonlat"), kept.array(f"{name}.rows"), kept.packed(name)
    found = np.full(len(at) + len(packed), None, dtype=object)
    others = np.ones(len(found), dtype=bool)
    others[at] = False
    found[at] = shapely.points(lonlat)
    found[others] = shapely.from_wkb(np.array([shape or None for shape in packed], dtype=object))
    return found


def _read_layer(kept: Reading, name: str, strikes: Collection | None) -> Collection:
    columns = {field: kept.coded(f"layer.{name}.{field}") for field in LAYERS[name][2].model_fields}
    told: dict[str, Any] = {
        "fragments": kept.packed(f"layer.{name}.fragments", BETWEEN),
        "digest": kept.told(f"layer.{name}.digest"),
        "drawn_at": _read_places(kept, f"layer.{name}.drawn_at"),
        "drawn": {
            field: _drawn(kept, f"layer.{name}.{field}", columns[field]) for field in kept.told(f"layer.{name}.drawn")
        },
    }
    if name == "attributions":
        assert strikes is not None  # which come first
        of = strikes.ids, columns["strike"]
        places = of_strikes(strikes.geometries, *of)
        told["shapes"] = of_strikes(strikes.shapes, *of)
    else:
        places = _read_shapes(kept, f"layer.{name}.shapes")
        if kept.told(f"layer.{name}.whole"):
            told["shapes"] = places
    made = laid(name, FeatureTable.coded(LAYERS[name][2], columns), places)
    vars(made).update(told)
    return made


def _drawn(kept: Reading, name: str, column: Coded) -> Coded:
    """A column as tile values, which are kept apart where they are others."""
    return kept.coded(f"{name}.drawn") if kept.holds(f"{name}.drawn") else column
