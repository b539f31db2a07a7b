"""Who owns an asset on a day, as it is told: walked where little stands above it, else read from what was solved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from threading import Lock
from typing import NamedTuple

from layers.model.cache import LruCache
from layers.ownership.bulk_owners import Solved, Standing
from layers.ownership.chains import Chains, Hope, chains
from layers.ownership.stake_graph import StakeTable
from layers.ownership.walk import Basis, CountryShare, Interval, Minority, Register, TooLarge, Walk, largest_first

#: A walk of up to so many positions (some tens of milliseconds) is walked if nothing is solved yet.
MOST_WALKED = 2000
#: Decimals of a percent that are told.
_DIGITS = 9
#: After so many walks, and one for so many stakes, the rest is solved at once, which takes about as long.
_WALKS = 1000
_STAKES_A_WALK = 200
#: Answers of one register that are kept.
_ANSWERS = 1000
#: Registers that are kept, and the stakes of all of them; two are kept in any case.
_REGISTERS = 16
_STAKES = 5_000_000


class _Told(NamedTuple):
    """All of the owners but the chains, which take less to find than to keep."""

    shares: tuple[CountryShare, ...]
    unattributed: Interval
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Owners:
    """Who owns one asset (or entity) on some days, by country; ``find`` finds the chains that it follows from."""

    shares: tuple[CountryShare, ...]
    unattributed: Interval
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    find: Callable[[], Chains] = field(compare=False, repr=False)

    @cached_property
    def chains(self) -> Chains:
        """The chains, found when they are first asked for."""
        return self.find()


def _told(found: Walk | Standing) -> _Told:
    """What was found, without the last digits, in which what was walked and what was solved differ."""
    shares = largest_first(map(_rounded, found.shares()))
    part, reasons = found.unattributed()
    return _Told(shares, _exact(part), reasons, found.warnings())


def _rounded(row: CountryShare) -> CountryShare:
    return CountryShare(row.country, _exact(row.share), {reach: _exact(part) for reach, part in row.reaches.items()})


def _exact(part: Interval) -> Interval:
    return Interval(round(part.low, _DIGITS) + 0.0, round(part.high, _DIGITS) + 0.0)


class _Large(NamedTuple):
    """What is solved of a whole register."""

    solved: Solved
    hope: Hope


class Ownership:
    """Who owns everything on some days; many threads may ask it.

    Where more than ``most`` positions stand above what is asked for, or much is asked, the whole register is solved,
    once.
    """

    def __init__(self, register: Register, most: int = MOST_WALKED) -> None:
        self.register = register
        self._most = most
        self._large: _Large | None = None
        self._lock = Lock()
        self._answers: LruCache[_Told] = LruCache(_ANSWERS)
        self._walks = _WALKS + len(register.graph.owner) // _STAKES_A_WALK

    def of(self, owned: str) -> Owners:
        """Owners of an asset or entity.

        Raises
        ------
        UnknownRecord
            If there is no such asset or entity.
        """
        large = self._large
        if large and large.solved.exact(owned):  # which takes less to find again than to keep
            told = _told(large.solved.of(owned))
        else:
            told = self._answers.get(owned, lambda: _told(self._found(owned)))
        return Owners(*told, lambda: chains(self.register, owned, large.hope if large else None))

    def _found(self, owned: str) -> Walk | Standing:
        self._walks -= 1
        if self._walks == 0:
            self._solve()
        try:
            return Walk(self.register, owned, self._most)
        except TooLarge:
            return self._solve().solved.of(owned)

    def _solve(self) -> _Large:
        with self._lock:  # whoever asks meanwhile waits, rather than to solve the same
            if self._large is None:
                self._large = _Large(Solved(self.register), Hope(self.register))
            return self._large


class Registers:
    """Who owns everything on any days, by either rule: the latest asked for are kept. Many threads may ask it."""

    def __init__(self, table: StakeTable) -> None:
        self._table = table
        self._kept: LruCache[Ownership] = LruCache(max(2, min(_REGISTERS, _STAKES // max(1, len(table.owned)))))

    def spell(self, first: date | None, last: date | None) -> object:
        """What is the same for all days on which the same stakes count, and for no others."""
        return self._table.between(first, last)

    def on(
        self, first: date | None, last: date | None, basis: Basis = "registration", minority: Minority = "stay"
    ) -> Ownership:
        """Who owns everything from ``first`` to ``last``, inclusive, ``None`` is open; see ``ownership.Register``."""
        key = (self.spell(first, last), basis, minority)
        return self._kept.get(key, lambda: Ownership(Register(self._table, first, last, basis, minority)))
