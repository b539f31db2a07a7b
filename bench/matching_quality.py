"""Fit and measure the matcher on the labelled strikes: `python -m bench.matching_quality [--write]`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import evaluation_layer, labelled
from bench.calibration import FITTED, JudgedStrike, evidence_matrix, fit, probabilities, reliability_bands
from bench.labelled import Labelled
from layers.matching.asset_index import AssetIndex
from layers.matching.candidates import candidates
from layers.matching.evidence import evidence_columns
from layers.matching.strike_columns import StrikeColumns
from layers.matching.weights import BUNDLED, MatchWeights, dumps, read

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"
FOLDS = 10
#: How hard the weights are held to the start; of 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0003 the one of least loss
#: out of fold.
STRENGTH = 0.001
EDGES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0)
#: Before any judgement is seen.
START = MatchWeights(
    MappingProxyType(
        dict(
            zip(
                FITTED,
                (2.0, 0.7, 1.0, 4.0, 1.5, 1.0, 3.0, 1.0, 2.5, -3.0, -1.5, -2.0),
                strict=True,
            )
        )
    )
)


@dataclass(frozen=True)
class Case:
    """A labelled strike with its candidates: ``ids``, distances, and what the matcher reads."""

    label: Labelled
    ids: tuple[str, ...]
    distance_m: np.ndarray
    kind_fits: np.ndarray
    within: np.ndarray
    judged: JudgedStrike
    removed: bool = False

    @property
    def truth(self) -> bool:
        """Whether one of the candidates is right."""
        return bool(self.judged.right.any())


def cases(labels: Sequence[Labelled], index: AssetIndex) -> list[Case]:
    """The candidates of each labelled strike."""
    table = StrikeColumns.of([label.strike for label in labels], index.names)
    pairs = candidates(table, index)
    given = evidence_columns(table, index, *pairs)
    matrix = evidence_matrix(given)
    fits = (given["same-kind"] + given["same-rare-kind"]) > 0
    bounds = np.searchsorted(pairs.left, np.arange(len(labels) + 1))
    size: dict[str, int] = {}
    for label in labels:
        size[label.group] = size.get(label.group, 0) + 1
    built = []
    for row, label in enumerate(labels):
        part = slice(bounds[row], bounds[row + 1])
        ids = tuple(index.ids[item] for item in pairs.right[part].tolist())
        right = np.array([item in label.right for item in ids], dtype=bool)
        reach = np.hypot(table.uncertainty_m[row], index.uncertainty_m[pairs.right[part]])
        judged = JudgedStrike(matrix[part], right, bool(table.site[row]), size[label.group] ** -0.5)
        within = pairs.distance_m[part] <= reach
        built.append(Case(label, ids, pairs.distance_m[part], fits[part], within, judged))
    return built


def without_the_right(case: Case) -> Case:
    """The case without its right candidates, as if the layer lacked the asset."""
    selected = ~case.judged.right
    judged = JudgedStrike(
        case.judged.columns[selected], case.judged.right[selected], case.judged.site, case.judged.weight / 2
    )
    ids = tuple(item for item, keep in zip(case.ids, selected, strict=True) if keep)
    return Case(
        case.label, ids, case.distance_m[selected], case.kind_fits[selected], case.within[selected], judged, True
    )


def folds(labels: Sequence[Labelled]) -> np.ndarray:
    """The fold of each strike; strikes of one asset, or of one place and day, share a fold."""
    parent = list(range(len(labels)))

    def root(item: int) -> int:
        while parent[item] != item:
            item = parent[item]
        return item

    seen: dict[object, int] = {}
    for number, label in enumerate(labels):
        for key in (("group", label.group), (label.strike.when, label.strike.place), *sorted(label.right)):
            if key in seen:
                parent[root(number)] = root(seen[key])
            seen.setdefault(key, number)
    roots = [root(number) for number in range(len(labels))]
    order = sorted(set(roots), key=lambda item: (-roots.count(item), item))
    load = [0] * FOLDS
    fold: dict[int, int] = {}
    for item in order:
        fold[item] = load.index(min(load))
        load[fold[item]] += roots.count(item)
    return np.array([fold[item] for item in roots])


def cross_validated(all_cases: Sequence[Case], fold: np.ndarray) -> list[MatchWeights]:
    """Weights fitted without each fold; missing assets are learnt from strikes whose right asset is taken out."""
    fitted = []
    for held in range(FOLDS):
        fitted.append(fit(list(_training(all_cases, fold != held)), START, strength=STRENGTH))
    return fitted


def log_loss(all_cases: Sequence[Case], of: dict[str, MatchWeights]) -> float:
    """Log loss: the mean of minus the logarithm of the probability of the right answer."""
    lost = []
    for case in all_cases:
        each, none = probabilities(case.judged, of[case.label.id])
        lost.append(-np.log(max(each[case.judged.right].sum() if case.truth else none, 1e-9)))
    return float(np.mean(lost))


def _training(all_cases: Sequence[Case], used: np.ndarray) -> Iterator[JudgedStrike]:
    for case, use in zip(all_cases, used, strict=True):
        if use and case.label.known:
            yield case.judged
            if case.truth and not case.label.misplaced:
                yield without_the_right(case).judged


Chooser = Callable[[Case], tuple[str | None, float]]


def by_model(weights: Callable[[Case], MatchWeights]) -> Chooser:
    """The most probable candidate, or ``None`` for none of these, and its probability."""

    def choose(case: Case) -> tuple[str | None, float]:
        each, none = probabilities(case.judged, weights(case))
        if not len(each) or none >= each.max():
            return None, none
        return case.ids[int(each.argmax())], float(each.max())

    return choose


def nearest(case: Case) -> tuple[str | None, float]:
    """Baseline: the nearest asset in reach."""
    return (case.ids[int(case.distance_m.argmin())], 1.0) if len(case.ids) else (None, 1.0)


def nearest_of_kind(case: Case) -> tuple[str | None, float]:
    """Baseline: the nearest asset of the right kind within both uncertainties."""
    fits = np.flatnonzero(case.kind_fits & case.within)
    return (case.ids[int(fits[case.distance_m[fits].argmin()])], 1.0) if len(fits) else (None, 1.0)


@dataclass(frozen=True, slots=True)
class Quality:
    """``right`` over ``said`` is precision, over ``there`` recall; ``none`` tells of the strikes on nothing here."""

    count: int
    there: int
    said: int
    right: int
    none: int
    none_said: int


def quality(chosen: Sequence[tuple[Case, str | None]]) -> Quality:
    """Count over cases and what was chosen. What is in the layer but out of reach of the point counts as there."""
    there = [(case, item) for case, item in chosen if case.label.right and not case.removed]
    none = [item for case, item in chosen if not case.label.right or case.removed]
    said = [(case, item) for case, item in chosen if item is not None]
    right = sum(item in case.label.right for case, item in said)
    return Quality(len(chosen), len(there), len(said), right, len(none), sum(item is None for item in none))


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {part / whole:.3f}" if whole else "-"


def show(console: Console, title: str, groups: dict[str, list[tuple[Case, str | None]]]) -> None:
    table = Table("set", "strikes", "precision", "recall", "none said of none", title=title)
    for name, chosen in groups.items():
        q = quality(chosen)
        table.add_row(
            name, str(q.count), _share(q.right, q.said), _share(q.right, q.there), _share(q.none_said, q.none)
        )
    console.print(table)


def calibration(console: Console, title: str, chosen: Sequence[tuple[Case, Chooser]]) -> None:
    """Every candidate and every "none of these" with its probability, and how often it was right."""
    stated, right = [], []
    for case, choose in chosen:
        item, probability = choose(case)
        stated.append(probability)
        right.append((item in case.label.right and not case.removed) if item else not case.truth)
    table = Table("stated", "strikes", "mean stated", "right", title=title)
    for band in reliability_bands(np.array(stated), np.array(right), EDGES):
        table.add_row(f"{band.low:.2f}-{band.high:.2f}", str(band.count), f"{band.stated:.3f}", f"{band.observed:.3f}")
    console.print(table)


def all_bands(console: Console, title: str, given: Sequence[tuple[Case, MatchWeights]]) -> None:
    stated, right = [], []
    for case, weights in given:
        each, none = probabilities(case.judged, weights)
        stated += [*each, none]
        right += [*case.judged.right, not case.truth]
    table = Table("stated", "candidates", "mean stated", "right", title=title)
    for band in reliability_bands(np.array(stated), np.array(right), EDGES):
        table.add_row(f"{band.low:.2f}-{band.high:.2f}", str(band.count), f"{band.stated:.3f}", f"{band.observed:.3f}")
    console.print(table)


def thresholds(console: Console, chosen: Sequence[tuple[Case, Chooser]]) -> None:
    """Share of cases whose best candidate reaches a threshold, and the precision among them."""
    best = []
    for case, choose in chosen:
        item, probability = choose(case)
        if item is not None:
            best.append((probability, item in case.label.right and not case.removed))
    table = Table("publish from", "published", "right", title="By threshold on the best candidate")
    for threshold in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        selected = [right for probability, right in best if probability >= threshold]
        table.add_row(f"{threshold:.2f}", str(len(selected)), _share(sum(selected), len(selected)))
    console.print(table)


def errors(all_cases: Sequence[Case], fold: np.ndarray, rounds: int) -> MappingProxyType[str, float]:
    """Standard errors of the weights, by refitting on groups drawn with replacement."""
    rng = np.random.default_rng(20251125)
    groups: dict[str, list[int]] = {}
    for number, case in enumerate(all_cases):
        groups.setdefault(case.label.group, []).append(number)
    names = sorted(groups)
    drawn = []
    for _ in range(rounds):
        picked = [number for item in rng.choice(len(names), len(names)) for number in groups[names[item]]]
        chosen = [all_cases[number] for number in picked]
        drawn.append(
            [
                fit(list(_training(chosen, np.ones(len(chosen), bool))), START, strength=STRENGTH)[name]
                for name in FITTED
            ]
        )
    return MappingProxyType(dict(zip(FITTED, np.std(drawn, axis=0).tolist(), strict=True)))


def main() -> None:
    """Run and print; with --write, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write layers/matching/weights.toml")
    parser.add_argument("--wrong", action="store_true", help="list what is wrong")
    parser.add_argument("--rounds", type=int, default=100, help="of the bootstrap, with --write")
    given = parser.parse_args()
    console = Console(width=140)
    real = REAL if REAL.is_dir() else None
    index = evaluation_layer.index(evaluation_layer.layer(real))
    named = cases(labelled.read(None), index)
    headline = cases(labelled.read(real), index)
    fold = folds([case.label for case in named])
    console.print(
        f"{len(index):,} assets, {len(named)} labelled strikes in {len({c.label.group for c in named})} groups"
    )
    # Both readings are learnt from: the target as a person notes it, and the headline as it is printed.
    used = [case for pair in zip(named, headline, strict=True) for case in pair]
    fitted = cross_validated(used, np.repeat(fold, 2))
    of = {case.label.id: fitted[number] for case, number in zip(named, fold, strict=True)}
    model = by_model(lambda case: of[case.label.id])
    for title, read_as in (("target as printed", named), ("headline only", headline)):
        report(console, title, [case for case in read_as if case.label.known], model, of, given.wrong)
    if given.write:
        whole = fit(list(_training(used, np.ones(len(used), bool))), START, strength=STRENGTH)
        nothing = [case for case in named if case.label.known and not case.label.right]
        whole = replace(whole, fitted=date.today(), events=len(named), errors=errors(used, fold, given.rounds))
        BUNDLED.write_text(dumps(whole), encoding="utf-8")
        console.print(dumps(read()), len(nothing))


def report(
    console: Console, title: str, judged: Sequence[Case], model: Chooser, of: dict[str, MatchWeights], wrong: bool
) -> None:
    dropped = [without_the_right(case) for case in judged if case.truth]
    for name, choose in (("matcher", model), ("nearest", nearest), ("nearest of the kind", nearest_of_kind)):
        groups: dict[str, list[tuple[Case, str | None]]] = {"all": []}
        for case in judged:
            pair = (case, choose(case)[0])
            groups["all"].append(pair)
            groups.setdefault("misplaced" if case.label.misplaced else case.label.set, []).append(pair)
            groups.setdefault("not bundled", [])
            if case.label.set != "facts":
                groups["not bundled"].append(pair)
        groups["right asset taken out"] = [(case, choose(case)[0]) for case in dropped]
        show(console, f"{name}, {title}", groups)
    calibration(console, f"first candidate or none, {title}", [(case, model) for case in judged])
    calibration(console, f"the same with the right asset taken out, {title}", [(case, model) for case in dropped])
    all_bands(console, f"all candidates, {title}", [(case, of[case.label.id]) for case in judged])
    thresholds(console, [(case, model) for case in [*judged, *dropped]])
    if wrong:
        for case in judged:
            item, probability = model(case)
            if (item not in case.label.right) if item else case.label.right:
                each, none = probabilities(case.judged, of[case.label.id])
                best = [(case.ids[k], round(float(each[k]), 2)) for k in np.argsort(-each)[:3]]
                right = [
                    (case.ids[k], [round(float(v), 1) for v in case.judged.columns[k]])
                    for k in np.flatnonzero(case.judged.right)[:2]
                ]
                print(
                    case.label.id,
                    case.label.strike.targets or case.label.strike.title[:80],
                    sorted(case.label.right),
                    item,
                    f"{probability:.2f}",
                    best,
                    f"{none:.2f}",
                    right,
                )


if __name__ == "__main__":
    main()
