"""Limits of a request and of all requests together, as plain ASGI: more is refused before any work is done."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.json import pointer_token, problem
from api.http.work import ClientGone, client_of
from api.settings import Settings

log = logging.getLogger(__name__)

#: Paths that are answered however many requests there are.
ALWAYS_ANSWERED = ("/health", "/health/live", "/metrics")
#: Seconds between two checks for requests that are late.
CHECK_INTERVAL_S = 0.1
#: A host and a port (RFC 9110, 7.2; RFC 3986, 3.2.2); that of http is never empty.
_HOST = re.compile(rb"(?:(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


class RequestLimit:
    """Middleware that refuses what no route should see.

    Long addresses are answered 414, long headers 431; 400 is the answer to many parameters or no text in them, and to
    a request without a valid Host, or with two (RFC 9112, 3.2).
    """

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
        size, hosts = 0, []
        for name, value in scope["headers"]:
            size += len(name) + len(value) + 4
            if name == b"host":
                hosts.append(value)
        if size > limits.headers_max:
            raise _Refused(431, "The headers are too long", f"at most {limits.headers_max} bytes of headers are read")
        if not (len(hosts) == 1 and _is_host(hosts[0])) and (hosts or scope["http_version"] != "1.0"):
            raise _Refused(400, "No valid Host", "expected one Host header, with a host, or a host and a port")
        if query.count(b"&") >= limits.parameters_max:
            raise _Refused(400, "Too many parameters", f"at most {limits.parameters_max} parameters are read")
        if b"%" in path:
            _require_text("path", path)
        if b"%" in query or not query.isascii():
            for part in query.split(b"&"):
                name, _, value = part.partition(b"=")
                _require_text("query", name)
                _require_text(urllib.parse.unquote_plus(name.decode("ascii", "replace"))[:80], value)


@lru_cache(maxsize=256)
def _is_host(value: bytes) -> bool:
    return len(value) <= 260 and _HOST.fullmatch(value) is not None


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
    client: str
    begun: bool = False
    late: bool = False


class ActiveRequests:
    """The requests being answered by a worker, and one timer that finds the late ones among them."""

    def __init__(self) -> None:
        self._all: set[_ActiveRequest] = set()
        self._of_client: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        #: The time of the loop at the last check, near enough for times that are due in seconds.
        self.now = 0.0

    def __len__(self) -> int:
        return len(self._all)

    def has_room(self, client: str, most: int, most_of_one: int) -> bool:
        """Whether a client may have one more request at work; where there are ``most``, within its share of them."""
        own = self._of_client[client]
        share = most_of_one if len(self._all) < most else most // max(len(self._of_client), 1)
        return most > 0 and own < max(min(share, most_of_one), 1)

    def add(self, within_s: float, client: str = "") -> _ActiveRequest:
        """Begin to watch the current task."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        if self._loop is not loop:
            self._loop, self.now = loop, loop.time()
            loop.call_later(CHECK_INTERVAL_S, self._check, loop)
        work = _ActiveRequest(task, self.now + within_s, client)
        self._all.add(work)
        self._of_client[client] += 1
        return work

    def remove(self, work: _ActiveRequest) -> None:
        """Stop watching a request."""
        if work in self._all:
            self._all.discard(work)
            self._of_client[work.client] -= 1
            if not self._of_client[work.client]:
                del self._of_client[work.client]

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = loop.time()
        for work in [work for work in self._all if work.due < self.now and not work.late]:
            work.late = True
            work.task.cancel()
        self._loop = loop if self._all else None
        if self._all:
            loop.call_later(CHECK_INTERVAL_S, self._check, loop)


class ConcurrencyLimit:
    """Middleware that answers 503 to a client with too many requests at once, and to one whose answer does not begin.

    An answer that has begun and then stands still, as nobody reads it or nothing follows, is cut off. A thread
    cannot be stopped; it ends by itself.
    """

    def __init__(self, app: ASGIApp, work: ActiveRequests, settings: Settings) -> None:
        self._app = app
        self._watch = work
        self._max_requests = settings.at_work_max
        self._client_max = min(settings.client_max, settings.at_work_max)
        self._answer_s = settings.answer_s or math.inf
        self._stall_s = settings.stall_s or math.inf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch it."""
        watch = self._watch
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = client_of(scope)
        if (
            not watch.has_room(client, self._max_requests, self._client_max)
            and scope["path"].removeprefix(scope.get("root_path", "")) not in ALWAYS_ANSWERED
        ):
            detail = f"at most {self._client_max} requests of one client are worked on at once, and less where all do"
            await _unavailable("There is too much to do", detail, scope, receive, send)
            return
        work = watch.add(self._answer_s, client)

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
        except ClientGone:
            # Nobody reads an answer.
            return
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


#: NUL, at which SQLite would end a text, and halves of surrogate pairs, which UTF-8 cannot have.
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_FAULTS_MAX = 50


class JsonBodies:
    """Middleware that answers 400 to a JSON body with NUL or a lone surrogate in a string or name, and says where."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, and pass the request on with it."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH") or not _is_json(scope):
            await self._app(scope, receive, send)
            return
        try:
            messages = [await receive()]
            while messages[-1].get("more_body", False):
                messages.append(await receive())
        except HTTPException as error:
            # One that is too long: the route answers that.
            await self._app(scope, partial(_refuse, error), send)
            return
        faults = faults_of(b"".join(message.get("body", b"") for message in messages))
        if faults:
            detail = f"{len(faults)} fault(s); first: {faults[0]['pointer'] or '/'}: expected {faults[0]['expected']}"
            errors = faults[:_FAULTS_MAX]
            await problem(400, "The body has faults", detail, errors=errors)(scope, receive, send)
            return
        unread = iter(messages)

        async def again() -> Message:
            return next(unread, None) or await receive()

        await self._app(scope, again, send)


async def _refuse(error: HTTPException) -> Message:
    raise error


def _is_json(scope: Scope) -> bool:
    return "json" in Headers(scope=scope).get("content-type", "json").lower()


def faults_of(body: bytes) -> list[dict[str, str]]:
    """Return where a JSON text (RFC 8259) has characters that no text has; a body that is none is left to the route.

    Gives pointer (RFC 6901), value and expectation of each fault.
    """
    # Only an escape can hold one: JSON refuses the characters themselves.
    if b"\\u" not in body:
        return []
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return []
    expected = "text without NUL and without halves of surrogate pairs"
    return [{"pointer": _shown(at), "value": _shown(text), "expected": expected} for at, text in _unfit(document)]


def _unfit(document: Any) -> Iterator[tuple[str, str]]:
    """Yield the pointer and text of each string and name with such a character."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, str):
            if _NO_TEXT.search(value):
                yield at, value
        elif isinstance(value, list):
            waiting += reversed([(f"{at}/{number}", item) for number, item in enumerate(value)])
        elif isinstance(value, dict):
            named = [(f"{at}/{pointer_token(name)}", name, item) for name, item in value.items()]
            yield from ((pointer, name) for pointer, name, _ in named if _NO_TEXT.search(name))
            waiting += reversed([(pointer, item) for pointer, _, item in named])


def _shown(text: str) -> str:
    return _NO_TEXT.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text[:120])
