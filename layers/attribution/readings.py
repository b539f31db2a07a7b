"""Three readings of whose a site is: where its owners are registered, where they are run from, and who controls it.

Each gives countries for each site that a strike hit. They are never added up: one share is registered in one country
and run from another, and who holds a minority controls nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, get_args

from layers.attribution.attribute import (
    HitOwnership,
    StrikeAttribution,
    days,
    sure_of_strike,
    sure_owners,
)
from layers.model import edtf
from layers.model.cache import LruCache
from layers.model.records import Records
from layers.model.types import CountryBasis
from layers.ownership.control import ControlPeriod, by_controlled, control_periods
from layers.ownership.owners import OwnersByDate
from layers.ownership.stake_graph import StakeColumns
from layers.ownership.walk import Interval

#: By registration of the ultimate holders, by their head offices, and by who controls the site.
Reading = Literal["registration", "headquarters", "control"]
READINGS: tuple[Reading, ...] = get_args(Reading)
#: Sites whose holders and controllers are cached.
_SITES = 20_000

#: Ids of the holders of a site that count to each country, ``None`` for those of no known country.
Holders: TypeAlias = Mapping[str | None, tuple[str, ...]]


class SiteReading(NamedTuple):
    """What one reading gives one country of one site that a strike hit, or may have hit.

    Attributes
    ----------
    country
        ISO 3166-1 alpha-2; ``None`` for the part that no country is known for, and where nobody surely controls it.
    sure
        Whether the strike counts, and this is so of what it hit whichever site that was, on each of its days.
    share
        Bounds in percent; ``None`` by control, which has no share.
    holders
        Ids of the ultimate holders that count to the country, or of who controls it.
    """

    hit: HitOwnership
    reading: Reading
    country: str | None
    sure: bool
    share: Interval | None
    holders: tuple[str, ...]


class SiteReadings:
    """Reads the sites of strikes in all three ways; the answers for a site are cached over days of the same stakes."""

    def __init__(self, records: Records, stakes: StakeColumns, owners_by_date: OwnersByDate) -> None:
        self._stakes, self._owners_by_date = stakes, owners_by_date
        self._controls = by_controlled(records.controls.values())
        self._holders: LruCache[Holders] = LruCache(_SITES)
        self._controllers: LruCache[Holders] = LruCache(_SITES)

    def of(self, registered: StrikeAttribution, run_from: StrikeAttribution) -> Iterator[SiteReading]:
        """Yield the readings of a strike, those of one site together.

        Parameters
        ----------
        registered, run_from
            The attribution of the strike by registration and by headquarters, with the same hits.
        """
        attributions = (registered, run_from)
        owning = [sure_of_strike(answer, sure_owners) for answer in attributions]
        on = days(registered.strike)
        controllers = {hit.hit.asset: self._controllers_of(hit.hit.asset, *on) for hit in registered.hits}
        controlling = sure_of_strike(registered, lambda hit: _only(controllers[hit.hit.asset]))
        for number, hit in enumerate(registered.hits):
            for answer, sure in zip(attributions, owning, strict=True):
                yield from self._owned(answer.hits[number], answer.basis, sure, *on)
            for country, holders in controllers[hit.hit.asset].items():
                yield SiteReading(hit, "control", country, country in controlling, None, holders)

    def _owned(
        self, hit: HitOwnership, basis: CountryBasis, sure: Set[str | None], first: date | None, last: date | None
    ) -> Iterator[SiteReading]:
        holders = self._holders_of(hit.hit.asset, basis, first, last)
        for row in hit.owners.shares:
            yield SiteReading(hit, basis, row.country, row.country in sure, row.share, holders.get(row.country, ()))
        if hit.owners.unattributed.high > 0:
            yield SiteReading(hit, basis, None, None in sure, hit.owners.unattributed, holders.get(None, ()))

    def _holders_of(self, asset: str, basis: CountryBasis, first: date | None, last: date | None) -> Holders:
        key = (self._owners_by_date.interval_key(first, last), basis, self._owners_by_date.owned_key(asset))
        return self._holders.get_or_compute(key, lambda: self._owners_by_date.on(first, last, basis).holders_of(asset))

    def _controllers_of(self, asset: str, first: date | None, last: date | None) -> Holders:
        """Who controls a site on any of some days, by country; ``None`` for nobody or of no country."""
        # Of days before and behind which the same stakes and controls have begun and ended, one answer holds.
        owned = asset if asset in self._controls else self._owners_by_date.owned_key(asset)
        begun = bisect_right(self._control_changes, first or date.min)
        over = bisect_right(self._control_changes, last or date.max)
        return self._controllers.get_or_compute(
            (self._owners_by_date.interval_key(first, last), begun, over, owned),
            lambda: _by_country(control_periods(self._stakes, self._controls, asset, first, last)),
        )

    @cached_property
    def _control_changes(self) -> list[date]:
        """Days, ascending, on which a control surely or possibly begins or ends."""
        stated = (
            edtf.parse(when)
            for controls in self._controls.values()
            for control in controls
            for when in (control.since, control.until)
            if when
        )
        return sorted({day for when in stated for day in (when.earliest, when.latest) if day is not None})


def _by_country(periods: Iterable[ControlPeriod]) -> Holders:
    found: dict[str | None, dict[str, None]] = {}
    for party in (period.controller for period in periods):
        holders = found.setdefault(party.country if party else None, {})
        if party:
            holders[party.entity] = None
    return {country: tuple(holders) for country, holders in found.items()}


def _only(controllers: Holders) -> Set[str | None]:
    """The country of who controls a site on each of some days, if that is one."""
    return controllers.keys() if len(controllers) == 1 else frozenset()
