"""Where an atlas is read from: a snapshot in this process, or a running server by its HTTP API."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode, urljoin, urlsplit

import geopandas
import orjson

from api.formats.page import FeatureFormat, FeaturePage, FileMetadata
from api.http.json import Json
from api.python.frames import frame_of, frame_of_features
from api.requests.parameters import require_known_names
from api.requests.query_parameters import (
    DEFAULT_ORDERS,
    STRIKE_CONDITIONS,
    parse_items_request,
    parse_selection,
    parse_strike_conditions,
)
from api.serializers.attribution import owners_answer
from api.server.version_builder import changed_at, opened_version
from api.settings import Settings, open_layer, with_credit_for
from api.wording.catalogue import text
from api.wording.problems import error_sentence
from geo.columnar.lazy_array import to_numpy
from layers.collections.geometry_kinds import ASSET_VIEWS
from layers.corrections.log import PublishedVersion
from layers.model import edtf
from layers.model.cache import Lazy
from layers.model.problems import UnknownRecord
from layers.model.types import CountryBasis
from layers.ownership.minority import Minority
from layers.query.selection import Selection, SortKey, rows
from layers.query.strike_counts import groups
from layers.query.strike_truth import narrowed
from layers.reference import basemap
from layers.snapshot.disclosure import Disclosure
from layers.snapshot.flat_collections import LAYERS
from layers.snapshot.snapshot import Snapshot
from layers.sources import curated
from layers.store.backends import open_store
from layers.store.store import Store

#: Features that a server is asked for at once.
_PAGE = 5000
_BY_ID = (SortKey("id"),)
#: Parameters that select beside the columns of a layer.
_SELECTING = ("datetime", "bbox", "filter", "sortby")
#: Features of a file that a server is asked for; it cuts that to the most that it gives.
_MOST = 1_000_000
#: Strikes whose sources a server is asked for, and requests to it at the same time.
MOST_CITED, _AT_ONCE = 1000, 4
#: Tables whose sizes describe an atlas.
SIZED = ("strikes", "assets")
#: Seconds that a server has to begin an answer.
_TIMEOUT_S = 60


class AtlasError(ValueError):
    """An atlas that cannot be read, or that cannot do what was called."""


@dataclass(frozen=True)
class SnapshotSource:
    """An atlas in the memory of this process.

    Its methods raise `BadParameter` with the first parameter that cannot be read, and `AtlasError` if there is no such
    record.
    """

    #: The file that it was read from.
    title: str
    #: All records and what follows from them.
    snapshot: Snapshot
    #: What files say of the data, and when they were changed last; by default that no store holds them.
    about: Lazy[tuple[FileMetadata, datetime]] | None = None

    @property
    def data_date(self) -> date:
        """Day of the last change of the records."""
        return self.snapshot.data_date

    @property
    def sizes(self) -> Mapping[str, int]:
        """The number of strikes and of assets."""
        return {name: len(self.snapshot.records.table(name)) for name in SIZED}

    def layer(self, name: str, query: Mapping[str, str]) -> geopandas.GeoDataFrame:
        """Return the features of a layer that parameters of the API select, in the order of the API."""
        collection = self.snapshot.collections[name]
        selection = self._selection(name, query)
        if name == "strikes":
            conditions = parse_strike_conditions(query)
            selection = narrowed(self.snapshot.collections, self.snapshot.registers, selection, conditions)
        return frame_of(collection, to_numpy(rows(collection, selection)))

    def write(self, name: str, query: Mapping[str, str], form: FeatureFormat, out: BinaryIO) -> None:
        """Write the features of a layer that parameters of the API select to an open file, part by part."""
        form.write_to(self.page(name, query), out)

    def page(self, name: str, query: Mapping[str, str]) -> FeaturePage:
        """Return the features of a layer that parameters of the API select, as a file has them."""
        collection = self.snapshot.collections[name]
        metadata, changed = self.about.value if self.about is not None else self._unstored
        return FeaturePage.of_file(collection, parse_selection(query, collection), metadata, changed)

    def _selection(self, name: str, query: Mapping[str, str]) -> Selection:
        """Read what selects among the features of a layer; a parameter that it does not have is refused."""
        collection = self.snapshot.collections[name]
        conditions = (one.name for one in STRIKE_CONDITIONS if name == "strikes")
        require_known_names(query.items(), (*_SELECTING, *collection.queryables, *conditions))
        return parse_items_request(query, collection, _PAGE, _PAGE).selection

    def cites(self, strikes: Iterable[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return names and web addresses of the sources of strikes, by their ids, of those strikes that it has."""
        known, cited = self.snapshot.records.strikes, self.snapshot.records.sources
        return {
            key: [(cited[name].title or cited[name].publisher, cited[name].url or "") for name in known[key].sources]
            for key in strikes
            if key in known
        }

    @property
    def _unstored(self) -> tuple[FileMetadata, datetime]:
        records, day = self.snapshot.records, self.data_date
        published = PublishedVersion(self.snapshot, records, Disclosure(records))
        return FileMetadata.of(published, Settings()), datetime(day.year, day.month, day.day, tzinfo=UTC)

    def strikes_by_country(self, query: Mapping[str, str]) -> Sequence[tuple[str, int]]:
        """Return how many of the strikes that parameters select concern each country, most first."""
        snapshot = self.snapshot
        selection = self._selection("strikes", query)
        conditions = parse_strike_conditions(query)
        counted = groups(snapshot.collections, snapshot.registers, selection, conditions, "country")
        return [(group.value, group.strikes) for group in counted if group.value is not None]

    def owners(self, owned: str, on: date | None, basis: CountryBasis, minority: Minority) -> Json:
        """Return who owned an asset or entity on a day, as `/assets/{asset}/owners` answers."""
        day = on or self.data_date
        try:
            owners = self.snapshot.owners(owned, day, basis, minority)
        except UnknownRecord as error:
            raise AtlasError(error_sentence(error)) from None
        return owners_answer(self.snapshot, owned, owners, day, basis, minority)


def bundled(base: Path) -> SnapshotSource:
    """Read the records that come with the program; their date is the newest day on which one of their sources was read.

    Raises `BasemapMissing` if there is no base map.
    """
    records = curated.read().require_clean()
    retrieved = (edtf.parse(source.retrieved).latest for source in records.sources.values() if source.retrieved)
    day = max(filter(None, retrieved))
    return SnapshotSource("bundled records", Snapshot.of(records, basemap.read(base), 0, day, wording=text))


def of_store(address: str | Path, base: Path) -> SnapshotSource:
    """Read what the policy of a store publishes of it.

    Raises `NotAStore` or `BasemapMissing` if one of the files is missing or something else; `PolicyDiffers` or
    `ProblemsError` if a file states another policy than the store has, or either policy has faults.
    """
    opened = open_store(address).mount(open_layer())
    settings = with_credit_for(Settings(basemap=base), opened.open_layer)
    version = opened_version(opened, settings)
    return SnapshotSource(opened.name, version.snapshot, Lazy(partial(_about, opened, version, settings)))


def _about(opened: Store, version: PublishedVersion, settings: Settings) -> tuple[FileMetadata, datetime]:
    """What files say of a version of a store, and when it was changed last."""
    about = FileMetadata.of(version, settings)
    return about, changed_at(opened, version)


@dataclass(frozen=True)
class ServerSource:
    """An atlas that a server at an address answers from; each call asks it anew.

    Its methods raise `AtlasError` if the server cannot be reached, refuses a parameter, has no such record, answers
    something else or has more features than it gives at once.
    """

    address: str

    @property
    def title(self) -> str:
        """The address."""
        return self.address

    @property
    def data_date(self) -> date:
        """Day of the last change of the records when it was first read."""
        return date.fromisoformat(self._about["data_date"])

    @property
    def sizes(self) -> Mapping[str, int]:
        """The number of strikes and of assets when it was first read."""
        return {name: self._about["records"][name] for name in SIZED}

    @cached_property
    def _about(self) -> Json:
        return self._answer("/about", {"f": "json"})

    def layer(self, name: str, query: Mapping[str, str]) -> geopandas.GeoDataFrame:
        """Return the features of a layer that parameters select, read page by page by the links to the next."""
        model = ASSET_VIEWS[name].model if name in ASSET_VIEWS else LAYERS[name][2]
        return frame_of_features(model, [*self._features(name, query)])

    def _features(self, name: str, query: Mapping[str, str]) -> Iterator[Json]:
        # Without an order a server begins with features that show the types of all columns.
        order = ",".join(f"-{key.name}" if key.descending else key.name for key in DEFAULT_ORDERS.get(name, _BY_ID))
        asked = {"sortby": order, **query, "f": "json", "limit": str(_PAGE)}
        page = self._answer(f"/collections/{name}/items", asked)
        while True:
            yield from page["features"]
            following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
            if following is None:
                return
            # By the path alone: the server may know itself by another name than it is reached by.
            parts = urlsplit(urljoin(self.address, following))
            begin = parts.path.index("/collections/")
            page = self._read(f"{self.address}{parts.path[begin:]}?{parts.query}")

    def write(self, name: str, query: Mapping[str, str], form: FeatureFormat, out: BinaryIO) -> None:
        """Write the features of a layer that parameters of the API select to an open file."""
        asked = urlencode({**query, "f": form.media.name, "limit": str(_MOST)})
        url = f"{self.address}/collections/{name}/items?{asked}"
        content, links = self._open(url, form.media.media_type)
        if 'rel="next"' in links:
            raise AtlasError(f"{url}: more features than the server gives at once; open the store, or select fewer")
        out.write(content)

    def strikes_by_country(self, query: Mapping[str, str]) -> Sequence[tuple[str, int]]:
        """Return how many of the strikes that parameters select concern each country, most first."""
        answer = self._answer("/strikes/counts", {**query, "by": "country", "f": "json"})
        return [(group["value"], group["strikes"]) for group in answer["groups"] if group["value"] is not None]

    def owners(self, owned: str, on: date | None, basis: CountryBasis, minority: Minority) -> Json:
        """Return who owned an asset on a day; a server answers for assets alone."""
        query = {"basis": basis, "minority": minority, "f": "json"}
        if on is not None:
            query["on"] = on.isoformat()
        return self._answer(f"/assets/{quote(owned)}/owners", query)

    def cites(self, strikes: Iterable[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return names and web addresses of the sources of strikes, by their ids.

        Each strike and each source is a request, a few at once; of more strikes than `MOST_CITED` it returns nothing.
        """
        wanted = [*strikes]
        if len(wanted) > MOST_CITED:
            return {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            records = dict(zip(wanted, pool.map(partial(self._record, "strikes"), wanted), strict=True))
            names = [*dict.fromkeys(name for record in records.values() for name in record["sources"])]
            sources = dict(zip(names, pool.map(partial(self._record, "sources"), names), strict=True))
        cited = {name: (one["title"] or one["publisher"], one["url"] or "") for name, one in sources.items()}
        return {key: [cited[name] for name in record["sources"]] for key, record in records.items()}

    def _record(self, table: str, key: str) -> Json:
        return self._answer(f"/records/{table}/{quote(key, safe='/')}", {"f": "json"})

    @property
    def snapshot(self) -> Snapshot:
        """Refuse: a server answers, it does not hand out its records."""
        raise AtlasError(f"{self.address} is a server: matching needs the records, open a store or the bundled ones")

    def _answer(self, path: str, query: Mapping[str, str]) -> Json:
        return self._read(f"{self.address}{path}?{urlencode(query)}")

    def _read(self, url: str) -> Json:
        content, _ = self._open(url, "application/json, application/geo+json")
        try:
            value: Json = orjson.loads(content)
        except ValueError as error:
            raise AtlasError(f"{url}: {error}") from error
        return value

    def _open(self, url: str, accept: str) -> tuple[bytes, str]:
        """Return the body of an answer, and its links as the header has them."""
        request = urllib.request.Request(url, headers={"Accept": accept})
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                return answer.read(), ", ".join(answer.headers.get_all("Link", ()))
        except urllib.error.HTTPError as error:
            with error:
                raise AtlasError(f"{url}: {_detail(error)}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise AtlasError(f"{url}: {error}") from error


#: What an atlas is read from.
AtlasSource = SnapshotSource | ServerSource


def _detail(error: urllib.error.HTTPError) -> str:
    """Return what a server says is wrong (RFC 9457), else the status."""
    try:
        problem = orjson.loads(error.read(65_536))
        return str(problem.get("detail") or problem["title"])
    except (orjson.JSONDecodeError, KeyError, AttributeError, OSError):
        return f"status {error.code}"
