"""What is published, in a real browser: pages without scripts, the map within another site's page, and on paper."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, expect
from pypdf import PdfReader

from layers.store.store import Store
from tests.browser.test_page import AXE, CHROMIUM, CPC, DEPOT, DESK, PHONE, Troubles, settled
from tests.conftest import serving
from tests.store_copies import opened_copy

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

PAGES = (
    f"/collections/strikes/items/{DEPOT}",
    "/collections/assets/items/a-orlivka",
    "/entities/socar/holdings",
    "/countries/AZ",
    "/method",
)


class SilentFiles(SimpleHTTPRequestHandler):
    """A site of files that says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Another site: its folder and its origin."""
    folder = tmp_path_factory.mktemp("site")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SilentFiles, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def served(few_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A copy, as a server keeps what follows from a store beside it."""
    return opened_copy(few_store, tmp_path_factory.mktemp("served") / "atlas.gpkg")


@pytest.fixture(scope="module")
def embeddable(served: Store, site: tuple[Path, str]) -> Iterator[str]:
    """A server whose operator lets that site show its map."""
    with serving(served, "--embed-on", site[1]) as url:
        yield url


@pytest.mark.parametrize("path", PAGES)
def test_a_page_to_cite_needs_no_script_and_fits_a_phone_and_paper(
    browser: Browser, embeddable: str, path: str
) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]
    page = context.new_page()
    troubles = Troubles(page, embeddable)
    page.goto(embeddable + path)
    expect(page.locator("h1")).to_be_visible()
    assert page.locator("h1").inner_text()
    sheet = page.pdf(prefer_css_page_size=True)
    assert [round(float(side)) for side in PdfReader(io.BytesIO(sheet)).pages[0].mediabox.upper_right] == [595, 842]
    context.close()
    assert troubles == []
    context = browser.new_context(viewport=PHONE, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(embeddable + path)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found["violations"]] == []
    context.close()


def test_the_map_is_shown_on_another_site_and_keeps_nothing_there(
    browser: Browser, embeddable: str, site: tuple[Path, str]
) -> None:
    told = f"{embeddable}/oembed?url={quote(f'{embeddable}/map?country=AZ', safe='')}"
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    html = page.request.get(told).json()["html"]
    (site[0] / "news.html").write_text(f"<!doctype html><title>News</title>{html}", encoding="utf-8")
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{site[1]}/news.html")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#count strong")).to_contain_text("owned wholly or in part in Azerbaijan")
    expect(frame.locator("#search")).to_be_hidden()
    expect(frame.locator("#map-frame canvas, #map-frame img").first).to_be_visible()
    out = frame.get_by_role("link", name="Open the full map")
    expect(out).to_have_attribute("href", f"{embeddable}/map?country=AZ")
    inner = next(one for one in page.frames if one.url.startswith(embeddable))
    assert inner.evaluate(
        "document.documentElement.scrollWidth <= innerWidth && document.body.scrollHeight <= innerHeight"
    )
    assert inner.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert (
        inner.evaluate(
            "navigator.serviceWorker ? navigator.serviceWorker.getRegistrations().then((all) => all.length) : 0"
        )
        == 0
    )
    assert page.context.cookies() == []
    assert troubles == []
    page.close()


def test_a_site_that_the_operator_did_not_name_shows_no_map(
    browser: Browser, embeddable: str, site: tuple[Path, str]
) -> None:
    html = f'<!doctype html><title>News</title><iframe src="{embeddable}/map?embed=1"></iframe>'
    (site[0] / "other.html").write_text(html, encoding="utf-8")
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    # The same files, by another origin.
    page.goto(f"{site[1].replace('127.0.0.1', 'localhost')}/other.html")
    assert not page.frames[1].url.startswith(embeddable)
    assert any("frame-ancestors" in text for text in said)
    page.close()


def test_the_page_offers_to_embed_the_map_only_where_it_will_be_shown(
    browser: Browser, embeddable: str, site: tuple[Path, str], served: Store
) -> None:
    with serving(served) as own:
        page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
        for server, is_offered in ((embeddable, True), (own, False)):
            with page.expect_response(f"{server}/about"):
                page.goto(f"{server}/map?country=AZ")
            expect(page.locator("#reuse a[download='strikes.csv']")).to_be_visible()
            offer = page.locator("#reuse details", has=page.locator("code"))
            expect(offer).to_be_visible() if is_offered else expect(offer).to_be_hidden()
            page.goto(f"{server}/countries/AZ?f=html")
            assert page.locator("code", has_text="embed=1").count() == is_offered
            assert page.locator("link[type='application/json+oembed']").count() == is_offered
            assert page.request.get(f"{server}/oembed?url=/countries/AZ").status == (200 if is_offered else 404)
        (site[0] / "own.html").write_text(f'<iframe src="{own}/map?embed=1"></iframe>', encoding="utf-8")
        page.goto(f"{site[1]}/own.html")
        assert not page.frames[1].url.startswith(own)
        page.goto(f"{embeddable}/map?country=AZ")
        page.locator("#reuse summary", has_text="Embed this map").click()
        expect(page.locator("#reuse details", has=page.locator("code"))).to_contain_text(f"pages of {site[1]}")
        html = page.locator("#reuse details code").inner_text()
        (site[0] / "offered.html").write_text(html, encoding="utf-8")
        page.goto(f"{site[1]}/offered.html")
        expect(page.frame_locator("iframe").locator("#count strong")).to_contain_text("in Azerbaijan")
        page.close()


def test_an_address_with_a_view_as_query_opens_it_with_its_title(browser: Browser, embeddable: str) -> None:
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.goto(f"{embeddable}/map?country=AZ&min_share=25")
    settled(page)
    assert "owned at least 25" in page.title()
    assert page.url.startswith(f"{embeddable}/map#country=AZ")
    page.wait_for_selector("#reuse h2")
    shown = page.locator("#reuse h2").inner_text()
    for form in ("csv", "json", "gpkg"):
        (address,) = page.locator(f"#reuse a[href*='f={form}&']").evaluate_all("nodes => nodes.map((one) => one.href)")
        assert page.request.get(address).ok
        if form == "json":
            told = page.request.get(address).json()
            assert told["numberMatched"] == len(told["features"])
            assert shown == f"Use these {told['numberMatched']} strikes"
    page.locator("#reuse .cite summary").click()
    expect(page.locator("#reuse .citation")).to_contain_text("accessed on: ____")
    page.close()


#: Views of which a picture is made: some each time, each in both sizes when there is time.
VIEWS = ("", "#country=AZ", "#map=30.72,46.48,9")
SHORT = [(DESK, ""), (PHONE, "#country=AZ"), (DESK, "#map=30.72,46.48,9")]
LONG = [(size, view) for size in (DESK, PHONE) for view in VIEWS if (size, view) not in SHORT]


@pytest.mark.parametrize(("size", "view"), [*SHORT, *(pytest.param(*one, marks=pytest.mark.long) for one in LONG)])
def test_the_picture_to_download_is_the_view_with_title_key_and_source(
    browser: Browser, server_url: str, tmp_path: Path, size: dict[str, int], view: str
) -> None:
    page = browser.new_page(viewport=size, locale="en-GB")  # type: ignore[arg-type]
    page.goto(f"{server_url.rstrip('/')}/map{view}")
    page.wait_for_selector("body[data-ready]")
    settled(page)
    # The texts that are written, and the map that is drawn among them.
    page.evaluate(
        """() => {
          window.written = [];
          const pen = CanvasRenderingContext2D.prototype;
          const [write, draw] = [pen.fillText, pen.drawImage];
          pen.fillText = function (text, ...at) {
            window.written.push(text);
            return write.call(this, text, ...at);
          };
          pen.drawImage = function (image, ...at) {
            if (image.tall) window.drawn = [image.src, ...at];
            return draw.call(this, image, ...at);
          };
        }"""
    )
    with page.expect_download() as begun:
        page.locator("#reuse button", has_text="Picture of this view").evaluate("node => node.click()")
    begun.value.save_as(tmp_path / "view.png")
    said = " ".join(page.evaluate("window.written")).replace("  ", " ")
    frame = page.locator("#map-frame").evaluate("node => [node.clientWidth, node.clientHeight]")
    shown, left, top, width, height = page.evaluate("window.drawn")
    assert [left, width, height] == pytest.approx([0, *frame], abs=2)
    as_shown = Image.open(io.BytesIO(base64.b64decode(shown.partition(",")[2]))).convert("RGB")
    picture = Image.open(tmp_path / "view.png").convert("RGB")
    scale = picture.width / width
    part = picture.crop((0, round(top * scale), picture.width, round((top + height) * scale))).resize(as_shown.size)
    # The map is whole and as it is on the screen: land, sea and marks.
    assert len(as_shown.getcolors(1 << 24) or ()) > 50
    # Hatching and letters are smoothed where the picture has more pixels than the screen.
    rough = (as_shown.width // 6, as_shown.height // 6)
    alike = ImageChops.difference(
        part.resize(rough, Image.Resampling.BOX), as_shown.resize(rough, Image.Resampling.BOX)
    )
    assert max(ImageStat.Stat(alike).mean) < 3
    titled = " ".join(page.locator("#count strong").inner_text().split())
    assert titled in said
    keys = page.locator("#key section h2").all_text_contents()
    assert keys
    for text in (*keys, "Data of", "history", "GSHHG", page.url):
        assert text in said
    page.close()


def test_the_map_page_prints_the_record_whole(browser: Browser, embeddable: str, tmp_path: Path) -> None:
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.goto(f"{embeddable}/map?strike={CPC}")
    page.wait_for_selector("body[data-ready]")
    page.wait_for_selector("#detail:not([aria-busy]) h2")
    sheet = tmp_path / "sheet.pdf"
    sheet.write_bytes(page.pdf(prefer_css_page_size=True))
    printed = PdfReader(sheet)
    assert 1 < len(printed.pages) <= 15
    said = " ".join(" ".join(one.extract_text() for one in printed.pages).split())
    page.emulate_media(media="print")
    for text in page.locator("#detail .sources li, #detail .chain li, #detail h3").all_inner_texts():
        assert " ".join(text.split())[:24] in said
    assert f"/collections/strikes/items/{CPC}" in said
    assert "history" in said
    assert sum(len(one.images) for one in printed.pages) >= 1
    page.close()


def test_the_map_page_prints_its_selection_with_its_address(browser: Browser, embeddable: str, tmp_path: Path) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(f"{embeddable}/map?country=AZ")
    page.wait_for_selector("body[data-ready]")
    settled(page)
    before = page.url
    sheet = tmp_path / "sheet.pdf"
    sheet.write_bytes(page.pdf(prefer_css_page_size=True))
    said = " ".join(" ".join(one.extract_text() for one in PdfReader(sheet).pages).split())
    assert "/map?country=AZ" in said
    for title in page.locator("#list .row-title").all_text_contents():
        assert title[:20] in said
    assert page.url == before
    assert page.locator("#print-map").count() == 0
    page.close()
