"""OGC API - Features part 1 (17-069r4), annex A.5 (OpenAPI 3.0): a test for each abstract test."""

from __future__ import annotations

from collections.abc import Iterator

from openapi_spec_validator import validate
from starlette.testclient import TestClient

from tests.api.conformance.test_conformance_html import FIRST, GIVEN, NEEDED
from tests.api.feature_client import Json, links
from tests.api.html_reading import BROWSER, read, text

OAS30 = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30"
TILE = {"z": "3", "x": "4", "y": "2", "tileMatrix": "3", "tileRow": "2", "tileCol": "4", "collection": "strikes"}


def operations(client: TestClient) -> Iterator[tuple[str, str, Json]]:
    for path, item in client.get("/api").json()["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def filled(client: TestClient, path: str) -> str:
    entry = client.get("/corrections").json()["corrections"][0]["id"] if "{entry}" in path else ""
    collection = path.split("/")[2] if path.startswith("/collections/") else ""
    own = {"feature": FIRST.get(collection, "ua-orlivka-2025-08-06"), "entry": entry}
    return path.format(**{**GIVEN, **TILE, **own})


def test_oas30_conformance_success(client: TestClient) -> None:
    assert OAS30 in client.get("/conformance").json()["conformsTo"]


def test_oas30_oas_definition_1(client: TestClient) -> None:
    found = links(client.get("/").json())
    desc, doc = found["service-desc"], found["service-doc"]
    answer = client.get(desc["href"], headers={"accept": desc["type"]})
    assert answer.headers["content-type"] == desc["type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert answer.json()["openapi"].startswith("3.0.")
    answer = client.get(doc["href"], headers={"accept": doc["type"]})
    assert answer.headers["content-type"].partition(";")[0] == doc["type"] == "text/html"
    shown = text(read(answer.text))
    assert all(path in shown for path in client.get("/api").json()["paths"])


def test_oas30_oas_definition_2(client: TestClient) -> None:
    validate(client.get("/api").json())


def test_oas30_oas_impl(client: TestClient) -> None:
    """Every path answers as it says, with all that a path may be filled with where that is enumerated."""
    told = client.get("/api").json()
    assert [one["url"] for one in told["servers"]] == ["http://testserver"]
    for path, method, operation in operations(client):
        if method != "get" or operation.get("security"):
            continue
        named = [part for part in operation["parameters"] if part.get("in") == "path" and "enum" in part["schema"]]
        (part, values) = (named[0]["name"], named[0]["schema"]["enum"]) if named else ("", [""])
        for value in values:
            address = filled(client, path.replace(f"{{{part}}}", value) if value else path)
            answer = client.get(address, params=NEEDED.get(path))
            assert answer.status_code in (200, 404), (address, answer.text[:200])
            described = operation["responses"][str(answer.status_code)].get("content")
            if answer.status_code == 200:
                types = {media_type.partition(";")[0] for media_type in described}
                assert answer.headers["content-type"].partition(";")[0] in types, address


def test_oas30_completeness(client: TestClient) -> None:
    """Every operation describes its answers, with the forms that they come in; what a browser is told is among them."""
    known = client.get("/api").json()["components"]["responses"]
    for path, method, operation in operations(client):
        good = [operation["responses"][status] for status in operation["responses"] if status.startswith("2")]
        assert good, (path, method)
        assert all(one["description"] for one in operation["responses"].values() if "$ref" not in one)
        if method == "get":
            assert operation["responses"]["200"]["content"], path
    assert set(known["Problem"]["content"]) == {"application/problem+json", "text/html"}


def test_oas30_exceptions_codes(client: TestClient) -> None:
    """What an operation answers where something is wrong is described by its own code; see test_contract.py."""
    wrong = "/collections/strikes/items"
    asked = {
        400: (f"{wrong}?bbox=x", {}),
        404: (f"{wrong}/nothing", {}),
        406: (wrong, {"accept": "image/png"}),
    }
    for path, method, operation in operations(client):
        codes = set(operation["responses"])
        assert {"400", "414", "431", "500", "503"} <= codes, (path, method)
        assert "404" in codes or "{" not in path, (path, method)
        assert "default" not in codes, "it would stand for codes that nobody thought of"
    told = client.get("/api").json()["paths"]
    for status, (address, headers) in asked.items():
        path = wrong if status != 404 else f"{wrong}/{{feature}}"
        assert client.get(address, headers=headers).status_code == status
        assert str(status) in told[path]["get"]["responses"]
    sent = client.get(f"{wrong}?bbox=", headers=BROWSER, follow_redirects=False)
    assert str(sent.status_code) in told[wrong]["get"]["responses"]


def test_oas30_security(client: TestClient) -> None:
    """The one scheme is described, and named by each operation that needs it, and by no other."""
    told = client.get("/api").json()
    assert told["components"]["securitySchemes"] == {"reviewer": {"type": "http", "scheme": "bearer"}}
    for path, method, operation in operations(client):
        answer = client.request(method, filled(client, path), params=NEEDED.get(path))
        assert (answer.status_code == 401) == (operation.get("security") == [{"reviewer": []}]), (path, method)
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
