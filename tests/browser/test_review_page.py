"""The review page in a real browser: by keyboard alone, at desk and on a phone, with two reviewers at once."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from api.app import create_app
from api.requests import reviewer_tokens
from api.settings import Settings
from layers.model.records import Records
from layers.store.store import Store
from tests.browser.test_page import AXE, CHROMIUM, DESK, PHONE, Troubles
from tests.conftest import BASEMAP, free_port
from tests.few_records import FEW, with_all_they_rest_on

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

BURSHTYN = "ua-burshtyn-dobrotvir-2026-02-07"


@dataclasses.dataclass(frozen=True)
class Desk:
    """A running server of bundled strikes that have no decisions, and two reviewers' tokens."""

    url: str
    store: Store
    ann: str
    ben: str


@contextmanager
def served(records: Records, folder: Path) -> Iterator[Desk]:
    store = Store.create(folder / "atlas.gpkg")
    store.load(dataclasses.replace(records, decisions={}), author="tests")
    file = folder / "reviewers.json"
    tokens = [reviewer_tokens.add_reviewer(file, name) for name in ("Ann", "Ben")]
    app = create_app(store, Settings(basemap=BASEMAP, reviewers=file, follow_every_s=0))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield Desk(f"http://127.0.0.1:{port}", store, *tokens)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def few_waiting(records: Records) -> Records:
    return with_all_they_rest_on(records, (*FEW, BURSHTYN))


@pytest.fixture
def desk(few_waiting: Records, tmp_path: Path) -> Iterator[Desk]:
    """A server of a test's own, of a few of the bundled strikes."""
    with served(few_waiting, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def whole_desk(records: Records, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A server of all bundled strikes and of a pair that may be one; tests leave it as it is."""
    with served(records, tmp_path_factory.mktemp("desk")) as made:
        with_duplicate(made)
        yield made


def signed_in(browser: Browser, desk: Desk, token: str, size: dict[str, int] = DESK, *, csp: bool = True) -> Page:
    context = browser.new_context(
        viewport=size,  # type: ignore[arg-type]
        bypass_csp=not csp,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{desk.url}/review")
    expect(page.get_by_label("Reviewer's token")).to_be_focused()
    page.keyboard.type(token)
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-ready]")
    return page


def opened(page: Page) -> str:
    return page.locator('#queue [aria-current="true"]').get_attribute("data-id") or ""


def title(page: Page) -> str:
    return page.locator("#case-title").inner_text()


def test_a_decision_by_keyboard_alone(browser: Browser, desk: Desk) -> None:
    page = signed_in(browser, desk, desk.ann)
    troubles = Troubles(page, desk.url)
    waiting = page.locator("#queue li").count()
    first = title(page)
    page.keyboard.press("j")
    expect(page.locator("#case-title")).not_to_have_text(first)
    strike, name = opened(page), title(page)
    page.keyboard.press("1")
    asset = page.locator('#decision input[name="asset"]').first.get_attribute("value")
    page.keyboard.press("c")
    page.keyboard.press("w")
    page.keyboard.type("The report names it: c, n, x")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_have_text(f"Saved: {name}, confirmed.")
    expect(page.locator("#case-title")).not_to_have_text(name)
    expect(page.locator("#case-title")).to_be_focused()
    assert page.locator("#queue li").count() == waiting - 1
    [made] = desk.store.records().decisions.values()
    assert (made.strike, made.asset, made.verdict, made.who) == (strike, asset, "confirmed", "Ann")
    assert made.why == "The report names it: c, n, x"
    page.keyboard.press("z")
    expect(page.locator("#said")).to_have_text(f"Taken back: {name}.")
    expect(page.locator("#queue li")).to_have_count(waiting)
    assert [one.verdict for one in desk.store.records().decisions.values()] == ["confirmed", "undone"]
    expect(page.get_by_role("region", name="Decisions so far").get_by_role("listitem")).to_have_count(2)
    assert troubles == []


def test_nothing_is_saved_without_grounds_or_an_asset(browser: Browser, desk: Desk) -> None:
    page = signed_in(browser, desk, desk.ann)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_have_text("Choose a verdict first.")
    page.keyboard.press("p")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_have_text("Choose the asset first.")
    page.keyboard.press("n")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_have_text("Say on what grounds first.")
    expect(page.get_by_label("On what grounds?")).to_be_focused()
    assert not desk.store.records().decisions


def test_keys_can_be_turned_off(browser: Browser, desk: Desk) -> None:
    page = signed_in(browser, desk, desk.ann)
    page.keyboard.press("?")
    page.get_by_label("Single keys work").uncheck()
    before = opened(page)
    page.keyboard.press("j")
    page.keyboard.press("n")
    assert opened(page) == before
    assert page.locator("#decision :checked").count() == 0


def test_who_comes_second_sees_what_the_first_decided(browser: Browser, desk: Desk) -> None:
    ann, ben = (signed_in(browser, desk, token) for token in (desk.ann, desk.ben))
    assert opened(ann) == opened(ben)
    for page, key, why in ((ann, "n", "no site is named"), (ben, "x", "it was a fire")):
        page.keyboard.press(key)
        page.keyboard.press("w")
        page.keyboard.type(why)
        page.keyboard.press("Control+Enter")
        if page is ann:
            expect(page.locator("#said")).to_contain_text("Saved")
    expect(ben.get_by_role("alert")).to_contain_text("Somebody else decided")
    expect(ben.get_by_role("region", name="Decisions so far")).to_contain_text("none of these, Ann")
    expect(ben.get_by_label("On what grounds?")).to_have_value("it was a fire")
    ben.keyboard.press("Escape")
    ben.get_by_label("Not a strike").check()
    ben.get_by_role("button", name="Save the decision").click()
    expect(ben.locator("#said")).to_contain_text("Saved")
    assert [(one.who, one.verdict) for one in desk.store.records().decisions.values()] == [
        ("Ann", "none"),
        ("Ben", "not-a-strike"),
    ]


def test_a_token_that_is_nobodys_signs_out(browser: Browser, desk: Desk) -> None:
    page = browser.new_context(viewport=DESK).new_page()  # type: ignore[arg-type]
    page.goto(f"{desk.url}/review")
    page.get_by_label("Reviewer's token").fill("nobody")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("no reviewer has this token")
    assert "nobody" not in page.url
    assert page.evaluate("sessionStorage.length") == 0


def with_duplicate(desk: Desk) -> None:
    known = desk.store.records().assets["a-burshtyn"]
    again = known.model_copy(update={"id": "seen", "dataset": "seen", "name": "Бурштинська ТЕС", "aliases": ()})
    desk.store.append("assets", again, author="tests")


def test_two_assets_are_judged_to_be_one_and_that_is_taken_back(browser: Browser, desk: Desk) -> None:
    with_duplicate(desk)
    page = signed_in(browser, desk, desk.ann)
    troubles = Troubles(page, desk.url)
    page.get_by_role("button", name="Duplicates").click()
    expect(page.locator("#case-title")).to_have_text("Are these one?")
    pair = page.locator("#queue li").filter(has_text="Бурштинська ТЕС")
    pair.get_by_role("button").click()
    expect(page.locator(".pair-side h3")).to_have_text(["Burshtyn thermal power plant", "Бурштинська ТЕС"])
    page.get_by_role("button", name="They are one").click()
    expect(page.get_by_role("alert")).to_have_text("Say on what grounds first.")
    page.get_by_label("On what grounds?").fill("The same plant")
    page.get_by_role("button", name="They are one").click()
    expect(page.locator("#said")).to_contain_text("They are one")
    expect(pair).to_have_count(0)
    *bundled, made = desk.store.records().identities.values()
    assert (made.one, made.other, made.verdict, made.who) == ("a-burshtyn", "seen", "same", "Ann")
    page.get_by_role("button", name="Take back").click()
    expect(pair).to_have_count(1)
    judged = [*desk.store.records().identities.values()][len(bundled) :]
    assert [one.verdict for one in judged] == ["same", "undone"]
    page.get_by_label("Pairs of").select_option("entities")
    expect(page.locator("#queue")).not_to_contain_text("Бурштинська ТЕС")
    page.get_by_role("button", name="Strikes that wait").click()
    expect(page.get_by_role("region", name="What the reports say")).to_be_visible()
    assert troubles == []


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_axe_violation_among_duplicates(browser: Browser, whole_desk: Desk, size: dict[str, int]) -> None:
    page = signed_in(browser, whole_desk, whole_desk.ann, size, csp=False)
    page.get_by_role("button", name="Duplicates").click()
    expect(page.locator(".pair-side h3").first).to_be_visible()
    page.add_script_tag(path=AXE)
    found = page.evaluate("async () => (await axe.run()).violations.map((v) => `${v.id}: ${v.nodes[0].html}`)")
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_axe_violation(browser: Browser, whole_desk: Desk, size: dict[str, int]) -> None:
    page = signed_in(browser, whole_desk, whole_desk.ann, size, csp=False)
    page.keyboard.press("?")
    page.keyboard.press("n")
    page.add_script_tag(path=AXE)
    found = page.evaluate("async () => (await axe.run()).violations.map((v) => `${v.id}: ${v.nodes[0].html}`)")
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
