"""The log on standard error: a line for each request, and messages of the program, as JSON or for people."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.metrics import RequestCounters

LogFormat = Literal["json", "text", "none"]

Write = Callable[[bytes], object]

#: Ends of names, and whole names, of parameters whose values are never written; and what is written instead.
SECRET_SUFFIXES = (
    "token",
    "key",
    "secret",
    "password",
    "passwd",
    "pwd",
    "signature",
    "credential",
    "credentials",
    "jwt",
)
SECRET_NAMES = {"auth", "authorization", "code", "pass", "session", "sessionid", "sid", "sig"}
MASK = "***"
#: Largest number of bytes of a path or query that is written.
MAX_LOGGED_BYTES = 1000
#: Name above the loggers of the application.
_RING = __name__.removesuffix(".http.request_log")


#: The route of a request that no route matches.
NO_ROUTE = "none"


def to_stderr(data: bytes) -> None:
    """Write to the standard error of this moment; a log that nobody reads stops nothing."""
    try:
        os.write(sys.stderr.fileno(), data)
    except (OSError, ValueError):
        return


@dataclass(slots=True)
class LoggedRequest:
    """A request and the size, status and duration of its answer."""

    at: float
    method: str
    #: As sent, percent-encoded.
    path: bytes
    query: bytes
    status: int
    size: int
    seconds: float


class RequestObserver:
    """Middleware that counts and logs every request; one whose client went away before an answer has status 499."""

    def __init__(self, app: ASGIApp, tally: RequestCounters, log: AccessLog | None) -> None:
        self._app = app
        self._tally = tally
        self._log = log
        self._templates = RouteTemplates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and observe its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        at, begun = time.time(), time.perf_counter()
        status, size, ended = 499, 0, 0.0

        async def seen(message: Message) -> None:
            nonlocal status, size, ended
            await send(message)
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
                # Work after the answer, such as reading a change, does not count.
                ended = time.perf_counter()

        try:
            await self._app(scope, receive, seen)
        finally:
            seconds = (ended or time.perf_counter()) - begun
            method: str = scope["method"]
            self._tally.add_answer(method, self._templates.of(scope), status, size, seconds)
            if self._log is not None:
                path: bytes = scope.get("raw_path") or scope["path"].encode()
                self._log.add(LoggedRequest(at, method, path, scope["query_string"], status, size, seconds))


class RouteTemplates:
    """Path templates of routes, such as /strikes/{strike}, as labels: there are only so many."""

    def __init__(self) -> None:
        self._of: dict[object, str] = {}

    def of(self, scope: Scope) -> str:
        """Return the template of the route that answered; plain routes are known by their endpoint only."""
        route = scope.get("route")
        if route is not None:
            return str(route.path_format)
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return NO_ROUTE
        if endpoint not in self._of:
            # Commands that serve nothing would wait a quarter of a second for it.
            from fastapi.routing import iter_route_contexts

            self._of = {endpoint: NO_ROUTE}
            for context in iter_route_contexts(scope["app"].routes):
                self._of[context.endpoint or getattr(context.route, "app", None)] = str(context.path)
        return self._of[endpoint]


class AccessLog:
    """Writes a line for each request at once, whole, so that the lines of several workers do not mix."""

    def __init__(self, form: Literal["json", "text"], worker: int, write: Write = to_stderr) -> None:
        self._line = json_line if form == "json" else text_line
        self._worker = worker
        self._write = write

    def add(self, seen: LoggedRequest) -> None:
        """Write the line of a request."""
        self._write(self._line(seen, self._worker))


def json_line(seen: LoggedRequest, worker: int) -> bytes:
    """Write a request as a line of JSON."""
    fields = {
        "time": _time(seen.at),
        "method": seen.method[:20],
        "path": _text(seen.path),
        "query": without_secrets(seen.query),
        "status": seen.status,
        "bytes": seen.size,
        "ms": round(seen.seconds * 1000, 3),
        "worker": worker,
    }
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def text_line(seen: LoggedRequest, worker: int) -> bytes:
    """Write a request as a line for people."""
    query = without_secrets(seen.query)
    address = _text(seen.path) + (f"?{query}" if query else "")
    text = f"{seen.method[:20]} {address} {seen.status} {seen.size} B {seen.seconds * 1000:.1f} ms worker {worker}"
    return f"{_time(seen.at)} {text}\n".encode()


def without_secrets(query: bytes) -> str:
    """Return a query as sent, percent-encoded, with the values of secret parameters masked."""
    if not query:
        return ""
    return "&".join(_masked(part) for part in _text(query).split("&"))


def _masked(part: str) -> str:
    name, equals, _ = part.partition("=")
    plain = urllib.parse.unquote_plus(name).strip().lower()
    return f"{name}={MASK}" if equals and (plain in SECRET_NAMES or plain.endswith(SECRET_SUFFIXES)) else part


_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_IS_PRINTABLE = re.compile(rb"[\x21-\x7e]*")


def _text(raw: bytes) -> str:
    """Return bytes of an address as sent; all but printable ASCII is percent-encoded, so that it stays one line."""
    cut = raw[:MAX_LOGGED_BYTES]
    return cut.decode("ascii") if _IS_PRINTABLE.fullmatch(cut) else urllib.parse.quote(cut, safe=_PRINTABLE)


def _time(at: float) -> str:
    second = int(at)
    return f"{_second(second)}.{int((at - second) * 1000):03}Z"


@lru_cache(maxsize=4)
def _second(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}"


class JsonLines(logging.Formatter):
    """Writes messages of the program as lines of JSON with the fields of the lines of requests."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record with its time, level, logger, message and trace."""
        fields: dict[str, Any] = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return orjson.dumps(fields).decode()


def logging_config(form: LogFormat) -> dict[str, Any]:
    """Build the configuration of Python's logging for a server; ``none`` still logs warnings and errors."""
    text = {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    level = "WARNING" if form == "none" else "INFO"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": JsonLines} if form == "json" else text},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            _RING: {"level": level},
            # It logs each connection at INFO; only warnings matter.
            "uvicorn": {"level": "WARNING"},
        },
    }
