"""What one server answers to one question: is it right, how many bytes, how long it takes, how many a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median

import numpy as np

from bench.asking import TIMEOUT_S, Answer, Client
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
class Told:
    """What came of one question to one server: why it was refused, bytes of the first answer, counts, and runs."""

    refused: str = ""
    bytes: int = 0
    counted: list[Counts] = field(default_factory=list)
    slow: bool = False
    runs: dict[int, list[Load]] = field(default_factory=dict)

    def add(self, connections: int, run: Load) -> None:
        """Keep one more run."""
        self.runs.setdefault(connections, []).append(run)

    def middle(self, connections: int) -> Load | None:
        """The median of each figure over the rounds; failures are summed. ``None`` where nothing was measured."""
        runs = self.runs.get(connections)
        if not runs:
            return None
        figures = [(run.p50_ms, run.p99_ms, run.each_second, run.cpu_ms) for run in runs]
        p50, p99, each, cpu = np.median(figures, axis=0).tolist()
        return Load(p50, p99, each, sum(run.requests for run in runs), sum(run.failed for run in runs), cpu)


def probed(client: Client, question: Question, server: str) -> Told:
    """Ask for every variant once, and count what is answered."""
    answers = _answers(client, question.paths[server])
    if bad := [answer for answer in answers if answer.status not in (200, 204)]:
        return Told(refused=_why(bad[0]))
    counted = [counts(answer.body) for answer in answers] if question.counted != "none" else []
    return Told("", len(answers[0].sent), counted, median(answer.seconds for answer in answers) > SLOW_S)


def _answers(client: Client, paths: Sequence[str]) -> list[Answer]:
    """Answers to paths in turn, until one is none, or they took too long together."""
    answers: list[Answer] = []
    for path in paths:
        answers.append(client.get(path))
        if not answers[-1].status or sum(answer.seconds for answer in answers) > PATIENCE_S:
            break
    return answers


def _why(answer: Answer) -> str:
    return f"status {answer.status}" if answer.status else f"none in {TIMEOUT_S} s"


def asked_once(client: Client, question: Question, server: str) -> Told:
    """Ask for every variant once and keep the times: of answers that nobody has asked for before."""
    answers = _answers(client, question.paths[server])
    if bad := [answer for answer in answers if answer.status not in (200, 204)]:
        return Told(refused=_why(bad[0]))
    told = Told("", int(median(len(answer.sent) for answer in answers)))
    told.add(1, _load([answer.seconds for answer in answers]))
    return told


def _load(seconds: Sequence[float]) -> Load:
    p50, p99 = np.percentile(np.array(seconds) * 1e3, (50, 99)).tolist()
    return Load(p50, p99, len(seconds) / sum(seconds), len(seconds), 0)


@dataclass(frozen=True)
class Target:
    """A server to be asked, and how: where it is, what it took so far, and seconds of each run."""

    url: str
    client: Client
    running: Running
    headers: Mapping[str, str]
    seconds: int

    def measure(self, paths: Sequence[str], told: Told) -> None:
        """Add one round to what is known; slow answers are timed one by one."""
        if told.refused:
            return
        self._rest()
        if told.slow:
            path = paths[len(told.runs.get(1, ())) % len(paths)]
            told.add(1, self._costed(lambda: _load([self.client.get(path).seconds])))
            return
        for connections in CONNECTIONS:
            run = partial(load, self.url, paths, connections, self.seconds, self.headers)
            told.add(connections, self._costed(run))

    def _rest(self) -> None:
        """Wait until the server has done what nobody waits for any more: not all stop when their client has gone."""
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


def differing(question: Question, told: Mapping[str, Told]) -> str:
    """Say where servers counted other numbers of features; nothing where they agree, or were not to be compared."""
    if question.counted == "none":
        return ""
    counted = {name: answer.counted for name, answer in told.items() if answer.counted}
    asked = min(map(len, counted.values()), default=0)  # a slow one may not have been asked for all variants
    sums = {name: sum(one[question.counted] or 0 for one in answers[:asked]) for name, answers in counted.items()}
    if len(set(sums.values())) < 2:
        return ""
    return f"{question.counted}: " + ", ".join(f"{name} {number:,}" for name, number in sums.items())
