"""Whether GEM's parent column follows from its owner column: companies' shareholders learned, walked, and compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from layers.model.records import Records
from layers.ownership.walk import Interval
from layers.sources.gem.owner_grammar import TOLERANCE, Owner, OwnerList
from layers.sources.gem.shareholder_splits import Split, differences, parents, same, share_told, split_of, told

#: Where no row of the file has a company alone: which curated company is lent, and what GEM calls its holders.
LENT: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Southern Gas Corridor CJSC": (
        "sgc",
        {"socar": "SOCAR", "az-min": "Ministry of Economy of Azerbaijan Republic"},
    ),
}
_MOST_VARIANTS = 64


@dataclass(frozen=True, slots=True)
class Listed:
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
    """One row with several owners. ``verdict``: agree, disagree, or unknown, with the reason."""

    id: str
    verdict: str
    owner: str
    ours: str
    theirs: str
    why: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the single-owner rows teach, and how the rows with several owners compare.

    ``several`` counts companies with more than one shareholder; ``_known`` those of which every share is known.
    """

    single_rows: int
    companies: int
    several: int
    companies_known: int
    several_known: int
    contradictions: tuple[Contradiction, ...]
    compared: tuple[Compared, ...]

    def of(self, verdict: str) -> tuple[Compared, ...]:
        """The rows of one verdict."""
        return tuple(row for row in self.compared if row.verdict == verdict)


def agreement(rows: Sequence[Listed], lent: Mapping[str, Split]) -> Agreement:
    """Compare the parents that follow from the owner column with those that GEM gives.

    A row with one owner of the whole shows who its shareholders are: its parent column. Where rows contradict each
    other each version is tried, and a row agrees if one of them gives GEM's own parents. ``lent`` is used for
    companies that no row has alone. Shares agree within 0.5 percentage points; where either side has no share,
    both must allow the same.
    """
    alone = [row for row in rows if single_owner(row) is not None and row.parent.entries]
    learned = _learned(alone)
    several = [row for row in rows if len(row.owner.entries) > 1]
    contradictions = tuple(
        Contradiction(company, tuple((told(split), tuple(ids)) for split, ids in versions))
        for company, versions in sorted(learned.items())
        if len(versions) > 1
    )
    known = {company: [split for split, _ in versions] for company, versions in learned.items()}
    splits = {**{company: [split] for company, split in lent.items()}, **known}
    exact = [versions for versions in known.values() if all(s.low == s.high for v in versions for s in v.values())]
    return Agreement(
        len(alone),
        len(known),
        _several(known.values()),
        len(exact),
        _several(exact),
        contradictions,
        tuple(_compared(row, splits) for row in several),
    )


def _several(companies: Iterable[Sequence[Split]]) -> int:
    return sum(any(len(split) > 1 for split in versions) for versions in companies)


def single_owner(row: Listed) -> Owner | None:
    """Give the named owner of all of it, also where GEM leaves the 100 % out, or ``None``."""
    if len(row.owner.entries) != 1:
        return None
    owner = row.owner.entries[0]
    unmarked = any(oddity.name == "no-share" for oddity in row.owner.oddities)
    whole = unmarked or row.owner.sum == "whole"
    return owner if whole and owner.holder == "named" else None


def lent_by(records: Records) -> dict[str, Split]:
    """Splits of ``LENT`` from curated stakes that are open today; companies that the records lack are left out."""
    found: dict[str, Split] = {}
    for company, (entity, names) in LENT.items():
        held = [stake for stake in records.stakes.values() if stake.owned == entity and stake.until is None]
        if held:
            found[company] = {names.get(s.owner, s.owner): Interval(s.share_min, s.share_max) for s in held}
    return found


def _learned(rows: Iterable[Listed]) -> dict[str, list[tuple[Split, list[str]]]]:
    """Versions of each company's split, each with the rows that have it, the commonest first."""
    found: dict[str, list[tuple[Split, list[str]]]] = defaultdict(list)
    for row in rows:
        split = split_of(row.parent)
        versions = found[row.owner.entries[0].name]
        ids = next((ids for other, ids in versions if not differences(split, other)), None)
        if ids is None:
            versions.append((split, [row.id]))
        else:
            ids.append(row.id)
    return {company: sorted(versions, key=lambda version: -len(version[1])) for company, versions in found.items()}


def _compared(row: Listed, splits: Mapping[str, Sequence[Split]]) -> Compared:
    theirs = split_of(row.parent)
    unknown = sorted({o.name for o in row.owner.entries if o.holder == "named" and o.name not in splits})
    tried = [parents(row.owner, chosen) for chosen in _variants(row, splits)]
    faults = [_conflicts(ours, theirs) if unknown else differences(ours, theirs) for ours in tried]
    best = min(range(len(tried)), key=lambda number: len(faults[number]))
    ours, found = tried[best], faults[best]
    if theirs and found:
        return Compared(row.id, "disagree", row.owner.text, told(ours), told(theirs), _why(row, ours, theirs, found))
    missing = f"no row has {'; '.join(unknown)} alone" if unknown else "GEM gives no parents"
    verdict, why = ("unknown", missing) if unknown or not theirs else ("agree", "")
    return Compared(row.id, verdict, row.owner.text, told(ours), told(theirs), why)


def _conflicts(ours: Split, theirs: Split) -> tuple[str, ...]:
    """Names of which the known chains alone make more than the other side allows."""
    none = Interval(0.0, 0.0)
    return tuple(name for name in sorted(ours) if ours[name].low > theirs.get(name, none).high + TOLERANCE)


def _variants(row: Listed, splits: Mapping[str, Sequence[Split]]) -> Iterator[Mapping[str, Split]]:
    """Every choice among the versions of the row's owners; owners that GEM does not name are their own parents.

    A named owner that no row has alone leads nowhere.
    """
    owners = {owner.name: owner for owner in row.owner.entries}
    names, whole = sorted(owners), Interval(100.0, 100.0)
    versions = [splits.get(name, [{} if owners[name].holder == "named" else {name: whole}]) for name in names]
    return (dict(zip(names, chosen, strict=True)) for chosen in islice(product(*versions), _MOST_VARIANTS))


def _why(row: Listed, ours: Split, theirs: Split, names: Sequence[str]) -> str:
    reasons = []
    for column, owners in (("owner", row.owner), ("parent", row.parent)):
        if owners.over_100:
            reasons.append(f"the {column} column sums to {owners.known:.2f}")
        if owners.sum == "under":
            reasons.append(f"the {column} column sums to {owners.known:.2f} only")
    only_ours, only_theirs = [n for n in names if n not in theirs], [n for n in names if n not in ours]
    if only_ours and len(only_ours) == len(only_theirs) == len(names) - len(only_ours):
        pairs = zip(
            sorted(only_ours, key=lambda n: ours[n].high),
            sorted(only_theirs, key=lambda n: theirs[n].high),
            strict=True,
        )
        if all(same(ours[one], theirs[other]) for one, other in pairs):
            reasons.append("the same shares under other names")
    for name in names:
        here, there = ours.get(name), theirs.get(name)
        reasons.append(
            f"{name}: ours {share_told(here) if here else 'none'}, GEM's {share_told(there) if there else 'none'}"
        )
    return "; ".join(reasons)
