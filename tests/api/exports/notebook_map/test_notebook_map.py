"""The map of a notebook: it asks nobody for anything, and no text of a record becomes script or markup."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas
import pytest
import shapely
from playwright.sync_api import Browser

from api.exports.errors import ExportError
from api.exports.notebook_map import notebook_map
from api.exports.notebook_map.notebook_map import drawn_strikes
from api.exports.text import script_json
from layers.reference.basemap import Basemap
from tests.api.exports.making import frame_of, strike

CHROMIUM = Path("/usr/bin/chromium")
EVIL = "</script><img src=x onerror=alert(1)>"
EVILS = (EVIL, "{{ 7 * 7 }}{% endraw %}", "${alert(1)}`;alert(2)//", "'\"><svg onload=alert(3)>", "<!--<script>")

pytestmark = pytest.mark.skipif(
    not (notebook_map.VENDOR / "leaflet.js").exists(), reason="needs static/vendor (`make setup`)"
)


@pytest.mark.parametrize("text", EVILS)
def test_json_in_a_script_is_only_data(text: str) -> None:
    written = script_json({"a": [text]})
    assert not re.search(r"[<>&]|\{[{%#]", written)


def test_without_leaflet_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(notebook_map, "VENDOR", tmp_path)
    with pytest.raises(ExportError, match="make setup"):
        notebook_map.inline_links()


def test_a_map_of_a_notebook_is_drawn_without_a_network(
    strikes: geopandas.GeoDataFrame,
    assets: geopandas.GeoDataFrame,
    small_base: Basemap,
    browser: Browser,
    tmp_path: Path,
) -> None:
    file = tmp_path / "map.html"
    notebook_map.notebook_map(strikes, assets, small_base).save(str(file))
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


def test_days_choose_strikes_and_sources_are_links(
    assets: geopandas.GeoDataFrame, small_base: Basemap, browser: Browser,
    tmp_path: Path,
) -> None:  # fmt: skip
    days = [("2025-01-05", "2025-01-05"), ("2025-02-01", "2025-03-31"), (None, None), (None, "2025-01-20")]
    rows = [
        strike(n, id=f"d-{n}", title=f"Strike {n}", day_first=first, day_last=last, status="reported")
        | {"geometry": shapely.Point(29 + n, 46.5), "owners": "UA 0-40.5, RU 59.5", "relations": "GB supplier"}
        for n, (first, last) in enumerate(days)
    ]
    cites = {"d-1": [("A report", "https://news.example/1"), ("No address", ""), ("Script", "javascript:alert(1)")]}
    file = tmp_path / "map.html"
    notebook_map.notebook_map(frame_of(rows), assets, small_base, cites).save(str(file))
    tab = browser.new_page()
    tab.goto(file.as_uri())
    shown = tab.locator(".strike")
    assert shown.count() == 4
    tab.get_by_label("From").fill("2025-03-01")
    assert sorted(shown.evaluate_all("(all) => all.map((one) => one.title)")) == ["Strike 1", "Strike 2"]
    assert tab.locator(".days output").inner_text() == "2 of 4 strikes"
    tab.get_by_label("From").fill("2025-01-01")
    tab.get_by_label("To").fill("2025-01-31")
    assert sorted(shown.evaluate_all("(all) => all.map((one) => one.title)")) == ["Strike 0", "Strike 2", "Strike 3"]
    tab.get_by_label("To").fill("2025-02-28")
    tab.get_by_title("Strike 1", exact=True).dispatch_event("click")
    assert tab.locator(".leaflet-popup article li").all_inner_texts()[:3] == [
        "Ukraine\u00a00–40.5", "Russia\u00a059.5", "United Kingdom supplier"
    ]  # fmt: skip
    links = tab.locator(".leaflet-popup article a")
    assert links.all_inner_texts() == ["A report", "No address", "Script"]
    assert links.evaluate_all("(all) => all.map((one) => one.getAttribute('href'))") == [
        "https://news.example/1", None, None
    ]  # fmt: skip
    tab.close()


def test_popups_of_a_notebook_hold_texts_alone(
    assets: geopandas.GeoDataFrame, small_base: Basemap, browser: Browser,
    tmp_path: Path,
) -> None:  # fmt: skip
    rows = [
        strike(n, id=f"e-{n}", title=text, place=text, when=text, owners=text, relations=text, status=text)
        | {"geometry": shapely.Point(29 + n, 46.5)}
        for n, text in enumerate(EVILS)
    ]
    file = tmp_path / "map.html"
    notebook_map.notebook_map(frame_of(rows), assets, small_base).save(str(file))
    tab = browser.new_page()
    troubles: list[str] = []
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
    tab.goto(file.as_uri())
    for text in EVILS:
        tab.get_by_title(text, exact=True).dispatch_event("click")
        tab.locator(".leaflet-popup article h2").get_by_text(text, exact=True).wait_for()
    assert tab.locator("img[src=x], svg[onload]").count() == 0
    assert troubles == []
    tab.close()
