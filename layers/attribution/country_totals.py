"""How many strikes concern each country, by relation, and how much of what was hit its owners held, with bounds.

What was hit may be open: a strike is then one of several *worlds*, in each of which other sites were hit. A lower bound
is what holds in every world and with the least shares, an upper bound what holds in some world with the largest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from layers.attribution.attribute import Answer, country_of
from layers.model.records import Entity
from layers.model.types import RelationKind
from layers.ownership.walk import Interval

#: What a country can be to a strike that is not ownership; the host is where it happened.
Tie = Literal[RelationKind, "host"]
TIES: tuple[Tie, ...] = get_args(Tie)
#: All that a country can be to a strike. They are never added together.
Relation = Literal["owner", Tie]
RELATIONS: tuple[Relation, ...] = get_args(Relation)

#: Parts of sites are counted in so many parts of a percent, so that sums are exact and can be taken back.
_UNITS = 10**9
#: What is counted, by country: a tie, "related", or "strikes", "sure", "hits", "low" and "high" of what it owned.
Counts: TypeAlias = Counter[tuple[str, str]]

#: A share below this many percent is none.
_NOTHING = 5e-7
_NONE = Interval(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Owned:
    """What a country's owners held of what was hit.

    ``strikes`` may have hit something that they owned part of, ``strikes_sure`` surely did. ``hits`` is the most
    sites hit that they may have owned part of, a site once for each strike on it; ``assets_min`` and ``assets_max``
    are the sums of their shares in these, in whole sites.
    """

    strikes: int = 0
    strikes_sure: int = 0
    hits: int = 0
    assets_min: float = 0.0
    assets_max: float = 0.0


@dataclass(frozen=True, slots=True)
class Tally:
    """One country: what it owned, and the number of strikes by each other relation.

    ``related`` counts strikes on what it was tied to in any way but as owner or host, each once.
    """

    owned: Owned
    strikes: Mapping[Tie, int]
    related: int


#: A country that no strike concerns.
NO_STRIKES = Tally(Owned(), MappingProxyType(dict.fromkeys(TIES, 0)), 0)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one strike adds for one country: sum of shares in percent, and sites."""

    low: float
    high: float
    hits: int


def stands(told: Answer) -> bool:
    """Whether a strike counts: it is not retracted, and nobody decided that it was none."""
    decision = told.finding.decision
    return told.strike.status != "retracted" and (decision is None or decision.verdict != "not-a-strike")


def tallies(entities: Mapping[str, Entity], answers: Iterable[Answer]) -> dict[str, Tally]:
    """Count the strikes that stand, by country (ISO 3166-1 alpha-2); countries that none concerns are left out."""
    return tallied(counted(entities, answers))


def counted(entities: Mapping[str, Entity], answers: Iterable[Answer]) -> Counts:
    """What strikes add to each country. It can be added to other counts, and taken from them again."""
    counts: Counts = Counter()
    for told in answers:
        if not stands(told):
            continue
        for country, part in _parts(told):
            counts[country, "strikes"] += 1
            counts[country, "sure"] += part.low > _NOTHING
            counts[country, "hits"] += part.hits
            counts[country, "low"] += round(part.low * _UNITS)
            counts[country, "high"] += round(part.high * _UNITS)
        ties = set(_ties(entities, told))
        counts.update(ties)
        counts.update({(country, "related") for country, relation in ties if relation != "host"})
    return counts


def tallied(counts: Counts) -> dict[str, Tally]:
    """The tallies of counts, by country."""
    countries = {country for (country, what), number in counts.items() if number and what not in ("low", "high")}
    return {country: _tally(country, counts) for country in sorted(countries)}


def _tally(country: str, counts: Counts) -> Tally:
    low, high = (counts[country, end] / (100 * _UNITS) for end in ("low", "high"))
    owned = Owned(counts[country, "strikes"], counts[country, "sure"], counts[country, "hits"], low, high)
    return Tally(owned, {relation: counts[country, relation] for relation in TIES}, counts[country, "related"])


def _ties(entities: Mapping[str, Entity], told: Answer) -> Iterator[tuple[str, Tie]]:
    if told.strike.host_country:
        yield told.strike.host_country, "host"
    for hit in told.hits:
        for relation in hit.relations:
            if country := country_of(entities[relation.entity], told.basis):
                yield country, relation.relation


def _parts(told: Answer) -> Iterator[tuple[str, _Part]]:
    """What a strike adds for each country that may have owned part of what it hit.

    Confirmed sites were all hit. Of several possible ones, where none is confirmed, exactly one was; a single
    possible one, one beside a confirmed one, and one that only the machine proposes, may not have been.
    """
    shares = [{row.country: row.share for row in hit.owners.shares} for hit in told.hits]
    sure = [owners for owners, hit in zip(shares, told.hits, strict=True) if hit.hit.verdict == "confirmed"]
    maybe = [owners for owners, hit in zip(shares, told.hits, strict=True) if hit.hit.verdict != "confirmed"]
    one_was = not sure and len(maybe) > 1
    for country in sorted({country for owners in shares for country in owners}):
        part = _part([o.get(country, _NONE) for o in sure], [o.get(country, _NONE) for o in maybe], one_was)
        if part.high > _NOTHING:
            yield country, part


def _part(sure: list[Interval], candidates: list[Interval], one_was: bool) -> _Part:
    """Sum over sites that were surely hit, and of the candidates the least (where one was hit) and the largest."""
    low = sum(_percent(share.low) for share in sure) + (min(_percent(c.low) for c in candidates) if one_was else 0.0)
    most = max((_percent(share.high) for share in candidates), default=0.0)
    high = sum(_percent(share.high) for share in sure) + most
    return _Part(low, high, sum(share.high > _NOTHING for share in sure) + (most > _NOTHING))


def _percent(share: float) -> float:
    """Known shares may sum to over 100, which is reported; no more than the whole of a site was hit."""
    return min(share, 100.0)
