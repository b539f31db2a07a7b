"""Work that takes long, in classes by what it costs: each has threads and a fair queue over clients of its own.

What waits costs next to nothing. A client that lets too much wait is answered 503, and nobody else is; work whose
client has gone away is not begun, or ends at its next step.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope

from api.http.fair_queue import FairQueue, QueueFull
from api.http.forwarded import client_network
from api.requests.reviewer_tokens import NotAllowed, ReviewersError, authenticate, read_reviewers
from api.settings import Settings

Result = TypeVar("Result")


class WorkClass(StrEnum):
    """Classes of work, by what it takes; a handler names that of its work where it queues it."""

    TILE = "tile"
    SELECTION = "selection"
    EXPORT = "export"
    PICTURE = "picture"


class ClientGone(Exception):
    """The client of a request has gone away, and nobody waits for the answer."""


@dataclass(slots=True, eq=False)
class _Job:
    client: str
    cost: float
    call: Callable[[], Any]
    result: asyncio.Future[Any]
    wanted: bool = True
    seconds: float = 0.0

    def run(self) -> Any:
        # Of the processor: what other threads take meanwhile is not this client's.
        begun = time.thread_time()
        try:
            _current.set(self)
            require_wanted()
            return self.call()
        finally:
            self.seconds = time.thread_time() - begun


_current: ContextVar[_Job | None] = ContextVar("current", default=None)


def require_wanted() -> None:
    """End the work of this thread, between two steps of it, where nobody waits for it any more.

    Raises ClientGone if the client has gone away, or was answered that it takes too long.
    """
    job = _current.get()
    if job is not None and not job.wanted:
        raise ClientGone


def client_of(scope: Scope) -> str:
    """Return whose request it is: the address that it comes from, of IPv6 the network that one client has."""
    return client_network((scope.get("client") or ("",))[0])


class WorkQueues:
    """The queues of a worker, one for each class of work."""

    def __init__(self, settings: Settings) -> None:
        slots: Mapping[WorkClass, int] = {
            WorkClass.TILE: settings.tiles_at_once,
            WorkClass.SELECTION: settings.selections_at_once,
            WorkClass.EXPORT: settings.exports_at_once,
            WorkClass.PICTURE: settings.pictures_at_once,
        }
        self._lanes = {kind: _Lane(kind, max(count, 1), settings.waiting_max) for kind, count in slots.items()}
        self._reviewers = settings.reviewers if settings.clients_by_token else None

    def waiting(self) -> Mapping[WorkClass, int]:
        """Return how much waits, by class."""
        return {kind: len(lane.waiting) for kind, lane in self._lanes.items()}

    async def run(
        self, request: Request, kind: WorkClass, call: Callable[[], Result], expected_s: float = 0.02
    ) -> Result:
        """Call a function in a thread when it is the turn of the client, and return its result.

        Raises HTTPException (503 if too much of this client waits); ClientGone if the client goes away before it ends.

        ``expected_s``: seconds that it may take; what it took beyond is charged afterwards.
        """
        lane = self._lanes[kind]
        job = _Job(self._client(request), expected_s, call, asyncio.get_running_loop().create_future())
        try:
            lane.add(job)
        except QueueFull as full:
            raise HTTPException(503, f"Too much of this client is waiting: {full}", {"Retry-After": "2"}) from full
        left = asyncio.ensure_future(_left(request.receive))
        try:
            await asyncio.wait((job.result, left), return_when=asyncio.FIRST_COMPLETED)
            if not job.result.done():
                raise ClientGone
            result: Result = job.result.result()
            return result
        finally:
            left.cancel()
            lane.give_up(job)

    def _client(self, request: Request) -> str:
        if self._reviewers is not None and (header := request.headers.get("authorization")):
            with suppress(NotAllowed, ReviewersError):
                return f"reviewer {authenticate(read_reviewers(self._reviewers), header).name}"
        return client_of(request.scope)


async def _left(receive: Receive) -> None:
    """Wait until the client goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def queued(request: Request, kind: WorkClass, call: Callable[[], Result], expected_s: float = 0.02) -> Result:
    """Call a function in the queue of its class, see `WorkQueues.run`."""
    queues: WorkQueues = request.app.state.work
    return await queues.run(request, kind, call, expected_s)


class _Lane:
    """One class of work: what waits, and the threads that do it; one of several is left to others by every client."""

    def __init__(self, kind: WorkClass, slots: int, waiting_max: int) -> None:
        self.waiting = FairQueue[_Job](waiting_max)
        self._threads = ThreadPoolExecutor(slots, f"{kind}-")
        self._free, self._most_of_one = slots, max(slots - 1, 1)
        self._running = Counter[str]()

    def add(self, job: _Job) -> None:
        self.waiting.push(job.client, job, job.cost)
        self._begin()

    def give_up(self, job: _Job) -> None:
        """Note that nobody waits for a job any more; one that is done stays as it is."""
        if not job.result.done():
            job.wanted = False
            job.result.cancel()
            self.waiting.discard(job.client, job)

    def _begin(self) -> None:
        while self._free and (job := self.waiting.pop(self._full())) is not None:
            self._free -= 1
            self._running[job.client] += 1
            running = job.result.get_loop().run_in_executor(self._threads, copy_context().run, job.run)
            running.add_done_callback(lambda running, job=job: self._end(job, running))  # type: ignore[misc]

    def _full(self) -> set[str]:
        return {client for client, count in self._running.items() if count >= self._most_of_one}

    def _end(self, job: _Job, running: asyncio.Future[Any]) -> None:
        # A thread cannot be stopped: its slot is free when it ends, whoever has gone meanwhile.
        self._free += 1
        self._running -= Counter([job.client])
        self.waiting.charge(job.client, job.seconds - job.cost)
        error = running.exception()
        if not job.result.done():
            if error is None:
                job.result.set_result(running.result())
            else:
                job.result.set_exception(error)
        self._begin()
