"""The pages and answers that are published, each with the request, made in this process, whose answer it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from urllib.parse import quote, unquote, urlsplit

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import Message, Scope

from api.html.published import CITED, CitedVersion
from api.http.links import FILES, item_path
from api.publishing.addresses import PublishedAddresses, language_folder, subject_name
from api.publishing.directory import PublishedFile
from api.publishing.subject_digests import SubjectDigests
from api.requests.corrections_query import LIMIT_MAX, corrections_query
from api.server.live_snapshot import LiveSnapshot
from api.server.served_version import ServedVersion
from layers.model.records import Records

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
    """An application that is asked for one answer after another, each in full."""

    app: FastAPI
    #: Address that the answers name as their own, without a slash at its end.
    base: str
    #: Languages that are published.
    spoken: tuple[str, ...]
    #: See `PublishedAddresses`.
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

    def request(self, path: str, language: str) -> Request:
        """Return a request for a page that no route answers."""
        return Request({**self._scope(path, "html", language, "", None), "app": self.app})

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


@dataclass(frozen=True)
class Answers:
    """Files that are answers of the application, in the languages that are published; of some records alone."""

    asked: InProcess
    view: ServedVersion
    records: Records
    languages: Sequence[str]
    digests: SubjectDigests

    def __iter__(self) -> Iterator[PublishedFile]:
        for language in self.languages:
            yield from self._own_pages(language)
            yield from self._corrections(language)
            yield from self._subjects(language)

    def _own_pages(self, language: str) -> Iterator[PublishedFile]:
        for name in ("about", "policy", "countries"):
            yield self._file(language, f"{name}.html", f"/{name}", "html")
            yield self._file(language, f"{name}.json", f"/{name}", "json")
        yield self._file(language, "method.html", "/method", "html")

    def _subjects(self, language: str) -> Iterator[PublishedFile]:
        """The pages of strikes, sites, owners and countries, and the answers that the map shows of them."""
        records = self.records
        for key in records.strikes:
            name, follows = subject_name("strikes", key), self.digests.of_strike(key)
            path = f"/strikes/{quote(key, safe='/')}/attribution"
            yield self._file(language, f"{name}.html", item_path("strikes", key), "html", cited=True, follows=follows)
            yield self._file(language, f"{name}.json", path, "json", follows=follows)
        for key in records.assets:
            page, follows = f"{subject_name('assets', key)}.html", self.digests.of_asset(key)
            yield self._file(language, page, item_path("assets", key), "html", cited=True, follows=follows)
        for key in records.entities:
            name, path = subject_name("entities", key), f"/entities/{quote(key, safe='/')}/holdings"
            follows = self.digests.of_entity(key)
            yield self._file(language, f"{name}.html", path, "html", cited=True, follows=follows)
            yield self._file(language, f"{name}.json", path, "json", follows=follows)
        for key in self.view.snapshot.collections["countries"].ids:
            name, path, known = f"countries/{key}", f"/countries/{key}", self.digests.of_country(key)
            yield self._file(language, f"{name}.html", path, "html", cited=True, follows=known)
            yield self._file(language, f"{name}.json", path, "json", follows=known)

    def _corrections(self, language: str) -> Iterator[PublishedFile]:
        """The corrections log by pages, each as a page, as JSON and as a feed, and each entry by itself."""
        atlas: LiveSnapshot = self.asked.app.state.atlas
        name, before = "corrections", None
        while True:
            page = atlas.corrections.page(self.view.published, corrections_query(limit=LIMIT_MAX, before=before))
            query = f"limit={LIMIT_MAX}" if before is None else f"limit={LIMIT_MAX}&before={before}"
            for form, ending in (("html", "html"), ("json", "json"), ("atom", "xml")):
                yield self._file(language, f"{name}.{ending}", "/corrections", form, query=query)
            for entry in page.entries:
                for form in ("html", "json"):
                    yield self._file(language, f"corrections/{entry.id}.{form}", f"/corrections/{entry.id}", form)
            if (before := page.next_before) is None:
                return
            name = f"corrections/before-{before}"

    def _file(
        self,
        language: str,
        path: str,
        asked: str,
        form: str,
        query: str = "",
        cited: bool = False,
        follows: str | None = None,
    ) -> PublishedFile:
        render = partial(self.asked.get, asked, form, language, query)
        return PublishedFile(f"{language_folder(language)}{path}", render, cited, follows)
