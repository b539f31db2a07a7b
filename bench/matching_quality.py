"""Measure and fit the matcher on a store that `load` made: `python -m bench.matching_quality FOLDER [--write]`.

FOLDER is new, or holds the store of an earlier run. Every figure is of a source that the weights were not fitted on
(leave one source out), and no event that a source has is learnt from in another.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import evaluation_store
from bench.calibration import FITTED, JudgedStrike, evidence_matrix, fit, probabilities, reliability_bands
from geo.lonlat import Bools, Floats
from layers.decisions.hits import NONE_FROM, PUBLISH_FROM
from layers.matching.asset_index import AssetIndex
from layers.matching.asset_sites import Sites, sites_of
from layers.matching.candidates import candidates
from layers.matching.evidence import Mentions, evidence_columns, mentions
from layers.matching.strike_columns import StrikeColumns
from layers.matching.weights import BUNDLED, DISSIMILARITY, MatchWeights, dumps, read
from layers.model import edtf
from layers.model.records import Records, Strike
from layers.resolution.asset_blocking import holder_names
from layers.store.store import Store

#: What was chosen for each labelled report, so that a change of the matcher shows in review.
RESULTS = evaluation_store.LABELLED / "matching_results.csv"
#: How hard the weights are held to the start.
STRENGTH = 0.002
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0)
#: Before any judgement is seen.
START: Mapping[str, float] = MappingProxyType(
    {
        "prior": -1.5,
        "area": 0.4,
        "distance": 0.8,
        "name": 3.5,
        "whole-name": 2.0,
        "place-name": 2.5,
        "town-name": 1.0,
        "bare-town-name": 1.0,
        "far-name": 3.5,
        "far-whole-name": 2.0,
        "owner-name": 3.0,
        "same-kind": 2.5,
        "same-common-kind": 2.0,
        "same-rare-kind": 4.0,
        "kin-kind": 1.0,
        "alike-kind": 0.0,
        "mentioned-kind": 0.0,
        "landmark": -6.0,
        "near": -3.0,
        "other-type": -1.0,
        "rivals": 0.3,
        "namesakes": 0.3,
        "other-kind": -4.0,
        "other-target": -2.5,
        "other-name": -2.0,
        "other-number": -2.5,
        "wrong-place": -5.0,
        "near-miss": 1.0,
        "no-place": -3.0,
        "ship": 1.0,
        "far-away": -0.5,
        "same-country": 1.0,
        "other-country": -3.0,
        "not-operating": -2.0,
        "coverage": 0.0,
    }
)
#: Weight of a case without its right asset, against the case with it.
_WITHOUT = 0.05
#: Candidates of a report that are learnt from, the likeliest by the weights in use, beside the right ones.
_LEARNT = 50
#: Datasets whose assets are left out in turn, so that the fit learns what a layer with gaps looks like.
_LEFT_OUT = "assets/"
_LEFT_OUT_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class Label:
    """A labelled report: the strike, and the assets of which any is the right answer; none of the layer if empty."""

    id: str
    set: str
    strike: Strike
    right: frozenset[str]
    group: str


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled report with its candidates, as the matcher finds them."""

    label: Label
    ids: tuple[str, ...]
    judged: JudgedStrike


@dataclass(frozen=True, slots=True)
class Answer:
    """The first answer to a report, an asset or none of these, with its probability, and whether it is right."""

    label: Label
    asset: str | None
    probability: float
    right: bool


def labels(records: Records, sites: Mapping[str, str]) -> list[Label]:
    """Read the labels, and find the strikes and assets of each in a store; "unknown" ones are left out.

    Parameters
    ----------
    records
        Those of the store.
    sites
        The asset that stands for another, by the id of the other; of the assets of the store only.
    """
    listed = []
    for row in evaluation_store.labelled_rows("reports.csv"):
        strike = records.strikes.get(f"reports/{row['id']}")
        if strike is not None and row["asset"] != "unknown":
            listed.append(_label(row, strike, sites))
    for row in evaluation_store.labelled_rows("events.csv"):
        strike = records.strikes.get(_STRIKE_IDS.get(row["set"], "{event}").format(event=row["event"].lower()))
        headline = records.strikes.get(f"reports/{row['id']}{evaluation_store.HEADLINE}")
        readings = ((row["set"], "", strike), ("viina-headlines", evaluation_store.HEADLINE, headline))
        for source, suffix, found in readings:
            if found is not None and row["asset"] != "unknown":
                event = row["event"] if source == "facts" else row["group"]
                read = {**row, "id": f"{row['id']}{suffix}", "set": source, "event": event}
                listed.append(_label(read, found, sites))
    return _of_one_event(listed)


def _of_one_event(listed: Sequence[Label]) -> list[Label]:
    """Give a label the event of a report of the facts on the same site within ``_SAME_EVENT_DAYS``, if there is one.

    So no event of a source that is left out is learnt from by another source's report of it.
    """
    of_facts = {
        (asset, day): label.group
        for label in listed
        if label.set in evaluation_store.FACTS and (first := _first_day(label)) is not None
        for asset in label.right
        for day in range(first - _SAME_EVENT_DAYS, first + _SAME_EVENT_DAYS + 1)
    }
    linked = []
    for label in listed:
        if label.set not in evaluation_store.FACTS and (first := _first_day(label)) is not None:
            events = (of_facts.get((asset, first)) for asset in sorted(label.right))
            linked.append(replace(label, group=next((event for event in events if event), label.group)))
        else:
            linked.append(label)
    return linked


def _first_day(label: Label) -> int | None:
    day = edtf.parse(label.strike.when).earliest
    return day.toordinal() if day else None


#: Days by which the dates of two sources for one event may differ.
_SAME_EVENT_DAYS = 2


_STRIKE_IDS = {"viina": "viina/{event}", "reuters": "viina/reuters-2025-{event}", "register": "viina/{event}"}


def _label(row: Mapping[str, str], strike: Strike, sites: Mapping[str, str]) -> Label:
    named = [name for name in row["asset"].split(";") if name != "none"]
    right = {sites[key] for name in named for key in (name, f"assets/{name}") if key in sites}
    return Label(row["id"], row["set"], strike, frozenset(right), row["event"])


def cases(labelled: Sequence[Label], index: AssetIndex, weight: float = 1.0) -> list[Case]:
    """Return the candidates of each report with their evidence; reports on one event share the weight of a few."""
    table = StrikeColumns.of([label.strike for label in labelled], index.names)
    pairs = candidates(table, index)
    evidence = evidence_columns(table, index, *pairs)
    matrix = evidence_matrix(evidence)
    named = mentions(table, index, pairs.left, pairs.right, evidence)
    one, other, likely = index.alike(pairs.left, pairs.right)
    order = np.argsort(one, kind="stable")
    twins = np.column_stack([one, other, likely])[order]
    bounds = np.searchsorted(pairs.left, np.arange(len(labelled) + 1))
    size = Counter(label.group for label in labelled)
    built = []
    for row, label in enumerate(labelled):
        part = slice(bounds[row], bounds[row + 1])
        ids = tuple(index.ids[item] for item in pairs.right[part].tolist())
        right = np.array([item in label.right for item in ids], dtype=bool)
        share = weight * float(size[label.group]) ** -0.5
        beside = Mentions(named.whole[part], named.every[part])
        of_strike = twins[slice(*np.searchsorted(twins[:, 0], [bounds[row], bounds[row + 1]]))]
        alike = of_strike - [bounds[row], bounds[row], 0.0]
        judged = JudgedStrike(matrix[part], right, bool(table.site[row]), share, beside, alike)
        built.append(Case(label, ids, judged))
    return built


def without_the_right(case: Case) -> Case:
    """The case without its right candidates, as if the layer lacked the asset."""
    less = _only(case, ~case.judged.right)
    judged = replace(less.judged, weight=less.judged.weight * _WITHOUT)
    return replace(less, label=replace(case.label, right=frozenset()), judged=judged)


def _only(case: Case, some: Bools) -> Case:
    """The case with some of its candidates, shape (candidates,)."""
    judged, place = case.judged, np.cumsum(some) - 1
    named = judged.named and Mentions(judged.named.whole[some], judged.named.every[some])
    left = judged.alike[some[judged.alike[:, :2].astype(np.int64)].all(axis=1)]
    alike = np.column_stack([place[left[:, :2].astype(np.int64)], left[:, 2]])
    less = replace(judged, columns=judged.columns[some], right=judged.right[some], named=named, alike=alike)
    return replace(case, ids=tuple(name for name, one in zip(case.ids, some, strict=True) if one), judged=less)


def _likeliest(case: Case, weights: MatchWeights) -> Case:
    """The case with its right candidates and the ``_LEARNT`` likeliest: a region has thousands that nobody means."""
    each, _ = probabilities(case.judged, weights)
    some = case.judged.right.copy()
    some[np.argsort(-each, kind="stable")[:_LEARNT]] = True
    return _only(case, some)


def fitted(learnt: Iterable[Case], begin: MatchWeights | None = None) -> MatchWeights:
    """Fit the weights to cases, each with and without its right asset; what no search comes upon teaches nothing."""
    used = list(_training(learnt))
    start = MatchWeights(MappingProxyType({name: START[name] for name in FITTED}))
    return fit(used, start, strength=STRENGTH, begin=begin)


def _training(learnt: Iterable[Case]) -> Iterator[JudgedStrike]:
    for case in learnt:
        there = bool(case.judged.right.any())
        if there or not case.label.right:
            yield case.judged
        if there:
            yield without_the_right(case).judged


def left_out(all_cases: Sequence[Case]) -> Mapping[str, MatchWeights]:
    """Weights by source, each fitted without the events of that source, in whatever source they are."""
    by_source, begin = {}, fitted(all_cases)
    for source in sorted({case.label.set for case in all_cases}):
        events = {case.label.group for case in all_cases if case.label.set == source}
        by_source[source] = fitted((case for case in all_cases if case.label.group not in events), begin)
    return by_source


def answers(judged: Sequence[Case], weights: Mapping[str, MatchWeights]) -> list[Answer]:
    """Answer each case as the matcher does, by the weights of its source."""
    given = []
    for case in judged:
        each, none = probabilities(case.judged, weights[case.label.set])
        best = int(each.argmax()) if len(each) else -1
        asset = case.ids[best] if best >= 0 and each[best] > none else None
        right = asset in case.label.right if asset is not None else not case.label.right
        given.append(Answer(case.label, asset, float(each[best]) if asset is not None else none, right))
    return given


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares of answers; an interval is of 95 %, by events drawn with replacement."""

    count: int
    precision: float
    recall: float
    none_right: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities from which a first answer is said: an asset, and "none of these"; below, it is undecided."""

    asset: float = 0.0
    none: float = 0.0

    def says(self, answer: Answer) -> bool:
        if answer.asset is None:  # ``hits.match_answer``: without a place nothing was looked for
            return answer.label.strike.geometry is not None and answer.probability >= self.none
        return answer.probability >= self.asset


ANY, IN_USE = Thresholds(), Thresholds(PUBLISH_FROM, NONE_FROM)


def quality(given: Sequence[Answer], by: Thresholds = ANY) -> Quality:
    """Measure answers: right of what is named, of what the layer has, of "none of these", and calibration."""
    named = [answer for answer in given if answer.asset is not None and by.says(answer)]
    none = [answer for answer in given if answer.asset is None and by.says(answer)]
    there = sum(bool(answer.label.right) for answer in given)
    right = sum(answer.right for answer in named)
    stated = np.array([answer.probability for answer in given])
    bands = reliability_bands(stated, np.array([answer.right for answer in given]), np.linspace(0, 1, 11).tolist())
    error = sum(band.count * abs(band.stated - band.observed) for band in bands) / max(len(given), 1)
    none_right = sum(answer.right for answer in none) / max(len(none), 1)
    return Quality(len(given), right / max(len(named), 1), right / max(there, 1), none_right, error)


def least_thresholds(given: Sequence[Answer], share: float = 0.95) -> Thresholds:
    """Return the least probabilities from which this share of the answers of either kind is right; 1 if none is."""
    return Thresholds(
        *(_least([answer for answer in given if (answer.asset is None) == is_none], share) for is_none in (False, True))
    )


def _least(given: Sequence[Answer], share: float) -> float:
    for least in np.arange(0.5, 1.0, 0.01).round(2).tolist():
        by = Thresholds(least, least)
        right = [answer.right for answer in given if by.says(answer)]
        if right and sum(right) >= share * len(right):
            return float(least)
    return 1.0


def by_thresholds_of_others(given: Sequence[Answer]) -> Mapping[str, Thresholds]:
    """Return for each source the thresholds that the answers of the other sources give."""
    sources = sorted({answer.label.set for answer in given})
    return {source: least_thresholds([answer for answer in given if answer.label.set != source]) for source in sources}


def intervals(given: Sequence[Answer], by: Thresholds = ANY, rounds: int = 500) -> tuple[Floats, Floats]:
    """Return the 2.5 and 97.5 percentiles of precision, recall, "none" right and calibration error, by event."""
    rng = np.random.default_rng(20261127)
    groups: dict[str, list[Answer]] = {}
    for answer in given:
        groups.setdefault(answer.label.group, []).append(answer)
    names = sorted(groups)
    drawn = [
        quality([answer for item in rng.choice(len(names), len(names)) for answer in groups[names[item]]], by)
        for _ in range(rounds)
    ]
    rows = np.array([[q.precision, q.recall, q.none_right, q.calibration_error] for q in drawn])
    return np.percentile(rows, 2.5, axis=0), np.percentile(rows, 97.5, axis=0)


def show(console: Console, title: str, given: Sequence[Answer], by: Thresholds = ANY) -> None:
    table = Table("source", "reports", "precision", "recall", "none right", "calibration error", title=title)
    groups: dict[str, list[Answer]] = {"all": list(given)}
    for answer in given:
        groups.setdefault(answer.label.set, []).append(answer)
    for name, of_group in groups.items():
        q, (low, high) = quality(of_group, by), intervals(of_group, by)
        shares = (q.precision, q.recall, q.none_right, q.calibration_error)
        cells = (f"{share:.3f} ({low[n]:.2f}-{high[n]:.2f})" for n, share in enumerate(shares))
        table.add_row(name, str(q.count), *cells)
    console.print(table)
    if by != ANY:
        return
    bands = reliability_bands(
        np.array([answer.probability for answer in given]), np.array([answer.right for answer in given]), EDGES
    )
    table = Table("stated", "answers", "mean stated", "right", title=f"{title}: calibration")
    for band in bands:
        table.add_row(f"{band.low:.2f}-{band.high:.2f}", str(band.count), f"{band.stated:.3f}", f"{band.observed:.3f}")
    console.print(table)


def write_results(given: Sequence[Answer]) -> None:
    """Write the answers to the file that is reviewed, by the id of the report."""
    with RESULTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "asset", "probability", "right"])
        for answer in sorted(given, key=lambda answer: answer.label.id):
            writer.writerow(
                [answer.label.id, answer.asset or "none", f"{answer.probability:.2f}", "yes" if answer.right else "no"]
            )


def errors(all_cases: Sequence[Case], rounds: int) -> Mapping[str, float]:
    """Standard errors of the weights, by refitting on events drawn with replacement."""
    rng = np.random.default_rng(20251125)
    groups: dict[str, list[Case]] = {}
    for case in all_cases:
        groups.setdefault(case.label.group, []).append(case)
    names = sorted(groups)
    drawn, begin = [], fitted(all_cases)
    for _ in range(rounds):
        refitted = fitted((case for item in rng.choice(len(names), len(names)) for case in groups[names[item]]), begin)
        drawn.append([*(refitted[name] for name in FITTED), refitted.dissimilarity])
    return dict(zip((*FITTED, DISSIMILARITY), np.std(drawn, axis=0).tolist(), strict=True))


def main() -> None:
    """Run and print; with --write, write the weights and the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--write", action="store_true", help="write layers/matching/weights.toml and the results")
    parser.add_argument("--wrong", action="store_true", help="list what is wrong")
    parser.add_argument("--rounds", type=int, default=30, help="of the bootstrap, with --write")
    given = parser.parse_args()
    console = Console(width=140)
    path = given.folder / "atlas.gpkg"
    store = Store.open(path if path.exists() else evaluation_store.build(given.folder))
    records = store.records()
    names = holder_names(records)
    sites = sites_of(records, names)
    standing = sites.represented_by
    placed = [asset for asset in records.assets.values() if asset.geometry is not None]
    whole = AssetIndex.of(records.assets, names, sites)
    fewer = {asset.id: asset for asset in placed if not asset.id.startswith(_LEFT_OUT)}
    ids = {*fewer}
    within = {name: site for name, site in standing.items() if {name, site} <= ids}
    partial = AssetIndex.of(fewer, names, Sites(within, sites.likely))
    everywhere = cases(labels(records, {asset.id: standing.get(asset.id, asset.id) for asset in placed}), whole)
    with_gaps = cases(
        labels(records, {name: standing.get(name, name) if standing.get(name) in ids else name for name in ids}),
        partial,
        _LEFT_OUT_WEIGHT,
    )
    console.print(f"{int(whole.stands.sum()):,} sites, {len(everywhere)} labelled reports")
    in_use = read()
    learnt = [_likeliest(case, in_use) for case in (*everywhere, *with_gaps)]
    weights = left_out(learnt)
    answered = answers(everywhere, weights)
    show(console, "whole layer", answered)
    show(console, f"whole layer, as said from {IN_USE.asset} and {IN_USE.none}", answered, IN_USE)
    console.print(f"least thresholds for 0.95: {least_thresholds(answered)}; by the other sources:")
    for source, others in by_thresholds_of_others(answered).items():
        q = quality([answer for answer in answered if answer.label.set == source], others)
        console.print(f"  {source}: {others} {q.precision:.3f} {q.recall:.3f}, none {q.none_right:.3f}")
    show(console, "layer without the assets of the facts", answers(with_gaps, weights))
    dropped = [without_the_right(case) for case in everywhere if case.judged.right.any()]
    show(console, "right asset taken out", answers(dropped, weights))
    if given.wrong:
        for answer in answered:
            if not answer.right:
                said = f"{answer.asset or 'none'} {answer.probability:.2f}"
                print(answer.label.id, answer.label.strike.title[:90], sorted(answer.label.right)[:3], said, sep=" | ")
    if given.write:
        final = replace(
            fitted(learnt), fitted=date.today(), events=len(everywhere), errors=errors(learnt, given.rounds)
        )
        BUNDLED.write_text(dumps(final), encoding="utf-8")
        write_results(answered)
        console.print(dumps(read()))


if __name__ == "__main__":
    main()
