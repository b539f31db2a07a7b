"""The part of an asset that did not work on each day: bounds that hold however uncertain days and parts turn out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from layers.attribution.outages import Cause, LostSpan, StatedOutage, lost_spans, stated_outage
from layers.model.records import Condition
from layers.ownership.walk import Interval

DAY = date(2026, 3, 1).toordinal()
FIRST, LAST = date.fromordinal(DAY - 5), date.fromordinal(DAY + 40)
ALL_DAYS = range(FIRST.toordinal(), LAST.toordinal() + 1)


def condition(status: str, since: str, until: str | None = None, **values: Any) -> Condition:
    told = {"id": f"a/{since[:10]}", "asset": "a", "status": status, "since": since, "until": until, "source": "s"}
    return Condition.model_validate({**told, "checked": "read", **values})


def lost(outages: Sequence[StatedOutage], cause: Cause = "strike") -> dict[int, Interval]:
    """Bounds by day; days on which nothing was lost are left out."""
    spans = lost_spans(outages, FIRST, LAST)
    return {
        day: span.lost[cause]
        for span in spans
        if cause in span.lost
        for day in range(span.first.toordinal(), span.last.toordinal() + 1)
    }


def by_strike(*conditions: Condition) -> dict[str, tuple[float, float]]:
    """Bounds by the day of March 2026, of conditions that a strike brought about."""
    spans = lost([stated_outage(one, "strike") for one in conditions])
    return {f"{date.fromordinal(day):%m-%d}": (part.low, part.high) for day, part in spans.items()}


@pytest.mark.parametrize(
    ("status", "part"),
    [("offline", (100, 100)), ("destroyed", (100, 100)), ("reduced", (0, 100)), ("running", None)],
)
def test_a_status_without_a_working_part(status: str, part: tuple[float, float] | None) -> None:
    found = by_strike(condition(status, "2026-03-02", "2026-03-04"))
    assert found == ({} if part is None else {"03-02": part, "03-03": part})


def test_the_working_part_of_a_source_decides() -> None:
    found = by_strike(condition("reduced", "2026-03-02", "2026-03-03", working_min=10, working_max=35))
    assert found == {"03-02": (65, 90)}


def test_an_occupied_site_is_no_lost_capacity() -> None:
    seized = stated_outage(condition("occupied", "2026-03-02", "2026-03-04"), "occupied")
    assert lost([seized]) == {}
    assert [*lost([seized], "occupied").values()] == [Interval(100, 100)] * 2


def test_approximate_days_may_be_one_earlier_or_later() -> None:
    found = by_strike(condition("offline", "2026-03-02~", "2026-03-05~"))
    assert found == {"03-01": (0, 100), "03-02": (0, 100), "03-03": (100, 100), "03-04": (0, 100), "03-05": (0, 100)}


def test_without_an_end_the_first_day_is_sure_and_all_later_ones_are_open() -> None:
    found = by_strike(condition("offline", "2026-03-02"))
    assert found["03-02"] == (100, 100)
    assert {*[*found.values()][1:]} == {(0, 100)}
    assert [*found][-1] == f"{LAST:%m-%d}"


def test_a_later_condition_ends_one_without_an_end() -> None:
    out, back = condition("offline", "2026-03-02"), condition("running", "2026-03-05")
    assert [*by_strike(out, back)] == ["03-02", "03-03", "03-04"]
    partly = condition("reduced", "2026-03-05", "2026-03-06", working_min=50, working_max=50)
    assert by_strike(out, partly)["03-05"] == (50, 50)
    assert "03-06" not in by_strike(out, partly)


def test_overlapping_conditions_are_one_loss() -> None:
    twice = condition("offline", "2026-03-02", "2026-03-04"), condition("offline", "2026-03-03", "2026-03-05")
    assert by_strike(*twice) == dict.fromkeys(("03-02", "03-03", "03-04"), (100, 100))
    narrower = (
        condition("reduced", "2026-03-02", "2026-03-03", working_min=0, working_max=60),
        condition("reduced", "2026-03-02", "2026-03-03", working_min=50, working_max=90),
    )
    assert by_strike(*narrower) == {"03-02": (40, 50)}


def test_sources_that_contradict_each_other_leave_all_that_they_say() -> None:
    found = by_strike(
        condition("offline", "2026-03-02", "2026-03-03"), condition("running", "2026-03-02", "2026-03-03")
    )
    assert found == {"03-02": (0, 100)}


def test_what_no_strike_is_named_for_is_apart_and_makes_the_part_of_a_strike_open() -> None:
    struck = stated_outage(condition("offline", "2026-03-02", "2026-03-04"), "strike")
    repaired = stated_outage(condition("offline", "2026-03-03", "2026-03-05"), "other")
    assert [*lost([struck, repaired]).values()] == [Interval(100, 100), Interval(0, 100)]
    assert [*lost([struck, repaired], "other").values()] == [Interval(0, 100), Interval(100, 100)]


# Properties: days are a few from March 1 on, so that they often meet.


@st.composite
def outages(draw: st.DrawFn, exact: bool = False) -> StatedOutage:
    may_from = DAY + draw(st.integers(0, 20))
    sure_from = may_from + (0 if exact else draw(st.integers(0, 4)))
    low, high = sorted((draw(st.integers(0, 4)) * 25.0, draw(st.integers(0, 4)) * 25.0))
    if not exact and draw(st.booleans()):
        sure_until = sure_from + 1 if sure_from == may_from else sure_from
        return StatedOutage(Interval(low, high), "strike", may_from, LAST.toordinal() + 9, sure_from, sure_until, False)
    sure_until = sure_from + draw(st.integers(0, 10))
    may_until = sure_until + (0 if exact else draw(st.integers(0, 4)))
    return StatedOutage(Interval(low, high), "strike", may_from, may_until, sure_from, sure_until, True)


def resolved(draw: st.DrawFn, one: StatedOutage, others: Sequence[StatedOutage]) -> range:
    """Days on which a condition held, in one way that its source and those of the others allow."""
    begun = draw(st.integers(one.may_from, one.sure_from))
    if one.ends:
        return range(begun, draw(st.integers(one.sure_until, one.may_until)))
    later = [day for other in others for day in range(other.sure_from, other.sure_until) if day > one.sure_from]
    least = max(begun, one.sure_until)
    return range(begun, draw(st.integers(least, max(least, min([LAST.toordinal() + 1, *later])))))


def within(parts: Sequence[Interval]) -> Interval | None:
    low, high = max(part.low for part in parts), min(part.high for part in parts)
    return Interval(low, high) if low <= high else None


@given(st.data(), st.lists(outages(), min_size=1, max_size=4))
def test_bounds_hold_in_every_way_it_can_have_been(data: st.DataObject, drawn: list[StatedOutage]) -> None:
    held = {}
    for place, one in enumerate(drawn):
        rest = [*drawn[:place], *drawn[place + 1 :]]
        held[place] = data.draw(st.composite(lambda draw, o=one, r=rest: resolved(draw, o, r))())
    bounds = lost(drawn)
    for day in ALL_DAYS:
        said = [drawn[place].lost for place, days in held.items() if day in days]
        sure = [one.lost for one in drawn if one.sure_from <= day < one.sure_until]
        found = bounds.get(day, Interval(0, 0))
        if not said:
            assert found.low == 0
            continue
        true = within(said)
        if true is None and (not sure or within(sure)):
            continue  # contradictory: it was not so
        chosen = true or data.draw(st.sampled_from(sure))
        for part in (chosen.low, chosen.high):
            assert found.low <= part <= found.high


@given(st.lists(outages(), max_size=3), outages(exact=True), st.integers(0, 10))
def test_a_condition_split_at_a_day_changes_nothing(others: list[StatedOutage], one: StatedOutage, after: int) -> None:
    at = one.may_from + after
    assume(at <= one.sure_until)
    before, rest = replace(one, may_until=at, sure_until=at), replace(one, may_from=at, sure_from=at)
    assert lost([*others, one]) == lost([*others, before, rest])


@given(st.lists(outages(), max_size=4))
def test_spans_are_in_order_and_never_overlap(drawn: list[StatedOutage]) -> None:
    spans: list[LostSpan] = [*lost_spans(drawn, FIRST, LAST)]
    assert all(before.last < after.first for before, after in pairwise(spans))
    assert all(span.first <= span.last for span in spans)
    assert all(0 <= part.low <= part.high <= 100 for span in spans for part in span.lost.values())


@given(st.lists(outages(), max_size=4), st.integers(0, 45))
def test_a_shorter_window_cuts_the_days_and_nothing_else(drawn: list[StatedOutage], days: int) -> None:
    end = FIRST + timedelta(days=days)
    cut = {
        day: span.lost["strike"]
        for span in lost_spans(drawn, FIRST, end)
        for day in range(span.first.toordinal(), span.last.toordinal() + 1)
        if "strike" in span.lost
    }
    assert cut == {day: part for day, part in lost(drawn).items() if day <= end.toordinal()}
