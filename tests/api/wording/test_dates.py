"""Dates in words say no more than they do: no month is printed as days, and open ends are said."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.wording.dates import date_in_words, span_in_words
from layers.model import edtf
from tests.conftest import ROOT

#: Dates and their words, in Python as on the page (tests/browser/test_page.py).
CASES = json.loads((ROOT / "tests" / "data" / "dates_in_words.json").read_text(encoding="utf-8"))
SINGLE = st.builds(
    lambda day, parts, sign: "-".join(day.isoformat().split("-")[:parts]) + sign,
    st.dates(),
    st.integers(1, 3),
    st.sampled_from(("", "", "~", "?", "%")),
)
OPEN = st.sampled_from(("", ".."))
DATES = st.one_of(SINGLE, st.tuples(SINGLE, OPEN).map("/".join), st.tuples(OPEN, SINGLE).map("/".join))


@pytest.mark.parametrize(("stated", "said"), CASES)
def test_dates_say_no_more_than_the_source(stated: str, said: str) -> None:
    assert date_in_words(stated) == said


def test_a_date_that_is_not_stated_is_not_known() -> None:
    assert date_in_words(None) == "date not known"


@given(DATES)
def test_a_day_is_said_only_where_one_is_stated(stated: str) -> None:
    said = date_in_words(stated)
    days = re.findall(r"\d{4}-\d{2}-\d{2}", stated)
    assert len(re.findall(r"\b\d{1,2} [A-Z]", said)) == len(days)
    assert ("or later" in said, "or earlier" in said) == (
        stated.endswith(("/", "/..")), stated.startswith(("/", "../")),
    )  # fmt: skip


@given(SINGLE)
def test_all_days_of_a_date_are_said_as_the_date(stated: str) -> None:
    try:
        days = edtf.parse(stated)
    except edtf.EdtfError:  # a sign leads beyond the years that there are
        return
    assert span_in_words(days.earliest, days.latest, stated) == date_in_words(stated)


@pytest.mark.parametrize(
    ("first", "last", "when", "said"),
    [
        ("2022-02-01", "2022-03-14", "2022-03~", "14 March 2022 or earlier"),
        ("2022-03-15", "2022-03-20", "2022-03~", "15–20 March 2022"),
        ("2022-03-15", "2022-04-30", "2022-03~", "15 March 2022 or later"),
        ("2022-03-01", "2022-03-14", "2022-03-01/2022-03-31", "1–14 March 2022"),
        ("2022-03-01", "2022-03-14", "2022-03-01/..", "1–14 March 2022"),
        ("2022-03-15", None, "2022-03-01/..", "15 March 2022 or later"),
        (None, "2022-03-14", "../2022-05", "14 March 2022 or earlier"),
        ("2022-03-14", "2022-03-14", "2022-03-13/2022-03-15", "14 March 2022"),
    ],
)
def test_ends_that_the_date_leaves_open_are_no_days(first: str | None, last: str | None, when: str, said: str) -> None:
    assert span_in_words(first, last, when) == said
