"""uvicorn's HTTP protocol with bounds on the head of a request, which it would wait for, and keep, without end."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers are much too long, or do not come.

    What is somewhat too long is read and answered as it should be, see `api.http.limits.RequestLimit`.
    """

    #: Bytes of request line and headers that are kept, and seconds that they may take to come.
    HEAD_MAX: ClassVar[int] = 2**17
    HEAD_S: ClassVar[float] = 15.0

    #: Seconds that a connection which was just taken has for its first request when the server is stopped.
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
        """Hand a request on."""
        self._in_head = False
        self._head = 0
        self._stop_waiting()
        super().on_headers_complete()
        if self._ending:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """End a connection; whoever was let in a moment ago is about to ask, and is answered first."""
        if self.cycle is None and not self._ending:
            self._ending = True
            self.loop.call_later(self.FIRST_S, self.shutdown)
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Take what came; look at it only where the head is not whole by then, which is seldom."""
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._head += len(data)
        if self._head > self.HEAD_MAX:
            self.send_400_response("The head of the request is too long.")
        elif self._waiting is None:
            self._waiting = self.loop.call_later(self.HEAD_S, self._give_up)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request as every other fault is; nothing that the application does stands before this."""
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
