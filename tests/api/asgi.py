"""An application asked directly, so that a test sees each header and byte as sent, and each part by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Scope

Headers = Mapping[str, str]


@dataclass
class Answer:
    """What an application sent."""

    status: int = 0
    raw: list[tuple[bytes, bytes]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def headers(self) -> dict[str, str]:
        names = [name for name, _ in self.raw]
        assert len(names) == len(set(names)), f"a header was sent twice: {names}"
        return {name.decode(): value.decode("latin-1") for name, value in self.raw}

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)


def scope_of(path: str, headers: Iterable[tuple[str, str]], method: str = "GET", client: str = "127.0.0.1") -> Scope:
    raw, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw,
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"atlas.example"), *((n.lower().encode(), v.encode("latin-1")) for n, v in headers)],
        "client": (client, 1234),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


async def asked(app: ASGIApp, scope: Scope, body: bytes = b"") -> Answer:
    answer, read = Answer(), False
    gone = asyncio.Event()

    async def receive() -> Message:
        nonlocal read
        if read:
            await gone.wait()
            return {"type": "http.disconnect"}
        read = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert not answer.status, "an answer began twice"
            answer.status, answer.raw = message["status"], list(message["headers"])
        else:
            assert answer.status, "a body came before its start"
            assert not answer.ended, "a body went on after its end"
            answer.parts.append(bytes(message.get("body", b"")))
            answer.ended = not message.get("more_body", False)

    await app(scope, receive, send)
    gone.set()
    return answer


def ask(
    app: ASGIApp, path: str = "/", headers: Headers | None = None, method: str = "GET", client: str = "127.0.0.1"
) -> Answer:
    """Ask for a path as sent, percent-encoded."""
    return asyncio.run(asked(app, scope_of(path, (headers or {}).items(), method, client)))
