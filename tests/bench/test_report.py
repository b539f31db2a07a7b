"""A loss of speed is found beside the floor of the same run, whatever the machine does."""

from __future__ import annotations

from bench.measurement import Measurement
from bench.report import FLOOR, OURS, floor_ratios, slower
from bench.wrk import Load


def measured(cpu_ms: float) -> Measurement:
    return Measurement(runs={4: [Load(1, 1, 1000, 1000, 0, cpu_ms)]})


def test_an_answer_that_takes_six_times_as_much_is_found_on_a_slow_machine() -> None:
    before = floor_ratios({"page": {OURS: measured(2.0), FLOOR: measured(1.0)}, "item": {OURS: measured(0.1)}})
    assert before == {"page": 2.0}
    slow = floor_ratios({"page": {OURS: measured(8.0), FLOOR: measured(4.0)}})
    assert slower(before, slow) == {}
    lost = floor_ratios({"page": {OURS: measured(12.0), FLOOR: measured(1.0)}})
    assert slower(before, lost) == {"page": (2.0, 12.0)}
