"""OGC API - Tiles part 1 (20-057), annex A: a test for each abstract test."""

from __future__ import annotations

from itertools import product

import mapbox_vector_tile
import pytest
from starlette.testclient import TestClient

from tests.api.feature_client import COLLECTIONS, Json, items, links

MVT = "application/vnd.mapbox-vector-tile"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
CLASSES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
SETS = {
    "WebMercatorQuad": "http://www.opengis.net/def/crs/EPSG/0/3857",
    "WorldCRS84Quad": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
}
EVERY = list(product(COLLECTIONS, SETS))


def tileset(client: TestClient, collection: str, name: str) -> Json:
    answer = client.get(f"/collections/{collection}/tiles/{name}", headers={"accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    told: Json = answer.json()
    return told


def mapbox_tiles(told: Json) -> Json:
    """The link to the tiles of a tileset in the form of requirement class mvt, one of several."""
    (item,) = (one for one in told["links"] if one["rel"] == "item" and one["type"] == MVT)
    return item  # type: ignore[no-any-return]


def template(told: Json) -> str:
    address: str = mapbox_tiles(told)["href"]
    return address.removeprefix("http://testserver")


def test_tiles_conformance_success(client: TestClient) -> None:
    told = client.get("/conformance").json()["conformsTo"]
    assert {f"{CLASSES}{name}" for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt")} <= set(told)


@pytest.mark.parametrize(("collection", "name"), EVERY)
def test_tiles_core_tc_op(client: TestClient, collection: str, name: str) -> None:
    told = tileset(client, collection, name)
    levels = [limit["tileMatrix"] for limit in told["tileMatrixSetLimits"]]
    matrices = client.get(links(told)[f"{REL}tiling-scheme"]["href"]).json()["tileMatrices"]
    assert set(levels) <= {matrix["id"] for matrix in matrices}
    for limit, matrix in zip(told["tileMatrixSetLimits"], matrices, strict=False):
        assert (limit["minTileRow"], limit["maxTileRow"]) == (0, matrix["matrixHeight"] - 1)
        assert (limit["minTileCol"], limit["maxTileCol"]) == (0, matrix["matrixWidth"] - 1)
        for row, col in ((0, 0), (limit["maxTileRow"], limit["maxTileCol"])):
            address = template(told).format(tileMatrix=limit["tileMatrix"], tileRow=row, tileCol=col)
            assert client.get(address).status_code == 200


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_tiles_core_tc_definitions(client: TestClient, collection: str) -> None:
    path = f"/collections/{collection}/tiles/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    told = client.get("/api").json()["paths"][path]["get"]["parameters"]
    found = {part["name"]: part for part in told if part.get("in") == "path"}
    assert found["tileMatrix"]["schema"]["type"] == "string"
    assert found["tileRow"]["schema"] == found["tileCol"]["schema"] == {"type": "integer", "minimum": 0}
    assert all(part["required"] for part in found.values())


def test_tiles_core_tc_success(client: TestClient) -> None:
    """Points are listed exactly where the tile says; level 4 of WorldCRS84Quad has tiles of 11.25 degrees."""
    row, col = 3, 18
    box = (col * 11.25 - 180, 90 - (row + 1) * 11.25, (col + 1) * 11.25 - 180, 90 - row * 11.25)
    listed = {one["id"] for one in items(client, bbox=",".join(map(str, box)))["features"] if one["geometry"]}
    answer = client.get(f"/collections/strikes/tiles/WorldCRS84Quad/4/{row}/{col}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/vnd.mapbox-vector-tile")
    shown = {one["properties"]["id"] for one in mapbox_vector_tile.decode(answer.content)["strikes"]["features"]}
    assert shown == listed
    assert shown


@pytest.mark.parametrize("name", SETS)
def test_tiles_core_tc_error(client: TestClient, name: str) -> None:
    told = tileset(client, "strikes", name)
    for place in ("99/0/0", "x/0/0", "0/1/0", "0/0/2", "-1/0/0", "6/64/0", "20/0/0"):
        level, row, col = place.split("/")
        answer = client.get(template(told).format(tileMatrix=level, tileRow=row, tileCol=col))
        assert answer.status_code in (400, 404), place
        assert answer.headers["content-type"] == "application/problem+json"
    south_pole = client.get(template(told).format(tileMatrix="6", tileRow=63, tileCol=0))
    assert (south_pole.status_code, south_pole.content) == (200, b"")
    assert client.get("/collections/strikes/tiles/Nothing/0/0/0").status_code == 404
    assert client.get(f"/collections/nothing/tiles/{name}/0/0/0").status_code == 404


@pytest.mark.parametrize(("collection", "name"), EVERY)
def test_tiles_tileset_description(client: TestClient, collection: str, name: str) -> None:
    told = tileset(client, collection, name)
    assert (told["dataType"], told["crs"]) == ("vector", SETS[name])
    assert told["tileMatrixSetURI"] == f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{name}"
    scheme = links(told)[f"{REL}tiling-scheme"]
    assert client.get(scheme["href"]).json()["id"] == name
    item = mapbox_tiles(told)
    assert item["templated"] is True
    assert all(part in item["href"] for part in ("{tileMatrix}", "{tileRow}", "{tileCol}"))
    (layer,) = told["layers"]
    assert layer["id"] == collection
    fields = layer["propertiesSchema"]["properties"]
    answer = client.get(
        template(told).format(tileMatrix=0, tileRow=0, tileCol=told["tileMatrixSetLimits"][0]["maxTileCol"])
    )
    python = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    features = mapbox_vector_tile.decode(answer.content)[collection]["features"]
    assert features
    for feature in features:
        for key, value in feature["properties"].items():
            assert isinstance(value, python[fields[key]["type"]]), key


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_tiles_tilesets_list_tileset_links(client: TestClient, collection: str) -> None:
    told = client.get(f"/collections/{collection}/tiles").json()
    assert [one["tileMatrixSetURI"].rpartition("/")[2] for one in told["tilesets"]] == list(SETS)
    for one, (name, crs) in zip(told["tilesets"], SETS.items(), strict=True):
        assert (one["dataType"], one["crs"]) == ("vector", crs)
        assert client.get(links(one)["self"]["href"]).json()["tileMatrixSetURI"] == one["tileMatrixSetURI"]
        assert links(one)["self"]["href"].endswith(f"/collections/{collection}/tiles/{name}")
        assert client.get(links(one)[f"{REL}tiling-scheme"]["href"]).json()["id"] == name


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_tiles_geodata_tilesets_operation(client: TestClient, collection: str) -> None:
    assert client.get(f"/collections/{collection}/tiles").json()["tilesets"]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_tiles_geodata_tilesets_desc_links(client: TestClient, collection: str) -> None:
    told = links(client.get(f"/collections/{collection}").json())
    assert told[f"{REL}tilesets-vector"]["href"].endswith(f"/collections/{collection}/tiles")


@pytest.mark.parametrize(("collection", "name"), EVERY)
def test_tiles_mvt_content(client: TestClient, collection: str, name: str) -> None:
    told = tileset(client, collection, name)
    col = 1 if name == "WebMercatorQuad" else 2
    answer = client.get(template(told).format(tileMatrix=1, tileRow=0, tileCol=col))
    layers = mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})
    assert set(layers) == {collection}
    for feature in layers[collection]["features"]:
        assert feature["geometry"]["type"] in (
            "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"
        )  # fmt: skip
