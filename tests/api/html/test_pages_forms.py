"""Pages as readers use them: the form that narrows a list, the pictures, and errors."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.html.map_images import framed
from tests.api.html_reading import BROWSER, addresses, every, page, text

ORLIVKA = "/collections/strikes/items/ua-orlivka-2025-08-06"


# The form.


def test_form_asks_what_its_fields_say_and_leaves_out_the_empty(client: TestClient) -> None:
    path = "/collections/strikes/items?kind=refinery&limit=2"
    (form,) = every(page(client, path), "form")
    fields = {str(one.get("name")): one.get("value") or "" for one in form.iter("input")}
    assert fields == {"kind": "refinery", "bbox": "", "datetime": "", "filter": "", "limit": "2"}
    asked = {**fields, "sortby": "", "datetime": "2025-01-01/2025-12-31"}
    sent = client.get(form.get("action", ""), params=asked, headers=BROWSER, follow_redirects=False)
    assert sent.status_code == 303
    query = {"kind": "refinery", "datetime": "2025-01-01/2025-12-31", "limit": "2"}
    assert parse_qs(urlsplit(sent.headers["location"]).query) == {name: [value] for name, value in query.items()}
    told = client.get("/collections/strikes/items", params=query).json()
    assert f"{told['numberMatched']} features match" in text(page(client, sent.headers["location"]))


def test_the_filter_in_force_is_shown_and_can_be_removed(client: TestClient) -> None:
    shown = page(client, "/collections/strikes/items?kind=refinery&filter=n_sources%20%3E%201&limit=2&offset=1")
    (asked,) = every(shown, "ul", class_="asked")
    assert [text(one) for one in asked] == ["kind refinery ×", "filter n_sources > 1 ×"]
    left = [parse_qs(urlsplit(str(one.get("href"))).query) for one in asked.iter("a")]
    assert left == [{"filter": ["n_sources > 1"], "limit": ["2"]}, {"kind": ["refinery"], "limit": ["2"]}]


def test_only_a_page_with_a_form_may_send_one(client: TestClient) -> None:
    for path, allowed in (("/collections/strikes/items", "'self'"), (ORLIVKA, "'none'"), ("/", "'none'")):
        policy = client.get(path, headers=BROWSER).headers["content-security-policy"]
        assert f"form-action {allowed};" in policy
        assert policy.startswith("default-src 'none'; script-src 'self';")


def test_an_empty_parameter_that_no_field_sends_is_still_wrong(client: TestClient) -> None:
    assert client.get("/collections/strikes/items?crs=", headers=BROWSER).status_code == 400
    assert client.get("/collections/strikes/items?bbox=").status_code == 400, "of JSON an empty box is none"


# Pictures.


def test_picture_shows_what_matches_and_no_more(client: TestClient) -> None:
    shown = page(client, "/collections/strikes/items?kind=refinery&limit=3")
    picture = next(every(shown, "img", width="960"))
    query = parse_qs(urlsplit(str(picture.get("src"))).query)
    assert (query["collections"], query["kind"]) == (["strikes"], ["refinery"])
    assert client.get(picture.get("src", "")).content != client.get(
        str(picture.get("src")).replace("&kind=refinery", "")
    ).content  # fmt: skip
    boxed = page(client, "/collections/strikes/items?bbox=30,45,33,48&limit=500")
    assert "All that match but for the box" in text(next(every(boxed, "figure")))
    nothing = page(client, "/collections/strikes/items?title=nothing")
    assert not [one for one in nothing.iter("img") if "/map" in (one.get("src") or "")]
    assert "Nothing matches." in text(nothing)


edges = st.tuples(st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90))


@given(edges, st.sampled_from([960 / 540, 480 / 400]))
def test_frame_of_a_picture_is_in_the_world_and_holds_what_it_can(box: Any, ratio: float) -> None:
    west, east = sorted((box[0], box[2]))
    south, north = sorted((box[1], box[3]))
    left, bottom, right, top = framed((west, south, east, north), ratio)
    assert -180.001 <= left < right <= 180.001
    assert -85.1 <= bottom < top <= 85.1
    assert left <= west + 1e-6
    assert east <= right + 1e-6


@pytest.mark.parametrize(
    ("path", "key"), [("/countries/AZ", "the share of the country"), ("/entities/socar/holdings", "Blue in")]
)
def test_the_key_of_a_picture_tells_what_its_symbols_are_filled_by(client: TestClient, path: str, key: str) -> None:
    assert key in client.get(path, headers=BROWSER).text


def test_map_of_other_collections_takes_what_selects_of_one_alone(client: TestClient) -> None:
    start = "/map?f=png&bbox=20,40,60,60&width=200"
    plain = client.get(start).content
    assert client.get(f"{start}&collections=assets,strikes").content == plain
    assert client.get(f"{start}&collections=strikes").content != plain
    refineries = client.get(f"{start}&collections=strikes&kind=refinery").content
    assert client.get(f"{start}&collections=strikes&filter=kind='refinery'").content == refineries
    for query in ("collections=x", "collections=", "collections=strikes,strikes", "kind=refinery",
                  "collections=assets,strikes&kind=refinery"):  # fmt: skip
        assert client.get(f"{start}&{query}").status_code == 400


# Errors.


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing-here", 404, "Not Found"),
        ("/collections/nothing", 404, "No collection 'nothing'"),
        ("/collections/strikes/items?bbox=1,2,3", 400, "bbox"),
        ("/collections/strikes/items/<script>alert(1)</script>", 404, "<script>alert(1)</script>"),
        ("/strikes/nothing/attribution", 404, "no strike 'nothing'"),
        ("/countries/AZ?relation=boss", 400, "relation"),
    ],
)
def test_an_error_is_a_page_for_a_browser_and_a_problem_for_a_program(
    client: TestClient, path: str, status: int, words: str
) -> None:
    shown = page(client, path, status)
    assert words in text(shown)
    assert "http://testserver/map" in addresses(shown)
    told = client.get(path)
    assert (told.status_code, told.headers["content-type"]) == (status, "application/problem+json")
    assert told.json()["title"] in text(shown)
    assert told.json()["detail"] in text(shown)
    assert "Accept" in told.headers["vary"]
    f = "&f=json" if "?" in path else "?f=json"
    assert client.get(f"{path}{f}", headers=BROWSER).headers["content-type"] == "application/problem+json"


def test_what_no_browser_asks_for_as_a_page_is_a_problem(client: TestClient) -> None:
    answer = client.post("/collections/strikes/items", headers=BROWSER, json={})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
