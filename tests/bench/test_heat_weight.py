"""The weight that heat deserves, on reports of which it is known."""

from __future__ import annotations

import numpy as np
import pytest

from bench.heat_weight import BOUND, WitnessedReport, fit, of_matches, standard_error
from bench.matching_quality import Label
from layers.matching.match import nested_probabilities
from layers.model.messages import Message
from layers.model.records import Match, MatchReason, Strike


def drawn(weight: float, count: int = 500) -> list[WitnessedReport]:
    """Reports whose answers were drawn by a weight, on five candidates each."""
    rng = np.random.default_rng(5)
    reports = []
    for number in range(count):
        log_odds, surprise = rng.normal(-1, 2, 5), rng.choice([0.0, 0.0, 3.0], 5)
        odds = np.exp([0.0, *(log_odds + weight * surprise)])
        answer = rng.choice(6, p=odds / odds.sum())
        reports.append(WitnessedReport(f"e{number // 2}", log_odds, surprise, np.arange(1, 6) == answer))
    return reports


@pytest.mark.parametrize("weight", [-0.5, 0.0, 0.8])
def test_the_weight_that_answers_were_drawn_by_is_found(weight: float) -> None:
    reports = drawn(weight)
    error = standard_error(reports[:100], rounds=5)
    assert fit(reports) == pytest.approx(weight, abs=0.2)
    assert 0.01 < error < 0.5


@pytest.mark.parametrize("dissimilarity", [1.0, 0.5])
def test_the_weight_is_fitted_by_the_probabilities_of_the_matcher(dissimilarity: float) -> None:
    rng, reports = np.random.default_rng(6), []
    for number in range(500):
        log_odds, surprise = rng.normal(-1, 2, 5), rng.choice([0.0, 0.0, 3.0], 5)
        each, none = nested_probabilities(np.zeros(5, np.int64), log_odds + 0.8 * surprise, 1, dissimilarity)
        answer = rng.choice(6, p=[none[0], *each])
        reports.append(WitnessedReport(f"e{number}", log_odds, surprise, np.arange(1, 6) == answer))
    assert fit(reports, dissimilarity) == pytest.approx(0.8, abs=0.15)


def test_without_heat_there_is_no_weight_and_with_one_report_only_a_bound() -> None:
    (report,) = drawn(0.8, 1)
    assert fit([WitnessedReport("e", report.log_odds, np.zeros(5), report.right)]) == 0
    sure = WitnessedReport("e", np.zeros(2), np.array([3.0, 0]), np.array([True, False]))
    assert BOUND - 0.1 < fit([sure]) <= BOUND


def test_a_match_is_taken_apart() -> None:
    def match(asset: str | None, *reasons: tuple[str, float, float]) -> Match:
        given = [MatchReason(name=n, value=v, weight=w, detail=Message("matching.prior")) for n, v, w in reasons]
        return Match(strike="s", asset=asset, probability=0.3, reasons=tuple(given))

    strike = Strike(id="s", title="T", when="2025", place="P", status="reported", sources=("x",), checked="read")
    label = Label("1", "facts", strike, frozenset({"b"}), "e")
    matches = [match("a", ("name", 1, 3.2)), match(None), match("b", ("prior", 1, -1.0), ("heat", 2.5, 0.0))]
    report = of_matches(label, matches)
    assert report.log_odds.tolist() == [3.2, -1.0]
    assert report.surprise.tolist() == [0, 2.5]
    assert report.right.tolist() == [False, True]
