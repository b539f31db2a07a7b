"""Fits the matcher's weights to judged strikes, and tells how far stated probabilities hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from scipy.optimize import minimize

from geo.lonlat import Bools, Floats, Ints
from layers.matching.weights import DERIVED, REASONS, Weights

#: The reasons that have a weight, in the order of the fitted vector.
FITTED = tuple(name for name in REASONS if name != DERIVED)
#: Each weight keeps the sign that its words say.
AGAINST = frozenset({"other-kind", "other-target", "other-number"})
#: The columns that tell how near, which the ceiling holds down where the point is no site.
_NEARNESS = np.array([name in ("prior", "area", "distance") for name in FITTED])


@dataclass(frozen=True)
class Judged:
    """One judged strike.

    ``columns`` are those of `layers.matching.evidence.columns` for its candidates, shape (candidates, len(FITTED));
    ``right`` marks the candidates that are right, all of them where it is not known which; none marked means "none
    of these". ``site`` tells whether the strike's point is a site.
    """

    columns: Floats
    right: Bools
    site: bool
    weight: float = 1.0


def fit(events: Sequence[Judged], start: Weights, *, strength: float = 0.02) -> Weights:
    """The weights under which the judgements are likeliest, held near ``start``.

    A conditional logit: each strike chooses among its candidates and "none of these". ``strength`` is how much a
    squared step from ``start`` costs, for each unit of weight of all events. Signs are kept.
    """
    packed = _Packed.of(events)
    first = np.array([start[name] for name in FITTED])
    total = packed.weight.sum()

    def cost(theta: Floats) -> tuple[float, Floats]:
        loss, slope = packed.loss(theta, start.ceiling)
        away = theta - first
        return loss + strength * total * float(away @ away) / 2, slope + strength * total * away

    bounds = [(None, None) if name == "prior" else (None, 0) if name in AGAINST else (0, None) for name in FITTED]
    found = minimize(cost, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
    by_name = MappingProxyType({name: float(value) for name, value in zip(FITTED, found.x, strict=True)})
    return Weights(by_name, start.ceiling, start.missing, start.fitted, len(events))


@dataclass(frozen=True)
class _Packed:
    """All events in one table: their candidates one after the other."""

    columns: Floats
    right: Bools
    site: Bools
    event: Ints
    none: Bools
    weight: Floats

    @classmethod
    def of(cls, events: Sequence[Judged]) -> _Packed:
        size = [len(one.right) for one in events]
        return cls(
            np.concatenate([np.zeros((0, len(FITTED))), *(one.columns for one in events)]),
            np.concatenate([np.zeros(0, bool), *(one.right for one in events)]),
            np.repeat([one.site for one in events], size),
            np.repeat(np.arange(len(events)), size),
            np.array([not one.right.any() for one in events]),
            np.array([one.weight for one in events]),
        )

    def loss(self, theta: Floats, ceiling: float) -> tuple[float, Floats]:
        """Negative log likelihood of the judgements, and its slope."""
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
    capped = ~site & (nearness > ceiling)
    return columns[:, ~_NEARNESS] @ theta[~_NEARNESS] + np.where(capped, ceiling, nearness), capped


def probabilities(event: Judged, weights: Weights) -> tuple[Floats, float]:
    """Probability of each candidate of one strike, and of "none of these"."""
    theta = np.array([weights[name] for name in FITTED])
    log_odds, _ = _log_odds(event.columns, np.full(len(event.right), event.site), theta, weights.ceiling)
    highest = max(0.0, float(log_odds.max(initial=0)))
    odds = np.exp(log_odds - highest)
    total = float(np.exp(-highest) + odds.sum())
    return odds / total, float(np.exp(-highest)) / total


def stacked(columns: Mapping[str, Floats]) -> Floats:
    """Columns by name as one table in the order of `FITTED`."""
    return np.column_stack([columns[name] for name in FITTED])


@dataclass(frozen=True, slots=True)
class Band:
    """How often what was stated with a probability between two bounds was right."""

    low: float
    high: float
    count: int
    stated: float
    observed: float


def bands(stated: Floats, right: Bools, edges: Sequence[float]) -> tuple[Band, ...]:
    """Stated against observed by bands; a band ends below its upper edge, the last with it. Empty ones are left out."""
    number = np.clip(np.searchsorted(edges, stated, side="right") - 1, 0, len(edges) - 2)
    found = []
    for band, (low, high) in enumerate(pairwise(edges)):
        inside = number == band
        if inside.any():
            found.append(Band(low, high, int(inside.sum()), float(stated[inside].mean()), float(right[inside].mean())))
    return tuple(found)
