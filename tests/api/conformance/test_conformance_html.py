"""OGC API - Features part 1 (17-069r4), annex A.3 (HTML): a test for each abstract test.

What every page says, and that it is valid, is tested by kind in test_pages.py.
"""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api.wording.dates import date_in_words
from layers.model import edtf
from tests.api.feature_client import COLLECTIONS, Json
from tests.api.html_reading import BROWSER, addresses, read, said, text

HTML = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html"
#: What stands for the parameters of paths.
GIVEN = {
    "strike": "ua-orlivka-2025-08-06",
    "iso": "AZ",
    "asset": "a-abq",
    "entity": "aramco",
    "table": "strikes",
    "record": "ua-orlivka-2025-08-06",
    "tileMatrixSetId": "WebMercatorQuad",
    "styleId": "strikes",
}
#: Parameters that some operations cannot do without.
NEEDED = {
    "/places": {"q": "Odesa"},
    "/search": {"q": "Odesa"},
    "/cite": {"url": "http://testserver/countries/AZ"},
    "/oembed": {"url": "http://testserver/countries/AZ"},
}
FIRST = {
    "strikes": "ua-orlivka-2025-08-06",
    "assets": "a-abq",
    "attributions": "qa-ras-laffan-2026-03-18/-/host/QA",
    "hits": "ru-cpc-kropotkinskaya-2025-02-17/a-cpc-kropotkinskaya/control/-",
    "countries": "AZ",
    "asset-points": "a-abq",
    "asset-lines": "a-btc",
}


def operations(client: TestClient) -> list[str]:
    """The path of every operation that says it answers a page, but for the map, which is a program in itself."""
    found = []
    entry = client.get("/corrections").json()["corrections"][0]["id"]
    for path, item in client.get("/api").json()["paths"].items():
        answers = item.get("get", {}).get("responses", {})
        if "text/html" in answers.get("200", {}).get("content", {}) and path != "/map":
            collection = path.split("/")[2] if path.startswith("/collections/") else ""
            if "{feature" in path and collection not in FIRST:
                continue  # a collection that the bundled records have nothing of
            own = {"styleId": collection} if collection else {}
            found.append(path.format(**{**GIVEN, **own}, entry=entry, feature=FIRST.get(collection, "")))
    return found


def test_html_conformance_success(client: TestClient) -> None:
    assert HTML in client.get("/conformance").json()["conformsTo"]


def test_html_definition(client: TestClient) -> None:
    asked = operations(client)
    core = {"/", "/api", "/conformance", "/collections", *(f"/collections/{name}" for name in COLLECTIONS)}
    items = {f"/collections/{name}/items" for name in COLLECTIONS}
    assert core | items | {f"/collections/{name}/items/{key}" for name, key in FIRST.items()} <= set(asked)
    for path in asked:
        for headers, form in (({"accept": "text/html"}, {}), (BROWSER, {}), ({}, {"f": "html"})):
            answer = client.get(path, headers=headers, params={**NEEDED.get(path, {}), **form})
            assert answer.status_code == 200, path
            assert answer.headers["content-type"].partition(";")[0] == "text/html"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/conformance",
        "/collections",
        "/collections/strikes",
        "/collections/strikes/items?limit=3",
        "/collections/strikes/items/ua-orlivka-2025-08-06",
    ],
)
def test_html_content(client: TestClient, path: str) -> None:
    """A page is HTML, and has in its body what the JSON of the same version has: plain values, and links as `<a>`."""
    page = read(client.get(path, headers=BROWSER).text)
    told = client.get(path).json()
    body = page.find("body")
    assert body is not None
    shown = text(body)
    assert [value for value in plain(told) if value not in shown and in_words(value) not in shown] == []
    own = {link["href"] for link in links(told) if link["rel"] not in ("self", "alternate", "next", "profile")}
    assert own or path == "/conformance"
    assert own | set(told.get("conformsTo", ())) <= addresses(page)


def in_words(value: str) -> str:
    """A date as a page words it; any other value as it is."""
    try:
        return date_in_words(value)
    except edtf.EdtfError:
        return value


def plain(told: object) -> list[str]:
    """The plain values that a document has, but for its links and what GeoJSON must say of itself."""
    if isinstance(told, dict):
        left = ("links", "type", "coordinates")
        uris = ("crs", "trs", "storageCrs")  # these are links, as the test of each kind says
        return [one for name, part in told.items() if name not in left + uris for one in plain(part)]
    if isinstance(told, list):
        return [one for part in told for one in plain(part)]
    return [] if told is None or told == "" else [said(told)]


def links(told: Json) -> list[Json]:
    """The links of a document, and of the collections in it."""
    return [*told["links"], *(link for one in told.get("collections", ()) for link in one["links"])]
