"""Many strikes on the page: its numbers are those of the features, and each strike can be come to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect, sync_playwright

from bench import world
from bench.page import CHROMIUM, SOFTWARE_GL, differences, measured
from bench.page_watch import PageWatch
from bench.world_columns import Sizes, synthesize
from tests.browser.test_page import Troubles
from tests.conftest import serving

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")
expect.set_options(timeout=20_000)
#: More than the map is given one by one.
ROWS = 1800


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    made = synthesize(Sizes(ROWS, 60, 30, (28, 44, 44, 52)))
    store = world.store(tmp_path_factory.mktemp("world") / "world.gpkg", world.batches(made))
    with serving(store) as address:
        yield address
    store.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SOFTWARE_GL)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def requested_paths() -> list[str]:
    """What the page below asked for until its map was there."""
    return []


@pytest.fixture(scope="module")
def page(browser: Browser, url: str, requested_paths: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", locale="en-GB")
    opened = context.new_page()
    troubles = Troubles(opened, url)

    def note(request: Request) -> None:
        requested_paths.append(request.url.removeprefix(url))

    opened.on("request", note)
    opened.goto(f"{url}/map")
    opened.wait_for_selector("body[data-ready]", state="attached")
    opened.remove_listener("request", note)
    yield opened
    context.close()
    assert troubles == []


def test_no_number_of_the_page_differs_from_that_of_the_features(
    browser: Browser, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two countries are chosen, and nobody looks at the map meanwhile: that is for who measures.
    for name, value in (("_CHOSEN", 2), ("_REST_MS", 100), ("_LOOK_MS", 100), ("_TEXTS", 1)):
        monkeypatch.setattr(f"bench.page.{name}", value)
    figures = measured(browser, url, ROWS)
    assert figures.differing == []
    assert figures.list_s <= figures.map_s
    assert figures.first_view_kb > 100


def test_a_number_that_differs_is_reported(browser: Browser, url: str) -> None:
    def one_more(route: Route) -> None:
        counted = route.fetch().json()
        route.fulfill(json={**counted, "sure": counted["sure"] + 1})

    opened = browser.new_page()
    opened.route(re.compile("/strikes/counts"), one_more)
    watch = PageWatch(opened, url)
    opened.goto(f"{url}/map")
    opened.wait_for_selector("body[data-ready]", state="attached")
    watch.settle()
    (told,) = differences(watch)
    assert "sentence, sure" in told
    opened.close()


@pytest.mark.usefixtures("page")
def test_the_map_asks_once_for_very_many_before_it_is_there(requested_paths: list[str]) -> None:
    (clusters,) = [at for at, path in enumerate(requested_paths) if path.startswith("/strikes/clusters")]
    tiles = [at for at, path in enumerate(requested_paths) if path.startswith("/tiles/basemap/")]
    assert tiles
    assert clusters < tiles[0]


def test_a_list_of_any_length_has_all_its_rows_in_order_and_few_in_the_page(page: Page) -> None:
    entries = page.locator("#list li[aria-posinset]")
    everything = int(entries.first.get_attribute("aria-setsize") or 0)
    assert everything > 1000
    page.locator("#results").evaluate("frame => (frame.scrollTop = frame.scrollHeight)")
    expect(page.locator(f'#list [aria-posinset="{everything}"]')).to_be_attached()
    page.locator("#results").evaluate("frame => (frame.scrollTop = frame.scrollHeight)")
    expect(page.locator(f'#list [aria-posinset="{everything}"]')).to_be_in_viewport()
    # Back up a screen at a time: no row is passed over, and what is read stays in its place.
    for _ in range(30):
        top = page.evaluate(
            """() => {
              const frame = document.getElementById("results");
              const top = frame.getBoundingClientRect().top;
              const row = [...document.querySelectorAll("#list [aria-posinset]")]
                .find((node) => node.getBoundingClientRect().bottom > top);
              frame.scrollTop -= 700;
              return Number(row.getAttribute("aria-posinset"));
            }"""
        )
        page.wait_for_timeout(30)
        numbers = [int(number) for number in entries.evaluate_all(
            "nodes => nodes.map((node) => node.getAttribute('aria-posinset'))"
        )]  # fmt: skip
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert numbers[0] <= top <= numbers[-1]
        assert len(numbers) <= 700
    page.locator("#results").evaluate("frame => (frame.scrollTop = 0)")
    expect(page.locator('#list [aria-posinset="1"]')).to_be_in_viewport()
    expect(page.locator("#list .row-title").first).to_be_visible()


def test_a_badge_of_the_server_opens_as_many_strikes_as_it_says(page: Page) -> None:
    mark = page.get_by_role("group", name=re.compile("^Marks in view")).get_by_role(
        "button", name=re.compile("strikes$")
    )
    said = int(re.sub(r"\D", "", mark.first.get_attribute("aria-label") or ""))
    assert said > 1
    mark.first.focus()
    tip = page.locator(".maplibregl-popup-content")
    expect(tip).to_contain_text(f"{said:,} strikes")
    page.keyboard.press("Enter")
    expect(tip.locator("strong")).to_have_text(f"{said:,} strikes at this place")
    choices = tip.locator(".pick button:not(.closer)").count()
    more = tip.locator(".pick > .quiet").count()
    assert choices == min(said, 60)
    assert more == (said > 60)
    tip.locator(".pick button:not(.closer)").first.click()
    expect(page.locator("#detail")).to_be_visible()
