"""Chromium with software rendering, once for each file of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from layers.store.store import Store
from tests.browser.test_page import CHROMIUM, DESK, SOFTWARE_GL, Troubles, settled
from tests.conftest import WHOLE_BASEMAP, serving


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SOFTWARE_GL)
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def server_url(store: Store) -> Iterator[str]:
    """Address of a running server with the bundled records and the base map that readers see."""
    with serving(store, base=WHOLE_BASEMAP) as url:
        yield url


@pytest.fixture(scope="module")
def scripts(browser: Browser, server_url: str) -> Iterator[Page]:
    """A page that draws no map, to call the modules of the map's page in; none of them may have any trouble."""
    page = browser.new_page(bypass_csp=True)
    troubles = Troubles(page, server_url)
    page.goto(f"{server_url}/method")
    yield page
    page.close()
    assert troubles == []


ReusedPages = dict[tuple[object, ...], tuple[Page, Troubles]]

#: Puts what no address says back as at the start, and brings the page to a view by way of another that has nothing.
_BEGIN_ANEW = """async (view) => {
  const go = (hash) => new Promise((done) => {
    addEventListener("hashchange", () => done(), { once: true });
    location.hash = hash;
  });
  const find = (part) => document.querySelector(part);
  await go("q=plugh");
  for (const fold of document.querySelectorAll("#filters, #key details")) fold.open = false;
  find("#filters .filter-body").replaceChildren();
  if (document.body.classList.contains("sheet-open")) find("#grip").click();
  const box = find("#search input");
  box.value = "";
  box.dispatchEvent(new Event("input"));
  document.activeElement.blur();
  await go(view);
  find("#results").scrollTop = 0;
}"""


@pytest.fixture(scope="module")
def reused_pages(browser: Browser) -> Iterator[ReusedPages]:
    """Pages of the map that tests of a file go on in, one of each kind: to load and draw one anew is most of a test."""
    pages: ReusedPages = {}
    yield pages
    for page, _ in pages.values():
        page.context.close()
    assert [trouble for _, troubles in pages.values() for trouble in troubles] == []


@pytest.fixture
def open_page(browser: Browser, server_url: str, reused_pages: ReusedPages) -> Iterator[Callable[..., Page]]:
    """Opens the map at a view; when the test is over no page may have had any trouble.

    It reuses a page, put back as at the start. Tests of how a page begins, of its history, or of what
    is drawn ask for a fresh one, which is loaded by a new reader.
    """
    opened: list[tuple[Page, Troubles]] = []

    def opener(
        view: str = "",
        size: dict[str, int] = DESK,
        scheme: str = "light",
        *,
        csp: bool = True,
        drawn: bool = False,
        fresh: bool = False,
    ) -> Page:
        kind = (*size.values(), scheme, csp)
        fresh = fresh or drawn
        if not fresh and kind in reused_pages:
            page, troubles = reused_pages[kind]
            assert page not in [each for each, _ in opened], "it is at another view of this test"
            opened.append((page, troubles))
            page.unroute_all()
            page.emulate_media(color_scheme=scheme, forced_colors="none")  # type: ignore[arg-type]
            page.mouse.move(0, 0)
            page.evaluate(_BEGIN_ANEW, view.removeprefix("#"))
            page.wait_for_selector("#list button", state="attached")
        else:
            context = browser.new_context(
                viewport=size,  # type: ignore[arg-type]
                color_scheme=scheme,  # type: ignore[arg-type]
                bypass_csp=not csp,
                reduced_motion="reduce",
                locale="en-GB",
            )
            page = context.new_page()
            opened.append((page, Troubles(page, server_url)))
            page.goto(f"{server_url.rstrip('/')}/map{view}")
            page.wait_for_selector("body[data-ready]" if drawn else "#list button, #list .empty", state="attached")
            if not fresh:
                reused_pages[kind] = opened[-1]
        settled(page)
        return page

    yield opener
    troubles = [trouble for _, each in opened for trouble in each]
    for one in opened:
        one[1].clear()
        if one not in reused_pages.values():
            one[0].context.close()
    assert troubles == []
