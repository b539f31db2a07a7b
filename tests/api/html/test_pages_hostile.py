"""Whatever records say, and whoever asks: on a page it is text."""

from __future__ import annotations

import re

from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from api.html import pages
from layers.model.records import Records
from tests.api.asgi import scope_of
from tests.api.conftest import Own
from tests.api.html_reading import cells, page, read, terms, text

ORLIVKA = "/collections/strikes/items/ua-orlivka-2025-08-06"
HOSTILE = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg/onload=alert(1)>", "</title><script>",
    "{{ 7 * 7 }}{% raw %}", "&lt;b&gt;", "\u202eevil\u2066", "javascript:alert(1)", "\x00\x0b\ufffe", "</textarea>",
    "<!--", "]]>", "a\u2028b", "&#60;script&#62;",
)  # fmt: skip
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)).map(lambda told: f"x{told}x")


def request_of(app: FastAPI, path: str) -> Request:
    parts = path.split("/")
    scope = {**scope_of(path, []), "app": app, "path_params": {"collection": parts[2]}}
    return Request(scope)


def readable(told: str) -> str:
    """A text as a page may hold it."""
    plain = re.sub("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef]", "\ufffd", told)
    plain = "".join("\ufffd" if ord(one) & 0xFFFE == 0xFFFE else one for one in plain)
    return " ".join(plain.split())


@settings(max_examples=120)
@given(title=hostile, place=hostile, key=hostile)
def test_data_is_never_html_on_the_page_of_a_feature(app: FastAPI, title: str, place: str, key: str) -> None:
    request = request_of(app, ORLIVKA)
    view = app.state.atlas.view
    told = {
        "type": "Feature",
        "id": key,
        "geometry": None,
        "properties": {"id": key, "title": title, "place": place, "assets": [title, place], key: None},
        "links": [],
    }
    plain = pages.page(request, view, "item", {**told, "id": "x", "properties": {
        "id": "x", "title": "x", "place": "x", "assets": ["x", "x"], "y": None}})  # fmt: skip
    shown = read(pages.page(request, view, "item", told).decode())
    assert [one.tag for one in shown.iter()] == [one.tag for one in read(plain.decode()).iter()]
    listed = terms(shown)
    assert listed["title"] == [readable(title)]
    assert listed["place"] == [readable(place)]
    assert listed["assets"] == [readable(title), readable(place)]
    assert text(next(shown.iter("h1"))) == readable(title)


@settings(max_examples=60)
@given(title=hostile, place=hostile, asked=hostile)
def test_data_is_never_html_in_a_table_or_a_form(app: FastAPI, title: str, place: str, asked: str) -> None:
    view = app.state.atlas.view
    feature = {"type": "Feature", "id": "a", "geometry": None, "properties": {"title": title, "place": place}}
    told = {"features": [feature], "links": [], "numberMatched": 1, "numberReturned": 1, "timeStamp": "now"}
    request = request_of(app, "/collections/strikes/items")
    request.__dict__["_query_params"] = {"filter": asked, "kind": asked}
    shown = read(pages.page(request, view, "items", told).decode())
    assert cells(shown)[1] == [f"{readable(title)} a", readable(place), ""]
    fields = {str(one.get("name")): str(one.get("value")) for one in shown.iter("input")}
    assert readable(fields["filter"]) == readable(fields["kind"]) == readable(asked)
    assert len(list(shown.iter("script"))) == 1


def test_a_hostile_record_is_text_all_the_way(own: Own, records: Records) -> None:
    strike = next(iter(records.strikes.values()))
    evil = {"title": HOSTILE[1], "place": HOSTILE[0], "attacker": "\u202e<b>x</b>"}
    own.store.append("strikes", strike.model_copy(update={**evil, "id": "zz-evil", "dataset": "mine"}), author="tests")
    own.app.state.atlas.refresh()
    for path in ("/collections/strikes/items/zz-evil", "/collections/strikes/items?id=zz-evil"):
        shown = page(own.client, path)
        assert all(value in text(shown) for value in evil.values())
        assert len([one for one in shown.iter("script") if one.get("src")]) == 1
        assert {one.get("class") for one in shown.iter("svg")} <= {"bar"}
        assert "\u202e" not in text(next(shown.iter("title")))
