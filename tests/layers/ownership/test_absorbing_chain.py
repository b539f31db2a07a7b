"""The sparse solution equals the dense one, and both are the least non-negative fixed point."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from layers.ownership import absorbing_chain


def chain(rng: np.random.Generator) -> tuple[csr_array, absorbing_chain.Floats]:
    """Random shares, with rows that keep nothing and loops that nothing leaves."""
    size = int(rng.integers(2, 40))
    shares = np.where(rng.random((size, size)) < 0.12, rng.random((size, size)), 0.0)
    total = shares.sum(axis=1, keepdims=True)
    shares *= rng.choice([0.5, 0.9, 1.0], (size, 1)) / np.where(total > 0, total, 1)
    left = 1 - shares.sum(axis=1, keepdims=True)
    left[left < 1e-12] = 0.0
    return csr_array(shares), left * (rng.random((size, 3)) < 0.5)


@pytest.mark.parametrize("seed", range(40))
def test_by_parts_equals_densely_and_the_series(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    matrix, kept = chain(np.random.default_rng(seed))
    densely = absorbing_chain.solve(matrix, kept)
    monkeypatch.setattr(absorbing_chain, "_MAX_DENSE", 0)
    by_parts = absorbing_chain.solve(matrix, kept)
    monkeypatch.setattr(absorbing_chain, "_MAX_DIRECT", 0)
    by_series = absorbing_chain.solve(matrix, kept)
    value, power = kept, matrix.toarray()
    for _ in range(15):  # doubles how many terms of the series are summed, to 32,768
        value, power = value + power @ value, power @ power
    assert densely == pytest.approx(value, abs=1e-8)
    assert by_parts == pytest.approx(value, abs=1e-8)
    assert by_series == pytest.approx(value, abs=1e-8)


def test_two_edges_between_the_same_rows_are_one() -> None:
    start, target = np.array([0, 2, 3, 3]), np.array([1, 1, 0])
    low = np.array([0.3, 0.2, 0.5])
    system = absorbing_chain.AbsorbingChain(start, target, low, low)
    value, _ = system.bounds(np.array([[1.0], [0.0], [0.0]]))
    assert value[0, 0] == pytest.approx(0.5 / (1 - 0.5 * 0.5))
    assert (target == [1, 1, 0]).all()
    assert (low == [0.3, 0.2, 0.5]).all()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dense", [0, 100])
@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.long), 4])
def test_one_row_alone_equals_that_row_of_all(
    monkeypatch: pytest.MonkeyPatch, seed: int, dense: int, step: int
) -> None:
    monkeypatch.setattr(absorbing_chain, "_MAX_DENSE", dense)
    rng = np.random.default_rng(seed)
    matrix, _ = chain(rng)
    start, target = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
    high = matrix.data + (rng.random(matrix.nnz) < 0.05 * (seed % 2)) * 0.2
    system = absorbing_chain.AbsorbingChain(start, target, matrix.data, high)
    stay = (rng.random((system.size, 4)) < 0.5).astype(float)
    low, high = system.bounds(stay)
    for row in range(seed % step, system.size, step):
        least, most = system.bounds_of(row, stay)
        assert least == pytest.approx(low[row], abs=1e-9)
        assert most == pytest.approx(high[row], abs=1e-9)


@pytest.mark.parametrize("dense", [0, 100])
def test_a_loop_that_is_full_but_for_the_last_digit_leaves_nothing(monkeypatch: pytest.MonkeyPatch, dense: int) -> None:
    """0.7 + 0.2 + 0.1 is less than 1 by rounding; what circles there ends nowhere."""
    monkeypatch.setattr(absorbing_chain, "_MAX_DENSE", dense)
    low = np.array([0.7, 0.2, 0.1, 1.0, 1.0, 1.0])
    system = absorbing_chain.AbsorbingChain(np.array([0, 3, 4, 5, 6]), np.array([1, 2, 3, 0, 0, 0]), low, low)
    stay = np.ones((4, 1))
    assert system.bounds(stay)[1].tolist() == [[0.0]] * 4
    assert system.bounds_of(0, stay)[0].tolist() == [0.0]


def test_equal_gains_do_not_close_a_loop_by_which_shares_leave_it() -> None:
    """Row 0 belongs to row 1 by 90 %, and the rest to row 1 or to row 2, which alone leads to an owner."""
    start, target = np.array([0, 2, 3, 3]), np.array([1, 2, 0])
    system = absorbing_chain.AbsorbingChain(start, target, np.array([0.9, 0.0, 1.0]), np.array([1.0, 0.1, 1.0]))
    low, high = system.bounds(np.array([[0.0], [0.0], [1.0]]))
    assert high[:, 0] == pytest.approx([1, 1, 1])
    assert low[:, 0] == pytest.approx([0, 0, 1])


@pytest.mark.parametrize("seed", range(16))
def test_bounds_of_nearly_closed_loops_equal_value_iteration(seed: int) -> None:
    """Whole percentages, most rows full or nearly so: gains are equal often."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(3, 7))
    joined = rng.random((size, size)) < 0.5
    low = np.where(joined, rng.integers(0, 50, (size, size)), 0) * rng.choice([0, 1, 2], (size, 1))
    low = np.minimum(low, 100) * np.minimum(1, 100 / np.maximum(low.sum(axis=1, keepdims=True), 1))
    low = np.floor(low)
    high = np.where(joined, np.minimum(100, low + rng.choice([0, 0, 10, 60], (size, size))), 0)
    row, column = np.nonzero(joined)
    start = np.searchsorted(row, np.arange(size + 1))
    system = absorbing_chain.AbsorbingChain(start, column, low[row, column] / 100, high[row, column] / 100)
    absorbed = (rng.random((size, 1)) < 0.4).astype(float)
    for found, sign in zip(system.bounds(absorbed), (-1, 1), strict=True):
        value = np.zeros(size)
        for _ in range(2500):
            before = value
            value = np.array([best_of(value, low[at], high[at], absorbed[at, 0], sign) for at in range(size)])
            if (value == before).all():
                break
        assert found[:, 0] == pytest.approx(value, abs=1e-6)


def best_of(value: np.ndarray, low: np.ndarray, high: np.ndarray, absorbed: float, sign: int) -> float:
    """The least or largest value of one row when its remainder, in percent, goes to the best edges first."""
    left, total = 100 - low.sum(), float(low @ value)
    for edge in np.argsort(-sign * value, kind="stable"):
        if left > 0 and sign * (value[edge] - absorbed) > 0:
            given = min(left, high[edge] - low[edge])
            left, total = left - given, total + given * value[edge]
    return (total + max(left, 0) * absorbed) / 100
