"""Chromium with software rendering, once for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.browser.test_page import CHROMIUM, SOFTWARE_GL, Troubles


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SOFTWARE_GL)
    yield launched
    launched.close()


@pytest.fixture(scope="module")
def scripts(browser: Browser, server_url: str) -> Iterator[Page]:
    """A page that draws no map, to call the modules of the map's page in; none of them may have any trouble."""
    page = browser.new_page(bypass_csp=True)
    troubles = Troubles(page, server_url)
    page.goto(f"{server_url}/method")
    yield page
    page.close()
    assert troubles == []
