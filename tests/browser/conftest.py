"""Chromium with software rendering, once for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from layers.store.store import Store
from tests.browser.test_page import CHROMIUM, SOFTWARE_GL, Troubles
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
