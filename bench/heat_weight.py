"""Measure what weight heat deserves: `python -m bench.heat_weight FOLDER`, the folder of `bench.matching_quality`.

FIRMS files are loaded into its store first: `strikeatlas load firms FILES --store FOLDER/atlas.gpkg`. The weight of one
unit of surprise is fitted beside the table of weights, which stays as it is, by the nested logit of the matcher on
the labelled reports; its standard error is from events drawn with replacement. Nothing is written: the matcher weighs
no heat.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from bench.matching_quality import Label, labels
from geo.lonlat import Bools, Floats
from layers.matching.asset_index import index_of
from layers.matching.asset_sites import sites_of
from layers.matching.heat import with_heat
from layers.matching.match import match_one
from layers.matching.weights import read
from layers.model.records import Match
from layers.store.store import Store

#: A weight is looked for between minus this and this.
BOUND = 5.0
ROUNDS = 200
#: Fewest reports with heat at a candidate that a weight is fitted on.
MIN_WITNESSED = 30


@dataclass(frozen=True, slots=True)
class WitnessedReport:
    """A labelled report: log odds of its candidates, the surprise of heat at each, and which are right.

    The arrays have the shape (candidates,); reports of one event have one ``group``.
    """

    group: str
    log_odds: Floats
    surprise: Floats
    right: Bools


def of_matches(label: Label, matches: Sequence[Match]) -> WitnessedReport:
    """Take a labelled report apart that was matched and witnessed."""
    candidates = [match for match in matches if match.asset is not None]
    log_odds = [sum(reason.weight for reason in match.reasons) for match in candidates]
    surprise = [sum(reason.value for reason in match.reasons if reason.name == "heat") for match in candidates]
    right = [match.asset in label.right for match in candidates]
    return WitnessedReport(label.group, np.array(log_odds), np.array(surprise), np.array(right, dtype=bool))


def fit(reports: Sequence[WitnessedReport], dissimilarity: float = 1.0) -> float:
    """Return the weight of a unit of surprise under which the right answers are likeliest, within `BOUND`; 0 of none.

    A report without a right candidate has "none of these" as its answer.
    """
    if not any(report.surprise.any() for report in reports):
        return 0.0

    def loss(weight: float) -> float:
        return sum(_loss(report, weight, dissimilarity) for report in reports)

    return float(minimize_scalar(loss, bounds=(-BOUND, BOUND), method="bounded").x)


def _loss(report: WitnessedReport, weight: float, dissimilarity: float) -> float:
    """Return minus the log of the probability of the right answer, as ``match.nested_probabilities`` has it."""
    if not len(report.log_odds):
        return 0.0
    scaled = (report.log_odds + weight * report.surprise) / dissimilarity
    any_asset = dissimilarity * logsumexp(scaled)
    answer = any_asset + logsumexp(scaled[report.right]) - logsumexp(scaled) if report.right.any() else 0.0
    return float(np.logaddexp(0.0, any_asset) - answer)


def standard_error(reports: Sequence[WitnessedReport], rounds: int = ROUNDS, dissimilarity: float = 1.0) -> float:
    """Return that of the weight, by refitting on events drawn with replacement."""
    rng, groups = np.random.default_rng(20261127), sorted({report.group for report in reports})
    by_group = {name: [report for report in reports if report.group == name] for name in groups}
    drawn = (rng.choice(len(groups), len(groups)) for _ in range(rounds))
    again = ([report for at in rows for report in by_group[groups[at]]] for rows in drawn)
    return float(np.std([fit(rows, dissimilarity) for rows in again]))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    store = Store.open(parser.parse_args().folder / "atlas.gpkg", read_only=True)
    records, heat = store.records(), store.heat()
    index, weights, standing = index_of(records), read(), sites_of(records).represented_by

    def witnessed(label: Label) -> WitnessedReport:
        matches = match_one(label.strike, index, records, weights)
        return of_matches(label, with_heat(matches, label.strike, records.assets, heat))

    reports = [witnessed(label) for label in labels(records, {key: standing.get(key, key) for key in records.assets})]
    seen = [report for report in reports if report.surprise.any()]
    at_right = sum(bool(report.surprise[report.right].any()) for report in seen)
    print(f"{len(heat):,} observations, {len(reports)} labelled reports; heat at a candidate of {len(seen)}, ", end="")
    print(f"at the right one of {at_right}")
    if len(seen) < MIN_WITNESSED:
        print(f"no weight: fewer than {MIN_WITNESSED} reports have heat at a candidate")
    else:
        weight = fit(reports, weights.dissimilarity)
        print(f"weight {weight:+.2f}, standard error {standard_error(seen, ROUNDS, weights.dissimilarity):.2f}")


if __name__ == "__main__":
    main()
