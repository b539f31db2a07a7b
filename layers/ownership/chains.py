"""The paths that make up an answer: from what was struck, holder by holder, to where each share ends."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from heapq import heappop, heappush
from itertools import count, islice
from typing import NamedTuple

import numpy as np

from layers.model.records import Stake
from layers.ownership.stake_graph import Kind
from layers.ownership.walk import Holding, Interval, Outcome, Position, Register

#: Chains below this many percent, and chains beyond this number, are summed up in the rest.
SMALLEST = 0.005
MOST = 50
#: A path that can give less than this many percent is not grown; below the smallest, as it is reckoned otherwise.
_HOPED = SMALLEST * (1 - 1e-6)
#: Rounds after which hope is as good as it is; each brings it nearer from above.
_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Step:
    """A stake on a path, with the share in percent that it counts with on the day."""

    stake: Stake
    share: Interval


@dataclass(frozen=True, slots=True)
class Chain:
    """One path upward and the share, in percent, that ends at its top."""

    steps: tuple[Step, ...]
    share: Interval
    end: Outcome


@dataclass(frozen=True, slots=True)
class Chains:
    """The largest paths, and what all others add up to at most."""

    paths: tuple[Chain, ...]
    rest: Interval


def chains(register: Register, start: str, hope: Hope | None = None) -> Chains:
    """Every simple path from an asset or entity upward, largest first.

    A path that would meet a company again is cut there: what circles in a loop is part of the rest, as are
    paths of less than 0.005 percent and all beyond the largest 50. Shares of a path are products of its steps, so
    with unknown shares they are bounds of each path alone and need not add up.

    Paths are grown from the one that may still give most. ``hope`` says what that is and saves time where many paths
    lead upward; the result is the same without.

    Raises
    ------
    UnknownRecord
        If there is no asset or entity of that id.
    """
    found = sorted(islice(_largest(register, start, hope), MOST), key=lambda c: (-c.share.high, -c.share.low, _key(c)))
    low, high = sum(c.share.low for c in found), sum(c.share.high for c in found)
    left = max(0.0, 100 - low)
    if left < 1e-6:
        left = 0.0
    return Chains(tuple(found), Interval(left if abs(high - low) < 1e-9 else 0.0, left))


class _Path(NamedTuple):
    """A path upward: where it is, the holdings it took, and what of the asset goes along it, fractions of 1."""

    position: Position
    taken: tuple[Holding, ...]
    low: float
    high: float


def _largest(register: Register, start: str, hope: Hope | None) -> Iterator[Chain]:
    """Chains in the order of their largest share.

    The heap holds paths that may go on, at the most that a chain of theirs can give, and what is kept where one ends.
    """
    order = count()  # of what is equal the first found is first
    step, held = cache(partial(_step, register)), cache(partial(_held, register))  # of many paths, but of few holders
    heap: list[tuple[float, int, _Path, Interval | None]] = []
    heappush(heap, (-100.0, next(order), _Path(register.start(start), (), 1.0, 1.0), None))
    while heap:
        _, _, path, ends = heappop(heap)
        if ends is not None:
            yield Chain(tuple([step(holding) for holding in path.taken]), ends, register.end(path.position))
            continue
        holdings, least, most = held(path.position.node)
        kept = Interval(100 * path.low * least, 100 * path.high * most)
        if kept.high >= SMALLEST:
            heappush(heap, (-kept.high, next(order), path, kept))
        met = {holding.owned for holding in path.taken} | {path.position.node}
        for holding in holdings:
            hoped = 100 * path.high * holding.high * (hope.most[holding.owner] if hope else 1.0)
            if hoped >= _HOPED and holding.owner not in met:
                heappush(heap, (-hoped, next(order), _grown(register, path, holding), None))


def _held(register: Register, node: int) -> tuple[tuple[Holding, ...], float, float]:
    """Holdings in a node, and what they leave at least and at most."""
    holdings = register.holdings(node)
    least, most = sum(holding.low for holding in holdings), sum(holding.high for holding in holdings)
    return holdings, max(0.0, 1 - most), max(0.0, 1 - least)


def _grown(register: Register, path: _Path, holding: Holding) -> _Path:
    position = register.step(path.position, holding)
    return _Path(position, (*path.taken, holding), path.low * holding.low, path.high * holding.high)


class Hope:
    """The most that one chain from each node can tell: ``most``, fractions of what comes there, never too little."""

    def __init__(self, register: Register) -> None:
        graph, kind, size = register.graph, register.nodes.kind, len(register.nodes)
        goes_on = ~graph.floating & (kind[graph.owned] != Kind.STATE)
        stays = np.maximum(0.0, 1 - np.bincount(graph.owned, np.where(goes_on, graph.low, 0.0), size))
        held = np.flatnonzero(np.diff(graph.start))
        most = np.ones(size)
        for _ in range(_ROUNDS):
            new = stays.copy()
            new[held] = np.maximum(stays[held], np.maximum.reduceat(graph.high * most[graph.owner], graph.start[held]))
            settled = np.abs(new - most).max(initial=0.0) < 1e-9
            most = new
            if settled:
                break
        self.most = array("d", np.minimum(most, 1.0))


def _step(register: Register, holding: Holding) -> Step:
    return Step(register.stake(holding), Interval(100 * holding.low, 100 * holding.high))


def _key(chain: Chain) -> tuple[str, ...]:
    return tuple(step.stake.id for step in chain.steps)
