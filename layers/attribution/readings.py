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

from layers.attribution.attribute import HitOwnership, StrikeAttribution, days, sure_of_strike
from layers.model import edtf
from layers.model.cache import LruCache
from layers.model.records import Records
from layers.model.types import CountryBasis
from layers.ownership.control import ControlPeriod, by_controlled, control_periods
from layers.ownership.owners import OwnersByDate
from layers.ownership.stake_graph import StakeColumns

#: By registration of the ultimate holders, by their head offices, and by who controls the site.
Reading = Literal["registration", "headquarters", "control"]
READINGS: tuple[Reading, ...] = get_args(Reading)
#: Sites whose readings are cached.
_SITES = 20_000

#: Ids of the holders of a site that count to each country, ``None`` for those of no known country.
Holders: TypeAlias = Mapping[str | None, tuple[str, ...]]


class SiteReading(NamedTuple):
    """What one reading gives one country of one site on some days.

    Attributes
    ----------
    country
        ISO 3166-1 alpha-2; ``None`` for the part that no country is known for, and where nobody surely controls it.
    share_min, share_max
        Bounds in percent as columns hold them; ``None`` by control, which has no share.
    holders
        Ids of the ultimate holders that count to the country, or of who controls it.
    """

    reading: Reading
    country: str | None
    share_min: float | None
    share_max: float | None
    holders: tuple[str, ...]


class _Site(NamedTuple):
    """The readings of a site on some days, and by reading the countries of which they are sure."""

    rows: tuple[SiteReading, ...]
    sure: Mapping[Reading, Set[str | None]]


class SiteReadings:
    """Reads the sites of strikes in all three ways; the answers for a site are cached over days of the same stakes."""

    def __init__(self, records: Records, stakes: StakeColumns, owners_by_date: OwnersByDate) -> None:
        self._stakes, self._owners_by_date = stakes, owners_by_date
        self._controls = by_controlled(records.controls.values())
        self._sites: LruCache[_Site] = LruCache(_SITES)

    def of(self, answer: StrikeAttribution) -> Iterator[tuple[HitOwnership, SiteReading, bool]]:
        """Yield the readings of the sites that a strike hit or may have hit, those of one site together.

        Each comes with its site, and with whether the strike counts, and the country, or who is named without one,
        surely had this of what it hit, whichever site that was and on each of its days.
        """
        on = days(answer.strike)
        sites = {hit.hit.asset: self._site(hit.hit.asset, *on) for hit in answer.hits}
        sure = {reading: _sure(answer, sites, reading) for reading in READINGS} if sites else {}
        for hit in answer.hits:
            for row in sites[hit.hit.asset].rows:
                names_whose = row.country is not None or bool(row.holders)
                yield hit, row, names_whose and row.country in sure[row.reading]

    def _site(self, asset: str, first: date | None, last: date | None) -> _Site:
        # Of days before and behind which the same stakes and controls have begun and ended, one answer holds.
        owned = asset if asset in self._controls else self._owners_by_date.owned_key(asset)
        begun = bisect_right(self._control_changes, first or date.min)
        over = bisect_right(self._control_changes, last or date.max)
        key = (self._owners_by_date.interval_key(first, last), begun, over, owned)
        return self._sites.get_or_compute(key, lambda: self._read(asset, first, last))

    def _read(self, asset: str, first: date | None, last: date | None) -> _Site:
        rows = list[SiteReading]()
        sure = dict[Reading, Set[str | None]]()
        for basis in get_args(CountryBasis):
            known = self._owners_by_date.on(first, last, basis)
            owners, holders = known.of(asset), known.holders_of(asset)
            rows += [
                SiteReading(basis, row.country, *row.share.percents(), holders.get(row.country, ()))
                for row in owners.shares
            ]
            if owners.unattributed.high > 0:
                rows.append(SiteReading(basis, None, *owners.unattributed.percents(), holders.get(None, ())))
            sure[basis] = owners.sure_countries
        controllers = _by_country(control_periods(self._stakes, self._controls, asset, first, last))
        rows += [SiteReading("control", country, None, None, parties) for country, parties in controllers.items()]
        # Of several on different days none is sure.
        sure["control"] = controllers.keys() if len(controllers) == 1 else frozenset()
        return _Site(tuple(rows), sure)

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


def _sure(answer: StrikeAttribution, sites: Mapping[str, _Site], reading: Reading) -> Set[str | None]:
    return sure_of_strike(answer, lambda hit: sites[hit.hit.asset].sure[reading])
