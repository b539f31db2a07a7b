"""Values of an absorbing Markov chain whose transitions are shares, or bounds of them where shares are unknown.

A chain has rows (what is owned) and edges (stakes) to other rows, each with a fraction from ``low`` to ``high``. The
remainder of a row is absorbed there and counts with the row's ``absorbed`` value. The value of a row is its absorbed
part plus its fractions of the values of the rows above (Kemeny and Snell 1960, Finite Markov Chains, chapter 3); of
all solutions the least non-negative one, so that a closed loop counts nowhere. With unknown fractions, the least (or
largest) value that any choice of them gives: a Markov decision process (Puterman 1994, Markov Decision Processes,
7.2), solved by value iteration from zero and then by policy iteration to the last digit.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from geo.lonlat import Bools, Floats, Ints

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Change of a value below which an iteration has converged, and difference of fractions that is rounding alone.
_CONVERGED = 1e-14
_ROUNDING = 1e-12
#: Difference of two gains up to which they are equal.
_TIE = 1e-10
#: Term of the power series that shares of up to 100 % never reach.
_DIVERGED = 1e3
#: Rounds of value iteration before policy iteration, and limit of the policies tried.
_VALUE_ROUNDS = 60
_MAX_POLICIES = 100
#: Systems of up to so many rows are solved densely; loops of up to so many rows directly.
_MAX_DENSE = 100
_MAX_DIRECT = 4000
_MAX_TERMS = 20_000


class AbsorbingChain:
    """A chain of rows, with a range of fractions for each edge.

    Parameters
    ----------
    start
        Shape (rows + 1,): the edges of row ``i`` are ``start[i]`` to ``start[i + 1]``.
    target
        Shape (edges,): the row that each edge leads to.
    low, high
        Shape (edges,): bounds of the fraction of each edge, from 0 to 1.
    alternative
        Shape (edges,): another row that each edge may lead to instead, if it is an edge of an open row and that gives
        the bound; ``None`` where each edge has its one row.

    Attributes
    ----------
    left
        Shape (rows,): the largest part that is absorbed in each row.
    open_rows
        Rows with an edge whose fraction is unknown and with a part left to give it.
    """

    def __init__(self, start: Ints, target: Ints, low: Floats, high: Floats, alternative: Ints | None = None) -> None:
        self.size = len(start) - 1
        self.start, self.target, self.low = start, target, low
        self._alternative = target if alternative is None else alternative
        self._has_one_target = np.array_equal(self._alternative, target)
        self.room = high - low
        self.row = np.repeat(np.arange(self.size), np.diff(start))
        self.left = remainder(self.row, low, self.size)
        total = np.bincount(self.row, self.room, self.size)
        self.open_rows = np.flatnonzero((total > 0) & (self.left > 0))
        self._is_roomy = bool((total <= self.left)[self.open_rows].all())

    @cached_property
    def matrix(self) -> csr_array | Floats:
        """The least fractions, shape (rows, rows)."""
        return self._matrix(self.low, self.target)

    def _matrix(self, shares: Floats, target: Ints) -> csr_array | Floats:
        """Return fractions as a matrix, dense where it is small; parallel edges are summed, as graphs of scipy need."""
        from scipy.sparse import csr_array

        if self.size <= _MAX_DENSE:
            dense = np.bincount(self.row * self.size + target, shares, self.size * self.size).astype(float)
            return dense.reshape(self.size, self.size)
        matrix = csr_array((shares.copy(), target.copy(), self.start.copy()), shape=(self.size, self.size))
        matrix.sum_duplicates()
        return matrix

    @cached_property
    def _open(self) -> tuple[Ints, Ints, Ints]:
        """Edges of the open rows, the position of each edge's row among the open rows, and the first edge of each."""
        edges, position = edges_of(self.start, self.open_rows)
        return edges, position, np.searchsorted(position, np.arange(len(self.open_rows)))

    def _solve(self, absorbed: Floats, sign: Floats) -> Floats:
        """Compute one bound of the value of each row, by column the least (sign -1) or the largest (+1)."""
        value = np.zeros_like(absorbed)
        for _ in range(_VALUE_ROUNDS):
            new = self._improved(value, absorbed, sign)
            settled = np.abs(new - value).max(initial=0.0) < _CONVERGED
            value = new
            if settled:  # without loops after as many rounds as there are steps upward
                return value
        columns = [
            self._policies(absorbed[:, [column]], value[:, [column]], sign[[column]])
            for column in range(absorbed.shape[1])
        ]
        return np.hstack(columns) if columns else value

    def bounds(self, absorbed: Floats) -> tuple[Floats, Floats]:
        """Find the least and the largest values of all rows; one array twice where no fraction is unknown.

        Parameters
        ----------
        absorbed
            Value of a walk that is absorbed in each row, one question a column, shape (rows, k).

        Returns
        -------
        tuple of Floats
            Lower and upper bounds, shape (rows, k) each.
        """
        if not len(self.open_rows):
            low = solve(self.matrix, self.left[:, None] * absorbed)
            return low, low
        questions = absorbed.shape[1]
        both = self._solve(np.hstack([absorbed, absorbed]), np.repeat([-1.0, 1.0], questions))
        return both[:, :questions], both[:, questions:]

    def bounds_of(self, row: int, absorbed: Floats) -> tuple[Floats, Floats]:
        """Find the least and the largest values of one row.

        Where no fraction is unknown, one linear system answers all k questions: the value is the sum, over the rows
        in which walks are absorbed, of the expected number of visits by a walk from the row (the fundamental matrix,
        Kemeny and Snell 1960, Finite Markov Chains, chapter 3).

        Parameters
        ----------
        row
            Number of the row.
        absorbed
            Value of a walk that is absorbed in each row, one question a column, shape (rows, k).

        Returns
        -------
        tuple of Floats
            Lower and upper bounds, shape (k,) each; one array twice where no fraction is unknown.
        """
        if len(self.open_rows):
            low, high = self.bounds(absorbed)
            return low[row], high[row]
        matrix = self.matrix
        if isinstance(matrix, np.ndarray):
            ends = np.flatnonzero(_leading(matrix, self.left > 0))  # a closed loop has no end
            above: csr_array | Floats = matrix[np.ix_(ends, ends)].T
        else:
            ends = np.flatnonzero(reaching(matrix, self.left > 0))
            above = matrix[ends][:, ends].T.tocsr()
        visits = solve(above, (ends == row)[:, None].astype(float))
        value: Floats = (visits[:, 0] * self.left[ends]) @ absorbed[ends]
        return value, value

    def _improved(self, value: Floats, absorbed: Floats, sign: Floats) -> Floats:
        """Return the values after one more round of value iteration."""
        new: Floats = self.matrix @ value + self.left[:, None] * absorbed
        edges, _, first = self._open
        ahead = self._ahead(value, sign)
        gained = self._allotted(ahead, absorbed, sign) * (ahead - absorbed[self.row[edges]])
        if not self._has_one_target:
            gained += self.low[edges][:, None] * (ahead - value[self.target[edges]])
        new[self.open_rows] += np.add.reduceat(gained, first, axis=0)
        return new

    def _leads_to(self, value: Floats, sign: Floats) -> Ints:
        """Return the row that each edge of the open rows leads to for the bounds of a value, shape (edges, k)."""
        edges = self._open[0]
        target, other = self.target[edges][:, None], self._alternative[edges][:, None]
        is_better = sign * (value[other[:, 0]] - value[target[:, 0]]) > _ROUNDING
        return np.where(is_better, other, target)

    def _ahead(self, value: Floats, sign: Floats) -> Floats:
        """Return the value of the row that each edge of the open rows leads to, shape (edges, k)."""
        if self._has_one_target:
            return value[self.target[self._open[0]]]
        return np.take_along_axis(value, self._leads_to(value, sign), axis=0)

    def _policies(self, absorbed: Floats, value: Floats, sign: Floats) -> Floats:
        """Improve the policy that a value suggests until no better one is found, and return its value.

        An edge gives way to a better one only, never to an equal one: in a nearly closed loop all values are equal, and
        to swap the edge by which shares leave it for one that stays inside would close it.
        """
        edges, position, _ = self._open
        present = np.zeros((len(edges), 1))
        for _ in range(_MAX_POLICIES):
            present = self._allotted(self._ahead(value, sign), absorbed, sign, present)
            allotted = present[:, 0]
            shares, rest, target = self.low.copy(), self.left.copy(), self.target.copy()
            target[edges] = self._leads_to(value, sign)[:, 0]
            shares[edges] += allotted
            rest[self.open_rows] -= np.bincount(position, allotted, len(self.open_rows))
            rest[rest < _ROUNDING] = 0.0  # a row given away to the last digit leaves nothing, not a rounding error
            new = solve(self._matrix(shares, target), rest[:, None] * absorbed)
            if np.abs(new - value).max(initial=0.0) < 1e-12:
                return new
            value = new
        return value

    def _allotted(self, ahead: Floats, absorbed: Floats, sign: Floats, present: Floats | None = None) -> Floats:
        """Return what each edge of the open rows gets beyond ``low`` by the values that they lead to, shape (edges, k).

        The part of a row that is left goes to the edges of the largest gain, up to their ``high``, until it is used up;
        of equal gains first to the edges that have most of their room at ``present``.
        """
        edges, position, first = self._open
        gain: Floats = sign * (ahead - absorbed[self.row[edges]])
        # A gain of rounding is none: to follow it could close a loop that nothing leaves.
        room = np.where(gain > _ROUNDING, self.room[edges][:, None], 0.0)
        if self._is_roomy:  # for all edges at once, so that none comes first
            return np.where(room < _ROUNDING, 0.0, room)
        preferred = gain
        if present is not None:
            width = self.room[edges][:, None]
            preferred = gain + _TIE * np.divide(present, width, out=np.zeros_like(present), where=width > 0)
        order = np.lexsort((-preferred, np.broadcast_to(position[:, None], gain.shape)), axis=0)
        room = np.take_along_axis(room, order, axis=0)
        taken = np.cumsum(room, axis=0) - room
        before = taken - taken[first][position]
        handed = np.clip(self.left[self.open_rows][position][:, None] - before, 0.0, room)
        allotted = np.zeros_like(gain)
        np.put_along_axis(allotted, order, np.where(handed < _ROUNDING, 0.0, handed), axis=0)
        return allotted


def edges_of(start: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Return the edges of some rows of a compressed graph.

    Parameters
    ----------
    start
        Shape (all rows + 1,): the edges of row ``i`` are ``start[i]`` to ``start[i + 1]``.
    rows
        Row numbers, shape (n,).

    Returns
    -------
    tuple of Ints
        The edge numbers, row after row, and the position in ``rows`` that each belongs to; both empty for no rows.
    """
    counts = start[rows + 1] - start[rows]
    position = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(position)) - np.repeat(np.cumsum(counts) - counts, counts)
    return start[rows][position] + within, position


def remainder(row: Ints, low: Floats, size: int) -> Floats:
    """Return the part of each row that the least fractions leave, shape (size,).

    Parameters
    ----------
    row, low
        Row and least fraction of each edge, shape (edges,).
    size
        Number of rows.

    Returns
    -------
    Floats
        From 0 to 1. Fractions that fill a row up to rounding leave 0.
    """
    left = 1 - np.bincount(row, low, size).astype(float)
    return np.where(left < _ROUNDING, 0.0, left)


def solve(matrix: csr_array | Floats, constant: Floats) -> Floats:
    """Find the least non-negative solution of ``x = matrix x + constant``.

    Parameters
    ----------
    matrix
        Non-negative, shape (n, n).
    constant
        Non-negative, shape (n, k).

    Returns
    -------
    Floats
        Shape (n, k). Rows from which no row with a positive constant can be reached are 0.
    """
    if isinstance(matrix, np.ndarray):
        return _dense(matrix, constant)
    if matrix.shape[0] <= _MAX_DENSE:
        return _dense(matrix.toarray(), constant)
    return OrderedSystem(matrix).solve(constant)


class OrderedSystem:
    """A matrix in topological order of its strong components, to be solved once or often.

    The rows above all loops are solved by substitution, then the loops, then the rows below them.
    """

    def __init__(self, matrix: csr_array) -> None:
        from scipy.sparse.csgraph import connected_components

        size = matrix.shape[0]
        _, label = connected_components(matrix, directed=True, connection="strong")
        looped = label[(np.bincount(label)[label] > 1) | (matrix.diagonal() > 0)]
        self.order = np.argsort(label, kind="stable")
        ranks = label[self.order]
        first = int(np.searchsorted(ranks, looped.min(initial=size), "left"))
        last = int(np.searchsorted(ranks, looped.max(initial=-1), "right")) if len(looped) else first
        matrix = _reordered(matrix, self.order)
        self._parts = [
            (slice(begin, end), matrix[begin:end, :begin], matrix[begin:end, begin:end], method)
            for begin, end, method in ((0, first, _substitute), (first, last, _loops), (last, size, _substitute))
            if end > begin
        ]

    def solve(self, constant: Floats) -> Floats:
        """Find the least non-negative solution of ``x = matrix x + constant``.

        Parameters
        ----------
        constant
            Non-negative, one right-hand side a column, shape (rows, k).

        Returns
        -------
        Floats
            Shape (rows, k).
        """
        value = constant[self.order]
        for rows, before, within, method in self._parts:
            if before.nnz:
                value[rows] += before @ value[: rows.start]
            value[rows] = method(within, value[rows])
        result = np.empty_like(value)
        result[self.order] = value
        return result


def _reordered(matrix: csr_array, order: Ints) -> csr_array:
    """Return a matrix with rows and columns in another order."""
    from scipy.sparse import csr_array

    rank = np.empty(len(order), matrix.indices.dtype)
    rank[order] = np.arange(len(order))
    rows = matrix[order]
    return csr_array((rows.data, rank[rows.indices], rows.indptr), shape=matrix.shape)


def _dense(matrix: Floats, constant: Floats) -> Floats:
    """Solve as ``solve`` does, densely: for few rows, where graph algorithms cost more than arithmetic."""
    value = np.zeros_like(constant)
    counting: Bools = np.asarray((constant > 0).any(axis=1), bool)
    alive = _leading(matrix, counting)
    system = np.eye(int(alive.sum())) - matrix[np.ix_(alive, alive)]
    try:
        value[alive] = np.linalg.solve(system, constant[alive])
    except np.linalg.LinAlgError:  # loops of known shares of 100 % and more have no value
        value[alive] = constant[alive]
    return value


def _leading(matrix: Floats, targets: Bools) -> Bools:
    """Mark the rows that are targets or lead to one, as `reaching` does, in a dense matrix."""
    present, marked, count = matrix > 0, targets, np.count_nonzero(targets)
    while True:
        marked = marked | present[:, marked].any(axis=1)
        if (more := np.count_nonzero(marked)) == count:
            return marked
        count = more


def reaching(matrix: csr_array, targets: Bools) -> Bools:
    """Mark the rows that are targets or lead to one over entries above 0.

    Parameters
    ----------
    matrix
        Edges from rows to columns, shape (n, n).
    targets
        Mask of shape (n,).

    Returns
    -------
    Bools
        Shape (n,); a copy of ``targets`` where all or none are marked.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    size = matrix.shape[0]
    if targets.all() or not targets.any():
        return targets.copy()
    sources = np.flatnonzero(targets)
    coo = matrix.tocoo()
    used = coo.data > 0
    above = np.concatenate([coo.col[used], np.full(len(sources), size)])
    below = np.concatenate([coo.row[used], sources])
    back = csr_array((np.ones(len(above), np.int8), (above, below)), shape=(size + 1, size + 1))
    reached = np.zeros(size + 1, bool)
    reached[breadth_first_order(back, size, return_predecessors=False)] = True
    return reached[:size]


def _substitute(matrix: csr_array, constant: Floats) -> Floats:
    """Solve as ``solve`` does for a strictly lower triangular matrix."""
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import spsolve_triangular

    if not matrix.nnz:
        return constant
    lower = (eye_array(matrix.shape[0], format="csr") - matrix).tocsr()
    result: Floats = spsolve_triangular(lower, constant, lower=True, unit_diagonal=True)
    return result


def _loops(matrix: csr_array, constant: Floats) -> Floats:
    """Solve as ``solve`` does for loops: directly where they are small, else by the power series.

    The series (Neumann) converges as shares leave the loops. Loops in which known shares of more than 100 % circle
    have no value; the series is cut where it passes all bounds.
    """
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import splu

    alive = reaching(matrix, np.asarray((constant > 0).any(axis=1)))
    if not alive.all():
        value = np.zeros_like(constant)
        value[alive] = _loops(matrix[alive][:, alive], constant[alive]) if alive.any() else 0.0
        return value
    if matrix.shape[0] <= _MAX_DIRECT:
        try:
            result: Floats = splu((eye_array(matrix.shape[0]) - matrix).tocsc()).solve(constant)
            return result
        except RuntimeError:  # exactly singular
            pass
    value = term = constant
    for _ in range(_MAX_TERMS):
        term = matrix @ term
        value = value + term
        largest = np.abs(term).max(initial=0.0)
        if largest < _CONVERGED or largest > _DIVERGED:
            break
    return value
