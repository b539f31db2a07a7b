"""Compares GEM's parent column with its owner column: shareholders are learned from single-owner rows and walked up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from layers.model.records import Asset, Entity, Records, Source, Stake
from layers.ownership.walk import Interval, OwnershipGraph, Walk
from layers.sources.reader.owner_grammar import TOLERANCE, Owner, OwnerList

#: Shareholders of a company in one row, with the bounds of their shares in percent.
Split = Mapping[str, Interval]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def split_of(owners: OwnerList) -> Split:
    """Return shares by name; a name that is listed twice has the sum."""
    split: dict[str, Interval] = {}
    for owner, (low, high) in zip(owners.entries, owners.intervals(), strict=True):
        before = split.get(owner.name, Interval(0.0, 0.0))
        split[owner.name] = Interval(before.low + low, before.high + high)
    return split


def split_text(split: Split) -> str:
    """Return a split in words, largest share first."""
    ordered = sorted(split.items(), key=lambda item: (-item[1].high, item[0]))
    return "; ".join(f"{name or '(no name)'} {share_text(share)}" for name, share in ordered)


def share_text(share: Interval) -> str:
    """Return a share as GEM writes it, or as a range."""
    low, high = f"{share.low:.2f}", f"{share.high:.2f}"
    return f"[{low}%]" if low == high else f"[{low}-{high}%]"


def parents(owners: OwnerList, splits: Mapping[str, Split]) -> Split:
    """Return the parents (at most 676) of an asset with these owners, by the walk of ``layers.ownership.walk``.

    The walk gives shares by country, so each parent is a state with a made-up country code here.
    """
    names = sorted({name for split in splits.values() for name in split})
    code = {name: _LETTERS[number // 26] + _LETTERS[number % 26] for number, name in enumerate(names)}
    walk = Walk(OwnershipGraph(_records(owners, splits, code), None, None, minority="follow"), "asset")
    back = {letters: name for name, letters in code.items()}
    return {back[share.country]: share.share for share in walk.shares()}


def _records(owners: OwnerList, splits: Mapping[str, Split], code: Mapping[str, str]) -> Records:
    """Return two levels of stakes: the asset under its owners, and these under their shareholders."""
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
    part = share.within_whole()
    ends = {"share_min": part.low, "share_max": part.high}
    return Stake(id=f"{owned}>{owner}", owned=owned, owner=owner, **ends, source="row", checked="read")


def differences(derived: Split, stated: Split) -> tuple[str, ...]:
    """Return the names whose shares cannot be equal within 0.5 percentage points, or that only one side has."""
    return tuple(
        name
        for name in sorted({*derived, *stated})
        if not is_compatible(derived.get(name, Interval(0.0, 0.0)), stated.get(name, Interval(0.0, 0.0)))
    )


def is_compatible(first: Interval, second: Interval) -> bool:
    """Whether two shares may be equal: the bounds meet within the tolerance; a share of 0 fits no share above it."""
    apart = max(first.low - second.high, second.low - first.high)
    nothing = min(first.high, second.high) == 0 and max(first.high, second.high) > TOLERANCE
    return apart <= TOLERANCE and not nothing


#: Companies that no row of the file has alone: the curated company that stands for each, and GEM's names of its
#: holders.
CURATED_COMPANIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Southern Gas Corridor CJSC": (
        "sgc",
        {"socar": "SOCAR", "az-min": "Ministry of Economy of Azerbaijan Republic"},
    ),
}
_MAX_VARIANTS = 64


@dataclass(frozen=True, slots=True)
class OwnerColumns:
    """The two columns of one row of a tracker, under the row's GEM id or name."""

    id: str
    line: int
    owner: OwnerList
    parent: OwnerList


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A company with different shareholders in different rows: each split with the rows that have it."""

    company: str
    splits: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison of a row with several owners. ``verdict``: agree, disagree, or unknown, with the reasons."""

    id: str
    verdict: str
    owner: str
    ours: str
    theirs: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The splits learned from single-owner rows, and the comparisons of the rows with several owners.

    ``several`` counts companies with more than one shareholder; ``_known`` those whose shares are all known.
    """

    single_rows: int
    companies: int
    several: int
    companies_known: int
    several_known: int
    contradictions: tuple[Contradiction, ...]
    compared: tuple[Compared, ...]

    def of(self, verdict: str) -> tuple[Compared, ...]:
        """Return the comparisons with one verdict."""
        return tuple(row for row in self.compared if row.verdict == verdict)


def compare_columns(rows: Sequence[OwnerColumns], lent: Mapping[str, Split]) -> Agreement:
    """Compare the parents that follow from the owner column with those that GEM gives.

    The parent column of a row with one owner of the whole is that owner's split among its shareholders. Where rows
    contradict each other each version is tried, and a row agrees if one of them gives GEM's own parents. ``lent`` is
    used for companies that no row has alone. Shares agree within 0.5 percentage points; where a side has no exact
    share, the bounds of both must allow the same.
    """
    alone = [row for row in rows if single_owner(row) is not None and row.parent.entries]
    learned = _learned(alone)
    several = [row for row in rows if len(row.owner.entries) > 1]
    contradictions = tuple(
        Contradiction(company, tuple((split_text(split), tuple(ids)) for split, ids in versions))
        for company, versions in sorted(learned.items())
        if len(versions) > 1
    )
    known = {company: [split for split, _ in versions] for company, versions in learned.items()}
    splits = {**{company: [split] for company, split in lent.items()}, **known}
    exact = [versions for versions in known.values() if all(s.low == s.high for v in versions for s in v.values())]
    return Agreement(
        len(alone),
        len(known),
        _count_joint(known.values()),
        len(exact),
        _count_joint(exact),
        contradictions,
        tuple(_compared(row, splits) for row in several),
    )


def _count_joint(companies: Iterable[Sequence[Split]]) -> int:
    return sum(any(len(split) > 1 for split in versions) for versions in companies)


def single_owner(row: OwnerColumns) -> Owner | None:
    """Return the named owner of the whole, also where GEM leaves the 100 % out, or ``None``."""
    if len(row.owner.entries) != 1:
        return None
    owner = row.owner.entries[0]
    unmarked = any(oddity.name == "no-share" for oddity in row.owner.oddities)
    whole = unmarked or row.owner.sum == "whole"
    return owner if whole and owner.holder == "named" else None


def curated_splits(records: Records) -> dict[str, Split]:
    """Return the splits of ``LENT`` from curated stakes without an end; companies without such stakes are left out."""
    lent: dict[str, Split] = {}
    for company, (entity, names) in CURATED_COMPANIES.items():
        held = [stake for stake in records.stakes.values() if stake.owned == entity and stake.until is None]
        if held:
            lent[company] = {names.get(s.owner, s.owner): Interval(s.share_min, s.share_max) for s in held}
    return lent


def _learned(rows: Iterable[OwnerColumns]) -> dict[str, list[tuple[Split, list[str]]]]:
    """Return the versions of each company's split, each with the ids of its rows, the most frequent first."""
    learned: dict[str, list[tuple[Split, list[str]]]] = defaultdict(list)
    for row in rows:
        split = split_of(row.parent)
        versions = learned[row.owner.entries[0].name]
        ids = next((ids for other, ids in versions if not differences(split, other)), None)
        if ids is None:
            versions.append((split, [row.id]))
        else:
            ids.append(row.id)
    return {company: sorted(versions, key=lambda version: -len(version[1])) for company, versions in learned.items()}


def _compared(row: OwnerColumns, splits: Mapping[str, Sequence[Split]]) -> Compared:
    stated = split_of(row.parent)
    unknown = sorted({o.name for o in row.owner.entries if o.holder == "named" and o.name not in splits})
    tried = [parents(row.owner, chosen) for chosen in _variants(row, splits)]
    faults = [_conflicts(derived, stated) if unknown else differences(derived, stated) for derived in tried]
    best = min(range(len(tried)), key=lambda number: len(faults[number]))
    derived, conflicts = tried[best], faults[best]
    if stated and conflicts:
        return Compared(
            row.id,
            "disagree",
            row.owner.text,
            split_text(derived),
            split_text(stated),
            _why(row, derived, stated, conflicts),
        )
    verdict, why = "agree", tuple[str, ...]()
    if unknown:
        verdict, why = "unknown", (f"no row has {'; '.join(unknown)} alone",)
    elif not stated:
        verdict, why = "unknown", ("GEM gives no parents",)
    return Compared(row.id, verdict, row.owner.text, split_text(derived), split_text(stated), why)


def _conflicts(derived: Split, stated: Split) -> tuple[str, ...]:
    """Return the names whose known chains alone come to more than the other side allows."""
    none = Interval(0.0, 0.0)
    return tuple(name for name in sorted(derived) if derived[name].low > stated.get(name, none).high + TOLERANCE)


def _variants(row: OwnerColumns, splits: Mapping[str, Sequence[Split]]) -> Iterator[Mapping[str, Split]]:
    """Yield every choice among the versions of the row's owners.

    An owner that GEM does not name is its own parent; a named owner that no row has alone leads nowhere.
    """
    owners = {owner.name: owner for owner in row.owner.entries}
    names, whole = sorted(owners), Interval(100.0, 100.0)
    versions = [splits.get(name, [{} if owners[name].holder == "named" else {name: whole}]) for name in names]
    return (dict(zip(names, chosen, strict=True)) for chosen in islice(product(*versions), _MAX_VARIANTS))


def _why(row: OwnerColumns, derived: Split, stated: Split, names: Sequence[str]) -> tuple[str, ...]:
    reasons = []
    for column, owners in (("owner", row.owner), ("parent", row.parent)):
        if owners.over_100:
            reasons.append(f"the {column} column sums to {owners.known_sum:.2f}")
        if owners.sum == "under":
            reasons.append(f"the {column} column sums to {owners.known_sum:.2f} only")
    only_ours, only_theirs = [n for n in names if n not in stated], [n for n in names if n not in derived]
    if only_ours and len(only_ours) == len(only_theirs) == len(names) - len(only_ours):
        pairs = zip(
            sorted(only_ours, key=lambda n: derived[n].high),
            sorted(only_theirs, key=lambda n: stated[n].high),
            strict=True,
        )
        if all(is_compatible(derived[first], stated[second]) for first, second in pairs):
            reasons.append("the same shares under other names")
    for name in names:
        here, there = derived.get(name), stated.get(name)
        ours, theirs = (share_text(share) if share else "no one" for share in (here, there))
        reasons.append(f"{name}: ours {ours}, GEM's {theirs}")
    return tuple(reasons)
