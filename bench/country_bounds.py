"""The shares of countries in all nodes, solved together as the owners of days are: what the walk is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.lonlat import Floats
from layers.ownership.bulk_shares import ExactShares, WalkRules, batches, bounds
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
