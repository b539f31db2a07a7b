"""The part of a snapshot that strikes concern: without the sites of the open layer that none hit or may have hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import AssetFeature
from layers.model.records import RECORD_TYPES, Records
from layers.snapshot.flat_collections import make_collection
from layers.snapshot.snapshot import Snapshot
from layers.store.open_layer import OPEN, references_of

#: What is said of a site or an owner, by table and column, and follows it.
_ABOUT = (("stakes", "owned"), ("relations", "asset"), ("controls", "controlled"))


def concerned_part(snapshot: Snapshot) -> Snapshot:
    """A snapshot of fewer records: those that are edited here, and what they and strikes refer to in an open layer.

    A strike refers to the sites that it hit or may have hit, and to the candidates that are shown. Matches, counts and
    all answers are those of the whole; only the collection of assets and the records are fewer. Without an open layer
    it is the snapshot itself.
    """
    records, layers = snapshot.records, dict(snapshot.layers)
    own = {
        (name, key)
        for name in RECORD_TYPES
        for key, one in records.table(name).items()
        if not one.dataset.startswith(OPEN)
    }
    if len(own) == sum(len(records.table(name)) for name in RECORD_TYPES):
        return snapshot
    concerned = _with_references(records, own | {("assets", key) for key in _shown(snapshot)})
    tables = {
        name: MappingProxyType({key: one for key, one in records.table(name).items() if (name, key) in concerned})
        for name in RECORD_TYPES
    }
    assets, names = layers["assets"], [*AssetFeature.model_fields]
    rows = np.flatnonzero([key in tables["assets"] for key in assets.ids])
    values = (row for row in assets.features.rows(names) if row[0] in tables["assets"])
    features = FeatureTable(AssetFeature, values, differing=("id", "name"))
    layers["assets"] = make_collection("assets", features, assets.geometries_at(rows))
    stages = replace(snapshot.stages, layers=MappingProxyType(layers), counts=snapshot.counts())
    return snapshot.with_stages(stages, Records.of(tables))


def _shown(snapshot: Snapshot) -> Iterator[str]:
    for struck in snapshot.layers["strikes"].features.columns["assets"]:
        yield from struck
    for _, candidates in snapshot.each_matches():
        yield from (one.asset for one in candidates if one.asset and one.probability >= snapshot.show_from)


def _with_references(records: Records, named: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Tables and ids of records with all that they refer to, and with what is said of the sites and owners among it."""
    found, rest = set(named), [*named]
    while rest:
        name, key = rest.pop()
        record = records.table(name).get(key)
        new = [] if record is None else [*references_of(name, record), *_said_of(records, name, key)]
        new = [one for one in new if one not in found]
        found.update(new)
        rest += new
    return found


def _said_of(records: Records, name: str, key: str) -> Iterator[tuple[str, str]]:
    if name in ("assets", "entities"):
        for table, column in _ABOUT:
            if name == "assets" or table != "relations":
                yield from ((table, one.id) for one in records.where(table, column, key))
