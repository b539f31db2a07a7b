"""Tile matrix sets as they are registered; tiles by row and column, filtered as items are."""

from __future__ import annotations

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.api.feature_client import COLLECTIONS, items, problem
from tests.api.tile_reading import Json, decoded
from tests.tile_at import tile_at

#: Scale denominators and cell sizes by level, as the register of the OGC has them (15 digits).
PRINTED = {
    "WebMercatorQuad": {
        0: (559082264.028717, 156543.033928041),
        1: (279541132.014358, 78271.5169640204),
        10: (545978.773465544, 152.874056570352),
        24: (33.3238997476528, 0.0093306919293428),
    },
    "WorldCRS84Quad": {
        0: (279541132.014358, 0.703125),
        1: (139770566.007179, 0.3515625),
        10: (272989.386732772, 0.0006866455078125),
        23: (33.3238997476528, 0.00000008381903171539),
    },
}
SELECTIONS: tuple[dict[str, str], ...] = (
    {"status": "reported"},
    {"filter": "host_country = 'RU'"},
    {"filter": '{"op": "=", "args": [{"property": "host_country"}, "RU"]}', "filter-lang": "cql2-json"},
    {"datetime": "2025-08-01/2025-08-31"},
    {"datetime": "2025-08-01/..", "filter": "n_sources > 1", "host_country": "UA"},
    {"filter": "S_INTERSECTS(geometry, BBOX(28, 45, 33, 48))"},
    {"filter": "host_country = 'nowhere'"},
)


def shown(client: TestClient, path: str, collection: str = "strikes", **query: str) -> dict[str, Json]:
    """Properties of what a tile shows, by id."""
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    features = decoded(answer.content).get(collection, {"features": []})["features"] if answer.content else []
    return {feature["properties"]["id"]: feature for feature in features}


def placed(told: Json) -> set[str]:
    return {feature["id"] for feature in told["features"] if feature["geometry"]}


@pytest.mark.parametrize("name", PRINTED)
def test_a_matrix_set_has_the_numbers_that_are_registered(client: TestClient, name: str) -> None:
    told = client.get(f"/tileMatrixSets/{name}").json()
    matrices = told["tileMatrices"]
    assert [matrix["id"] for matrix in matrices] == [str(level) for level in range(max(PRINTED[name]) + 1)]
    for level, (scale, cell) in PRINTED[name].items():
        assert matrices[level]["scaleDenominator"] == pytest.approx(scale, rel=1e-13)
        assert matrices[level]["cellSize"] == pytest.approx(cell, rel=1e-13)
    wide = 2 if name == "WorldCRS84Quad" else 1
    for level, matrix in enumerate(matrices):
        assert (matrix["matrixWidth"], matrix["matrixHeight"]) == (wide << level, 1 << level)
        assert (matrix["tileWidth"], matrix["tileHeight"]) == (256, 256)
        corner = [-180, 90] if wide == 2 else [-20037508.3427892480, 20037508.3427892480]
        assert matrix["pointOfOrigin"] == pytest.approx(corner, rel=1e-14)
    assert told["uri"] == f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{name}"


@pytest.mark.parametrize("query", SELECTIONS, ids=lambda query: "-".join(query))
def test_a_tile_shows_what_is_listed_for_the_same_selection(client: TestClient, query: dict[str, str]) -> None:
    told = placed(items(client, **query))
    assert shown(client, "/tiles/strikes/0/0/0.mvt", **query).keys() == told
    assert shown(client, "/collections/strikes/tiles/WebMercatorQuad/0/0/0", **query).keys() == told
    halves = [shown(client, f"/collections/strikes/tiles/WorldCRS84Quad/0/0/{col}", **query).keys() for col in (0, 1)]
    assert halves[0] | halves[1] == told
    assert not halves[0] & halves[1]


def test_selections_are_kept_apart_and_kept(client: TestClient) -> None:
    path = "/tiles/strikes/0/0/0.mvt"
    every, some = shown(client, path).keys(), shown(client, path, host_country="RU").keys()
    assert some < every
    before = client.app.state.atlas.counts.hits  # type: ignore[attr-defined]
    assert shown(client, path, filter="host_country = 'RU'").keys() == some
    assert shown(client, path, host_country="RU").keys() == some
    assert shown(client, path).keys() == every
    assert client.app.state.atlas.counts.hits == before + 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("filter=status", "filter"), ("filter=nothing='x'", "filter"), ("datetime=soon", "datetime"),
        ("bbox=0,0,1,1", "bbox"), ("sortby=when", "sortby"), ("n_sources=x", "n_sources"),
        ("n_sources=1&n_sources=2", "n_sources"), ("statsu=reported", "statsu"), ("status=unheard", "status"),
        ("filter-lang=sql&filter=true", "filter-lang"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/tiles/strikes/0/0/0.mvt", "/collections/strikes/tiles/WebMercatorQuad/0/0/0"], ids=["web", "ogc"]
)
def test_what_cannot_be_read_is_named(client: TestClient, path: str, query: str, parameter: str) -> None:
    assert problem(client, f"{path}?{query}", 400)["parameter"] == parameter


def test_the_base_map_takes_no_parameters(client: TestClient) -> None:
    assert problem(client, "/tiles/basemap/0/0/0.mvt?datetime=2025-08-08", 400)["parameter"] == "datetime"


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("name", PRINTED)
def test_every_feature_is_in_some_tile(client: TestClient, collection: str, name: str) -> None:
    path = f"/collections/{collection}/tiles/{name}"
    limits = client.get(path).json()["tileMatrixSetLimits"][3]
    found: set[str] = set()
    for row in range(limits["minTileRow"], limits["maxTileRow"] + 1):
        for col in range(limits["minTileCol"], limits["maxTileCol"] + 1):
            found |= shown(client, f"{path}/3/{row}/{col}", collection).keys()
    assert found == placed(items(client, collection))


def test_tiles_of_equal_degrees_place_points_where_they_are(client: TestClient) -> None:
    """Level 5 of WorldCRS84Quad has tiles of 5.625 degrees."""
    size = 180 / 32
    for feature in items(client, host_country="UA")["features"]:
        if feature["geometry"] is None:
            continue
        lon, lat = feature["geometry"]["coordinates"]
        col, row = int((lon + 180) // size), int((90 - lat) // size)
        drawn = shown(client, f"/collections/strikes/tiles/WorldCRS84Quad/5/{row}/{col}")[feature["id"]]
        x, y = np.array(drawn["geometry"]["coordinates"]) / 4096 * size
        assert (x + col * size - 180, 90 - row * size - y) == pytest.approx((lon, lat), abs=size / 4096)


def test_a_tile_is_the_same_by_both_addresses(client: TestClient) -> None:
    z, x, y = tile_at(30.7, 46.5, 6)
    web = client.get(f"/tiles/assets/{z}/{x}/{y}.mvt")
    ogc = client.get(f"/collections/assets/tiles/WebMercatorQuad/{z}/{y}/{x}")
    assert web.content == ogc.content
    assert web.content


def test_a_tile_says_what_it_was_negotiated_by(client: TestClient) -> None:
    ogc = "/collections/assets/tiles/WebMercatorQuad/6/22/37"
    assert client.get(ogc).headers["vary"] == "Accept, Accept-Encoding"
    assert client.get("/tiles/assets/6/37/22.mvt").headers["vary"] == "Accept-Encoding"
    links = client.get("/collections/assets/tiles/WebMercatorQuad").json()["links"]
    assert [one["type"] for one in links if one["rel"] == "item"] == ["application/vnd.mapbox-vector-tile"]


def test_there_are_no_tiles_of_other_formats(client: TestClient) -> None:
    assert client.get("/tiles/assets/0/0/0.mlt").status_code == 404
    assert problem(client, "/collections/assets/tiles/WebMercatorQuad/0/0/0?f=mlt", 400)["parameter"] == "f"
