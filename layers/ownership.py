"""Who owns an asset on a day: dated stakes walked up to states, holders and companies, as intervals.

The owners of an asset are a random walk upward: from an asset or company to each holder with the probability of
its share, and to nobody (the company keeps it) with the remainder. Where the walk ends says whose the share is.
Its expectation is the sum over all paths, loops included, that is (I - A)^-1 on the ancestor subgraph
(Brioschi, Buzzacchi and Colombo 1989; Vitali, Glattfelder and Battiston 2011, doi 10.1371/journal.pone.0025995).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from layers import when
from layers.schema import Entity, Records, Stake

Basis = Literal["registration", "headquarters"]
Minority = Literal["stay", "follow"]
Reach = Literal["state", "holder", "company"]
REACHES: tuple[Reach, ...] = ("state", "holder", "company")

#: The entity that stands for listed shares without a named holder; they stay with their company.
FREE_FLOAT = "free-float"
#: Entity types that say that a holder exists, not who it is.
UNKNOWN = ("unknownEntity", "anonymousEntity")
#: Known stakes may add up to this much over 100 by rounding alone.
TOLERANCE = 0.005
#: A country or remainder below this many percent is not told.
_NOTHING = 5e-7
_CONVERGED = 1e-13
_ROUNDS = 10_000


class UnknownRecord(LookupError):
    """No record of that kind has that id."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A stake as it counts on a day: fractions of 1, from 0 where it is unverified or may not have held."""

    stake: Stake
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


@dataclass(frozen=True, slots=True)
class Position:
    """A step of the walk: where it is, and the company with which a share stays that goes no further.

    ``stopped`` says that a minority was met that stays: from here on only a state takes the share from its company.
    """

    node: str
    flag: str | None
    stopped: bool = False


class Register:
    """The stakes that held on some days, ready to be walked.

    Parameters
    ----------
    records
        Entities, assets and stakes.
    first, last
        First and last day, inclusive, on which owners are asked for; ``None`` is open.
    basis
        Whether a country is that of registration or of the head office.
    minority
        ``stay``: from a company that is not joint, a share goes on to the country of a holder only if that holder
        has more than half, or if the chain reaches a state; other minorities stay with the company.
        ``follow``: every known holder is followed.
    """

    def __init__(
        self,
        records: Records,
        first: date | None,
        last: date | None,
        basis: Basis = "registration",
        minority: Minority = "stay",
    ) -> None:
        self._records = records
        self._basis = basis
        self._minority = minority
        self._holdings = holdings_on(records.stakes.values(), first, last)

    def holdings(self, owned: str) -> tuple[Holding, ...]:
        """Stakes in an asset or entity on the day, largest first; the free float is no holder."""
        return tuple(h for h in self._holdings.get(owned, ()) if h.stake.owner != FREE_FLOAT)

    def remainder(self, owned: str) -> Interval:
        """Fraction of 1 that no known holder has, at least and at most."""
        held = self.holdings(owned)
        low, high = sum(h.low for h in held), sum(h.high for h in held)
        return Interval(max(0.0, 1 - high), max(0.0, 1 - low))

    def country(self, entity_id: str) -> str | None:
        """Country of an entity on the chosen basis; registration where the seat is not known."""
        entity = self._records.entities[entity_id]
        if self._basis == "headquarters" and entity.headquartered_in:
            return entity.headquartered_in
        return entity.registered_in

    def entity(self, entity_id: str) -> Entity | None:
        """The entity, or ``None`` for an asset."""
        return self._records.entities.get(entity_id)

    def step(self, position: Position, holding: Holding) -> Position:
        """Where the walk is after it went up to one holder."""
        owner = holding.stake.owner
        company = self.entity(position.node)
        joint = company is None or company.joint
        followed = joint or self._minority == "follow" or holding.low > 0.5
        if position.stopped or not followed:
            return Position(owner, position.flag, stopped=True)
        known = self.country(owner) is not None or self._records.entities[owner].type in UNKNOWN
        return Position(owner, owner if joint or known else position.flag)

    def end(self, position: Position) -> Outcome:
        """Whose a share is that goes no further than here."""
        entity = self.entity(position.node)
        if entity is None:
            return Outcome(None, None, "no owner known")
        if entity.type in ("state", "stateBody") and (country := self.country(entity.id)):
            return Outcome(country, "state", entity=entity.id)
        flag = self._records.entities[position.flag] if position.flag else entity
        country = self.country(flag.id)
        if flag.type in UNKNOWN:
            return Outcome(None, None, f"{flag.name}: holder not known")
        if country is None:
            return Outcome(None, None, f"{flag.name}: country not known")
        return Outcome(country, "holder" if flag.type == "person" else "company", entity=flag.id)

    def is_end(self, node: str) -> bool:
        """Whether chains end here whatever is known above: at a state."""
        entity = self.entity(node)
        return entity is not None and entity.type == "state"

    def warnings(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """Say which of the nodes have known stakes of more than 100 percent; they are never rescaled."""
        texts = []
        for node in sorted(set(nodes)):
            total = sum(h.low for h in self._holdings.get(node, ()))
            if total > 1 + TOLERANCE:
                texts.append(f"known stakes in {node} sum to {100 * total:.2f} %")
        return tuple(texts)


def holdings_on(stakes: Iterable[Stake], first: date | None, last: date | None) -> dict[str, tuple[Holding, ...]]:
    """Stakes that held or may have held from ``first`` to ``last``, by what is owned, largest first.

    A stake counts from its least share only if it was checked and surely held on every day; else from 0.
    """
    found: dict[str, list[Holding]] = defaultdict(list)
    for stake in stakes:
        since = when.parse(stake.since) if stake.since else None
        until = when.parse(stake.until) if stake.until else None
        held = when.held(since, until, first, last)
        if held == "no":
            continue
        sure = held == "yes" and stake.checked != "unverified" and not stake.imputed
        found[stake.owned].append(Holding(stake, stake.share_min / 100 if sure else 0.0, stake.share_max / 100))
    return {owned: tuple(sorted(held, key=lambda h: (-h.high, h.stake.id))) for owned, held in found.items()}


class Walk:
    """All positions that a walk from one asset or entity can reach, and the shares that follow.

    Bounds are exact for each question taken alone: choosing the unknown shares of every company to make one
    country's part least (or most) is a Markov decision process, whose value iteration from zero converges to the
    least fixed point. A closed loop without an outside owner therefore ends nowhere and stays unattributed.
    Where a company is met under two flags, its shares may be chosen apart, and the bounds are outer bounds.
    """

    def __init__(self, register: Register, start: str) -> None:
        self.register = register
        self.start = Position(start, None if register.entity(start) is None else start)
        self._edges = self._explore()
        self._order = _postorder(self.start, {p: [q for _, q in steps] for p, steps in self._edges.items()})
        self._index = {position: index for index, position in enumerate(self._order)}

    def _explore(self) -> dict[Position, list[tuple[Holding, Position]]]:
        edges: dict[Position, list[tuple[Holding, Position]]] = {}
        todo = [self.start]
        while todo:
            position = todo.pop()
            if position in edges:
                continue
            holdings = () if self.register.is_end(position.node) else self.register.holdings(position.node)
            edges[position] = [(holding, self.register.step(position, holding)) for holding in holdings]
            todo.extend(target for _, target in edges[position])
        return edges

    @property
    def nodes(self) -> frozenset[str]:
        """Ids of everything the walk can meet."""
        return frozenset(position.node for position in self._order)

    @cached_property
    def ends(self) -> dict[Position, Outcome]:
        """Where a share ends that stays at each position."""
        return {position: self.register.end(position) for position in self._order}

    def shares(self) -> tuple[CountryShare, ...]:
        """Every country's share, largest first."""
        countries = sorted({end.country for end in self.ends.values() if end.country is not None})
        asked: list[Callable[[Outcome], bool]] = []
        for country in countries:
            asked.append(lambda end, c=country: end.country == c)  # type: ignore[misc]
            asked += [lambda end, c=country, r=reach: end.country == c and end.reach == r for reach in REACHES]  # type: ignore[misc]
        bounds = self._bounds(asked)
        rows = []
        for index, country in enumerate(countries):
            total, *parts = bounds[4 * index : 4 * index + 4]
            if total.high > _NOTHING:
                rows.append(CountryShare(country, total, dict(zip(REACHES, parts, strict=True))))
        return tuple(sorted(rows, key=lambda row: (-row.share.high, -row.share.low, row.country)))

    def unattributed(self) -> tuple[Interval, tuple[str, ...]]:
        """The part that no country is known for, and why."""
        attributed = self._bounds([lambda end: end.country is not None])[0]
        part = Interval(max(0.0, 100 - attributed.high), max(0.0, 100 - attributed.low))
        if part.high <= _NOTHING:
            return Interval(0.0, 0.0), ()
        reasons = sorted({end.reason for position, end in self.ends.items() if end.reason and self._may_stay(position)})
        return part, tuple(reasons) or ("closed loop without an outside owner",)

    def _may_stay(self, position: Position) -> bool:
        return not self._edges[position] or self.register.remainder(position.node).high > 1e-9

    def _bounds(self, asked: list[Callable[[Outcome], bool]]) -> list[Interval]:
        """Least and largest share, in percent, of each asked kind of outcome."""
        if not asked:
            return []
        stays = np.array([[float(ask(self.ends[p])) for ask in asked] for p in self._order])
        low, high = self._solve(stays, -1.0), self._solve(stays, +1.0)
        return [Interval(100 * float(a), 100 * float(b)) for a, b in zip(low, high, strict=True)]

    def _solve(self, stays: NDArray[np.float64], sign: float) -> NDArray[np.float64]:
        """Value at the start of each column of ``stays`` (position x question), least or largest by ``sign``."""
        value = np.zeros_like(stays)
        for _ in range(_ROUNDS):
            change = 0.0
            for row, position in enumerate(self._order):
                new = self._value(position, stays[row], value, sign)
                change = max(change, float(np.abs(new - value[row]).max()))
                value[row] = new
            if change < _CONVERGED:
                break
        result: NDArray[np.float64] = value[self._index[self.start]]
        return result

    def _value(
        self, position: Position, stay: NDArray[np.float64], value: NDArray[np.float64], sign: float
    ) -> NDArray[np.float64]:
        edges = self._edges[position]
        if not edges:
            return stay
        low = np.array([holding.low for holding, _ in edges])
        slack = np.array([holding.high for holding, _ in edges]) - low
        above = value[[self._index[target] for _, target in edges]]
        left = max(0.0, 1.0 - low.sum())
        result: NDArray[np.float64] = low @ above + left * stay
        if left > 0 and slack.any():
            result = result + _best(sign * (above - stay), slack, left) * sign
        return result


def _best(gain: NDArray[np.float64], slack: NDArray[np.float64], left: float) -> NDArray[np.float64]:
    """Largest total gain (holder x question) of handing out ``left`` with at most ``slack`` to each holder."""
    order = np.argsort(-gain, axis=0)
    room = slack[order]
    given = np.clip(left - (np.cumsum(room, axis=0) - room), 0.0, room)
    total: NDArray[np.float64] = (given * np.clip(np.take_along_axis(gain, order, axis=0), 0.0, None)).sum(axis=0)
    return total


def _postorder(start: Position, targets: Mapping[Position, list[Position]]) -> list[Position]:
    """Positions with those above first, so that values settle in one round on a tree."""
    seen = {start}
    order: list[Position] = []
    stack = [(start, iter(targets[start]))]
    while stack:
        position, rest = stack[-1]
        following = next((target for target in rest if target not in seen), None)
        if following is None:
            order.append(position)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(targets[following])))
    return order
