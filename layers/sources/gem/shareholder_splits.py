"""Splits of a company among its shareholders: read off a list, walked from an asset to its parents, compared."""

from __future__ import annotations

from collections.abc import Mapping

from layers.model.records import Asset, Entity, Records, Source, Stake
from layers.ownership.walk import Interval, Register, Walk
from layers.sources.gem.owner_grammar import TOLERANCE, OwnerList

#: Shareholders of a company and their shares in percent, at least and at most, as one row has them.
Split = Mapping[str, Interval]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def split_of(owners: OwnerList) -> Split:
    """Shares by name; a name that is listed twice has the sum."""
    split: dict[str, Interval] = {}
    for owner, (low, high) in zip(owners.entries, owners.intervals(), strict=True):
        before = split.get(owner.name, Interval(0.0, 0.0))
        split[owner.name] = Interval(before.low + low, before.high + high)
    return split


def told(split: Split) -> str:
    """Write a split in words, largest first."""
    ordered = sorted(split.items(), key=lambda item: (-item[1].high, item[0]))
    return "; ".join(f"{name or '(no name)'} {share_told(share)}" for name, share in ordered)


def share_told(share: Interval) -> str:
    """Write a share as GEM does, or as a range."""
    low, high = f"{share.low:.2f}", f"{share.high:.2f}"
    return f"[{low}%]" if low == high else f"[{low}-{high}%]"


def parents(owners: OwnerList, splits: Mapping[str, Split]) -> Split:
    """Parents (at most 676) of an asset with such owners through the walk of ``layers.ownership.walk``.

    The walk tells shares by country, so each parent is a state here and is lent a code of its own.
    """
    names = sorted({name for split in splits.values() for name in split})
    code = {name: _LETTERS[number // 26] + _LETTERS[number % 26] for number, name in enumerate(names)}
    walk = Walk(Register(_records(owners, splits, code), None, None, minority="follow"), "asset")
    back = {letters: name for name, letters in code.items()}
    return {back[share.country]: share.share for share in walk.shares()}


def _records(owners: OwnerList, splits: Mapping[str, Split], code: Mapping[str, str]) -> Records:
    """Two levels of stakes: the asset under its owners under their shareholders."""
    owner_ids = {name: f"owner/{number}" for number, name in enumerate(splits)}
    parent_ids = {name: f"parent/{letters.lower()}" for name, letters in code.items()}
    entities = [Entity(id=key, name=key, type="legalEntity", checked="read") for key in owner_ids.values()]
    entities += [
        Entity(id=parent_ids[name], name=letters, type="state", registered_in=letters, checked="read")
        for name, letters in code.items()
    ]
    stakes = [_stake("asset", owner_ids[name], share) for name, share in split_of(owners).items()]
    stakes += [
        _stake(owner_ids[name], parent_ids[parent], share)
        for name, split in splits.items()
        for parent, share in split.items()
    ]
    asset = Asset(id="asset", name="row", kind="pipeline", sources=("row",), checked="read")
    return Records.of(
        {
            "sources": {"row": Source(id="row", publisher="the row")},
            "assets": {"asset": asset},
            "entities": {entity.id: entity for entity in entities},
            "stakes": {stake.id: stake for stake in stakes},
        }
    )


def _stake(owned: str, owner: str, share: Interval) -> Stake:
    low, high = min(share.low, 100.0), min(share.high, 100.0)
    return Stake(
        id=f"{owned}>{owner}", owned=owned, owner=owner, share_min=low, share_max=high, source="row", checked="read"
    )


def differences(ours: Split, theirs: Split) -> tuple[str, ...]:
    """Names whose shares cannot be the same within 0.5 percentage points, or that only one side has."""
    return tuple(
        name
        for name in sorted({*ours, *theirs})
        if not same(ours.get(name, Interval(0.0, 0.0)), theirs.get(name, Interval(0.0, 0.0)))
    )


def same(one: Interval, other: Interval) -> bool:
    """Both exact and near, or both open and overlapping; nothing is near an open share of next to nothing only."""
    apart = max(one.low - other.high, other.low - one.high)
    nothing = min(one.high, other.high) == 0 and max(one.high, other.high) > TOLERANCE
    return apart <= TOLERANCE and not nothing
