"""The model of docs/scale.md: what it was fitted to, what was held out of the fit, and what is simulated on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import scale_model
from bench.scale_model import Cluster, Day, Line, Point, Size, fit, read_points, simulate, traffic

#: How far off the model may be where it was held to what was measured: as docs/scale.md says.
FITTED, HELD_OUT = 0.35, 0.6


def test_the_page_says_what_the_model_does() -> None:
    page = scale_model.PAGE.read_text(encoding="utf-8")
    assert scale_model.written(page, scale_model.tables(fit(read_points()))) == page
    assert f"{HELD_OUT:.0%}" in page
    assert f"{FITTED:.0%}" in page
    with pytest.raises(ValueError, match="no marks"):
        scale_model.written("no page", {"days": ""})


def test_it_is_fitted_to_most_points_and_says_what_was_held_out_of_the_fit() -> None:
    points = read_points()
    model = fit(points)
    for point in points:
        for name, value in point.values.items():
            limit = HELD_OUT if point.held_out else FITTED
            assert abs(model[point.stage, name].at(point.size) / value - 1) <= limit, (point, name)
    found = list(scale_model.errors(model, points))
    assert {point.stage for point, *_ in found} >= {"match", "plan", "answer", "keep"}
    assert all(point.rests_on for point in points)


def test_a_line_is_found_again() -> None:
    line = Line(2.0, 30.0, 5.0)
    sizes = [Size(1e4, 1e4), Size(1e5, 1e4), Size(1e4, 1e5), Size(1e6, 1e6)]
    points = [Point("plan", size, {"processor_s": line.at(size)}, "here", False) for size in sizes]
    odd = Point("plan", Size(1, 1), {"processor_s": 1e9}, "here", True)
    found = fit([*points, odd])["plan", "processor_s"]
    assert (found.constant, found.strikes, found.assets) == pytest.approx((2.0, 30.0, 5.0))
    assert [name for _, name, _, _ in scale_model.errors({("plan", "processor_s"): found}, [*points, odd])] == [
        "processor_s"
    ]


MODEL = {("plan", "processor_s"): Line(10, 0, 0), ("answer", "processor_s"): Line(1, 600, 10)}
SIZE = Size(1e6, 1e5)
EVEN = Cluster(10, kills_per_hour=0, slow_share=0, skew=0)


def test_workers_share_what_one_does_and_start_each() -> None:
    one, ten = simulate(MODEL, SIZE, replace(EVEN, workers=1)), simulate(MODEL, SIZE, EVEN)
    start = 2 + 1 + 10 * 0.1
    assert one.answer_s == pytest.approx(600 + start)
    assert 60 + start <= ten.answer_s < 60 + start + 600 * 5_000 / 1e6
    assert one.plan_s == ten.plan_s == 10
    assert ten.total_s == ten.plan_s + ten.answer_s + ten.digest_s
    assert one.kills == ten.kills == 0


def test_what_goes_wrong_costs_time_and_nothing_is_left_out() -> None:
    calm = simulate(MODEL, SIZE, EVEN)
    for worse in (replace(EVEN, kills_per_hour=60), replace(EVEN, slow_share=0.3), replace(EVEN, skew=1.5)):
        found = simulate(MODEL, SIZE, worse)
        assert found.answer_s > calm.answer_s
        assert found.useful < calm.useful <= 1
        assert (found.kills > 0) == (worse.kills_per_hour > 0)
        assert simulate(MODEL, SIZE, worse) == found
        assert simulate(MODEL, SIZE, worse, seed=2) != found


def test_more_workers_than_cells_are_of_no_use() -> None:
    small = Size(1e4, 1e4)
    assert simulate(MODEL, small, replace(EVEN, workers=1000)).answer_s == pytest.approx(
        simulate(MODEL, small, replace(EVEN, workers=100)).answer_s
    )


def test_a_day_of_readers_is_what_they_ask_for() -> None:
    day = traffic(Day(1e6, records=2, first_mb=0.5, first_requests=50, record_mb=0.25, record_requests=3))
    assert day.tb == pytest.approx(1.0)
    assert day.requests_m == pytest.approx(56)
    assert day.processor_h == pytest.approx(56e6 * 45e-6 / 3600)
    assert day.peak_requests_s == pytest.approx(56e6 * 0.15 / 3600)
    assert day.peak_gbit_s == pytest.approx(8_000 * 0.15 / 3600)
    assert "at the price given" in scale_model.days(5.0)
    assert "price" not in scale_model.days()


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0123, "0.012"), (1.26, "1.3"), (56.7, "57"), (1234.0, "1,200")]
)
def test_numbers_say_no_more_than_is_known(value: float, text: str) -> None:
    assert scale_model.number(value) == text


def test_times_are_in_the_unit_that_suits_them() -> None:
    assert [scale_model.duration(seconds) for seconds in (5, 600, 36_000, 864_000)] == [
        "5.0 s",
        "10 min",
        "10 h",
        "10 d",
    ]
