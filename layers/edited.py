"""A view in which some strikes are others, or gone, or new, and all that they rest on is as it was."""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from shapely.geometry.base import BaseGeometry

from geo.wire import ranges
from layers.attribution import Answer, Attributor, attributions
from layers.collection import Collection, Rows
from layers.decisions import findings
from layers.feature_table import FeatureTable
from layers.features import attribution_features, country_features, strike_features
from layers.matching import match_one
from layers.schema import Attribution
from layers.snapshot import Snapshot
from layers.tally import counted
from layers.weights import read as read_weights

_T = TypeVar("_T")


def edited(before: Snapshot, made: Snapshot, touched: set[str]) -> None:
    """Give ``made`` all that follows from its records, with what is told of all but the touched strikes taken over."""
    strikes, taken = made.records.strikes, vars(made)
    order = _order(before, made, touched)
    weights = read_weights()
    taken["asset_index"] = before.asset_index
    new = {key: match_one(strikes[key], made.asset_index, made.records, weights) for key in touched if key in strikes}
    taken["matches"] = MappingProxyType(_with(strikes, before.matches, new))
    decisions = [one for one in made.records.decisions.values() if one.strike in touched]
    found = findings(new, decisions, new, made.publish_from, made.show_from)
    taken["findings"] = MappingProxyType(_with(order, before.findings, found))
    attributor = Attributor(made.records, made.registers)
    told = {key: attributor.answer(found[key]) for key in order if key in found}
    old = [before.answers()[key] for key in touched if key in before.records.strikes]
    counts = Counter(before.counts())
    counts.update(counted(made.records.entities, told.values()))
    counts.subtract(counted(made.records.entities, old))
    made.keep(_with(order, before.answers(), told), counts)
    rows = list(attributions(made.records, told.values()))
    gone = list(attributions(before.records, old))
    take = _take(before, made, list(told))
    changed = (
        _strikes(before, made, list(told.values()), rows, take),
        _assets(before.collections["assets"], gone, rows),
        _attributions(before, made, rows, take),
        _countries(before, made),
    )
    taken["collections"] = MappingProxyType({one.name: one for one in changed})


def _with(order: Iterable[str], old: Mapping[str, _T], new: Mapping[str, _T]) -> dict[str, _T]:
    return {key: new[key] if key in new else old[key] for key in order}


def _order(before: Snapshot, made: Snapshot, touched: set[str]) -> list[str]:
    """Ids of the strikes, newest first, without sorting all of them."""
    strikes = made.records.strikes
    oldest_first = [key for key in before.findings if key not in touched]
    oldest_first.reverse()
    for key in touched:
        if key in strikes:
            insort(oldest_first, key, key=lambda one: (strikes[one].when, one))
    oldest_first.reverse()
    return oldest_first


def _small(like: Collection, features: FeatureTable[Any], places: Sequence[BaseGeometry | None]) -> Collection:
    """A collection of the same kind with other features."""
    return replace(like, features=features, geometries=places)


def _strikes(
    before: Snapshot, made: Snapshot, told: Sequence[Answer], rows: Sequence[Attribution], take: Rows
) -> Collection:
    old = before.collections["strikes"]
    new = _small(old, strike_features(made.records, told, rows), [one.strike.geometry for one in told])
    return old.spliced(new, take)


def _take(before: Snapshot, made: Snapshot, told: Sequence[str]) -> Rows:
    """Which of the strikes of before, and after them of those told anew, come in which order."""
    old = before.collections["strikes"].rows_by_id
    new = {strike: len(old) + row for row, strike in enumerate(told)}
    return np.fromiter((new[key] if key in new else old[key] for key in made.findings), np.int64, len(made.findings))


def _attributions(before: Snapshot, made: Snapshot, rows: Sequence[Attribution], take: Rows) -> Collection:
    """Rows of one strike stand together, in the order of the strikes, and there is one at least for each."""
    old = before.collections["attributions"]
    strikes = made.records.strikes
    new = _small(
        old,
        attribution_features(made.records, rows, made.country_names),
        [strikes[row.strike].geometry for row in rows],
    )
    starts, counts = zip(_runs(old.features), _runs(new.features), strict=True)
    first = np.concatenate([starts[0], len(old) + starts[1]])
    return old.spliced(new, ranges(first[take], np.concatenate(counts)[take]))


def _runs(features: FeatureTable[Any]) -> tuple[Rows, Rows]:
    """First row and number of rows of each strike."""
    codes = features.columns["strike"].codes
    begins = np.flatnonzero(np.diff(codes, prepend=-1))
    return begins, np.diff(begins, append=len(codes))


def _assets(old: Collection, gone: Iterable[Attribution], rows: Iterable[Attribution]) -> Collection:
    """The assets, those with another number of strikes replaced."""
    more = Counter(_struck(rows))
    more.subtract(_struck(gone))
    at = {old.rows_by_id[asset]: number for asset, number in sorted(more.items()) if number}
    if not at:
        return old
    model = old.features.model
    features = [old.features[row] for row in at]
    told = zip(features, at.values(), strict=True)
    new = [one.model_copy(update={"n_strikes": one.n_strikes + number}) for one, number in told]
    take = np.arange(len(old))
    take[list(at)] = len(old) + np.arange(len(at))
    return old.spliced(_small(old, FeatureTable.of(model, new), [old.geometries[row] for row in at]), take)


def _struck(rows: Iterable[Attribution]) -> list[str]:
    """The assets that rows tell of, each once for each strike."""
    strikes: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.asset is not None:
            strikes[row.asset].add(row.strike)
    return [asset for asset, found in strikes.items() for _ in found]


def _countries(before: Snapshot, made: Snapshot) -> Collection:
    old = before.collections["countries"]
    features = country_features(made.tallies(), made.country_names)
    return old if old.features == features else old.under(features)
