"""The web map as a reader comes to it, with any number of strikes: `python -m bench.page --rows 500,20000,100000`.

For each number of strikes a made world is served, and Chromium, which has begun before, opens its map: how long until
the list and the map are there, how large the first view is and how far it moves; how long a change of the filter and a
move of the time range take, how much processor time of the page's main thread they take, and its longest task. What
stands in the page is not in sight yet: both are told, the second as the browser says it (Element Timing), and a map is
drawn once whatever draws has done so. In each view every number of the page is compared with that of the features of
the same selection. Worlds that are there already are kept; the records of a store are shown as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from api.settings import BASEMAP
from bench import world
from bench.page_watch import PATIENCE_MS, Followed, PageWatch
from bench.peers.servers import strikeatlas
from bench.world_columns import Sizes, synthesize

CHROMIUM = Path("/usr/bin/chromium")
#: Drawing by the processor: a machine without a graphics card is the slowest that a reader may have.
SOFTWARE_GL = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
_DESK = {"width": 1440, "height": 900}
_REST_MS = 1500
#: Seconds that a server has run before its map is opened.
_BEGUN_S = 20
#: Milliseconds that a reader looks at the map before they choose anything.
_LOOK_MS = 3000
_MOVES = 12
#: Countries that are chosen one after the other.
_CHOSEN = 5
#: Texts that are put into a page of nothing else.
_TEXTS = 5
_STANDS = "status <> 'retracted'"
#: What the page draws with, alone: five layers of a shape, a line and a point, and nothing else in the page.
_BARE = """<!doctype html><link rel="stylesheet" href="/static/vendor/maplibre-gl/maplibre-gl.css">
<style>html, body, #map { height: 100%; margin: 0; }</style><div id="map"></div><script type="module">
  const { Map } = await import("/static/vendor/maplibre-gl/maplibre-gl.mjs");
  const of = (geometry) => ({ type: "geojson", data: { type: "Feature", properties: {}, geometry } });
  const ring = [[20, 40], [50, 40], [50, 55], [20, 55], [20, 40]];
  const layer = (type, source, more) => ({ id: type, type, source, ...more });
  const sources = { area: of({ type: "Polygon", coordinates: [ring] }),
    line: of({ type: "LineString", coordinates: ring }), point: of({ type: "Point", coordinates: [38, 44.5] }) };
  const layers = [{ id: "ground", type: "background" }, layer("fill", "area"), layer("line", "line"),
    layer("circle", "point"), layer("symbol", "point", { layout: { "icon-image": "dot" } })];
  const map = new Map({ container: "map", center: [38, 44.5], zoom: 3.3, attributionControl: false, fadeDuration: 0,
    style: { version: 8, sources, layers } });
  map.on("styleimagemissing", () => map.addImage("dot", { width: 8, height: 8, data: new Uint8Array(256).fill(255) }));
  map.once("idle", () => (document.body.dataset.ready = "1"));
</script>"""
_NUMBER = re.compile(r"\d[\d,]*")


@dataclass(frozen=True, slots=True)
class PageFigures:
    """What a reader of one world waited for.

    Attributes
    ----------
    list_s, list_seen_s, map_s
        Seconds from the navigation until the first rows of the list stand in the page and until the reader sees their
        sentence, by the page's own clock, and until the map is drawn and idle.
    list_work_ms, map_work_ms
        Milliseconds of processor time that the page's main thread took until then.
    first_view_kb
        Kilobytes that came over the network until then.
    layout_shift
        Sum of the layout shifts until then (https://web.dev/articles/cls), without sessions.
    filter_ms, filter_work_ms
        Milliseconds from the choice of a country until the map is drawn, and processor time that the page's main thread
        took for it: medians over some countries.
    list_ms, seen_ms
        Until the list and its counts stand in the page, and until the reader sees them.
    brush_ms, brush_seen_ms, brush_work_ms
        From the end of a drag of the time range until the map is drawn, and until the reader sees the list; processor
        time of the drag, for each move.
    last_row_ms
        From a drag of the scroll bar to its end until the last row is there.
    longest_at_start_ms, longest_later_ms
        The longest task of the main thread until the map is there, and after; 0 for none over 50.
    bare_map_s, bare_longest_ms, bare_text_ms
        Until MapLibre has drawn five layers in a page that has nothing else, its longest task, and the time from a
        change of a text of that page until it is in sight: what the machine takes to draw, whatever the page does.
    differing
        Numbers of the page that are not those of the features.
    """

    rows: int
    list_s: float
    list_seen_s: float
    map_s: float
    list_work_ms: float
    map_work_ms: float
    first_view_kb: float
    layout_shift: float
    filter_ms: float
    list_ms: float
    seen_ms: float
    filter_work_ms: float
    brush_ms: float
    brush_seen_ms: float
    brush_work_ms: float
    last_row_ms: float
    longest_at_start_ms: float
    longest_later_ms: float
    bare_map_s: float
    bare_longest_ms: float
    bare_text_ms: float
    differing: list[str]


def differences(watch: PageWatch, **selection: str) -> list[str]:
    """Compare the numbers of the page with those of the features of a selection; tell those that differ."""
    chosen = {"filter": _STANDS, **selection}
    everything, sure = _matched(watch.url, chosen), _matched(watch.url, {**chosen, "certainty": "sure"})
    counts = _answer(watch.url, "strikes/counts", chosen)
    placed = everything - counts["unplaced"]
    page = watch.page
    first = page.locator("#list li[aria-setsize]").first
    main, _, more = page.locator("#count strong").inner_text().partition("; ")
    numbers = {
        "list": (int(first.get_attribute("aria-setsize") or 0) if first.count() else 0, everything),
        "sentence, sure": (_number(main), sure),
        "sentence, possible": (_number(more), everything - sure),
        "map": (_number(page.locator("#map-frame").get_attribute("aria-label") or ""), placed),
        "clusters": (_answer(watch.url, "strikes/clusters", {**chosen, "zoom": "4"})["strikes"], placed),
    }
    return [f"{selection}: {name} {told}, features {true}" for name, (told, true) in numbers.items() if told != true]


def _number(words: str) -> int:
    found = _NUMBER.search(words)
    return int(found[0].replace(",", "")) if found else 0


def _matched(url: str, selection: Mapping[str, str]) -> int:
    return int(_answer(url, "collections/strikes/items", {**selection, "limit": "1"})["numberMatched"])


def _answer(url: str, path: str, query: Mapping[str, str]) -> dict[str, Any]:
    asked = urllib.request.Request(f"{url}/{path}?{urlencode(query)}", headers={"Accept": "application/json"})
    with urllib.request.urlopen(asked) as answer:
        document: dict[str, Any] = json.load(answer)
    return document


def measured(browser: Browser, url: str, rows: int) -> PageFigures:
    """Open the map of a server as a new reader, use it, and tell what that took."""
    bare_map_s, bare_longest_ms, bare_text_ms = _bare_map(browser, url)
    context = browser.new_context(viewport=_DESK, reduced_motion="reduce", locale="en-GB")  # type: ignore[arg-type]
    try:
        watch = PageWatch(context.new_page(), url)
        # A reader's browser runs before the map is opened.
        watch.page.goto("about:blank")
        watch.page.wait_for_timeout(_REST_MS)
        begun = watch.work_ms()
        list_work, (map_s, map_work) = _opened(watch)
        first = watch.page.evaluate("window.benchTimes")
        first_view, shift = watch.received / 1000, float(watch.page.evaluate("window.benchShift"))
        at_start, differing = watch.longest_ms(), differences(watch)
        watch.page.wait_for_timeout(_LOOK_MS)
        filtered, brushed = list[Followed](), list[Followed]()
        for country in _countries(watch.page)[:_CHOSEN]:
            with watch.timed(filtered):
                watch.page.locator("#country-select").select_option(country)
            differing += differences(watch, country=country)
        watch.page.locator("#country-select").select_option("")
        watch.settle()
        with watch.timed(brushed):
            _brush(watch.page)
        window = re.findall(r"(?:from|to)=([0-9-]+)", watch.page.url)
        differing += differences(watch, datetime=f"../{window[-1]}") if window else ["the time range did not move"]
        last_row_ms = _to_last_row(watch)
        return PageFigures(
            rows=rows,
            list_s=round(first["listed"] / 1000, 2),
            list_seen_s=round(first["seen"] / 1000, 2),
            map_s=round(map_s, 2),
            list_work_ms=round(list_work - begun),
            map_work_ms=round(map_work - begun),
            first_view_kb=round(first_view),
            layout_shift=round(shift, 3),
            filter_ms=round(statistics.median(one.drawn for one in filtered)),
            list_ms=round(statistics.median(one.listed for one in filtered)),
            seen_ms=round(statistics.median(one.seen for one in filtered)),
            filter_work_ms=round(statistics.median(one.work for one in filtered)),
            brush_ms=round(brushed[0].drawn),
            brush_seen_ms=round(brushed[0].seen),
            brush_work_ms=round(brushed[0].work / _MOVES),
            last_row_ms=round(last_row_ms),
            longest_at_start_ms=round(at_start),
            longest_later_ms=round(watch.longest_ms()),
            bare_map_s=round(bare_map_s, 2),
            bare_longest_ms=round(bare_longest_ms),
            bare_text_ms=round(bare_text_ms),
            differing=differing,
        )
    finally:
        context.close()


def _bare_map(browser: Browser, url: str) -> tuple[float, float, float]:
    """Draw a map in a page of nothing else, as a new reader has it, and then texts beside it.

    Give seconds, its longest task in milliseconds, and the milliseconds until a text is in sight.
    """
    context = browser.new_context(viewport=_DESK)  # type: ignore[arg-type]
    try:
        watch = PageWatch(context.new_page(), url)
        watch.page.route("**/bare", lambda route: route.fulfill(body=_BARE, content_type="text/html"))
        watch.page.goto("about:blank")
        watch.page.wait_for_timeout(_REST_MS)
        begun = time.perf_counter()
        watch.page.goto(f"{url}/bare")
        watch.page.wait_for_selector("body[data-ready]", state="attached", timeout=PATIENCE_MS)
        took = time.perf_counter() - begun
        watch.page.wait_for_timeout(_REST_MS)
        longest = watch.longest_ms()
        return took, longest, statistics.median(watch.text_ms() for _ in range(_TEXTS))
    finally:
        context.close()


def _opened(watch: PageWatch) -> tuple[float, tuple[float, float]]:
    """Open the map; give the work of the main thread until the list, and the seconds and the work until the map."""
    begun = time.perf_counter()
    watch.page.goto(f"{watch.url}/map", wait_until="commit")
    watch.page.wait_for_selector("#list button", state="attached", timeout=PATIENCE_MS)
    listed = watch.work_ms()
    watch.page.wait_for_selector("body[data-ready]", state="attached", timeout=PATIENCE_MS)
    watch.settle()
    watch.drawn()
    return listed, (time.perf_counter() - begun, watch.work_ms())


def _countries(page: Page) -> list[str]:
    """The countries that can be chosen."""
    values: list[str] = page.locator("#country-select option").evaluate_all("all => all.map((one) => one.value)")
    return [value for value in values if value]


def _brush(page: Page) -> None:
    """Drag the end of the time range to its middle."""
    track, handle = (page.locator(part).bounding_box() for part in ("#time .track", "#time .handle.to"))
    assert track is not None, "no time range"
    assert handle is not None, "no end of the time range"
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, _MOVES + 1):
        page.mouse.move(x - track["width"] / 2 * step / _MOVES, y)
    page.mouse.up()


def _to_last_row(watch: PageWatch) -> float:
    """Scroll the list to its end, and wait for the last row that it says it has."""
    total = watch.page.locator("#list li[aria-setsize]").first.get_attribute("aria-setsize")
    begun = time.perf_counter()
    watch.page.evaluate(
        """async (total) => {
          const frame = document.getElementById("results");
          const last = () => document.querySelector(`#list [aria-posinset="${total}"]`);
          while (!last()) {
            frame.scrollTop = frame.scrollHeight;
            await new Promise((done) => setTimeout(done, 20));
          }
        }""",
        total,
    )
    return (time.perf_counter() - begun) * 1000


def world_store(folder: Path, rows: int) -> Path:
    """Return the store of a made world of so many strikes, which is kept in a folder."""
    path = folder / f"world-{rows}" / "world.gpkg"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        world.store(path, world.batches(synthesize(Sizes(rows, max(20, rows // 50), max(10, rows // 200))))).close()
    return path


@contextmanager
def served(path: Path, base: Path, port: int) -> Iterator[str]:
    """Serve a store; give the address once what a large one computes ahead is there."""
    server = strikeatlas(path, base, port=port)
    with server.running(path.with_suffix(".log")):
        time.sleep(_BEGUN_S)
        yield server.url


#: The lines of the table: what is told, and how.
_LINES: tuple[tuple[str, Callable[[PageFigures], object]], ...] = (
    ("first list there, in sight, map: s", lambda one: f"{one.list_s}, {one.list_seen_s}, {one.map_s}"),
    ("page's work until list, map: ms", lambda one: f"{one.list_work_ms:,.0f}, {one.map_work_ms:,.0f}"),
    ("first view, kB", lambda one: f"{one.first_view_kb:,.0f}"),
    ("layout shift", lambda one: one.layout_shift),
    (
        "country chosen, ms: list there, in sight, map, page's work",
        lambda one: f"{one.list_ms:,.0f}, {one.seen_ms:,.0f}, {one.filter_ms:,.0f}, {one.filter_work_ms:,.0f}",
    ),
    (
        "time range dragged, ms: list in sight, map, work a move",
        lambda one: f"{one.brush_seen_ms:,.0f}, {one.brush_ms:,.0f}, {one.brush_work_ms:,.0f}",
    ),
    ("to the last row, ms", lambda one: f"{one.last_row_ms:,.0f}"),
    ("longest task, ms: start, later", lambda one: f"{one.longest_at_start_ms:,.0f}, {one.longest_later_ms:,.0f}"),
    (
        "a bare map: s, its longest task and a text of it, ms",
        lambda one: f"{one.bare_map_s}, {one.bare_longest_ms:,.0f}, {one.bare_text_ms:,.0f}",
    ),
    ("numbers that differ", lambda one: len(one.differing)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="500,20000,100000,1000000", help="numbers of strikes, by commas")
    parser.add_argument("--store", type=Path, help="a store whose records are shown too")
    parser.add_argument("--worlds", type=Path, default=Path("worlds"), help="where made worlds are kept")
    parser.add_argument("--basemap", type=Path, default=BASEMAP)
    parser.add_argument("--port", type=int, default=54401)
    parser.add_argument("--json", action="store_true", help="tell the figures as JSON")
    given = parser.parse_args()
    figures = list[PageFigures]()
    load = os.getloadavg()[0]
    with sync_playwright() as playwright:
        stores = [given.store] if given.store else []
        for path in (*stores, *(world_store(given.worlds, int(rows)) for rows in given.rows.split(",") if rows)):
            with served(path, given.basemap, given.port) as url:
                # A browser for each: nothing of one world helps the next.
                browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SOFTWARE_GL)
                figures.append(measured(browser, url, _matched(url, {"filter": _STANDS})))
                browser.close()
    if given.json:
        print(
            json.dumps({"load": load, "cores": os.cpu_count(), "figures": [asdict(one) for one in figures]}, indent=2)
        )
        return
    table = Table("strikes", *(f"{one.rows:,}" for one in figures), title=f"load {load:.1f} on {os.cpu_count()} cores")
    for name, tell in _LINES:
        table.add_row(name, *(str(tell(one)) for one in figures))
    console = Console()
    console.print(table)
    for one in figures:
        for difference in one.differing:
            console.print(f"{one.rows:,}: {difference}")


if __name__ == "__main__":
    main()
