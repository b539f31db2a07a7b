"""The one function that a cell is for: from its strikes to their candidates and attributions. Pure: reads no file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any

import numpy as np

from geo.lonlat import Floats, Ints
from layers.attribution.attribute import Attributor, attributions
from layers.batch.layer_rows import LayerRows
from layers.batch.shared_tables import SharedTables
from layers.decisions.hits import SHOW_FROM, StrikeOutcome, finding
from layers.matching.asset_index import AssetIndex
from layers.matching.explanation import ONE_SITE, is_shown_as_lent
from layers.matching.match import DIGITS, Scores, likeliest_assets, rounded, score_chunks
from layers.matching.strike_columns import StrikeColumns
from layers.matching.weights import REASONS, MatchWeights
from layers.model.messages import Wording
from layers.model.records import Attribution, Strike
from layers.ownership.owners import OwnersByDate

#: Columns of a row of candidates.
CANDIDATE_COLUMNS = ("strike", "asset", "probability", "distance_m", "reasons")


@dataclass(frozen=True)
class CellAnswers:
    """The answers to the strikes of a cell.

    Attributes
    ----------
    candidates
        Rows of `CANDIDATE_COLUMNS`: a strike, an asset that is probable enough to be shown or ``None`` for "none of
        these", the probability, metres between both places (``None`` where one is missing), and of each reason that has
        evidence or weight its name, the value measured and the log odds that it adds; see `explanation.reasons`.
    attributions
        A row for each strike x asset x relation x country.
    layers
        The rows of the layers, ``None`` where they are not wanted. They are no part of the digest: they follow from
        records and attributions.
    """

    candidates: tuple[tuple[Any, ...], ...]
    attributions: tuple[Attribution, ...]
    layers: LayerRows | None = None

    def rows(self) -> Iterator[Sequence[Any]]:
        """Yield all rows as the digest reads them, each led by what it is."""
        yield from (("candidate", *row) for row in self.candidates)
        names = tuple(Attribution.model_fields)
        yield from (("attribution", *(getattr(row, name) for name in names)) for row in self.attributions)


def answers(
    strikes: Sequence[Strike],
    rows: Ints,
    shared: SharedTables,
    weights: MatchWeights,
    publish_from: float,
    wording: Wording,
) -> CellAnswers:
    """Match and attribute the strikes of a cell.

    The answer to a strike is the same whichever strikes are answered with it: counts of words, kinds and assets are
    those of the whole layer, and no other strike enters.

    Parameters
    ----------
    strikes
        Those that the cell owns; a strike without a geometry is matched by names alone.
    rows
        Rows of the index, ascending: at least all assets in reach of any of the strikes. Those that a text names are
        found wherever they are.
    shared
        What is the same for all cells.
    weights
        The weight of each reason.
    publish_from
        The probability from which an undecided candidate counts as hit.
    wording
        Words the reasons why a part is unattributed.
    """
    index = shared.index.searching(rows, shared.widest_m)
    columns = StrikeColumns.of(strikes, index.names)
    candidates: list[tuple[Any, ...]] = []
    proposed: dict[str, str] = {}
    for chunk, scores in score_chunks(columns, index, weights):
        ids = columns.ids[chunk].tolist()
        proposed.update((ids[position], asset) for position, asset in likeliest_assets(scores, index, publish_from))
        candidates += _candidates(ids, scores, index)
    return CellAnswers(tuple(candidates), *_attributed(strikes, proposed, shared, wording))


def _candidates(ids: Sequence[str], scores: Scores, index: AssetIndex) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a chunk: candidates that are shown, then "none of these" of each strike."""
    pairs = np.flatnonzero(np.round(scores.probability, DIGITS) >= SHOW_FROM)
    columns = zip(
        scores.left[pairs].tolist(),
        scores.right[pairs].tolist(),
        scores.probability[pairs].tolist(),
        scores.distance_m[pairs].tolist(),
        map(rounded, scores.lent[pairs].tolist()),
        _reasons(scores, pairs),
        strict=True,
    )
    for left, right, probability, metres, lent, reasons in columns:
        distance_m = None if metres != metres else rounded(metres)
        every = (*reasons, (ONE_SITE, lent, 0.0)) if is_shown_as_lent(lent) else reasons
        yield ids[left], index.ids[right], rounded(min(1.0, probability)), distance_m, every
    for strike, probability in zip(ids, scores.no_asset.tolist(), strict=True):
        yield strike, None, rounded(probability), None, ()


def _reasons(scores: Scores, pairs: Ints) -> Iterator[tuple[tuple[str, float, float], ...]]:
    """Yield the reasons of pairs in the order of `REASONS`: name, value measured, and log odds."""
    weight = _matrix(scores.by_reason, pairs)
    value = _matrix({**scores.by_reason, **scores.evidence}, pairs)
    there = (value != 0) | (weight != 0)
    names, stops = np.array(list(REASONS), dtype=object), np.cumsum([0, *there.sum(axis=1)]).tolist()
    flat = zip(
        names[np.nonzero(there)[1]].tolist(),
        map(rounded, value[there].tolist()),
        map(rounded, weight[there].tolist()),
        strict=True,
    )
    listed = list(flat)
    return (tuple(listed[start:stop]) for start, stop in pairwise(stops))


def _matrix(columns: Mapping[str, Floats], pairs: Ints) -> Floats:
    """Return columns by reason as a matrix of shape (pairs, reasons), rounded so that what is as good as 0 is 0."""
    return np.asarray(np.round(np.stack([columns[name][pairs] for name in REASONS], axis=1), DIGITS), float)


def _attributed(
    strikes: Sequence[Strike], proposed: Mapping[str, str], shared: SharedTables, wording: Wording
) -> tuple[tuple[Attribution, ...], LayerRows | None]:
    """Attribute strikes, those of one day one after the other: they share the stakes that count."""
    by_id = {strike.id: strike for strike in strikes}
    records = replace(shared.records, strikes=by_id)
    outcomes = [
        finding(strike, records.where("decisions", "strike", strike), proposed.get(strike))
        for strike in sorted(by_id, key=lambda name: by_id[name].when)
    ]
    owners = OwnersByDate(shared.stakes.above(_assets(outcomes)))
    shared.hosts.look_up(strikes)
    attributed = [*map(Attributor(records, owners, hosts=shared.hosts).attribute, outcomes)]
    rows = tuple(attributions(records, attributed, wording))
    if not shared.layers:
        return rows, None
    return rows, LayerRows.of(records, attributed, shared.stakes, owners, wording)


def _assets(outcomes: Iterable[StrikeOutcome]) -> set[str]:
    return set(chain.from_iterable((hit.asset for hit in outcome.hits) for outcome in outcomes))
