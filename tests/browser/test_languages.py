"""The map in Ukrainian and German: a walk on a phone, what is loaded for it, the switch, and room for long words."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_page import AXE, CHROMIUM, DEPOT, DESK, PHONE, Troubles, settled

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

CYRILLIC = re.compile("[а-щіїєґ]")


@pytest.fixture
def pages(browser: Browser, server_url: str) -> Iterator[list[tuple[Page, Troubles]]]:
    """Pages that were opened; when the test is over none of them may have had any trouble."""
    opened: list[tuple[Page, Troubles]] = []
    yield opened
    for page, _ in opened:
        page.context.close()
    assert [trouble for _, each in opened for trouble in each] == []


def open_in(
    pages: list[tuple[Page, Troubles]], browser: Browser, address: str, size: dict[str, int], locale: str = "en-US"
) -> Page:
    """Open the map; axe is put into it from outside, which the page's own policy rightly forbids."""
    context = browser.new_context(viewport=size, locale=locale, bypass_csp=True, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    pages.append((page, Troubles(page, address)))
    page.goto(address)
    page.wait_for_selector("#list button", state="attached")
    settled(page)
    return page


def faults(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [f"{each['id']}: {each['nodes'][0]['target']}" for each in found["violations"]]


def test_a_walk_in_ukrainian_on_a_phone(browser: Browser, server_url: str, pages: list[tuple[Page, Troubles]]) -> None:
    asked: list[str] = []
    browser.on("context", lambda context: context.on("request", lambda request: asked.append(request.url)))
    page = open_in(pages, browser, f"{server_url}/map?lang=uk", PHONE)
    assert page.locator("html").get_attribute("lang") == "uk"
    assert page.title().endswith("StrikeAtlas")
    assert [url for url in asked if url.endswith(".json") and "/text." in url] == [f"{server_url}/static/text.uk.json"]
    page.get_by_role("button", name="Список").click()
    expect(page.locator("#count strong")).to_have_text(re.compile(r"^\d+ удар"))
    page.get_by_role("combobox", name="Пошук").fill("SOCAR")
    page.get_by_role("group", name="Удари").get_by_role("option").first.click()
    expect(page.locator("#detail .headline").first).to_have_text(CYRILLIC)
    page.locator("#detail details").evaluate_all("nodes => nodes.forEach(node => (node.open = true))")
    expect(page.locator("#detail-title")).to_have_text(CYRILLIC)
    assert page.locator("#detail [lang=en]").count() > 0
    assert page.locator("#detail abbr.language").first.get_attribute("title") == "мовою оригіналу: англійська"
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_german_words_keep_their_room(
    browser: Browser, server_url: str, pages: list[tuple[Page, Troubles]], size: dict[str, int]
) -> None:
    page = open_in(pages, browser, f"{server_url}/map#country=AZ&strike={DEPOT}", size, "de-AT")
    assert page.locator("html").get_attribute("lang") == "de"
    page.wait_for_selector("#detail .owner")
    if size is DESK:
        page.locator("#filters summary").first.click()
        page.wait_for_selector("#filters fieldset")
    # What scrolls does so downwards alone, and no button or label is wider than its place.
    wide = page.locator("#results, #country, #detail, #time").evaluate_all(
        "nodes => nodes.filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.id)"
    )
    wide += page.locator(
        "button:not(.entity):visible, label:not(.sr):visible, .role span:visible, summary:visible"
    ).evaluate_all(
        """nodes => nodes.filter((node) => node.scrollWidth > node.clientWidth + 1 && node.clientWidth)
          .map((node) => `${node.className}: ${node.textContent}`)"""
    )
    assert wide == []
    assert faults(page) == []


def test_the_switch_leads_to_the_same_view_by_keyboard(
    browser: Browser, server_url: str, pages: list[tuple[Page, Troubles]]
) -> None:
    page = open_in(pages, browser, f"{server_url}/map?lang=uk#from=2025-01-01", DESK)
    switch = page.get_by_role("navigation", name="Мова")
    expect(switch.locator("[aria-current]")).to_have_text("Українська")
    switch.get_by_role("link", name="Deutsch").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/map?lang=de#from=2025-01-01")
    settled(page)
    expect(page.get_by_role("navigation", name="Sprache").locator("[aria-current]")).to_have_text("Deutsch")
    expect(page.locator("#count strong")).to_have_text(re.compile(r"^\d+ Angriff"))


def test_pipelines_and_sites_are_named_on_the_map_in_the_language_of_the_page(
    browser: Browser, server_url: str, pages: list[tuple[Page, Troubles]]
) -> None:
    page = open_in(pages, browser, f"{server_url}/map?lang=de", DESK)
    written = page.evaluate(
        """async () => {
            const { mapStyle } = await import("/static/layers.js");
            const layers = mapStyle().layers.filter(({ id }) => ["pipe-name", "site-name"].includes(id));
            return layers.map(({ layout }) => layout["text-field"]);
        }"""
    )
    assert written == [["coalesce", ["get", "name_de"], ["get", "name"]]] * 2
    found = page.request.get(f"{server_url}/collections/asset-lines/items/a-trans-balkan?f=json").json()["properties"]
    assert (found["name"], found["name_de"]) == ("Trans-Balkan gas pipeline", "Trans-Balkan-Pipeline")
