"""The pages of the API in a real browser: by keyboard, on a phone, without a script, and what is copied from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_page import AXE, CHROMIUM, DESK, PHONE, Troubles

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

STRIKE = "/collections/strikes/items/ua-orlivka-2025-08-06"
TABLE = "/collections/strikes/items?kind=refinery&limit=5"
PATHS = ("/", "/countries", "/collections", "/collections/strikes", TABLE, STRIKE, "/collections/strikes/schema",
         "/api", "/connect", "/styles", "/styles/strikes/metadata", "/conformance",
         "/strikes/ua-orlivka-2025-08-06/attribution", "/nothing-here")  # fmt: skip

Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, server_url: str) -> Iterator[Open]:
    """Opens pages; when the test is over none of them may have had any trouble but a 404 of its own."""
    opened: list[tuple[Page, Troubles]] = []

    def opener(path: str, size: dict[str, int] = DESK, scheme: str = "light", *, csp: bool = True, script: bool = True,
               allowed: tuple[str, ...] = ()) -> Page:  # fmt: skip
        context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            bypass_csp=not csp,
            java_script_enabled=script,
            permissions=allowed,
            reduced_motion="reduce",
        )
        page = context.new_page()
        opened.append((page, Troubles(page, server_url)))
        page.goto(f"{server_url}{path}")
        return page

    yield opener
    troubles = [trouble for page, each in opened for trouble in each if "nothing-here" not in page.url]
    for page, _ in opened:
        page.context.close()
    assert troubles == []


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    open_page: Open, path: str, size: dict[str, int], scheme: str
) -> None:
    page = open_page(path, size, scheme, csp=False)
    # All of the definition open would be a page of thousands of cells.
    page.locator("details").evaluate_all("nodes => nodes.slice(0, 5).forEach(node => (node.open = true))")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("path", ["/", "/review"])
def test_the_link_past_the_head_is_seen_when_the_keyboard_is_on_it(open_page: Open, path: str) -> None:
    page = open_page(path)
    link = page.locator(".skip")
    expect(link).not_to_be_in_viewport()
    if path == "/review":
        expect(page.locator(":focus")).to_be_visible()  # where one signs in, which the page comes to by itself
    link.focus()
    expect(link).to_be_in_viewport()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_pictures_are_drawn_and_those_of_the_size_of_the_screen(open_page: Open, size: dict[str, int]) -> None:
    page = open_page(TABLE, size)
    picture = page.locator("main img")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") == (960 if size is DESK else 480)
    assert f"width={960 if size is DESK else 480}" in picture.evaluate("image => image.currentSrc")


def test_a_table_is_asked_for_by_keyboard_and_without_a_script(open_page: Open) -> None:
    page = open_page("/collections/strikes/items", script=False)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Filter").focus()
    page.keyboard.type("kind = 'refinery'")
    page.get_by_label("On a page").focus()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.locator(".asked")).to_contain_text("kind = 'refinery'")
    assert page.url.endswith("/items?filter=kind+%3D+%27refinery%27&limit=3")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Next page").first.click()
    expect(page.get_by_role("link", name="Page before").first).to_be_visible()
    page.locator("tbody th a").first.click()
    expect(page.locator("dl.properties")).to_contain_text("refinery")


def test_a_snippet_is_copied_as_it_stands(open_page: Open, server_url: str) -> None:
    page = open_page("/connect", allowed=("clipboard-read", "clipboard-write"))
    page.get_by_role("button", name="Copy: GeoPandas", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#python-geopandas").inner_text()
    assert f'"{server_url}/collections/strikes/items?limit=10000"' in copied


def test_the_map_and_the_pages_lead_to_each_other(open_page: Open, server_url: str) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Open the map").click()
    page.wait_for_url(f"{server_url}/map")
    page.get_by_role("link", name="Use the data in your own program").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect")
    page.get_by_role("link", name="StrikeAtlas").click()
    expect(page).to_have_url(f"{server_url}/")


def test_where_the_clipboard_is_closed_the_snippet_is_selected(open_page: Open) -> None:
    page = open_page("/connect")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.get_by_role("button", name="Copy: sf", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Selected")
    assert page.evaluate("getSelection().toString()").startswith("library(sf)")


def test_maplibre_snippets_draw_the_strikes(open_page: Open, server_url: str) -> None:
    page = open_page("/connect", csp=False)
    style, source = (page.locator(f"#maplibre-{name}").inner_text() for name in ("style", "source"))
    first, _, rest = style.partition("\n")
    assert first == 'import * as maplibregl from "maplibre-gl";'
    code = f"""
      const maplibregl = await import("{server_url}/static/vendor/maplibre-gl/maplibre-gl.mjs");
      document.body.innerHTML = '<div id="map"></div>';
      document.getElementById("map").style.cssText = "width: 600px; height: 400px";
      {rest}
      await new Promise((resolve) => map.once("load", resolve));
      {source.replace('"strikes"', '"own"').replace('"source-layer": "own"', '"source-layer": "strikes"')}
      await new Promise((resolve) => map.once("idle", resolve));
      return map.queryRenderedFeatures({{ layers: ["own"] }}).length;
    """
    assert page.evaluate(f"(async () => {{ {code} }})()") > 10
