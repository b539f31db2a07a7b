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

from layers.absorption import Ordered, System, reaching, remainder
from layers.ownership import REACHES, CountryShare, Interval, Minority, Register, Walk, largest_first
from layers.stake_table import Bools, Floats, Ints, Kind, StakeGraph

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
    steps = _Steps(graph, country, minority == "follow")
    low = np.empty((steps.size, len(asked)))
    if steps.exact.all():
        shares = _Exact(steps)
        for some in _together(len(asked)):
            own = steps.own(asked[some])
            low[:, some] = shares.solve(own & steps.state[:, None], own)
        return Rollup(low, low)
    high = np.empty_like(low)
    for column, number in enumerate(asked):
        low[:, column], high[:, column] = _bounds(steps, steps.own([number])[:, 0])
    return Rollup(low, high)


class Solved:
    """Every country's share of every asset and entity of a register: solved once, then read for whom it is asked.

    Takes 24 bytes for each node and country. Nodes with unknown shares above them are walked when they are asked for.
    """

    def __init__(self, register: Register) -> None:
        self._register = register
        steps = _Steps(register.graph, register.country, register.follow)
        shares, person = _Exact(steps), (register.nodes.kind == Kind.PERSON)[:, None]
        countries = len(register.nodes.countries)
        self._exact = steps.exact
        self._shares = np.empty((steps.size, countries, len(REACHES)))
        for some in _together(countries):
            own = steps.own(list(range(countries))[some])
            nobody = np.zeros_like(own)
            self._shares[:, some, 0] = shares.solve(own & steps.state[:, None], nobody)
            self._shares[:, some, 1] = shares.solve(nobody, own & person)
            self._shares[:, some, 2] = shares.solve(nobody, own & ~person)

    def shares(self, name: str) -> tuple[CountryShare, ...]:
        """Every country's share, largest first, as ``Walk.shares`` tells them.

        Raises
        ------
        UnknownRecord
            If there is no asset or entity of that id.
        """
        node = self._register.number(name)
        if not self._exact[node]:
            return Walk(self._register, name).shares()
        percent = 100 * self._shares[node]
        return largest_first(
            CountryShare(country, _exactly(sum(parts)), dict(zip(REACHES, map(_exactly, parts), strict=True)))
            for country, parts in zip(self._register.nodes.countries, percent.tolist(), strict=True)
        )


def _exactly(share: float) -> Interval:
    return Interval(share, share)


def _together(countries: int) -> Iterator[slice]:
    return (slice(first, first + _TOGETHER) for first in range(0, countries, _TOGETHER))


class _Steps:
    """How the walk goes on from each node, whatever country is asked for."""

    def __init__(self, graph: StakeGraph, country: NDArray[np.int16], follow: bool) -> None:
        nodes = graph.table.nodes
        self.country, self.size = country, len(nodes)
        self.named = ~np.isin(nodes.kind, (Kind.ASSET, Kind.UNKNOWN))
        self.state = np.isin(nodes.kind, (Kind.STATE, Kind.STATE_BODY)) & (country >= 0)
        #: Where what goes no further stays with the flag company.
        self.keeps = ~self.state & (nodes.kind != Kind.ASSET)
        counts = ~graph.floating & (nodes.kind[graph.owned] != Kind.STATE)
        self.owned, self.owner = graph.owned[counts], graph.owner[counts]
        self.low, self.high = graph.low[counts], graph.high[counts]
        joint = nodes.joint[self.owned]
        self.followed = joint | follow | (self.low > 0.5)
        known = (country >= 0) | (nodes.kind == Kind.UNKNOWN)
        self.takes_own = self.followed & (joint | known[self.owner])  # the holder's own flag

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

    def matrix(self, some: Bools, shares: Floats) -> csr_array:
        """Some stakes as shares of owners (columns) in what they own."""
        start = np.concatenate([[0], np.cumsum(np.bincount(self.owned[some], minlength=self.size))])
        matrix = csr_array((shares[some], self.owner[some], start), shape=(self.size, self.size))
        matrix.sum_duplicates()  # graph algorithms need it
        return matrix


class _Exact:
    """Shares where all are known; they are linear in what counts, so one matrix serves all countries.

    What a walk from a node carries on from there under its flag is the same for all flags (``_carried``); all other
    that a country gets comes from states, or from flags that the walk takes on its way.
    """

    def __init__(self, steps: _Steps) -> None:
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


def _bounds(steps: _Steps, own: Bools) -> tuple[Floats, Floats]:
    """Bounds for one country."""
    if steps.takes_own.all():  # nothing need be remembered
        low, high = _system(steps, [steps.owner]).bounds(own[:, None].astype(float))
        return low[:, 0], high[:, 0]
    size = steps.size
    low, high = _system(steps, _targets(steps, own)).bounds(_stay(steps, own)[:, None])
    under_own = np.where(own, np.arange(size, 2 * size), np.arange(size))
    return low[under_own, 0], high[under_own, 0]


def _system(steps: _Steps, targets: list[Ints]) -> System:
    """As many rows for each node as there are targets for each stake."""
    times = len(targets)
    counts = np.tile(np.bincount(steps.owned, minlength=steps.size), times)
    start = np.concatenate([[0], np.cumsum(counts)])
    return System(start, np.concatenate(targets), np.tile(steps.low, times), np.tile(steps.high, times))


def _targets(steps: _Steps, own: Bools) -> list[Ints]:
    """Rows 0 to n: the flag does not count; n to 2n: it does; the other 2n the same after a minority that stays."""
    stopped = [steps.owner + (2 + flag) * steps.size for flag in (0, 1)]
    along = [steps.owner + np.where(steps.takes_own, own[steps.owner], flag) * steps.size for flag in (0, 1)]
    return [np.where(steps.followed, along[flag], stopped[flag]) for flag in (0, 1)] + stopped


def _stay(steps: _Steps, own: Bools) -> Floats:
    """Whether what stays in each of these rows counts."""
    return np.concatenate([np.where(steps.state, own, flag & steps.keeps) for flag in (False, True)] * 2).astype(float)
