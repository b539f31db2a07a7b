"""Asks the application for answers within this process, as a client would, and names the files that they become."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote, urlsplit

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Scope

from api.html.published import CITED, CitedVersion
from api.http.links import FILES
from api.publishing.addresses import PublishedAddresses

_ACCEPT: Mapping[str, str] = {
    "html": "text/html",
    "json": "application/json",
    "atom": "application/atom+xml",
    "png": "image/png",
}


class NotAnswered(RuntimeError):
    """The application did not answer what it lists itself."""


@dataclass
class InProcess:
    """An application that is asked for one answer after another, each in full.

    Parameters
    ----------
    base
        Address that the answers name as their own, without a slash at its end.
    spoken
        Languages that are published.
    is_left_out
        See `PublishedAddresses`.
    """

    app: ASGIApp
    base: str
    spoken: tuple[str, ...]
    is_left_out: Callable[[str], bool] = lambda name: False
    _ended: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def _portal(self) -> BlockingPortal:
        """The loop that requests run in, one for all of them, so that they share its threads.

        It begins with the first request: who asks nothing need not end it, which nothing else would.
        """
        return self._ended.enter_context(start_blocking_portal())

    def close(self) -> None:
        """End the loop that requests run in."""
        self._ended.close()

    def get(self, path: str, form: str, language: str, query: str = "", cited: CitedVersion | None = None) -> bytes:
        """Return the body of an answer.

        Parameters
        ----------
        path
            Percent-encoded, below the address of the application.
        form
            html, json, atom or png.
        query
            Further parameters, percent-encoded.
        cited
            The version that its page is cited by; ``None`` is that of the data.

        Raises
        ------
        NotAnswered
            If the answer is not 200.
        """
        status, body = self._portal.call(self._response, self._scope(path, form, language, query, cited))
        if status != 200:
            raise NotAnswered(f"{path}?{query}: {status} {body[:200]!r}")
        return body

    def request(self, app: FastAPI, path: str, language: str) -> Request:
        """Return a request for a page that no route answers."""
        return Request({**self._scope(path, "html", language, "", None), "app": app})

    def _scope(self, path: str, form: str, language: str, query: str, cited: CitedVersion | None) -> Scope:
        own = urlsplit(self.base)
        whole = f"{own.path}{path}"
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": own.scheme,
            "path": unquote(whole),
            "raw_path": whole.encode(),
            "root_path": own.path,
            "query_string": query.encode(),
            "headers": [
                (b"host", own.netloc.encode()),
                (b"accept", _ACCEPT[form].encode()),
                (b"accept-language", language.encode()),
            ],
            "client": ("127.0.0.1", 0),
            "server": (own.hostname or "localhost", own.port or 80),
            "state": {},
            FILES: PublishedAddresses(self.base, language, self.spoken, self.is_left_out),
            CITED: cited,
        }

    async def _response(self, scope: Scope) -> tuple[int, bytes]:
        status, parts = 0, []
        is_read = False

        async def receive() -> Message:
            nonlocal is_read
            if is_read:
                await asyncio.Event().wait()  # the client stays
            is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(bytes(message.get("body", b"")))

        await self.app(scope, receive, send)
        return status, b"".join(parts)
