"""Measures one server on one question: whether answers are right, their size, time, and number a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median

import numpy as np

from bench.client import TIMEOUT_S, Answer, Client
from bench.peers.servers import Running
from bench.questions import Question, counts
from bench.wrk import Load, load

#: Connections at once: one for the time of an answer, more for how many a second.
CONNECTIONS = (1, 4, 64)
#: An answer that takes longer, in seconds, is asked for once a round.
SLOW_S = 0.2
#: Once the variants of a question took so long together, in seconds, no more of them are asked.
PATIENCE_S = 60

Counts = Mapping[str, int | None]


@dataclass
class Measurement:
    """Measurements of a question to a server: reason of refusal, bytes of the first answer, counts, and load."""

    refused: str = ""
    bytes: int = 0
    counted: list[Counts] = field(default_factory=list)
    slow: bool = False
    runs: dict[int, list[Load]] = field(default_factory=dict)

    def add(self, connections: int, run: Load) -> None:
        """Add a run with so many connections."""
        self.runs.setdefault(connections, []).append(run)

    def middle(self, connections: int) -> Load | None:
        """The median of each figure over the rounds; failures are summed. ``None`` where nothing was measured."""
        runs = self.runs.get(connections)
        if not runs:
            return None
        figures = [(run.p50_ms, run.p99_ms, run.each_second, run.cpu_ms) for run in runs]
        p50, p99, each, cpu = np.median(figures, axis=0).tolist()
        return Load(p50, p99, each, sum(run.requests for run in runs), sum(run.failed for run in runs), cpu)


def probe(client: Client, question: Question, server: str) -> Measurement:
    """Request every variant once, and count the features of the answers."""
    answers = _answers(client, question.paths[server])
    if bad := [answer for answer in answers if answer.status not in (200, 204)]:
        return Measurement(refused=_why(bad[0]))
    counted = [counts(answer.body) for answer in answers] if question.counted != "none" else []
    return Measurement("", len(answers[0].sent), counted, median(answer.seconds for answer in answers) > SLOW_S)


def _answers(client: Client, paths: Sequence[str]) -> list[Answer]:
    """Answers to paths in turn, until there is no answer, or all took longer than `PATIENCE_S`."""
    answers: list[Answer] = []
    for path in paths:
        answers.append(client.get(path))
        if not answers[-1].status or sum(answer.seconds for answer in answers) > PATIENCE_S:
            break
    return answers


def _why(answer: Answer) -> str:
    return f"status {answer.status}" if answer.status else f"none in {TIMEOUT_S} s"


def request_once(client: Client, question: Question, server: str) -> Measurement:
    """Request every variant once and measure the times of these first answers."""
    answers = _answers(client, question.paths[server])
    if bad := [answer for answer in answers if answer.status not in (200, 204)]:
        return Measurement(refused=_why(bad[0]))
    measurement = Measurement("", int(median(len(answer.sent) for answer in answers)))
    measurement.add(1, _load([answer.seconds for answer in answers]))
    return measurement


def _load(seconds: Sequence[float]) -> Load:
    p50, p99 = np.percentile(np.array(seconds) * 1e3, (50, 99)).tolist()
    return Load(p50, p99, len(seconds) / sum(seconds), len(seconds), 0)


@dataclass(frozen=True)
class Target:
    """A server under test: its address, its processes, headers of requests, and seconds of each run."""

    url: str
    client: Client
    running: Running
    headers: Mapping[str, str]
    seconds: int

    def measure(self, paths: Sequence[str], measurement: Measurement) -> None:
        """Add a round to a measurement; slow answers are timed one by one."""
        if measurement.refused:
            return
        self._rest()
        if measurement.slow:
            path = paths[len(measurement.runs.get(1, ())) % len(paths)]
            measurement.add(1, self._costed(lambda: _load([self.client.get(path).seconds])))
            return
        for connections in CONNECTIONS:
            run = partial(load, self.url, paths, connections, self.seconds, self.headers)
            measurement.add(connections, self._costed(run))

    def _rest(self) -> None:
        """Wait until the server is idle: not all servers stop working when their client has gone."""
        last = time.monotonic() + PATIENCE_S
        while time.monotonic() < last:
            before = self.running.cpu_s()
            time.sleep(0.2)
            if self.running.cpu_s() - before < 0.05:
                return

    def _costed(self, work: Callable[[], Load]) -> Load:
        before = self.running.cpu_s()
        done = work()
        taken = self.running.cpu_s() - before
        return replace(done, cpu_ms=1e3 * taken / max(1, done.requests))


def differing(question: Question, measurement: Mapping[str, Measurement]) -> str:
    """Say where servers counted other numbers of features; nothing where they agree, or were not to be compared."""
    if question.counted == "none":
        return ""
    counted = {name: answer.counted for name, answer in measurement.items() if answer.counted}
    rounds = min(map(len, counted.values()), default=0)  # a slow one may not have been asked for all variants
    sums = {name: sum(item[question.counted] or 0 for item in answers[:rounds]) for name, answers in counted.items()}
    if len(set(sums.values())) < 2:
        return ""
    return f"{question.counted}: " + ", ".join(f"{name} {number:,}" for name, number in sums.items())
