"""What is published: pages with their own addresses, citations, files of exactly these rows, and maps to embed."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.requests.map_view import MapView
from api.requests.parameters import BadParameter
from api.serializers.citation import Citation
from api.settings import Settings, stated_embedders
from layers.store.store import Store
from tests.api.asgi import ask
from tests.api.feature_client import Json
from tests.api.html_reading import BROWSER, addresses, cells, every, page, read, text
from tests.conftest import BASEMAP

HOST = "http://testserver"
STRIKE = "/collections/strikes/items/ua-orlivka-2025-08-06"
ASSET = "/collections/assets/items/a-abq"
ENTITY = "/entities/socar/holdings"
COUNTRY = "/countries/AZ"
PAGES = (STRIKE, ASSET, ENTITY, COUNTRY)
VIEW = "/map?country=AZ&from=2025-01-01&to=2025-12-31"


def head(found: Any) -> dict[str, str]:
    """Properties and names of a head with their contents."""
    return {
        one.get("property") or one.get("name"): one.get("content") for one in found.iter("meta") if one.get("content")
    }


def head_of_map(source: str) -> dict[str, str]:
    """The same of the page of the map, whose own addresses are relative."""
    found = re.findall(r'<meta (?:property|name)="([^"]*)" content="([^"]*)">', source)
    return {name: unescape(value) for name, value in found}


def matched(client: TestClient, **query: str) -> int:
    answer = client.get("/collections/strikes/items", params={**query, "limit": "1"})
    return int(answer.json()["numberMatched"])


# Pages.


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_what_it_is_to_programs(client: TestClient, path: str) -> None:
    shown = page(client, path)
    said = head(shown)
    (canonical,) = [one.get("href") for one in every(shown, "link", rel="canonical")]
    assert canonical == said["og:url"] == HOST + path
    assert shown.findtext("head/title") == f"{said['og:title']} · StrikeAtlas"
    assert said["description"] == said["og:description"]
    assert client.get(said["og:image"]).headers["content-type"] == "image/png"
    (found,) = [one for one in shown.iter("script") if one.get("type") == "application/ld+json"]
    data: Json = json.loads(found.text or "")
    assert (data["url"], data["name"]) == (canonical, said["og:title"])
    assert data["about"]["name"] in said["og:title"]
    assert data["isPartOf"]["@type"] == "Dataset"
    (oembed,) = [one.get("href") for one in every(shown, "link", type="application/json+oembed")]
    assert client.get(str(oembed)).json()["title"] == said["og:title"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_cited_of_its_version(client: TestClient, path: str) -> None:
    shown, about = page(client, path), client.get("/about").json()
    (cited,) = every(shown, "p", class_="citation")
    for part in (HOST + path, f"history {about['history'][:16]}", "accessed on: ____"):
        assert part in text(cited)
    assert about["history"] in text(shown)
    assert f"{HOST}/method" in addresses(shown)
    forms = {one.get("href") for one in every(shown, "a", class_="plain") if "/cite?" in str(one.get("href"))}
    assert len(forms) == 3
    assert all(client.get(str(one)).status_code == 200 for one in forms)


def test_the_title_of_a_strike_answers_whose_it_was(client: TestClient) -> None:
    answer = client.get("/strikes/ua-socar-depot-2025-08-08/attribution").json()
    said = head(page(client, "/collections/strikes/items/ua-socar-depot-2025-08-08"))
    assert said["og:title"] == f"{answer['strike']['title']}. {answer['headline']}"
    assert "%" in said["og:title"]


def test_a_strike_has_each_claim_with_its_source_under_a_number(client: TestClient) -> None:
    answer = client.get("/strikes/ua-socar-depot-2025-08-08/attribution").json()
    shown = page(client, "/collections/strikes/items/ua-socar-depot-2025-08-08")
    (listed,) = every(shown, "ol", class_="claims")
    assert len(listed) == len(answer["claims"]) > 0
    for row, claim in zip(listed, answer["claims"], strict=True):
        assert (claim["quote"] or "") in text(row)
        (number,) = [one.get("href") for one in row.iter("a")]
        (source,) = every(shown, "li", id=str(number)[1:])
        assert answer["sources"][claim["source"]]["publisher"] in text(source)
    holders = next(every(shown, "ul", class_="holders"))
    assert answer["assets"][0]["chains"][0]["steps"][0]["name"] in text(holders)


@pytest.mark.parametrize(
    ("path", "query"), [(COUNTRY, {"country": "AZ"}), (ENTITY, {"entity": "socar"}), (ASSET, {"assets": "a-abq"})]
)
def test_strikes_of_a_page_are_those_of_the_api_sure_and_possible_apart(
    client: TestClient, path: str, query: dict[str, str]
) -> None:
    kept = {**query, "filter": "status <> 'retracted'"}
    shown = page(client, path)
    for certainty in ("sure", "possible"):
        count = matched(client, **kept, certainty=certainty)
        tables = list(every(shown, "h3", id=f"strikes-{certainty}"))
        assert len(tables) == bool(count)
        if count:
            (group,) = [
                one for one in every(shown, "div", class_="scroll ") if one.get("aria-label") == text(tables[0])
            ]
            assert text(tables[0]).startswith(f"{count} ")
            assert len(cells(group)) - 1 == min(count, 100)
    files = {str(one.get("href")) for one in every(shown, "a") if one.get("download", "").startswith("strikes.")}
    assert len(files) == 3
    total = matched(client, **kept)
    assert {rows_of(client, one) for one in files} == {total}


def rows_of(client: TestClient, address: str) -> int:
    """How many strikes a file has."""
    answer = client.get(address)
    form = answer.headers["content-type"].partition(";")[0]
    if form == "text/csv":
        return len(list(csv.DictReader(io.StringIO(answer.text))))
    if form == "application/geo+json":
        return len(answer.json()["features"])
    assert form == "application/geopackage+sqlite3"
    opened = sqlite3.connect(":memory:")
    opened.deserialize(answer.content)
    (count,) = opened.execute("SELECT count(*) FROM strikes").fetchone()
    opened.close()
    return int(count)


def test_no_page_shows_more_in_a_file_than_one_answer_holds(store: Store) -> None:
    app = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, limit_max=3))
    shown = read(ask(app, COUNTRY, dict(BROWSER)).body.decode())
    assert [one for one in every(shown, "a") if one.get("download", "").startswith("strikes.")] == []


def test_part_of_an_answer_is_no_page_to_cite(client: TestClient) -> None:
    for path in (f"{COUNTRY}?relation=owner", f"{COUNTRY}?since=2025-01-01", f"{ENTITY}?on=2020-01-01"):
        assert list(every(page(client, path), "link", rel="canonical")) == []


def test_the_method_is_a_page_with_a_place_for_each_figure(client: TestClient) -> None:
    shown = page(client, "/method")
    ids = {one.get("id") for one in shown.iter("h2")}
    assert {"shares", "sure", "sites", "whose", "places", "sources", "changes"} <= ids


# Citations.


@pytest.mark.parametrize(
    "path", [*PAGES, VIEW, "/map", "/strikes/ua-orlivka-2025-08-06/attribution", "/assets/a-abq/owners"]
)
def test_every_form_of_a_citation_has_the_version_and_the_permanent_address(client: TestClient, path: str) -> None:
    asked = {"url": HOST + path}
    about, told = client.get("/about").json(), client.get("/cite", params=asked).json()
    assert (told["history"], told["data_date"]) == (about["history"], about["data_date"])
    assert client.get(told["url"], headers=BROWSER).status_code == 200
    got = {form: client.get("/cite", params={**asked, "f": form}) for form in ("text", "bibtex", "ris", "csl")}
    assert got["text"].text == told["text"]
    assert got["bibtex"].text == told["bibtex"]
    assert got["ris"].content.decode() == told["ris"]
    assert got["csl"].json() == told["csl"]
    for form in ("text", "bibtex", "ris", "csl"):
        assert told["url"] in got[form].text
        assert about["history"][:16] in got[form].text
    assert "accessed" not in told["csl"][0]
    assert "urldate = {}" in told["bibtex"]
    assert "\nY2" not in told["ris"]


def test_the_code_of_a_citation_is_that_of_a_figure(client: TestClient) -> None:
    told = client.get("/cite", params={"url": HOST + COUNTRY}).json()
    assert told["code"].startswith("AZ.h")
    assert told["code"] in told["text"]
    assert client.get("/cite", params={"url": HOST + VIEW}).json()["code"] is None


def test_a_path_is_an_address_of_this_server(client: TestClient) -> None:
    assert (
        client.get("/cite", params={"url": COUNTRY}).json()
        == client.get("/cite", params={"url": HOST + COUNTRY}).json()
    )


@pytest.mark.parametrize(
    "url",
    ["http://elsewhere.example/countries/AZ", "//elsewhere.example/countries/AZ", "/nothing", "/countries/ZZ",
     f"{HOST}/nothing", "nonsense", f"{HOST}", f"{HOST}/collections/strikes/items/nothing", "http://[",
     f"{HOST}/entities/nothing/holdings", "javascript:alert(1)", f"{HOST}/collections/assets/items/nothing",
     "ftp://testserver/countries/AZ"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/cite", "/oembed"])
def test_an_address_of_no_page_is_404(client: TestClient, path: str, url: str) -> None:
    answer = client.get(path, params={"url": url})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_citation_has_no_sign_that_its_form_reads() -> None:
    hostile = Citation(
        "A {b} \\c & 50 % #1 $x_y~^\r\nTY  - BOOK",
        "https://a.example/x?y=1&z=2",
        date(2026, 11, 25),
        "0" * 64,
    )
    entry = hostile.bibtex()
    assert r"A \{b\} \textbackslash{}c \& 50 \% \#1 \$x\_y\textasciitilde{}\textasciicircum{} TY" in entry
    assert entry.count("{") == entry.count("}")
    assert [line[:6] for line in hostile.ris().splitlines()] == [
        "TY  - ", "AU  - ", "TI  - ", "PY  - ", "DA  - ", "ET  - ", "PB  - ", "UR  - ", "ER  - "
    ]  # fmt: skip


# Embedding.


def test_oembed_fits_the_size_of_the_request(client: TestClient) -> None:
    told = client.get("/oembed", params={"url": HOST + VIEW, "maxwidth": "400", "format": "json"}).json()
    assert (told["type"], told["version"], told["width"], told["height"]) == ("rich", "1.0", 400, 520)
    (frame,) = read(f"<!doctype html><html lang=en><head><title>x</title><body><h1>x</h1>{told['html']}").iter("iframe")
    assert frame.get("width") == "400"
    inner = client.get(str(frame.get("src")))
    assert inner.status_code == 200
    assert 'data-embed="1"' in inner.text


def test_oembed_has_no_other_form(client: TestClient) -> None:
    assert client.get("/oembed", params={"url": HOST + VIEW, "format": "xml"}).status_code == 400
    assert client.get("/oembed", params={"url": HOST + VIEW, "maxwidth": "0"}).status_code == 400
    assert client.get("/oembed").status_code == 400


def test_who_may_show_the_map_is_known_and_nobody_else_is_offered_it(client: TestClient, store: Store) -> None:
    assert client.get("/about").json()["embedders"] == ["https://news.example"]
    shown = page(client, COUNTRY)
    assert "embed=1" in text(shown)
    assert "Works on pages of https://news.example." in text(shown)
    with TestClient(create_app(store, Settings(basemap=BASEMAP, follow_every_s=0))) as closed:
        assert closed.get("/about").json()["embedders"] == []
        assert closed.get("/oembed", params={"url": HOST + VIEW}).status_code == 404
        for path in (*PAGES, VIEW):
            body = closed.get(path, headers=BROWSER).text
            assert "embed=1" not in body
            assert "oembed" not in body


def policy(app: FastAPI, path: str) -> str:
    headers = dict(ask(app, path, dict(BROWSER)).headers)
    assert "x-frame-options" not in headers
    return str(headers["content-security-policy"]).rpartition("frame-ancestors ")[2]


def test_only_the_embedded_map_may_be_framed_and_only_by_those_named(app: FastAPI, store: Store) -> None:
    assert policy(app, "/map?embed=1") == "'self' https://news.example"
    closed = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0))
    assert policy(closed, "/map?embed=1") == policy(app, "/map") == "'self'"
    origins = stated_embedders(["https://news.example", "https://*.press.example:8443"])
    open_app = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, embedders=origins))
    assert policy(open_app, "/map?embed=1") == "'self' https://news.example https://*.press.example:8443"
    assert policy(open_app, "/map?country=AZ") == policy(open_app, "/review") == policy(open_app, STRIKE) == "'self'"


@pytest.mark.parametrize(
    "origin",
    [
        "news.example",
        "https://a b",
        "https://a;script-src *",
        "'none'",
        "https://a/b",
        "",
        "https://a..b",
        "https://-a.example",
        "https://a.example:0",
        "https://a.example:65536",
        "https://*",
        "https://a.*",
        "http://.",
        "https://a.example/",
        "wss://a.example",
        "https://*.*.example",
        "https://[::1]",
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(BadParameter):
        stated_embedders([origin])


# Titles of views.


def test_the_head_of_a_view_says_its_selection_with_the_number_of_the_api(client: TestClient) -> None:
    said = head_of_map(client.get(VIEW, headers=BROWSER).text)
    query = {"country": "AZ", "datetime": "2025-01-01/2025-12-31", "filter": "status <> 'retracted'"}
    sure, every_one = (matched(client, **query, **more) for more in ({"certainty": "sure"}, {}))
    more = f"; {every_one - sure} more possible" if every_one > sure else ""
    tie = "on assets owned wholly or in part in Azerbaijan"
    assert said["og:title"] == f"{sure} strikes, 1 January – 31 December 2025, {tie}{more}"
    assert client.get(said["og:image"]).headers["content-type"] == "image/png"
    one = head_of_map(client.get("/map?strike=ua-orlivka-2025-08-06", headers=BROWSER).text)
    assert one["og:title"] == head(page(client, STRIKE))["og:title"]


@pytest.mark.parametrize("name", ["q", "owner", "asset", "commodity", "strike"])
def test_what_a_view_says_is_never_html(client: TestClient, name: str) -> None:
    hostile = '</title><script>alert(1)</script>"><img src=x onerror=alert(1)>'
    answer = client.get(f"/map?{urlencode({name: hostile})}", headers=BROWSER)
    assert answer.status_code == 200
    assert "<img src=x" not in answer.text
    assert answer.text.count("<script") == Path("static/index.html").read_text(encoding="utf-8").count("<script")


def test_the_plain_map_is_the_file_as_it_is(client: TestClient) -> None:
    file = Path("static/index.html").read_bytes()
    assert client.get("/map").content == file
    assert client.get("/map?country=nonsense&role=x").content == file


def test_a_picture_of_strikes_takes_what_selects_them(client: TestClient) -> None:
    """A picture of a country's strikes has its symbols, and one of none has not."""
    asked = {"f": "png", "collections": "strikes", "bbox": "20,40,60,60", "width": "300"}
    sizes = [
        len(client.get("/map", params={**asked, **more}).content)
        for more in ({"country": "UA", "relation": "host"}, {"country": "AQ"})
    ]
    assert sizes[0] > sizes[1]
    assert client.get("/map", params={**asked, "collections": "assets", "country": "UA"}).status_code == 400


def test_a_view_survives_its_address() -> None:
    query = {
        "q": "Кременчук", "country": "AZ", "owner": "socar", "role": "control", "kinds": "oil.none", "status": "draft",
        "from": "2025-01-01", "within": "none", "min_share": "33.3", "weapon": "air strike", "certainty": "sure",
        "strike": "ua-orlivka-2025-08-06",
    }  # fmt: skip
    view = MapView.read(query)
    assert view.query() == query
    assert MapView.of_address(urlencode(query), "") == view
    assert MapView.of_address("country=UA", urlencode(query)) == view
