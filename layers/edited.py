"""A view in which some strikes are others, or gone, or new, and all that they rest on is as it was."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from geo.wire import ranges
from layers.attribution import Answer, Attributor
from layers.collection import Collection, Rows
from layers.decisions import finding, likeliest
from layers.feature_table import FeatureTable
from layers.features import country_features
from layers.flat import Flat, flat
from layers.matching import match_one
from layers.schema import Strike
from layers.snapshot import Snapshot, laid, of_strikes
from layers.weights import read as read_weights


def edited(before: Snapshot, made: Snapshot, touched: set[str]) -> None:
    """Give ``made`` all that follows from its records, with what is told of all but the touched strikes taken over."""
    strikes, taken = made.records.strikes, vars(made)
    taken["asset_index"] = before.asset_index
    told = sorted((strikes[key] for key in touched if key in strikes), key=lambda one: (one.when, one.id), reverse=True)
    new = flat(made.records, list(_answers(made, told)), made.country_names)
    old = flat(before.records, _before(before, touched), before.country_names)
    counts = Counter(before.counts())
    counts.update(new.counts)
    counts.subtract(old.counts)
    made.keep(counts)
    take = _take(before.collections["strikes"], touched, told)
    changed = (
        before.collections["strikes"].spliced(laid("strikes", new.strikes, new.places), take),
        _assets(before.collections["assets"], old.struck, new.struck),
        _attributions(before.collections["attributions"], new, take),
        _countries(before, made),
    )
    taken["collections"] = MappingProxyType({one.name: one for one in changed})
    taken["order"] = changed[0].ids
    taken["proposed"] = Published(changed[0])


class Published(Mapping[str, str]):
    """The asset that is published as probable, by strike, as the features of the strikes tell it."""

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


def _answers(made: Snapshot, strikes: Sequence[Strike]) -> Iterator[Answer]:
    """Answers to strikes that are matched anew."""
    attributor, weights = Attributor(made.records, made.registers), read_weights()
    for one in strikes:
        matches = match_one(one, made.asset_index, made.records, weights)
        decisions = made.records.where("decisions", "strike", one.id)
        yield attributor.answer(finding(one.id, decisions, likeliest(matches, made.publish_from)))


def _before(before: Snapshot, touched: set[str]) -> list[Answer]:
    return [before.answers()[key] for key in touched if key in before.records.strikes]


def _take(old: Collection, touched: set[str], told: Sequence[Strike]) -> Rows:
    """Which of the strikes of before, and after them of those told anew, newest first, come in which order."""
    known = (old.rows_by_id.get(key) for key in touched)
    oldest_first = np.delete(np.arange(len(old)), [row for row in known if row is not None])[::-1]
    days, ids = old.features.columns["when"], old.ids

    def age(row: int) -> tuple[str, str]:
        return days[row], ids[row]

    at = [len(oldest_first) - bisect_left(oldest_first, (one.when, one.id), key=age) for one in told]
    return np.insert(oldest_first[::-1], np.array(at, np.int64), len(old) + np.arange(len(told)))


def _attributions(old: Collection, new: Flat, take: Rows) -> Collection:
    """Rows of one strike stand together, in the order of the strikes, and there is one at least for each."""
    features = new.attributions
    places = of_strikes(new.places, new.strikes.columns["id"], features.columns["strike"])
    starts, counts = zip(_runs(old.features), _runs(features), strict=True)
    first = np.concatenate([starts[0], len(old) + starts[1]])
    return old.spliced(laid("attributions", features, places), ranges(first[take], np.concatenate(counts)[take]))


def _runs(features: FeatureTable[Any]) -> tuple[Rows, Rows]:
    """First row and number of rows of each strike."""
    codes = features.columns["strike"].codes
    begins = np.flatnonzero(np.diff(codes, prepend=-1))
    return begins, np.diff(begins, append=len(codes))


def _assets(old: Collection, gone: Mapping[str, int], came: Mapping[str, int]) -> Collection:
    """The assets, those with another number of strikes replaced."""
    more = Counter(came)
    more.subtract(gone)
    at = {old.rows_by_id[asset]: number for asset, number in sorted(more.items()) if number}
    if not at:
        return old
    model = old.features.model
    features = [old.features[row] for row in at]
    told = zip(features, at.values(), strict=True)
    new = [one.model_copy(update={"n_strikes": one.n_strikes + number}) for one, number in told]
    take = np.arange(len(old))
    take[list(at)] = len(old) + np.arange(len(at))
    return old.spliced(laid("assets", FeatureTable.of(model, new), [old.geometries[row] for row in at]), take)


def _countries(before: Snapshot, made: Snapshot) -> Collection:
    old = before.collections["countries"]
    features = country_features(made.tallies(), made.country_names)
    return old if old.features == features else old.under(features)
