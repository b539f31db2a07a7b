"""Interests of BODS 0.4 relationships: which are shares, and which control or rights; indirect ones are counted once.

A primary relationship with an indirect interest and the relationships that are its components describe the same stake
(BODS 0.4, relationship-record.json, isComponent and componentRecords). Only the components are counted; the sum that
the primary relationship declares narrows the shares that its components leave open.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from layers.model import edtf
from layers.model.messages import Message
from layers.model.types import ControlKind
from layers.sources.bods.statements import Statement, StatementPart, UnreadableError, cut

#: A declared sum and its components may differ by this many percentage points by rounding alone.
TOLERANCE = 0.5
_FULL_DAY = 10
# Maximum steps of the search for the paths of one primary relationship; beyond it no share is narrowed.
_MAX_STEPS = 500
# A declaration of more components than this must list which of them belong to a primary relationship.
_MAX_UNLISTED = 500

LinkPath = tuple["ShareLink", ...]
ReportContradiction = Callable[["ShareLink", Message], object]


@dataclass(frozen=True)
class ShareLink:
    """An interest that is, or may be, a share, with its bounds in percent.

    ``index`` is its position among the interests of the relationship ``record``; ``unstated``: no share is given.
    """

    record: str
    index: int
    owned: str
    owner: str
    low: float
    high: float
    unstated: bool
    indirect: bool = False
    since: str | None = None
    until: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, int]:
        """Record id and position, unique in a file."""
        return self.record, self.index

    def with_note(self, note: str) -> ShareLink:
        """Return the link with a further note."""
        return replace(self, notes=(*self.notes, note))


@dataclass(frozen=True)
class BodsRelationship:
    """A relationship with its links; ``group`` is the subject of its declaration.

    ``spare`` is a link of unknown share. It stands for the relationship where that is a component of a stake and states
    no share itself.
    """

    record: str
    owned: str
    owner: str
    component: bool
    listed: tuple[str, ...]
    group: str | None
    links: tuple[ShareLink, ...]
    fallback: ShareLink


def resolve_indirect(
    ties: Mapping[str, BodsRelationship], report: ReportContradiction
) -> tuple[tuple[ShareLink, ...], tuple[ShareLink, ...]]:
    """Return the links that count, and the indirect links that do not because their components count.

    ``ties``: relationships by record id. ``report``: called with a link whose declared share its components contradict,
    and with what was expected.
    """
    links = {link.key: link for tie in ties.values() for link in tie.links}
    components = _components_by_group(ties)
    told_twice = []
    for tie in ties.values():
        for link in tie.links:
            if not link.indirect or tie.component:
                continue
            parts = _parts(tie, ties, components)
            if not parts:
                links[link.key] = link.with_note("Indirect; no component of it is in the file.")
            elif not leads(parts, tie.owned, tie.owner):
                links[link.key] = _lower_bound_zero(link)
            else:
                del links[link.key]
                told_twice.append(link)
                links.update(_counted(link, parts, links, report))
    return tuple(links.values()), tuple(told_twice)


def _components_by_group(ties: Mapping[str, BodsRelationship]) -> dict[str | None, list[BodsRelationship]]:
    groups: dict[str | None, list[BodsRelationship]] = defaultdict(list)
    for tie in ties.values():
        if tie.component:
            groups[tie.group].append(tie)
    return groups


def _parts(
    tie: BodsRelationship, ties: Mapping[str, BodsRelationship], components: Mapping[str | None, list[BodsRelationship]]
) -> list[BodsRelationship]:
    """Return the components that a relationship lists, or else those of its declaration if they lead to its end."""
    if tie.listed:
        return [ties[record] for record in tie.listed if record in ties and record != tie.record]
    candidates = components.get(tie.group, []) if tie.group else []
    near = len(candidates) <= _MAX_UNLISTED and leads(candidates, tie.owned, tie.owner)
    return candidates if near else []


def _lower_bound_zero(link: ShareLink) -> ShareLink:
    note = (
        f"Indirect, {percent(link)} declared; its components in the file do not lead all the way, "
        "and it may be counted with them in part: at least 0."
    )
    return replace(link, low=0.0).with_note(note)


def leads(parts: Iterable[BodsRelationship], start: str, end: str) -> bool:
    """Whether the relationships lead from an owned party up to a holder."""
    above: dict[str, set[str]] = defaultdict(set)
    for tie in parts:
        above[tie.owned].add(tie.owner)
    seen, todo = {start}, [start]
    while todo:
        for owner in above[todo.pop()] - seen:
            seen.add(owner)
            todo.append(owner)
    return end in seen and start != end


def _counted(
    total: ShareLink,
    parts: Sequence[BodsRelationship],
    links: Mapping[tuple[str, int], ShareLink],
    report: ReportContradiction,
) -> dict[tuple[str, int], ShareLink]:
    """Return the components of a stake, narrowed by its declared sum, with a note that says so."""
    candidates = [link for tie in parts for link in _links_of(tie, links)]
    paths = _paths(candidates, total.owned, total.owner)
    on_path = {link.key for path in paths for link in path}
    counted = [link for link in candidates if link.key in on_path or (link.key in links and not on_path)]
    note = (
        f"Part of the indirect shareholding of {percent(total)} that record {total.record} declares; "
        "that one is not counted again."
    )
    noted = {link.key: link.with_note(note) for link in counted}
    if not paths or not all(_covers(link, total) for path in paths for link in path):
        return noted
    narrower = _narrowed(paths, total)
    if narrower is None:
        lower, upper = _bounds(paths)
        report(total, Message("bods.share-of-components", {"low": lower, "high": upper}))
        return noted
    return noted | {key: replace(link, notes=(*link.notes, note)) for key, link in narrower.items()}


def _links_of(tie: BodsRelationship, links: Mapping[tuple[str, int], ShareLink]) -> list[ShareLink]:
    if not tie.links:
        return [links.get(tie.fallback.key, tie.fallback)]
    return [links[link.key] for link in tie.links if link.key in links]


def percent(link: ShareLink) -> str:
    """Return a share in words."""
    if link.unstated:
        return "a share that is not stated"
    return f"{link.low:g} %" if link.low == link.high else f"{link.low:g} to {link.high:g} %"


def _paths(links: Iterable[ShareLink], start: str, end: str) -> list[LinkPath]:
    """Return every path upward; none where there are too many steps, or a circle."""
    above: dict[str, list[ShareLink]] = defaultdict(list)
    for link in links:
        above[link.owned].append(link)
    paths: list[LinkPath] = []
    todo: list[tuple[str, LinkPath]] = [(start, ())]
    for _ in range(_MAX_STEPS):
        if not todo:
            return paths
        node, path = todo.pop()
        for link in above[node]:
            if link.owner == end:
                paths.append((*path, link))
            elif link.owner in {start, *(step.owner for step in path)}:
                return []
            else:
                todo.append((link.owner, (*path, link)))
    return []


def _covers(link: ShareLink, total: ShareLink) -> bool:
    """Whether a link certainly holds whenever the whole stake does; a link without dates is taken to hold then."""
    if link.since is None and link.until is None:
        return True
    began = link.since is None or link.since == total.since or _is_before(link.since, total.since)
    return began and (link.until is None or link.until == total.until or _is_before(total.until, link.until))


def _is_before(first: str | None, second: str | None) -> bool:
    return bool(first and second and len(first) == len(second) == _FULL_DAY and first <= second)


def _bounds(paths: Sequence[LinkPath]) -> tuple[float, float]:
    """Return the least and the largest sum over the paths, in percent."""
    lower = sum(math.prod(link.low / 100 for link in path) for path in paths)
    upper = sum(math.prod(link.high / 100 for link in path) for path in paths)
    return 100 * lower, min(100.0, 100 * upper)


def _narrowed(paths: Sequence[LinkPath], total: ShareLink) -> dict[tuple[str, int], ShareLink] | None:
    """Return links without a stated share, narrowed; ``None`` where the components contradict the declared sum.

    The sum is a + b x in each share x, with a the paths around it and b those through it without it. So
    x >= (least sum - largest a) / largest b and x <= (largest sum - least a) / least b: outer bounds, exact where
    x is the only open share.
    """
    lower, upper = _bounds(paths)
    if total.low > upper + TOLERANCE or total.high < lower - TOLERANCE:
        return None
    narrower = {}
    for link in {step.key: step for path in paths for step in path if step.unstated}.values():
        around = [path for path in paths if link not in path]
        through = [tuple(step for step in path if step != link) for path in paths if link in path]
        (a_low, a_high), (b_low, b_high) = _bounds(around), _bounds(through)
        low = 100 * (total.low - a_high) / b_high if b_high > 0 else 0.0
        high = 100 * (total.high - a_low) / b_low if b_low > 0 else 100.0
        narrow = _within(link, low, high, total)
        if narrow is None:
            return None
        narrower[link.key] = narrow
    return narrower


def _within(link: ShareLink, low: float, high: float, total: ShareLink) -> ShareLink | None:
    # Divisions leave errors of the last digits; no source has more than six decimals.
    low, high = max(link.low, round(low, 6)), min(link.high, round(high, 6))
    if low > high:
        if low - high > TOLERANCE:
            return None
        low = high = min(100.0, low)
    if (low, high) == (link.low, link.high):
        return link
    dated = link.since is not None or link.until is not None
    since, until = (link.since, link.until) if dated else (total.since, total.until)
    narrow = replace(link, low=low, high=high, unstated=False, since=since, until=until)
    return replace(narrow, unstated=True).with_note(f"Not stated; {percent(narrow)} follows from the declared sum.")


SHARES = ("shareholding",)
UNCLEAR = ("unknownInterest", "unpublishedInterest")
#: Interest types that are control by their definition in the codelist, whoever is the beneficial owner.
CONTROLLING = (
    "appointmentOfBoard",
    "otherInfluenceOrControl",
    "controlViaCompanyRulesOrArticles",
    "controlByLegalFramework",
)
#: All other types of interest: rights, which may or may not come to control.
RIGHTS = (
    "votingRights", "seniorManagingOfficial", "settlor", "trustee", "protector", "beneficiaryOfLegalArrangement",
    "rightsToSurplusAssetsOnDissolution", "rightsToProfitOrIncome", "rightsGrantedByContract",
    "conditionalRightsGrantedByContract", "boardMember", "boardChair", "enjoymentAndUseOfAssets",
    "rightToProfitOrIncomeFromAssets", "nominee", "nominator",
)  # fmt: skip
INTEREST_TYPES = (*SHARES, *UNCLEAR, *CONTROLLING, *RIGHTS)


@dataclass(frozen=True)
class Right:
    """An interest that is no share, with the columns of a Control."""

    index: int
    kind: ControlKind
    since: str | None
    until: str | None
    note: str


@dataclass(frozen=True)
class _Interest:
    """An interest as stated; ``low`` and ``high`` are percent, 0 and 100 where no share is stated."""

    index: int
    type: str | None
    low: float
    high: float
    stated: bool
    majority_votes: bool
    indirect: bool
    beneficial: bool
    since: str | None
    until: str | None
    details: str | None

    @property
    def is_share(self) -> bool:
        """Whether the interest is, or may be, a share; an interest without a type may be."""
        return self.type is None or self.type in (*SHARES, *UNCLEAR)


def relationship_of(statement: Statement, owned: str, owner: str) -> tuple[BodsRelationship, tuple[Right, ...]]:
    """Return the shares and the rights of a relationship.

    A relationship without interests is taken to be one interest of an unknown kind. An interest that cannot be read is
    listed as a problem and left out.
    """
    interests = tuple(_interests(statement))
    details, record = statement.details, statement.record
    links = tuple(_link(record, owned, owner, interest) for interest in interests if interest.is_share)
    return BodsRelationship(
        record,
        owned,
        owner,
        details.flag("isComponent"),
        details.texts("componentRecords"),
        statement.body.text("declarationSubject"),
        links,
        _spare(record, owned, owner, interests),
    ), tuple(_right(one) for one in interests if not one.is_share or (one.beneficial and not one.stated))


def _interests(statement: Statement) -> Iterator[_Interest]:
    parts = statement.details.parts("interests")
    if not statement.details.values.get("interests"):
        parts = [statement.details.part("interests[0]")]
    for index, part in enumerate(parts):
        try:
            yield _interest(index, part, statement)
        except UnreadableError:
            continue


def _interest(index: int, part: StatementPart, statement: Statement) -> _Interest:
    share = part.part("share")
    low, high = _range(share)
    since, until = part.day("startDate"), part.day("endDate")
    if until is None and statement.closed:
        until = statement.day
    if not _in_order(since, until):
        raise part.fault("endDate", Message("bods.end-after-start", {"start": since}), until)
    kind = part.choice("type", INTEREST_TYPES) if part.values.get("type") is not None else None
    stated = part.values.get("directOrIndirect") is not None
    directness = part.choice("directOrIndirect", ("direct", "indirect", "unknown")) if stated else "unknown"
    return _Interest(
        index=index,
        type=kind,
        low=low,
        high=high,
        stated=bool(share.values),
        majority_votes=low > 50 or (share.percent("exclusiveMinimum") or 0) >= 50,
        indirect=directness == "indirect",
        beneficial=part.flag("beneficialOwnershipOrControl"),
        since=since,
        until=until,
        details=part.text("details"),
    )


def _range(share: StatementPart) -> tuple[float, float]:
    """Return the bounds of a share in percent; exclusive bounds count as inclusive, as sums ignore the difference."""
    names = ("exact", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
    exact, *ends = (share.percent(name) for name in names)
    low = max((end for end in ends[:2] if end is not None), default=0.0)
    high = min((end for end in ends[2:] if end is not None), default=100.0)
    if low > high:
        raise share.fault("minimum", Message("bods.minimum", {"high": high}), low)
    if exact is None:
        return low, high
    if not low <= exact <= high:
        raise share.fault("exact", Message("bods.exact", {"low": low, "high": high}))
    return exact, exact


def _in_order(since: str | None, until: str | None) -> bool:
    if since is None or until is None:
        return True
    first, last = edtf.parse(since).earliest, edtf.parse(until).latest
    return first is None or last is None or first <= last


def _link(record: str, owned: str, owner: str, interest: _Interest) -> ShareLink:
    notes = [
        "The kind of interest is not stated." if interest.type is None else "",
        f"{interest.type}: it need not be a share." if interest.type in UNCLEAR else "",
        "" if interest.stated else "The share is not stated.",
        interest.details or "",
    ]
    return ShareLink(
        record=record,
        index=interest.index,
        owned=owned,
        owner=owner,
        low=interest.low if interest.type in SHARES else 0.0,
        high=interest.high,
        unstated=not interest.stated,
        indirect=interest.indirect,
        since=interest.since,
        until=interest.until,
        notes=tuple(note for note in notes if note),
    )


def _spare(record: str, owned: str, owner: str, interests: tuple[_Interest, ...]) -> ShareLink:
    """Return the link for this relationship as a component of a stake, used if none of its interests is a share."""
    kinds = ", ".join(dict.fromkeys(interest.type or "" for interest in interests))
    dates = {(interest.since, interest.until) for interest in interests}
    since, until = dates.pop() if len(dates) == 1 else (None, None)
    notes = (f"No share is stated, only: {kinds}.",)
    return ShareLink(record, 0, owned, owner, 0.0, 100.0, True, since=since, until=until, notes=notes)


def _right(interest: _Interest) -> Right:
    kind: ControlKind = "rights"
    if interest.type == "votingRights" and interest.majority_votes:
        kind = "majority-of-votes"
    elif interest.beneficial or interest.type in CONTROLLING:
        kind = "declared"
    share = f"{interest.low:g}" if interest.low == interest.high else f"{interest.low:g} to {interest.high:g}"
    remarks = [
        interest.type or "interest of a kind that is not stated",
        f"{share} %" if interest.stated else "",
        "indirect" if interest.indirect else "",
        "beneficial owner" if interest.beneficial else "",
    ]
    note = ", ".join(part for part in remarks if part)
    return Right(
        interest.index,
        kind,
        interest.since,
        interest.until,
        cut(f"{note}: {interest.details}" if interest.details else note),
    )


def beneficial_by_components(statement: Statement, link: ShareLink) -> Right | None:
    """Return the control that an indirect share still states, once its components count: beneficial ownership."""
    parts = statement.details.parts("interests")
    if link.unstated or not parts or not parts[link.index].flag("beneficialOwnershipOrControl"):
        return None
    note = f"Beneficial owner by an indirect share of {percent(link)}, which is counted by its components."
    return Right(link.index, "declared", link.since, link.until, note)
