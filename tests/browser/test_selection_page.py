"""One selection on the page: every count is that of the API, one box finds all, time has bars, nothing vanishes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from api.wording.catalogue import text
from geo.tiles.tile_matrix import world
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.store import Store
from tests.browser.test_page import (
    CHROMIUM,
    DESK,
    PHONE,
    Troubles,
    address_of,
    answer,
    axe_of_each,
    small_targets,
    turned,
    view_of,
)
from tests.conftest import serving
from tests.outage_records import outage_records

STANDS = "status <> 'retracted'"
expect.set_options(timeout=20_000)
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

Open = Callable[..., Page]


def settled(page: Page) -> Page:
    """Wait until the page shows what was selected last."""
    page.wait_for_selector("#results:not([aria-busy])", state="attached")
    return page


def matched(page: Page, **selection: object) -> int:
    """Number of strikes that the API has for a selection."""
    query = urlencode({"limit": 1, "filter": STANDS, **selection})
    number: int = answer(page.url.split("/map")[0], f"/collections/strikes/items?{query}")["numberMatched"]
    return number


def number(words: str | None) -> int:
    match = re.search(r"\d[\d,]*", words or "")
    assert match, words
    return int(match[0].replace(",", ""))


def listed(page: Page) -> int:
    """Number of strikes that the list says it has; none where it is empty."""
    size = page.locator("#list li[aria-setsize]")
    return int(size.first.get_attribute("aria-setsize") or 0) if size.count() else 0


def counted(page: Page) -> tuple[int, int]:
    """The numbers of the sentence: those that are sure, and those that may count beside them."""
    main, _, more = page.locator("#count strong").inner_text().partition("; ")
    return number(main), number(more) if more else 0


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_list_card_map_sentence_and_api_tell_one_number_of_azerbaijans_in_2025(
    open_page: Open, size: dict[str, int]
) -> None:
    page = open_page("#country=AZ&from=2025-01-01&to=2025-12-31", size)
    selection = {"country": "AZ", "datetime": "2025-01-01/2025-12-31"}
    everything = matched(page, **selection)
    sure = matched(page, **selection, certainty="sure")
    assert everything > sure > 0
    assert listed(page) == page.locator("#list .row").count() == everything
    assert counted(page) == (sure, everything - sure)
    card = page.locator("#summary .in-all").text_content()
    assert card
    assert f"owner in {everything} strikes ({sure} of them sure)" in card
    unplaced = page.locator("#list .row", has_text="no place known").count()
    expect(page.locator("#map-frame")).to_have_attribute(
        "aria-label", re.compile(rf"^Map of {everything - unplaced} strikes?$")
    )
    chosen = page.locator("#country-select option:checked").text_content()
    assert chosen == f"Azerbaijan ({everything})"
    assert page.locator(".role", has_text="Owner").text_content() == f"Owner {everything}"
    sentence = page.locator("#count strong").inner_text()
    assert "1 January to 31 December 2025, on assets owned wholly or in part in Azerbaijan" in sentence


SELECTIONS: tuple[tuple[str, dict[str, object]], ...] = (
    ("", {}),
    ("country=RU&min_share=25", {"country": "RU", "min_share": 25}),
    ("country=RU&role=control", {"country": "RU", "reading": "control"}),
    ("country=RU&basis=headquarters", {"country": "RU", "reading": "headquarters"}),
    ("country=UA&role=host&kinds=gas.power", {"country": "UA", "relation": "host",
     "filter": f"{STANDS} AND \"group\" IN ('gas', 'power')"}),
    ("country=AZ&role=operator", {"country": "AZ", "relation": "operator"}),
    ("owner=shell", {"entity": "shell"}),
    ("q=Кременчук", {"q": "Кременчук"}),
    ("commodity=grain&from=2023-01-01", {"commodity": "grain", "datetime": "2023-01-01/.."}),
    ("status=draft", {"filter": "status = 'draft'"}),
    ("within=5000&weapon=missile", 
     {"filter": f"{STANDS} AND uncertainty_m <= 5000 AND CASEI(weapons) LIKE '%missile%'"}),
    ("rests_on=alternatives", {"filter": f"{STANDS} AND rests_on = 'alternatives'"}),
    ("from=2024-06-17&to=2024-07-10", {"datetime": "2024-06-17/2024-07-10"}),
)  # fmt: skip


@pytest.fixture(scope="module")
def one_page(browser: Browser, server_url: str) -> Iterator[tuple[Page, Troubles]]:
    """A page with its filters open, of which nothing is listed."""
    page = browser.new_page(viewport=DESK, reduced_motion="reduce", locale="en-GB")  # type: ignore[arg-type]
    troubles = Troubles(page, server_url)
    page.goto(f"{server_url.rstrip('/')}/map#q=plugh")
    page.locator("#filters summary").click()
    page.wait_for_selector("#list .empty", state="attached")
    yield page, troubles
    page.close()


@pytest.fixture
def walk(one_page: tuple[Page, Troubles]) -> Iterator[Callable[[str], Page]]:
    """Brings that page to a view by its address; nothing may have failed when the test is over."""
    page, troubles = one_page

    def walked(view: str) -> Page:
        page.evaluate(
            """view => new Promise((done) => {
              document.querySelector("#filters .filter-body").replaceChildren(); // it is drawn anew for the view
              addEventListener("hashchange", () => done(), { once: true });
              location.hash = view;
            })""",
            view,
        )
        page.wait_for_selector("#filters .box", state="attached")
        return settled(page)

    yield walked
    assert troubles == []


@pytest.mark.parametrize(("view", "selection"), SELECTIONS, ids=[view for view, _ in SELECTIONS])
def test_every_number_is_that_of_the_api(walk: Callable[[str], Page], view: str, selection: dict[str, object]) -> None:
    page = walk(view)
    everything, sure = matched(page, **selection), matched(page, **selection, certainty="sure")
    assert everything > 0
    assert listed(page) == everything
    assert counted(page) == (sure, everything - sure)
    expect(page.locator("#list .row")).to_have_count(min(100, everything))
    assert number(page.locator("#grip").text_content()) == everything
    relation = {name: value for name, value in selection.items() if name in ("relation", "reading", "min_share")}
    others = {name: value for name, value in selection.items() if name != "country"}
    for option in page.locator("#country-select option").all()[1:6]:
        iso = option.get_attribute("value")
        assert number((option.text_content() or "").rpartition("(")[2]) == matched(
            page, **{**others, **relation, "country": iso}
        )
    if "filter" not in selection:
        for box in page.locator("#filters .box").all():
            value = box.locator("input").get_attribute("value")
            name = {"kinds": "group", "status": "status"}[box.locator("input").get_attribute("data-filter") or ""]
            own = f'{STANDS} AND "{name}" IS NULL' if value == "none" else f"{STANDS} AND \"{name}\" = '{value}'"
            assert number(box.locator(".n").text_content()) == matched(page, **{**selection, "filter": own}), value


def test_each_filter_is_a_chip_that_takes_it_away(open_page: Open) -> None:
    page = open_page("#country=RU&min_share=25&q=refinery&kinds=oil&from=2024-01-01&certainty=sure&weapon=drone")
    chips = page.locator("#chips .filter-chip")
    assert chips.count() == 6
    assert page.locator("#count strong").inner_text().endswith("sure alone.")
    sizes = [listed(page)]
    while chips.count():
        name = chips.first.get_attribute("data-chip")
        chips.first.click()
        settled(page)
        assert page.locator(f"#chips [data-chip={name}]").count() == 0
        sizes.append(listed(page))
    assert sizes == sorted(sizes)
    assert view_of(page) == {}
    assert listed(page) == matched(page)


def test_what_only_may_fall_in_the_days_is_marked(open_page: Open) -> None:
    page = open_page("#from=2024-06-17&to=2024-12-31")
    over = page.locator("#list .row", has=page.locator(".tag.may"))
    # The first rows are drawn at once, those that follow when nothing waits.
    expect(over.first).to_be_attached()
    assert over.count() < listed(page)
    expect(page.locator("#count")).to_contain_text("may lie outside")


def test_a_view_that_is_shared_opens_as_it_was(open_page: Open) -> None:
    page = open_page("#country=AZ")
    page.get_by_label("From", exact=True).fill("2025-01-01")
    page.get_by_label("From", exact=True).dispatch_event("change")
    settled(page)
    page.get_by_role("slider", name="Owned at least").press("PageUp")
    settled(page)
    page.locator("#list .row").first.click()
    page.wait_for_selector("#detail .owner")
    fresh = open_page(f"#{urlsplit(page.url).fragment}", fresh=True)
    fresh.wait_for_selector("#detail .owner")
    for part in ("#count", "#chips", "#detail-title", "#list .row-title >> nth=0"):
        assert fresh.locator(part).inner_text() == page.locator(part).inner_text()
    assert view_of(fresh)["min_share"] != "0"


def in_view(page: Page, **selected: str) -> None:
    """The map stands within the strikes that are selected, or a quarter of its height below for the key, and close."""
    page.wait_for_function("() => /map=/.test(location.hash)")
    lon, lat, zoom = map(float, address_of(page)["map"].split(","))
    west, south, east, north = answer(page.url.split("/map")[0], f"/strikes/counts?{urlencode(selected)}")["bbox"]
    assert west <= lon <= east
    middle, lowest, highest = world(np.array([[0.0, lat], [0.0, south], [0.0, north]]))[:, 1] * 512 * 2**zoom
    frame = page.locator("#map").bounding_box()
    assert frame
    assert highest <= middle <= lowest + frame["height"] / 4
    assert zoom > 4


def test_a_text_brings_its_strikes_into_view(open_page: Open) -> None:
    page = open_page("", drawn=True)
    search(page, "Кременчук")
    page.get_by_role("option", name=re.compile("All with “Кременчук”: \\d+ strikes")).click()
    settled(page)
    in_view(page, q="Кременчук")


def test_a_link_to_a_country_brings_its_strikes_into_view(open_page: Open) -> None:
    page = open_page("#country=AZ", drawn=True)
    assert urlsplit(page.url).fragment == "country=AZ", "a reader who did not move has no place"
    page.get_by_role("button", name="Zoom in").click()
    in_view(page, country="AZ")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_strike_that_is_brought_into_view_is_behind_the_key(open_page: Open, size: dict[str, int]) -> None:
    page = open_page("#country=AZ&from=2025-01-01&to=2025-12-31", size, drawn=True)
    frame, key = (page.locator(part).bounding_box() for part in ("#map", "#key"))
    assert frame
    assert key
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("() => /map=/.test(location.hash)")
    _, lat, zoom = map(float, address_of(page)["map"].split(","))
    selected = urlencode({"country": "AZ", "datetime": "2025-01-01/2025-12-31"})
    south = answer(page.url.split("/map")[0], f"/strikes/counts?{selected}")["bbox"][1]
    # As they were shown, before the map was closer by one.
    pixels = 512 * 2 ** (zoom - 1)
    (middle, lowest) = world(np.array([[0.0, lat], [0.0, south]]))[:, 1] * pixels
    assert frame["y"] + frame["height"] / 2 + lowest - middle < key["y"]


def search(page: Page, words: str) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name=re.compile("^Search"))).to_be_focused()
    page.keyboard.type(words)
    expect(page.locator("#search-list [role=option]").last).to_contain_text(words)


def test_a_company_is_searched_and_chosen_by_key(open_page: Open) -> None:
    page = open_page()
    search(page, "Shell")
    box = page.get_by_role("combobox", name=re.compile("^Search"))
    wanted = page.get_by_role("group", name="Companies").get_by_role("option").first
    expect(wanted).to_contain_text("Shell plc")
    for _ in range(20):
        if box.get_attribute("aria-activedescendant") == wanted.get_attribute("id"):
            break
        page.keyboard.press("ArrowDown")
    expect(wanted).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    settled(page)
    assert view_of(page) == {"owner": "shell"}
    expect(page.locator("#chips")).to_contain_text("Shell plc")
    expect(page.locator("#count strong")).to_contain_text("by Shell plc")
    assert listed(page) == matched(page, entity="shell") > 0


def test_a_town_in_another_script_finds_sites_strikes_and_places(open_page: Open) -> None:
    page = open_page("", drawn=True)
    search(page, "Кременчук")
    groups = page.locator("#search-list [role=group]")
    assert {"Sites and lines", "Strikes", "Places on the map", "In the words of strikes"} <= set(
        groups.locator(".search-kind").all_inner_texts()
    )
    page.get_by_role("group", name="Sites and lines").get_by_role("option", name=re.compile("oil refinery")).click()
    settled(page)
    assert view_of(page)["asset"] == "a-kremenchuk"
    assert listed(page) == matched(page, assets="a-kremenchuk") > 1
    search(page, "Кременчук")
    page.get_by_role("option", name=re.compile("All with “Кременчук”: \\d+ strikes")).click()
    settled(page)
    assert listed(page) == matched(page, q="Кременчук", assets="a-kremenchuk")
    search(page, "Кременчук")
    page.get_by_role("group", name="Places on the map").get_by_role("option").first.click()
    place = address_of(page)["map"].split(",")
    assert float(place[0]) == pytest.approx(33.4, abs=0.2)
    search(page, "Кременчук")
    page.get_by_role("group", name="Strikes").get_by_role("option").first.click()
    expect(page.locator("#detail-title")).to_contain_text("Kremenchuk")
    expect(page.locator("#detail-title")).to_be_focused()


@pytest.mark.parametrize("words", ["Azerb", "Азерб", "Aserb"])
def test_a_country_is_found_by_its_name_in_several_languages(open_page: Open, words: str) -> None:
    page = open_page()
    search(page, words)
    page.get_by_role("group", name="Countries").get_by_role("option", name=re.compile("Azerbaijan")).click()
    settled(page)
    assert view_of(page) == {"country": "AZ"}


def test_the_search_lists_what_it_counts_and_leads_to_the_rest(open_page: Open) -> None:
    page = open_page()
    search(page, "refinery")
    more = page.locator("[aria-labelledby='search-asset'] [id='search-asset-more']")
    expect(more).to_contain_text("more")
    more.click()
    expect(more).to_have_count(0)
    assert page.locator("[aria-labelledby='search-asset'] [role=option]").count() > 8
    whole = page.locator("[aria-labelledby='search-text'] [role=option]")
    said = int(whole.inner_text().split("”: ")[1].split()[0])
    whole.click()
    settled(page)
    assert said == listed(page) == matched(page, q="refinery") > 50


def test_escape_closes_the_search_first_and_nothing_found_is_said(open_page: Open) -> None:
    page = open_page("#strike=ua-socar-depot-2025-08-08")
    search(page, "SOCAR")
    page.keyboard.press("Escape")
    expect(page.locator("#search-list")).to_be_hidden()
    expect(page.get_by_role("combobox", name=re.compile("^Search"))).to_have_value("SOCAR")
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox", name=re.compile("^Search"))).to_have_value("")
    expect(page.locator("#detail-title")).to_be_visible()
    search(page, "xyzzy plugh")
    expect(page.locator("#search [role=status]")).to_have_text("0 results")
    page.keyboard.press("Enter")
    settled(page)
    expect(page.locator("#list .empty")).to_be_visible()
    assert counted(page) == (0, 0)


def test_bars_are_those_of_the_api_and_of_what_fits(open_page: Open) -> None:
    page = open_page("#country=RU", fresh=True)
    bars = page.locator("svg.bars")
    expect(bars).to_have_attribute("aria-label", re.compile("^Strikes by month; most in August 2025: "))
    label = bars.get_attribute("aria-label") or ""
    assert number(label.partition("2025: ")[2]) == matched(page, country="RU", datetime="2025-08-01/2025-08-31")
    page.get_by_role("combobox", name="Bars").select_option("year")
    expect(bars).to_have_attribute("aria-label", re.compile("^Strikes by year; most in 2025: "))
    label = bars.get_attribute("aria-label") or ""
    assert number(label.partition("2025: ")[2]) == matched(page, country="RU", datetime="2025-01-01/2025-12-31")


def test_a_window_is_drawn_zoomed_into_and_left_again(open_page: Open) -> None:
    page = open_page(fresh=True)
    page.wait_for_selector(".bar-sure", state="attached")
    box = page.locator("svg.bars").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.70 * box["width"], box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.74 * box["width"], box["y"] + 30, steps=4)
    page.mouse.up()
    settled(page)
    view = view_of(page)
    assert view["from"] < view["to"]
    assert listed(page) == matched(page, datetime=f"{view['from']}/{view['to']}")
    page.get_by_role("button", name="Zoom to these days").click()
    expect(page.locator("svg.bars")).to_have_attribute("aria-label", re.compile("^Strikes by (day|week)"))
    page.get_by_role("button", name="Show all time").click()
    expect(page.locator("svg.bars")).to_have_attribute("aria-label", re.compile("^Strikes by month"))
    page.go_back()
    settled(page)
    assert view_of(page) == {}


def test_time_plays_forward_and_stops(open_page: Open) -> None:
    page = open_page("#country=AZ&from=2024-03-01&to=2024-03-31", fresh=True)
    page.wait_for_selector(".bar-sure", state="attached")
    page.get_by_role("combobox", name="Speed").select_option("8")
    page.get_by_role("button", name="Play").click()
    expect(page).to_have_url(re.compile(r"from=2024-(0[5-9]|1)"))
    page.get_by_role("button", name="Pause").click()
    settled(page)
    view = view_of(page)
    assert listed(page) == matched(page, country="AZ", datetime=f"{view['from']}/{view['to']}")
    page.go_back()
    assert page.url == "about:blank", "playing adds no steps to go back from"


@pytest.fixture(scope="module")
def undated_url(tmp_path_factory: pytest.TempPathFactory, base: Basemap) -> Iterator[str]:
    """A server of few strikes, of one of which no source tells until when it may have been."""
    known = outage_records()
    strike = next(iter(known.strikes.values()))
    undated = strike.model_copy(update={"id": "undated", "when": "2026-01/..", "title": "Of no known day"})
    store = Store.create(tmp_path_factory.mktemp("undated") / "atlas.gpkg")
    records = replace(known, strikes={**known.strikes, "undated": undated})
    store.load(records, author="tests", derive=full_rewrite(base, text))
    with serving(store) as url:
        yield url


def test_a_strike_of_no_known_day_is_listed_last_and_counted_apart_in_every_window(
    browser: Browser, undated_url: str
) -> None:
    page = browser.new_page()
    page.goto(f"{undated_url}/map#from=2026-04-01&to=2026-06-30")
    page.wait_for_selector("#list li", state="attached")
    settled(page)
    expect(page.locator("#list .group")).to_have_text("No last day known: may fall in any day since")
    last = page.locator("#list .row").last
    assert last.locator(".row-title").inner_text() == "Of no known day"
    expect(last.locator(".tag.may")).to_be_visible()
    expect(page.locator("#count")).to_contain_text("1 whose date is open at one end")
    assert listed(page) == matched(page, datetime="2026-04-01/2026-06-30")
    expect(page.locator(".time-note")).to_have_text("1 strike whose date is open at one end is in no bar.")
    page.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_in_search_filters_and_chips(open_page: Open, size: dict[str, int]) -> None:
    schemes = turned(size)
    page = open_page("#country=RU&min_share=25&from=2024-01-01&kinds=oil", size, csp=False, scheme=schemes[0])
    if size is PHONE:
        page.locator("#grip").click()
    page.locator("#filters summary").click()
    page.wait_for_selector("#filter-commodity")
    search(page, "SOCAR")
    assert axe_of_each(page, schemes) == {"light": [], "dark": []}
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    if size is PHONE:
        assert small_targets(page, "#panel button, #panel select, [role=option]") == []
