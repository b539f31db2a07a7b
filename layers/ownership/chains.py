"""Paths of ownership: the largest chains from an asset up to the ends of its shares, and the holdings of an entity."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from heapq import heappop, heappush
from itertools import count, islice
from typing import NamedTuple

import numpy as np

from geo.lonlat import Bools, Floats, Ints
from layers.model.records import Stake
from layers.ownership.stake_graph import NodeKind
from layers.ownership.walk import NEGLIGIBLE, Interval, OwnershipGraph, StakeEdge, Terminal, WalkState

#: Chains below this many percent, and chains beyond this number, are part of the rest.
MIN_CHAIN_PERCENT = 0.005
MAX_CHAINS = 50
#: A path that can give less than this many percent is not extended; just below the smallest chain, for rounding.
_MIN_PATH_PERCENT = MIN_CHAIN_PERCENT * (1 - 1e-6)
#: Limit of the rounds of the upper bound; each round lowers it towards the true maximum.
_MAX_BOUND_ROUNDS = 60
#: Change below which the power series of holdings has converged, and limit of its terms.
_CONVERGED = 1e-13
_MAX_ROUNDS = 10_000


@dataclass(frozen=True, slots=True)
class ChainStep:
    """A stake on a path, with the share in percent that it counts with on the day."""

    stake: Stake
    share: Interval


@dataclass(frozen=True, slots=True)
class Chain:
    """One path upward and the share, in percent, that ends at its top."""

    steps: tuple[ChainStep, ...]
    share: Interval
    end: Terminal


@dataclass(frozen=True, slots=True)
class Chains:
    """The largest paths, and bounds of the share of all paths that are left out: 0 where none is."""

    paths: tuple[Chain, ...]
    rest: Interval


def chains(ownership: OwnershipGraph, start: str, upper_bound: UpperBound | None = None) -> Chains:
    """Find the simple paths from an asset or entity upward, largest first.

    A path that would meet a company again is cut there: what circles in a loop is part of the rest, as are
    paths of less than 0.005 percent and all beyond the largest 50. Shares of a path are products of its steps, so
    with unknown shares they are bounds of each path alone and need not add up.

    Parameters
    ----------
    ownership
        The stakes of the days.
    start
        Id of an asset or entity.
    upper_bound
        The most that one path above each node can give: saves time (best-first search) where many paths lead
        upward. The result is the same without.

    Raises
    ------
    UnknownRecord
        If there is no asset or entity of that id.
    """
    search = _Search(ownership, start, upper_bound)
    found = search.chains()
    paths = sorted(islice(found, MAX_CHAINS), key=lambda chain: (-chain.share.high, -chain.share.low, _key(chain)))
    is_cut = next(found, None) is not None or search.has_left_out
    low, high = sum(chain.share.low for chain in paths), sum(chain.share.high for chain in paths)
    left = max(0.0, 100 - low)
    # With unknown shares the least ones of all paths add up to less than the whole, though none is left out.
    if left < 1e-6 or not is_cut:
        left = 0.0
    return Chains(tuple(paths), Interval(left if abs(high - low) < 1e-9 else 0.0, left))


class _Path(NamedTuple):
    """A path upward: its top, the stakes on it, and the share of the asset that goes along it, fractions of 1.

    The top has several positions where it is open whether a stake on the path is followed.
    """

    positions: tuple[WalkState, ...]
    taken: tuple[StakeEdge, ...]
    low: float
    high: float


class _End(NamedTuple):
    """The share in percent that ends at the top of a path, and where it ends."""

    share: Interval
    end: Terminal


class _Search:
    """The search for the chains from an asset or entity, in the order of their largest share.

    The heap holds paths that may go on, by the most that a chain of theirs can give, and the shares that end at a path.
    ``has_left_out`` is whether a share was met that no chain has: too small, or in a circle.
    """

    def __init__(self, ownership: OwnershipGraph, start: str, upper_bound: UpperBound | None) -> None:
        self._ownership, self._start, self._upper_bound = ownership, start, upper_bound
        self.has_left_out = False

    def chains(self) -> Iterator[Chain]:
        """Yield the chains."""
        ownership = self._ownership
        order = count()  # of equal shares the first found is first
        # Many paths, few holders.
        step, stakes_in = cache(partial(_step, ownership)), cache(partial(_stakes_in, ownership))
        heap: list[tuple[float, int, _Path, _End | None]] = []
        heappush(heap, (-100.0, next(order), _Path((ownership.start(self._start),), (), 1.0, 1.0), None))
        while heap:
            _, _, path, end = heappop(heap)
            if end is not None:
                steps = [step(holding) for holding in ownership.recorded(path.taken)]
                yield Chain(tuple(steps), *end)
                continue
            node = path.positions[0].node
            holdings, left_low, left_high = stakes_in(node, all(position.stopped for position in path.positions))
            retained = Interval(100 * path.low * left_low, 100 * path.high * left_high)
            if retained.high >= MIN_CHAIN_PERCENT:
                for end in _ends(ownership, path, retained):
                    heappush(heap, (-retained.high, next(order), path, end))
            else:
                self._leave_out(retained.high)
            met = {holding.owned for holding in path.taken} | {node}
            for holding in holdings:
                limit = self._limit(path, holding)
                if limit >= _MIN_PATH_PERCENT and holding.owner not in met:
                    heappush(heap, (-limit, next(order), _extended(ownership, path, holding), None))
                else:
                    self._leave_out(100 * path.high * holding.high)

    def _limit(self, path: _Path, holding: StakeEdge) -> float:
        """Return the most, in percent, that a chain can give which goes on over a stake."""
        most = 100 * path.high * holding.high
        return most * self._upper_bound.fraction[holding.owner] if self._upper_bound else most

    def _leave_out(self, percent: float) -> None:
        self.has_left_out |= percent > NEGLIGIBLE


def _stakes_in(ownership: OwnershipGraph, node: int, stopped: bool) -> tuple[tuple[StakeEdge, ...], float, float]:
    """Return the stakes in a node, and bounds of the fraction that they leave.

    Once a share is no longer followed, nationalities say nothing of it.
    """
    holdings = ownership.holdings(node)
    if stopped:
        holdings = tuple(ownership.recorded(holdings))
    low, high = sum(holding.low for holding in holdings), sum(holding.high for holding in holdings)
    return holdings, max(0.0, 1 - high), max(0.0, 1 - low)


def _extended(ownership: OwnershipGraph, path: _Path, holding: StakeEdge) -> _Path:
    positions = dict.fromkeys(step for position in path.positions for step in ownership.steps(position, holding))
    return _Path(tuple(positions), (*path.taken, holding), path.low * holding.low, path.high * holding.high)


def _ends(ownership: OwnershipGraph, path: _Path, retained: Interval) -> Iterator[_End]:
    """Yield where a share that ends at the top of a path may end, of several countries or reaches none surely.

    With holders of one country and reach it ends with the topmost.
    """
    ends = {(end.country, end.reach): end for end in map(ownership.end, path.positions)}
    for end in ends.values():
        yield _End(retained if len(ends) == 1 else Interval(0.0, retained.high), end)


class UpperBound:
    """The largest share that a single path above each node can give; an upper bound, never too small.

    Attributes
    ----------
    fraction
        Fraction of what arrives at each node, shape (nodes,), by fixed-point iteration from 1.
    """

    def __init__(self, ownership: OwnershipGraph) -> None:
        graph, kind, size = ownership.graph, ownership.nodes.kind, len(ownership.nodes)
        goes_on = ~graph.floating & (kind[graph.owned] != NodeKind.STATE)
        retained = np.maximum(0.0, 1 - np.bincount(graph.owned, np.where(goes_on, graph.low, 0.0), size))
        held = np.flatnonzero(np.diff(graph.start))
        fraction = np.ones(size)
        for _ in range(_MAX_BOUND_ROUNDS):
            new = retained.copy()
            best = np.maximum.reduceat(graph.high * fraction[graph.owner], graph.start[held])
            new[held] = np.maximum(retained[held], best)
            settled = np.abs(new - fraction).max(initial=0.0) < 1e-9
            fraction = new
            if settled:
                break
        self.fraction = array("d", np.minimum(fraction, 1.0))


def _step(ownership: OwnershipGraph, holding: StakeEdge) -> ChainStep:
    return ChainStep(ownership.stake(holding), Interval(100 * holding.low, 100 * holding.high))


def _key(chain: Chain) -> tuple[str, ...]:
    return tuple(step.stake.id for step in chain.steps)


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset or entity (``id``) that an entity has a share of, in percent: the direct stake, and the total."""

    id: str
    direct: Interval
    effective: Interval


def holdings_of(ownership: OwnershipGraph, entity: str) -> tuple[Holding, ...]:
    """Return everything that an entity has a share of, largest first.

    The effective share is the sum over all paths down to it, loops included; with unknown shares its bounds are
    outer bounds (least shares give the lower one, largest shares, cut at 100, the upper).

    Parameters
    ----------
    ownership
        The stakes of the days.
    entity
        Id of an asset or entity.

    Raises
    ------
    UnknownRecord
        If there is no such asset or entity.
    """
    graph, ids = ownership.graph, ownership.nodes.ids
    top = ownership.number(entity)
    reached = descendants(graph.owned, graph.owner, top, len(ids))
    edges = np.flatnonzero(reached[graph.owner])
    owned, owner = graph.owned[edges], graph.owner[edges]
    low = _effective(owned, owner, graph.low[edges], top, len(ids))
    high = np.minimum(_effective(owned, owner, graph.high[edges], top, len(ids)), 1.0)
    rows = []
    for node in np.flatnonzero(reached):
        if node != top and high[node] > 0:
            direct = [edge for edge in graph.edges(int(node)) if graph.owner[edge] == top]
            direct_low, direct_high = (float(100 * share[direct].sum()) for share in (graph.low, graph.high))
            effective = Interval(100 * float(low[node]), 100 * float(high[node]))
            rows.append(Holding(ids[int(node)], Interval(direct_low, direct_high), effective))
    return tuple(sorted(rows, key=lambda row: (-row.effective.high, -row.effective.low, row.id)))


def descendants(owned: Ints, owner: Ints, top: int, size: int) -> Bools:
    """Mark ``top`` and all nodes that have it among their ancestors, shape (size,)."""
    reached = np.zeros(size, bool)
    reached[top] = True
    while True:
        new = owned[reached[owner] & ~reached[owned]]
        if not len(new):
            return reached
        reached[new] = True


def _effective(owned: Ints, owner: Ints, share: Floats, top: int, size: int) -> Floats:
    """Return the fraction of each node that ``top`` has over all paths: a power series, each sum cut at 1."""
    value = np.zeros(size)
    value[top] = 1.0
    for _ in range(_MAX_ROUNDS):
        new = np.minimum(np.bincount(owned, share * value[owner], size), 1.0)
        new[top] = 1.0
        if np.abs(new - value).max() < _CONVERGED:
            return new
        value = new
    return value
