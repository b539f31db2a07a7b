"""Fit the weights of duplicates to labelled pairs and cross-validate: `python -m bench.duplicate_weights FOLDER`.

The folder is that of the real data, which lies beside the checkout; the labels are tests/labelled/duplicates.csv.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.lonlat import Bools, Floats, Ints
from layers.resolution.strike_blocking import CandidatePairs, DuplicateColumns, candidates
from layers.resolution.strike_comparison import compare_space_time, compare_targets, compare_text
from layers.resolution.strike_duplicates import BY_HAND, DuplicateWeights
from tests.labelled.strikes import labelled_records

LABELS = Path(__file__).resolve().parent.parent / "tests" / "labelled" / "duplicates.csv"
#: What was guessed before any label was looked at: the middle of the prior that the fit starts from.
GUESS = DuplicateWeights(
    same_night=1.0,
    next_day=0.0,
    later_day=-1.5,
    place=2.0,
    loose_place=-0.5,
    apart=-1.0,
    far=-3.0,
    no_place=-0.5,
    place_name=1.5,
    name=2.0,
    target=3.0,
    other_target=-3.0,
    kind=1.0,
    other_kind=-2.0,
    attacker=0.3,
    other_attacker=-2.5,
    other_country=-0.5,
    same_dataset=-1.0,
)
#: Each weight keeps the sign that its words say.
AGAINST = frozenset({"apart", "far", "no-place", "other-target", "other-kind", "other-attacker", "same-dataset"})
#: How much a weight is held to the guess: the inverse of the variance of a Gaussian prior.
HOLD = 0.5
FOLDS = 10
BANDS = (0.0, 0.1, 0.3, 0.6, 0.8, 0.9, 1.01)


def labelled(table: DuplicateColumns) -> tuple[CandidatePairs, Bools, int, int]:
    """Labelled pairs among the candidates, whether they are duplicates, and how many of each verdict are not."""
    rows = {strike.id: row for row, strike in enumerate(table.strikes)}
    pairs = candidates(table)
    at = {pair: number for number, pair in enumerate(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))}
    drawn, same, missed = [], [], [0, 0]
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            pair = sorted((rows[row["one"]], rows[row["other"]]))
            is_same = row["verdict"] == "same"
            if (number := at.get((pair[0], pair[1]))) is None:
                missed[is_same] += 1
            else:
                drawn.append(number)
                same.append(is_same)
    chosen = np.array(drawn, np.int64)
    selected = CandidatePairs(pairs.left[chosen], pairs.right[chosen], pairs.distance_m[chosen])
    return selected, np.array(same), missed[1], missed[0]


def fitted(names: Sequence[str], evidence: Floats, same: Bools) -> Floats:
    """Weights of the likeliest logistic regression, held to the guess; those by hand stay as they are."""
    guess = np.array([GUESS.of(name) for name in names])
    bounds = [_bounds(name) for name in names]

    def loss(weights: Floats) -> tuple[float, Floats]:
        odds, off = evidence @ weights, weights - guess
        value = np.sum(np.logaddexp(0, odds) - same * odds) + 0.5 * HOLD * np.sum(off**2)
        return float(value), evidence.T @ (_sure(odds) - same) + HOLD * off

    return np.asarray(minimize(loss, guess, jac=True, method="L-BFGS-B", bounds=bounds).x)


def _bounds(name: str) -> tuple[float | None, float | None]:
    if name in BY_HAND:
        return GUESS.of(name), GUESS.of(name)
    return (None, 0.0) if name in AGAINST else (0.0, None)


def _sure(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


def folds(pairs: CandidatePairs, strikes: int) -> Ints:
    """A fold for each pair; pairs that hang together by a strike are in one."""
    graph = coo_array((np.ones(len(pairs.left)), (pairs.left, pairs.right)), shape=(strikes, strikes))
    group = connected_components(graph, directed=False)[1][pairs.left]
    shuffled = np.random.default_rng(0).permutation(int(group.max()) + 1) % FOLDS
    return np.asarray(shuffled[group])


def report(name: str, scores: Floats, same: Bools, missed: int) -> Iterator[str]:
    """Precision and recall at thresholds, and predicted against observed in bands."""
    wanted = int(same.sum()) + missed
    yield f"{name}: {len(same)} pairs, {int(same.sum())} the same; {missed} more the same are no candidates"
    for least in (0.5, 0.6, 0.7, 0.8, 0.9):
        proposed = scores >= least
        right = int(same[proposed].sum())
        precision, recall = right / max(proposed.sum(), 1), right / wanted
        yield f"  from {least}: {proposed.sum():4} proposed, precision {precision:.3f}, recall {recall:.3f}"
    for low, high in pairwise(BANDS):
        band = (scores >= low) & (scores < high)
        if band.any():
            predicted, observed = scores[band].mean(), same[band].mean()
            points_of = f"{band.sum():4} pairs, predicted {predicted:.2f}, observed {observed:.2f}"
            yield f"  {low:.1f}-{min(high, 1):.1f}: {points_of}"


def main() -> None:
    """Print the cross-validated figures, and each weight as guessed, fitted, and in use."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    table = DuplicateColumns.of(labelled_records(parser.parse_args().folder))
    pairs, same, missed, apart = labelled(table)
    columns = {**compare_space_time(table, pairs), **compare_text(table, pairs), **compare_targets(table, pairs)}
    names = ["prior", *columns]
    evidence = np.column_stack([np.ones(len(same)), *columns.values()])
    fold = folds(pairs, len(table))
    scores = np.empty(len(same))
    for number in range(FOLDS):
        out = fold == number
        scores[out] = _sure(evidence[out] @ fitted(names, evidence[~out], same[~out]))
    used = np.array([DuplicateWeights().of(name) for name in names])
    inside = columns["same-dataset"] > 0
    print(f"{apart} pairs that are different are no candidates")
    for text in (
        *report(f"{FOLDS}-fold, strikes kept together", scores, same, missed),
        *report("of two data sets", scores[~inside], same[~inside], missed),
        *report("of one data set", scores[inside], same[inside], 0),
        *report("weights in use, on the pairs they were fitted to", _sure(evidence @ used), same, missed),
    ):
        print(text)
    whole = fitted(names, evidence, same)
    guess = [GUESS.of(name) for name in names]
    for name, first, last, now, column in zip(names, guess, whole, used, evidence.T, strict=True):
        print(f"{name:15} guess {first:5.1f}  fit {last:6.2f}  in use {now:5.1f}  on {int((column != 0).sum())} pairs")
    assert set(asdict(DuplicateWeights())) == {name.replace("-", "_") for name in names}


if __name__ == "__main__":
    main()
