"""Duplicates of strikes: pairs that may be one event, with named reasons. A machine proposes; a person decides.

See docs/duplicates.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from geo.lonlat import Floats
from layers.decisions.identity import merge_groups
from layers.model.records import Records, Strike
from layers.resolution.linkage import CandidatePairs, DuplicateProposal, Evidence, Explained, PairWeights, proposals
from layers.resolution.resolve import apply_judgements
from layers.resolution.strike_blocking import DuplicateColumns, candidates
from layers.resolution.strike_comparison import compare_space_time, compare_targets, compare_text, details

#: Least probability of a pair that is proposed to a person.
PROPOSE_FROM = 0.6
#: Weights that are not fitted: few labelled pairs have the evidence, or those that have it hang together.
BY_HAND = frozenset({"same-source", "other-country", "other-attacker", "other-target"})


@dataclass(frozen=True, slots=True)
class DuplicateWeights(PairWeights):
    """Log odds that a reason adds for each unit of its evidence; calibrated, see docs/duplicates.md."""

    prior: float = -0.9  # two strikes within two days, about which nothing else speaks
    same_night: float = 0.6
    later_day: float = -0.9
    place: float = 1.1  # two places sure to a town; falls to nothing at 30 km
    spot: float = 3.4  # two sites within 10 m of each other; falls to nothing at 1 km
    apart: float = -2.7  # half the square of the distance in sigmas, at most 4
    apart_vague: float = -3.5  # one is placed in a region: the distance in parts of the wider radius, at most 1.5
    far: float = -1.9  # places that cannot be one
    no_place: float = -3.1  # one has no coordinate
    other_region: float = -0.8
    name: float = 1.0  # a rare word in both that is none of the place
    place_name: float = 1.1  # a rare word of the place in both, where they are not near
    words: float = 0.7  # the texts are alike in all their words
    identical: float = 2.1  # the texts are the same
    numbers: float = 2.0  # the texts count the same number of something
    other_place: float = -1.9  # the texts name other places, and a place is vague
    one_report: float = -4.3  # one data set put one text in two places
    target: float = 0.9  # the targets as printed are the same name
    other_target: float = -3.0  # the targets as printed are other names, twice if only numbers differ; set by hand
    kind: float = 4.1  # the same kind of site
    other_kind: float = -1.3
    one_kind: float = -1.1  # one only is on a kind of site
    building: float = 0.7  # both name the same, rare kind of building
    other_object: float = -1.2  # one names a building, the other a site or another building
    other_attacker: float = -0.5  # set by hand
    other_country: float = -0.5  # set by hand
    same_dataset: float = -1.7
    same_source: float = 2.0  # two data sets cite one report that few strikes cite; set by hand


def propose_duplicates(records: Records, from_score: float = PROPOSE_FROM) -> tuple[DuplicateProposal, ...]:
    """Find the pairs of strikes that may be one event, the likeliest first, each pair once.

    Parameters
    ----------
    records
        As stored; the judgements among them are applied first, and pairs judged different are left out, also where
        other strikes were merged into one of them since.
    from_score
        Least probability.

    Notes
    -----
    Pairs are compared only if they may be within two days of each other and are near, share a rare word, or, where
    one has no place, are of the same region. Every strike has a date.
    """
    weights, table = DuplicateWeights(), DuplicateColumns.of(apply_judgements(records))
    pairs, evidence = _gathered(table, weights, from_score)

    def explain(left: int, right: int, metres: float) -> Explained:
        one, other = sorted((table.strikes[left], table.strikes[right]), key=_rank)
        return Explained(one.id, other.id, details(table, left, right, metres))

    return proposals(pairs, evidence, weights, from_score, merge_groups(records)[0]["strikes"].apart(), explain)


def _gathered(table: DuplicateColumns, weights: DuplicateWeights, least: float) -> tuple[CandidatePairs, Evidence]:
    """Find the candidates that may reach a probability, and gather all evidence on them.

    Quick evidence comes first; pairs that even the best words and targets could not lift to it are dropped in between.
    """
    pairs = candidates(table)
    evidence = compare_space_time(table, pairs)
    needed = math.log(max(least, 1e-12) / max(1 - least, 1e-12))
    best_targets = max(weights.target, 0) + max(weights.same_source, 0) * (1 - evidence["same-dataset"])
    selected = weights.log_odds(evidence) + best_targets + _best_text(table, pairs, weights) >= needed
    pairs, evidence = pairs.only(selected), {name: values[selected] for name, values in evidence.items()}
    best_targets = best_targets[selected]
    evidence |= compare_text(table, pairs)
    selected = weights.log_odds(evidence) + best_targets >= needed
    pairs, evidence = pairs.only(selected), {name: values[selected] for name, values in evidence.items()}
    return pairs, {**evidence, **compare_targets(table, pairs)}


def _best_text(table: DuplicateColumns, pairs: CandidatePairs, weights: DuplicateWeights) -> Floats:
    """Return the most that the texts of each pair could add: a strike of which nothing is reported shares no text."""
    said, counted = (np.diff(matrix.indptr) > 0 for matrix in (table.texts.words, table.texts.numbers))
    i, j = pairs.left, pairs.right
    return np.asarray(
        2 * max(weights.name, 0)
        + 2 * max(weights.place_name, 0) * np.isnan(pairs.distance_m)
        + (max(weights.words, 0) + max(weights.identical, 0)) * (said[i] & said[j])
        + 2 * max(weights.numbers, 0) * (counted[i] & counted[j])
    )


_CHECKED = ("read", "excerpt", "unverified")


def _rank(strike: Strike) -> tuple[object, ...]:
    """Sort key by which the preferred strike is the first."""
    uncertainty_m = strike.uncertainty_m if strike.uncertainty_m is not None else float("inf")
    return _CHECKED.index(strike.checked), uncertainty_m, -len(strike.sources), strike.id
