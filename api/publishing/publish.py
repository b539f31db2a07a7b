"""Everything that is published of a store, as files of one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import orjson
from fastapi import FastAPI

from api.app import create_app
from api.formats.page import FeaturePage, FileMetadata
from api.html import pages
from api.html.map_images import SHARED
from api.html.published import CitedVersion
from api.http.conditional import http_date
from api.http.json import Json
from api.http.links import item_path
from api.publishing import data_files, site_files
from api.publishing.addresses import INDEX, PublishedAddresses, language_folder, subject_name
from api.publishing.data_files import DataFile
from api.publishing.directory import Publication, PublishedFile, PublishedFolder
from api.publishing.map_files import first_rows, map_files, opening_files
from api.publishing.pages import Answers, InProcess
from api.publishing.subject_digests import SubjectDigests, digest_of, tiles_digest
from api.serializers.citation import version_in_words
from api.serializers.policy import attribution_text, summary
from api.server.build_id import program_version, sources
from api.server.live_snapshot import LiveSnapshot
from api.server.served_version import ServedVersion
from api.server.version_builder import data_date, time_of
from api.settings import Settings
from api.wording.catalogue import ENGLISH, phrase
from api.wording.countries import country_names, name_in
from api.wording.strikes import strike_title
from layers.collections.collection import Collection
from layers.query.selection import Selection
from layers.snapshot.concerned_part import concerned_part
from layers.snapshot.snapshot import Snapshot
from layers.sources.data_package import TABLE
from layers.store.history_pages import last_changed
from layers.store.store import Store


@dataclass(frozen=True)
class PublishOrder:
    """What is to be published, and where it will lie."""

    #: Address of the folder on the web, without a slash at its end.
    base: str
    #: Of the pages; English comes first, as other folders lie in its.
    languages: tuple[str, ...]


@dataclass
class PublishedAtlas:
    """The files of one version of a store, each written when it is asked for."""

    store: Store
    settings: Settings
    order: PublishOrder
    _resources: dict[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the newest version."""
        self._app: FastAPI = create_app(self.store, replace(self.settings, follow_every_s=0))
        self._atlas: LiveSnapshot = self._app.state.atlas
        self._view: ServedVersion = self._atlas.view
        self._site = InProcess(self._app, self.order.base, self.order.languages, self._is_left_out)

    def publish(
        self, folder: Path, progress: Callable[[int, int], None] = lambda done, total: None, *, dry: bool = False
    ) -> Publication:
        """Bring a folder to this version, see `PublishedFolder.publish`.

        ``progress``: called with the number of files that are done, and of all.

        Raises `FileExistsError` or `OSError` if the folder is something else, or cannot be written.
        """
        target = PublishedFolder(folder)
        if self._known_version(target.history.get("hash", "")) is None:
            target.forget()  # it is of another store, or of another history of it
        with closing(self._site):
            files = [*self._files()]
            counted = _counted(files, progress)
            return target.publish(counted, self._version, self._known_version, self._about(), dry=dry)

    @cached_property
    def _shown(self) -> Snapshot:
        """What files and pages are of: of an open layer the sites alone that strikes hit or may have hit."""
        return concerned_part(self._view.snapshot)

    @cached_property
    def _subjects(self) -> frozenset[str]:
        """Names of the files about the sites and owners that have some."""
        records = self._shown.records
        return frozenset(
            subject_name(folder, key)
            for folder, keys in (("assets", records.assets), ("entities", records.entities))
            for key in keys
        )

    def _is_left_out(self, name: str) -> bool:
        return name.startswith(("assets/", "entities/")) and name not in self._subjects

    @property
    def _version(self) -> CitedVersion:
        return CitedVersion(self._view.head, self._view.snapshot.data_date)

    def _known_version(self, digits: str) -> CitedVersion | None:
        """The version that a manifest names by digits of the hash of its last change; ``None`` if there is none."""
        head = self.store.find_head(digits)
        return None if head is None else CitedVersion(head, data_date(self.store, head))

    def _about(self) -> Json:
        return {
            "program": f"{program_version()}+{sources('api', 'layers', 'geo').hex()[:16]}",
            "address": self.order.base,
            "languages": list(self.order.languages),
            "history": {"hash": self._view.head.hash, "at": self._view.head.at},
            "day": self._version.day.isoformat(),
            "policy": self._view.disclosure.policy.digest,
        }

    @cached_property
    def _digests(self) -> SubjectDigests:
        """What files about subjects follow from: rows and times of records, and what is the same for all of them.

        A source is in no row. So one that changed after it was published counts for all; one that is new is cited by
        records that changed.
        """
        snapshot, edited = self._view.snapshot, self.store.last_external_edit()
        with self.store.reading() as connection:
            source = last_changed(connection, "sources", snapshot.seq)
        ground = {
            **{name: said for name, said in self._about().items() if name not in ("history", "day")},
            "countries": dict(snapshot.country_names),
            "attribution": [self._attribution(language) for language in self.order.languages],
            "settings": [self.settings.licence, self.settings.attribution, self.settings.limit_max],
            "source": source,
            "unrecorded": str(edited),
        }
        return SubjectDigests(snapshot, digest_of((orjson.dumps(ground, option=orjson.OPT_SORT_KEYS),)))

    def _files(self) -> Iterator[PublishedFile]:
        yield from self._data()
        yield from self._tiles()
        for path, write in map_files(self._shown):
            yield PublishedFile(path, data_files.uncited(write))
        for path, content in opening_files(self._site, self._shown, first_rows(self.settings.static)):
            yield _fixed(path, content)
        for path, content in site_files.static_files(self.settings.static):
            yield _fixed(path, content)
        answers = [*Answers(self._site, self._view, self._shown.records, self.order.languages, self._digests)]
        yield from answers
        for language in self.order.languages:
            folder = language_folder(language)
            yield PublishedFile(f"{folder}404.html", partial(self._not_found, language))
            yield PublishedFile(f"{folder}{INDEX}", partial(self._first_page, language))
            yield PublishedFile(f"{folder}map.html", partial(self._map_page, language))
        own = [
            f"{language_folder(language)}{page}" for language in self.order.languages for page in (INDEX, "map.html")
        ]
        listed = [*own, *(file.path for file in answers if file.path.endswith(".html"))]
        addresses = [PublishedAddresses(self.order.base).address(page) for page in listed]
        for path, content in site_files.sitemaps(self.order.base, addresses):
            yield _fixed(path, content)
        yield _fixed("robots.txt", site_files.robots(self.order.base))

    def _data(self) -> Iterator[PublishedFile]:
        self._resources.clear()
        for file in data_files.data_files(self._shown, self._page):
            yield PublishedFile(file.path, partial(self._listed, file), file.states_version)
        yield PublishedFile(data_files.PACKAGE, self._package)

    def _page(self, collection: Collection, cited: CitedVersion | None) -> FeaturePage:
        """Give all of a collection as a file of it has it, which states the version since which it is the same."""
        metadata, changed = self._metadata, self._view.changed
        if cited is not None and cited != self._version:
            metadata = replace(metadata, head=cited.head, data_date=cited.day)
            changed = time_of(self.store, cited.head) or changed
        return FeaturePage.of_file(collection, Selection(), metadata, changed)

    @cached_property
    def _metadata(self) -> FileMetadata:
        return FileMetadata.of(self._view.published, self.settings)

    def _listed(self, file: DataFile, cited: CitedVersion | None) -> bytes:
        """Write a file of data, which the package then lists."""
        content = file.write(cited)
        self._resources[file.path] = data_files.resource(file.path, content, file.about)
        return content

    def _package(self, cited: CitedVersion | None) -> bytes:
        snapshot, head = self._shown, self._view.head
        about: Json = {
            "name": "strikeatlas",
            "title": "StrikeAtlas",
            "description": phrase("html.base.description"),
            "homepage": f"{self.order.base}/",
            "version": head.digits,
            "created": http_date(self._view.changed),
            "licenses": [{"path": self.settings.licence, "title": "Licence of the records"}],
            "strikeatlas:attribution": self._attribution(ENGLISH),
            "strikeatlas:history": {"hash": head.hash, "at": head.at},
        }
        return data_files.descriptor([*self._resources.values()], snapshot.records.sources, about)

    def _tiles(self) -> Iterator[PublishedFile]:
        attribution = self._attribution(ENGLISH)
        about = f"{self._about()['program']} {attribution}"
        layers = self._shown.layers
        follows = {name: tiles_digest(collection, about) for name, collection in layers.items()}
        for name, collection in layers.items():
            draw = partial(site_files.collection_archive, collection, attribution)
            yield PublishedFile(f"tiles/{name}.pmtiles", data_files.uncited(draw), follows=follows[name])
        share = partial(site_files.share_picture, self._site, self._view)
        yield PublishedFile(SHARED[1:], data_files.uncited(share), follows=follows["strikes"])
        archive = self._atlas.base_archive
        drawn = partial(site_files.basemap_archive, self._atlas.basemap) if archive is None else archive.path.read_bytes
        yield PublishedFile("tiles/basemap.pmtiles", data_files.uncited(drawn))
        yield PublishedFile("tiles/basemap.json", data_files.uncited(self._basemap_description))

    def _basemap_description(self) -> bytes:
        """Describe the base map as the server's TileJSON does; its tiles are in the archive beside it."""
        described = orjson.loads(self._site.get("/tiles/basemap.json", "json", ENGLISH))
        described["tiles"] = []
        if self._atlas.base_archive is None:
            described["maxzoom"] = site_files.MAX_ZOOM_BASEMAP
        return orjson.dumps(described)

    def _attribution(self, language: str) -> str:
        return attribution_text(self.settings.attribution, self._view.disclosure, language)

    def _not_found(self, language: str, cited: CitedVersion | None) -> bytes:
        """Write the page that a file server shows where there is no file."""
        code = "html.publication.not-found"
        document = {"status": 404, "title": phrase(code, language), "detail": phrase(f"{code}-text", language)}
        return pages.problem(self._site.request("/404", language), document)

    def _map_page(self, language: str, cited: CitedVersion | None) -> bytes:
        last = site_files.max_zoom(self._shown.collections["assets"])
        request = self._site.request("/map", language)
        return site_files.map_page(request, self._view, self.settings.static, last)

    def _first_page(self, language: str, cited: CitedVersion | None) -> bytes:
        own = PublishedAddresses(self.order.base, language, self.order.languages)
        document = {
            "version": version_in_words(self._version.day, self._view.head.hash, language),
            "remarks": summary(self._view.disclosure, language),
            "package": own.address(data_files.PACKAGE),
            "files": [*self._listed_files(own, language)],
            "lists": [*self._lists(own, language)],
        }
        return pages.page(self._site.request("/", language), self._view, "publication", document)

    def _listed_files(self, own: PublishedAddresses, language: str) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
        """Name the files of each collection, then those of the records."""
        for collection in self._shown.layers.values():
            paths = [f"data/{collection.name}.{ending}" for ending in ("csv", "geojson", "parquet")]
            paths.append(f"tiles/{collection.name}.pmtiles")
            yield collection.title, [(path.rpartition("/")[2], own.address(path)) for path in paths]
        tables = [one["path"] for one in self._resources.values() if TABLE in one]
        yield phrase("html.publication.records", language), [(p.rpartition("/")[2], own.address(p)) for p in tables]
        basemap = "tiles/basemap.pmtiles"
        yield phrase("html.publication.basemap", language), [("basemap.pmtiles", own.address(basemap))]

    def _lists(self, own: PublishedAddresses, language: str) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
        """Name every page of a subject, so that each can be reached."""
        records = self._shown.records
        strikes = [
            (strike_title(one.titles.get(language, one.title), one.status, language), item_path("strikes", one.id))
            for one in records.strikes.values()
        ]
        assets = [(name_in(one, language), item_path("assets", one.id)) for one in records.assets.values()]
        entities = [(name_in(one, language), f"/entities/{one.id}/holdings") for one in records.entities.values()]
        names = country_names(self._view.snapshot.country_names, language)
        codes = self._view.snapshot.collections["countries"].ids
        countries = [(names.get(code, code), f"/countries/{code}") for code in codes]
        lists = {"strikes": strikes, "assets": assets, "entities": entities, "countries": countries}
        for kind, rows in lists.items():
            yield kind, sorted((name, own.find_or_say(path, {})) for name, path in rows)


def _fixed(path: str, content: bytes) -> PublishedFile:
    return PublishedFile(path, lambda cited: content)


def _counted(files: Sequence[PublishedFile], progress: Callable[[int, int], None]) -> Iterator[PublishedFile]:
    for done, file in enumerate(files):
        progress(done, len(files))
        yield file
    progress(len(files), len(files))
