"""What the proxy copies of a server that allows it: all public answers by their entity tags, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from api.requests import reviewer_tokens
from layers.store.store import Store
from tests.conftest import free_port, serving
from tests.deploy import proxy
from tests.deploy.clients import ITEM, PATHS, exchange
from tests.deploy.proxy import Proxy
from tests.store_copies import opened_copy

#: Seconds for which the server lets others keep an answer.
_FRESH_S = 2


@dataclass
class Site:
    """A server behind the proxy."""

    proxy: Proxy
    server: int
    token: str

    def get(self, path: str, **headers: str) -> tuple[str, int, Mapping[str, str], bytes]:
        """What the proxy did for it (the state of nginx's copy), and the answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        status, got, body = exchange(self.proxy.port, "GET", path, sent)
        return got["cache-status"].rpartition("=")[2], status, got, body

    def rename(self, title: str) -> None:
        """Edit the strike past the proxy."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/merge-patch+json",
            "If-Match": "*",
        }
        assert exchange(self.server, "PATCH", ITEM, headers, json.dumps({"title": title}).encode())[0] == 200


@pytest.fixture(scope="module")
def site(few_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if (reason := proxy.missing()) is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("copies")
    token = reviewer_tokens.add_reviewer(folder / "reviewers.json", "Ann")
    store = opened_copy(few_store, folder / "atlas.gpkg")
    options = ("--proxied", "--reviewers", str(folder / "reviewers.json"), "--set", f"cache_s={_FRESH_S}")
    front = Proxy(folder / "proxy", free_port())
    with serving(store, *options) as url:
        server = int(url.rpartition(":")[2])
        front.configure([server])
        front.start()
        try:
            yield Site(front, server, token)
        finally:
            front.kill()


def test_public_answers_are_copied_for_as_long_as_they_say(site: Site) -> None:
    site.rename("Before")
    begun, first = time.monotonic(), {path: site.get(path) for path in PATHS}
    for path, (state, status, headers, body) in first.items():
        assert (state, status, headers["cache-control"]) == ("MISS", 200, f"public, max-age={_FRESH_S}")
        again, known = site.get(path), site.get(path, If_None_Match=headers["etag"])
        if time.monotonic() - begun < _FRESH_S - 1:  # or the machine is too busy for this part
            assert (again[0], again[2]["etag"], again[3]) == ("HIT", headers["etag"], body)
            assert known[:2] == ("HIT", 304)
    _until_no_longer_fresh()
    # The worker is asked by the tag, and sends no body.
    for path, (_, _, headers, body) in first.items():
        state, status, got, same = site.get(path)
        assert (state, status, got["etag"], same) == ("REVALIDATED", 200, headers["etag"], body)
    site.rename("Afterwards")
    _until_no_longer_fresh()
    for path, (_, _, headers, _) in first.items():
        # A reader who has the newer one already does not make the older copy fresh again.
        newer = exchange(site.server, "GET", path)[1]["etag"]
        assert newer != headers["etag"]
        state, status, got, _ = site.get(path, If_None_Match=newer)
        assert (state, status, got["etag"]) == ("EXPIRED", 304, newer)
        assert b"Afterwards" in site.get(path)[3]


def _until_no_longer_fresh() -> None:
    time.sleep(_FRESH_S + 1.1)  # nginx counts whole seconds


def test_each_variant_is_copied_by_itself(site: Site) -> None:
    variants = ("application/json", "text/html"), ("en", "uk"), ("identity", "gzip")
    bodies = {
        (accept, language, coding): site.get("/about", Accept=accept, Accept_Language=language, Accept_Encoding=coding)
        for accept in variants[0]
        for language in variants[1]
        for coding in variants[2]
    }
    for (accept, language, _), (_, status, headers, _) in bodies.items():
        assert (status, headers["content-language"]) == (200, language)
        assert headers["content-type"].startswith(accept)
    pages = [one for (accept, *_), one in bodies.items() if accept == "text/html"]
    assert len({(headers["etag"], body) for _, _, headers, body in pages}) == 4


def test_what_a_reviewer_is_answered_is_never_copied(site: Site) -> None:
    mine = {"Authorization": f"Bearer {site.token}"}
    for path in ("/review/queue", ITEM, "/about"):
        for _ in range(2):
            state, status, _, _ = site.get(path, **mine)
            assert (state, status) == ("BYPASS", 200), path
    assert site.get("/review/queue")[:2] == ("MISS", 401)
    # Nor is an error: what is not there yet shows as soon as it is.
    for _ in range(2):
        assert site.get("/collections/strikes/items/not-there-yet")[:2] == ("MISS", 404)


def test_answers_of_one_name_of_the_site_are_not_given_out_under_another(site: Site) -> None:
    for name in ("atlas.example.org", "evil.example"):
        _, status, _, body = site.get("/collections/strikes/items?f=json&limit=1", Host=name)
        assert status == 200
        assert f"http://{name}/collections".encode() in body
    assert b"evil.example" not in site.get("/collections/strikes/items?f=json&limit=1", Host="atlas.example.org")[3]


def test_a_reader_cannot_tell_the_worker_what_was_passed_on(site: Site) -> None:
    status, headers, _ = exchange(site.proxy.port, "GET", "/about?f=html", {"Atlas-Seq": "999999"})
    assert (status, headers.get("atlas-seq")) == (200, None), "nor is it told the number, which counts private changes"


def test_only_the_answer_to_a_write_has_the_number_of_changes(site: Site) -> None:
    refused = (
        exchange(site.proxy.port, "DELETE", "/about"),
        exchange(site.proxy.port, "POST", "/collections/strikes/items", {"Content-Type": "application/json"}),
        exchange(site.proxy.port, "DELETE", "/about", {"Authorization": f"Bearer {site.token}"}),
        exchange(site.proxy.port, "OPTIONS", "/collections/strikes/items"),
    )
    assert [(status, headers.get("atlas-seq")) for status, headers, _ in refused] == [
        (405, None),
        (401, None),
        (405, None),
        (200, None),
    ]


def test_a_reader_cannot_say_below_which_prefix_the_site_is(site: Site) -> None:
    stated = {"X-Forwarded-Prefix": "/evil"}
    _, status, _, body = site.get("/collections/assets?f=json", X_Forwarded_Prefix="/evil")
    assert (status, b"/evil" in body) == (200, False)
    for path in ("/evil/health", "/evil/metrics", "/evil/about"):
        assert exchange(site.proxy.port, "GET", path, stated)[0] == 404, path


def test_how_busy_the_workers_are_is_not_public(site: Site) -> None:
    for path in ("/health", "/health/live", "/metrics"):
        assert exchange(site.proxy.port, "GET", path)[0] == 404
