"""OGC API - Features: each claimed requirement that can be run is run, and what every answer must bear."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape
from starlette.testclient import TestClient

from api.settings import Settings
from layers.collections.property_types import property_types
from layers.snapshot.snapshot import Snapshot
from tests.api.conftest import Own
from tests.api.feature_client import COLLECTIONS, LISTED, Json, ids, items, links, pages, problem


@pytest.fixture(scope="module")
def whole(client: TestClient) -> dict[str, Json]:
    """All features of each collection."""
    return {name: items(client, name) for name in COLLECTIONS}


# Landing page, API definition, conformance (7.2 - 7.4).


def test_landing_page_leads_to_everything_by_links_that_answer(client: TestClient) -> None:
    told = client.get("/").json()
    assert {"self", "service-desc", "conformance", "data"} <= links(told).keys()
    for link in told["links"]:
        if link["rel"] == "license":
            assert link["href"] == Settings().licence
            continue
        answer = client.get(link["href"])
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == link["type"].split(";")[0]


def test_landing_page_is_a_page_for_a_browser_unless_it_asks_for_json(client: TestClient) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    sent = client.get("/", headers=browser, follow_redirects=False)
    assert (sent.status_code, sent.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert 'href="http://testserver/map"' in sent.text
    assert client.get("/?f=json", headers=browser, follow_redirects=False).json()["title"] == "StrikeAtlas"


def test_links_are_built_from_the_address_that_the_client_used(client: TestClient) -> None:
    told = client.get("/collections", headers={"host": "atlas.example:8443"}).json()
    found = [link for one in told["collections"] for link in one["links"] if link["rel"] != "license"]
    assert all(link["href"].startswith("http://atlas.example:8443/") for link in found)


def test_api_definition_names_every_route_and_the_limits(client: TestClient) -> None:
    told = client.get("/api").json()
    assert told["openapi"].startswith("3.0.")
    for path in ("", "/items", "/items/{feature}", "/queryables", "/sortables", "/schema"):
        assert {f"/collections/{name}{path}" for name in COLLECTIONS} <= told["paths"].keys()
    assert {"/", "/conformance", "/strikes/{strike}/attribution"} <= told["paths"].keys()
    assert not [path for path in told["paths"] if path.startswith("/collections/{")]
    limit = told["components"]["parameters"]["limit"]["schema"]
    assert (limit["minimum"], limit["default"], limit["maximum"]) == (1, 100, 10_000)
    assert '"null"' not in client.get("/api").text  # 3.1 only


# Collections (7.13, 7.14).


def test_collections_lists_each_with_its_items_and_extent(client: TestClient) -> None:
    told = client.get("/collections").json()
    assert links(told)["self"]["type"] == "application/json"
    assert tuple(one["id"] for one in told["collections"]) == LISTED
    for one in told["collections"]:
        assert client.get(f"/collections/{one['id']}").json() == one
        first = next(link for link in one["links"] if link["rel"] == "items")
        assert first["type"] == "application/geo+json"
        assert client.get(first["href"]).json()["type"] == "FeatureCollection"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_extent_holds_every_feature(client: TestClient, whole: dict[str, Json], collection: str) -> None:
    extent = client.get(f"/collections/{collection}").json()["extent"]
    west, south, east, north = extent["spatial"]["bbox"][0]
    for feature in whole[collection]["features"]:
        if feature["geometry"]:
            x1, y1, x2, y2 = shape(feature["geometry"]).bounds
            assert west - 1e-6 <= x1 <= x2 <= east + 1e-6
            assert south - 1e-6 <= y1 <= y2 <= north + 1e-6
    first, last = extent["temporal"]["interval"][0]
    days = [f["properties"].get("day_first") for f in whole[collection]["features"]]
    assert all(first[:10] <= day <= last[:10] for day in days if day)


def test_unknown_collection_is_404_wherever_it_is_named(client: TestClient) -> None:
    for path in ("", "/items", "/items/x"):
        problem(client, f"/collections/nothing{path}", 404)


# Items: bbox (7.15.3).


@pytest.mark.parametrize("box", [(28, 45, 33, 48), (-180, -90, 180, 90), (5, 5, 56, 61), (30, 46, 30, 46)])
def test_bbox_keeps_what_intersects_and_what_has_no_place(client: TestClient, snapshot: Snapshot, box: Any) -> None:
    found = set(ids(items(client, bbox=",".join(map(str, box)))))
    area = shapely.box(*box)
    strikes = snapshot.records.strikes.values()
    assert found == {s.id for s in strikes if s.geometry is None or s.geometry.intersects(area)}
    assert any(strike.geometry is None for strike in strikes)


def test_bbox_of_a_place_leaves_others_out(client: TestClient) -> None:
    with_place = [f for f in items(client, bbox="28,45,33,48")["features"] if f["geometry"]]
    assert 0 < len(with_place) < len([f for f in items(client)["features"] if f["geometry"]])
    assert all(28 <= f["geometry"]["coordinates"][0] <= 33 for f in with_place)


def test_bbox_with_heights_is_the_same_box(client: TestClient) -> None:
    assert ids(items(client, bbox="28,45,-10,33,48,9000")) == ids(items(client, bbox="28,45,33,48"))


def test_bbox_over_the_antimeridian_is_both_sides(client: TestClient) -> None:
    over = set(ids(items(client, "countries", bbox="170,-50,-170,-10")))
    east = set(ids(items(client, "countries", bbox="170,-50,180,-10")))
    west = set(ids(items(client, "countries", bbox="-180,-50,-170,-10")))
    assert over == east | west
    assert {"FJ", "NZ"} <= over
    assert "UA" not in over


@pytest.mark.parametrize(
    "bad", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "nan,0,1,1", "0,0,inf,1", "0,2,1,1", "181,0,182,1"]
)
def test_bbox_that_is_none_is_400_and_says_what_was_expected(client: TestClient, bad: str) -> None:
    told = problem(client, f"/collections/strikes/items?bbox={bad}", 400)
    assert told["parameter"] == "bbox"
    assert "west,south,east,north" in told["detail"]


# Items: datetime (7.15.4).


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2025-08-08", date(2025, 8, 8), date(2025, 8, 8)),
        ("2025-08-08T04:06:00Z", date(2025, 8, 8), date(2025, 8, 8)),
        ("2025-08-08T01:00:00+03:00", date(2025, 8, 7), date(2025, 8, 7)),
        ("2025-08-08T23:00:00-03:00", date(2025, 8, 9), date(2025, 8, 9)),
        ("2025-08-01/2025-08-31", date(2025, 8, 1), date(2025, 8, 31)),
        ("2025-08-01T00:00:00Z/2025-08-31T23:59:59Z", date(2025, 8, 1), date(2025, 8, 31)),
        ("2025-01-01/..", date(2025, 1, 1), date.max),
        ("2025-01-01/", date(2025, 1, 1), date.max),
        ("../2022-12-31", date.min, date(2022, 12, 31)),
        ("/2022-12-31", date.min, date(2022, 12, 31)),
        ("1900-01-01", date(1900, 1, 1), date(1900, 1, 1)),
    ],
)
def test_datetime_keeps_what_may_fall_inside(client: TestClient, text: str, first: date, last: date) -> None:
    every = items(client)["features"]
    may = [
        f["id"]
        for f in every
        if date.fromisoformat(f["properties"]["day_first"] or "0001-01-01") <= last
        and date.fromisoformat(f["properties"]["day_last"] or "9999-12-31") >= first
    ]
    assert ids(items(client, datetime=text)) == may
    assert len(may) < len(every)


def test_datetime_keeps_features_without_a_date(client: TestClient, whole: dict[str, Json]) -> None:
    """/req/core/fc-time-response C: assets and countries have none."""
    for collection in ("assets", "countries"):
        told = items(client, collection, datetime="1900-01-01", limit=1)
        assert told["numberMatched"] == whole[collection]["numberMatched"] > 0


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "..",
        "../..",
        "/",
        "2025",
        "2025-13-01",
        "2025-02-30",
        "08/08/2025",
        "2025-08-08/2025-08-01",
        "2025-01-01/2025-02-01/2025-03-01",
        "now",
    ],
)
def test_datetime_that_is_none_is_400(client: TestClient, bad: str) -> None:
    assert problem(client, f"/collections/strikes/items?datetime={bad}", 400)["parameter"] == "datetime"


# Items: limit, paging, counts (7.15.2, 7.15.5 - 7.15.8).


def test_limit_has_a_default_and_more_than_the_maximum_is_cut(own: Own) -> None:
    asked = {"": 3, "?limit=5": 5, "?limit=8": 7, "?limit=2147483648": 7}
    for query, returned in asked.items():
        assert len(own.client.get(f"/collections/strikes/items{query}").json()["features"]) == returned
    limit = own.client.get("/api").json()["components"]["parameters"]["limit"]["schema"]
    assert (limit["default"], limit["maximum"]) == (3, 7)


@pytest.mark.parametrize("bad", ["0", "-1", "x", "1.5", "", "1e3", "9" * 30])
def test_limit_that_is_none_is_400(client: TestClient, bad: str) -> None:
    assert problem(client, f"/collections/strikes/items?limit={bad}", 400)["parameter"] == "limit"


def test_each_feature_comes_exactly_once_whatever_the_limit(client: TestClient, whole: dict[str, Json]) -> None:
    @settings(max_examples=12, deadline=None)
    @given(
        limit=st.integers(9, 400),
        name=st.sampled_from(["strikes", "attributions", "hits"]),
        f=st.sampled_from(["", "&f=json"]),
    )
    def follow(limit: int, name: str, f: str) -> None:
        found = list(pages(client, f"/collections/{name}/items?limit={limit}{f}"))
        assert [key for page in found for key in ids(page)] == ids(whole[name])
        assert all(page["numberReturned"] == len(page["features"]) <= limit for page in found)
        assert {page["numberMatched"] for page in found} == {len(whole[name]["features"])}

    follow()


def test_paging_keeps_the_filters_and_goes_back(client: TestClient) -> None:
    query = "bbox=22,44,60,62&datetime=2025-01-01/.."
    whole = ids(client.get(f"/collections/strikes/items?limit=1000&{query}").json())
    found = list(pages(client, f"/collections/strikes/items?limit=4&{query}"))
    assert [key for page in found for key in ids(page)] == whole
    assert len(found) > 2
    assert "prev" not in links(found[0])
    assert ids(client.get(links(found[2])["prev"]["href"]).json()) == ids(found[1])
    assert client.get(links(found[1])["self"]["href"]).json()["features"] == found[1]["features"]


def test_an_offset_past_the_end_is_an_empty_page(client: TestClient) -> None:
    told = items(client, offset=100_000)
    assert (told["features"], told["numberReturned"]) == ([], 0)
    assert told["numberMatched"] > 0
    assert "next" not in links(told)


def test_items_are_geojson_with_typed_links_and_a_time(client: TestClient) -> None:
    answer = client.get("/collections/strikes/items?limit=2")
    assert answer.headers["content-type"] == "application/geo+json"
    told = answer.json()
    assert told["timeStamp"].endswith("Z")
    assert all(link["type"] for link in told["links"])
    for feature in told["features"]:
        assert feature["type"] == "Feature"
        assert {"id", "geometry", "properties"} <= feature.keys()


# One item (7.16).


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_each_item_is_found_by_its_id(client: TestClient, whole: dict[str, Json], collection: str) -> None:
    for feature in whole[collection]["features"][::40]:
        told = client.get(f"/collections/{collection}/items/{feature['id']}").json()
        assert {"self", "collection"} <= links(told).keys()
        assert client.get(links(told)["self"]["href"]).json() == told
        assert {name: told[name] for name in feature} == feature


@pytest.mark.parametrize("path", ["nothing", "", "a/b", "x" * 3000])
def test_unknown_item_is_404(client: TestClient, path: str) -> None:
    problem(client, f"/collections/strikes/items/{path}", 404)


# Parameters (7.8: query-param-unknown, query-param-invalid).


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/conformance", "/collections", "/collections/strikes", "/collections/strikes/items", "/about",
     "/collections/countries/items/UA", "/countries/UA", "/records/entities/bp", "/schemas/strikes"],
)  # fmt: skip
def test_a_parameter_that_the_definition_does_not_name_is_400(client: TestClient, path: str) -> None:
    assert client.get(f"{path}?f=json").status_code == 200
    assert problem(client, f"{path}?lmit=5", 400)["parameter"] == "lmit"
    assert problem(client, f"{path}?f=xml", 400)["parameter"] == "f"


@pytest.mark.parametrize("name", ["strikes", "assets", "attributions", "hits", "countries"])
def test_the_first_ten_features_and_a_short_last_page_show_the_type_of_each_column(
    client: TestClient, snapshot: Snapshot, name: str
) -> None:
    """As many as QGIS reads to know the types of all."""
    every = client.get(f"/collections/{name}/items?limit=10000").json()["features"]
    head = client.get(f"/collections/{name}/items?limit=10").json()["features"]
    assert [one["id"] for one in head] == [one["id"] for one in every[:10]]
    types = property_types(snapshot.collections[name].model)
    for column, kind in types.items():
        values = {one["properties"][column] for one in every} if kind not in ("list", "text") else set()
        shown = {one["properties"][column] for one in head} if values else set()
        assert (shown - {None} == set()) is (values - {None} == set()), column
        if kind == "edtf":
            for page in (head, every[-1:]):
                assert any(len(one["properties"][column]) != 10 for one in page)
    assert any(one["geometry"] for one in head)


def test_features_come_once_whatever_shows_the_types(client: TestClient) -> None:
    every = client.get("/collections/hits/items?limit=10000&sortby=-when").json()["features"]
    by_cursor, at = list[str](), "/collections/hits/items?limit=700"
    while at:
        page = client.get(at).json()
        by_cursor += [one["id"] for one in page["features"]]
        at = next((one["href"] for one in page["links"] if one["rel"] == "next"), "")
    offsets = (client.get(f"/collections/hits/items?limit=700&offset={start}").json() for start in (0, 700, 1400))
    by_offset = [one["id"] for page in offsets for one in page["features"]]
    assert by_cursor == by_offset
    assert sorted(by_cursor) == sorted(one["id"] for one in every)
    assert by_cursor != [one["id"] for one in every]


def test_no_part_of_an_answer_is_promised(client: TestClient) -> None:
    answer = client.get("/collections/strikes/items?f=parquet", headers={"range": "bytes=0-3"})
    assert (answer.status_code, answer.headers["accept-ranges"]) == (200, "none")
