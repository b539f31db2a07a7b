"""Capacity hit and capacity-days lost as JSON values, with the sites, conditions and sources that they are based on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from api.http.json import Json
from api.requests.parameters import Days
from layers.attribution.attribute import NEGLIGIBLE, StrikeAttribution
from layers.attribution.capacity import (
    Capacity,
    Holder,
    StruckSite,
    StruckSites,
    Unit,
    capacity_days,
    capacity_hit,
    host,
    owner,
    struck_sites,
    unit_of,
)
from layers.attribution.outages import CAUSES, AssetOutages, Cause
from layers.disclosure.ruling import withheld_fields
from layers.model import edtf
from layers.model.records import Asset, Condition
from layers.model.types import CountryBasis
from layers.ownership.minority import Minority
from layers.snapshot.snapshot import Snapshot

#: Of a rate, the unit of the volume that a capacity-day is, and how many capacity-days make one of it.
_VOLUMES: Mapping[str, tuple[str, int]] = {"t/y": ("t", 365), "bcm/y": ("bcm", 365), "bbl/d": ("bbl", 1)}
#: Relations of a country that capacity is counted for.
CountedRelation = Literal["owner", "host"]
_HOLDERS = {"owner": owner, "host": host}


class _AssetLoss(NamedTuple):
    """The outages of an asset, and what they come to."""

    outages: AssetOutages
    days: Mapping[tuple[Cause, Unit], Capacity]


@dataclass(frozen=True)
class CapacityAccount:
    """What is counted of one country in one relation, over one period."""

    snapshot: Snapshot
    holder: Holder
    period: Days
    struck: StruckSites
    outages: Sequence[AssetOutages]

    @classmethod
    def of(
        cls,
        snapshot: Snapshot,
        iso: str,
        relation: CountedRelation,
        answers: Iterable[StrikeAttribution],
        basis: CountryBasis,
        minority: Minority,
        period: Days,
    ) -> CapacityAccount:
        """Gather the sites that concern a country among those of the answers, and the outages of sites."""
        holder = _HOLDERS[relation](iso)
        first, last = period.first, period.last
        struck = struck_sites(snapshot.records.assets, answers, holder, first, last)
        return cls(snapshot, holder, period, struck, snapshot.outages(basis, minority))

    @classmethod
    def of_strikes(
        cls, snapshot: Snapshot, answers: Sequence[StrikeAttribution], holder: Holder, period: Days
    ) -> CapacityAccount:
        """Gather the sites of some strikes, and the outages of these sites alone.

        ``answers``: at least one, all by the same basis and rule of minorities.
        """
        struck = struck_sites(snapshot.records.assets, answers, holder, period.first, period.last)
        outages = snapshot.outages(answers[0].basis, answers[0].minority)
        return cls(snapshot, holder, period, struck, [one for one in outages if one.asset.id in struck.sites])

    def figures(self) -> Json:
        """Give capacity hit and capacity-days lost by unit, each with the sources that it is based on."""
        assets, period = self.snapshot.records.assets, self.period
        hit = sorted(capacity_hit(assets, self.struck).items(), key=_by_unit)
        lost = capacity_days(assets, self.outages, self.holder, period.first, period.last)
        return {
            "hit": [self._hit_row(unit, part) for unit, part in hit],
            "lost": [
                self._lost_row(cause, unit, part)
                for cause in CAUSES
                for unit, part in sorted(
                    ((unit, part) for (of, unit), part in lost.items() if of == cause), key=_by_unit
                )
            ],
            "untold": len(self._hit_sites() - {one.asset.id for one in self._with_conditions()}),
        }

    def _hit_row(self, unit: Unit, part: Capacity) -> Json:
        sites = [site for name, site in self.struck.sites.items() if self._is_counted(name, unit)]
        cited = {source for site in sites for source in site.asset.sources}
        cited |= {source for site in sites for answer in site.strikes for source in answer.strike.sources}
        return {
            "unit": unit,
            "capacity_min": None if unit is None else _rounded(part.low),
            "capacity_max": None if unit is None else _rounded(part.high),
            "sites": part.sites,
            "sites_sure": part.sites_sure,
            "rests_on": sorted({answer.outcome.basis_of_outcome for site in sites for answer in site.strikes}),
            "sources": sorted(cited),
            **_withheld(site.asset for site in sites),
        }

    def _is_counted(self, name: str, unit: Unit) -> bool:
        site = self.struck.sites[name]
        return site.share.high > NEGLIGIBLE and unit_of(site.asset) == unit

    def _hit_sites(self) -> set[str]:
        return {name for name, site in self.struck.sites.items() if site.share.high > NEGLIGIBLE}

    def _lost_row(self, cause: Cause, unit: Unit, part: Capacity) -> Json:
        sites = [loss.outages for loss in self._lossy.values() if (cause, unit) in loss.days]
        cited = {source for one in sites for source in one.asset.sources}
        cited |= {condition.source for one in sites for condition in self._in_period(one)}
        return {
            "cause": cause,
            "unit": unit,
            **_capacity_days(unit, part),
            "sites": part.sites,
            "sites_sure": part.sites_sure,
            "sources": sorted(cited),
            **_withheld(one.asset for one in sites),
        }

    @cached_property
    def _lossy(self) -> Mapping[str, _AssetLoss]:
        """What each asset that lost any lost, taken alone, by its id."""
        first, last = self.period.first, self.period.last
        days = (
            (one, capacity_days({one.asset.id: one.asset}, [one], self.holder, first, last)) for one in self.outages
        )
        return {one.asset.id: _AssetLoss(one, lost) for one, lost in days if lost}

    def _with_conditions(self) -> Iterator[AssetOutages]:
        """Yield the outages of assets that some condition of the period is about."""
        return (one for one in self.outages if any(True for _ in self._in_period(one)))

    def _in_period(self, one: AssetOutages) -> Iterator[Condition]:
        last = self.period.last or self.snapshot.data_date
        for condition in one.conditions:
            if edtf.valid_as_stated(condition.since, condition.until, self.period.first, last) != "no":
                yield condition

    def sites(self) -> list[Json]:
        """List the sites of known capacity that were or may have been hit, and all that lost any, by their names."""
        hit = {name: self.struck.sites[name] for name in self._hit_sites()}
        names = {name for name, site in hit.items() if unit_of(site.asset) is not None} | self._lossy.keys()
        assets = [hit[name].asset if name in hit else self._lossy[name].outages.asset for name in names]
        sure = self.struck.sure
        rows = sorted(assets, key=lambda asset: (asset.name, asset.id))
        return [self._site(one, hit.get(one.id), self._lossy.get(one.id), one.id in sure) for one in rows]

    def _site(self, asset: Asset, hit: StruckSite | None, loss: _AssetLoss | None, is_sure: bool) -> Json:
        conditions = [*self._in_period(loss.outages)] if loss else []
        strikes = [answer.strike for answer in hit.strikes] if hit else []
        cited = {*asset.sources, *(one.source for one in conditions)}
        cited |= {source for strike in strikes for source in strike.sources}
        return {
            "asset": asset.id,
            "asset_name": asset.name,
            "capacity": asset.capacity,
            "capacity_unit": asset.capacity_unit,
            "capacity_on": asset.capacity_on,
            "part_of": asset.part_of,
            "share_min": round(hit.share.low, 4) if hit else None,
            "share_max": round(hit.share.high, 4) if hit else None,
            "sure": is_sure,
            "strikes": [{"strike": strike.id, "title": strike.title, "when": strike.when} for strike in strikes],
            "lost": [
                {"cause": cause, **_capacity_days(unit, part)}
                for (cause, unit), part in (loss.days if loss else {}).items()
            ],
            "conditions": [condition_values(condition) for condition in conditions],
            "sources": sorted(cited),
            **({"withheld": [*hidden]} if (hidden := withheld_fields(asset)) else {}),
        }


def _withheld(assets: Iterable[Asset]) -> Json:
    """Give of how many sites a policy withholds the capacity; nothing where it withholds none."""
    number = sum(not {"capacity", "capacity_unit"}.isdisjoint(withheld_fields(asset)) for asset in assets)
    return {"withheld": number} if number else {}


def _by_unit(row: tuple[Unit, Capacity]) -> tuple[bool, str]:
    return row[0] is None, row[0] or ""


def _rounded(value: float) -> float:
    return round(value, 6) + 0.0


def _capacity_days(unit: Unit, part: Capacity) -> Json:
    """Give capacity-days, and of a rate the volume that they are; nothing of both where no capacity is known."""
    volume, divisor = _VOLUMES.get(unit or "", (None, 1))
    return {
        "capacity_days_min": None if unit is None else _rounded(part.low),
        "capacity_days_max": None if unit is None else _rounded(part.high),
        "volume_unit": volume,
        "volume_min": None if volume is None else _rounded(part.low / divisor),
        "volume_max": None if volume is None else _rounded(part.high / divisor),
    }


def condition_values(condition: Condition) -> Json:
    """Give a condition of an asset: from when until when which part of it worked, and who says so."""
    return condition.model_dump(mode="json", exclude={"id", "dataset", "private"})


def conditions_of(snapshot: Snapshot, asset: str) -> list[Json]:
    """List all conditions of an asset, the earliest first."""
    conditions = snapshot.records.where("conditions", "asset", asset)
    return [condition_values(one) for one in sorted(conditions, key=lambda one: (one.since, one.id))]
