"""Attribution of strikes: the owners of the assets hit, on the day of the strike, by country, apart from other ties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from layers.decisions.hits import Hit, StrikeOutcome
from layers.model import edtf
from layers.model.cache import LruCache
from layers.model.messages import Message, Wording
from layers.model.records import Attribution, Entity, Records, Relation, Strike
from layers.model.types import CountryBasis
from layers.ownership.minority import Minority
from layers.ownership.owners import Owners, OwnersByDate
from layers.ownership.walk import REACHES, CountryShare, Interval

#: Owners of assets that are cached.
_OWNERS = 20_000


@dataclass(frozen=True, slots=True)
class HitOwnership:
    """One hit of a strike with the owners of the asset and its other ties."""

    hit: Hit
    owners: Owners
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class StrikeAttribution:
    """The attribution of one strike: owners of each hit, and bounds of each country's share over all hits."""

    strike: Strike
    outcome: StrikeOutcome
    hits: tuple[HitOwnership, ...]
    shares: tuple[CountryShare, ...]
    unattributed: Interval
    reasons: tuple[Message, ...]
    basis: CountryBasis
    minority: Minority


def country_of(entity: Entity, basis: CountryBasis) -> str | None:
    """Return the country of an entity: of its head office by that basis if known, else of registration."""
    seat = entity.headquartered_in if basis == "headquarters" else None
    return seat or entity.registered_in


def days(strike: Strike) -> tuple[date | None, date | None]:
    """Return the first and last day on which a strike may have happened; ``None`` is open."""
    stated = edtf.parse(strike.when)
    return stated.earliest, stated.latest


class Attributor:
    """Attributes strikes of a set of records by one basis and one rule of minorities.

    Owners of an asset are cached over all days on which the same stakes count.
    """

    def __init__(
        self,
        records: Records,
        owners_by_date: OwnersByDate,
        basis: CountryBasis = "registration",
        minority: Minority = "stay",
    ) -> None:
        self._records, self._owners_by_date = records, owners_by_date
        self._basis, self._minority = basis, minority
        self._owners: LruCache[Owners] = LruCache(_OWNERS)

    def attribute(self, outcome: StrikeOutcome) -> StrikeAttribution:
        """Attribute one strike.

        With several hits, the bounds of a share are the least and the largest over them; shares are never added.
        Without a hit all is unattributed.
        """
        strike = self._records.strikes[outcome.strike]
        hits = tuple(
            HitOwnership(hit, self._owners_of(hit.asset, strike), tuple(self._ties(hit.asset, strike)))
            for hit in outcome.hits
        )
        shares = _envelope([hit.owners.shares for hit in hits])
        lows = [hit.owners.unattributed.low for hit in hits]
        highs = [hit.owners.unattributed.high for hit in hits]
        rest = Interval(min(lows), max(highs)) if hits else Interval(100.0, 100.0)
        reasons = tuple(dict.fromkeys(reason for hit in hits for reason in hit.owners.reasons))
        return StrikeAttribution(
            strike, outcome, hits, shares, rest, reasons or _no_hit(hits), self._basis, self._minority
        )

    def _owners_of(self, asset: str, strike: Strike) -> Owners:
        first, last = days(strike)
        key = (self._owners_by_date.interval_key(first, last), asset)
        return self._owners.get_or_compute(
            key, lambda: self._owners_by_date.on(first, last, self._basis, self._minority).of(asset)
        )

    def _ties(self, asset: str, strike: Strike) -> Iterator[Relation]:
        """Yield the relations of an asset that held, or may have held, on the days, without those of other strikes."""
        first, last = days(strike)
        for relation in self._records.where("relations", "asset", asset):
            if relation.strike not in (None, strike.id):
                continue
            if edtf.valid_as_stated(relation.since, relation.until, first, last) != "no":
                yield relation


def _no_hit(hits: tuple[HitOwnership, ...]) -> tuple[Message, ...]:
    return () if hits else (Message("attribution.no-asset-known"),)


def _envelope(owned: list[tuple[CountryShare, ...]]) -> tuple[CountryShare, ...]:
    """Return the least and largest share of each country over several assets; an absent country has 0."""
    if len(owned) == 1:
        return owned[0]
    by_asset = [{share.country: share for share in shares} for shares in owned]
    countries = sorted({country for shares in by_asset for country in shares})
    nothing = Interval(0.0, 0.0)
    rows = []
    for country in countries:
        shares = [shares.get(country) for shares in by_asset]
        total = _hull([share.share if share else nothing for share in shares])
        parts = {reach: _hull([share.reaches[reach] if share else nothing for share in shares]) for reach in REACHES}
        rows.append(CountryShare(country, total, parts))
    return tuple(sorted(rows, key=lambda row: (-row.share.high, -row.share.low, row.country)))


def _hull(parts: list[Interval]) -> Interval:
    return Interval(min(part.low for part in parts), max(part.high for part in parts))


def attributions(records: Records, answers: Iterable[StrikeAttribution], wording: Wording) -> Iterator[Attribution]:
    """Yield one row for each strike x asset x relation x country, with one for the host country of each strike.

    Parameters
    ----------
    records
        The records that the answers are about.
    answers
        Attributions of strikes.
    wording
        Words the reasons why a part is unattributed, for the column ``reason``.
    """
    for answer in answers:
        yield _host_row(answer, wording)
        for hit in answer.hits:
            yield from _owner_rows(answer, hit, wording)
            yield from _tie_rows(records, answer, hit)


def _host_row(answer: StrikeAttribution, wording: Wording) -> Attribution:
    return Attribution(
        id=f"{answer.strike.id}/-/host/{answer.strike.host_country or '-'}",
        strike=answer.strike.id,
        relation="host",
        country=answer.strike.host_country,
        rests_on=answer.outcome.basis_of_outcome,
        basis=answer.basis,
        reason=None if answer.strike.host_country else wording(Message("attribution.no-host-country")),
    )


def _owner_rows(answer: StrikeAttribution, hit: HitOwnership, wording: Wording) -> Iterator[Attribution]:
    asset = hit.hit.asset
    alternative = hit.hit.verdict == "possible"
    for row in hit.owners.shares:
        low, high = row.share.rounded()
        parts = {reach: row.reaches[reach].rounded() for reach in REACHES}
        yield Attribution(
            id=f"{answer.strike.id}/{asset}/owner/{row.country}",
            strike=answer.strike.id,
            asset=asset,
            relation="owner",
            country=row.country,
            share_min=_percent(low),
            share_max=_percent(high),
            **{f"{reach}_min": _percent(parts[reach][0]) for reach in REACHES},
            **{f"{reach}_max": _percent(parts[reach][1]) for reach in REACHES},
            rests_on=answer.outcome.basis_of_outcome,
            alternative=alternative,
            basis=answer.basis,
        )
    if hit.owners.unattributed.high > 0:
        low, high = hit.owners.unattributed.rounded()
        yield Attribution(
            id=f"{answer.strike.id}/{asset}/owner/-",
            strike=answer.strike.id,
            asset=asset,
            relation="owner",
            share_min=_percent(low),
            share_max=_percent(high),
            rests_on=answer.outcome.basis_of_outcome,
            alternative=alternative,
            basis=answer.basis,
            reason="; ".join(map(wording, hit.owners.reasons)),
        )


def _percent(share: float) -> float:
    """Cut a share at 100: a column of percent holds no more, and sums over 100 have their warnings."""
    return min(share, 100.0)


def _tie_rows(records: Records, answer: StrikeAttribution, hit: HitOwnership) -> Iterator[Attribution]:
    for relation in hit.relations:
        entity = records.entities[relation.entity]
        yield Attribution(
            id=f"{answer.strike.id}/{hit.hit.asset}/{relation.relation}/{entity.id}",
            strike=answer.strike.id,
            asset=hit.hit.asset,
            relation=relation.relation,
            country=country_of(entity, answer.basis),
            entity=entity.id,
            rests_on=answer.outcome.basis_of_outcome,
            alternative=hit.hit.verdict == "possible",
            basis=answer.basis,
            reason=relation.note,
        )
