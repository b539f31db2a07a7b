"""Which strikes and assets changed since a time, by what is public of the history and by what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from geo.columnar.dictionary_array import DictionaryArray
from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.query.filter import Filter
from layers.snapshot.snapshot import BY_STRIKE, Snapshot
from layers.store.history_pages import RecordKey

#: Columns in which a change names what lies below it, and by which it is about a strike.
_BELOW = ("asset", "owned", "controlled", "one", "other", "record")
_STRIKE = ("strike", "record", "one", "other")
#: Tables whose records are shown in no feature themselves.
_SILENT = ("sources",)


@dataclass(frozen=True, slots=True)
class ChangedFeatures:
    """Ids of the strikes and of the assets that changed, or whose answers rest on a record that did."""

    strikes: frozenset[str]
    assets: frozenset[str]


def changed_features(snapshot: Snapshot, changes: Iterable[tuple[RecordKey, Mapping[str, Any]]]) -> ChangedFeatures:
    """Find the features that changes of records concern; rather one too many than one too few.

    Stakes of all times count, so that the owners of a strike of years ago follow a stake of that time.

    Parameters
    ----------
    changes
        The key of each record that changed, with its values before or after the change.
    """
    strikes, nodes = set[str](), set[str]()
    for (table, record), values in changes:
        if table in _SILENT:
            continue
        named = [record, *(value for column in {*_BELOW, *_STRIKE} if isinstance(value := values.get(column), str))]
        strikes.update(name for name in named if name in snapshot.records.strikes)
        # What an entity is tied to by a relation does not lie below it.
        nodes.update(name for name in named if table != "claims" or name == record or name in snapshot.records.assets)
    assets = set(_assets_below(snapshot, nodes))
    hit = snapshot.collections["attributions"].features.columns
    strikes.update(_paired(hit["asset"], assets, hit["strike"]))
    assets.update(_paired(hit["strike"], strikes, hit["asset"]))
    return ChangedFeatures(frozenset(strikes), frozenset(assets))


def _assets_below(snapshot: Snapshot, nodes: Set[str]) -> Iterator[str]:
    """Yield the assets among some assets and entities, and those that these held or controlled at any time."""
    stakes, index = snapshot.stakes, snapshot.stakes.nodes.index
    controls = [
        (index[control.controller], index[control.controlled])
        for control in snapshot.records.controls.values()
        if control.controller in index and control.controlled in index
    ]
    above, below = np.array(controls, np.int64).reshape(-1, 2).T
    owner, owned = np.concatenate([stakes.owner, above]), np.concatenate([stakes.owned, below])
    reached = np.zeros(len(stakes.nodes), bool)
    reached[[index[name] for name in nodes if name in index]] = True
    while len(new := owned[reached[owner] & ~reached[owned]]):
        reached[new] = True
    ids = stakes.nodes.ids
    yield from (ids[row] for row in np.flatnonzero(reached).tolist() if ids[row] in snapshot.records.assets)


def _paired(column: DictionaryArray, values: Set[str], other: DictionaryArray) -> Iterator[str]:
    """Yield what another column has in the rows in which one has any of some values."""
    rows = np.flatnonzero(_is_among(column, values))
    yield from (value for value in other.take(rows).dictionary if value is not None)


def _is_among(column: DictionaryArray, values: Set[str]) -> Bools:
    codes = np.fromiter((value in values for value in column.dictionary), bool, len(column.dictionary))
    return np.append(codes, False)[column.codes]


@dataclass(frozen=True)
class UpdatedSince(Filter):
    """Features that changed, or that are of a strike that did, which satisfy another condition too."""

    changed: ChangedFeatures
    condition: Filter | None

    @classmethod
    def of(cls, changed: ChangedFeatures, since: str, condition: Filter | None) -> UpdatedSince:
        """Make the filter of what changed since a time, and of another condition that must hold."""
        key = f"updated since {since} and ".encode()
        return cls(key + (b"" if condition is None else condition.key), changed, condition)

    def mask(self, collection: Collection) -> Bools:
        """Return which rows satisfy the filter, shape (n,)."""
        columns = collection.features.columns
        column = columns["strike" if collection.name in BY_STRIKE else "id"]
        changed = self.changed.assets if collection.name == "assets" else self.changed.strikes
        mask = _is_among(column, changed)
        return mask if self.condition is None else mask & self.condition.mask(collection)
