"""A view in which some strikes are others, or gone, or new, and all that they rest on is as it was."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from geo.crs import Ints
from geo.splice import Splice
from geo.wire import ranges
from layers.attribution import Answer
from layers.collection import Collection
from layers.feature_table import FeatureTable
from layers.features import country_features
from layers.flat import flat
from layers.schema import Strike
from layers.snapshot import Snapshot, laid, of_strikes
from layers.splicing import spliced, under


def edited(before: Snapshot, made: Snapshot, touched: set[str]) -> None:
    """Give ``made`` all that follows from its records, with what is told of all but the touched strikes taken over."""
    strikes, taken = made.records.strikes, vars(made)
    taken["lies_on"], taken["asset_index"] = before.lies_on, before.asset_index
    told = sorted((strikes[key] for key in touched if key in strikes), key=lambda one: (one.when, one.id), reverse=True)
    new = alone(before, made, touched).flat
    old = flat(before.records, _before(before, touched), before.country_names)
    counts = Counter(before.counts())
    counts.update(new.counts)
    counts.subtract(old.counts)
    made.keep(counts)
    known = [before.records.strikes[key] for key in touched if key in before.records.strikes]
    layers, fresh = before.collections, laid("strikes", new.strikes, new.places)
    places = of_strikes(new.places, fresh.ids, new.attributions.columns["strike"])
    changed = (
        _exchanged(layers["strikes"], "id", known, told, fresh),
        _assets(layers["assets"], old.struck, new.struck),
        _exchanged(layers["attributions"], "strike", known, told, laid("attributions", new.attributions, places)),
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


def alone(known: Snapshot, made: Snapshot, touched: set[str]) -> Snapshot:
    """A view of some strikes alone, which rest on what they do in the view that is known."""
    strikes = {key: one for key in touched if (one := made.records.strikes.get(key)) is not None}
    decisions = {one.id: one for key in strikes for one in made.records.where("decisions", "strike", key)}
    records = replace(made.records, strikes=MappingProxyType(strikes), decisions=MappingProxyType(decisions))
    view = replace(made, records=records)
    vars(view).update(stakes=known.stakes, registers=known.registers, asset_index=known.asset_index)
    return view


def _before(before: Snapshot, touched: set[str]) -> list[Answer]:
    return [before.answers()[key] for key in touched if key in before.records.strikes]


def _exchanged(
    old: Collection, name: str, known: Iterable[Strike], told: Sequence[Strike], new: Collection
) -> Collection:
    """A layer whose rows are the newest strike first, those of one strike together, with other rows of some.

    Parameters
    ----------
    name
        The column of the strike of a row.
    known
        Strikes whose rows are left out.
    told, new
        Strikes of which rows come, newest first, and these rows in their order.
    """
    starts, stops = _rows_of(old, name, known)
    gone = np.sort(ranges(starts, stops - starts))
    each = Counter(new.features.columns[name])
    counts = np.array([each[one.id] for one in told], np.int64)
    at = np.repeat(_rows_of(old, name, told)[1], counts)
    return spliced(old, new, Splice.exchanging(len(old), gone, at))


def _rows_of(old: Collection, name: str, strikes: Iterable[Strike]) -> tuple[Ints, Ints]:
    """First and last row (exclusive) of each strike; where it has none, before which they would be."""
    oldest_first = range(len(old) - 1, -1, -1)
    days, ids = old.features.columns["when"], old.features.columns[name]

    def age(row: int) -> tuple[str, str]:
        return days[row], ids[row]

    keys = [(one.when, one.id) for one in strikes]
    at = [[bisect(oldest_first, key, key=age) for bisect in (bisect_right, bisect_left)] for key in keys]
    starts, stops = len(old) - np.array(at, np.int64).reshape(-1, 2).T
    return starts, stops


def _assets(old: Collection, gone: Mapping[str, int], came: Mapping[str, int]) -> Collection:
    """The assets, those with another number of strikes replaced."""
    more = Counter(came)
    more.subtract(gone)
    at = dict(sorted((old.rows_by_id[asset], number) for asset, number in more.items() if number))
    if not at:
        return old
    model = old.features.model
    features = [old.features[row] for row in at]
    told = zip(features, at.values(), strict=True)
    new = [one.model_copy(update={"n_strikes": one.n_strikes + number}) for one, number in told]
    rows = np.array(list(at), np.int64)
    other = laid("assets", FeatureTable.of(model, new), old.geometries_at(rows))
    return spliced(old, other, Splice.exchanging(len(old), rows, rows))


def _countries(before: Snapshot, made: Snapshot) -> Collection:
    old = before.collections["countries"]
    features = country_features(made.tallies(), made.country_names)
    return old if old.features == features else under(old, features)
