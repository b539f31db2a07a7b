"""The pages for people: they say what the JSON says, are valid, lead on, and hold no data to be HTML."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.html.schemas import words
from api.settings import Settings
from api.wording.dates import DATED, date_in_words
from layers.model.records import RECORD_TYPES, Records
from layers.store.store import Store
from tests.api.asgi import ask
from tests.api.feature_client import COLLECTIONS, Json
from tests.api.html_reading import BROWSER, addresses, cells, every, page, read, said, terms, text
from tests.conftest import BASEMAP

ORLIVKA = "/collections/strikes/items/ua-orlivka-2025-08-06"
PATHS = (
    "/",
    "/api",
    "/conformance",
    "/connect",
    "/collections",
    *(f"/collections/{name}" for name in COLLECTIONS),
    *(f"/collections/{name}/items?limit=5&offset=2" for name in COLLECTIONS),
    *(f"/collections/{name}/{kind}" for name in COLLECTIONS for kind in ("queryables", "sortables", "schema")),
    ORLIVKA,
    "/countries",
    "/countries?relation=operator&basis=headquarters",
    "/collections/assets/items/a-abq",
    "/collections/countries/items/AZ",
    "/collections/attributions/items/qa-ras-laffan-2026-03-18/-/host/QA",
    "/collections/hits/items/ua-socar-depot-2025-08-08/a-socar-sintez/registration/AZ",
)
#: Answers that have no page of a kind of their own.
ANSWERS = (
    "/strikes/ua-orlivka-2025-08-06/attribution",
    "/countries/AZ?relation=owner",
    "/assets/a-abq/owners?on=2020-01-01",
    "/entities/aramco/holdings",
    "/records/strikes/ua-orlivka-2025-08-06",
    *(f"/schemas/{table}" for table in RECORD_TYPES),
    "/about",
    "/places?q=Odesa",
    "/tileMatrixSets",
    "/tileMatrixSets/WebMercatorQuad",
    "/collections/assets/tiles",
    "/collections/assets/tiles/WorldCRS84Quad",
    "/collections/strikes/map/tiles",
    "/collections/strikes/map/tiles/WebMercatorQuad",
)
BEHIND = {"x-forwarded-proto": "https", "x-forwarded-host": "atlas.example.org", "x-forwarded-prefix": "/maps/atlas"}
BASE = "https://atlas.example.org/maps/atlas"


def as_json(client: TestClient, path: str) -> Json:
    told: Json = client.get(path).json()
    return told


def require_links(client: TestClient, path: str, told: Json) -> None:
    """The page has every link of its JSON, and leads to each other form of itself; a profile is one of GeoJSON."""
    found = addresses(page(client, path))
    own = ("self", "alternate", "next", "prev", "profile")
    assert {one["href"] for one in told["links"] if one["rel"] not in own} <= found
    forms = {one["type"].partition(";")[0] for one in told["links"] if one["rel"] in ("self", "alternate")}
    asked = {one for one in found if urlsplit(one).path == urlsplit(told["links"][0]["href"]).path}
    reached = {client.get(one).headers["content-type"].partition(";")[0] for one in asked}
    assert {form for form in forms if form != "text/html"} <= reached


# What every page is.


@pytest.fixture(scope="module")
def status(client: TestClient) -> Callable[[str], int]:
    """The status of an address, which is asked once for all pages that lead to it."""
    return cache(lambda address: client.get(address).status_code)


@pytest.mark.parametrize("path", [*PATHS, *ANSWERS])
def test_every_page_is_valid_and_leads_only_to_what_is_there(
    client: TestClient, status: Callable[[str], int], path: str
) -> None:
    told = page(client, path)
    for address in {*addresses(told), *(one.get("src") for one in told.iter("img"))}:
        if address.startswith("http://testserver") and "{" not in address and "/map?" not in address:
            assert status(address.partition("#")[0]) == 200, address
        if address.startswith("#"):
            assert [one for one in told.iter() if one.get("id") == address[1:]], address


@pytest.mark.parametrize("path", [*PATHS, *ANSWERS])
def test_every_page_has_the_validators_and_headers_of_its_json(client: TestClient, path: str) -> None:
    got, head = client.get(path, headers=BROWSER), client.head(path, headers=BROWSER)
    for name in ("etag", "content-type", "content-length", "vary", "cache-control"):
        assert head.headers[name] == got.headers[name]
    assert "Accept" in [part.strip() for part in got.headers["vary"].split(",")]
    assert "unsafe" not in got.headers["content-security-policy"]
    again = client.get(path, headers={**BROWSER, "if-none-match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    if path != "/connect":
        assert client.get(path).headers["etag"] != got.headers["etag"]
        assert client.get(path, headers={"if-none-match": got.headers["etag"]}).status_code == 200


@pytest.mark.parametrize("path", [*PATHS, *ANSWERS])
def test_every_page_behind_a_proxy_leads_below_its_prefix(store: Store, path: str) -> None:
    app = proxied(store)
    answer = ask(app, path, {**BEHIND, **BROWSER})
    told = read(answer.body.decode())
    assert answer.status == 200
    tags = {"a": "href", "link": "href", "img": "src", "script": "src", "form": "action"}
    own = [str(one.get(name)) for tag, name in tags.items() for one in told.iter(tag)]
    assert [one for one in own if "atlas.example/" in one or "127.0.0.1" in one or one.startswith("/")] == []
    assert [one for one in own if one.startswith(BASE)]
    assert path != "/connect" or {BASE in text(one) for one in every(told, "pre")} == {True, False}, "a query of a file"
    styles = [str(one.get("href")) for one in told.iter("link")]
    assert all(ask(app, one.removeprefix(BASE), BEHIND).status == 200 for one in styles)


_PROXIED: dict[Any, FastAPI] = {}


def proxied(store: Store) -> FastAPI:
    if store.name not in _PROXIED:
        made = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, proxies=("127.0.0.0/8",)))
        _PROXIED[store.name] = made
    return _PROXIED[store.name]


# Each says what its JSON says.


def test_landing_page_says_what_its_json_says_and_leads_to_the_map_at_once(client: TestClient) -> None:
    told = as_json(client, "/")
    shown = page(client, "/")
    assert told["title"] in text(shown)
    assert told["description"] in text(shown)
    require_links(client, "/", told)
    (lead,) = every(shown, "a", class_="primary")
    assert (lead.get("href"), text(lead)) == ("http://testserver/map", "Open the map")
    picture = next(every(shown, "img", width="960"))
    answer = client.get(picture.get("src", ""))
    assert answer.headers["content-type"] == "image/png"


def test_conformance_page_has_every_class(client: TestClient) -> None:
    told = as_json(client, "/conformance")
    assert set(told["conformsTo"]) <= addresses(page(client, "/conformance"))
    require_links(client, "/conformance", told)


def test_collections_page_says_what_its_json_says(client: TestClient) -> None:
    told = as_json(client, "/collections")
    shown = page(client, "/collections")
    require_links(client, "/collections", told)
    for one in told["collections"]:
        require_described(one, text(shown), addresses(shown))


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_collection_page_says_what_its_json_says_and_its_columns(client: TestClient, collection: str) -> None:
    path = f"/collections/{collection}"
    told = as_json(client, path)
    shown = page(client, path)
    require_links(client, path, told)
    require_described(told, text(shown), addresses(shown))
    schema = as_json(client, f"{path}/queryables")["properties"]
    rows = {row[0]: row[1:] for row in cells(shown)[1:]}
    assert list(rows) == list(schema)
    for name, one in schema.items():
        assert rows[name][0] == one["description"]
        assert rows[name][2] == one.get("x-ogc-unit", "")
        assert all(value in rows[name][1] for value in one.get("enum", ()))
    copied = {text(one) for one in every(shown, "pre")}
    assert {f"http://testserver/tiles/{collection}.json", "http://testserver/"} <= copied


def require_described(told: Json, shown: str, found: set[str]) -> None:
    for value in (told["id"], told["title"], told["description"], told["itemType"]):
        assert value in shown
    spatial = told["extent"].get("spatial", {"bbox": [[]]})
    assert ", ".join(map(str, spatial["bbox"][0])) in shown
    for day in told["extent"]["temporal"]["interval"][0]:
        assert (day or "open") in shown
    assert {*told["crs"], told["storageCrs"], told["extent"]["temporal"]["trs"]} <= found
    own = {one["href"] for one in told["links"] if one["rel"] not in ("self", "alternate")}
    assert own <= found


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("query", ["limit=7", "limit=3&offset=4", "properties=&limit=2", "limit=2&crs=[EPSG:3857]"])
def test_table_has_every_value_of_every_feature(client: TestClient, collection: str, query: str) -> None:
    path = f"/collections/{collection}/items?{query}"
    told = as_json(client, path)
    shown = page(client, path)
    require_links(client, path, told)
    head, *rows = cells(shown)
    assert f"{told['numberMatched']} features" in text(shown)
    assert f"{told['numberReturned']} on this page" in text(shown)
    assert told["timeStamp"] in text(shown)
    assert len(rows) == len(told["features"])
    for row, feature in zip(rows, told["features"], strict=True):
        properties = feature["properties"]
        assert feature["id"] in row[0]
        assert (properties.get("title") or properties.get("name") or "") in row[0]
        rest = {name: value for name, value in properties.items() if name not in ("id", "title", "name")}
        assert len(head) == len(row) == len(rest) + 2
        for shown_value, (name, value) in zip(row[1:-1], rest.items(), strict=True):
            several = value if isinstance(value, list) else [] if value is None else [value]
            assert shown_value == ", ".join(worded(name, one) for one in several)
        if feature["geometry"] and feature["geometry"]["type"] == "Point":
            assert [float(part) for part in row[-1].split(", ")] == feature["geometry"]["coordinates"]


def test_pages_of_the_table_follow_each_other_to_the_end(client: TestClient) -> None:
    some = "/collections/attributions/items?country=AZ&limit="
    path, seen = f"{some}5", []
    while path:
        shown = page(client, path)
        seen += [row[0] for row in cells(shown)[1:]]
        path = next((str(one.get("href")) for one in every(shown, "a", rel="next")), "")
    assert len(seen) == len(set(seen)) == as_json(client, f"{some}1")["numberMatched"] > 10


def test_table_has_no_more_than_can_be_read(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes.ogc_features.MOST", 4)
    shown = page(client, "/collections/strikes/items?limit=50")
    assert len(cells(shown)) == 1 + 4
    (after,) = {str(one.get("href")) for one in every(shown, "a", rel="next")}
    assert "limit=4" in after
    assert len(as_json(client, "/collections/strikes/items?limit=50")["features"]) == 50


@pytest.mark.parametrize("path", [path for path in PATHS if re.search("/items/", path)])
def test_page_of_a_feature_has_all_of_it(client: TestClient, path: str) -> None:
    told = as_json(client, path)
    shown = page(client, path)
    require_links(client, path, told)
    listed = terms(shown)
    assert len(listed) == len(told["properties"])
    for (name, values), (key, value) in zip(listed.items(), told["properties"].items(), strict=True):
        assert key.replace("_", " ").startswith(name)
        several = value if isinstance(value, list) else [] if value in (None, "") else [value]
        assert values == ([worded(key, one) for one in several] or ["– none"])
    if told["geometry"]:
        assert '"coordinates":' in text(next(every(shown, "pre")))
        assert str(told["geometry"]["coordinates"]).replace(" ", "") in text(next(every(shown, "pre")))


def test_page_of_a_strike_leads_to_its_sources_owners_and_assets(client: TestClient, records: Records) -> None:
    found = addresses(page(client, ORLIVKA))
    strike = records.strikes["ua-orlivka-2025-08-06"]
    assert {records.sources[key].url for key in strike.sources} - {None} <= found
    assert "http://testserver/strikes/ua-orlivka-2025-08-06/attribution" in found
    assert "http://testserver/map#strike=ua-orlivka-2025-08-06" in found
    assets = as_json(client, ORLIVKA)["properties"]["assets"]
    assert assets
    assert {f"http://testserver/collections/assets/items/{key}" for key in assets} <= found


@pytest.mark.parametrize("kind", ["queryables", "sortables", "schema"])
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_schema_pages_have_every_property(client: TestClient, collection: str, kind: str) -> None:
    path = f"/collections/{collection}/{kind}"
    told = as_json(client, path)
    shown = page(client, path)
    assert told["title"] in text(shown)
    assert {told["$id"], told["$schema"]} <= addresses(shown)
    rows = {row[0].split()[0]: row[1:] for row in cells(shown)[1:]}
    assert list(rows) == list(told["properties"])
    for name, one in told["properties"].items():
        doc, values, unit, role = rows[name]
        assert (doc, unit) == (one.get("description", ""), one.get("x-ogc-unit", ""))
        assert all(str(part) in values for part in (one.get("type", ""), one.get("format", ""), *one.get("enum", ())))
        assert one.get("x-ogc-role", "") in role
        assert ("returned only" in role) == bool(one.get("readOnly"))


def test_definition_page_has_every_operation_with_its_parameters_and_answers(client: TestClient) -> None:
    told = as_json(client, "/api")
    shown = page(client, "/api")
    parts = {text(one[0]): one for one in every(shown, "details", class_="operation")}
    known = told["components"]["parameters"]
    count = 0
    for path, item in told["paths"].items():
        for method, operation in item.items():
            (part,) = [one for title, one in parts.items() if title.startswith(f"{method.upper()} {path} ")]
            count += 1
            names = [
                (known[one["$ref"].rpartition("/")[2]] if "$ref" in one else one)["name"]
                for one in operation["parameters"]
            ]
            assert [row[0] for row in cells(part)[1:]] == names
            assert set(operation["responses"]) == {
                text(one).split()[0] for one in next(every(part, "ul", class_="answers"))
            }
    assert count == len(parts)
    (limit,) = [row for row in cells(shown) if row[0] == "limit" and len(row) == 4]
    assert limit[2:] == ["integer; 1 to 10000", "100"]


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({}, "any"),
        ({"type": "integer", "minimum": 1, "maximum": 5}, "integer; 1 to 5"),
        ({"type": "number", "minimum": 0.5}, "number; from 0.5"),
        ({"type": "string", "enum": ["a", "b"]}, "string; one of a, b"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, "array of string; from 1 items"),
        ({"type": "string", "maxLength": 9}, "string; maxLength 9"),
        ({"format": "geometry-point"}, "geometry-point"),
    ],
)
def test_bounds_are_written_in_words(schema: Json, told: str) -> None:
    assert words(schema) == told


def worded(name: str, value: Any) -> str:
    """A value of a property as a page shows it; a date is in words."""
    return date_in_words(value) if name in DATED else said(value)


def members(told: Any) -> list[str]:
    """Every plain value of a JSON document but its links; dates are in words."""
    if isinstance(told, dict):
        is_claim = isinstance(told.get("field"), str) and told["field"] in DATED
        names = {*DATED, *(["value"] if is_claim else [])}
        dated = [name for name in told if name in names and isinstance(told[name], str)]
        rest = [one for name, part in told.items() if name not in (*dated, "links") for one in members(part)]
        return rest + [date_in_words(told[name]) for name in dated if told[name]]
    if isinstance(told, list):
        return [one for part in told for one in members(part)]
    return [] if told is None or told == "" else [said(told)]


@pytest.mark.parametrize("path", ANSWERS)
def test_page_of_any_other_answer_has_every_member(client: TestClient, path: str) -> None:
    told = as_json(client, path)
    shown = page(client, path)
    assert [one for one in members(told) if one not in text(shown)] == []
    assert re.findall(r'"\d{4}-\d{2}-\d{2}"', text(next(shown.iter("body")))) == [], "days are no JSON"
    (same,) = [one.get("href") for one in every(shown, "a", class_="plain") if text(one) == "As JSON"]
    assert client.get(str(same), headers=BROWSER).json() == told
    if "links" in told:
        require_links(client, path, told)


def test_owners_of_hits_are_named_and_lead_to_their_records(client: TestClient) -> None:
    row = as_json(client, "/collections/hits/items?filter=reading = 'control' AND country = 'AZ'&limit=1")["features"][
        0
    ]
    page = client.get(f"/collections/hits/items/{row['id']}", headers=BROWSER).text
    for owner, name in zip(row["properties"]["owners"], row["properties"]["owner_names"], strict=True):
        address = f"/records/entities/{owner}"
        assert re.search(rf'<a href="[^"]*{address}">{owner}</a></bdi> <span class="quiet"><bdi>{name}</bdi>', page)
        assert client.get(address).status_code == 200


def test_a_line_names_its_stations_with_their_strikes_and_a_station_its_line(client: TestClient) -> None:
    line = text(page(client, "/collections/assets/items/a-druzhba"))
    assert "Unecha pump station, Druzhba (4 strikes)" in line
    assert re.search(r"Part of\s*Druzhba oil pipeline", text(page(client, "/collections/assets/items/a-unecha")))


@pytest.mark.parametrize(
    ("language", "place"),
    [
        ("en", "course drawn through points (settlement), right to within 50 km"),
        ("de", "Verlauf durch Punkte gezeichnet (Ort), auf 50 km genau"),
        ("uk", "трасу проведено через точки (населений пункт), з точністю 50 км"),
    ],
)
def test_a_line_is_said_to_be_drawn_so_exactly_and_not_to_be_a_point(
    client: TestClient, language: str, place: str
) -> None:
    line = client.get(f"/collections/assets/items/a-druzhba?lang={language}", headers={"Accept": "text/html"}).text
    assert place in line.replace("\N{NO-BREAK SPACE}", " ")
    assert "±" not in line


def test_the_map_of_a_page_tells_the_answer_and_has_a_key_where_it_shows_strikes(client: TestClient) -> None:
    country = page(client, "/countries/AZ")
    picture = next(every(country, "img", width="640"))
    assert (
        picture.get("alt")
        == "Map. 6 strikes for sure on what was owned in Azerbaijan, wholly or in part; 1 more possible."
    )
    assert "Circle: oil" in text(next(every(country, "figcaption")))
    site = page(client, "/collections/assets/items/a-unecha")
    assert str(next(every(site, "img", width="960")).get("alt")).startswith("Map. On ")
    assert not list(every(site, "figcaption"))


def test_what_is_not_known_has_open_shares_and_ends(client: TestClient) -> None:
    plant = text(page(client, "/collections/strikes/items/ru-nevinnomyssk-2025-06-14"))
    assert "How much was owned in each: Switzerland 0–100" in plant
    assert "Until when Sarsang oil field was offline, from 15 July 2025 on." in text(
        page(client, "/collections/strikes/items/iq-sarsang-2025-07-15")
    )
