"""The base map in a real browser: that of `make setup`, and one of an operator in the schema of Protomaps."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from layers.store.store import Store
from tests.browser.test_page import CHROMIUM, DESK, Troubles
from tests.conftest import serving
from tests.layers.reference.made_basemap_sources import detailed_archive, protomaps_archive

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

#: What the style of the page draws of a source, by layer of the tiles.
DRAWN = """async () => {
  const { mapStyle } = await import("./static/layers.js");
  return mapStyle().layers.filter((one) => one.source === "base").map((one) => one["source-layer"]);
}"""


def opened(browser: Browser, url: str, place: str, scheme: str = "light") -> tuple[Page, Troubles]:
    page = browser.new_page(viewport=DESK, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    troubles = Troubles(page, url)
    page.goto(f"{url}/map#map={place}")
    page.wait_for_selector("body[data-ready]", state="attached")
    return page, troubles


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_operators_map_is_drawn_in_its_own_style(
    browser: Browser, store: Store, tmp_path: Path, scheme: str
) -> None:
    archive = protomaps_archive(tmp_path / "streets.pmtiles")
    with serving(store, "--basemap-tiles", str(archive)) as url:
        page, troubles = opened(browser, url, "40,50,3", scheme)
        assert set(page.evaluate(DRAWN)) >= {"earth", "water", "roads", "places"}
        # The attribution is text, whatever the archive has.
        expect(page.locator("#base-credit")).to_have_text("A map of streets")
        assert page.locator("#base-credit *").count() == 0
        assert troubles == []
        page.close()


def test_the_own_map_has_water_regions_and_names(browser: Browser, store: Store, tmp_path: Path) -> None:
    archive = detailed_archive(tmp_path)
    with serving(store, "--basemap-tiles", str(archive)) as url:
        page, troubles = opened(browser, url, "16,49,1.5")
        layers = set(page.evaluate(DRAWN))
        assert layers >= {"sea", "lake", "river", "region", "boundary", "place", "region_label", "sea_label"}
        expect(page.locator("#base-credit")).to_contain_text("GSHHG")
        expect(page.locator("#base-credit")).to_contain_text("Crimea in Ukraine")
        assert troubles == []
        page.close()
