"""Attribution of strikes: the owners of the assets hit, on the day of the strike, by country, apart from other ties."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol, TypeVar

from layers.attribution.host_country import Host, HostCountries
from layers.decisions.hits import Hit, StrikeOutcome
from layers.model import edtf
from layers.model.cache import LruCache
from layers.model.messages import Message, Wording
from layers.model.records import Attribution, Entity, Records, Relation, Strike
from layers.model.types import CountryBasis, RelationKind
from layers.ownership.minority import Minority
from layers.ownership.owners import Owners, OwnersByDate
from layers.ownership.walk import REACHES, CountryShare, Interval


class SiteOfStrike(Protocol):
    """A site that a strike hit or may have hit, with whatever is known of it."""

    @property
    def hit(self) -> Hit:
        """The site, and whether it was hit."""


K = TypeVar("K", bound=Hashable)
S = TypeVar("S", bound=SiteOfStrike)
#: Shares of up to this many percent are rounding.
NEGLIGIBLE = 5e-7
#: Owners of assets that are cached.
_OWNERS = 20_000


@dataclass(frozen=True, slots=True)
class HitOwnership:
    """One hit of a strike with the owners of the asset and its other ties."""

    hit: Hit
    owners: Owners
    relations: tuple[Relation, ...]


class StrikeAttribution(NamedTuple):
    """The attribution of one strike: owners of each hit, and bounds of each country's share of all that was hit.

    ``is_within`` is whether it surely lies in the days that are asked about, of which there need be none.
    """

    strike: Strike
    outcome: StrikeOutcome
    hits: tuple[HitOwnership, ...]
    shares: tuple[CountryShare, ...]
    unattributed: Interval
    reasons: tuple[Message, ...]
    basis: CountryBasis
    minority: Minority
    host: Host = Host()
    is_within: bool = True

    @property
    def assets(self) -> tuple[str, ...]:
        """Ids of the assets that were hit, or may have been."""
        return tuple(hit.hit.asset for hit in self.hits)


def counts_as_strike(answer: StrikeAttribution) -> bool:
    """Return whether a strike counts: it is not retracted, and nobody decided that it was none."""
    return stands(answer.strike.status, answer.outcome)


def stands(status: str, outcome: StrikeOutcome) -> bool:
    """Return whether a strike of a status is not retracted, and nobody decided that it was none."""
    decision = outcome.decision
    return status != "retracted" and (decision is None or decision.verdict != "not-a-strike")


def is_sure_strike(answer: StrikeAttribution) -> bool:
    """Return whether a strike counts for sure.

    It counts, is no draft, of which it is open whether it stands, and lies in the days that are asked about whenever
    it was.
    """
    return counts_as_strike(answer) and answer.strike.status != "draft" and answer.is_within


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

    Owners of an asset are cached over all days on which the same stakes count. ``hosts`` finds the country in which a
    strike happened; by default from the records alone.
    """

    def __init__(
        self,
        records: Records,
        owners_by_date: OwnersByDate,
        basis: CountryBasis = "registration",
        minority: Minority = "stay",
        hosts: HostCountries | None = None,
    ) -> None:
        self._records, self._owners_by_date, self._hosts = records, owners_by_date, hosts or HostCountries()
        self._basis, self._minority = basis, minority
        self._owners: LruCache[Owners] = LruCache(_OWNERS)

    def attribute(self, outcome: StrikeOutcome) -> StrikeAttribution:
        """Attribute one strike.

        Of several sites that were all hit, a share is that of all together, each site counting alike; of several of
        which one was hit, its bounds are the least and the largest over them. Without a hit all is unattributed.
        """
        strike = self._records.strikes[outcome.strike]
        sites = [self._records.assets[hit.asset].host_country for hit in outcome.hits]
        host, basis, minority = self._hosts.of(strike, sites), self._basis, self._minority
        if not outcome.hits:
            return StrikeAttribution(strike, outcome, (), (), _WHOLE, _NO_ASSET_KNOWN, basis, minority, host)
        on = days(strike)
        hits = tuple(
            HitOwnership(hit, self._owners_of(hit.asset, *on), tuple(self._ties(hit.asset, strike, *on)))
            for hit in outcome.hits
        )
        shares, rest = shares_of_sites(hits)
        reasons = tuple(dict.fromkeys(reason for hit in hits for reason in hit.owners.reasons))
        return StrikeAttribution(strike, outcome, hits, shares, rest, reasons, basis, minority, host)

    def _owners_of(self, asset: str, first: date | None, last: date | None) -> Owners:
        key = (self._owners_by_date.interval_key(first, last), asset)
        return self._owners.get_or_compute(
            key, lambda: self._owners_by_date.on(first, last, self._basis, self._minority).of(asset)
        )

    def _ties(self, asset: str, strike: Strike, first: date | None, last: date | None) -> Iterator[Relation]:
        """Yield the relations of an asset that held, or may have held, on the days, without those of other strikes."""
        for relation in self._records.where("relations", "asset", asset):
            if relation.strike not in (None, strike.id):
                continue
            if edtf.valid_as_stated(relation.since, relation.until, first, last) != "no":
                yield relation


def _possible_worlds(hits: Sequence[S]) -> list[list[S]]:
    """Return the sets of sites of which one is what a strike hit, if it hit any.

    Confirmed sites were all hit; of the others one at most, and where none is confirmed, one.
    """
    sure = [hit for hit in hits if hit.hit.verdict == "confirmed"]
    worlds = [[*sure, hit] for hit in hits if hit.hit.verdict != "confirmed"]
    return [sure, *worlds] if sure else worlds


def sites_together(hits: Sequence[SiteOfStrike]) -> int:
    """Return the most sites that one share is of: all that were hit together, or one of several that may have been."""
    return max(map(len, _possible_worlds(hits))) if len(hits) > 1 else len(hits)


def sure_sites(answer: StrikeAttribution) -> tuple[str, ...]:
    """Return the ids of the sites that a strike surely hit: confirmed ones, of a strike that is sure.

    A site that is one of several, or that a match alone proposes, is not.
    """
    confirmed = (hit.hit.asset for hit in answer.hits if hit.hit.verdict == "confirmed")
    return tuple(confirmed) if is_sure_strike(answer) else ()


def sure_of_sites(hits: Sequence[S], of: Callable[[S], Set[K]]) -> Set[K]:
    """Return what is so of the sites hit whichever they were: of any confirmed one, or of each of several possible.

    Parameters
    ----------
    hits
        The sites that were or may have been hit.
    of
        Gives what is surely so of one of them, had it been hit.
    """
    confirmed = [of(hit) for hit in hits if hit.hit.verdict == "confirmed"]
    if confirmed:
        return frozenset().union(*confirmed)
    return frozenset.intersection(*(frozenset(of(hit)) for hit in hits)) if len(hits) > 1 else frozenset()


def sure_of_strike(answer: StrikeAttribution, of: Callable[[HitOwnership], Set[K]]) -> Set[K]:
    """Return what is so of the sites that a strike hit, whichever they were; nothing of a strike that is not sure.

    Parameters
    ----------
    answer
        The strike and the sites that it hit or may have hit.
    of
        Gives what is surely so of one of them, had it been hit.
    """
    return sure_of_sites(answer.hits, of) if is_sure_strike(answer) else frozenset()


def sure_owners(hit: HitOwnership) -> Set[str | None]:
    """Return the countries that surely held part of a site; ``None`` is the part of which no country is known."""
    return hit.owners.sure_countries


def sure_ties(entities: Mapping[str, Entity], answer: StrikeAttribution) -> Set[tuple[str | None, RelationKind]]:
    """Return the ties of countries that surely held, on each day on which the strike may have been, to what it hit.

    The country is ``None`` for entities of which none is known.
    """
    if not any(hit.relations for hit in answer.hits):
        return frozenset()
    on = days(answer.strike)

    def of(hit: HitOwnership) -> Set[tuple[str | None, RelationKind]]:
        held = (tie for tie in hit.relations if edtf.valid_as_stated(tie.since, tie.until, *on) == "yes")
        return {(country_of(entities[tie.entity], answer.basis), tie.relation) for tie in held}

    return sure_of_strike(answer, of)


def shares_of_sites(hits: Sequence[HitOwnership]) -> tuple[tuple[CountryShare, ...], Interval]:
    """Return the share of each country in all that a strike hit, and the part that no country is known for.

    Parameters
    ----------
    hits
        The sites that were or may have been hit.

    Returns
    -------
    tuple
        Shares in percent, largest first, and the rest; of several sites that were all hit those of all together, each
        site counting alike, and where it is open which were hit, with bounds that hold whichever it was. Without a hit
        no share, and a rest of 100.
    """
    if not hits:
        return (), _WHOLE
    if len(hits) == 1:
        return hits[0].owners.shares, hits[0].owners.unattributed
    worlds = [[hit.owners for hit in world] for world in _possible_worlds(hits)]
    by_asset = {id(hit.owners): {share.country: share for share in hit.owners.shares} for hit in hits}
    rows = []
    for country in sorted({country for shares in by_asset.values() for country in shares}):
        shares = [[by_asset[id(owners)].get(country) for owners in world] for world in worlds]
        total = _hull(_mean([share.share if share else _NOTHING for share in world]) for world in shares)
        parts = {
            reach: _hull(_mean([share.reaches[reach] if share else _NOTHING for share in world]) for world in shares)
            for reach in REACHES
        }
        rows.append(CountryShare(country, total, parts))
    rest = _hull(_mean([owners.unattributed for owners in world]) for world in worlds)
    return tuple(sorted(rows, key=lambda row: (-row.share.high, -row.share.low, row.country))), rest


def bounds_over_sites(hits: Sequence[S], of: Callable[[S], Interval]) -> Interval:
    """Return the bounds of a share in all that a strike hit, each site counting alike, whichever sites were hit.

    Parameters
    ----------
    hits
        The sites that were or may have been hit.
    of
        Gives the share of one of them. Without a hit it is the whole that is not known: 100 percent.
    """
    worlds = _possible_worlds(hits)
    return _hull(_mean([of(hit) for hit in world]) for world in worlds) if worlds else _WHOLE


_NOTHING, _WHOLE = Interval(0.0, 0.0), Interval(100.0, 100.0)
_NO_ASSET_KNOWN = (Message("attribution.no-asset-known"),)
_AT_SEA, _NO_HOST_KNOWN = Message("attribution.at-sea"), Message("attribution.no-host-country")


def _mean(parts: Sequence[Interval]) -> Interval:
    """Return the bounds of a share in sites that were all hit, each counting alike; an absent country has 0."""
    return Interval(sum(part.low for part in parts) / len(parts), sum(part.high for part in parts) / len(parts))


def _hull(parts: Iterable[Interval]) -> Interval:
    lows, highs = zip(*((part.low, part.high) for part in parts), strict=True)
    return Interval(min(lows), max(highs))


class AttributionRow(NamedTuple):
    """The values of an `Attribution` that are not those of its strike, by the names of its fields."""

    id: str
    strike: str
    basis: CountryBasis
    asset: str | None = None
    relation: str = "host"
    country: str | None = None
    entity: str | None = None
    sure: bool = False
    share_min: float | None = None
    share_max: float | None = None
    state_min: float | None = None
    state_max: float | None = None
    holder_min: float | None = None
    holder_max: float | None = None
    company_min: float | None = None
    company_max: float | None = None
    alternative: bool = False
    reason: str | None = None


def attributions(records: Records, answers: Iterable[StrikeAttribution], wording: Wording) -> Iterator[Attribution]:
    """Yield one record for each strike x asset x relation x country, with one for the host country of each strike.

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
        for row in attribution_rows(records, answer, wording):
            yield Attribution.model_validate({**row._asdict(), "rests_on": answer.outcome.basis_of_outcome})


def attribution_rows(records: Records, answer: StrikeAttribution, wording: Wording) -> Iterator[AttributionRow]:
    """Yield the rows of one strike as `attributions` does, but as plain values."""
    yield _host_row(answer, wording)
    if not answer.hits:
        return
    owners, ties = sure_of_strike(answer, sure_owners), sure_ties(records.entities, answer)
    for hit in answer.hits:
        yield from _owner_rows(answer, hit, wording, owners)
        yield from _tie_rows(records, answer, hit, ties)


def _host_row(answer: StrikeAttribution, wording: Wording) -> AttributionRow:
    strike, (country, basis) = answer.strike.id, answer.host
    return AttributionRow(
        f"{strike}/-/host/{country or '-'}",
        strike,
        answer.basis,
        country=country,
        sure=country is not None and is_sure_strike(answer),
        reason=None if country else wording(_AT_SEA if basis == "sea" else _NO_HOST_KNOWN),
    )


def _owner_rows(
    answer: StrikeAttribution, hit: HitOwnership, wording: Wording, sure: Set[str | None]
) -> Iterator[AttributionRow]:
    strike, asset, alternative = answer.strike.id, hit.hit.asset, hit.hit.verdict == "possible"
    for row, percents in zip(hit.owners.shares, hit.owners.percents, strict=True):
        yield AttributionRow(
            f"{strike}/{asset}/owner/{row.country}",
            strike,
            answer.basis,
            asset,
            "owner",
            row.country,
            None,
            row.country in sure,
            *percents,
            alternative,
        )
    if hit.owners.unattributed.high > 0:
        yield AttributionRow(
            f"{strike}/{asset}/owner/-",
            strike,
            answer.basis,
            asset,
            "owner",
            None,
            None,
            False,
            *hit.owners.unattributed.percents(),
            alternative=alternative,
            reason="; ".join(map(wording, hit.owners.reasons)),
        )


def _tie_rows(
    records: Records, answer: StrikeAttribution, hit: HitOwnership, sure: Set[tuple[str | None, RelationKind]]
) -> Iterator[AttributionRow]:
    strike, asset = answer.strike.id, hit.hit.asset
    for relation in hit.relations:
        entity = records.entities[relation.entity]
        country = country_of(entity, answer.basis)
        yield AttributionRow(
            f"{strike}/{asset}/{relation.relation}/{entity.id}",
            strike,
            answer.basis,
            asset,
            relation.relation,
            country,
            entity.id,
            (country, relation.relation) in sure,
            alternative=hit.hit.verdict == "possible",
            reason=relation.note,
        )
