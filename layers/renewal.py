"""The view of newer records, with all taken over from the view before that they leave as it was.

An edit changes a record or two; what follows from all the others is the same. Equal parts are found by comparing
values, so that the new view is the one that would be made anew, whatever was changed and by whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import shapely

from layers.attribution import Answer, Attributor
from layers.collection import Collection
from layers.matching import match_one
from layers.schema import NOUNS, Match, Record
from layers.snapshot import Snapshot
from layers.weights import read as read_weights

#: Tables that the stakes as columns are made of, and those that an answer rests on besides its own strike.
_STAKES = {"assets", "entities", "stakes"}
_ANSWERS = {*_STAKES, "relations"}


def renewed(before: Snapshot, made: Snapshot) -> Snapshot:
    """The view ``made`` of newer records, of which nothing was asked yet, with what it has in common with ``before``.

    Both are of the same base map and thresholds. ``before`` is left as it is, and need not be kept.
    """
    same = {name for name in NOUNS if _are_same(before.records.table(name), made.records.table(name))}
    taken = vars(made)
    if same >= _STAKES:
        taken["stakes"] = before.stakes
        taken["registers"] = before.registers
        if made.data_date == before.data_date:
            taken["asset_owners"] = before.asset_owners
    if same >= _ANSWERS:
        taken["asset_index"] = before.asset_index
        taken["matches"] = MappingProxyType(_matches(before, made))
        attributor = Attributor(made.records, made.registers)
        made.keep_answers({strike: _answer(before, made, strike, attributor) for strike in made.findings})
    pairs = ((before.collections.get(name), collection) for name, collection in made.collections.items())
    taken["collections"] = MappingProxyType({new.name: _collection(old, new) for old, new in pairs})
    return made


def _are_same(one: Mapping[str, Record], other: Mapping[str, Record]) -> bool:
    """Whether two tables hold the same; records that are one object are not compared, which takes far longer."""
    return len(one) == len(other) and all(_is_same(one.get(key), record) for key, record in other.items())


def _matches(before: Snapshot, made: Snapshot) -> dict[str, tuple[Match, ...]]:
    """Candidates of every strike; those of the strikes that are the same are known."""
    weights, records = read_weights(), made.records
    return {
        key: before.matches[key]
        if _is_same(before.records.strikes.get(key), strike)
        else match_one(strike, before.asset_index, records, weights)
        for key, strike in records.strikes.items()
    }


def _is_same(one: Record | None, other: Record) -> bool:
    return one is other or one == other


def _answer(before: Snapshot, made: Snapshot, strike: str, attributor: Attributor) -> Answer:
    finding = made.findings[strike]
    if before.findings.get(strike) == finding and _is_same(
        before.records.strikes.get(strike), made.records.strikes[strike]
    ):
        return before.answers()[strike]
    return attributor.answer(finding)


def _collection(old: Collection | None, new: Collection) -> Collection:
    if old is None or len(old) != len(new) or not _same_places(old, new):
        return new
    return old if old.features == new.features else old.under(new.features)


def _same_places(old: Collection, new: Collection) -> bool:
    """Whether each row is where it was. Shapes that are not the same object are compared by their coordinates."""
    pairs = zip(old.geometries, new.geometries, strict=True)
    others = [(one, two) for one, two in pairs if one is not two]
    first, second = [one for one, _ in others], [two for _, two in others]
    # What is missing equals nothing.
    return bool(np.all(shapely.equals_identical(first, second)))
