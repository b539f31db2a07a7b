"""The renderers of the FeatureServer have the colours of the map."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api.rendering.canvas import style_table
from api.settings import Settings
from tests.api.feature_client import Json

LOOK = style_table(Settings().static / "style-table.json")
ROOT = "/rest/services/strikeatlas/FeatureServer"


def symbol(client: TestClient, layer: int, attributes: Json) -> Json:
    """The symbol that a layer's renderer has for a feature."""
    renderer = client.get(f"{ROOT}/{layer}", params={"f": "json"}).json()["drawingInfo"]["renderer"]
    assert renderer["type"] == "uniqueValue"
    by = {one["value"]: one["symbol"] for one in renderer["uniqueValueInfos"]}
    found: Json = by.get(attributes[renderer["field1"]], renderer["defaultSymbol"])
    return found


@pytest.mark.parametrize(("layer", "column"), [(0, "host_country"), (4, "country")])
def test_places_have_the_colour_of_their_host(client: TestClient, layer: int, column: str) -> None:
    asked = client.get(f"{ROOT}/{layer}/query", params={"where": "1=1", "outFields": "*", "f": "json"}).json()
    seen = set()
    for one in asked["features"]:
        host = one["attributes"][column]
        key = host if host in ("UA", "RU") else "other"
        expected = [*bytes.fromhex(LOOK["host"][key]["light"][1:]), 255]
        assert symbol(client, layer, one["attributes"])["color"] == expected
        seen.add(key)
    assert seen == {"UA", "RU", "other"}


def test_lines_have_the_colour_of_what_they_carry(client: TestClient) -> None:
    asked = client.get(f"{ROOT}/2/query", params={"where": "1=1", "outFields": "*", "f": "json"}).json()
    seen = set()
    for one in asked["features"]:
        key = "gas" if "gas" in (one["attributes"]["commodity"] or "") else "oil"
        expected = [*bytes.fromhex(LOOK["line"][key]["light"][1:]), 255]
        assert symbol(client, 2, one["attributes"])["color"] == expected
        seen.add(key)
    assert seen == {"gas", "oil"}


def test_areas_are_seen_through(client: TestClient) -> None:
    told = client.get(f"{ROOT}/5", params={"f": "json"}).json()["drawingInfo"]["renderer"]
    assert (told["type"], told["symbol"]["type"]) == ("simple", "esriSFS")
    assert told["symbol"]["color"] == [*bytes.fromhex(LOOK["base"]["light"]["chosen"][1:]), 128]
