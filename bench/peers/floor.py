"""The floor of HTTP: a bare ASGI application that answers bytes it holds, on the server that StrikeAtlas runs on.

Run by `bench.http`: `FLOOR=bodies.json uvicorn bench.peers.floor:app`; the file maps a path to media type and file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]


class Floor:
    """Constant answers by path."""

    def __init__(self, bodies: Path) -> None:
        listed = json.loads(bodies.read_text())
        self._answers = {path: self._answer(kind, Path(file).read_bytes()) for path, (kind, file) in listed.items()}

    @staticmethod
    def _answer(kind: str, body: bytes) -> tuple[Message, Message]:
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        return start, {"type": "http.response.body", "body": body}

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        start, body = self._answers[scope["path"]]
        await send(start)
        await send(body)


def __getattr__(name: str) -> Floor:
    """Make ``app`` when uvicorn asks for it, so that importing this reads nothing."""
    if name != "app":
        raise AttributeError(name)
    return Floor(Path(os.environ["FLOOR"]))
