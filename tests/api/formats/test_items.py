"""Items in every form: what is asked for and no more, page by page, read back by the libraries of others."""

from __future__ import annotations

import csv
import io
import tempfile
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from starlette.testclient import TestClient

from api.formats.registry import FEATURES
from api.requests.negotiation import DOCUMENT, NotAcceptable, negotiate
from layers.model.records import Records
from layers.query.keyset_cursor import TypeExamples
from layers.snapshot.snapshot import Snapshot
from tests.api.conftest import Own
from tests.api.feature_client import COLLECTIONS, LISTED, Json, ids, items, links, pages, problem

STRIKES = "/collections/strikes/items"
#: Where most strikes are; of the countries, whose outlines are large, a few.
NEAR = "22,44,42,53"
TYPES = {
    "json": "application/geo+json",
    "jsonfg": "application/geo+json",
    "csv": "text/csv; charset=utf-8",
    "fgb": "application/flatgeobuf",
    "gpkg": "application/geopackage+sqlite3",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
    "geojsonseq": "application/geo+json-seq",
    "csv-bom": "text/csv;charset=utf-8",
    "csvw": "application/csvm+json",
    "kml": "application/vnd.google-earth.kml+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


csv.field_size_limit(10**7)  # outlines of countries


def same_place(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether two geometries are the same to a millionth of a degree, however their rings are wound."""
    # Layers of lines and areas are of several each.
    one, other = (shapely.get_geometry(whole, 0) if shapely.get_num_geometries(whole) == 1 else whole
                  for whole in (one, other))  # fmt: skip
    like = (one.geom_type, shapely.get_num_coordinates(one)) == (other.geom_type, shapely.get_num_coordinates(other))
    near = np.allclose([*one.bounds, one.area, one.length], [*other.bounds, other.area, other.length], atol=1e-4)
    return like and near and (one.geom_type != "Point" or one.distance(other) < 1e-6)


def header_links(answer: Any) -> dict[str, str]:
    parts = [part.partition(">; ") for part in answer.headers["link"].split(", <")]
    return {rest.split('"')[1]: address.lstrip("<") for address, _, rest in parts}


# Forms.


@pytest.mark.parametrize(("f", "media_type"), TYPES.items())
def test_each_form_has_its_media_type_tag_and_links_to_the_others(client: TestClient, f: str, media_type: str) -> None:
    answer = client.get(f"{STRIKES}?f={f}&limit=3")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert "Accept" in answer.headers["vary"]
    assert {"next", "collection", "alternate"} <= header_links(answer).keys()
    tags = {client.get(f"{STRIKES}?limit=3&f={other}").headers["etag"] for other in TYPES}
    assert len(tags) == len(TYPES)
    again = client.get(f"{STRIKES}?f={f}&limit=3", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("application/vnd.geo+json", "json"),
        ("application/fg+json", "jsonfg"),
        ("text/csv", "csv"),
        ("text/*", "html"),
        ("application/flatgeobuf", "fgb"),
        ("application/geopackage+sqlite3", "gpkg"),
        ("text/csv;q=0.5, application/vnd.apache.parquet;q=0.6, */*;q=0.1", "parquet"),
        ("application/*;q=0.2, text/csv; charset=utf-8", "csv"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
        ("nonsense", "json"),
        ("*/*;q=nan", "json"),
        ("image/*, */*;q=0.1", "json"),
    ],
)
def test_accept_chooses_the_form_of_the_greatest_weight(accept: str | None, form: str) -> None:
    assert negotiate(None, accept, FEATURES).name == form
    assert negotiate("csv", accept, FEATURES).name == "csv", "f counts before the header"


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "text/plain, image/*;q=0.5"])
def test_what_accepts_nothing_that_there_is_is_406(client: TestClient, accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json"):
        negotiate(None, accept, DOCUMENT)
    for path in ("/", "/collections", STRIKES, f"{STRIKES}/ua-orlivka-2025-08-06", "/collections/strikes/schema"):
        answer = client.get(path, headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")


@pytest.mark.parametrize("path", ["/", "/api", "/collections", STRIKES, f"{STRIKES}/ua-orlivka-2025-08-06"])
def test_a_browser_gets_a_page(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_csv_is_the_same_features(client: TestClient, collection: str) -> None:
    told = items(client, collection, bbox=NEAR)["features"]
    text = client.get(f"/collections/{collection}/items?f=csv&limit=10000&bbox={NEAR}").text
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [line["id"] for line in lines] == [feature["id"] for feature in told]
    assert list(lines[0]) == [*told[0]["properties"], "lon", "lat", "geometry"]
    for line, feature in zip(lines, told, strict=True):
        if not feature["geometry"]:
            assert (line["geometry"], line["lon"], line["lat"]) == ("", "", "")
            continue
        place = shape(feature["geometry"])
        assert same_place(shapely.from_wkt(line["geometry"]), place)
        if place.geom_type == "Point":
            assert (float(line["lon"]), float(line["lat"])) == (place.x, place.y)


def test_csv_keeps_numbers_and_lists_and_guards_formulas(own: Own, records: Records) -> None:
    strike = next(iter(records.strikes.values()))
    evil = strike.model_copy(update={"id": "zz-formula", "title": "=1+1", "dataset": "mine"})
    if "zz-formula" not in own.store.records().strikes:
        own.store.append("strikes", evil, author="tests")
        own.app.state.atlas.refresh()
    (line,) = csv.DictReader(io.StringIO(own.client.get(f"{STRIKES}?f=csv&id=zz-formula").text))
    assert line["title"] == "'=1+1"
    assert line["n_sources"] == str(len(strike.sources))


def table(client: TestClient, path: str) -> geopandas.GeoDataFrame:
    body = io.BytesIO(client.get(path).content)
    if "parquet" in path:
        return geopandas.read_parquet(body)
    if "gpkg" in path:  # GDAL knows it by the end of its name alone
        with tempfile.NamedTemporaryFile(suffix=".gpkg") as file:
            file.write(body.getvalue())
            file.flush()
            # The styles of its layer are a table too.
            return pyogrio.read_dataframe(file.name, layer=path.split("/")[2])
    return pyogrio.read_dataframe(body)


@pytest.mark.parametrize("f", ["fgb", "gpkg", "parquet"])
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_tables_are_the_same_features_with_types(
    client: TestClient, snapshot: Snapshot, f: str, collection: str
) -> None:
    told = items(client, collection, bbox=NEAR, sortby="id")["features"]
    frame = table(client, f"/collections/{collection}/items?f={f}&limit=10000&bbox={NEAR}&sortby=id")
    assert frame.crs.to_epsg() == 4326
    assert list(frame["id"]) == [feature["id"] for feature in told]
    assert list(frame.columns) == [*told[0]["properties"], "geometry"]
    for place, feature in zip(frame.geometry, told, strict=True):
        assert (place is None) == (feature["geometry"] is None)
        if place is not None:
            assert same_place(place, shape(feature["geometry"]))
    for name, queryable in snapshot.collections[collection].queryables.items():
        values = [feature["properties"].get(name) for feature in told]
        if queryable.kind == "integer" and any(value is not None for value in values):
            read = frame[name].astype("Int64")
            assert [None if value is None else int(value) for value in values] == [
                None if missing else int(value) for value, missing in zip(read.fillna(0), read.isna(), strict=True)
            ]
        elif queryable.kind == "date" and any(values):
            # Days of Parquet are days to pandas, as objects.
            assert f == "parquet" or str(frame[name].dtype).startswith("datetime64")
            assert [day or None for day in values] == [
                None if d is None or d != d else str(d)[:10] for d in frame[name]
            ]


@pytest.mark.parametrize("f", ["fgb", "gpkg", "parquet"])
def test_tables_have_the_requested_crs_with_x_first(client: TestClient, f: str) -> None:
    told = table(client, f"{STRIKES}?f={f}&limit=50&sortby=id&crs=[EPSG:3035]")
    same = table(client, f"{STRIKES}?f={f}&limit=50&sortby=id").to_crs(3035)
    assert told.crs.to_epsg() == 3035
    placed = ~same.geometry.isna()
    assert placed.sum() > 20
    assert told.geometry[placed].geom_equals_exact(same.geometry[placed], 1e-3).all()


def test_an_empty_page_is_empty_in_every_form(client: TestClient) -> None:
    for f in TYPES:
        answer = client.get(f"{STRIKES}?f={f}&id=nothing")
        assert answer.status_code == 200
        assert "next" not in header_links(answer)
    assert len(table(client, f"{STRIKES}?f=parquet&id=nothing")) == 0
    assert len(table(client, f"{STRIKES}?f=fgb&id=nothing")) == 0
    assert len(table(client, f"{STRIKES}?f=gpkg&id=nothing")) == 0


def test_a_geopackage_of_one_version_is_the_same_bytes(client: TestClient) -> None:
    first, again = (client.get(f"{STRIKES}?f=gpkg&limit=20").content for _ in range(2))
    assert first.startswith(b"SQLite format 3")
    assert first == again


# JSON-FG.


def test_json_fg_has_times_and_the_place_in_another_system(client: TestClient) -> None:
    told = items(client, f="jsonfg", crs="[EPSG:32636]")
    plain = items(client)
    assert told["coordRefSys"] == "http://www.opengis.net/def/crs/EPSG/0/32636"
    assert told["featureType"] == "strikes"
    assert client.get(told["featureSchema"]).status_code == 200
    for ours, theirs in zip(told["features"], plain["features"], strict=True):
        assert (ours["geometry"], ours["properties"]) == (theirs["geometry"], theirs["properties"])
        assert (ours["place"] is None) == (ours["geometry"] is None)
        first, last = (ours["properties"][name] for name in ("day_first", "day_last"))
        if first is None and last is None:
            assert ours["time"] is None
        elif first == last:
            assert ours["time"] == {"date": first}
        else:
            assert ours["time"] == {"interval": [first or "..", last or ".."]}
    assert all(one["place"] is None for one in items(client, f="jsonfg")["features"])


# What is told.


def test_properties_keeps_what_is_named_in_the_order_of_the_columns(client: TestClient) -> None:
    whole = items(client)["features"]
    told = items(client, properties="status,title,assets,uncertainty_m")["features"]
    for ours, theirs in zip(told, whole, strict=True):
        assert list(ours["properties"]) == ["title", "uncertainty_m", "status", "assets"]
        assert ours["properties"].items() <= theirs["properties"].items() or ours["properties"] == {
            name: theirs["properties"][name] for name in ours["properties"]
        }
        assert (ours["id"], ours["geometry"]) == (theirs["id"], theirs["geometry"])
    assert {tuple(one["properties"]) for one in items(client, properties="")["features"]} == {()}
    csv_head = client.get(f"{STRIKES}?f=csv&properties=title&skipGeometry=true").text.splitlines()[0]
    assert csv_head == "title"
    assert list(table(client, f"{STRIKES}?f=parquet&properties=title").columns) == ["title", "geometry"]


def test_a_property_that_there_is_not_is_400_and_names_those_that_there_are(client: TestClient) -> None:
    told = problem(client, f"{STRIKES}?properties=title,colour", 400)
    assert told["parameter"] == "properties"
    assert "uncertainty_m" in told["detail"]


@pytest.mark.parametrize("query", [{}, {"properties": "title"}, {"crs": "[EPSG:3857]"}])
def test_geometry_is_left_out_where_it_is_not_wanted(client: TestClient, query: dict[str, str]) -> None:
    told = items(client, skipGeometry="true", **query)["features"]
    assert {one["geometry"] for one in told} == {None}
    assert [one["properties"] for one in told] == [one["properties"] for one in items(client, **query)["features"]]


def test_a_single_feature_equals_its_feature_in_a_page(client: TestClient) -> None:
    for query in ("", "?crs=[EPSG:3035]", "?properties=title&skipGeometry=true", "?f=jsonfg&crs=[EPSG:4326]"):
        (among,) = client.get(f"{STRIKES}{query}{'&' if query else '?'}id=ua-orlivka-2025-08-06").json()["features"]
        alone = client.get(f"{STRIKES}/ua-orlivka-2025-08-06{query}").json()
        assert {name: alone[name] for name in among} == among


# Order and pages.


def test_features_come_newest_first_unless_another_order_is_requested(client: TestClient, snapshot: Snapshot) -> None:
    orders = {"strikes": "-when,-id", "attributions": "-when", "hits": "-when"}
    assert ids(items(client, sortby="-when,-id")) == [one.id for one in snapshot.collections["strikes"].features]
    assert ids(items(client, "assets", sortby="id")) == sorted(snapshot.records.assets)
    for collection in COLLECTIONS:
        layer = snapshot.collections[collection]
        examples = TypeExamples.of(layer)
        first, last = ([layer.ids[row] for row in rows] for rows in (examples.first, examples.last))
        short = {"skipGeometry": "true", "properties": ""}
        ordered = ids(items(client, collection, sortby=orders.get(collection, "id"), **short))
        others = [name for name in ordered if name not in (*first, *last)]
        assert ids(items(client, collection, **short)) == [*first, *others, *last]


@pytest.mark.parametrize("key", ["uncertainty_m", "n_sources", "day_first", "title", "region"])
@pytest.mark.parametrize("sign", ["", "+", "-"])
def test_sortby_orders_with_nulls_last(client: TestClient, key: str, sign: str) -> None:
    told = [feature["properties"][key] for feature in items(client, sortby=f"{sign}{key}")["features"]]
    known = [value for value in told if value is not None]
    assert known == sorted(known, reverse=sign == "-")
    assert told == known + [None] * (len(told) - len(known))


def test_every_way_through_the_pages_gives_each_feature_once(client: TestClient) -> None:
    orders = st.sampled_from(["", "sortby=-uncertainty_m", "sortby=region,-day_last", "filter=n_sources>1"])

    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(limit=st.integers(20, 300), query=orders)
    def follow(limit: int, query: str) -> None:
        whole = ids(client.get(f"{STRIKES}?limit=10000&{query}").json())
        told = list(pages(client, f"{STRIKES}?limit={limit}&{query}"))
        assert [key for page in told for key in ids(page)] == whole
        for name in ("offset", "startindex"):
            by_offset = [
                key
                for start in range(0, len(whole), limit)
                for key in ids(client.get(f"{STRIKES}?limit={limit}&{name}={start}&{query}").json())
            ]
            assert by_offset == whole
        for before, page in pairwise(told):
            assert ids(client.get(links(page)["prev"]["href"]).json()) == ids(before)

    follow()


def test_next_links_hold_a_cursor_that_outlives_a_change(own: Own, records: Records) -> None:
    first = own.client.get(f"{STRIKES}?limit=3").json()
    query = parse_qs(urlsplit(links(first)["next"]["href"]).query)
    assert query.keys() == {"limit", "cursor"}
    whole = ids(own.client.get(f"{STRIKES}?limit=7").json())
    newest = next(iter(records.strikes.values())).model_copy(
        update={"id": f"zz-new-{own.store.seq()}", "when": "2031-01-01", "dataset": "mine"}
    )
    own.store.append("strikes", newest, author="tests")
    own.app.state.atlas.refresh()
    second = ids(own.client.get(links(first)["next"]["href"]).json())
    assert second[:3] == whole[3:6]


def test_a_cursor_is_of_its_own_selection_and_goes_with_no_offset(client: TestClient) -> None:
    cursor = parse_qs(urlsplit(links(client.get(f"{STRIKES}?limit=3").json())["next"]["href"]).query)["cursor"][0]
    assert client.get(f"{STRIKES}?cursor={cursor}").status_code == 200
    assert problem(client, f"{STRIKES}?cursor={cursor}&status=verified", 400)["parameter"] == "cursor"
    assert problem(client, f"/collections/assets/items?cursor={cursor}", 400)["parameter"] == "cursor"
    assert problem(client, f"{STRIKES}?cursor={cursor}&offset=3", 400)["parameter"] == "cursor"


# Parameters.


def test_each_queryable_is_a_typed_parameter(client: TestClient, snapshot: Snapshot) -> None:
    told = client.get("/api").json()
    for name, collection in snapshot.collections.items():
        operation = told["paths"][f"/collections/{name}/items"]["get"]
        described = {part["name"]: part for part in operation["parameters"] if "name" in part}
        for queryable in collection.queryables.values():
            if queryable.kind == "geometry":
                assert queryable.name not in described
                continue
            part = described[queryable.name]
            assert (part["in"], part["style"], part["explode"], part["required"]) == ("query", "form", False, False)
            assert part["schema"]["type"] in ("string", "integer", "number", "boolean", "array")


def one_of(told: Json, name: str) -> Any:
    return next(value for one in told["features"] if (value := one["properties"][name]) not in (None, [], ""))


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_each_queryable_keeps_the_features_that_have_its_value(
    client: TestClient, snapshot: Snapshot, collection: str
) -> None:
    whole = items(client, collection, skipGeometry="true")
    for name, queryable in snapshot.collections[collection].queryables.items():
        if queryable.kind == "geometry" or all(one["properties"][name] in (None, []) for one in whole["features"]):
            continue
        value = one_of(whole, name)
        asked = value[0] if queryable.kind == "list" else str(value).lower() if queryable.kind == "boolean" else value
        if len(str(asked)) > 200:
            continue
        found = ids(items(client, collection, skipGeometry="true", **{name: asked}))
        has = [one for one in whole["features"] if _holds(queryable.kind, one["properties"][name], asked, value)]
        assert found == [one["id"] for one in has], name


def _holds(kind: str, there: Any, asked: Any, value: Any) -> bool:
    return asked in there if kind == "list" else there == value


def test_a_parameter_given_twice_is_400(client: TestClient) -> None:
    assert problem(client, f"{STRIKES}?limit=3&limit=4", 400)["parameter"] == "limit"
    assert problem(client, f"{STRIKES}?kind=refinery&kind=refinery", 400)["parameter"] == "kind"


def test_no_queryable_has_the_name_of_another_parameter(client: TestClient) -> None:
    told = client.get("/api").json()
    shared = {part["name"] for part in told["components"]["parameters"].values()}
    for collection in COLLECTIONS:
        own = [part["name"] for part in told["paths"][f"/collections/{collection}/items"]["get"]["parameters"]
               if "name" in part]  # fmt: skip
        assert len(own) == len(set(own))
        assert not shared & set(own)


# Files.


def test_every_page_says_its_licence_and_version(client: TestClient) -> None:
    for path in ("/", "/collections", "/collections/strikes", STRIKES, f"{STRIKES}/ua-orlivka-2025-08-06"):
        told = client.get(path, headers={"accept": "application/json"}).json()
        assert links(told)["license"]["href"] == "https://creativecommons.org/licenses/by/4.0/"
    metadata = client.get(f"{STRIKES}?limit=1").json()["metadata"]
    assert metadata["history"]["hash"] == client.get("/about?f=json").json()["history"]
    assert metadata["withheld"] == client.get("/collections?f=json").json()["withheld"]


def test_csv_and_its_metadata_link_each_other(client: TestClient) -> None:
    answer = client.get(f"{STRIKES}?f=csv&limit=3&properties=title")
    described = client.get(header_links(answer)["describedby"]).json()
    assert [column["name"] for column in described["tableSchema"]["columns"]] == ["title", "lon", "lat", "geometry"]
    assert client.get(described["url"]).content == answer.content


def test_kml_of_another_system_is_400(client: TestClient) -> None:
    assert problem(client, f"{STRIKES}?f=kml&crs=[EPSG:3857]", 400)["parameter"] == "crs"


def test_assets_of_one_kind_of_geometry_add_up_to_those_with_a_geometry(client: TestClient) -> None:
    matched = {name: client.get(f"/collections/{name}/items?limit=1").json()["numberMatched"] for name in LISTED}
    placed = sum(one["geometry"] is not None for one in items(client, "assets")["features"])
    assert sum(number for name, number in matched.items() if name.startswith("asset-")) == placed
    for name in ("asset-points", "asset-lines"):
        (first, *_) = items(client, name)["features"]
        (same,) = items(client, "assets", id=first["id"])["features"]
        assert first == same
        assert client.get(f"/collections/{name}/items?kind={first['properties']['kind']}").json()["numberMatched"] > 0
