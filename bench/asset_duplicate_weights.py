"""Fit the weights of duplicate assets to labelled pairs: `python -m bench.asset_duplicate_weights FOLDER`.

The folder is that of the real data, which lies beside the checkout; the labels are tests/labelled/assets.csv.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.lonlat import Bools, Floats, Ints
from layers.model.records import Records
from layers.resolution.asset_blocking import AssetColumns, AssetPairs, candidate_pairs
from layers.resolution.asset_comparison import COMPARISONS
from layers.resolution.asset_duplicates import SAME_SITE_FROM
from layers.resolution.linkage import compare
from tests.labelled.assets import labelled_assets, labels

BY_HAND = frozenset(one.name for one in COMPARISONS if one.by_hand)
#: What was guessed before any label was looked at: the middle of the prior that the fit starts from.
GUESS = {one.name: one.weight for one in COMPARISONS} | {
    "place": 3.0,
    "apart": -0.5,
    "far": -3.0,
    "same-name": 1.5,
    "own-words": -1.5,
    "more-words": -0.3,
    "number": 1.0,
    "other-number": -3.0,
    "one-number": -0.5,
    "kind": 0.5,
    "other-type": -2.0,
    "commodity": 0.7,
    "other-commodity": -1.5,
    "capacity": 2.0,
    "other-capacity": -2.0,
    "owner": 1.0,
    "same-dataset": -2.0,
}
#: How much a weight is held to the guess: the inverse of the variance of a Gaussian prior.
HOLD = 0.5
FOLDS = 10


def labelled(records: Records, table: AssetColumns) -> tuple[AssetPairs, Bools, int, int]:
    """Labelled pairs among the candidates, whether they are one, and how many of the same and of others are not."""
    rows = {name: row for row, name in enumerate(table.ids)}
    pairs = candidate_pairs(table)
    at = {pair: number for number, pair in enumerate(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))}
    drawn, same, missed = [], [], [0, 0]
    for one, other, is_same in labels(records):
        left, right = sorted((rows[one], rows[other]))
        if (number := at.get((left, right))) is None:
            missed[is_same] += 1
        else:
            drawn.append(number)
            same.append(is_same)
    chosen = np.array(drawn, np.int64)
    selected = pairs.only(chosen)
    return selected, np.array(same), missed[1], missed[0]


def fitted(names: list[str], evidence: Floats, same: Bools) -> Floats:
    """Weights of the likeliest logistic regression, held to the guess; those by hand stay, and all keep their sign."""
    guess = np.array([GUESS[name] for name in names])
    bounds = [
        (at, at) if name in BY_HAND else ((None, 0.0) if at < 0 else (0.0, None))
        for name, at in zip(names, guess.tolist(), strict=True)
    ]

    def loss(weights: Floats) -> tuple[float, Floats]:
        odds, off = evidence @ weights, weights - guess
        value = np.sum(np.logaddexp(0, odds) - same * odds) + 0.5 * HOLD * np.sum(off**2)
        return float(value), evidence.T @ (_sure(odds) - same) + HOLD * off

    return np.asarray(minimize(loss, guess, jac=True, method="L-BFGS-B", bounds=bounds).x)


#: Bounds of the bands in which stated and observed are compared.
BANDS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.01)


def _sure(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


def folds(pairs: AssetPairs, assets: int) -> Ints:
    """A fold for each pair; pairs that hang together by an asset are in one."""
    graph = coo_array((np.ones(len(pairs.left)), (pairs.left, pairs.right)), shape=(assets, assets))
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
            share = f"predicted {predicted:.2f}, observed {observed:.2f}"
            yield f"  {low:.1f}-{min(high, 1):.1f}: {band.sum():4} pairs, {share}"


def main() -> None:
    """Print the cross-validated figures, and each weight as guessed, fitted, and in use."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    records = labelled_assets(parser.parse_args().folder)
    table = AssetColumns.of(records)
    pairs, same, missed, apart = labelled(records, table)
    columns = compare(pairs, COMPARISONS).evidence
    names = list(columns)
    evidence = np.column_stack(list(columns.values()))
    fold = folds(pairs, len(table))
    scores = np.empty(len(same))
    for number in range(FOLDS):
        out = fold == number
        scores[out] = _sure(evidence[out] @ fitted(names, evidence[~out], same[~out]))
    used = np.array([one.weight for one in COMPARISONS])
    within = columns["same-dataset"] > 0
    print(f"{apart} pairs that are different are no candidates")
    for line in (
        *report(f"{FOLDS}-fold, assets kept together", scores, same, missed),
        *report("of two data sets", scores[~within], same[~within], missed),
        *report("of one data set", scores[within], same[within], 0),
        *report("weights in use, on the pairs they were fitted to", _sure(evidence @ used), same, missed),
    ):
        print(line)
    whole = fitted(names, evidence, same)
    for name, last, now, column in zip(names, whole, used, evidence.T, strict=True):
        count, both = int((column != 0).sum()), int(((column != 0) & same).sum())
        print(f"{name:17} guess {GUESS[name]:5.1f} fit {last:6.2f}  in use {now:5.1f}  on {count}, {both} the same")
    for wrong in np.flatnonzero((scores >= SAME_SITE_FROM) & ~same):
        ids = table.ids[int(pairs.left[wrong])], table.ids[int(pairs.right[wrong])]
        print(f"wrongly one site: {ids[0]} {ids[1]} {scores[wrong]:.2f}")


if __name__ == "__main__":
    main()
