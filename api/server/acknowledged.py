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

from api.http.limits import ALWAYS_ANSWERED
from api.server.live_snapshot import LiveSnapshot
from layers.filesystem.file_lock import lock, unlock

#: Header with the number of a change: the one that a write made, or the last one in an answer that could not wait.
SEQ_HEADER = "Atlas-Seq"
_RAW_HEADER = SEQ_HEADER.lower().encode()
_NUMBER_BYTES = 8

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
    """Middleware that brings a worker up to the last acknowledged change before it answers.

    Requests wait for the same refresh, for as long as a limit; after that they are answered from the version that there
    is, and the header `SEQ_HEADER` says which one it is.
    """

    def __init__(self, app: ASGIApp, atlas: LiveSnapshot, acknowledged: AcknowledgedSeq, limit_s: float) -> None:
        self._app = app
        self._atlas = atlas
        self._acknowledged = acknowledged
        self._limit_s = limit_s
        self._refresh: asyncio.Future[None] | None = None
        #: An acknowledged number that the store, read afterwards, did not have: it was replaced by an older one.
        self._void = 0
        #: An acknowledged number up to which the store could not be read, which `LiveSnapshot.watch` goes on trying.
        self._failed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as soon as the worker may answer it."""
        wanted = self._acknowledged.value
        if wanted <= self._atlas.view.snapshot.seq or wanted <= self._void or not _waits(scope):
            await self._app(scope, receive, send)
            return
        if wanted > self._failed:
            await self._catch_up(wanted)
        seq = self._atlas.view.snapshot.seq
        if seq >= wanted or wanted <= self._void:
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            # The answer to a write has that header already, with the number of its own change.
            if message["type"] == "http.response.start" and _RAW_HEADER not in dict(message["headers"]):
                message["headers"] = [*message["headers"], (_RAW_HEADER, str(seq).encode())]
            await send(message)

        await self._app(scope, receive, marked)

    async def _catch_up(self, wanted: int) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limit_s
        for _ in range(2):  # a refresh that is at work may have read the store before that change
            if self._refresh is None or self._refresh.done():
                self._refresh = asyncio.ensure_future(asyncio.to_thread(self._read, wanted))
            await asyncio.wait((self._refresh,), timeout=max(0.0, end - loop.time()))
            if wanted <= max(self._atlas.view.snapshot.seq, self._failed, self._void):
                return

    def _read(self, wanted: int) -> None:
        if not self._atlas.look():
            self._failed = wanted
        elif self._atlas.view.snapshot.seq < wanted:
            log.warning("the store has no change %d, which was acknowledged: it was replaced", wanted)
            self._void = wanted


def _waits(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["path"].removeprefix(scope.get("root_path", "")) not in ALWAYS_ANSWERED
