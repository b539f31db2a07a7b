"""What every answer bears: headers, entity tags, HEAD and OPTIONS; faults and changes of the store."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from layers.model.records import Records
from tests.api.conftest import Own

#: An answer of each kind: JSON, GeoJSON, tile, page, file, text, and errors of each origin.
ANY = (
    "/",
    "/api",
    "/map",
    "/robots.txt",
    "/static/style.css",
    "/collections/strikes/items",
    "/tiles/strikes/3/4/2.mvt",
    "/tiles/strikes.json",
    "/style.json",
    "/styles",
    "/styles/strikes",
    "/styles/strikes/metadata",
    "/styles/strikes?f=sld11",
    "/sprites/symbols.png",
    "/nothing-here",
    "/static/nothing-here",
    "/collections/strikes/items?bbox=x",
    "/collections/strikes/items?limit=x",
    "/tiles/strikes/40/0/0.mvt",
    "/strikes/nothing-here/attribution",
    "/countries",
    "/countries/AZ?relation=supplier",
    "/countries/AZ?relation=boss",
)


@pytest.mark.parametrize("path", ANY)
def test_every_answer_has_the_policy_and_may_be_read_by_any_page(client: TestClient, path: str) -> None:
    headers = client.get(path, headers={"origin": "https://elsewhere.example"}).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize("path", ANY)
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    head, got = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    for name in ("content-type", "content-length", "etag"):
        assert head.headers.get(name) == got.headers.get(name)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/collections",
        "/collections/strikes/items",
        "/about",
        "/tiles/strikes/3/4/2.mvt",
        "/tiles/basemap/0/0/0.mvt",
    ],
)
def test_an_answer_that_the_client_has_is_304(client: TestClient, path: str) -> None:
    tag = client.get(path).headers["etag"]
    for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = client.get(path, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_options_permits_a_browser_to_ask(client: TestClient) -> None:
    asked = {
        "origin": "https://elsewhere.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "if-none-match",
    }
    answer = client.options("/collections/strikes/items", headers=asked)
    assert answer.status_code == 204
    assert "GET" in answer.headers["access-control-allow-methods"]
    # A wildcard names every header but this one (Fetch, 3.3.3).
    assert answer.headers["access-control-allow-headers"] == "*, Authorization"


def test_a_fault_that_nobody_foresaw_is_a_problem_without_its_trace(own: Own, caplog: pytest.LogCaptureFixture) -> None:
    answer = own.client.get("/fail")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" in caplog.text


def test_a_change_of_the_store_changes_the_tag_and_the_answer(own: Own, records: Records) -> None:
    before = own.client.get("/collections/strikes/items?limit=1")
    strike = next(iter(records.strikes.values()))
    own.store.append("strikes", strike.model_copy(update={"id": "new-one", "dataset": "mine"}), author="tests")
    assert own.client.get("/collections/strikes/items/new-one").status_code == 404
    assert own.app.state.atlas.refresh()
    assert own.client.get("/collections/strikes/items/new-one").status_code == 200
    after = own.client.get("/collections/strikes/items?limit=1", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json()["numberMatched"] == before.json()["numberMatched"] + 1
    assert not own.app.state.atlas.refresh()
