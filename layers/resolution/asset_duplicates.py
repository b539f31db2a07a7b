"""Duplicates of assets: pairs that may be one site, with named reasons, and the groups that count as one meanwhile.

A machine proposes, a person decides; until then the assets of a group count as one site. See docs/asset-duplicates.md.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np

from layers.decisions.identity import merge_groups
from layers.model.records import Records
from layers.resolution.asset_blocking import AssetColumns, candidate_pairs
from layers.resolution.asset_comparison import COMPARISONS
from layers.resolution.linkage import DuplicateProposal, compare, proposals
from layers.resolution.resolve import apply_judgements

#: Least probability of a pair that is proposed to a person.
PROPOSE_FROM = 0.6
#: Least probability of two assets of one data set: whoever compiled it had a chance to see that they are one.
SAME_DATASET_FROM = 0.9
#: Least probability of each pair of a group of assets that count as one site until a person has decided.
SAME_SITE_FROM = 0.8
#: Least probability of a pair outside a group that is given: of those below it hardly any is one site.
MAY_BE_ONE_FROM = 0.05


def propose_assets(records: Records, from_score: float = PROPOSE_FROM) -> tuple[DuplicateProposal, ...]:
    """Find the pairs of assets that may be one site, the likeliest first, each pair once.

    Parameters
    ----------
    records
        As stored; the judgements among them are applied first, and pairs judged different are left out, also where
        other assets were merged into one of them since.
    from_score
        Least probability. Two assets of one data set need ``SAME_DATASET_FROM``, unless less than the default
        ``PROPOSE_FROM`` is given.
    """
    table = AssetColumns.of(apply_judgements(records))
    compared = compare(candidate_pairs(table), COMPARISONS)
    within = SAME_DATASET_FROM if from_score >= PROPOSE_FROM else from_score
    least = np.where(compared.evidence["same-dataset"] > 0, max(from_score, within), from_score)
    return proposals(compared, least, merge_groups(records)[0]["assets"].apart())


class SameSites(NamedTuple):
    """Which assets count as one site, and which others may be one.

    Attributes
    ----------
    groups
        The id of the representative by the id of each asset that counts as one site with another, its own among them.
        The representative is a bundled record if there is one, else one of the store rather than of an open layer, then
        one with owners or an operator, then the best located, then the first by id.
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
    """Group the assets that count as one site until a person has decided, and find which others may be one site.

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


def sites_in(table: AssetColumns, different: Set[frozenset[str]] = frozenset()) -> SameSites:
    """Group the rows of a table as ``same_sites`` does; ``different`` are pairs of ids that were judged so."""
    _, pairs, _, scores = compare(candidate_pairs(table), COMPARISONS)

    def ids(row: int) -> tuple[str, str]:
        one, other = sorted(table.ids[end] for end in pairs.ends(row))
        return one, other

    likely = np.flatnonzero(~pairs.same(table.dataset) & (scores >= PROPOSE_FROM)).tolist()
    ranked = sorted(likely, key=lambda row: (-round(float(scores[row]), 9), ids(row)))
    groups = _complete_linkage(
        [ids(row) for row in ranked if round(float(scores[row]), 9) >= SAME_SITE_FROM],
        {frozenset(ids(row)) for row in likely} - different,
    )
    row_of = {name: row for row, name in enumerate(table.ids)}
    preferred = [min(group, key=lambda name: table.preference(row_of[name])) for group in groups]
    representative = {member: one for one, group in zip(preferred, groups, strict=True) for member in group}
    other_sites = {frozenset(representative.get(name, name) for name in pair) for pair in different}
    likeliest: dict[tuple[str, str], float] = {}
    for row in np.flatnonzero(scores >= MAY_BE_ONE_FROM).tolist():
        one, other = (representative.get(name, name) for name in ids(row))
        if one != other and frozenset((one, other)) not in other_sites:
            score = max(float(scores[row]), likeliest.get((one, other), 0.0))
            likeliest[one, other] = likeliest[other, one] = score
    return SameSites(representative, likeliest)


def _complete_linkage(pairs: Sequence[tuple[str, str]], linked: Container[frozenset[str]]) -> list[list[str]]:
    """Join the groups of pairs in their order, where every two members of both are linked."""
    group_of: dict[str, list[str]] = {}
    for one, other in pairs:
        ours, theirs = group_of.setdefault(one, [one]), group_of.setdefault(other, [other])
        if ours is theirs or not all(frozenset((a, b)) in linked for a in ours for b in theirs):
            continue
        ours += theirs
        group_of.update(dict.fromkeys(theirs, ours))
    return list({id(group): group for group in group_of.values() if len(group) > 1}.values())
