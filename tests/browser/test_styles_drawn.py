"""The styles in MapLibre on a page of another origin: all is drawn, no picture is missing, no other host is asked."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.browser.test_page import CHROMIUM

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

VENDOR = Path(__file__).resolve().parents[2] / "static" / "vendor" / "maplibre-gl"
PAGE = """<!doctype html><meta charset=utf-8><link rel=icon href=data:,><link rel=stylesheet href=/maplibre-gl.css>
<style>#map { width: 600px; height: 450px }</style><div id=map></div><script type=module>
import * as maplibregl from "/maplibre-gl.mjs";
const missing = [], faults = [];
const style = new URLSearchParams(location.search).get("style");
const map = new maplibregl.Map({ container: "map", style, center: [34, 49], zoom: 5 });
map.on("styleimagemissing", (event) => missing.push(event.id));
map.on("error", (event) => faults.push(event.error.message));
map.on("idle", () => {
  const drawn = {};
  for (const one of map.queryRenderedFeatures()) (drawn[one.layer.id] ??= []).push(one.properties.id);
  window.told = { drawn, missing, faults };
});
</script>"""


class Elsewhere(http.server.SimpleHTTPRequestHandler):
    """A page that is not ours, with MapLibre."""

    extensions_map: ClassVar[dict[str, str]] = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
    }

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if urlsplit(self.path).path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE.encode())


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    handler = functools.partial(Elsewhere, directory=str(VENDOR))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


DRAWN = {
    "atlas": {"land", "coast", "border", "pipe-case", "pipe-gas", "pipe-oil", "site", "strikes"},
    "strikes": {"strikes"},
    "assets": {"pipe-case", "pipe-gas", "pipe-oil", "site"},
    "attributions": {"attributions"},
    "hits": {"hits"},
    "countries": {"area", "area-edge"},
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_style_is_drawn_on_a_page_of_another_origin(
    browser: Browser, elsewhere: str, server_url: str, name: str
) -> None:
    page = browser.new_page(viewport={"width": 600, "height": 450})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{elsewhere}?style={server_url.rstrip('/')}/styles/{name}")
    page.wait_for_function("window.told", timeout=60_000)
    told: dict[str, Any] = page.evaluate("window.told")
    page.close()
    assert (told["missing"], told["faults"]) == ([], [])
    assert set(told["drawn"]) == DRAWN[name]
    homes = {urlsplit(one).netloc for one in asked if urlsplit(one).scheme not in ("data", "blob")}
    assert homes == {urlsplit(elsewhere).netloc, urlsplit(server_url).netloc}
