"""Hostile input on every route: always a 4xx problem that says what was expected, never a failure of the server."""

from __future__ import annotations

import urllib.parse

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

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
    "/schemas/{}": "nothing __init__ NUL UTF LONG",
    "/static/{}": "%2e%2e/api/app.py ..%2f..%2fpyproject.toml //etc/passwd vendor %5c..%5c EMPTY NUL UTF LONG",
    "/{}": "../../etc/passwd %2e%2e/%2e%2e/etc/passwd .git/config api/app.py map/x NUL UTF LONG",
}


def hostile() -> list[str]:
    found = []
    for gap, values in TABLE.items():
        for value in values.split():
            for word, meant in WORDS.items():
                value = value.replace(word, meant)
            found.append(gap.format(value))
    return found


def refused(client: TestClient, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> None:
    answer = client.request(method, path, headers=headers, follow_redirects=False)
    assert 400 <= answer.status_code < 500, (path[:200], answer.status_code, answer.text[:200])
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["title"]
    assert told["detail"]
    assert len(answer.content) < 2000, "an answer must not give back a long request"


@pytest.mark.parametrize("path", hostile(), ids=lambda path: path[:70])
def test_hostile_input_is_refused_by_name(client: TestClient, path: str) -> None:
    refused(client, path)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW"])
@pytest.mark.parametrize(
    "path", ["/", "/map", "/about", "/collections/strikes/items", "/tiles/strikes/0/0/0.mvt", "/static/style.css"]
)
def test_only_reading_is_allowed(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path, content=b"{}")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("accept", ["", "nonsense", "image/png", "*/*;q=nan", "text/" + LONG, "application/json;q=0"])
@pytest.mark.parametrize("path", ["/", "/collections/strikes/items?limit=1", "/tiles/strikes/0/0/0.mvt", "/about"])
def test_a_bad_accept_header_is_answered_in_the_one_format_there_is(client: TestClient, accept: str, path: str) -> None:
    """RFC 9110, 12.5.1: a server may disregard the header."""
    assert client.get(path, headers={"accept": accept}, follow_redirects=False).status_code == 200


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
