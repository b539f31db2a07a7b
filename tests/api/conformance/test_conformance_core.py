"""OGC API - Features part 1 (17-069r4), annex A, and Common part 1, annex A: a test for each abstract test.

What is claimed, and by which test each abstract test is proved, is in abstract_tests.md beside this module.
"""

from __future__ import annotations

import importlib
import re
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import shapely
from openapi_spec_validator import validate
from shapely.geometry import shape
from starlette.testclient import TestClient

from api.requests.parameters import DATETIME_PATTERN
from layers.snapshot.snapshot import Snapshot
from tests.api.conftest import Own
from tests.api.feature_client import COLLECTIONS, Json, ids, items, links, problem

ROOT = Path(__file__).resolve().parents[3]
ABSTRACT_TESTS = Path(__file__).with_name("abstract_tests.md")
FILES = ("core", "crs", "filter", "cql2", "schemas", "transactions", "jsonfg", "tiles", "styles", "html", "oas30")
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
ITEMS = "/collections/strikes/items"
#: Other forms of features than GeoJSON and pages.
TABLES = (
    "application/geo+json-seq", "text/csv", "text/csv;charset=utf-8", "application/csvm+json",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/flatgeobuf",
    "application/geopackage+sqlite3", "application/vnd.apache.parquet", "application/vnd.apache.arrow.file",
    "application/vnd.google-earth.kml+xml",
)  # fmt: skip
ONE = f"{ITEMS}/ua-orlivka-2025-08-06"


def claimed(client: TestClient) -> list[str]:
    told: list[str] = client.get("/conformance").json()["conformsTo"]
    return told


def parameters(client: TestClient, path: str) -> dict[str, Json]:
    told = client.get("/api").json()
    shared = told["components"]["parameters"]
    parts = told["paths"][path]["get"]["parameters"]
    found = [shared[part["$ref"].rpartition("/")[2]] if "$ref" in part else part for part in parts]
    return {part["name"]: part for part in found}


# The page of what is claimed.


def test_every_class_is_claimed_on_the_page_with_a_test_for_each_of_its_abstract_tests(client: TestClient) -> None:
    page = ABSTRACT_TESTS.read_text(encoding="utf-8")
    assert re.findall(r"^### `(http\S+)`", page, re.MULTILINE) == claimed(client)
    there = {
        name
        for part in FILES
        for name in dir(importlib.import_module(f"tests.api.conformance.test_conformance_{part}"))
        if name.startswith("test_")
    }
    for section in page.split("\n### ")[1:]:
        rows = re.findall(r"^\| `(/\S+)` \| (.+?) \|$", section, re.MULTILINE)
        assert rows, section[:80]
        for abstract, told in rows:
            named = re.findall(r"`(test_\w+)`", told)
            assert named or told.startswith("not run:"), abstract
            assert set(named) <= there, abstract


def test_the_page_lists_every_class_that_is_claimed(client: TestClient) -> None:
    page = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [A-Z][^|]* \| `(\S+)` \| (.*) \|$", page, re.MULTILINE)
    listed = [(part, name) for part, names in rows for name in re.findall(r"`(\S+?)`", names)]
    assert [f"http://www.opengis.net/spec/{part}/conf/{name}" for part, name in listed] == claimed(client)


def test_no_test_of_conformance_is_left_off_the_page() -> None:
    page = ABSTRACT_TESTS.read_text(encoding="utf-8")
    for part in FILES:
        for name in dir(importlib.import_module(f"tests.api.conformance.test_conformance_{part}")):
            if name.startswith(("test_core_", "test_crs_", "test_geojson_", f"test_{part}_")):
                assert f"`{name}`" in page, name


# Common part 1: core.


def test_common_core_query_param_name_unknown(client: TestClient) -> None:
    for path in ("/", "/api", "/conformance", "/collections", "/collections/strikes", ITEMS, ONE):
        assert problem(client, f"{path}?bboxx=1", 400)["parameter"] == "bboxx"


def test_common_core_query_param_value_invalid(client: TestClient) -> None:
    for query in ("limit=x", "bbox=x", "datetime=x", "f=x", "crs=x", "skipGeometry=x", "n_sources=x", "filter=="):
        assert problem(client, f"{ITEMS}?{query}", 400)["parameter"] == query.partition("=")[0]


def test_common_core_query_param_capitalization(client: TestClient) -> None:
    for query in ("limit=3", "bbox=1,1,2,2", "skipGeometry=true", "datetime=2025-01-01", "status=verified"):
        assert client.get(f"{ITEMS}?{query}").status_code == 200
        name, _, value = query.partition("=")
        assert problem(client, f"{ITEMS}?{name.swapcase()}={value}", 400)["parameter"] == name.swapcase()


def test_common_core_query_param_list_delimiter(client: TestClient) -> None:
    assert list(items(client, properties="title,when")["features"][0]["properties"]) == ["title", "when"]
    for query in ("bbox=1;1;2;2", "properties=title;when", "sortby=title;when"):
        problem(client, f"{ITEMS}?{query}", 400)


def test_common_core_query_param_list_escape(client: TestClient) -> None:
    for query in ("bbox=28%2C45%2C33%2C48", "bbox=28,45,33,48"):
        assert (
            client.get(f"{ITEMS}?{query}").json()["numberMatched"] == items(client, bbox="28,45,33,48")["numberMatched"]
        )


def test_common_core_query_param_list_empty(client: TestClient) -> None:
    assert items(client, properties="")["features"][0]["properties"] == {}
    assert items(client, assets="")["numberMatched"] == items(client)["numberMatched"]
    assert problem(client, f"{ITEMS}?bbox=", 400)["parameter"] == "bbox"  # an empty list is no box


def test_common_core_query_param_value_boolean(client: TestClient) -> None:
    assert {one["geometry"] for one in items(client, skipGeometry="true")["features"]} == {None}
    assert items(client, skipGeometry="false")["features"] == items(client)["features"]
    for value in ("TRUE", "1", "yes", ""):
        problem(client, f"{ITEMS}?skipGeometry={value}", 400)


def test_common_core_query_param_value_integer(client: TestClient) -> None:
    told = items(client, n_sources=2)["features"]
    assert told
    assert {one["properties"]["n_sources"] for one in told} == {2}
    for value in ("2.0", "2e0", "two", "%202"):
        problem(client, f"{ITEMS}?n_sources={value}", 400)


def test_common_core_query_param_value_decimal(client: TestClient) -> None:
    for value in ("500", "500.0", "5e2", "500.000"):
        assert ids(items(client, uncertainty_m=value)) == ids(items(client, uncertainty_m=500))
    problem(client, f"{ITEMS}?uncertainty_m=500,0", 400)


def test_common_core_query_param_value_double(client: TestClient) -> None:
    assert items(client, uncertainty_m="1.5e15")["numberMatched"] == 0
    for value in ("1e300", "1e400", "nan", "inf", "-inf"):
        problem(client, f"{ITEMS}?uncertainty_m={value}", 400)


# General (A.2.1).


def test_core_http(client: TestClient) -> None:
    for path in ("/", "/api", "/conformance", "/collections", "/collections/strikes", ITEMS, ONE):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_core_crs84(client: TestClient, snapshot: Snapshot, collection: str) -> None:
    shapes = dict(
        zip(snapshot.collections[collection].rows_by_id, snapshot.collections[collection].shapes, strict=True)
    )
    for feature in items(client, collection)["features"]:
        if feature["geometry"] is None:
            assert shapes[feature["id"]] is None
        else:
            told, known = shape(feature["geometry"]).bounds, shapes[feature["id"]].bounds
            assert told == pytest.approx(known, abs=1e-6)


# Landing page, API definition, conformance (A.2.2 to A.2.4).


def test_core_root_op(client: TestClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def test_core_root_success(client: TestClient) -> None:
    told = client.get("/").json()
    assert {"title", "description", "links"} <= told.keys()
    assert {"service-desc", "conformance", "data", "self", "alternate"} <= links(told).keys()
    assert all(link.keys() >= {"href", "rel", "type"} for link in told["links"])


def test_core_api_definition_op(client: TestClient) -> None:
    link = links(client.get("/").json())["service-desc"]
    answer = client.get(link["href"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == link["type"] == "application/vnd.oai.openapi+json;version=3.0"


def test_core_api_definition_success(client: TestClient) -> None:
    told = client.get("/api").json()
    validate(told)
    assert not [ref for ref in re.findall(r'"\$ref":"([^"]+)"', client.get("/api").text) if not ref.startswith("#/")]


def test_core_conformance_op(client: TestClient) -> None:
    address = links(client.get("/").json())["conformance"]["href"]
    assert client.get(address).status_code == 200
    assert client.get(address).json() == client.get("/conformance").json()


def test_core_conformance_success(client: TestClient) -> None:
    told = claimed(client)
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in told
    assert len(told) == len(set(told))
    assert all(re.fullmatch(r"http://www\.opengis\.net/spec/[\w-]+/1\.0/conf/[\w-]+", one) for one in told)


# Collections (A.2.5, A.2.6).


def test_core_fc_md_op(client: TestClient) -> None:
    assert client.get("/collections").status_code == 200


def test_core_fc_md_success(client: TestClient) -> None:
    told = client.get("/collections").json()
    assert {"links", "collections"} <= told.keys()
    assert all(one["crs"][0] == CRS84 for one in told["collections"])


def test_core_fc_md_links(client: TestClient) -> None:
    told = client.get("/collections").json()
    assert {link["rel"]: link["type"] for link in told["links"]} == {
        "self": "application/json",
        "alternate": "text/html",
        "license": "text/html",
    }


def test_core_fc_md_items(client: TestClient, snapshot: Snapshot) -> None:
    told = client.get("/collections").json()["collections"]
    assert [one["id"] for one in told] == list(snapshot.collections)
    for one in told:
        assert {"id", "title", "description", "links", "extent", "itemType", "crs"} <= one.keys()


def test_core_fc_md_items_links(client: TestClient) -> None:
    for one in client.get("/collections").json()["collections"]:
        found = [link for link in one["links"] if link["rel"] == "items"]
        assert {link["type"] for link in found} == {"application/geo+json", "text/html", *TABLES}
        for link in found:
            answer = client.get(link["href"])
            assert answer.headers["content-type"].partition(";")[0] == link["type"].partition(";")[0]
        assert all(link.keys() >= {"href", "rel", "type"} for link in one["links"])


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_core_fc_md_extent(client: TestClient, collection: str) -> None:
    extent = client.get(f"/collections/{collection}").json()["extent"]
    west, south, east, north = extent["spatial"]["bbox"][0]
    first, last = extent["temporal"]["interval"][0]
    for feature in items(client, collection)["features"]:
        if feature["geometry"]:
            x1, y1, x2, y2 = shape(feature["geometry"]).bounds
            assert west - 1e-6 <= x1 <= x2 <= east + 1e-6
            assert south - 1e-6 <= y1 <= y2 <= north + 1e-6
        for day in (feature["properties"].get("day_first"), feature["properties"].get("day_last")):
            assert day is None or first[:10] <= day <= last[:10]


def test_core_fc_md_extent_multi(client: TestClient) -> None:
    for one in client.get("/collections").json()["collections"]:
        is_empty = one["id"] == "asset-areas"  # of the bundled records
        assert len(one["extent"].get("spatial", {"bbox": []})["bbox"]) == (not is_empty)
        assert len(one["extent"]["temporal"]["interval"]) == 1


def test_core_sfc_md_op(client: TestClient) -> None:
    for collection in COLLECTIONS:
        assert client.get(f"/collections/{collection}").status_code == 200


def test_core_sfc_md_success(client: TestClient) -> None:
    for one in client.get("/collections").json()["collections"]:
        assert client.get(f"/collections/{one['id']}").json() == one


# Features (A.2.7).


def test_core_fc_op(client: TestClient, snapshot: Snapshot) -> None:
    for collection in COLLECTIONS:
        assert client.get(f"/collections/{collection}/items").status_code == 200
    box, days = "22,44,60,62", "2025-01-01/2025-06-30"
    both = ids(items(client, bbox=box, datetime=days))
    assert both == [key for key in ids(items(client, bbox=box)) if key in set(ids(items(client, datetime=days)))]
    assert 0 < len(both) < len(snapshot.records.strikes)


def test_core_fc_bbox_definition(client: TestClient) -> None:
    for collection in COLLECTIONS:
        told = parameters(client, f"/collections/{collection}/items")["bbox"]
        assert (told["in"], told["required"], told["style"], told["explode"]) == ("query", False, "form", False)
        assert told["schema"] == {
            "type": "array",
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
            "items": {"type": "number"},
        }


BOXES = ((28, 45, 33, 48), (-180, -90, 180, 90), (5, 5, 56, 61), (30, 46, 30, 46), (170, -60, -170, 60))
SHORT = {"skipGeometry": "true", "properties": ""}


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("box", BOXES)
def test_core_fc_bbox_response(client: TestClient, snapshot: Snapshot, collection: str, box: Any) -> None:
    layer = snapshot.collections[collection]
    west, south, east, north = box
    parts = [box] if west <= east else [(west, south, 180, north), (-180, south, east, north)]
    area = shapely.union_all([shapely.box(*part) for part in parts])
    expected = {f.id for f, s in zip(layer.features, layer.shapes, strict=True) if s is None or s.intersects(area)}
    for text in (",".join(map(str, box)), f"{west},{south},-9,{east},{north},9000"):
        assert set(ids(items(client, collection, bbox=text, **SHORT))) == expected


def test_core_fc_limit_definition(client: TestClient) -> None:
    told = parameters(client, ITEMS)["limit"]
    assert (told["in"], told["required"], told["style"], told["explode"]) == ("query", False, "form", False)
    assert told["schema"]["type"] == "integer"
    assert client.get("/api").json()["components"]["parameters"]["limit"] == told


def test_core_fc_limit_response(own: Own) -> None:
    limit = parameters(own.client, ITEMS)["limit"]["schema"]
    assert (limit["default"], limit["maximum"]) == (3, 7)
    for query, most in {"": 3, "?limit=2": 2, "?limit=7": 7, "?limit=100": 7}.items():
        assert len(own.client.get(f"{ITEMS}{query}").json()["features"]) == most


def test_core_fc_time_definition(client: TestClient) -> None:
    told = parameters(client, ITEMS)["datetime"]
    assert (told["in"], told["required"], told["style"], told["explode"]) == ("query", False, "form", False)
    # The standard asks for a string; which strings, as 7.15.4 has them, is more than it asks for.
    assert told["schema"] == {"type": "string", "pattern": DATETIME_PATTERN}


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2025-08-06T00:00:00Z", date(2025, 8, 6), date(2025, 8, 6)),
        ("2025-08-06", date(2025, 8, 6), date(2025, 8, 6)),
        ("2025-01-01T00:00:00Z/2025-06-30T00:00:00Z", date(2025, 1, 1), date(2025, 6, 30)),
        ("../2025-01-01T00:00:00Z", date.min, date(2025, 1, 1)),
        ("/2025-01-01T00:00:00Z", date.min, date(2025, 1, 1)),
        ("2025-01-01T00:00:00Z/..", date(2025, 1, 1), date.max),
        ("2025-01-01T00:00:00Z/", date(2025, 1, 1), date.max),
    ],
)
def test_core_fc_time_response(client: TestClient, collection: str, text: str, first: date, last: date) -> None:
    every = items(client, collection, skipGeometry="true")["features"]
    may = [
        one["id"]
        for one in every
        if date.fromisoformat(one["properties"].get("day_first") or "0001-01-01") <= last
        and date.fromisoformat(one["properties"].get("day_last") or "9999-12-31") >= first
    ]
    assert ids(items(client, collection, datetime=text, skipGeometry="true")) == may


def test_core_query_param_invalid(client: TestClient) -> None:
    for query in ("limit=0", "bbox=1,2,3", "datetime=2025", "crs=EPSG:999999", "filter=", "sortby=x"):
        problem(client, f"{ITEMS}?{query}", 400)


def test_core_query_param_unknown(client: TestClient) -> None:
    for path in (ITEMS, ONE, "/collections", "/collections/strikes/queryables"):
        problem(client, f"{path}?nothing=1", 400)


def test_core_fc_response(client: TestClient) -> None:
    told = items(client, limit=5)
    assert told["type"] == "FeatureCollection"
    assert len(told["features"]) == 5
    assert {"links", "timeStamp", "numberMatched", "numberReturned"} <= told.keys()
    for one in told["features"]:
        assert one["type"] == "Feature"
        assert {"id", "geometry", "properties"} <= one.keys()


def test_core_fc_links(client: TestClient) -> None:
    told = items(client, limit=5)["links"]
    assert [link["type"] for link in told if link["rel"] == "self"] == ["application/geo+json"]
    alternates = {link["type"] for link in told if link["rel"] == "alternate"}
    assert alternates == {"application/geo+json", "text/html", *TABLES}
    assert all(link.keys() >= {"href", "rel", "type"} for link in told)
    for link in told:
        if link["rel"] in ("self", "alternate", "next", "collection"):
            assert client.get(link["href"]).status_code == 200


def test_core_fc_timestamp(client: TestClient, snapshot: Snapshot) -> None:
    """The answer is that of a version of the data, which was generated when it was last changed."""
    stamp = datetime.fromisoformat(items(client, limit=1)["timeStamp"])
    assert stamp.tzinfo == UTC
    assert stamp <= datetime.now(UTC)


def test_core_fc_numbermatched(client: TestClient) -> None:
    for query, limit in product(({}, {"bbox": "28,45,33,48"}, {"status": "verified"}), (1, 10_000)):
        told = items(client, **{"limit": limit, **query})
        assert told["numberMatched"] == len(items(client, **query)["features"])


def test_core_fc_numberreturned(client: TestClient) -> None:
    for limit in (1, 7, 10_000):
        told = items(client, limit=limit)
        assert told["numberReturned"] == len(told["features"])


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_core_f_op(client: TestClient, collection: str) -> None:
    for feature in items(client, collection, skipGeometry="true")["features"][::40]:
        assert client.get(f"/collections/{collection}/items/{feature['id']}").status_code == 200


def test_core_f_success(client: TestClient) -> None:
    told = client.get(ONE).json()
    assert (told["type"], told["id"]) == ("Feature", "ua-orlivka-2025-08-06")
    (among,) = items(client, id="ua-orlivka-2025-08-06")["features"]
    assert {name: told[name] for name in among} == among


def test_core_f_links(client: TestClient) -> None:
    told = client.get(ONE).json()["links"]
    assert [link["type"] for link in told if link["rel"] == "self"] == ["application/geo+json"]
    assert {link["type"] for link in told if link["rel"] == "alternate"} == {"application/geo+json", "text/html"}
    assert [client.get(link["href"]).json()["id"] for link in told if link["rel"] == "collection"] == ["strikes"]
    assert all(link.keys() >= {"href", "rel", "type"} for link in told)


# GeoJSON (A.4).


def test_geojson_definition(client: TestClient) -> None:
    asked = {"accept": "application/geo+json"}
    for path in (ITEMS, ONE):
        assert client.get(path, headers=asked).headers["content-type"] == "application/geo+json"
    for path in ("/", "/conformance", "/collections", "/collections/strikes"):
        assert client.get(path, headers={"accept": "application/json"}).headers["content-type"] == "application/json"


def test_geojson_content(client: TestClient) -> None:
    for collection in COLLECTIONS:
        told = items(client, collection, bbox="22,44,42,53")
        assert told["type"] == "FeatureCollection"
        for feature in told["features"]:
            assert feature["type"] == "Feature"
            assert isinstance(feature["properties"], dict)
            assert feature["geometry"] is None or shape(feature["geometry"]).is_valid
        first = told["features"][0]["id"]
        assert client.get(f"/collections/{collection}/items/{first}").json()["id"] == first
