"""Which strikes may be one event told twice, with named reasons. A machine proposes; a person decides.

The odds of a pair are the exponential of a sum of weights, one a reason, as in ``matching``. See docs/duplicates.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from geo.lonlat import Bools, Floats
from layers.decisions.identity import judged
from layers.model.records import Reason, Records, Strike
from layers.resolution.resolve import apply
from layers.resolution.strike_blocking import StrikePairs, candidates
from layers.resolution.strike_columns import EventTable
from layers.resolution.strike_comparison import Evidence, details, quick, targeted, worded

#: From this probability on a pair is shown to a person.
PROPOSE_FROM = 0.6
#: Two strikes of one data set are shown from this on: whoever made it had a chance to see that they are one.
SAME_DATASET_FROM = 0.9
#: Weights that no labelled pair speaks to, or that the choice of pairs would bias.
BY_HAND = frozenset({"prior", "same-source", "other-country", "loose-place"})


@dataclass(frozen=True, slots=True)
class Weights:
    """Log odds that a reason adds for each unit of its evidence; calibrated, see docs/duplicates.md."""

    prior: float = -2.5  # two strikes within two days, about which nothing else speaks; set by hand
    same_night: float = 0.7
    next_day: float = 1.0
    later_day: float = 0.0
    place: float = 2.1  # two places sure to 100 m; falls to nothing at 30 km
    loose_place: float = -0.5  # two places unsure to tens of kilometres, by the logarithm; set by hand
    apart: float = -2.4  # half the square of the distance in sigmas, at most 4
    far: float = -2.9  # places that cannot be one
    no_place: float = -2.5  # one has no coordinate
    place_name: float = 1.7  # a rare word of the place in both, where they are not near
    name: float = 1.9  # a rare word in both that is none of the place
    target: float = 1.9  # the targets as printed are the same name
    other_target: float = -3.0  # the targets as printed are other names; twice where only their numbers differ
    kind: float = 4.3  # the same kind of site
    other_kind: float = -2.5
    attacker: float = 0.5
    other_attacker: float = -0.5
    other_country: float = -0.5  # set by hand
    same_dataset: float = -0.7
    same_source: float = 2.0  # two data sets cite one report that few strikes cite; set by hand

    def of(self, reason: str) -> float:
        """The weight of a reason by its name, such as ``same-night``."""
        value: float = getattr(self, reason.replace("-", "_"))
        return value


@dataclass(frozen=True, slots=True)
class DuplicateProposal:
    """Two strikes that may be one event: for a person to decide.

    ``one`` is the one to keep: better checked, surer of its place, with more sources. ``score`` is the probability
    by the weights; ``distance_m`` the metres between the places, ``None`` where one has none or they are far apart.
    """

    one: str
    other: str
    score: float
    distance_m: float | None
    reasons: tuple[Reason, ...]


def propose(
    records: Records, from_score: float = PROPOSE_FROM, weights: Weights | None = None
) -> tuple[DuplicateProposal, ...]:
    """Pairs of strikes that may be the same event, the likeliest first, each pair once.

    Parameters
    ----------
    records
        As stored; the judgements in them are followed first, and pairs judged different are left out, also where
        one of them stands for others since.
    from_score
        Least probability. Two strikes of one data set need ``SAME_DATASET_FROM``, unless less than the default
        ``PROPOSE_FROM`` is asked for.
    weights
        The log odds of each reason.

    Notes
    -----
    Pairs are looked at only if they may be within two days of each other and are near, share a rare word, or, where
    one has no place, are of the same region. Undated is no strike: the schema asks for a time.
    """
    weights = weights or Weights()
    table = EventTable.of(apply(records))
    pairs, evidence = gathered(table, weights, from_score)
    scores = 1 / (1 + np.exp(-log_odds(evidence, weights)))
    apart = judged(records)[0]["strikes"].apart()
    rows = np.flatnonzero(scores >= _least(evidence, from_score))
    made = (_proposal(table, pairs, evidence, weights, int(row), float(scores[row])) for row in rows)
    kept = (found for found in made if frozenset((found.one, found.other)) not in apart)
    return tuple(sorted(kept, key=lambda found: (-found.score, found.one, found.other)))


def gathered(table: EventTable, weights: Weights, from_score: float) -> tuple[StrikePairs, Evidence]:
    """Candidates that may reach a probability, and all evidence on them.

    The cheap evidence is looked at first; pairs that even the same words and targets could not lift are dropped.
    """
    pairs = candidates(table)
    evidence = quick(table, pairs)
    looks = max(weights.target, 0) + max(weights.same_source, 0) * (1 - evidence["same-dataset"])
    told = 2 * (max(weights.name, 0) + max(weights.place_name, 0) * np.isnan(pairs.distance_m))
    keep = log_odds(evidence, weights) + looks + told >= _logit(_least(evidence, from_score))
    pairs, evidence, looks = _only(pairs, keep), {name: values[keep] for name, values in evidence.items()}, looks[keep]
    evidence |= worded(table, pairs)
    keep = log_odds(evidence, weights) + looks >= _logit(_least(evidence, from_score))
    pairs, evidence = _only(pairs, keep), {name: values[keep] for name, values in evidence.items()}
    return pairs, {**evidence, **targeted(table, pairs)}


def _least(evidence: Evidence, from_score: float) -> Floats:
    """The probability that each pair needs; the caller may ask for less than the default, also within a data set."""
    within = SAME_DATASET_FROM if from_score >= PROPOSE_FROM else from_score
    return np.where(evidence["same-dataset"] > 0, max(from_score, within), from_score)


def _logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(clipped / (1 - clipped)))


def log_odds(evidence: Evidence, weights: Weights) -> Floats:
    """The sum of the weights of all evidence there is, one number a pair."""
    first = next(iter(evidence.values()))
    total = np.full(len(first), weights.prior)
    for reason, values in evidence.items():
        total = total + weights.of(reason) * values
    return total


def _only(pairs: StrikePairs, keep: Bools) -> StrikePairs:
    return StrikePairs(pairs.left[keep], pairs.right[keep], pairs.distance_m[keep])


def _proposal(
    table: EventTable, pairs: StrikePairs, evidence: Evidence, weights: Weights, row: int, score: float
) -> DuplicateProposal:
    left, right, metres = int(pairs.left[row]), int(pairs.right[row]), float(pairs.distance_m[row])
    said = details(table, left, right, metres)
    reasons = [Reason(name="prior", value=1.0, weight=weights.prior, detail="two strikes within two days")]
    reasons += [
        Reason(name=name, value=float(values[row]), weight=weights.of(name) * float(values[row]), detail=said[name])
        for name, values in evidence.items()
        if values[row] != 0
    ]
    one, other = sorted((table.strikes[left], table.strikes[right]), key=_standing)
    return DuplicateProposal(
        one.id, other.id, round(score, 4), None if np.isnan(metres) else round(metres, 1), tuple(reasons)
    )


_CHECKED = ("read", "excerpt", "unverified")


def _standing(strike: Strike) -> tuple[object, ...]:
    """What makes a strike the one to keep, the best first."""
    sure = strike.uncertainty_m if strike.uncertainty_m is not None else float("inf")
    return _CHECKED.index(strike.checked), sure, -len(strike.sources), strike.id


def weights_table(weights: Weights | None = None) -> Iterable[tuple[str, float]]:
    """Each reason and its weight, for people to read."""
    return ((name.replace("_", "-"), value) for name, value in asdict(weights or Weights()).items())
