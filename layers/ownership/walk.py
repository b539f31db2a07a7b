"""Who owns one asset on a day: dated stakes walked up to states, persons and companies, as intervals of shares.

Ownership is a random walk upward: from an asset or company to each holder with the probability of the holder's share,
and to an end with the remainder, which stays with the company. The end of the walk says whose the share is. The
expected share is the sum over all paths, loops included, that is (I - A)^-1 on the ancestor subgraph
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

from geo.lonlat import Bools
from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.records import Records, Stake
from layers.model.types import CountryBasis
from layers.ownership.absorbing_chain import AbsorbingChain
from layers.ownership.minority import Minority, StakeRule, stake_rule
from layers.ownership.stake_graph import NodeKind, StakeColumns

Reach = Literal["state", "holder", "company"]
REACHES: tuple[Reach, ...] = ("state", "holder", "company")

#: Known stakes may add up to this much over 100 by rounding alone.
TOLERANCE = 0.005
#: Least shares that sum to this fraction leave nothing that may stay with the company.
FULL_SHARE = 1 - 1e-9
#: Shares of up to this many percent are rounding, and left out of every answer.
NEGLIGIBLE = 5e-7
#: Node kinds as plain numbers: they compare ten times as fast with numpy scalars, and a walk compares at each node.
_ASSET, _PERSON, _UNKNOWN, _STATE, _BODY = map(
    int, (NodeKind.ASSET, NodeKind.PERSON, NodeKind.UNKNOWN, NodeKind.STATE, NodeKind.STATE_BODY)
)


class TooLarge(ValueError):
    """A walk meets more positions than its limit."""


class StakeEdge(NamedTuple):
    """A stake as it counts on a day: an edge from the owned node to the owner.

    ``low`` and ``high`` are fractions of 1; ``low`` is 0 where the stake is unverified or may not have held.
    """

    edge: int
    owned: int
    owner: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Terminal:
    """The end of a share: a country and how far the share reaches, or, without a country, the reason.

    ``entity`` is the holder whose country it is: the state, the person, or the company that the share stays with.
    """

    country: str | None
    reach: Reach | None
    reason: Message | None = None
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A lower and an upper bound of a share, in percent."""

    low: float
    high: float

    def rounded(self) -> tuple[float, float]:
        """Round both bounds to 4 decimals, which no source exceeds."""
        return round(self.low, 4) + 0.0, round(self.high, 4) + 0.0

    def percents(self) -> tuple[float, float]:
        """Both bounds as a column of percent holds them: cut off at 100, and rounded. Sums over 100 have warnings."""
        return round(min(self.low, 100.0), 4) + 0.0, round(min(self.high, 100.0), 4) + 0.0

    def within_whole(self) -> Interval:
        """Cut both bounds off at 100 percent, above which known shares may sum where sources contradict each other."""
        return Interval(min(self.low, 100.0), min(self.high, 100.0))


@dataclass(frozen=True, slots=True)
class CountryShare:
    """The share of an asset that owners of one country hold, in all and by how far it reaches."""

    country: str
    share: Interval
    reaches: Mapping[Reach, Interval]


def largest_first(shares: Iterable[CountryShare]) -> tuple[CountryShare, ...]:
    """Sort shares by upper bound, lower bound and country, and leave out those of up to 5e-7 percent."""
    present = [row for row in shares if row.share.high > NEGLIGIBLE]
    return tuple(sorted(present, key=lambda row: (-row.share.high, -row.share.low, row.country)))


def unattributed_part(attributed: Interval, reasons: Iterable[Message]) -> tuple[Interval, tuple[Message, ...]]:
    """Return the share that no country is known for, and why.

    Parameters
    ----------
    attributed
        The share of all countries together.
    reasons
        Why shares end without a country, in any order; a reason may come more than once.

    Returns
    -------
    tuple
        The remainder to 100 percent, and each reason once, sorted by the name of the company that it is about. A
        remainder without a reason circles in a closed loop. Without a remainder there are no reasons.
    """
    part = Interval(max(0.0, 100 - attributed.high), max(0.0, 100 - attributed.low))
    if part.high <= NEGLIGIBLE:
        return Interval(0.0, 0.0), ()
    return part, tuple(sorted(set(reasons), key=_by_subject)) or (Message("ownership.closed-loop"),)


def _by_subject(reason: Message) -> tuple[str, str]:
    """Sort key that is the same in every language: the company's name as it leads a sentence, then the code."""
    name = reason.arguments.get("name")
    return (f"{name}: " if name is not None else reason.code.partition(".")[2]), reason.code


class WalkState(NamedTuple):
    """A position of the walk: the node, and the node whose nationality a share has that ends here.

    ``nationality_of`` is -1 at an asset. ``stopped`` is set once a minority was passed that is not followed (see
    ``minority``): from there on only a state takes the share from the company.
    """

    node: int
    nationality_of: int
    stopped: bool = False


class OwnershipGraph:
    """The stakes that held on some days, with the countries and the rule of minorities that a walk needs.

    Parameters
    ----------
    known
        All stakes, or the records to compile them from.
    first, last
        First and last day of the interval, inclusive; ``None`` is open.
    basis
        Whether a country is that of registration or of the head office; registration where no seat is known.
    minority
        ``stay``: from a company that is not joint, a share goes on to the country of a holder only if that
        holder has more than half, or if the chain reaches a state; other minorities stay with the company.
        ``follow``: every known holder is followed.

    Attributes
    ----------
    nodes
        All assets and entities.
    graph
        The stakes of the days.
    country
        Country number of each node by ``basis``, shape (nodes,); -1 where not known.
    """

    def __init__(
        self,
        known: StakeColumns | Records,
        first: date | None,
        last: date | None,
        basis: CountryBasis = "registration",
        minority: Minority = "stay",
    ) -> None:
        table = known if isinstance(known, StakeColumns) else StakeColumns.of(known)
        self.nodes = table.nodes
        self.graph = table.on(first, last)
        self.minority = minority
        self.country = table.nodes.seat if basis == "headquarters" else table.nodes.registered

    @cached_property
    def rule(self) -> StakeRule:
        """The rule of minorities over each stake of ``graph``."""
        graph, nodes = self.graph, self.nodes
        known: Bools = (self.country >= 0) | (nodes.kind == NodeKind.UNKNOWN)
        return stake_rule(self.minority, nodes.passes_on[graph.owned], graph.low, graph.most, known[graph.owner])

    def number(self, name: str) -> int:
        """Return the node number of an asset or entity.

        Raises
        ------
        UnknownRecord
            If there is none of that id.
        """
        number = self.nodes.index.get(name)
        if number is None or self.nodes.is_nationality(number):
            raise UnknownRecord(Message("record.no-asset-or-entity", {"id": name}))
        return number

    def start(self, name: str) -> WalkState:
        """Return the state in which a walk from an asset or entity begins.

        Raises
        ------
        UnknownRecord
            If there is none of that id.
        """
        node = self.number(name)
        return WalkState(node, -1 if self.nodes.kind[node] == _ASSET else node)

    def holdings(self, node: int) -> tuple[StakeEdge, ...]:
        """Stakes in a node, largest first. The free float is no holder, and a state has none."""
        if self.nodes.kind[node] == _STATE:
            return ()
        graph = self.graph
        return tuple(
            StakeEdge(edge, node, int(graph.owner[edge]), float(graph.low[edge]), float(graph.high[edge]))
            for edge in graph.edges(node)
            if not graph.floating[edge]
        )

    def recorded(self, holdings: Iterable[StakeEdge]) -> list[StakeEdge]:
        """Select what a record of a stake states: all but the further nationalities of persons."""
        return [holding for holding in holdings if not self.nodes.is_nationality(holding.owner)]

    def has_one_country(self, node: int) -> bool:
        """Whether a holder is of no more than one country."""
        holdings = self.holdings(node)
        return len(self.recorded(holdings)) == len(holdings)

    def stake(self, holding: StakeEdge) -> Stake:
        """Return the record of a stake."""
        return self.graph.stakes[int(self.graph.row[holding.edge])]

    def steps(self, position: WalkState, holding: StakeEdge) -> tuple[WalkState, ...]:
        """Go up to one holder: where it is open whether the share is followed, not followed first, and followed."""
        rule, edge, owner = self.rule, holding.edge, holding.owner
        stopped = WalkState(owner, position.nationality_of, stopped=True)
        if position.stopped or not rule.may_be_followed[edge]:
            return (stopped,)
        followed = WalkState(owner, owner if rule.changes_nationality[edge] else position.nationality_of)
        return (followed,) if rule.followed[edge] else (stopped, followed)

    def end(self, position: WalkState) -> Terminal:
        """Return the end of a share that goes no further than a position."""
        nodes, node = self.nodes, position.node
        if nodes.kind[node] == _ASSET:
            return Terminal(None, None, Message("ownership.no-owner-known"))
        if nodes.kind[node] in (_STATE, _BODY) and self.country[node] >= 0:
            return Terminal(nodes.countries[self.country[node]], "state", entity=nodes.record(node))
        holder = position.nationality_of if position.nationality_of >= 0 else node
        if nodes.kind[holder] == _UNKNOWN:
            return Terminal(None, None, Message("ownership.holder-not-known", {"name": nodes.names[holder]}))
        if self.country[holder] < 0:
            return Terminal(None, None, Message("ownership.country-not-known", {"name": nodes.names[holder]}))
        reach: Reach = "holder" if nodes.kind[holder] == _PERSON else "company"
        return Terminal(nodes.countries[self.country[holder]], reach, entity=nodes.record(holder))

    def warnings(self, nodes: Iterable[int]) -> tuple[Message, ...]:
        """Return a warning for each node whose known stakes sum to over 100 percent; stakes are never rescaled."""
        messages = []
        for node in sorted(set(nodes)):
            total = sum(self.graph.low[edge] for edge in self.graph.edges(node))
            if total > 1 + TOLERANCE:
                entity, percent = self.nodes.ids[node], 100 * float(total)
                messages.append(Message("ownership.stakes-over-100", {"entity": entity, "percent": percent}))
        return tuple(messages)


class Walk:
    """All positions that a walk from one asset or entity can reach, and the shares that follow.

    Bounds are exact for each country and reach alone: the least (or largest) part that any choice of the unknown
    shares gives (see ``absorbing_chain``). A closed loop without an outside owner has no end and is unattributed.
    Where a company is met under two nationalities, its shares may be chosen apart: then bounds are outer bounds.
    A stake that may be more than half or less goes on or stays, whichever gives the bound.

    Parameters
    ----------
    ownership
        The stakes of the days.
    start
        Id of an asset or entity.
    max_positions
        Limit of the positions visited.

    Raises
    ------
    UnknownRecord
        If there is no such asset or entity.
    TooLarge
        If there are more positions than ``max_positions``.
    """

    def __init__(self, ownership: OwnershipGraph, start: str, max_positions: float = inf) -> None:
        self.ownership = ownership
        self.start = ownership.start(start)
        self._edges = self._explore(max_positions)
        self._order = list(self._edges)
        self._index = {position: index for index, position in enumerate(self._order)}

    def _explore(self, max_positions: float) -> dict[WalkState, list[tuple[StakeEdge, tuple[WalkState, ...]]]]:
        edges: dict[WalkState, list[tuple[StakeEdge, tuple[WalkState, ...]]]] = {}
        todo = [self.start]
        while todo:
            position = todo.pop()
            if position not in edges:
                if len(edges) >= max_positions:
                    start = self.ownership.nodes.ids[self.start.node]
                    raise TooLarge(f"more than {max_positions} positions above {start!r}")
                held = self.ownership.holdings(position.node)
                edges[position] = [(holding, self.ownership.steps(position, holding)) for holding in held]
                todo.extend(target for _, targets in edges[position] for target in targets)
        return edges

    @property
    def nodes(self) -> frozenset[int]:
        """Numbers of all nodes that the walk can reach."""
        return frozenset(position.node for position in self._order)

    @cached_property
    def ends(self) -> dict[WalkState, Terminal]:
        """The end of a share that stays, by position."""
        return {position: self.ownership.end(position) for position in self._order}

    def shares(self) -> tuple[CountryShare, ...]:
        """Every country's share, largest first."""
        rows = []
        for country, first in self._columns.items():
            total, *parts = self._bounds[first : first + 1 + len(REACHES)]
            rows.append(CountryShare(country, total, dict(zip(REACHES, parts, strict=True))))
        return largest_first(rows)

    def unattributed(self) -> tuple[Interval, tuple[Message, ...]]:
        """Return the part that no country is known for, and the reasons (see ``unattributed_part``)."""
        reasons = (end.reason for position, end in self.ends.items() if end.reason and self._may_stay(position))
        return unattributed_part(self._bounds[-1], reasons)

    def holders(self) -> dict[str | None, tuple[str, ...]]:
        """Return the ids of the holders with whom a part may stay, by country, as the walk meets them."""
        found: dict[str | None, dict[str, None]] = {}
        for position, end in self.ends.items():
            if self._may_stay(position) and end.entity is not None:
                found.setdefault(end.country, {})[end.entity] = None
        return {country: tuple(ids) for country, ids in found.items()}

    def warnings(self) -> tuple[Message, ...]:
        """Return a warning for each node of the walk whose known stakes sum to over 100 percent."""
        return self.ownership.warnings(self.nodes)

    def _may_stay(self, position: WalkState) -> bool:
        return sum(holding.low for holding, _ in self._edges[position]) < FULL_SHARE

    @cached_property
    def _columns(self) -> dict[str, int]:
        """First column of each country met: its share in all, followed by one column for each reach."""
        countries = sorted({end.country for end in self.ends.values() if end.country is not None})
        return {country: (1 + len(REACHES)) * number for number, country in enumerate(countries)}

    @cached_property
    def _bounds(self) -> list[Interval]:
        """Bounds in percent of each column, see ``_columns``; the last is that of all countries together."""
        absorbed = np.zeros((len(self._order), (1 + len(REACHES)) * len(self._columns) + 1))
        for row, position in enumerate(self._order):
            end = self.ends[position]
            if end.country is not None and end.reach is not None:
                first = self._columns[end.country]
                absorbed[row, [first, first + 1 + REACHES.index(end.reach), -1]] = 1.0
        low, high = self._system.bounds_of(self._index[self.start], absorbed)
        return [Interval(100 * a, 100 * b) for a, b in zip(low.tolist(), high.tolist(), strict=True)]

    @cached_property
    def _system(self) -> AbsorbingChain:
        edges = [edge for position in self._order for edge in self._edges[position]]
        counts = [len(self._edges[position]) for position in self._order]
        return AbsorbingChain(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.array([self._index[targets[0]] for _, targets in edges], np.int64),
            np.array([holding.low for holding, _ in edges], float),
            np.array([holding.high for holding, _ in edges], float),
            np.array([self._index[targets[-1]] for _, targets in edges], np.int64),
        )
