"""A change of the records worked out once: which strikes it concerns, their answers, and the snapshot after it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import shapely

from geo.columnar.row_edit import RowEdit
from geo.columnar.row_order import ranges
from geo.lonlat import Ints
from layers.collections.collection import (
    Collection,
    with_properties,
    with_rows_replaced,
    with_shared_geometry,
)
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import asset_features, country_features
from layers.collections.flatten import FlatRows, sums
from layers.decisions.hits import likeliest
from layers.matching.asset_index import AssetIndex
from layers.matching.match import match_all
from layers.model.cache import Lazy
from layers.model.records import Match, Record, Records, Source, Strike
from layers.resolution.voices import voice
from layers.snapshot.snapshot import Snapshot, collection_by_strike, make_collection
from layers.store.record_table import RecordTable

#: Candidates of strikes, most probable first, by strike.
Matches: TypeAlias = Mapping[str, tuple[Match, ...]]

#: Tables that stakes as columns follow from, and all that the answer to a strike rests on besides the strike itself.
_STAKE_TABLES = ("assets", "entities", "stakes")
_ANSWER_TABLES = (*_STAKE_TABLES, "relations")
#: And those that rows of hits follow from.
_HIT_TABLES = (*_ANSWER_TABLES, "controls")
#: Rows of so many strikes, or of one in so many, are replaced one by one; of more, all rows are computed anew.
_FEW, _ONE_IN = 1000, 20


class SnapshotUpdate:
    """A change of the records, of which each consequence is computed once, when it is first read.

    Parameters
    ----------
    before
        The snapshot before the change; it stays as it is.
    newer
        A snapshot of the newer records from which nothing was computed yet, of the same base map and thresholds.
    with_matches
        Whether `matches` will be read, so that what is published as probable is taken from them too.
    """

    def __init__(self, before: Snapshot, newer: Snapshot, with_matches: bool = False) -> None:
        self.before, self.newer = before, newer
        changed = {name for name in _HIT_TABLES if differing(before.records.table(name), newer.records.table(name))}
        stages = newer.stages
        if changed.isdisjoint(_STAKE_TABLES):
            stages = replace(stages, stakes=before.stages.stakes, registers=before.stages.registers)
        if changed.isdisjoint(_ANSWER_TABLES):
            stages = replace(stages, asset_index=before.stages.asset_index)
        self._stages = stages
        #: Ids of the strikes that differ or about which something else was decided; ``None`` where all rows are
        #: computed anew, since the tables that all answers rest on differ or too many strikes do.
        self.touched: set[str] | None = None if changed else _few_touched(before.records, newer.records)
        self._part, self._matches = self._recomputed(with_matches)

    def _recomputed(self, with_matches: bool) -> tuple[Snapshot, Lazy[Matches]]:
        """The snapshot of the strikes whose rows are computed, and their candidates."""
        records = self.newer.records if self.touched is None else _subset(self.newer.records, self.touched)
        part = self.newer.with_stages(self._stages, records)
        return with_candidates(part) if with_matches else (part, candidates_of(part))

    @property
    def matches(self) -> Matches:
        """Candidates of the touched strikes, or of all."""
        return self._matches.value

    @property
    def flat(self) -> FlatRows:
        """Rows of the touched strikes, or of all, newest strike first."""
        return self._part.flat

    def flat_at(self, publish_from: float) -> FlatRows:
        """The rows at another threshold of publishing."""
        if publish_from == self.newer.publish_from:
            return self.flat
        return at_threshold(self._part, self._matches, publish_from).flat

    @property
    def unanswered(self) -> Snapshot:
        """The snapshot of the newer records that shares what all answers rest on, and computes all answers itself."""
        return self.newer.with_stages(self._stages)

    @cached_property
    def after(self) -> Snapshot:
        """The snapshot of the newer records that shares all that the change left as it was."""
        if self.touched is None:
            return self._all_anew()
        return self._with_rows_replaced(self.touched)

    def _all_anew(self) -> Snapshot:
        whole = self._part
        pairs = ((self.before.collections.get(name), layer) for name, layer in whole.collections.items())
        layers = [_unchanged_or_new(old, new) for old, new in pairs]
        return whole.with_stages(
            replace(
                self._stages,
                order=whole.order,
                proposed=Lazy.of(whole.proposed),
                counts=whole.counts(),
                collections=_by_name(layers),
            )
        )

    def _with_rows_replaced(self, touched: set[str]) -> Snapshot:
        before, new = self.before, self.flat
        answers = before.answers()
        old_counts, old_struck = sums(
            before.records, [answers[key] for key in touched if key in before.records.strikes]
        )
        counts = Counter(before.counts())
        counts.update(new.counts)
        counts.subtract(old_counts)
        struck = Counter(new.struck)
        struck.subtract(old_struck)
        stages = replace(self._stages, backing_files=before.backing_files, counts=counts)
        counted = self.newer.with_stages(stages)
        strikes, attributions, hits = self._strikes(new)
        layers = (strikes, self._assets(counted, struck), attributions, hits, _countries(before, counted))
        proposed: Mapping[str, str] = ProbableAssets(strikes)
        return counted.with_stages(
            replace(stages, order=strikes.ids, proposed=Lazy.of(proposed), collections=_by_name(layers))
        )

    def _strikes(self, new: FlatRows) -> tuple[Collection, Collection, Collection]:
        """The collections of strikes, attributions and hits with the rows of the touched strikes replaced."""
        assert self.touched is not None
        old, now = self.before.records.strikes, self.newer.records.strikes
        gone = [old[key] for key in self.touched if key in old]
        present = (now[key] for key in self.touched if key in now)
        come = sorted(present, key=lambda strike: (strike.when, strike.id), reverse=True)
        layers, strikes = self.before.collections, make_collection("strikes", new.strikes, new.geometries)
        attributions, hits = (
            collection_by_strike(name, rows, new.geometries, strikes.ids)
            for name, rows in (("attributions", new.attributions), ("hits", self._part.hits))
        )
        return (
            _with_strikes_replaced(layers["strikes"], "id", gone, come, strikes),
            _with_strikes_replaced(layers["attributions"], "strike", gone, come, attributions),
            _with_strikes_replaced(layers["hits"], "strike", gone, come, hits),
        )

    def _assets(self, after: Snapshot, struck: Mapping[str, int]) -> Collection:
        """The assets with other numbers of strikes and, where the day of the data shows others, other owners."""
        old = self.before.collections["assets"]
        days = self.before.data_date, after.data_date
        if len({self.before.registers.interval_key(day, day) for day in days}) == 1:
            return _with_numbers_of_strikes(old, struck)
        columns = old.features.columns
        numbers = Counter(dict(zip(columns["id"], columns["n_strikes"], strict=True)))
        numbers.update(struck)
        features = asset_features(after.records, after.registers.on(days[1], days[1]).of, numbers)
        return old if old.features == features else with_properties(old, features)


def update(before: Snapshot, newer: Snapshot) -> Snapshot:
    """The snapshot of newer records, of which nothing was computed yet, that shares what it can with ``before``.

    Both are of the same base map and thresholds. ``before`` stays as it is, and need not be kept.
    """
    return SnapshotUpdate(before, newer).after


def with_shared_stages(before: Snapshot, snapshot: Snapshot) -> Snapshot:
    """A snapshot, such as one read from files, that shares what was computed for another one of the same answers.

    The snapshot itself where the tables that answers rest on differ.
    """
    if any(differing(before.records.table(name), snapshot.records.table(name)) for name in _ANSWER_TABLES):
        return snapshot
    assets = with_shared_geometry(snapshot.collections["assets"], before.collections["assets"])
    layers = (assets if layer.name == assets.name else layer for layer in snapshot.collections.values())
    stages = replace(
        snapshot.stages,
        stakes=before.stages.stakes,
        registers=before.stages.registers,
        asset_index=before.stages.asset_index,
        collections=_by_name(layers),
    )
    return snapshot.with_stages(stages)


def candidates_of(snapshot: Snapshot) -> Lazy[Matches]:
    """Candidates of all strikes of a snapshot."""
    return Lazy(partial(_matches, snapshot.records, snapshot.stages.asset_index))


def with_candidates(snapshot: Snapshot) -> tuple[Snapshot, Lazy[Matches]]:
    """A snapshot whose strikes are matched once: for their candidates and for what is published as probable."""
    matches = candidates_of(snapshot)
    return at_threshold(snapshot, matches, snapshot.publish_from), matches


def at_threshold(snapshot: Snapshot, matches: Lazy[Matches], publish_from: float) -> Snapshot:
    """A snapshot in which the candidates of its strikes are published from a threshold on."""
    probable = Lazy(partial(_probable, matches, publish_from))
    return snapshot.with_stages(replace(snapshot.stages, proposed=probable), publish_from=publish_from)


def _matches(records: Records, asset_index: Lazy[AssetIndex]) -> Matches:
    return match_all(records, asset_index.value)


def _probable(matches: Lazy[Matches], publish_from: float) -> Mapping[str, str]:
    likely = ((strike, likeliest(candidates, publish_from)) for strike, candidates in matches.value.items())
    return {strike: asset for strike, asset in likely if asset is not None}


class ProbableAssets(Mapping[str, str]):
    """The asset that is published as probable, by strike, read from the features of the strikes."""

    def __init__(self, strikes: Collection) -> None:
        self._strikes = strikes

    def __getitem__(self, key: str) -> str:
        row, columns = self._strikes.rows_by_id[key], self._strikes.features.columns
        if columns["rests_on"][row] != "match":
            raise KeyError(key)
        asset: str = columns["assets"][row][0]
        return asset

    def __iter__(self) -> Iterator[str]:
        return (key for key in self._strikes.ids if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _by_name(layers: Iterable[Collection]) -> Mapping[str, Collection]:
    return MappingProxyType({layer.name: layer for layer in layers})


def _subset(records: Records, touched: set[str]) -> Records:
    """Records with some strikes alone and the decisions about them."""
    strikes = {key: strike for key in touched if (strike := records.strikes.get(key)) is not None}
    decisions = {decision.id: decision for key in strikes for decision in records.where("decisions", "strike", key)}
    return replace(records, strikes=MappingProxyType(strikes), decisions=MappingProxyType(decisions))


def _few_touched(before: Records, newer: Records) -> set[str] | None:
    """Ids of strikes whose rows may differ; ``None`` where they are many.

    These are strikes that differ, about which something else was decided, or that cite a source whose address or
    voice changed.
    """
    touched = differing(before.strikes, newer.strikes) | _with_other_reports(before, newer)
    changed = differing(before.decisions, newer.decisions)
    touched |= {table[key].strike for table in (before.decisions, newer.decisions) for key in changed if key in table}
    return touched if len(touched) <= max(_FEW, len(newer.strikes) // _ONE_IN) else None


def _with_other_reports(before: Records, newer: Records) -> set[str]:
    """Ids of strikes of which a source that there was before has another address or is another voice now."""
    # A strike that cites a source differs itself where that source was added or removed.
    known = (key for key in differing(before.sources, newer.sources) if key in before.sources and key in newer.sources)
    changed = {key for key in known if _report(before.sources[key]) != _report(newer.sources[key])}
    if not changed:
        return set()
    return {key for key, strike in newer.strikes.items() if not changed.isdisjoint(strike.sources)}


def _report(source: Source) -> tuple[str | None, str | None]:
    return source.url, voice(source)


def differing(before: Mapping[str, Record], newer: Mapping[str, Record]) -> set[str]:
    """Ids of the records that two tables do not have alike; a record that is one object is not compared."""
    if before is newer:
        return set()
    if isinstance(before, RecordTable) and isinstance(newer, RecordTable):
        changed = before.changed_ids(newer)
        if changed is not None:
            return changed
    gone = {key for key in before if key not in newer}
    pairs = ((key, before.get(key), record) for key, record in newer.items())
    return gone | {key for key, known, record in pairs if known is not record and known != record}


def _with_strikes_replaced(
    before: Collection, column: str, gone: Iterable[Strike], come: Sequence[Strike], added: Collection
) -> Collection:
    """Replace the rows of strikes in a collection with the newest strike first and those of one strike together.

    Parameters
    ----------
    column
        Holds the strike of each row.
    gone
        Strikes whose rows are left out.
    come, added
        Strikes whose rows are added, newest first, and these rows in their order.
    """
    starts, stops = _row_ranges(before, column, gone)
    removed = np.sort(ranges(starts, stops - starts))
    number = Counter(added.features.columns[column])
    counts = np.array([number[strike.id] for strike in come], np.int64)
    at = np.repeat(_row_ranges(before, column, come)[1], counts)
    return with_rows_replaced(before, added, RowEdit.replace(len(before), removed, at))


def _row_ranges(collection: Collection, column: str, strikes: Iterable[Strike]) -> tuple[Ints, Ints]:
    """First and last row (exclusive) of each strike; where it has none, both are the row before which they would be."""
    oldest_first = range(len(collection) - 1, -1, -1)
    days, ids = collection.features.columns["when"], collection.features.columns[column]

    def age(row: int) -> tuple[str, str]:
        return days[row], ids[row]

    keys = [(strike.when, strike.id) for strike in strikes]
    at = [[bisect(oldest_first, key, key=age) for bisect in (bisect_right, bisect_left)] for key in keys]
    starts, stops = len(collection) - np.array(at, np.int64).reshape(-1, 2).T
    return starts, stops


def _with_numbers_of_strikes(before: Collection, more: Mapping[str, int]) -> Collection:
    """The assets, those that more or fewer strikes hit replaced."""
    by_row = dict(sorted((before.rows_by_id[asset], number) for asset, number in more.items() if number))
    if not by_row:
        return before
    features = [
        before.features[row].model_copy(update={"n_strikes": before.features[row].n_strikes + number})
        for row, number in by_row.items()
    ]
    rows = np.array(list(by_row), np.int64)
    table = FeatureTable.of(before.features.model, features)
    added = make_collection("assets", table, before.geometries_at(rows))
    return with_rows_replaced(before, added, RowEdit.replace(len(before), rows, rows))


def _countries(before: Snapshot, after: Snapshot) -> Collection:
    old = before.collections["countries"]
    features = country_features(after.tallies(), after.country_names)
    return old if old.features == features else with_properties(old, features)


def _unchanged_or_new(old: Collection | None, new: Collection) -> Collection:
    """The old collection where nothing in it changed, or its geometries with new properties where none moved."""
    if old is None or len(old) != len(new) or not _have_same_geometries(old, new):
        return new
    return old if old.features == new.features else with_properties(old, new.features)


def _have_same_geometries(old: Collection, new: Collection) -> bool:
    """Whether each row is where it was; geometries that are not one object are compared by their coordinates."""
    pairs = zip(old.geometries, new.geometries, strict=True)
    moved = [(before, after) for before, after in pairs if before is not after]
    # A missing geometry equals no other.
    return bool(np.all(shapely.equals_identical([before for before, _ in moved], [after for _, after in moved])))
