"""What was measured of several servers, as a table for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from bench.measuring import CONNECTIONS, Told

OURS = "strikeatlas"
FLOOR = "floor"


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
    questions: dict[str, dict[str, Told]] = field(default_factory=dict)
    differences: dict[str, str] = field(default_factory=dict)
    walks: dict[str, dict[str, float]] = field(default_factory=dict)
    memory_mb: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Everything, with the median of the rounds beside them."""
        told = asdict(self)
        for question, answers in self.questions.items():
            for name, answer in answers.items():
                middle = {connections: answer.middle(connections) for connections in CONNECTIONS}
                told["questions"][question][name]["median"] = {n: asdict(one) for n, one in middle.items() if one}
        return told


def table(run: Run) -> Table:
    """One row a question: milliseconds and requests a second of each server, and how we stand to the better peer."""
    peers = [name for name in run.ready_s if name != OURS]
    made = Table(title="p50 / p99 ms with 1 connection · requests a second with 4 / 64 · CPU ms of a request · kB")
    made.add_column("question")
    for name in (OURS, FLOOR, *peers):
        made.add_column(name, justify="right")
    for heading in ("times quicker", "times as many, 4", "times as many, 64", "times less CPU"):
        made.add_column(heading, justify="right")
    for question, told in run.questions.items():
        cells = [_cell(told.get(name)) for name in (OURS, FLOOR, *peers)]
        ratios = [*(ratio(told, peers, connections) for connections in CONNECTIONS), cheaper(told, peers)]
        made.add_row(question, *cells, *("-" if one is None else f"{one:.1f}" for one in ratios))
    return made


def _cell(told: Told | None) -> str:
    if told is None:
        return "-"
    if told.refused:
        return told.refused
    single, some, many = (told.middle(connections) for connections in CONNECTIONS)
    if single is None:
        return "-"
    each = "".join(f" · {one.each_second:,.0f}" for one in (some, many) if one)
    failed = sum(one.failed for one in (single, some, many) if one)
    faults = f" · {failed} failed" if failed else ""
    cost = f" · {(some or single).cpu_ms:.2f}"
    return f"{_ms(single.p50_ms)} / {_ms(single.p99_ms)}{each}{cost} · {told.bytes / 1e3:,.1f}{faults}"


def _ms(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def ratio(told: Mapping[str, Told], peers: list[str], connections: int) -> float | None:
    """How many times quicker we are than the better peer; with more connections, how many times as many we answer."""
    ours = told[OURS].middle(connections) if OURS in told else None
    theirs = [one for name in peers if name in told and (one := told[name].middle(connections))]
    if ours is None or not theirs:
        return None
    if connections == 1:
        return min(one.p50_ms for one in theirs) / ours.p50_ms
    most = max(one.each_second for one in theirs)
    # None came to an end within the time of a run.
    return ours.each_second / most if most else None


def cheaper(told: Mapping[str, Told], peers: list[str]) -> float | None:
    """How many times less processor a request takes than with the better peer, its database included."""
    ours = told[OURS].middle(4) if OURS in told else None
    theirs = [one.cpu_ms for name in peers if name in told and (one := told[name].middle(4))]
    return min(theirs) / ours.cpu_ms if ours and ours.cpu_ms and theirs else None
