"""From which probability on a candidate is published or shown: a setting of the server, with a stated default."""

from __future__ import annotations

import dataclasses
import sys
from socket import socket
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from uvicorn import Server

from api.app import create_app
from api.cli import main
from api.settings import Settings
from layers.decisions.hits import PUBLISH_FROM, SHOW_FROM
from layers.model.records import Records
from layers.store.store import Store
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore

DEPOT = "ua-socar-depot-2025-08-08"  # two depots of one owner, neither of them likelier than 0.7


@pytest.fixture(scope="module")
def undecided(records: Records, new_shared_store: NewStore) -> Store:
    """A store of which nobody has decided anything."""
    store = new_shared_store()
    store.load(dataclasses.replace(records, decisions={}), author="tests")
    return store


def asked(store: Store, **settings: float) -> tuple[dict[str, Any], str]:
    """The answer to the strike, and its tag."""
    app = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, **settings))  # type: ignore[arg-type]
    with TestClient(app) as client:
        answer = client.get(f"/strikes/{DEPOT}/attribution")
    return answer.json(), answer.headers["etag"]


def test_by_default_candidates_are_shown_and_none_is_published(undecided: Store) -> None:
    told, _ = asked(undecided)
    assert (told["rests_on"], told["assets"]) == ("nothing", [])
    assert {"a-socar-sintez", "a-socar-svitanok"} <= {one["asset"] for one in told["candidates"]}
    assert all(SHOW_FROM <= one["probability"] < PUBLISH_FROM for one in told["candidates"])
    below = told["candidates_below"]
    assert below["count"] > 0
    assert below["probability"] < SHOW_FROM * below["count"]


def test_a_server_that_publishes_sooner_says_that_it_rests_on_a_match(undecided: Store) -> None:
    told, tag = asked(undecided, publish_from=0.3)
    assert told["rests_on"] == "match"
    assert [hit["verdict"] for hit in told["assets"]] == ["proposed"]
    assert told["owners"][0]["country"] == "AZ"
    assert tag != asked(undecided)[1]


def test_what_is_not_shown_is_counted(undecided: Store) -> None:
    told, _ = asked(undecided, show_from=0.999)
    assert told["candidates"] == []
    assert told["candidates_below"]["probability"] == pytest.approx(1 - told["none_probability"])
    everything, _ = asked(undecided, show_from=0)
    assert everything["candidates_below"] == {"count": 0, "probability": 0}
    assert len(everything["candidates"]) == told["candidates_below"]["count"]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[FastAPI]:
    """What ``serve`` would have run."""
    apps: list[FastAPI] = []

    def run(server: Server, sockets: list[socket]) -> None:
        apps.append(server.config.app)
        for one in sockets:
            one.close()

    monkeypatch.setattr(Server, "run", run)
    return apps


@pytest.mark.parametrize(
    ("options", "thresholds"),
    [((), (PUBLISH_FROM, SHOW_FROM)), (("--publish-from", "0.8", "--show-from", "0.1"), (0.8, 0.1))],
)
def test_serve_sets_them(
    store: Store,
    served: list[FastAPI],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    thresholds: tuple[float, float],
) -> None:
    place = ["--store", store.name, "--basemap", str(BASEMAP), "--port", "0"]
    monkeypatch.setattr(sys, "argv", ["strikeatlas", "serve", *place, *options])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert not ended.value.code
    settings = served[0].state.settings
    assert (settings.publish_from, settings.show_from) == thresholds
    snapshot = served[0].state.atlas.view.snapshot
    assert (snapshot.publish_from, snapshot.show_from) == thresholds


def test_a_probability_over_1_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["strikeatlas", "serve", "--store", store.name, "--publish-from", "1.5"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
