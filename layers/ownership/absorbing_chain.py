"""Where a walk ends: values of an absorbing Markov chain whose steps are shares, or the best of them where unknown.

A system has rows (what is owned) and edges (stakes) to other rows, each taking a fraction from ``low`` to ``high``;
what is left of a row stays there and counts with its ``stay``. The value of a row is what it keeps plus its shares of
the values above it; of all solutions the least non-negative one, so that what only circles counts nowhere. With
unknown fractions, the least (or largest) value that any choice of them gives: a Markov decision process (Puterman
1994, 7.2), solved by value iteration from zero and then policy by policy to the last digit.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.sparse.linalg import splu, spsolve_triangular

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_CONVERGED = 1e-14
_ROUNDING = 1e-12
#: A term of the series that no shares of up to 100 % give.
_BEYOND = 1e3
#: Rounds of value iteration before policies are solved, and most policies tried.
_ROUNDS = 60
_POLICIES = 100
#: Systems of up to so many rows are solved densely; loops of up to so many directly.
_DENSE = 100
_DIRECT = 4000
_SERIES_ROUNDS = 20_000


class System:
    """Rows and edges; ``start`` gives the first edge of each row and one past the last."""

    def __init__(self, start: Ints, target: Ints, low: Floats, high: Floats) -> None:
        self.size = len(start) - 1
        self.start, self.target, self.low = start, target, low
        self.room = high - low
        self.row = np.repeat(np.arange(self.size), np.diff(start))
        self.left = remainder(self.row, low, self.size)
        total = np.bincount(self.row, self.room, self.size)
        self.open_rows = np.flatnonzero((total > 0) & (self.left > 0))

    @cached_property
    def matrix(self) -> csr_array:
        """The least fractions."""
        return self._matrix(self.low)

    def _matrix(self, shares: Floats) -> csr_array:
        """Shares as a matrix; two edges between the same rows are one, as graph algorithms need it."""
        matrix = csr_array((shares.copy(), self.target.copy(), self.start.copy()), shape=(self.size, self.size))
        matrix.sum_duplicates()
        return matrix

    @cached_property
    def _open(self) -> tuple[Ints, Ints, Ints]:
        """Edges of the open rows, for each the place of its row among them, and the first of each row."""
        edges, place = spread(self.start, self.open_rows)
        return edges, place, np.searchsorted(place, np.arange(len(self.open_rows)))

    def solve(self, stay: Floats, sign: float) -> Floats:
        """Value of each row (and column of ``stay``), least for a negative ``sign``, largest for a positive one."""
        if not len(self.open_rows):
            return solve(self.matrix, self.left[:, None] * stay)
        value = np.zeros_like(stay)
        for _ in range(_ROUNDS):
            new = self._improved(value, stay, sign)
            settled = np.abs(new - value).max(initial=0.0) < _CONVERGED
            value = new
            if settled:  # without loops after as many rounds as there are steps upward
                return value
        columns = [self._policies(stay[:, [column]], value[:, [column]], sign) for column in range(stay.shape[1])]
        return np.hstack(columns) if columns else value

    def bounds(self, stay: Floats) -> tuple[Floats, Floats]:
        """Least and largest value of each row and column; the same array where no fraction is open."""
        low = self.solve(stay, -1.0)
        return low, self.solve(stay, +1.0) if len(self.open_rows) else low

    def bounds_of(self, row: int, stay: Floats) -> tuple[Floats, Floats]:
        """Least and largest value of one row, for each column; where no fraction is open, by one solution for all.

        Then the value is the sum, over the rows where walks end, of how often a walk from the row passes there.
        """
        if len(self.open_rows):
            low, high = self.bounds(stay)
            return low[row], high[row]
        ends = np.flatnonzero(reaching(self.matrix, self.left > 0))  # what only circles ends nowhere
        passes = solve(self.matrix[ends][:, ends].T.tocsr(), (ends == row)[:, None].astype(float))
        value: Floats = (passes[:, 0] * self.left[ends]) @ stay[ends]
        return value, value

    def _improved(self, value: Floats, stay: Floats, sign: float) -> Floats:
        """One round of value iteration."""
        new: Floats = self.matrix @ value + self.left[:, None] * stay
        edges, _, first = self._open
        gained = self._given(value, stay, sign) * (value[self.target[edges]] - stay[self.row[edges]])
        new[self.open_rows] += np.add.reduceat(gained, first, axis=0)
        return new

    def _policies(self, stay: Floats, value: Floats, sign: float) -> Floats:
        """Solve the policy that a value suggests, and the one that its value suggests, until none is better."""
        edges, place, _ = self._open
        for _ in range(_POLICIES):
            given = self._given(value, stay, sign)[:, 0]
            shares, rest = self.low.copy(), self.left.copy()
            shares[edges] += given
            rest[self.open_rows] -= np.bincount(place, given, len(self.open_rows))
            rest[rest < _ROUNDING] = 0.0  # what is handed out to the last digit leaves nothing, not a rounding error
            new = solve(self._matrix(shares), rest[:, None] * stay)
            if np.abs(new - value).max(initial=0.0) < 1e-12:
                return new
            value = new
        return value

    def _given(self, value: Floats, stay: Floats, sign: float) -> Floats:
        """What each edge of the open rows gets of its room, a column: largest gains first, till nothing is left."""
        edges, place, first = self._open
        gain = sign * (value[self.target[edges]] - stay[self.row[edges]])
        order = np.argsort(-gain, axis=0, kind="stable")
        order = np.take_along_axis(order, np.argsort(place[order], axis=0, kind="stable"), axis=0)
        # A gain of rounding is none: to follow it could close a loop that nothing leaves.
        room = np.take_along_axis(np.where(gain > _ROUNDING, self.room[edges][:, None], 0.0), order, axis=0)
        taken = np.cumsum(room, axis=0) - room
        before = taken - taken[first][place]
        handed = np.clip(self.left[self.open_rows][place][:, None] - before, 0.0, room)
        given = np.zeros_like(gain)
        np.put_along_axis(given, order, np.where(handed < _ROUNDING, 0.0, handed), axis=0)
        return given


def spread(start: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Edges of some rows, and for each the place of its row among them."""
    counts = start[rows + 1] - start[rows]
    place = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
    return start[rows][place] + within, place


def remainder(row: Ints, low: Floats, size: int) -> Floats:
    """What stays of each row after least fractions; shares that fill a row to the last digit leave nothing."""
    left = 1 - np.bincount(row, low, size).astype(float)
    return np.where(left < _ROUNDING, 0.0, left)


def solve(matrix: csr_array, kept: Floats) -> Floats:
    """Least non-negative solution of x = matrix x + kept, for each column."""
    return _dense(matrix.toarray(), kept) if matrix.shape[0] <= _DENSE else Ordered(matrix).solve(kept)


class Ordered:
    """A matrix whose rows are in topological order of their strong components, to be solved once or often.

    What stands above all loops is solved by substitution, then the loops, then what stands below them.
    """

    def __init__(self, matrix: csr_array) -> None:
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

    def solve(self, kept: Floats) -> Floats:
        """Least non-negative solution of x = matrix x + kept, for each column."""
        known = kept[self.order]
        for rows, before, within, method in self._parts:
            if before.nnz:
                known[rows] += before @ known[: rows.start]
            known[rows] = method(within, known[rows])
        value = np.empty_like(known)
        value[self.order] = known
        return value


def _reordered(matrix: csr_array, order: Ints) -> csr_array:
    """Rows and columns in another order."""
    rank = np.empty(len(order), matrix.indices.dtype)
    rank[order] = np.arange(len(order))
    rows = matrix[order]
    return csr_array((rows.data, rank[rows.indices], rows.indptr), shape=matrix.shape)


def _dense(matrix: Floats, kept: Floats) -> Floats:
    """The same for few rows, where graphs cost more than numbers."""
    value = np.zeros_like(kept)
    alive = (kept > 0).any(axis=1)
    while (more := alive | (matrix[:, alive] > 0).any(axis=1)).sum() > alive.sum():
        alive = more
    system = np.eye(int(alive.sum())) - matrix[np.ix_(alive, alive)]
    try:
        value[alive] = np.linalg.solve(system, kept[alive])
    except np.linalg.LinAlgError:  # loops of known shares of 100 % and more have no value
        value[alive] = kept[alive]
    return value


def reaching(matrix: csr_array, some: Bools) -> Bools:
    """Rows that are, or from which by shares above 0 one can reach, one of some rows."""
    size = matrix.shape[0]
    if some.all() or not some.any():
        return some.copy()
    sources = np.flatnonzero(some)
    coo = matrix.tocoo()
    used = coo.data > 0
    above = np.concatenate([coo.col[used], np.full(len(sources), size)])
    below = np.concatenate([coo.row[used], sources])
    back = csr_array((np.ones(len(above), np.int8), (above, below)), shape=(size + 1, size + 1))
    reached = np.zeros(size + 1, bool)
    reached[breadth_first_order(back, size, return_predecessors=False)] = True
    return reached[:size]


def _substitute(matrix: csr_array, kept: Floats) -> Floats:
    if not matrix.nnz:
        return kept
    lower = (eye_array(matrix.shape[0], format="csr") - matrix).tocsr()
    result: Floats = spsolve_triangular(lower, kept, lower=True, unit_diagonal=True)
    return result


def _loops(matrix: csr_array, kept: Floats) -> Floats:
    """Directly where the loops are small, else by the power series, which converges as shares leave them.

    Rows from which nothing that is kept can be reached are 0. Loops in which known shares of more than 100 % circle
    have no value; the series is cut where it passes all bounds.
    """
    alive = reaching(matrix, np.asarray((kept > 0).any(axis=1)))
    if not alive.all():
        value = np.zeros_like(kept)
        value[alive] = _loops(matrix[alive][:, alive], kept[alive]) if alive.any() else 0.0
        return value
    if matrix.shape[0] <= _DIRECT:
        try:
            result: Floats = splu((eye_array(matrix.shape[0]) - matrix).tocsc()).solve(kept)
            return result
        except RuntimeError:  # exactly singular
            pass
    value = term = kept
    for _ in range(_SERIES_ROUNDS):
        term = matrix @ term
        value = value + term
        largest = np.abs(term).max(initial=0.0)
        if largest < _CONVERGED or largest > _BEYOND:
            break
    return value
