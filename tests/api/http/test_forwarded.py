"""Links are those of the address that the client used, also behind a proxy, and nobody else can make them others."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.http.forwarded import PASSED_ON, Forwarded, forwarded_scope, require_networks
from api.requests.parameters import BadParameter
from api.settings import Settings
from layers.store.store import Store
from tests.api.asgi import Answer, ask, scope_of
from tests.conftest import BASEMAP

BEHIND = {
    "x-forwarded-proto": "https",
    "x-forwarded-host": "atlas.example.org:8443",
    "x-forwarded-prefix": "/maps/atlas",
}
BASE = "https://atlas.example.org:8443/maps/atlas"
#: Documents with links, one of each kind.
LINKED = (
    "/",
    "/?f=json",
    "/api",
    "/conformance",
    "/collections",
    "/collections/strikes",
    "/collections/strikes/items?limit=2&offset=2",
    "/collections/strikes/items/ua-orlivka-2025-08-06",
    "/tiles/strikes.json",
    "/tiles/basemap.json",
    "/style.json",
    "/styles",
    "/styles/strikes",
    "/styles/strikes/metadata",
)


@pytest.fixture(scope="module")
def proxied(store: Store) -> FastAPI:
    known = require_networks(["127.0.0.0/8", "::1", "10.1.0.0/16"])
    return create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, proxies=known))


def addresses(answer: Answer) -> list[str]:
    """Every absolute address of our own in an answer: in its headers and in its body."""
    header = [*re.findall("<([^>]+)>", answer.headers.get("link", "")), answer.headers.get("location", "")]
    found = [*header, *_texts(orjson.loads(answer.body))] if answer.body[:1] in b"{[" else header
    foreign = ("http://www.opengis.net/", "http://json-schema.org", "https://json-schema.org",
               "https://maplibre.org/", "https://www.ogc.org/", "https://creativecommons.org/")  # fmt: skip
    return [one for one in found if one.startswith(("http://", "https://")) and not one.startswith(foreign)]


def _texts(told: object) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for name, value in told.items():
            if name not in ("description", "properties", "features"):
                yield from _texts(value)
    elif isinstance(told, list):
        for value in told:
            yield from _texts(value)


@pytest.mark.parametrize("path", LINKED)
def test_every_link_behind_a_proxy_is_that_of_the_client(proxied: FastAPI, path: str) -> None:
    answer = ask(proxied, path, BEHIND)
    found = addresses(answer)
    assert answer.status == 200
    assert found or path == "/conformance"
    assert [one for one in found if not (one + "/").startswith(BASE + "/")] == []


@pytest.mark.parametrize("path", LINKED)
def test_every_link_can_be_followed_through_the_proxy(proxied: FastAPI, path: str) -> None:
    """The proxy takes the prefix off."""
    for address in addresses(ask(proxied, path, BEHIND)):
        below = address.removeprefix(BASE) or "/"
        if below == "/sprites/symbols":
            # The client of a sprite adds its ending.
            below += ".json"
        if "{" not in below:
            assert ask(proxied, below, BEHIND).status in (200, 303), below


@pytest.mark.parametrize("path", LINKED)
def test_a_proxy_may_leave_the_prefix_on(proxied: FastAPI, path: str) -> None:
    off, on = ask(proxied, path, BEHIND), ask(proxied, f"/maps/atlas{path}", BEHIND)
    assert (on.status, on.body) == (off.status, off.body)


@pytest.fixture(scope="module")
def below(store: Store) -> FastAPI:
    """Shown below a path that no header says."""
    settings = Settings(basemap=BASEMAP, follow_every_s=0, proxies=("127.0.0.0/8",), root_path="/maps/atlas")
    return create_app(store, settings)


@pytest.mark.parametrize("path", [*LINKED, "/static/style.css", "/map", "/maps/atlas-of-others"])
def test_a_proxy_that_sends_no_prefix_may_take_it_off_or_leave_it_on(
    below: FastAPI, proxied: FastAPI, path: str
) -> None:
    headers = {name: value for name, value in BEHIND.items() if name != "x-forwarded-prefix"}
    expected = ask(proxied, path, BEHIND)
    for address in (path, f"/maps/atlas{path}"):
        answer = ask(below, address, headers)
        assert (answer.status, answer.body) == (expected.status, expected.body)


def test_the_prefix_of_a_known_proxy_counts_before_that_of_the_operator(below: FastAPI) -> None:
    found = addresses(ask(below, "/other/collections", {**BEHIND, "x-forwarded-prefix": "/other"}))
    assert found
    assert all(one.startswith("https://atlas.example.org:8443/other/") for one in found)


@pytest.mark.parametrize("path", ["/static/style.css", "/tiles/strikes/0/0/0.mvt", "/map"])
def test_files_and_tiles_are_below_the_prefix_too(proxied: FastAPI, path: str) -> None:
    assert ask(proxied, path, BEHIND).body == ask(proxied, f"/maps/atlas{path}", BEHIND).body == ask(proxied, path).body


def test_a_browser_is_sent_on_below_the_prefix(proxied: FastAPI) -> None:
    for path in ("/collections/", "/countries/"):
        answer = ask(proxied, path, BEHIND)
        assert (answer.status, answer.headers["location"]) == (307, f"{BASE}{path[:-1]}")


@pytest.mark.parametrize("path", LINKED)
def test_the_headers_count_for_nothing_where_no_proxy_is_known(app: FastAPI, proxied: FastAPI, path: str) -> None:
    plain = ask(app, path)
    assert ask(app, path, BEHIND).body == plain.body
    assert ask(proxied, path, BEHIND, client="203.0.113.9").body == plain.body
    assert {one[:21] for one in addresses(plain)} <= {"http://atlas.example/", "http://atlas.example"}


@pytest.mark.parametrize("client", ["127.0.0.1", "127.9.9.9", "::1", "10.1.2.3"])
def test_a_proxy_is_known_by_its_address_or_network(proxied: FastAPI, client: str) -> None:
    assert addresses(ask(proxied, "/", BEHIND, client=client))[0].startswith(BASE)


@pytest.mark.parametrize("client", ["", "testclient", "10.2.0.1", "::2", "127.0.0.1.example"])
def test_anybody_else_is_not(proxied: FastAPI, client: str) -> None:
    assert addresses(ask(proxied, "/", BEHIND, client=client))[0].startswith("http://atlas.example/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-proto", ""),
        ("x-forwarded-host", "evil.example/x"),
        ("x-forwarded-host", 'a"><script>'),
        ("x-forwarded-host", "user@evil.example"),
        ("x-forwarded-host", "a b"),
        ("x-forwarded-host", "\xff"),
        ("x-forwarded-host", ""),
        ("x-forwarded-prefix", "//evil.example"),
        ("x-forwarded-prefix", "atlas"),
        ("x-forwarded-prefix", "/a/../b/"),
        ("x-forwarded-prefix", "/a?b"),
        ("x-forwarded-prefix", "/"),
    ],
)
def test_a_value_that_can_be_none_is_passed_over(proxied: FastAPI, name: str, value: str) -> None:
    assert ask(proxied, "/", {name: value}).body == ask(proxied, "/").body


def test_of_several_proxies_the_one_that_is_known_counts() -> None:
    """The values before the last may be the client's own."""
    told = [("x-forwarded-host", "evil.example, atlas.example"), ("x-forwarded-proto", "ftp, https")]
    scope = forwarded_scope(scope_of("/", told))
    assert dict(scope["headers"])[b"host"] == b"atlas.example"
    assert scope["scheme"] == "https"


def test_the_scope_of_the_request_is_left_as_it_is() -> None:
    scope = scope_of("/map", BEHIND.items())
    before = {**scope, "headers": list(scope["headers"])}
    made = forwarded_scope(scope)
    assert scope == before
    assert (made["path"], made["raw_path"], made["root_path"]) == ("/maps/atlas/map", b"/maps/atlas/map", "/maps/atlas")


@pytest.mark.parametrize("text", ["", "atlas", "10.0.0.0/33", "::/200", "1.2.3"])
def test_a_proxy_that_is_no_address_is_a_wrong_argument(text: str) -> None:
    with pytest.raises(BadParameter, match="proxy"):
        require_networks(["10.0.0.1", text])


def test_a_proxy_may_be_named_by_address_or_network() -> None:
    assert Forwarded(FastAPI(), require_networks(["10.0.0.1", "10.0.0.5/8", "fe80::1/64"]))


@pytest.mark.parametrize(
    ("peer", "named", "client"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1", "10.1.2.4, 10.1.2.3", "10.1.2.4"),
        ("127.0.0.1", "203.0.113.9, unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, nonsense, 10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
    ],
)
def test_the_client_is_the_last_address_that_no_known_proxy_has(peer: str, named: str, client: str) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await PlainTextResponse("")(scope, receive, send)

    headers = {"x-forwarded-for": named} if named else {}
    ask(Forwarded(app, ["127.0.0.0/8", "10.1.0.0/16"]), "/", headers, client=peer)
    assert [scope["client"][0] for scope in seen] == [client]


@pytest.mark.parametrize(
    ("client", "stated", "passed_on"),
    [
        ("127.0.0.1", "17", 17),
        ("127.0.0.1", "0", 0),
        ("127.0.0.1", "-1", None),
        ("127.0.0.1", "1" * 16, None),
        ("127.0.0.1", "", None),
        ("192.0.2.1", "17", None),
    ],
)
def test_what_was_passed_on_is_taken_from_a_known_proxy_alone(client: str, stated: str, passed_on: int | None) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(str(scope.get(PASSED_ON)))(scope, receive, send)

    answer = ask(Forwarded(app, ["127.0.0.0/8"]), headers={"Atlas-Seq": stated}, client=client)
    assert answer.body.decode() == str(passed_on)
