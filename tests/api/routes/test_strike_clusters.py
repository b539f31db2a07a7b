"""Strikes put together for a map: each is counted once, and a cluster is the selection of its box."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from layers.model.types import RelationKind
from layers.query.strike_clusters import MAX_CELLS
from tests.api.routes.test_strike_counts import STRIKES, counts, matched

Json = dict[str, Any]
STANDS = "status <> 'retracted'"


def clusters(client: TestClient, **selection: object) -> Json:
    answer = client.get("/strikes/clusters", params={name: str(value) for name, value in selection.items()})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


SELECTIONS: tuple[Json, ...] = (
    {},
    {"filter": STANDS},
    {"country": "RU", "min_share": 25, "filter": STANDS},
    {"country": "RU", "relation": "host", "datetime": "2025-01-01/2025-12-31", "filter": STANDS},
    {"relation": "related", "country": "AZ", "filter": STANDS},
    {"certainty": "possible", "filter": STANDS},
)


@pytest.mark.parametrize("zoom", [0, 3.5, 7, 24])
@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_every_placed_strike_is_in_one_cluster_or_apart(client: TestClient, selection: Json, zoom: float) -> None:
    counted, found = counts(client, **selection), clusters(client, **selection, zoom=zoom)
    placed = counted["strikes"] - counted["unplaced"]
    ids = [feature["id"] for feature in found["features"]]
    assert len(ids) == len(set(ids))
    assert sum(one["strikes"] for one in found["clusters"]) + len(ids) == found["strikes"] == placed
    assert all(one["strikes"] > 1 for one in found["clusters"])


@pytest.mark.parametrize("zoom", [1, 5])
@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_a_cluster_opens_exactly_as_many_strikes_as_it_says(client: TestClient, selection: Json, zoom: float) -> None:
    for one in clusters(client, **selection, zoom=zoom)["clusters"]:
        inside = f"S_INTERSECTS(geometry, BBOX({','.join(map(repr, one['bbox']))}))"
        own = {**selection, "filter": f"{selection['filter']} AND {inside}" if "filter" in selection else inside}
        assert one["strikes"] == matched(client, **own)
        certain = own if selection.get("certainty") else {**own, "certainty": "sure"}
        assert one["sure"] == (0 if selection.get("certainty") else matched(client, **certain))
        west, south, east, north = one["bbox"]
        assert west <= east
        assert south <= north


def test_few_strikes_are_features_as_they_are_in_their_collection(client: TestClient) -> None:
    selection = {"country": "AZ", "filter": STANDS}
    found = clusters(client, **selection, zoom=0, apart=5000)
    features = client.get(STRIKES, params={**selection, "limit": "1000"}).json()["features"]
    placed = [feature for feature in features if feature["geometry"]]
    assert found["clusters"] == []
    assert sorted(found["features"], key=lambda f: f["id"]) == sorted(placed, key=lambda f: f["id"])
    together = clusters(client, **selection, zoom=0, apart=len(placed) - 1)
    assert together["clusters"]


def test_a_box_selects_whole_cells_that_are_the_same_for_any_box(client: TestClient) -> None:
    world = {(*one["at"], one["strikes"]) for one in clusters(client, zoom=4)["clusters"]}
    part = clusters(client, zoom=4, bbox="29,45,33,48")["clusters"]
    assert 0 < len(part) < len(world)
    assert {(*one["at"], one["strikes"]) for one in part} <= world
    around = clusters(client, zoom=4, bbox="150,-80,149,80")
    assert {(*one["at"], one["strikes"]) for one in around["clusters"]} == world


def test_parts_of_a_ring_are_the_strikes_of_each_value(client: TestClient) -> None:
    hosts = clusters(client, zoom=0, parts="host")["clusters"]
    for one in hosts:
        sure, possible = (sum(part[side] for part in one["parts"]) for side in ("sure", "possible"))
        assert (sure, possible) == (one["sure"], one["strikes"] - one["sure"])
    owned = clusters(client, zoom=0, parts="owners")["clusters"]
    assert sum(part["sure"] for one in owned for part in one["parts"] if part["value"] == "RU") > 10
    for one in owned:
        assert sum(part["sure"] + part["possible"] for part in one["parts"]) <= one["strikes"] + 0.01
    ties = {part["value"] for one in clusters(client, zoom=0, parts="ties")["clusters"] for part in one["parts"]}
    kinds = {kind for value in ties if value for kind in value.split("+")}
    assert None in ties
    assert "operator" in kinds <= set(get_args(RelationKind))
    assert all(one["parts"] == [] for one in clusters(client, zoom=0)["clusters"])


def test_a_zoom_of_too_many_cells_is_a_lower_one(client: TestClient) -> None:
    found = clusters(client, zoom=24, bbox="29,45,33,48")
    assert found["zoom"] < 24
    cells = (4 / 360 * 2 ** found["zoom"] * 8) ** 2
    assert MAX_CELLS / 8 < cells < 2 * MAX_CELLS


@pytest.mark.parametrize(
    "query", ["zoom=25", "zoom=-1", "zoom=1e3", "apart=5001", "parts=owner", "bbox=1,2,3", "nothing=1", "zoom="]
)
def test_what_cannot_be_read_is_named(client: TestClient, query: str) -> None:
    answer = client.get(f"/strikes/clusters?{query}")
    assert answer.status_code == 400
    assert query.split("=")[0] in answer.json()["detail"]


def test_bounds_of_a_selection_hold_its_strikes(client: TestClient) -> None:
    west, south, east, north = counts(client, country="AZ")["bbox"]
    inside = f"S_INTERSECTS(geometry, BBOX({west!r},{south!r},{east!r},{north!r}))"
    counted = counts(client, country="AZ")
    assert matched(client, country="AZ", filter=inside) == counted["strikes"] - counted["unplaced"]
    assert counts(client, entity="nobody")["bbox"] is None


def test_the_answer_is_a_page_too(client: TestClient) -> None:
    page = client.get("/strikes/clusters?zoom=2", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "<main" in page.text
