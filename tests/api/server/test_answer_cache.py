"""Answers that are sent again from the cache are those of the routes, for exactly as long as they would be."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.server import answer_cache
from api.server.answer_cache import BYPASSING, NEGOTIATED
from api.server.served_version import Responses
from api.settings import Settings
from layers.model.messages import Message
from layers.store.store import Store
from tests.api import private_doors as doors
from tests.api.asgi import Answer, Headers, ask
from tests.api.conftest import feature
from tests.api.private_doors import DATASET, STRIKE, secret
from tests.conftest import FEW_COUNTRIES
from tests.store_copies import opened_copy

ROOT = Path(__file__).resolve().parents[3]
ITEM, PAGE, TILE = f"/collections/strikes/items/{STRIKE}", "/collections/strikes/items", "/tiles/strikes/0/0/0.mvt"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CLIENTS: dict[str, Headers] = {
    "GDAL": {"accept": "application/geo+json, application/json", "accept-encoding": "deflate, gzip"},
    "a browser in German": {
        "accept": BROWSER,
        "accept-language": "de-AT,de;q=0.8",
        "accept-encoding": "gzip, br, zstd",
    },
    "a page in Ukrainian": {"accept": "*/*", "accept-language": "uk"},
}
#: Answers of the process rather than of the version.
LIVE = ("/health", "/metrics", "/review")


@dataclass
class Twins:
    """Two servers of one store with private records, one of which caches no answers; and a reviewer's headers."""

    cached: FastAPI
    uncached: FastAPI
    client: TestClient
    ann: dict[str, str]

    @property
    def hits(self) -> int:
        hits: int = self.cached.state.worker.tally.answers_cached
        return hits

    def ask(self, path: str, headers: Headers | None = None, method: str = "GET") -> tuple[Answer, Answer]:
        """What both answer."""
        return ask(self.cached, path, headers, method), ask(self.uncached, path, headers, method)


@pytest.fixture(scope="module")
def twins(few_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    folder = tmp_path_factory.mktemp("twins")
    store = opened_copy(few_store, folder / "atlas.gpkg")
    store.load(secret(), author="tests", private={DATASET: "The licence forbids it."})
    file = folder / "reviewers.json"
    token = reviewer_tokens.add_reviewer(file, "Ann", ("read-private", "edit", "review", "publish"))
    ann = {"Authorization": f"Bearer {token}"}
    settings = {"basemap": FEW_COUNTRIES, "reviewers": file, "follow_every_s": 0, "cache_from": 10**9}
    cached, uncached = (create_app(store, Settings(**settings, answers_cached=kept)) for kept in (2**26, 0))  # type: ignore[arg-type]
    with TestClient(cached) as client:
        yield Twins(cached, uncached, client, ann)


def same(one: Answer, other: Answer) -> bool:
    return (one.status, one.headers, one.body) == (other.status, other.headers, other.body)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", CLIENTS)
def test_an_answer_from_the_cache_is_that_without_a_cache(twins: Twins, name: str, every: int) -> None:
    """Each client asks at each address, or at some of each route: what one asked for is there when the next asks."""
    found: dict[str, list[str]] = {}
    for path, address in doors.addresses():
        if not address.startswith(LIVE):
            found.setdefault(path, []).append(address)
    hits, addresses = twins.hits, [address for of_route in found.values() for address in of_route[::every]]
    for address in addresses:
        first, plain = twins.ask(address, CLIENTS[name])
        assert same(first, plain), address
        again = ask(twins.cached, address, CLIENTS[name])
        assert same(again, plain), address
        head = ask(twins.cached, address, CLIENTS[name], "HEAD")
        assert (head.status, head.headers, head.body) == (plain.status, plain.headers, b""), address
        if plain.status == 200 and (tag := plain.headers.get("etag")):
            for stated in (f'"other", W/{tag}', "*"):
                one, other = twins.ask(address, {**CLIENTS[name], "if-none-match": stated})
                assert (one.status, one.body) == (other.status, other.body), (address, stated)
                # An answer with the status 304 need not repeat what is said of the content.
                assert one.headers.keys() <= other.headers.keys() | {"vary"}
                for header in ("etag", "cache-control"):
                    assert one.headers.get(header) == other.headers.get(header), (address, stated)
    assert len(addresses) > 150 / every
    assert twins.hits - hits > 2 * len(addresses)


def test_what_has_no_tag_of_the_version_is_not_cached(twins: Twins) -> None:
    for address in (
        "/health",
        "/metrics",
        "/map",
        "/map?strike=x",
        "/static/main.js",
        "/nothing",
        f"{PAGE}?colour=red",
    ):
        before = twins.hits
        for _ in range(3):
            ask(twins.cached, address)
        assert twins.hits == before, address


def test_who_sends_a_token_or_asks_for_a_part_is_answered_by_the_routes(twins: Twins) -> None:
    ask(twins.cached, ITEM)
    for headers in (twins.ann, {"authorization": "Bearer wrong"}, {"range": "bytes=0-9"}, {"cookie": "a=b"}):
        hits, held = twins.hits, len(twins.cached.state.atlas.view.responses)
        one, other = twins.ask(ITEM, headers)
        assert same(one, other)
        assert ask(twins.cached, f"{PAGE}?limit=2", twins.ann).status == 200
        assert (twins.hits, len(twins.cached.state.atlas.view.responses)) == (hits, held)


def test_posts_are_not_cached(twins: Twins) -> None:
    before = twins.hits
    for _ in range(2):
        answer = twins.client.post(
            "/rest/services/strikeatlas/FeatureServer/0/query", data={"where": "1=1", "f": "json"}
        )
        assert answer.status_code == 200
    assert twins.hits == before


def test_two_hosts_and_two_prefixes_have_their_own_links(few_store: Store) -> None:
    app = create_app(few_store, Settings(basemap=FEW_COUNTRIES, follow_every_s=0, proxies=("127.0.0.1",)))
    for _ in range(2):
        for proto, prefix in (("http", "/a"), ("https", "/a"), ("https", "/b")):
            headers = {"x-forwarded-proto": proto, "x-forwarded-host": "x.example", "x-forwarded-prefix": prefix}
            assert f'"href":"{proto}://x.example{prefix}/'.encode() in ask(app, "/collections", headers).body
    assert app.state.worker.tally.answers_cached == 3


def test_a_change_is_answered_at_once_and_what_was_cached_is_let_go(twins: Twins) -> None:
    paths = (ITEM, f"{ITEM}?f=html", PAGE, TILE, "/countries", f"/strikes/{STRIKE}/attribution", "/collections")
    before = {path: ask(twins.cached, path) for path in paths}
    view = twins.cached.state.atlas.view
    patch = {**twins.ann, "if-match": "*", "content-type": "application/merge-patch+json"}
    answer = twins.client.patch(ITEM, json={"properties": {"title": "Struck anew"}}, headers=patch)
    assert answer.status_code == 200, answer.text
    twins.uncached.state.atlas.refresh()
    assert twins.cached.state.atlas.view is not view
    assert len(twins.cached.state.atlas.view.responses) == 0
    for path in paths:
        for _ in range(2):
            answer, plain = twins.ask(path)
            assert same(answer, plain)
            assert answer.headers["etag"] != before[path].headers["etag"]
        known = ask(twins.cached, path, {"if-none-match": before[path].headers["etag"]})
        assert known.status == 200
    assert b"Struck anew" in ask(twins.cached, ITEM).body


def test_what_becomes_public_is_answered_at_once(twins: Twins) -> None:
    added = twins.client.post(PAGE, json=feature(private=True), headers=twins.ann)
    assert added.status_code == 201, added.text
    key = added.headers["location"].rpartition("/")[2]
    hidden = f"{PAGE}/{key}"
    for _ in range(2):
        assert ask(twins.cached, hidden).status == 404
    numbers = [ask(twins.cached, f"{PAGE}?limit=1").body for _ in range(2)]
    why = {"why": "It was published."}
    answer = twins.client.post(f"/review/strikes/{key}/publication", json=why, headers=twins.ann)
    assert answer.status_code < 300, answer.text
    twins.uncached.state.atlas.refresh()
    for path in (hidden, f"{PAGE}?limit=1", TILE):
        assert same(*twins.ask(path))
    assert ask(twins.cached, hidden).status == 200
    assert ask(twins.cached, f"{PAGE}?limit=1").body != numbers[0]


def test_a_remark_on_the_clock_is_said_within_a_second(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1e9
    monkeypatch.setattr(answer_cache.time, "time", lambda: now)  # type: ignore[attr-defined]
    before = ask(twins.cached, "/").body
    assert ask(twins.cached, "/").body == before
    hits = twins.hits
    remark = Message("store.clock-behind", {"last": "2026-01-01 00:00 UTC", "now": "2025-01-01 00:00 UTC"})
    monkeypatch.setattr(twins.cached.state.atlas, "remarks", lambda: (remark,))
    assert ask(twins.cached, "/").body == before
    assert twins.hits == hits + 1
    now += 1
    assert b"2025-01-01" in ask(twins.cached, "/").body


def test_a_client_without_gzip_has_a_tile_unpacked_once(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = ask(twins.cached, TILE, {"accept-encoding": "gzip"})
    unpacked: list[int] = []
    unpack = gzip.decompress
    monkeypatch.setattr(gzip, "decompress", lambda data: unpacked.append(1) or unpack(data))
    bodies = {ask(twins.cached, TILE, {"accept": "x/never, */*"}).body for _ in range(3)}
    assert bodies == {unpack(packed.body)}
    assert len(unpacked) == 1


def test_cached_answers_are_counted_and_logged_by_their_route(twins: Twins) -> None:
    def counted() -> int:
        tally: Any = twins.cached.state.worker.tally
        return sum(count for (_, route, _), count in tally.answers.items() if "/items/{feature" in route)

    ask(twins.cached, ITEM)
    before, hits = counted(), twins.hits
    ask(twins.cached, ITEM)
    assert (counted(), twins.hits) == (before + 1, hits + 1)
    text = ask(twins.cached, "/metrics").body.decode()
    assert re.search(rf"^strikeatlas_answers_cached_total {twins.hits}\.0$", text, re.MULTILINE)


def test_answers_stay_within_their_bytes_and_one_reader_displaces_no_other(twins: Twins) -> None:
    responses = Responses[bytes](1600)
    for _ in range(2):
        assert responses.get("often") in (None, b"x" * 100)
        responses.put("often", b"x" * 100)
    for number in range(1000):
        responses.put(number, b"y" * 100)
    assert responses.get("often") == b"x" * 100
    assert responses.get(999) == b"y" * 100
    assert responses.get(0) is None
    responses.put("large", b"z" * 101)
    assert responses.get("large") is None
    assert len(responses) <= 17


def test_every_header_that_an_answer_depends_on_is_part_of_its_key() -> None:
    writing = {"content-type", "content-crs", "change-reason", "if-match", "idempotency-key"}
    validating = {"if-none-match", "if-modified-since"}
    texts = "\n".join(path.read_text() for path in (ROOT / "api").rglob("*.py"))
    read = set(re.findall(r'headers\.(?:get|getlist)\(\s*"([\w-]+)"', texts))
    read |= set(re.findall(r'\bb"([a-z]+(?:-[a-z]+)+|accept|host|range|cookie|authorization)"', texts))
    known = {name.decode() for name in NEGOTIATED | BYPASSING} | writing | validating
    sent = {
        "cache-control", "content-encoding", "content-length", "content-range", "content-location", "last-modified",
        "accept-ranges", "no-store", "access-control-request-method", "transfer-encoding",
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix",
    }  # fmt: skip
    assert read - known - sent == set()
