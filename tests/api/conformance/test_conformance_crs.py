"""OGC API - Features part 2 (18-058r1), annex A: a test for each abstract test. The oracle is geopandas."""

from __future__ import annotations

import re
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from starlette.testclient import TestClient

from tests.api.feature_client import COLLECTIONS, Json, ids, items, links, problem

BASE = "http://www.opengis.net/def/crs/"
CRS84 = f"{BASE}OGC/1.3/CRS84"
#: Each that is offered, and whether its first axis points north.
OFFERED = {
    CRS84: False,
    f"{BASE}EPSG/0/4326": True,
    f"{BASE}EPSG/0/3857": False,
    f"{BASE}EPSG/0/3035": True,
    f"{BASE}EPSG/0/4258": True,
    f"{BASE}EPSG/0/32636": False,
    f"{BASE}EPSG/0/32637": False,
}
#: Of the countries, whose outlines are large, those at the rims of the world.
SOME: dict[str, dict[str, str]] = {"countries": {"filter": "id IN ('AQ','BR','EC','FJ','GL','ID','NZ','RU','UA','US')"}}
UNKNOWN = f"{BASE}EPSG/0/999999"


def name_of(uri: str) -> str:
    return uri.removeprefix(BASE).replace("/0/", ":").replace("/1.3/", ":")


def lonlat(shapes: list[BaseGeometry], uri: str) -> list[BaseGeometry]:
    """What geopandas makes of geometries of a system, whose axes it has in the order east, north."""
    xy = [shapely.transform(one, lambda axes: axes[:, ::-1]) if OFFERED[uri] else one for one in shapes]
    return list(geopandas.GeoSeries(xy, crs=name_of(uri)).to_crs("OGC:CRS84"))


def placed(told: Json) -> dict[str, BaseGeometry]:
    return {one["id"]: shape(one["geometry"]) for one in told["features"] if one["geometry"]}


def descriptions(client: TestClient) -> list[Json]:
    listed: list[Json] = client.get("/collections").json()["collections"]
    return [*listed, *(client.get(f"/collections/{name}").json() for name in COLLECTIONS)]


# Discovery.


def test_crs_crs_uri(client: TestClient) -> None:
    for one in descriptions(client):
        for uri in (*one["crs"], one["storageCrs"]):
            assert re.fullmatch(r"http://www\.opengis\.net/def/crs/(OGC/1\.3/CRS84|EPSG/0/\d+)", uri)


def test_crs_default_crs(client: TestClient) -> None:
    for one in descriptions(client):
        assert one["crs"][0] == CRS84
        assert one["crs"] == list(OFFERED)


def test_crs_storage_crs(client: TestClient) -> None:
    for one in descriptions(client):
        assert one["storageCrs"] in one["crs"]


# Parameter crs.


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("uri", OFFERED)
def test_crs_crs_parameter(client: TestClient, collection: str, uri: str) -> None:
    for value in (uri, f"[{name_of(uri)}]", name_of(uri)):
        answer = client.get(f"/collections/{collection}/items", params={"crs": value, "limit": 3})
        assert answer.status_code == 200
        assert answer.headers["content-crs"] == f"<{uri}>"
        first = answer.json()["features"][0]
        one = client.get(f"/collections/{collection}/items/{first['id']}", params={"crs": value})
        assert (one.status_code, one.headers["content-crs"]) == (200, f"<{uri}>")
        assert one.json()["geometry"] == first["geometry"]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_crs_crs_parameter_invalid(client: TestClient, collection: str) -> None:
    path = f"/collections/{collection}/items"
    feature = client.get(f"{path}?limit=1").json()["features"][0]["id"]
    for bad in (UNKNOWN, "EPSG:999999", "[EPSG:999999]", ""):
        for where in (path, f"{path}/{feature}"):
            assert problem(client, f"{where}?crs={bad}", 400)["parameter"] == "crs"


def test_crs_crs_parameter_default(client: TestClient) -> None:
    for collection in COLLECTIONS:
        assert client.get(f"/collections/{collection}/items").headers["content-crs"] == f"<{CRS84}>"


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("uri", OFFERED)
def test_crs_crs_parameter_transform(client: TestClient, collection: str, uri: str) -> None:
    some = SOME.get(collection, {})
    plain, told = placed(items(client, collection, **some)), placed(items(client, collection, crs=uri, **some))
    # Of a UTM zone the equator a quarter round the world is at no finite place.
    assert plain.keys() - told.keys() <= ({"BR", "EC", "ID"} if "EPSG/0/326" in uri else set())
    for key, back in zip(told, lonlat(list(told.values()), uri), strict=True):
        for there, known in zip(axes(back), axes(plain[key]), strict=True):
            # A millimetre written in metres; at the rim of a zone it is more in degrees.
            assert abs(there - known).max() < (1e-6 if collection != "countries" else 1e-3)
    for key in list(told)[::50]:
        one = client.get(f"/collections/{collection}/items/{key}", params={"crs": uri}).json()
        assert shape(one["geometry"]).equals(told[key])


def axes(place: BaseGeometry) -> tuple[Any, Any]:
    """Longitudes and latitudes in their order: rings may be wound the other way, 180 is -180, a pole is anywhere."""
    lon, lat = shapely.get_coordinates(place).T
    lon = lon[abs(lat) < 89.999]
    return np.sort((lon + 360 - 1e-4) % 360), np.sort(lat)


# Parameter bbox-crs.


def boxes(client: TestClient, collection: str, uri: str) -> list[Any]:
    """Boxes of the extent of places in a system: all of it, its middle, and a corner."""
    told = placed(items(client, collection, crs=uri, bbox="20,40,50,60"))
    first, second, third, fourth = shapely.total_bounds(list(told.values()))
    width, height = (third - first) / 4, (fourth - second) / 4
    return [
        (first, second, third, fourth),
        (first + width, second + height, third - width, fourth - height),
        (first, second, first + width, second + height),
    ]


@pytest.mark.parametrize("collection", ["strikes", "assets", "attributions", "hits"])
@pytest.mark.parametrize("uri", OFFERED)
def test_crs_bbox_crs_parameter(client: TestClient, collection: str, uri: str) -> None:
    every = items(client, collection, crs=uri)
    placed_in = []
    for box in boxes(client, collection, uri):
        asked = {"bbox": ",".join(map(repr, map(float, box))), "bbox-crs": uri}
        found = set(ids(items(client, collection, **asked)))
        area = shapely.box(*box)
        for feature in every["features"]:
            if feature["geometry"] is None:
                assert feature["id"] in found
            elif abs(shapely.distance(area.boundary, shape(feature["geometry"]))) > 1e-3:
                assert (feature["id"] in found) == shape(feature["geometry"]).intersects(area), feature["id"]
        placed_in.append(len(found) - sum(feature["geometry"] is None for feature in every["features"]))
    # A corner may be empty.
    assert placed_in[0] > placed_in[1] > 0


def test_crs_bbox_crs_parameter_invalid(client: TestClient) -> None:
    for collection in COLLECTIONS:
        for bad in (UNKNOWN, "EPSG:999999", ""):
            path = f"/collections/{collection}/items?bbox=1,1,2,2&bbox-crs={bad}"
            assert problem(client, path, 400)["parameter"] == "bbox-crs"


def test_crs_bbox_crs_parameter_default(client: TestClient) -> None:
    for collection in COLLECTIONS:
        for box in ("28,45,33,48", "170,-50,-170,-10"):
            with_crs = items(client, collection, bbox=box, **{"bbox-crs": CRS84})
            assert ids(with_crs) == ids(items(client, collection, bbox=box))


def test_latitude_comes_first_where_the_authority_says_so(client: TestClient) -> None:
    latlon = {"bbox": "45,28,48,33", "bbox-crs": f"{BASE}EPSG/0/4326", "crs": f"{BASE}EPSG/0/4326"}
    told = placed(items(client, **latlon))
    assert told
    assert all(45 <= place.x <= 48 and 28 <= place.y <= 33 for place in told.values())
    assert ids(items(client, **latlon)) == ids(items(client, bbox="28,45,33,48"))


def test_next_links_keep_the_systems(client: TestClient) -> None:
    first = items(
        client, limit=3, crs="[EPSG:3035]", bbox="2000000,4000000,4000000,7000000", **{"bbox-crs": "[EPSG:3035]"}
    )
    answer = client.get(links(first)["next"]["href"])
    assert answer.headers["content-crs"] == f"<{BASE}EPSG/0/3035>"
    assert answer.json()["numberMatched"] == first["numberMatched"]
