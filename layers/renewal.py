"""The view of newer records, with all taken over from the view before that they leave as it was.

An edit changes a strike or two; what follows from all the others is the same. Equal parts are found by comparing
values, so that the new view is the one that would be made anew, whatever was changed and by whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import shapely

from layers.collection import Collection
from layers.edited import edited
from layers.schema import Record
from layers.snapshot import Snapshot
from layers.splicing import share_places, under
from layers.stored import Stored

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
