"""What countries' owners hold of everything at once: the walk of ``ownership`` solved for all nodes together.

A walk upward needs to remember two things only: under which flag a share stays that goes no further, and whether a
minority was met that stays. Where all shares are exact, most of both is the same for all countries and found once;
with unknown shares each country has up to four rows a node.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from layers.ownership.absorbing_chain import Ordered, System, reaching, remainder, spread
from layers.ownership.ancestors import Edges
from layers.ownership.stake_graph import Bools, Floats, Ints, Kind, StakeGraph
from layers.ownership.walk import Minority

#: Countries solved together; more would take more memory and hardly less time.
_TOGETHER = 10


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
    steps = Steps.of(graph, country, minority == "follow")
    low = np.empty((steps.size, len(asked)))
    if steps.exact.all():
        shares = Exact(steps)
        for some in together(len(asked)):
            own = steps.own(asked[some])
            low[:, some] = shares.solve(own & steps.state[:, None], own)
        return Rollup(low, low)
    high = np.empty_like(low)
    for column, number in enumerate(asked):
        own = steps.own([number])[:, 0]
        low[:, column], high[:, column] = bounds(steps, own, own)
    return Rollup(low, high)


def together(countries: int) -> Iterator[slice]:
    """Places of the countries that are solved together."""
    return (slice(first, first + _TOGETHER) for first in range(0, countries, _TOGETHER))


@dataclass(frozen=True, eq=False)
class Steps:
    """How the walk goes on from each node, whatever country is asked for."""

    kind: NDArray[np.int8]
    country: NDArray[np.int16]
    owned: Ints
    owner: Ints
    low: Floats
    high: Floats
    #: Stakes that are followed, and those of them after which a share is under the holder's own flag.
    followed: Bools
    takes_own: Bools

    @classmethod
    def of(cls, graph: StakeGraph, country: NDArray[np.int16], follow: bool) -> Steps:
        """The steps that ``ownership.Register`` takes."""
        nodes = graph.nodes
        counts = ~graph.floating & (nodes.kind[graph.owned] != Kind.STATE)
        owned, owner = graph.owned[counts], graph.owner[counts]
        low, high = graph.low[counts], graph.high[counts]
        joint = nodes.joint[owned]
        followed = joint | follow | (low > 0.5)
        known = (country >= 0) | (nodes.kind == Kind.UNKNOWN)
        return cls(nodes.kind, country, owned, owner, low, high, followed, followed & (joint | known[owner]))

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.kind)

    @cached_property
    def named(self) -> Bools:
        """Whose own flag can count to a country."""
        return np.isin(self.kind, (Kind.ASSET, Kind.UNKNOWN), invert=True)

    @cached_property
    def state(self) -> Bools:
        """States and their bodies, whose country takes what ends there under any flag."""
        return np.isin(self.kind, (Kind.STATE, Kind.STATE_BODY)) & (self.country >= 0)

    @cached_property
    def keeps(self) -> Bools:
        """Where what goes no further stays with the flag company."""
        keeps: Bools = ~self.state & (self.kind != Kind.ASSET)
        return keeps

    def own(self, asked: list[int]) -> Bools:
        """Whose own flag counts to each asked country, a column."""
        own: Bools = (self.country[:, None] == np.array(asked, np.int16)) & self.named[:, None]
        return own

    @cached_property
    def left(self) -> Floats:
        """What no holder is known for at least."""
        return remainder(self.owned, self.low, self.size)

    @cached_property
    def exact(self) -> Bools:
        """Nodes above which all shares are known."""
        room = np.bincount(self.owned, self.high - self.low, self.size)
        return ~reaching(self.matrix(np.ones(len(self.owned), bool), self.high), (room > 0) & (self.left > 0))

    @cached_property
    def edges(self) -> Edges:
        """All steps as a graph, those of no share too."""
        return Edges(self.owned, self.owner, self.size)

    def some(self, chosen: Bools) -> Edges:
        """Some of the steps as a graph."""
        return Edges(self.owned[chosen], self.owner[chosen], self.size)

    def matrix(self, some: Bools, shares: Floats) -> csr_array:
        """Some stakes as shares of owners (columns) in what they own."""
        edges = self.some(some)
        matrix = csr_array((shares[some], edges.owner, edges.start), shape=(self.size, self.size))
        matrix.sum_duplicates()  # graph algorithms need it
        return matrix

    def within(self, nodes: Ints) -> Steps:
        """The steps above some ascending nodes, numbered anew; all that stand above them are among them."""
        at = spread(self.edges.start, nodes)[0]
        return Steps(
            self.kind[nodes],
            self.country[nodes],
            np.searchsorted(nodes, self.owned[at]),
            np.searchsorted(nodes, self.owner[at]),
            self.low[at],
            self.high[at],
            self.followed[at],
            self.takes_own[at],
        )


class Exact:
    """Shares where all are known; they are linear in what counts, so one matrix serves all countries.

    What a walk from a node carries on from there under its flag is the same for all flags (``_carried``); all other
    that a country gets comes from states, or from flags that the walk takes on its way.
    """

    def __init__(self, steps: Steps) -> None:
        everything = np.ones(len(steps.owned), bool)
        self._left = steps.left[:, None]
        self._stopping = steps.matrix(~steps.followed, steps.low)
        self._stopped = Ordered(steps.matrix(everything, steps.low)) if self._stopping.nnz else None
        self._followed = Ordered(steps.matrix(steps.followed, steps.low))
        along = Ordered(steps.matrix(steps.followed & ~steps.takes_own, steps.low))
        kept = self._left * steps.keeps[:, None]
        self._carried = along.solve(kept + self._after_stop(kept))

    def _after_stop(self, kept: Floats) -> Floats | float:
        """What a walk from each node gets of what is kept after it met a minority that stays there."""
        return self._stopping @ self._stopped.solve(kept) if self._stopped and kept.any() else 0.0

    def solve(self, state: Bools, flag: Bools) -> Floats:
        """Share of each node that ends in some states, or stays with some companies as their flag."""
        kept = self._left * state
        return self._followed.solve(kept + self._after_stop(kept) + flag * self._carried)


def bounds(steps: Steps, state: Bools, flag: Bools) -> tuple[Floats, Floats]:
    """Least and largest share of each node that ends in some states, or stays with some companies as their flag."""
    if steps.takes_own.all() or not flag.any():  # nothing need be remembered
        stay = np.where(steps.state, state, flag & steps.keeps).astype(float)
        low, high = _system(steps, [steps.owner]).bounds(stay[:, None])
        return low[:, 0], high[:, 0]
    size = steps.size
    low, high = _system(steps, _targets(steps, flag)).bounds(_stay(steps, state)[:, None])
    under_own = np.where(flag, np.arange(size, 2 * size), np.arange(size))
    return low[under_own, 0], high[under_own, 0]


def _system(steps: Steps, targets: list[Ints]) -> System:
    """As many rows for each node as there are targets for each stake."""
    times = len(targets)
    counts = np.tile(np.bincount(steps.owned, minlength=steps.size), times)
    start = np.concatenate([[0], np.cumsum(counts)])
    return System(start, np.concatenate(targets), np.tile(steps.low, times), np.tile(steps.high, times))


def _targets(steps: Steps, flag: Bools) -> list[Ints]:
    """Rows 0 to n: the flag does not count; n to 2n: it does; the other 2n the same after a minority that stays."""
    stopped = [steps.owner + (2 + counts) * steps.size for counts in (0, 1)]
    along = [steps.owner + np.where(steps.takes_own, flag[steps.owner], counts) * steps.size for counts in (0, 1)]
    return [np.where(steps.followed, along[counts], stopped[counts]) for counts in (0, 1)] + stopped


def _stay(steps: Steps, state: Bools) -> Floats:
    """Whether what stays in each of these rows counts."""
    return np.concatenate([np.where(steps.state, state, counts & steps.keeps) for counts in (False, True)] * 2).astype(
        float
    )
