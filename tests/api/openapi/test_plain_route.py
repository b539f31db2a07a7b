"""Plain routes skip the framework and not the definition; what is kept for them is what would be made anew."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response

from api.formats import geojson
from api.http.links import base_address, query_string, with_query
from api.openapi.declaration import PlainRoute
from api.requests import query_parameters
from api.requests.parameters import BadParameter
from api.requests.query_parameters import parse_selection
from api.routes import ogc_features
from layers.snapshot.snapshot import Snapshot
from layers.store.row_mapping import TABLES, version_of
from tests.api.asgi import ask, scope_of

STRIKES = "/collections/strikes/items"


def test_a_plain_route_is_given_its_path_and_described() -> None:
    async def told(request: Request, name: str) -> Response:
        """Tell a name."""
        return Response(f"{name} {request.query_params['n']}")

    app = FastAPI()
    app.router.routes.append(PlainRoute("/names/{name:path}", told, summary="A name", tags=["names"]))
    assert ask(app, "/names/a/b?n=1").body == b"a/b 1"
    assert ask(app, "/names/a", method="POST").status == 405
    described = app.openapi()["paths"]["/names/{name}"]["get"]
    assert (described["summary"], described["description"], described["tags"]) == ("A name", "Tell a name.", ["names"])
    assert [part["name"] for part in described["parameters"]] == ["name"]


@pytest.mark.parametrize(
    ("query", "quick"),
    [("", True), ("?limit=2", True), ("?bbox=22,44,42,53&datetime=2025-06-01", True), ("?f=csv", False),
     ("?crs=http://www.opengis.net/def/crs/EPSG/0/3857", False), ("?filter=title LIKE '%25never asked%25'", False),
     ("?sortby=-uncertainty_m,damage,place", False), ("?filter=" + " OR ".join(["title = 'x'"] * 150), False)],
)  # fmt: skip
def test_a_thread_is_asked_only_for_what_takes_long(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, query: str, quick: bool
) -> None:
    threads: list[threading.Thread] = []

    answer = ogc_features._answer

    def noted(*given: Any) -> Response:
        threads.append(threading.current_thread())
        return answer(*given)

    monkeypatch.setattr(ogc_features, "_answer", noted)
    path = f"{STRIKES}{query}".replace(" ", "%20").replace("'", "%27")
    assert ask(app, path, {"cookie": "a=b"}).status == 200  # which is not answered from the cache of answers
    assert [one is threading.main_thread() for one in threads] == [quick]


def test_a_filter_is_made_ready_once_for_each_version_and_a_wrong_one_refused_each_time(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counted(text: str, language: query_parameters.Language) -> query_parameters.Tree:
        made.append(text)
        return parse(text, language)

    parse = query_parameters.parse
    monkeypatch.setattr(query_parameters, "parse", counted)
    strikes, assets = snapshot.collections["strikes"], snapshot.collections["assets"]
    asked = {"filter": "n_sources > 1234", "kind": "refinery"}
    first = parse_selection(asked, strikes).where
    assert parse_selection({**asked, "limit": "5", "bbox": "1,1,2,2"}, strikes).where is first
    assert parse_selection({**asked, "kind": "oil-depot"}, strikes).where != first
    assert parse_selection({"filter": "n_strikes > 1234"}, assets).where is not None
    assert len(made) == 3
    for _ in range(2):
        with pytest.raises(BadParameter):
            parse_selection({"filter": "n_sources > "}, strikes)


@pytest.mark.parametrize("root", ["", "/atlas"])
@pytest.mark.parametrize("host", ["atlas.example", "atlas.example:8080", "[::1]:80", None])
def test_the_base_of_links_is_that_of_the_framework(root: str, host: str | None) -> None:
    scope = {**scope_of("/collections?f=json", ()), "root_path": root}
    scope["headers"] = [] if host is None else [(b"host", host.encode())]
    for scheme in ("http", "https"):
        request = Request({**scope, "scheme": scheme})
        assert base_address(request) == str(request.base_url).rstrip("/")


def test_addresses_are_percent_encoded() -> None:
    query = query_string({"a b": "x&y=Ω", "none": None, "n": 3, "flag": True})
    assert query == "a+b=x%26y%3D%CE%A9&n=3&flag=True"
    assert with_query("http://x/", query, "", "m=1") == f"http://x/?{query}&m=1"
    assert with_query("http://x/", "") == "http://x/"


def test_the_version_of_a_strike_is_that_of_its_record(app: FastAPI) -> None:
    view = app.state.atlas.view
    for key, strike in view.stored.strikes.items():
        plain = version_of(TABLES["strikes"].to_dict(strike), app.state.atlas.store.version_key())
        assert view.version_of_strike(key) == view.version_of_strike(key) == plain
    with pytest.raises(KeyError):
        view.version_of_strike("nope")


def test_a_page_joined_of_fragments_is_the_features_and_what_is_said_of_them(snapshot: Snapshot) -> None:
    kept = snapshot.collections["strikes"].fragments
    for count in (0, 1, 2, 5):
        told = geojson.geojson.collection(kept[:count], {"links": []})
        assert told == b'{"type":"FeatureCollection","links":[],"features":[' + b",".join(kept[:count]) + b"]}"
    assert kept == snapshot.collections["strikes"].fragments, "nothing kept was changed"
