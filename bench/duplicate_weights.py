"""Fit the weights of duplicates to labelled pairs and cross-validate: `python -m bench.duplicate_weights FOLDER`.

The folder is that of the real data, which lies beside the checkout; the labels are tests/labelled/duplicates.csv. With
`--write` every pair's probability is written to tests/labelled/duplicate_scores.csv, so that a change of accuracy is
seen in review, pair by pair.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from api.settings import BASEMAP
from geo.lonlat import Bools, Floats, Ints
from layers.model.records import Records
from layers.reference import basemap
from layers.resolution.linkage import compare
from layers.resolution.strike_blocking import DuplicateColumns, candidates
from layers.resolution.strike_comparison import COMPARISONS
from layers.resolution.strike_duplicates import PROPOSE_FROM
from tests.labelled.strikes import labelled_records

LABELS = Path(__file__).resolve().parent.parent / "tests" / "labelled" / "duplicates.csv"
#: How many pairs there were where pairs were drawn by chance, by data sets and draw.
DRAWS = LABELS.with_name("draws.csv")
SCORES = LABELS.with_name("duplicate_scores.csv")
BY_HAND = frozenset(one.name for one in COMPARISONS if one.by_hand)
#: The middle of the prior of the fit, set before the fit.
GUESS = {one.name: one.weight for one in COMPARISONS} | {
    "prior": -1.5,
    "same-night": 1.0,
    "later-day": -1.0,
    "place": 1.0,
    "spot": 2.0,
    "apart": -1.0,
    "apart-vague": -2.0,
    "far": -3.0,
    "no-place": -1.0,
    "other-region": -0.5,
    "name": 1.0,
    "place-name": 1.0,
    "words": 1.0,
    "identical": 2.0,
    "numbers": 1.0,
    "other-place": -1.0,
    "one-report": -3.0,
    "target": 1.0,
    "other-target": -3.0,
    "kind": 2.0,
    "other-kind": -2.0,
    "one-kind": -0.5,
    "building": 1.0,
    "other-object": -1.0,
    "same-dataset": -1.0,
}
#: Each weight keeps the sign of its guess, which is what its words say; but the prior.
FREE = frozenset({"prior"})
#: How much a weight is held to the guess: the inverse of the variance of a Gaussian prior.
HOLD = 0.5
FOLDS, RESAMPLES = 10, 1_000
BANDS = (0.0, 0.1, 0.3, 0.6, 0.8, 0.9, 1.01)


@dataclass(frozen=True, eq=False)
class LabelledPairs:
    """Decided pairs, shape (pairs,) each; those that are no candidates have no evidence and the probability 0.

    Attributes
    ----------
    rows
        The rows of the file of labels.
    same
        Whether a person labelled them as one event.
    shared
        Whether both strikes cite a report of one address.
    group
        The month of the event; pairs that hang together by a strike are of one group.
    weight
        How many pairs of the store each stands for; 0 where pairs were not drawn by chance.
    names, evidence
        Reasons, and their values, shape (pairs, reasons); NaN for no candidates.
    """

    rows: Sequence[Mapping[str, str]]
    same: Bools
    shared: Bools
    group: Ints
    weight: Floats
    names: Sequence[str]
    evidence: Floats

    @property
    def candidates(self) -> Bools:
        """Which of them are candidates."""
        return ~np.isnan(self.evidence[:, 0])


def read_labels() -> list[dict[str, str]]:
    """Return the rows of the labels, the undecided ones too."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def labelled(records: Records) -> LabelledPairs:
    """Gather the evidence on the decided pairs."""
    table = DuplicateColumns.of(records)
    rows = [row for row in read_labels() if row["verdict"] != "unknown"]
    at = {name: number for number, name in enumerate(table.ids)}
    ends = np.array([sorted((at[row["one"]], at[row["other"]])) for row in rows], np.int64)
    names, evidence = _evidence(table, ends)
    return LabelledPairs(
        rows,
        np.array([row["verdict"] == "same" for row in rows]),
        np.array([bool(_addresses(records, row["one"]) & _addresses(records, row["other"])) for row in rows]),
        _groups(table, ends),
        _weights(rows),
        names,
        evidence,
    )


def _evidence(table: DuplicateColumns, ends: Ints) -> tuple[list[str], Floats]:
    pairs = candidates(table)
    numbers = {pair: n for n, pair in enumerate(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))}
    found = np.array([numbers.get((left, right), -1) for left, right in ends.tolist()])
    chosen = found[found >= 0]
    columns = compare(pairs.only(chosen), COMPARISONS).evidence
    evidence = np.full((len(ends), len(columns)), np.nan)
    evidence[found >= 0] = np.column_stack(list(columns.values()))
    return list(columns), evidence


def _addresses(records: Records, strike: str) -> set[str]:
    cited = records.strikes[strike]
    sources = (records.sources[name] for name in cited.sources if name != cited.dataset)
    return {source.url for source in sources if source.url}


def _groups(table: DuplicateColumns, ends: Ints) -> Ints:
    """Return a group for each pair: that of its month, or of the month of a pair with a strike in common."""
    months = [date.fromordinal(int(day)).replace(day=1).toordinal() for day in table.first[ends[:, 0]].tolist()]
    nodes = np.unique(np.array(months), return_inverse=True)[1] + len(table)
    links = np.concatenate((ends, np.column_stack((ends[:, 0], nodes))))
    size = len(table) + len(nodes)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][ends[:, 0]], np.int64)


def _weights(rows: Sequence[Mapping[str, str]]) -> Floats:
    """Return how many pairs each stands for: those that there were, by those of the draw that could be decided."""
    with DRAWS.open(encoding="utf-8", newline="") as file:
        there = {(row["sets"], row["draw"]): int(row["pairs"]) for row in csv.DictReader(file)}
    decided = Counter((row["sets"], row["draw"]) for row in rows)
    return np.array([there.get((row["sets"], row["draw"]), 0) / decided[row["sets"], row["draw"]] for row in rows])


def fitted(names: Sequence[str], evidence: Floats, same: Bools) -> Floats:
    """Weights of the likeliest logistic regression, held to the guess; those by hand stay as they are."""
    guess = np.array([GUESS[name] for name in names])
    bounds = [_bounds(name) for name in names]

    def loss(weights: Floats) -> tuple[float, Floats]:
        odds, off = evidence @ weights, weights - guess
        value = np.sum(np.logaddexp(0, odds) - same * odds) + 0.5 * HOLD * np.sum(off**2)
        return float(value), evidence.T @ (_sure(odds) - same) + HOLD * off

    return np.asarray(minimize(loss, guess, jac=True, method="L-BFGS-B", bounds=bounds).x)


def _bounds(name: str) -> tuple[float | None, float | None]:
    guess = GUESS[name]
    if name in BY_HAND:
        return guess, guess
    if name in FREE:
        return None, None
    return (None, 0.0) if guess < 0 else (0.0, None)


def _sure(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


def cross_validated(pairs: LabelledPairs) -> Floats:
    """Return the probability of each pair by weights that were fitted without its group; 0 for no candidates."""
    kept = pairs.candidates
    shuffled = np.random.default_rng(0).permutation(len(np.unique(pairs.group))) % FOLDS
    fold = shuffled[np.unique(pairs.group, return_inverse=True)[1]]
    scores = np.zeros(len(pairs.same))
    for number in range(FOLDS):
        out, rest = (fold == number) & kept, (fold != number) & kept
        weights = fitted(pairs.names, pairs.evidence[rest], pairs.same[rest])
        scores[out] = _sure(pairs.evidence[out] @ weights)
    return scores


def in_use(pairs: LabelledPairs) -> Floats:
    """Return the probability of each pair by the weights in use; 0 for no candidates."""
    used = np.array([one.weight for one in COMPARISONS])
    return np.where(pairs.candidates, _sure(np.nan_to_num(pairs.evidence) @ used), 0.0)


def precision_recall(scores: Floats, same: Bools, weight: Floats, least: float) -> tuple[float, float]:
    """Return the precision and recall of what is proposed from a probability on; NaN where nothing is."""
    right = float(weight[(scores >= least) & same].sum())
    proposed, there = float(weight[scores >= least].sum()), float(weight[same].sum())
    return right / proposed if proposed else np.nan, right / there if there else np.nan


def interval(scores: Floats, same: Bools, group: Ints, least: float) -> tuple[Floats, Floats]:
    """Return the 2.5th and 97.5th percentile of precision, and of recall, of groups drawn with replacement."""
    rng, groups = np.random.default_rng(0), np.unique(group, return_inverse=True)[1]
    size = int(groups.max()) + 1
    draws = rng.multinomial(size, np.full(size, 1 / size), RESAMPLES)
    figures = np.array([precision_recall(scores, same, drawn[groups].astype(np.float64), least) for drawn in draws])
    precision, recall = (column[~np.isnan(column)] for column in figures.T)
    return _percentiles(precision), _percentiles(recall)


def _percentiles(figures: Floats) -> Floats:
    return np.percentile(figures, (2.5, 97.5)) if len(figures) else np.full(2, np.nan)


def report(pairs: LabelledPairs, scores: Floats) -> Iterator[str]:
    """Precision and recall at thresholds and by data sets, and predicted against observed in bands."""
    alone = ~pairs.shared
    one = np.ones(len(scores))
    drawn = pairs.weight > 0
    for name, chosen, weight in (
        ("without a shared address", alone, one),
        ("without, drawn by chance", alone & drawn, one),
        ("without, drawn by chance, as many as there are", alone & drawn, pairs.weight),
        ("with a shared address", pairs.shared, one),
    ):
        yield f"{name}: {chosen.sum()} pairs, {pairs.same[chosen].sum()} the same"
        for least in (0.5, 0.6, 0.7, 0.8, 0.9):
            precision, recall = precision_recall(scores[chosen], pairs.same[chosen], weight[chosen], least)
            yield f"  from {least}: precision {precision:.3f}, recall {recall:.3f}"
    yield f"without a shared address, from {PROPOSE_FROM}, by data sets, with intervals by month:"
    sets = np.array([row["sets"] for row in pairs.rows])
    for name in ("all", *np.unique(sets)):
        chosen = alone & ((sets == name) | (name == "all"))
        yield f"  {_of_sets(name, pairs, scores, chosen)}"
    for weight, name in ((one, "each once"), (pairs.weight, "as many as there are")):
        yield f"reliability, {name}:"
        yield from _bands(pairs, scores, alone, weight)


def _of_sets(name: str, pairs: LabelledPairs, scores: Floats, chosen: Bools) -> str:
    scores, same = scores[chosen], pairs.same[chosen]
    precision, recall = precision_recall(scores, same, np.ones(len(same)), PROPOSE_FROM)
    within = [f"{low:.2f}-{high:.2f}" for low, high in interval(scores, same, pairs.group[chosen], PROPOSE_FROM)]
    counted = f"{name}: {len(same)} pairs, {same.sum()} the same, {(scores >= PROPOSE_FROM).sum()} proposed"
    return f"{counted}, precision {precision:.3f} ({within[0]}), recall {recall:.3f} ({within[1]})"


def _bands(pairs: LabelledPairs, scores: Floats, chosen: Bools, weight: Floats) -> Iterator[str]:
    chosen = chosen & pairs.candidates & (weight > 0)
    error = 0.0
    for low, high in pairwise(BANDS):
        band = chosen & (scores >= low) & (scores < high)
        if band.any():
            predicted, observed = (np.average(v[band], weights=weight[band]) for v in (scores, pairs.same))
            error += abs(predicted - observed) * weight[band].sum() / weight[chosen].sum()
            counted = f"{band.sum():4} pairs, predicted {predicted:.2f}, observed {observed:.2f}"
            yield f"  {low:.1f}-{min(high, 1):.1f}: {counted}"
    yield f"  expected calibration error {error:.3f}"


def write_scores(pairs: LabelledPairs, scores: Floats, stated: Floats) -> None:
    """Write the probabilities of every pair beside its label."""
    with SCORES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("one", "other", "verdict", "sets", "shared_address", "cross_validated", "stated"))
        for row, shared, left_out, used in zip(pairs.rows, pairs.shared, scores, stated, strict=True):
            about = (row["one"], row["other"], row["verdict"], row["sets"], "yes" if shared else "no")
            writer.writerow((*about, f"{left_out:.2f}", f"{used:.2f}"))


def main() -> None:
    """Print the cross-validated figures, and each weight as guessed, fitted, and in use."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="write the probability of every pair")
    given = parser.parse_args()
    pairs = labelled(labelled_records(given.folder, basemap.read(BASEMAP)))
    scores, stated = cross_validated(pairs), in_use(pairs)
    missed = ~pairs.candidates
    print(f"{missed.sum()} pairs are no candidates, {pairs.same[missed].sum()} of them the same")
    print(f"{FOLDS}-fold, months kept together ({len(np.unique(pairs.group))} groups)")
    for line in report(pairs, scores):
        print(line)
    print("weights in use, on the pairs they were fitted to")
    for line in report(pairs, stated):
        print(line)
    whole = fitted(pairs.names, pairs.evidence[~missed], pairs.same[~missed])
    for (name, now, *_), last, column in zip(COMPARISONS, whole, pairs.evidence[~missed].T, strict=True):
        guess = GUESS[name]
        print(f"{name:15} guess {guess:5.1f}  fit {last:6.2f}  in use {now:5.1f}  on {int((column != 0).sum())} pairs")
    if given.write:
        write_scores(pairs, scores, stated)


if __name__ == "__main__":
    main()
