"""What many tests share: the base map, a store with the bundled records, a snapshot of it and a running server."""

from __future__ import annotations

import gc
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from fastapi import FastAPI
from hypothesis import settings as hypothesis_settings
from starlette.testclient import TestClient

from api.app import create_app
from api.server.live_snapshot import LiveSnapshot
from api.settings import BUNDLED, OPEN_LAYER_VARIABLE, Settings
from api.wording.catalogue import text
from layers.model.records import Records
from layers.reference import basemap
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.snapshot.snapshot import Snapshot
from layers.sources import curated
from layers.store import connections
from layers.store.backends import create_new, open_store
from layers.store.store import Store
from tests import postgres_cluster, small_basemap
from tests.few_records import FEW, with_all_they_rest_on
from tests.postgres_cluster import Cluster
from tests.store_copies import set_aside
from tests.store_kinds import NewAddress, NewStore, new_geopackages

# Most tests are of the records alone: with the open layer under them each store would take half a minute.
os.environ.setdefault(OPEN_LAYER_VARIABLE, "none")

# A busy machine is no fault: examples have no time limit.
hypothesis_settings.register_profile("short", deadline=None, max_examples=30)
hypothesis_settings.register_profile("long", deadline=None, max_examples=300)
hypothesis_settings.load_profile("short")

ROOT = Path(__file__).resolve().parent.parent
#: The base map of the program, for tests whose subject it is; that of all others, with fewer corners; and that of what
#: is published, with fewer countries too.
WHOLE_BASEMAP = BUNDLED / "basemap.gpkg"
GAZETTEER = BUNDLED / "gazetteer.sqlite"
BASEMAP = ROOT / "data" / "basemap-tests.gpkg"
FEW_COUNTRIES = ROOT / "data" / "basemap-few-countries.gpkg"

#: Files that take longest, longest first. They begin first, so that no worker is still at one when the rest is done.
LONGEST = (
    "browser/test_selection_page.py",
    "browser/test_page.py",
    "browser/test_pages.py",
    "browser/test_everyone.py",
    "browser/test_map_marks.py",
    "api/cli/test_server_process.py",
    "browser/test_publishing.py",
    "browser/test_review_page.py",
    "browser/test_open_sites.py",
    "deploy/test_rehearsal.py",
    "browser/test_published_files.py",
    "api/cli/test_main.py",
    "browser/test_snapshots.py",
    "bench/test_page.py",
    "api/test_private_datasets.py",
    "api/server/test_snapshot_cache.py",
    "api/exports/printed_map/test_sheet.py",
    "api/test_open_layer.py",
    "browser/test_basemap.py",
    "browser/test_languages.py",
    "tools/build/test_wheel_layout.py",
    "api/cli/test_load_killed.py",
    "bench/test_batch.py",
)

#: Folders and files of the long tier, beside the tests that are marked ``long``: real browsers and clients, conformance
#: test by test, rehearsals that kill processes, and benches. The map page and the review
#: page are in the first tier.
LONG_TIER = (
    "api/cli/test_load_killed.py",
    "api/conformance",
    "bench",
    "browser/test_basemap.py",
    "browser/test_capacity_page.py",
    "browser/test_everyone.py",
    "browser/test_languages.py",
    "browser/test_map_marks.py",
    "browser/test_open_sites.py",
    "browser/test_pages.py",
    "browser/test_published_files.py",
    "browser/test_publishing.py",
    "browser/test_selection_page.py",
    "browser/test_snapshots.py",
    "browser/test_styles_drawn.py",
    "clients",
    "deploy/test_proxy_copies.py",
    "deploy/test_rehearsal.py",
    "tools/build/test_wheel_layout.py",
)

_read_basemap = basemap.read


@cache
def _first_snapshot(path: Path) -> Snapshot:
    """A snapshot of no records; while it has rendered the shapes of countries, all others share them."""
    first = Snapshot(Records.of({}), _read_basemap(path), 0, date(2026, 11, 25), wording=text)
    _ = first.collections
    return first


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the stores with the bundled records, which the tests of the API share, be of another kind."""
    parser.addoption("--store-kind", choices=("geopackage", "postgresql"), default="geopackage")
    parser.addoption("--long", action="store_true", help="run the long tier too")


def pytest_configure(config: pytest.Config) -> None:
    """Write the base maps of the tests where there are none of the base map as it is, before any worker begins."""
    is_worker = hasattr(config, "workerinput")
    made_of = (WHOLE_BASEMAP, Path(small_basemap.__file__))
    if is_worker or not WHOLE_BASEMAP.exists():
        return
    if not _is_newer(BASEMAP, *made_of) or not _is_newer(FEW_COUNTRIES, BASEMAP):
        BASEMAP.parent.mkdir(exist_ok=True)
        small_basemap.write(WHOLE_BASEMAP, BASEMAP)
        small_basemap.write_few_countries(BASEMAP, FEW_COUNTRIES)


def _is_newer(path: Path, *others: Path) -> bool:
    return path.exists() and all(path.stat().st_mtime > other.stat().st_mtime for other in others)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long tier unless it is asked for, and put the files that take longest first."""
    if not config.getoption("--long"):
        tiers: tuple[list[pytest.Item], list[pytest.Item]] = ([], [])
        for item in items:
            tiers[_is_long(item)].append(item)
        items[:] = tiers[0]
        config.hook.pytest_deselected(items=tiers[1])
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def _is_long(item: pytest.Item) -> bool:
    path = item.path.relative_to(ROOT / "tests")
    return item.get_closest_marker("long") is not None or any(path.is_relative_to(name) for name in LONG_TIER)


def pytest_collection_finish() -> None:
    """Exempt the tests and all that they import from garbage collection, and collect less often.

    To walk over all of it again and again takes a tenth of the time of the tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def base() -> Basemap:
    """The base map of the tests."""
    return _first_snapshot(BASEMAP).basemap


@pytest.fixture(scope="session")
def whole_base() -> Basemap:
    """The base map of the program."""
    return _first_snapshot(WHOLE_BASEMAP).basemap


@pytest.fixture(scope="session", autouse=True)
def _base_map_is_read_once() -> Iterator[None]:
    """What runs in the process of the tests takes the base map that was read before, which nothing changes."""

    def read(path: Path) -> Basemap:
        resolved = path.resolve()
        of_all = resolved in (BASEMAP, WHOLE_BASEMAP, FEW_COUNTRIES)
        return _first_snapshot(resolved).basemap if of_all else _read_basemap(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(basemap, "read", read)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_power_cut() -> Iterator[None]:
    """Nothing that tests write has to outlive a power cut: a disk that is waited for costs a test most of its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # which refuses what is no open file, too
        patch.setattr(connections, "_DURABLE", "PRAGMA synchronous = OFF")
        yield


@pytest.fixture(scope="session")
def records() -> Records:
    """The bundled records."""
    return curated.read().require_clean()


@pytest.fixture(scope="session")
def few_records(records: Records) -> Records:
    """A few of the bundled strikes with all that they are based on, for tests whose subject is not all of the records.

    What follows from them is computed in a tenth of the time, which counts where a test builds many versions.
    """
    return with_all_they_rest_on(records, FEW)


@pytest.fixture(scope="session")
def snapshot(records: Records, base: Basemap) -> Snapshot:
    """Everything that follows from the bundled records."""
    return Snapshot(records, base, 1, date(2026, 11, 25), wording=text)


@pytest.fixture(scope="session")
def new_shared_address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewAddress]:
    """Name where new stores can be created, of the kind that the option names, for all tests."""
    if request.config.getoption("store_kind") == "geopackage":
        yield lambda: str(tmp_path_factory.mktemp("store") / "atlas.gpkg")
        return
    running: Cluster = request.getfixturevalue("cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield running.new_database


@pytest.fixture(scope="session")
def new_shared_store(new_shared_address: NewAddress) -> NewStore:
    """Make new stores of the kind that the option names, for all tests."""
    return lambda: create_new(new_shared_address())


@pytest.fixture(scope="session")
def store(records: Records, base: Basemap, new_shared_store: NewStore) -> Store:
    """A store with the bundled records, beside which is kept what follows from them; tests leave it as it is."""
    made = new_shared_store()
    made.load(records, author="tests", derive=full_rewrite(base, text))
    set_aside(made)
    assert LiveSnapshot(made, Settings(basemap=BASEMAP), "tests").rebuild_cache()
    return made


@pytest.fixture(scope="session")
def few_store(few_records: Records, base: Basemap, new_shared_store: NewStore) -> Store:
    """A store with a few of the bundled strikes; tests leave it as it is, or copy it (`tests.store_copies.copy_of`)."""
    made = new_shared_store()
    made.load(few_records, author="tests", derive=full_rewrite(base, text))
    return set_aside(made)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster of PostgreSQL with PostGIS, which every process of the tests starts for itself when it needs one."""
    if (reason := postgres_cluster.missing()) is not None:
        pytest.skip(reason)
    with postgres_cluster.running() as running, pytest.MonkeyPatch.context() as patch:
        # By which user other programs, and addresses without one, come to it.
        patch.setenv("PGUSER", running.user)
        yield running


@pytest.fixture(params=["geopackage", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store in turn."""
    name: str = request.param
    return name


@pytest.fixture
def new_store(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NewStore]:
    """Make new, empty stores of a kind."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    if kind == "geopackage":
        yield new_geopackages(tmp_path)
        return
    running: Cluster = request.getfixturevalue("cluster")
    made: list[Store] = []

    def new() -> Store:
        made.append(open_store(running.new_store()))
        return made[-1]

    yield new
    for store in made:
        store.close()


@pytest.fixture(scope="session")
def app(store: Store) -> FastAPI:
    """The application over that store."""
    # Without whole answers cached, so that no test depends on what another asked for before.
    embedders = ("https://news.example",)
    return create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, embedders=embedders, answers_cached=0))


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the application, in this process."""
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture(scope="session")
def server_url(store: Store) -> Iterator[str]:
    """Address of a running server with the bundled records."""
    with serving(store) as url:
        yield url


def free_port() -> int:
    """A port for a server that is to be started.

    It is none of those that the system gives to connections, of which one may take it before the server does.
    """
    while True:
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port


@contextmanager
def serving(store: Store, *options: str, base: Path = BASEMAP) -> Iterator[str]:
    """Run a server on a store and a base map, with these options beside those of all tests; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "api.cli.main", "serve", "--port", str(port), "--store", store.name]
    with subprocess.Popen([*command, "--basemap", str(base), "--log", "none", *options], cwd=ROOT) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url, server)
            yield url
        finally:
            server.terminate()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            urllib.request.urlopen(f"{url}/about", timeout=120).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not answer in 120 s")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Data of others, for measuring; it lies beside the checkout, and tests that need it are skipped without it."""
    folder = ROOT.parent / "shared" / "data" / "real"
    if not folder.is_dir():
        pytest.skip("no ../shared/data/real beside this checkout")
    return folder
