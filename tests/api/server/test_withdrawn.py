"""What the store withholds by now is not served on while, or because, the version without it cannot be computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.server import version_builder
from api.settings import Settings
from layers.disclosure.policy import parse
from layers.model.records import Records
from layers.store.store import ANY, Edit, Store
from tests.conftest import FEW_COUNTRIES
from tests.store_kinds import NewStore, set_policy

STRIKES = "/collections/strikes/items?limit=1000"


@pytest.fixture
def store(few_records: Records, new_shared_store: NewStore) -> Store:
    made = new_shared_store()
    made.load(few_records, author="tests")
    one = first(made)
    made.write(
        Edit("strikes", "own", one.model_copy(update={"id": "own", "dataset": "own", "note": "n"}), None), author="A"
    )
    return made


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    settings = Settings(basemap=FEW_COUNTRIES, follow_every_s=0, catch_up_s=0.05)
    with TestClient(create_app(store, settings)) as client:
        yield client


def first(store: Store) -> Any:
    return next(iter(store.records().strikes.values()))


def by_policy(store: Store) -> None:
    set_policy(store, parse('[[withhold]]\ntable = "strikes"\nfields = ["note"]'))


def by_dataset(store: Store) -> None:
    store.make_private("own", author="tests", why="tests")


def by_record(store: Store) -> None:
    strike = first(store)
    store.write(Edit("strikes", strike.id, strike.model_copy(update={"private": True}), ANY), author="tests")


def by_nothing(store: Store) -> None:
    strike = first(store)
    store.write(Edit("strikes", strike.id, strike.model_copy(update={"title": "Another"}), ANY), author="tests")


@pytest.mark.parametrize(
    ("change", "status"), [(by_policy, 503), (by_dataset, 503), (by_record, 503), (by_nothing, 200)]
)
def test_nobody_is_answered_from_a_version_that_has_what_is_withheld(
    client: TestClient,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Store], None],
    status: int,
) -> None:
    def fails(*args: Any, **options: Any) -> None:
        raise RuntimeError("cannot be computed")

    before = client.get(STRIKES)
    change(store)
    atlas = client.app.state.atlas  # type: ignore[attr-defined]
    with monkeypatch.context() as broken:
        broken.setattr(version_builder, "SnapshotUpdate", fails)
        assert not atlas.look()
        for address in (STRIKES, "/", "/map", "/collections/strikes/items?f=csv"):
            answer = client.get(address)
            assert answer.status_code == status
            assert status == 200 or (answer.headers["Retry-After"], answer.json()["status"]) == ("5", 503)
        assert client.get("/health/live").status_code == 200
    assert atlas.look()
    after = client.get(STRIKES)
    assert after.status_code == 200
    assert after.content != before.content
