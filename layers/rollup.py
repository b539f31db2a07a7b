"""What one country's owners hold of everything at once: the walk of ``ownership`` solved for all nodes together.

A walk upward needs to remember two things only: whether a share that stays with its flag company counts to the
country that is asked for, and whether a minority was met that stays. So there are up to four rows a node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.absorption import System
from layers.ownership import Minority
from layers.stake_table import Bools, Floats, Ints, Kind, StakeGraph


@dataclass(frozen=True, eq=False)
class Rollup:
    """Shares of every node (rows) for each country asked (columns), fractions of 1, at least and at most."""

    low: Floats
    high: Floats


def rollup(graph: StakeGraph, country: NDArray[np.int16], asked: list[int], minority: Minority = "stay") -> Rollup:
    """Share of each asset and entity that owners of each asked country hold, in all.

    Parameters
    ----------
    graph
        The stakes of the days.
    country
        Country number of each node, registered or by seat; -1 where not known.
    asked
        Country numbers.
    minority
        As in ``ownership.Register``; the results equal those of ``ownership.Walk`` from every node.
    """
    steps = _Steps(graph, country, minority == "follow")
    if not asked:
        return Rollup(np.zeros((steps.size, 0)), np.zeros((steps.size, 0)))
    own = (country[:, None] == np.array(asked, np.int16)) & steps.named[:, None]
    if steps.plain:
        return Rollup(*steps.system.bounds(own.astype(float)))
    columns = [steps.one_country(own[:, column]) for column in range(len(asked))]
    return Rollup(*(np.column_stack(part) for part in zip(*columns, strict=True)))


class _Steps:
    """How the walk goes on from each node, whatever country is asked for."""

    def __init__(self, graph: StakeGraph, country: NDArray[np.int16], follow: bool) -> None:
        nodes = graph.table.nodes
        self.size = len(nodes)
        self.named = ~np.isin(nodes.kind, (Kind.ASSET, Kind.UNKNOWN))
        self.state = np.isin(nodes.kind, (Kind.STATE, Kind.STATE_BODY)) & (country >= 0)
        self.asset = nodes.kind == Kind.ASSET
        counts = ~graph.floating & (nodes.kind[graph.owned] != Kind.STATE)
        owned, self.owner = graph.owned[counts], graph.owner[counts]
        self.low, self.high = graph.low[counts], graph.high[counts]
        self.start = np.concatenate([[0], np.cumsum(np.bincount(owned, minlength=self.size))])
        joint = nodes.joint[owned]
        followed = joint | follow | (self.low > 0.5)
        known = (country >= 0) | (nodes.kind == Kind.UNKNOWN)
        self.takes_own = followed & (joint | known[self.owner])  # the holder's own flag
        self.stops = ~followed
        #: Whether every holder is followed under its own flag, so that nothing need be remembered.
        self.plain = bool(self.takes_own.all())

    @property
    def system(self) -> System:
        """One row a node, for where each holder is followed under its own flag."""
        return System(self.start, self.owner, self.low, self.high)

    def one_country(self, own: Bools) -> tuple[Floats, Floats]:
        """Rows 0 to n: flag does not count; n to 2n: it does; the other 2n the same, stopped."""
        size = self.size
        targets = [self._targets(own, flag) for flag in (0, 1)] + [self.owner + (2 + flag) * size for flag in (0, 1)]
        start = np.concatenate(
            [self.start[:-1] + len(self.owner) * part for part in range(4)] + [[4 * len(self.owner)]]
        )
        system = System(start, np.concatenate(targets), np.tile(self.low, 4), np.tile(self.high, 4))
        stay = np.concatenate([np.where(self.state, own, flag & ~self.asset) for flag in (False, True)] * 2)
        low, high = system.bounds(stay.astype(float)[:, None])
        return self._own(own, low[:, 0]), self._own(own, high[:, 0])

    def _own(self, own: Bools, value: Floats) -> Floats:
        """The value of each node under its own flag."""
        return np.where(own, value[self.size : 2 * self.size], value[: self.size])

    def _targets(self, own: Bools, flag: int) -> Ints:
        along = np.where(self.takes_own, own[self.owner], flag)
        return np.asarray(self.owner + self.size * np.where(self.stops, 2 + flag, along), np.int64)
