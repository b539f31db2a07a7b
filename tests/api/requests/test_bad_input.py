"""Hostile input on every route: always a 4xx problem that says what was expected, never a failure of the server."""

from __future__ import annotations

import re
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterable
from functools import cache

import orjson
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.api.asgi import ask
from tests.api.conftest import Writers

LONG = "x" * 5000
STRIKE = "ua-orlivka-2025-08-06"

#: What the words of the table below stand for.
WORDS = {"NUL": "%00", "UTF": "%ff%fe", "LONG": LONG, "HUGE": str(10**30), "EMPTY": ""}
#: Route with a gap, and what is put there as sent, word by word. Each is refused.
TABLE = {
    "/collections/strikes/items?bbox={}": """
        NaN,NaN,NaN,NaN 0,0,inf,1 -inf,0,1,1 1e400,0,1e400,1 0,0,HUGE,1 0,50,1,40 0,0,1 0,0,1,1,1 0,0,1,1,1,1,1
        181,0,182,1 0,-91,1,1 0x1,0,1,1 %20 ,,, 0,0,1,1;drop <script> EMPTY NUL UTF LONG""",
    "/collections/strikes/items?datetime={}": """
        0000-00-00 2025-13-01 2025-02-29 99999-01-01 HUGE -2025-01-01 2025-08-08/2025-08-01 ../.. // 2025-01-01/../2025
        2025-08-08T25:00:00Z 2025-08-08T04:06:00 NaN EMPTY NUL UTF LONG""",
    "/collections/strikes/items?limit={}": "0 -1 HUGE NaN inf 1.5 1e2 EMPTY NUL UTF LONG",
    "/collections/strikes/items?offset={}": "-1 HUGE NaN 1.5 EMPTY NUL UTF LONG",
    "/collections/strikes/items?startindex={}": "-1 HUGE NaN 1.5 EMPTY NUL UTF LONG",
    "/collections/strikes/items?cursor={}": "EMPTY x W10 !! NUL UTF LONG",
    "/collections/strikes/items?crs={}": "EMPTY EPSG:43260 [EPSG:1] http://x NUL UTF LONG",
    "/collections/strikes/items?bbox=1,1,2,2&bbox-crs={}": "EMPTY EPSG:43260 [EPSG:1] NUL UTF LONG",
    "/collections/strikes/items?bbox-crs=[EPSG:3035]&bbox={}": "EMPTY 1,1 2,2,1,1 nan,0,1,1 inf,0,1,1 NUL UTF LONG",
    "/collections/strikes/items?filter={}": """
        EMPTY id= id='x id=1/0 pg_sleep(9)>0 nothing=1 ((((( (id='a'))) HUGE title>HUGE
        S_INTERSECTS(geometry,POINT(a%20b)) S_INTERSECTS(geometry,POINT(1))
        title%20LIKE%201 'a'||'b' id=%00 NUL UTF LONG""",
    "/collections/strikes/items?filter-lang=cql2-json&filter={}": 'EMPTY { [] null 1 {} [[[[[[ {"op":1} NUL UTF LONG',
    "/collections/strikes/items?filter=true&filter-lang={}": "EMPTY cql sql NUL UTF LONG",
    "/collections/strikes/items?filter=true&filter-crs={}": "EMPTY EPSG:43260 NUL UTF LONG",
    "/collections/strikes/items?sortby={}": "EMPTY , - x assets geometry title,title -- --title title;id NUL UTF LONG",
    "/collections/strikes/items?properties={}": "nothing geometry title;when , title, NUL UTF LONG",
    "/collections/strikes/items?skipGeometry={}": "EMPTY 1 True yes NUL UTF LONG",
    "/collections/strikes/items?profile={}": "EMPTY nothing NUL UTF LONG",
    "/collections/strikes/items?n_sources={}": "EMPTY abc 1.5 HUGE NaN 0x1 NUL UTF LONG",
    "/collections/strikes/items?uncertainty_m={}": "EMPTY abc HUGE NaN inf 1e400 NUL UTF LONG",
    "/collections/strikes/items?day_first={}": "EMPTY 2025 2025-02-30 HUGE NUL UTF LONG",
    "/collections/strikes/items?kind={}": "EMPTY abc NUL UTF LONG",
    "/collections/strikes/items?status={}": "broken",
    "/collections/strikes/items?title={}": "NUL UTF LONG",
    "/collections/strikes/items?basis={}": "site,region",
    "/collections/strikes/items?f={}": "gml EMPTY",
    f"/collections/strikes/items/{STRIKE}?f={{}}": "csv",
    "/collections?f={}": "csv",
    "/collections/{}/queryables": "nothing NUL UTF LONG",
    "/collections/{}/schema": "nothing NUL UTF LONG",
    "/collections/{}/items": "nothing %2e%2e strikes%20 STRIKES ' NUL UTF LONG",
    "/collections/strikes/items/{}": "%2e%2e%2f%2e%2e%2fetc%2fpasswd a%0d%0ab NUL UTF LONG",
    "/tiles/strikes/{}.mvt": """
        25/0/0 -1/0/0 0/1/0 0/0/1 3/8/0 3/0/8 HUGE/0/0 3/HUGE/0 NaN/0/0 1.0/0/0 +1/0/0 %D9%A1/0/0 1_0/0/0 a/b/c 0/0
        0/0/0/0 %2e%2e/0/0 0/0/0%20 NUL/0/0 UTF/0/0 LONG/0/0""",
    "/tiles/{}/0/0/0.mvt": "nothing NUL UTF LONG",
    "/tiles/{}.json": "nothing NUL UTF LONG",
    "/strikes/{}/attribution": "nothing %2e%2e '%20or%201=1 NUL UTF LONG",
    f"/strikes/{STRIKE}/attribution?basis={{}}": "nothing EMPTY NUL UTF LONG",
    f"/strikes/{STRIKE}/attribution?minority={{}}": "nothing EMPTY NUL UTF LONG",
    "/countries/{}": "ZZ A AZE 1 A%0a %D0%90%D0%97 a%00 NUL UTF LONG",
    "/countries/AZ?basis={}": "both EMPTY",
    "/assets/{}/owners": f"nothing {STRIKE} NUL UTF LONG",
    "/assets/a-orlivka/owners?on={}": "2025-02-30 0000-01-01 99999-01-01 HUGE NaN EMPTY NUL UTF LONG",
    "/records/{}": "nothing/x strikes/nothing strikes/ NUL/NUL strikes/LONG __class__/x table/x",
    "/styles/{}": "nothing STRIKES %2e%2e NUL UTF LONG",
    "/styles/{}/metadata": "nothing NUL UTF LONG",
    "/styles/strikes?f={}": "qml sld EMPTY NUL UTF LONG",
    "/collections/{}/styles": "nothing NUL UTF LONG",
    "/sprites/{}": "symbols symbols.svg symbols@3x.png NUL UTF LONG",
    "/schemas/{}": "nothing __init__ NUL UTF LONG",
    "/static/{}": "%2e%2e/api/app.py ..%2f..%2fpyproject.toml //etc/passwd vendor %5c..%5c EMPTY NUL UTF LONG",
    "/{}": "../../etc/passwd %2e%2e/%2e%2e/etc/passwd .git/config api/app.py map/x NUL UTF LONG",
}


def hostile() -> list[tuple[str, str | None]]:
    """Each path, and the parameter whose value is wrong, where it is that of a query."""
    found = []
    for gap, values in TABLE.items():
        named = re.search(r"[?&]([\w-]+)=\{\}", gap)
        for value in values.split():
            for word, meant in WORDS.items():
                value = value.replace(word, meant)
            found.append((gap.format(value), named and named[1]))
    return found


def refused(client: TestClient, path: str, parameter: str | None = None, headers: dict[str, str] | None = None) -> None:
    answer = client.get(path, headers=headers, follow_redirects=False)
    assert 400 <= answer.status_code < 500, (path[:200], answer.status_code, answer.text[:200])
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["title"]
    assert told["detail"]
    assert parameter in (None, told.get("parameter"))
    assert len(answer.content) < 2000, "an answer must not give back a long request"


@pytest.mark.parametrize(("path", "parameter"), hostile(), ids=lambda text: text and text[:70])
def test_hostile_input_is_refused_by_name(client: TestClient, path: str, parameter: str | None) -> None:
    refused(client, path, parameter)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW"])
@pytest.mark.parametrize(
    "path", ["/", "/map", "/about", "/collections/assets/items", "/tiles/strikes/0/0/0.mvt", "/static/style.css"]
)
def test_only_reading_is_allowed(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path, content=b"{}")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert "GET" in answer.headers["allow"]


ONE_FORM = ("/tiles/strikes/0/0/0.mvt", "/style.json")
MORE_FORMS = ("/", "/about", "/styles", "/collections/strikes/items?limit=1")
REFUSED = ("image/png", "text/" + LONG, "application/json;q=0")


@pytest.mark.parametrize("accept", ["", "nonsense", "*/*;q=nan", "/", ";;", "*/json", "a/b/c"])
@pytest.mark.parametrize("path", [*ONE_FORM, *MORE_FORMS])
def test_an_accept_header_that_is_none_is_disregarded(client: TestClient, accept: str, path: str) -> None:
    assert client.get(path, headers={"accept": accept}, follow_redirects=False).status_code == 200


@pytest.mark.parametrize("accept", REFUSED)
@pytest.mark.parametrize("path", ONE_FORM)
def test_where_there_is_one_form_it_is_answered_whatever_is_accepted(
    client: TestClient, accept: str, path: str
) -> None:
    """RFC 9110, 12.5.1: a server may disregard the header."""
    assert client.get(path, headers={"accept": accept}).status_code == 200


@pytest.mark.parametrize("accept", REFUSED)
@pytest.mark.parametrize("path", MORE_FORMS)
def test_where_there_are_more_forms_one_must_be_accepted(client: TestClient, accept: str, path: str) -> None:
    refused(client, path, headers={"accept": accept})


@pytest.mark.parametrize("header", ["if-none-match", "accept-encoding", "if-modified-since", "range", "host"])
@pytest.mark.parametrize("value", ['"', "W/", ",,,", "\xff\xfe", "x" * 4000, "bytes=9-1"])
def test_odd_headers_are_no_failure(client: TestClient, header: str, value: str) -> None:
    for path in ("/about", "/tiles/strikes/0/0/0.mvt", "/static/style.css", "/collections"):
        answer = client.get(path, headers={header: value.encode("latin-1")})
        assert answer.status_code < 500, (path, answer.text[:200])


def test_names_of_records_are_not_read_as_paths_or_html(client: TestClient) -> None:
    answer = client.get("/collections/strikes/items/<img src=x onerror=alert(1)>")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


#: Routes with a gap for free text, in the path and in the query.
GAPS = (
    "/collections/{}",
    "/collections/{}/items",
    "/collections/strikes/items/{}",
    "/tiles/{}.json",
    "/tiles/strikes/0/0/{}.mvt",
    "/tiles/strikes/{}/0/0.mvt",
    "/strikes/{}/attribution",
    "/countries/{}",
    "/assets/{}/owners",
    "/records/strikes/{}",
    "/records/{}/x",
    "/schemas/{}",
    "/static/{}",
    "/collections/strikes/items?bbox={}",
    "/collections/strikes/items?datetime={}",
    "/collections/strikes/items?limit={}",
    "/collections/strikes/items?offset={}",
    "/collections/strikes/items?{}=1",
    "/collections/strikes/items?filter={}",
    "/collections/strikes/items?filter-lang=cql2-json&filter={}",
    "/collections/strikes/items?bbox-crs=[EPSG:32636]&bbox={}",
    "/collections/strikes/items?crs={}",
    "/collections/strikes/items?cursor={}",
    "/collections/strikes/items?sortby={}",
    "/collections/strikes/items?properties={}",
    "/collections/strikes/items?title={}",
    "/collections/strikes/items?uncertainty_m={}",
    "/collections/strikes/items?f={}",
    f"/strikes/{STRIKE}/attribution?basis={{}}",
    f"/strikes/{STRIKE}/attribution?minority={{}}",
    "/assets/a-orlivka/owners?on={}",
)
numbers = st.one_of(st.floats().map(repr), st.integers().map(str), st.text(max_size=3))
near_numbers = st.lists(numbers, max_size=7).map(",".join)
times = st.one_of(st.dates().map(str), st.datetimes().map(lambda t: f"{t.isoformat()}Z"), st.sampled_from(["..", ""]))
near_days = st.lists(times, max_size=3).map("/".join)


@pytest.mark.parametrize("gap", GAPS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=40), near_numbers, near_days, st.binary(max_size=8)))
def test_free_text_never_fails_the_server(client: TestClient, gap: str, text: str | bytes) -> None:
    path = gap.format(urllib.parse.quote(text, safe=""))
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code < 500, (path, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


# Every operation of the definition, whatever it is.

#: What no parameter can be, as sent, and what a path may end in.
NO_TEXT = ("%00", "%ff%fe", "a%00b", "%C3", "%ED%A0%80", "%c0%ae%c0%ae")


def operations(app: FastAPI, methods: Iterable[str]) -> list[tuple[str, str]]:
    """Method and path of each operation, its gaps filled with what is there or at least could be."""
    given = {"collection": "strikes", "feature": STRIKE, "strike": STRIKE, "iso": "AZ", "table": "strikes"}
    given |= dict.fromkeys(("z", "x", "y", "tileMatrix", "tileRow", "tileCol"), "0")
    given |= {"tileMatrixSetId": "WebMercatorQuad", "styleId": "strikes"}
    found = []
    for path, item in app.openapi()["paths"].items():
        for method in sorted(item.keys() & set(methods)):
            filled = re.sub(r"\{(\w+)\}", lambda gap: given.get(gap[1], "x"), path)
            found.append((method.upper(), filled))
    return found


def test_bytes_that_are_no_text_are_refused_by_the_name_of_the_parameter_on_every_route(app: FastAPI) -> None:
    every = operations(app, ["get", "post", "put", "patch", "delete"])
    assert len(every) > 15
    for method, path in every:
        for bad in NO_TEXT:
            wrong = ((f"{path}{bad}", "path"), (f"{path}?f=json&limit={bad}", "limit"), (f"{path}?{bad}=1", "query"))
            for asked, name in wrong:
                answer = ask(app, asked, method=method)
                told = orjson.loads(answer.body)
                assert (answer.status, told["parameter"]) == (400, name), (method, asked)
                assert answer.headers["content-type"] == "application/problem+json"


NUMBERS = ("1" * 5000, "9" * 400 + "." + "9" * 400, "1e999", "-1e999", "NaN", "Infinity", "0x10", "١")
NAMES = ("bbox", "limit", "offset", "datetime", "on", "filter", "crs", "bbox-crs", "f", "sortby", "cursor")


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: value[:9])
@pytest.mark.parametrize("name", NAMES)
def test_numbers_that_are_none_or_too_large_are_refused_by_name(app: FastAPI, name: str, value: str) -> None:
    asked = 0
    for place, (method, path) in enumerate(operations(app, ["get"])):
        # A parameter that a route does not have is refused whatever it says: with one of the values on each route.
        if name not in named(app, path) and value != NUMBERS[place % len(NUMBERS)]:
            continue
        needed = {"/places": "q=Odesa&", "/search": "q=Odesa&", "/cite": "url=x&", "/oembed": "url=x&"}.get(path, "")
        answer = ask(app, f"{path}?{needed}{name}={urllib.parse.quote(value)}", method=method)
        assert answer.status < 500, (path, name, value[:20])
        # Whether a record is there, and who asks, is looked at first.
        if name in named(app, path) and answer.status not in (401, 404):
            asked += 1
            told = orjson.loads(answer.body)
            assert (answer.status, told["parameter"]) == (400, name), (path, value[:20], told)
            assert len(answer.body) < 2000
    assert asked > 0


@cache
def named(app: FastAPI, path: str) -> set[str]:
    """Parameters that the definition names for a path that is filled."""
    definition = app.openapi()
    shared = definition["components"]["parameters"]
    for template, item in definition["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and "get" in item:
            parts = item["get"].get("parameters", [])
            told = [shared[part["$ref"].rpartition("/")[2]] if "$ref" in part else part for part in parts]
            return {part["name"] for part in told if part["in"] == "query"}
    return set()


DEEP = ("(" * 3000 + "title='x'" + ")" * 3000, "NOT " * 1900 + "title='x'", "[" * 5000, "{" * 5000)


@pytest.mark.parametrize("deep", DEEP, ids=lambda deep: deep[:4])
def test_deep_nesting_fails_no_route(app: FastAPI, deep: str) -> None:
    for place, (method, path) in enumerate(operations(app, ["get"])):
        for name in ("filter", "bbox", "datetime", "sortby"):
            if name not in named(app, path) and deep != DEEP[place % len(DEEP)]:
                continue
            answer = ask(app, f"{path}?{name}={urllib.parse.quote(deep, safe='()[]{}=')}", method=method)
            assert answer.status < 500, (path, name)
            assert answer.status >= 400 or name not in named(app, path), (path, name, answer.status)
        assert ask(app, f"{path}?{deep.replace(' ', '+')}=1", method=method).status < 500


FEATURE = b'{"type":"Feature","properties":{},"geometry":%b}'
#: Bodies that are no JSON, or none that could be meant.
BODIES = {
    "empty": b"",
    "no json": b"{",
    "no text": b'{"title": "\xff\xfe"}',
    "half a pair": b'{"title": "\\ud800"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "deep lists": b"[" * 30_000 + b"]" * 30_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep geometry": FEATURE % (b'{"type":"Polygon","coordinates":' + b"[" * 9000 + b"]" * 9000 + b"}"),
    "huge numbers": FEATURE % (b'{"type":"Point","coordinates":[' + b"9" * 5000 + b",1e999]}"),
    "not a number": FEATURE % b'{"type":"Point","coordinates":[NaN,Infinity]}',
    "null bytes": b'{"type":"Feature","geometry":null,"properties":{"title":"a\\u0000b","when":"\\u0000"}}',
    "a list": b"[]",
    "a number": b"1e999",
    "too long": b" " * 70_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_no_body_fails_a_route_that_writes(writers: Writers, body: bytes) -> None:
    every = operations(writers.app, ["post", "put", "patch"])
    assert len(every) >= 4
    before = writers.store.seq()
    for method, path in every:
        for media_type in ("application/json", "application/geo+json", "application/merge-patch+json"):
            headers = {**writers.ann, "content-type": media_type, "if-match": "*"}
            answer = writers.client.request(method, path, content=body, headers=headers)
            assert 400 <= answer.status_code < 500, (method, path, media_type, answer.status_code, answer.text[:200])
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"]
            assert len(answer.content) < 20_000
    assert writers.store.seq() == before, "something was written"


RAW = {
    "a null byte in the path": b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes over 127 in the path": b"GET /\xff\xfe?\xff=\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    "a null byte in a header": b"GET / HTTP/1.1\r\nHost: a\r\nAccept: \x00\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length that is none": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a chunk that is none": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "no host": b"GET /about HTTP/1.1\r\n\r\n",
    "a host that is none": b"GET / HTTP/1.1\r\nHost: \xff@/?#\r\n\r\n",
    "a whole address": b"GET http://elsewhere.example/about HTTP/1.1\r\nHost: a\r\n\r\n",
    "no address": b"GET HTTP/1.1\r\n\r\n",
    "no path": b"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00",
    "an upgrade": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
}


@pytest.mark.parametrize("sent", RAW.values(), ids=RAW)
def test_no_bytes_on_the_wire_fail_the_server(server_url: str, sent: bytes) -> None:
    address = urllib.parse.urlsplit(server_url)
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=10) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(2**16)
    assert not answer.startswith(b"HTTP/1.1 5"), answer[:200]
    with urllib.request.urlopen(f"{server_url}/health/live", timeout=10) as live:
        assert live.status == 200
