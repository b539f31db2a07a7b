"""Totals by country: strikes that concern it, by relation, and bounds of what its owners held of the sites hit.

Where it is open which sites were hit, a strike is one of several *possible worlds*, in each of which other sites were
hit; of a draft none was in one of them. A lower bound holds in every world with the least shares, an upper bound in
some world with the largest shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias, get_args

from layers.attribution.attribute import (
    NEGLIGIBLE,
    StrikeAttribution,
    country_of,
    counts_as_strike,
    is_sure_strike,
    sure_of_strike,
    sure_owners,
    sure_ties,
)
from layers.model.records import Entity
from layers.model.types import RelationKind
from layers.ownership.walk import Interval

#: Relations of a country to a strike that are not ownership; the host is the country where it happened.
Tie = Literal[RelationKind, "host"]
TIES: tuple[Tie, ...] = get_args(Tie)
#: All relations of a country to a strike. Counts of different relations are never added.
Relation = Literal["owner", Tie]
RELATIONS: tuple[Relation, ...] = get_args(Relation)

#: Shares are summed as whole numbers of this fraction of a percent, so that sums are exact and can be subtracted.
_UNITS = 10**9
#: Counts by country and key: a tie, "sure" and the tie, "related", or "strikes", "sure", "hits", "low" and "high" of
#: what it owned.
Counts: TypeAlias = Counter[tuple[str, str]]

_NONE = Interval(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class OwnedTotals:
    """Totals of the sites hit that owners of one country held a part of.

    Attributes
    ----------
    strikes, strikes_sure
        Number of strikes that may have hit such a site, and of those that surely did.
    hits
        The largest number of such sites, a site once for each strike on it.
    assets_min, assets_max
        Bounds of the sum of the owners' shares in these sites, in site equivalents.
    """

    strikes: int = 0
    strikes_sure: int = 0
    hits: int = 0
    assets_min: float = 0.0
    assets_max: float = 0.0


@dataclass(frozen=True, slots=True)
class CountryTotals:
    """Totals of one country: as owner, and the number of strikes by each other relation.

    Attributes
    ----------
    owned
        As owner.
    strikes, strikes_sure
        Number of strikes on sites that it may have had a tie to, and of those on sites that it surely had it to.
    related
        Number of strikes on sites that it may have had any tie to but as owner or host, each strike once.
    """

    owned: OwnedTotals
    strikes: Mapping[Tie, int]
    strikes_sure: Mapping[Tie, int]
    related: int


#: Totals of a country that no strike concerns.
_NO_TIES: Mapping[Tie, int] = MappingProxyType(dict.fromkeys(TIES, 0))
NO_STRIKES = CountryTotals(OwnedTotals(), _NO_TIES, _NO_TIES, 0)


class _Part(NamedTuple):
    """The contribution of one strike to one country: bounds of the sum of shares in percent, and number of sites."""

    low: float
    high: float
    hits: int


def country_totals(entities: Mapping[str, Entity], answers: Iterable[StrikeAttribution]) -> dict[str, CountryTotals]:
    """Total the strikes that count, by country (ISO 3166-1 alpha-2); countries that no strike concerns are left out."""
    return totals_of(strike_counts(entities, answers))


def strike_counts(entities: Mapping[str, Entity], answers: Iterable[StrikeAttribution]) -> Counts:
    """Count the contributions of strikes to each country. Counts can be added to each other and subtracted again."""
    counts: Counts = Counter()
    for answer in answers:
        if not counts_as_strike(answer):
            continue
        if host := answer.host.country:
            counts[host, "host"] += 1
            if is_sure_strike(answer):
                counts[host, "sure host"] += 1
        if not answer.hits:
            continue
        sure = sure_of_strike(answer, sure_owners)
        for country, part in _parts(answer):
            counts[country, "strikes"] += 1
            counts[country, "sure"] += country in sure
            counts[country, "hits"] += part.hits
            counts[country, "low"] += round(part.low * _UNITS)
            counts[country, "high"] += round(part.high * _UNITS)
        ties = set(_ties(entities, answer))
        for key in ties:
            counts[key] += 1
        for tied, relation in sure_ties(entities, answer):
            if tied:
                counts[tied, f"sure {relation}"] += 1
        for country in {country for country, _ in ties}:
            counts[country, "related"] += 1
    return counts


def totals_of(counts: Counts) -> dict[str, CountryTotals]:
    """Return the totals that counts stand for, by country."""
    countries = {country for (country, key), number in counts.items() if number and key not in ("low", "high")}
    return {country: _totals(country, counts) for country in sorted(countries)}


def _totals(country: str, counts: Counts) -> CountryTotals:
    low, high = (counts[country, end] / (100 * _UNITS) for end in ("low", "high"))
    owned = OwnedTotals(counts[country, "strikes"], counts[country, "sure"], counts[country, "hits"], low, high)
    strikes, sure = ({tie: counts[country, f"{how}{tie}"] for tie in TIES} for how in ("", "sure "))
    return CountryTotals(owned, strikes, sure, counts[country, "related"])


def _ties(entities: Mapping[str, Entity], answer: StrikeAttribution) -> Iterator[tuple[str, RelationKind]]:
    """Yield the ties of countries to the sites that a strike hit or may have hit."""
    for hit in answer.hits:
        for relation in hit.relations:
            if country := country_of(entities[relation.entity], answer.basis):
                yield country, relation.relation


def _parts(answer: StrikeAttribution) -> Iterator[tuple[str, _Part]]:
    """Yield the contribution of a strike to each country that may have owned part of the sites hit.

    Confirmed sites were all hit. Of several possible ones, where none is confirmed, exactly one was; a single
    possible one, one beside a confirmed one, and one that only the machine proposes, may not have been; nor may any
    site of a draft.
    """
    if len(answer.hits) == 1:  # as most strikes have, of which nothing is to be put together
        only = answer.hits[0]
        is_sure = only.hit.verdict == "confirmed" and is_sure_strike(answer)
        for row in only.owners.shares:
            if row.share.high > NEGLIGIBLE:
                low = _percent(row.share.low) if is_sure else 0.0
                yield row.country, _Part(low, _percent(row.share.high), 1)
        return
    shares = [{row.country: row.share for row in hit.owners.shares} for hit in answer.hits]
    sure = [owners for owners, hit in zip(shares, answer.hits, strict=True) if hit.hit.verdict == "confirmed"]
    possible = [owners for owners, hit in zip(shares, answer.hits, strict=True) if hit.hit.verdict != "confirmed"]
    exactly_one = not sure and len(possible) > 1
    for country in sorted({country for owners in shares for country in owners}):
        part = _part([o.get(country, _NONE) for o in sure], [o.get(country, _NONE) for o in possible], exactly_one)
        if part.high > NEGLIGIBLE:
            yield country, part if is_sure_strike(answer) else part._replace(low=0.0)


def _part(sure: list[Interval], candidates: list[Interval], exactly_one: bool) -> _Part:
    """Sum over the sites surely hit, plus the least (where exactly one was hit) and the largest of the candidates."""
    low = sum(_percent(share.low) for share in sure) + (
        min(_percent(c.low) for c in candidates) if exactly_one else 0.0
    )
    largest = max((_percent(share.high) for share in candidates), default=0.0)
    high = sum(_percent(share.high) for share in sure) + largest
    return _Part(low, high, sum(share.high > NEGLIGIBLE for share in sure) + (largest > NEGLIGIBLE))


def _percent(share: float) -> float:
    """Cut a share at 100: known shares may sum to more, but no more than the whole of a site was hit."""
    return min(share, 100.0)
