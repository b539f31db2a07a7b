"""How much one request, and all together, may ask for, as plain ASGI: what is more is refused before any work."""

from __future__ import annotations

import asyncio
import logging
import math
import urllib.parse
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problem import problem
from api.settings import Settings

log = logging.getLogger(__name__)

#: What is answered however much there is to do.
ALWAYS = ("/health", "/health/live", "/metrics")
#: Seconds between two looks for requests that are late.
LOOK_S = 0.1


class RequestLimit:
    """Middleware that refuses what is too long (414, 431), too many parameters, and bytes that are no text (400)."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is within the limits."""
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
        most, query = self._settings, scope["query_string"]
        path: bytes = scope.get("raw_path") or urllib.parse.quote(scope["path"]).encode()
        if len(path) + len(query) > most.url_max:
            raise _Refused(414, "The address is too long", f"at most {most.url_max} bytes of path and query are read")
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value) + 4
        if size > most.headers_max:
            raise _Refused(431, "The headers are too long", f"at most {most.headers_max} bytes of headers are read")
        if query.count(b"&") >= most.parameters_max:
            raise _Refused(400, "Too many parameters", f"at most {most.parameters_max} parameters are read")
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
    """Refuse bytes that are no UTF-8, or hold NUL: no name or value has any."""
    plain = urllib.parse.unquote_to_bytes(raw)
    try:
        if "\0" in plain.decode("utf-8"):
            raise ValueError("NUL")
    except ValueError:
        detail = f"{parameter}: expected text in percent-encoded UTF-8, without NUL"
        raise _Refused(400, "A parameter cannot be read", detail, parameter) from None


class BodyLimit:
    """Middleware that answers 413 to a body of more than so many bytes (RFC 9110, 15.5.14)."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; count what is read of it, whatever its length is said to be."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most or _stated(scope) > self._most:
                raise HTTPException(413, f"At most {self._most} bytes are read")
            return message

        await self._app(scope, counted, send)


def _stated(scope: Scope) -> int:
    stated = Headers(scope=scope).get("content-length", "0")
    return int(stated) if stated.isdigit() else 0


@dataclass(slots=True, eq=False)
class _Work:
    """One request at work; ``due`` is in the time of the loop."""

    task: asyncio.Task[object]
    due: float
    begun: bool = False
    late: bool = False


class AtWork:
    """The requests at work in one worker, and a look at the clock for all of them at once."""

    def __init__(self) -> None:
        self._all: set[_Work] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        #: The time of the loop at the last look, which is near enough for all that is due in seconds.
        self.now = 0.0

    def __len__(self) -> int:
        return len(self._all)

    def add(self, within_s: float) -> _Work:
        """Begin to watch the current task."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        if self._loop is not loop:
            self._loop, self.now = loop, loop.time()
            loop.call_later(LOOK_S, self._look, loop)
        work = _Work(task, self.now + within_s)
        self._all.add(work)
        return work

    def remove(self, work: _Work) -> None:
        """End to watch it."""
        self._all.discard(work)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = loop.time()
        for work in [work for work in self._all if work.due < self.now and not work.late]:
            work.late = True
            work.task.cancel()
        self._loop = loop if self._all else None
        if self._all:
            loop.call_later(LOOK_S, self._look, loop)


class WorkLimit:
    """Middleware that answers 503 to more requests at once than so many, and to one whose answer does not begin.

    An answer that has begun and then stands still, as nobody takes it or nothing comes, is cut off. What a thread
    works on cannot be stopped; it ends by itself.
    """

    def __init__(self, app: ASGIApp, work: AtWork, settings: Settings) -> None:
        self._app = app
        self._watch = work
        self._most = settings.at_work_max
        self._answer_s = settings.answer_s or math.inf
        self._stall_s = settings.stall_s or math.inf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch it."""
        watch = self._watch
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if len(watch) >= self._most and scope["path"].removeprefix(scope.get("root_path", "")) not in ALWAYS:
            detail = f"at most {self._most} requests are worked on at once"
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

    async def _late(self, work: _Work, scope: Scope, receive: Receive, send: Send) -> None:
        log.warning("%s %s was cut off", scope["method"], scope["path"][:300])
        if not work.begun:
            await _unavailable("It takes too long", f"no answer within {self._answer_s:g} s", scope, receive, send)


async def _unavailable(title: str, detail: str, scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem(503, title, detail)
    answer.headers["Retry-After"] = "1"
    await answer(scope, receive, send)
