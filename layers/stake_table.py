"""Stakes as columns, and the sparse graph of those that held on some days. Knows nothing of records but their shape.

Nodes are assets and entities, numbered; edges lead from what is owned to its owners, largest first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from layers import when
from layers.recent import Recent
from layers.schema import Entity, Records, Stake

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: The entity that stands for listed shares without a named holder; they stay with their company.
FREE_FLOAT = "free-float"

#: Graphs of some days that are kept, and the stakes of all of them; four (of 50 bytes a stake) are kept in any case.
_GRAPHS = 64
_STAKES = 5_000_000

_OPEN_START = 0
_OPEN_END = date.max.toordinal() + 1


class Kind(IntEnum):
    """What a node is, as far as the walk cares."""

    ASSET = 0
    COMPANY = 1
    STATE = 2
    STATE_BODY = 3
    PERSON = 4
    UNKNOWN = 5
    FLOAT = 6


_KINDS = {
    "state": Kind.STATE,
    "stateBody": Kind.STATE_BODY,
    "person": Kind.PERSON,
    "unknownEntity": Kind.UNKNOWN,
    "anonymousEntity": Kind.UNKNOWN,
}


@dataclass(frozen=True, eq=False)
class Nodes:
    """Assets and entities by number. Countries are numbers into ``countries``, -1 where not known."""

    ids: Sequence[str]
    names: Sequence[str]
    kind: NDArray[np.int8]
    registered: NDArray[np.int16]
    seat: NDArray[np.int16]
    joint: Bools
    countries: Sequence[str]

    def __len__(self) -> int:
        return len(self.kind)

    @cached_property
    def index(self) -> dict[str, int]:
        """Number of each id."""
        return {name: number for number, name in enumerate(self.ids)}


@dataclass(frozen=True, eq=False)
class StakeTable:
    """All stakes of all times, sorted by what is owned, then by share, largest first.

    Shares are fractions of 1. ``began`` and ``ended`` hold the first and last day (ordinals) that each may mean.
    ``stakes`` gives the record of each row; it may be empty where there are none.
    """

    nodes: Nodes
    owned: Ints
    owner: Ints
    least: Floats
    most: Floats
    sure: Bools
    began: Ints
    ended: Ints
    stakes: Sequence[Stake]

    @classmethod
    def of(cls, records: Records) -> StakeTable:
        """Compile the stakes of a set of records; those that dangle are left out."""
        nodes = _nodes(records)
        index = nodes.index
        stakes = [s for s in records.stakes.values() if s.owned in index and s.owner in index]
        stakes.sort(key=lambda stake: (index[stake.owned], -stake.share_max, stake.id))
        return cls(
            nodes,
            np.array([index[s.owned] for s in stakes], np.int64),
            np.array([index[s.owner] for s in stakes], np.int64),
            np.array([s.share_min for s in stakes], float) / 100,
            np.array([s.share_max for s in stakes], float) / 100,
            np.array([s.checked != "unverified" and not s.imputed for s in stakes], bool),
            np.array([_days(s.since, _OPEN_START) for s in stakes], np.int64).reshape(-1, 2),
            np.array([_days(s.until, _OPEN_END) for s in stakes], np.int64).reshape(-1, 2),
            stakes,
        )

    def on(self, first: date | None, last: date | None) -> StakeGraph:
        """Stakes that held or may have held from ``first`` to ``last``, inclusive; ``None`` is open.

        A stake counts from its least share only if it was checked, is not imputed, and surely held on every day;
        else from 0 (see ``when.held``). The latest graphs are kept for all days between the same turns.
        """
        return self._graphs.get(self.between(first, last), lambda: self._on(first, last))

    @cached_property
    def _graphs(self) -> Recent[StakeGraph]:
        return Recent(max(4, min(_GRAPHS, _STAKES // max(1, len(self.owned)))))

    def _on(self, first: date | None, last: date | None) -> StakeGraph:
        start, stop = _bounds(first, last)
        always = (self.began[:, 1] <= start) & (stop < self.ended[:, 0])
        never = (stop < self.began[:, 0]) | (start >= self.ended[:, 1])
        row = np.flatnonzero(~never)
        counts = np.bincount(self.owned[row], minlength=len(self.nodes))
        low = np.where((always & self.sure)[row], self.least[row], 0.0)
        first_edge = np.concatenate([[0], np.cumsum(counts)])
        return StakeGraph(self.nodes, self.stakes, first_edge, self.owner[row], low, self.most[row], row)

    def between(self, first: date | None, last: date | None) -> tuple[int, int]:
        """Between which turns some days lie: where it is the same, the same stakes held."""
        before = np.searchsorted(self._turns, _bounds(first, last), side="right")
        return int(before[0]), int(before[1])

    @cached_property
    def _turns(self) -> Ints:
        """Days from which on some stake begins or ceases, surely or maybe, to hold."""
        return np.unique(np.concatenate([self.began, self.ended]))


def _bounds(first: date | None, last: date | None) -> tuple[int, int]:
    """First and last day as ordinals, where open beyond all."""
    return first.toordinal() if first else _OPEN_START, last.toordinal() if last else _OPEN_END - 1


@dataclass(frozen=True, eq=False)
class StakeGraph:
    """The stakes of some days as compressed rows: those in node ``n`` are ``start[n]`` to ``start[n + 1]``.

    ``row`` is the place of each in ``stakes``, the records of all times.
    """

    nodes: Nodes
    stakes: Sequence[Stake]
    start: Ints
    owner: Ints
    low: Floats
    high: Floats
    row: Ints

    def edges(self, node: int) -> range:
        """Numbers of the stakes in a node."""
        return range(int(self.start[node]), int(self.start[node + 1]))

    @cached_property
    def owned(self) -> Ints:
        """What each stake is in."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    @cached_property
    def floating(self) -> Bools:
        """Which stakes are free float."""
        return np.asarray(self.nodes.kind[self.owner] == Kind.FLOAT)


def _days(text: str | None, unbounded: int) -> tuple[int, int]:
    stated = when.parse(text) if text else None
    if stated is None:
        return unbounded, unbounded
    earliest = stated.earliest.toordinal() if stated.earliest else unbounded
    return earliest, stated.latest.toordinal() if stated.latest else unbounded


def _nodes(records: Records) -> Nodes:
    entities = list(records.entities.values())
    assets = list(records.assets.values())
    codes = sorted({c for entity in entities for c in (entity.registered_in, entity.headquartered_in) if c})
    number = {code: row for row, code in enumerate(codes)}
    none = [-1] * len(assets)
    return Nodes(
        ids=[record.id for record in (*assets, *entities)],
        names=[*(asset.name for asset in assets), *(entity.name for entity in entities)],
        kind=np.array([Kind.ASSET] * len(assets) + [_kind(entity) for entity in entities], np.int8),
        registered=np.array(none + [_code(number, e.registered_in) for e in entities], np.int16),
        seat=np.array(none + [_code(number, e.headquartered_in or e.registered_in) for e in entities], np.int16),
        joint=np.array([True] * len(assets) + [entity.joint for entity in entities], bool),
        countries=codes,
    )


def _kind(entity: Entity) -> Kind:
    return Kind.FLOAT if entity.id == FREE_FLOAT else _KINDS.get(entity.type, Kind.COMPANY)


def _code(number: Mapping[str, int], country: str | None) -> int:
    return -1 if country is None else number[country]
