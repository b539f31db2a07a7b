"""Owners of everything on a day, solved once and then read: for what stands under more than can be walked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from layers.ownership.ancestors import Marks
from layers.ownership.bulk_shares import Exact, Steps, bounds, together
from layers.ownership.stake_graph import Bools, Floats, Ints, Kind
from layers.ownership.walk import (
    FULL,
    REACHES,
    TOLERANCE,
    CountryShare,
    Interval,
    Position,
    Register,
    largest_first,
    unattributed,
)


class Solved:
    """The answers of ``ownership.Walk`` from every asset and entity of a register.

    Exact shares take 9 bytes for each node, country and reach of which there is some. Where shares above are unknown,
    the bounds are solved for what stands above one asset when it is asked for, question by question.
    """

    def __init__(self, register: Register) -> None:
        self.register = register
        self._steps = Steps.of(register.graph, register.country, register.follow)
        self._shares = tuple(self._blocks())
        self._reasons = _Reasons(register, self._steps)

    def _blocks(self) -> Iterator[_Rows]:
        steps, shares = self._steps, Exact(self._steps)
        person = (steps.kind == Kind.PERSON)[:, None]
        countries = list(range(len(self.register.nodes.countries)))
        for some in together(len(countries)):
            own = steps.own(countries[some])
            nobody = np.zeros_like(own)
            parts = np.empty((steps.size, own.shape[1], len(REACHES)))
            parts[:, :, 0] = shares.solve(own & steps.state[:, None], nobody)
            parts[:, :, 1] = shares.solve(nobody, own & person)
            parts[:, :, 2] = shares.solve(nobody, own & ~person)
            yield _Rows(parts.reshape(steps.size, -1))

    def of(self, name: str) -> Standing:
        """The answers for one asset or entity.

        Raises
        ------
        UnknownRecord
            If there is none of that id.
        """
        return Standing(self, self.register.number(name))

    def exact(self, name: str) -> bool:
        """Whether all shares above are known; raises as ``of``."""
        return bool(self._steps.exact[self.register.number(name)])

    def shares(self, name: str) -> tuple[CountryShare, ...]:
        """Every country's share, largest first; raises as ``of``."""
        return self.of(name).shares()

    def parts(self, node: int) -> tuple[list[CountryShare], Interval]:
        """Every country's share of a node, and that of all countries together."""
        return self._exactly(node) if self._steps.exact[node] else self._bounded(node)

    def _exactly(self, node: int) -> tuple[list[CountryShare], Interval]:
        percent = 100 * np.concatenate([np.zeros(0), *(block.row(node) for block in self._shares)])
        by_country = percent.reshape(-1, len(REACHES)).tolist()
        rows, attributed = [], 0.0
        for country, parts in zip(self.register.nodes.countries, by_country, strict=True):
            total = sum(parts)
            attributed += total
            rows.append(_row(country, [Interval(share, share) for share in (total, *parts)]))
        return rows, Interval(attributed, attributed)

    def _bounded(self, node: int) -> tuple[list[CountryShare], Interval]:
        nodes = np.flatnonzero(self._steps.edges.above(node))
        steps, row = self._steps.within(nodes), int(np.searchsorted(nodes, node))
        person, nothing = steps.kind == Kind.PERSON, np.zeros(steps.size, bool)

        def asked(state: Bools, flag: Bools) -> Interval:
            low, high = bounds(steps, state & steps.state, flag)
            return Interval(100 * float(low[row]), 100 * float(high[row]))

        rows = []
        for country in np.unique(steps.country[steps.country >= 0]).tolist():
            own = steps.own([country])[:, 0]
            questions = [(own, own), (own, nothing), (nothing, own & person), (nothing, own & ~person)]
            rows.append(_row(self.register.nodes.countries[country], [asked(*question) for question in questions]))
        return rows, asked(steps.state, steps.named & (steps.country >= 0))

    def reasons(self, node: int) -> Iterator[str]:
        """Why a part of a node may be nobody's."""
        return self._reasons.above(node)

    def warnings(self, node: int) -> tuple[str, ...]:
        """Known stakes of more than 100 percent in a node or above it."""
        return self._reasons.warnings(node)


def _row(country: str, parts: list[Interval]) -> CountryShare:
    """A country's share from its part in all and by reach."""
    return CountryShare(country, parts[0], dict(zip(REACHES, parts[1:], strict=True)))


class Standing:
    """What was solved for one asset or entity; it answers as ``ownership.Walk`` does."""

    def __init__(self, solved: Solved, node: int) -> None:
        self._solved, self._node = solved, node

    @cached_property
    def _parts(self) -> tuple[list[CountryShare], Interval]:
        return self._solved.parts(self._node)

    def shares(self) -> tuple[CountryShare, ...]:
        """Every country's share, largest first."""
        return largest_first(self._parts[0])

    def unattributed(self) -> tuple[Interval, tuple[str, ...]]:
        """The part that no country is known for, and why."""
        return unattributed(self._parts[1], self._solved.reasons(self._node))

    def warnings(self) -> tuple[str, ...]:
        """Known stakes of more than 100 percent in what stands above."""
        return self._solved.warnings(self._node)


class _Rows:
    """A table of which most may be 0, of up to 255 columns, to be read by row."""

    def __init__(self, table: Floats) -> None:
        some = table != 0
        self._width = table.shape[1]
        self._start = np.concatenate([[0], np.cumsum(some.sum(axis=1))])
        self._value = table[some]
        self._column = np.broadcast_to(np.arange(self._width, dtype=np.uint8), table.shape)[some]

    def row(self, number: int) -> Floats:
        row, filled = np.zeros(self._width), slice(self._start[number], self._start[number + 1])
        row[self._column[filled]] = self._value[filled]
        return row


class _Reasons:
    """Why shares are nobody's, and where they are more than the whole, for what stands above each node.

    A flag gives its reason if something may stay under it; which flags a walk can take depends on its followed steps
    alone. What may stay with an asset, and sums of more than 100 percent, are met on any steps.
    """

    def __init__(self, register: Register, steps: Steps) -> None:
        self._register, graph = register, register.graph
        self._open = np.bincount(steps.owned, steps.low, steps.size) < FULL
        self._asset = (steps.kind == Kind.ASSET) & self._open
        over = np.bincount(graph.owned, graph.low, steps.size) > 1 + TOLERANCE - 1e-9
        marked = np.flatnonzero(self._asset | over)
        self._marks = Marks(steps.edges, marked, marked)
        self._nobody = self._without_country(steps)
        taken = steps.takes_own & self._nobody[steps.owner]
        self._flags = Marks(steps.some(steps.followed), steps.owned[taken], steps.owner[taken])

    def _without_country(self, steps: Steps) -> Bools:
        """Flags of no known holder or country under which something may stay."""
        stays = self._open & steps.keeps
        stops = ~steps.followed & steps.edges.reaching(stays)[steps.owner]
        stays[steps.owned[stops]] = True
        unknown: Bools = steps.keeps & ((steps.kind == Kind.UNKNOWN) | (steps.country < 0))
        return unknown & steps.some(steps.followed & ~steps.takes_own).reaching(stays)

    def above(self, node: int) -> Iterator[str]:
        found: list[Ints] = [self._flags.above(node), self._marks.above(node)]
        flags = [*found[0].tolist(), *([node] if self._nobody[node] else [])]
        assets = [mark for mark in found[1].tolist() if self._asset[mark]]
        for flag in flags + assets[:1]:  # of any asset the reason is the same
            reason = self._register.end(Position(flag, flag)).reason
            if reason:
                yield reason

    def warnings(self, node: int) -> tuple[str, ...]:
        return self._register.warnings(self._marks.above(node).tolist())
