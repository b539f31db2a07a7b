"""Runners: who does the tasks of a batch. This process, processes of this machine, or a cluster of Dask distributed."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

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


class Runner(Protocol):
    """Gives tasks to workers."""

    def outcomes(self, work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[Outcome[T, R]]:
        """Yield the outcome of each task once, in the order in which they end.

        Parameters
        ----------
        work
            Does one task. It goes to workers as pickle has it, and so do tasks and results.
        tasks
            A task of a worker that ends before it has answered is given to another, up to `MAX_DEATHS` times; an
            exception of ``work`` is the outcome of its task.
        """


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
        waiting: deque[tuple[T, int]] = deque((task, 0) for task in tasks)
        at_work: list[_Worker[T]] = []
        with ExitStack() as stack:
            for _ in range(min(self.workers, len(waiting))):
                at_work.append(stack.enter_context(_Worker.start(work, *waiting.popleft())))
            while at_work:
                ready = wait([worker.connection for worker in at_work])
                for worker in [worker for worker in at_work if worker.connection in ready]:
                    at_work.remove(worker)
                    answer = worker.answer()
                    if answer is not None:
                        yield Outcome(worker.task, *answer)
                        if waiting:
                            worker.give(*waiting.popleft())
                            at_work.append(worker)
                        continue
                    if worker.deaths + 1 < MAX_DEATHS:
                        waiting.appendleft((worker.task, worker.deaths + 1))
                    else:
                        yield Outcome(worker.task, None, f"{MAX_DEATHS} workers ended before they had answered")
                    if waiting:
                        at_work.append(stack.enter_context(_Worker.start(work, *waiting.popleft())))


@dataclass(eq=False)
class _Worker(Generic[T]):
    """A process with a task, and how many workers that task has ended before."""

    process: BaseProcess
    connection: Connection
    task: T = field(init=False)
    deaths: int = field(init=False)

    @classmethod
    def start(cls, work: Callable[[T], Any], task: T, deaths: int) -> _Worker[T]:
        # A fork would share the locks of threads that do not exist in it.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        process.start()
        theirs.close()
        worker = cls(process, ours)
        worker.give(task, deaths)
        return worker

    def give(self, task: T, deaths: int) -> None:
        self.task, self.deaths = task, deaths
        with suppress(OSError):  # it was killed meanwhile, which shows when its answer is read
            self.connection.send(task)

    def answer(self) -> tuple[Any, str | None] | None:
        """Wait for the result or the failure; ``None`` where the process ended without."""
        try:
            received: tuple[Any, str | None] = self.connection.recv()
        except (EOFError, OSError):
            return None
        return received

    def __enter__(self) -> _Worker[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join()


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
