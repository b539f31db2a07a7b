"""Shares that each country's owners hold of all nodes at once: the walk of ``walk`` as a few linear systems.

A walk upward has to remember two things only: under which nationality a share stays that goes no further, and whether
it passed a minority that is not followed. With exact shares both are mostly the same for all countries and solved
once. What has unknown shares above it is walked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.columnar.integers import distinct
from geo.lonlat import Bools, Floats, Ints
from layers.ownership.absorbing_chain import OrderedSystem, edges_of, reaching, remainder
from layers.ownership.minority import Minority, stake_rule
from layers.ownership.stake_graph import NodeKind, StakeGraph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Limit of marks times nodes, in bits (256 MB), up to which the marks of all ancestors are precomputed.
_MAX_BITS = 2**31


class OwnerEdges:
    """A directed graph with edges from owned nodes to their owners, in the order of the owned nodes.

    Parameters
    ----------
    owned, owner
        The two ends of each edge, shape (edges,); ``owned`` ascends.
    size
        Number of nodes.

    Attributes
    ----------
    start
        Shape (size + 1,): the edges of node ``n`` are ``start[n]`` to ``start[n + 1]``.
    """

    def __init__(self, owned: Ints, owner: Ints, size: int) -> None:
        self.owned, self.owner, self.size = owned, owner, size
        self.start = np.concatenate([[0], np.cumsum(np.bincount(owned, minlength=size))])

    def ancestors(self, node: int) -> Bools:
        """Mark all nodes above a node, and the node itself: shape (size,)."""
        met = np.zeros(self.size, bool)
        met[node] = True
        new = np.array([node])
        while len(new):
            owners = self.owner[edges_of(self.start, new)[0]]
            new = distinct(owners[~met[owners]])
            met[new] = True
        return met

    def can_reach(self, targets: Bools) -> Bools:
        """Mark the nodes that are a target or have one above them: masks of shape (size,) are taken and given."""
        return reaching(self.matrix(), targets)

    def matrix(self) -> csr_array:
        """Return the adjacency matrix, shape (size, size): rows are owned, columns own.

        Parallel edges are summed, as graph algorithms of scipy need.
        """
        from scipy.sparse import csr_array

        ones = np.ones(len(self.owner))
        matrix = csr_array((ones, self.owner.copy(), self.start.copy()), shape=(self.size, self.size))
        matrix.sum_duplicates()
        return matrix


class AncestorMarks:
    """The marks that any node or its ancestors have: precomputed, one bit a node and mark.

    With more bits than the limit of memory, the graph is walked for each question instead.

    Parameters
    ----------
    edges
        The graph.
    at, mark
        Pairs, shape (n,): the node ``at`` has the mark ``mark``, a number.
    """

    def __init__(self, edges: OwnerEdges, at: Ints, mark: Ints) -> None:
        from scipy.sparse.csgraph import connected_components

        self._edges, self._at, self._mark = edges, at, mark
        self._known = distinct(mark)
        self._bits: list[int] | None = None
        if 0 < len(self._known) * edges.size <= _MAX_BITS:
            _, self._label = connected_components(edges.matrix(), directed=True, connection="strong")
            self._bits = self._propagated()

    def marks_of(self, node: int) -> Ints:
        """Return the different marks of a node and of all nodes above it, ascending; empty where there are none."""
        if not len(self._known):
            return self._known
        if self._bits is None:
            return distinct(self._mark[self._edges.ancestors(node)[self._at]])
        bits = self._bits[self._label[node]].to_bytes(len(self._known) // 8 + 1, "little")
        return self._known[np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little"))]

    def _propagated(self) -> list[int]:
        """Return the bits of each strong component; scipy numbers components from owners to owned."""
        bits = [0] * (int(self._label.max(initial=-1)) + 1)
        ranks = np.searchsorted(self._known, self._mark)
        for label, rank in zip(self._label[self._at].tolist(), ranks.tolist(), strict=True):
            bits[label] |= 1 << rank
        edges, marked = self._edges, np.zeros(self._edges.size, bool)
        marked[self._at] = True
        useful = edges.can_reach(marked)[edges.owner]
        owned, owner = self._label[edges.owned[useful]], self._label[edges.owner[useful]]
        order = np.argsort(owned, kind="stable")
        for below, over in zip(owned[order].tolist(), owner[order].tolist(), strict=True):
            bits[below] |= bits[over]
        return bits


#: Countries solved in one batch; of 10 at once a million nodes took 0.8 GB, and no less time.
_BATCH = 3


def batches(countries: int) -> Iterator[slice]:
    """Yield slices of as many countries as are solved together."""
    return (slice(first, first + _BATCH) for first in range(0, countries, _BATCH))


@dataclass(frozen=True, eq=False)
class WalkRules:
    """How a walk goes on from each node, for all countries alike.

    Attributes
    ----------
    kind, country
        Shape (nodes,): ``NodeKind`` and country number (-1 where not known) of each node.
    owned, owner, low, high
        Shape (stakes,): the two ends of each stake, and bounds of its share, fractions of 1.
    followed, may_be_followed, changes_nationality
        Shape (stakes,): see ``minority.StakeRule``.
    """

    kind: NDArray[np.int8]
    country: NDArray[np.int16]
    owned: Ints
    owner: Ints
    low: Floats
    high: Floats
    followed: Bools
    may_be_followed: Bools
    changes_nationality: Bools

    @classmethod
    def of(cls, graph: StakeGraph, country: NDArray[np.int16], minority: Minority) -> WalkRules:
        """Take the steps that ``walk.OwnershipGraph`` takes: not over the free float, and not up from a state.

        Parameters
        ----------
        graph
            The stakes that held on some days.
        country
            Country number of each node, -1 where not known, shape (nodes,).
        minority
            How far a minority stake carries the nationality of its holder.
        """
        nodes = graph.nodes
        used = ~graph.floating & (nodes.kind[graph.owned] != NodeKind.STATE)
        owned, owner = graph.owned[used], graph.owner[used]
        low, high = graph.low[used], graph.high[used]
        known: Bools = (country >= 0) | (nodes.kind == NodeKind.UNKNOWN)
        rule = stake_rule(minority, nodes.passes_on[owned], low, graph.most[used], known[owner])
        return cls(nodes.kind, country, owned, owner, low, high, *rule)

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.kind)

    @cached_property
    def has_nationality(self) -> Bools:
        """Nodes whose own country can count, shape (nodes,): all but assets and holders that nobody knows."""
        return np.isin(self.kind, (NodeKind.ASSET, NodeKind.UNKNOWN), invert=True)

    @cached_property
    def state(self) -> Bools:
        """States and their bodies of known country, shape (nodes,): what ends there is theirs under any nationality."""
        return np.isin(self.kind, (NodeKind.STATE, NodeKind.STATE_BODY)) & (self.country >= 0)

    @cached_property
    def retains(self) -> Bools:
        """Nodes where a share that goes no further stays under the nationality that it has, shape (nodes,)."""
        retains: Bools = ~self.state & (self.kind != NodeKind.ASSET)
        return retains

    def nationals(self, countries: list[int]) -> Bools:
        """Mark the nodes whose own nationality is each country, by number: shape (nodes, countries)."""
        own: Bools = (self.country[:, None] == np.array(countries, np.int16)) & self.has_nationality[:, None]
        return own

    @cached_property
    def remainder(self) -> Floats:
        """The largest fraction of each node that has no known holder, shape (nodes,)."""
        return remainder(self.owned, self.low, self.size)

    @cached_property
    def exact(self) -> Bools:
        """Nodes above which all shares are known exactly, shape (nodes,)."""
        room = np.bincount(self.owned, self.high - self.low, self.size)
        return ~reaching(self.matrix(np.ones(len(self.owned), bool), self.high), (room > 0) & (self.remainder > 0))

    @cached_property
    def edges(self) -> OwnerEdges:
        """All stakes as a graph, also those of no share."""
        return OwnerEdges(self.owned, self.owner, self.size)

    def edges_where(self, selected: Bools) -> OwnerEdges:
        """Return the graph of a selection of stakes, given as a mask of shape (stakes,)."""
        return OwnerEdges(self.owned[selected], self.owner[selected], self.size)

    def matrix(self, selected: Bools, shares: Floats) -> csr_array:
        """Return the shares of owners (columns) in what they own (rows).

        Parameters
        ----------
        selected
            Mask of the stakes, shape (stakes,).
        shares
            The share of every stake, a fraction of 1, shape (stakes,); those of one owner in one thing are summed.

        Returns
        -------
        csr_array
            Shape (nodes, nodes).
        """
        from scipy.sparse import csr_array

        edges = self.edges_where(selected)
        matrix = csr_array((shares[selected], edges.owner, edges.start), shape=(self.size, self.size))
        matrix.sum_duplicates()  # graph algorithms need it
        return matrix


class ExactShares:
    """Shares where all are known: linear in the nodes that count, so that one factorisation serves all countries.

    What a walk carries on from a node under the node's own nationality is independent of the country (``_carried``).
    The rest that a country gets comes from its states, or from nationalities that the walk takes on its way.
    """

    def __init__(self, rules: WalkRules) -> None:
        everything = np.ones(len(rules.owned), bool)
        self._remainder = rules.remainder[:, None]
        self._stopping = rules.matrix(~rules.followed, rules.low)
        self._stopped = OrderedSystem(rules.matrix(everything, rules.low)) if self._stopping.nnz else None
        self._followed = OrderedSystem(rules.matrix(rules.followed, rules.low))
        along = OrderedSystem(rules.matrix(rules.followed & ~rules.changes_nationality, rules.low))
        absorbed = self._remainder * rules.retains[:, None]
        self._carried = along.solve(absorbed + self._after_stop(absorbed))

    def _after_stop(self, absorbed: Floats) -> Floats | float:
        """Return the part of each node that is absorbed after a walk passed a minority that is not followed."""
        return self._stopping @ self._stopped.solve(absorbed) if self._stopped and absorbed.any() else 0.0

    def solve(self, state: Bools, holder: Bools) -> Floats:
        """Return the share of each node that ends in some states, or stays under the nationality of some holders.

        Parameters
        ----------
        state, holder
            Masks of shape (nodes, k): k questions at once.

        Returns
        -------
        Floats
            Fractions of 1, shape (nodes, k).
        """
        absorbed = self._remainder * state
        return self._followed.solve(absorbed + self._after_stop(absorbed) + holder * self._carried)
