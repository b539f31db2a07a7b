"""Stakes of all times as columns, and the sparse graph of the stakes that held on some days.

Nodes are assets and entities, numbered; edges lead from what is owned to its owners, largest first.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from geo.columnar.binary_array import text_array
from geo.columnar.integers import ranges
from geo.lonlat import Bools, Floats, Ints
from layers.model import edtf
from layers.model.cache import LruCache
from layers.model.records import Entity, Records, Stake
from layers.ownership.absorbing_chain import remainder
from layers.store.record_table import texts

#: The entity that stands for listed shares without a named holder; they stay with their company.
FREE_FLOAT = "free-float"
#: Between a person and a further nationality in the id of a node; no id of a record has it.
_NATIONAL = "|"

#: Graphs that are cached, and the limit of all their stakes (50 bytes each); four are cached in any case.
_GRAPHS = 64
_STAKES = 5_000_000

_OPEN_START = 0
_OPEN_END = date.max.toordinal() + 1


class NodeKind(IntEnum):
    """What a node is, as far as a walk upward depends on it."""

    ASSET = 0
    COMPANY = 1
    STATE = 2
    STATE_BODY = 3
    PERSON = 4
    UNKNOWN = 5
    FLOAT = 6


_KINDS = {
    "state": NodeKind.STATE,
    "stateBody": NodeKind.STATE_BODY,
    "person": NodeKind.PERSON,
    "unknownEntity": NodeKind.UNKNOWN,
    "anonymousEntity": NodeKind.UNKNOWN,
}


@dataclass(frozen=True, eq=False)
class GraphNodes:
    """Assets and entities by number, assets first.

    A person of several nationalities, of which none is known to be the effective one, has the first of them. Each
    further one is a node of its own, after all entities, that may hold anything from nothing to all of the person's
    shares: so each country has from nothing to all of them, and all countries together have the whole.

    Attributes
    ----------
    ids, names
        Id and main name of each node.
    kind
        ``NodeKind`` of each node.
    registered, seat
        Country of registration and of the head office (of registration where no seat is known), as indexes into
        ``countries``; -1 where not known and for assets.
    joint
        Whether each node is run by its owners together: assets are, and companies that say so.
    countries
        ISO 3166-1 alpha-2 codes, ascending.
    known_index
        Node number by id where it was built before; built of the ids when it is first read otherwise.
    """

    ids: Sequence[str]
    names: Sequence[str]
    kind: NDArray[np.int8]
    registered: NDArray[np.int16]
    seat: NDArray[np.int16]
    joint: Bools
    countries: Sequence[str]
    known_index: Mapping[str, int] | None = None

    def __len__(self) -> int:
        return len(self.kind)

    def is_nationality(self, node: int) -> bool:
        """Whether a node is a further nationality of a person."""
        return _NATIONAL in self.ids[node]

    def record(self, node: int) -> str:
        """Id of the asset or entity of a node; of a further nationality that of the person."""
        return self.ids[node].partition(_NATIONAL)[0]

    def picked(self, numbers: Ints) -> GraphNodes:
        """Some of the nodes, ascending; with a further nationality there must be its person."""
        ids, names = ([texts[number] for number in numbers.tolist()] for texts in (self.ids, self.names))
        return GraphNodes(
            ids,
            names,
            self.kind[numbers],
            self.registered[numbers],
            self.seat[numbers],
            self.joint[numbers],
            self.countries,
        )

    @cached_property
    def nationalities(self) -> range:
        """The nodes that are further nationalities of persons."""
        first = len(self)
        while first and self.is_nationality(first - 1):
            first -= 1
        return range(first, len(self))

    @cached_property
    def passes_on(self) -> Bools:
        """Whether the holders of each node say whose it is: of what is joint, of persons of several nationalities."""
        passes = np.array(self.joint, bool)
        passes[[self.index[self.record(node)] for node in self.nationalities]] = True
        return passes

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Node number by id."""
        if self.known_index is not None:
            return self.known_index
        return {name: number for number, name in enumerate(self.ids)}


@dataclass(frozen=True, eq=False)
class StakeColumns:
    """All stakes of all times, sorted by what is owned, then by share, largest first.

    Attributes
    ----------
    nodes
        Both ends of the stakes.
    owned, owner
        Node numbers, shape (n,).
    low, high
        Bounds of the shares, fractions of 1, shape (n,).
    sure
        Which stakes are checked and not imputed, shape (n,).
    began, ended
        Proleptic Gregorian ordinals, shape (n, 2): the first and last day that the beginning of each stake may mean,
        and its end (the first day on which it does not hold any more).
    stakes
        The record of each row; may be empty where there are none.
    """

    nodes: GraphNodes
    owned: Ints
    owner: Ints
    low: Floats
    high: Floats
    sure: Bools
    began: Ints
    ended: Ints
    stakes: Sequence[Stake]

    @classmethod
    def of(cls, records: Records) -> StakeColumns:
        """Compile the stakes of records; stakes of which an end is not among the records are left out."""
        nodes = _nodes(records)
        index = nodes.index
        rows = [
            _row(stake, index) for stake in records.stakes.values() if stake.owned in index and stake.owner in index
        ]
        rows += _rows_of_nationalities(nodes)
        rows.sort(key=lambda row: (row.owned, -row.high, row.id))
        columns = _Row(*map(list, zip(*rows, strict=True))) if rows else _Row(*([] for _ in _Row._fields))
        return cls(
            nodes,
            np.array(columns.owned, np.int64),
            np.array(columns.owner, np.int64),
            np.array(columns.low, float) / 100,
            np.array(columns.high, float) / 100,
            np.array(columns.sure, bool),
            np.array(columns.began, np.int64).reshape(-1, 2),
            np.array(columns.ended, np.int64).reshape(-1, 2),
            LazyStakes(text_array(columns.id), records.stakes),
        )

    def on(self, first: date | None, last: date | None) -> StakeGraph:
        """Return the stakes that held or may have held from ``first`` to ``last``, inclusive; ``None`` is open.

        A stake counts from its least share only if it was checked, is not imputed, and surely held on every day;
        else from 0 (see ``edtf.held_as_stated``). Intervals on which the same stakes hold share one cached graph.
        """
        return self._graphs.get_or_compute(self.between(first, last), lambda: self._on(first, last))

    @cached_property
    def _graphs(self) -> LruCache[StakeGraph]:
        return LruCache(max(4, min(_GRAPHS, _STAKES // max(1, len(self.owned)))))

    def _on(self, first: date | None, last: date | None) -> StakeGraph:
        start, stop = _bounds(first, last)
        always = (self.began[:, 1] <= start) & (stop < self.ended[:, 0])
        never = (stop < self.began[:, 0]) | (start >= self.ended[:, 1])
        row = np.flatnonzero(~never)
        counts = np.bincount(self.owned[row], minlength=len(self.nodes))
        low = np.where((always & self.sure)[row], self.low[row], 0.0)
        first_edge = np.concatenate([[0], np.cumsum(counts)])
        return StakeGraph(self.nodes, self.stakes, first_edge, self.owner[row], low, self.high[row], row)

    def above(self, names: Iterable[str]) -> StakeColumns:
        """Return all stakes, of all times, above some assets or entities, from which their owners are the same.

        Parameters
        ----------
        names
            Ids of assets or entities.

        Returns
        -------
        StakeColumns
            Of those nodes and all that ever held a part of them, in their order.

        Raises
        ------
        KeyError
            If there is no such asset or entity.
        """
        index = self.nodes.index
        found = newest = np.unique(np.fromiter((index[name] for name in names), np.int64))
        while len(newest):
            newest = np.setdiff1d(self.owner[self._rows_in(newest)], found)
            found = np.union1d(found, newest)
        rows = self._rows_in(found)
        owned, owner = np.searchsorted(found, self.owned[rows]), np.searchsorted(found, self.owner[rows])
        stakes = self.stakes
        return StakeColumns(
            self.nodes.picked(found),
            owned,
            owner,
            self.low[rows],
            self.high[rows],
            self.sure[rows],
            self.began[rows],
            self.ended[rows],
            stakes.picked(rows) if isinstance(stakes, LazyStakes) else [stakes[row] for row in rows.tolist()],
        )

    @cached_property
    def first_alike(self) -> Sequence[int]:
        """The first asset in which the same stakes are, by node; of a node that is no asset, itself.

        Whose both are is the same on any days. Of an asset whose stakes may sum to more than the whole it is itself
        too, as that is said of it by its id.
        """
        known = np.column_stack(
            (self.owner, self.low.view(np.int64), self.high.view(np.int64), self.sure, self.began, self.ended)
        )
        rows, size = known.tobytes(), known.itemsize * known.shape[1]
        is_shared = (self.nodes.kind == NodeKind.ASSET) & (np.bincount(self.owned, self.low, len(self.nodes)) <= 1)
        assets = np.flatnonzero(is_shared)
        starts, ends = (np.searchsorted(self.owned, assets, side) * size for side in ("left", "right"))
        first: dict[bytes, int] = {}
        found = np.arange(len(self.nodes))
        found[assets] = [
            first.setdefault(rows[start:end], asset)
            for asset, start, end in zip(assets.tolist(), starts.tolist(), ends.tolist(), strict=True)
        ]
        return array("q", found.tobytes())

    def _rows_in(self, nodes: Ints) -> Ints:
        """Return the rows of the stakes in some nodes; both ascending."""
        start = np.searchsorted(self.owned, nodes)
        return ranges(start, np.searchsorted(self.owned, nodes, "right") - start)

    def between(self, first: date | None, last: date | None) -> tuple[int, int]:
        """Return the positions of two days among all days of change: where they are equal, the same stakes hold."""
        start, stop = _bounds(first, last)
        return bisect_right(self._change_days, start), bisect_right(self._change_days, stop)

    @cached_property
    def _change_days(self) -> list[int]:
        """Days from which on a stake begins or ceases, surely or maybe, to hold; ascending."""
        days: list[int] = np.unique(np.concatenate([self.began, self.ended])).tolist()
        return days


class LazyStakes(Sequence[Stake]):
    """A sequence of stakes that are looked up by id at each access."""

    def __init__(self, ids: Sequence[str], stakes: Mapping[str, Stake]) -> None:
        self.ids, self._stakes = ids, stakes

    def __len__(self) -> int:
        return len(self.ids)

    def picked(self, rows: Ints) -> LazyStakes:
        """The stakes of some rows, in the order given."""
        return LazyStakes([self.ids[row] for row in rows.tolist()], self._stakes)

    @overload
    def __getitem__(self, row: int) -> Stake: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Stake]: ...
    def __getitem__(self, row: int | slice) -> Stake | Sequence[Stake]:
        return LazyStakes(self.ids[row], self._stakes) if isinstance(row, slice) else self._stakes[self.ids[row]]


class _Row(NamedTuple):
    """The columns of a stake; shares in percent."""

    id: Any
    owned: Any
    owner: Any
    low: Any
    high: Any
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


def _rows_of_nationalities(nodes: GraphNodes) -> Iterator[_Row]:
    """Yield a row of no stake for each further nationality of a person: from nothing to all, on all days."""
    always = (_OPEN_START, _OPEN_START), (_OPEN_END, _OPEN_END)
    for node in nodes.nationalities:
        yield _Row("", nodes.index[nodes.record(node)], node, 0.0, 100.0, True, *always)


def _bounds(first: date | None, last: date | None) -> tuple[int, int]:
    """Return the first and last day as ordinals; an open end lies beyond all days."""
    return first.toordinal() if first else _OPEN_START, last.toordinal() if last else _OPEN_END - 1


@dataclass(frozen=True, eq=False)
class StakeGraph:
    """The stakes of some days as compressed sparse rows: those in node ``n`` are ``start[n]`` to ``start[n + 1]``.

    Attributes
    ----------
    nodes
        Both ends of the stakes.
    stakes
        The records of all times.
    start
        Shape (nodes + 1,): the first stake in each node.
    owner, low, high
        Shape (n,): node number of the holder, and bounds of the share, fractions of 1.
    row
        Shape (n,): index of each stake in ``stakes``.
    """

    nodes: GraphNodes
    stakes: Sequence[Stake]
    start: Ints
    owner: Ints
    low: Floats
    high: Floats
    row: Ints

    def edges(self, node: int) -> range:
        """Return the numbers of the stakes in a node."""
        return range(int(self.start[node]), int(self.start[node + 1]))

    def rows_above(self, node: int) -> Ints:
        """Return the indexes into ``stakes`` of all stakes above a node, each once, ascending."""
        met, todo = {node}, [node]
        edges: list[int] = []
        while todo:
            of_node = self.edges(todo.pop())
            edges += of_node
            above = set(self.owner[of_node.start : of_node.stop].tolist()) - met
            met |= above
            todo += above
        return np.sort(self.row[edges])

    @cached_property
    def owned(self) -> Ints:
        """The node that each stake is in, shape (n,)."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    @cached_property
    def most(self) -> Floats:
        """The largest fraction of each stake that the least ones of the others leave, shape (n,)."""
        left = remainder(self.owned, self.low, len(self.nodes))
        return np.minimum(self.high, self.low + left[self.owned])

    @cached_property
    def floating(self) -> Bools:
        """Which stakes are free float, shape (n,)."""
        return np.asarray(self.nodes.kind[self.owner] == NodeKind.FLOAT)


def _days(text: str | None, unbounded: int) -> tuple[int, int]:
    """Return the first and last day that an EDTF text may mean, as ordinals."""
    stated = edtf.parse(text) if text else None
    if stated is None:
        return unbounded, unbounded
    earliest = stated.earliest.toordinal() if stated.earliest else unbounded
    return earliest, stated.latest.toordinal() if stated.latest else unbounded


def _nodes(records: Records) -> GraphNodes:
    assets = [*texts(records.assets, "name")]
    entities = [
        (entity.id, entity.name, _kind(entity), next(iter(countries_of_holder(entity)), None), *_seat(entity))
        for entity in records.entities.values()
    ]
    entities += [
        (f"{entity.id}{_NATIONAL}{country}", entity.name, _kind(entity), country, *_seat(entity))
        for entity in records.entities.values()
        for country in countries_of_holder(entity)[1:]
    ]
    codes = sorted({code for entity in entities for code in entity[3:5] if code})
    number = {code: row for row, code in enumerate(codes)}
    none = [-1] * len(assets)
    return GraphNodes(
        ids=[*(key for key, _ in assets), *(key for key, *_ in entities)],
        names=[*(name for _, name in assets), *(name for _, name, *_ in entities)],
        kind=np.array([NodeKind.ASSET] * len(assets) + [kind for _, _, kind, _, _, _ in entities], np.int8),
        registered=np.array(none + [_code(number, at) for _, _, _, at, _, _ in entities], np.int16),
        seat=np.array(none + [_code(number, seat or at) for _, _, _, at, seat, _ in entities], np.int16),
        joint=np.array([True] * len(assets) + [joint for *_, joint in entities], bool),
        countries=codes,
    )


def _seat(entity: Entity) -> tuple[str | None, bool]:
    """Return the country of the head office, and whether a company is joint."""
    return entity.headquartered_in, entity.joint


def _kind(entity: Entity) -> NodeKind:
    return NodeKind.FLOAT if entity.id == FREE_FLOAT else _KINDS.get(entity.type, NodeKind.COMPANY)


def _code(number: Mapping[str, int], country: str | None) -> int:
    return -1 if country is None else number[country]


def countries_of_holder(entity: Entity) -> tuple[str, ...]:
    """Return the countries of which exactly one has the shares of a holder, though it may not be known which.

    Of a company, a state or an arrangement it is that of registration. Of a person it is the one nationality, or the
    one that a source calls the effective one (as the International Court of Justice chose in the Nottebohm case, 1955);
    where several are stated and none so, each of them may be it.

    Returns
    -------
    tuple
        ISO 3166-1 alpha-2 codes, ascending; empty where no country is known.
    """
    if entity.registered_in is not None:
        return (entity.registered_in,)
    return tuple(sorted(set(entity.nationalities))) if entity.type == "person" else ()
