"""OGC API - Features part 5, annex A (schemas), and part 8, annex A (sorting): a test for each abstract test."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from layers.snapshot.snapshot import Snapshot
from tests.api.conftest import Writers, feature
from tests.api.feature_client import COLLECTIONS, LISTED, Json, ids, items, links, problem

PART_5 = "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/"
PART_8 = "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
RESOURCES = ("schema", "queryables", "sortables")
KEYWORDS = {
    "title", "description", "type", "format", "enum", "items", "properties", "required", "additionalProperties",
    "minLength", "maxLength", "minItems", "maxItems", "pattern", "minimum", "maximum", "exclusiveMinimum", "readOnly",
    "writeOnly",
}  # fmt: skip


@pytest.fixture(scope="module")
def schemas(client: TestClient) -> dict[tuple[str, str], Json]:
    """Every schema, by collection and resource."""
    found = {}
    for collection in COLLECTIONS:
        for resource in RESOURCES:
            answer = client.get(f"/collections/{collection}/{resource}", headers={"accept": "application/schema+json"})
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
            found[collection, resource] = answer.json()
    return found


def with_role(schema: Json, role: str) -> list[Json]:
    return [one for one in schema["properties"].values() if one.get("x-ogc-role") == role]


def conforms(client: TestClient, *classes: str) -> None:
    answer = client.get("/conformance", headers={"accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert set(classes) <= set(answer.json()["conformsTo"])


# Schemas.


def test_schemas_basic_schema_inspection(client: TestClient, schemas: dict[tuple[str, str], Json]) -> None:
    for (collection, resource), schema in schemas.items():
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == f"http://testserver/collections/{collection}/{resource}"
        assert client.get(schema["$id"], headers={"accept": "application/schema+json"}).json() == schema
        assert schema["type"] == "object"
        jsonschema.Draft202012Validator.check_schema(schema)
        for name, one in schema["properties"].items():
            spatial = one.get("format", "").startswith("geometry-")
            assert ("type" in one) != spatial
            assert "$ref" not in one
            assert spatial == (name == "geometry")
            assert (one.get("format") == "date") == (name in ("day_first", "day_last"))
            assert all(key in KEYWORDS or key.startswith("x-ogc-") for key in one)


def test_schemas_role(schemas: dict[tuple[str, str], Json]) -> None:
    for schema in schemas.values():
        assert all(isinstance(one.get("x-ogc-role", ""), str) for one in schema["properties"].values())


def test_schemas_role_id(schemas: dict[tuple[str, str], Json]) -> None:
    for schema in schemas.values():
        (one,) = with_role(schema, "id")
        assert one["type"] == "string"


def test_schemas_property_seq(schemas: dict[tuple[str, str], Json]) -> None:
    for schema in schemas.values():
        told = [one["x-ogc-propertySeq"] for one in schema["properties"].values()]
        assert told == list(range(1, len(told) + 1))


def test_schemas_unit(schemas: dict[tuple[str, str], Json]) -> None:
    found = [one for schema in schemas.values() for one in schema["properties"].values() if "x-ogc-unit" in one]
    assert {one["x-ogc-unit"] for one in found} == {"m", "%"}  # UCUM, case sensitive
    assert {one["type"] for one in found} == {"number"}


def test_schemas_enums_hold_every_value(client: TestClient, schemas: dict[tuple[str, str], Json]) -> None:
    for collection in COLLECTIONS:
        told = items(client, collection, skipGeometry="true")["features"]
        for name, one in schemas[collection, "schema"]["properties"].items():
            if "enum" in one and not one.get("writeOnly"):
                assert {value for f in told if (value := f["properties"][name]) is not None} <= set(one["enum"])


# Advanced property roles.


def test_schemas_role_primary_geometry(schemas: dict[tuple[str, str], Json]) -> None:
    for (collection, resource), schema in schemas.items():
        found = with_role(schema, "primary-geometry")
        assert len(found) == (resource != "sortables")
        formats = {
            "assets": "geometry-any",
            "countries": "geometry-polygon-or-multipolygon",
            "asset-points": "geometry-point-or-multipoint",
            "asset-lines": "geometry-linestring-or-multilinestring",
        }
        assert all(one["format"] == formats.get(collection, "geometry-point") and "type" not in one for one in found)


def test_schemas_role_primary_temporal(schemas: dict[tuple[str, str], Json]) -> None:
    for (collection, _), schema in schemas.items():
        for role in ("primary-interval-start", "primary-interval-end"):
            found = with_role(schema, role)
            assert len(found) == (collection in ("strikes", "attributions", "hits"))
            assert all((one["type"], one["format"]) == ("string", "date") for one in found)
        assert not with_role(schema, "primary-instant")
        assert not with_role(schema, "primary-interval")


# Returnables and receivables.


def test_schemas_returnables_get_conformance(client: TestClient) -> None:
    conforms(client, f"{PART_5}schemas", f"{PART_5}advanced-property-roles", f"{PART_5}returnables-and-receivables")


@pytest.mark.parametrize("resource", RESOURCES)
def test_schemas_link(client: TestClient, resource: str) -> None:
    for collection in COLLECTIONS:
        told = client.get(f"/collections/{collection}").json()
        (link,) = [link for link in told["links"] if link["rel"] == f"{REL}{resource}"]
        assert link["href"] == f"http://testserver/collections/{collection}/{resource}"
        assert link["type"] == "application/schema+json"


def test_schemas_returnables_op_and_response(schemas: dict[tuple[str, str], Json], snapshot: Snapshot) -> None:
    for name, collection in ((name, snapshot.collections[name]) for name in COLLECTIONS):
        told = schemas[name, "schema"]["properties"]
        assert [key for key, one in told.items() if not one.get("writeOnly")] == list(collection.queryables)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_schemas_returnables_response_1(
    client: TestClient, schemas: dict[tuple[str, str], Json], collection: str
) -> None:
    schema = schemas[collection, "schema"]
    assert schema["additionalProperties"] is False
    returned = {name for name, one in schema["properties"].items() if not one.get("writeOnly")}
    told = items(client, collection, bbox="22,44,42,53")["features"]
    one = client.get(f"/collections/{collection}/items/{told[0]['id']}").json()
    for found in (*told, one):
        assert set(found["properties"]) | {"geometry"} == returned
        known = {name: value for name, value in found["properties"].items() if value is not None}
        properties = {name: schema["properties"][name] for name in known}
        jsonschema.validate({"id": found["id"], **known}, {"type": "object", "properties": properties})
        kinds = schema["properties"]["geometry"]["format"].removeprefix("geometry-").split("-or-")
        if found["geometry"]:
            assert kinds == ["any"] or found["geometry"]["type"].lower() in kinds


def test_schemas_returnables_response_2(writers: Writers) -> None:
    schema = writers.client.get("/collections/strikes/schema").json()
    taken = {name for name, one in schema["properties"].items() if not one.get("readOnly")}
    good = feature(note="as the schema says", region="Odesa", killed_min=0, weapons="drone", targets=["depot"])
    assert set(good["properties"]) <= taken
    made = writers.client.post("/collections/strikes/items", json=good, headers=writers.ann)
    assert made.status_code == 201
    path, tag = made.headers["location"], made.headers["etag"]
    replaced = writers.client.put(path, json=feature(title="Other"), headers={**writers.ann, "if-match": tag})
    assert replaced.status_code in (200, 204)
    for wrong in ({"status": "sure"}, {"killed_min": "3"}, {"colour": "red"}, {"n_sources": 3}, {"title": ...}):
        for answer in (
            writers.client.post("/collections/strikes/items", json=feature(**wrong), headers=writers.ann),
            writers.client.put(path, json=feature(**wrong), headers={**writers.ann, "if-match": "*"}),
        ):
            assert answer.status_code == 400, (wrong, answer.text)


# Queryables and sortables, as schemas.


def test_schemas_queryables_get_conformance(client: TestClient) -> None:
    conforms(client, f"{PART_5}queryables", f"{PART_5}schemas")


def test_schemas_queryables_op_and_response(schemas: dict[tuple[str, str], Json], snapshot: Snapshot) -> None:
    for name, collection in ((name, snapshot.collections[name]) for name in COLLECTIONS):
        assert list(schemas[name, "queryables"]["properties"]) == list(collection.queryables)
        assert schemas[name, "queryables"]["additionalProperties"] is False


def test_schemas_sortables_get_conformance(client: TestClient) -> None:
    conforms(client, f"{PART_5}sortables", f"{PART_5}schemas")


def test_schemas_sortables_op_and_response(schemas: dict[tuple[str, str], Json]) -> None:
    for collection in COLLECTIONS:
        told = schemas[collection, "sortables"]["properties"]
        assert told
        assert all(one["type"] not in ("array", "object") for one in told.values())


# The profile parameter.


def test_schemas_profile_get_conformance(client: TestClient) -> None:
    conforms(client, f"{PART_5}profile-parameter")


def test_schemas_profile_param(client: TestClient) -> None:
    told = client.get("/api").json()["components"]["parameters"]["profile"]
    assert (told["required"], told["style"], told["explode"]) == (False, "form", False)
    assert told["schema"]["type"] == "array"
    assert told["schema"]["items"]["enum"] == ["rfc7946", "jsonfg", "jsonfg-plus"]


def test_schemas_profile_param_response(client: TestClient) -> None:
    for path in ("/collections/strikes/items", "/collections/strikes/items/ua-orlivka-2025-08-06"):
        assert client.get(path).status_code == 200
        for value in ("rfc7946", "jsonfg", "jsonfg-plus", "rfc7946,jsonfg"):
            told = client.get(f"{path}?profile={value}")
            assert told.status_code == 200
            assert re.search(r'<http://www.opengis.net/def/profile/OGC/0/[\w-]+>; rel="profile"', told.headers["link"])
            profile = links(told.json())["profile"]["href"]
            assert profile.endswith("/rfc7946" if value == "rfc7946" else "/jsonfg")
        for value in ("gml", "", "jsonfg,gml"):
            assert problem(client, f"{path}?profile={value}", 400)["parameter"] == "profile"


# Sorting (part 8).


def test_schemas_part_8_get_conformance(client: TestClient) -> None:
    conforms(client, *(f"{PART_8}{name}" for name in ("sortables", "sorting", "features-sorting")))


def test_schemas_part_8_get_sortables_uris(client: TestClient) -> None:
    for collection in COLLECTIONS:
        answer = client.head(f"/collections/{collection}/items", headers={"accept": "application/json"})
        assert answer.status_code == 200
        assert f'<http://testserver/collections/{collection}/sortables>; rel="{REL}sortables"' in answer.headers["link"]


def test_schemas_part_8_get_sortables(schemas: dict[tuple[str, str], Json]) -> None:
    for collection in COLLECTIONS:
        assert schemas[collection, "sortables"]["$id"].endswith(f"/collections/{collection}/sortables")


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_schemas_part_8_sortby_param(client: TestClient, schemas: dict[tuple[str, str], Json], collection: str) -> None:
    for name in schemas[collection, "sortables"]["properties"]:
        for sign in ("", "-"):
            told = items(client, collection, sortby=f"{sign}{name}", skipGeometry="true")["features"]
            columns = [one["properties"] for one in told]
            if name == "stands":  # which follows from the status
                columns = [{name: one["status"] not in ("draft", "retracted")} for one in columns]
            values: list[Any] = [one[name] for one in columns if one[name] is not None]
            assert values == sorted(values, reverse=sign == "-")
    assert problem(client, f"/collections/{collection}/items?sortby=THIS IS NOT A SORTABLE", 400)


def test_schemas_part_8_sortby_order_default(client: TestClient) -> None:
    for collection in COLLECTIONS:
        # No default order is declared: a property without a sign ascends.
        assert "defaultSortOrder" not in client.get(f"/collections/{collection}").json()
        short = {"skipGeometry": "true", "properties": ""}
        ascending = ids(items(client, collection, sortby="id", **short))
        assert ascending == sorted(ids(items(client, collection, **short)))
        assert ascending == ids(items(client, collection, sortby="+id", **short))


def test_schemas_part_8_expression_construction(client: TestClient, schemas: dict[tuple[str, str], Json]) -> None:
    for collection in COLLECTIONS:
        assert schemas[collection, "sortables"]["additionalProperties"] is False
        path = f"/collections/{collection}/items?sortby=this_is_not_a_sortable"
        assert problem(client, path, 400)["parameter"] == "sortby"


def test_schemas_part_8_get_collections(client: TestClient) -> None:
    assert [one["id"] for one in client.get("/collections").json()["collections"]] == list(LISTED)


def test_schemas_part_8_get_collection(client: TestClient) -> None:
    for collection in COLLECTIONS:
        assert f"{REL}sortables" in links(client.get(f"/collections/{collection}").json())
