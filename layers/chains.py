"""The paths that make up an answer: from what was struck, holder by holder, to where each share ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layers.ownership import Holding, Interval, Outcome, Position, Register
from layers.schema import Stake

#: Chains below this many percent, and chains beyond this number, are summed up in the rest.
SMALLEST = 0.005
MOST = 400


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


def chains(register: Register, start: str) -> Chains:
    """Every simple path from an asset or entity upward, largest first.

    A path that would meet a company again is cut there: what circles in a loop is part of the rest, as are
    paths of less than 0.005 percent. Shares of a path are products of its steps, so with unknown shares
    they are bounds of each path alone and need not add up.
    """
    first = register.start(start)
    found = sorted(_paths(register, first, (), 1.0, 1.0), key=lambda c: (-c.share.high, -c.share.low, _key(c)))
    told = tuple(found[:MOST])
    low, high = sum(c.share.low for c in told), sum(c.share.high for c in told)
    left = max(0.0, 100 - low)
    if left < 1e-6:
        left = 0.0
    return Chains(told, Interval(left if abs(high - low) < 1e-9 else 0.0, left))


def _paths(
    register: Register, position: Position, taken: tuple[Holding, ...], low: float, high: float
) -> Iterator[Chain]:
    holdings = register.holdings(position.node)
    least, most = sum(holding.low for holding in holdings), sum(holding.high for holding in holdings)
    kept = Interval(100 * low * max(0.0, 1 - most), 100 * high * max(0.0, 1 - least))
    if kept.high >= SMALLEST:
        yield Chain(tuple(_step(register, holding) for holding in taken), kept, register.end(position))
    met = {holding.owned for holding in taken} | {position.node}
    for holding in holdings:
        if holding.owner not in met and 100 * high * holding.high >= SMALLEST:
            target = register.step(position, holding)
            yield from _paths(register, target, (*taken, holding), low * holding.low, high * holding.high)


def _step(register: Register, holding: Holding) -> Step:
    return Step(register.stake(holding), Interval(100 * holding.low, 100 * holding.high))


def _key(chain: Chain) -> tuple[str, ...]:
    return tuple(step.stake.id for step in chain.steps)
