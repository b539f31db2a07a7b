"""The queue of strikes that wait for a decision, those first whose answer a decision is expected to change most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from layers.decisions.hits import StrikeOutcome
from layers.model.records import Match
from layers.ownership.owners import Owners

#: Candidates of one strike that count; the rest are too improbable to change the order.
MAX_WEIGHED = 8

#: Share of each country, fractions of 1; the empty name is the unattributed part.
_Parts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A strike that waits for a decision.

    ``expected_change`` is the part of the published answer, from 0 to 1, that a decision is expected to move from one
    country (or from "unattributed") to another.
    """

    strike: str
    expected_change: float
    outcome: StrikeOutcome
    candidates: tuple[Match, ...]


def review_queue(
    outcomes: Mapping[str, StrikeOutcome],
    matches: Mapping[str, tuple[Match, ...]],
    owners: Callable[[str], Owners],
) -> tuple[ReviewItem, ...]:
    """Queue the strikes without a settled decision, those first that a decision would change most.

    A strike is settled once a person confirmed an asset, said "none of these" or "not a strike"; "possible" and
    "unsure" leave it in the queue. The expected change is the sum over the candidates and "none of these" of the
    probability of each times the total variation distance between the answer as published and the answer that
    it would give (half the sum of the absolute differences over all countries). Where probabilities add up to more than
    1, as of several sites that one text names, it is their weighted mean. Bounded shares count by their middle.

    Parameters
    ----------
    outcomes
        What each strike hit as published, by strike.
    matches
        Candidates of each strike, most probable first.
    owners
        Gives the owners of an asset.
    """
    cache: dict[str, _Parts] = {}

    def parts_of(asset: str) -> _Parts:
        if asset not in cache:
            cache[asset] = _parts(owners(asset))
        return cache[asset]

    items = [
        ReviewItem(name, _expected_change(outcome, matches[name], parts_of), outcome, matches[name])
        for name, outcome in outcomes.items()
        if not is_settled(outcome)
    ]
    return tuple(sorted(items, key=lambda item: (-item.expected_change, item.strike)))


def is_settled(outcome: StrikeOutcome) -> bool:
    """Return whether a person has decided on a strike so that nothing is left open."""
    if outcome.decision is not None:
        return outcome.decision.verdict != "unsure"
    return outcome.basis_of_outcome == "decision"


def _parts(owners: Owners) -> _Parts:
    """Return the middle of each country's share, scaled to a sum of 1."""
    middles = {row.country: (row.share.low + row.share.high) / 200 for row in owners.shares}
    rest = (owners.unattributed.low + owners.unattributed.high) / 200
    total = sum(middles.values()) + rest
    return {country: part / total for country, part in {**middles, "": rest}.items()} if total else {"": 1.0}


def _expected_change(outcome: StrikeOutcome, matches: Iterable[Match], parts_of: Callable[[str], _Parts]) -> float:
    now = _mean([parts_of(hit.asset) for hit in outcome.hits])
    weighed = [match for match in matches if match.asset is not None][:MAX_WEIGHED]
    answers = [(match.probability, parts_of(match.asset)) for match in weighed if match.asset is not None]
    together = sum(probability for probability, _ in answers)
    answers.append((max(0.0, 1.0 - together), {"": 1.0}))
    # Of several sites that a text names each may be the one that a decision is about.
    return sum(probability * _distance(now, then) for probability, then in answers) / max(1.0, together)


def _mean(parts: list[_Parts]) -> _Parts:
    if not parts:
        return {"": 1.0}
    countries = {country for shares in parts for country in shares}
    return {country: sum(shares.get(country, 0.0) for shares in parts) / len(parts) for country in countries}


def _distance(left: _Parts, right: _Parts) -> float:
    """Return the total variation distance of two answers, from 0 to 1."""
    countries = left.keys() | right.keys()
    return sum(abs(left.get(country, 0.0) - right.get(country, 0.0)) for country in countries) / 2
