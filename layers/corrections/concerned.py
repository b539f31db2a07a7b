"""Which strikes a change of a record concerns, and which records an answer to a strike is based on, in one version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from geo.columnar.binary_array import find_sorted
from geo.lonlat import Ints
from layers.model.records import RECORD_TYPES
from layers.ownership.stake_graph import StakeColumns
from layers.snapshot.snapshot import Snapshot
from layers.store.history_pages import RecordKey

#: Derived values of the answer to a strike that may follow from a record of a table.
MAY_FOLLOW: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "strikes": ("assets", "rests_on", "owners", "owner_countries", "related_countries"),
        "assets": ("assets", "rests_on", "owners", "owner_countries", "kind", "group"),
        "entities": ("owners", "owner_countries", "related_countries"),
        "stakes": ("owners", "owner_countries"),
        "controls": ("control",),
        "relations": ("relations", "related_countries"),
        "decisions": ("assets", "rests_on", "owners", "owner_countries", "related_countries"),
        "identities": ("assets", "rests_on", "owners", "owner_countries", "related_countries"),
    }
)
#: Most strikes that are named for one change.
MAX_STRIKES = 100
#: Columns by which a record is about a strike, an asset or an entity, and those by which it is also of an owner.
NAMING = ("record", "strike", "asset", "owned", "controlled", "one", "other")
NAMING_OWNER = (*NAMING, "owner", "controller", "entity")
#: Columns that name what a stake or control is a part of.
_OWNED = ("owned", "controlled")


@dataclass(frozen=True, eq=False)
class ConcernedStrikes:
    """Finds the strikes that changes concern, by what their answers are based on in one version of the data."""

    snapshot: Snapshot
    _below: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)
    _hits: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)

    def of(self, key: RecordKey, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Ids of the strikes that a record concerns, none of them twice, at most `MAX_STRIKES`.

        Parameters
        ----------
        values
            Those of the record, before or after the change.
        """
        table, record = key
        found: dict[str, None] = {}
        for strike in self._each(table, record, values):
            found[strike] = None
            if len(found) == MAX_STRIKES:
                break
        return tuple(found)

    def _each(self, table: str, record: str, values: Mapping[str, Any]) -> Iterator[str]:
        strikes = self.snapshot.records.strikes
        if table == "strikes":
            yield from (one for one in (record,) if one in strikes)
        elif table in ("claims", "decisions") or values.get("strike"):
            named = str(values.get("strike") or values.get("record"))
            yield from (one for one in (named,) if one in strikes)
        elif table == "identities":
            judged = (values["one"], values["other"])
            yield from (one for one in judged if one in strikes)
            for asset in judged:
                yield from self.hitting(asset)
        elif table in ("assets", "relations", "conditions"):
            yield from self.hitting(record if table == "assets" else values["asset"])
        elif table == "entities":
            yield from self._resting_on(record)
        elif table in ("stakes", "controls"):
            yield from self._resting_on(next(values[name] for name in _OWNED if name in values))

    def _resting_on(self, owned: str) -> Iterator[str]:
        """Strikes on an asset, or on what an entity holds a part of."""
        for asset in self._assets_below(owned):
            yield from self.hitting(asset)

    def _assets_below(self, owned: str) -> Iterable[str]:
        records = self.snapshot.records
        if owned not in records.entities:
            return (owned,)
        if owned not in self._below:
            rows = self.snapshot.holdings(owned)
            self._below[owned] = tuple(row.id for row in rows if row.id in records.assets)
        return self._below[owned]

    def hitting(self, asset: str) -> Iterable[str]:
        """Strikes that hit an asset, or may have."""
        if asset not in self._hits:
            columns = self.snapshot.collections["attributions"].features.columns
            place = find_sorted(columns["asset"].dictionary, asset)
            rows = [] if place is None else columns["asset"].rows_with(place).tolist()
            self._hits[asset] = tuple(dict.fromkeys(columns["strike"][row] for row in rows))
        return self._hits[asset]

    def countries(self, strikes: Iterable[str]) -> Iterator[str]:
        """Countries that strikes concern: that of the place, those of owners, and those tied to it otherwise."""
        layer = self.snapshot.collections["strikes"]
        columns = layer.features.columns
        for strike in strikes:
            row = layer.rows_by_id[strike]
            host = columns["host_country"][row]
            yield from (*(() if host is None else (host,)), *columns["owner_countries"][row])
            yield from columns["related_countries"][row]


def records_of_answer(snapshot: Snapshot, strike: str) -> frozenset[RecordKey]:
    """The records behind the answer to a strike: its own, decisions, judgements, claims, assets, stakes, owners.

    Raises
    ------
    UnknownRecord
        If there is no such strike.
    """
    return frozenset(_records_of_answer(snapshot, strike))


def _records_of_answer(snapshot: Snapshot, strike: str) -> Iterator[RecordKey]:
    records, answer = snapshot.records, snapshot.answer(strike)
    yield "strikes", strike
    about = {strike: "strikes", **{hit.hit.asset: "assets" for hit in answer.hits}}
    for identity in records.identities.values():
        pair = (identity.one, identity.other)
        if table := next((about[one] for one in pair if one in about), None):
            yield "identities", identity.id
            yield from ((table, one) for one in pair)
    yield from (("claims", claim.id) for claim in records.where("claims", "record", strike))
    yield from (("decisions", decision.id) for decision in records.where("decisions", "strike", strike))
    for hit in answer.hits:
        yield "assets", hit.hit.asset
        for relation in hit.relations:
            yield from (("relations", relation.id), ("entities", relation.entity))
        for chain in hit.owners.chains.paths:
            for step in chain.steps:
                yield from (("stakes", step.stake.id), ("entities", step.stake.owner))


def records_of_asset(snapshot: Snapshot, asset: str) -> frozenset[RecordKey]:
    """The records that what is said of a site is based on, strikes on it and stakes of all times above it among them.

    Of a site that is not among the records, such as a removed one, its own key alone.
    """
    keys: set[RecordKey] = {("assets", asset)}
    if asset in snapshot.records.assets:
        keys.update(_records_about(snapshot, {asset}))
        keys.update(_stakes_above(snapshot, asset))
        keys.update(_records_of_strikes(snapshot, ConcernedStrikes(snapshot).hitting(asset)))
    return frozenset(keys)


def records_of_entity(snapshot: Snapshot, entity: str) -> frozenset[RecordKey]:
    """The records of an owner: its own, its stakes, controls and ties, and strikes on what it holds or is tied to.

    Sites are those that it holds a part of on the day of the data. Of an entity that is not among the records, such as
    a removed one, its own key alone.
    """
    keys: set[RecordKey] = {("entities", entity)}
    records = snapshot.records
    if entity in records.entities:
        keys.update(_records_about(snapshot, {entity}))
        keys.update(_stakes_beside(snapshot, entity))
        tied = [tie for tie in records.relations.values() if tie.entity == entity]
        held = (holding.id for holding in snapshot.holdings(entity) if holding.id in records.assets)
        strikes = ConcernedStrikes(snapshot)
        for asset in {*held, *(tie.asset for tie in tied)}:
            keys.add(("assets", asset))
            keys.update(_records_of_strikes(snapshot, strikes.hitting(asset)))
    return frozenset(keys)


def _records_about(snapshot: Snapshot, about: set[str]) -> Iterator[RecordKey]:
    """Judgements, claims, ties, controls and conditions that name an asset or entity."""
    records = snapshot.records
    yield from (("claims", claim.id) for record in about for claim in records.where("claims", "record", record))
    for name in ("identities", "relations", "controls", "conditions"):
        columns = [column for column in NAMING_OWNER if column in RECORD_TYPES[name].model_fields]
        for record in records.table(name).values():
            if not about.isdisjoint(getattr(record, column) for column in columns):
                yield name, record.id


def _stakes_above(snapshot: Snapshot, asset: str) -> Iterator[RecordKey]:
    """Stakes of all times in an asset and in whatever holds a part of it, and their owners."""
    stakes, todo, met = snapshot.stakes, [asset], set[str]()
    while todo:
        owned = todo.pop()
        if owned in met:
            continue
        met.add(owned)
        first, stop = np.searchsorted(stakes.owned, [(node := stakes.nodes.index[owned]), node + 1]).tolist()
        for row in _recorded(stakes, np.arange(first, stop)):
            stake = stakes.stakes[row]
            yield from (("stakes", stake.id), ("entities", stake.owner))
            todo.append(stake.owner)


def _stakes_beside(snapshot: Snapshot, entity: str) -> Iterator[RecordKey]:
    """Stakes of all times in an entity, and those that it has."""
    stakes, node = snapshot.stakes, snapshot.stakes.nodes.index[entity]
    rows = np.flatnonzero((stakes.owned == node) | (stakes.owner == node))
    yield from (("stakes", stakes.stakes[row].id) for row in _recorded(stakes, rows))


def _recorded(stakes: StakeColumns, rows: Ints) -> list[int]:
    """Those of some rows that are stakes on record, not what a further nationality of a person may hold."""
    recorded: list[int] = rows[stakes.owner[rows] < stakes.nodes.nationalities.start].tolist()
    return recorded


def _records_of_strikes(snapshot: Snapshot, strikes: Iterable[str]) -> Iterator[RecordKey]:
    """Strikes, and the decisions and claims about them."""
    records = snapshot.records
    for strike in strikes:
        yield "strikes", strike
        yield from (("claims", claim.id) for claim in records.where("claims", "record", strike))
        yield from (("decisions", decision.id) for decision in records.where("decisions", "strike", strike))


def rests_on(values: Mapping[str, Any], ids: Set[str], columns: Iterable[str] = NAMING) -> bool:
    """Whether a record that was removed, of these values, named one of some records in one of some columns."""
    return not ids.isdisjoint(one for column in columns if (one := values.get(column)) is not None)
