"""Refuses JSON bodies with characters that no text has, before a route reads them, as plain ASGI."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.json import pointer_token, problem

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

    Returns
    -------
    list of dict
        Pointer (RFC 6901), value and expectation of each fault.
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
