"""The shares of countries in all nodes, solved together: what the walk is compared with.

With unknown shares each country takes up to four rows a node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.lonlat import Bools, Floats, Ints
from layers.ownership.absorbing_chain import AbsorbingChain
from layers.ownership.bulk_shares import ExactShares, WalkRules, batches
from layers.ownership.minority import Minority
from layers.ownership.stake_graph import StakeGraph


@dataclass(frozen=True, eq=False)
class CountryBounds:
    """Bounds of the shares of every node (rows) for some countries (columns), fractions of 1."""

    low: Floats
    high: Floats


def country_bounds(
    graph: StakeGraph, country: NDArray[np.int16], countries: list[int], minority: Minority = "stay"
) -> CountryBounds:
    """Bound the share of each asset and entity that owners of some countries hold.

    The results equal those of ``walk.Walk`` from every node.

    Parameters
    ----------
    graph
        The stakes of the days.
    country
        Country number of each node, registered or by seat, shape (nodes,); -1 where not known.
    countries
        Country numbers, one a column of the result.
    minority
        As in ``walk.OwnershipGraph``.

    Returns
    -------
    CountryBounds
        Two arrays of shape (nodes, countries); one and the same array where all shares are exact.
    """
    rules = WalkRules.of(graph, country, minority)
    low = np.empty((rules.size, len(countries)))
    if rules.exact.all():
        shares = ExactShares(rules)
        for batch in batches(len(countries)):
            own = rules.nationals(countries[batch])
            low[:, batch] = shares.solve(own & rules.state[:, None], own)
        return CountryBounds(low, low)
    high = np.empty_like(low)
    for column, number in enumerate(countries):
        own = rules.nationals([number])[:, 0]
        low[:, column], high[:, column] = bounds(rules, own, own)
    return CountryBounds(low, high)


def bounds(rules: WalkRules, state: Bools, holder: Bools) -> tuple[Floats, Floats]:
    """Bound the share of each node that ends in some states, or stays under the nationality of some holders.

    Parameters
    ----------
    rules
        The stakes and how a walk goes over them.
    state, holder
        Masks of shape (nodes,).

    Returns
    -------
    tuple of Floats
        Least and largest fractions of 1 that any choice of the unknown shares gives, shape (nodes,) each.
    """
    if (rules.followed & rules.changes_nationality).all() or not holder.any():  # nothing need be remembered
        absorbed = np.where(rules.state, state, holder & rules.retains).astype(float)
        low, high = _chain(rules, [rules.owner]).bounds(absorbed[:, None])
        return low[:, 0], high[:, 0]
    size = rules.size
    is_open = not np.array_equal(rules.followed, rules.may_be_followed)
    alternative = _targets(rules, holder, rules.may_be_followed) if is_open else None
    chain = _chain(rules, _targets(rules, holder, rules.followed), alternative)
    low, high = chain.bounds(_absorbed(rules, state)[:, None])
    under_own = np.where(holder, np.arange(size, 2 * size), np.arange(size))
    return low[under_own, 0], high[under_own, 0]


def _chain(rules: WalkRules, targets: list[Ints], alternative: list[Ints] | None = None) -> AbsorbingChain:
    """Build a chain with one copy of all nodes for each array of targets, and of the other targets of open stakes."""
    copies = len(targets)
    counts = np.tile(np.bincount(rules.owned, minlength=rules.size), copies)
    start = np.concatenate([[0], np.cumsum(counts)])
    other = None if alternative is None else np.concatenate(alternative)
    return AbsorbingChain(
        start, np.concatenate(targets), np.tile(rules.low, copies), np.tile(rules.high, copies), other
    )


def _targets(rules: WalkRules, holder: Bools, followed: Bools) -> list[Ints]:
    """Return the targets of the stakes, of which some are followed, in four copies of the n nodes.

    In rows 0 to n the nationality of the share does not count, in n to 2n it does; 2n to 4n are these two after a
    minority that is not followed.
    """
    stopped = [rules.owner + (2 + counts) * rules.size for counts in (0, 1)]
    along = [
        rules.owner + np.where(rules.changes_nationality, holder[rules.owner], counts) * rules.size for counts in (0, 1)
    ]
    return [np.where(followed, along[counts], stopped[counts]) for counts in (0, 1)] + stopped


def _absorbed(rules: WalkRules, state: Bools) -> Floats:
    """Return 1 for each row of ``_targets`` in which a share that stays there counts, else 0."""
    return np.concatenate(
        [np.where(rules.state, state, counts & rules.retains) for counts in (False, True)] * 2
    ).astype(float)
