"""A view in which some strikes are others, or gone, or new, and all that they rest on is as it was."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import shapely

from geo.columnar.ranges import ranges
from geo.columnar.row_edit import Splice
from geo.lonlat import Ints
from layers.attribution.attribute import Answer
from layers.collections.collection import Collection
from layers.collections.collection_edit import share_places, spliced, under
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import country_features
from layers.collections.flatten import flat
from layers.model.records import Record, Strike
from layers.snapshot.snapshot import Snapshot, laid, of_strikes
from layers.store.record_table import Stored


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


#: Tables that the stakes as columns are made of, and those that everything told of a strike rests on besides itself.
_STAKES = {"assets", "entities", "stakes"}
_ANSWERS = {*_STAKES, "relations"}
#: Of so many strikes, or one of so many, what follows is spliced in; of more it is made anew.
_FEW, _ONE_OF = 1000, 20


def renewed(before: Snapshot, made: Snapshot) -> Snapshot:
    """The view ``made`` of newer records, of which nothing was asked yet, with what it has in common with ``before``.

    Both are of the same base map and thresholds. ``before`` is left as it is, and need not be kept.
    """
    taken = vars(made)
    if not any(_differing(before.records.table(name), made.records.table(name)) for name in _STAKES):
        taken["stakes"] = before.stakes
        taken["registers"] = before.registers
    touched = touched_alone(before, made)
    if touched is not None:
        edited(before, made, touched)
        return made
    pairs = ((before.collections.get(name), collection) for name, collection in made.collections.items())
    taken["collections"] = MappingProxyType({new.name: _collection(old, new) for old, new in pairs})
    return made


def take_over(before: Snapshot, kept: Snapshot) -> None:
    """Give a view that was kept what was made ready of another that tells the same of what was or may be hit."""
    if any(_differing(before.records.table(name), kept.records.table(name)) for name in _ANSWERS):
        return
    taken = vars(kept)
    taken.update(stakes=before.stakes, registers=before.registers, asset_index=before.asset_index)
    old, new = before.collections["assets"], kept.collections["assets"]
    share_places(old, new)
    vars(new)["layer"] = old.layer.under(new.shown())


def _same_owners(before: Snapshot, made: Snapshot) -> bool:
    """Whether the assets, of which the same stakes are known, are shown with the same owners."""
    days = before.data_date, made.data_date
    return len({before.registers.spell(day, day) for day in days}) == 1


def touched_alone(before: Snapshot, made: Snapshot) -> set[str] | None:
    """Ids of the strikes that differ, or of which something else was decided.

    ``None`` where what they rest on differs too, or where they are so many that all is better made anew.
    """
    if any(_differing(before.records.table(name), made.records.table(name)) for name in _ANSWERS):
        return None
    touched = _touched(before, made)
    few = len(touched) <= max(_FEW, len(made.records.strikes) // _ONE_OF)
    return touched if few and _same_owners(before, made) else None


def _touched(before: Snapshot, made: Snapshot) -> set[str]:
    """Ids of strikes that are not as they were, or of which something else was decided."""
    touched = _differing(before.records.strikes, made.records.strikes)
    decisions = before.records.decisions, made.records.decisions
    changed = _differing(*decisions)
    return touched | {table[key].strike for table in decisions for key in changed if key in table}


def _differing(one: Mapping[str, Record], other: Mapping[str, Record]) -> set[str]:
    """Ids of the records that two tables do not have alike; what is one object is not compared, which takes long."""
    if one is other:
        return set()
    if isinstance(one, Stored) and isinstance(other, Stored) and (found := one.differing(other)) is not None:
        return found
    gone = {key for key in one if key not in other}
    return gone | {key for key, record in other.items() if (known := one.get(key)) is not record and known != record}


def _collection(old: Collection | None, new: Collection) -> Collection:
    if old is None or len(old) != len(new) or not _same_places(old, new):
        return new
    return old if old.features == new.features else under(old, new.features)


def _same_places(old: Collection, new: Collection) -> bool:
    """Whether each row is where it was. Shapes that are not the same object are compared by their coordinates."""
    pairs = zip(old.geometries, new.geometries, strict=True)
    others = [(one, two) for one, two in pairs if one is not two]
    first, second = [one for one, _ in others], [two for _, two in others]
    # What is missing equals nothing.
    return bool(np.all(shapely.equals_identical(first, second)))
