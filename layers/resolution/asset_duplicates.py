"""Duplicates of assets: pairs that may be one site, with named reasons, and the groups that count as one meanwhile.

A machine proposes; a person
decides; until then the assets of a group stand for one site. See docs/asset-duplicates.md.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from layers.decisions.identity import merge_groups
from layers.model.records import Records
from layers.resolution.asset_blocking import AssetColumns, candidate_pairs
from layers.resolution.asset_comparison import compare_assets, explained
from layers.resolution.linkage import DuplicateProposal, Explained, PairWeights, proposals
from layers.resolution.resolve import apply_judgements

#: Least probability of a pair that is proposed to a person.
PROPOSE_FROM = 0.6
#: Least probability of two assets of one data set: whoever compiled it had a chance to see that they are one.
SAME_DATASET_FROM = 0.9
#: Least probability of each pair of a group of assets that stand for one site until a person has decided.
SAME_SITE_FROM = 0.8
#: Least probability of a pair outside a group that is given: of those below it hardly any is one site.
MAY_BE_ONE_FROM = 0.05
#: Weights that are not fitted: no labelled pair has the evidence, or the choice of pairs would bias them.
BY_HAND = frozenset(
    {
        *("prior", "name", "printed-name", "other-name", "no-name", "no-place"),
        *("one-part", "other-country", "identifier", "other-identifier"),
    }
)


@dataclass(frozen=True, slots=True)
class AssetWeights(PairWeights):
    """Log odds that a reason adds for each unit of its evidence; calibrated, see docs/asset-duplicates.md."""

    prior: float = -2.5  # two assets of kinds that are taken for each other, in reach or of a rare name; set by hand
    place: float = 2.4  # two places up to 100 m apart; falls to nothing at 10 km
    apart: float = -0.7  # half the square of the distance in sigmas, at most 4
    far: float = -2.8  # places that cannot be one
    no_place: float = -0.5  # one has no coordinate, or both stretch over a country; set by hand
    name: float = 0.8  # a rare word in both names, at most 2; set by hand
    same_name: float = 0.4  # a spelling of both has the same words
    printed_name: float = 2.5  # and the same words for the kind of site, the same route, or one id; set by hand
    own_words: float = -2.2  # each name has a word that the other has not
    more_words: float = -1.7  # one name has such a word
    other_name: float = -2.0  # no word in common; set by hand
    no_name: float = -1.0  # one has no name of its own; set by hand
    number: float = 0.1  # the same numbers in both names
    other_number: float = -5.1  # numbers in both names, none of them the same
    one_number: float = -1.8  # a number in one name that the other has not
    kind: float = 2.0  # the same kind, and not only one that it is taken for
    other_type: float = -3.5  # the names say other types of plant
    commodity: float = 0.7
    other_commodity: float = -0.4
    capacity: float = 2.4  # within 15 %
    other_capacity: float = -2.4  # from half as much again on, fully from six times
    owner: float = 0.5
    identifier: float = 3.0  # two data sets give one id; set by hand
    other_identifier: float = -0.5  # other ids of one register; set by hand
    other_country: float = -1.0  # set by hand
    one_part: float = -2.0  # one is a part of a larger asset, the other is not; set by hand
    same_dataset: float = -5.0


def propose_assets(records: Records, from_score: float = PROPOSE_FROM) -> tuple[DuplicateProposal, ...]:
    """Find the pairs of assets that may be one site, the likeliest first, each pair once.

    Parameters
    ----------
    records
        As stored; the judgements among them are applied first, and pairs judged different are left out, also where
        other assets were merged into one of them since.
    from_score
        Least probability. Two assets of one data set need ``SAME_DATASET_FROM``, unless less than the default
        ``PROPOSE_FROM`` is asked for.
    """
    weights, merged = AssetWeights(), apply_judgements(records)
    table = AssetColumns.of(merged)
    pairs = candidate_pairs(table)
    evidence = compare_assets(table, pairs)
    within = SAME_DATASET_FROM if from_score >= PROPOSE_FROM else from_score
    least = np.where(evidence["same-dataset"] > 0, max(from_score, within), from_score)
    rank = _preference(table)

    def explain(left: int, right: int, metres: float) -> Explained:
        one, other = sorted((table.ids[left], table.ids[right]), key=rank)
        return Explained(one, other, explained(table, merged, left, right, metres))

    return proposals(pairs, evidence, weights, least, merge_groups(records)[0]["assets"].apart(), explain)


class SameSites(NamedTuple):
    """Which assets stand for one site, and which others may be one.

    Attributes
    ----------
    groups
        The id of the representative by the id of each asset that stands for one site with another, its own among them;
        an asset that is not in it stands for itself. The representative is a bundled record if there is one, else one
        of the store rather than of an open layer, then one with owners or an operator, then the best located, then the
        first by id.
    likely
        The probability of pairs that are in no group together but may be one site, by their ids in either order, each
        by the representative of its group; the largest of those of their members. None of groups of which any two
        members were judged different.
    """

    groups: Mapping[str, str]
    likely: Mapping[tuple[str, str], float]


def same_sites(
    records: Records, holders: Mapping[str, tuple[str, ...]] | None = None, left_out: Container[str] = ()
) -> SameSites:
    """Group the assets that stand for one site until a person has decided, and find which others may be one site.

    Pairs of ``SAME_SITE_FROM`` or more join groups, if every two assets of both would be proposed (complete linkage at
    ``PROPOSE_FROM``), so that a chain of neighbours is not melted together. They are taken from the likeliest on, equal
    ones by id, so that the order of the records does not matter. Not in one group are two assets that were judged
    different, two of one data set, an asset and its part, and parts of one asset.

    Parameters
    ----------
    records
        With the judgements among them applied: what was judged the same is one asset already.
    holders
        The ``asset_blocking.holder_names`` of the records, where they are known already.
    left_out
        Ids of assets that are compared with none.
    """
    return sites_in(AssetColumns.of(records, holders, left_out), merge_groups(records)[0]["assets"].apart())


def sites_in(table: AssetColumns, apart: Set[frozenset[str]] = frozenset()) -> SameSites:
    """Group the rows of a table as ``same_sites`` does; ``apart`` are pairs of ids that were judged different."""
    pairs = candidate_pairs(table)
    scores = AssetWeights().probability(compare_assets(table, pairs))
    of_two_sets = table.dataset[pairs.left] != table.dataset[pairs.right]
    likely = np.flatnonzero(of_two_sets & (scores >= PROPOSE_FROM))
    sites = [
        (-round(score, 9), *sorted((table.ids[left], table.ids[right])))
        for score, left, right in zip(
            scores[likely].tolist(), pairs.left[likely].tolist(), pairs.right[likely].tolist(), strict=True
        )
    ]
    rank = _preference(table)
    groups = _complete_linkage(
        [(one, other) for score, one, other in sorted(sites) if -score >= SAME_SITE_FROM],
        {pair for _, *ids in sites if (pair := frozenset(ids)) not in apart},
    )
    representative = {member: min(group, key=rank) for group in groups for member in group}
    sites_apart = {frozenset(representative.get(name, name) for name in pair) for pair in apart}
    may_be: dict[tuple[str, str], float] = {}
    for row in np.flatnonzero(scores >= MAY_BE_ONE_FROM).tolist():
        ids = table.ids[pairs.left[row]], table.ids[pairs.right[row]]
        one, other = (representative.get(name, name) for name in ids)
        if one != other and frozenset((one, other)) not in sites_apart:
            score = max(float(scores[row]), may_be.get((one, other), 0.0))
            may_be[one, other] = may_be[other, one] = score
    return SameSites(representative, may_be)


def _complete_linkage(pairs: Sequence[tuple[str, str]], together: Container[frozenset[str]]) -> list[list[str]]:
    """Join the groups of pairs in their order, where every two members of both may stand together."""
    group_of: dict[str, list[str]] = {}
    for one, other in pairs:
        ours, theirs = group_of.setdefault(one, [one]), group_of.setdefault(other, [other])
        if ours is theirs or not all(frozenset((a, b)) in together for a in ours for b in theirs):
            continue
        ours += theirs
        group_of.update(dict.fromkeys(theirs, ours))
    return list({id(group): group for group in group_of.values() if len(group) > 1}.values())


def _preference(table: AssetColumns) -> Callable[[str], tuple[object, ...]]:
    """Return the sort key of ids by which the asset that stands for a group is the first."""
    row_of = {name: row for row, name in enumerate(table.ids)}

    def rank(name: str) -> tuple[object, ...]:
        row = row_of[name]
        uncertainty_m = table.uncertainty_m[row]
        unsure = np.inf if np.isnan(uncertainty_m) else float(uncertainty_m)
        return not table.bundled[row], bool(table.is_open[row]), not table.owners[row], unsure, name

    return rank
