"""The pages and answers that are published, each with the request whose answer it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from fastapi import FastAPI

from api.http.links import item_path
from api.publishing.addresses import language_folder, subject_name
from api.publishing.directory import PublishedFile
from api.publishing.in_process import InProcess
from api.publishing.subject_digests import SubjectDigests
from api.requests.corrections_query import LIMIT_MAX, corrections_query
from api.server.live_snapshot import LiveSnapshot
from api.server.served_version import ServedVersion
from layers.model.records import Records


@dataclass(frozen=True)
class Answers:
    """Files that are answers of the application, in the languages that are published; of some records alone."""

    asked: InProcess
    app: FastAPI
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
        atlas: LiveSnapshot = self.app.state.atlas
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
