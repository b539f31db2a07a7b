"""The head of a request has to come, and to end; requests that do both are answered as ever."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import orjson
import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from api.http.bounded_protocol import BoundedProtocol


class Hurried(BoundedProtocol):
    HEAD_MAX = 10_000
    HEAD_S = 0.4


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a while after it was asked, with the length of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await asyncio.sleep(0.6)
    await PlainTextResponse(f"{size} bytes")(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(slow, http=Hurried, lifespan="off", log_level="critical"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def rest(client: socket.socket) -> bytes:
    """What is answered until the connection is closed."""
    parts = []
    while part := client.recv(2**16):
        parts.append(part)
    return b"".join(parts)


def test_a_head_that_does_not_end_is_cut_off(port: int) -> None:
    with connected(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000)
        time.sleep(0.1)
        client.sendall(b"x" * 3000)
        assert rest(client).startswith(b"HTTP/1.1 400")


def test_an_address_that_does_not_end_is_cut_off(port: int) -> None:
    with connected(port) as client:
        for _ in range(4):
            client.sendall(b"GET /" + b"x" * 4000 if not _ else b"x" * 4000)
            time.sleep(0.02)
        assert rest(client).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(port: int, sent: bytes) -> None:
    begun = time.monotonic()
    with connected(port) as client:
        client.sendall(sent)
        assert rest(client) == b""
    assert time.monotonic() - begun > 0.3


def dripped(client: socket.socket) -> None:
    for letter in b"GET / HTTP/1.1\r\nHost: atlas.example\r\nX: " + b"x" * 100:
        client.sendall(bytes([letter]))
        time.sleep(0.05)


def test_a_head_that_comes_bit_by_bit_is_not_waited_for_either(port: int) -> None:
    with connected(port) as client, pytest.raises(OSError, match=r"reset|pipe"):
        dripped(client)


def test_a_long_answer_and_a_long_body_have_their_time(port: int) -> None:
    """The head is waited for, not what comes after it; and the next head of the connection again."""
    with connected(port) as client:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n"
        for _ in range(2):
            client.sendall(head[:20])
            time.sleep(0.1)
            client.sendall(head[20:])
            for _ in range(4):
                client.sendall(b"x" * 10_000)
                time.sleep(0.15)
            answer = b""
            while not answer.endswith(b"40000 bytes"):
                answer += client.recv(2**16)
            assert answer.startswith(b"HTTP/1.1 200")


def test_requests_may_come_together(port: int) -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\n"
    with connected(port) as client:
        client.sendall((head + b"\r\n") * 2 + head + b"Connection: close\r\n\r\n")
        assert rest(client).count(b"HTTP/1.1 200") == 3


def test_what_is_no_request_is_answered_as_every_other_fault(port: int) -> None:
    """Also an address so long that its parser reads no further."""
    for sent in (b"\r\nnothing\r\n\r\n", b"GET /?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"):
        with connected(port) as client:
            client.sendall(sent)
            head, _, body = rest(client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"content-type: application/problem+json\r\n" in head
        assert f"content-length: {len(body)}".encode() in head
        told = orjson.loads(body)
        assert (told["status"], bool(told["detail"])) == (400, True)
