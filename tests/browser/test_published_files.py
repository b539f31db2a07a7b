"""The map of a publication, from a server that knows files and ranges alone: it answers as the API does."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import orjson
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from api.app import create_app
from api.publishing import site_files
from api.publishing.publish import PublishedAtlas, PublishOrder
from api.requests.map_view import MapView
from api.settings import Settings
from layers.store.store import Store
from tests.api.asgi import ask
from tests.browser.test_page import CHROMIUM
from tests.conftest import FEW_COUNTRIES

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

T = TypeVar("T")

DEPOT = "ua-socar-depot-2025-08-08"
VIEWS = (
    "",
    "country=AZ",
    "country=AZ&certainty=possible",
    "country=RU&role=host",
    "country=US&min_share=10",
    "country=US&min_share=30",
    "country=GB&basis=headquarters",
    "country=RU&role=control",
    "country=KZ&role=related",
    "country=KZ&role=affected",
    "owner=socar",
    "owner=socar&min_share=60",
    "owner=state-kz&min_share=20",
    "owner=state-az&role=control",
    "asset=a-socar-sintez",
    "q=Одеса",
    "q=socar depot",
    "q=qqqqqq",
    "q=of",
    "kinds=oil.none",
    "commodity=gas",
    "weapon=drone",
    "status=draft.retracted",
    "from=2025-08-01&to=2025-08-10",
    "from=2025-08-08&certainty=sure",
    "within=1000",
    "within=none",
    "rests_on=alternatives",
)
BY = (None, "country", "group", "status", "commodity", "week", "month", "year")


class Troubles:
    """What a page should not do: complain, ask elsewhere, or ask for what is not there."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        self.answers: list[Response] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(str(error)))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "GPU stall" not in message.text and "WebGL" not in message.text:
            self.found.append(message.text)

    def _response(self, response: Response) -> None:
        self.answers.append(response)
        if response.status >= 400 or urlsplit(response.url).hostname not in ("127.0.0.1", "", None):
            self.found.append(f"{response.status} {response.url}")


@dataclass(frozen=True)
class Site:
    """A publication that is served, and the application that it was made of."""

    base: str
    folder: Path
    app: FastAPI


@pytest.fixture(scope="module")
def site(few_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("files") / "at"
    listening = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listening.getsockname()[1]}/at"
    settings = Settings(basemap=FEW_COUNTRIES, follow_every_s=0)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MAX_ZOOM_COUNTRIES", "MAX_ZOOM_BASEMAP"):
            patch.setattr(site_files, name, 2)
        elsewhere(lambda: PublishedAtlas(few_store, settings, PublishOrder(base, ("en", "uk"))).publish(folder))
    files = Starlette(routes=[Mount("/at", StaticFiles(directory=folder))])
    server = uvicorn.Server(uvicorn.Config(files, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield Site(base, folder, create_app(few_store, settings))
    server.should_exit = True
    thread.join()
    listening.close()


def elsewhere(task: Callable[[], T]) -> T:
    """Run a task in another thread: that of the tests has a loop at work, which is the browser's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(task).result()


def opened(browser: Browser, address: str) -> tuple[Page, Troubles]:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    troubles = Troubles(page)
    page.goto(address)
    page.wait_for_selector("body[data-ready='1']", timeout=60_000)
    return page, troubles


def reply(app: FastAPI, path: str, **query: str) -> Any:
    answer = elsewhere(lambda: ask(app, f"{path}?{urlencode(query)}", {"accept": "application/json"}))
    assert answer.status == 200, answer.body
    return orjson.loads(answer.body)


def test_the_map_answers_from_files_as_the_api_does(browser: Browser, site: Site) -> None:
    page, troubles = opened(browser, f"{site.base}/map.html")
    every = reply(site.app, "/strikes/counts", **MapView().parameters())
    assert str(every["sure"]) in page.locator("#count").inner_text()
    expect(page.locator("#list [data-id]")).to_have_count(every["strikes"])
    answers = page.evaluate(
        """async ([views, units]) => {
            const module = (name) => import(new URL(`static/${name}.js`, document.baseURI).href);
            const [api, selection, state] = await Promise.all(["api", "selection", "state"].map(module));
            const answers = [];
            for (const hash of views) {
                const given = selection.parametersOf(state.read(hash));
                const counts = [];
                for (const by of units) counts.push(await api.counts({ ...given, ...(by && { by }) }));
                const { rows, total } = await api.strikes(given, { offset: 0, limit: 1000 });
                answers.push({ counts, ids: rows.map(({ id }) => id), total });
            }
            return answers;
        }""",
        [list(VIEWS), list(BY)],
    )
    for hash, answer in zip(VIEWS, answers, strict=True):
        given = MapView.of_address("", hash).parameters()
        items = reply(site.app, "/collections/strikes/items", **given, sortby="-stands,-day_last,title", limit="1000")
        assert answer["ids"] == [feature["id"] for feature in items["features"]], hash
        assert answer["total"] == items["numberMatched"], hash
        for by, counts in zip(BY, answer["counts"], strict=True):
            assert counts == reply(site.app, "/strikes/counts", **given, **({"by": by} if by else {})), (hash, by)
    assert len({len(answer["ids"]) for answer in answers}) > 5
    assert troubles.found == []
    page.close()


def test_list_counts_and_clusters_are_there_before_all_rows_are(browser: Browser, site: Site) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    troubles = Troubles(page)
    page.route("**/map/strikes.json", lambda route: None)  # which never comes
    page.goto(f"{site.base}/map.html")
    given = MapView().parameters()
    every = reply(site.app, "/strikes/counts", **given)
    expect(page.locator("#count")).to_contain_text(str(every["sure"]))
    expect(page.locator("#list [data-id]")).to_have_count(every["strikes"])
    expect(page.locator("#time .bars .bar-sure")).to_be_attached()
    boxes = ([-180, -85, 180, 85], [30, 44, 40, 50], [20, 30, 33.5, 47.2], [100, -40, 33, 60])
    asked = [{"bbox": box, "zoom": zoom, "apart": 0, "parts": "owners"} for box in boxes for zoom in (1, 2.5, 3.5, 4)]
    asked += [{**one, "zoom": 5.5} for one in asked if one["bbox"] == boxes[1]]
    found = page.evaluate(
        """async (asked) => {
            const module = (name) => import(new URL(`static/${name}.js`, document.baseURI).href);
            const [api, selection, state] = await Promise.all(["api", "selection", "state"].map(module));
            return Promise.all(asked.map((each) => api.clusters(selection.parametersOf(state.read("")), each)));
        }""",
        asked,
    )
    for wanted, answer in zip(asked, found, strict=True):
        texts = {name: str(value) for name, value in {**wanted, "bbox": ",".join(map(str, wanted["bbox"]))}.items()}
        expected = reply(site.app, "/strikes/clusters", **given, **texts)
        assert answer["strikes"] == expected["strikes"] > 0, wanted
        assert answer["clusters"] == expected["clusters"], wanted
        assert [row["id"] for row in answer["rows"]] == [feature["id"] for feature in expected["features"]], wanted
    assert troubles.found == []
    page.close()


def test_a_reader_searches_filters_and_reads_a_record(browser: Browser, site: Site) -> None:
    page, troubles = opened(browser, f"{site.base}/map.html")
    page.locator("#search-input").fill("SOCAR")
    expect(page.locator("#search-list [role=option]").first).to_contain_text("SOCAR")
    page.keyboard.press("Escape")
    page.locator("#country-select").select_option("AZ")
    given = MapView(country="AZ").parameters()
    owned = reply(site.app, "/strikes/counts", **given)
    expect(page.locator("#list [data-id]")).to_have_count(owned["strikes"])
    expect(page.locator("#summary .card")).to_contain_text("Azerbaijan")
    page.locator(f"#list [data-id='{DEPOT}']").click()
    detail = page.locator("#detail")
    expect(detail.locator(".whose")).to_contain_text("Azerbaijan")
    answer = reply(site.app, f"/strikes/{DEPOT}/attribution")
    for source in answer["sources"].values():
        expect(detail).to_contain_text(source["publisher"])
    expect(
        detail.locator("a", has_text="Page of this strike").or_(detail.locator(f"a[href$='{DEPOT}.html']")).first
    ).to_be_visible()
    assert troubles.found == []
    page.close()


def test_the_page_says_what_needs_a_server_in_its_language(browser: Browser, site: Site) -> None:
    page, troubles = opened(browser, f"{site.base}/uk/map.html?country=AZ")
    expect(page.locator("#reuse")).to_contain_text("потребують сервера")
    assert page.locator("#reuse a").last.get_attribute("href") == f"{site.base}/uk/index.html#server"
    assert page.url == f"{site.base}/uk/map.html#country=AZ"
    page.locator("#languages a[lang=en]").click()
    page.wait_for_selector("body[data-ready='1']", timeout=60_000)
    assert page.url == f"{site.base}/map.html#country=AZ"
    assert troubles.found == []
    page.close()


def test_the_first_view_is_less_than_a_megabyte(browser: Browser, site: Site) -> None:
    """As a web server sends it, which packs text; tiles are packed already."""
    page, troubles = opened(browser, f"{site.base}/map.html")
    size = 0
    # A file that is asked for twice is in the cache of the browser by then; a range is another part each time.
    once = {(answer.url, answer.status == 206 and number): answer for number, answer in enumerate(troubles.answers)}
    for answer in once.values():
        file = site.folder / urlsplit(answer.url).path.removeprefix("/at/")
        is_text = file.suffix in (".js", ".mjs", ".css", ".json", ".html", ".svg", ".webmanifest")
        size += len(gzip.compress(file.read_bytes())) if is_text else int(answer.headers["content-length"])
    assert 100_000 < size < 1_000_000
    assert any(answer.status == 206 for answer in troubles.answers)
    page.close()


def test_pages_of_files_need_no_script_and_do_not_complain(browser: Browser, site: Site) -> None:
    page = browser.new_page()
    troubles = Troubles(page)
    for path in ("index.html", f"strikes/{DEPOT}.html", "countries/AZ.html", "uk/entities/socar.html", "404.html"):
        page.goto(f"{site.base}/{path}")
        page.wait_for_load_state("networkidle")
    assert troubles.found == []
    page.close()
