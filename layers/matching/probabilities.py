"""Probabilities of candidates: evidence weighed to log odds, and normalised against "none of these"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.lonlat import Floats, Ints
from geo.spatial_join.join import Pairs
from layers.matching.asset_index import AssetIndex
from layers.matching.evidence import Columns, evidence_columns
from layers.matching.strike_columns import StrikeColumns
from layers.matching.weights import MatchWeights, log_odds_terms


@dataclass(frozen=True, slots=True)
class Scores:
    """Scored pairs of strikes and assets, sorted by strike.

    Attributes
    ----------
    left, right
        Rows of the strikes and of the index, shape (pairs,).
    distance_m
        Geodesic distance in metres, shape (pairs,).
    log_odds
        Log odds against "none of these", shape (pairs,).
    probability
        Among all candidates of the strike and "none of these", shape (pairs,).
    by_reason
        Log odds of each reason, which add up to ``log_odds``.
    evidence
        What was measured for each reason.
    no_asset
        Probability of "none of these", shape (strikes,).
    """

    left: Ints
    right: Ints
    distance_m: Floats
    log_odds: Floats
    probability: Floats
    by_reason: Columns
    evidence: Columns
    no_asset: Floats


def score_pairs(strikes: StrikeColumns, index: AssetIndex, pairs: Pairs, weights: MatchWeights) -> Scores:
    """Score pairs that are sorted by strike, as ``candidates.candidates`` finds them."""
    evidence = evidence_columns(strikes, index, *pairs)
    by_reason = log_odds_terms(evidence, strikes.site[pairs.left], weights)
    log_odds = np.sum(list(by_reason.values()), axis=0)
    probability, no_asset = softmax_with_none(pairs.left, log_odds, len(strikes))
    return Scores(*pairs, log_odds, probability, by_reason, evidence, no_asset)


def softmax_with_none(left: Ints, log_odds: Floats, strikes: int) -> tuple[Floats, Floats]:
    """Turn log odds against "none of these" into probabilities (a conditional logit).

    Parameters
    ----------
    left
        Row of the strike of each pair, shape (pairs,).
    log_odds
        Shape (pairs,).
    strikes
        Number of strikes.

    Returns
    -------
    tuple of Floats
        The probability of each pair, shape (pairs,), and of "none of these", shape (strikes,): 1 without candidates.
    """
    highest = np.zeros(strikes)
    np.maximum.at(highest, left, log_odds)
    odds = np.exp(log_odds - highest[left])
    total = np.exp(-highest) + np.bincount(left, weights=odds, minlength=strikes)
    return odds / total[left], np.exp(-highest) / total
