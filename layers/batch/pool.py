"""Tasks done by this process or by others of this machine, of which any may be killed."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: So many times in a row workers are replaced that end before any of them has done a task.
MAX_ENDS = 3


class BatchError(RuntimeError):
    """Cells that were not answered, although their strikes are sound: why, by the number of the cell."""

    def __init__(self, failures: Mapping[int, str]) -> None:
        first = next(iter(failures.items()))
        super().__init__(f"{len(failures)} cell(s) were not answered; first: {first[0]}: {first[1]}")
        self.failures = failures


@dataclass(frozen=True)
class Outcome(Generic[T, R]):
    """What became of a task: its result, or why there is none."""

    task: T
    result: R | None
    failure: str | None = None


def outcomes(work: Callable[[T], R], tasks: Iterable[T], workers: int) -> Iterator[Outcome[T, R]]:
    """Yield the outcome of each task, in the order in which they end.

    Parameters
    ----------
    work
        Does one task; an exception is the outcome of the task. It goes to other processes as pickle has it, and so do
        tasks and results.
    workers
        Number of processes; 1 for this one alone. Where one ends before it has answered, all are replaced, and what
        they had not done is done again.
    """
    if workers == 1:
        yield from (_outcome(work, task) for task in tasks)
        return
    waiting, ends = list(tasks), 0
    while waiting and ends < MAX_ENDS:
        before = len(waiting)
        for outcome in _until_one_ends(work, waiting, 1 if ends else workers):
            waiting.remove(outcome.task)
            yield outcome
        # What ends its worker comes last, one task at a time: it holds up no other.
        waiting.reverse()
        ends = ends + 1 if len(waiting) == before else 0
    for task in waiting:
        yield Outcome(task, None, f"{MAX_ENDS} workers ended before they had answered")


def _until_one_ends(work: Callable[[T], R], tasks: list[T], workers: int) -> Iterator[Outcome[T, R]]:
    """Yield the outcomes of tasks by new processes, of all or of those that were done before one of these ended."""
    # A fork would share the locks of threads that do not exist in it.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), context, initializer=_end_with_parent)
    try:
        futures = []
        with suppress(BrokenProcessPool):
            futures += [pool.submit(_outcome, work, task) for task in tasks]
        for future in as_completed(futures):
            with suppress(BrokenProcessPool):
                yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this process when the one that started it ends: a pool that is killed leaves its workers waiting for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _outcome(work: Callable[[T], R], task: T) -> Outcome[T, R]:
    try:
        return Outcome(task, work(task))
    except Exception as error:
        return Outcome(task, None, f"{type(error).__name__}: {error}")
