"""The paths that make up an answer: from what was struck, holder by holder, to where each share ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from layers.ownership import Holding, Interval, Outcome, Position, Register

#: Chains below this many percent, and chains beyond this number, are summed up in the rest.
SMALLEST = 0.005
MOST = 400


@dataclass(frozen=True, slots=True)
class Chain:
    """One path upward and the share, in percent, that ends at its top."""

    steps: tuple[Holding, ...]
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
    first = Position(start, None if register.entity(start) is None else start)
    found = sorted(_paths(register, first, (), 1.0, 1.0), key=lambda c: (-c.share.high, -c.share.low, _key(c)))
    told = tuple(found[:MOST])
    low, high = sum(c.share.low for c in told), sum(c.share.high for c in told)
    exact = abs(high - low) < 1e-9
    left = max(0.0, 100 - low)
    if left < 1e-6:
        left = 0.0
    return Chains(told, Interval(left if exact else 0.0, left))


def _paths(
    register: Register, position: Position, steps: tuple[Holding, ...], low: float, high: float
) -> Iterator[Chain]:
    holdings = () if register.is_end(position.node) else register.holdings(position.node)
    rest = register.remainder(position.node) if holdings else Interval(1.0, 1.0)
    kept = Interval(100 * low * rest.low, 100 * high * rest.high)
    if kept.high >= SMALLEST:
        yield Chain(steps, kept, register.end(position))
    met = {step.stake.owned for step in steps} | {position.node}
    for holding in holdings:
        if holding.stake.owner not in met and 100 * high * holding.high >= SMALLEST:
            target = register.step(position, holding)
            yield from _paths(register, target, (*steps, holding), low * holding.low, high * holding.high)


def _key(chain: Chain) -> tuple[str, ...]:
    return tuple(step.stake.id for step in chain.steps)
