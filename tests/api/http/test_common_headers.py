"""Methods, sharing and validators of every answer: OPTIONS by route, HEAD of streams, tags, caching."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.app import create_app
from api.http.common_headers import CommonHeaders, HeadAndOptions, allow_header
from api.http.conditional import cache_control, etag_for_coding, is_unmodified_since, matching_etag, strong_etag
from api.responses.errors import install
from api.server.build_id import build_id
from api.settings import Settings
from layers.store.store import Store
from tests.api.asgi import ask
from tests.api.conftest import Own
from tests.conftest import BASEMAP
from tests.store_copies import opened_copy
from tests.store_kinds import NewStore, again, behind_its_back

EXPOSED = {
    "Accept-Ranges", "Allow", "Atlas-Seq", "Content-Bbox", "Content-Crs", "Content-Range", "ETag", "Link", "Location",
    "Retry-After", "WWW-Authenticate",
}  # fmt: skip


def small() -> tuple[FastAPI, list[str]]:
    """An application with a route for each method, and what its stream came to do."""
    app, done = FastAPI(openapi_url=None), list[str]()

    @app.get("/things")
    def things() -> Response:
        return Response(b"things", headers={"ETag": '"v1"'})

    @app.post("/things")
    def add() -> Response:
        return Response(b"", 201)

    @app.delete("/things/{thing}")
    def drop(thing: str) -> Response:
        return Response(status_code=204)

    @app.get("/stream")
    async def stream() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            try:
                for _ in range(1000):
                    yield b"x" * 1000
                    await asyncio.sleep(0.001)
                done.append("all of it")
            finally:
                done.append("ended")

        return StreamingResponse(parts(), media_type="text/csv")

    @app.get("/fail")
    def fail() -> Response:
        raise RuntimeError("secret")

    install(app)
    app.add_middleware(HeadAndOptions)
    app.add_middleware(CommonHeaders)
    return app, done


# Methods.


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/things", "GET, HEAD, POST, OPTIONS"),
        ("/things/one", "DELETE, OPTIONS"),
        ("/stream", "GET, HEAD, OPTIONS"),
        ("/nothing", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_names_the_methods_of_the_path_to_programs_and_browsers(path: str, methods: str) -> None:
    headers = {"origin": "https://elsewhere.example", "authorization": "Bearer x"}
    answer = ask(small()[0], path, headers, "OPTIONS")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["allow"] == answer.headers["access-control-allow-methods"] == methods
    assert answer.headers["access-control-allow-origin"] == "*"


def test_options_offers_no_writing_without_a_token_where_there_is_reading() -> None:
    assert ask(small()[0], "/things", method="OPTIONS").headers["allow"] == "GET, HEAD, OPTIONS"
    assert ask(small()[0], "/things/one", method="OPTIONS").headers["allow"] == "DELETE, OPTIONS"
    preflight = ask(small()[0], "/things", {"access-control-request-method": "POST"}, "OPTIONS")
    assert preflight.headers["access-control-allow-methods"] == "GET, HEAD, POST, OPTIONS"


def test_a_method_that_is_not_there_is_told_those_that_are() -> None:
    for path, allow in (("/things", "GET, HEAD, POST, OPTIONS"), ("/things/one", "DELETE, OPTIONS")):
        answer = ask(small()[0], path, method="PUT")
        assert (answer.status, answer.headers["allow"]) == (405, allow)


def test_allow_has_its_own_order_and_head_where_get_is() -> None:
    assert allow_header(["PUT", "GET"]) == "GET, HEAD, PUT, OPTIONS"
    assert allow_header(["POST"]) == "POST, OPTIONS"


def test_head_of_a_stream_ends_with_its_headers() -> None:
    app, done = small()
    answer = ask(app, "/stream", method="HEAD")
    assert (answer.status, answer.body, answer.ended) == (200, b"", True)
    assert answer.headers["content-type"].startswith("text/csv")
    assert done == ["ended"], "the body was made for nobody"


@pytest.mark.parametrize("path", ["/things", "/fail", "/nothing"])
def test_head_has_the_headers_of_get(path: str) -> None:
    head, got = ask(small()[0], path, method="HEAD"), ask(small()[0], path)
    assert (head.status, head.headers, head.body, head.ended) == (got.status, got.headers, b"", True)


# Sharing.


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PUT"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/collections/strikes/items?limit=1",
        "/collections/strikes/items?limit=x",
        "/tiles/strikes/0/0/0.mvt",
        "/static/style.css",
        "/nothing",
        "/health",
        "/metrics",
        "/fail",
        "/%ff",
        f"/?q={'x' * 9000}",
        "/review/queue",
    ],
)
def test_any_page_may_read_every_answer_and_its_headers(own: Own, path: str, method: str) -> None:
    answer = ask(own.app, path, {"origin": "https://elsewhere.example"}, method)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")} == EXPOSED
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.ended


def test_a_route_may_have_a_policy_of_its_own() -> None:
    app, _ = small()

    @app.get("/page")
    def page(request: Request) -> Response:
        return Response(b"", headers={"Content-Security-Policy": "default-src 'self'"})

    assert ask(app, "/page").headers["content-security-policy"] == "default-src 'self'"


# Tags.


@pytest.mark.parametrize("part", ["version", "media type", "part"])
def test_a_tag_differs_in_everything_that_it_is_made_of(part: str) -> None:
    tag = strong_etag("1-a", "application/json", "en")
    other = {
        "version": strong_etag("2-a", "application/json", "en"),
        "media type": strong_etag("1-a", "application/geo+json", "en"),
        "part": strong_etag("1-a", "application/json", "de"),
    }[part]
    assert tag != other
    assert tag.startswith('"')


@given(parts=st.lists(st.text(max_size=20), min_size=2, max_size=4))
def test_a_tag_is_one_that_http_allows(parts: list[str]) -> None:
    """RFC 9110, 8.8.3: etagc."""
    tag = etag_for_coding(strong_etag(*parts), "gzip")
    assert tag[0] == tag[-1] == '"'
    assert all(0x21 <= ord(letter) < 0x7F and letter != '"' for letter in tag[1:-1])
    assert matching_etag(tag, strong_etag(*parts), "gzip") == tag


@pytest.mark.parametrize(
    ("known", "accepted", "found"),
    [
        ('"v"', None, '"v"'),
        ('"v-gzip"', "gzip", '"v-gzip"'),
        ('W/"v-gzip", "other"', "gzip", '"v-gzip"'),
        ('"v-gzip"', None, None),
        ('"v-gzip"', "gzip;q=0", None),
        ('"v-gzip"', "br", None),
        ('"v-lzma"', "lzma", None),
        ('"w"', "gzip", None),
        ("v", "gzip", None),
        ('"' * 4001, "gzip", None),
    ],
)
def test_a_tag_matches_in_the_codings_that_are_taken(known: str, accepted: str | None, found: str | None) -> None:
    assert matching_etag(known, '"v"', accepted) == found


@pytest.mark.parametrize("date", ["", "0", "Wed, 99 Aug 2025 12:00:00 GMT", "2025-08-06", "\xff", "Wed, 06 Aug 99999"])
def test_a_date_that_is_none_is_disregarded(date: str) -> None:
    assert not is_unmodified_since(date, "Wed, 06 Aug 2025 12:00:00 GMT")
    assert not is_unmodified_since("Wed, 06 Aug 2025 12:00:00 GMT", date)


def test_caching_is_asked_for_each_time_unless_it_is_set(store: Store) -> None:
    assert cache_control(0) == "no-cache"
    app = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, cache_s=300))
    for path in ("/collections/strikes/items", "/tiles/strikes/0/0/0.mvt", "/about"):
        assert ask(app, path).headers["cache-control"] == "public, max-age=300"


def test_what_answers_depend_on_is_in_the_name_of_the_edition() -> None:
    plain = Settings()
    assert build_id(plain) == build_id(dataclasses.replace(plain, tiles_cached=1, cache_s=9))
    for other in (Settings(limit_default=1), Settings(limit_max=1), Settings(attribution="others")):
        assert build_id(plain) != build_id(other)


# Versions of the data.


def test_the_time_of_an_answer_is_that_of_its_data(own: Own) -> None:
    stamp = ask(own.app, "/collections/strikes/items?limit=1")
    changed = own.app.state.atlas.view.changed
    assert f'"timeStamp":"{changed:%Y-%m-%dT%H:%M:%SZ}"'.encode() in stamp.body.replace(b" ", b"")
    assert changed.tzinfo is UTC or changed.utcoffset() == UTC.utcoffset(None)
    assert changed <= datetime.now(UTC)


def test_two_servers_of_one_store_give_the_same_tags_and_bytes(store: Store, app: FastAPI) -> None:
    other = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, embedders=("https://news.example",)))
    items, few = "/collections/strikes/items", "/collections/countries/items?limit=5"
    for path in (items, few, "/tiles/assets/4/9/5.mvt", "/about"):
        first, second = ask(app, path), ask(other, path)
        assert (first.headers["etag"], first.body) == (second.headers["etag"], second.body)


def test_what_another_program_changed_has_another_tag(few_store: Store, tmp_path: Path) -> None:
    """Such a change has no number in the history."""
    store = opened_copy(few_store, tmp_path / "atlas.gpkg")
    settings = Settings(basemap=BASEMAP, follow_every_s=0)
    before = create_app(store, settings).state.atlas.view
    store.close()
    behind_its_back(store, "UPDATE strikes SET title = 'another title' WHERE fid = 1")
    after = create_app(again(store), settings).state.atlas.view
    assert (before.snapshot.seq, before.changed) == (after.snapshot.seq, after.changed)
    assert before.version != after.version


def test_an_empty_store_has_a_version_too(new_shared_store: NewStore) -> None:
    app = create_app(new_shared_store(), Settings(basemap=BASEMAP))
    view = app.state.atlas.view
    assert (view.changed.hour, view.changed.minute) == (0, 0)
    assert f"{view.changed:%Y%m%d}" in view.version
