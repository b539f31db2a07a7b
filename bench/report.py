"""Measurements of several servers, as a table for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from bench.measurement import CONNECTIONS, Measurement

OURS = "strikeatlas"
FLOOR = "floor"
#: A ratio to the floor may grow so far before it counts as a loss: runs differ by less than this.
TOLERATED = 1.6


@dataclass
class Run:
    """All figures of one run.

    ``loads`` is the load of the machine before each round, ``ready_s`` how long a server took to start, ``differences``
    what the servers disagree on, by question.
    """

    machine: str
    versions: Mapping[str, str]
    arguments: Mapping[str, object]
    ready_s: Mapping[str, float]
    loads: list[float] = field(default_factory=list)
    questions: dict[str, dict[str, Measurement]] = field(default_factory=dict)
    differences: dict[str, str] = field(default_factory=dict)
    walks: dict[str, dict[str, float]] = field(default_factory=dict)
    memory_mb: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Everything, with the median of the rounds beside them."""
        document = asdict(self)
        for question, answers in self.questions.items():
            for name, answer in answers.items():
                middle = {connections: answer.middle(connections) for connections in CONNECTIONS}
                document["questions"][question][name]["median"] = {
                    n: asdict(item) for n, item in middle.items() if item
                }
        return document


def table(run: Run) -> Table:
    """One row a question: milliseconds and requests a second of each server, and how we stand to the better peer."""
    peers = [name for name in run.ready_s if name != OURS]
    report = Table(title="p50 / p99 ms with 1 connection · requests a second with 4 / 64 · CPU ms of a request · kB")
    report.add_column("question")
    for name in (OURS, FLOOR, *peers):
        report.add_column(name, justify="right")
    for heading in ("times quicker", "times as many, 4", "times as many, 64", "times less CPU"):
        report.add_column(heading, justify="right")
    for question, measurements in run.questions.items():
        cells = [_cell(measurements.get(name)) for name in (OURS, FLOOR, *peers)]
        ratios = [
            *(ratio(measurements, peers, connections) for connections in CONNECTIONS),
            cheaper(measurements, peers),
        ]
        report.add_row(question, *cells, *("-" if item is None else f"{item:.1f}" for item in ratios))
    return report


def _cell(measurement: Measurement | None) -> str:
    if measurement is None:
        return "-"
    if measurement.refused:
        return measurement.refused
    single, sample, many = (measurement.middle(connections) for connections in CONNECTIONS)
    if single is None:
        return "-"
    each = "".join(f" · {item.each_second:,.0f}" for item in (sample, many) if item)
    failed = sum(item.failed for item in (single, sample, many) if item)
    faults = f" · {failed} failed" if failed else ""
    cost = f" · {(sample or single).cpu_ms:.2f}"
    return f"{_ms(single.p50_ms)} / {_ms(single.p99_ms)}{each}{cost} · {measurement.bytes / 1e3:,.1f}{faults}"


def _ms(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def ratio(measurements: Mapping[str, Measurement], peers: list[str], connections: int) -> float | None:
    """How many times quicker we are than the better peer; with more connections, how many times as many we answer."""
    ours = measurements[OURS].middle(connections) if OURS in measurements else None
    theirs = [item for name in peers if name in measurements and (item := measurements[name].middle(connections))]
    if ours is None or not theirs:
        return None
    if connections == 1:
        return min(item.p50_ms for item in theirs) / ours.p50_ms
    limit = max(item.each_second for item in theirs)
    # None came to an end within the time of a run.
    return ours.each_second / limit if limit else None


def floor_ratios(questions: Mapping[str, Mapping[str, Measurement]]) -> dict[str, float]:
    """How many times the processor's time of the bare bytes our answer takes, by question, in the same run."""
    ratios = {}
    for question, measurements in questions.items():
        both = [measurements[name].middle(4) for name in (OURS, FLOOR) if name in measurements]
        if len(both) == 2 and both[0] and both[1] and both[1].cpu_ms:
            ratios[question] = round(both[0].cpu_ms / both[1].cpu_ms, 2)
    return ratios


def slower(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Ratios before and now of the questions that take over `TOLERATED` times as much beside the floor as before."""
    known = {question: (ratio, now[question]) for question, ratio in before.items() if question in now}
    return {question: pair for question, pair in known.items() if pair[1] > TOLERATED * pair[0]}


def cheaper(measurements: Mapping[str, Measurement], peers: list[str]) -> float | None:
    """How many times less processor a request takes than with the better peer, its database included."""
    ours = measurements[OURS].middle(4) if OURS in measurements else None
    theirs = [item.cpu_ms for name in peers if name in measurements and (item := measurements[name].middle(4))]
    return min(theirs) / ours.cpu_ms if ours and ours.cpu_ms and theirs else None
