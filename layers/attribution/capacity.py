"""Capacity of the sites that were hit, and capacity-days lost, of one holder and in each unit: never mixed, converted.

Of a whole and its parts (``part_of``) in one unit only one side counts: of sites hit the whole, of days lost the side
that lost more. A site whose capacity is not known counts as such, under the unit ``None``, and never as 0.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from math import fsum
from typing import NamedTuple, TypeAlias

from layers.attribution.attribute import (
    NEGLIGIBLE,
    HitOwnership,
    StrikeAttribution,
    counts_as_strike,
    is_sure_strike,
)
from layers.attribution.outages import CAUSES, AssetOutages, Cause, OwnedSpan
from layers.model import edtf
from layers.model.records import Asset
from layers.ownership.walk import Interval

_NONE, _WHOLE = Interval(0.0, 0.0), Interval(100.0, 100.0)
#: Sets of sites that strikes may have hit together, up to which bounds are exact.
_MAX_UNIONS = 4096
#: Capacity by unit; ``None`` is of the sites whose capacity is not known.
Unit: TypeAlias = str | None


@dataclass(frozen=True, slots=True)
class Holder:
    """The part of a capacity that is counted, in percent: of a site that a strike hit, and on days of an outage."""

    of_hit: Callable[[StrikeAttribution, HitOwnership], Interval]
    of_span: Callable[[AssetOutages, OwnedSpan], Interval]


def owner(country: str) -> Holder:
    """What owners of a country held (ISO 3166-1 alpha-2)."""

    def of_hit(_: StrikeAttribution, hit: HitOwnership) -> Interval:
        return next((row.share for row in hit.owners.shares if row.country == country), _NONE).within_whole()

    return Holder(of_hit, lambda _, span: span.shares.get(country, _NONE))


def host(country: str) -> Holder:
    """All of what lies in a country (ISO 3166-1 alpha-2)."""
    return Holder(
        lambda answer, _: _WHOLE if answer.host.country == country else _NONE,
        lambda outages, _: _WHOLE if outages.host == country else _NONE,
    )


def anyone() -> Holder:
    """All of whatever was hit, whoever held it and wherever it lies."""
    return Holder(lambda _, hit: _WHOLE, lambda _, span: _WHOLE)


@dataclass(frozen=True, slots=True)
class Capacity:
    """Capacity, or capacity-days, in one unit: bounds, and how many sites may be in it and surely are.

    Of sites whose capacity is not known the bounds are 0.
    """

    low: float
    high: float
    sites: int
    sites_sure: int


def unit_of(asset: Asset) -> Unit:
    """Return the unit of an asset's capacity; ``None`` where the capacity is not known."""
    return asset.capacity_unit if asset.capacity is not None else None


def _wholes(asset: Asset, assets: Mapping[str, Asset]) -> list[Asset]:
    """Return the assets that one is part of, the nearest first; of assets in a circle, those of lower ids."""
    wholes: dict[str, Asset] = {}
    name = asset.part_of
    while name is not None and name != asset.id and name not in wholes and name in assets:
        wholes[name] = assets[name]
        name = assets[name].part_of
    if name == asset.id:
        return [wholes[lower] for lower in sorted(wholes, reverse=True) if lower < asset.id]
    return [*wholes.values()]


@dataclass
class StruckSite:
    """A site that strikes of a period hit or may have hit: what was held of it, and by which strikes.

    ``share`` is from the least to the largest on the days of these strikes.
    """

    asset: Asset
    share: Interval
    strikes: list[StrikeAttribution] = field(default_factory=list)


@dataclass(frozen=True)
class StruckSites:
    """The sites of a holder that strikes hit or may have hit.

    Attributes
    ----------
    sites
        By id.
    sure
        Ids of those that some strike hit whichever of its sites it hit.
    worlds
        Of each strike of which it is open what it hit, the sets of sites of which one is that.
    """

    sites: Mapping[str, StruckSite]
    sure: AbstractSet[str]
    worlds: Sequence[AbstractSet[frozenset[str]]]


def struck_sites(
    assets: Mapping[str, Asset],
    answers: Iterable[StrikeAttribution],
    holder: Holder,
    first: date | None = None,
    last: date | None = None,
) -> StruckSites:
    """Gather the sites of which a holder had part when strikes hit or may have hit them.

    Parameters
    ----------
    assets
        All assets by id.
    answers
        Attributions of strikes; those that do not stand are left out.
    first, last
        The period, inclusive; ``None`` is open. A draft, and a strike that may have been on days outside it, may have
        hit nothing.
    """
    sites: dict[str, StruckSite] = {}
    sure: set[str] = set()
    worlds: list[AbstractSet[frozenset[str]]] = []
    for answer in answers:
        if not answer.hits or not counts_as_strike(answer):
            continue
        when = edtf.parse(answer.strike.when)
        if not when.may_overlap(first, last):
            continue
        shares = {hit.hit.asset: holder.of_hit(answer, hit) for hit in answer.hits}
        if all(share.high <= NEGLIGIBLE for share in shares.values()):
            continue
        for name, share in shares.items():
            site = sites.get(name)
            if site is None:
                site = sites[name] = StruckSite(assets[name], share)
            elif share != site.share:
                site.share = Interval(min(site.share.low, share.low), max(site.share.high, share.high))
            site.strikes.append(answer)
        is_sure = is_sure_strike(answer) and when.lies_within(first, last)
        if is_sure and all(hit.hit.verdict == "confirmed" for hit in answer.hits):
            sure.update(shares)
        else:
            possible = _worlds(answer) if is_sure else {*_worlds(answer), frozenset()}
            sure |= frozenset.intersection(*possible)
            worlds.append(possible)
    return StruckSites(sites, sure, worlds)


def _worlds(answer: StrikeAttribution) -> set[frozenset[str]]:
    """Return the sets of sites of which one is what a strike hit (see ``country_totals``)."""
    sure = frozenset(hit.hit.asset for hit in answer.hits if hit.hit.verdict == "confirmed")
    candidates = [hit.hit.asset for hit in answer.hits if hit.hit.verdict != "confirmed"]
    worlds = {sure | {candidate} for candidate in candidates}
    return worlds if len(candidates) > 1 and not sure else worlds | {sure}


def capacity_hit(assets: Mapping[str, Asset], struck: StruckSites) -> dict[Unit, Capacity]:
    """Sum the capacity of the sites that were hit, each once, by unit.

    The bounds are the least and the largest sum over all that can have been hit. They are outer bounds where strikes
    that are tied to each other by sites they may share leave more than 4096 sets of sites open.
    """
    scored = {name: _Site.of(site, assets, struck.sites) for name, site in struck.sites.items()}
    units = {site.unit for site in scored.values() if site.high > NEGLIGIBLE}
    totals: dict[Unit, list[Capacity]] = {unit: [] for unit in units}
    lone = _lone_sites(struck, scored)
    for name in lone:
        if (site := scored[name]).high > NEGLIGIBLE:
            totals[site.unit].append(Capacity(site.capacity * site.low / 100, site.capacity * site.high / 100, 0, 0))
    for unions in _components(struck, scored, lone):
        for unit in units & {scored[name].unit for union in unions for name in union}:
            totals[unit].append(_bounds(unit, unions, scored))
    return {
        unit: Capacity(
            fsum(part.low for part in parts),
            fsum(part.high for part in parts),
            sum(site.unit == unit and site.high > NEGLIGIBLE for site in scored.values()),
            sum(scored[name].unit == unit and scored[name].low > NEGLIGIBLE for name in struck.sure),
        )
        for unit, parts in totals.items()
    }


class _Site(NamedTuple):
    """What a site adds to a sum where it was hit: bounds of the share in percent, and the wholes that stand for it."""

    unit: Unit
    capacity: float
    low: float
    high: float
    wholes: frozenset[str]
    family: str

    @classmethod
    def of(cls, site: StruckSite, assets: Mapping[str, Asset], struck: Mapping[str, StruckSite]) -> _Site:
        wholes = _wholes(site.asset, assets)
        unit, capacity = unit_of(site.asset), site.asset.capacity
        stand_for = frozenset(whole.id for whole in wholes if whole.id in struck and unit_of(whole) == unit)
        family = wholes[-1].id if wholes else site.asset.id
        known = capacity if unit is not None and capacity is not None else 0.0
        return cls(unit, known, site.share.low, site.share.high, stand_for, family)


def _lone_sites(struck: StruckSites, sites: Mapping[str, _Site]) -> AbstractSet[str]:
    """Return the sites that surely were hit, and are neither part of a site nor have parts among those struck."""
    has_parts = {site.family for name, site in sites.items() if site.family != name}
    return {name for name in struck.sure if sites[name].family == name and name not in has_parts}


def _components(
    struck: StruckSites, sites: Mapping[str, _Site], lone: AbstractSet[str]
) -> Iterator[AbstractSet[frozenset[str]]]:
    """Yield the sets of sites that may have been hit together, without lone ones: apart where no strike ties them."""
    sure = struck.sure
    still_open = [left for worlds in struck.worlds if len(left := {world - sure for world in worlds}) > 1]
    top: dict[str, str] = {}

    def find(name: str) -> str:
        while top.setdefault(name, name) != name:
            top[name] = name = top[top[name]]
        return name

    for worlds in still_open:
        first, *others = {sites[name].family for world in worlds for name in world}
        for family in others:
            top[find(family)] = find(first)
    known: dict[str, set[str]] = defaultdict(set)
    for name in sure - lone:
        known[find(sites[name].family)].add(name)
    together: dict[str, list[AbstractSet[frozenset[str]]]] = defaultdict(list)
    for worlds in still_open:
        together[find(next(sites[name].family for world in worlds for name in world))].append(worlds)
    for family in dict.fromkeys((*known, *together)):
        yield _unions(frozenset(known[family]), together[family])


def _unions(known: frozenset[str], strikes: Iterable[AbstractSet[frozenset[str]]]) -> AbstractSet[frozenset[str]]:
    """Return every set of sites that were hit with those known; only the least and the largest of very many."""
    unions: set[frozenset[str]] = {known}
    for worlds in strikes:
        unions = {union | world for union in unions for world in worlds}
        if len(unions) > _MAX_UNIONS:
            return {known, known.union(*(world for worlds in strikes for world in worlds))}
    return unions


def _bounds(unit: Unit, unions: AbstractSet[frozenset[str]], sites: Mapping[str, _Site]) -> Capacity:
    sums = []
    for union in unions:
        counted = [sites[name] for name in union if sites[name].unit == unit and not sites[name].wholes & union]
        sums.append([fsum(site.capacity * getattr(site, end) / 100 for site in counted) for end in ("low", "high")])
    return Capacity(min(low for low, _ in sums), max(high for _, high in sums), 0, 0)


def capacity_days(
    assets: Mapping[str, Asset],
    outages: Iterable[AssetOutages],
    holder: Holder,
    first: date | None = None,
    last: date | None = None,
) -> dict[tuple[Cause, Unit], Capacity]:
    """Sum a holder's share x capacity x part lost over the days of a period, by cause and unit.

    Parameters
    ----------
    assets
        All assets by id.
    outages
        Outages by asset (see ``outages.asset_outages``), which end on the day of the data.
    first, last
        The period, inclusive; ``None`` is open.

    Returns
    -------
    dict
        Capacity-days: of 5 MW lost for two days 10, under "MW". Sums of adjoining periods add up to that of both.
    """
    by_unit: dict[Unit, dict[str, _DailyLosses]] = defaultdict(dict)
    for one in outages:
        daily = _DailyLosses.of(one, holder, first, last)
        if daily.starts:
            by_unit[unit_of(one.asset)][one.asset.id] = daily
    totals = {}
    for unit, sites in by_unit.items():
        parts = _parts(sites, assets)
        for cause in CAUSES:
            lost = [site.largest(cause) for site in sites.values()]
            if any(part.high > NEGLIGIBLE for part in lost):
                bounds = [] if unit is None else [*_each_span(cause, sites, parts)]
                low, high = (fsum(getattr(part, end) for part in bounds) for end in ("low", "high"))
                count = sum(part.high > NEGLIGIBLE for part in lost)
                totals[cause, unit] = Capacity(low, high, count, sum(part.low > NEGLIGIBLE for part in lost))
    return totals


class _Loss(NamedTuple):
    """What is lost of a capacity on a day: bounds of all of it, and of what a holder has of it."""

    total_low: float
    low: float
    high: float


_NO_LOSS = _Loss(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class _DailyLosses:
    """Losses of one asset by spans of days: ordinals of their first days and of the days after their last ones."""

    starts: list[int]
    stops: list[int]
    by_cause: Mapping[Cause, Sequence[_Loss]]

    @classmethod
    def of(cls, outages: AssetOutages, holder: Holder, first: date | None, last: date | None) -> _DailyLosses:
        capacity = outages.asset.capacity if unit_of(outages.asset) is not None else None
        size = 1.0 if capacity is None else capacity
        starts, stops = [], []
        losses: dict[Cause, list[_Loss]] = {cause: [] for cause in CAUSES}
        for span in outages.spans:
            begun, ended = max(span.first, first or span.first), min(span.last, last or span.last)
            share = holder.of_span(outages, span)
            if begun > ended or share.high <= NEGLIGIBLE:
                continue
            starts.append(begun.toordinal())
            stops.append(ended.toordinal() + 1)
            for cause, of_cause in losses.items():
                lost = span.lost.get(cause, _NONE)
                low, high = size * lost.low / 100, size * lost.high / 100
                of_cause.append(_Loss(low, low * share.low / 100, high * share.high / 100))
        return cls(starts, stops, losses)

    def on(self, day: int, cause: Cause) -> _Loss:
        """Return what is lost on a day."""
        place = bisect_right(self.starts, day) - 1
        return self.by_cause[cause][place] if place >= 0 and day < self.stops[place] else _NO_LOSS

    def largest(self, cause: Cause) -> Interval:
        """Return the largest bounds of what a holder loses on any day."""
        losses = self.by_cause[cause]
        return Interval(
            max((loss.low for loss in losses), default=0.0), max((loss.high for loss in losses), default=0.0)
        )


def _parts(sites: Mapping[str, _DailyLosses], assets: Mapping[str, Asset]) -> Mapping[str | None, list[str]]:
    """Return the sites directly below each one; below ``None`` those that are part of none of the others."""
    parts: dict[str | None, list[str]] = defaultdict(list)
    for name in sites:
        whole = next((one.id for one in _wholes(assets[name], assets) if one.id in sites), None)
        parts[whole].append(name)
    return parts


def _each_span(
    cause: Cause, sites: Mapping[str, _DailyLosses], parts: Mapping[str | None, list[str]]
) -> Iterator[Interval]:
    """Yield the capacity-days of each top site, its parts in it, over each span on which nothing changes."""
    for top in parts.get(None, ()):
        family = [top]
        for name in family:
            family += parts.get(name, ())
        edges = sorted({day for name in family for days in (sites[name].starts, sites[name].stops) for day in days})
        for begun, ended in pairwise(edges):
            loss = _with_parts(begun, cause, top, sites, parts)
            yield Interval(loss.low * (ended - begun), loss.high * (ended - begun))


def _with_parts(
    day: int, cause: Cause, name: str, sites: Mapping[str, _DailyLosses], parts: Mapping[str | None, list[str]]
) -> _Loss:
    """Return what is lost of a site on a day; where its parts lost more than is said of the whole, what they lost."""
    own = sites[name].on(day, cause)
    below = [_with_parts(day, cause, part, sites, parts) for part in parts.get(name, ())]
    if not below:
        return own
    together = _Loss(*map(fsum, zip(*below, strict=True)))
    larger = max(own, together, key=lambda loss: loss.total_low)
    return _Loss(larger.total_low, larger.low, max(own.high, together.high))
