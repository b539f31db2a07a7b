"""Which asset a strike hit, as candidates with named reasons, always with the candidate "none of these".

The odds of each candidate against "none of these" are the exponential of a sum of weights, one a reason, so that
every probability can be told in words. A machine proposes here; only a decision confirms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
import shapely

from geo.lonlat import Floats, Ints, Objects
from geo.spatial_join.join import Pairs, pairs_within
from geo.tiles.generalize import morton
from layers.matching.asset_index import LEAST_RADIUS_M, AssetIndex, near_boxes
from layers.matching.evidence import Columns, columns, contributions
from layers.matching.explanation import none_reasons, reasons
from layers.matching.strike_columns import StrikeTable
from layers.matching.weights import Weights
from layers.matching.weights import read as read_weights
from layers.model.records import Match, Records, Strike
from layers.model.thresholds import PUBLISH_FROM
from layers.store.record_table import prime

#: Assets further than both uncertainties together (the root of the sum of their squares), times this, are no
#: candidates.
REACH = 1.5
#: Widest radius that is searched, in metres.
MAX_RADIUS_M = 250_000.0
#: Candidates of one strike that are told; the rest counts in the probabilities all the same.
MOST_TOLD = 50
#: Strikes scored at once, which bounds the memory.
CHUNK = 10_000
#: Decimals of what is told: those after them depend on how many pairs are scored at once.
_DIGITS = 9

#: Relations whose entity's name may stand for the asset in a report.
NAMED_FOR = frozenset({"operator", "brand", "occupier"})


@dataclass(frozen=True, slots=True)
class Scores:
    """Scored pairs of strikes and assets, sorted by strike; arrays of one length, but for ``none``.

    ``left`` and ``right`` are rows of the strikes and of the index, ``distance_m`` metres, ``log_odds`` those
    against "none of these", ``probability`` among all candidates of the strike and "none of these";
    ``by_reason`` the log odds of each reason, which add up to ``log_odds``. ``none`` is the probability of "none of
    these", one a strike.
    """

    left: Ints
    right: Ints
    distance_m: Floats
    log_odds: Floats
    probability: Floats
    by_reason: Columns
    values: Columns
    none: Floats


def index_of(records: Records) -> AssetIndex:
    """The assets, ready to be matched with the names of those tied to them."""
    return AssetIndex.of(records.assets.values(), names_tied(records))


def match_all(records: Records, index: AssetIndex | None = None) -> dict[str, tuple[Match, ...]]:
    """Candidates of every strike, most probable first; strikes without a place have only "none of these"."""
    weights, index = read_weights(), index or index_of(records)
    strikes = list(records.strikes.values())
    table = StrikeTable.of(strikes, index.names)
    found: dict[str, tuple[Match, ...]] = {}
    for rows, scores in score(table, index, weights):
        found.update((strikes[row].id, told) for row, told in _told(rows, scores, strikes, index, records, weights))
    return {strike.id: found[strike.id] for strike in strikes}


def proposed(records: Records, index: AssetIndex, publish_from: float = PUBLISH_FROM) -> dict[str, str]:
    """What is published as probable, by strike: `decisions.likeliest` of `match_all`, without all other candidates."""
    places = [(strike.id, strike.geometry) for strike in records.strikes.values()]
    weights = read_weights()
    found: dict[str, str] = {}
    for rows in _chunks(np.array([place for _, place in places], dtype=object)):
        ids = [places[row][0] for row in rows.tolist()]
        prime(records.strikes, ids)
        strikes = StrikeTable.of(map(records.strikes.__getitem__, ids), index.names)
        scores = scored(strikes, index, candidates(strikes, index), weights)
        found.update((ids[position], asset) for position, asset in _likely(scores, index, publish_from))
    return found


def _likely(scores: Scores, index: AssetIndex, publish_from: float) -> Iterator[tuple[int, str]]:
    """Positions of the strikes that have a candidate so probable, and which."""
    near = np.flatnonzero(scores.probability >= publish_from - 10.0**-_DIGITS)
    left, told = scores.left[near].tolist(), [_told_as(min(1.0, one)) for one in scores.probability[near].tolist()]
    # Of equal ones "none of these" is the first, then the first by id.
    order = sorted(zip(left, (-one for one in told), _ids(index, scores.right[near]).tolist(), strict=True))
    for position, candidates in groupby(order, key=itemgetter(0)):
        _, probability, asset = next(candidates)
        if -probability >= publish_from and -probability > _told_as(scores.none[position]):
            yield position, asset


def match_one(strike: Strike, index: AssetIndex, records: Records, weights: Weights) -> tuple[Match, ...]:
    """Candidates of one strike in an index that is kept, most probable first."""
    table = StrikeTable.of([strike], index.names)
    ((rows, scores),) = score(table, index, weights)
    ((_, told),) = _told(rows, scores, [strike], index, records, weights)
    return told


def score(strikes: StrikeTable, index: AssetIndex, weights: Weights) -> Iterator[tuple[Ints, Scores]]:
    """Score strikes by chunks, near ones together; gives the rows of each chunk and the scores by its positions.

    Every strike is in one chunk, also one without a place or candidates.
    """
    for rows in _chunks(strikes.geometry):
        chunk = strikes.rows(rows)
        yield rows, scored(chunk, index, candidates(chunk, index), weights)


def _chunks(places: Objects) -> Iterator[Ints]:
    """Rows by chunks, in Morton order of their places, so that a chunk meets few assets."""
    bounds = np.nan_to_num(shapely.bounds(places)).reshape(-1, 4)
    grid = ((bounds[:, :2] + [[180, 90]]) / 360 * 2**31).astype(np.int64)
    order = np.argsort(morton(grid[:, 0], grid[:, 1]), kind="stable")
    for start in range(0, len(order), CHUNK):
        yield order[start : start + CHUNK]


def candidates(strikes: StrikeTable, index: AssetIndex) -> Pairs:
    """Pairs within reach of both uncertainties, sorted by (left, right).

    Assets are searched by classes of their uncertainty, each as wide as it must be.
    """
    placed = np.flatnonzero(~shapely.is_missing(strikes.geometry))
    if not len(placed) or not index.trees:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    geometry = strikes.geometry[placed]
    uncertainty_m = np.maximum(strikes.uncertainty_m, LEAST_RADIUS_M)
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for widest_m, rows, tree in index.trees:
        radius_m = np.minimum(REACH * np.hypot(uncertainty_m[placed], max(widest_m, LEAST_RADIUS_M)), MAX_RADIUS_M)
        near = rows[near_boxes(tree, shapely.bounds(geometry), radius_m)]
        if len(near):
            pairs = pairs_within(geometry, index.geometry[near], radius_m)
            parts.append((placed[pairs.left], near[pairs.right], pairs.distance_m))
    left, right, distance_m = (np.concatenate(part) for part in zip(*parts, strict=True))
    reach_m = REACH * np.hypot(uncertainty_m[left], np.maximum(index.uncertainty_m[right], LEAST_RADIUS_M))
    kept = np.flatnonzero(distance_m <= reach_m)
    order = kept[np.lexsort((right[kept], left[kept]))]
    return Pairs(left[order], right[order], distance_m[order])


def scored(strikes: StrikeTable, index: AssetIndex, pairs: Pairs, weights: Weights) -> Scores:
    """Score pairs that are sorted by strike."""
    values = columns(strikes, index, *pairs)
    by_reason = contributions(values, strikes.site[pairs.left], weights)
    log_odds = np.sum(list(by_reason.values()), axis=0)
    probability, none = shares(pairs.left, log_odds, len(strikes))
    return Scores(*pairs, log_odds, probability, by_reason, values, none)


def shares(left: Ints, log_odds: Floats, strikes: int) -> tuple[Floats, Floats]:
    """Probabilities from log odds against "none of these": of each pair, and of "none of these" by strike."""
    highest = np.zeros(strikes)
    np.maximum.at(highest, left, log_odds)
    odds = np.exp(log_odds - highest[left])
    total = np.exp(-highest) + np.bincount(left, weights=odds, minlength=strikes)
    return odds / total[left], np.exp(-highest) / total


def _told(
    rows: Ints, scores: Scores, strikes: list[Strike], index: AssetIndex, records: Records, weights: Weights
) -> Iterator[tuple[int, tuple[Match, ...]]]:
    """The candidates of each strike as records, with their reasons in words."""
    bounds = np.searchsorted(scores.left, np.arange(len(rows) + 1))
    for position, row in enumerate(rows):
        strike = strikes[row]
        pairs = np.arange(bounds[position], bounds[position + 1])
        best = pairs[np.lexsort((_ids(index, scores.right[pairs]), -scores.probability[pairs]))][:MOST_TOLD]
        told = [_match(strike, pair, scores, index, records) for pair in best]
        probability = _told_as(scores.none[position])
        told.append(
            Match(strike=strike.id, asset=None, probability=probability, reasons=none_reasons(probability, weights))
        )
        yield int(row), tuple(sorted(told, key=lambda match: (-match.probability, match.asset or "")))


def _match(strike: Strike, pair: int, scores: Scores, index: AssetIndex, records: Records) -> Match:
    asset = records.assets[index.ids[scores.right[pair]]]
    return Match(
        strike=strike.id,
        asset=asset.id,
        probability=_told_as(min(1.0, scores.probability[pair])),
        distance_m=_told_as(scores.distance_m[pair]),
        reasons=reasons(
            strike,
            asset,
            float(scores.distance_m[pair]),
            {name: _told_as(column[pair]) for name, column in scores.values.items()},
            {name: _told_as(column[pair]) for name, column in scores.by_reason.items()},
        ),
    )


def _ids(index: AssetIndex, rows: Ints) -> Objects:
    return np.array([index.ids[row] for row in rows.tolist()], dtype=object)


def _told_as(number: float) -> float:
    """A number as it is told."""
    return round(float(number), _DIGITS) + 0.0


def names_tied(records: Records) -> Mapping[str, tuple[str, ...]]:
    """Names of all who ever owned each asset directly, or run it, or whose brand it bears, by asset."""
    assets = set(records.assets)
    entities = {one.id: (one.name, *one.names.values(), *one.aliases) for one in records.entities.values()}
    names: dict[str, dict[str, None]] = {}
    for asset, entity in _ties(records):
        if asset in assets and entity in entities:
            names.setdefault(asset, {}).update(dict.fromkeys(entities[entity]))
    return {asset: tuple(told) for asset, told in names.items()}


def _ties(records: Records) -> Iterable[tuple[str, str]]:
    yield from ((stake.owned, stake.owner) for stake in records.stakes.values())
    yield from ((one.asset, one.entity) for one in records.relations.values() if one.relation in NAMED_FOR)
