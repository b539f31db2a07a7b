"""Whose it was: the owners of what a strike hit on its day, by country, apart from all other ties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from layers.decisions.hits import Finding, Hit
from layers.model import edtf
from layers.model.cache import LruCache
from layers.model.records import Attribution, Entity, Records, Relation, Strike
from layers.ownership.owners import Owners, Registers
from layers.ownership.walk import REACHES, Basis, CountryShare, Interval, Minority

#: Owners of assets that are kept.
_OWNERS = 20_000


@dataclass(frozen=True, slots=True)
class HitOwners:
    """One hit of a strike with the owners of the asset and its other ties."""

    hit: Hit
    owners: Owners
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer to one strike: whose it was."""

    strike: Strike
    finding: Finding
    hits: tuple[HitOwners, ...]
    shares: tuple[CountryShare, ...]
    unattributed: Interval
    reasons: tuple[str, ...]
    basis: Basis
    minority: Minority


def country_of(entity: Entity, basis: Basis) -> str | None:
    """Country of an entity: of registration, or of the head office where that is asked for and known."""
    seat = entity.headquartered_in if basis == "headquarters" else None
    return seat or entity.registered_in


def days(strike: Strike) -> tuple[date | None, date | None]:
    """First and last day a strike may have happened."""
    stated = edtf.parse(strike.when)
    return stated.earliest, stated.latest


class Attributor:
    """Attributes strikes. Owners are found once for all days on which the same stakes count; the latest are kept."""

    def __init__(
        self, records: Records, registers: Registers, basis: Basis = "registration", minority: Minority = "stay"
    ) -> None:
        self._records, self._registers = records, registers
        self._basis, self._minority = basis, minority
        self._owners: LruCache[Owners] = LruCache(_OWNERS)

    def answer(self, finding: Finding) -> Answer:
        """Attribute one strike. With several assets the shares are the envelope over them; they are never added."""
        strike = self._records.strikes[finding.strike]
        hits = tuple(
            HitOwners(hit, self._owners_of(hit.asset, strike), tuple(self._ties(hit.asset, strike)))
            for hit in finding.hits
        )
        shares = _envelope([hit.owners.shares for hit in hits])
        lows = [hit.owners.unattributed.low for hit in hits]
        highs = [hit.owners.unattributed.high for hit in hits]
        rest = Interval(min(lows), max(highs)) if hits else Interval(100.0, 100.0)
        reasons = tuple(dict.fromkeys(reason for hit in hits for reason in hit.owners.reasons))
        return Answer(strike, finding, hits, shares, rest, reasons or _no_hit(hits), self._basis, self._minority)

    def _owners_of(self, asset: str, strike: Strike) -> Owners:
        first, last = days(strike)
        key = (self._registers.spell(first, last), asset)
        return self._owners.get(key, lambda: self._registers.on(first, last, self._basis, self._minority).of(asset))

    def _ties(self, asset: str, strike: Strike) -> Iterator[Relation]:
        """Relations of an asset that held, or may have held, on the days, and those about this strike only."""
        first, last = days(strike)
        for relation in self._records.where("relations", "asset", asset):
            if relation.strike not in (None, strike.id):
                continue
            if edtf.held_as_stated(relation.since, relation.until, first, last) != "no":
                yield relation


def _no_hit(hits: tuple[HitOwners, ...]) -> tuple[str, ...]:
    return () if hits else ("no asset is known to have been hit",)


def _envelope(owned: list[tuple[CountryShare, ...]]) -> tuple[CountryShare, ...]:
    """Least and largest share of each country over several assets; absent is zero."""
    if len(owned) == 1:
        return owned[0]
    by_asset = [{share.country: share for share in shares} for shares in owned]
    countries = sorted({country for shares in by_asset for country in shares})
    nothing = Interval(0.0, 0.0)
    rows = []
    for country in countries:
        found = [shares.get(country) for shares in by_asset]
        total = _hull([share.share if share else nothing for share in found])
        parts = {reach: _hull([share.reaches[reach] if share else nothing for share in found]) for reach in REACHES}
        rows.append(CountryShare(country, total, parts))
    return tuple(sorted(rows, key=lambda row: (-row.share.high, -row.share.low, row.country)))


def _hull(parts: list[Interval]) -> Interval:
    return Interval(min(part.low for part in parts), max(part.high for part in parts))


def attributions(records: Records, answers: Iterable[Answer]) -> Iterator[Attribution]:
    """One row for each strike x asset x relation x country, the host of the strike among them."""
    for told in answers:
        yield _host(told)
        for hit in told.hits:
            yield from _owned(told, hit)
            yield from _tied(records, told, hit)


def _host(told: Answer) -> Attribution:
    return Attribution(
        id=f"{told.strike.id}/-/host/{told.strike.host_country or '-'}",
        strike=told.strike.id,
        relation="host",
        country=told.strike.host_country,
        rests_on=told.finding.rests_on,
        basis=told.basis,
        reason=None if told.strike.host_country else "no host country: high seas or not known",
    )


def _owned(told: Answer, hit: HitOwners) -> Iterator[Attribution]:
    asset = hit.hit.asset
    alternative = hit.hit.verdict == "possible"
    for row in hit.owners.shares:
        low, high = row.share.rounded()
        parts = {reach: row.reaches[reach].rounded() for reach in REACHES}
        yield Attribution(
            id=f"{told.strike.id}/{asset}/owner/{row.country}",
            strike=told.strike.id,
            asset=asset,
            relation="owner",
            country=row.country,
            share_min=_percent(low),
            share_max=_percent(high),
            **{f"{reach}_min": _percent(parts[reach][0]) for reach in REACHES},
            **{f"{reach}_max": _percent(parts[reach][1]) for reach in REACHES},
            rests_on=told.finding.rests_on,
            alternative=alternative,
            basis=told.basis,
        )
    if hit.owners.unattributed.high > 0:
        low, high = hit.owners.unattributed.rounded()
        yield Attribution(
            id=f"{told.strike.id}/{asset}/owner/-",
            strike=told.strike.id,
            asset=asset,
            relation="owner",
            share_min=_percent(low),
            share_max=_percent(high),
            rests_on=told.finding.rests_on,
            alternative=alternative,
            basis=told.basis,
            reason="; ".join(hit.owners.reasons),
        )


def _percent(share: float) -> float:
    """Shares over 100 are told in the warnings; a column of percent holds at most 100."""
    return min(share, 100.0)


def _tied(records: Records, told: Answer, hit: HitOwners) -> Iterator[Attribution]:
    for relation in hit.relations:
        entity = records.entities[relation.entity]
        yield Attribution(
            id=f"{told.strike.id}/{hit.hit.asset}/{relation.relation}/{entity.id}",
            strike=told.strike.id,
            asset=hit.hit.asset,
            relation=relation.relation,
            country=country_of(entity, told.basis),
            entity=entity.id,
            rests_on=told.finding.rests_on,
            alternative=hit.hit.verdict == "possible",
            basis=told.basis,
            reason=relation.note,
        )
