"""JSON-FG (OGC 21-045r1), annex A: a test for each abstract test of what is claimed."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from shapely.geometry import shape
from starlette.testclient import TestClient

from tests.api.conformance.test_conformance_crs import CRS84, OFFERED
from tests.api.feature_client import COLLECTIONS, Json, items

SPEC = "http://www.opengis.net/spec/json-fg-1/1.0/conf/"
PROFILE = "http://www.opengis.net/def/profile/OGC/0/"
SIMPLE = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"}


@pytest.fixture(scope="module")
def documents(client: TestClient) -> list[Json]:
    """Collections and features, in lon/lat and in other systems."""
    found = []
    for collection in COLLECTIONS:
        for uri in OFFERED if collection in ("strikes", "assets") else (CRS84,):
            told = items(client, collection, f="jsonfg", crs=uri, bbox="22,44,42,53")
            one = told["features"][0]["id"]
            found += [told, client.get(f"/collections/{collection}/items/{one}?f=jsonfg&crs={uri}").json()]
    return found


def features(document: Json) -> list[Json]:
    return document.get("features", [document])


def positions(value: Any) -> list[list[float]]:
    """The innermost arrays of coordinates."""
    if isinstance(value[0], list):
        return [position for part in value for position in positions(part)]
    return [value]


def test_jsonfg_core_schema_valid(documents: list[Json]) -> None:
    for document in documents:
        assert document["type"] in ("FeatureCollection", "Feature")
        assert f"{SPEC}core" in document["conformsTo"]
        assert "coordRefSys" not in document or document["coordRefSys"].startswith("http://www.opengis.net/def/crs/")
        for one in features(document):
            assert {"type", "id", "geometry", "properties", "time", "place"} <= one.keys()
            assert document is one or not {"conformsTo", "coordRefSys"} & one.keys()
            for name in ("geometry", "place"):
                assert one[name] is None or one[name].keys() == {"type", "coordinates"}
            if one["time"] is not None:
                assert one["time"].keys() in ({"date"}, {"interval"})
                days = one["time"].get("interval") or [one["time"]["date"]]
                assert all(re.fullmatch(r"\d{4}-\d\d-\d\d|\.\.", day) for day in days)


def test_jsonfg_core_metadata_geometry_extension(documents: list[Json]) -> None:
    found = {one["place"]["type"] for document in documents for one in features(document) if one["place"]}
    assert found
    assert found <= SIMPLE, "which need no class of their own"


def test_jsonfg_core_metadata_measures(documents: list[Json]) -> None:
    assert not any("measures" in one for document in documents for one in (document, *features(document)))


def test_jsonfg_core_metadata_types_schemas(documents: list[Json]) -> None:
    assert all(f"{SPEC}types-schemas" in document["conformsTo"] for document in documents)


def test_jsonfg_core_interval_start_end(documents: list[Json]) -> None:
    spans = [
        one["time"]["interval"]
        for document in documents
        for one in features(document)
        if "interval" in (one["time"] or {})
    ]
    assert spans
    for first, last in spans:
        if ".." not in (first, last):
            assert date.fromisoformat(first) < date.fromisoformat(last)


def test_jsonfg_core_instant_and_interval(documents: list[Json]) -> None:
    """instant-and-interval-a, -bc and -de: no time has two members."""
    assert all(len(one["time"]) == 1 for document in documents for one in features(document) if one["time"])


@pytest.mark.parametrize("member", ["geometry", "place"])
def test_jsonfg_core_coordinate_dimension(documents: list[Json], member: str) -> None:
    for document in documents:
        for one in features(document):
            if one[member]:
                assert {len(position) for position in positions(one[member]["coordinates"])} == {2}


def test_jsonfg_core_geometry_wgs84(documents: list[Json]) -> None:
    for document in documents:
        for one in features(document):
            for lon, lat in positions(one["geometry"]["coordinates"]) if one["geometry"] else ():
                assert abs(lon) <= 180
                assert abs(lat) <= 90


def test_jsonfg_core_geometry_no_jsonfg_extension(documents: list[Json]) -> None:
    for document in documents:
        assert all(not {"coordRefSys", "measures"} & (one["geometry"] or {}).keys() for one in features(document))


def test_jsonfg_core_valid_geometry(documents: list[Json]) -> None:
    for document in documents:
        for one in features(document):
            assert all(shape(one[name]).is_valid for name in ("geometry", "place") if one[name])


def test_jsonfg_core_place_geometries(documents: list[Json]) -> None:
    for document in documents:
        if document.get("coordRefSys") is None:
            assert all(one["place"] is None for one in features(document))
        else:
            assert document["coordRefSys"] != CRS84
            assert all((one["place"] is None) == (one["geometry"] is None) for one in features(document))


def test_jsonfg_core_axis_order(documents: list[Json]) -> None:
    """The place is what crs gives, whose axes are held against geopandas in test_crs."""
    latlon = [one for one in documents if one.get("coordRefSys", "").endswith("/4326")]
    assert latlon
    for document in latlon:
        for one in features(document):
            if one["place"] and one["place"]["type"] == "Point":
                assert one["place"]["coordinates"] == one["geometry"]["coordinates"][::-1]


# Feature types and schemas.


def test_jsonfg_types_feature_type_1(documents: list[Json]) -> None:
    assert all(one["featureType"] in COLLECTIONS for one in documents if one["type"] == "Feature")


def test_jsonfg_types_feature_type_2(documents: list[Json]) -> None:
    assert all(one["featureType"] in COLLECTIONS for one in documents if one["type"] == "FeatureCollection")


def test_jsonfg_types_geometry_dimension(documents: list[Json]) -> None:
    assert not any("geometryDimension" in one for one in documents)


def test_jsonfg_types_feature_schemas(client: TestClient, documents: list[Json]) -> None:
    """What it leads to is inspected by test_schemas_basic_schema_inspection."""
    for document in documents:
        assert document["featureSchema"] == f"http://testserver/collections/{document['featureType']}/schema"
        assert client.get(document["featureSchema"]).headers["content-type"] == "application/schema+json"


def test_jsonfg_types_single_feature_schema(documents: list[Json]) -> None:
    for document in documents:
        assert all("featureType" not in one for one in document.get("features", ()))


# Profiles, and JSON-FG in web APIs.

PATHS = ("/collections/strikes/items", "/collections/strikes/items/ua-orlivka-2025-08-06")
ASKED = {"accept": "application/geo+json"}


@pytest.mark.parametrize("path", PATHS)
def test_jsonfg_profiles_rfc7946(client: TestClient, path: str) -> None:
    for query in ("", "?profile=rfc7946", "?crs=[EPSG:3857]"):
        answer = client.get(f"{path}{query}", headers=ASKED)
        assert answer.headers["content-type"] == "application/geo+json"
        assert f'<{PROFILE}rfc7946>; rel="profile"' in answer.headers["link"]
        told = answer.json()
        assert "conformsTo" not in told
        assert all("place" not in one for one in features(told))


@pytest.mark.parametrize("path", PATHS)
def test_jsonfg_profiles_jsonfg(client: TestClient, path: str) -> None:
    for query in ("?profile=jsonfg", "?f=jsonfg"):
        answer = client.get(f"{path}{query}", headers=ASKED)
        assert answer.headers["content-type"] == "application/geo+json"
        assert f'<{PROFILE}jsonfg>; rel="profile"' in answer.headers["link"]
        assert f"{SPEC}core" in answer.json()["conformsTo"]


@pytest.mark.parametrize("path", PATHS)
def test_jsonfg_profiles_jsonfg_plus(client: TestClient, path: str) -> None:
    answer = client.get(f"{path}?profile=jsonfg-plus&crs=[EPSG:3857]", headers=ASKED)
    assert f'<{PROFILE}jsonfg-plus>; rel="profile"' in answer.headers["link"]
    assert all(one["geometry"] for one in features(answer.json()) if one["place"])


def test_the_media_types_of_the_drafts_are_answered(client: TestClient) -> None:
    for media_type in ("application/fg+json", "application/vnd.ogc.fg+json"):
        assert "conformsTo" in client.get(PATHS[1], headers={"accept": media_type}).json()
