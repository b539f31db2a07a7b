"""Which asset a strike hit, as candidates with named reasons, always with the candidate "none of these".

Strikes go by chunks through ``candidates``, ``evidence``, ``weights`` and ``explanation``; none of these calls one
before it. The odds of a candidate, were it alone, against "none of these" are the exponential of a sum of terms, one a
reason (Fellegi and Sunter 1969, doi 10.1080/01621459.1969.10501049), so that every probability can be explained; those
of several are put together by a nested logit. A machine proposes here; only a decision confirms. See docs/matching.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import itemgetter

import numpy as np
import shapely

from geo.lonlat import Floats, Ints, Objects
from geo.spatial_join.join import Pairs
from geo.tiles.generalize import morton
from layers.decisions.hits import PUBLISH_FROM
from layers.matching.asset_index import AssetIndex, index_of
from layers.matching.candidates import candidates
from layers.matching.evidence import Columns, Mentions, evidence_columns, mentions
from layers.matching.explanation import no_asset_reasons, reasons
from layers.matching.strike_columns import StrikeColumns
from layers.matching.weights import MatchWeights, log_odds_terms
from layers.matching.weights import read as read_weights
from layers.model.records import Match, Records, Strike
from layers.store.record_table import geometries, records_at

#: Candidates of one strike that are listed; the probabilities are among all of them.
MAX_LISTED = 50
#: Strikes scored at once, which bounds the memory.
CHUNK = 2_500
#: Decimals of every number given: later ones depend on how many pairs are scored at once.
DIGITS = 9


def match_all(records: Records, index: AssetIndex | None = None) -> dict[str, tuple[Match, ...]]:
    """Find the candidates of every strike, most probable first.

    Parameters
    ----------
    records
        All records.
    index
        Their assets; built if not given.

    Returns
    -------
    dict
        The candidates by the id of the strike; a strike without a geometry has only "none of these".
    """
    matches = dict(match_each(records, index or index_of(records)))
    return {key: matches[key] for key in records.strikes}


def match_each(records: Records, index: AssetIndex) -> Iterator[tuple[str, tuple[Match, ...]]]:
    """Give what ``match_all`` returns strike by strike, near ones after each other; only theirs are in memory."""
    weights = read_weights()
    strikes = list(records.strikes.values())
    for rows, scores in score_chunks(StrikeColumns.of(strikes, index.names), index, weights):
        for row, matches in _listed(rows, scores, strikes, index, records, weights):
            yield strikes[row].id, matches


def match_one(strike: Strike, index: AssetIndex, records: Records, weights: MatchWeights) -> tuple[Match, ...]:
    """Find the candidates of one strike, most probable first; equals its part of ``match_all``."""
    columns = StrikeColumns.of([strike], index.names)
    ((rows, scores),) = score_chunks(columns, index, weights)
    ((_, matches),) = _listed(rows, scores, [strike], index, records, weights)
    return matches


def probable_assets(records: Records, index: AssetIndex, publish_from: float = PUBLISH_FROM) -> dict[str, str]:
    """Return the asset that is published as probable, by strike.

    Equals ``decisions.hits.likeliest`` of ``match_all``, but explains nothing and reads the strikes chunk by chunk.
    """
    chunks = probable_by_chunk(records, index, publish_from)
    return {strike: asset for _, probable in chunks for strike, asset in probable.items()}


def probable_by_chunk(
    records: Records, index: AssetIndex, publish_from: float = PUBLISH_FROM
) -> Iterator[tuple[list[Strike], dict[str, str]]]:
    """Give what ``probable_assets`` returns by chunks of near strikes, each read once, with these strikes."""
    weights = read_weights()
    for rows in _chunks(shapely.bounds([geometry for _, geometry in geometries(records.strikes)])):
        strikes = records_at(records.strikes, rows)
        columns = StrikeColumns.of(strikes, index.names)
        scores = score_pairs(columns, index, candidates(columns, index), weights)
        probable = likeliest_assets(scores, index, publish_from)
        yield strikes, {strikes[position].id: asset for position, asset in probable}


def score_chunks(strikes: StrikeColumns, index: AssetIndex, weights: MatchWeights) -> Iterator[tuple[Ints, Scores]]:
    """Score strikes by chunks of near ones.

    Yields the rows of each chunk and the scores, whose ``left`` are positions in these rows. Every strike is in one
    chunk, also one without a geometry or candidates.
    """
    for rows in _chunks(shapely.bounds(strikes.geometry)):
        chunk = strikes.rows(rows)
        yield rows, score_pairs(chunk, index, candidates(chunk, index), weights)


def _chunks(bounds: Floats) -> Iterator[Ints]:
    """Yield rows by chunks, in Morton order of their boxes, so that a chunk meets few assets."""
    bounds = np.nan_to_num(bounds).reshape(-1, 4)
    grid = ((bounds[:, :2] + [[180, 90]]) / 360 * 2**31).astype(np.int64)
    order = np.argsort(morton(grid[:, 0], grid[:, 1]), kind="stable")
    for start in range(0, len(order), CHUNK):
        yield order[start : start + CHUNK]


@dataclass(frozen=True, slots=True)
class Scores:
    """Scored pairs of strikes and assets, sorted by strike.

    Attributes
    ----------
    left, right
        Rows of the strikes and of the index, shape (pairs,).
    distance_m
        Geodesic distance in metres, NaN where the strike has no place, shape (pairs,).
    log_odds
        Log odds of each asset, were it alone, against "none of these", shape (pairs,).
    probability
        That the strike hit the asset, shape (pairs,): among the candidates of the strike and "none of these", but for
        those that the text names side by side with it, and with what is lent to it.
    lent
        What of this is the probability of candidates that may be the same site, shape (pairs,).
    by_reason
        Log odds of each reason, which add up to ``log_odds``.
    evidence
        What was measured for each reason.
    no_asset
        Probability of "none of these", shape (strikes,).
    """

    left: Ints
    right: Ints
    distance_m: Floats
    log_odds: Floats
    probability: Floats
    lent: Floats
    by_reason: Columns
    evidence: Columns
    no_asset: Floats


def score_pairs(strikes: StrikeColumns, index: AssetIndex, pairs: Pairs, weights: MatchWeights) -> Scores:
    """Weigh the evidence for pairs of strikes and assets, and normalise it against "none of these".

    Parameters
    ----------
    strikes
        The strikes of a chunk.
    index
        The assets.
    pairs
        Rows of both and geodesic distances in metres, sorted by strike, as ``candidates`` finds them; may be empty.
    weights
        The weight of each reason.

    Returns
    -------
    Scores
        In the order of the pairs; a strike without a pair has "none of these" with probability 1.
    """
    evidence = evidence_columns(strikes, index, *pairs)
    by_reason = log_odds_terms(evidence, strikes.site[pairs.left], weights)
    log_odds = reduce(np.add, by_reason.values())
    named = mentions(strikes, index, pairs.left, pairs.right, evidence)
    own, no_asset = site_probabilities(pairs.left, log_odds, len(strikes), named, weights.dissimilarity)
    probability = with_twins(own, no_asset[pairs.left], *index.alike(pairs.left, pairs.right))
    return Scores(*pairs, log_odds, probability, probability - own, by_reason, evidence, no_asset)


def with_twins(own: Floats, none: Floats, one: Ints, other: Ints, likely: Floats) -> Floats:
    """Return the probability that the site of each candidate was hit, shape (pairs,).

    A candidate was hit if it was, or if another was that is the same site: the law of total probability over which
    asset of the layer the report is of. Each is one of these with a probability of its own, as
    ``resolution.asset_duplicates`` states it.

    Parameters
    ----------
    own
        Probability of each candidate among all, shape (pairs,).
    none
        Probability of "none of these" of the strike of each, which bounds it from above, shape (pairs,).
    one, other, likely
        Positions of candidates, and of those that may be the same site, with how probably; see ``AssetIndex.alike``.
    """
    return np.minimum(np.maximum(own, 1.0 - none), own + np.bincount(one, likely * own[other], len(own)))


def site_probabilities(
    left: Ints, log_odds: Floats, strikes: int, named: Mentions, dissimilarity: float = 1.0
) -> tuple[Floats, Floats]:
    """Turn log odds into probabilities as ``nested_probabilities`` does, where a text may name several sites.

    "Filanovsky and Korchagin platforms" tells of two sites, of which each may be said. A candidate that the text names
    in full has no rival in one that it names by other words: "was this site hit?" is a question of each, so that the
    probabilities of a strike may add up to more than 1. That of "none of these" is the same.

    Parameters
    ----------
    left, log_odds, strikes, dissimilarity
        As there, ``left`` ascending.
    named
        The words by which the text names each pair's asset, shape (pairs,).
    """
    each, none = nested_probabilities(left, log_odds, strikes, dissimilarity)
    one, other = _named_apart(left, named)
    for row in np.unique(one).tolist():
        first, end = np.searchsorted(left, [left[row], left[row] + 1])
        rivals = np.setdiff1d(np.arange(first, end), other[one == row])
        own, _ = nested_probabilities(np.zeros(len(rivals), np.int64), log_odds[rivals], 1, dissimilarity)
        each[row] = own[rivals == row][0]
    return each, none


def _named_apart(left: Ints, named: Mentions) -> tuple[Ints, Ints]:
    """Return the rows of candidates, and beside each that of one which the strike's text names by other words."""
    rows = np.flatnonzero(named.whole)
    strike = left[rows]
    first = np.searchsorted(strike, strike)
    size = np.searchsorted(strike, strike, "right") - first
    one = np.repeat(np.arange(len(rows)), size)
    other = np.arange(len(one)) - np.repeat(np.cumsum(size) - size - first, size)
    one, other = rows[one], rows[other]
    apart = named.apart(one, other)
    return one[apart], other[apart]


def nested_probabilities(
    left: Ints, log_odds: Floats, strikes: int, dissimilarity: float = 1.0
) -> tuple[Floats, Floats]:
    """Turn log odds against "none of these" into probabilities by a nested logit (McFadden 1978).

    What no reason measures, such as a layer that lacks the site, or a report that tells of no attack, holds for all
    candidates of a strike alike. So they are one nest: a candidate has the share exp(log odds / d) among all, and the
    odds of any against none are the sum of these to the power of d. With d = 1 this is a conditional logit; a candidate
    that is alone has the odds exp(log odds) whatever d is.

    Parameters
    ----------
    left
        Row of the strike of each pair, shape (pairs,).
    log_odds
        Of each pair's asset, were it alone, shape (pairs,).
    strikes
        Number of strikes.
    dissimilarity
        The parameter d, above 0, at most 1.

    Returns
    -------
    tuple of Floats
        The probability of each pair, shape (pairs,), and of "none of these", shape (strikes,): 1 without candidates.
    """
    scaled = log_odds / dissimilarity
    highest = np.full(strikes, -np.inf)
    np.maximum.at(highest, left, scaled)
    odds = np.exp(scaled - highest[left])
    total = np.bincount(left, weights=odds, minlength=strikes)
    any_asset = dissimilarity * (highest + np.log(np.maximum(total, 1.0)))
    either = np.logaddexp(0.0, any_asset)
    return odds / total[left] * np.exp(any_asset - either)[left], np.exp(-either)


def likeliest_assets(scores: Scores, index: AssetIndex, publish_from: float) -> Iterator[tuple[int, str]]:
    """Yield the positions of the strikes with a candidate of at least a probability, and the id of that candidate.

    Parameters
    ----------
    scores
        The scored pairs of a chunk.
    index
        The assets that they refer to.
    publish_from
        The probability from which a candidate is published.
    """
    probable = np.flatnonzero(scores.probability >= publish_from - 10.0**-DIGITS)
    left = scores.left[probable].tolist()
    negated = [-rounded(min(1.0, probability)) for probability in scores.probability[probable].tolist()]
    # Of equal probabilities "none of these" is the first, then the first by id.
    order = sorted(zip(left, negated, _ids(index, scores.right[probable]).tolist(), strict=True))
    for position, group in groupby(order, key=itemgetter(0)):
        _, probability, asset = next(group)
        if -probability >= publish_from and -probability > rounded(scores.no_asset[position]):
            yield position, asset


def _listed(
    rows: Ints, scores: Scores, strikes: list[Strike], index: AssetIndex, records: Records, weights: MatchWeights
) -> Iterator[tuple[int, tuple[Match, ...]]]:
    """Yield the row of each strike of a chunk with its candidates, explained, most probable first."""
    bounds = np.searchsorted(scores.left, np.arange(len(rows) + 1))
    for position, row in enumerate(rows):
        strike = strikes[row]
        pairs = np.arange(bounds[position], bounds[position + 1])
        best = pairs[np.lexsort((_ids(index, scores.right[pairs]), -scores.probability[pairs]))][:MAX_LISTED]
        matches = [_match(strike, pair, scores, index, records) for pair in best]
        probability = rounded(scores.no_asset[position])
        none = no_asset_reasons(probability, weights, strike.geometry is not None)
        matches.append(Match(strike=strike.id, asset=None, probability=probability, reasons=none))
        yield int(row), tuple(sorted(matches, key=lambda match: (-match.probability, match.asset or "")))


def _match(strike: Strike, pair: int, scores: Scores, index: AssetIndex, records: Records) -> Match:
    asset = records.assets[index.ids[scores.right[pair]]]
    return Match(
        strike=strike.id,
        asset=asset.id,
        probability=rounded(min(1.0, scores.probability[pair])),
        distance_m=None if np.isnan(scores.distance_m[pair]) else rounded(scores.distance_m[pair]),
        reasons=reasons(
            strike,
            asset,
            float(scores.distance_m[pair]),
            {name: rounded(column[pair]) for name, column in scores.evidence.items()},
            {name: rounded(column[pair]) for name, column in scores.by_reason.items()},
            rounded(scores.lent[pair]),
        ),
    )


def _ids(index: AssetIndex, rows: Ints) -> Objects:
    return np.array([index.ids[row] for row in rows.tolist()], dtype=object)


def rounded(number: float) -> float:
    """Return a number as answers have it, without the digits that depend on how many pairs are scored at once."""
    return round(float(number), DIGITS) + 0.0
