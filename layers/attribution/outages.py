"""How much of an asset did not work on each day: bounds by what the sources of its conditions say.

As in statistics of unplanned outages, a day counts by the part of the capacity that was not available on it, and of
conditions that overlap none is counted twice (NERC, Generating Availability Data System, derated hours).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Literal, get_args

from layers.attribution.attribute import NEGLIGIBLE, stands
from layers.decisions.hits import StrikeOutcome
from layers.model import edtf
from layers.model.records import Asset, Condition, Records
from layers.model.types import CountryBasis, WorkingStatus
from layers.ownership.minority import Minority
from layers.ownership.owners import OwnersByDate
from layers.ownership.walk import Interval

#: Why capacity was not its owner's to use: a strike that stands, what no strike is named for, or an occupation.
Cause = Literal["strike", "other", "occupied"]
CAUSES: tuple[Cause, ...] = get_args(Cause)

_BEGINNING, _END = date.min.toordinal(), date.max.toordinal() + 1
#: Percent of the capacity that is lost by each status where no source says which part worked.
_LOST: Mapping[WorkingStatus, Interval] = {
    "running": Interval(0.0, 0.0),
    "reduced": Interval(0.0, 100.0),
    "offline": Interval(100.0, 100.0),
    "destroyed": Interval(100.0, 100.0),
    "occupied": Interval(100.0, 100.0),
}


@dataclass(frozen=True, slots=True)
class StatedOutage:
    """A condition as days, proleptic Gregorian ordinals: it surely held on some, and may have held on more.

    Attributes
    ----------
    lost
        Bounds of the part of the capacity that did not work, in percent; of an occupation all of it.
    cause
        Why.
    may_from, may_until
        The first day on which it may have held, and the first after it on which it no longer may.
    sure_from, sure_until
        The same of the days on which it surely held; equal where there is none.
    ends
        Whether a source tells its end.
    """

    lost: Interval
    cause: Cause
    may_from: int
    may_until: int
    sure_from: int
    sure_until: int
    ends: bool


def stated_outage(condition: Condition, cause: Cause, is_sure: bool = True) -> StatedOutage:
    """Read a condition as days.

    Parameters
    ----------
    condition
        Where no source tells its end, it surely held on its first day alone, if that is known to the day.
    cause
        Why capacity was lost.
    is_sure
        Whether it holds at all; else there is no day on which it surely did.
    """
    since = edtf.parse(condition.since)
    until = edtf.parse(condition.until) if condition.until else None
    may_from = since.earliest.toordinal() if since.earliest else _BEGINNING
    sure_from = since.latest.toordinal() if since.latest else _END
    may_until = until.latest.toordinal() if until and until.latest else _END
    if until is None:
        sure_until = sure_from + 1 if since.earliest == since.latest else sure_from
    else:
        sure_until = until.earliest.toordinal() if until.earliest else sure_from
    if not is_sure or sure_until < sure_from:
        sure_until = sure_from
    return StatedOutage(_lost(condition), cause, may_from, may_until, sure_from, sure_until, until is not None)


def _lost(condition: Condition) -> Interval:
    if condition.status == "occupied" or condition.working_min is None or condition.working_max is None:
        return _LOST[condition.status]
    return Interval(100.0 - condition.working_max, 100.0 - condition.working_min)


@dataclass(frozen=True, slots=True)
class LostSpan:
    """Days, inclusive, on each of which the same part of a capacity was lost: bounds in percent by cause."""

    first: date
    last: date
    lost: Mapping[Cause, Interval]


def lost_spans(outages: Iterable[StatedOutage], first: date, last: date) -> Iterator[LostSpan]:
    """Yield the spans from ``first`` to ``last`` on which capacity of one asset was, or may have been, lost, in order.

    What surely held on a day decides: the part lost is within the bounds of each condition that did, or, where these
    contradict each other, within those of all. What only may have held counts where nothing surely did. A condition
    whose end no source tells is over once another one surely holds on a later day than that on which it began.
    """
    stated = [*_superseded([*outages])]
    start, stop = first.toordinal(), last.toordinal() + 1
    days = {day for one in stated for day in (one.may_from, one.may_until, one.sure_from, one.sure_until)}
    for begun, ended in pairwise(sorted({day for day in days if start < day < stop} | {start, stop})):
        lost = _lost_on(begun, stated)
        if lost:
            yield LostSpan(date.fromordinal(begun), date.fromordinal(ended - 1), lost)


def _superseded(outages: Sequence[StatedOutage]) -> Iterator[StatedOutage]:
    """Yield outages; those whose end no source tells end, at the latest, where a later one of their sort holds."""
    for one in outages:
        ends = [one.may_until]
        for other in outages:
            later = max(other.sure_from, one.sure_from + 1)
            if later < other.sure_until and (other.cause == "occupied") == (one.cause == "occupied"):
                ends.append(later)
        yield one if one.ends else replace(one, may_until=min(ends))


def _lost_on(day: int, outages: Sequence[StatedOutage]) -> dict[Cause, Interval]:
    """Return the bounds of the part that was lost on a day, by cause; causes without any are left out."""
    held = [one for one in outages if one.may_from <= day < one.may_until]
    sure = [one for one in held if one.sure_from <= day < one.sure_until]
    lost: dict[Cause, Interval] = {}
    if any(one.cause == "occupied" for one in held):
        lost["occupied"] = Interval(100.0 * any(one.cause == "occupied" for one in sure), 100.0)
    part = _combined(
        [one.lost for one in held if one.cause != "occupied"], [o.lost for o in sure if o.cause != "occupied"]
    )
    causes: tuple[Cause, ...] = ("strike", "other")
    for cause in causes:
        # Where both may have cost capacity on a day, it is open how much of it either did.
        beside = any(one.cause not in (cause, "occupied") and one.lost.high > 0 for one in held)
        low = part.low if any(one.cause == cause for one in sure) and not beside else 0.0
        if any(one.cause == cause for one in held) and part.high > 0:
            lost[cause] = Interval(low, part.high)
    return lost


def _combined(held: Sequence[Interval], sure: Sequence[Interval]) -> Interval:
    if not sure:
        return Interval(0.0, max((part.high for part in held), default=0.0))
    low, high = max(part.low for part in sure), min(part.high for part in sure)
    if low <= high:
        return Interval(low, high)
    return Interval(min(part.low for part in sure), max(part.high for part in sure))


@dataclass(frozen=True, slots=True)
class OwnedSpan:
    """Days on each of which the same part of an asset's capacity was lost, and the same shares of it were held.

    ``lost`` is in percent by cause, ``shares`` in percent by country.
    """

    first: date
    last: date
    lost: Mapping[Cause, Interval]
    shares: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class AssetOutages:
    """The conditions of an asset, and the days on which they cost capacity."""

    asset: Asset
    host: str | None
    conditions: tuple[Condition, ...]
    spans: tuple[OwnedSpan, ...]


def asset_outages(
    records: Records,
    owners: OwnersByDate,
    outcome_of: Callable[[str], StrikeOutcome],
    data_date: date,
    basis: CountryBasis = "registration",
    minority: Minority = "stay",
) -> tuple[AssetOutages, ...]:
    """Return the outages of all assets that conditions are known of, up to the day of the data.

    Parameters
    ----------
    outcome_of
        Gives the outcome of a strike by its id. A condition by a strike that does not stand has another cause; one of
        an asset that the strike only may have hit holds on no day for sure.
    """
    by_asset: dict[str, list[Condition]] = defaultdict(list)
    for condition in records.conditions.values():
        by_asset[condition.asset].append(condition)
    answers = []
    for name in sorted(by_asset.keys() & records.assets.keys()):
        asset, conditions = records.assets[name], sorted(by_asset[name], key=lambda one: (one.since, one.id))
        stated = [_by_outcome(one, records, outcome_of) for one in conditions]
        spans = _owned_spans(name, stated, owners, data_date, basis, minority)
        answers.append(AssetOutages(asset, _host(records, asset, conditions), tuple(conditions), tuple(spans)))
    return tuple(answers)


def _by_outcome(condition: Condition, records: Records, outcome_of: Callable[[str], StrikeOutcome]) -> StatedOutage:
    if condition.status == "occupied":
        return stated_outage(condition, "occupied")
    if condition.strike is None or condition.strike not in records.strikes:
        return stated_outage(condition, "other")
    strike, outcome = records.strikes[condition.strike], outcome_of(condition.strike)
    if not stands(strike.status, outcome):
        return stated_outage(condition, "other")
    is_possible = any(hit.asset == condition.asset and hit.verdict != "confirmed" for hit in outcome.hits)
    is_sure = strike.status != "draft" and not is_possible
    return stated_outage(condition, "strike", is_sure=is_sure)


def _host(records: Records, asset: Asset, conditions: Iterable[Condition]) -> str | None:
    """Return the country that an asset lies in, of one across borders that where it was struck."""
    strikes = (records.strikes.get(one.strike) for one in conditions if one.strike)
    struck = (strike.host_country for strike in strikes if strike is not None)
    return asset.host_country or next(struck, None)


def _owned_spans(
    asset: str,
    stated: Sequence[StatedOutage],
    owners: OwnersByDate,
    data_date: date,
    basis: CountryBasis,
    minority: Minority,
) -> Iterator[OwnedSpan]:
    first = min(one.may_from for one in stated)
    if first > data_date.toordinal():
        return
    for span in lost_spans(stated, date.fromordinal(first), data_date):
        for begun, ended in owners.constant_spans(asset, span.first, span.last):
            rows = owners.on(begun, begun, basis, minority).of(asset).shares
            shares = {row.country: row.share.within_whole() for row in rows}
            held = {country: share for country, share in shares.items() if share.high > NEGLIGIBLE}
            yield OwnedSpan(begun, ended, span.lost, held)
