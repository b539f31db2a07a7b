"""What a person should look at first: the strikes whose answer a decision would change most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from layers.decisions.hits import Finding
from layers.model.records import Match
from layers.ownership.owners import Owners

#: Candidates of one strike that are weighed; the rest are too improbable to change the order.
WEIGHED = 8

#: What is known of a country's part, in fractions of 1; the empty name is the unattributed part.
_Parts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Pending:
    """A strike that waits for a decision.

    ``gain`` is how much of the published answer a decision is expected to move from one country (or from
    "unattributed") to another, from 0 to 1.
    """

    strike: str
    gain: float
    finding: Finding
    candidates: tuple[Match, ...]


def pending(
    findings: Mapping[str, Finding],
    matches: Mapping[str, tuple[Match, ...]],
    owners: Callable[[str], Owners],
) -> tuple[Pending, ...]:
    """Strikes without a settled decision, those first that a decision would change most.

    A strike is settled once a person confirmed an asset, said "none of these" or "not a strike"; "possible" and
    "unsure" leave it in the queue. The expected change is the sum over the candidates and "none of these" of the
    probability of each times the total variation distance between the answer as published and the answer that
    it would give (half the sum of the differences over all countries). Bounded shares count by their middle.

    Parameters
    ----------
    owners
        Gives the owners of an asset.
    """
    parts: dict[str, _Parts] = {}

    def parts_of(asset: str) -> _Parts:
        if asset not in parts:
            parts[asset] = _parts(owners(asset))
        return parts[asset]

    found = [
        Pending(name, _gain(finding, matches[name], parts_of), finding, matches[name])
        for name, finding in findings.items()
        if not is_settled(finding)
    ]
    return tuple(sorted(found, key=lambda one: (-one.gain, one.strike)))


def is_settled(finding: Finding) -> bool:
    """Whether a person has decided on a strike so that nothing is left open."""
    if finding.decision is not None:
        return finding.decision.verdict != "unsure"
    return finding.rests_on == "decision"


def _parts(owners: Owners) -> _Parts:
    told = {row.country: (row.share.low + row.share.high) / 200 for row in owners.shares}
    rest = (owners.unattributed.low + owners.unattributed.high) / 200
    total = sum(told.values()) + rest
    return {country: part / total for country, part in {**told, "": rest}.items()} if total else {"": 1.0}


def _gain(finding: Finding, matches: Iterable[Match], parts_of: Callable[[str], _Parts]) -> float:
    now = _mean([parts_of(hit.asset) for hit in finding.hits])
    weighed = [match for match in matches if match.asset is not None][:WEIGHED]
    outcomes = [(match.probability, parts_of(match.asset)) for match in weighed if match.asset is not None]
    none = max(0.0, 1.0 - sum(probability for probability, _ in outcomes))
    return sum(probability * _distance(now, then) for probability, then in [*outcomes, (none, {"": 1.0})])


def _mean(parts: list[_Parts]) -> _Parts:
    if not parts:
        return {"": 1.0}
    countries = {country for one in parts for country in one}
    return {country: sum(one.get(country, 0.0) for one in parts) / len(parts) for country in countries}


def _distance(one: _Parts, other: _Parts) -> float:
    return sum(abs(one.get(country, 0.0) - other.get(country, 0.0)) for country in one.keys() | other.keys()) / 2
