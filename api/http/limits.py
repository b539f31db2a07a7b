"""Limits of a request and of all requests together, as plain ASGI: more is refused before any work is done."""

from __future__ import annotations

import asyncio
import logging
import math
import urllib.parse
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.json import problem
from api.settings import Settings

log = logging.getLogger(__name__)

#: Paths that are answered however many requests there are.
ALWAYS_ANSWERED = ("/health", "/health/live", "/metrics")
#: Seconds between two checks for requests that are late.
CHECK_INTERVAL_S = 0.1


class RequestLimit:
    """Middleware that refuses long addresses (414) and headers (431), and many parameters or no text in them (400)."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request that is within the limits."""
        if scope["type"] == "http":
            try:
                self._require(scope)
            except _Refused as refused:
                extra = {} if refused.parameter is None else {"parameter": refused.parameter}
                answer = problem(refused.status, refused.title, str(refused), **extra)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _require(self, scope: Scope) -> None:
        limits, query = self._settings, scope["query_string"]
        path: bytes = scope.get("raw_path") or urllib.parse.quote(scope["path"]).encode()
        if len(path) + len(query) > limits.url_max:
            raise _Refused(414, "The address is too long", f"at most {limits.url_max} bytes of path and query are read")
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value) + 4
        if size > limits.headers_max:
            raise _Refused(431, "The headers are too long", f"at most {limits.headers_max} bytes of headers are read")
        if query.count(b"&") >= limits.parameters_max:
            raise _Refused(400, "Too many parameters", f"at most {limits.parameters_max} parameters are read")
        if b"%" in path:
            _require_text("path", path)
        if b"%" in query or not query.isascii():
            for part in query.split(b"&"):
                name, _, value = part.partition(b"=")
                _require_text("query", name)
                _require_text(urllib.parse.unquote_plus(name.decode("ascii", "replace"))[:80], value)


class _Refused(Exception):
    def __init__(self, status: int, title: str, detail: str, parameter: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.parameter = parameter


def _require_text(parameter: str, raw: bytes) -> None:
    """Refuse bytes that are no UTF-8 or contain NUL: no name or value has any."""
    plain = urllib.parse.unquote_to_bytes(raw)
    try:
        if "\0" in plain.decode("utf-8"):
            raise ValueError("NUL")
    except ValueError:
        detail = f"{parameter}: expected text in percent-encoded UTF-8, without NUL"
        raise _Refused(400, "A parameter cannot be read", detail, parameter) from None


class BodyLimit:
    """Middleware that answers 413 to a body of more bytes than a limit (RFC 9110, 15.5.14)."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; count the bytes that are read, besides the stated length."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max_bytes or _stated_length(scope) > self._max_bytes:
                raise HTTPException(413, f"At most {self._max_bytes} bytes are read")
            return message

        await self._app(scope, counted, send)


def _stated_length(scope: Scope) -> int:
    stated = Headers(scope=scope).get("content-length", "0")
    return int(stated) if stated.isdigit() else 0


@dataclass(slots=True, eq=False)
class _ActiveRequest:
    """A request being answered; ``due`` is in the time of the loop."""

    task: asyncio.Task[object]
    due: float
    begun: bool = False
    late: bool = False


class ActiveRequests:
    """The requests being answered by a worker, and one timer that finds the late ones among them."""

    def __init__(self) -> None:
        self._all: set[_ActiveRequest] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        #: The time of the loop at the last check, near enough for times that are due in seconds.
        self.now = 0.0

    def __len__(self) -> int:
        return len(self._all)

    def add(self, within_s: float) -> _ActiveRequest:
        """Begin to watch the current task."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        if self._loop is not loop:
            self._loop, self.now = loop, loop.time()
            loop.call_later(CHECK_INTERVAL_S, self._check, loop)
        work = _ActiveRequest(task, self.now + within_s)
        self._all.add(work)
        return work

    def remove(self, work: _ActiveRequest) -> None:
        """Stop watching a request."""
        self._all.discard(work)

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = loop.time()
        for work in [work for work in self._all if work.due < self.now and not work.late]:
            work.late = True
            work.task.cancel()
        self._loop = loop if self._all else None
        if self._all:
            loop.call_later(CHECK_INTERVAL_S, self._check, loop)


class ConcurrencyLimit:
    """Middleware that answers 503 to more requests at once than a limit, and to one whose answer does not begin.

    An answer that has begun and then stands still, as nobody reads it or nothing follows, is cut off. A thread
    cannot be stopped; it ends by itself.
    """

    def __init__(self, app: ASGIApp, work: ActiveRequests, settings: Settings) -> None:
        self._app = app
        self._watch = work
        self._max_requests = settings.at_work_max
        self._answer_s = settings.answer_s or math.inf
        self._stall_s = settings.stall_s or math.inf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch it."""
        watch = self._watch
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if (
            len(watch) >= self._max_requests
            and scope["path"].removeprefix(scope.get("root_path", "")) not in ALWAYS_ANSWERED
        ):
            detail = f"at most {self._max_requests} requests are worked on at once"
            await _unavailable("There is too much to do", detail, scope, receive, send)
            return
        work = watch.add(self._answer_s)

        async def moving(message: Message) -> None:
            work.begun = True
            work.due = watch.now + self._stall_s
            await send(message)
            if message["type"] == "http.response.body":
                if message.get("more_body", False):
                    work.due = watch.now + self._stall_s
                else:
                    # What runs after the answer is not waited for.
                    watch.remove(work)

        try:
            await self._app(scope, receive, moving)
        except asyncio.CancelledError:
            if not work.late:
                raise
            work.task.uncancel()
            watch.remove(work)
            await self._late(work, scope, receive, send)
        finally:
            watch.remove(work)

    async def _late(self, work: _ActiveRequest, scope: Scope, receive: Receive, send: Send) -> None:
        log.warning("%s %s was cut off", scope["method"], scope["path"][:300])
        if not work.begun:
            await _unavailable("It takes too long", f"no answer within {self._answer_s:g} s", scope, receive, send)


async def _unavailable(title: str, detail: str, scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem(503, title, detail)
    answer.headers["Retry-After"] = "1"
    await answer(scope, receive, send)
