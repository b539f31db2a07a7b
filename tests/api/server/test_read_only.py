"""A store that may only be read is served: everything can be read, nothing written, and all say so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.server.live_snapshot import LiveSnapshot
from api.server.version_builder import time_of
from api.settings import Settings
from layers.store.backends import open_store
from layers.store.history_chain import Head
from layers.store.store import Store, StoreError
from tests.api.conftest import feature
from tests.conftest import BASEMAP
from tests.store_copies import sealed_copy
from tests.store_kinds import NewStore, needs_a_file

ORLIVKA = "ua-orlivka-2025-08-06"
READING = [
    "/", "/api", "/conformance", "/collections", "/collections/strikes", "/collections/strikes/items?limit=3",
    f"/collections/strikes/items/{ORLIVKA}", "/tiles/strikes/5/18/11.mvt", f"/strikes/{ORLIVKA}/attribution",
    "/countries/AZ", "/about", "/health", "/rest/services/strikeatlas/FeatureServer?f=json",
]  # fmt: skip


class Sealed(NamedTuple):
    """An application over a store at an address, which may only be read; a file is in a folder that is sealed too."""

    client: TestClient
    app: FastAPI
    address: str
    folder: Path
    token: dict[str, str]


@pytest.fixture(scope="module")
def sealed(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    """An application that keeps files from one record on, over a copy that it may not write to."""
    folder, desk = tmp_path_factory.mktemp("sealed"), tmp_path_factory.mktemp("desk")
    address = sealed_copy(store, folder / "atlas.gpkg")
    folder.chmod(0o555)
    token = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(desk / 'reviewers.json', 'Ann')}"}
    settings = Settings(
        basemap=BASEMAP,
        reviewers=desk / "reviewers.json",
        follow_every_s=0,
        cache_from=1,
        embedders=("https://news.example",),  # as the application that it is compared with has
    )
    app = create_app(open_store(address), settings)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Sealed(client, app, address, folder, token)
    folder.chmod(0o755)


@pytest.mark.parametrize("path", READING)
def test_everything_is_answered_as_from_a_store_that_can_be_written(
    sealed: Sealed, client: TestClient, path: str
) -> None:
    answer = sealed.client.get(path)
    assert answer.status_code == client.get(path).status_code
    if path not in ("/", "/api", "/conformance", "/health", "/rest/services/strikeatlas/FeatureServer?f=json"):
        assert answer.content == client.get(path).content


@needs_a_file("what is kept of a database lies in a folder of this machine, not beside it")
def test_nothing_is_written_beside_it(sealed: Sealed) -> None:
    sealed.client.get("/collections/strikes/items")
    assert os.listdir(sealed.folder) == ["atlas.gpkg"]


@pytest.mark.parametrize("has_token", [True, False])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/collections/strikes/items", feature()),
        ("PUT", f"/collections/strikes/items/{ORLIVKA}", feature()),
        ("PATCH", f"/collections/strikes/items/{ORLIVKA}", {"properties": {"title": "x"}}),
        ("DELETE", f"/collections/strikes/items/{ORLIVKA}", None),
        ("POST", "/review/decisions", {"strike": ORLIVKA, "verdict": "none", "why": "x", "seen": None}),
        ("POST", "/review/decisions", {"no": "decision"}),
    ],
)
def test_every_write_is_refused_in_words(sealed: Sealed, method: str, path: str, body: Any, has_token: bool) -> None:
    headers = {**(sealed.token if has_token else {}), "If-Match": "*"}
    answer = sealed.client.request(method, path, json=body, headers=headers)
    assert answer.status_code in ((403, 422, 400) if has_token else (401, 403))
    assert answer.headers["content-type"] == "application/problem+json"
    if "no" not in (body or ()) and has_token:
        assert answer.status_code == 403
        assert "may only be read" in answer.json()["detail"]


def test_reviewers_may_still_look(sealed: Sealed) -> None:
    assert sealed.client.get("/review/queue", headers=sealed.token).status_code == 200


def test_the_landing_page_health_and_the_definition_say_so(sealed: Sealed, client: TestClient) -> None:
    for path in ("/", "/health"):
        said = sealed.client.get(path).json()
        assert said["editable"] is False
        assert said["remarks"] == ["This copy of the data may only be read: nothing can be added or edited here."]
        assert client.get(path).json()["editable"] is True
        assert client.get(path).json()["remarks"] == []
    assert "may only be read" in sealed.client.get("/", headers={"Accept": "text/html"}).text
    definition = sealed.client.get("/api").json()
    assert "may only be read" in definition["info"]["description"]
    assert {method for item in definition["paths"].values() for method in item} == {"get"}
    writing = [uri for uri in client.get("/conformance").json()["conformsTo"] if "ogcapi-features-4" in uri]
    assert writing
    assert not set(writing) & set(sealed.client.get("/conformance").json()["conformsTo"])


def test_what_follows_can_be_kept_elsewhere(sealed: Sealed, tmp_path: Path) -> None:
    settings = Settings(basemap=BASEMAP, follow_every_s=0, cache_from=1, cache_in=tmp_path / "kept")
    before = os.listdir(sealed.folder)
    first = LiveSnapshot(open_store(sealed.address), settings, "x")
    first.rebuild_cache()
    if first.view.snapshot.records is not first.view.stored:
        pytest.skip("records that are not public as they are stored are not kept")
    again = LiveSnapshot(open_store(sealed.address), settings, "x")
    assert again.view.snapshot.backing_files is not None
    assert again.view.version == first.view.version
    assert os.listdir(sealed.folder) == before


# --- clocks ---------------------------------------------------------------------------------------------------------


def test_a_change_without_a_time_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="change 1 has no time, but 'yesterday'"):
        time_of(store, Head(1, "0" * 64, "yesterday"))


def test_a_clock_that_cannot_be_right_is_remarked(store: Store) -> None:
    atlas = LiveSnapshot(store, Settings(basemap=BASEMAP, follow_every_s=0), "x")
    changed = atlas.view.changed
    assert atlas.remarks(changed) == atlas.remarks(changed + timedelta(days=300)) == ()
    (behind,) = atlas.remarks(changed - timedelta(hours=1))
    (ahead,) = atlas.remarks(changed + timedelta(days=500))
    assert (behind.code, ahead.code) == ("store.clock-behind", "store.clock-ahead")
    assert ahead.arguments["n"] == 500


def test_a_wrong_date_of_the_data_is_on_the_landing_page_and_in_health(
    records: Any, new_shared_store: NewStore
) -> None:
    """The clock was fast when the last change was made."""
    fast = new_shared_store()
    fast.load(records, author="tests", at=datetime(2150, 1, 1, tzinfo=UTC))
    app = create_app(fast, Settings(basemap=BASEMAP, follow_every_s=0))
    with TestClient(app) as client:
        for path in ("/", "/health"):
            (remark,) = client.get(path).json()["remarks"]
            assert "2150-01-01 00:00 UTC" in remark
        assert client.get("/about").json()["data_date"] == "2150-01-01"
        page = client.get("/", headers={"Accept": "text/html"})
        assert "one of two clocks is wrong" in page.text


def test_an_empty_store_has_no_date_to_doubt(new_shared_store: NewStore) -> None:
    atlas = LiveSnapshot(new_shared_store(), Settings(basemap=BASEMAP, follow_every_s=0), "x")
    assert atlas.remarks() == ()
