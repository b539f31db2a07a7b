"""A change of the records worked out once: which strikes it concerns, their answers, and the snapshot after it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import shapely

from geo.columnar.binary_array import find_sorted
from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.integers import ranges
from geo.columnar.row_edit import RowEdit
from geo.lonlat import Ints
from layers.collections.collection import (
    Collection,
    with_properties,
    with_rows_replaced,
    with_shared_geometry,
    with_values_replaced,
)
from layers.collections.feature_types import asset_features, country_features
from layers.collections.flatten import FlatRows, of_assets, sums
from layers.collections.update_times import UPDATED, UpdateTimes, latest
from layers.decisions.hits import likeliest
from layers.matching.asset_index import AssetIndex
from layers.matching.match import match_all
from layers.model.cache import Lazy
from layers.model.records import Match, Record, Records, Source, Strike
from layers.resolution.independent_reports import reporter
from layers.snapshot.flat_collections import collection_by_strike, make_collection
from layers.snapshot.snapshot import ProbableAssets, Snapshot
from layers.store.record_table import RecordTable

#: Candidates of strikes, most probable first, by strike.
Matches: TypeAlias = Mapping[str, tuple[Match, ...]]
#: Gives when the records of a newer snapshot changed last, from the snapshot before it.
TimesAfter: TypeAlias = Callable[[Snapshot, Snapshot], UpdateTimes]

#: Tables that stakes as columns follow from, and all that the answer to a strike is based on besides the strike itself.
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
    times_after
        When records changed last; by default nothing is known to have.
    """

    def __init__(
        self,
        before: Snapshot,
        newer: Snapshot,
        with_matches: bool = False,
        times_after: TimesAfter = lambda before, _newer: before.times.value,
    ) -> None:
        self.before = before
        changed = {name for name in _HIT_TABLES if differing(before.records.table(name), newer.records.table(name))}
        stages = newer.stages
        if changed.isdisjoint(_STAKE_TABLES):
            stages = replace(stages, stakes=before.stages.stakes, registers=before.stages.registers)
        if changed.isdisjoint(_ANSWER_TABLES):
            stages = replace(stages, asset_index=before.stages.asset_index)
        self._stages = stages
        self._times = times_after(before, newer.with_stages(stages))
        self.newer = newer.with_stages(newer.stages, times=Lazy.of(self._times))
        #: Ids of the strikes that differ or about which something else was decided; ``None`` where all rows are
        #: computed anew, since the tables that all answers are based on differ or too many strikes do.
        self.touched: set[str] | None = None if changed else _few_touched(before.records, self.newer.records)
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
        return at_threshold(self._part, self._matches, publish_from).flat_alone()

    @property
    def unanswered(self) -> Snapshot:
        """The snapshot of the newer records that shares the basis of all answers, and computes all answers itself."""
        return self.newer.with_stages(self._stages)

    @cached_property
    def after(self) -> Snapshot:
        """The snapshot of the newer records that shares all that the change left as it was."""
        if self.touched is None:
            return self._all_anew()
        return self._with_rows_replaced(self.touched)

    def _all_anew(self) -> Snapshot:
        whole = self._part
        pairs = ((self.before.layers.get(name), layer) for name, layer in whole.layers.items())
        layers = [_unchanged_or_new(old, new) for old, new in pairs]
        return whole.with_stages(
            replace(
                self._stages,
                order=whole.order,
                proposed=Lazy.of(whole.proposed),
                counts=whole.counts(),
                layers=_by_name(layers),
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
        lost = {asset for asset, number in struck.items() if number < 0}
        assets = self._assets(counted, struck, self._asset_times(attributions, new, lost))
        layers = (strikes, assets, attributions, hits, _countries(before, counted))
        proposed: Mapping[str, str] = ProbableAssets(strikes)
        return counted.with_stages(
            replace(stages, order=strikes.ids, proposed=Lazy.of(proposed), layers=_by_name(layers))
        )

    def _strikes(self, new: FlatRows) -> tuple[Collection, Collection, Collection]:
        """The collections of strikes, attributions and hits with the rows of the touched strikes replaced."""
        assert self.touched is not None
        old, now = self.before.records.strikes, self.newer.records.strikes
        gone = [old[key] for key in self.touched if key in old]
        present = (now[key] for key in self.touched if key in now)
        come = sorted(present, key=lambda strike: (strike.when, strike.id), reverse=True)
        layers, strikes = self.before.layers, make_collection("strikes", new.strikes, new.geometries)
        attributions, hits = (
            collection_by_strike(name, rows, new.geometries, strikes.ids)
            for name, rows in (("attributions", new.attributions), ("hits", self._part.hits))
        )
        replaced = (
            _with_strikes_replaced(layers["strikes"], "id", gone, come, strikes),
            _with_strikes_replaced(layers["attributions"], "strike", gone, come, attributions),
            _with_strikes_replaced(layers["hits"], "strike", gone, come, hits),
        )
        if not (moved := self._moved_otherwise):
            return replaced
        return (
            _with_updated(replaced[0], "id", moved),
            _with_updated(replaced[1], "strike", moved),
            _with_updated(replaced[2], "strike", moved),
        )

    @cached_property
    def _moved_otherwise(self) -> Mapping[str, str | None]:
        """When the answers to strikes changed last, of those strikes alone that are not touched but have other times.

        They have them by a record that they are based on, and that no value of theirs follows from.
        """
        assert self.touched is not None
        strikes = self.before.layers["strikes"]
        if self._times.moved is None:
            names: Iterable[str] = strikes.ids
        else:
            names = {*self._times.moved, *strikes_on(self.before.layers["attributions"], self._times.moved)}
        columns, found = strikes.features.columns, dict[str, str | None]()
        for name in names:
            row = None if name in self.touched else strikes.rows_by_id.get(name)
            if row is not None:
                at = self._times.of_strike(name, columns["assets"][row])
                if at != columns[UPDATED][row]:
                    found[name] = at
        return found

    def _asset_times(self, attributions: Collection, new: FlatRows, lost: Set[str]) -> Mapping[str, str | None]:
        """When assets that may have moved did so last: by themselves, with strikes on them, or by losing some of these.

        Parameters
        ----------
        attributions, new
            The attributions after the change, and the rows of the strikes that were touched.
        lost
            Assets that fewer strikes hit than before.
        """
        nodes, known = self._times.nodes, self.before.layers["assets"]
        if self._times.moved is None or lost:
            # Times may be earlier than before.
            names = set(known.ids) if self._times.moved is None else lost
            hit = _times_of_hits(attributions, None if self._times.moved is None else lost)
            found = {name: latest((nodes[name], hit.get(name))) for name in names}
            if self._times.moved is None:
                return found
        else:
            found = {}
        columns = known.features.columns
        moved = [(name, nodes[name]) for name in self._times.moved if name in known.rows_by_id]
        for _, at, assets in self._moved_strikes(new):
            moved += ((asset, at) for asset in assets)
        for asset, at in moved:
            was = found[asset] if asset in found else columns[UPDATED][known.rows_by_id[asset]]
            found[asset] = latest((was, at))
        return found

    def _moved_strikes(self, new: FlatRows) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
        """Id, time and sites of each strike that was touched or moved otherwise."""
        yield from new.strikes.rows(("id", UPDATED, "assets"))
        before = self.before.layers["strikes"]
        for name, at in self._moved_otherwise.items():
            yield name, at, before.features.columns["assets"][before.rows_by_id[name]]

    def _assets(self, after: Snapshot, struck: Mapping[str, int], updated: Mapping[str, str | None]) -> Collection:
        """The assets with other numbers of strikes, times and, where the day of the data shows others, other owners."""
        old = self.before.layers["assets"]
        days = self.before.data_date, after.data_date
        if len({self.before.registers.interval_key(day, day) for day in days}) == 1:
            return _with_strikes_counted(old, struck, updated)
        columns = old.features.columns
        numbers = Counter(dict(zip(columns["id"], columns["n_strikes"], strict=True)))
        numbers.update(struck)
        times = {**dict(zip(columns["id"], columns[UPDATED], strict=True)), **updated}
        features = asset_features(after.records, after.registers.on(days[1], days[1]).of, numbers, times.get)
        return old if old.features == features else with_properties(old, features)


def update(before: Snapshot, newer: Snapshot) -> Snapshot:
    """The snapshot of newer records, of which nothing was computed yet, that shares what it can with ``before``.

    Both are of the same base map and thresholds. ``before`` stays as it is, and need not be kept.
    """
    return SnapshotUpdate(before, newer).after


def with_shared_stages(before: Snapshot, snapshot: Snapshot) -> Snapshot:
    """A snapshot, such as one read from files, that shares what was computed for another one of the same answers.

    The snapshot itself where the tables that answers are based on differ.
    """
    if any(differing(before.records.table(name), snapshot.records.table(name)) for name in _ANSWER_TABLES):
        return snapshot
    assets = with_shared_geometry(snapshot.layers["assets"], before.layers["assets"])
    layers = (assets if layer.name == assets.name else layer for layer in snapshot.layers.values())
    stages = replace(
        snapshot.stages,
        stakes=before.stages.stakes,
        registers=before.stages.registers,
        asset_index=before.stages.asset_index,
        layers=_by_name(layers),
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
    reporter changed.
    """
    touched = differing(before.strikes, newer.strikes) | _with_other_reports(before, newer)
    changed = differing(before.decisions, newer.decisions)
    touched |= {table[key].strike for table in (before.decisions, newer.decisions) for key in changed if key in table}
    return touched if len(touched) <= max(_FEW, len(newer.strikes) // _ONE_IN) else None


def _with_other_reports(before: Records, newer: Records) -> set[str]:
    """Ids of strikes of which a source that there was before has another address or reporter now."""
    # A strike that cites a source differs itself where that source was added or removed.
    known = (key for key in differing(before.sources, newer.sources) if key in before.sources and key in newer.sources)
    changed = {key for key in known if _report(before.sources[key]) != _report(newer.sources[key])}
    if not changed:
        return set()
    return {key for key, strike in newer.strikes.items() if not changed.isdisjoint(strike.sources)}


def _report(source: Source) -> tuple[str | None, str | None]:
    return source.url, reporter(source)


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
    return with_rows_replaced(before, added, RowEdit(len(before), removed, at))


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


def _with_strikes_counted(before: Collection, more: Mapping[str, int], updated: Mapping[str, str | None]) -> Collection:
    """The assets, those that more or fewer strikes hit, or that changed since, replaced."""
    columns = before.features.columns
    by_row: dict[int, tuple[int, str | None]] = {}
    for asset in {*more, *updated}:
        row, number = before.rows_by_id[asset], more.get(asset, 0)
        at = updated.get(asset, columns[UPDATED][row])
        if number or at != columns[UPDATED][row]:
            by_row[row] = number, at
    rows = np.array(sorted(by_row), np.int64)
    values = [by_row[row] for row in rows.tolist()]
    counts = [number + more for number, (more, _) in zip(columns["n_strikes"].take(rows), values, strict=True)]
    return _with_columns(before, rows, {"n_strikes": counts, UPDATED: [at for _, at in values]})


def _with_updated(before: Collection, column: str, updated: Mapping[str, str | None]) -> Collection:
    """The rows of strikes, named in a column, with other times."""
    strikes = before.features.columns[column]
    rows = _rows_with_any(strikes, updated.keys())
    return _with_columns(before, rows, {UPDATED: [updated[strike] for strike in strikes.take(rows)]})


def _with_columns(before: Collection, rows: Ints, values: Mapping[str, Iterable[Any]]) -> Collection:
    """Rows, ascending, with other values in some columns."""
    if not len(rows):
        return before
    return with_values_replaced(before, rows, {name: DictionaryArray.of(new) for name, new in values.items()})


def _times_of_hits(attributions: Collection, assets: Set[str] | None) -> Mapping[str, str]:
    """When the answer to a strike on each of some assets, by default of all, changed last."""
    features = attributions.features
    if assets is not None:
        features = features.take(_rows_with_any(features.columns["asset"], assets))
    return of_assets(features)[1]


def strikes_on(attributions: Collection, assets: Iterable[str]) -> Iterator[str]:
    """Yield the strikes that hit some assets, or may have."""
    columns = attributions.features.columns
    yield from columns["strike"].take(_rows_with_any(columns["asset"], assets)).dictionary


def _rows_with_any(column: DictionaryArray, values: Iterable[str]) -> Ints:
    """Rows, ascending, in which a column has any of some values."""
    found = (find_sorted(column.dictionary, value) for value in values)
    return np.flatnonzero(np.isin(column.codes, [code for code in found if code is not None]))


def _countries(before: Snapshot, after: Snapshot) -> Collection:
    old, totals = before.layers["countries"], after.tallies()
    return old if totals == before.tallies() else with_properties(old, country_features(totals, after.country_names))


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
