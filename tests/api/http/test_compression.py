"""Answers in the coding that a client prefers, whole and streamed; each with a tag of its own, and 304 by it."""

from __future__ import annotations

import asyncio
import gc
import gzip
import sys
from collections.abc import AsyncIterator, Callable

import brotli
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from api.http.compression import MIN_COMPRESSED_BYTES, Compression
from api.http.conditional import CODINGS, accepts, encode, is_compressible, negotiate_coding
from layers.model.cache import LruCache
from tests.api.asgi import Answer, ask, asked, scope_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DECODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}
TEXT = b'{"type":"Feature","id":"ua-orlivka-2025-08-06"},' * 200


def plain(body: bytes, coding: str | None) -> bytes:
    return DECODE[coding](body) if coding else body


def decoded(answer: Answer) -> bytes:
    return plain(answer.body, answer.headers.get("content-encoding"))


def app_with(*routes: Route, kept: int = 2**20) -> Compression:
    return Compression(Starlette(routes=list(routes)), kept)


def answering(body: bytes, media_type: str = "application/json", status: int = 200, **headers: str) -> Compression:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def route(request: Request) -> Response:
        return Response(body, status, media_type=media_type, headers=named)

    return app_with(Route("/", route))


# Which coding (RFC 9110, 12.5.3).


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP;Q=0.5", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.8, zstd;q=0.1", "gzip"),
        ("gzip;q=0.2,br;q=0.9", "br"),
        ("gzip;q=0", None),
        ("gzip;q=0, br;q=0.000", None),
        ("gzip;q=0.5, identity;q=0.9", None),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("*", "gzip"),
        ("*;q=0", None),
        ("gzip;q=0, *", None),
        ("br;q=0.1, *;q=0.9", "gzip"),
        ("deflate, compress", None),
        ("zstd;q=nan", None),
        ("zstd;q=2, br;q=-1, gzip;q=0.0001", None),
        (";;;,,, ;q=1", None),
        ("gzip;level=9", None),
    ],
)
def test_the_coding_of_most_weight_is_chosen(accepted: str | None, coding: str | None) -> None:
    assert negotiate_coding(accepted) == coding


@given(accepted=st.text(max_size=60))
def test_any_header_gives_a_coding_that_it_takes(accepted: str) -> None:
    coding = negotiate_coding(accepted)
    assert coding is None or accepts(accepted, coding)


@pytest.mark.parametrize("coding", CODINGS)
@given(body=st.binary(max_size=2400))
def test_a_body_is_what_was_put_in(coding: str, body: bytes) -> None:
    assert DECODE[coding](encode(body, coding)) == body


@pytest.mark.parametrize("coding", CODINGS)
def test_the_same_body_gives_the_same_bytes_and_fewer(coding: str) -> None:
    assert encode(TEXT, coding) == encode(TEXT, coding)
    assert len(encode(TEXT, coding)) < len(TEXT) / 10


@pytest.mark.parametrize(
    "media_type",
    [
        "application/geo+json",
        "application/json; charset=utf-8",
        "text/html; charset=utf-8",
        "TEXT/CSV",
        "application/vnd.mapbox-vector-tile",
        "application/vnd.oai.openapi+json;version=3.0",
        "application/flatgeobuf",
        "image/svg+xml",
        "text/javascript",
    ],
)
def test_text_and_the_like_is_compressed(media_type: str) -> None:
    assert is_compressible(media_type.encode())
    assert ask(answering(TEXT, media_type), headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    "media_type",
    [
        "image/png",
        "image/jpeg",
        "font/woff2",
        "application/zip",
        "application/vnd.apache.parquet",
        "application/pdf",
        "",
    ],
)
def test_what_is_compressed_already_is_left(media_type: str) -> None:
    answer = ask(answering(TEXT, media_type), headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert "vary" not in answer.headers
    assert answer.body == TEXT


# Whole answers.


@pytest.mark.parametrize("coding", [*CODINGS, None])
def test_an_answer_says_its_coding_and_its_length_and_bears_a_tag_of_its_own(coding: str | None) -> None:
    answer = ask(answering(TEXT, etag='"v1-json"'), headers={"accept-encoding": coding} if coding else {})
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["etag"] == (f'"v1-json-{coding}"' if coding else '"v1-json"')
    assert answer.headers["vary"] == "Accept-Encoding"
    assert decoded(answer) == TEXT


def test_a_small_body_is_sent_as_it_is_unless_that_is_refused() -> None:
    small = answering(TEXT[: MIN_COMPRESSED_BYTES - 1])
    assert "content-encoding" not in ask(small, headers={"accept-encoding": "gzip"}).headers
    answer = ask(answering(TEXT[:MIN_COMPRESSED_BYTES]), headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    for refusing in ("gzip, identity;q=0", "gzip, *;q=0"):
        assert ask(small, headers={"accept-encoding": refusing}).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("status", [201, 404, 503])
def test_other_statuses_are_compressed_alike(status: int) -> None:
    answer = ask(answering(TEXT, status=status), headers={"accept-encoding": "zstd"})
    assert (answer.status, decoded(answer)) == (status, TEXT)


@pytest.mark.parametrize("headers", [{"content_encoding": "gzip"}, {"content_range": "bytes 0-9/99"}])
def test_what_is_coded_or_a_part_is_passed_on(headers: dict[str, str]) -> None:
    answer = ask(answering(TEXT, etag='"v1"', **headers), headers={"accept-encoding": "br"})
    assert answer.body == TEXT
    assert answer.headers["etag"] == '"v1"'
    assert answer.headers.get("content-encoding") == headers.get("content_encoding")


def test_vary_names_what_there_was_before_too() -> None:
    asking = {"accept-encoding": "gzip"}
    assert ask(answering(TEXT, vary="Accept"), headers=asking).headers["vary"] == "Accept, Accept-Encoding"
    assert ask(answering(TEXT, vary="accept-encoding"), headers=asking).headers["vary"] == "accept-encoding"
    assert ask(answering(b"{}", vary="Accept"), headers=asking).headers["vary"] == "Accept, Accept-Encoding"


# Conditional requests (RFC 9110, 13).


@pytest.mark.parametrize("coding", [*CODINGS, None])
def test_each_tag_is_answered_304(coding: str | None) -> None:
    app, asking = answering(TEXT, etag='"v1"', cache_control="no-cache"), {"accept-encoding": coding or "identity"}
    tag = ask(app, headers=asking).headers["etag"]
    for known in (tag, f'"v0", {tag}', f"W/{tag}", "*"):
        again = ask(app, headers={**asking, "if-none-match": known})
        assert (again.status, again.body, again.ended) == (304, b"", True)
        assert again.headers == {"cache-control": "no-cache", "vary": "Accept-Encoding", "etag": tag}


@pytest.mark.parametrize("known", ['"v1-gzip"', '"v1-br"', '"v2"', '"v1-"', '"v1-zstd-zstd"', "v1", "", ",", '"v1'])
def test_a_tag_of_another_version_or_of_a_coding_that_is_not_taken_is_no_match(known: str) -> None:
    app = answering(TEXT, etag='"v1"')
    assert ask(app, headers={"accept-encoding": "zstd", "if-none-match": known}).status == 200


def test_the_representation_that_a_client_has_counts_in_any_coding_that_it_takes() -> None:
    app = answering(TEXT, etag='"v1"')
    for known in ('"v1"', '"v1-gzip"', '"v1-zstd"'):
        again = ask(app, headers={"accept-encoding": "gzip, zstd", "if-none-match": known})
        assert (again.status, again.headers["etag"]) == (304, known)


def test_only_a_good_answer_to_get_is_conditional() -> None:
    for app, method in ((answering(TEXT, etag='"v1"', status=404), "GET"), (answering(TEXT, etag='"v1"'), "POST")):
        assert ask(app, headers={"if-none-match": "*"}, method=method).status in (404, 405)


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Wed, 06 Aug 2025 12:00:00 GMT", 304),
        ("Thu, 07 Aug 2025 00:00:00 GMT", 304),
        ("Wed, 06 Aug 2025 11:59:59 GMT", 200),
        ("yesterday", 200),
        ("", 200),
    ],
)
def test_a_time_counts_where_one_is_given_and_no_tag_is_known(since: str, status: int) -> None:
    app = answering(TEXT, last_modified="Wed, 06 Aug 2025 12:00:00 GMT", etag='"v2"')
    assert ask(app, headers={"if-modified-since": since}).status == status
    assert ask(app, headers={"if-modified-since": since, "if-none-match": '"v1"'}).status == 200


# Streams.


def streaming(parts: list[bytes], size: int | None = None, **headers: str) -> Compression:
    async def body() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    def route(request: Request) -> Response:
        length = {} if size is None else {"content-length": str(size)}
        return StreamingResponse(body(), media_type="application/geo+json", headers={**length, **headers})

    return app_with(Route("/", route))


def test_a_stream_is_sent_as_it_is_and_comes_part_by_part() -> None:
    answer = ask(streaming([TEXT] * 5, etag='"v1"'), headers={"accept-encoding": "gzip"})
    assert (answer.body, answer.headers["etag"]) == (TEXT * 5, '"v1"')
    assert answer.headers["vary"] == "Accept-Encoding"
    assert len(answer.parts) == 6


def test_a_stream_that_the_client_has_is_not_sent() -> None:
    answer = ask(
        streaming([TEXT, TEXT], etag='"v1"'), headers={"accept-encoding": "gzip", "if-none-match": '"v1-gzip"'}
    )
    assert (answer.status, answer.body, answer.ended) == (304, b"", True)


def test_a_file_that_comes_in_parts_is_compressed_whole_if_it_is_not_large() -> None:
    answer = ask(streaming([TEXT, TEXT], size=2 * len(TEXT)), headers={"accept-encoding": "br"})
    assert answer.headers["content-length"] == str(len(answer.body))
    assert decoded(answer) == TEXT * 2


@pytest.mark.parametrize("size", [100, 1000, 300_000])
def test_an_answer_is_gone_when_it_was_sent(size: int) -> None:
    """Nothing of it waits for the collector, whose walk would take time from others, and the body room until then."""
    app = streaming([b"x" * 300_000] * 3) if size > 2**18 else answering(b"x" * size, etag='"v1"')

    async def many() -> int:
        gc.collect()
        gc.disable()
        for _ in range(50):
            await asked(app, scope_of("/", [("accept-encoding", "gzip")]))
        gc.enable()
        return gc.collect()

    assert asyncio.run(many()) < 50


# What is kept.


def test_a_body_is_compressed_once_for_each_address_tag_and_coding(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, str]] = []

    def counted(body: bytes, coding: str) -> bytes:
        made.append((len(body), coding))
        return encode(body, coding)

    monkeypatch.setattr("api.http.compression.encode", counted)
    body, headers = TEXT, {"etag": '"v1"'}

    def route(request: Request) -> Response:
        return Response(body, media_type="application/json", headers=headers)

    app = app_with(Route("/", route))
    asking = {"accept-encoding": "gzip"}
    assert decoded(ask(app, headers=asking)) == decoded(ask(app, headers=asking)) == TEXT
    assert len(made) == 1
    ask(app, headers={"accept-encoding": "br"})
    ask(app, "/?limit=1", headers=asking)
    assert len(made) == 3
    body, headers = TEXT * 2, {"etag": '"v2"'}
    assert decoded(ask(app, headers=asking)) == TEXT * 2
    body, headers = TEXT, {"etag": 'W/"v3"'}
    ask(app, headers=asking)
    ask(app, headers=asking)
    assert len(made) == 6, "a weak tag does not tell one body from another"


def test_what_is_for_one_person_is_not_kept() -> None:
    owner = ""

    def route(request: Request) -> Response:
        headers = {"etag": '"v1"', "cache-control": "no-store" if owner == "nobody" else "no-cache"}
        return Response(owner.encode() * 999, media_type="text/plain", headers=headers)

    app, asking = app_with(Route("/", route)), {"accept-encoding": "gzip"}
    for owner in ("ann", "ben"):
        assert decoded(ask(app, headers={**asking, "authorization": f"Bearer {owner}"})) == owner.encode() * 999
    owner = "nobody"
    assert decoded(ask(app, headers=asking)) == b"nobody" * 999
    owner = "all"
    assert decoded(ask(app, headers=asking)) == b"all" * 999


def test_kept_bodies_take_no_more_room_than_they_are_given() -> None:
    kept: LruCache[bytes] = LruCache(100, len, 25)
    for key in range(9):
        kept.put((key,), b"x" * 20)
        kept.get((0,))
    assert [key for key in range(9) if kept.get((key,))] == [0, 5, 6, 7, 8]
    kept.put(("large",), b"x" * 26)
    assert kept.get(("large",)) is None


# The whole application.


@pytest.mark.parametrize("path", ["/collections/assets/items?limit=50", "/api", "/static/app.js", "/countries"])
@pytest.mark.parametrize("coding", CODINGS)
def test_every_route_answers_in_each_coding_and_knows_its_tags(app: FastAPI, path: str, coding: str) -> None:
    whole, answer = ask(app, path), ask(app, path, {"accept-encoding": coding})
    assert answer.headers["content-encoding"] == coding
    assert decoded(answer) == whole.body
    assert whole.headers["etag"] != answer.headers["etag"]
    assert "Accept-Encoding" in whole.headers["vary"]
    assert ask(app, path, {"accept-encoding": coding, "if-none-match": answer.headers["etag"]}).status == 304
    assert ask(app, path, {"if-none-match": answer.headers["etag"]}).status == 200


@pytest.mark.parametrize("path", ["/", "/collections", "/collections/strikes/items", "/about", "/tiles/strikes.json"])
def test_the_same_version_gives_the_same_bytes_under_a_strong_tag(app: FastAPI, path: str) -> None:
    first, second = ask(app, path), ask(app, path)
    assert first.headers["etag"].startswith('"')
    assert (first.headers["etag"], first.body) == (second.headers["etag"], second.body)


TILE = "/tiles/strikes/3/4/2.mvt"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip", "gzip"), ("zstd, br, gzip;q=0.1", "gzip"), ("br", "br"), ("zstd;q=0.2, gzip;q=0", "zstd"), ("", None)],
)
def test_a_tile_is_sent_as_it_is_kept_to_whoever_takes_gzip(app: FastAPI, accepted: str, coding: str | None) -> None:
    answer = ask(app, TILE, {"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == coding
    assert decoded(answer) == ask(app, TILE).body
    assert answer.headers["etag"].endswith(f'-{coding}"' if coding else 'tile"')
    assert answer.headers["vary"] == "Accept-Encoding"
    again = ask(app, TILE, {"accept-encoding": accepted, "if-none-match": answer.headers["etag"]})
    assert (again.status, again.headers["etag"]) == (304, answer.headers["etag"])
