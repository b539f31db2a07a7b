"""OGC API - Styles (draft 20-009), annex A: a test for each abstract test, and one for each requirement without any."""

from __future__ import annotations

from xml.etree import ElementTree

import jsonschema
import pytest
from starlette.testclient import TestClient

from tests.api.feature_client import COLLECTIONS, LISTED, Json, links

CORE = "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/core"
STYLES = "http://www.opengis.net/def/rel/ogc/1.0/styles"
BASES = ("", *(f"/collections/{name}" for name in COLLECTIONS))
MAPBOX = "application/vnd.mapbox.style+json"
SLD = "application/vnd.ogc.sld+xml"
NAMES = {"sld": "http://www.opengis.net/sld", "se": "http://www.opengis.net/se"}

TEXT = {"type": "string"}
LINK = {"type": "object", "required": ["href"], "properties": {"href": TEXT, "rel": TEXT, "type": TEXT, "title": TEXT}}
#: /req/core/styles-success, B.
LIST = {
    "type": "object",
    "required": ["styles"],
    "properties": {
        "styles": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "links"],
                "properties": {
                    "id": TEXT,
                    "title": TEXT,
                    "links": {"type": "array", "minItems": 1, "items": LINK},
                },
            },
        },
        "default": TEXT,
    },
}
#: /req/core/style-md-success, B, of the members that are told.
METADATA = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": TEXT,
        "title": TEXT,
        "description": TEXT,
        "scope": {"enum": ["style"]},
        "stylesheets": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["link"],
                "properties": {
                    "title": TEXT,
                    "version": TEXT,
                    "specification": {"type": "string", "format": "uri"},
                    "native": {"type": "boolean"},
                    "link": LINK,
                },
            },
        },
        "layers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": TEXT,
                    "description": TEXT,
                    "dataType": {"enum": ["vector", "map", "coverage", "model"]},
                    "geometryType": {"enum": ["points", "lines", "polygons", "solids", "any"]},
                    "propertiesSchema": {"type": "object", "additionalProperties": {"type": "object"}},
                    "sampleData": LINK,
                },
            },
        },
        "links": {"type": "array", "items": LINK},
    },
}


def path_of(link: Json) -> str:
    return str(link["href"]).removeprefix("http://testserver").partition("?")[0]


def told(client: TestClient, under: str) -> list[Json]:
    found: list[Json] = client.get(f"{under}/styles", headers={"accept": "application/json"}).json()["styles"]
    return found


def test_styles_conformance_success(client: TestClient) -> None:
    assert CORE in client.get("/conformance").json()["conformsTo"]


@pytest.mark.parametrize("under", BASES)
def test_styles_base_resource_link(client: TestClient, under: str) -> None:
    found = links(client.get(under or "/").json())[STYLES]
    assert path_of(found) == f"{under}/styles"
    assert client.get(found["href"]).json()["styles"]


@pytest.mark.parametrize("under", BASES)
def test_styles_core_1(client: TestClient, under: str) -> None:
    answer = client.get(f"{under}/styles", headers={"accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    listed = answer.json()
    jsonschema.validate(listed, LIST)
    names = [one["id"] for one in listed["styles"]]
    assert len(names) == len(set(names))
    assert listed["default"] in names
    for one in listed["styles"]:
        by = {rel: [link for link in one["links"] if link["rel"] == rel] for rel in ("stylesheet", "describedby")}
        assert {link["type"] for link in by["stylesheet"]} == {MAPBOX, f"{SLD};version=1.0", f"{SLD};version=1.1"}
        for link in by["stylesheet"]:
            assert path_of(link) == f"{under}/styles/{one['id']}"
            # With the type alone, as the link names the form too.
            for address in (link["href"], path_of(link)):
                sheet = client.get(address, headers={"accept": link["type"]})
                assert (sheet.status_code, sheet.headers["content-type"]) == (200, link["type"])
        (link,) = by["describedby"]
        assert path_of(link) == f"{under}/styles/{one['id']}/metadata"
        about = client.get(link["href"], headers={"accept": link["type"]})
        assert (about.status_code, about.headers["content-type"]) == (200, link["type"])
        jsonschema.validate(about.json(), METADATA)
        assert about.json()["id"] == one["id"]


@pytest.mark.parametrize("under", BASES)
def test_styles_preview(client: TestClient, under: str) -> None:
    """/req/core/styles-success, I: the preview of the metadata is in the list too, and is a picture."""
    for one in told(client, under):
        preview = links(one)["preview"]
        about = client.get(links(one)["describedby"]["href"]).json()
        assert links(about)["preview"] == preview
        answer = client.get(preview["href"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, preview["type"])


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("under", BASES)
def test_styles_sld_content(client: TestClient, under: str, version: str) -> None:
    """/req/sld10/root and content: named layers by the names of collections, each with the style of that name."""
    symbols = "sld" if version == "1.0" else "se"
    for one in told(client, under):
        sheet = client.get(f"{under}/styles/{one['id']}", headers={"accept": f"{SLD};version={version}"})
        root = ElementTree.fromstring(sheet.content)
        assert root.tag == f"{{{NAMES['sld']}}}StyledLayerDescriptor"
        assert root.get("version") == f"{version}.0"
        layers = root.findall("sld:NamedLayer", NAMES)
        assert layers
        for layer in layers:
            name = layer.findtext(f"{symbols}:Name", namespaces=NAMES)
            assert name in LISTED
            assert layer.findtext(f"sld:UserStyle/{symbols}:Name", namespaces=NAMES) == one["id"]
            parts = layer.findall(f"sld:UserStyle/{symbols}:FeatureTypeStyle", NAMES)
            assert {part.findtext(f"{symbols}:FeatureTypeName", namespaces=NAMES) for part in parts} == {name}
