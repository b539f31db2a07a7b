"""OGC API - Features part 3 (19-079r2), annex A: a test for each abstract test."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import shapely
from shapely.geometry import shape
from starlette.testclient import TestClient

from api.requests.crs import parse_crs, project
from layers.snapshot.snapshot import Snapshot
from tests.api.conformance.test_conformance_crs import OFFERED
from tests.api.feature_client import COLLECTIONS, LISTED, Json, ids, items, problem

SPEC = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SHORT = {"skipGeometry": "true"}


def queryables(client: TestClient, collection: str) -> Json:
    answer = client.get(f"/collections/{collection}/queryables", headers={"accept": "application/schema+json"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    told: Json = answer.json()
    return told


def conforms(client: TestClient, name: str) -> None:
    answer = client.get("/conformance", headers={"accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert f"{SPEC}{name}" in answer.json()["conformsTo"]


def extent(client: TestClient, collection: str) -> Any:
    return client.get(f"/collections/{collection}").json()["extent"]["spatial"]["bbox"][0]


def placed(client: TestClient, collection: str) -> list[str]:
    """Features that a spatial function can be true of."""
    return [one["id"] for one in items(client, collection, properties="")["features"] if one["geometry"]]


# Queryables.


def test_filter_queryables_get_conformance(client: TestClient) -> None:
    conforms(client, "queryables")


def test_filter_queryables_get_queryables_uris(client: TestClient) -> None:
    for collection in COLLECTIONS:
        answer = client.head(f"/collections/{collection}/items", headers={"accept": "application/json"})
        assert answer.status_code == 200
        assert f'<http://testserver/collections/{collection}/queryables>; rel="{QUERYABLES}"' in answer.headers["link"]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_filter_queryables_get_queryables(client: TestClient, snapshot: Snapshot, collection: str) -> None:
    told = queryables(client, collection)
    assert told["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert told["$id"] == f"http://testserver/collections/{collection}/queryables"
    assert told["type"] == "object"
    assert told["additionalProperties"] is False
    assert list(told["properties"]) == list(snapshot.collections[collection].queryables)
    for one in told["properties"].values():
        assert ("type" in one) != one.get("format", "").startswith("geometry-")
        assert "$ref" not in one
    jsonschema.Draft202012Validator.check_schema(told)


# Queryables as query parameters.


def test_filter_queryables_query_parameters_get_conformance(client: TestClient) -> None:
    conforms(client, "queryables-query-parameters")


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_filter_queryables_query_parameters_query_param(client: TestClient, collection: str) -> None:
    whole = items(client, collection, **SHORT)["features"]
    wrong = {"integer": "x", "number": "x", "boolean": "perhaps"}
    for name, schema in queryables(client, collection)["properties"].items():
        if schema.get("type") in (None, "array"):
            continue
        value = next((v for one in whole if (v := one["properties"][name]) not in (None, "")), None)
        if value is not None and len(str(value)) <= 200:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            found = items(client, collection, **SHORT, **{name: text})["features"]
            assert found == [one for one in whole if one["properties"][name] == value]
        bad = "nothing of the kind" if "enum" in schema or "format" in schema else wrong.get(schema["type"])
        if bad is not None and schema.get("format") != "edtf":
            assert problem(client, f"/collections/{collection}/items?{name}={bad}", 400)["parameter"] == name


# Filter, and Features Filter, which runs its tests on items.


def test_filter_filter_get_conformance(client: TestClient) -> None:
    conforms(client, "filter")


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("language", ["cql2-text", "cql2-json", None])
def test_filter_filter_filter_param(client: TestClient, collection: str, language: str | None) -> None:
    chosen = {} if language is None else {"filter-lang": language}
    whole = items(client, collection, **SHORT)["features"]
    for name in queryables(client, collection)["properties"]:
        if name == "geometry":
            continue
        tree = f'{{"op":"isNull","args":[{{"property":"{name}"}}]}}'
        valid = tree if language == "cql2-json" else f"{name} IS NULL"
        found = items(client, collection, filter=valid, **chosen, **SHORT)["features"]
        assert found == [one for one in whole if one["properties"][name] is None]
    for bad in ("THIS IS NOT A FILTER", "", "id =", "{"):
        path = f"/collections/{collection}/items?filter={bad}"
        assert problem(client, f"{path}&filter-lang={language}" if language else path, 400)["parameter"] == "filter"


def test_filter_filter_filter_lang_default(client: TestClient) -> None:
    told = client.get("/api").json()["components"]["parameters"]["filter-lang"]["schema"]
    assert told == {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"}
    text = "status = 'verified'"
    assert ids(items(client, filter=text)) == ids(items(client, filter=text, **{"filter-lang": "cql2-text"}))
    assert problem(client, "/collections/strikes/items?filter=id=1&filter-lang=cql", 400)["parameter"] == "filter-lang"


def test_filter_filter_expression_construction(client: TestClient) -> None:
    for collection in COLLECTIONS:
        path = f"/collections/{collection}/items?filter=this_is_not_a_queryable IS NULL"
        assert problem(client, path, 400)["parameter"] == "filter"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_filter_filter_filter_crs_wgs84(client: TestClient, collection: str) -> None:
    west, south, east, north = extent(client, collection)
    box = f"S_INTERSECTS(geometry,BBOX({west},{south},{east},{north}))"
    assert ids(items(client, collection, filter=box, **SHORT)) == placed(client, collection)
    path = f"/collections/{collection}/items?filter=S_INTERSECTS(geometry,BBOX(1000000,1000000,2000000,2000000))"
    assert problem(client, path, 400)["parameter"] == "filter"


@pytest.mark.parametrize("uri", OFFERED)
def test_filter_filter_filter_crs_param(client: TestClient, uri: str) -> None:
    system = parse_crs(uri, "crs")
    area = shapely.box(28.35, 45.2, 33.7, 49.1)
    for collection in ("strikes", "assets"):
        told = items(client, collection, crs=uri, properties="")["features"]
        (wanted,) = project([shapely.segmentize(area, 0.1)], system)
        inside = {"filter": f"S_INTERSECTS(geometry,{wanted.wkt})", "filter-crs": uri}
        expected = [one["id"] for one in told if one["geometry"] and shape(one["geometry"]).intersects(wanted)]
        assert ids(items(client, collection, **inside, **SHORT)) == expected
        assert expected
        unknown = "http://www.opengis.net/def/crs/OGC/0/does_not_exist"
        path = f"/collections/{collection}/items?filter=S_INTERSECTS(geometry,BBOX(1,1,2,2))&filter-crs={unknown}"
        assert problem(client, path, 400)["parameter"] == "filter-crs"


def test_filter_features_filter_get_conformance(client: TestClient) -> None:
    conforms(client, "features-filter")


def test_filter_features_filter_get_collections(client: TestClient) -> None:
    answer = client.get("/collections", headers={"accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert [one["id"] for one in answer.json()["collections"]] == list(LISTED)


def test_filter_features_filter_get_collection(client: TestClient) -> None:
    for collection in COLLECTIONS:
        told = client.get(f"/collections/{collection}").json()
        (link,) = [link for link in told["links"] if link["rel"] == QUERYABLES]
        assert link["href"] == f"http://testserver/collections/{collection}/queryables"
        assert link["type"] == "application/schema+json"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_filter_features_filter_mixing_expression(client: TestClient, collection: str) -> None:
    west, south, east, north = extent(client, collection)
    box = f"S_INTERSECTS(geometry,BBOX({west},{south},{east},{north}))"
    same = items(client, collection, filter=box, bbox=f"{west},{south},{east},{north}", **SHORT)
    assert ids(same) == placed(client, collection)
    outside = "-179,-89.5,-178,-89.4" if collection != "countries" else "-179,70.5,-178.9,70.6"
    assert ids(items(client, collection, filter=box, bbox=outside, **SHORT)) == []
    both = items(client, collection, filter="id > 'b'", bbox=f"{west},{south},{east},{north}", datetime="2025-01-01/..")
    assert set(ids(both)) <= set(ids(items(client, collection, filter="id > 'b'", **SHORT)))
    assert set(ids(both)) <= set(ids(items(client, collection, datetime="2025-01-01/..", **SHORT)))
