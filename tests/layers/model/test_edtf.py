"""EDTF values say no more than their source did."""

import re
from datetime import date, timedelta
from unittest import mock

import pytest
from edtf import parse_edtf
from edtf.parser.edtf_exceptions import EDTFParseException
from hypothesis import given
from hypothesis import strategies as st

from layers.model import edtf

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("text", "earliest", "latest", "precision"),
    [
        ("2025-08-08", date(2025, 8, 8), date(2025, 8, 8), "day"),
        ("2025-06", date(2025, 6, 1), date(2025, 6, 30), "month"),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29), "month"),
        ("2025", date(2025, 1, 1), date(2025, 12, 31), "year"),
        ("2025-08-05/2025-08-06", date(2025, 8, 5), date(2025, 8, 6), "interval"),
        ("2025-06-XX", date(2025, 6, 1), date(2025, 6, 30), "month"),
        ("202X", date(2020, 1, 1), date(2029, 12, 31), "decade"),
        ("2024-02/..", date(2024, 2, 1), None, "interval"),
        ("/2024", None, date(2024, 12, 31), "interval"),
        ("2025-21", date(2025, 3, 1), date(2025, 5, 31), "season"),
        ("2025-08-06T04:06:00Z", date(2025, 8, 6), date(2025, 8, 6), "instant"),
    ],
)
def test_what_a_value_may_mean(text: str, earliest: date | None, latest: date | None, precision: str) -> None:
    told = edtf.parse(text)
    assert (told.earliest, told.latest, told.precision) == (earliest, latest, precision)
    assert told.text == text


def test_a_qualified_value_is_wider_by_one_unit() -> None:
    month = edtf.parse("2022-03~")
    assert (month.earliest, month.latest, month.qualified) == (date(2022, 2, 1), date(2022, 4, 30), True)
    day = edtf.parse("2022-03-10?")
    assert (day.earliest, day.latest) == (date(2022, 3, 9), date(2022, 3, 11))


@given(DAYS, st.sampled_from("~?%"))
def test_a_qualified_day_reaches_one_day_either_way(day: date, sign: str) -> None:
    told = edtf.parse(f"{day}{sign}")
    around = (day - timedelta(days=1), day + timedelta(days=1))
    assert (told.earliest, told.latest, told.precision, told.qualified) == (*around, "day", True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2025-13",
        "2025-02-30",
        "2025-02-30~",
        "2025-06-00",
        "2025-06-00?",
        "08/08/2025",
        "[2025,2026]",
        "XXXX",
        "2025-06/2024",
        "..",
        "../..",
        "9999~",
        "2" * 100,
        "2025-08-08T25:00:00Z",
        "0000-00-00",
        "\x00",
    ],
)
def test_what_is_no_date_is_refused_by_name(text: str) -> None:
    with pytest.raises(edtf.EdtfError):
        edtf.parse(text)


@pytest.mark.parametrize("text", ["45877.5", "45877", "08.08.2025", "2025.08.08", "2025-8-8", "8 August 2025", "-"])
def test_what_cannot_be_a_date_never_reaches_the_grammar(text: str) -> None:
    """It takes 5 ms a text, and a file may have millions."""
    with mock.patch("edtf.parse_edtf") as grammar, pytest.raises(edtf.EdtfError, match="no-date"):
        edtf.parse(text)
    assert not grammar.called


@given(st.text(max_size=70))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        told = edtf.parse(text)
    except edtf.EdtfError:
        return
    assert told.earliest is not None or told.latest is not None


PIECES = st.sampled_from(
    ["2025", "-", "08", "8", "31", "X", "XX", "20", "~", "?", "%", "/", "..", "Y", "Y17", "E7", "S2", "T23:00:00",
     "T24:00:00", "Z", "+05", "+14:00", "-00:00", ":30", ".5", "[", "]", "{", "}", ",", " ", "1985-04-XX", "2025-08-08",
     "a", "0000"]
)  # fmt: skip


@given(st.lists(PIECES, min_size=1, max_size=5).map("".join))
def test_the_fast_ways_read_and_refuse_as_the_grammar_does(text: str) -> None:
    """The edtf library is the oracle for every single value; it allows white space within one, which EDTF does not."""
    text = text.strip()
    if "/" in text or " " in text:
        return
    try:
        value = edtf.parse(text)
    except edtf.EdtfError:
        value = None
    try:
        oracle = parse_edtf(text)
    except (EDTFParseException, ValueError, TypeError):
        oracle = None
    if value is not None:
        assert oracle is not None
        assert type(oracle).__name__ in LEVEL_1
        if not value.qualified:
            ends = oracle.lower_strict(), oracle.upper_strict()
            assert (value.earliest, value.latest) == tuple(date(*end[:3]) for end in ends)
    elif oracle is not None and type(oracle).__name__ in LEVEL_1:
        # Years that have no days here, significant digits, and times of day without a day, which are no EDTF.
        assert not 0 < oracle.lower_strict()[0] < 10000 or "S" in text or re.match(r"[0-9X]{4}(-[0-9X]{2})?T", text)


LEVEL_1 = {"Date", "DateAndTime", "UncertainOrApproximate", "Unspecified", "Season"}


@given(DAYS, DAYS, DAYS)
def test_an_interval_overlaps_the_days_that_lie_in_it(a: date, b: date, day: date) -> None:
    first, last = min(a, b), max(a, b)
    told = edtf.parse(f"{first}/{last}")
    assert told.may_overlap(day, day) == (first <= day <= last)
    assert told.may_overlap(None, None)


@given(DAYS, st.integers(1, 4000), st.integers(-2000, 6000))
def test_held_is_exact_where_the_days_are(since: date, length: int, offset: int) -> None:
    until = since + timedelta(days=length)
    day = since + timedelta(days=offset)
    told = edtf.valid_on(edtf.parse(str(since)), edtf.parse(str(until)), day, day)
    assert told == ("yes" if since <= day < until else "no")


def test_held_is_maybe_where_a_month_leaves_it_open() -> None:
    october = edtf.parse("2016-10")
    middle = date(2016, 10, 15)
    assert edtf.valid_on(october, None, middle, middle) == "maybe"
    assert edtf.valid_on(None, october, middle, middle) == "maybe"
    assert edtf.valid_on(october, None, date(2016, 11, 1), date(2016, 11, 1)) == "yes"
    assert edtf.valid_on(None, october, date(2016, 9, 30), date(2016, 9, 30)) == "yes"
    assert edtf.valid_on(None, october, date(2016, 10, 31), date(2016, 10, 31)) == "no"
    assert edtf.valid_on(edtf.parse("2020"), None, date(2019, 1, 1), date(2021, 6, 1)) == "maybe"
    assert edtf.valid_on(edtf.parse("2020"), None, None, None) == "maybe"
    assert edtf.valid_on(None, None, None, None) == "yes"
