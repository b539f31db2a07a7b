"""The one-file map: it asks nobody for anything, and no text of a record becomes script or markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pytest
import shapely
from playwright.sync_api import Browser, sync_playwright

from api.exports.offline_page import assemble, map
from api.exports.offline_page.assemble import script_json
from api.exports.strike_rows import ExportError, drawn_strikes
from layers.reference.basemap import Basemap
from tests.api.exports.making import DAY, ODESA, frame_of, strike

CHROMIUM = Path("/usr/bin/chromium")
EVIL = "</script><img src=x onerror=alert(1)>"
EVILS = (EVIL, "{{ 7 * 7 }}{% endraw %}", "${alert(1)}`;alert(2)//", "'\"><svg onload=alert(3)>", "<!--<script>")

pytestmark = pytest.mark.skipif(
    not (assemble.VENDOR / "leaflet.js").exists(), reason="needs static/vendor (`make setup`)"
)


@pytest.fixture
def page(
    strikes: geopandas.GeoDataFrame,
    assets: geopandas.GeoDataFrame,
    attributions: geopandas.GeoDataFrame,
    small_base: Basemap,
) -> Any:
    """Make a page of the small world."""

    def made(strikes: geopandas.GeoDataFrame = strikes, **options: Any) -> str:
        chosen = {"bbox": ODESA, "title": "Strikes", "data_date": DAY} | options
        return map.render(strikes, assets, attributions, small_base, **chosen)

    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("needs /usr/bin/chromium")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield made
        made.close()


def test_nothing_is_linked_and_no_other_library_is_in_it(page: Any) -> None:
    html = page()
    assert not re.search(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="', html)
    styles = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert not re.search(r"@import|url\((?!data:)", styles)
    for library in ("jquery", "bootstrap", "awesome", "glyphicon", "jsdelivr", "unpkg", "cdnjs"):
        assert library not in html.lower()
    assert "Copyright" in html
    assert "user-scalable=no" not in html
    assert len(html.encode()) < 3_000_000


def test_policy_names_every_script_and_no_host(page: Any) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page())
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r"unsafe|https?:|\*|connect-src", policy[1])


def test_same_input_same_page(page: Any) -> None:
    assert page() == page()


def test_real_records_stay_small(snapshot: Any) -> None:
    from api.cli.export import frames

    made = frames(snapshot)
    html = map.render(
        made["strikes"], made["assets"], made["attributions"], snapshot.basemap, title="All", data_date=DAY
    )
    assert len(html.encode()) < 3_000_000


@pytest.mark.parametrize("text", EVILS)
def test_json_in_a_script_is_only_data(text: str) -> None:
    written = script_json({"a": [text]})
    assert not re.search(r"[<>&]|\{[{%#]", written)


def test_without_leaflet_the_error_says_what_to_do(page: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assemble, "VENDOR", tmp_path)
    with pytest.raises(ExportError, match="make setup"):
        page()


def test_bad_bbox_is_refused(page: Any) -> None:
    with pytest.raises(ExportError, match="four numbers"):
        page(bbox=(1, 2))


def test_no_text_of_a_record_runs_and_nothing_is_requested(page: Any, browser: Browser, tmp_path: Path) -> None:
    rows = [
        strike(n, id=f"e-{n}", title=text, place=text, when=text, owners=text, relations=text, status=text)
        | {"geometry": shapely.Point(29 + n, 46.5)}
        for n, text in enumerate(EVILS)
    ]
    rows.append(strike(9, title=EVIL, owners=EVIL, geometry=None))
    file = tmp_path / "page.html"
    file.write_text(page(frame_of(rows), title=EVIL), encoding="utf-8")
    tab = browser.new_page()
    asked: list[str] = []
    troubles: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: troubles.append(message.text))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
    tab.goto(file.as_uri())
    assert tab.title() == EVIL
    assert tab.locator("h1").inner_text() == EVIL
    assert tab.locator(".strike").count() == len(EVILS)
    for text in EVILS:
        tab.get_by_title(text, exact=True).dispatch_event("click")
        tab.locator(".leaflet-popup article h2").get_by_text(text, exact=True).wait_for()
    tab.locator("summary").click()
    assert tab.locator("footer td").nth(1).inner_text() == EVIL
    assert tab.locator("img[src=x], svg[onload]").count() == 0
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert troubles == []
    tab.close()


def test_popup_keeps_owners_and_others_apart(page: Any, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    # Reached and opened without a mouse.
    tab.get_by_role("button", name="Depot 0").focus()
    tab.keyboard.press("Enter")
    parts = tab.locator(".leaflet-popup article")
    parts.wait_for()
    assert parts.locator("h3").all_inner_texts() == ["Owners", "Not owners"]
    assert parts.locator("ul").all_inner_texts() == ["Azerbaijan 100 %", "Kazakhstan: supplier"]
    assert "1 August 2025 · Ukraine · reported" in parts.inner_text()
    assert "2 sources" in parts.inner_text()
    tab.close()


def test_strikes_beyond_the_antimeridian_are_on_the_map(page: Any, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(bbox=(175, -20, -175, -14)), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    box = tab.get_by_title("Depot 11").bounding_box()
    assert box
    assert 0 < box["x"] < 1280
    tab.close()


def test_of_several_sites_each_is_named(attributions: geopandas.GeoDataFrame) -> None:
    sites = [("a-1", "Depot of Odesa", False), ("a-2", "Depot of Izmail", True)]
    owner = attributions.iloc[[0]]
    rows = [owner.assign(asset=key, asset_name=name, alternative=maybe) for key, name, maybe in sites]
    (lines,) = map.ownership_lines(geopandas.GeoDataFrame(pd.concat(rows))).values()
    assert lines.owners == (
        "Azerbaijan 100 % of Depot of Odesa",
        "Azerbaijan 100 % of Depot of Izmail (a possible target)",
    )


def test_a_map_of_a_notebook_is_drawn_without_a_network(
    strikes: geopandas.GeoDataFrame,
    assets: geopandas.GeoDataFrame,
    attributions: geopandas.GeoDataFrame,
    small_base: Basemap,
    browser: Browser,
    tmp_path: Path,
) -> None:
    file = tmp_path / "map.html"
    map.notebook_map(strikes, assets, attributions, small_base).save(str(file))
    tab = browser.new_page()
    asked: list[str] = []
    troubles: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.goto(file.as_uri())
    assert tab.locator(".strike").count() == len(drawn_strikes(strikes)) > 5
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert troubles == []
    tab.close()
