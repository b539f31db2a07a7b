"""The base map in a real browser: that of `make setup`, and one of an operator in the schema of Protomaps."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, expect

from layers.store.store import Store
from tests.browser.test_page import CHROMIUM, DESK, Troubles
from tests.conftest import serving
from tests.tools.basemap.made_sources import detailed_archive, protomaps_archive

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

#: Colours of the base map in light.
BASE = json.loads((Path(__file__).parents[2] / "static" / "style-table.json").read_text(encoding="utf-8"))["base"][
    "light"
]

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


def colour_at(page: Page, x: int, y: int) -> tuple[int, ...]:
    """Red, green and blue of a pixel of the page."""
    clip = FloatRect(x=x, y=y, width=1, height=1)
    colour = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB").getpixel((0, 0))
    assert isinstance(colour, tuple)
    return colour


def walked(page: Page, place: str) -> None:
    """Bring the map to a place by its address, and wait until a tile of assets is there, which is asked for last."""
    with page.expect_response(lambda answer: "/tiles/assets/" in answer.url):
        page.evaluate("place => { location.hash = `map=${place}` }", place)


def test_the_own_map_has_water_regions_and_names_and_is_enlarged_where_it_has_no_tiles(
    browser: Browser, store: Store, tmp_path: Path
) -> None:
    archive = detailed_archive(tmp_path)
    with serving(store, "--basemap-tiles", str(archive)) as url:
        page, troubles = opened(browser, url, "16,49,1.5")
        layers = set(page.evaluate(DRAWN))
        assert layers >= {"sea", "lake", "river", "region", "boundary", "place", "region_label", "sea_label"}
        expect(page.locator("#base-credit")).to_contain_text("GSHHG")
        expect(page.locator("#base-credit")).to_contain_text("Crimea in Ukraine")
        # The archive has zooms 3 to 8 for a box around its land alone; its other land lies beyond the antimeridian.
        for place in ("16,49,8", "-60,-20,5", "120,30,8", "-150,60,6.5", "175,-15,7"):
            walked(page, place)
        land = tuple(bytes.fromhex(BASE["land"].removeprefix("#")))
        sea = tuple(bytes.fromhex(BASE["sea"].removeprefix("#")))
        expect_colour = [(175, -15, land), (160, -15, sea)]
        for lon, lat, colour in expect_colour:
            walked(page, f"{lon},{lat},7.5")
            for _ in range(50):
                if colour_at(page, 900, 300) == colour:
                    break
                page.wait_for_timeout(100)
            assert colour_at(page, 900, 300) == colour
        assert troubles == []
        page.close()
