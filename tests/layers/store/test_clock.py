"""History never runs backwards, and a clock that cannot be right is doubted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.store.clock import LONG, TOLERANCE, clock_remark
from layers.store.store import ANY, Edit, Store
from tests.layers.store.test_store import ALL, BARE, DECISION, FULL, changed, of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_change_is_dated_no_earlier_than_the_one_before_it(store: Store) -> None:
    store.load(ALL, author="load", at=NOW)
    store.append("decisions", changed(DECISION, id="d2"), author="append", at=NOW - timedelta(days=400))
    store.write(Edit("strikes", "bare", None, ANY), author="write", at=NOW - timedelta(seconds=1))
    again = of(*FULL.values(), *BARE.values(), changed(DECISION, id="d2"))
    store.load(again, author="again", at=NOW + timedelta(hours=1))
    at = {revision.author: revision.at for revision in store.revisions()}
    assert at == {
        "append": "2026-06-01T12:00:00.000Z",
        "write": "2026-06-01T12:00:00.000Z",
        "load": "2026-06-01T12:00:00.000Z",
        "again": "2026-06-01T13:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("ago", "code"),
    [
        (timedelta(0), None),
        (-TOLERANCE, None),
        (LONG, None),
        (-TOLERANCE - timedelta(seconds=1), "store.clock-behind"),
        (LONG + timedelta(seconds=1), "store.clock-ahead"),
        (timedelta(days=365 * 64), "store.clock-ahead"),
    ],
)
def test_a_clock_is_doubted_where_the_last_change_contradicts_it(ago: timedelta, code: str | None) -> None:
    remark = clock_remark(NOW - ago, NOW)
    assert (None if remark is None else remark.code) == code


def test_an_empty_store_contradicts_no_clock() -> None:
    assert clock_remark(None, NOW) is None


@given(st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=4))
def test_after_any_clocks_the_times_of_history_ascend(
    tmp_path_factory: pytest.TempPathFactory, times: list[datetime]
) -> None:
    store = Store.create(tmp_path_factory.mktemp("clock") / "atlas.gpkg")
    for number, at in enumerate(times):
        store.append("decisions", changed(DECISION, id=f"d{number}"), author="Ann", at=at.replace(tzinfo=UTC))
    ats = [revision.at for revision in store.revisions()]
    assert ats == sorted(ats)
    assert ats[-1][:10] == f"{max(times):%Y-%m-%d}"
    store.close()
