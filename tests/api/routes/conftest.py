"""Desks at which reviewers decide and judge: a server over a copy of the store that a module gives as ``waiting``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.settings import Settings
from layers.model.records import Records
from layers.store.store import Store
from tests.conftest import BASEMAP
from tests.store_copies import opened_copy
from tests.store_kinds import NewStore

#: A strike that the bundled decisions settle; without them it waits.
CPC = "ru-cpc-kropotkinskaya-2025-02-17"
CPC_ASSET = "a-cpc-kropotkinskaya"
DEPOT = "ua-socar-depot-2025-08-08"


@dataclasses.dataclass(frozen=True)
class Desk:
    """A server with the bundled strikes, one of them not decided on, and two reviewers, who stand in a file."""

    client: TestClient
    store: Store
    reviewers: Path
    ann: dict[str, str]
    ben: dict[str, str]

    def seen(self, strike: str = CPC) -> str | None:
        told: str | None = self.client.get(f"/review/strikes/{strike}", headers=self.ann).json()["seen"]
        return told

    def decide(self, by: dict[str, str], **values: Any) -> Any:
        body = {"strike": CPC, "verdict": "confirmed", "asset": CPC_ASSET, "why": "named in the report", **values}
        return self.client.post("/review/decisions", json=body, headers=by)


def undecided(records: Records, new: NewStore) -> Store:
    """A store with one strike that waits for a decision, and a private one."""
    decisions = {key: one for key, one in records.decisions.items() if one.strike != CPC}
    secret = records.strikes[DEPOT].model_copy(update={"private": True})
    store = new()
    store.load(
        dataclasses.replace(records, decisions=decisions, strikes={**records.strikes, DEPOT: secret}), author="tests"
    )
    return store


@contextmanager
def opened(store: Store, folder: Path) -> Iterator[Desk]:
    """Open a desk over a copy of a store."""
    store, file = opened_copy(store, folder / "atlas.gpkg"), folder / "reviewers.json"
    ann, ben = ({"Authorization": f"Bearer {reviewer_tokens.add_reviewer(file, name)}"} for name in ("Ann", "Ben"))
    app = create_app(store, Settings(basemap=BASEMAP, reviewers=file, follow_every_s=0))
    with closing(store), TestClient(app, raise_server_exceptions=False) as client:
        yield Desk(client, store, file, ann, ben)


@pytest.fixture
def desk(waiting: Store, tmp_path: Path) -> Iterator[Desk]:
    with opened(waiting, tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def idle_desk(waiting: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk at which nothing is written."""
    with opened(waiting, tmp_path_factory.mktemp("desk")) as one:
        yield one
