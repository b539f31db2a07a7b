"""Interests of BODS 0.4 relationships: which of them are shares, and which are control or rights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layers.model import edtf
from layers.model.messages import Message
from layers.model.types import ControlKind
from layers.sources.bods.indirect_interests import BodsRelationship, ShareLink, percent
from layers.sources.bods.parties import cut
from layers.sources.bods.statements import Statement, StatementPart, UnreadableError

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
    "votingRights",
    "seniorManagingOfficial",
    "settlor",
    "trustee",
    "protector",
    "beneficiaryOfLegalArrangement",
    "rightsToSurplusAssetsOnDissolution",
    "rightsToProfitOrIncome",
    "rightsGrantedByContract",
    "conditionalRightsGrantedByContract",
    "boardMember",
    "boardChair",
    "enjoymentAndUseOfAssets",
    "rightToProfitOrIncomeFromAssets",
    "nominee",
    "nominator",
)
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
    ), tuple(_right(interest) for interest in interests if _is_right(interest))


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


def _is_right(interest: _Interest) -> bool:
    return not interest.is_share or (interest.beneficial and not interest.stated)


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
