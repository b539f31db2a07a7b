"""The one-file page: it asks nobody for anything, finds and filters, and no text of a record is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from api.exports.errors import ExportError
from api.exports.offline_page import page as one_file
from api.exports.offline_page.page import PageOrder, page
from api.serializers.attribution import cited_sources
from api.serializers.selection import strike_rows
from api.wording.countries import country_names
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from tests.api.exports.making import DAY

CHROMIUM = Path("/usr/bin/chromium")
EVILS = (
    "</script><img src=x onerror=alert(1)>",
    "${alert(1)}`;alert(2)",
    "'\"><svg onload=alert(3)>",
    "<!--<script>",
)
NO_LINES = np.empty(0, dtype=object)

pytestmark = pytest.mark.skipif(
    not (one_file.VENDOR / "maplibre-gl.mjs").exists(), reason="needs static/vendor (`make setup`)"
)


def order(language: str = "en", **given: Any) -> PageOrder:
    usual: dict[str, Any] = {"title": None, "language": language, "box": (22, 44, 41, 53), "day": DAY,
                             "history": "9f3c2a7b10d4e5f6", "countries": {"UA": "Ukraine"}}  # fmt: skip
    return PageOrder(**(usual | given))


def row(**values: Any) -> dict[str, Any]:
    return {
        "title": "Depot", "status": "verified", "when": "2025-08-08", "day_first": "2025-08-08",
        "day_last": "2025-08-08",
        "place": "Odesa", "host_country": "UA", "headline": "", "rests_on": "decision", "owners": [],
        "sites_together": 1,
        "related": [], "names": [], "sources": [], "n_sources": 0, "n_voices": 0, "uncertainty_m": 5000.0, "lon": 30.7,
        "lat": 46.5,
    } | values  # fmt: skip


@pytest.fixture(scope="module")
def bundled(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the bundled records."""
    rows = strike_rows(snapshot, [*snapshot.answers().values()])
    names = country_names(snapshot.country_names, "en")
    html = page(rows, cited_sources(snapshot, rows), NO_LINES, snapshot.basemap, order(countries=names))
    file = tmp_path_factory.mktemp("page") / "strikes.html"
    file.write_text(html, encoding="utf-8")
    return file


def test_the_page_of_the_bundled_records_is_small_and_links_nothing(bundled: Path) -> None:
    html = bundled.read_text(encoding="utf-8")
    assert len(html.encode()) < 2_000_000
    assert not re.search(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", html)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    assert not re.search(r"unsafe|https?:|\*", policy[1])


def test_it_finds_opens_and_filters_without_a_network(bundled: Path, browser: Browser) -> None:
    context = browser.new_context(offline=True)
    tab = context.new_page()
    asked, troubles = list[str](), list[str]()
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.goto(bundled.as_uri())
    tab.wait_for_selector("html[data-drawn]", state="attached", timeout=120_000)
    count = tab.locator("#count")
    every = count.inner_text()
    tab.locator("#search").fill("SOCAR")
    found = tab.locator("#list button").count()
    assert 0 < found < 20
    tab.locator("#list button", has_text="SOCAR oil depot, Odesa").first.click()
    assert "Azerbaijan 100" in tab.locator("#detail").inner_text()
    assert tab.locator("#detail a[href^=http]").count() > 3
    tab.locator("#from").fill("2025-08-10")
    assert tab.locator("#list button").count() < found
    tab.locator("#search").fill("")
    assert count.inner_text() != every
    assert Axe().run(tab).response["violations"] == []
    assert [url for url in asked if not url.startswith(("blob:", "data:"))] == [bundled.as_uri()]
    assert troubles == []
    context.close()


def test_no_text_of_a_record_runs(small_base: Basemap, browser: Browser, tmp_path: Path) -> None:
    rows = [row(title=text, place=text, headline=text, names=[text], sources=["s"]) for text in EVILS]
    source = {
        "publisher": EVILS[0],
        "title": None,
        "published": None,
        "url": "javascript:alert(4)",
        "archive_url": None,
    }
    file = tmp_path / "page.html"
    file.write_text(page(rows, {"s": source}, NO_LINES, small_base, order(title=EVILS[0])), encoding="utf-8")
    tab = browser.new_page()
    troubles = list[str]()
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
    tab.goto(file.as_uri())
    assert tab.title() == EVILS[0]
    for at, text in enumerate(EVILS):
        tab.locator("#list button").nth(at).click()
        assert tab.locator("#detail h2").inner_text() == text
        assert tab.locator("#detail a").count() == 0
        tab.locator("#detail button").click()
    assert tab.locator("img[src=x], svg[onload]").count() == 0
    assert troubles == []
    tab.close()


@pytest.mark.parametrize("language", ["en", "uk", "de"])
def test_it_comes_in_each_language_and_equal_input_gives_an_equal_page(small_base: Basemap, language: str) -> None:
    html = page([row()], {}, NO_LINES, small_base, order(language))
    assert html == page([row()], {}, NO_LINES, small_base, order(language))
    assert f'<html lang="{language}">' in html


def test_without_maplibre_the_error_says_what_to_do(
    small_base: Basemap, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(one_file, "VENDOR", tmp_path)
    with pytest.raises(ExportError, match="make setup"):
        page([row()], {}, NO_LINES, small_base, order())
