"""Answers in pieces: the same bytes and length, however many pieces they come in."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from api.responses.resource import PiecesResponse


async def sent(response: PiecesResponse) -> list[Message]:
    """The messages of an answer."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    await response({"type": "http"}, receive, send)
    return messages


@pytest.mark.parametrize(
    ("pieces", "bodies"),
    [
        ([b"[", memoryview(b"1"), b"]"], 1),
        ([b"[", memoryview(b"1" * 2**22), b"]"], 3),
        ([b"1" * 2**16] * 65, 1),
        ([], 1),
    ],
    ids=["short", "long", "many", "none"],
)
def test_the_bytes_are_those_of_the_pieces(pieces: list[bytes | memoryview], bodies: int) -> None:
    start, *parts = asyncio.run(sent(PiecesResponse(pieces, {"ETag": '"a"'}, "application/geo+json")))
    whole = b"".join(pieces)
    assert b"".join(part["body"] for part in parts) == whole
    assert [part["more_body"] for part in parts] == [True] * (bodies - 1) + [False]
    headers = dict(start["headers"])
    assert (start["status"], headers[b"content-length"], headers[b"etag"]) == (200, str(len(whole)).encode(), b'"a"')
    assert headers[b"content-type"] == b"application/geo+json"
