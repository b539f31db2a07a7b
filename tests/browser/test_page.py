"""The web map in a real browser: what a reader sees, hears and can reach, at desk and on a phone."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SOFTWARE_GL = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
NO_GL = ["--no-sandbox", "--disable-gpu", "--disable-3d-apis"]
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
#: Dates and their words, on the page as in Python (tests/api/wording/test_dates.py).
DATES = json.loads((Path(__file__).parents[1] / "data" / "dates_in_words.json").read_text(encoding="utf-8"))
DEPOT = "ua-socar-depot-2025-08-08"
ORLIVKA = "ua-orlivka-2025-08-06"
CPC = "ru-cpc-kropotkinskaya-2025-02-17"

# A busy machine is no fault: what is expected may take a while.
expect.set_options(timeout=20_000)
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

Open = Callable[..., Page]
Scheme = Literal["light", "dark"]


class Troubles(list[str]):
    """What a page must not do: complain, fail, or ask another host for anything."""

    def __init__(self, page: Page, server_url: str) -> None:
        super().__init__()
        home = urlsplit(server_url).netloc
        page.on("console", lambda message: self.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.append(f"error: {error}"))
        page.on("response", lambda answer: self._check(answer.status, answer.url))
        page.on("request", lambda request: self._ask(request.url, home))

    def _check(self, status: int, url: str) -> None:
        if status >= 400:
            self.append(f"{status} {url}")

    def _ask(self, url: str, home: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != home:
            self.append(f"another origin: {url}")


def answer(server_url: str, path: str) -> Any:
    """What the API answers, without a page for it."""
    with urllib.request.urlopen(f"{server_url.rstrip('/')}{path}") as told:
        return json.load(told)


def address_of(page: Page) -> dict[str, str]:
    """What the address says behind the #."""
    said = parse_qs(urlsplit(page.url).fragment)
    return {name: values[0] for name, values in said.items()}


def view_of(page: Page) -> dict[str, str]:
    """The view that the address says, without the map's place."""
    return {name: value for name, value in address_of(page).items() if name != "map"}


def settled(page: Page) -> None:
    """Wait until the page shows what was selected last."""
    page.wait_for_selector("#results:not([aria-busy])", state="attached")


def rows(page: Page) -> int:
    """How many rows the page has once it has drawn the first hundred, which it does a few at a time."""
    settled(page)
    page.wait_for_function(
        """() => {
          const total = document.querySelector("#list [aria-setsize]")?.getAttribute("aria-setsize") ?? 0;
          return document.querySelectorAll("#list button").length >= Math.min(100, total);
        }"""
    )
    return page.locator("#list button").count()


def small_targets(page: Page, within: str) -> list[tuple[str, float]]:
    """What is in sight and lower than the 44 px that a finger needs, of the elements that a selector finds.

    All is read in one step: the keys of symbols come and go as the map moves.
    """
    return page.evaluate(  # type: ignore[no-any-return]
        """(within) => [...document.querySelectorAll(within)].filter((one) => one.checkVisibility())
            .map((one) => [one.outerHTML, one.getBoundingClientRect()])
            .filter(([, box]) => box.width && box.height < 44).map(([one, box]) => [one, box.height])""",
        within,
    )


def turned(size: dict[str, int]) -> tuple[Scheme, Scheme]:
    """A page is opened in the first scheme and turned to the second: at a desk to dark, on a phone to light."""
    return ("dark", "light") if size is PHONE else ("light", "dark")


def axe_of_each(page: Page, schemes: tuple[Scheme, Scheme]) -> dict[str, list[object]]:
    """What axe finds in each colour scheme: the rule, and where it is broken."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = {}
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        # What is coloured by a script is so once the page was told, before its next picture.
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        violations = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        found[scheme] = [(each["id"], [node["target"] for node in each["nodes"]]) for each in violations]
    return found


def pick_country(page: Page, code: str) -> None:
    page.get_by_label("Whose assets were hit?").select_option(code)
    settled(page)


def test_countries_have_the_names_of_the_api(open_page: Open, server_url: str) -> None:
    page = open_page("")
    options = page.locator("#country-select option").evaluate_all(
        "all => all.map((one) => [one.value, one.textContent.replace(/ \\([^(]*\\)$/, '')])"
    )
    chosen = {value: name for value, name in options if value}
    api = {code: answer(server_url, f"/countries/{code}")["name"] for code in chosen}
    assert len(chosen) > 30
    assert chosen == api


def test_symbols_of_the_list_have_the_colours_of_the_scheme_when_it_turns(open_page: Open) -> None:
    def symbols(page: Page) -> list[str]:
        drawn: list[str] = page.locator("#list canvas.symbol").evaluate_all(
            "all => all.map((each) => each.toDataURL())"
        )
        return drawn

    page, dark = open_page("#country=AZ"), open_page("#country=AZ", scheme="dark", fresh=True)
    light = symbols(page)
    assert len(light) == 7
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "before => document.querySelector('#list canvas.symbol').toDataURL() !== before", arg=light[0]
    )
    assert symbols(page) == symbols(dark) != light


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_opens_with_every_strike_in_the_list_a_page_at_a_time(
    open_page: Open, server_url: str, size: dict[str, int]
) -> None:
    page = open_page("", size, drawn=True)
    asked = page.request.get(f"{server_url.rstrip('/')}/collections/strikes/items?limit=1")
    everything = asked.json()["numberMatched"]
    assert everything > 100
    assert page.locator("#list li").first.get_attribute("aria-setsize") == str(everything)
    if size is PHONE:
        page.locator("#grip").click()
    for _ in range(20):
        if rows(page) == everything:
            break
        page.locator("#list li").last.scroll_into_view_if_needed()
        page.wait_for_timeout(100)
    assert rows(page) == everything
    expect(page.locator(".more")).to_be_hidden()
    expect(page.locator("canvas.maplibregl-canvas")).to_be_visible()
    assert page.evaluate_handle("document.documentElement").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_unplaced_strikes_are_listed_and_counted(open_page: Open) -> None:
    page = open_page("#q=tanker")
    assert rows(page) < 100
    unplaced = page.locator("#list button", has_text="no place known").count()
    assert 0 < unplaced < 100
    expect(page.locator("#count")).to_contain_text(f"{unplaced} strikes of this selection have no place that is given")


def test_filters_by_owner_and_keeps_other_ties_apart(open_page: Open) -> None:
    page = open_page()
    pick_country(page, "AZ")
    owned = page.locator("#list .row-title").all_inner_texts()
    assert any("SOCAR" in title for title in owned)
    assert not any("Orlivka" in title for title in owned)
    page.get_by_label(re.compile("^Other tie")).check()
    settled(page)
    titles = page.locator("#list .row-title").all_inner_texts()
    assert any("Orlivka" in title for title in titles)
    assert any("SOCAR" in title for title in titles), "which also operates the depots"
    assert set(owned) - set(titles), "what is owned alone"
    assert view_of(page) == {"country": "AZ", "role": "related"}
    expect(page.locator("#summary")).to_contain_text("never added up")


def test_sites_that_were_all_hit_are_shown_together_and_apart(open_page: Open) -> None:
    detail = open_page("#strike=iq-tawke-peshkabir-2025-07-16").locator("#detail")
    expect(detail.locator(".whose .together")).to_have_text(re.compile("2 sites were hit. These are shares of all"))
    expect(detail.locator(".assets .asset.confirmed .owners")).to_have_count(2)


def test_the_depot_and_its_chain(open_page: Open) -> None:
    page = open_page("#country=AZ")
    page.locator(f'[data-id="{DEPOT}"]').click()
    detail = page.locator("#detail")
    expect(detail.get_by_role("heading", level=2)).to_be_focused()
    expect(detail.locator(".whose .owner").first).to_contain_text(re.compile(r"Azerbaijan\s*100\s%"))
    expect(detail.locator(".of-chosen")).to_contain_text("whichever was hit")
    expect(detail.locator(".several")).to_contain_text("One of these was hit")
    chain = detail.locator(".chain > ol").first
    expect(chain.locator("b", has_text="SOCAR").first).to_be_visible()
    expect(chain.locator("ol").first).to_be_attached()
    expect(chain).to_contain_text(re.compile(r"100\s% counts to Azerbaijan"))
    expect(chain.get_by_role("link").first).to_have_attribute("rel", "noopener noreferrer")


def test_control_is_told_apart_from_the_shares(open_page: Open) -> None:
    page = open_page(f"#strike={DEPOT}")
    control = page.get_by_role("region", name="Who controlled it")
    expect(control).to_contain_text("never a share")
    expect(control.locator(".controller")).to_have_text(["Azerbaijan, a state"] * 2)
    steps = control.get_by_role("list", name=re.compile("^Steps of control")).first.locator("li")
    expect(steps).to_have_count(2)
    expect(steps.nth(0)).to_contain_text(re.compile(r"^Azerbaijan holds 100\s% of SOCAR"))
    expect(steps.nth(1)).to_contain_text(re.compile(r"^SOCAR holds 100\s% of SOCAR oil terminal"))
    assert page.locator(".whose .controller").count() == 0


def test_control_is_counted_by_head_office_where_that_is_asked(open_page: Open) -> None:
    page = open_page("#strike=ua-flex-2025-08-21&basis=headquarters")
    expect(page.get_by_role("region", name="Who controlled it").locator(".controller")).to_contain_text("United States")


def test_dates_are_worded_as_everywhere_else_and_no_month_as_days(scripts: Page) -> None:
    words, spans = scripts.evaluate(
        """async (dates) => {
          const { spanWords, whenWords } = await import("./static/edtf.js");
          const march = { when: "2022-03~", day_first: "2022-02-01", day_last: "2022-04-30" };
          const spans = [["2022-02-01", "2022-03-14"], ["2022-03-15", "2022-04-30"], ["2022-02-01", "2022-04-30"]];
          return [dates.map((date) => whenWords(date)), spans.map((ends) => spanWords(...ends, march))];
        }""",
        [stated for stated, _ in DATES],
    )
    assert words == [said for _, said in DATES]
    assert spans == ["14 March 2022 or earlier", "15 March 2022 or later", "about March 2022"]


def test_a_draft_is_named_as_one(scripts: Page) -> None:
    titles = scripts.evaluate(
        """async () => {
          const { strikeTitle, sourcesWords } = await import("./static/text.js");
          const titles = ["draft", "reported"].map((status) => strikeTitle({ title: "Depot", status }));
          const numbers = [[3, 2], [2, 2], [1, 1], [2, 0]];
          return [...titles, ...numbers.map(([n, m]) => sourcesWords({ n_sources: n, n_voices: m }))];
        }"""
    )
    assert titles[:2] == ["Depot (draft)", "Depot"]
    assert titles[2:] == [
        "3 sources, 2 of them independent", "2 sources, all of them independent", "1 source",
        "2 sources, no independent report",
    ]  # fmt: skip


def test_control_that_differs_over_the_days_is_worded_for_each(scripts: Page) -> None:
    told = scripts.evaluate(
        """async () => {
          const { controlBlock } = await import("./static/control.js");
          const by = (entity, country) => ({ entity, name: entity, country, reach: "company", steps: [] });
          const spans = [
            { first: "2025-08-01", last: "2025-08-10", control: by("Seller", "SG") },
            { first: "2025-08-11", last: "2025-08-11", control: null },
            { first: "2025-08-12", last: null, control: by("Buyer", "AZ") },
          ];
          const asset = { id: "a", name: "Plant" };
          const strike = { when: "2025-08-01/..", day_first: "2025-08-01", day_last: null };
          const hit = { asset, control: null, control_days: spans };
          const block = controlBlock({ assets: [hit], sources: {}, strike }, () => {});
          const told = block.querySelectorAll(".span, .controller, ul > li > p:first-child");
          return [...told].map((node) => node.textContent);
        }"""
    )
    assert told == [
        "It is not settled on which day this was, and control differed over the days it may have been.",
        "1–10 August 2025",
        "Seller, Singapore, a company that nobody is known to control",
        "11 August 2025",
        "Nobody surely held more than half, and no control is declared.",
        "12 August 2025 or later",
        "Buyer, Azerbaijan, a company that nobody is known to control",
    ]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_country_is_summed_up_by_role(open_page: Open, server_url: str, size: dict[str, int]) -> None:
    page = open_page("#country=RU", size)
    owner = page.request.get(f"{server_url.rstrip('/')}/countries/RU").json()["relations"]["owner"]
    low, high = (f"{round(owner[end], 2):g}" for end in ("assets_min", "assets_max"))
    said = page.locator("#summary .in-all")
    expect(said).to_have_text(
        f"In all: owner in {owner['strikes']} strikes ({owner['strikes_sure']} of them sure). Put together, its shares "
        f"make {low} to {high} of the {owner['hits']} sites hit, counting a site anew for each strike."
    )
    if size is PHONE:
        page.locator("#grip").click()
    page.get_by_label("Whose assets were hit?").select_option("AZ")
    expect(said).to_contain_text("owner in 7 strikes (6 of them sure)")
    page.get_by_label(re.compile("^Other tie")).check()
    ties = page.request.get(f"{server_url.rstrip('/')}/countries/AZ").json()["relations"]
    words = [f"{ties[tie]['strikes']} strike" for tie in ("operator", "supplier", "affected")]
    assert all(ties[tie]["strikes_sure"] == ties[tie]["strikes"] for tie in ("operator", "supplier", "affected"))
    expect(said).to_have_text(
        f"Operator in {words[0]} (sure); supplier in {words[1]} (sure); affected in {words[2]}s (sure)."
    )
    page.get_by_label(re.compile("^Host")).check()
    host = ties["host"]
    expect(said).to_have_text(f"Host in {host['strikes']} strikes ({host['strikes_sure']} of them sure).")
    assert page.locator("#summary").evaluate("node => node.scrollWidth <= node.clientWidth")


def test_nobody_controls_the_caspian_pipeline(open_page: Open) -> None:
    page = open_page(f"#strike={CPC}")
    control = page.get_by_role("region", name="Who controlled it")
    expect(control.locator(".controller")).to_have_text(
        "Nobody surely held more than half, and no control is declared."
    )
    expect(control.locator("ol")).to_have_count(0)


def test_chains_of_one_asset_are_one_tree_with_a_part_at_each_holder(open_page: Open) -> None:
    page = open_page(f"#strike={CPC}")
    page.get_by_text("The chain as text, with sources").click()
    chain = page.locator(".chain > ol")
    expect(chain.locator("> li")).to_have_count(1)
    assert chain.get_by_role("button", name="Caspian Pipeline Consortium", exact=True).count() == 1
    rosneft = chain.locator("li", has=page.locator("> .step").get_by_role("button", name="Rosneft", exact=True)).last
    # 7.5 % of it, of which Rosneft has 50 to 51 %.
    expect(rosneft.locator("> .step .step-part")).to_contain_text(re.compile(r"^3.75–3.83\s%"))
    expect(rosneft.locator("> .step .end")).to_have_text(re.compile(r"0.44–0.45\s% counts to Russia"))
    below = rosneft.locator("li", has_text="QH Oil Investments").last
    expect(below.locator(".end")).to_have_text(re.compile(r"0.69–0.71\s% counts to Qatar: ends at a state"))


def test_bars_of_the_chain_are_parts_of_the_whole(open_page: Open) -> None:
    page = open_page(f"#strike={CPC}", PHONE)
    page.get_by_text("The chain as text, with sources").click()
    kazakhstan = page.locator(".chain .step", has_text="Other lists print KazMunayGas")
    widths = kazakhstan.locator(".owner-bar").evaluate(
        "bar => [bar.clientWidth, ...Array.from(bar.children, part => part.getBoundingClientRect().width)]"
    )
    assert widths[1:] == [pytest.approx(0.19 * widths[0], abs=1)]
    assert page.locator("#detail").evaluate("node => node.scrollWidth <= node.clientWidth")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_an_owner_opens_what_it_held_and_back_returns(open_page: Open, size: dict[str, int]) -> None:
    page = open_page(f"#strike={DEPOT}", size)
    name = page.locator("#detail .chain").first.get_by_role("button", name="SOCAR", exact=True)
    name.click()
    expect(page.get_by_role("heading", name="What SOCAR held on 8 August 2025")).to_be_focused()
    assert view_of(page) == {"strike": DEPOT, "entity": "socar"}
    assert page.locator("#detail").evaluate("node => node.inert")
    tanap = page.get_by_role("table", name="Sites and lines").get_by_role("row", name=re.compile(r"\(TANAP\)"))
    expect(tanap.get_by_role("cell")).to_have_text(["none", "31.99\xa0%"])
    page.get_by_role("table", name="Companies").get_by_role("button", name="Southern Gas Corridor CJSC").click()
    expect(page.get_by_role("heading", name=re.compile("What Southern Gas Corridor CJSC held"))).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", name=re.compile("What SOCAR held"))).to_be_visible()
    page.get_by_role("button", name="Back to the record").click()
    expect(page.locator("#holdings")).to_be_hidden()
    expect(
        page.locator("#detail").get_by_role("button", name="SOCAR", exact=True).and_(page.locator(":focus"))
    ).to_have_count(1)
    assert view_of(page) == {"strike": DEPOT}


def test_escape_closes_the_holdings_and_then_the_record(open_page: Open) -> None:
    page = open_page(f"#strike={DEPOT}&entity=socar")
    expect(page.locator("#holdings table").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#holdings")).to_be_hidden()
    expect(page.locator("#detail-title")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    assert view_of(page) == {}


def test_holdings_are_restored_by_their_address_even_without_a_strike(open_page: Open) -> None:
    page = open_page("#country=AZ&entity=socar", fresh=True)
    expect(page.get_by_role("heading", name=re.compile("^What SOCAR held on"))).to_be_visible()
    expect(page.locator("#holdings")).to_contain_text("31.99")
    expect(page.get_by_role("button", name="Back to the record")).to_have_count(0)
    page.locator(f'[data-id="{DEPOT}"]').click()
    expect(page.locator("#holdings")).to_be_hidden()
    assert view_of(page) == {"country": "AZ", "strike": DEPOT}


def test_an_unknown_entity_is_said_to_be_missing(browser: Browser, server_url: str) -> None:
    page = browser.new_page()
    page.goto(f"{server_url.rstrip('/')}/map#entity=no-such-entity")
    expect(page.locator("#holdings [role=alert]")).to_contain_text("no-such-entity")
    page.get_by_role("button", name="Close the holdings").click()
    expect(page.locator("#holdings")).to_be_hidden()
    page.close()


def test_a_supplier_is_no_owner(open_page: Open) -> None:
    page = open_page(f"#country=AZ&role=related&strike={ORLIVKA}")
    detail = page.locator("#detail")
    expect(detail.locator(".of-chosen")).to_be_visible()
    owners = detail.locator(".whose .owner-name").all_inner_texts()
    assert "Ukraine" in owners
    assert "Azerbaijan" not in owners
    expect(detail.locator(".of-chosen")).to_contain_text("Azerbaijan: owned none of it")
    expect(detail.locator(".others li", has_text="Azerbaijan")).to_contain_text("supplier")
    expect(detail.locator("dl.first")).to_contain_text("night of 5–6 August 2025")
    expect(detail.locator(".claims")).to_contain_text("June 2025")


def test_links_go_out_only_as_web_addresses(open_page: Open) -> None:
    page = open_page(f"#strike={DEPOT}")
    page.wait_for_selector("#detail .sources a")
    links = page.locator("#detail a[target]").evaluate_all("nodes => nodes.map(n => [n.getAttribute('href'), n.rel])")
    assert links
    assert all(href.startswith(("http://", "https://")) and rel == "noopener noreferrer" for href, rel in links)


def test_a_strike_on_the_map_opens_its_record(open_page: Open, server_url: str) -> None:
    asked = answer(server_url, "/collections/strikes/items?limit=1000")
    placed = [feature for feature in asked["features"] if feature["geometry"]]

    def alone(feature: dict[str, Any]) -> bool:
        lon, lat = feature["geometry"]["coordinates"]
        others = [each["geometry"]["coordinates"] for each in placed if each is not feature]
        return all(abs(lon - x) + abs(lat - y) > 0.5 for x, y in others)

    feature = next(each for each in placed if alone(each) and each["properties"]["status"] != "draft")
    lon, lat = feature["geometry"]["coordinates"]
    page = open_page(f"#map={lon},{lat},8", drawn=True)
    box = page.locator("canvas.maplibregl-canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#detail-title")).to_have_text(feature["properties"]["title"])


def test_strikes_at_one_place_can_each_be_picked(open_page: Open, server_url: str) -> None:
    asked = answer(server_url, "/collections/strikes/items?limit=1000")
    depot = next(each for each in asked["features"] if each["properties"]["id"] == DEPOT)
    lon, lat = depot["geometry"]["coordinates"]
    page = open_page(f"#map={lon},{lat},9", drawn=True)
    box = page.locator("canvas.maplibregl-canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    choices = page.locator(".pick button")
    assert choices.count() > 1
    choices.filter(has_text=re.compile(r"\b8 August")).first.click()
    assert view_of(page)["strike"] == DEPOT


def test_the_served_style_uses_only_the_colours_of_the_table(server_url: str) -> None:
    static = Path(__file__).resolve().parents[2] / "static"
    colour = re.compile(r"#[0-9A-Fa-f]{6}\b")
    table = set(colour.findall((static / "style-table.json").read_text(encoding="utf-8")))
    style = answer(server_url, "/style.json")
    used = set(colour.findall(json.dumps(style["layers"])))
    assert used
    assert used <= table
    assert {layer["source"] for layer in style["layers"] if "source" in layer} <= set(style["sources"])


def test_kinds_narrow_the_list_and_nothing_chosen_is_everything(open_page: Open) -> None:
    page = open_page("#country=AZ")
    everything = rows(page)
    page.locator("#filters summary").click()
    page.locator("#filters").get_by_label(re.compile("^Oil")).uncheck()
    assert 0 < rows(page) < everything
    assert "oil" not in view_of(page)["kinds"].split(".")
    page.locator("#filters").get_by_label(re.compile("^Oil")).check()
    assert rows(page) == everything
    assert view_of(page) == {"country": "AZ"}
    page.locator("#filters").get_by_role("button", name="Clear all filters").click()
    assert rows(page) == 100
    assert view_of(page) == {}


def test_boxes_that_are_used_at_once_are_one_choice(open_page: Open) -> None:
    page = open_page()
    page.locator("#filters summary").click()
    expect(page.locator("#filters input[data-filter=kinds]").first).to_be_visible()
    # Clicked in one step: before an answer to the first can come.
    values = page.evaluate(
        """() => {
          const boxes = [...document.querySelectorAll("#filters input[data-filter=kinds]")];
          boxes.slice(0, 2).forEach((box) => box.click());
          return boxes.map(({ value }) => value);
        }"""
    )
    assert len(values) > 2
    assert view_of(page)["kinds"].split(".") == values[2:]


def test_rows_that_follow_the_first_wait_for_the_map_or_for_who_scrolls(browser: Browser, server_url: str) -> None:
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.route("**/maplibre-gl.mjs", lambda route: None)  # it does not come
    page.goto(f"{server_url.rstrip('/')}/map")
    page.wait_for_selector("#list button", state="attached")
    page.wait_for_timeout(2500)
    listed = page.locator("#list .row")
    expect(listed).to_have_count(10)
    page.locator("#results").evaluate("node => (node.scrollTop = node.scrollHeight)")
    expect(listed).not_to_have_count(10)
    page.close()


def test_a_choice_that_is_open_stays_while_the_filters_change(open_page: Open) -> None:
    page = open_page()
    page.locator("#filters summary").click()
    select = page.locator("#filter-commodity")
    expect(select).to_be_visible()
    select.focus()
    page.evaluate("window.held = document.activeElement")
    before = select.locator("option").all_text_contents()
    page.locator("#filters input[data-filter=kinds]").first.evaluate("node => node.click()")
    expect(select.locator("option")).not_to_have_text(before)
    assert page.evaluate("window.held === document.activeElement && window.held.id") == "filter-commodity"
    select.select_option("gas")
    assert view_of(page)["commodity"] == "gas"


def test_a_box_stays_the_same_element_while_its_counts_change(open_page: Open) -> None:
    page = open_page()
    page.locator("#filters summary").click()
    boxes = page.locator("#filters input[data-filter=kinds]")
    expect(boxes.first).to_be_visible()
    counts = page.locator("#filters fieldset:has(input[data-filter=status]) .n")
    before = counts.all_text_contents()
    page.evaluate("window.held = [...document.querySelectorAll('#filters input')]")
    boxes.first.uncheck()
    expect(counts).not_to_have_text(before)
    assert page.evaluate("window.held.every((box) => box.isConnected)")
    expect(boxes.first).not_to_be_checked()
    page.go_back()
    expect(counts).to_have_text(before)
    expect(boxes.first).to_be_checked()


def test_countries_can_be_counted_by_head_office(open_page: Open) -> None:
    page = open_page(f"#strike={DEPOT}")
    page.get_by_text("How countries are counted").click()
    with page.expect_response(re.compile("attribution.*basis=headquarters")):
        page.get_by_label("A company counts to the country of its").select_option("headquarters")
    expect(page.get_by_label("A company counts to the country of its")).to_have_value("headquarters")
    assert view_of(page)["basis"] == "headquarters"


def test_dates_narrow_the_list(open_page: Open) -> None:
    page = open_page("#country=AZ")
    everything = rows(page)
    page.get_by_label("From", exact=True).fill("2025-08-01")
    page.get_by_label("From", exact=True).dispatch_event("change")
    page.get_by_label("To", exact=True).fill("2025-08-31")
    page.get_by_label("To", exact=True).dispatch_event("change")
    assert 0 < rows(page) < everything
    assert view_of(page) == {"country": "AZ", "from": "2025-08-01", "to": "2025-08-31"}
    page.get_by_role("button", name="All dates").click()
    assert rows(page) == everything


def test_the_handles_of_the_time_range_work_by_key_and_never_overlap(open_page: Open) -> None:
    page = open_page()
    page.wait_for_selector(".bar-sure", state="attached")
    first, last = page.get_by_role("slider", name="First day shown"), page.get_by_role("slider", name="Last day shown")
    last.press("PageDown")
    assert "to" in view_of(page)
    first.press("End")
    assert first.get_attribute("aria-valuenow") == last.get_attribute("aria-valuenow")
    left, right = first.bounding_box(), last.bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"]
    assert min(left["width"], right["width"]) >= 24


def test_a_view_is_restored_by_its_address_and_by_going_back(open_page: Open) -> None:
    page = open_page(drawn=True)
    pick_country(page, "AZ")
    page.locator(f'[data-id="{DEPOT}"]').click()
    page.wait_for_selector("#detail .owner")
    expect(page).to_have_url(re.compile("[#&]map="))  # the map has come to rest at the strike
    address = page.url
    assert view_of(page) == {"country": "AZ", "strike": DEPOT}
    page.reload()
    page.wait_for_selector("#detail .owner")
    expect(page.get_by_label("Whose assets were hit?")).to_have_value("AZ")
    assert page.url == address
    page.go_back()
    expect(page.locator("#detail")).to_be_hidden()
    page.go_back()
    expect(page.get_by_label("Whose assets were hit?")).to_have_value("")
    page.go_forward()
    expect(page.get_by_label("Whose assets were hit?")).to_have_value("AZ")


def test_a_map_that_moves_while_the_reader_goes_back_keeps_where_they_went(scripts: Page) -> None:
    """Going back tells the page after the address has changed; a map that comes to rest in between may not undo it."""
    seen = scripts.evaluate(
        """async () => {
          const { createState } = await import("./static/state.js");
          const told = [];
          const state = createState((now) => told.push(now.country));
          state.set({ country: "AZ" });
          state.set({ country: "KZ" });
          const gone = new Promise((done) => addEventListener("popstate", () => {
            state.set({ map: [10, 50, 4] }, { step: false });
            setTimeout(done, 50);
          }, { once: true }));
          history.back();
          await gone;
          return [state.now.country, state.now.map, new URLSearchParams(location.hash.slice(1)).get("country"), told];
        }"""
    )
    assert seen == ["AZ", [10, 50, 4], "AZ", ["AZ", "KZ", "AZ", "AZ"]]


def test_a_malformed_address_falls_back(open_page: Open) -> None:
    page = open_page("#map=1,x,900&country=zz9&role=boss&from=yesterday&kinds=__proto__", fresh=True)
    assert rows(page) > 50


@pytest.mark.parametrize("view", ["", "#country=AZ&from=2025-01-01", "?country=AZ"])
def test_what_the_page_begins_with_is_asked_for_once(browser: Browser, server_url: str, view: str) -> None:
    page, asked = browser.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server_url.rstrip('/')}/map{view}")
    page.wait_for_selector("body[data-ready]", state="attached")
    first = [url for url in asked if "strikes/items" in url or "by=country" in url]
    assert len(first) == len(set(first))
    assert "offset=0" in first[0]
    page.close()


def test_the_list_is_asked_for_before_the_page_is_there(browser: Browser, server_url: str) -> None:
    page = browser.new_page()
    page.route("**/static/app.js", lambda route: route.abort())
    with page.expect_request(re.compile("strikes/items.*country=AZ.*offset=0")):
        page.goto(f"{server_url.rstrip('/')}/map#country=AZ")
    page.close()


def test_an_unknown_strike_is_said_to_be_missing(browser: Browser, server_url: str) -> None:
    page = browser.new_page()
    page.goto(f"{server_url.rstrip('/')}/map#strike=no-such-strike")
    expect(page.locator("#detail [role=alert]")).to_be_visible()
    expect(page.locator("#list button").first).to_be_visible()
    page.close()


def test_the_whole_way_by_keyboard(open_page: Open) -> None:
    page = open_page(fresh=True)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#list")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    second = page.locator("#list button").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_be_focused()
    expect(second).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(second).to_be_focused()


def test_a_record_that_is_opened_as_soon_as_its_row_is_there_keeps_the_focus(browser: Browser, server_url: str) -> None:
    page = browser.new_page(viewport=DESK, reduced_motion="reduce")  # type: ignore[arg-type]
    page.add_init_script(
        """new MutationObserver((_, watch) => {
            const row = document.querySelectorAll("#list button")[1];
            if (row) (watch.disconnect(), row.click());
        }).observe(document, { childList: true, subtree: true });"""
    )
    page.goto(f"{server_url.rstrip('/')}/map")
    page.wait_for_selector("body[data-ready]", state="attached")
    page.wait_for_timeout(500)
    expect(page.locator("#detail-title")).to_be_focused()
    page.close()


def test_the_first_canvas_of_a_page_is_drawn_once_its_rows_stand(browser: Browser, server_url: str) -> None:
    page = browser.new_page(viewport=DESK, reduced_motion="reduce")  # type: ignore[arg-type]
    page.add_init_script(
        """const { prototype } = HTMLCanvasElement, of = prototype.getContext;
        prototype.getContext = function (...given) {
            window.rowsThen ??= document.querySelectorAll("#list canvas.symbol").length;
            return of.apply(this, given);
        };"""
    )
    page.goto(f"{server_url.rstrip('/')}/map")
    page.wait_for_selector("body[data-ready]", state="attached")
    symbols = page.locator("#list canvas.symbol")
    assert page.evaluate("window.rowsThen") > 0
    blank = symbols.evaluate_all(
        "all => all.filter((one) => !new Uint32Array(one.getContext('2d').getImageData(0, 0, one.width, one.height)"
        ".data.buffer).some(Boolean)).length"
    )
    assert blank == 0
    page.close()


def test_on_a_phone_the_sheet_opens_and_the_record_covers_all(open_page: Open) -> None:
    page = open_page("#country=AZ", PHONE)
    grip = page.locator("#grip")
    expect(page.locator("#list")).to_be_hidden()
    grip.click()
    expect(grip).to_have_attribute("aria-expanded", "true")
    page.locator(f'[data-id="{DEPOT}"]').click()
    page.wait_for_selector("#detail .owner")
    box = page.locator("#detail").bounding_box()
    assert box == {"x": 0, "y": 0, **PHONE}
    assert page.locator("#panel").evaluate("node => node.inert")
    assert page.locator("#detail").evaluate("node => node.scrollWidth <= node.clientWidth")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#list")).to_be_visible()
    assert small_targets(page, "button, select, summary") == []


HELD = f"#strike={DEPOT}&entity=socar"
AXE_VIEWS = [
    ("", DESK),
    (f"#country=AZ&strike={DEPOT}", DESK),
    (HELD, DESK),
    ("", PHONE),
    (f"#strike={ORLIVKA}", PHONE),
    (f"#strike={CPC}", PHONE),
    (HELD, PHONE),
]
AXE_NAMES = ["list", "detail", "holdings", "phone list", "phone detail", "phone chain", "phone holdings"]


@pytest.mark.parametrize(("view", "size"), AXE_VIEWS, ids=AXE_NAMES)
def test_axe_finds_nothing_in_light_and_in_dark(open_page: Open, view: str, size: dict[str, int]) -> None:
    schemes = turned(size)
    # axe is put into the page from outside, which the page's own policy rightly forbids.
    page = open_page(view, size, schemes[0], csp=False)
    if view:
        page.wait_for_selector("#holdings table" if view == HELD else "#detail .owner")
    elif size is PHONE:
        page.locator("#grip").click()
    page.locator("details").evaluate_all("nodes => nodes.forEach(node => (node.open = true))")
    assert axe_of_each(page, schemes) == {"light": [], "dark": []}


def test_list_and_record_work_without_webgl(playwright: Playwright, server_url: str) -> None:
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=NO_GL)
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server_url.rstrip('/')}/map#country=AZ")
    page.wait_for_selector("body[data-map=off]")
    expect(page.locator("#map-note")).to_contain_text("WebGL")
    page.locator(f'[data-id="{DEPOT}"]').click()
    expect(page.locator("#detail .owner").first).to_contain_text("Azerbaijan")
    browser.close()
    assert errors == []


def test_the_page_has_no_inline_code_and_makes_no_html_of_data() -> None:
    static = Path(__file__).resolve().parents[2] / "static"
    own = [file for file in static.glob("*.*") if file.suffix in (".js", ".html")]
    assert len(own) > 10
    for file in own:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), file.name
        assert len(text.splitlines()) <= 250, file.name
    page = (static / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)
