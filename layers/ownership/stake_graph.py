"""Stakes as columns, and the sparse graph of those that held on some days. Knows nothing of records but their shape.

Nodes are assets and entities, numbered; edges lead from what is owned to its owners, largest first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from layers.model import edtf
from layers.model.cache import LruCache
from layers.model.records import Entity, Records, Stake

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
    def index(self) -> Mapping[str, int]:
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
        rows = [
            _row(stake, index) for stake in records.stakes.values() if stake.owned in index and stake.owner in index
        ]
        rows.sort(key=lambda row: (row.owned, -row.most, row.id))
        columns = _Row(*map(list, zip(*rows, strict=True))) if rows else _Row(*([] for _ in _Row._fields))
        return cls(
            nodes,
            np.array(columns.owned, np.int64),
            np.array(columns.owner, np.int64),
            np.array(columns.least, float) / 100,
            np.array(columns.most, float) / 100,
            np.array(columns.sure, bool),
            np.array(columns.began, np.int64).reshape(-1, 2),
            np.array(columns.ended, np.int64).reshape(-1, 2),
            Looked(columns.id, records.stakes),
        )

    def on(self, first: date | None, last: date | None) -> StakeGraph:
        """Stakes that held or may have held from ``first`` to ``last``, inclusive; ``None`` is open.

        A stake counts from its least share only if it was checked, is not imputed, and surely held on every day;
        else from 0 (see ``when.held``). The latest graphs are kept for all days between the same turns.
        """
        return self._graphs.get(self.between(first, last), lambda: self._on(first, last))

    @cached_property
    def _graphs(self) -> LruCache[StakeGraph]:
        return LruCache(max(4, min(_GRAPHS, _STAKES // max(1, len(self.owned)))))

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


class Looked(Sequence[Stake]):
    """Stakes that are looked up by their ids as they are asked for."""

    def __init__(self, ids: Sequence[str], stakes: Mapping[str, Stake]) -> None:
        self.ids, self._stakes = ids, stakes

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, row: int) -> Stake: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Stake]: ...
    def __getitem__(self, row: int | slice) -> Stake | Sequence[Stake]:
        return Looked(self.ids[row], self._stakes) if isinstance(row, slice) else self._stakes[self.ids[row]]


class _Row(NamedTuple):
    """What is kept of a stake; shares in percent."""

    id: Any
    owned: Any
    owner: Any
    least: Any
    most: Any
    sure: Any
    began: Any
    ended: Any


def _row(stake: Stake, index: Mapping[str, int]) -> _Row:
    return _Row(
        stake.id,
        index[stake.owned],
        index[stake.owner],
        stake.share_min,
        stake.share_max,
        stake.checked != "unverified" and not stake.imputed,
        _days(stake.since, _OPEN_START),
        _days(stake.until, _OPEN_END),
    )


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
    stated = edtf.parse(text) if text else None
    if stated is None:
        return unbounded, unbounded
    earliest = stated.earliest.toordinal() if stated.earliest else unbounded
    return earliest, stated.latest.toordinal() if stated.latest else unbounded


def _nodes(records: Records) -> Nodes:
    assets = [(asset.id, asset.name) for asset in records.assets.values()]
    entities = [
        (entity.id, entity.name, _kind(entity), entity.registered_in, entity.headquartered_in, entity.joint)
        for entity in records.entities.values()
    ]
    codes = sorted({code for entity in entities for code in entity[3:5] if code})
    number = {code: row for row, code in enumerate(codes)}
    none = [-1] * len(assets)
    return Nodes(
        ids=[*(key for key, _ in assets), *(key for key, *_ in entities)],
        names=[*(name for _, name in assets), *(name for _, name, *_ in entities)],
        kind=np.array([Kind.ASSET] * len(assets) + [kind for _, _, kind, _, _, _ in entities], np.int8),
        registered=np.array(none + [_code(number, at) for _, _, _, at, _, _ in entities], np.int16),
        seat=np.array(none + [_code(number, seat or at) for _, _, _, at, seat, _ in entities], np.int16),
        joint=np.array([True] * len(assets) + [joint for *_, joint in entities], bool),
        countries=codes,
    )


def _kind(entity: Entity) -> Kind:
    return Kind.FLOAT if entity.id == FREE_FLOAT else _KINDS.get(entity.type, Kind.COMPANY)


def _code(number: Mapping[str, int], country: str | None) -> int:
    return -1 if country is None else number[country]
