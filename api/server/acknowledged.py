"""Whoever was told of a change is never answered from an older version, by whichever worker of the server."""

from __future__ import annotations

import asyncio
import logging
import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.common_headers import SEQ_HEADER
from api.http.forwarded import PASSED_ON
from api.http.json import problem
from api.http.limits import ALWAYS_ANSWERED
from api.server.live_snapshot import LiveSnapshot
from layers.filesystem.file_lock import lock, unlock
from layers.store.store import StoreError

_RAW_HEADER = SEQ_HEADER.lower().encode()
_NUMBER_BYTES = 8
#: Seconds between two looks at a replica for a change that another worker shows.
_PAUSE_S = 0.02

log = logging.getLogger(__name__)


class AcknowledgedSeq:
    """The number of the last change that a worker has told a client of: eight bytes of a file that all workers map.

    Reading it costs as much as reading a variable; a write of it is locked against other workers. A worker without a
    folder is the only one.
    """

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        self._handle = -1
        if folder is not None:
            self._handle = os.open(folder / "acknowledged", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # A file that has its length already stays as it is.
            os.ftruncate(self._handle, _NUMBER_BYTES)
        self._number = memoryview(mmap.mmap(self._handle, _NUMBER_BYTES)).cast("Q")

    @property
    def value(self) -> int:
        """The number now."""
        return int(self._number[0])

    def advance(self, seq: int) -> None:
        """Set the number, unless it is larger already."""
        with self._lock, self._held():
            self._number[0] = max(self._number[0], seq)

    @contextmanager
    def _held(self) -> Iterator[None]:
        if self._handle < 0:
            yield
            return
        lock(self._handle)
        try:
            yield
        finally:
            unlock(self._handle)


class ReadYourWrites:
    """Middleware that brings a worker up to what a client may have seen before it answers.

    That is the last change that a worker of this server acknowledged, and behind a proxy that says so
    (`api.http.forwarded.PASSED_ON`) the newest one that the proxy passed an answer of on, from whichever server.

    Requests wait for the same look at the store, for as long as a limit. After that they are answered from the version
    that there is, and the header `SEQ_HEADER` says that it is an older one; or with 503 where that one has what the
    store withholds by now, and with 504 where a proxy has passed a newer one on, so that it asks another worker. The
    answer to a proxy that says so has the number of a change there: it is of this one, or of one since the request
    came. No other reader is told it, as it counts private changes.
    """

    def __init__(self, app: ASGIApp, atlas: LiveSnapshot, acknowledged: AcknowledgedSeq, limit_s: float) -> None:
        self._app = app
        self._atlas = atlas
        self._acknowledged = acknowledged
        self._limit_s = limit_s
        self._looking: asyncio.Future[bool] | None = None
        #: An acknowledged number that the store, read afterwards, did not have: it was replaced by an older one.
        self._void = 0
        #: An acknowledged number up to which the store could not be read, which `LiveSnapshot.watch` goes on trying.
        self._failed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as soon as the worker may answer it."""
        if not _waits(scope):
            await self._app(scope, receive, send)
            return
        wanted, passed_on = self._acknowledged.value, scope.get(PASSED_ON)
        if wanted > max(self._seq, self._void, self._failed):
            await self._catch_up(wanted)
        if self._atlas.is_withdrawn:
            await self._look(self._seq + 1, asyncio.get_running_loop().time() + self._limit_s)
        if self._atlas.is_withdrawn:
            refused = problem(503, "A version is being computed", "the one before has what is withheld now; try again")
            refused.headers["Retry-After"] = "5"
            await refused(scope, receive, send)
            return
        if passed_on is not None and passed_on > self._seq and not await self._may_answer(passed_on):
            refused = problem(504, "This worker is behind", f"change {passed_on} cannot be shown yet; try again")
            await refused(scope, receive, send)
            return
        is_behind = self._void < wanted > self._seq
        if passed_on is None and not is_behind:
            await self._app(scope, receive, send)
            return
        behind_at = self._seq

        async def marked(message: Message) -> None:
            # The answer to a write has that header already, with the number of its own change.
            if message["type"] == "http.response.start" and _RAW_HEADER not in dict(message["headers"]):
                seq = behind_at if is_behind else self._seq
                value = b"older" if passed_on is None else str(seq).encode()
                message["headers"] = [*message["headers"], (_RAW_HEADER, value)]
            await send(message)

        await self._app(scope, receive, marked)

    @property
    def _seq(self) -> int:
        return self._atlas.view.snapshot.seq

    async def _catch_up(self, wanted: int) -> None:
        is_read = await self._look(wanted, asyncio.get_running_loop().time() + self._limit_s)
        if is_read is False:
            self._failed = max(self._failed, wanted)
        elif is_read and self._seq < wanted and self._void < wanted:
            log.warning("the store has no change %d, which was acknowledged: it was replaced", wanted)
            self._void = wanted

    async def _may_answer(self, passed_on: int) -> bool:
        """Wait for a change that another worker answered from; whether it is served, or the store has none such."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limit_s
        while await self._look(passed_on, end):
            if self._seq >= passed_on or not await asyncio.to_thread(self._is_replica):
                return True
            await asyncio.sleep(_PAUSE_S)  # a replica has what its primary has a moment later
        return self._seq >= passed_on

    def _is_replica(self) -> bool:
        try:
            return self._atlas.store.read_only
        except StoreError:
            return True

    async def _look(self, wanted: int, end: float) -> bool | None:
        """Look at the store until a change is there or as of now; whether it was read, None where time ran out."""
        loop = asyncio.get_running_loop()
        for is_last in (False, True):
            is_new = self._looking is None or self._looking.done()
            if is_new:
                self._looking = asyncio.ensure_future(asyncio.to_thread(self._atlas.look))
            looking = self._looking
            assert looking is not None
            await asyncio.wait((looking,), timeout=max(0.0, end - loop.time()))
            if not looking.done():
                return None
            # One that was at work may have read the store before now.
            if is_new or is_last or self._seq >= wanted:
                return looking.result()
        return None


def _waits(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["path"].removeprefix(scope.get("root_path", "")) not in ALWAYS_ANSWERED
