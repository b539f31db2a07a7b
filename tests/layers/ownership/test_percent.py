"""How shares are written: no digits that no source states, and never nothing for a little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.ownership.percent import MEAN_DIGITS, SITE_DIGITS, digits_of, interval_text, percent_text
from layers.ownership.walk import Interval


@pytest.mark.parametrize(
    ("low", "high", "sites", "said"),
    [
        (100.00000001, 100, 1, "100"),
        (47.325, 47.325, 1, "47.33"),
        (78.55, 78.55, 1, "78.55"),
        (0, 1 / 3, 1, "0-0.33"),
        (46.4841, 46.4849, 1, "46.48"),
        (45.3333, 78.6667, 3, "45-79"),
        (68, 68, 2, "68"),
        (0.5, 1.5, 2, "1-2"),
        (0.004, 99.996, 1, "0.004-99.996"),
        (0.4, 99.6, 2, "0.4-99.6"),
        (99.96, 100, 2, "99.96-100"),
        (0.00001, 99.99999, 1, "0-100"),
        (0, 100, 3, "0-100"),
    ],
)
def test_a_share_is_written_with_the_digits_that_it_has(low: float, high: float, sites: int, said: str) -> None:
    assert interval_text(Interval(low, high), digits_of(sites)) == said


@given(st.floats(0, 100), st.sampled_from((SITE_DIGITS, MEAN_DIGITS)))
def test_a_written_share_is_near_and_no_false_end(share: float, digits: int) -> None:
    said = float(percent_text(share, digits))
    assert abs(said - share) <= 0.5 * 10**-digits + 1e-9
    assert said not in (0, 100) or abs(said - share) <= 5e-5


@given(st.floats(0, 100), st.floats(0, 100), st.sampled_from((SITE_DIGITS, MEAN_DIGITS)))
def test_a_range_is_written_with_its_lower_end_first(one: float, other: float, digits: int) -> None:
    low, high = sorted((one, other))
    ends = [float(end) for end in interval_text(Interval(low, high), digits).split("-")]
    assert ends == sorted(ends)


def test_nothing_has_no_sign_whichever_zero_is_written_first() -> None:
    assert {percent_text(share, 3) for share in (-0.0, 0.0, 0)} == {"0"}
