"""Who owns an asset on a day: dated stakes walked up to states, holders and companies, as intervals.

The owners of an asset are a random walk upward: from an asset or company to each holder with the probability of
its share, and to nobody (the company keeps it) with the remainder. Where the walk ends says whose the share is.
Its expectation is the sum over all paths, loops included, that is (I - A)^-1 on the ancestor subgraph
(Brioschi, Buzzacchi and Colombo 1989; Vitali, Glattfelder and Battiston 2011, doi 10.1371/journal.pone.0025995).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from math import inf
from typing import Literal, NamedTuple

import numpy as np

from layers.model.problems import UnknownRecord
from layers.model.records import Records, Stake
from layers.ownership.absorbing_chain import System
from layers.ownership.stake_graph import Kind, StakeTable

Basis = Literal["registration", "headquarters"]
Minority = Literal["stay", "follow"]
Reach = Literal["state", "holder", "company"]
REACHES: tuple[Reach, ...] = ("state", "holder", "company")

#: Known stakes may add up to this much over 100 by rounding alone.
TOLERANCE = 0.005
#: Least shares of so much leave nothing that may stay.
FULL = 1 - 1e-9
#: A country or remainder below this many percent is not told.
_NOTHING = 5e-7
#: As plain numbers, which compare ten times as fast with those of numpy; a walk asks at every step.
_ASSET, _PERSON, _UNKNOWN, _STATE, _BODY = map(
    int, (Kind.ASSET, Kind.PERSON, Kind.UNKNOWN, Kind.STATE, Kind.STATE_BODY)
)


class TooLarge(ValueError):
    """A walk meets more positions than it was allowed."""


class Holding(NamedTuple):
    """A stake as it counts on a day: fractions of 1, from 0 where it is unverified or may not have held."""

    edge: int
    owned: int
    owner: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a share ends: a country and how far it reaches, or, with no country, why not.

    ``entity`` is whose country it is: the state, the person, or the company that the share stays with.
    """

    country: str | None
    reach: Reach | None
    reason: str | None = None
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A share in percent, at least and at most."""

    low: float
    high: float

    def rounded(self) -> tuple[float, float]:
        """Both ends to 4 decimals, which no source exceeds."""
        return round(self.low, 4) + 0.0, round(self.high, 4) + 0.0


@dataclass(frozen=True, slots=True)
class CountryShare:
    """What one country's owners hold of an asset, in all and by how far it reaches."""

    country: str
    share: Interval
    reaches: Mapping[Reach, Interval]


def largest_first(shares: Iterable[CountryShare]) -> tuple[CountryShare, ...]:
    """Shares of countries in the order in which they are told, without those that are nothing."""
    some = [row for row in shares if row.share.high > _NOTHING]
    return tuple(sorted(some, key=lambda row: (-row.share.high, -row.share.low, row.country)))


def unattributed(attributed: Interval, reasons: Iterable[str]) -> tuple[Interval, tuple[str, ...]]:
    """What the share of all countries leaves, and why: the reasons in their order, or that it circles."""
    part = Interval(max(0.0, 100 - attributed.high), max(0.0, 100 - attributed.low))
    if part.high <= _NOTHING:
        return Interval(0.0, 0.0), ()
    return part, tuple(sorted(set(reasons))) or ("closed loop without an outside owner",)


class Position(NamedTuple):
    """A step of the walk: where it is, and the company with which a share stays that goes no further.

    ``flag`` is -1 at an asset. ``stopped`` says that a minority was met that stays: from here on only a state
    takes the share from its company.
    """

    node: int
    flag: int
    stopped: bool = False


class Register:
    """The stakes that held on some days, ready to be walked.

    Parameters
    ----------
    known
        All stakes, or the records to compile them from.
    first, last
        First and last day, inclusive, on which owners are asked for; ``None`` is open.
    basis
        Whether a country is that of registration or of the head office; registration where no seat is known.
    minority
        ``stay``: from a company that is not joint, a share goes on to the country of a holder only if that
        holder has more than half, or if the chain reaches a state; other minorities stay with the company.
        ``follow``: every known holder is followed.
    """

    def __init__(
        self,
        known: StakeTable | Records,
        first: date | None,
        last: date | None,
        basis: Basis = "registration",
        minority: Minority = "stay",
    ) -> None:
        table = known if isinstance(known, StakeTable) else StakeTable.of(known)
        self.nodes = table.nodes
        self.graph = table.on(first, last)
        self.follow = minority == "follow"
        self.country = table.nodes.seat if basis == "headquarters" else table.nodes.registered

    def number(self, name: str) -> int:
        """Number of an asset or entity.

        Raises
        ------
        UnknownRecord
            If there is none of that id.
        """
        number = self.nodes.index.get(name)
        if number is None:
            raise UnknownRecord(f"no asset or entity {name!r}")
        return number

    def start(self, name: str) -> Position:
        """Where a walk from an asset or entity begins.

        Raises
        ------
        UnknownRecord
            If there is none of that id.
        """
        node = self.number(name)
        return Position(node, -1 if self.nodes.kind[node] == _ASSET else node)

    def holdings(self, node: int) -> tuple[Holding, ...]:
        """Stakes in an asset or entity, largest first. The free float is no holder, and a state has none."""
        if self.nodes.kind[node] == _STATE:
            return ()
        graph = self.graph
        return tuple(
            Holding(edge, node, int(graph.owner[edge]), float(graph.low[edge]), float(graph.high[edge]))
            for edge in graph.edges(node)
            if not graph.floating[edge]
        )

    def stake(self, holding: Holding) -> Stake:
        """The record of a holding."""
        return self.graph.stakes[int(self.graph.row[holding.edge])]

    def step(self, position: Position, holding: Holding) -> Position:
        """Where the walk is after it went up to one holder."""
        owner = holding.owner
        joint = bool(self.nodes.joint[position.node])
        followed = joint or self.follow or holding.low > 0.5
        if position.stopped or not followed:
            return Position(owner, position.flag, stopped=True)
        known = self.country[owner] >= 0 or self.nodes.kind[owner] == _UNKNOWN
        return Position(owner, owner if joint or known else position.flag)

    def end(self, position: Position) -> Outcome:
        """Whose a share is that goes no further than here."""
        nodes, node = self.nodes, position.node
        if nodes.kind[node] == _ASSET:
            return Outcome(None, None, "no owner known")
        if nodes.kind[node] in (_STATE, _BODY) and self.country[node] >= 0:
            return Outcome(nodes.countries[self.country[node]], "state", entity=nodes.ids[node])
        flag = position.flag if position.flag >= 0 else node
        if nodes.kind[flag] == _UNKNOWN:
            return Outcome(None, None, f"{nodes.names[flag]}: holder not known")
        if self.country[flag] < 0:
            return Outcome(None, None, f"{nodes.names[flag]}: country not known")
        reach: Reach = "holder" if nodes.kind[flag] == _PERSON else "company"
        return Outcome(nodes.countries[self.country[flag]], reach, entity=nodes.ids[flag])

    def warnings(self, nodes: Iterable[int]) -> tuple[str, ...]:
        """Say which of the nodes have known stakes of more than 100 percent; they are never rescaled."""
        texts = []
        for node in sorted(set(nodes)):
            total = sum(self.graph.low[edge] for edge in self.graph.edges(node))
            if total > 1 + TOLERANCE:
                texts.append(f"known stakes in {self.nodes.ids[node]} sum to {100 * total:.2f} %")
        return tuple(texts)


class Walk:
    """All positions that a walk from one asset or entity can reach, and the shares that follow.

    Raises ``UnknownRecord`` if there is no such asset or entity, and ``TooLarge`` above ``most`` positions.

    Bounds are exact for each question taken alone: the least (or largest) part of a country that any choice of
    the unknown shares gives (see ``absorption``). A closed loop without an outside owner ends nowhere and is
    unattributed. Where a company is met under two flags, its shares may be chosen apart: then they are outer bounds.
    """

    def __init__(self, register: Register, start: str, most: float = inf) -> None:
        self.register = register
        self.start = register.start(start)
        self._edges = self._explore(most)
        self._order = list(self._edges)
        self._index = {position: index for index, position in enumerate(self._order)}

    def _explore(self, most: float) -> dict[Position, list[tuple[Holding, Position]]]:
        edges: dict[Position, list[tuple[Holding, Position]]] = {}
        todo = [self.start]
        while todo:
            position = todo.pop()
            if position not in edges:
                if len(edges) >= most:
                    raise TooLarge(f"more than {most} positions above {self.register.nodes.ids[self.start.node]!r}")
                held = self.register.holdings(position.node)
                edges[position] = [(holding, self.register.step(position, holding)) for holding in held]
                todo.extend(target for _, target in edges[position])
        return edges

    @property
    def nodes(self) -> frozenset[int]:
        """Numbers of everything the walk can meet."""
        return frozenset(position.node for position in self._order)

    @cached_property
    def ends(self) -> dict[Position, Outcome]:
        """Where a share ends that stays at each position."""
        return {position: self.register.end(position) for position in self._order}

    def shares(self) -> tuple[CountryShare, ...]:
        """Every country's share, largest first."""
        rows = []
        for country, first in self._columns.items():
            total, *parts = self._bounds[first : first + 1 + len(REACHES)]
            rows.append(CountryShare(country, total, dict(zip(REACHES, parts, strict=True))))
        return largest_first(rows)

    def unattributed(self) -> tuple[Interval, tuple[str, ...]]:
        """The part that no country is known for, and why."""
        reasons = (end.reason for position, end in self.ends.items() if end.reason and self._may_stay(position))
        return unattributed(self._bounds[-1], reasons)

    def warnings(self) -> tuple[str, ...]:
        """Known stakes of more than 100 percent in what the walk meets."""
        return self.register.warnings(self.nodes)

    def _may_stay(self, position: Position) -> bool:
        return sum(holding.low for holding, _ in self._edges[position]) < FULL

    @cached_property
    def _columns(self) -> dict[str, int]:
        """The countries met, each with the first of its questions: its share in all, then each reach."""
        countries = sorted({end.country for end in self.ends.values() if end.country is not None})
        return {country: (1 + len(REACHES)) * number for number, country in enumerate(countries)}

    @cached_property
    def _bounds(self) -> list[Interval]:
        """Least and largest share, in percent, of each question; the last is that of all countries together."""
        stay = np.zeros((len(self._order), (1 + len(REACHES)) * len(self._columns) + 1))
        for row, position in enumerate(self._order):
            end = self.ends[position]
            if end.country is not None and end.reach is not None:
                first = self._columns[end.country]
                stay[row, [first, first + 1 + REACHES.index(end.reach), -1]] = 1.0
        low, high = self._system.bounds_of(self._index[self.start], stay)
        return [Interval(100 * a, 100 * b) for a, b in zip(low.tolist(), high.tolist(), strict=True)]

    @cached_property
    def _system(self) -> System:
        edges = [edge for position in self._order for edge in self._edges[position]]
        counts = [len(self._edges[position]) for position in self._order]
        return System(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.array([self._index[target] for _, target in edges], np.int64),
            np.array([holding.low for holding, _ in edges], float),
            np.array([holding.high for holding, _ in edges], float),
        )
