"""What stands above each node of a graph: which of some marks a way upward passes. Knows nothing of what they mean."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from layers.ownership.absorbing_chain import Bools, Ints, reaching, spread

#: Up to so many bits (256 MB) are kept for marks times nodes.
_BITS = 2**31


class Edges:
    """Edges from what is owned to its owners: those of node ``n`` are ``start[n]`` to ``start[n + 1]``."""

    def __init__(self, owned: Ints, owner: Ints, size: int) -> None:
        self.owned, self.owner, self.size = owned, owner, size
        self.start = np.concatenate([[0], np.cumsum(np.bincount(owned, minlength=size))])

    def above(self, node: int) -> Bools:
        """Which nodes can be reached from a node; it is one of them."""
        met = np.zeros(self.size, bool)
        met[node] = True
        new = np.array([node])
        while len(new):
            owners = self.owner[spread(self.start, new)[0]]
            new = np.unique(owners[~met[owners]])
            met[new] = True
        return met

    def reaching(self, some: Bools) -> Bools:
        """Which nodes are, or can reach, one of some."""
        return reaching(self.matrix(), some)

    def matrix(self) -> csr_array:
        """The edges as ones; two between the same nodes are one, as graph algorithms need it."""
        ones = np.ones(len(self.owner))
        matrix = csr_array((ones, self.owner.copy(), self.start.copy()), shape=(self.size, self.size))
        matrix.sum_duplicates()
        return matrix


class Marks:
    """Which marks are met on the ways upward from each node: found once, read for any node.

    Parameters
    ----------
    edges
        The graph.
    at, mark
        Pairs: at the node ``at`` the number ``mark`` is met.

    A bit is kept for each node and mark; with more marks than memory allows, the graph is walked when it is asked.
    """

    def __init__(self, edges: Edges, at: Ints, mark: Ints) -> None:
        self._edges, self._at, self._mark = edges, at, mark
        self._known = np.unique(mark)
        self._bits: list[int] | None = None
        if 0 < len(self._known) * edges.size <= _BITS:
            _, self._label = connected_components(edges.matrix(), directed=True, connection="strong")
            self._bits = self._gathered()

    def above(self, node: int) -> Ints:
        """Marks that are met from a node on, ascending."""
        if not len(self._known):
            return self._known
        if self._bits is None:
            return np.unique(self._mark[self._edges.above(node)[self._at]])
        bits = self._bits[self._label[node]].to_bytes(len(self._known) // 8 + 1, "little")
        return self._known[np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little"))]

    def _gathered(self) -> list[int]:
        """For each strong component a bit for each mark; labels of components rise from owners to owned."""
        bits = [0] * (int(self._label.max(initial=-1)) + 1)
        places = np.searchsorted(self._known, self._mark)
        for label, place in zip(self._label[self._at].tolist(), places.tolist(), strict=True):
            bits[label] |= 1 << place
        edges, marked = self._edges, np.zeros(self._edges.size, bool)
        marked[self._at] = True
        useful = edges.reaching(marked)[edges.owner]
        owned, owner = self._label[edges.owned[useful]], self._label[edges.owner[useful]]
        order = np.argsort(owned, kind="stable")
        for below, over in zip(owned[order].tolist(), owner[order].tolist(), strict=True):
            bits[below] |= bits[over]
        return bits
