"""The FeatureServer: what it says of itself, what it selects and how it tells it, and what it refuses."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.esri.layers import LAYERS
from api.esri.query import parse_where
from api.settings import Settings
from layers.collections.feature_types import AssetFeature, StrikeFeature
from layers.query.cql2_text import FilterError
from layers.snapshot.snapshot import Snapshot
from tests.api.conftest import Own
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore

Json = dict[str, Any]

ROOT = "/rest/services/strikeatlas/FeatureServer"
#: Tokens that questions are made of: some fit each other, most do not.
PIECES = (
    "kind", "OBJECTID", "'a'", "'it''s'", "1", "-2.5", "=", "<>", "LIKE", "IN", "IS NULL", "AND", "OR", "NOT", "(", ")",
    ",", "DATE '2025-08-06'", "TIMESTAMP '2025-08-06 04:06:00'", "DATE 'x'", "UPPER(", "'", "\\", "\0", ";", "--",
)  # fmt: skip


def ask(client: TestClient, layer: int = 0, **params: object) -> Json:
    """Ask a layer by GET, and by POST, which must be answered the same."""
    given = {"f": "json", **params}
    got = client.get(f"{ROOT}/{layer}/query", params=given)  # type: ignore[arg-type]
    posted = client.post(f"{ROOT}/{layer}/query", data=given)
    assert (got.status_code, got.content) == (200, posted.content), got.text
    told: Json = got.json()
    return told


def ids(client: TestClient, layer: int = 0, **params: object) -> set[str]:
    """Ids of the features that a question selects."""
    told = ask(client, layer, outFields="id", returnGeometry="false", **params)
    return {one["attributes"]["id"] for one in told["features"]}


def refused(client: TestClient, layer: int | str = 0, status: int = 400, **params: object) -> Json:
    """Why a question is refused: in the body as ArcGIS reads it, and as the status."""
    answer = client.get(f"{ROOT}/{layer}/query", params=params)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    error: Json = answer.json()["error"]
    assert error.keys() == {"code", "message", "details"}
    assert error["code"] == status
    assert isinstance(error["details"], list)
    return error


def strikes(snapshot: Snapshot, keep: Callable[[StrikeFeature], bool | None]) -> set[str]:
    found: Any = snapshot.collections["strikes"].features
    return {one.id for one in found if keep(one)}


def milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


# What it says of itself.


def test_the_service_lists_layers_that_describe_themselves(client: TestClient) -> None:
    root = client.get(ROOT, params={"f": "json"}).json()
    assert (root["capabilities"], root["tables"]) == ("Query", [])
    assert root["spatialReference"]["wkid"] == 4326
    listed = {layer["id"]: layer for layer in root["layers"]}
    assert {"Strikes", "Assets (points)", "Assets (lines)", "Countries"} <= {one["name"] for one in listed.values()}
    together = client.get(f"{ROOT}/layers").json()["layers"]
    assert [layer["id"] for layer in together] == list(listed)
    for told in together:
        assert client.get(f"{ROOT}/{told['id']}").json() == told
        assert listed[told["id"]].items() <= told.items()
        assert told["fields"][0]["name"] == told["objectIdField"] == told["uniqueIdField"]["name"] == "OBJECTID"
        assert told["displayField"] in {field["name"] for field in told["fields"]}
        assert told["extent"]["xmin"] <= told["extent"]["xmax"]
        assert told["drawingInfo"]["renderer"]["type"] == ("uniqueValue" if told["id"] in (0, 2, 4, 7) else "simple")
        assert told["advancedQueryCapabilities"]["supportsPagination"]
        assert told["advancedQueryCapabilities"]["supportsOrderBy"]


def test_numbers_of_layers_do_not_change() -> None:
    assert [layer.id for layer in LAYERS] == list(range(len(LAYERS)))
    assert [layer.collection for layer in LAYERS] == [
        "strikes", "assets", "assets", "assets", "attributions", "countries", "assets", "hits",
    ]  # fmt: skip


def test_fields_have_types_and_time(client: TestClient, snapshot: Snapshot) -> None:
    told = client.get(f"{ROOT}/0").json()
    types = {field["name"]: field["type"] for field in told["fields"]}
    assert types["OBJECTID"] == "esriFieldTypeOID"
    assert types["title"] == types["owner_countries"] == "esriFieldTypeString"
    assert types["n_sources"] == "esriFieldTypeInteger"
    assert types["uncertainty_m"] == "esriFieldTypeDouble"
    assert types["day_first"] == "esriFieldTypeDate"
    days = snapshot.collections["strikes"].days
    assert days is not None
    assert told["timeInfo"]["timeExtent"] == [milliseconds(day) for day in days]
    assert "timeInfo" not in client.get(f"{ROOT}/1").json()
    longest = max(len(one.damage or "") for one in snapshot.collections["strikes"].features)  # type: ignore[attr-defined]
    assert next(field for field in told["fields"] if field["name"] == "damage")["length"] >= longest


def test_every_answer_fits_its_fields(client: TestClient) -> None:
    python: dict[str, type | tuple[type, ...]] = {
        "esriFieldTypeOID": int,
        "esriFieldTypeString": str,
        "esriFieldTypeInteger": int,
        "esriFieldTypeDouble": (int, float),
        "esriFieldTypeDate": int,
    }
    for layer in LAYERS:
        told = ask(client, layer.id, where="1=1", outFields="*")
        for one in told["features"]:
            assert list(one["attributes"]) == [field["name"] for field in told["fields"]]
            for field in told["fields"]:
                value = one["attributes"][field["name"]]
                assert value is None or (type(value) is not bool and isinstance(value, python[field["type"]]))


def test_what_clients_look_for_first_is_there(client: TestClient) -> None:
    assert client.get("/rest/info?f=json").json()["authInfo"] == {"isTokenBasedSecurity": False}
    assert client.get("/rest/services?f=json").json()["services"] == [{"name": "strikeatlas", "type": "FeatureServer"}]
    assert client.get(f"{ROOT}?f=pjson").text.count("\n") > 20


# Which features.


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("", lambda one: True),
        ("1=1", lambda one: True),
        ("1=0", lambda one: False),
        ("kind = 'refinery'", lambda one: one.kind == "refinery"),
        ("KIND <> 'refinery'", lambda one: one.kind is not None and one.kind != "refinery"),
        ("kind IN ('refinery', 'oil-depot')", lambda one: one.kind in ("refinery", "oil-depot")),
        ("title LIKE '%Odesa%'", lambda one: "Odesa" in one.title),
        ("UPPER(title) LIKE '%ODESA%'", lambda one: "odesa" in one.title.lower()),
        ("owner_countries LIKE '%AZ%'", lambda one: "AZ" in one.owner_countries),
        ("host_country IS NULL", lambda one: one.host_country is None),
        ("host_country IS NOT NULL AND n_sources >= 2", lambda one: one.host_country and one.n_sources >= 2),
        ("NOT (n_sources BETWEEN 1 AND 2)", lambda one: not 1 <= one.n_sources <= 2),
        ("day_first >= DATE '2025-08-06'", lambda one: one.day_first and one.day_first >= date(2025, 8, 6)),
        (
            "day_first < TIMESTAMP '2025-08-06 00:00:00'",
            lambda one: one.day_first and one.day_first < date(2025, 8, 6),
        ),
        ("title = 'DATE ''2025-08-06'''", lambda one: False),
    ],
)
def test_where_selects_what_it_says(
    client: TestClient, snapshot: Snapshot, text: str, keep: Callable[[StrikeFeature], bool | None]
) -> None:
    expected = strikes(snapshot, keep)
    assert ids(client, where=text) == expected
    assert ask(client, where=text, returnCountOnly="true") == {"count": len(expected)}
    if "0" not in text and "''" not in text:
        assert expected


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a = 'C:\\temp'", {"op": "=", "args": [{"property": "a"}, "C:\\temp"]}),
        ("\"DATE '2025-01-01'\" = 1", {"op": "=", "args": [{"property": "DATE '2025-01-01'"}, 1]}),
        ("A=date'2025-01-01'", {"op": "=", "args": [{"property": "a"}, {"date": "2025-01-01"}]}),
        (
            "a = TIMESTAMP '2025-01-01 10:00:00'",
            {"op": "=", "args": [{"property": "a"}, {"timestamp": "2025-01-01T10:00:00Z"}]},
        ),
    ],
)
def test_sql_is_read_as_sql(text: str, tree: Json) -> None:
    assert parse_where(text, ["a"]) == tree


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FilterError):
        parse_where(text, ["kind", "OBJECTID"])


@pytest.mark.parametrize("text", ["(" * 5000, "NOT " * 5000 + "1=1", "a=1" + " OR a=1" * 5000])
def test_a_where_too_deep_or_long_is_refused(client: TestClient, text: str) -> None:
    answer = client.post(f"{ROOT}/0/query", data={"where": text})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)


def test_object_ids_are_the_rows_and_can_be_asked_for(client: TestClient, snapshot: Snapshot) -> None:
    features = snapshot.collections["strikes"].features
    told = ask(client, where="1=1", returnIdsOnly="true", resultRecordCount=1)
    assert told == {"objectIdFieldName": "OBJECTID", "objectIds": list(range(1, len(features) + 1))}
    assert ids(client, objectIds="3,1,3,999999") == {features[0].id, features[2].id}
    assert ids(client, where="OBJECTID BETWEEN 2 AND 3") == {features[1].id, features[2].id}
    assert ids(client, objectIds="1,2", where="OBJECTID > 1") == {features[1].id}


MERCATOR = {"xmin": 3117000, "ymin": 5621500, "xmax": 3674000, "ymax": 6106900}


@pytest.mark.parametrize(
    ("params", "shape"),
    [
        ({"geometry": "28,45,33,48"}, shapely.box(28, 45, 33, 48)),
        (
            {"geometry": json.dumps({"xmin": 28, "ymin": 45, "xmax": 33, "ymax": 48}), "inSR": "4326"},
            shapely.box(28, 45, 33, 48),
        ),
        (
            {"geometry": json.dumps({**MERCATOR, "spatialReference": {"wkid": 102100, "latestWkid": 3857}})},
            shapely.box(28.0003, 45.0008, 33.0038, 47.9998),
        ),
        (
            {
                "geometry": json.dumps({"rings": [[[28, 45], [28, 48], [33, 48], [33, 45], [28, 45]]]}),
                "geometryType": "esriGeometryPolygon",
                "spatialRel": "esriSpatialRelContains",
            },
            shapely.box(28, 45, 33, 48),
        ),
        (
            {
                "geometry": json.dumps(
                    {
                        "rings": [
                            [[28, 45], [28, 48], [33, 48], [33, 45], [28, 45]],
                            [[30, 46], [31, 46], [31, 47], [30, 47], [30, 46]],
                        ]
                    }
                ),
                "geometryType": "esriGeometryPolygon",
            },
            shapely.difference(shapely.box(28, 45, 33, 48), shapely.box(30, 46, 31, 47)),
        ),
        ({"geometry": "-220,-100,220,100"}, shapely.box(-180, -90, 180, 90)),
    ],
)
def test_geometries_select_what_lies_in_them(client: TestClient, snapshot: Snapshot, params: Json, shape: Any) -> None:
    collection = snapshot.collections["strikes"]
    placed = zip(collection.features, collection.shapes, strict=True)
    expected = {one.id for one, place in placed if place is not None and shapely.intersects(shape, place)}
    assert expected
    assert ids(client, where="", **params) == expected


def test_a_point_finds_the_country_that_it_is_in(client: TestClient) -> None:
    at: Json = {"geometry": "30.72,50", "geometryType": "esriGeometryPoint"}
    assert ids(client, 5, spatialRel="esriSpatialRelWithin", **at) == {"UA"}
    assert ids(client, 5, spatialRel="esriSpatialRelContains", **at) == set()


def test_time_keeps_what_may_fall_in_it(client: TestClient, snapshot: Snapshot) -> None:
    first, last = date(2025, 8, 1), date(2025, 8, 31)

    def may(one: StrikeFeature) -> bool:
        return (one.day_first is None or one.day_first <= last) and (one.day_last is None or one.day_last >= first)

    expected = strikes(snapshot, may)
    assert 0 < len(expected) < len(snapshot.collections["strikes"])
    assert ids(client, time=f"{milliseconds(first)},{milliseconds(last)}") == expected
    late = strikes(snapshot, lambda one: one.day_last is None or one.day_last >= first)
    assert ids(client, time=f"{milliseconds(first)},null") == late


def test_layers_of_a_mixed_collection_share_it_out(client: TestClient, snapshot: Snapshot) -> None:
    found: Any = snapshot.collections["assets"].features
    parts = [ids(client, layer.id) for layer in LAYERS if layer.collection == "assets"]
    assert set().union(*parts) == {one.id for one in found}
    assert sum(map(len, parts)) == len(found)
    assert all(isinstance(one, AssetFeature) for one in found)


def test_a_store_without_records_has_layers_without_features(new_shared_store: NewStore) -> None:
    app = create_app(new_shared_store(), Settings(basemap=BASEMAP, follow_every_s=0))
    with TestClient(app) as client:
        assert client.get("/collections").json()["collections"][0]["extent"].get("spatial") is None
        root = client.get(ROOT).json()
        assert [layer["id"] for layer in root["layers"]] == [0, 4, 5, 7]
        assert client.get(f"{ROOT}/0").json()["extent"]["xmax"] == 180
        for layer in (0, 1, 4, 7):
            assert ask(client, layer, where="1=1")["features"] == []
            assert ask(client, layer, where="id LIKE '%a%'", returnExtentOnly="true")["extent"]["xmin"] == "NaN"


# How they are told.


def test_days_are_milliseconds_and_missing_places_null(client: TestClient, snapshot: Snapshot) -> None:
    collection = snapshot.collections["strikes"]
    told = ask(client, where="1=1", outFields="*")
    for one, feature, place in zip(told["features"], collection.features, collection.geometries, strict=True):
        values = one["attributes"]
        day = feature.day_first  # type: ignore[attr-defined]
        assert values["id"] == feature.id
        assert values["day_first"] == (None if day is None else milliseconds(day))
        assert values["assets"] == ("; ".join(feature.assets) or None)  # type: ignore[attr-defined]
        if place is None:
            assert one["geometry"] is None
        else:
            assert one["geometry"] == pytest.approx({"x": place.x, "y": place.y}, abs=1e-7)


@pytest.mark.parametrize("layer", [2, 5])
def test_lines_and_areas_are_whole(client: TestClient, snapshot: Snapshot, layer: int) -> None:
    collection = snapshot.collections[LAYERS[layer].collection]
    told = ask(client, layer, where="1=1", resultRecordCount=30)
    assert told["features"]
    for one in told["features"]:
        shape = collection.shapes[one["attributes"]["OBJECTID"] - 1]
        if layer == 2:
            found: Any = shapely.MultiLineString(one["geometry"]["paths"])
            assert found.length == pytest.approx(shape.length, rel=1e-4)
        else:
            # Outer rings clockwise count up, holes the other way count down.
            areas = [-_signed(ring) for ring in one["geometry"]["rings"]]
            assert sum(areas) == pytest.approx(shape.area, rel=1e-4)
            assert all(ring[0] == ring[-1] for ring in one["geometry"]["rings"])


def _signed(ring: list[list[float]]) -> float:
    area = shapely.Polygon(ring).area
    return area if shapely.is_ccw(shapely.LinearRing(ring)) else -area


def test_web_mercator_is_offered_by_both_its_numbers(client: TestClient) -> None:
    placed = "uncertainty_m < 5000"
    degrees = ask(client, where=placed, resultRecordCount=1)["features"][0]["geometry"]
    for number in ("3857", "102100", '{"wkid":102100}'):
        told = ask(client, where=placed, resultRecordCount=1, outSR=number)
        assert told["spatialReference"] == {"wkid": 102100, "latestWkid": 3857}
        x = told["features"][0]["geometry"]["x"]
        assert x == pytest.approx(degrees["x"] * 20037508.342789244 / 180, abs=0.02)


def test_pages_go_through_everything_in_order(own: Own) -> None:
    seen: list[int] = []
    while True:
        params = {"where": "1=1", "orderByFields": "day_last DESC, OBJECTID", "outFields": "day_last"}
        told = ask(own.client, resultOffset=len(seen), **params)
        seen += [one["attributes"]["OBJECTID"] for one in told["features"]]
        assert len(told["features"]) <= 7
        if "exceededTransferLimit" not in told:
            break
        assert len(told["features"]) == 7
    everything = ask(own.client, where="1=1", returnIdsOnly="true")["objectIds"]
    assert sorted(seen) == everything
    assert len(everything) > 14
    first = ask(own.client, where="1=1", orderByFields="day_last DESC", outFields="day_last")["features"]
    days = [one["attributes"]["day_last"] for one in first]
    assert days == sorted(days, reverse=True)


def test_different_values_extents_and_counts(client: TestClient, snapshot: Snapshot) -> None:
    found: Any = snapshot.collections["strikes"].features
    told = ask(client, where="1=1", outFields="status", returnDistinctValues="true", orderByFields="status")
    assert [one["attributes"] for one in told["features"]] == [
        {"status": one} for one in sorted({one.status for one in found})
    ]
    assert all("geometry" not in one for one in told["features"])
    count = ask(client, outFields="status", returnDistinctValues="true", returnCountOnly="true")
    assert count == {"count": len({one.status for one in found})}
    bounds = snapshot.collections["strikes"].bounds
    box = ask(client, where="1=1", returnExtentOnly="true", returnCountOnly="true")
    assert box["count"] == len(found)
    assert [box["extent"][edge] for edge in ("xmin", "ymin", "xmax", "ymax")] == list(bounds or ())
    assert ask(client, where="1=0", returnExtentOnly="true")["extent"]["xmin"] == "NaN"


def test_geojson_is_geojson(client: TestClient) -> None:
    answer = client.get(f"{ROOT}/0/query?where=1%3D1&outFields=title&f=geojson&resultRecordCount=2&outSR=3857")
    assert answer.headers["content-type"] == "application/geo+json"
    told = answer.json()
    assert told["type"] == "FeatureCollection"
    assert told["exceededTransferLimit"] is told["properties"]["exceededTransferLimit"] is True
    assert [one["id"] for one in told["features"]] == [1, 2]
    placed = [one["geometry"]["coordinates"] for one in told["features"] if one["geometry"]]
    assert placed
    assert all(abs(x) <= 180 and abs(y) <= 90 for x, y in placed)


@pytest.mark.skipif("ESRIJSON" not in pyogrio.list_drivers(), reason="needs a GDAL with the ESRIJSON driver")
def test_gdal_reads_all_pages(server_url: str, snapshot: Snapshot) -> None:
    for layer, kind in ((0, "Point"), (2, "LineString")):
        query = "where=1%3D1&outFields=*&orderByFields=id&f=json&resultRecordCount=20"
        frame = pyogrio.read_dataframe(f"ESRIJSON:{server_url.rstrip('/')}{ROOT}/{layer}/query?{query}")
        features: Any = snapshot.collections[LAYERS[layer].collection].features
        shapes = snapshot.collections[LAYERS[layer].collection].shapes
        if layer == 2:
            features = [f for f, s in zip(features, shapes, strict=True) if s is not None and "Line" in s.geom_type]
        # GDAL puts each page in the order of OBJECTID, so that the order is not held to here.
        assert sorted(frame["id"]) == sorted(one.id for one in features)
        assert frame.crs.to_epsg() == 4326
        assert kind in set(frame.geom_type.dropna())
        if layer == 0:
            assert len(frame) > 40
            assert str(frame["day_first"].dtype).startswith("datetime64")


# What it refuses, and how it is kept.


@pytest.mark.parametrize(
    "params",
    [
        {"where": "nothing = 1"},
        {"where": "kind = 1"},
        {"where": "pg_sleep(9) = 1"},
        {"where": "kind = 'a'; DROP TABLE strikes"},
        {"where": "day_first > DATE '2025-02-30'"},
        {"where": "day_first > TIMESTAMP 'soon'"},
        {"objectIds": "1,x"},
        {"objectIds": "-1"},
        {"geometry": "1,2,3"},
        {"geometry": "nan,1,2,3"},
        {"geometry": "{}"},
        {"geometry": "{"},
        {"geometry": "33,45,28,48"},
        {"geometry": '{"rings":[]}', "geometryType": "esriGeometryPolygon"},
        {"geometry": '{"rings":[[[1,2]]]}', "geometryType": "esriGeometryPolygon"},
        {"geometry": '{"paths":[[["a",2],[3,4]]]}', "geometryType": "esriGeometryPolyline"},
        {"geometry": "1,2,3,4", "geometryType": "esriGeometryBlob"},
        {"geometry": "1,2,3,4", "spatialRel": "esriSpatialRelNear"},
        {"geometry": "1,2,3,4", "inSR": "32636"},
        {"outSR": "4258"},
        {"outSR": '{"wkt":"GEOGCS"}'},
        {"outFields": "nothing"},
        {"orderByFields": "title SIDEWAYS"},
        {"orderByFields": "nothing"},
        {"resultOffset": "-1"},
        {"resultOffset": "9" * 30},
        {"resultRecordCount": "x"},
        {"returnCountOnly": "perhaps"},
        {"returnDistinctValues": "true"},
        {"time": "soon"},
        {"time": "9" * 30},
        {"time": "2,1,0"},
        {"outStatistics": '[{"statisticType":"count"}]'},
        {"distance": "5"},
        {"f": "kmz"},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused_with_its_reason(client: TestClient, params: Json) -> None:
    assert refused(client, **params)["message"]


def test_a_layer_that_there_is_not(client: TestClient) -> None:
    refused(client, 99, status=404)
    refused(client, "x", status=404)
    assert client.get(f"{ROOT}/99").json()["error"]["code"] == 404


def test_a_form_is_the_only_body_that_is_read(client: TestClient) -> None:
    answer = client.post(f"{ROOT}/0/query", json={"where": "1=1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, 415)
    answer = client.post(
        f"{ROOT}/0/query", content=b"where=%ff", headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 400


def test_nothing_can_be_written(client: TestClient) -> None:
    for name in ("addFeatures", "updateFeatures", "deleteFeatures", "applyEdits"):
        assert client.post(f"{ROOT}/0/{name}", data={"features": "[]"}).status_code in (404, 405)


def test_an_answer_that_the_client_has_is_304_for_each_form(client: TestClient) -> None:
    tags = set()
    for form in ("json", "pjson", "geojson"):
        path = f"{ROOT}/0/query?where=1%3D1&f={form}"
        tag = client.get(path).headers["etag"]
        tags.add(tag)
        assert client.get(path, headers={"if-none-match": tag}).status_code == 304
    assert len(tags) == 3
    assert "etag" not in client.post(f"{ROOT}/0/query", data={"where": "1=1"}).headers
