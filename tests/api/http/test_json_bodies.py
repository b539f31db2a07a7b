"""No text of a JSON body has NUL or half of a surrogate pair: it is refused, with a pointer to the place."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from api.http.limits import JsonBodies, faults_of
from tests.api.asgi import Answer, asked, scope_of


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(body)(scope, receive, send)


def sent(body: bytes, kind: str = "application/geo+json", method: str = "POST") -> Answer:
    return asyncio.run(asked(JsonBodies(echo), scope_of("/", [("content-type", kind)], method), body))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (rb'"\u0000"', ""),
        (rb'{"a": {"b": ["x", "y\u0000"]}}', "/a/b/1"),
        (rb'{"a/b~c": "\ud800"}', "/a~1b~0c"),
        (rb'{"a": "\udc00\ud800"}', "/a"),
        (rb'{"\u0000": 1}', r"/\u0000"),
        (rb'[{"x\udfff": 1}]', r"/0/x\udfff"),
    ],
)
def test_it_is_400_with_a_pointer(body: bytes, pointer: str) -> None:
    answer = sent(body)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert [fault["pointer"] for fault in orjson.loads(answer.body)["errors"]] == [pointer]
    assert sent(body, "application/merge-patch+json", "PATCH").status == 400
    assert sent(body, "text/plain").body == body


@pytest.mark.parametrize(
    "body", [rb'"\\u0000"', rb'"\ud83d\ude00"', rb'"\u00e9"', b"", b'{"a', rb'{"\u0', b"[" * 9000 + rb'"\u0000']
)
def test_other_bodies_reach_the_route_as_sent(body: bytes) -> None:
    assert (sent(body).status, sent(body).body) == (200, body)


def test_a_body_in_parts_is_read_whole() -> None:
    parts = [b'{"a": "\\u00', b'00"}', b""]

    async def whole() -> Answer:
        answer = Answer()

        async def receive() -> Any:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            answer.status = message.get("status", answer.status)

        await JsonBodies(echo)(scope_of("/", [("content-type", "application/json")], "PUT"), receive, send)
        return answer

    assert asyncio.run(whole()).status == 400


@given(
    st.recursive(
        st.none() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
def test_there_is_a_fault_where_a_text_has_such_a_character_and_nowhere_else(document: Any) -> None:
    text = json.dumps(document)
    assert bool(faults_of(text.encode())) == (r"\u0000" in text.replace(r"\\", ""))
