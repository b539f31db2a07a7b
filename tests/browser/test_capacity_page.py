"""The web map on records with outages: a country's card, and how far a struck site worked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from layers.reference.basemap import Basemap
from tests.browser.test_page import AXE, CHROMIUM
from tests.conftest import serving
from tests.outage_records import outage_store

expect.set_options(timeout=20_000)
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, base: Basemap) -> Iterator[str]:
    with serving(outage_store(tmp_path_factory.mktemp("outages"), base)) as address:
        yield address


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["desk", "phone"])
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    opened = browser.new_page(viewport={"width": width, "height": height}, bypass_csp=True, base_url=url)
    yield opened
    opened.close()


def test_the_card_tells_capacity_hit_and_lost_in_the_days_of_the_view(page: Page) -> None:
    page.goto("/map#country=AZ&from=2026-04-01&to=2026-06-30")
    card = page.locator("#summary .capacity")
    expect(card.locator("summary")).to_have_text("Capacity of its owners that was hit")
    card.evaluate("node => { node.open = true }")
    cited = "The Gazette, The Register"
    lines = [
        [" ".join(part.split()) for part in line.locator("> span").all_inner_texts()]
        for line in card.locator("li").all()
    ]
    assert lines == [
        [f"Hit {cited}", "1,000 MW · 1 site (sure)"],
        [f"Hit {cited}", "25,000 to 30,000 t · 2 sites (0 of them sure)"],
        [f"Lost to strikes {cited}", "4,000 to 6,000 (MW)-days · 1 site (sure)"],
        [f"Lost to strikes {cited}", "0 to 910,000 t · 1 site (0 of them sure)"],
    ]
    address = card.get_by_text("Each site, with what it is based on").get_attribute("href")
    assert address is not None
    assert page.request.get(address).json()["since"] == "2026-04-01"
    assert page.locator("#summary").evaluate("node => node.scrollWidth <= node.clientWidth")


def test_the_record_of_a_strike_has_the_conditions_of_its_site(page: Page) -> None:
    page.goto("/map#strike=s2")
    table = page.get_by_role("table", name="How far it worked")
    expect(table).to_be_visible()
    cells = table.locator("tbody td").all_inner_texts()
    assert cells == ["21 April 2026", "11 May 2026", "40–60\u00a0%", "reduced", "The Gazette"]
    drawn = page.get_by_role("img", name="Along the days: reduced")
    # The least part that did not work is solid, what lies between it and the largest is hatched: 40 and 20 percent.
    lost, open_part = drawn.locator(".condition-lost"), drawn.locator(".condition-open")
    heights = [float(str(part.get_attribute("height"))) for part in (lost, open_part)]
    assert heights == [pytest.approx(0.4 * 18), pytest.approx(0.2 * 18)]
    assert drawn.evaluate("node => node.getBoundingClientRect().width") > 250
    page.add_script_tag(path=AXE)
    found = page.evaluate("async () => (await axe.run('#detail')).violations.map((one) => one.id)")
    assert found == []
