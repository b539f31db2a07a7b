"""Features that a tile shows and that /items lists, read by a third-party decoder and by their JSON."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
from starlette.testclient import TestClient

from geo.tiles.tile_matrix import Tile

Json = dict[str, Any]


def decoded(body: bytes) -> Json:
    layers: Json = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})
    return layers


def drawn(client: TestClient, collection: str, tile: Tile) -> dict[str, Json]:
    """Properties of the features that a tile of a collection shows, by id."""
    answer = client.get("/tiles/{}/{}/{}/{}.mvt".format(collection, *tile))
    assert answer.status_code == 200
    layers = decoded(answer.content) if answer.content else {}
    assert set(layers) <= {collection}
    features = layers.get(collection, {"features": []})["features"]
    properties = {feature["properties"]["id"]: feature["properties"] for feature in features}
    # A collection is drawn as one feature for each of points, lines and areas.
    kinds = [(feature["properties"]["id"], feature["geometry"]["type"].removeprefix("Multi")) for feature in features]
    assert len(set(kinds)) == len(kinds), "each feature once"
    return properties


def listed(client: TestClient, collection: str, box: tuple[float, ...]) -> dict[str, Json]:
    """Features with a geometry that /items lists for a box, by id."""
    west, south, east, north = box
    cut = (max(west, -180), max(south, -90), min(east, 180), min(north, 90))
    query = {"bbox": ",".join(map(repr, cut)), "limit": 10_000}
    features = client.get(f"/collections/{collection}/items", params=query).json()["features"]
    return {feature["id"]: feature for feature in features if feature["geometry"]}
