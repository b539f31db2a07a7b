"""Runners: who does the tasks of a batch. This process, processes of this machine, or a cluster of Dask distributed.

Each yields the outcome of each task once, in the order in which they end. What does one task goes to workers as pickle
has it, and so do tasks and results. A task of a worker that ends before it has answered is given to another, up to
`MAX_DEATHS` times; an exception is the outcome of its task.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
R = TypeVar("R")

#: A task that ends so many workers is not given to another one.
MAX_DEATHS = 3


class BatchError(RuntimeError):
    """Tasks that were not done, although their strikes are sound: why, by the name of the task."""

    def __init__(self, failures: Mapping[str, str]) -> None:
        first = next(iter(failures.items()))
        super().__init__(f"{len(failures)} cell(s) were not answered; first: {first[0]}: {first[1]}")
        self.failures = failures


@dataclass(frozen=True)
class Outcome(Generic[T, R]):
    """What became of a task: its result, or why there is none."""

    task: T
    result: R | None
    failure: str | None = None


class InProcess:
    """Does one task after the other in this process."""

    def outcomes(self, work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[Outcome[T, R]]:
        """Yield the outcome of each task, in their order."""
        for task in tasks:
            yield Outcome(task, *_tried(work, task))


def _tried(work: Callable[[T], R], task: T) -> tuple[R | None, str | None]:
    try:
        return work(task), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class LocalProcesses:
    """Gives tasks to processes of this machine; one that is killed is replaced."""

    #: Number of processes.
    workers: int

    def outcomes(self, work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[Outcome[T, R]]:
        """Yield the outcome of each task, in the order in which they end."""
        # Each task with how many workers it has ended before.
        waiting = deque((task, 0) for task in tasks)
        at_work: dict[Connection, tuple[T, int]] = {}
        with ExitStack() as stack:

            def give(worker: Connection) -> None:
                at_work[worker] = waiting.popleft()
                with suppress(OSError):  # it was killed meanwhile, which shows when its answer is read
                    worker.send(at_work[worker][0])

            for _ in range(min(self.workers, len(waiting))):
                give(stack.enter_context(_started(work)))
            while at_work:
                ready = wait([*at_work])
                for worker in [worker for worker in at_work if worker in ready]:
                    (task, deaths), answer = at_work.pop(worker), _answer(worker)
                    if answer is not None:
                        yield Outcome(task, *answer)
                    elif deaths + 1 < MAX_DEATHS:
                        waiting.appendleft((task, deaths + 1))
                    else:
                        yield Outcome(task, None, f"{MAX_DEATHS} workers ended before they had answered")
                    if waiting:
                        give(stack.enter_context(_started(work)) if answer is None else worker)


@contextmanager
def _started(work: Callable[[T], Any]) -> Iterator[Connection]:
    """Start a process, and give the connection to it; it is ended at the end."""
    # A fork would share the locks of threads that do not exist in it.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.terminate()
        process.join()


def _answer(worker: Connection) -> tuple[Any, str | None] | None:
    """Wait for the result or the failure of a task; ``None`` where the process ended without."""
    try:
        received: tuple[Any, str | None] = worker.recv()
    except (EOFError, OSError):
        return None
    return received


def _serve(connection: Connection, work: Callable[[T], Any]) -> None:
    """Do tasks until nobody gives any more."""
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        connection.send(_tried(work, task))


#: Settings of a cluster on this machine: the scheduler gives up where more workers than that have ended, the stacks of
#: workers are not sampled, and their memory is looked at less often than by default.
_DASK = {
    "distributed.scheduler.allowed-failures": MAX_DEATHS - 1,
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
}


@contextmanager
def _closed_late(client: Client) -> Iterator[Client]:
    """Close a client in the end. A cluster that takes long to end is a slow machine, not a failure."""
    try:
        yield client
    finally:
        if client.cluster is not None:
            # One that is closed while it replaces a worker fails: the process that it joins has not started yet.
            with suppress(TimeoutError):
                client.wait_for_workers(len(client.cluster.workers), timeout=60)
        with suppress(TimeoutError):
            client.close()


@dataclass(frozen=True)
class DaskCluster:
    """Gives tasks to the workers of a Dask cluster, one at a time to each thread of them."""

    #: Address of its scheduler, such as ``tcp://10.0.0.1:8786``; by default a cluster on this machine, for as long as
    #: the tasks take.
    scheduler: str | None = None
    #: Number of workers of that.
    workers: int = 2
    #: The memory that each of these may take, such as ``4GB``; one that takes more is ended.
    memory: str = "4GB"

    def outcomes(self, work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[Outcome[T, R]]:
        """Yield the outcome of each task, in the order in which they end."""
        import dask
        from distributed import as_completed

        with dask.config.set(_DASK), _closed_late(self._client()) as client:
            waiting = deque(tasks)
            given: dict[Any, T] = {}
            ended = as_completed()

            def give() -> None:
                """Give no more at once than there are threads: a worker's end counts against all that it was given."""
                while waiting and len(given) < max(1, sum(client.nthreads().values())):
                    task = waiting.popleft()
                    future = client.submit(work, task, pure=False)
                    given[future] = task
                    ended.add(future)

            give()
            for future in ended:
                task, error = given.pop(future), future.exception()
                failure = None if error is None else f"{type(error).__name__}: {error}"
                yield Outcome(task, future.result() if error is None else None, failure)
                give()

    def _client(self) -> Client:
        from distributed import Client

        if self.scheduler is not None:
            return Client(self.scheduler)
        return Client(
            processes=True,
            n_workers=self.workers,
            threads_per_worker=1,
            memory_limit=self.memory,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # any port: others may have a cluster here too
        )


Runner = InProcess | LocalProcesses | DaskCluster
