"""MapLibre reads MapLibre Tiles of the server, and finds in them what it finds in Mapbox Vector Tiles."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.test_page import CHROMIUM

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

READ = """async ([collection, kind]) => {
  const { Map } = await import("/static/vendor/maplibre-gl/maplibre-gl.mjs");
  const container = document.body.appendChild(document.createElement("div"));
  container.style = "width: 500px; height: 400px";
  const address = `${location.origin}/tiles/${collection}/{z}/{x}/{y}`;
  const source = (encoding) => ({ type: "vector", tiles: [`${address}.${encoding}`], encoding, maxzoom: 14 });
  const layer = (id) => ({ id, source: id, "source-layer": collection, type: kind });
  const sources = { mvt: source("mvt"), mlt: source("mlt") };
  const map = new Map({ container, center: [34, 48], zoom: 4,
    style: { version: 8, sources, layers: ["mvt", "mlt"].map(layer) } });
  const troubles = [];
  map.on("error", (event) => troubles.push(event.error.message));
  await map.once("idle");
  const found = (id) => map.querySourceFeatures(id, { sourceLayer: collection })
    .map(({ id, geometry, properties }) => JSON.stringify([id, geometry, Object.entries(properties).sort()])).sort();
  const answer = { mvt: found("mvt"), mlt: found("mlt"), troubles };
  map.remove();
  container.remove();
  return answer;
}"""


@pytest.mark.parametrize(
    ("collection", "kind"), [("strikes", "circle"), ("asset-lines", "line"), ("countries", "fill")]
)
def test_both_formats_give_maplibre_the_same_features(scripts: Page, collection: str, kind: str) -> None:
    found: dict[str, Any] = scripts.evaluate(READ, [collection, kind])
    assert found["troubles"] == []
    assert found["mvt"] == found["mlt"]
    assert found["mvt"]
