"""uvicorn's HTTP protocol with bounds on the head of a request, and with heads of answers that are encoded once."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import ClassVar

import orjson
from starlette.types import ASGIApp, Message
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)


class EncodedHeadCycle(RequestResponseCycle):
    """An answer whose head is checked and encoded once for equal headers.

    uvicorn does so each time, which for our fifteen headers takes a third of the time of a cached answer.
    """

    async def send(self, message: Message) -> None:  # type: ignore[override]
        """Send the head of an answer that states its length from what was encoded before; all else as uvicorn does."""
        is_plain = self.keep_alive and not (self.response_started or self.disconnected or self.flow.write_paused)
        encoded = _encoded_head(tuple(message["headers"])) if is_plain and "headers" in message else None
        if encoded is None:
            await super().send(message)  # type: ignore[arg-type]
            return
        head, self.expected_content_length = encoded
        self.response_started, self.waiting_for_100_continue, self.chunked_encoding = True, False, False
        own = [b"%b: %b\r\n" % header for header in self.default_headers]
        self.transport.write(b"".join((STATUS_LINE[message["status"]], *own, head)))


@lru_cache(maxsize=1024)
def _encoded_head(headers: tuple[tuple[bytes, bytes], ...]) -> tuple[bytes, int] | None:
    """Encode headers with the empty line behind them, and read their length; ``None`` where uvicorn decides more."""
    stated = {name.lower(): value for name, value in headers}
    is_invalid = any(HEADER_RE.search(name) or HEADER_VALUE_RE.search(value) for name, value in headers)
    if is_invalid or b"content-length" not in stated or {b"transfer-encoding", b"connection"} & stated.keys():
        return None
    head = b"".join(b"%b: %b\r\n" % (name.lower(), value) for name, value in headers)
    return head + b"\r\n", int(stated[b"content-length"])


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers are much too long, or do not come in time.

    A head that is somewhat too long is read, and answered with 414 or 431 by `api.http.limits.RequestLimit`.
    """

    #: Largest size in bytes of request line and headers, and the seconds within which they have to come.
    HEAD_MAX: ClassVar[int] = 2**17
    HEAD_S: ClassVar[float] = 15.0

    #: Seconds that a connection without a request yet is given for one when the server is stopped.
    FIRST_S: ClassVar[float] = 0.2

    _head = 0
    _in_head = False
    _ending = False
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, and wait for its first request."""
        super().connection_made(transport)
        self._waiting = self.loop.call_later(self.HEAD_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave a connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Pass a request on to the application."""
        self._in_head = False
        self._head = 0
        self._stop_waiting()
        super().on_headers_complete()
        if self._ending:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:  # type: ignore[override]
        # uvicorn does not let the class of its cycles be named.
        cycle.__class__ = EncodedHeadCycle
        super()._start_asgi_task(cycle, app)  # type: ignore[arg-type]

    def shutdown(self) -> None:
        """End a connection; a client that has just connected is about to send a request, which is answered first."""
        if self.cycle is None and not self._ending:
            self._ending = True
            self.loop.call_later(self.FIRST_S, self.shutdown)
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Take bytes; measure them only while the head of a request is incomplete, which is seldom."""
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._head += len(data)
        if self._head > self.HEAD_MAX:
            self.send_400_response("The head of the request is too long.")
        elif self._waiting is None:
            self._waiting = self.loop.call_later(self.HEAD_S, self._give_up)

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no request with problem details, as the application answers faults."""
        body = orjson.dumps({"type": "about:blank", "title": "No HTTP request", "status": 400, "detail": msg})
        head = f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[400] + head.encode("ascii") + body)
        self.transport.close()

    def _give_up(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
