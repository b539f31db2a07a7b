"""Record linkage: tokens in common, blocks, unions of pairs, and what is measured and left out."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.resolution.linkage import Columns, Comparison, Pairs, TokenSets, compare, fixed, ones

SETS = st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), max_size=8)
ENDS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.none() | st.floats(0, 9)), min_size=1)


class Plain(Columns):
    """Columns without a preference."""

    def preference(self, row: int) -> tuple[object, ...]:
        return (row,)


def table(rows: int) -> Plain:
    codes = np.zeros(rows, np.int64)
    return Plain([str(row) for row in range(rows)], {}, codes, codes, np.full(rows, None), np.full(rows, np.nan))


@given(SETS)
def test_what_two_records_have_in_common(rows: list[list[str]]) -> None:
    tokens = TokenSets.of(rows)
    pairs = list(combinations(range(len(rows)), 2))
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    common = [set(rows[one]) & set(rows[other]) for one, other in pairs]
    assert [tokens.common(*pair) for pair in pairs] == common
    assert tokens.shared(left, right).tolist() == [len(one) for one in common]
    weight = np.arange(1.0, tokens.matrix.shape[1] + 1)
    value = dict(zip(tokens.tokens, weight.tolist(), strict=False))
    assert tokens.shared(left, right, weight).tolist() == [sum(value[token] for token in one) for one in common]


@given(SETS, st.integers(1, 4), st.data())
def test_a_block_has_the_pairs_of_a_token_that_few_have(rows: list[list[str]], most: int, data: st.DataObject) -> None:
    chosen = sorted(data.draw(st.sets(st.integers(0, len(rows) - 1)))) if rows else []
    tokens = TokenSets.of(rows)
    for of, found in (
        (range(len(rows)), tokens.block(most)),
        (chosen, tokens.block(most, np.array(chosen, np.int64))),
    ):
        few = {token for token in "abcdef" if sum(token in rows[row] for row in of) <= most}
        wanted = {(one, other) for one, other in combinations(of, 2) if set(rows[one]) & set(rows[other]) & few}
        assert set(zip(*(side.tolist() for side in found), strict=True)) == wanted


@given(ENDS)
def test_a_union_has_each_pair_once_with_its_distance_if_one_block_knows_it(ends: list[Any]) -> None:
    blocks = [
        (np.array([one]), np.array([other])) if metres is None else (np.array([one]), np.array([other]), [metres])
        for one, other, metres in ends
    ]
    found = Pairs.union(table(5), blocks)  # type: ignore[arg-type]
    nearest: dict[tuple[int, int], float] = {}
    for one, other, metres in ends:
        pair = min(one, other), max(one, other)
        if one != other:
            nearest[pair] = min(nearest.get(pair, np.inf), np.inf if metres is None else metres)
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == sorted(nearest)
    assert found.distance_m.tolist() == pytest.approx(
        [np.nan if nearest[pair] == np.inf else nearest[pair] for pair in sorted(nearest)], nan_ok=True
    )


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 2)), min_size=1), st.floats(0.01, 0.99))
def test_slow_comparisons_leave_out_only_what_cannot_reach_the_least_probability(
    values: list[tuple[int, float]], least: float
) -> None:
    quick, slow = (np.array(column, np.float64) for column in zip(*values, strict=True))

    def comparisons(stage: int) -> tuple[Comparison[Pairs[Plain]], ...]:
        return (
            Comparison("prior", -1.0, ones, fixed("prior")),
            Comparison("slow", 1.5, lambda p: slow[p.left], fixed("prior"), most=2.0, slow=stage),
            Comparison("quick", -3.0, lambda p: quick[p.left], fixed("prior")),
        )

    rows = np.arange(len(values))
    every = Pairs(table(len(values) + 1), rows, rows + 1, np.full(len(values), np.nan))
    at_once, staged = (compare(every, comparisons(stage), least) for stage in (0, 1))
    assert list(staged.evidence) == ["prior", "slow", "quick"]
    wanted = at_once.probability >= least
    assert set(rows[wanted]) <= set(staged.pairs.left)
    assert (2 - 3 * quick[staged.pairs.left] >= np.log(least / (1 - least)) - 1e-9).all()
    assert staged.probability.tolist() == at_once.probability[staged.pairs.left].tolist()
    assert at_once.probability == pytest.approx(1 / (1 + np.exp(1 - 1.5 * slow + 3 * quick)))
