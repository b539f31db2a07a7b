"""Sites and lines of open data on the map: the key, the card of each, and the search that finds them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import shapely
from playwright.sync_api import Browser, Page, expect

from layers.store.store import Store
from tests.browser.test_map_marks import middle
from tests.browser.test_page import CHROMIUM, DESK, PHONE, Open, Troubles
from tests.conftest import WHOLE_BASEMAP, serving
from tests.layers.store.test_open_layer import TRACKER, asset, entity, point, stake, written

expect.set_options(timeout=20_000)
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

PLACE = {"uncertainty_m": 9000.0, "place_source": "tracker", "status": "operating"}
#: Sites in the steppe, where no strike is, with the view that has each in its middle.
SITES = {
    "gas": ("Steppe Gas Pipeline", "58,49,4"),
    "oil": ("Steppe Oil Pipeline", "58,47.5,6"),
    "plant": ("Steppe power station", "59,48.2,8"),
    "port": ("Steppe port", "57,48.2,9"),
}

WORDS = ("Owned in: Azerbaijan 100", "as of", "Holder 100", "No strike recorded here.", "A tracker (CC BY 4.0)")


def line(lat: float) -> shapely.LineString:
    return shapely.LineString([(50, lat), (58, lat), (66, lat)])


@pytest.fixture(scope="module")
def url(few_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    named = {key: {"name": name, "host_country": "KZ"} for key, (name, _) in SITES.items()}
    layer = written(
        tmp_path_factory.mktemp("layer") / "layer.zip", TRACKER, entity("holder", registered_in="AZ"),
        asset("gas", kind="pipeline", commodity="natural gas", geometry=line(49), basis="district", capacity=38.0,
              capacity_unit="bcm/y", **PLACE, **named["gas"]),
        asset("oil", kind="pipeline", commodity="oil", geometry=line(47.5), basis="line-end", **PLACE, **named["oil"]),
        asset("plant", **point(59, 48.2) | {"kind": "power-plant", "status": "operating"}, **named["plant"]),
        asset("port", **point(57, 48.2) | {"kind": "port-terminal", "status": "operating"}, **named["port"]),
        *(asset(f"twin-{n}", kind="pipeline", commodity="oil", geometry=line(46.5), basis="line-end", **PLACE)
          for n in (1, 2)),
        *(stake(key, "holder", 100.0) for key in SITES),
    )  # fmt: skip
    with serving(few_store, "--open-layer", str(layer.path), base=WHOLE_BASEMAP) as address:
        yield address


@pytest.fixture
def opened(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce", locale="en-GB", viewport=DESK)  # type: ignore[arg-type]
    page = context.new_page()
    troubles = Troubles(page, url)
    yield page
    context.close()
    assert troubles == []


def drawn(page: Page, url: str, view: str) -> None:
    page.goto("about:blank")
    page.goto(f"{url}/map#{view}")
    page.wait_for_selector("body[data-ready]", state="attached")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_click_on_a_site_or_line_opens_its_card(opened: Page, url: str, size: dict[str, int]) -> None:
    opened.set_viewport_size(size)  # type: ignore[arg-type]
    card = opened.locator(".site-card")
    for key, (name, view) in SITES.items():
        drawn(opened, url, f"map={view}")
        opened.mouse.click(*middle(opened))
        expect(card).to_contain_text(name)
        for words in WORDS:
            expect(card).to_contain_text(words)
        assert card.get_by_text("38\u00a0bcm/y").count() == (key == "gas")
        assert card.get_by_text("only roughly known").count() == (key == "oil")
        box = card.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= size["width"] - box["width"]
        opened.keyboard.press("Escape")
        expect(card).to_have_count(0)
    drawn(opened, url, "map=58,46.5,6")  # where one line lies on another
    opened.mouse.click(*middle(opened))
    seen = set()
    for _ in range(2):
        name = card.locator("strong").inner_text()
        seen.add(name)
        card.get_by_role("button").click()
        expect(card.locator("strong")).not_to_have_text(name)
    assert seen == {"twin-1", "twin-2"}
    card.get_by_role("link", name="Page of this site").click()
    expect(opened.get_by_role("heading", level=1)).to_have_text(re.compile("^twin-"))


def test_the_search_opens_a_site_that_no_strike_hit(opened: Page, url: str) -> None:
    drawn(opened, url, "map=30,48,5")
    opened.get_by_role("combobox", name="Search").fill("Steppe power")
    opened.locator("#search-asset-0").click()
    expect(opened.locator(".site-card")).to_contain_text("Steppe power station")
    expect(opened).to_have_url(re.compile(r"map=59,4"))
    opened.get_by_role("button", name="Remove the filter").click()
    expect(opened.locator(".site-card")).to_have_count(0)


def test_the_key_explains_open_data_where_there_are_some(opened: Page, url: str) -> None:
    words = ["pipeline", "pipeline, course only roughly known", "site, shown close up"]
    heading = opened.get_by_role("heading", name="Open data, no strike recorded")
    part = opened.locator("#key section").filter(has=heading)
    for size in (DESK, PHONE):
        opened.set_viewport_size(size)  # type: ignore[arg-type]
        drawn(opened, url, "")
        opened.get_by_text("Key to all symbols").click()
        expect(part.locator("li")).to_have_text(words)
        part.locator("li").last.scroll_into_view_if_needed()
        expect(part.locator("li").last).to_be_in_viewport()


def test_the_key_says_nothing_of_open_data_where_there_are_none(open_page: Open) -> None:
    key = open_page().locator("#key")
    expect(key.get_by_role("heading", name="Lines", include_hidden=True)).to_have_count(1)
    expect(key.get_by_role("heading", name=re.compile("^Open data"), include_hidden=True)).to_have_count(0)
