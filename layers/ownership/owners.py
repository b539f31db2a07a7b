"""Owners of assets and entities on a day: walked where few positions stand above, else read from a solution for all."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from threading import Lock
from typing import NamedTuple, TypeAlias

import numpy as np

from geo.lonlat import Bools, Floats, Ints
from layers.model.cache import LruCache
from layers.model.messages import Message
from layers.model.types import CountryBasis
from layers.ownership.bulk_shares import AncestorMarks, ExactShares, WalkRules, batches
from layers.ownership.chains import Chains, UpperBound, chains, descendants
from layers.ownership.minority import Minority
from layers.ownership.stake_graph import NodeKind, StakeColumns
from layers.ownership.walk import (
    FULL_SHARE,
    NEGLIGIBLE,
    REACHES,
    TOLERANCE,
    CountryShare,
    Interval,
    OwnershipGraph,
    TooLarge,
    Walk,
    WalkState,
    largest_first,
    unattributed_part,
)

#: Largest number of positions that is walked (some tens of milliseconds) while nothing is solved yet.
MAX_WALKED_POSITIONS = 2000
#: Decimals of a percent that answers have: in later ones a walk and the solution for all differ.
_DIGITS = 9
#: After so many walks, and one more for so many stakes, all is solved at once, which takes about as long.
_WALKS = 50
_STAKES_A_WALK = 100
#: Answers of one day that are cached.
_ANSWERS = 1000
#: And of those that assets share.
_SHARED_ANSWERS = 20_000
#: Days whose owners are cached, and the limit of the stakes of all of them; two are cached in any case.
_DAYS = 16
_STAKES = 5_000_000
#: Bounds of a share in percent, then of the parts of it that reach a state, a holder and a company.
SharePercents: TypeAlias = tuple[float, float, float, float, float, float, float, float]


@dataclass(frozen=True)
class Owners:
    """The owners of one asset or entity on some days, by country.

    ``find_chains`` computes the chains that the shares follow from; ``chains`` is its result.
    """

    shares: tuple[CountryShare, ...]
    unattributed: Interval
    reasons: tuple[Message, ...]
    warnings: tuple[Message, ...]
    find_chains: Callable[[], Chains] = field(compare=False, repr=False)

    @cached_property
    def chains(self) -> Chains:
        """The largest chains, computed at first use."""
        return self.find_chains()

    # A site is struck again and again under the same owners: what follows from them alone is found once.
    @cached_property
    def sure_countries(self) -> frozenset[str | None]:
        """Countries that surely held part of it; ``None`` is the part of which no country is known."""
        shares = ((row.country, row.share) for row in self.shares)
        return frozenset(country for country, share in (*shares, (None, self.unattributed)) if share.low > NEGLIGIBLE)

    @cached_property
    def percents(self) -> Sequence[SharePercents]:
        """Each of ``shares`` as columns hold it."""
        return [
            (
                *row.share.percents(),
                *row.reaches["state"].percents(),
                *row.reaches["holder"].percents(),
                *row.reaches["company"].percents(),
            )
            for row in self.shares
        ]


class OwnersByDate:
    """Owners of everything on any days, by any rule: those of the latest days are cached. Safe for many threads.

    Parameters
    ----------
    stakes
        The stakes of all times.
    are_shared
        Whether assets in which the same stakes are share an answer: where many are looked up, that is less than the
        seconds that it takes to find which are.
    """

    def __init__(self, stakes: StakeColumns, are_shared: bool = False) -> None:
        self._stakes, self._are_shared = stakes, are_shared
        self._cache: LruCache[OwnersOnDate] = LruCache(max(2, min(_DAYS, _STAKES // max(1, len(stakes.owned)))))

    def interval_key(self, first: date | None, last: date | None) -> object:
        """Return a key that two intervals share if, and only if, the same stakes count in both."""
        return self._stakes.between(first, last)

    def owned_key(self, owned: str) -> Hashable:
        """Return a key of an asset or entity that others share only if whose they are is the same on any days.

        Raises
        ------
        KeyError
            If there is no such asset or entity.
        """
        return self._stakes.first_alike[self._stakes.nodes.index[owned]] if self._are_shared else owned

    def constant_spans(self, owned: str, first: date, last: date) -> tuple[tuple[date, date], ...]:
        """Cut the days from ``first`` to ``last`` into spans on whose days the same stakes above an asset count.

        Returns
        -------
        tuple
            First and last day of each span, in order; together they are all the days.

        Raises
        ------
        KeyError
            If there is no such asset or entity.
        """
        rows = self._stakes.on(first, last).rows_above(self._stakes.nodes.index[owned])
        changes = np.unique(np.concatenate([self._stakes.began[rows], self._stakes.ended[rows]]))
        start, stop = first.toordinal(), last.toordinal() + 1
        days = [start, *changes[(changes > start) & (changes < stop)].tolist(), stop]
        return tuple((date.fromordinal(a), date.fromordinal(b - 1)) for a, b in pairwise(days))

    def ever_below(self, entity: str) -> frozenset[str]:
        """Return the ids of all that an entity held a part of at any time, itself included; empty if there is none."""
        stakes = self._stakes
        if entity not in stakes.nodes.index:
            return frozenset()
        reached = descendants(stakes.owned, stakes.owner, stakes.nodes.index[entity], len(stakes.nodes))
        return frozenset(stakes.nodes.ids[node] for node in np.flatnonzero(reached).tolist())

    def on(
        self, first: date | None, last: date | None, basis: CountryBasis = "registration", minority: Minority = "stay"
    ) -> OwnersOnDate:
        """Return the owners from ``first`` to ``last``, inclusive, ``None`` is open; see ``walk.OwnershipGraph``."""
        key = (self.interval_key(first, last), basis, minority)
        return self._cache.get_or_compute(
            key,
            lambda: OwnersOnDate(
                OwnershipGraph(self._stakes, first, last, basis, minority),
                alike=self._stakes.first_alike if self._are_shared else None,
            ),
        )


class OwnersOnDate:
    """Owners of everything on some days. Safe for many threads.

    Parameters
    ----------
    ownership
        The stakes of the days.
    max_positions
        Where more positions stand above an asset, or after many questions, all assets are solved at once.
    alike
        By node, one that has the same owners, and an answer with it; ``None`` where each has its own.
    """

    def __init__(
        self,
        ownership: OwnershipGraph,
        max_positions: int = MAX_WALKED_POSITIONS,
        alike: Sequence[int] | None = None,
    ) -> None:
        self.ownership = ownership
        self._max_positions, self._alike = max_positions, alike
        self._solution: _Solution | None = None
        self._lock = Lock()
        self._answers: LruCache[_Answer] = LruCache(_ANSWERS if alike is None else _SHARED_ANSWERS)
        self._walks = _WALKS + len(ownership.graph.owner) // _STAKES_A_WALK

    def of(self, owned: str) -> Owners:
        """Return the owners of an asset or entity.

        Raises
        ------
        UnknownRecord
            If there is no such asset or entity.
        """
        solution = self._solution
        if self._alike is None and solution and solution.owners.exact(owned):
            answer = self._answer(owned)  # which is quicker to read again than to cache
        else:
            key = owned if self._alike is None else self._alike[self.ownership.number(owned)]
            answer = self._answers.get_or_compute(key, lambda: self._answer(owned))
        return Owners(*answer, lambda: chains(self.ownership, owned, solution.upper_bound if solution else None))

    def holders_of(self, owned: str) -> Mapping[str | None, tuple[str, ...]]:
        """Return the ids of the ultimate holders of an asset or entity by country.

        Where too many positions stand above it, those at the ends of the largest chains alone.

        Raises
        ------
        UnknownRecord
            If there is no such asset or entity.
        """
        try:
            return Walk(self.ownership, owned, self._max_positions).holders()
        except TooLarge:
            found: dict[str | None, dict[str, None]] = {}
            for chain in self.of(owned).chains.paths:
                if chain.end.entity is not None:
                    found.setdefault(chain.end.country, {})[chain.end.entity] = None
            return {country: tuple(ids) for country, ids in found.items()}

    def _answer(self, owned: str) -> _Answer:
        solution = self._solution
        if solution is None:
            self._walks -= 1
            try:
                walk = Walk(self.ownership, owned, self._max_positions)
            except TooLarge:
                solution = self._solve()
            else:
                if self._walks <= 0:
                    self._solve()
                return _rounded_answer(walk)
        if solution.owners.exact(owned):
            return _rounded_answer(solution.owners.of(owned))
        return _rounded_answer(Walk(self.ownership, owned))

    def _solve(self) -> _Solution:
        with self._lock:  # other threads wait for the solution, rather than to compute it too
            if self._solution is None:
                self._solution = _Solution(BulkOwners(self.ownership), UpperBound(self.ownership))
            return self._solution


class _Answer(NamedTuple):
    """The members of `Owners` but the chains, which are quicker to find than to cache."""

    shares: tuple[CountryShare, ...]
    unattributed: Interval
    reasons: tuple[Message, ...]
    warnings: tuple[Message, ...]


class _Solution(NamedTuple):
    """The owners of everything on some days, and the bounds that speed up the search for chains."""

    owners: BulkOwners
    upper_bound: UpperBound


def _rounded_answer(owners: Walk | NodeOwners) -> _Answer:
    """Round shares to the digits in which a walk and the solution for all agree."""
    shares = largest_first(map(_rounded, owners.shares()))
    part, reasons = owners.unattributed()
    return _Answer(shares, _rounded_interval(part), reasons, owners.warnings())


def _rounded(row: CountryShare) -> CountryShare:
    reaches = {reach: _rounded_interval(part) for reach, part in row.reaches.items()}
    return CountryShare(row.country, _rounded_interval(row.share), reaches)


def _rounded_interval(part: Interval) -> Interval:
    low = round(part.low, _DIGITS) + 0.0
    return Interval(low, low if part.high == part.low else round(part.high, _DIGITS) + 0.0)


class BulkOwners:
    """The answers of ``walk.Walk`` from every asset and entity above which all shares are known, solved together.

    They take 9 bytes for each node, country and reach with a share above 0.
    """

    def __init__(self, ownership: OwnershipGraph) -> None:
        self.ownership = ownership
        self._rules = WalkRules.of(ownership.graph, ownership.country, ownership.minority)
        self._shares = tuple(self._blocks())
        self._reasons = _Reasons(ownership, self._rules)

    def _blocks(self) -> Iterator[tuple[int, _SparseRows]]:
        """Yield the exact shares of all nodes by batches of countries, a column for each country and reach.

        Each comes with the number of its first country.
        """
        rules, shares = self._rules, ExactShares(self._rules)
        person = (rules.kind == NodeKind.PERSON)[:, None]
        countries = list(range(len(self.ownership.nodes.countries)))
        for batch in batches(len(countries)):
            own = rules.nationals(countries[batch])
            nobody = np.zeros_like(own)
            parts = np.empty((rules.size, own.shape[1], len(REACHES)))
            parts[:, :, 0] = shares.solve(own & rules.state[:, None], nobody)
            parts[:, :, 1] = shares.solve(nobody, own & person)
            parts[:, :, 2] = shares.solve(nobody, own & ~person)
            yield batch.start, _SparseRows(parts.reshape(rules.size, -1))

    def of(self, name: str) -> NodeOwners:
        """Return the answers for one asset or entity that is ``exact``.

        Raises
        ------
        UnknownRecord
            If there is none of that id.
        """
        return NodeOwners(self, self.ownership.number(name))

    def exact(self, name: str) -> bool:
        """Return whether all shares above are known; raises as ``of``."""
        return bool(self._rules.exact[self.ownership.number(name)])

    def parts(self, node: int) -> tuple[list[CountryShare], Interval]:
        """Return every country's share of a node, and the share of all countries together."""
        by_country: dict[int, list[float]] = {}
        for first, block in self._shares:
            for column, share in block.row(node):
                country, reach = divmod(column, len(REACHES))
                by_country.setdefault(first + country, [0.0] * len(REACHES))[reach] = 100 * share
        rows, attributed = [], 0.0
        for number, parts in by_country.items():
            total = sum(parts)
            attributed += total
            country_code = self.ownership.nodes.countries[number]
            rows.append(_country_share(country_code, [Interval(share, share) for share in (total, *parts)]))
        return rows, Interval(attributed, attributed)

    def reasons(self, node: int) -> Iterator[Message]:
        """Yield why a part of a node may have no country."""
        return self._reasons.of(node)

    def warnings(self, node: int) -> tuple[Message, ...]:
        """Return a warning for the node and each node above it whose known stakes sum to over 100 percent."""
        return self._reasons.warnings(node)


def _country_share(country: str, parts: list[Interval]) -> CountryShare:
    """Build a country's share from its part in all and its part by reach."""
    return CountryShare(country, parts[0], dict(zip(REACHES, parts[1:], strict=True)))


class NodeOwners:
    """The answers of a solution for one asset or entity, with the methods of ``walk.Walk``."""

    def __init__(self, solution: BulkOwners, node: int) -> None:
        self._solution, self._node = solution, node

    @cached_property
    def _parts(self) -> tuple[list[CountryShare], Interval]:
        return self._solution.parts(self._node)

    def shares(self) -> tuple[CountryShare, ...]:
        """Return every country's share, largest first."""
        return largest_first(self._parts[0])

    def unattributed(self) -> tuple[Interval, tuple[Message, ...]]:
        """Return the part that no country is known for, and the reasons (see ``walk.unattributed_part``)."""
        return unattributed_part(self._parts[1], self._solution.reasons(self._node))

    def warnings(self) -> tuple[Message, ...]:
        """Return a warning for each node from here up whose known stakes sum to over 100 percent."""
        return self._solution.warnings(self._node)


class _SparseRows:
    """A table of up to 255 columns, most of them 0, that is read by row: shape (nodes, columns)."""

    def __init__(self, table: Floats) -> None:
        filled = table != 0
        self._start = np.concatenate([[0], np.cumsum(filled.sum(axis=1))])
        self._value = table[filled]
        self._column = np.broadcast_to(np.arange(table.shape[1], dtype=np.uint8), table.shape)[filled]

    def row(self, number: int) -> Iterator[tuple[int, float]]:
        """Return the columns of a row that are not 0, ascending, with their values."""
        filled = slice(self._start[number], self._start[number + 1])
        return zip(self._column[filled].tolist(), self._value[filled].tolist(), strict=True)


class _Reasons:
    """Why shares have no country, and where stakes are more than the whole, for each node with all above it.

    A holder of no known country gives its reason if something may stay under its nationality; which nationalities a
    walk can take depends on the stakes that may be followed. Assets without a known owner, and stakes of over 100
    percent, are met over any stakes.
    """

    def __init__(self, ownership: OwnershipGraph, rules: WalkRules) -> None:
        self._ownership, graph = ownership, ownership.graph
        self._open = np.bincount(rules.owned, rules.low, rules.size) < FULL_SHARE
        self._asset = (rules.kind == NodeKind.ASSET) & self._open
        over = np.bincount(graph.owned, graph.low, rules.size) > 1 + TOLERANCE - 1e-9
        marked = np.flatnonzero(self._asset | over)
        self._marks = AncestorMarks(rules.edges, marked, marked)
        self._unknown = self._without_country(rules)
        taken = rules.changes_nationality & self._unknown[rules.owner]
        self._nationalities = AncestorMarks(
            rules.edges_where(rules.may_be_followed), rules.owned[taken], rules.owner[taken]
        )

    def _without_country(self, rules: WalkRules) -> Bools:
        """Mark the holders of no known name or country under whose nationality something may stay."""
        stays = self._open & rules.retains
        stops = ~rules.followed & rules.edges.can_reach(stays)[rules.owner]
        stays[rules.owned[stops]] = True
        unknown: Bools = rules.retains & ((rules.kind == NodeKind.UNKNOWN) | (rules.country < 0))
        return unknown & rules.edges_where(rules.may_be_followed & ~rules.changes_nationality).can_reach(stays)

    def of(self, node: int) -> Iterator[Message]:
        """Yield the reasons of a node, in any order."""
        marks: Ints = self._marks.marks_of(node)
        holders = [*self._nationalities.marks_of(node).tolist(), *([node] if self._unknown[node] else [])]
        assets = [mark for mark in marks.tolist() if self._asset[mark]]
        for holder in holders + assets[:1]:  # the reason is the same for any asset
            reason = self._ownership.end(WalkState(holder, holder)).reason
            if reason:
                yield reason

    def warnings(self, node: int) -> tuple[Message, ...]:
        """Return the warnings of a node."""
        return self._ownership.warnings(self._marks.marks_of(node).tolist())
