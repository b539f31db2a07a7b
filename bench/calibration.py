"""Fits the weights of evidence to judged strikes, and measures how reliable stated probabilities are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from scipy.optimize import minimize

from geo.lonlat import Bools, Floats, Ints
from layers.matching.evidence import Mentions
from layers.matching.match import site_probabilities, with_twins
from layers.matching.weights import DERIVED, NEARNESS, REASONS, MatchWeights

#: The reasons that have a weight, in the order of the fitted vector.
FITTED = tuple(name for name in REASONS if name != DERIVED)
#: Reasons against a match, whose weights stay negative.
AGAINST = frozenset(
    {
        *("not-operating", "other-kind", "other-type", "other-target", "other-number", "wrong-place", "far-away"),
        *("other-country", "other-name", "landmark", "near"),
    }
)
#: Reasons of which either sign is possible; the weights of all others stay positive.
EITHER = frozenset({"prior", "no-place", "kin-kind", "alike-kind", "mentioned-kind", "coverage", "rivals", "namesakes"})
#: Of random utilities at most 1; near 0 the likeliest candidate takes all.
DISSIMILARITY_BOUNDS = (0.1, 1.0)
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
    named
        The words by which the text names the candidates, as ``evidence.mentions`` finds them; None for no words.
    alike
        Candidates, others that may be the same site and how probably they are, shape (n, 3): ``AssetIndex.alike``.
    """

    columns: Floats
    right: Bools
    site: bool
    weight: float = 1.0
    named: Mentions | None = None
    alike: Floats = field(default_factory=lambda: np.zeros((0, 3)))


def fit(
    events: Sequence[JudgedStrike],
    start: MatchWeights,
    *,
    strength: float = 0.02,
    begin: MatchWeights | None = None,
) -> MatchWeights:
    """Fit weights by maximum likelihood, held near ``start`` by a quadratic penalty.

    A nested logit (McFadden 1978): each strike chooses among its candidates, which are one nest, and "none of these".

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
        Each fitted weight keeps the sign that its description has. The dissimilarity is fitted too, and not held.
    """
    packed = _Packed.of(events)
    first = _vector(start)
    total = packed.weight.sum()

    def cost(theta: Floats) -> tuple[float, Floats]:
        loss, slope = packed.loss(theta, start.ceiling)
        away = np.append(theta[:-1] - first[:-1], 0.0)
        return loss + strength * total * float(away @ away) / 2, slope + strength * total * away

    bounds = [(None, None) if name in EITHER else (None, 0) if name in AGAINST else (0, None) for name in FITTED]
    at = first if begin is None else _vector(begin)
    result = minimize(
        cost, at, jac=True, method="L-BFGS-B", bounds=[*bounds, DISSIMILARITY_BOUNDS], options={"maxiter": 500}
    )
    *weights, dissimilarity = result.x.tolist()
    by_name = MappingProxyType(dict(zip(FITTED, weights, strict=True)))
    return replace(start, by_name=by_name, dissimilarity=dissimilarity, events=len(events))


def _vector(weights: MatchWeights) -> Floats:
    """Return the weights in the order of ``FITTED``, and the dissimilarity as the last."""
    return np.array([*(weights[name] for name in FITTED), weights.dissimilarity])


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
        """Return the negative log likelihood of the judgements, and its gradient, by weights and dissimilarity."""
        *_, dissimilarity = theta.tolist()
        log_odds, capped = _log_odds(self.columns, self.site, theta[:-1], ceiling)
        scaled = log_odds / dissimilarity
        all_sum, share = self._log_sums(scaled, np.ones_like(self.right))
        right_sum, among = self._log_sums(scaled, self.right)
        any_asset = dissimilarity * all_sum
        probability = np.exp(any_asset - np.logaddexp(0.0, any_asset))
        with np.errstate(invalid="ignore"):  # a strike without candidates has none as its answer
            answer = np.where(self.none, 0.0, any_asset - all_sum + right_sum)
        loss = (self.weight * (np.logaddexp(0.0, any_asset) - answer)).sum()
        within = np.where(self.none[self.event], 0.0, (among - share) / dissimilarity)
        pull = (probability - ~self.none)[self.event] * share - within
        slope = np.where(capped[:, None] & _NEARNESS, 0, self.columns).T @ (self.weight[self.event] * pull)
        mean = np.bincount(self.event, share * scaled, len(self.weight))
        mean_right = np.bincount(self.event, among * scaled, len(self.weight))
        entropy = np.where(np.isfinite(all_sum), all_sum, 0.0) - mean
        by_dissimilarity = (probability - ~self.none) * entropy
        by_dissimilarity += np.where(self.none, 0.0, (mean_right - mean) / dissimilarity)
        return float(loss), np.append(slope, (self.weight * by_dissimilarity).sum())

    def _log_sums(self, scaled: Floats, counted: Bools) -> tuple[Floats, Floats]:
        """Return the log of the sum of the exponentials of each event, and the share of each candidate in it."""
        count = len(self.weight)
        highest = np.full(count, -np.inf)
        np.maximum.at(highest, self.event[counted], scaled[counted])
        finite = np.where(np.isfinite(highest), highest, 0.0)
        odds = np.exp(np.where(counted, scaled - finite[self.event], -np.inf))
        total = np.bincount(self.event, odds, count)
        return highest + np.log(np.maximum(total, 1.0)), odds / np.maximum(total, 1.0)[self.event]


def _log_odds(columns: Floats, site: Bools, theta: Floats, ceiling: float) -> tuple[Floats, Bools]:
    nearness = columns[:, _NEARNESS] @ theta[_NEARNESS]
    capped = ~site & (columns[:, _PRIOR] > 0) & (nearness > ceiling)
    return columns[:, ~_NEARNESS] @ theta[~_NEARNESS] + np.where(capped, ceiling, nearness), capped


def probabilities(event: JudgedStrike, weights: MatchWeights) -> tuple[Floats, float]:
    """Return the probability of each candidate of a strike, shape (candidates,), and that of "none of these"."""
    rows = len(event.right)
    log_odds, _ = _log_odds(event.columns, np.full(rows, event.site), _vector(weights)[:-1], weights.ceiling)
    named = event.named or Mentions(*np.zeros((2, rows), np.uint64))
    each, none = site_probabilities(np.zeros(rows, np.int64), log_odds, 1, named, weights.dissimilarity)
    one, other = event.alike[:, :2].astype(np.int64).T
    return with_twins(each, np.repeat(none, rows), one, other, event.alike[:, 2]), float(none[0])


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
