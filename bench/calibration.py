"""Fits the weights of evidence to judged strikes, and measures how reliable stated probabilities are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from scipy.optimize import minimize

from geo.lonlat import Bools, Floats, Ints
from layers.matching.weights import DERIVED, NEARNESS, REASONS, MatchWeights

#: The reasons that have a weight, in the order of the fitted vector.
FITTED = tuple(name for name in REASONS if name != DERIVED)
#: Reasons against a match, whose weights stay negative.
AGAINST = frozenset(
    {"not-operating", "other-kind", "other-target", "other-number", "wrong-place", "far-away", "other-country"}
)
#: Reasons of which either sign is possible; the weights of all others stay positive.
EITHER = frozenset({"prior", "no-place", "kin-kind", "alike-kind", "coverage", "rivals", "namesakes"})
#: The column that says whether the asset is in reach.
_PRIOR = FITTED.index("prior")
#: Which columns are of nearness, whose sum the ceiling limits where the point is no site.
_NEARNESS = np.array([name in NEARNESS for name in FITTED])


@dataclass(frozen=True)
class JudgedStrike:
    """A strike whose asset a person has judged.

    Attributes
    ----------
    columns
        Evidence on its candidates as ``evidence.evidence_columns`` measures it, shape (candidates, len(FITTED)).
    right
        Which candidates are right, shape (candidates,): all that may be where it is not known which; none means
        "none of these".
    site
        Whether the strike's point is a site.
    weight
        How much the judgement counts.
    """

    columns: Floats
    right: Bools
    site: bool
    weight: float = 1.0


def fit(
    events: Sequence[JudgedStrike],
    start: MatchWeights,
    *,
    strength: float = 0.02,
    begin: MatchWeights | None = None,
) -> MatchWeights:
    """Fit weights by maximum likelihood, held near ``start`` by a quadratic penalty.

    A conditional logit (McFadden 1974): each strike chooses among its candidates and "none of these".

    Parameters
    ----------
    events
        Judged strikes.
    start
        Weights to start from and to stay near; ``ceiling`` and ``missing`` are taken over.
    strength
        Cost of a squared step from ``start``, for each unit of weight of all events.
    begin
        Where the search begins, by default at ``start``: the fit of nearly the same events is soon found from there.

    Returns
    -------
    MatchWeights
        Each fitted weight keeps the sign that its description has.
    """
    packed = _Packed.of(events)
    first = np.array([start[name] for name in FITTED])
    total = packed.weight.sum()

    def cost(theta: Floats) -> tuple[float, Floats]:
        loss, slope = packed.loss(theta, start.ceiling)
        away = theta - first
        return loss + strength * total * float(away @ away) / 2, slope + strength * total * away

    bounds = [(None, None) if name in EITHER else (None, 0) if name in AGAINST else (0, None) for name in FITTED]
    at = first if begin is None else np.array([begin[name] for name in FITTED])
    result = minimize(cost, at, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
    by_name = MappingProxyType({name: float(value) for name, value in zip(FITTED, result.x, strict=True)})
    return MatchWeights(by_name, start.ceiling, start.missing, start.fitted, len(events))


@dataclass(frozen=True)
class _Packed:
    """All events as one table, the candidates of each after those of the one before."""

    columns: Floats
    right: Bools
    site: Bools
    event: Ints
    none: Bools
    weight: Floats

    @classmethod
    def of(cls, events: Sequence[JudgedStrike]) -> _Packed:
        size = [len(event.right) for event in events]
        return cls(
            np.concatenate([np.zeros((0, len(FITTED))), *(event.columns for event in events)]),
            np.concatenate([np.zeros(0, bool), *(event.right for event in events)]),
            np.repeat([event.site for event in events], size),
            np.repeat(np.arange(len(events)), size),
            np.array([not event.right.any() for event in events]),
            np.array([event.weight for event in events]),
        )

    def loss(self, theta: Floats, ceiling: float) -> tuple[float, Floats]:
        """Return the negative log likelihood of the judgements, and its gradient."""
        log_odds, capped = _log_odds(self.columns, self.site, theta, ceiling)
        count = len(self.weight)
        highest = np.zeros(count)
        np.maximum.at(highest, self.event, log_odds)
        odds = np.exp(log_odds - highest[self.event])
        none = np.exp(-highest)
        total = none + np.bincount(self.event, odds, count)
        good = np.where(self.none, none, np.bincount(self.event, odds * self.right, count))
        loss = -(self.weight * np.log(np.maximum(good, 1e-300) / total)).sum()
        share = odds / total[self.event]
        among = odds * self.right / np.where(self.none, 1, np.maximum(good, 1e-300))[self.event]
        pull = self.weight[self.event] * (share - among)
        slope = np.where(capped[:, None] & _NEARNESS, 0, self.columns).T @ pull
        return float(loss), np.asarray(slope)


def _log_odds(columns: Floats, site: Bools, theta: Floats, ceiling: float) -> tuple[Floats, Bools]:
    nearness = columns[:, _NEARNESS] @ theta[_NEARNESS]
    capped = ~site & (columns[:, _PRIOR] > 0) & (nearness > ceiling)
    return columns[:, ~_NEARNESS] @ theta[~_NEARNESS] + np.where(capped, ceiling, nearness), capped


def probabilities(event: JudgedStrike, weights: MatchWeights) -> tuple[Floats, float]:
    """Return the probability of each candidate of a strike, shape (candidates,), and that of "none of these"."""
    theta = np.array([weights[name] for name in FITTED])
    log_odds, _ = _log_odds(event.columns, np.full(len(event.right), event.site), theta, weights.ceiling)
    highest = max(0.0, float(log_odds.max(initial=0)))
    odds = np.exp(log_odds - highest)
    total = float(np.exp(-highest) + odds.sum())
    return odds / total, float(np.exp(-highest)) / total


def evidence_matrix(columns: Mapping[str, Floats]) -> Floats:
    """Return columns by name as one table in the order of `FITTED`, shape (pairs, len(FITTED))."""
    return np.column_stack([columns[name] for name in FITTED])


@dataclass(frozen=True, slots=True)
class ReliabilityBand:
    """How often statements with a probability between two bounds were right."""

    low: float
    high: float
    count: int
    stated: float
    observed: float


def reliability_bands(stated: Floats, right: Bools, edges: Sequence[float]) -> tuple[ReliabilityBand, ...]:
    """Compare stated probabilities with observed frequencies by bands (a reliability diagram).

    Parameters
    ----------
    stated
        Probabilities, shape (n,).
    right
        Which statements were right, shape (n,).
    edges
        Ascending bounds of the bands; a band ends below its upper edge, the last one with it.

    Returns
    -------
    tuple of ReliabilityBand
        The bands with any statement, ascending.
    """
    number = np.clip(np.searchsorted(edges, stated, side="right") - 1, 0, len(edges) - 2)
    result = []
    for band, (low, high) in enumerate(pairwise(edges)):
        inside = number == band
        if inside.any():
            result.append(
                ReliabilityBand(low, high, int(inside.sum()), float(stated[inside].mean()), float(right[inside].mean()))
            )
    return tuple(result)
