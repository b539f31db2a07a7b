"""Heads that are encoded once are those that uvicorn writes, byte for byte, for any headers, statuses and requests."""

from __future__ import annotations

import asyncio

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from api.http.bounded_protocol import BoundedProtocol

Header = tuple[bytes, bytes]
BODY = b"four"
NAMES = st.sampled_from([b"content-type", b"ETag", b"Vary", b"x-a", b"Connection", b"Transfer-Encoding", b"a b", b""])
VALUES = st.sampled_from(
    [b"", b"text/plain", b"close", b"keep-alive, Close", b"chunked", b"a\tb", b"a\r\nb: c", b"\xe9"]
)
LENGTHS = st.sampled_from([[], [(b"content-length", b"4")], [(b"Content-Length", b"4")], [(b"content-length", b"9")]])
REQUESTS = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ]
)


class Wire(asyncio.Transport):
    """What a server writes to a connection, until it closes it."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def resume_reading(self) -> None:
        """There is nothing to read but what the test gives."""


async def exchanged(protocol: type[HttpToolsProtocol], requests: list[bytes], start: Message, body: bytes) -> Wire:
    """What a protocol answers to requests on one connection."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({**start, "headers": list(start["headers"])})
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", proxy_headers=False)
    config.load()
    state, wire = ServerState(), Wire()
    state.default_headers = [(b"date", b"Tue, 01 Dec 2026 00:00:00 GMT"), (b"server", b"a")]
    connection = protocol(config=config, server_state=state, app_state={})
    connection.connection_made(wire)
    for request in requests:
        if not wire.closed:
            connection.data_received(request)
            await asyncio.gather(*state.tasks)
    connection.connection_lost(None)
    return wire


@given(st.lists(REQUESTS, min_size=1, max_size=3), st.sampled_from([200, 204, 304, 404]), st.data())
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_every_answer_is_that_of_uvicorn(requests: list[bytes], status: int, data: st.DataObject) -> None:
    headers: list[Header] = data.draw(
        st.permutations(data.draw(LENGTHS) + data.draw(st.lists(st.tuples(NAMES, VALUES))))
    )
    start = {"type": "http.response.start", "status": status, "headers": headers}

    async def both() -> tuple[Wire, Wire]:
        ours = await exchanged(BoundedProtocol, requests, start, BODY)
        return ours, await exchanged(HttpToolsProtocol, requests, start, BODY)

    ours, theirs = asyncio.run(both())
    assert (ours.written, ours.closed) == (theirs.written, theirs.closed)
