"""Probabilities of candidates and of "none of these" from log odds, and weights fitted by them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.calibration import FITTED, JudgedStrike, fit, probabilities
from layers.matching import weights
from layers.matching.match import nested_probabilities
from layers.matching.weights import MatchWeights

LOG_ODDS = st.lists(st.floats(-30, 30), max_size=6)
DISSIMILARITY = st.floats(0.1, 1.0)


def of_one(log_odds: list[float], dissimilarity: float) -> tuple[list[float], float]:
    each, none = nested_probabilities(np.zeros(len(log_odds), np.int64), np.array(log_odds), 1, dissimilarity)
    return each.tolist(), float(none[0])


@given(LOG_ODDS, DISSIMILARITY)
def test_probabilities_add_up_to_1_and_keep_the_order(log_odds: list[float], dissimilarity: float) -> None:
    each, none = of_one(log_odds, dissimilarity)
    assert sum(each) + none == pytest.approx(1)
    assert [round(each[at], 12) for at in np.argsort(log_odds)] == sorted(round(p, 12) for p in each)


@given(LOG_ODDS)
def test_with_1_it_is_a_conditional_logit(log_odds: list[float]) -> None:
    odds = np.exp(log_odds)
    each, none = of_one(log_odds, 1.0)
    assert each == pytest.approx(odds / (1 + odds.sum()))
    assert none == pytest.approx(1 / (1 + odds.sum()))


@given(st.floats(-30, 30), DISSIMILARITY)
def test_the_odds_of_a_candidate_that_is_alone_are_its_own(log_odds: float, dissimilarity: float) -> None:
    assert of_one([log_odds], dissimilarity)[0] == pytest.approx([1 / (1 + np.exp(-log_odds))])


def test_like_candidates_are_hardly_likelier_together_than_one_if_they_share_what_is_not_measured() -> None:
    alone, none = of_one([1.0], 0.1)
    together, less = of_one([1.0, 1.0], 0.1)
    assert together[0] == together[1] < alone[0]
    assert none * 0.9 < less < none


def test_strikes_are_apart_and_one_without_candidates_has_none_of_these() -> None:
    each, none = nested_probabilities(np.array([0, 2, 2]), np.array([2.0, 2.0, -800.0]), 3, 0.5)
    assert each[0] == each[1]
    assert none[0] == none[2]
    assert (each[2], none[1]) == (0.0, 1.0)


def test_the_dissimilarity_that_answers_were_drawn_by_is_found() -> None:
    rng = np.random.default_rng(15)
    weighed = MappingProxyType({name: {"name": 3.0, "whole-name": 2.0}.get(name, 0.0) for name in FITTED})
    known = MatchWeights(weighed, dissimilarity=0.5)
    judged = []
    for _ in range(1500):
        columns = np.zeros((5, len(FITTED)))
        for name, low in (("name", -1.5), ("whole-name", -1.0)):
            columns[:, FITTED.index(name)] = rng.uniform(low, 1, 5)
        each, none = probabilities(JudgedStrike(columns, np.zeros(5, bool), site=True), known)
        judged.append(JudgedStrike(columns, np.arange(5) == rng.choice(6, p=[*each, none]), site=True))
    start = MatchWeights(MappingProxyType(dict.fromkeys(FITTED, 0.0)))
    found = fit(judged, start, strength=1e-6)
    assert found.dissimilarity == pytest.approx(0.5, abs=0.1)
    assert (found["name"], found["whole-name"]) == (pytest.approx(3, abs=0.3), pytest.approx(2, abs=0.3))


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = replace(weights.read(), dissimilarity=0.25, errors=MappingProxyType({"name": 0.5, "dissimilarity": 0.12}))
    (tmp_path / "weights.toml").write_text(weights.dumps(table), encoding="utf-8")
    assert weights.read(tmp_path / "weights.toml") == table
