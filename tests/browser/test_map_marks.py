"""Ownership and doubt on the map: what a reader sees of owners, of areas and candidates, and of chains."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from tests.browser.test_page import CHROMIUM, DEPOT, DESK, PHONE, Troubles, address_of, answer

CPC = "ru-cpc-kropotkinskaya-2025-02-17"
NORD_STREAM = "nord-stream-1-2022-09-26"
OWNERS = json.loads((Path(__file__).resolve().parents[2] / "static" / "style-table.json").read_text(encoding="utf-8"))[
    "owner"
]
ODESA = "30.7233,46.4825"
NORD_STREAM_ZOOM = 7.4
expect.set_options(timeout=20_000)
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

Open = Callable[..., Page]


def pixels(page: Page, left: int, top: int, width: int, height: int) -> NDArray[np.uint8]:
    """Colours of a part of the page, shape (height, width, 3)."""
    clip = FloatRect(x=left, y=top, width=width, height=height)
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))


def drawn_pixels(page: Page, left: int, top: int, width: int, height: int) -> NDArray[np.uint8]:
    """The same once it is drawn: not of one colour, and alike in two pictures that follow each other."""
    last = pixels(page, left, top, width, height)
    for _ in range(100):
        page.evaluate("new Promise(requestAnimationFrame)")
        now = pixels(page, left, top, width, height)
        if now.std() > 0 and np.array_equal(last, now):
            return now
        last = now
    raise AssertionError("nothing is drawn")


def middle(page: Page) -> tuple[int, int]:
    box = page.locator("canvas.maplibregl-canvas").bounding_box()
    assert box is not None
    return round(box["x"] + box["width"] / 2), round(box["y"] + box["height"] / 2)


def key_of(page: Page) -> Locator:
    return page.locator("#key .key-fill h2")


def test_colours_say_owner_host_or_other_tie_as_the_reader_asks_by_key(open_page: Open) -> None:
    page = open_page()
    expect(key_of(page)).to_have_text("Colour: whose it was")
    for label, role, words in [
        ("Other tie", "related", "Colour: tie other than owning"),
        ("Host", "host", "Colour: where it happened"),
        ("Owner", None, "Colour: whose it was"),
    ]:
        page.get_by_label(label, exact=True).press("Space")
        expect(key_of(page)).to_have_text(words)
        assert address_of(page).get("role") == role


@pytest.mark.parametrize("locale", ["en-GB", "uk-UA"])
def test_the_map_writes_with_the_fonts_that_the_page_has(browser: Browser, server_url: str, locale: str) -> None:
    """A font that is added has the whole page laid out and drawn anew, just when the map is drawn first."""
    page = browser.new_page(viewport=DESK, locale=locale)  # type: ignore[arg-type]
    page.goto(f"{server_url.rstrip('/')}/map")
    page.wait_for_selector("body[data-ready]", state="attached")
    families: list[str] = page.evaluate("[...document.fonts].map(({ family }) => family)")
    page.close()
    assert {family.strip('"') for family in families} == {"Noto Sans"}


def test_symbols_of_an_owner_are_filled_by_its_share_and_a_threshold_narrows_them(open_page: Open) -> None:
    page = open_page("#country=DE")
    expect(key_of(page)).to_have_text("Fill: the share of Germany")
    everything = page.locator("#list .row").count()
    slider = page.get_by_label("Owned at least")
    for _ in range(5):
        slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^25\s%$"))
    assert address_of(page)["min_share"] == "25"
    shown = page.locator("#list .row")
    expect(shown.filter(has_text="Khor Mor")).to_have_count(0)
    assert 0 < shown.count() < everything
    texts = shown.all_inner_texts()
    most = [re.search(r"Germany (?:[\d.]+–)?([\d.]+)\s%", text) for text in texts]
    assert all(share is not None and float(share[1]) >= 25 for share in most), texts
    page.get_by_role("radio", name=re.compile("^Other tie")).check()
    expect(slider).to_be_hidden()


def test_the_key_shows_every_shape_and_how_doubt_is_drawn(open_page: Open) -> None:
    key = open_page().locator("#key")
    key.get_by_text("Key to all symbols").click()
    shapes = key.locator("section", has=key.page.get_by_role("heading", name="Shape: what was hit"))
    expect(shapes.locator("li")).to_have_text(["Oil", "Gas", "Power", "Port", "Industry", "Office", "Not known"])
    for words in (
        "possible, or a draft",
        "given only as an area",
        "site that may have been",
        "several; ticked: possible",
    ):
        expect(key.get_by_text(words)).to_be_visible()
    expect(key.locator("canvas").nth(20)).to_be_attached()


@pytest.mark.parametrize("view", ["", "country=RU", "role=host", "role=related", "country=AZ&role=related"])
def test_marks_stand_for_every_strike_once_at_every_zoom(scripts: Page, view: str) -> None:
    """Badges and single marks, with the strikes of no known place, add up to the number that the API counts."""
    matched, sums = scripts.evaluate(
        """async (hash) => {
          const { groupsOf } = await import("./static/features.js");
          const { read } = await import("./static/state.js");
          const { KEYS, ringSize } = await import("./static/symbols.js");
          const json = { headers: { Accept: "application/json" } };
          const answer = await fetch("collections/strikes/items?limit=10000", json);
          const { features, numberMatched } = await answer.json();
          const rows = features.map((feature) => ({ ...feature.properties, geometry: feature.geometry }));
          const apart = rows.filter((row) => !row.geometry).length;
          const how = { sites: new Map(), keys: KEYS, sizeOf: ringSize };
          const groups = (zoom) => groupsOf(rows, read(hash), { ...how, zoom }).groups;
          const sum = (zoom) => groups(zoom).reduce((total, group) => total + group.rows.length, apart);
          return [numberMatched, [2, 3.5, 6, 9, 13].map(sum)];
        }""",
        view,
    )
    assert matched > 50
    assert sums == [matched] * 5


def test_a_badge_opens_as_many_strikes_as_it_says(open_page: Open) -> None:
    page = open_page(f"#map={ODESA},7", drawn=True)
    x, y = middle(page)
    page.mouse.move(x, y)
    tip = page.locator(".maplibregl-popup-content")
    expect(tip).to_contain_text(re.compile(r"\d+ strikes"))
    n = int(re.findall(r"(\d+) strikes", tip.inner_text())[0])
    page.mouse.click(x, y)
    expect(tip.locator("strong")).to_have_text(f"{n} strikes at this place")
    assert tip.locator(".pick button:not(.closer)").count() == n > 1


def test_marks_are_reached_by_arrow_keys_and_open_by_enter(open_page: Open) -> None:
    page = open_page("#country=DE", drawn=True)
    marks = page.get_by_role("group", name=re.compile("^Marks in view")).get_by_role("button")
    expect(marks).to_have_count(6)
    first = page.locator(".mark-keys [tabindex='0']")
    first.focus()
    before = first.get_attribute("aria-label")
    for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    focused = page.locator(".mark-keys :focus")
    expect(focused).to_have_attribute("tabindex", "0")
    expect(page.locator(".mark-keys [tabindex='0']")).to_have_count(1)
    assert before is not None
    several = marks.filter(visible=True).and_(page.get_by_label("11 strikes"))
    several.focus()
    page.keyboard.press("Enter")
    choices = page.locator(".pick button:not(.closer)")
    expect(choices).to_have_count(11)
    page.keyboard.press("Escape")
    expect(choices).to_have_count(0)
    marks.and_(page.get_by_label(re.compile("^Nord Stream 1, "))).press("Enter")
    expect(page.locator("#detail-title")).to_have_text("Nord Stream 1")


def test_a_sea_area_is_drawn_as_an_area_before_it_is_chosen(open_page: Open, server_url: str) -> None:
    lon, lat = answer(server_url, f"/collections/strikes/items/{NORD_STREAM}?f=json")["geometry"]["coordinates"]
    # Germany owned part of Nord Stream 1, and of no other strike around.
    page = open_page(f"#country=DE&map={lon},{lat},{NORD_STREAM_ZOOM}", drawn=True)
    x, y = middle(page)
    hatched = pixels(page, x - 95, y - 30, 60, 60).reshape(-1, 3)
    sea = pixels(page, x + 180, y - 30, 60, 60).reshape(-1, 3)
    assert len(np.unique(sea, axis=0)) < 8, "water alone"
    assert len(np.unique(hatched, axis=0)) > 20, "lines over the water"


def test_arcs_go_from_the_strike_to_the_states_that_owned_it(open_page: Open) -> None:
    page = open_page(f"#strike={NORD_STREAM}", drawn=True)
    labels = page.locator(".arcs text")
    expect(labels).to_have_count(4)
    assert sorted(re.sub(r"\s", " ", text) for text in labels.all_text_contents()) == [
        "France 9 %", "Germany 31 %", "Netherlands 9 %", "Russia 51 %",
    ]  # fmt: skip
    widths = [float(width) for width in page.locator(".arcs .arc").evaluate_all(
        "arcs => arcs.map(arc => arc.getAttribute('stroke-width'))"
    )]  # fmt: skip
    assert max(widths) > 1.5 * min(widths), "as wide as their shares"
    page.keyboard.press("Escape")
    expect(page.locator(".arcs > *")).to_have_count(0)


#: Whether a point of an arc lies in the box of its name.
_IS_CROSSED = """() => {
  const { left, right, top, bottom } = document.querySelector(".arcs text").getBoundingClientRect();
  const arc = document.querySelector(".arcs .arc");
  const home = arc.ownerSVGElement.getBoundingClientRect();
  return Array.from({ length: 500 }, (_, i) => arc.getPointAtLength((arc.getTotalLength() * i) / 499))
    .some(({ x, y }) => x + home.left > left && x + home.left < right && y + home.top > top && y + home.top < bottom);
}"""


def test_a_state_is_not_written_over_its_own_arc(open_page: Open) -> None:
    page = open_page(f"#strike={DEPOT}", drawn=True)
    expect(page.locator(".arcs text")).to_have_count(1)
    assert not page.evaluate(_IS_CROSSED)


def test_the_selected_strike_stands_in_its_ring_with_its_own_symbol(open_page: Open) -> None:
    """Strikes on what Ukraine owned lie at its place; the ring has the colour of states such as Azerbaijan alone."""
    page = open_page(f"#strike=ua-socar-depot-2025-08-08&map={ODESA},8", drawn=True)
    expect(page.locator(".arcs text")).to_have_text(re.compile("^Azerbaijan 100"))
    x, y = middle(page)
    ring = drawn_pixels(page, x - 10, y - 10, 20, 20).astype(int)

    def like(colour: str) -> int:
        wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
        return int((np.abs(ring - wanted).max(axis=2) < 12).sum())

    assert like(OWNERS["other"]["light"]) > 20
    assert like(OWNERS["UA"]["light"]) == 0


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_chain_is_drawn_with_its_small_owners_folded(open_page: Open, size: dict[str, int]) -> None:
    page = open_page(f"#strike={CPC}", size)
    drawing = page.get_by_role("img", name=re.compile("^Drawing of who owned"))
    expect(drawing).to_be_visible()
    names = drawing.locator(".drawn-name")
    folded = names.count()
    assert names.first.inner_text() == "CPC Kropotkinskaya pump station"
    assert drawing.locator(".ends").count() <= 9
    assert drawing.locator(".branch:not(.range)").count() <= folded
    assert page.locator("#detail").evaluate("node => node.scrollWidth <= node.clientWidth")
    page.get_by_role("button", name=re.compile(r"^Show \d+ smaller owners$")).click()
    assert names.count() > folded
    lefts = [box["x"] for box in map(Locator.bounding_box, names.all()) if box is not None]
    assert len(set(lefts)) >= 5, "a layer a step to the right"
    shares = drawing.locator(".drawn-share").evaluate_all("nodes => nodes.map(n => n.getBoundingClientRect().right)")
    assert max(shares) <= size["width"]


def test_the_chain_as_text_says_what_the_drawing_does(open_page: Open, server_url: str) -> None:
    page = open_page(f"#strike={CPC}")
    page.get_by_role("button", name=re.compile("smaller owners$")).click()
    drawn = set(page.locator(".drawn-name").all_inner_texts())
    page.get_by_text("The chain as text, with sources").click()
    in_text = set(page.locator(".chain .step-name b").all_inner_texts())
    steps = {
        step["name"]
        for hit in answer(server_url, f"/strikes/{CPC}/attribution")["assets"]
        for chain in hit["chains"]
        for step in chain["steps"]
    }
    assert in_text == steps
    assert drawn - {"CPC Kropotkinskaya pump station"} == steps


#: Counts the programs that the page's script has the graphics card link.
_COUNT_LINKS = """
  window.linked = 0;
  const link = WebGL2RenderingContext.prototype.linkProgram;
  WebGL2RenderingContext.prototype.linkProgram = function (program) {
    window.linked += 1;
    return link.call(this, program);
  };
"""


def test_no_choice_waits_for_a_program_to_be_linked(browser: Browser, server_url: str) -> None:
    page = browser.new_page(viewport=DESK, reduced_motion="reduce")  # type: ignore[arg-type]
    troubles = Troubles(page, server_url)
    page.add_init_script(_COUNT_LINKS)
    page.goto(f"{server_url.rstrip('/')}/map")
    page.wait_for_selector("body[data-ready]", state="attached")
    before, at_start = 0, page.evaluate("window.linked")
    assert at_start > 0
    while before < at_start:  # once the map is seen, what is used later is linked
        page.wait_for_timeout(2500)
        before, at_start = at_start, page.evaluate("window.linked")
    for view in ("country=UA", f"map={ODESA},9", f"strike={CPC}", f"strike={NORD_STREAM}&map=15.6,55.3,7.4"):
        page.evaluate("(view) => (location.hash = view)", view)
        page.wait_for_selector("#map-frame:not([aria-busy])", state="attached")
        page.wait_for_timeout(1000)
        assert page.evaluate("window.linked") == at_start, f"{view} waits for a program"
    page.close()
    assert troubles == []


def test_an_opened_strike_is_marked_in_the_list_however_far_down_it_is(open_page: Open) -> None:
    page = open_page(f"#strike={DEPOT}", drawn=True)
    opened = page.locator('#list [aria-current="true"]')
    expect(opened).to_have_attribute("data-id", DEPOT)
    expect(opened).to_be_in_viewport()
    assert int(opened.locator("..").get_attribute("aria-posinset") or 0) > 100


def test_a_dashed_circle_stays_a_circle(open_page: Open) -> None:
    """There is paper between fill and dashes: dashes beside the fill made it the cross of what is not known."""
    page = open_page("")
    around = page.evaluate(
        """async () => {
          const { markCanvas, pixelsOf } = await import("./static/symbols.js");
          const mark = { look: 'pie', parts: [['other', 1]], level: null, outline: 'dashed', heavy: true, area: true };
          const canvas = markCanvas({ ...mark, shape: 'oil' }, 48);
          const { data, width } = pixelsOf(canvas);
          const at = (angle, part) => {
            const [x, y] = [Math.cos(angle), Math.sin(angle)].map((n) => Math.round(width / 2 + n * part * width));
            return [...data.slice(4 * (y * width + x), 4 * (y * width + x) + 3)].join();
          };
          const angles = Array.from({ length: 48 }, (_, i) => (i * Math.PI) / 24);
          return [0.07, 0.136].map((part) => [...new Set(angles.map((angle) => at(angle, part)))]);
        }"""
    )
    (fill,), (between,) = around
    assert fill != between
