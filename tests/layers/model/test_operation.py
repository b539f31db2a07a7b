"""Whether an asset operated on a day, and what a whole of several units is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.operation import PRECEDENCE, common_dates, common_status, operating_on
from layers.model.records import Asset

DAY = date(2022, 10, 10)


def asset(**values: Any) -> Asset:
    return Asset(id="a", name="A", kind="power-plant", sources=("s",), checked="read", **values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({"status": "operating"}, True),
        ({"status": "operating", "since": "1980"}, True),
        ({"status": "operating", "since": "2023"}, False),
        # It may have begun before that day of its first year, or after it.
        ({"status": "operating", "since": "2022"}, None),
        ({"since": "1980"}, True),
        ({"until": "2021"}, False),
        ({"status": "retired"}, None),
        ({"status": "retired", "until": "2021"}, False),
        ({"status": "retired", "until": "2024"}, True),
        ({"status": "retired", "since": "1980", "until": "2022"}, None),
        ({"status": "cancelled"}, False),
        ({"status": "shelved", "since": "2010"}, False),
        ({"status": "proposed"}, False),
        ({"status": "announced", "since": "2030"}, False),
        # Its start was planned for a day before: the source may not have known yet whether it came.
        ({"status": "construction", "since": "2021"}, None),
        ({"status": "construction"}, False),
        ({"status": "mothballed", "since": "1980"}, None),
        ({"status": "idle", "since": "2024"}, False),
    ],
)
def test_whether_it_operated_on_a_day(values: dict[str, Any], expected: bool | None) -> None:
    assert operating_on(asset(**values), DAY) is expected


def test_days_of_which_it_operated_on_some_are_left_open() -> None:
    plant = asset(status="retired", since="1980", until="2022-10-11")
    assert operating_on(plant, DAY, date(2022, 10, 20)) is None
    assert operating_on(plant, date(2022, 10, 1), DAY) is True
    assert operating_on(plant, date(2022, 10, 11), date(2022, 10, 20)) is False


def test_an_unknown_day_excludes_only_what_never_operated() -> None:
    assert operating_on(asset(status="cancelled"), None) is False
    assert operating_on(asset(status="construction", since="2021"), None) is False
    assert operating_on(asset(status="operating"), None) is True
    assert operating_on(asset(status="operating", since="1980"), None) is None


@given(st.lists(st.sampled_from([*PRECEDENCE, None]), max_size=6))
def test_a_whole_operates_if_any_of_its_parts_does(statuses: list[Any]) -> None:
    common = common_status(statuses)
    assert (common == "operating") == ("operating" in statuses)
    assert (common is None) == (set(statuses) <= {None})
    assert common is None or common in statuses
    assert common_status(reversed(statuses)) == common


def test_a_whole_ends_when_the_last_of_its_parts_does() -> None:
    old, new = asset(status="retired", since="1960", until="2001"), asset(status="retired", since="1970", until="2010")
    assert common_dates([old, new]) == ("1960", "2010")
    assert common_dates([old, asset(status="operating", since="1990")]) == ("1960", None)
    assert common_dates([old, asset(status="retired")]) == ("1960", None)
    assert common_dates([old, asset(status="cancelled", since="1950")]) == ("1960", "2001")
    assert common_dates([asset(status="proposed", since="2031"), asset(status="announced", since="2030")]) == (
        "2030",
        None,
    )
    assert common_dates([]) == (None, None)
